/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plans: a tree to broadcast over and a tree to gather over, for given costs.
 *
 * One source for the kernel and for user space. Integers only; nothing is
 * allocated, the caller lends memory; the time is bounded by the number of
 * members alone, and equal input gives equal output. Any context that may use
 * the CPU for that long: in the kernel, a process that may sleep.
 *
 * The model, by which every tree is scored
 *	A message from u to v keeps u busy for send[u][v], then v for
 *	receive[u][v]; it takes no time in between. A core does one thing at a
 *	time.
 *
 *	Broadcast. The root begins at 0. A core that has received the message
 *	sends it to its children in their order, without a pause. The k-th of
 *	these sends costs burst[min(k, 8) - 1] / 1024 of send[u][v], rounded to
 *	the nearest; without burst, all of it.
 *
 *	Gather. When a core's own sends are done it receives the acknowledgments
 *	of its gather children, earliest arrival first; what arrives before that
 *	waits. When it has all of them it acknowledges to its gather parent: a
 *	send that counts as the first of a row. Two that arrive at the same time
 *	are taken in the order of their cores' numbers, which changes no time.
 *
 *	The score is the cycle at which
 *	  broadcast	the last member has received the message
 *	  gather	the root has all acknowledgments, all members ready at 0
 *	  both		the root has all acknowledgments of a broadcast
 *	  2pc		the same twice, prepare and commit, one after the other
 *			and over the same trees: every core is idle in between,
 *			so this is twice the score of both
 */
#ifndef MK_URPC_PLAN_H
#define MK_URPC_PLAN_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stddef.h>
#include "urpc/user.h"
#endif

#define MK_PLAN_CORES		4096		/* of a machine, at most */
#define MK_PLAN_COST		1000000000	/* of a send or a receive, at most */
#define MK_PLAN_NO_LINK		(~0U)		/* the cost where there is no way */
#define MK_PLAN_BURST		8
#define MK_PLAN_HURRY		16

enum mk_plan_op {
	MK_PLAN_BROADCAST,
	MK_PLAN_GATHER,
	MK_PLAN_BOTH,
	MK_PLAN_2PC,
	MK_PLAN_OPS
};

/*
 * What plans are compared with. Each is a broadcast tree; its gather tree is
 * the same one reversed. Children are in the order that scores better: as they
 * come, or the one with the longest way below it first.
 */
enum mk_plan_strategy {
	MK_PLAN_SEQUENTIAL,	/* the root sends to all */
	MK_PLAN_BINARY,		/* members in order fill levels of two children */
	MK_PLAN_FIBONACCI,	/* likewise, over a Fibonacci tree */
	MK_PLAN_MST,		/* minimum spanning tree over send + receive */
	MK_PLAN_CLUSTER,	/* binary over nodes, sequential inside */
	MK_PLAN_ADAPTIVE,	/* Smelt's */
	MK_PLAN_SHUFFLE,	/* the same; whoever is last is re-parented */
	MK_PLAN_STRATEGIES
};

/**
 * struct mk_plan_machine - what is known about a machine
 * @cores: the matrices are @cores by @cores, cores are numbers below it
 * @send: send[u * cores + v], cycles
 * @receive: likewise, of the receiver v
 * @node: node of each core
 * @burst: MK_PLAN_BURST factors in 1/1024, or NULL
 */
struct mk_plan_machine {
	unsigned int cores;
	const u32 *send;
	const u32 *receive;
	const u16 *node;
	const u16 *burst;
};

/**
 * struct mk_plan_task - what to plan
 * @machine: where
 * @op: what for
 * @nr: number of members
 * @member: their cores, each once; the first is the root
 * @one_tree: acknowledgments go back over the broadcast tree, as they do in a route
 *	(route.h): mk_plan_make() gives a gather tree that is the same one
 * @hurry: halve the work of mk_plan_make() so many times, at most MK_PLAN_HURRY
 */
struct mk_plan_task {
	const struct mk_plan_machine *machine;
	enum mk_plan_op op;
	unsigned int nr;
	const u16 *member;
	bool one_tree;
	unsigned int hurry;
};

/**
 * struct mk_plan_hop - one member in a tree
 * @core: the member
 * @parent: index of its parent among the hops, below its own; 0 for the root
 */
struct mk_plan_hop {
	u16 core;
	u16 parent;
};

/**
 * struct mk_plan - trees and their score
 * @broadcast: the root first, the children of each in the order of sending
 * @gather: the root first
 * @received: for each hop of @broadcast, when it has the message; or NULL
 * @acked: for each hop of @gather, when its acknowledgment is sent (the root:
 *	when it has all of them); or NULL
 * @cycles: the score
 *
 * The arrays are the caller's, one entry a member. A tree that the operation
 * does not use may be NULL.
 */
struct mk_plan {
	struct mk_plan_hop *broadcast;
	struct mk_plan_hop *gather;
	u64 *received;
	u64 *acked;
	u64 cycles;
};

const char *mk_plan_op_name(enum mk_plan_op op);
const char *mk_plan_strategy_name(enum mk_plan_strategy strategy);

/**
 * mk_plan_bytes() - the memory to lend for a task
 * @nr: number of members
 *
 * It is to be aligned as a u64 is; what is in it does not matter.
 */
size_t mk_plan_bytes(unsigned int nr);

/**
 * mk_plan_score() - score the trees of a plan
 * @task: for what
 * @memory: of mk_plan_bytes()
 * @plan: trees, however they were made; fills the rest
 *
 * Return: 0; -EINVAL for a task or a tree that is none, -ERANGE for a cost
 * above MK_PLAN_COST, -ENETUNREACH if a tree uses a pair without a link.
 */
int mk_plan_score(const struct mk_plan_task *task, void *memory, struct mk_plan *plan);

/**
 * mk_plan_by() - the trees of one strategy, and their score
 * @task: for what
 * @strategy: which
 * @memory: of mk_plan_bytes()
 * @plan: is filled
 *
 * Return: as mk_plan_score().
 */
int mk_plan_by(const struct mk_plan_task *task, enum mk_plan_strategy strategy,
	       void *memory, struct mk_plan *plan);

/**
 * mk_plan_make() - the best trees that were found
 * @task: for what
 * @memory: of mk_plan_bytes()
 * @plan: is filled
 *
 * Never worse than any strategy.
 *
 * Return: 0; -EINVAL, -ERANGE as mk_plan_score(); -ENETUNREACH if no tree
 * reaches all members.
 */
int mk_plan_make(const struct mk_plan_task *task, void *memory, struct mk_plan *plan);

#endif /* MK_URPC_PLAN_H */
