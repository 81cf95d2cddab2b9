/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames of a region that were replaced, on their way out: they are freed when
 * the operation that did it lets go, and every shootdown of it that a lazy
 * protocol has in quarantine; and when no mapping is left that the operation did
 * not reach, or a later one of the same pages has reached them all.
 */
#ifndef MK_RETIRED_H
#define MK_RETIRED_H

#include <linux/list.h>
#include <linux/refcount.h>

#include "shootdown/region_priv.h"
#include "shootdown/shootdown.h"

/**
 * struct mk_retired - frames on their way out
 * @region: theirs; held
 * @refs: the operation, and its shootdowns in the quarantine
 * @link: among those that the region keeps
 * @lent: its memory is the operation's own
 * @keep: a fault was planted: they are kept until the region dies
 * @first: first mapping that was not reached, by its number
 * @last: last one; 0 if all were
 * @clears: the operation takes away what others before it have left
 * @seq: its number in the region
 * @start: its first page
 * @end: first page after it
 * @nr: how many
 * @page: them
 */
struct mk_retired {
	struct mk_region *region;
	refcount_t refs;
	struct list_head link;
	bool lent, keep, clears;
	u64 first, last;
	u64 seq;
	u32 start, end;
	u32 nr;
	struct page *page[];
};

/* Process context; sleep. */
struct mk_retired *mk_retired_alloc(struct mk_region *region, u32 nr);
void mk_retired_init(struct mk_retired *retired, struct mk_region *region);
void mk_retired_put(struct mk_retired *retired);
void mk_retired_await(struct mk_retired *retired, u64 mapping);
void mk_retired_collect(struct mk_region *region, struct list_head *list);
void mk_retired_dispose(struct list_head *list);
struct mk_frees *mk_ticket_get(struct mk_retired *retired, u32 pages);
void mk_ticket_release(struct mk_frees *frees);

#endif /* MK_RETIRED_H */
