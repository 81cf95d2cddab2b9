// SPDX-License-Identifier: GPL-2.0
/*
 * Where the pages of an operation are.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "shootdown/parts.h"
#include "shootdown/retired.h"

/**
 * mk_mapping_next() - the next mm that maps a region
 * @region: the region
 * @seq: number of the last mapping, 0 at first; becomes that of this one
 * @space: out: its space, held, or NULL if it has none; or NULL
 * @retired: awaits the end of mappings that are passed by since their mm is dying:
 *	no thread runs on it, but its page tables are still there; or NULL
 *
 * Context: process; sleeps.
 * Return: the mm, with its users held; NULL after the last.
 */
struct mm_struct *mk_mapping_next(struct mk_region *region, u64 *seq,
				  struct mk_space **space,
				  struct mk_retired *retired)
{
	struct mm_struct *mm = NULL;
	struct mk_mapping *mapping;

	mutex_lock(&region->lock);
	list_for_each_entry(mapping, &region->mappings, link) {
		if (mapping->seq <= *seq)
			continue;
		*seq = mapping->seq;
		if (!mmget_not_zero(mapping->mm)) {
			if (retired)
				mk_retired_await(retired, *seq);
			continue;
		}
		mm = mapping->mm;
		if (!space)
			break;
		*space = mapping->space;
		if (*space)
			mk_space_hold(*space);
		break;
	}
	mutex_unlock(&region->lock);
	return mm;
}

/* What is known of the mm's VMAs of the region: where, and how many. */
static struct mk_mapping mk_mapping_of(struct mk_region *region,
				       struct mm_struct *mm)
{
	struct mk_mapping *mapping, found = { };

	mutex_lock(&region->lock);
	list_for_each_entry(mapping, &region->mappings, link)
		if (mapping->mm == mm)
			found = *mapping;
	mutex_unlock(&region->lock);
	return found;
}

/* Part of @op's pages that @vma shows; false if none. */
static bool mk_part_of(const struct mk_region_op *op,
		       struct vm_area_struct *vma, struct mk_part *part)
{
	unsigned long first = max_t(unsigned long, op->first, vma->vm_pgoff);
	unsigned long end = min(op->first + (unsigned long)op->pages,
				vma->vm_pgoff + vma_pages(vma));

	if (first >= end)
		return false;
	part->vma = vma;
	part->start = vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT);
	part->end = vma->vm_start + ((end - vma->vm_pgoff) << PAGE_SHIFT);
	part->frees = NULL;
	return true;
}

/* A process may have thousands of VMAs: only where the region's are is looked. */
static unsigned int mk_parts_of(const struct mk_mapping *mapping,
				struct mk_region *region,
				const struct mk_region_op *op,
				struct mk_part *part, unsigned int room,
				unsigned int *vmas)
{
	VMA_ITERATOR(vmi, mapping->mm, mapping->start);
	struct vm_area_struct *vma;
	unsigned int n = 0;
	struct mk_part one;

	for_each_vma_range(vmi, vma, mapping->end) {
		if (!mk_region_maps(region, vma))
			continue;
		++*vmas;
		if (mk_part_of(op, vma, n < room ? &part[n] : &one))
			n++;
	}
	return n;
}

/**
 * mk_parts() - the VMAs of a process that show pages of an operation
 * @region: the region
 * @mm: the process's, with its mmap_lock held
 * @op: the operation
 * @part: out: the first of them
 * @room: how many there is room for
 * @all: out: no VMA of the region is being unmapped at the moment; see region.h
 *
 * Context: process; sleeps.
 * Return: how many.
 */
unsigned int mk_parts(struct mk_region *region, struct mm_struct *mm,
		      const struct mk_region_op *op, struct mk_part *part,
		      unsigned int room, bool *all)
{
	struct mk_mapping mapping = mk_mapping_of(region, mm);
	unsigned int n = 0, vmas = 0;

	if (mapping.vmas)
		n = mk_parts_of(&mapping, region, op, part, room, &vmas);
	*all = vmas == mapping.vmas;
	return n;
}

static int mk_clear_pte(pte_t *pte, unsigned long address, void *mm)
{
	ptep_get_and_clear(mm, address, pte);
	return 0;
}

/* Clean as well: mprotect() takes a dirty PTE for one that may be writable. */
static int mk_protect_pte(pte_t *ptep, unsigned long address, void *mm)
{
	pte_t pte = ptep_get_and_clear(mm, address, ptep);

	set_pte_at(mm, address, ptep, pte_mkclean(pte_wrprotect(pte)));
	return 0;
}

/**
 * mk_part_change() - clear or restrict entries; nothing is flushed
 * @mm: whose, with its mmap_lock held by whoever waits for this
 * @part: which
 * @op: MK_OP_PROTECT restricts, anything else clears
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int mk_part_change(struct mm_struct *mm, const struct mk_part *part, u32 op)
{
	return apply_to_existing_page_range(mm, part->start,
					    part->end - part->start,
					    op == MK_OP_PROTECT ?
						    mk_protect_pte : mk_clear_pte,
					    mm);
}
