// SPDX-License-Identifier: GPL-2.0
/*
 * Plans: the strategies of the literature.
 *
 * Two of them are of use for gathering too: with the costs turned round, a
 * broadcast tree from the root is a gather tree to it, run backwards in time.
 */
#include "urpc/plan_priv.h"

/* What a send from @u to @v costs @u, and @v; @back: of one from @v to @u. */
static u64 cost_here(const struct mk_planner *p, u16 u, u16 v, bool back)
{
	if (mk_plan_pair(p, back ? v : u, back ? u : v)->send == MK_PLAN_NO_LINK)
		return MK_PLAN_BROKEN;
	return back ? mk_plan_receive(p, v, u) : mk_plan_send(p, u, v, 0);
}

static u64 cost_there(const struct mk_planner *p, u16 u, u16 v, bool back)
{
	return back ? mk_plan_send(p, v, u, 0) : mk_plan_receive(p, u, v);
}

static void append(struct mk_plan_links *tree, u16 member, u16 parent)
{
	mk_plan_attach(tree, member, parent, tree->last[parent]);
}

/* --- trees that know no costs --------------------------------------------------- */

static void sequential(struct mk_planner *p, struct mk_plan_links *tree)
{
	unsigned int v;

	for (v = 1; v < p->nr; v++)
		append(tree, v, 0);
}

static void binary(struct mk_planner *p, struct mk_plan_links *tree)
{
	unsigned int v;

	for (v = 1; v < p->nr; v++)
		append(tree, v, (v - 1) / 2);
}

/*
 * A Fibonacci tree of order d has one of order d - 1 and one of order d - 2
 * below its root. The smallest that is large enough, cut off level by level.
 */
static void fibonacci(struct mk_planner *p, struct mk_plan_links *tree)
{
	unsigned int size = 1, below = 0, swap, v, next = 1, left;
	u16 *order = p->order;

	for (order[0] = 1; size < p->nr; order[0]++) {
		swap = size;
		size += below + 1;
		below = swap;
	}
	for (v = 0; next < p->nr; v++) {
		for (left = 1; left <= 2 && next < p->nr; left++) {
			if (order[v] <= left)
				break;
			order[next] = order[v] - left;
			append(tree, next++, v);
		}
	}
}

/* The first member of each node hands on to nodes, then inside its own. */
static void cluster(struct mk_planner *p, struct mk_plan_links *tree)
{
	unsigned int v, node = 0;
	u16 *first = p->order;

	for (v = 0; v < p->nr; v++) {
		if (p->node[v] != node)
			continue;
		if (node)
			append(tree, v, first[(node - 1) / 2]);
		first[node++] = v;
	}
	for (v = 0; v < p->nr; v++)
		if (v != first[p->node[v]])
			append(tree, v, first[p->node[v]]);
}

/* --- trees from costs ----------------------------------------------------------- */

/* Those that no link led to; the root's way to them is broken, and so the tree. */
static void append_rest(struct mk_planner *p, struct mk_plan_links *tree)
{
	unsigned int v;

	for (v = 1; v < p->nr; v++)
		if (tree->parent[v] == MK_PLAN_NIL)
			append(tree, v, 0);
}

/**
 * mk_plan_span() - a minimum spanning tree, grown from the root
 * @p: planner
 * @tree: an empty one
 * @back: for gathering
 *
 * If there is a way from the root to every member (@back: from every member to
 * the root), it is one that uses no missing link.
 */
void mk_plan_span(struct mk_planner *p, struct mk_plan_links *tree, bool back)
{
	u64 *least = p->start, price;
	u16 *from = p->state;
	unsigned int i, v;
	u16 u = 0;

	memset(from, 0, p->nr * sizeof(*from));
	for (v = 0; v < p->nr; v++)
		least[v] = MK_PLAN_BROKEN;
	for (i = 1; i < p->nr; i++) {
		for (v = 1; v < p->nr; v++) {
			price = cost_here(p, u, v, back) + cost_there(p, u, v, back);
			if (v != u && tree->parent[v] == MK_PLAN_NIL && price < least[v]) {
				least[v] = price;
				from[v] = u;
			}
		}
		u = 0;
		for (v = 1; v < p->nr; v++)
			if (tree->parent[v] == MK_PLAN_NIL && least[v] < MK_PLAN_BROKEN &&
			    (!u || least[v] < least[u]))
				u = v;
		if (!u)
			break;
		append(tree, u, from[u]);
		cond_resched();
	}
	append_rest(p, tree);
}

/*
 * Smelt's choice for core @u that is idle and has the message: the node it is
 * dearest to send to, of those that nobody has sent to, and there the core that
 * is cheapest; or the dearest core of its own node. NIL if nothing is left.
 */
static u16 adaptive_choice(struct mk_planner *p, const struct mk_plan_links *tree,
			   const u16 *reached, u16 u, bool back)
{
	u16 choice = MK_PLAN_NIL, node;
	u64 price, best = 0;
	unsigned int v;

	for (v = 1; v < p->nr; v++) {
		if (v == u || tree->parent[v] != MK_PLAN_NIL ||
		    (p->node[v] != p->node[u] && reached[p->node[v]]))
			continue;
		price = cost_here(p, u, v, back) + cost_there(p, u, v, back);
		if (price < MK_PLAN_BROKEN && (choice == MK_PLAN_NIL || price > best)) {
			choice = v;
			best = price;
		}
	}
	if (choice == MK_PLAN_NIL || p->node[choice] == p->node[u])
		return choice;
	node = p->node[choice];
	best = cost_here(p, u, choice, back);
	for (v = 1; v < p->nr; v++) {
		price = p->node[v] == node ? cost_here(p, u, v, back) : best;
		if (price < best) {
			choice = v;
			best = price;
		}
	}
	return choice;
}

/**
 * mk_plan_adapt() - Smelt's adaptive tree
 * @p: planner
 * @tree: an empty one
 * @back: for gathering
 */
void mk_plan_adapt(struct mk_planner *p, struct mk_plan_links *tree, bool back)
{
	u16 *idle = p->order, *reached = p->state;
	unsigned int nr = 1, i, at;
	u64 *now = p->start;
	u16 u, v;

	memset(reached, 0, p->nr * sizeof(*reached));
	reached[p->node[0]] = 1;
	now[0] = 0;
	idle[0] = 0;
	while (nr) {
		for (at = 0, i = 1; i < nr; i++)
			if (now[idle[i]] < now[idle[at]])
				at = i;
		u = idle[at];
		v = adaptive_choice(p, tree, reached, u, back);
		if (v == MK_PLAN_NIL) {
			idle[at] = idle[--nr];
			continue;
		}
		append(tree, v, u);
		reached[p->node[v]] = 1;
		now[u] += cost_here(p, u, v, back);
		now[v] = now[u] + cost_there(p, u, v, back);
		idle[nr++] = v;
		cond_resched();
	}
	append_rest(p, tree);
}

/* --- strategies ----------------------------------------------------------------- */

/* Children of each member with the longest way below them first. */
static void longest_first(struct mk_planner *p, struct mk_plan_links *tree)
{
	u64 *length = p->start, *way = p->ready, now;
	unsigned int i, k;
	u16 v, child, next, after;

	mk_plan_order(tree, p->order);
	for (i = p->nr; i > 0; i--) {
		v = p->order[i - 1];
		for (child = tree->first[v]; child != MK_PLAN_NIL; child = next) {
			next = tree->next[child];
			way[child] = mk_plan_receive(p, v, child) + length[child];
			for (after = tree->prev[child];
			     after != MK_PLAN_NIL && way[after] < way[child];
			     after = tree->prev[after])
				;
			if (after == tree->prev[child])
				continue;
			mk_plan_detach(tree, child);
			mk_plan_attach(tree, child, v, after);
		}
		length[v] = 0;
		for (now = 0, k = 0, child = tree->first[v]; child != MK_PLAN_NIL;
		     child = tree->next[child]) {
			now += mk_plan_send(p, v, child, k++);
			if (now + way[child] > length[v])
				length[v] = now + way[child];
		}
	}
}

/* The score of the broadcast tree with itself reversed. */
static u64 evaluate_reversed(struct mk_planner *p)
{
	mk_plan_copy(p, &p->gather, &p->broadcast);
	return mk_plan_evaluate(p);
}

/*
 * While that helps, the member that has the message last becomes the last child
 * of whoever could give it the message first.
 */
static u64 shuffle(struct mk_planner *p, u64 score)
{
	struct mk_plan_links *tree = &p->broadcast;
	u16 v, u, last, parent, after, best;
	u64 at, least, new, stop = p->steps + 16ULL * p->nr * p->nr;

	while (p->nr > 2 && p->steps < stop) {
		memset(p->start, 0, p->nr * sizeof(u64));
		mk_plan_order(tree, p->order);
		for (v = 0; v < p->nr; v++)
			mk_plan_forward(p, p->order[v], NULL);
		for (last = 1, v = 2; v < p->nr; v++)
			if (p->start[v] > p->start[last])
				last = v;
		if (tree->first[last] != MK_PLAN_NIL)
			break;
		parent = tree->parent[last];
		best = parent;
		least = p->start[last];
		for (u = 0; u < p->nr; u++) {
			if (u == last || u == parent)
				continue;
			at = p->ready[u] + mk_plan_send(p, u, last, 0) +
			     mk_plan_receive(p, u, last);
			if (at < least) {
				least = at;
				best = u;
			}
		}
		if (best == parent)
			break;
		after = tree->prev[last];
		mk_plan_detach(tree, last);
		append(tree, last, best);
		new = evaluate_reversed(p);
		if (new >= score) {
			mk_plan_detach(tree, last);
			mk_plan_attach(tree, last, parent, after);
			break;
		}
		score = new;
		cond_resched();
	}
	return evaluate_reversed(p);
}

static void build(struct mk_planner *p, enum mk_plan_strategy strategy)
{
	struct mk_plan_links *tree = &p->broadcast;

	mk_plan_clear(p, tree);
	switch (strategy) {
	case MK_PLAN_SEQUENTIAL:
		sequential(p, tree);
		break;
	case MK_PLAN_BINARY:
		binary(p, tree);
		break;
	case MK_PLAN_FIBONACCI:
		fibonacci(p, tree);
		break;
	case MK_PLAN_MST:
		mk_plan_span(p, tree, false);
		break;
	case MK_PLAN_CLUSTER:
		cluster(p, tree);
		break;
	default:
		mk_plan_adapt(p, tree, false);
		break;
	}
}

/**
 * mk_plan_strategy() - the two trees of a strategy
 * @p: planner; both trees are replaced
 * @strategy: which
 *
 * Return: the score of one round.
 */
u64 mk_plan_strategy(struct mk_planner *p, enum mk_plan_strategy strategy)
{
	u64 score, sorted;

	build(p, strategy);
	score = evaluate_reversed(p);
	if (strategy == MK_PLAN_SHUFFLE)
		return shuffle(p, score);
	if (strategy == MK_PLAN_ADAPTIVE)
		return score;
	longest_first(p, &p->broadcast);
	sorted = evaluate_reversed(p);
	if (sorted <= score)
		return sorted;
	build(p, strategy);
	return evaluate_reversed(p);
}
