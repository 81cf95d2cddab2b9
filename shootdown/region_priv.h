/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions, as region.c and operate.c see them. The rules are in region.h.
 */
#ifndef MK_REGION_PRIV_H
#define MK_REGION_PRIV_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "shootdown/region.h"
#include "shootdown/space.h"

struct mm_struct;
struct page;
struct vm_area_struct;

/**
 * struct mk_mapping - an mm that maps a region
 * @link: in the region's list, oldest first
 * @mm: held by mm_count
 * @space: of @mm; NULL before the first operation
 * @seq: number in the region; never another's
 * @vmas: opened and not closed
 * @start: none of them begins before
 * @end: and none goes on there
 */
struct mk_mapping {
	struct list_head link;
	struct mm_struct *mm;
	struct mk_space *space;
	u64 seq;
	unsigned int vmas;
	unsigned long start, end;
};

/**
 * struct mk_region - see region.h; @lock protects what does not say otherwise
 * @pages: how many; constant
 * @node: constant
 * @flags: MK_REGION_FIXED; constant
 * @kind: NULL for a plain one; constant
 * @own: of @kind; constant
 * @slot: of the frame table; constant
 * @refs: of this memory: the file, and frames on their way
 * @lock: see region.h
 * @gone: the file is closed
 * @frame: of each page; NULL if there is a @kind
 * @protected: pages that must not be written
 * @busy_lock: protects @busy, inside of no other lock
 * @busy: pages of an operation that is under way
 * @idle: waits for @busy
 * @mappings: struct mk_mapping
 * @seq: number of the latest mapping
 * @version: of the latest renew
 * @ops: number of the latest operation
 * @kept: struct mk_retired that somebody may still reach
 * @nr_kept: their frames
 * @settling: anyone: shootdowns in the quarantine
 * @settled: anyone: waits for @settling to become 0
 */
struct mk_region {
	u32 pages;
	int node;
	u64 flags;
	const struct mk_region_kind *kind;
	void *own;
	u32 slot;
	refcount_t refs;
	struct mutex lock;	/* mappings, frames, protection */
	bool gone;
	struct page **frame;
	DECLARE_BITMAP(protected, MK_REGION_PAGES_MAX);
	spinlock_t busy_lock;	/* busy */
	DECLARE_BITMAP(busy, MK_REGION_PAGES_MAX);
	wait_queue_head_t idle;
	struct list_head mappings;
	u64 seq;
	u64 version;
	u64 ops;
	struct list_head kept;
	u32 nr_kept;
	atomic_t settling;
	wait_queue_head_t settled;
};

/* Of all regions together, for debugfs. */
struct mk_region_totals {
	atomic64_t regions;
	atomic64_t structs;
	atomic64_t frames;
	atomic64_t kept;
	atomic64_t settling;
	atomic64_t faults;
	atomic64_t operations;
};

extern struct mk_region_totals mk_region_totals;

void mk_region_get(struct mk_region *region);
void mk_region_put(struct mk_region *region);
struct page *mk_frame_alloc(const struct mk_region *region, u32 index,
			    u64 version);
void mk_frame_free(struct page *page);
int mk_interleave_node(u32 index);
bool mk_region_maps(const struct mk_region *region,
		    const struct vm_area_struct *vma);

/* For kinds of regions. */
void mk_region_vma_open(struct vm_area_struct *vma);
void mk_region_vma_close(struct vm_area_struct *vma);
void mk_region_upgrade(struct vm_area_struct *vma, unsigned long address,
		       struct page *page);

#endif /* MK_REGION_PRIV_H */
