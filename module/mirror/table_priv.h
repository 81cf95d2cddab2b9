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
	return __va((u64)pte_pfn(__pte(entry)) << PAGE_SHIFT);
}

static inline u64 *mk_root(const struct mk_table *t)
{
	return page_address(t->root);
}

/*
 * How many entries of a page lead to a leaf: leaves, and tables with any below
 * them. Those of the kernel's half do not count.
 */
static inline unsigned long mk_used(const u64 *table)
{
	return READ_ONCE(virt_to_page(table)->index);
}

static inline void mk_use(struct mk_table *t, u64 *table, int level, long more)
{
	struct page *page = virt_to_page(table);
	unsigned long had = page->index;

	if (level == 1)
		t->nr_idle += !(had + more) - !had;
	/* Whoever looks without the lock and sees less finds the leaf gone. */
	smp_store_release(&page->index, had + more);
}

static inline bool mk_leads_to_leaf(u64 entry, int level)
{
	return entry && (mk_is_leaf(entry, level) || mk_used(mk_lower(entry)));
}

/* table.c */
unsigned long mk_table_take_out(struct mk_table *t, u64 *table, int level,
				struct list_head *pages);

#endif /* MK_TABLE_PRIV_H */
