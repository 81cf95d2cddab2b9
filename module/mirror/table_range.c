// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of a node's page tables: what is there, what is cleared, what is taken
 * out.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "module/mirror/table_priv.h"

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

/* Return: how many of the entries were leaves. */
static unsigned long mk_wipe(u64 *slot, unsigned int n)
{
	unsigned long empty = 0;
	u64 *end = slot + n;

	/* To count those that are less than 1 takes the carry alone, each time. */
#pragma GCC unroll 8
	for (; slot < end; slot++) {
		empty += READ_ONCE(*slot) < 1;
		WRITE_ONCE(*slot, 0);
	}
	return n - empty;
}

/*
 * Entries of the lowest level, from where @r is, below @slot. CPUs set bits of them
 * meanwhile: they do that to a present entry only. Return: as mk_clear().
 */
static bool mk_clear_leaves(struct mk_range *r, u64 *slot)
{
	u64 *table = mk_lower(*slot);
	unsigned int i = mk_index(r->at, 1), n = PTRS_PER_PTE - i;
	unsigned long found;

	n = min_t(unsigned long, n, (r->end - (r->at & PAGE_MASK) +
				     PAGE_SIZE - 1) >> PAGE_SHIFT);
	if (n == PTRS_PER_PTE) {
		mk_range_next(r, 2);
		r->found += mk_used(table);
		mk_table_shut(r->table, slot);
		return true;
	}
	if (!r->budget)
		return false;
	n = min(n, r->budget);
	r->at = (r->at & PAGE_MASK) + n * PAGE_SIZE;
	r->budget -= n;
	found = mk_wipe(&table[i], n);
	r->found += found;
	mk_use(r->table, table, 1, -found);
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
			all = mk_clear_leaves(r, slot);
		} else {
			all = mk_clear(r, mk_lower(entry), level - 1);
		}
		if (!(*slot & _PAGE_PRESENT))
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
 * mk_table_has_part() - may there be a leaf among entries of a page?
 * @slot: the first, as mk_table_part() has found it
 * @n: how many
 *
 * Context: as mk_table_has().
 * Return: false if there is none.
 */
bool mk_table_has_part(const u64 *slot, unsigned int n)
{
	unsigned int i;

	if (n > MK_TABLE_LOOK)
		return mk_used(mk_table_of(slot));
	for (i = 0; i < n; i++)
		if (READ_ONCE(slot[i]))
			return true;
	return false;
}

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
	struct mk_range r;
	u64 *slot, entry;

	if (mk_is_part(start, end)) {
		slot = mk_table_part(t, start, &entry);
		return entry || (slot && mk_table_has_part(slot,
					mk_part_entries(start, end)));
	}
	r = mk_range_of(t, start, end, MK_TABLE_LOOK);
	return r.at < r.end && mk_used(mk_root(t)) &&
	       mk_has(&r, mk_root(t), t->levels);
}

/**
 * mk_table_clear_part() - clear entries of a page
 * @t: the table
 * @slot: the first, as mk_table_part() has found it; nothing was filled in there since
 * @n: how many
 *
 * Context: any but NMI, under the caller's lock, interrupts off since mk_table_part():
 * the page may have been taken out or shut since, but is not freed.
 * Return: how many leaves were cleared.
 */
unsigned long mk_table_clear_part(struct mk_table *t, u64 *slot, unsigned int n)
{
	u64 *table = mk_table_of(slot);
	unsigned long found;

	/* Somebody else was faster; what is in a page that is shut does not count. */
	if (!mk_used(table))
		return 0;
	if (n == 1) {
		found = !!READ_ONCE(*slot);
		WRITE_ONCE(*slot, 0);
	} else {
		found = mk_wipe(slot, n);
	}
	mk_use(t, table, 1, -found);
	return found;
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

/* The entry of @table that leads to a table; it may be shut. */
static void mk_drop_table(struct mk_table *t, u64 *table, u64 *slot, int level)
{
	bool present = *slot & _PAGE_PRESENT;

	WRITE_ONCE(*slot, 0);
	if (present)
		mk_use(t, table, level, -1);
}

static unsigned long mk_prune(struct mk_table *t, u64 *table, int level,
			      unsigned long start, unsigned long end,
			      struct list_head *pages)
{
	unsigned long span = mk_table_span(level), n = 0, next;
	u64 *slot, entry;

	for (; start < end; start = next) {
		next = min((start | (span - 1)) + 1, end);
		slot = &table[mk_index(start, level)];
		entry = READ_ONCE(*slot);
		if (!entry || mk_is_leaf(entry, level))
			continue;
		if (next - start == span) {
			mk_drop_table(t, table, slot, level);
			n += mk_table_take_out(t, entry, level - 1, pages);
		} else {
			n += mk_prune(t, mk_lower(entry), level - 1, start,
				      next, pages);
		}
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
			mk_drop_table(r->table, table, slot, level);
			r->found += mk_table_take_out(r->table, entry, 1,
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
