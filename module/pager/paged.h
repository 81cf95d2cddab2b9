/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Paged regions and their pagers: see Documentation/pager.rst.
 *
 * Lifetime
 *	A paged region is a region (shootdown/region.h) without frames of its own,
 *	and lives as long. Its pagers hold its file, and so does a fault that
 *	waits. A pager belongs to one open file; requests that somebody waits
 *	for hold its memory.
 *
 * Locks, outermost first
 *	mmap_lock		of the process that faults, for reading; let go of
 *				before anything is waited for
 *	mk_region::lock		mutex: frames, records, who has mapped the region,
 *				the list of pagers
 *	mk_paged::serving	spinlock: which pager serves which node
 *	mk_pager::lock		spinlock: who waits for which line
 */
#ifndef MK_PAGER_PAGED_H
#define MK_PAGER_PAGED_H

#include <linux/poll.h>
#include <linux/types.h>

#include "module/uapi.h"

struct dentry;
struct file;
struct mk_pager;
struct mk_region;
struct vm_area_struct;

/* Process context; sleep. */
struct mk_region *mk_paged_create(const struct mk_paged_create *create);
int mk_paged_mmap(struct mk_region *region, struct vm_area_struct *vma);
bool mk_paged_is(const struct mk_region *region);
struct mk_pager *mk_pager_create(const struct mk_pager_create *create,
				 struct file *file);
void mk_pager_destroy(struct mk_pager *pager);
int mk_pager_mmap(struct mk_pager *pager, struct vm_area_struct *vma);
long mk_paged_ioctl(struct mk_region *region, struct mk_pager *pager,
		    unsigned int cmd, void __user *arg);
struct mk_region *mk_pager_region(const struct mk_pager *pager);

/* Process context. */
int mk_pager_knock(struct mk_pager *pager, u64 id);
__poll_t mk_pager_look(struct mk_pager *pager, struct file *file,
		       struct poll_table_struct *table);

/* For main.c and memory.c. */
void mk_paged_files(struct dentry *root);
u64 mk_paged_bytes(void);

#endif /* MK_PAGER_PAGED_H */
