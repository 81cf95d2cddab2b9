/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The device /dev/multikernel, as user space sees it: Documentation/device.rst.
 *
 * Every field that is not used now is 0; anything else there is -EINVAL. Sizes
 * and offsets are the same for every program, 32 bit or 64.
 */
#ifndef MK_UAPI_H
#define MK_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* enum mk_protocol, enum mk_broken */
#include "shootdown/protocols.h"

#define MK_DEVICE	"/dev/multikernel"

/* Largest region, and most pages in one operation. */
#define MK_REGION_PAGES_MAX	4096
#define MK_OP_PAGES_MAX		512

/* Each page of a region begins with these two; the rest is the user's. */
#define MK_PAGE_VERSION		0	/* __u64: raised by MK_OP_RENEW */
#define MK_PAGE_INDEX		8	/* __u64: which page it is */

/**
 * enum mk_op - what is done to pages of a region, in every process that maps it
 * @MK_OP_UNMAP: not mapped any more; whoever touches one gets it back
 * @MK_OP_RENEW: another frame each, zeroed, with a higher version
 * @MK_OP_PROTECT: writing one is SIGBUS
 * @MK_OP_UNPROTECT: writing is allowed again
 * @MK_OPS: how many
 */
enum mk_op {
	MK_OP_UNMAP,
	MK_OP_RENEW,
	MK_OP_PROTECT,
	MK_OP_UNPROTECT,
	MK_OPS
};

/* A region that keeps its frames and its rights: of operations, MK_OP_UNMAP. */
#define MK_REGION_FIXED		0x1

/**
 * struct mk_region_create - MK_IOC_REGION: make the region of this open file
 * @pages: how many, 1 to MK_REGION_PAGES_MAX
 * @node: where, or -1: one node after the other
 * @flags: MK_REGION_FIXED
 */
struct mk_region_create {
	__u32 pages;
	__s32 node;
	__u64 flags;
};

/**
 * struct mk_region_info - MK_IOC_INFO: what the region is
 * @flags: in: 0; out: as created
 * @version: out: the highest that any page has
 * @pages: out: how many
 * @node: out: as created
 * @mappings: out: in how many places it is mapped, all processes together
 * @kept: out: frames that somebody may still reach: after a planted fault, until
 *	the region dies; where an operation did not reach a mapping, until that goes
 * @settling: out: lazy operations that have not settled
 * @off: out: pages whose frame does not lie where it should
 */
struct mk_region_info {
	__u64 flags;
	__u64 version;
	__u32 pages;
	__s32 node;
	__u32 mappings;
	__u32 kept;
	__u32 settling;
	__u32 off;
};

/**
 * struct mk_region_op - MK_IOC_OP: take pages away
 * @first: first page
 * @pages: how many, 1 to MK_OP_PAGES_MAX
 * @op: enum mk_op
 * @protocol: enum mk_protocol
 * @broken: enum mk_broken
 * @cpu: whose monitor does it, or -1: the caller's CPU
 * @flags: 0
 * @version: out: of the pages, after MK_OP_RENEW; of the region otherwise
 * @cycles: out: clearing the page tables, and until every CPU was done
 * @messages: out: sent
 * @ipis: out: CPUs that got an interrupt
 * @lazies: out: CPUs that needed nothing
 * @timeouts: out: CPUs that did not answer in time and got an interrupt then
 */
struct mk_region_op {
	__u32 first;
	__u32 pages;
	__u32 op;
	__u32 protocol;
	__u32 broken;
	__s32 cpu;
	__u64 flags;
	__u64 version;
	__u64 cycles;
	__u32 messages;
	__u32 ipis;
	__u32 lazies;
	__u32 timeouts;
};

/**
 * struct mk_space_cpus - MK_IOC_ADOPT, MK_IOC_LEAVE: monitors that take on the
 * caller's mm, or give it back
 * @cpus: pointer to a bitmap of CPUs, an array of __u64; 0: every online CPU
 * @bytes: length of the bitmap, a multiple of 8, up to MK_CPUS_BYTES_MAX; 0
 *	without one
 * @flags: 0
 */
struct mk_space_cpus {
	__u64 cpus;
	__u32 bytes;
	__u32 flags;
};

#define MK_CPUS_BYTES_MAX	1024

/**
 * struct mk_region_settle - MK_IOC_SETTLE: wait for the region's lazy operations
 * @timeout_ms: 1 to 60000
 * @flags: 0
 */
struct mk_region_settle {
	__u32 timeout_ms;
	__u32 flags;
};

/**
 * struct mk_region_check - MK_IOC_CHECK: what a monitor reads in the pages
 * @first: first page
 * @pages: how many, 1 to MK_OP_PAGES_MAX
 * @cpu: whose monitor; it has adopted the caller's mm
 * @flags: 0
 * @version: out: the lowest one
 */
struct mk_region_check {
	__u32 first;
	__u32 pages;
	__s32 cpu;
	__u32 flags;
	__u64 version;
};

/**
 * enum mk_job - what an agent does for an experiment, in user space
 * @MK_JOB_END: nothing more: it need not call again
 * @MK_JOB_TOUCH: @count times: read a word of each page (the sample)
 * @MK_JOB_SPIN: go round a loop for @cycles and count how often
 * @MK_JOB_MPROTECT: @count times: touch the pages, take away writing by one
 *	mprotect() (the sample), give it back by another
 * @MK_JOB_MUNMAP: @count times: munmap() the pages (the sample), then map new
 *	ones at the same address and touch them
 * @MK_JOB_MMAP: @count times: munmap() the pages, then map new ones at the same
 *	address with MAP_POPULATE (the sample)
 * @MK_JOB_FAULT: @count times: give the pages back by MADV_DONTNEED, then write
 *	to each (the sample)
 * @MK_JOB_SERVE: have @pages of memory whose faults are served as @count, enum
 *	mk_server, and @how say, by a server for each node in @cycles, which has a
 *	bit for each. Samples brought: its address on the first of these nodes, and
 *	how far it is from there to that on the next one. Only one at a time
 * @MK_JOB_TAKE: @count times: take the pages away from all nodes, and let all
 *	servers know (the sample)
 * @MK_JOB_SERVED: samples brought: MK_SERVED_WORDS for each node, from 0 on, of what
 *	the servers have done
 * @MK_JOB_UNSERVE: no more of it
 * @MK_JOBS: how many
 */
enum mk_job {
	MK_JOB_END,
	MK_JOB_TOUCH,
	MK_JOB_SPIN,
	MK_JOB_MPROTECT,
	MK_JOB_MUNMAP,
	MK_JOB_MMAP,
	MK_JOB_FAULT,
	MK_JOB_SERVE,
	MK_JOB_TAKE,
	MK_JOB_SERVED,
	MK_JOB_UNSERVE,
	MK_JOBS
};

/**
 * enum mk_server - who serves the faults of memory, MK_JOB_SERVE
 * @MK_SERVER_NONE: there are none: all of it is mapped
 * @MK_SERVER_KERNEL: Linux, as those of shared memory
 * @MK_SERVER_USERFAULTFD: a thread on each node, by userfaultfd(2)
 * @MK_SERVER_SHM: a pager of libpager on each node; they agree by locks
 * @MK_SERVER_URPC: likewise; by messages
 * @MK_SERVER_BOTH: likewise; by both
 * @MK_SERVERS: how many
 */
enum mk_server {
	MK_SERVER_NONE,
	MK_SERVER_KERNEL,
	MK_SERVER_USERFAULTFD,
	MK_SERVER_SHM,
	MK_SERVER_URPC,
	MK_SERVER_BOTH,
	MK_SERVERS
};

/* Servers poll before they block. */
#define MK_SERVE_POLL		0x1
/* Page p is at home with node p modulo their number, whose server has to be asked. */
#define MK_SERVE_ASK		0x2
/* Each node has page tables of its own, or the memory mapped for it. */
#define MK_SERVE_TABLES		0x4
/* Frames lie on the node that touches, pagers give each another one. */
#define MK_SERVE_LOCAL		0x8
/* Frames lie on all nodes in turn. */
#define MK_SERVE_SPREAD		0x10

/* The words of MK_JOB_SERVED */
enum mk_served {
	MK_SERVED_FAULTS,	/* served */
	MK_SERVED_NOTICES,	/* pages taken away, of which it knows */
	MK_SERVED_MESSAGES,	/* to other servers */
	MK_SERVED_SLEEPS,	/* how often it blocked */
	MK_SERVED_WORDS
};

#define MK_SERVE_NODES_MAX	64

#define MK_AGENT_SAMPLES_MAX	4096

/**
 * struct mk_agent_job - MK_IOC_AGENT: bring a result, wait for the next job
 * @cpu: in: the CPU that this thread is bound to
 * @flags: in: 0
 * @samples: in: pointer to an array of __u64: cycles of each sample
 * @nr_samples: in: of the job done: how many, up to MK_AGENT_SAMPLES_MAX
 * @error: in: of the job done: 0 or a positive errno
 * @loops: in: of the job done: how often it got round
 * @done: in: @id of the job done, 0 with the first call
 * @id: out: of the new job, never 0
 * @kind: out: enum mk_job
 * @pages: out: of 4096 bytes
 * @address: out: of the first, in the agent's own mm
 * @count: out: how often
 * @how: out: MK_SERVE_…, else 0
 * @cycles: out: how long
 */
struct mk_agent_job {
	__s32 cpu;
	__u32 flags;
	__u64 samples;
	__u32 nr_samples;
	__u32 error;
	__u64 loops;
	__u64 done;
	__u64 id;
	__u32 kind;
	__u32 pages;
	__u64 address;
	__u32 count;
	__u32 how;
	__u64 cycles;
};

/* Most pages in one mapping of a home-node space, and in one unmap. */
#define MK_HOME_PAGES_MAX	512

/**
 * struct mk_home_create - MK_IOC_HOME: make the home-node space of this open file
 * @node: its home
 * @flags: 0
 */
struct mk_home_create {
	__s32 node;
	__u32 flags;
};

/* A mapping can be written. */
#define MK_HOME_WRITE		0x1
/* A frame for each page and node, on that node; otherwise one for all nodes. */
#define MK_HOME_LOCAL		0x2

/**
 * struct mk_home_map - MK_IOC_HOME_MAP: map fresh frames
 * @address: of the first page
 * @pages: how many, 1 to MK_HOME_PAGES_MAX
 * @node: where the frames lie, or -1: at home
 * @flags: MK_HOME_WRITE, MK_HOME_LOCAL
 * @reserved: 0
 *
 * The first word of each page is its index in the mapping; with MK_HOME_LOCAL, the
 * node is added, in the upper half.
 */
struct mk_home_map {
	__u64 address;
	__u32 pages;
	__s32 node;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct mk_home_unmap - MK_IOC_HOME_UNMAP: take mappings away from every node
 * @address: of the first page
 * @pages: how many, 1 to MK_HOME_PAGES_MAX; no mapping lies there in part
 * @protocol: enum mk_protocol, one that knows raw operations
 * @broken: MK_BROKEN_NONE, or MK_BROKEN_SKIP_TARGET: one node is not told
 * @cpu: whose monitor does it, or -1: the caller's CPU
 * @flags: 0
 * @cycles: out: until no CPU could use what was mapped
 * @nodes: out: whose tables were changed
 * @messages: out: sent
 * @ipis: out: CPUs that got an interrupt
 * @direct: out: nodes whose tables the initiator had to change itself
 */
struct mk_home_unmap {
	__u64 address;
	__u32 pages;
	__u32 protocol;
	__u32 broken;
	__s32 cpu;
	__u64 flags;
	__u64 cycles;
	__u32 nodes;
	__u32 messages;
	__u32 ipis;
	__u32 direct;
};

/**
 * struct mk_home_touch - MK_IOC_HOME_TOUCH: have a CPU go there and use a word
 * @address: of the word, a multiple of 8
 * @cpu: which; it goes to its node's page tables
 * @flags: MK_HOME_WRITE: write
 * @word: in: what is written; out: what was read
 * @faults: out: page faults that it took
 * @reserved: out: 0
 */
struct mk_home_touch {
	__u64 address;
	__s32 cpu;
	__u32 flags;
	__u64 word;
	__u32 faults;
	__u32 reserved;
};

/**
 * struct mk_home_info - MK_IOC_HOME_INFO: one node's part of a space
 * @node: in: which
 * @flags: in: 0
 * @nodes: out: how many nodes have page tables of the space, all together
 * @home: out: of the space
 * @faults: out: page faults on this node
 * @entries: out: pages that its tables map
 * @stale: out: those of them that no mapping of the space has
 * @tables: out: pages of its tables
 * @tables_off: out: those of them that lie on other nodes
 * @untyped: out: those of them that the frame table has as something else
 * @records: out: mappings of the space
 * @records_off: out: those of them whose record does not lie at home
 * @reserved: out: 0
 */
struct mk_home_info {
	__s32 node;
	__u32 flags;
	__u32 nodes;
	__s32 home;
	__u64 faults;
	__u64 entries;
	__u64 stale;
	__u32 tables;
	__u32 tables_off;
	__u32 untyped;
	__u32 records;
	__u32 records_off;
	__u32 reserved;
};

/*
 * A door is a channel between a process and the monitor of a CPU. Its memory is
 * mapped from this offset of the file on: the words of the monitor, those of the
 * process (struct mk_door_side), the ring that the monitor writes, the one that
 * the process writes. Rings are those of urpc/ring.h, with MK_MSG_CALL for what
 * wants an answer, and the bytes that are not used in the last line as the type.
 * liburpc does all of that.
 */
#define MK_DOOR_OFFSET		0x10000000
#define MK_DOOR_SLOTS_MIN	16
#define MK_DOOR_SLOTS_MAX	4096

/**
 * struct mk_door_side - a side's words in the memory of a door
 * @claimed: for who maps it; the module does not look at it
 * @asleep: its owner has to be woken after something was sent: set by the owner,
 *	before it looks for the last time, cleared by who wakes it
 * @pad: caches fetch lines in pairs
 *
 * The monitor is woken by a write() of 8 bytes to the file, as if that were an
 * eventfd.
 */
struct mk_door_side {
	__u32 claimed;
	__u32 asleep;
	__u32 pad[30];
};

/* Length of the memory, in whole pages. */
#define MK_DOOR_BYTES(slots)						\
	((2 * sizeof(struct mk_door_side) + (slots) * 2 * 64 + 4095) & ~4095ul)

/**
 * struct mk_door_create - MK_IOC_DOOR: make the door of this open file
 * @cpu: whose monitor
 * @node: where the memory lies, or -1: on the monitor's node, if there is some
 * @slots: lines of each ring, a power of two in MK_DOOR_SLOTS_MIN … _MAX
 * @wake: an eventfd that is signalled if the process sleeps, or -1
 * @flags: 0
 */
struct mk_door_create {
	__s32 cpu;
	__s32 node;
	__u32 slots;
	__s32 wake;
	__u64 flags;
};

/**
 * struct mk_door_info - MK_IOC_DOOR_INFO: what the door is
 * @flags: in: 0
 * @received: out: messages from the process
 * @sent: out: answers to its calls
 * @lost: out: answers that found no room: the process does not receive, or has
 *	more than slots / 16 calls on their way
 * @wakes: out: signals to the eventfd
 * @cpu: out: as created
 * @node: out: as created
 * @slots: out: as created
 * @error: out: 0, or why it is shut, a positive errno: ENODEV, the CPU went off
 *	line; EBADMSG, the process wrote what cannot be true
 */
struct mk_door_info {
	__u64 flags;
	__u64 received;
	__u64 sent;
	__u64 lost;
	__u64 wakes;
	__s32 cpu;
	__s32 node;
	__u32 slots;
	__u32 error;
};

/**
 * enum mk_service - what a monitor does for who calls it through a door
 * @MK_SERVICE_ECHO: the call comes back
 * @MK_SERVICE_TIME: struct mk_service_time
 * @MK_SERVICE_LOOK: struct mk_service_look
 * @MK_SERVICES: how many
 */
enum mk_service {
	MK_SERVICE_ECHO,
	MK_SERVICE_TIME,
	MK_SERVICE_LOOK,
	MK_SERVICES
};

/**
 * struct mk_service_call - what each call begins with
 * @service: enum mk_service
 * @reserved: 0
 */
struct mk_service_call {
	__u32 service;
	__u32 reserved;
};

/**
 * struct mk_service_answer - what each answer begins with
 * @error: 0 or a negative errno, and then nothing follows
 * @service: as called; MK_SERVICES if the call is too short
 */
struct mk_service_answer {
	__s32 error;
	__u32 service;
};

/**
 * struct mk_service_time - when and where a call was served
 * @head: of each answer
 * @cycles: of the TSC
 * @cpu: of the monitor
 * @node: of that CPU
 */
struct mk_service_time {
	struct mk_service_answer head;
	__u64 cycles;
	__s32 cpu;
	__s32 node;
};

/**
 * struct mk_service_look - what a monitor sees of itself
 * @head: of each answer
 * @cpu: of the monitor
 * @node: of that CPU
 * @channels: to other monitors
 * @doors: to processes
 * @poll_cycles: how long it polls before it blocks
 * @messages_sent: this and all that follow are its counters, as in debugfs
 * @messages_received: …
 * @polls: …
 * @blocks: …
 * @wakes: …
 * @bells: …
 * @parks: …
 * @works: …
 * @idle_cycles: …
 * @ipis: …
 */
struct mk_service_look {
	struct mk_service_answer head;
	__s32 cpu;
	__s32 node;
	__u32 channels;
	__u32 doors;
	__u64 poll_cycles;
	__u64 messages_sent;
	__u64 messages_received;
	__u64 polls;
	__u64 blocks;
	__u64 wakes;
	__u64 bells;
	__u64 parks;
	__u64 works;
	__u64 idle_cycles;
	__u64 ipis;
};

/* Paged regions and pagers. */
#include "module/pager/uapi.h"

#define MK_IOC_MAGIC	0xbc

#define MK_IOC_REGION	_IOW(MK_IOC_MAGIC, 0, struct mk_region_create)
#define MK_IOC_INFO	_IOWR(MK_IOC_MAGIC, 1, struct mk_region_info)
#define MK_IOC_OP	_IOWR(MK_IOC_MAGIC, 2, struct mk_region_op)
#define MK_IOC_ADOPT	_IOW(MK_IOC_MAGIC, 3, struct mk_space_cpus)
#define MK_IOC_LEAVE	_IOW(MK_IOC_MAGIC, 4, struct mk_space_cpus)
#define MK_IOC_SETTLE	_IOW(MK_IOC_MAGIC, 5, struct mk_region_settle)
#define MK_IOC_CHECK	_IOWR(MK_IOC_MAGIC, 6, struct mk_region_check)
#define MK_IOC_AGENT	_IOWR(MK_IOC_MAGIC, 7, struct mk_agent_job)
/* The caller's process is mirrored, until the open file is closed. */
#define MK_IOC_MIRROR	_IO(MK_IOC_MAGIC, 16)

#define MK_IOC_HOME		_IOW(MK_IOC_MAGIC, 24, struct mk_home_create)
#define MK_IOC_HOME_MAP		_IOW(MK_IOC_MAGIC, 25, struct mk_home_map)
#define MK_IOC_HOME_UNMAP	_IOWR(MK_IOC_MAGIC, 26, struct mk_home_unmap)
#define MK_IOC_HOME_TOUCH	_IOWR(MK_IOC_MAGIC, 27, struct mk_home_touch)
#define MK_IOC_HOME_INFO	_IOWR(MK_IOC_MAGIC, 28, struct mk_home_info)

#define MK_IOC_DOOR		_IOW(MK_IOC_MAGIC, 40, struct mk_door_create)
#define MK_IOC_DOOR_INFO	_IOWR(MK_IOC_MAGIC, 41, struct mk_door_info)

#define MK_IOC_PAGED		_IOW(MK_IOC_MAGIC, 50, struct mk_paged_create)
#define MK_IOC_PAGER		_IOW(MK_IOC_MAGIC, 51, struct mk_pager_create)
/* By the file of a pager, or of the region. */
#define MK_IOC_FRAME		_IOWR(MK_IOC_MAGIC, 52, struct mk_frame_alloc)
#define MK_IOC_FRAME_FREE	_IOW(MK_IOC_MAGIC, 53, struct mk_frame_free)
#define MK_IOC_PAGED_UNMAP	_IOWR(MK_IOC_MAGIC, 54, struct mk_paged_unmap)
#define MK_IOC_PAGED_LOOK	_IOWR(MK_IOC_MAGIC, 55, struct mk_paged_look)
#define MK_IOC_PAGED_INFO	_IOWR(MK_IOC_MAGIC, 56, struct mk_paged_info)
#define MK_IOC_PAGER_INFO	_IOWR(MK_IOC_MAGIC, 57, struct mk_pager_info)

#endif /* MK_UAPI_H */
