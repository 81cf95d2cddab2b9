/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page tables of one node, every page of them on that node.
 *
 * A table is what a page walk of the CPU sees: level 4 or 5 is the root, level
 * 1 the lowest. A leaf is an entry that maps memory: at level 1 (4 KiB), 2 (2
 * MiB) or 3 (1 GiB). Entries are handed in and out as the CPU reads them, with
 * all their bits.
 *
 * Locking: the caller's. One raw spinlock, or whatever else keeps two calls on
 * one table apart; CPUs may walk it all the time. No function here flushes
 * anything.
 *
 * Each page of a table knows how many of its entries are present (its index): what is
 * empty is not looked through. Pages of the lowest level that were filled lately are
 * found without a walk.
 *
 * A page of the lowest level that loses all that it can map is shut, not cleared: the
 * entry that leads to it is made not present, which is one store for 512, and the page
 * is cleared when the entry is opened again, by who fills in something there. A CPU
 * that has that entry cached may use what the page maps until it is flushed, as it may
 * use what it has in its TLB.
 *
 * Pages are only added while a table is in use. One that is taken out, by
 * mk_table_prune() or since a larger leaf takes its place, may still be in a
 * CPU's paging-structure caches: it is kept, and empty, until the caller has
 * flushed every CPU that may have walked it, and then says mk_table_free().
 */
#ifndef MK_TABLE_H
#define MK_TABLE_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>
#include <asm/pgtable_types.h>

/* Levels that can hold a leaf, and all. */
#define MK_TABLE_LEAF_MAX	3
#define MK_TABLE_LEVELS_MAX	5

/* Pages of the lowest level that are found without a walk: a line of pointers. */
#define MK_TABLE_RECENT		8

/**
 * struct mk_table - page tables of one node
 * @node: where its pages lie
 * @levels: 4 or 5
 * @root: the page that CR3 points to
 * @entries: in it; every walk begins there
 * @pages: its other pages, by their lru
 * @nr_pages: how many, with @root
 * @retired: pages that were taken out by mk_table_set()
 * @nr_retired: how many
 * @nr_idle: pages of the lowest level that map nothing
 * @keeps: a planted fault: what is shut is opened as it was
 * @recent: pages of the lowest level, each where mk_recent() has it; read without the
 *	lock, too
 */
struct mk_table {
	int node;
	int levels;
	struct page *root;
	u64 *entries;
	struct list_head pages;
	unsigned long nr_pages;
	struct list_head retired;
	unsigned long nr_retired;
	unsigned long nr_idle;
	bool keeps;
	struct page *recent[MK_TABLE_RECENT];
};

/* Bytes that one entry of a level stands for. */
static inline unsigned long mk_table_span(int level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

/* Each page of a table but its root. */
#define mk_table_for_each_page(page, t)				\
	list_for_each_entry(page, &(t)->pages, lru)

/* Process context; sleep. */
int mk_table_init(struct mk_table *t, int node, int levels,
		  const pgd_t *kernel_half);
void mk_table_destroy(struct mk_table *t);
void mk_table_free(struct list_head *pages);

/* Any context but NMI; under the caller's lock. */
int mk_table_set(struct mk_table *t, unsigned long addr, int level, u64 entry);
u64 mk_table_get(const struct mk_table *t, unsigned long addr, int *level);
unsigned long mk_table_clear(struct mk_table *t, unsigned long start,
			     unsigned long end);
unsigned long mk_table_clear_some(struct mk_table *t, unsigned long *start,
				  unsigned long end, unsigned int budget);
unsigned long mk_table_young(struct mk_table *t, unsigned long start,
			     unsigned long end, bool clear);
unsigned long mk_table_prune(struct mk_table *t, unsigned long start,
			     unsigned long end, struct list_head *pages);
unsigned long mk_table_prune_idle(struct mk_table *t, unsigned long *start,
				  unsigned long end, unsigned int budget,
				  struct list_head *pages);
int mk_table_nodes(const struct mk_table *t, unsigned long addr, int *nodes);
unsigned long mk_table_count(const struct mk_table *t, int node);

/* Interrupts off; the first two without the lock, which the third is under. */
bool mk_table_has(struct mk_table *t, unsigned long start, unsigned long end);
bool mk_table_has_part(const u64 *slot, unsigned int n);
unsigned long mk_table_clear_part(struct mk_table *t, u64 *slot,
				  unsigned int n);

/* A root that is not a struct mk_table's; interrupts off. */
u64 mk_walk_get(const u64 *root, int levels, unsigned long addr, int *level);
int mk_walk_nodes(const u64 *root, int levels, unsigned long addr, int *nodes);

#endif /* MK_TABLE_H */
