// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of a region that were replaced, on their way out.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "shootdown/retired.h"

/* One shootdown of a lazy protocol. */
struct mk_ticket {
	struct mk_frees frees;
	struct mk_retired *retired;
};

/**
 * mk_retired_alloc() - room for frames on their way out
 * @region: theirs
 * @nr: how many at most
 *
 * Context: process; sleeps.
 * Return: without a frame yet, and with the caller's reference; NULL.
 */
struct mk_retired *mk_retired_alloc(struct mk_region *region, u32 nr)
{
	struct mk_retired *retired;

	retired = kvzalloc(struct_size(retired, page, nr), GFP_KERNEL_ACCOUNT);
	if (!retired)
		return NULL;
	mk_region_get(region);
	retired->region = region;
	refcount_set(&retired->refs, 1);
	return retired;
}

/**
 * mk_retired_init() - for an operation that replaces no frame, nor has a shootdown that
 *	outlives it
 * @retired: in the caller's memory, until its mk_retired_put()
 * @region: the region
 *
 * Context: process.
 */
void mk_retired_init(struct mk_retired *retired, struct mk_region *region)
{
	mk_region_get(region);
	*retired = (struct mk_retired){ .region = region, .lent = true };
	refcount_set(&retired->refs, 1);
}

/* The end of it. */
static void mk_retired_free(struct mk_retired *retired)
{
	struct mk_region *region = retired->region;
	u32 i;

	for (i = 0; i < retired->nr; i++)
		mk_frame_free(retired->page[i]);
	if (!retired->lent)
		kvfree(retired);
	mk_region_put(region);
}

/* Did it take those pages away from everybody, after @other had begun to? */
static bool mk_retired_covers(const struct mk_retired *retired,
			      const struct mk_retired *other)
{
	return retired->clears && !retired->keep && !retired->last &&
	       retired->seq > other->seq &&
	       retired->start <= other->start && retired->end >= other->end;
}

/* Under the region's lock: may anybody still reach the frames? */
static bool mk_retired_is_kept(const struct mk_retired *retired)
{
	const struct mk_region *region = retired->region;
	const struct mk_mapping *mapping;

	if (region->gone)
		return false;
	if (retired->keep)
		return true;
	list_for_each_entry(mapping, &region->mappings, link)
		if (mapping->seq >= retired->first &&
		    mapping->seq <= retired->last)
			return true;
	return false;
}

static void mk_retired_unkeep(struct mk_retired *retired,
			      struct list_head *list)
{
	list_move(&retired->link, list);
	retired->region->nr_kept -= retired->nr;
	atomic64_sub(retired->nr, &mk_region_totals.kept);
}

/**
 * mk_retired_await() - the operation does not reach a mapping
 * @retired: its frames
 * @mapping: number of the mapping
 *
 * Context: who does the operation; mappings by ascending number.
 */
void mk_retired_await(struct mk_retired *retired, u64 mapping)
{
	if (!retired->last)
		retired->first = mapping;
	retired->last = mapping;
}

/**
 * mk_retired_put() - drop a reference; the last one frees the frames
 * @retired: the frames
 *
 * Or gives them to the region to keep, for mk_retired_collect().
 *
 * Context: process; sleeps.
 */
void mk_retired_put(struct mk_retired *retired)
{
	struct mk_region *region = retired->region;
	struct mk_retired *other, *next;
	LIST_HEAD(unkept);
	bool kept;

	if (!refcount_dec_and_test(&retired->refs))
		return;
	mutex_lock(&region->lock);
	list_for_each_entry_safe(other, next, &region->kept, link)
		if (!other->keep && mk_retired_covers(retired, other))
			mk_retired_unkeep(other, &unkept);
	kept = retired->nr && mk_retired_is_kept(retired);
	if (kept) {
		list_add(&retired->link, &region->kept);
		region->nr_kept += retired->nr;
		atomic64_add(retired->nr, &mk_region_totals.kept);
	}
	mutex_unlock(&region->lock);
	if (!kept)
		mk_retired_free(retired);
	mk_retired_dispose(&unkept);
}

/**
 * mk_retired_collect() - take what a region keeps and nobody can reach any more
 * @region: the region, when a mapping has gone or it is gone itself
 * @list: gets it, for mk_retired_dispose()
 *
 * Context: process, with the region's lock held.
 */
void mk_retired_collect(struct mk_region *region, struct list_head *list)
{
	struct mk_retired *retired, *next;

	lockdep_assert_held(&region->lock);
	list_for_each_entry_safe(retired, next, &region->kept, link)
		if (!mk_retired_is_kept(retired))
			mk_retired_unkeep(retired, list);
}

/**
 * mk_retired_dispose() - free what mk_retired_collect() has found
 * @list: the list
 *
 * Context: process, who holds the region; sleeps.
 */
void mk_retired_dispose(struct list_head *list)
{
	struct mk_retired *retired, *next;

	list_for_each_entry_safe(retired, next, list, link)
		mk_retired_free(retired);
}

/**
 * mk_ticket_release() - the shootdown of a ticket is over, or never was
 * @frees: from mk_ticket_get()
 *
 * Context: process; sleeps.
 */
void mk_ticket_release(struct mk_frees *frees)
{
	struct mk_ticket *ticket = container_of(frees, struct mk_ticket, frees);
	struct mk_retired *retired = ticket->retired;
	struct mk_region *region = retired->region;

	mk_frees_destroy(frees);
	kfree(ticket);
	atomic64_dec(&mk_region_totals.settling);
	if (atomic_dec_and_test(&region->settling))
		wake_up_all(&region->settled);
	mk_retired_put(retired);
}

/**
 * mk_ticket_get() - what a lazy shootdown of these frames holds on to
 * @retired: the frames
 * @pages: counted against the quarantine
 *
 * Context: process; sleeps.
 * Return: given to mk_ticket_release() once; NULL without memory.
 */
struct mk_frees *mk_ticket_get(struct mk_retired *retired, u32 pages)
{
	struct mk_ticket *ticket = kzalloc(sizeof(*ticket), GFP_KERNEL);

	if (!ticket)
		return NULL;
	if (mk_frees_init(&ticket->frees, pages, mk_ticket_release)) {
		kfree(ticket);
		return NULL;
	}
	ticket->retired = retired;
	refcount_inc(&retired->refs);
	atomic_inc(&retired->region->settling);
	atomic64_inc(&mk_region_totals.settling);
	return &ticket->frees;
}
