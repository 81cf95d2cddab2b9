// SPDX-License-Identifier: GPL-2.0
/*
 * Plans: the search.
 *
 * It begins with the best of the strategies, and of pairs of them, and then
 * changes one tree at a time: a member, with all that is below it, moves to
 * another parent or to another place among its siblings, or two members change
 * places. Only what is on the longest way can shorten it, so the member is
 * mostly one that something on that way has to wait for. A change that makes
 * the score worse is kept if it does so by less than a limit that sinks to
 * nothing as the work goes on (threshold accepting), and the best pair of trees
 * is remembered. Where both are to be one tree, what changes the one changes the
 * other.
 *
 * Only the times that a change has touched are computed again, with the same
 * two functions that score whole trees. Work is counted in members visited, not
 * in time, so that equal input gives an equal plan.
 */
#include "urpc/plan_priv.h"

/*
 * Steps for a search: some 10 ns each. What up to 256 members get, and what there
 * is at most: beyond 256 it grows with the cube of their number.
 */
#define STEPS		2500000
#define STEPS_MOST	250000000

/*
 * A change may be worse by four times the best score, shifted right by this. Up to
 * 64 members there is time for larger limits before. Up to 16 there is for all of
 * them, the largest of which forget what was there, and for that again and again:
 * no other tree than the best is then far away (plan_least.c among the tests).
 */
#define LIMIT_SHIFT	7
#define FEW		64
#define FEW_SHIFT	3
#define VERY_FEW	16
#define ROUNDS		8

/* Any number but 0. */
#define SEED		0x9e3779b97f4a7c15ULL

enum {
	KNOWN,
	TOLD,		/* is in the queue of the gather */
	CHANGED,	/* likewise, and has to be computed again */
};

struct search {
	struct mk_planner *p;
	u64 random;
	u64 score, best;
	unsigned int nr_critical;	/* entries of p->critical */
	unsigned int nr_gather;		/* those of the gather, which come first */
	unsigned int nr_told;
};

static unsigned int draw(struct search *s, unsigned int below)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (u32)(s->random >> 32) * (u64)below >> 32;
}

/* --- times after a change ---------------------------------------------------------- */

static void take_back(struct mk_planner *p)
{
	struct mk_plan_before *before;

	while (p->nr_before) {
		before = &p->before[--p->nr_before];
		p->start[before->member] = before->start;
		p->ready[before->member] = before->ready;
		p->sent[before->member] = before->sent;
		p->late[before->member] = before->late;
	}
}

/* @v, and with it all on its way to the root, is to be collected again. */
static void tell(struct search *s, u16 v)
{
	struct mk_planner *p = s->p;
	u16 at = v;

	while (p->state[at] == KNOWN) {
		p->state[at] = TOLD;
		p->order[s->nr_told++] = at;
		if (!at)
			break;
		at = p->gather.parent[at];
		p->waits[at]++;
	}
	p->state[v] = CHANGED;
}

/* Nobody is to be collected again. */
static void forget(struct search *s)
{
	struct mk_planner *p = s->p;

	while (s->nr_told) {
		p->state[p->order[--s->nr_told]] = KNOWN;
		p->waits[p->order[s->nr_told]] = 0;
	}
}

/* Collects again what was told, each after its children. */
static void recollect(struct search *s)
{
	struct mk_planner *p = s->p;
	u16 *todo = p->order + p->nr, v, parent;
	unsigned int i, nr = 0;
	bool changed;
	u64 old;

	for (i = 0; i < s->nr_told; i++)
		if (!p->waits[p->order[i]])
			todo[nr++] = p->order[i];
	s->nr_told = 0;
	while (nr) {
		v = todo[--nr];
		changed = false;
		if (p->state[v] == CHANGED) {
			mk_plan_remember(p, v);
			old = p->sent[v];
			mk_plan_collect(p, v);
			changed = p->sent[v] != old;
		}
		p->state[v] = KNOWN;
		p->steps++;
		if (!v)
			break;
		parent = p->gather.parent[v];
		if (changed)
			p->state[parent] = CHANGED;
		if (!--p->waits[parent])
			todo[nr++] = parent;
	}
}

/*
 * The children of the members in the queue are sent to again, and so on down.
 * False if that alone is above @limit; then some times are not computed.
 */
static bool forward_again(struct search *s, unsigned int nr, u64 limit)
{
	struct mk_planner *p = s->p;
	unsigned int done;
	u64 ready;
	u16 u;

	for (done = 0; done < nr; done++) {
		u = p->queue[done];
		mk_plan_remember(p, u);
		ready = p->ready[u];
		nr += mk_plan_forward(p, u, p->queue + nr);
		if (p->ready[u] > limit)
			return false;
		if (p->ready[u] != ready && mk_plan_gathers(p))
			tell(s, u);
	}
	return true;
}

/* --- changes ------------------------------------------------------------------------ */

/**
 * struct change - a change of one tree
 * @tree: which
 * @member: who moves, with all that is below
 * @parent: to whom
 * @after: which child of @parent goes before it, or NIL
 * @old_parent: to take it back
 * @old_after: likewise
 * @other: NIL, or with whom @member changes places, each leaving behind what
 *	is below; then the rest is of no meaning
 */
struct change {
	struct mk_plan_links *tree;
	u16 member;
	u16 parent, after;
	u16 old_parent, old_after;
	u16 other;
};

/* Notes what the longest way goes through. */
static void trace(struct search *s)
{
	struct mk_planner *p = s->p;
	u16 v = 0, child;
	unsigned int nr = 0, i;

	s->nr_gather = 0;
	if (mk_plan_gathers(p)) {
		for (;;) {
			child = p->late[v];
			if (child == MK_PLAN_NIL)
				child = p->gather.first[v];
			for (; child != MK_PLAN_NIL; child = p->gather.next[child])
				p->critical[nr++] = child;
			if (p->late[v] == MK_PLAN_NIL)
				break;
			v = p->late[v];
		}
		s->nr_gather = nr;
	} else {
		for (i = 1; i < p->nr; i++)
			if (p->start[i] > p->start[v])
				v = i;
	}
	if (mk_plan_broadcasts(p)) {
		if (mk_plan_gathers(p))
			for (child = p->broadcast.first[v]; child != MK_PLAN_NIL;
			     child = p->broadcast.next[child])
				p->critical[nr++] = child;
		for (; v; v = p->broadcast.parent[v])
			for (child = v; child != MK_PLAN_NIL;
			     child = p->broadcast.prev[child])
				p->critical[nr++] = child;
	}
	s->nr_critical = nr;
	p->steps += nr;
}

static bool below(struct mk_planner *p, const struct mk_plan_links *tree, u16 member, u16 top)
{
	for (; member != MK_PLAN_NIL; member = tree->parent[member], p->steps++)
		if (member == top)
			return true;
	return false;
}

/* Some member that may become the parent of @member; NIL if none was found. */
static u16 draw_parent(struct search *s, const struct mk_plan_links *tree, u16 member)
{
	struct mk_planner *p = s->p;
	u16 u, best = MK_PLAN_NIL, node = p->node[member];
	unsigned int tries = draw(s, 4) ? 1 : 4, from = 0, nr = p->nr;
	bool gather = tree == &p->gather;
	u64 at, least = 0;

	if (draw(s, 2)) {
		from = p->peers[node];
		nr = p->peers[node + 1] - from;
	}
	for (; tries; tries--) {
		u = p->peer[from + draw(s, nr)];
		if (below(p, tree, u, member))
			continue;
		if (gather) {
			at = p->sent[member] + mk_plan_send(p, member, u, 0) -
			     mk_plan_send(p, member, tree->parent[member], 0);
			if (p->ready[u] > at)
				at = p->ready[u];
			if (u && p->sent[u] > at)
				at = p->sent[u];
			at += mk_plan_receive(p, member, u);
		} else {
			at = p->ready[u] + mk_plan_send(p, u, member, 0) +
			     mk_plan_receive(p, u, member);
		}
		if (best == MK_PLAN_NIL || at < least) {
			best = u;
			least = at;
		}
	}
	return best;
}

/* Someone of the same node, or anyone, to change places with. */
static bool draw_other(struct search *s, struct change *change)
{
	struct mk_plan_links *tree = change->tree;
	struct mk_planner *p = s->p;
	u16 member = change->member, other, node = p->node[member];
	unsigned int from = 0, nr = p->nr;

	if (draw(s, 2)) {
		from = p->peers[node];
		nr = p->peers[node + 1] - from;
	}
	other = p->peer[from + draw(s, nr)];
	change->other = other;
	return other && other != member && tree->parent[other] != member &&
	       tree->parent[member] != other;
}

static bool draw_change(struct search *s, struct change *change)
{
	struct mk_planner *p = s->p;
	struct mk_plan_links *tree;
	unsigned int at, skip;
	u16 member, parent, after;

	if (s->nr_critical && draw(s, p->nr <= VERY_FEW ? 8 : 64)) {
		at = draw(s, s->nr_critical);
		tree = at < s->nr_gather ? &p->gather : &p->broadcast;
		member = p->critical[at];
	} else {
		tree = !mk_plan_gathers(p) || (mk_plan_broadcasts(p) && draw(s, 2)) ?
			&p->broadcast : &p->gather;
		member = 1 + draw(s, p->nr - 1);
	}
	if (p->one)
		tree = &p->broadcast;
	change->tree = tree;
	change->member = member;
	change->old_parent = tree->parent[member];
	change->old_after = tree->prev[member];
	change->other = MK_PLAN_NIL;
	if (!draw(s, 4))
		return draw_other(s, change);
	if (tree == &p->broadcast && !draw(s, 4))
		parent = tree->parent[member];
	else
		parent = draw_parent(s, tree, member);
	if (parent == MK_PLAN_NIL)
		return false;
	after = tree->last[parent];
	if (tree == &p->broadcast && (draw(s, 2) || parent == change->old_parent)) {
		/* among the last few */
		for (skip = draw(s, 32); skip && after != MK_PLAN_NIL; skip--)
			after = tree->prev[after];
	}
	if (after == member)
		after = tree->prev[member];
	change->parent = parent;
	change->after = after;
	return parent != change->old_parent ||
	       (tree == &p->broadcast && after != change->old_after);
}

static void change_children(struct mk_plan_links *tree, u16 v)
{
	u16 child;

	for (child = tree->first[v]; child != MK_PLAN_NIL; child = tree->next[child])
		tree->parent[child] = v;
}

/* Two members, neither the parent of the other, change places; again: back. */
static void change_places(struct mk_plan_links *tree, u16 u, u16 v)
{
	u16 u_parent = tree->parent[u], u_after = tree->prev[u];
	u16 v_parent = tree->parent[v], v_after = tree->prev[v];
	u16 first = tree->first[u], last = tree->last[u];

	mk_plan_detach(tree, u);
	mk_plan_detach(tree, v);
	if (v_after == u) {
		mk_plan_attach(tree, v, u_parent, u_after);
		mk_plan_attach(tree, u, v_parent, v);
	} else if (u_after == v) {
		mk_plan_attach(tree, u, v_parent, v_after);
		mk_plan_attach(tree, v, u_parent, u);
	} else {
		mk_plan_attach(tree, u, v_parent, v_after);
		mk_plan_attach(tree, v, u_parent, u_after);
	}
	tree->first[u] = tree->first[v];
	tree->last[u] = tree->last[v];
	tree->first[v] = first;
	tree->last[v] = last;
	change_children(tree, u);
	change_children(tree, v);
}

static void change_tree(struct mk_plan_links *tree, const struct change *change, u16 after)
{
	if (change->other != MK_PLAN_NIL) {
		change_places(tree, change->member, change->other);
		return;
	}
	mk_plan_attach(tree, change->member, change->parent, after);
}

/* In the gather tree, if it follows, any place among siblings will do. */
static void make_change(struct mk_planner *p, const struct change *change)
{
	bool moves = change->other == MK_PLAN_NIL;

	if (moves)
		mk_plan_detach(change->tree, change->member);
	change_tree(change->tree, change, change->after);
	if (!p->one)
		return;
	if (moves)
		mk_plan_detach(&p->gather, change->member);
	change_tree(&p->gather, change, moves ? p->gather.last[change->parent] : MK_PLAN_NIL);
}

static void undo_change(struct mk_planner *p, const struct change *change)
{
	struct change back = *change;

	back.parent = change->old_parent;
	back.after = change->old_after;
	make_change(p, &back);
}

/* Those whose sends are others now; false as forward_again(). */
static bool forward_change(struct search *s, const struct change *change, u64 limit)
{
	struct mk_planner *p = s->p;
	unsigned int nr = 0;

	p->queue[nr++] = p->broadcast.parent[change->member];
	if (change->other != MK_PLAN_NIL) {
		p->queue[nr++] = p->broadcast.parent[change->other];
		p->queue[nr++] = change->member;
		p->queue[nr++] = change->other;
	} else if (change->parent != change->old_parent) {
		p->queue[nr++] = change->old_parent;
	}
	return forward_again(s, nr, limit);
}

static void tell_family(struct search *s, u16 v)
{
	const struct mk_plan_links *tree = &s->p->gather;
	u16 child;

	for (child = tree->first[v]; child != MK_PLAN_NIL; child = tree->next[child])
		tell(s, child);
	tell(s, v);
	tell(s, tree->parent[v]);
}

static void tell_change(struct search *s, const struct change *change)
{
	if (change->other != MK_PLAN_NIL) {
		tell_family(s, change->member);
		tell_family(s, change->other);
		return;
	}
	tell(s, change->member);
	tell(s, change->parent);
	tell(s, change->old_parent);
}

/* Makes @change, if the score it leads to is no more than @limit. */
static bool try_change(struct search *s, const struct change *change, u64 limit)
{
	struct mk_planner *p = s->p;
	bool good = true;
	u64 score;

	make_change(p, change);
	p->nr_before = 0;
	if (change->tree == &p->broadcast)
		good = forward_change(s, change, limit);
	if (good && (change->tree == &p->gather || p->one))
		tell_change(s, change);
	if (good) {
		recollect(s);
		score = mk_plan_total(p);
		if (score <= limit) {
			s->score = score;
			return true;
		}
	}
	forget(s);
	undo_change(p, change);
	take_back(p);
	return false;
}

/* --- the search ----------------------------------------------------------------------- */

static void keep_best(struct search *s, u64 score)
{
	struct mk_planner *p = s->p;

	if (score >= s->best)
		return;
	s->best = score;
	if (mk_plan_broadcasts(p))
		mk_plan_copy(p, &p->best_broadcast, &p->broadcast);
	if (mk_plan_gathers(p))
		mk_plan_copy(p, &p->best_gather, &p->gather);
}

static void take_best(struct search *s)
{
	struct mk_planner *p = s->p;

	if (mk_plan_broadcasts(p))
		mk_plan_copy(p, &p->broadcast, &p->best_broadcast);
	if (mk_plan_gathers(p))
		mk_plan_copy(p, &p->gather, &p->best_gather);
}

/* The best of what can be had without a search. */
static void begin(struct search *s)
{
	struct mk_planner *p = s->p;
	unsigned int i;

	for (i = 0; i < MK_PLAN_STRATEGIES; i++) {
		keep_best(s, mk_plan_strategy(p, i));
		if (!mk_plan_gathers(p) || p->one)
			continue;
		mk_plan_clear(p, &p->gather);
		mk_plan_adapt(p, &p->gather, true);
		keep_best(s, mk_plan_evaluate(p));
	}
	if (p->one)
		return;
	mk_plan_clear(p, &p->broadcast);
	mk_plan_span(p, &p->broadcast, false);
	mk_plan_clear(p, &p->gather);
	mk_plan_span(p, &p->gather, true);
	keep_best(s, mk_plan_evaluate(p));
}

static u64 steps_for(u64 nr)
{
	u64 steps = STEPS;

	if (nr > 256)
		steps = steps * nr * nr * nr >> 24;
	return steps < STEPS_MOST ? steps : STEPS_MOST;
}

/* Changes the best trees for as long as @steps last, with limits from @shift on. */
static void improve(struct search *s, u64 steps, unsigned int shift)
{
	struct mk_planner *p = s->p;
	struct change change;
	unsigned int tries = 0;
	u64 left, limit;

	take_best(s);
	memset(p->waits, 0, p->nr * sizeof(*p->waits));
	memset(p->state, 0, p->nr * sizeof(*p->state));
	s->score = mk_plan_evaluate(p);
	trace(s);
	for (p->steps = 0; p->steps < steps; p->steps++) {
		if (!(++tries & 1023))
			cond_resched();
		left = ((steps - p->steps) << 10) / steps;
		limit = (s->best << 2 >> shift) * left >> 10;
		limit = s->score + draw(s, limit < ~0U ? limit : ~0U);
		if (draw_change(s, &change) && try_change(s, &change, limit)) {
			trace(s);
			keep_best(s, s->score);
		}
	}
	take_best(s);
}

/* One part of a search, for @op; false if no trees will do. */
static bool search(struct search *s, enum mk_plan_op op, u64 steps)
{
	unsigned int shift, round;

	s->p->op = op;
	begin(s);
	if (s->best >= MK_PLAN_BROKEN)
		return false;
	take_best(s);
	if (s->p->nr < 3)
		return true;
	if (s->p->nr <= VERY_FEW) {
		steps /= ROUNDS * (LIMIT_SHIFT + 1);
		for (round = 0; round < ROUNDS; round++)
			for (shift = 0; shift <= LIMIT_SHIFT; shift++)
				improve(s, steps, shift);
		return true;
	}
	if (s->p->nr <= FEW) {
		for (shift = FEW_SHIFT; shift < LIMIT_SHIFT; shift++)
			improve(s, steps / 8, shift);
		steps /= 2;
	}
	improve(s, steps, LIMIT_SHIFT);
	return true;
}

/**
 * mk_plan_search() - find good trees
 * @p: planner; both trees are replaced
 *
 * For a broadcast and a gather each is searched for alone first, which is
 * quicker; the two together take no longer than one after the other. If they
 * are one tree there is nothing to search for alone.
 *
 * Return: whether there are any that use no missing link.
 */
bool mk_plan_search(struct mk_planner *p)
{
	struct search s = { .p = p, .random = SEED, .best = ~0ULL };
	enum mk_plan_op op = p->op;
	u64 steps = steps_for(p->nr) >> p->task->hurry;

	if (mk_plan_broadcasts(p) && mk_plan_gathers(p) && !p->one) {
		steps /= 4;
		if (!search(&s, MK_PLAN_BROADCAST, steps))
			return false;
		s.best = ~0ULL;
		if (!search(&s, MK_PLAN_GATHER, steps))
			return false;
		p->op = op;
		mk_plan_copy(p, &p->broadcast, &p->best_broadcast);
		s.best = mk_plan_evaluate(p);
		steps *= 2;
	}
	return search(&s, op, steps);
}
