/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One monitor's replica of the frame table, and its votes.
 *
 * A replica belongs to its port's thread: nothing here is called by anybody
 * else, and nothing here waits. What happens in it, and why all replicas stay
 * equal, stands in Documentation/agreement.rst; selftests/models checks it.
 */
#ifndef MK_REPLICA_H
#define MK_REPLICA_H

#include <linux/cpumask.h>
#include <linux/types.h>

#include "shootdown/frames.h"

struct mk_port;

/* Changes that one monitor has voted for and that are undecided, at most. */
#define MK_REPLICA_OPEN		64

/**
 * enum mk_change_kind - what is agreed on
 * @MK_CHANGE_RETYPE: slots get another type
 * @MK_CHANGE_JOIN: a monitor becomes a member
 * @MK_CHANGE_EXCLUDE: a monitor that has gone is no member any more
 * @MK_CHANGE_CHECK: nothing: holds the table still, and is never committed
 * @MK_CHANGES: how many there are
 */
enum mk_change_kind {
	MK_CHANGE_RETYPE,
	MK_CHANGE_JOIN,
	MK_CHANGE_EXCLUDE,
	MK_CHANGE_CHECK,
	MK_CHANGES
};

/**
 * struct mk_change - what is agreed on, as it travels in messages
 * @kind: enum mk_change_kind
 * @from: type that the slots have
 * @to: type that they get
 * @first: first slot; for a change of membership the CPU
 * @count: slots
 */
struct mk_change {
	u8 kind;
	u8 from, to;
	u32 first, count;
};

/**
 * enum mk_verdict - a vote
 * @MK_VOTE_YES: the change is locked here until it is decided
 * @MK_VOTE_LATER: a change of membership waits for the changes under way; the
 *	vote follows
 * @MK_VOTE_BUSY: another change has the slots, or the membership changes
 * @MK_VOTE_TYPE: a slot is not of the type
 * @MK_VOTE_VIEW: the voter is in another view, or no member
 * @MK_VERDICTS: how many there are
 */
enum mk_verdict {
	MK_VOTE_YES,
	MK_VOTE_LATER,
	MK_VOTE_BUSY,
	MK_VOTE_TYPE,
	MK_VOTE_VIEW,
	MK_VERDICTS
};

/**
 * struct mk_open - a change that was voted for
 * @id: of the transaction; 0 when free
 * @change: what
 */
struct mk_open {
	u64 id;
	struct mk_change change;
};

/**
 * struct mk_replica - see the top of the file
 * @joined: a member, as far as it knows
 * @view: number of the membership; grows by one with each change of it
 * @members: CPUs of that view
 * @open: retypings that are locked
 * @nr_open: how many
 * @turn: change of membership that is locked, or waits for @nr_open to be 0
 * @turn_waits: it waits
 * @turn_asker: CPU that its vote goes to
 * @last: by CPU: number of the last transaction that was begun there; none of
 *	it or before needs a vote any more. Outlives the monitor, so that what
 *	was sent long ago cannot lock anything
 * @frame: the table: type in the low byte, generation above
 */
struct mk_replica {
	bool joined;
	u64 view;
	cpumask_var_t members;
	struct mk_open open[MK_REPLICA_OPEN];
	unsigned int nr_open;
	struct mk_open turn;
	bool turn_waits;
	int turn_asker;
	u64 *last;
	u32 frame[MK_FRAMES];
};

/* The number of a transaction: where it began, and which there. */
#define MK_TXN_SHIFT		48

static inline u64 mk_txn_id(int cpu, u64 seq)
{
	return (u64)cpu << MK_TXN_SHIFT | seq;
}

static inline enum mk_frame_type mk_frame_type(u32 frame)
{
	return frame & 0xff;
}

/* A member, as one 64-bit word per so many; for copying a replica. */
#define MK_REPLICA_FRAME_WORDS	(MK_FRAMES / 2)

/* Process context, before the first transaction and after the last. */
int mk_replicas_init(void);
void mk_replicas_exit(void);
u64 mk_replicas_bytes(void);
u64 mk_replicas_size(unsigned int cpus);
size_t mk_replica_size(unsigned int cpus);

/* The port's thread. */
struct mk_replica *mk_replica(int cpu);
void mk_replica_found(struct mk_replica *replica,
		      const struct cpumask *members);
enum mk_verdict mk_replica_prepare(struct mk_replica *replica, u64 id,
				   u64 view, const struct mk_change *change,
				   int asker);
bool mk_replica_decide(struct mk_replica *replica, u64 id, bool commit);
u64 mk_replica_ready(struct mk_replica *replica);
void mk_replica_leave(struct mk_replica *replica);
int mk_replica_find(const struct mk_replica *replica, u32 count, u32 start);
u32 mk_replica_words(void);
u64 mk_replica_word(const struct mk_replica *replica, u32 i);
void mk_replica_set_word(struct mk_replica *replica, u32 i, u64 value);

#endif /* MK_REPLICA_H */
