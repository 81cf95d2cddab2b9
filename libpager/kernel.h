/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a pager wants of the kernel. device.c is /dev/multikernel; the tests have
 * one of their own, in which each access is looked at.
 */
#ifndef PAGER_KERNEL_H
#define PAGER_KERNEL_H

#include "urpc/user.h"

/**
 * struct pager_want - a thread that waits
 * @id: for the answer
 * @seq: of the page: the number of the operation that last took it away
 * @page: which
 * @node: where the thread runs
 * @rights: that it needs
 */
struct pager_want {
	u64 id;
	u64 seq;
	u32 page;
	int node;
	u32 rights;
};

/**
 * struct pager_kernel - the kernel's side of one pager, or of a region
 * @ops: what can be done
 * @wake: becomes readable, if pager_kernel_ops.arm returned 0 before and something
 *	came; may be so already, so it is watched for changes
 * @file: hangs up when another has taken over
 * @depth: most wants that are on their way at a time
 */
struct pager_kernel {
	const struct pager_kernel_ops *ops;
	int wake;
	int file;
	u32 depth;
};

/**
 * struct pager_kernel_ops - each returns 0 or a negative errno, unless it says more
 * @next: the next want: 1, 0 if there is none; when others have taken pages away it
 *	raises @notices, and then acknowledges
 * @answer: @frame with rights; or no rights, and it is not there. Not taken if the
 *	page was taken away after @want->seq: then it is asked again
 * @get: @count zeroed frames on a node, with numbers in a row
 * @put: give it back
 * @data: its contents
 * @unmap: take pages away from a mask of nodes, 0: from all; out: the number of that
 *	operation
 * @arm: about to block; 1 if something has come meanwhile; -ESHUTDOWN if another
 *	has taken over
 * @disarm: back
 * @close: let go
 */
struct pager_kernel_ops {
	int (*next)(struct pager_kernel *kernel, struct pager_want *want,
		    uint64_t *notices);
	int (*answer)(struct pager_kernel *kernel, const struct pager_want *want,
		      u32 frame, u32 rights);
	int (*get)(struct pager_kernel *kernel, int node, u32 count,
		   u32 *first);
	int (*put)(struct pager_kernel *kernel, u32 frame);
	void *(*data)(struct pager_kernel *kernel, u32 frame);
	int (*unmap)(struct pager_kernel *kernel, u32 first, u32 pages,
		     u64 nodes, u64 *seq);
	int (*arm)(struct pager_kernel *kernel);
	void (*disarm)(struct pager_kernel *kernel);
	void (*close)(struct pager_kernel *kernel);
};

/**
 * struct pager_region_ops - where regions come from
 * @nodes: a bit for each node with memory
 * @create: a region's file
 * @open: one node's pager of it
 * @unmap: as pager_group_unmap()
 * @look: as pager_group_look()
 */
struct pager_region_ops {
	u64 (*nodes)(void);
	int (*create)(const struct pager_options *options, int *fd);
	int (*open)(int region, const struct pager_options *options, int node,
		    u32 flags, struct pager_kernel **kernel);
	int (*unmap)(int region, const struct pager_options *options, u32 first,
		     u32 pages, uint64_t *told);
	int (*look)(int region, u32 page, int node, u32 *frame);
};

extern const struct pager_region_ops pager_device;

#endif /* PAGER_KERNEL_H */
