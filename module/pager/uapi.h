/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Paged regions and pagers: Documentation/pager.rst has the protocol.
 *
 * A paged region has no frames at first; whoever touches a page waits for the
 * pager of the node. A pager's memory is mapped from MK_PAGER_OFFSET of its file
 * on: its words (struct mk_pager_side), a line for each request, a line for each
 * answer. The frames are mapped from MK_FRAMES_OFFSET on, each at its number, by
 * any pager of the region.
 */
#ifndef MK_PAGER_UAPI_H
#define MK_PAGER_UAPI_H

#include <linux/types.h>

#define MK_PAGER_OFFSET		0x20000000
#define MK_FRAMES_OFFSET	0x40000000
#define MK_PAGER_SLOTS_MIN	16
#define MK_PAGER_SLOTS_MAX	1024
#define MK_PAGED_TIMEOUT_MAX	10000
#define MK_PAGED_FRAMES_MAX	65536

/* Another frame for each node: the process that maps it is mirrored. */
#define MK_PAGED_LOCAL		0x1
/* What no pager serves gets a zeroed frame; otherwise SIGBUS. */
#define MK_PAGED_ZERO		0x2
/* Where there is no pager, one is waited for; otherwise that happens at once. */
#define MK_PAGED_AWAIT		0x4

/**
 * struct mk_paged_create - MK_IOC_PAGED: make the paged region of this open file
 * @pages: how many, 1 to MK_REGION_PAGES_MAX
 * @node: whose pager serves nodes that have none; frames for MK_PAGED_ZERO lie there
 *	without MK_PAGED_LOCAL
 * @timeout_ms: how long a fault waits for pagers, 1 to MK_PAGED_TIMEOUT_MAX
 * @frames: how many there can be at once, 1 to MK_PAGED_FRAMES_MAX
 * @flags: MK_PAGED_LOCAL, MK_PAGED_ZERO, MK_PAGED_AWAIT
 */
struct mk_paged_create {
	__u32 pages;
	__s32 node;
	__u32 timeout_ms;
	__u32 frames;
	__u64 flags;
};

/* The node's pager, if it has one, serves no more: the new one does. */
#define MK_PAGER_TAKE_OVER	0x1

/**
 * struct mk_pager_create - MK_IOC_PAGER: make the pager of this open file
 * @region: descriptor of the paged region; the pager's own file has no region
 * @node: whose faults it serves; its memory lies there
 * @slots: lines for requests, and for answers: a power of two in
 *	MK_PAGER_SLOTS_MIN … _MAX
 * @wake: an eventfd that is signalled if the pager sleeps, or -1
 * @flags: MK_PAGER_TAKE_OVER
 */
struct mk_pager_create {
	__s32 region;
	__s32 node;
	__u32 slots;
	__s32 wake;
	__u64 flags;
};

/**
 * struct mk_pager_side - the words of a pager
 * @asleep: it has to be woken after something was requested: set by the pager
 *	before it looks for the last time, cleared by who wakes it
 * @pad: caches fetch lines in pairs
 */
struct mk_pager_side {
	__u32 asleep;
	__u32 pad[31];
};

/**
 * enum mk_pager_kind - what a request is
 * @MK_PAGER_FAULT: map @page for who needs @rights
 * @MK_PAGER_UNMAPPED: @pages from @page on were taken away (@rights 0) or may not
 *	be written any more (@rights 1); wants an MK_PAGER_ACK
 */
enum mk_pager_kind {
	MK_PAGER_FAULT = 1,
	MK_PAGER_UNMAPPED
};

#define MK_PAGER_READ		0x1
#define MK_PAGER_WRITE		0x2
#define MK_PAGER_EXEC		0x4

/**
 * struct mk_pager_request - one line, written by the kernel
 * @kind: enum mk_pager_kind
 * @page: first page
 * @pages: how many; 1 for a fault
 * @rights: MK_PAGER_READ and what else is needed: MK_PAGER_WRITE; MK_PAGER_EXEC
 *	where the mapping can be executed, whatever the access is
 * @node: where the fault happened; of MK_PAGER_UNMAPPED: as it was asked for
 * @cpu: likewise; -1
 * @asleep: who asks sleeps and has to be woken; changes once the line is shown
 * @reserved: 0
 * @seq: of the page: the operation that last took it away; 0 if none has
 * @cycles: of the TSC, when it was asked
 * @pad: 0
 * @id: 1, 2, 3 …, written last; 0 while the line is being written
 */
struct mk_pager_request {
	__u32 kind;
	__u32 page;
	__u32 pages;
	__u32 rights;
	__s32 node;
	__s32 cpu;
	__u32 asleep;
	__u32 reserved;
	__u64 seq;
	__u64 cycles;
	__u64 pad;
	__u64 id;
};

/**
 * enum mk_pager_verdict - what an answer says
 * @MK_PAGER_MAP: the page is @frame, with @rights
 * @MK_PAGER_REFUSE: SIGBUS
 * @MK_PAGER_AGAIN: do the access again; it faults again if nothing has changed
 * @MK_PAGER_ACK: the answer to MK_PAGER_UNMAPPED
 */
enum mk_pager_verdict {
	MK_PAGER_MAP = 1,
	MK_PAGER_REFUSE,
	MK_PAGER_AGAIN,
	MK_PAGER_ACK
};

/**
 * struct mk_pager_answer - one line, written by the pager
 * @verdict: enum mk_pager_verdict
 * @frame: number of a frame of the region
 * @rights: MK_PAGER_READ, and what else is allowed
 * @reserved: 0
 * @seq: as in the request, or as MK_IOC_PAGED_UNMAP has returned it since: an
 *	answer that is older than the last operation on the page is asked for again
 * @pad: 0
 * @id: of the request; written last
 */
struct mk_pager_answer {
	__u32 verdict;
	__u32 frame;
	__u32 rights;
	__u32 reserved;
	__u64 seq;
	__u64 pad[4];
	__u64 id;
};

/* Where the lines begin, and the length of the memory in whole pages. */
#define MK_PAGER_REQUESTS	sizeof(struct mk_pager_side)
#define MK_PAGER_ANSWERS(slots)	(MK_PAGER_REQUESTS + (slots) * 64ul)
#define MK_PAGER_BYTES(slots)						\
	((MK_PAGER_REQUESTS + (slots) * 2 * 64ul + 4095) & ~4095ul)

/* Most frames that are allocated or freed at once. */
#define MK_FRAME_COUNT_MAX	512

/**
 * struct mk_frame_alloc - MK_IOC_FRAME: zeroed frames of the region
 * @node: where they lie, exactly; or -1: near the caller
 * @count: how many, 1 to MK_FRAME_COUNT_MAX
 * @first: out: number of the first; they have numbers in a row
 * @flags: 0
 */
struct mk_frame_alloc {
	__s32 node;
	__u32 count;
	__u32 first;
	__u32 flags;
};

/**
 * struct mk_frame_free - MK_IOC_FRAME_FREE: give frames back
 * @first: number of the first
 * @count: how many, 1 to MK_FRAME_COUNT_MAX; all of them are there
 * @flags: 0
 *
 * -EBUSY if a page is one of them: MK_IOC_PAGED_UNMAP it first. Nothing was
 * freed then.
 */
struct mk_frame_free {
	__u32 first;
	__u32 count;
	__u64 flags;
};

/* The region's pagers, but not the one whose file this is, are told. */
#define MK_PAGED_TELL		0x1
/* And it returns when each has acknowledged, or the region's timeout is over. */
#define MK_PAGED_WAIT		0x2

/**
 * struct mk_paged_unmap - MK_IOC_PAGED_UNMAP: take pages away from every process
 * @first: first page
 * @pages: how many, 1 to MK_OP_PAGES_MAX
 * @op: MK_OP_UNMAP; or MK_OP_PROTECT: they lose MK_PAGER_WRITE
 * @protocol: enum mk_protocol; lazy is -EOPNOTSUPP, and linux with MK_PAGED_LOCAL
 * @broken: enum mk_broken
 * @cpu: whose monitor does it, or -1: the caller's CPU
 * @node: whose frames the pages lose, or -1: all; with MK_PAGED_LOCAL only
 * @flags: MK_PAGED_TELL, MK_PAGED_WAIT
 * @seq: out: number of the operation, from 1 on
 * @cycles: out: until no CPU could use what was mapped
 * @messages: out: sent
 * @ipis: out: CPUs that got an interrupt
 * @lazies: out: CPUs that needed nothing
 * @timeouts: out: CPUs that did not answer in time and got an interrupt then
 * @told: out: pagers that were told
 * @late: out: those of them that did not acknowledge
 */
struct mk_paged_unmap {
	__u32 first;
	__u32 pages;
	__u32 op;
	__u32 protocol;
	__u32 broken;
	__s32 cpu;
	__s32 node;
	__u32 flags;
	__u64 seq;
	__u64 cycles;
	__u32 messages;
	__u32 ipis;
	__u32 lazies;
	__u32 timeouts;
	__u32 told;
	__u32 late;
};

/**
 * struct mk_paged_look - MK_IOC_PAGED_LOOK: what a page is on a node
 * @page: which
 * @node: where; without MK_PAGED_LOCAL it does not matter
 * @frame: out: number of its frame
 * @rights: out: its rights; 0 if it has no frame
 * @seq: out: of the page
 */
struct mk_paged_look {
	__u32 page;
	__s32 node;
	__u32 frame;
	__u32 rights;
	__u64 seq;
};

/**
 * struct mk_paged_info - MK_IOC_PAGED_INFO: what the region is
 * @flags: in: 0; out: as created
 * @pages: out: as created
 * @node: out: as created
 * @timeout_ms: out: as created
 * @frames_max: out: as created
 * @frames: out: how many there are
 * @pinned: out: those that nobody has, but an operation did not reach everyone
 *	who had: they stay until no process maps the region
 * @pagers: out: how many serve
 * @mappings: out: in how many places it is mapped
 * @faults: out: that came
 * @installs: out: that were served from what is known
 * @asked: out: that a pager was asked for
 * @served: out: for which it gave a frame
 * @refused: out: for which it refused
 * @stale: out: answers that were older than an operation
 * @timeouts: out: for which no answer came in time
 * @nonsense: out: for which the answer could not be
 * @nobody: out: for which there was no pager
 * @fallbacks: out: that got a zeroed frame from the kernel
 * @sigbus: out: that ended in SIGBUS
 * @takeovers: out: pagers that took over
 * @unmaps: out: operations
 */
struct mk_paged_info {
	__u64 flags;
	__u32 pages;
	__s32 node;
	__u32 timeout_ms;
	__u32 frames_max;
	__u32 frames;
	__u32 pinned;
	__u32 pagers;
	__u32 mappings;
	__u64 faults;
	__u64 installs;
	__u64 asked;
	__u64 served;
	__u64 refused;
	__u64 stale;
	__u64 timeouts;
	__u64 nonsense;
	__u64 nobody;
	__u64 fallbacks;
	__u64 sigbus;
	__u64 takeovers;
	__u64 unmaps;
};

/**
 * struct mk_pager_info - MK_IOC_PAGER_INFO: what the pager is
 * @flags: in: 0
 * @requests: out: how many there were
 * @wakes: out: signals to the eventfd
 * @sleeps: out: requests whose thread went to sleep
 * @node: out: as created
 * @slots: out: as created
 * @waiting: out: threads that wait for answers now
 * @over: out: 1 if another one has taken over
 */
struct mk_pager_info {
	__u64 flags;
	__u64 requests;
	__u64 wakes;
	__u64 sleeps;
	__s32 node;
	__u32 slots;
	__u32 waiting;
	__u32 over;
};

#endif /* MK_PAGER_UAPI_H */
