/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of libpager know of each other.
 *
 * Locks, outermost first: a page, by struct pager_sync_ops. That is all.
 */
#ifndef PAGER_PRIVATE_H
#define PAGER_PRIVATE_H

#include <pthread.h>
#include <stddef.h>

#include "urpc/user.h"
#include "liburpc/urpc.h"
#include "pager.h"
#include "kernel.h"

#define PAGE_BYTES	4096
#define NS_PER_US	1000ll
#define NS_PER_MS	1000000ll

/* pager_state::flags: its replicas have become one frame. */
#define STATE_ONE	0x1

/**
 * struct pager_state - what is known of a page
 * @mapped: nodes that may map it; not all of them where the policy's frames last
 * @owner: 1 + node of the frame that counts; 0: there is none yet
 * @fresh: 1 + node of a frame that is not used yet; 0: none
 * @flags: STATE_ONE
 * @reserved: 0
 * @seq: of the last operation by which a pager took it away
 * @frame: of each node, 1 + its index; 0: none
 */
struct pager_state {
	u64 mapped;
	u32 owner;
	u32 fresh;
	u32 flags;
	u32 reserved;
	u64 seq;
	u32 frame[PAGER_NODES_MAX];
};

/**
 * struct pager_entry - a page in the directory
 * @lock: with locks
 * @holder: with messages: 1 + node whose pager may change the page; 0: nobody.
 *	Its home's
 * @which: the state that counts; whoever has the page writes the other one, and
 *	then this word
 * @waiters: with both: nodes that want to be told
 * @state: see @which
 */
struct pager_entry {
	pthread_mutex_t lock;
	u32 holder;
	u32 which;
	u64 waiters;
	struct pager_state state[2];
} __attribute__((aligned(64)));

/**
 * struct pager_seat - a node's lines in the directory
 * @turn: which pager of the node it is that serves: they are counted
 * @stock: 1 + each frame that is ready; 0: none
 * @counts: what they have done
 */
struct pager_seat {
	u64 turn;
	u32 stock[PAGER_STOCK_MAX];
	struct pager_counts counts;
} __attribute__((aligned(64)));

/**
 * struct pager_directory - what pagers share
 * @version: PAGER_VERSION
 * @pages: of the region
 * @nodes: that have a pager
 * @policy: enum pager_policy
 * @sync: enum pager_sync
 * @seat: of each node
 * @entry: of each page
 */
struct pager_directory {
	u32 version;
	u32 pages;
	u64 nodes;
	u32 policy;
	u32 sync;
	struct pager_seat seat[PAGER_NODES_MAX];
	struct pager_entry entry[];
};

/**
 * struct pager_group - see pager.h
 * @options: with nothing left out
 * @device: where its regions come from
 * @region: file
 * @memory: file of the directory
 * @bytes: of the directory
 * @directory: mapped
 * @meeting: where sockets are; empty without messages
 * @maker: the process that removes @meeting
 */
struct pager_group {
	struct pager_options options;
	const struct pager_region_ops *device;
	int region;
	int memory;
	size_t bytes;
	struct pager_directory *directory;
	char meeting[64];
	int maker;
};

/**
 * enum pager_stage - how far a request has come
 * @STAGE_FREE: there is none
 * @STAGE_NEW: its page is not ours yet, and nobody was asked
 * @STAGE_ASKED: its page's home was asked
 * @STAGE_OURS: the page is ours
 * @STAGE_DONE: answered; its page's home, or that one's successor, has to say that it
 *	knows
 */
enum pager_stage {
	STAGE_FREE,
	STAGE_NEW,
	STAGE_ASKED,
	STAGE_OURS,
	STAGE_DONE,
};

/**
 * struct pager_work - a request on its way
 * @want: what the kernel asked
 * @stage: enum pager_stage
 * @waited: it was counted as one that waits
 * @state: of its page, while that is ours
 * @frame: of the answer
 * @rights: of the answer; 0: there is none
 * @drop: nodes whose frames are not used any more, once it is answered
 */
struct pager_work {
	struct pager_want want;
	u32 stage;
	u32 waited;
	struct pager_state state;
	u32 frame;
	u32 rights;
	u64 drop;
};

struct pager_talk;
struct pager_homes;

/**
 * enum pager_why - what ended a sleep: bits
 * @WHY_KERNEL: a request
 * @WHY_PEER: a message
 * @WHY_STOP: it is to stop
 * @WHY_OTHER: anything else; or it is not known
 */
enum pager_why {
	WHY_KERNEL = 0x1,
	WHY_PEER = 0x2,
	WHY_STOP = 0x4,
	WHY_OTHER = 0x8,
};

/**
 * struct pager - see pager.h
 * @group: whose
 * @kernel: its side
 * @node: that it serves
 * @turn: pager_seat::turn, as long as nobody has taken over
 * @fd: epoll, of all that it waits for
 * @works: how many are not STAGE_FREE
 * @sync: how pages are got
 * @talk: with other pagers; NULL without messages
 * @homes: of pages; NULL with locks
 * @seat: ours
 * @work: kernel->depth of them
 */
struct pager {
	struct pager_group *group;
	struct pager_kernel *kernel;
	int node;
	u64 turn;
	int fd;
	u32 works;
	const struct pager_sync_ops *sync;
	struct pager_talk *talk;
	struct pager_homes *homes;
	struct pager_seat *seat;
	struct pager_work work[];
};

/**
 * struct pager_sync_ops - how a pager comes by a page, so that nobody else changes it
 * @name: for options
 * @begin: get it: 0, -EAGAIN: not now, call again
 * @end: let go of it
 * @known: is the page's frame known, since it lasts? Then it is @work's, and nobody has
 *	to have the page. NULL: it never is
 * @learn: @work's frame lasts; @first: nobody else can know it yet
 * @retry_ms: how long to block at most while a page is waited for; -1: it is told
 *
 * None of them waits.
 */
struct pager_sync_ops {
	const char *name;
	int (*begin)(struct pager *pager, struct pager_work *work);
	void (*end)(struct pager *pager, struct pager_work *work);
	bool (*known)(const struct pager *pager, struct pager_work *work);
	void (*learn)(struct pager *pager, const struct pager_work *work,
		      bool first);
	int retry_ms;
};

/**
 * struct pager_policy_ops - which frame a node gets
 * @name: for options
 * @serve: choose frame and rights; the page is ours. 0 or a negative errno: the
 *	thread gets nothing
 * @one: only the owner's frame counts, of a page in this state
 * @lasting: rights that every node has to the owner's frame, for good, once there is
 *	an owner; 0: frames change
 */
struct pager_policy_ops {
	const char *name;
	u32 lasting;
	int (*serve)(struct pager *pager, struct pager_work *work);
	bool (*one)(const struct pager_state *state);
};

/* group.c */
int pager_group_make(const struct pager_options *options,
		     const struct pager_region_ops *device,
		     struct pager_group **group);

extern const struct pager_policy_ops pager_global, pager_local,
	pager_replicating, pager_migrating;
extern const struct pager_sync_ops pager_shm, pager_urpc, pager_both;

/* policies.c */
const struct pager_sync_ops *pager_sync_ops(u32 sync);
const struct pager_policy_ops *pager_policy_ops(u32 policy);

/* directory.c */
int pager_directory_create(struct pager_group *group);
struct pager_entry *pager_entry(const struct pager *pager, u32 page);
const struct pager_state *pager_entry_state(const struct pager_entry *entry);
void pager_entry_write(struct pager_entry *entry,
		       const struct pager_state *state);
void pager_mend(struct pager *pager, u32 page);

/* serve.c: for policies, and for what begins and ends requests */
void pager_take(struct pager *pager, const struct pager_want *want);
int pager_serve_all(struct pager *pager);
void pager_serve_ours(struct pager *pager);
int pager_fresh(struct pager *pager, struct pager_work *work, int from);
int pager_take_away(struct pager *pager, u32 page, struct pager_state *state,
		    u64 nodes);
void pager_drop(struct pager *pager, u32 page, struct pager_state *state,
		u64 nodes);

/* talk.c */
int pager_talk_open(struct pager *pager, u32 flags);
void pager_talk_close(struct pager *pager);
int pager_talk_step(struct pager *pager);
int pager_talk_arm(struct pager *pager, int *timeout_ms);
void pager_talk_disarm(struct pager *pager, u32 why);

/* sync_urpc.c: what talk.c brings it */
struct pager_said;

void pager_heard(struct pager *pager, int node, u32 what,
		 const struct pager_said *said);
void pager_peer_came(struct pager *pager, int node);
void pager_peer_went(struct pager *pager, int node);
int pager_homes_open(struct pager *pager);

/**
 * enum pager_saying - what pagers say to each other
 * @SAY_ASK: to a page's home: may I have it?
 * @SAY_YOURS: from it: yes
 * @SAY_DONE: to it: I do not need the page any more
 * @SAY_KNOWN: from it: I have heard that
 * @SAY_SYNCED: after a channel was made: what I did not say so far, I do not have
 * @SAY_FREE: a page that you waited for is free
 * @SAY_FRAME: a page has this frame, for good; a hint (urpc_hint())
 */
enum pager_saying {
	SAY_ASK,
	SAY_YOURS,
	SAY_DONE,
	SAY_KNOWN,
	SAY_SYNCED,
	SAY_FREE,
	SAY_FRAME,
};

/**
 * struct pager_said - a message; its tag is the enum pager_saying
 * @page: which
 * @work: of who asked; of SAY_FRAME the frame
 */
struct pager_said {
	u32 page;
	u32 work;
};

/* talk.c: -ENOTCONN if there is no channel now */
int pager_say(struct pager *pager, int node, enum pager_saying what, u32 page,
	      u32 work);
void pager_hint(struct pager *pager, enum pager_saying what, u32 page,
		u32 frame);

static inline void pager_count(uint64_t *counter, u64 n)
{
	/* The pager's own thread alone writes it. */
	WRITE_ONCE(*counter, READ_ONCE(*counter) + n);
}

static inline u64 node_bit(int node)
{
	return 1ull << node;
}

/* Takes a node out of @nodes, which has one. */
static inline int node_take(u64 *nodes)
{
	int node = __builtin_ctzll(*nodes);

	*nodes &= *nodes - 1;
	return node;
}

int64_t pager_now_ns(void);

/* place.c */
u64 pager_nodes(void);

/* stock.c */
bool pager_stock_take(struct pager *pager, u32 *frame);
bool pager_stock_fill(struct pager *pager);

/* pager.c: @why: enum pager_why */
int pager_frames_get(struct pager *pager, int node, u32 count, u32 *first);
int pager_watch(struct pager *pager, int fd, u32 what, u32 why);

#endif /* PAGER_PRIVATE_H */
