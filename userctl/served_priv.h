/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Served memory, among the files that serve it: served.c by Linux, served_pager.c
 * by pagers, served_uffd.c by userfaultfd.
 */
#ifndef MKCTL_SERVED_PRIV_H
#define MKCTL_SERVED_PRIV_H

#include <stddef.h>

#include "../module/uapi.h"

#define SERVED_PAGE	4096ul

/* How long servers poll before they block, if they are to. */
#define SERVED_POLL_US	5000

struct served;

/**
 * struct served_ops - one way to serve
 * @begin: have memory at served->at, and whoever serves it
 * @take: take pages away from all nodes
 * @counts: MK_SERVED_WORDS for each node, which are zeroed
 * @refused: did somebody refuse for want of memory? may be NULL
 * @end: undo what @begin has done, however far it came
 *
 * Errors are negative errnos.
 */
struct served_ops {
	int (*begin)(struct served *served);
	int (*take)(struct served *served, __u32 first, __u32 pages);
	void (*counts)(struct served *served, __u64 *words);
	int (*refused)(struct served *served);
	void (*end)(struct served *served);
};

/**
 * struct served - the memory
 * @ops: who serves it
 * @who: enum mk_server
 * @how: MK_SERVE_…
 * @pages: of it
 * @mask: a bit for the node of each server
 * @nodes: how many these are
 * @node: each
 * @at: where it is, on the first node; NULL: nowhere
 * @stride: from there to where it is on the next node
 * @views: how often it is mapped
 * @stop: an eventfd: servers end when it is readable; or -1
 * @inside: of who serves
 */
struct served {
	const struct served_ops *ops;
	__u32 who, how, pages;
	__u64 mask;
	int nodes;
	int node[MK_SERVE_NODES_MAX];
	char *at;
	size_t stride;
	int views;
	int stop;
	void *inside;
};

/* Shared memory of Linux, once for each node; at and views. */
int served_shared(struct served *served);
void served_unshare(struct served *served);

/* All servers end. */
void served_stop(struct served *served);

extern const struct served_ops served_by_pagers, served_by_uffd;

#endif /* MKCTL_SERVED_PRIV_H */
