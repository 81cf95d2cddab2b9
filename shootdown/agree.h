/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agreement: two-phase commit among the monitors (Baumann et al., SOSP 2009,
 * section 4.7 and figure 8).
 *
 * Whose is what
 *	A transaction is made, and owned, by a process. Its log (struct mk_txn)
 *	is worked on by one port's thread at a time, its coordinator. When that
 *	port closes, its thread hands the log on to another one, which ends what
 *	was begun: aborts what was undecided, tells
 *	everybody what was decided. So nothing stays locked.
 *
 * Waiting
 *	No handler waits, and no coordinator: a transaction goes on when a vote
 *	comes, and when its process nudges it. Only processes wait, with an end.
 *
 * The protocol stands in Documentation/agreement.rst.
 */
#ifndef MK_AGREE_H
#define MK_AGREE_H

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>

#include "shootdown/replica.h"
#include "urpc/channel.h"

struct dentry;

/*
 * MK_AGREE_COUNTERS(X) - what each port's thread counts
 *
 * commits, aborts: of transactions that it ended as coordinator. messages: of
 * the protocol that it sent. conflicts: its votes against a change. duplicates:
 * votes and answers that came once more. dropped: answers that found no room;
 * the coordinator asks again. adopted: transactions it took over. passed: questions
 * and decisions that it passed on to others.
 */
#define MK_AGREE_COUNTERS(X)	\
	X(commits)		\
	X(aborts)		\
	X(messages)		\
	X(conflicts)		\
	X(duplicates)		\
	X(dropped)		\
	X(adopted)		\
	X(passed)

/* What processes count: another try, a join, an exclusion, a wait given up. */
#define MK_AGREE_EVENTS(X)	\
	X(retries)		\
	X(joins)		\
	X(excludes)		\
	X(timeouts)

/**
 * enum mk_txn_phase - how far a transaction is
 * @MK_TXN_NEW: not begun
 * @MK_TXN_HELLO: a join: asks a member for the view
 * @MK_TXN_VOTING: asks everybody, may still be aborted
 * @MK_TXN_COPYING: a join: all have voted yes, and the table is copied
 * @MK_TXN_DECIDED: tells everybody
 * @MK_TXN_ENDED: no port's any more
 */
enum mk_txn_phase {
	MK_TXN_NEW,
	MK_TXN_HELLO,
	MK_TXN_VOTING,
	MK_TXN_COPYING,
	MK_TXN_DECIDED,
	MK_TXN_ENDED,
};

/* What goes down a tree, and is answered up it. */
enum mk_pass_phase {
	MK_PASS_PREPARE,
	MK_PASS_DECIDE,
	MK_PASS_PHASES
};

/**
 * struct mk_pass_hop - a member in a tree
 * @cpu: its CPU
 * @all: it and all below it: they are this one and those that follow it
 */
struct mk_pass_hop {
	u16 cpu;
	u16 all;
};

/**
 * struct mk_pass_tree - a tree of members
 * @root: CPU of the coordinator
 * @nr: the others
 * @members: CPUs of all of them
 * @hop: the others, each before those below it
 */
struct mk_pass_tree {
	int root;
	unsigned int nr;
	cpumask_var_t members;
	struct mk_pass_hop hop[];
};

/**
 * struct mk_seat - one who votes
 * @txn: on what
 * @cpu: its CPU
 * @asked: may have been asked; what was never sent is not taken back
 * @voted: has voted
 * @done: knows the decision, or has gone
 * @prepare: the question
 * @decide: the decision
 * @prepare_out: @prepare is on its way
 * @decide_out: @decide is
 */
struct mk_seat {
	struct mk_txn *txn;
	int cpu;
	bool asked, voted, done;
	struct mk_post prepare, decide;
	bool prepare_out, decide_out;
};

/**
 * struct mk_txn - the log of a transaction
 * @ref: its process, the list of its coordinator, posts and works on their way
 * @change: what. A retyping from free with @find set takes its slots where
 *	there are some
 * @find: see @change
 * @start: where to look for them
 * @voters: who votes instead of the members, for measurements; or NULL
 * @peer: a join: who is asked for view and table
 * @phase: enum mk_txn_phase
 * @commit: the decision, when decided
 * @err: why not
 * @cancelled: by the process: abort, with this error, unless it is decided
 * @give_up: by the process: take those that do not answer for gone
 * @orphan: its coordinator's port closed
 * @adopted: its coordinator is not the first one
 * @of_view: an exclusion: the view in which the member did not answer
 * @cpu: of the port that it was handed to last
 * @id: who began it, and which there
 * @view: of the coordinator
 * @port: the coordinator
 * @node: in the coordinator's list
 * @tree: which way questions and decisions go, and votes and answers come back;
 *	or NULL, and each member is asked by itself
 * @passed: by phase: that was sent down the tree
 * @gone: a CPU that could not be reached, or -1
 * @missing: seats that have not voted, or not confirmed
 * @copied: words copied
 * @prepare: words of the question
 * @decide: words of the decision
 * @fetch: words of the question for a part of the table
 * @fetch_post: its post
 * @fetch_out: it is on its way
 * @begin: work that begins it
 * @nudge: work that looks what there is to do
 * @nudged: @nudge is taken
 * @frozen: a check: everybody has voted
 * @done: it has ended, or is an orphan
 * @nr_seats: how many
 * @seat: who votes, by ascending CPU
 */
struct mk_txn {
	struct kref ref;
	struct mk_change change;
	bool find;
	u32 start;
	const struct cpumask *voters;
	int peer;

	enum mk_txn_phase phase;
	bool commit;
	int err;
	int cancelled;
	bool give_up;
	bool orphan, adopted;
	u64 of_view;
	int cpu;
	u64 id, view;
	struct mk_port *port;
	struct list_head node;
	struct mk_pass_tree *tree;
	bool passed[MK_PASS_PHASES];
	int gone;
	unsigned int missing;
	u32 copied;
	u64 prepare[MK_LINE_WORDS], decide[MK_LINE_WORDS];
	u64 fetch[MK_LINE_WORDS];
	struct mk_post fetch_post;
	bool fetch_out;

	struct mk_work begin, nudge;
	atomic_t nudged;
	struct completion frozen, done;
	unsigned int nr_seats;
	struct mk_seat seat[];
};

/**
 * struct mk_answer - an answer that may have to wait for room
 * @post: the message
 * @word: its words
 * @busy: waits
 */
struct mk_answer {
	struct mk_post post;
	u64 word[MK_LINE_WORDS];
	bool busy;
};

#define MK_ANSWERS	64

/* What can be under way at one member for those below it, and how many those are. */
#define MK_PASSES		64
#define MK_PASS_CHILDREN	16

/**
 * struct mk_pass - what a member has passed on, and waits for answers to
 * @id: of the transaction; 0 when free
 * @phase: of it
 * @verdict: the worst so far; its own, and of those below who have answered
 * @nr: those that it was passed on to
 * @waiting: those of them that have not answered
 * @up: CPU that waits for the answer
 * @child: their CPUs
 */
struct mk_pass {
	u64 id;
	u8 phase;
	u8 verdict;
	u8 nr;
	u16 waiting;
	int up;
	u16 child[MK_PASS_CHILDREN];
};

struct mk_agree_counts {
#define MK_AGREE_FIELD(name)	u64 name;
	MK_AGREE_COUNTERS(MK_AGREE_FIELD)
#undef MK_AGREE_FIELD
};

/**
 * struct mk_agree - agreement's part of a port; its thread's
 * @seq: transactions begun here; outlives the monitor
 * @txns: those it coordinates
 * @count: see MK_AGREE_COUNTERS
 * @answer: answers that wait for room
 * @pass: what it has passed on
 * @nr_pass: how much of that
 * @next_pass: the one that goes first if there is no room
 * @copy: a message with part of the table, or one that is passed on
 * @leave: anyone's work: it was excluded
 * @leave_pushed: @leave is taken
 */
struct mk_agree {
	u64 seq;
	struct list_head txns;
	struct mk_agree_counts count;
	struct mk_answer answer[MK_ANSWERS];
	struct mk_pass pass[MK_PASSES];
	unsigned int nr_pass, next_pass;
	u64 copy[MK_MESSAGE_WORDS];
	struct mk_work leave;
	atomic_t leave_pushed;
};

#define mk_agree_add(agree, name, n)					\
	WRITE_ONCE((agree)->count.name, (agree)->count.name + (n))
#define mk_agree_count(agree, name)	mk_agree_add(agree, name, 1)

/* Words of the messages. */
enum {
	W_ID,			/* all of them */
	W_VIEW,			/* PREPARE; VOTE: of the voter; COPY */
	W_KIND,			/* PREPARE: kind, from, to, a byte each */
	W_FIRST,
	W_COUNT,
	W_VERDICT = W_VIEW + 1,	/* VOTE */
	W_COMMIT = W_VIEW,	/* DECIDE */
	W_OFFSET = W_VIEW + 1,	/* FETCH, COPY */
	W_WORDS,		/* COPY: how many follow; 0 from no member */
	W_DATA,
};

/* Words of the table in one message. */
#define MK_COPY_WORDS	(MK_MESSAGE_WORDS - W_DATA)

/* Faults that can be planted, to see them found. */
enum mk_agree_fault {
	MK_AGREE_NO_FAULT,
	MK_AGREE_DROP_COMMIT,	/* once, by the last CPU */
	MK_AGREE_VOTE_TWICE,	/* all of them, always */
	MK_AGREE_PRIVATE,	/* once: the last CPU retypes the last slot */
	MK_AGREE_NO_JOIN,	/* monitors that come do not join */
	MK_AGREE_PASS_OVER,	/* who is to pass something on answers instead */
	MK_AGREE_FAULTS
};

/* Where transactions stop until they are cancelled, for tests. */
enum mk_agree_pause {
	MK_AGREE_NO_PAUSE,
	MK_AGREE_PAUSE_VOTED,	/* all votes are in */
	MK_AGREE_PAUSE_DECIDED,	/* nobody has been told yet */
	MK_AGREE_PAUSE_HALF,	/* one has been told */
	MK_AGREE_PAUSES
};

extern u32 mk_agree_fault, mk_agree_pause;

/* Ask along planned trees. */
extern u32 mk_agree_planned;

/* Process context. */
int mk_agree_init(void);
void mk_agree_start(void);
void mk_agree_stop(void);
void mk_agree_exit(void);
void mk_agree_files(struct dentry *root);
void mk_agree_online(int cpu);
int mk_agree_offline(int cpu);
u64 mk_agree_bytes(void);
u64 mk_agree_size(unsigned int cpus);
int mk_agree_check(u32 *faults);

/* txn.c, agree.c: a transaction. Process context: */
struct mk_txn *mk_txn_alloc(gfp_t gfp);
void mk_txn_put(struct mk_txn *txn);
int mk_txn_hand(struct mk_txn *txn, int cpu);
void mk_txn_nudge(struct mk_txn *txn, int cpu);
/* The port's thread: */
void mk_txn_begin(struct mk_port *port, struct mk_txn *txn);
void mk_txn_reset(struct mk_txn *txn);
void mk_txn_vote(struct mk_port *port, int cpu, u64 id,
		 enum mk_verdict verdict);
void mk_txn_told(struct mk_port *port, int cpu, u64 id);
void mk_txn_copy(struct mk_port *port, int cpu, const struct mk_message *msg);
void mk_txn_passed(struct mk_port *port, int cpu, u64 id,
		   enum mk_pass_phase phase, enum mk_verdict verdict);

/* voter.c: the other side. The port's thread: */
struct mk_agree *mk_agree(int cpu);
void mk_agree_decide(struct mk_port *port, u64 id, bool commit);
enum mk_verdict mk_agree_vote(struct mk_port *port, u64 id, u64 view,
			      const struct mk_change *change, int asker);
void mk_agree_told(struct mk_port *port, u64 id, bool commit);
void mk_answer(struct mk_port *port, int cpu, enum mk_type type,
	       const u64 *word);
void mk_agree_closed(struct mk_port *port);
/* Process context: */
void mk_agree_excluded(int cpu);
int mk_voters_init(void);
void mk_voters_exit(void);

/* pass.c. Process context: */
struct mk_pass_tree *mk_pass_tree_make(int root, const struct cpumask *members);
void mk_pass_tree_free(struct mk_pass_tree *tree);
void mk_pass_init(void);
/* The port's thread: */
void mk_pass_forget(struct mk_agree *agree, u64 id);
void mk_pass_closed(struct mk_agree *agree);

/* table.c. Process context: */
int mk_txn_wait(struct mk_txn *txn, bool may_end);
void mk_agree_rejoin(void);

/* What processes count. */
struct mk_agree_events {
#define MK_AGREE_EVENT(name)	atomic64_t name;
	MK_AGREE_EVENTS(MK_AGREE_EVENT)
#undef MK_AGREE_EVENT
};

extern struct mk_agree_events mk_agree_events;

#endif /* MK_AGREE_H */
