/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libpager: pagers at user level for regions of /dev/multikernel, one for each
 * NUMA node.
 *
 * A paged region has no frames of its own. A thread that touches a page which is
 * not mapped on its node sleeps, and the pager of that node is asked; it answers
 * with a frame and with rights, and the thread goes on. Nothing else waits.
 *
 * Whose is what
 *	A group, &struct pager_group, is what the pagers of a region share: the
 *	region, its directory (what is known of each page, in a memfd) and where
 *	they meet. It is made once; threads and children of fork() use the same.
 *	A pager, &struct pager, serves one node. It belongs to one thread, which
 *	opens it, and does not survive fork().
 *	Pagers of a group trust one another. They do not trust who maps the
 *	region: nobody who has only the region's file reaches the directory.
 *
 * A pager that dies
 *	takes nobody along. The threads that wait for it are answered by its
 *	successor, or after the region's time limit by the kernel: SIGBUS or a
 *	zero page. What it was about to change is put right by who comes next: a
 *	page's state in the directory is one that was committed, whole.
 *
 * Return values
 *	0 or more, or a negative errno. errno itself means nothing.
 */
#ifndef PAGER_H
#define PAGER_H

#include <stdint.h>

#define PAGER_VERSION		1	/* of the directory's layout */
#define PAGER_NODES_MAX		64
#define PAGER_TIMEOUT_MS_MAX	3600000
#define PAGER_STOCK_MAX		16

/**
 * enum pager_policy - which frame a node gets
 * @PAGER_GLOBAL: the one frame that there is, from the node that touched it first
 * @PAGER_LOCAL: one of its own, with what the page began with
 * @PAGER_REPLICATE: to read, a copy of its own; at the first write all become
 *	one frame, and stay so
 * @PAGER_MIGRATE: the frame that there is, after it has been moved to this node
 * @PAGER_POLICIES: how many
 */
enum pager_policy {
	PAGER_GLOBAL,
	PAGER_LOCAL,
	PAGER_REPLICATE,
	PAGER_MIGRATE,
	PAGER_POLICIES
};

/**
 * enum pager_sync - how pagers agree on who may change a page
 * @PAGER_SHM: locks in the directory, which all map
 * @PAGER_URPC: messages of liburpc to the pager that is the page's home
 * @PAGER_BOTH: locks; who finds one taken is told by a message when it is free
 * @PAGER_SYNCS: how many
 */
enum pager_sync {
	PAGER_SHM,
	PAGER_URPC,
	PAGER_BOTH,
	PAGER_SYNCS
};

/* Rights. */
#define PAGER_READ		0x1
#define PAGER_WRITE		0x2
#define PAGER_EXEC		0x4

/* Flags of a group. */
#define PAGER_ZERO		0x1	/* without an answer: a zero page, no SIGBUS */
#define PAGER_PLAIN		0x2	/* PAGER_GLOBAL, for processes with one page table */

/* Flags of pager_open(). */
#define PAGER_TAKE_OVER		0x1	/* the node's pager serves no more */

struct pager_group;
struct pager;

/**
 * struct pager_request - a thread that waits
 * @page: of the region
 * @node: where it runs: the pager's node, or one that has no pager
 * @rights: what it needs: PAGER_READ, and PAGER_WRITE or PAGER_EXEC
 */
struct pager_request {
	uint32_t page;
	int32_t node;
	uint32_t rights;
};

/**
 * struct pager_options - what the pagers of a region do; zeroes are a choice
 * @pages: of the region
 * @flags: PAGER_ZERO, PAGER_PLAIN. Without the latter, processes that map the region
 *	must be mirrored: they have a page table on each node
 * @nodes: a bit for each node that has a pager; 0: every one with memory
 * @policy: enum pager_policy
 * @sync: enum pager_sync
 * @timeout_ms: how long the kernel waits for an answer; 0: its default
 * @poll_us: how long a pager polls before it blocks
 * @protocol: by which pages are taken away: 1 + enum mk_protocol of
 *	shootdown/protocols.h, or 0: one that messages each node
 * @stock: how many frames each pager has ready, got while it has nothing else to do,
 *	at most PAGER_STOCK_MAX: a page that is touched first does not wait for one
 * @fill: write what @page begins with to @frame, 4096 bytes, for @node; or NULL:
 *	zeroes. 0 or a negative errno, which makes it a page that is not there.
 *	Called by every pager.
 * @serve: answer in the place of a policy: set *@frame to one of
 *	pager_frame_get() and return rights, or a negative errno. Nothing is
 *	synchronised then.
 * @arg: for both
 */
struct pager_options {
	uint32_t pages;
	uint32_t flags;
	uint64_t nodes;
	uint32_t policy;
	uint32_t sync;
	uint32_t timeout_ms;
	uint32_t poll_us;
	uint32_t protocol;
	uint32_t stock;
	int (*fill)(void *arg, uint32_t page, int node, void *frame);
	int (*serve)(void *arg, struct pager *pager,
		     const struct pager_request *request, uint32_t *frame);
	void *arg;
};

/**
 * struct pager_counts - what the pagers of a node have done, since the group was
 * made
 * @requests: threads that waited
 * @answers: those that got a frame
 * @refusals: those that got none; counted before they know
 * @frames: frames got from the kernel
 * @freed: given back
 * @copies: pages copied
 * @unmaps: calls that took pages away from nodes
 * @waits: requests that found their page taken, by another pager or request
 * @messages: sent to other pagers
 * @sleeps: how often it blocked
 * @mended: pages of a dead pager that were put right
 * @notices: of pages taken away by others; counted before they are acknowledged
 * @opens: pagers that served the node so far
 */
struct pager_counts {
	uint64_t requests;
	uint64_t answers;
	uint64_t refusals;
	uint64_t frames;
	uint64_t freed;
	uint64_t copies;
	uint64_t unmaps;
	uint64_t waits;
	uint64_t messages;
	uint64_t sleeps;
	uint64_t mended;
	uint64_t notices;
	uint64_t opens;
};

/**
 * pager_group_create() - a paged region of /dev/multikernel, and its directory
 * @options: kept; @fill, @serve and @arg as they are
 * @group: out
 *
 * Return: 0; -EINVAL for options that cannot be, -ENOENT without the module,
 * -EACCES, -EOPNOTSUPP if the module has no pagers, -ENOMEM.
 */
int pager_group_create(const struct pager_options *options,
		       struct pager_group **group);

/**
 * pager_group_region() - the file that processes map
 * @group: which
 *
 * To be mapped shared, handed to others by SCM_RIGHTS or inherited.
 *
 * Return: the file; it stays the group's.
 */
int pager_group_region(const struct pager_group *group);

/**
 * pager_group_nodes() - which nodes have a pager
 * @group: which
 *
 * Return: a bit for each.
 */
uint64_t pager_group_nodes(const struct pager_group *group);

/**
 * pager_group_counts() - what has been done for a node
 * @group: which
 * @node: which
 * @counts: out: read while pagers go on counting
 *
 * Return: 0 or -EINVAL.
 */
int pager_group_counts(const struct pager_group *group, int node,
		       struct pager_counts *counts);

/**
 * pager_group_look() - which frame a page is on a node, by the kernel
 * @group: which
 * @page: which
 * @node: which
 * @frame: out: number of the frame
 *
 * Return: its rights, 0 if the page is not there now, or a negative errno.
 */
int pager_group_look(const struct pager_group *group, uint32_t page, int node,
		     uint32_t *frame);

/**
 * pager_group_unmap() - take pages away from every process and node
 * @group: which
 * @first: first page
 * @pages: how many
 * @told: out: how many pagers were told, and have said so; or NULL
 *
 * When it has returned no CPU can reach them. They keep their frames; who touches
 * one asks its pager again. Not for a pager's thread, which is waited for.
 *
 * Return: 0; -ETIMEDOUT if a pager has not said so in time (the pages are gone all
 * the same); or a negative errno.
 */
int pager_group_unmap(const struct pager_group *group, uint32_t first,
		      uint32_t pages, uint64_t *told);

/**
 * pager_group_destroy() - let go of a group
 * @group: or NULL; no pager of this process is open
 *
 * The region lives as long as somebody has its file or maps it.
 */
void pager_group_destroy(struct pager_group *group);

/**
 * pager_open() - become the pager of a node
 * @group: which
 * @node: one of its nodes
 * @flags: PAGER_TAKE_OVER
 * @pager: out
 *
 * What its predecessor left unanswered is asked again. With PAGER_TAKE_OVER that one
 * may live, and finds -ESHUTDOWN; with PAGER_URPC it should be dead, since it could
 * be in the middle of a page.
 *
 * Return: 0; -EEXIST if the node has a pager, -EINVAL, or what making files gave.
 */
int pager_open(struct pager_group *group, int node, uint32_t flags,
	       struct pager **pager);

/**
 * pager_bind() - have this thread run on a node's CPUs
 * @node: which
 *
 * Before pager_open(): a pager is near what it serves then, and so is its memory.
 *
 * Return: 0; -ENODEV if the node has no CPU, -ENOENT if there is no such node, or what
 * setting the affinity gave.
 */
int pager_bind(int node);

/**
 * pager_close() - stop being a pager
 * @pager: or NULL; gone afterwards
 *
 * Requests that come now wait for a successor.
 */
void pager_close(struct pager *pager);

/**
 * pager_step() - do what there is to do; never waits
 * @pager: this thread's
 *
 * Return: how much was done, 0 if there was nothing, or a negative errno: this
 * pager cannot go on. -ESHUTDOWN: another has taken over.
 */
int pager_step(struct pager *pager);

/**
 * pager_run() - serve, until told to stop
 * @pager: this thread's
 * @stop: a file; it is over when that is readable or hangs up, or -1
 * @timeout_ms: over after so long; -1: never
 *
 * Polls for @poll_us of the options after the last thing that happened, and then
 * blocks.
 *
 * Return: 0 when stopped, -ETIMEDOUT, -EINTR after a signal, or a negative errno
 * of pager_step().
 */
int pager_run(struct pager *pager, int stop, int timeout_ms);

/**
 * pager_fd() - a file for event loops of others
 * @pager: this thread's
 *
 * An epoll file, for poll(), select() and epoll: readable when there may be
 * something to do, if pager_arm() returned 0 before. It is pager_step() after
 * that, until it returns 0.
 *
 * Return: the file, the pager's.
 */
int pager_fd(const struct pager *pager);

/**
 * pager_arm() - say that this thread is about to block
 * @pager: this thread's
 * @timeout_ms: out: how long at most, or -1
 *
 * Return: 0: block; 1: there is something to do, do not; a negative errno.
 */
int pager_arm(struct pager *pager, int *timeout_ms);

/**
 * pager_disarm() - after blocking, for whatever reason it ended
 * @pager: this thread's
 */
void pager_disarm(struct pager *pager);

/**
 * pager_frame_get() - a frame on a node
 * @pager: this thread's
 * @node: where
 * @frame: out: its index
 *
 * For the callback @serve.
 *
 * Return: 0, -ENOMEM, -EINVAL.
 */
int pager_frame_get(struct pager *pager, int node, uint32_t *frame);

/**
 * pager_frame_put() - give a frame back
 * @pager: this thread's
 * @frame: mapped nowhere any more
 *
 * Return: 0, or a negative errno if it is mapped still, or was not got.
 */
int pager_frame_put(struct pager *pager, uint32_t frame);

/**
 * pager_frame_data() - a frame's contents
 * @pager: this thread's
 * @frame: of pager_frame_get(), by any pager of the group
 *
 * Return: where its 4096 bytes are, or NULL.
 */
void *pager_frame_data(struct pager *pager, uint32_t frame);

/**
 * pager_replicate() - have this process use a copy on each node
 * @region: of a group with PAGER_LOCAL or PAGER_REPLICATE whose @fill gives what is
 *	at @start; its pagers are other processes
 * @start: first byte, of a page
 * @bytes: whole pages
 * @text: it is code; data to be read otherwise
 * @mirror: out: the file that mirrors the process, if it was not mirrored yet,
 *	else -1. It ends when that is closed.
 *
 * The process gets a page table on each node, and the range is replaced by the
 * region, at the same address, to be read (and run). Other threads may be running
 * there: they go on in the copy. What pagers of the process itself need must not
 * be in the range.
 *
 * Return: 0; -EINVAL, -EOPNOTSUPP if this machine cannot mirror, -EPERM if
 * devices cannot be mapped to run code (/dev is mounted noexec), -ENOMEM.
 */
int pager_replicate(int region, void *start, uint64_t bytes, int text,
		    int *mirror);

/**
 * pager_fetch() - a region from mkpager
 * @path: the socket of mkpager
 * @pages: out: how many it has
 *
 * Return: its file, the caller's; or a negative errno: -ENOENT, -ECONNREFUSED
 * without mkpager, -EPROTO if somebody else is there, -ETIMEDOUT.
 */
int pager_fetch(const char *path, uint32_t *pages);

/**
 * pager_policy_name() - by number
 * @policy: enum pager_policy
 *
 * Return: its name, or NULL: there is no such one.
 */
const char *pager_policy_name(uint32_t policy);

/**
 * pager_sync_name() - by number
 * @sync: enum pager_sync
 *
 * Return: its name, or NULL: there is no such one.
 */
const char *pager_sync_name(uint32_t sync);

#endif /* PAGER_H */
