/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: memory of the module's own that processes map, so that translations
 * can be taken away from them under test.
 *
 * Lifetime
 *	A region belongs to one open file and dies with it. Each VMA that maps it
 *	holds the file, and so does each descriptor, whoever has it; by then it is
 *	mapped nowhere, and its frames are free. Fork does not copy a mapping
 *	(VM_DONTCOPY). What may outlive the file is the memory of struct mk_region,
 *	held by frames in the quarantine of a lazy protocol.
 *
 * Frames
 *	Mapped by page number, special (VM_PFNMAP): nothing in Linux takes a
 *	reference to one, no get_user_pages(), no ptrace(). So a frame is unused
 *	when no page table has it and no TLB. Frames that were replaced (renew)
 *	are freed when the operation that did it lets go and, with a lazy
 *	protocol, the quarantine too. If a mapping could not be reached, since its
 *	process is dying, the caller was killed or the initiator's CPU went, the frames
 *	are kept until it is gone, or a later operation has reached all mappings of the
 *	pages; those of a fault on purpose until the region dies.
 *
 * An operation
 *	1. Its pages are marked busy; another that wants one of them waits, so
 *	   that who finds a PTE empty knows that nobody has still to flush it.
 *	2. The frames or the protection of the pages change, under the lock. From
 *	   here on a fault maps what is new.
 *	3. For each mm that maps the region: with its mmap_lock held by the caller,
 *	   the initiator's monitor clears the PTEs and runs the protocol.
 *	A mapping that comes after 2 has never seen what was old. A VMA that is
 *	not in the tree of its mm, but has not been closed either, is being
 *	unmapped by a munmap() that has only the read lock left: its PTEs may
 *	still be there, and nobody can wait for them to go but by taking the lock
 *	for writing, which is done then.
 *
 * Locks, outermost first
 *	busy pages		wait_event_killable(); a spinlock of their own
 *	mmap_lock		of one mm at a time, for reading
 *	mk_region::lock		mutex: frames, protection, mappings; also taken
 *				by faults, so never held over a protocol
 *	The port's thread, which runs the protocol, takes none of them.
 */
#ifndef MK_REGION_H
#define MK_REGION_H

#include <linux/nodemask.h>
#include <linux/types.h>

#include "module/uapi.h"

struct dentry;
struct mk_region;
struct vm_area_struct;

/**
 * struct mk_region_kind - a region whose frames are somebody else's
 * @vm_ops: of its VMAs; ->open and ->close are, or call, mk_region_vma_open() and
 *	mk_region_vma_close()
 * @operated: MK_OP_UNMAP or MK_OP_PROTECT is over, and faults still wait. @all:
 *	nobody has been left out. Process context; sleeps
 * @reach: who may have what the pages of an operation are, which are busy: false: any
 *	CPU, by Linux's page tables or others; true: only those of @nodes, and
 *	Linux's page tables have none of it. Process context; sleeps
 * @destroy: the region dies. Process context; sleeps
 * @broken: a planted fault: who has an mm alone does not flush
 *
 * Its faults hold mk_region::lock when they map something, and map nothing of a
 * page that is busy. Of operations, it knows the two.
 */
struct mk_region_kind {
	const struct vm_operations_struct *vm_ops;
	void (*operated)(struct mk_region *region, struct mk_region_op *op,
			 bool all);
	bool (*reach)(struct mk_region *region, const struct mk_region_op *op,
		      nodemask_t *nodes);
	void (*destroy)(struct mk_region *region);
	const bool *broken;
};

/* Frames that a region keeps, at most: then operations fail. */
#define MK_REGION_KEPT_MAX	16384

/* Process context; sleep. */
struct mk_region *mk_region_create(u32 pages, int node, u64 flags);
struct mk_region *mk_region_create_kind(u32 pages, int node,
					const struct mk_region_kind *kind,
					void *own);
void *mk_region_own(const struct mk_region *region,
		    const struct mk_region_kind *kind);
bool mk_region_is_plain(const struct mk_region *region);
void mk_region_destroy(struct mk_region *region);
int mk_region_mmap(struct mk_region *region, struct vm_area_struct *vma);
void mk_region_info(struct mk_region *region, struct mk_region_info *info);
int mk_region_operate(struct mk_region *region, struct mk_region_op *op);
int mk_region_settle(struct mk_region *region, unsigned int timeout_ms);
int mk_region_check(struct mk_region *region, struct mk_region_check *check);

/* For main.c and memory.c. */
void mk_regions_files(struct dentry *root);
u64 mk_regions_bytes(void);

#endif /* MK_REGION_H */
