// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of paged regions.
 *
 * A frame is a page with a number. Clients map it by page number, which Linux does
 * not count; so it is given back to Linux only when no record has it, and no
 * operation that took one away has left anybody out. Pagers map it as an ordinary
 * page, which Linux does count: a pager that still uses one that was freed
 * has a page that is nobody else's.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "module/pager/paged_priv.h"

/**
 * mk_frame_page() - memory for a frame
 * @node: where
 * @exact: nowhere else
 *
 * Context: process; sleeps.
 * Return: a zeroed page for mk_frame_drop(); NULL.
 */
struct page *mk_frame_page(int node, bool exact)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	struct page *page;

	if (exact)
		gfp |= __GFP_THISNODE;
	page = alloc_pages_node(node, gfp, 0);
	if (page)
		atomic64_inc(&mk_paged_frames);
	return page;
}

/**
 * mk_frame_drop() - it is no frame any more
 * @page: from mk_frame_page()
 *
 * Context: process.
 */
void mk_frame_drop(struct page *page)
{
	put_page(page);
	atomic64_dec(&mk_paged_frames);
}

/* Numbers in a row for pages, under the lock. */
static int mk_frames_number(struct mk_paged *paged, struct page **page, u32 nr)
{
	unsigned long first;
	u32 i;

	lockdep_assert_held(&paged->region->lock);
	first = bitmap_find_next_zero_area(paged->used, paged->frames_max, 0,
					   nr, 0);
	if (first >= paged->frames_max)
		return -ENOSPC;
	bitmap_set(paged->used, first, nr);
	for (i = 0; i < nr; i++)
		paged->frame[first + i] = page[i];
	paged->frames += nr;
	return first;
}

/**
 * mk_frames_add() - a frame from the kernel
 * @paged: the region, whose lock is held
 * @page: from mk_frame_page()
 *
 * Context: process.
 * Return: its number; -ENOSPC.
 */
int mk_frames_add(struct mk_paged *paged, struct page *page)
{
	return mk_frames_number(paged, &page, 1);
}

static void mk_frames_drop(struct page **page, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		mk_frame_drop(page[i]);
	kfree(page);
}

/**
 * mk_frames_get() - allocate frames
 * @paged: the region
 * @alloc: how many, and where; gets the first number
 *
 * Context: process; sleeps.
 * Return: 0; -EINVAL, -ENOMEM, -EINTR; -ENOSPC if there are not so many numbers
 * in a row.
 */
int mk_frames_get(struct mk_paged *paged, struct mk_frame_alloc *alloc)
{
	int node = alloc->node, first = 0;
	struct page **page;
	u32 i;

	if (alloc->flags || !alloc->count || alloc->count > MK_FRAME_COUNT_MAX ||
	    (node != -1 && !mk_paged_node_ok(node)))
		return -EINVAL;
	page = kcalloc(alloc->count, sizeof(*page), GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (i = 0; i < alloc->count; i++) {
		page[i] = mk_frame_page(node < 0 ? numa_mem_id() : node,
					node >= 0);
		first = -ENOMEM;
		if (!page[i])
			goto out_drop;
		first = -EINTR;
		if (fatal_signal_pending(current)) {
			i++;
			goto out_drop;
		}
		cond_resched();
	}
	mutex_lock(&paged->region->lock);
	first = mk_frames_number(paged, page, alloc->count);
	mutex_unlock(&paged->region->lock);
	if (first >= 0) {
		alloc->first = first;
		kfree(page);
		return 0;
	}
out_drop:
	mk_frames_drop(page, i);
	return first;
}

/**
 * mk_frame_pin() - an operation has not reached everyone who had a frame
 * @paged: the region, whose lock is held
 * @frame: its number
 *
 * Context: process.
 */
void mk_frame_pin(struct mk_paged *paged, u32 frame)
{
	if (!test_and_set_bit(frame, paged->pinned))
		paged->nr_pinned++;
}

/* Under the lock: may they go? Where nobody maps the region, all may. */
static int mk_frames_refuse(struct mk_paged *paged, u32 first, u32 end)
{
	u32 i;

	if (paged->nr_pinned && list_empty(&paged->region->mappings)) {
		bitmap_zero(paged->pinned, paged->frames_max);
		paged->nr_pinned = 0;
	}
	for (i = first; i < end; i++)
		if (!paged->frame[i])
			return -EINVAL;
	for (i = first; i < end; i++)
		if (paged->uses[i] || test_bit(i, paged->pinned))
			return -EBUSY;
	return 0;
}

/* Pagers must not find an old frame at a number that is given to a new one. */
static void mk_frames_unmap(struct mk_paged *paged, u32 first, u32 nr)
{
	struct address_space *last = NULL;
	struct mk_pager *pager;

	list_for_each_entry(pager, &paged->pagers, link) {
		if (pager->mapping == last)
			continue;
		last = pager->mapping;
		unmap_mapping_range(last, MK_FRAMES_OFFSET +
				    ((loff_t)first << PAGE_SHIFT),
				    (loff_t)nr << PAGE_SHIFT, 1);
	}
}

/**
 * mk_frames_free() - give frames back
 * @paged: the region
 * @range: which
 *
 * Context: process; sleeps.
 * Return: 0; -EINVAL if one of them is not there; -EBUSY if somebody may have one;
 * -ENOMEM.
 */
int mk_frames_free(struct mk_paged *paged, const struct mk_frame_free *range)
{
	u32 first = range->first, nr = range->count;
	struct page **page;
	int err;

	if (range->flags || !nr || nr > MK_FRAME_COUNT_MAX ||
	    first >= paged->frames_max || nr > paged->frames_max - first)
		return -EINVAL;
	page = kcalloc(nr, sizeof(*page), GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	mutex_lock(&paged->region->lock);
	err = mk_frames_refuse(paged, first, first + nr);
	if (!err) {
		memcpy(page, paged->frame + first, nr * sizeof(*page));
		memset(paged->frame + first, 0, nr * sizeof(*page));
		bitmap_clear(paged->used, first, nr);
		paged->frames -= nr;
		mk_frames_unmap(paged, first, nr);
	}
	mutex_unlock(&paged->region->lock);
	mk_frames_drop(page, err ? 0 : nr);
	return err;
}

/**
 * mk_frames_destroy() - free all of them; nobody maps the region
 * @paged: the region
 *
 * Context: process; sleeps.
 */
void mk_frames_destroy(struct mk_paged *paged)
{
	u32 i;

	for (i = 0; i < paged->frames_max; i++) {
		if (!paged->frame[i])
			continue;
		mk_frame_drop(paged->frame[i]);
		cond_resched();
	}
}

/**
 * mk_frames_fault() - a pager touches a frame
 * @pager: which
 * @vmf: where
 *
 * It is mapped under the lock, so that mk_frames_unmap() finds it.
 *
 * Context: process; sleeps.
 */
vm_fault_t mk_frames_fault(struct mk_pager *pager, struct vm_fault *vmf)
{
	struct mk_paged *paged = pager->paged;
	pgoff_t frame = vmf->pgoff - (MK_FRAMES_OFFSET >> PAGE_SHIFT);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (vmf->pgoff < MK_FRAMES_OFFSET >> PAGE_SHIFT ||
	    frame >= paged->frames_max)
		return ret;
	mutex_lock(&paged->region->lock);
	if (paged->frame[frame])
		ret = vmf_insert_page(vmf->vma, vmf->address,
				      paged->frame[frame]);
	mutex_unlock(&paged->region->lock);
	return ret;
}
