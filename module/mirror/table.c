// SPDX-License-Identifier: GPL-2.0
/*
 * The page tables of one node.
 *
 * The lower levels of Linux's page tables are folded at build or boot time; a
 * table here has all its levels as arrays of 512 entries and one number says
 * which level it is. So one loop does for four levels and for five.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/io.h>
#include <asm/pgtable.h>

#include "module/mirror/pool.h"
#include "module/mirror/table.h"

static unsigned int mk_index(unsigned long addr, int level)
{
	return (addr >> (PAGE_SHIFT + 9 * (level - 1))) & (PTRS_PER_PTE - 1);
}

/* Bit 7 says so from level 2 on; at level 1 it means something else. */
static bool mk_is_leaf(u64 entry, int level)
{
	return level == 1 || (entry & _PAGE_PSE);
}

static u64 *mk_lower(u64 entry)
{
	return __va((u64)pte_pfn(__pte(entry)) << PAGE_SHIFT);
}

static u64 mk_upper_entry(struct page *page)
{
	return page_to_phys(page) | _PAGE_TABLE;
}

static u64 *mk_root(const struct mk_table *t)
{
	return page_address(t->root);
}

/*
 * How many entries of a page lead to a leaf: leaves, and tables with any below
 * them. Those of the kernel's half do not count.
 */
static unsigned long mk_used(const u64 *table)
{
	return READ_ONCE(virt_to_page(table)->index);
}

static void mk_use(struct mk_table *t, u64 *table, int level, long more)
{
	struct page *page = virt_to_page(table);
	unsigned long had = page->index;

	if (level == 1)
		t->nr_idle += !(had + more) - !had;
	/* Whoever looks without the lock and sees less finds the leaf gone. */
	smp_store_release(&page->index, had + more);
}

static bool mk_leads_to_leaf(u64 entry, int level)
{
	return entry && (mk_is_leaf(entry, level) || mk_used(mk_lower(entry)));
}

/* --- walks ----------------------------------------------------------------- */

/**
 * mk_walk_get() - what a page walk finds
 * @root: the topmost page
 * @levels: 4 or 5
 * @addr: of user space
 * @level: at which level; written
 *
 * Context: any; nothing frees a page of the tables meanwhile: they are the
 * caller's own, or an mm's and interrupts are off.
 * Return: the leaf, or whatever entry is not present and ends the walk.
 */
u64 mk_walk_get(const u64 *root, int levels, unsigned long addr, int *level)
{
	const u64 *table = root;
	int l = levels;
	u64 entry;

	for (;;) {
		entry = READ_ONCE(table[mk_index(addr, l)]);
		if (!(entry & _PAGE_PRESENT) || mk_is_leaf(entry, l))
			break;
		table = mk_lower(entry);
		l--;
	}
	*level = l;
	return entry;
}

/**
 * mk_walk_nodes() - on which nodes a page walk reads
 * @root: the topmost page
 * @levels: 4 or 5
 * @addr: of user space
 * @nodes: room for MK_TABLE_LEVELS_MAX nodes: of each page, the root's first
 *
 * Context: as mk_walk_get().
 * Return: how many pages the walk reads.
 */
int mk_walk_nodes(const u64 *root, int levels, unsigned long addr, int *nodes)
{
	const u64 *table = root;
	int n = 0, l = levels;
	u64 entry;

	for (;;) {
		nodes[n++] = page_to_nid(virt_to_page(table));
		entry = READ_ONCE(table[mk_index(addr, l)]);
		if (!(entry & _PAGE_PRESENT) || mk_is_leaf(entry, l))
			return n;
		table = mk_lower(entry);
		l--;
	}
}

/**
 * mk_table_get() - what a table maps at an address
 * @t: the table
 * @addr: of user space
 * @level: of the leaf; written if there is one
 *
 * Context: any, under the caller's lock.
 * Return: the leaf; 0 if there is none.
 */
u64 mk_table_get(const struct mk_table *t, unsigned long addr, int *level)
{
	u64 entry;
	int l;

	entry = mk_walk_get(mk_root(t), t->levels, addr, &l);
	if (entry)
		*level = l;
	return entry;
}

/**
 * mk_table_nodes() - on which nodes a page walk of a table reads
 * @t: the table
 * @addr: of user space
 * @nodes: room for MK_TABLE_LEVELS_MAX nodes: of each page, the root's first
 *
 * Context: any, under the caller's lock.
 * Return: how many pages the walk reads.
 */
int mk_table_nodes(const struct mk_table *t, unsigned long addr, int *nodes)
{
	return mk_walk_nodes(mk_root(t), t->levels, addr, nodes);
}

/**
 * mk_table_count() - how many pages of a table lie on a node
 * @t: the table
 * @node: which
 *
 * Context: any, under the caller's lock.
 * Return: pages, with the root; @t->nr_pages if @node is @t->node.
 */
unsigned long mk_table_count(const struct mk_table *t, int node)
{
	unsigned long n = page_to_nid(t->root) == node;
	struct page *page;

	mk_table_for_each_page(page, t)
		n += page_to_nid(page) == node;
	return n;
}

/* --- changes --------------------------------------------------------------- */

/* A table of level @level below @slot, which is empty. */
static u64 *mk_table_grow(struct mk_table *t, u64 *slot, int level)
{
	struct page *page = mk_pool_take(t->node);

	if (!page)
		return NULL;
	list_add(&page->lru, &t->pages);
	t->nr_pages++;
	t->nr_idle += level == 1;
	page->index = 0;
	/* The page is zeroed before a CPU's walk can reach it. */
	smp_store_release(slot, mk_upper_entry(page));
	return page_address(page);
}

/* Collect the page @table of level @level and all below it. */
static unsigned long mk_table_take_out(struct mk_table *t, u64 *table,
				       int level, struct list_head *pages)
{
	struct page *page = virt_to_page(table);
	unsigned long n = 1;
	unsigned int i;
	u64 entry;

	if (level == 1)
		t->nr_idle -= !page->index;
	for (i = 0; i < PTRS_PER_PTE && (level > 1 || page->index); i++) {
		entry = READ_ONCE(table[i]);
		if (!entry)
			continue;
		WRITE_ONCE(table[i], 0);
		if (!mk_is_leaf(entry, level))
			n += mk_table_take_out(t, mk_lower(entry), level - 1,
					       pages);
	}
	WRITE_ONCE(page->index, 0);
	list_move(&page->lru, pages);
	t->nr_pages--;
	return n;
}

/* Below @table, which is of level @l. */
static int mk_set(struct mk_table *t, u64 *table, int l, unsigned long addr,
		  int level, u64 entry)
{
	u64 *slot = &table[mk_index(addr, l)], *lower;
	u64 old = READ_ONCE(*slot);
	bool before = mk_leads_to_leaf(old, l);
	int err = 0;

	if (l == level) {
		WRITE_ONCE(*slot, entry);
		if (old && !mk_is_leaf(old, l))
			t->nr_retired += mk_table_take_out(t, mk_lower(old),
							   l - 1, &t->retired);
	} else {
		if (old && mk_is_leaf(old, l)) {
			WRITE_ONCE(*slot, 0);
			old = 0;
		}
		lower = old ? mk_lower(old) : mk_table_grow(t, slot, l - 1);
		err = lower ? mk_set(t, lower, l - 1, addr, level, entry) :
			      -ENOMEM;
	}
	if (mk_leads_to_leaf(*slot, l) != before)
		mk_use(t, table, l, before ? -1 : 1);
	return err;
}

/**
 * mk_table_set() - map memory at an address
 * @t: the table
 * @addr: of user space; rounded down to the leaf's size
 * @level: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
 * @entry: the leaf; present, and with the size bit at level 2 and 3
 *
 * What was there is replaced, whatever its size: smaller leaves go with their
 * table pages to @t->retired, a larger leaf goes as a whole. Pages are taken
 * from the node's pool.
 *
 * Context: any but NMI, under the caller's lock, which may be a raw spinlock.
 * Return: 0; -ENOMEM if the pool is dry, then nothing is mapped there or what was
 * there before; -EINVAL if @entry is no leaf of that level.
 */
int mk_table_set(struct mk_table *t, unsigned long addr, int level, u64 entry)
{
	if (level < 1 || level > MK_TABLE_LEAF_MAX ||
	    !(entry & _PAGE_PRESENT) || !mk_is_leaf(entry, level))
		return -EINVAL;
	return mk_set(t, mk_root(t), t->levels, addr, level, entry);
}

/* --- ranges ---------------------------------------------------------------- */

/**
 * struct mk_range - a walk over leaves
 * @table: of which table
 * @at: where it is
 * @end: first byte after the range
 * @budget: entries that it may still look at
 * @found: leaves that counted
 */
struct mk_range {
	struct mk_table *table;
	unsigned long at, end;
	unsigned int budget;
	unsigned long found;
};

/* What lies beyond the table is not there. */
static struct mk_range mk_range_of(struct mk_table *t, unsigned long start,
				   unsigned long end, unsigned int budget)
{
	return (struct mk_range){
		.table = t,
		.at = start,
		.end = min(end, 1UL << (PAGE_SHIFT + 9 * t->levels - 1)),
		.budget = budget,
	};
}

static void mk_range_next(struct mk_range *r, int level)
{
	r->at = (r->at | (mk_table_span(level) - 1)) + 1;
}

/* Is it still in the table of @level that it was in? */
static bool mk_range_goes_on(const struct mk_range *r, int level)
{
	return r->at < r->end && mk_index(r->at, level);
}

/*
 * Entries of the lowest level, from where @r is. CPUs set bits of them meanwhile:
 * they do that to a present entry only. Return: as mk_clear().
 */
static bool mk_clear_leaves(struct mk_range *r, u64 *table)
{
	unsigned int i = mk_index(r->at, 1), n = PTRS_PER_PTE - i;
	unsigned long used = mk_used(table), left = used;

	if (!r->budget)
		return false;
	n = min_t(unsigned long, n, (r->end - (r->at & PAGE_MASK) +
				     PAGE_SIZE - 1) >> PAGE_SHIFT);
	n = min(n, r->budget);
	r->at = (r->at & PAGE_MASK) + n * PAGE_SIZE;
	r->budget -= n;
	if (n == PTRS_PER_PTE) {
		/* By whole entries, like the loop. */
		memset64(table, 0, n);
		left = 0;
	}
	/* Behind the last leaf there is none. */
	for (; n && left; n--, i++) {
		if (!READ_ONCE(table[i]))
			continue;
		WRITE_ONCE(table[i], 0);
		left--;
	}
	r->found += used - left;
	mk_use(r->table, table, 1, left - used);
	return true;
}

/* Return: false if the budget is used up before the end. */
static bool mk_clear(struct mk_range *r, u64 *table, int level)
{
	u64 *slot, entry;
	bool all = true;

	do {
		if (!r->budget)
			return false;
		r->budget--;
		slot = &table[mk_index(r->at, level)];
		entry = READ_ONCE(*slot);
		if (!mk_leads_to_leaf(entry, level)) {
			mk_range_next(r, level);
			continue;
		}
		if (mk_is_leaf(entry, level)) {
			WRITE_ONCE(*slot, 0);
			r->found++;
			mk_range_next(r, level);
		} else if (level == 2) {
			all = mk_clear_leaves(r, mk_lower(entry));
		} else {
			all = mk_clear(r, mk_lower(entry), level - 1);
		}
		if (!mk_leads_to_leaf(*slot, level))
			mk_use(r->table, table, level, -1);
	} while (all && mk_range_goes_on(r, level));
	return all;
}

static bool mk_has(struct mk_range *r, const u64 *table, int level)
{
	u64 entry;

	do {
		if (!r->budget)
			return true;
		r->budget--;
		entry = READ_ONCE(table[mk_index(r->at, level)]);
		if (!mk_leads_to_leaf(entry, level))
			mk_range_next(r, level);
		else if (mk_is_leaf(entry, level) ||
			 mk_has(r, mk_lower(entry), level - 1))
			return true;
	} while (mk_range_goes_on(r, level));
	return false;
}

static void mk_young(struct mk_range *r, u64 *table, int level, bool clear)
{
	u64 *slot, entry;

	do {
		slot = &table[mk_index(r->at, level)];
		entry = READ_ONCE(*slot);
		if (mk_leads_to_leaf(entry, level) &&
		    !mk_is_leaf(entry, level)) {
			mk_young(r, mk_lower(entry), level - 1, clear);
			continue;
		}
		if (entry & _PAGE_ACCESSED && mk_is_leaf(entry, level))
			r->found += !clear ||
				    test_and_clear_bit(_PAGE_BIT_ACCESSED,
						       (unsigned long *)slot);
		mk_range_next(r, level);
	} while (mk_range_goes_on(r, level));
}

/**
 * mk_table_clear() - unmap a range
 * @t: the table
 * @start: first byte
 * @end: first byte after it; what lies beyond user space does not matter
 *
 * A leaf of which any byte lies in the range goes as a whole. The table pages
 * stay.
 *
 * Context: any, under the caller's lock. Time: by leaves; see
 * mk_table_clear_some().
 * Return: how many leaves were cleared.
 */
unsigned long mk_table_clear(struct mk_table *t, unsigned long start,
			     unsigned long end)
{
	return mk_table_clear_some(t, &start, end, UINT_MAX);
}

/**
 * mk_table_clear_some() - unmap a range in steps
 * @t: the table
 * @start: first byte; afterwards where to go on, @end if all is done
 * @end: as mk_table_clear()
 * @budget: entries to look at, at most; at least @t->levels
 *
 * Context: any, under the caller's lock, which may be let go between two steps.
 * Return: how many leaves were cleared.
 */
unsigned long mk_table_clear_some(struct mk_table *t, unsigned long *start,
				  unsigned long end, unsigned int budget)
{
	struct mk_range r = mk_range_of(t, *start, end, budget);

	if (r.at >= r.end || !mk_used(mk_root(t)) ||
	    mk_clear(&r, mk_root(t), t->levels))
		*start = end;
	else
		*start = r.at;
	return r.found;
}

/* Entries that mk_table_has() looks at. */
#define MK_TABLE_LOOK	32

/**
 * mk_table_has() - may there be a leaf in a range?
 * @t: the table
 * @start: first byte
 * @end: as mk_table_clear()
 *
 * Context: any but NMI, interrupts off, without the lock. What mk_table_set() has
 * put there is seen if that call came before, as the caller has to know; what
 * mk_table_clear() is about to take away is seen until it has gone. Pages that
 * mk_table_prune() has taken out are not freed meanwhile, nor is the table.
 * Return: false if there is none.
 */
bool mk_table_has(struct mk_table *t, unsigned long start, unsigned long end)
{
	struct mk_range r = mk_range_of(t, start, end, MK_TABLE_LOOK);

	return r.at < r.end && mk_used(mk_root(t)) &&
	       mk_has(&r, mk_root(t), t->levels);
}

/**
 * mk_table_young() - leaves that were used
 * @t: the table
 * @start: first byte
 * @end: as mk_table_clear()
 * @clear: take the mark away
 *
 * Context: any, under the caller's lock; for ranges of some pages.
 * Return: how many leaves have the accessed bit.
 */
unsigned long mk_table_young(struct mk_table *t, unsigned long start,
			     unsigned long end, bool clear)
{
	struct mk_range r = mk_range_of(t, start, end, 0);

	if (r.at < r.end)
		mk_young(&r, mk_root(t), t->levels, clear);
	return r.found;
}

static unsigned long mk_prune(struct mk_table *t, u64 *table, int level,
			      unsigned long start, unsigned long end,
			      struct list_head *pages)
{
	unsigned long span = mk_table_span(level), n = 0, next;
	u64 *slot, entry;
	bool before;

	for (; start < end; start = next) {
		next = min((start | (span - 1)) + 1, end);
		slot = &table[mk_index(start, level)];
		entry = READ_ONCE(*slot);
		if (!entry || mk_is_leaf(entry, level))
			continue;
		before = mk_leads_to_leaf(entry, level);
		if (next - start == span) {
			WRITE_ONCE(*slot, 0);
			n += mk_table_take_out(t, mk_lower(entry), level - 1,
					       pages);
		} else {
			n += mk_prune(t, mk_lower(entry), level - 1, start,
				      next, pages);
		}
		if (before && !mk_leads_to_leaf(*slot, level))
			mk_use(t, table, level, -1);
	}
	return n;
}

/**
 * mk_table_prune() - take out the table pages of a range
 * @t: the table
 * @start: first byte
 * @end: as mk_table_clear()
 * @pages: gets, by their lru, each page that serves nothing outside the range,
 *	emptied; and those that mk_table_set() has taken out
 *
 * The root stays. Once no CPU can have a page in its paging-structure caches any
 * more, they are given to mk_table_free().
 *
 * Context: any, under the caller's lock.
 * Return: how many pages were added.
 */
unsigned long mk_table_prune(struct mk_table *t, unsigned long start,
			     unsigned long end, struct list_head *pages)
{
	unsigned long n = t->nr_retired;

	list_splice_init(&t->retired, pages);
	t->nr_retired = 0;
	end = min(end, 1UL << (PAGE_SHIFT + 9 * t->levels - 1));
	return n + mk_prune(t, mk_root(t), t->levels, start, end, pages);
}

static bool mk_prune_idle(struct mk_range *r, u64 *table, int level,
			  struct list_head *pages)
{
	u64 *slot, *lower, entry;
	bool all = true;

	do {
		if (!r->budget)
			return false;
		r->budget--;
		slot = &table[mk_index(r->at, level)];
		entry = READ_ONCE(*slot);
		if (!entry || mk_is_leaf(entry, level)) {
			mk_range_next(r, level);
			continue;
		}
		lower = mk_lower(entry);
		if (level > 2) {
			all = mk_prune_idle(r, lower, level - 1, pages);
			continue;
		}
		if (!mk_used(lower)) {
			WRITE_ONCE(*slot, 0);
			r->found += mk_table_take_out(r->table, lower, 1,
						      pages);
		}
		mk_range_next(r, level);
	} while (all && mk_range_goes_on(r, level));
	return all;
}

/**
 * mk_table_prune_idle() - take out pages of the lowest level that map nothing
 * @t: the table
 * @start: first byte; afterwards where to go on, @end if all is done
 * @end: as mk_table_clear()
 * @budget: entries to look at, at most; at least @t->levels
 * @pages: as mk_table_prune()
 *
 * Context: any, under the caller's lock, which may be let go between two steps.
 * Return: how many pages were added.
 */
unsigned long mk_table_prune_idle(struct mk_table *t, unsigned long *start,
				  unsigned long end, unsigned int budget,
				  struct list_head *pages)
{
	struct mk_range r = mk_range_of(t, *start, end, budget);

	if (r.at >= r.end || !t->nr_idle ||
	    mk_prune_idle(&r, mk_root(t), t->levels, pages))
		*start = end;
	else
		*start = r.at;
	return r.found;
}

/**
 * mk_table_free() - free pages that mk_table_prune() has taken out
 * @pages: the list, empty afterwards
 *
 * Context: process.
 */
void mk_table_free(struct list_head *pages)
{
	mk_pool_give(pages);
}

/* --- life ------------------------------------------------------------------ */

/**
 * mk_table_init() - make an empty table
 * @t: the table
 * @node: an online node
 * @levels: 4 or 5
 * @kernel_half: a root to copy the kernel's entries from, or NULL if no CPU will
 *	load this one
 *
 * It holds the node's pool until mk_table_destroy().
 *
 * Context: process; sleeps.
 * Return: 0; -ENOMEM if the node has no page to give or the limit is reached.
 */
int mk_table_init(struct mk_table *t, int node, int levels,
		  const pgd_t *kernel_half)
{
	int err = mk_pool_get(node);

	if (err)
		return err;
	t->node = node;
	t->levels = levels;
	INIT_LIST_HEAD(&t->pages);
	INIT_LIST_HEAD(&t->retired);
	t->nr_pages = 1;
	t->nr_retired = 0;
	t->nr_idle = 0;
	t->root = mk_pool_take(node);
	if (!t->root) {
		mk_pool_put(node);
		return -ENOMEM;
	}
	t->root->index = 0;
	if (kernel_half)
		memcpy(mk_root(t) + PTRS_PER_PGD / 2,
		       kernel_half + PTRS_PER_PGD / 2, PAGE_SIZE / 2);
	return 0;
}

/**
 * mk_table_destroy() - free a table and all its pages
 * @t: a table that no CPU has loaded, nor any of its entries cached
 *
 * Context: process; sleeps.
 */
void mk_table_destroy(struct mk_table *t)
{
	list_splice_init(&t->retired, &t->pages);
	list_add(&t->root->lru, &t->pages);
	t->root = NULL;
	mk_pool_give(&t->pages);
	mk_pool_put(t->node);
}
