/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the pages of an operation are: which processes map them, and in which VMAs.
 */
#ifndef MK_SHOOTDOWN_PARTS_H
#define MK_SHOOTDOWN_PARTS_H

#include "shootdown/region_priv.h"

struct mk_frees;
struct mk_retired;

/**
 * struct mk_part - pages of an operation as one VMA shows them
 * @vma: it
 * @start: first byte
 * @end: first byte after them
 * @frees: lazy: what goes with them
 */
struct mk_part {
	struct vm_area_struct *vma;
	unsigned long start, end;
	struct mk_frees *frees;
};

/* Process context; sleep. */
struct mm_struct *mk_mapping_next(struct mk_region *region, u64 *seq,
				  struct mk_space **space,
				  struct mk_retired *retired);

/* With mmap_lock held. */
unsigned int mk_parts(struct mk_region *region, struct mm_struct *mm,
		      const struct mk_region_op *op, struct mk_part *part,
		      unsigned int room, bool *all);
int mk_part_change(struct mm_struct *mm, const struct mk_part *part, u32 op);

/* alone.c */
bool mk_alone_may(const struct mk_region_op *op);
int mk_alone(struct mk_region *region, struct mk_region_op *op,
	     struct mk_retired *retired);

#endif /* MK_SHOOTDOWN_PARTS_H */
