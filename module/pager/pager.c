// SPDX-License-Identifier: GPL-2.0
/*
 * Pagers: who serves a node, and the memory that is shared with it.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "module/compat.h"
#include "module/device.h"
#include "module/pager/paged_priv.h"

/* --- memory ---------------------------------------------------------------- */

static void mk_pager_free(struct mk_pager *pager)
{
	u32 i;

	cancel_delayed_work_sync(&pager->alarm);
	vunmap(pager->side);
	for (i = 0; pager->frame && i < pager->pages && pager->frame[i]; i++) {
		__free_page(pager->frame[i]);
		atomic64_sub(PAGE_SIZE, &mk_paged_memory);
	}
	mk_paged_free(pager->frame, pager->pages, sizeof(*pager->frame));
	mk_paged_free(pager->asks, pager->slots, sizeof(*pager->asks));
	if (pager->wake)
		eventfd_ctx_put(pager->wake);
	if (pager->of)
		fput(pager->of);
	mk_paged_free(pager, 1, sizeof(*pager));
}

static int mk_pager_frames(struct mk_pager *pager)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN |
		    __GFP_THISNODE;
	u32 i;

	pager->frame = mk_paged_alloc(pager->pages, sizeof(*pager->frame),
				      NUMA_NO_NODE);
	pager->asks = mk_paged_alloc(pager->slots, sizeof(*pager->asks),
				     pager->node);
	if (!pager->frame || !pager->asks)
		return -ENOMEM;
	for (i = 0; i < pager->pages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		pager->frame[i] = alloc_pages_node(pager->node, gfp, 0);
		if (!pager->frame[i])
			return -ENOMEM;
		atomic64_add(PAGE_SIZE, &mk_paged_memory);
	}
	pager->side = vmap(pager->frame, pager->pages, VM_MAP, PAGE_KERNEL);
	if (!pager->side)
		return -ENOMEM;
	pager->request = (void *)pager->side + MK_PAGER_REQUESTS;
	pager->answer = (void *)pager->side + MK_PAGER_ANSWERS(pager->slots);
	return 0;
}

/* The region that @fd is a descriptor of stays as long as the pager. */
static int mk_pager_attach(struct mk_pager *pager, int fd,
			   const struct file *own)
{
	struct mk_region *region;

	pager->of = fget(fd);
	if (!pager->of)
		return -EBADF;
	/* A file that holds itself is never closed. */
	region = mk_region_of(pager->of);
	if (!region || pager->of == own ||
	    !(pager->of->f_mode & FMODE_WRITE))
		return -EINVAL;
	pager->paged = mk_paged_of(region);
	return pager->paged ? 0 : -EINVAL;
}

static int mk_pager_fill(struct mk_pager *pager,
			 const struct mk_pager_create *create,
			 const struct file *own)
{
	int err;

	err = mk_pager_attach(pager, create->region, own);
	if (err)
		return err;
	if (create->wake >= 0) {
		pager->wake = eventfd_ctx_fdget(create->wake);
		if (IS_ERR(pager->wake)) {
			err = PTR_ERR(pager->wake);
			pager->wake = NULL;
			return err;
		}
	}
	return mk_pager_frames(pager);
}

/* --- life ------------------------------------------------------------------ */

/**
 * mk_pager_get() - who serves a node
 * @paged: of which region
 * @node: which
 *
 * Context: any but interrupts.
 * Return: the node's pager, or that of the region's home; for mk_pager_put(). NULL
 */
struct mk_pager *mk_pager_get(struct mk_paged *paged, int node)
{
	struct mk_pager *pager;

	spin_lock(&paged->serving);
	pager = paged->pager[node] ?: paged->pager[paged->region->node];
	if (pager)
		refcount_inc(&pager->refs);
	spin_unlock(&paged->serving);
	return pager;
}

/**
 * mk_pager_is_there() - does anybody serve a node
 * @paged: of which region
 * @node: which
 *
 * Context: any but interrupts.
 */
bool mk_pager_is_there(struct mk_paged *paged, int node)
{
	bool there;

	spin_lock(&paged->serving);
	there = paged->pager[node] || paged->pager[paged->region->node];
	spin_unlock(&paged->serving);
	return there;
}

/**
 * mk_pager_put() - let go of a pager
 * @pager: from mk_pager_get()
 *
 * Context: process; sleeps.
 */
void mk_pager_put(struct mk_pager *pager)
{
	if (refcount_dec_and_test(&pager->refs))
		mk_pager_free(pager);
}

/* Return: who served before, -EEXIST if that one goes on, or NULL. */
static struct mk_pager *mk_pager_serve(struct mk_pager *pager, bool take_over)
{
	struct mk_paged *paged = pager->paged;
	struct mk_pager *old;

	spin_lock(&paged->serving);
	old = paged->pager[pager->node];
	if (old && !take_over) {
		old = ERR_PTR(-EEXIST);
	} else {
		paged->pager[pager->node] = pager;
		if (old)
			refcount_inc(&old->refs);
	}
	spin_unlock(&paged->serving);
	return old;
}

static int mk_pager_start(struct mk_pager *pager, bool take_over)
{
	struct mk_paged *paged = pager->paged;
	struct mk_pager *old = mk_pager_serve(pager, take_over);

	if (IS_ERR(old))
		return PTR_ERR(old);
	mutex_lock(&paged->region->lock);
	list_add(&pager->link, &paged->pagers);
	mutex_unlock(&paged->region->lock);
	if (old) {
		mk_paged_count(paged, takeovers);
		mk_ask_over(old);
		mk_pager_put(old);
	}
	wake_up_all(&paged->arrival);
	return 0;
}

/**
 * mk_pager_create() - make a pager, which serves from now on
 * @create: what user space asks for
 * @file: the pager's own
 *
 * Context: process, not a port's thread; sleeps.
 * Return: the pager, for mk_pager_destroy(); or an ERR_PTR: -EINVAL for a field
 * that cannot be, -EBADF if there is no such file or eventfd, -EEXIST if the node
 * has a pager, -ENOMEM, -EINTR.
 */
struct mk_pager *mk_pager_create(const struct mk_pager_create *create,
				 struct file *file)
{
	struct mk_pager *pager;
	int err;

	BUILD_BUG_ON(sizeof(struct mk_pager_request) != 64);
	BUILD_BUG_ON(sizeof(struct mk_pager_answer) != 64);
	if (create->flags & ~(u64)MK_PAGER_TAKE_OVER ||
	    create->slots < MK_PAGER_SLOTS_MIN ||
	    create->slots > MK_PAGER_SLOTS_MAX ||
	    !is_power_of_2(create->slots) || create->wake < -1 ||
	    !mk_paged_node_ok(create->node))
		return ERR_PTR(-EINVAL);

	pager = mk_paged_alloc(1, sizeof(*pager), create->node);
	if (!pager)
		return ERR_PTR(-ENOMEM);
	pager->mapping = file->f_mapping;
	pager->node = create->node;
	pager->slots = create->slots;
	pager->pages = MK_PAGER_BYTES(create->slots) >> PAGE_SHIFT;
	refcount_set(&pager->refs, 1);
	spin_lock_init(&pager->lock);
	INIT_DELAYED_WORK(&pager->alarm, mk_ask_alarm);
	init_waitqueue_head(&pager->room);
	init_waitqueue_head(&pager->hangup);
	err = mk_pager_fill(pager, create, file);
	if (!err)
		err = mk_pager_start(pager, create->flags & MK_PAGER_TAKE_OVER);
	if (err) {
		mk_pager_free(pager);
		return ERR_PTR(err);
	}
	atomic64_inc(&mk_paged_pagers);
	return pager;
}

/**
 * mk_pager_destroy() - the file is gone, and with it every mapping
 * @pager: from mk_pager_create()
 *
 * Context: process, not a port's thread; sleeps.
 */
void mk_pager_destroy(struct mk_pager *pager)
{
	struct mk_paged *paged = pager->paged;

	spin_lock(&paged->serving);
	if (paged->pager[pager->node] == pager)
		paged->pager[pager->node] = NULL;
	spin_unlock(&paged->serving);
	mutex_lock(&paged->region->lock);
	list_del(&pager->link);
	mutex_unlock(&paged->region->lock);
	mk_ask_over(pager);
	mk_pager_put(pager);
	atomic64_dec(&mk_paged_pagers);
}

/**
 * mk_pager_region() - whose pages it serves
 * @pager: a pager
 *
 * Context: any.
 * Return: valid as long as @pager.
 */
struct mk_region *mk_pager_region(const struct mk_pager *pager)
{
	return pager->paged->region;
}

/* --- the process ------------------------------------------------------------ */

static vm_fault_t mk_pager_fault(struct vm_fault *vmf)
{
	struct mk_pager *pager = vmf->vma->vm_private_data;
	pgoff_t index = vmf->pgoff - (MK_PAGER_OFFSET >> PAGE_SHIFT);

	if (vmf->pgoff >= MK_FRAMES_OFFSET >> PAGE_SHIFT)
		return mk_frames_fault(pager, vmf);
	if (vmf->pgoff < MK_PAGER_OFFSET >> PAGE_SHIFT ||
	    index >= pager->pages)
		return VM_FAULT_SIGBUS;
	vmf->page = pager->frame[index];
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct mk_pager_vm_ops = {
	.fault	= mk_pager_fault,
};

/* Is all of @vma inside of @pages from @offset on? */
static bool mk_pager_inside(struct vm_area_struct *vma, unsigned long offset,
			    unsigned long pages)
{
	unsigned long first = vma->vm_pgoff - (offset >> PAGE_SHIFT);

	return vma->vm_pgoff >= offset >> PAGE_SHIFT && first < pages &&
	       vma_pages(vma) <= pages - first;
}

/**
 * mk_pager_mmap() - map its lines, or frames
 * @pager: of the file that is mapped
 * @vma: where; shared, and inside of what there is
 *
 * Context: process, mmap_lock held for writing.
 * Return: 0, -EINVAL.
 */
int mk_pager_mmap(struct mk_pager *pager, struct vm_area_struct *vma)
{
	bool lines = mk_pager_inside(vma, MK_PAGER_OFFSET, pager->pages);

	if (!(vma->vm_flags & VM_SHARED) ||
	    (!lines && !mk_pager_inside(vma, MK_FRAMES_OFFSET,
					pager->paged->frames_max)))
		return -EINVAL;
	/* Frames are put in one by one: see mk_frames_fault(). */
	mk_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP |
			(lines ? 0 : VM_MIXEDMAP));
	vma->vm_private_data = pager;
	vma->vm_ops = &mk_pager_vm_ops;
	return 0;
}

/**
 * mk_pager_look() - what poll() says: a pager that serves no more has hung up
 * @pager: the pager
 * @file: its file
 * @table: who waits
 *
 * Context: process.
 */
__poll_t mk_pager_look(struct mk_pager *pager, struct file *file,
		       struct poll_table_struct *table)
{
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &pager->hangup, table);
	if (READ_ONCE(pager->over))
		mask |= EPOLLHUP | EPOLLRDHUP;
	return mask;
}

/**
 * mk_pager_info() - what there is to know of a pager
 * @pager: the pager
 * @info: written
 *
 * Context: process.
 */
void mk_pager_info(struct mk_pager *pager, struct mk_pager_info *info)
{
	*info = (struct mk_pager_info){
		.wakes = atomic64_read(&pager->wakes),
		.sleeps = atomic64_read(&pager->sleeps),
		.node = pager->node,
		.slots = pager->slots,
	};
	spin_lock(&pager->lock);
	info->requests = pager->id;
	info->waiting = pager->waiting;
	info->over = pager->over;
	spin_unlock(&pager->lock);
}
