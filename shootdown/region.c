// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: frames, mappings, faults. What is done to them: operate.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "module/compat.h"
#include "module/control.h"
#include "shootdown/frames.h"
#include "shootdown/region_priv.h"
#include "shootdown/retired.h"

/* A slot that is not given back is lost until the module is loaded again. */
#define MK_RELEASE_TRIES	10

struct mk_region_totals mk_region_totals;

/* --- frames ---------------------------------------------------------------- */

/**
 * mk_frame_alloc() - a fresh frame for a page
 * @region: the region
 * @index: which page
 * @version: of the page
 *
 * Context: process; may sleep.
 * Return: it, zeroed but for its first words; NULL.
 */
struct page *mk_frame_alloc(const struct mk_region *region, u32 index,
			    u64 version)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	int node = region->node;
	struct page *page;
	u64 *word;

	if (node >= 0)
		gfp |= __GFP_THISNODE;
	else
		node = mk_interleave_node(index);
	page = alloc_pages_node(node, gfp, 0);
	if (!page)
		return NULL;
	word = page_address(page);
	word[MK_PAGE_VERSION / sizeof(u64)] = version;
	word[MK_PAGE_INDEX / sizeof(u64)] = index;
	atomic64_inc(&mk_region_totals.frames);
	return page;
}

/**
 * mk_frame_free() - free a frame that nobody can reach
 * @page: from mk_frame_alloc()
 *
 * Context: process.
 */
void mk_frame_free(struct page *page)
{
	__free_page(page);
	atomic64_dec(&mk_region_totals.frames);
}

/**
 * mk_interleave_node() - node of a page of an interleaved region
 * @index: which page
 *
 * Context: any.
 * Return: one of the nodes with memory, in turn.
 */
int mk_interleave_node(u32 index)
{
	u32 skip = index % num_node_state(N_MEMORY);
	int node = first_memory_node;

	while (skip--)
		node = next_node_in(node, node_states[N_MEMORY]);
	return node;
}

/* --- life ------------------------------------------------------------------ */

void mk_region_get(struct mk_region *region)
{
	refcount_inc(&region->refs);
}

void mk_region_put(struct mk_region *region)
{
	if (refcount_dec_and_test(&region->refs)) {
		kfree(region);
		atomic64_dec(&mk_region_totals.structs);
	}
}

static void mk_region_free_frames(struct mk_region *region)
{
	u32 i;

	for (i = 0; region->frame && i < region->pages; i++)
		if (region->frame[i])
			mk_frame_free(region->frame[i]);
	kvfree(region->frame);
	region->frame = NULL;
}

static int mk_region_fill(struct mk_region *region)
{
	u32 i;

	region->frame = kvcalloc(region->pages, sizeof(*region->frame),
				 GFP_KERNEL_ACCOUNT);
	if (!region->frame)
		return -ENOMEM;
	for (i = 0; i < region->pages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		region->frame[i] = mk_frame_alloc(region, i, region->version);
		if (!region->frame[i])
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

static struct mk_region *mk_region_make(u32 pages, int node, u64 flags,
					const struct mk_region_kind *kind,
					void *own)
{
	struct mk_region *region;
	int err = 0;

	if (flags & ~(u64)MK_REGION_FIXED || !pages ||
	    pages > MK_REGION_PAGES_MAX || node < -1 || node >= MAX_NUMNODES ||
	    (node >= 0 && !node_state(node, N_MEMORY)))
		return ERR_PTR(-EINVAL);

	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		return ERR_PTR(-ENOMEM);
	atomic64_inc(&mk_region_totals.structs);
	region->pages = pages;
	region->node = node;
	region->flags = flags;
	region->kind = kind;
	region->own = own;
	region->version = 1;
	mutex_init(&region->lock);
	spin_lock_init(&region->busy_lock);
	refcount_set(&region->refs, 1);
	init_waitqueue_head(&region->idle);
	init_waitqueue_head(&region->settled);
	INIT_LIST_HEAD(&region->mappings);
	INIT_LIST_HEAD(&region->kept);

	if (!kind)
		err = mk_region_fill(region);
	if (!err)
		err = mk_frames_claim(1, MK_FRAME_FRAME, &region->slot);
	if (err) {
		mk_region_free_frames(region);
		mk_region_put(region);
		return ERR_PTR(err);
	}
	atomic64_inc(&mk_region_totals.regions);
	return region;
}

/**
 * mk_region_create() - make a region that nobody maps yet
 * @pages: how many
 * @node: where, or -1: one node after the other
 * @flags: MK_REGION_FIXED
 *
 * Context: process, not a port's thread; sleeps.
 * Return: the region, for mk_region_destroy(); or an ERR_PTR: -EINVAL, -ENOMEM,
 * -EINTR, or the error of mk_frames_claim().
 */
struct mk_region *mk_region_create(u32 pages, int node, u64 flags)
{
	return mk_region_make(pages, node, flags, NULL, NULL);
}

/**
 * mk_region_create_kind() - make a region without frames of its own
 * @pages: how many
 * @node: for mk_region_info()
 * @kind: who has the frames
 * @own: for mk_region_own(); @kind's destroy, which is called only if this
 *	succeeds, frees it
 *
 * Context: process, not a port's thread; sleeps.
 * Return: as mk_region_create().
 */
struct mk_region *mk_region_create_kind(u32 pages, int node,
					const struct mk_region_kind *kind,
					void *own)
{
	return mk_region_make(pages, node, 0, kind, own);
}

/**
 * mk_region_own() - what a kind of regions has made one with
 * @region: any
 * @kind: the kind
 *
 * Context: any.
 * Return: it, or NULL if it is not of that kind.
 */
void *mk_region_own(const struct mk_region *region,
		    const struct mk_region_kind *kind)
{
	return region->kind == kind ? region->own : NULL;
}

/**
 * mk_region_is_plain() - does it have frames of its own
 * @region: any
 *
 * Context: any.
 */
bool mk_region_is_plain(const struct mk_region *region)
{
	return !region->kind;
}

/**
 * mk_region_destroy() - the file is gone, and with it every mapping
 * @region: from mk_region_create()
 *
 * Context: process, not a port's thread; sleeps.
 */
void mk_region_destroy(struct mk_region *region)
{
	unsigned int tries = 0;
	LIST_HEAD(unkept);
	int err;

	WARN_ON(!list_empty(&region->mappings));
	mutex_lock(&region->lock);
	region->gone = true;
	mk_region_free_frames(region);
	mk_retired_collect(region, &unkept);
	mutex_unlock(&region->lock);
	mk_retired_dispose(&unkept);
	if (region->kind)
		region->kind->destroy(region);
	while ((err = mk_frames_release(region->slot, 1)) &&
	       ++tries < MK_RELEASE_TRIES)
		schedule_timeout_uninterruptible(1);
	if (err)
		pr_notice("frame table: slot %u could not be released: error %d\n",
			  region->slot, err);
	atomic64_dec(&mk_region_totals.regions);
	mk_region_put(region);
}

/* Where a frame of a page should lie. */
static int mk_frame_node(const struct mk_region *region, u32 index)
{
	return region->node >= 0 ? region->node : mk_interleave_node(index);
}

/**
 * mk_region_info() - what there is to know of a region
 * @region: the region
 * @info: written
 *
 * Context: process; may sleep.
 */
void mk_region_info(struct mk_region *region, struct mk_region_info *info)
{
	struct mk_mapping *mapping;
	u32 i;

	memset(info, 0, sizeof(*info));
	info->flags = region->flags;
	info->pages = region->pages;
	info->node = region->node;
	info->settling = atomic_read(&region->settling);
	mutex_lock(&region->lock);
	info->version = region->version;
	info->kept = region->nr_kept;
	list_for_each_entry(mapping, &region->mappings, link)
		info->mappings += mapping->vmas;
	for (i = 0; region->frame && i < region->pages; i++)
		info->off += page_to_nid(region->frame[i]) !=
			     mk_frame_node(region, i);
	mutex_unlock(&region->lock);
}

/* --- mappings -------------------------------------------------------------- */

static struct mk_mapping *mk_mapping_find(struct mk_region *region,
					  struct mm_struct *mm)
{
	struct mk_mapping *mapping;

	lockdep_assert_held(&region->lock);
	list_for_each_entry(mapping, &region->mappings, link)
		if (mapping->mm == mm)
			return mapping;
	return NULL;
}

/* Under the lock: one VMA more. Each is opened where it is, and shrinks at most. */
static void mk_mapping_grow(struct mk_mapping *mapping,
			    const struct vm_area_struct *vma)
{
	if (!mapping->vmas++) {
		mapping->start = vma->vm_start;
		mapping->end = vma->vm_end;
	}
	mapping->start = min(mapping->start, vma->vm_start);
	mapping->end = max(mapping->end, vma->vm_end);
}

/**
 * mk_region_vma_open() - a VMA of a region was split or moved
 * @vma: the new one
 *
 * Context: process, mmap_lock held for writing; sleeps.
 */
void mk_region_vma_open(struct vm_area_struct *vma)
{
	struct mk_region *region = vma->vm_private_data;
	struct mk_mapping *mapping;

	mutex_lock(&region->lock);
	mapping = mk_mapping_find(region, vma->vm_mm);
	if (!WARN_ON_ONCE(!mapping))
		mk_mapping_grow(mapping, vma);
	mutex_unlock(&region->lock);
}

/**
 * mk_region_vma_close() - a VMA of a region goes
 * @vma: the VMA; its PTEs are cleared and flushed by now
 *
 * Context: process; sleeps.
 */
void mk_region_vma_close(struct vm_area_struct *vma)
{
	struct mk_region *region = vma->vm_private_data;
	struct mk_mapping *mapping;
	LIST_HEAD(unkept);

	mutex_lock(&region->lock);
	mapping = mk_mapping_find(region, vma->vm_mm);
	if (!WARN_ON_ONCE(!mapping) && !--mapping->vmas) {
		list_del(&mapping->link);
		mk_retired_collect(region, &unkept);
	} else {
		mapping = NULL;
	}
	mutex_unlock(&region->lock);
	if (!mapping)
		return;
	mk_retired_dispose(&unkept);
	if (mapping->space)
		mk_space_put(mapping->space);
	mmdrop(mapping->mm);
	kfree(mapping);
}

/* A writable mapping maps pages read-only where they are protected. */
static pgprot_t mk_region_prot(const struct vm_area_struct *vma,
			       bool protected)
{
	unsigned long flags = vma->vm_flags;

	/* What is written to a private mapping is not writable at first. */
	return vm_get_page_prot(protected ? flags & ~VM_SHARED : flags);
}

static vm_fault_t mk_region_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mk_region *region = vma->vm_private_data;
	bool protected;
	vm_fault_t ret;

	if (vmf->pgoff >= region->pages)
		return VM_FAULT_SIGBUS;
	mutex_lock(&region->lock);
	protected = test_bit(vmf->pgoff, region->protected);
	if (protected && (vmf->flags & FAULT_FLAG_WRITE))
		ret = VM_FAULT_SIGBUS;
	else
		ret = vmf_insert_pfn_prot(vma, vmf->address,
					  page_to_pfn(region->frame[vmf->pgoff]),
					  mk_region_prot(vma, protected));
	mutex_unlock(&region->lock);
	atomic64_inc(&mk_region_totals.faults);
	return ret;
}

struct mk_upgrade {
	unsigned long pfn;
	struct mm_struct *mm;
};

static int mk_upgrade_pte(pte_t *pte, unsigned long address, void *arg)
{
	const struct mk_upgrade *upgrade = arg;

	/* An operation that is under way may not have got here yet. */
	if (pte_present(*pte) && pte_pfn(*pte) == upgrade->pfn)
		set_pte_at(upgrade->mm, address, pte,
			   mk_pte_mkwrite(pte_mkdirty(pte_mkyoung(*pte))));
	return 0;
}

/**
 * mk_region_upgrade() - make the entry of a page writable, and dirty
 * @vma: a VMA of a region, shared
 * @address: of the page
 * @page: only if this is mapped there
 *
 * The same frame with more rights needs no flush.
 *
 * Context: process, mmap_lock and mk_region::lock held.
 */
void mk_region_upgrade(struct vm_area_struct *vma, unsigned long address,
		       struct page *page)
{
	struct mk_upgrade upgrade = {
		.pfn = page_to_pfn(page),
		.mm = vma->vm_mm,
	};

	apply_to_existing_page_range(vma->vm_mm, address & PAGE_MASK, PAGE_SIZE,
				     mk_upgrade_pte, &upgrade);
}

/*
 * A write to a page that is mapped read-only. Linux would make it writable after
 * we have returned, when the page may be protected again and its PTE look as
 * before; so it is done here, under the lock.
 */
static vm_fault_t mk_region_pfn_mkwrite(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mk_region *region = vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (vmf->pgoff >= region->pages)
		return VM_FAULT_SIGBUS;
	mutex_lock(&region->lock);
	if (test_bit(vmf->pgoff, region->protected))
		ret = VM_FAULT_SIGBUS;
	else
		mk_region_upgrade(vma, vmf->address, region->frame[vmf->pgoff]);
	mutex_unlock(&region->lock);
	return ret;
}

static const struct vm_operations_struct mk_region_vm_ops = {
	.open		= mk_region_vma_open,
	.close		= mk_region_vma_close,
	.fault		= mk_region_fault,
	.pfn_mkwrite	= mk_region_pfn_mkwrite,
};

static const struct vm_operations_struct *
mk_region_ops(const struct mk_region *region)
{
	return region->kind ? region->kind->vm_ops : &mk_region_vm_ops;
}

/**
 * mk_region_mmap() - map it
 * @region: the region of the file that is mapped
 * @vma: where; shared, and inside of the region
 *
 * Context: process, mmap_lock held for writing.
 * Return: 0, -EINVAL, -ENOMEM.
 */
int mk_region_mmap(struct mk_region *region, struct vm_area_struct *vma)
{
	struct mk_mapping *mapping;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff >= region->pages ||
	    vma_pages(vma) > region->pages - vma->vm_pgoff)
		return -EINVAL;

	mutex_lock(&region->lock);
	mapping = mk_mapping_find(region, vma->vm_mm);
	if (!mapping) {
		mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
		if (!mapping) {
			mutex_unlock(&region->lock);
			return -ENOMEM;
		}
		mmgrab(vma->vm_mm);
		mapping->mm = vma->vm_mm;
		mapping->seq = ++region->seq;
		list_add_tail(&mapping->link, &region->mappings);
	}
	mk_mapping_grow(mapping, vma);
	mutex_unlock(&region->lock);

	mk_vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTCOPY | VM_DONTEXPAND |
			VM_DONTDUMP);
	vma->vm_private_data = region;
	vma->vm_ops = mk_region_ops(region);
	return 0;
}

/**
 * mk_region_maps() - is this a mapping of the region
 * @region: the region
 * @vma: any
 *
 * Context: mmap_lock held.
 */
bool mk_region_maps(const struct mk_region *region,
		    const struct vm_area_struct *vma)
{
	return vma->vm_ops == mk_region_ops(region) &&
	       vma->vm_private_data == region;
}

/* --- files ----------------------------------------------------------------- */

/**
 * mk_regions_bytes() - memory of all regions
 *
 * Context: any.
 * Return: bytes, frames included: those of pages, kept, and in a quarantine.
 */
u64 mk_regions_bytes(void)
{
	return atomic64_read(&mk_region_totals.frames) * PAGE_SIZE +
	       atomic64_read(&mk_region_totals.structs) *
	       sizeof(struct mk_region);
}

static u64 mk_show_total(void *data)
{
	return atomic64_read(data);
}

static u64 mk_show_bytes(void *data)
{
	return mk_regions_bytes();
}

static const struct mk_value mk_value_total = { .show = mk_show_total };
static const struct mk_value mk_value_bytes = { .show = mk_show_bytes };

/**
 * mk_regions_files() - make regions/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process.
 */
void mk_regions_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("regions", root);
	struct mk_region_totals *totals = &mk_region_totals;

	mk_control_value("count", dir, &totals->regions, &mk_value_total);
	mk_control_value("frames", dir, &totals->frames, &mk_value_total);
	mk_control_value("kept", dir, &totals->kept, &mk_value_total);
	mk_control_value("settling", dir, &totals->settling, &mk_value_total);
	mk_control_value("faults", dir, &totals->faults, &mk_value_total);
	mk_control_value("operations", dir, &totals->operations,
			 &mk_value_total);
	mk_control_value("bytes", dir, NULL, &mk_value_bytes);
}
