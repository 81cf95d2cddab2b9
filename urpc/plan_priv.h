/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the planner share: trees as linked lists, and the model on
 * them, one core at a time.
 *
 * In here members are numbers below nr, in the order of the task: 0 is the
 * root. Everything lives in the memory lent.
 */
#ifndef MK_URPC_PLAN_PRIV_H
#define MK_URPC_PLAN_PRIV_H

#include "urpc/plan.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>
#else
#define cond_resched()	do { } while (0)
#endif

#define MK_PLAN_NIL	0xffff

#define MK_PLAN_MAX_BURST 4096	/* four times the cost */

/* A score at or above this one uses a pair without a link. */
#define MK_PLAN_BROKEN	0x1000000000000ULL

struct mk_plan_pair {
	u32 send;
	u32 receive;
};

/* A tree. A member that has no parent yet, as the root, has NIL. */
struct mk_plan_links {
	u16 *parent;
	u16 *first, *last;	/* child */
	u16 *next, *prev;	/* sibling */
};

/* What a change replaced, to take it back. */
struct mk_plan_before {
	u16 member;
	u16 late;
	u64 start, ready, sent;
};

/**
 * struct mk_planner - one task, in members' numbers
 * @task: whose
 * @op: what for, at the moment
 * @one: the gather tree is the broadcast tree
 * @nr: number of members
 * @nodes: number of nodes that have members
 * @steps: work done so far, in visits of a member
 * @cost: cost[u * nr + v]
 * @node: of each member, below @nodes
 * @peer: members, by node
 * @peers: where in @peer each node begins, and where the last one ends
 * @broadcast: the tree that the times are of
 * @gather: likewise; children are kept in the order of arrival
 * @best_broadcast: of the best pair found
 * @best_gather: likewise
 * @start: when a member has received the message
 * @ready: when its own sends are done
 * @sent: when its acknowledgment is sent; of the root, when it has all
 * @late: the last gather child that it had to wait for, or NIL
 * @queue: members whose broadcast children are to be told, in one evaluation
 * @order: members in the order of the gather, leaves last; scratch elsewhere
 * @waits: number of children that are to be collected before a member
 * @state: what is known of a member during one change
 * @critical: hops on the way that takes longest
 * @before: what the change under way replaced
 * @nr_before: number of them
 * @map: a core's member, or NIL
 */
struct mk_planner {
	const struct mk_plan_task *task;
	enum mk_plan_op op;
	bool one;
	unsigned int nr;
	unsigned int nodes;
	u64 steps;
	struct mk_plan_pair *cost;
	u16 *node;
	u16 *peer, *peers;
	struct mk_plan_links broadcast, gather;
	struct mk_plan_links best_broadcast, best_gather;
	u64 *start, *ready, *sent;
	u16 *late;
	u16 *queue;
	u16 *order;
	u16 *waits;
	u16 *state;
	u16 *critical;
	struct mk_plan_before *before;
	unsigned int nr_before;
	u16 *map;
};

static inline bool mk_plan_broadcasts(const struct mk_planner *p)
{
	return p->op != MK_PLAN_GATHER;
}

static inline bool mk_plan_gathers(const struct mk_planner *p)
{
	return p->op != MK_PLAN_BROADCAST;
}

static inline const struct mk_plan_pair *mk_plan_pair(const struct mk_planner *p, u16 from, u16 to)
{
	return &p->cost[(size_t)from * p->nr + to];
}

/* A missing link has a cost too, far above the others, which a search avoids. */
static inline u64 mk_plan_send(const struct mk_planner *p, u16 from, u16 to, unsigned int k)
{
	u32 cost = mk_plan_pair(p, from, to)->send;
	const u16 *burst = p->task->machine->burst;

	if (unlikely(cost == MK_PLAN_NO_LINK))
		return MK_PLAN_BROKEN;
	if (burst)
		return ((u64)cost * burst[k < MK_PLAN_BURST ? k : MK_PLAN_BURST - 1] + 512) >> 10;
	return cost;
}

static inline u64 mk_plan_receive(const struct mk_planner *p, u16 from, u16 to)
{
	return mk_plan_pair(p, from, to)->receive;
}

static inline void mk_plan_remember(struct mk_planner *p, u16 v)
{
	struct mk_plan_before *before = &p->before[p->nr_before++];

	before->member = v;
	before->start = p->start[v];
	before->ready = p->ready[v];
	before->sent = p->sent[v];
	before->late = p->late[v];
}

/* plan.c */
void mk_plan_clear(struct mk_planner *p, struct mk_plan_links *tree);
void mk_plan_copy(struct mk_planner *p, struct mk_plan_links *to,
		  const struct mk_plan_links *from);
void mk_plan_attach(struct mk_plan_links *tree, u16 member, u16 parent, u16 after);
void mk_plan_detach(struct mk_plan_links *tree, u16 member);
unsigned int mk_plan_order(const struct mk_plan_links *tree, u16 *order);
unsigned int mk_plan_forward(struct mk_planner *p, u16 u, u16 *changed);
void mk_plan_collect(struct mk_planner *p, u16 v);
u64 mk_plan_total(struct mk_planner *p);
u64 mk_plan_evaluate(struct mk_planner *p);

/* plan_by.c */
u64 mk_plan_strategy(struct mk_planner *p, enum mk_plan_strategy strategy);
void mk_plan_span(struct mk_planner *p, struct mk_plan_links *tree, bool back);
void mk_plan_adapt(struct mk_planner *p, struct mk_plan_links *tree, bool back);

/* plan_search.c */
bool mk_plan_search(struct mk_planner *p);

#endif /* MK_URPC_PLAN_PRIV_H */
