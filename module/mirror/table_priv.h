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

/*
 * An entry of level 2 that is shut, or opened again. It is not present, and as CPUs may
 * speculate on what such an entry says (L1TF) its address is turned into one where no
 * memory is.
 */
static inline u64 mk_shut(u64 entry)
{
	return entry ^ (PTE_PFN_MASK | _PAGE_PRESENT);
}

/* The table that an entry leads to, or will when it is opened. */
static inline u64 *mk_lower(u64 entry)
{
	return __va((entry & _PAGE_PRESENT ? entry : ~entry) & PTE_PFN_MASK);
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
 * The index of a page: how many of its entries are present, but for those of the kernel's
 * half. Above that, of a page of the lowest level, the address that its first entry maps.
 */
#define MK_USED_MASK	(2 * PTRS_PER_PTE - 1UL)

static inline unsigned long mk_used(const u64 *table)
{
	return READ_ONCE(virt_to_page(table)->index) & MK_USED_MASK;
}

/* So many more, or fewer, are. */
static inline void mk_use(struct mk_table *t, u64 *table, int level, long more)
{
	struct page *page = virt_to_page(table);
	unsigned long had = page->index & MK_USED_MASK;

	if (level == 1)
		t->nr_idle += !(had + more) - !had;
	/* Whoever looks without the lock and sees less finds the leaf gone. */
	smp_store_release(&page->index, page->index + more);
}

/* Not if there is nothing in what it leads to; further down there may be nothing yet. */
static inline bool mk_leads_to_leaf(u64 entry, int level)
{
	return (entry & _PAGE_PRESENT) &&
	       (mk_is_leaf(entry, level) || mk_used(mk_lower(entry)));
}

/* Where @t->recent has the page of the lowest level that maps an address. */
static inline struct page **mk_recent(struct mk_table *t, unsigned long addr)
{
	return &t->recent[(addr >> PMD_SHIFT) % MK_TABLE_RECENT];
}

/*
 * That page, if it is there: under the lock, or with interrupts off, so that it is not
 * freed meanwhile. What it was taken for it stays until then.
 */
static inline u64 *mk_recent_table(struct mk_table *t, unsigned long addr)
{
	struct page *page = READ_ONCE(*mk_recent(t, addr));

	if (!page || (READ_ONCE(page->index) ^ addr) >> PMD_SHIFT)
		return NULL;
	return page_address(page);
}

/*
 * Is a range one part, that is some entries of one page of the lowest level? All of them
 * are not: mk_table_clear_some() shuts the page.
 */
static inline bool mk_is_part(unsigned long start, unsigned long end)
{
	return end - start < PMD_SIZE && end <= TASK_SIZE_MAX && start < end &&
	       !((start ^ (end - 1)) >> PMD_SHIFT);
}

/* How many entries it is. */
static inline unsigned int mk_part_entries(unsigned long start, unsigned long end)
{
	return mk_index(end - 1, 1) - mk_index(start, 1) + 1;
}

/*
 * The entry of the lowest level for @addr, without the lock, as mk_table_has() looks. If
 * there is none of that level: NULL, and @entry is 0 if nothing is mapped there.
 */
static __always_inline u64 *mk_table_part(struct mk_table *t, unsigned long addr,
					  u64 *entry)
{
	u64 *table = mk_recent_table(t, addr);
	const u64 *slot;
	int level;

	if (table) {
		slot = &table[mk_index(addr, 1)];
		*entry = READ_ONCE(*slot);
		return (u64 *)slot;
	}
	*entry = mk_walk_find(mk_root(t), t->levels, addr, &level, &slot);
	if (level == 1)
		return (u64 *)slot;
	*entry &= _PAGE_PRESENT;
	return NULL;
}

/*
 * The page of the lowest level that maps an address, for whoever fills in leaves there:
 * into empty entries, which mk_use() counts. NULL if there is no such page.
 */
static inline u64 *mk_table_lowest(struct mk_table *t, unsigned long addr)
{
	const u64 *slot;
	u64 *table;
	int level;

	table = mk_recent_table(t, addr);
	if (table)
		return table;
	mk_walk_find(mk_root(t), t->levels, addr, &level, &slot);
	if (level > 1)
		return NULL;
	table = mk_table_of(slot);
	/* mk_table_part() reads it without the lock. */
	WRITE_ONCE(*mk_recent(t, addr), virt_to_page(table));
	return table;
}

/* table.c */
unsigned long mk_table_take_out(struct mk_table *t, u64 entry, int level,
				struct list_head *pages);
void mk_table_shut(struct mk_table *t, u64 *slot);

#endif /* MK_TABLE_PRIV_H */
