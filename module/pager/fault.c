// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of paged regions: what is recorded is mapped. What is not: serve.c.
 *
 * A page of a region without MK_PAGED_LOCAL is mapped in Linux's own page table.
 * With it, Linux's has no entry there, and each node's replica gets the frame of its
 * node (module/mirror/mirror.h). Then Linux finds nothing to take away, and
 * flushes nothing, though TLBs have something. So whatever takes such entries
 * away flushes by itself:
 *
 *	munmap, exit		->close, while the lock that munmap() has taken still
 *				keeps everybody from mapping something else there,
 *				and before the frames can be freed
 *	mprotect		->mprotect, with mmap_lock held for writing
 *	operations		the shootdown protocol
 *	the mirror's end	mk_switch_off()
 *	mremap			is refused: ->mremap
 *
 * The replicas lose their entries by Linux's announcements, by mk_copies, or here.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include "module/compat.h"
#include "module/control.h"
#include "module/mirror/mirror.h"
#include "module/pager/paged_priv.h"
#include "shootdown/flush.h"

/* What an access needs. Whoever can run one page of a mapping can run all. */
static u32 mk_fault_rights(const struct vm_fault *vmf)
{
	u32 rights = MK_PAGER_READ;

	if (vmf->flags & FAULT_FLAG_WRITE)
		rights |= MK_PAGER_WRITE;
	if (vmf->vma->vm_flags & VM_EXEC)
		rights |= MK_PAGER_EXEC;
	return rights;
}

/*
 * What is mapped: what the mapping and the record allow. An entry that can be
 * written is dirty and accessed from the beginning, since a CPU would only tell
 * Linux, which does not ask.
 */
static pgprot_t mk_record_prot(const struct vm_area_struct *vma, u32 record)
{
	unsigned long flags = vma->vm_flags;
	pgprot_t prot;

	if (!(record & MK_PAGER_WRITE))
		flags &= ~VM_WRITE;
	prot = vm_get_page_prot(flags);
	pgprot_val(prot) |= _PAGE_ACCESSED;
	if (pgprot_val(prot) & _PAGE_RW)
		pgprot_val(prot) |= _PAGE_DIRTY;
	return prot;
}

static struct page *mk_record_page(const struct mk_paged *paged, u32 record)
{
	return paged->frame[mk_record_frame(record)];
}

/* In Linux's page table. */
static vm_fault_t mk_install_master(struct mk_paged *paged,
				    struct vm_fault *vmf, u32 record)
{
	struct page *page = mk_record_page(paged, record);

	mk_paged_count(paged, installs);
	if (vmf->flags & FAULT_FLAG_MKWRITE) {
		mk_region_upgrade(vmf->vma, vmf->address, page);
		return VM_FAULT_NOPAGE;
	}
	return vmf_insert_pfn_prot(vmf->vma, vmf->address, page_to_pfn(page),
				   mk_record_prot(vmf->vma, record));
}

/* In the replica of @node, where the thread has been a moment ago. */
static int mk_install_local(struct mk_paged *paged, struct mk_mirror *m,
			    int node, struct vm_fault *vmf, u32 record)
{
	struct page *page = mk_record_page(paged, record);
	pte_t pte = pte_mkspecial(pfn_pte(page_to_pfn(page),
					  mk_record_prot(vmf->vma, record)));
	int err;

	err = mk_mirror_set(m, node, vmf->address & PAGE_MASK, 1,
			    pte_val(pte));
	if (err)
		return err;
	mk_paged_count(paged, installs);
	err = mk_mirror_here(m);
	return err < 0 ? err : 0;
}

/* The table that a fault is about: a node's. */
static int mk_fault_table(const struct mk_paged *paged,
			  const struct mk_mirror *m)
{
	struct mk_mirror_node *r;

	if (!mk_paged_is_local(paged))
		return mk_paged_master();
	if (!m)
		return -ESRCH;
	r = m->replica[numa_node_id()];
	if (!r || !paged->record[r->table.node])
		return -ENODEV;
	return r->table.node;
}

/* Under the lock. Return: 0 if there is no record that allows it. */
static u32 mk_fault_record(const struct mk_paged *paged, int table, u32 page,
			   u32 rights)
{
	u32 record;

	if (table < 0 || !paged->record[table] || mk_paged_busy(paged, page))
		return 0;
	record = paged->record[table][page];
	return record && mk_record_allows(record, rights) ? record : 0;
}

/*
 * Under the lock: map the page if it is known. Return: false if it is not, and
 * then *@table says for which table to ask; or a negative errno: for none.
 */
static bool mk_fault_known(struct mk_paged *paged, struct mk_mirror *m,
			   struct vm_fault *vmf, u32 rights, int *table,
			   vm_fault_t *ret)
{
	u32 record;
	int err;

	/* Before all others: what everybody has. */
	record = mk_fault_record(paged, mk_paged_master(), vmf->pgoff, rights);
	if (record) {
		*ret = mk_install_master(paged, vmf, record);
		return true;
	}
	*table = mk_fault_table(paged, m);
	if (!mk_paged_is_local(paged))
		return false;
	record = mk_fault_record(paged, *table, vmf->pgoff, rights);
	if (!record)
		return false;
	err = mk_install_local(paged, m, *table, vmf, record);
	/* It ends, or Linux is at it: let the access be done again. */
	*ret = VM_FAULT_NOPAGE;
	if (err == -ENODEV || err == -ENOMEM)
		*table = err;
	return err != -ENODEV && err != -ENOMEM;
}

/*
 * Where Linux's page table has no page for the entry, Linux allocates one before it
 * calls ->fault, and frees it after, since nothing is put there: a page that is
 * zeroed for each call, of which a fault that is asked for makes two. An empty one
 * stays. Upper levels are there by now. If it cannot be had the fault goes on.
 */
static void mk_fault_prepare(const struct vm_fault *vmf)
{
	if (pmd_none(*vmf->pmd))
		apply_to_page_range(vmf->vma->vm_mm, vmf->address & PAGE_MASK,
				    PAGE_SIZE, NULL, NULL);
}

static vm_fault_t mk_paged_serve(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mk_region *region = vma->vm_private_data;
	struct mk_paged *paged = mk_paged_of(region);
	u32 rights = mk_fault_rights(vmf);
	struct mk_mirror *m = NULL;
	int table = -ESRCH;
	vm_fault_t ret;
	bool known;

	if (vmf->pgoff >= region->pages)
		return VM_FAULT_SIGBUS;
	if (mk_fault_by_vma(vmf)) {
		mk_fault_unlock(vmf);
		return VM_FAULT_RETRY;
	}
	mk_paged_count(paged, faults);
	if (mk_paged_is_local(paged)) {
		/* Who works for the process is on Linux's own page table. */
		if (current->mm != vma->vm_mm || current->flags & PF_KTHREAD)
			return VM_FAULT_SIGBUS;
		mk_fault_prepare(vmf);
		m = mk_mirror_get(vma->vm_mm);
	}
	mutex_lock(&region->lock);
	known = mk_fault_known(paged, m, vmf, rights, &table, &ret);
	mutex_unlock(&region->lock);
	if (m)
		mk_mirror_put(m);
	return known ? ret : mk_paged_wait(vmf, table, rights);
}

static vm_fault_t mk_paged_fault(struct vm_fault *vmf)
{
	return mk_paged_serve(vmf);
}

/* A write to a page that Linux's page table has read-only. */
static vm_fault_t mk_paged_pfn_mkwrite(struct vm_fault *vmf)
{
	/* VM_FAULT_RETRY alone would be taken for a success. */
	return mk_paged_serve(vmf) | VM_FAULT_NOPAGE;
}

/* --- what takes local entries away ------------------------------------------ */

struct mk_local_range {
	unsigned long start, end;
};

static void mk_local_flush_here(void *arg)
{
	const struct mk_local_range *range = arg;

	mk_flush_range(range->start, range->end);
}

/* CPUs that have left the mm look at its tlb_gen when they come back. */
static void mk_local_flush(struct mm_struct *mm, unsigned long start,
			   unsigned long end)
{
	struct mk_local_range range = { .start = start, .end = end };

	if (unlikely(READ_ONCE(mk_paged_broken)))
		return;
	mk_flush_announce(mm);
	on_each_cpu_mask(mm_cpumask(mm), mk_local_flush_here, &range, true);
}

/* No fault of the VMA fills anything in: mmap_lock is held for writing, or it goes. */
static void mk_local_clear(struct vm_area_struct *vma, unsigned long start,
			   unsigned long end)
{
	struct mk_mirror *m = mk_mirror_get(vma->vm_mm);
	struct mk_mirror_node *r;
	int node;

	if (m) {
		mk_mirror_for_each_node(r, node, m)
			mk_mirror_clear(m, node, start, end);
		mk_mirror_put(m);
	}
	mk_local_flush(vma->vm_mm, start, end);
}

static bool mk_vma_is_local(const struct vm_area_struct *vma)
{
	return mk_paged_is_local(mk_paged_of(vma->vm_private_data));
}

static void mk_paged_vma_close(struct vm_area_struct *vma)
{
	if (mk_vma_is_local(vma))
		mk_local_clear(vma, vma->vm_start, vma->vm_end);
	mk_region_vma_close(vma);
}

static int mk_paged_mprotect(struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, unsigned long newflags)
{
	if (mk_vma_is_local(vma))
		mk_local_clear(vma, start, end);
	return 0;
}

static int mk_paged_mremap(struct vm_area_struct *vma)
{
	return mk_vma_is_local(vma) ? -EINVAL : 0;
}

const struct vm_operations_struct mk_paged_vm_ops = {
	.open		= mk_region_vma_open,
	.close		= mk_paged_vma_close,
	.mprotect	= mk_paged_mprotect,
	.mremap		= mk_paged_mremap,
	.fault		= mk_paged_fault,
	.pfn_mkwrite	= mk_paged_pfn_mkwrite,
};

/**
 * mk_paged_mmap() - map a paged region
 * @region: a paged one, of the file that is mapped
 * @vma: where; shared, and inside of the region
 *
 * Context: process, mmap_lock held for writing.
 * Return: 0, -EINVAL, -ENOMEM; -EOPNOTSUPP if it is MK_PAGED_LOCAL and the process
 * is not mirrored.
 */
int mk_paged_mmap(struct mk_region *region, struct vm_area_struct *vma)
{
	struct mk_mirror *m;

	if (mk_paged_is_local(mk_paged_of(region))) {
		m = mk_mirror_get(vma->vm_mm);
		if (!m) {
			mk_control_refuse("pager",
					  "a node-local region is mapped by a process that is not mirrored");
			return -EOPNOTSUPP;
		}
		mk_mirror_put(m);
	}
	return mk_region_mmap(region, vma);
}
