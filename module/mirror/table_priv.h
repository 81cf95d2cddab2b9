/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of a table know of its entries.
 */
#ifndef MK_TABLE_PRIV_H
#define MK_TABLE_PRIV_H

#include <linux/mm.h>
#include <asm/io.h>
#include <asm/pgtable.h>

#include "module/mirror/table.h"

static inline unsigned int mk_index(unsigned long addr, int level)
{
	return (addr >> (PAGE_SHIFT + 9 * (level - 1))) & (PTRS_PER_PTE - 1);
}

/* Bit 7 says so from level 2 on; at level 1 it means something else. */
static inline bool mk_is_leaf(u64 entry, int level)
{
	return level == 1 || (entry & _PAGE_PSE);
}

static inline u64 *mk_lower(u64 entry)
{
	return __va(entry & PTE_PFN_MASK);
}

static inline u64 *mk_root(const struct mk_table *t)
{
	return t->entries;
}

/* The page of a table that an entry lies in. */
static inline u64 *mk_table_of(const u64 *slot)
{
	return (u64 *)((unsigned long)slot & PAGE_MASK);
}

/*
 * As mk_walk_get(), and where: @slot is the entry's place, and what is there may
 * have changed since. Inline, since each fault does it twice.
 */
static inline u64 mk_walk_find(const u64 *root, int levels, unsigned long addr,
			       int *level, const u64 **slot)
{
	int shift = PAGE_SHIFT + 9 * (levels - 1);
	const u64 *at, *table = root;
	u64 entry;

	for (;;) {
		at = &table[(addr >> shift) & (PTRS_PER_PTE - 1)];
		entry = READ_ONCE(*at);
		if (levels == 1 || !(entry & _PAGE_PRESENT) ||
		    (entry & _PAGE_PSE))
			break;
		table = mk_lower(entry);
		shift -= 9;
		levels--;
	}
	*level = levels;
	*slot = at;
	return entry;
}

/*
 * How many entries of a page lead to a leaf: leaves, and tables with any below
 * them. Those of the kernel's half do not count.
 */
static inline unsigned long mk_used(const u64 *table)
{
	return READ_ONCE(virt_to_page(table)->index);
}

/* Return: how many there are now. */
static inline unsigned long mk_use(struct mk_table *t, u64 *table, int level,
				   long more)
{
	struct page *page = virt_to_page(table);
	unsigned long had = page->index, has = had + more;

	if (level == 1)
		t->nr_idle += !has - !had;
	/* Whoever looks without the lock and sees less finds the leaf gone. */
	smp_store_release(&page->index, has);
	return has;
}

static inline bool mk_leads_to_leaf(u64 entry, int level)
{
	return entry && (mk_is_leaf(entry, level) || mk_used(mk_lower(entry)));
}

/*
 * The page of the lowest level that maps an address, for whoever fills in more
 * than one leaf: into empty entries, which mk_use() counts. It has a leaf already,
 * so nothing changes in the tables above. NULL if there is no such page.
 */
static inline u64 *mk_table_lowest(const struct mk_table *t, unsigned long addr)
{
	const u64 *slot;
	int level;

	mk_walk_find(mk_root(t), t->levels, addr, &level, &slot);
	if (level > 1 || !mk_used(mk_table_of(slot)))
		return NULL;
	return mk_table_of(slot);
}

/* table.c */
unsigned long mk_table_take_out(struct mk_table *t, u64 *table, int level,
				struct list_head *pages);

#endif /* MK_TABLE_PRIV_H */
