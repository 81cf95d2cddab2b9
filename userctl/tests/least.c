// SPDX-License-Identifier: GPL-2.0
/*
 * The least that trees can cost.
 *
 * All broadcast trees with all their orders of sending are walked, send by send.
 * What counts of one for the gather is when each member is done with its sends;
 * the best gather tree for these times is found over sets of members. The time a
 * core is done receiving never falls when something it receives comes later, so
 *
 *	- a way that cannot end below the best is left at once: for those that
 *	  still have to be sent to there are times they cannot be earlier than, and
 *	  for these, too, there is a best gather tree;
 *	- times that are nowhere earlier than others that were tried cannot be
 *	  better than those;
 *	- with its first acknowledgments received as early as can be, a core can
 *	  do no better with the last one.
 */
#include <stdlib.h>
#include <string.h>

#include "least.h"

#define SETS		(1 << (LEAST_MEMBERS - 1))
#define TRIED		8192

static u64 later(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u64 send_cost(const struct mk_plan_task *task, unsigned int u, unsigned int v,
		     unsigned int k)
{
	const struct mk_plan_machine *machine = task->machine;
	u64 cost = machine->send[task->member[u] * machine->cores + task->member[v]];

	if (!machine->burst)
		return cost;
	return (cost * machine->burst[k < MK_PLAN_BURST ? k : MK_PLAN_BURST - 1] + 512) / 1024;
}

static u64 receive_cost(const struct mk_plan_task *task, unsigned int u, unsigned int v)
{
	const struct mk_plan_machine *machine = task->machine;

	return machine->receive[task->member[u] * machine->cores + task->member[v]];
}

/* --- the model, event by event --------------------------------------------------------- */

enum kind {
	MESSAGE,		/* of the broadcast, at @core, which waits for it */
	FREE,			/* @core has ended what it did and goes on */
	ACK,			/* of @from, at @core */
};

struct event {
	u64 at;
	enum kind kind;
	unsigned int core, from;
};

struct core {
	bool idle;
	unsigned int sent;	/* to how many children */
	unsigned int missing;	/* acknowledgments not yet received */
	unsigned int waiting;	/* of them, there already */
	struct event inbox[LEAST_MEMBERS];
};

struct world {
	const struct mk_plan_task *task;
	const struct least_trees *trees;
	enum least_fault fault;
	struct core core[LEAST_MEMBERS];
	struct event event[4 * LEAST_MEMBERS];
	unsigned int nr_events;
	u64 reached, end;
};

static void post(struct world *w, u64 at, enum kind kind, unsigned int core, unsigned int from)
{
	w->event[w->nr_events++] = (struct event){ at, kind, core, from };
}

static struct event first_of(struct event *event, unsigned int *nr)
{
	unsigned int i, first = 0;
	struct event found;

	for (i = 1; i < *nr; i++)
		if (event[i].at < event[first].at ||
		    (event[i].at == event[first].at && event[i].from < event[first].from))
			first = i;
	found = event[first];
	event[first] = event[--*nr];
	return found;
}

/* @v is free at @now: it sends, or else receives, or else acknowledges, or is idle. */
static void go_on(struct world *w, u64 now, unsigned int v)
{
	const struct mk_plan_task *task = w->task;
	struct core *core = &w->core[v];
	unsigned int child, parent;
	struct event ack;

	core->idle = false;
	if (core->sent < w->trees->nr_children[v] && task->op != MK_PLAN_GATHER) {
		child = w->trees->child[v][core->sent];
		now += send_cost(task, v, child, core->sent++);
		post(w, now, MESSAGE, child, v);
		post(w, now, FREE, v, v);
	} else if (task->op == MK_PLAN_BROADCAST) {
		return;
	} else if (core->waiting) {
		ack = first_of(core->inbox, &core->waiting);
		core->missing--;
		if (w->fault != LEAST_FREE_RECEIVE)
			now += receive_cost(task, ack.from, v);
		post(w, now, FREE, v, v);
	} else if (core->missing) {
		core->idle = true;
	} else if (v) {
		parent = w->trees->gather[v];
		post(w, now + send_cost(task, v, parent, 0), ACK, parent, v);
	} else {
		w->end = now;
	}
}

u64 least_score(const struct mk_plan_task *task, const struct least_trees *trees,
		enum least_fault fault)
{
	struct world w = { .task = task, .trees = trees, .fault = fault };
	struct event event;
	struct core *core;
	unsigned int v;

	for (v = 1; v < task->nr && task->op != MK_PLAN_BROADCAST; v++)
		w.core[trees->gather[v]].missing++;
	for (v = 0; v < task->nr && (!v || task->op == MK_PLAN_GATHER); v++)
		post(&w, 0, FREE, v, v);
	while (w.nr_events) {
		event = first_of(w.event, &w.nr_events);
		core = &w.core[event.core];
		switch (event.kind) {
		case MESSAGE:
			event.at += receive_cost(task, event.from, event.core);
			w.reached = later(w.reached, event.at);
			if (fault == LEAST_NO_WAIT && !core->missing) {
				v = trees->gather[event.core];
				post(&w, event.at + send_cost(task, event.core, v, 0), ACK, v,
				     event.core);
				core->missing = ~0U;	/* never again */
			}
			post(&w, event.at, FREE, event.core, event.core);
			break;
		case FREE:
			go_on(&w, event.at, event.core);
			break;
		case ACK:
			core->inbox[core->waiting++] = event;
			if (core->idle)
				go_on(&w, event.at, event.core);
			break;
		}
	}
	return task->op == MK_PLAN_BROADCAST ? w.reached : w.end;
}

/* --- the best gather tree for given times ------------------------------------------------- */

/**
 * struct hunt - one search
 * @task: for what
 * @fault: what to do wrong
 * @nr: number of members
 * @send: what a send costs, by the number of those before it
 * @receive: what a receive costs
 * @ways: the shortest ways from one member to another
 * @order: members that have been sent to, the root first
 * @nr_order: number of them
 * @now: until when each of these is busy with what it has sent so far
 * @trees: the trees at hand
 * @found: the best so far
 * @best: their score
 * @in: in[v][set]: when v, done with its own sends, can have received what @set has
 *	below it
 * @tried: times of members that have been tried
 * @nr_tried: number of them
 */
struct hunt {
	const struct mk_plan_task *task;
	enum least_fault fault;
	unsigned int nr;
	u64 send[LEAST_MEMBERS][LEAST_MEMBERS][LEAST_MEMBERS];
	u64 receive[LEAST_MEMBERS][LEAST_MEMBERS];
	u64 ways[LEAST_MEMBERS][LEAST_MEMBERS];
	unsigned int order[LEAST_MEMBERS], nr_order;
	u64 now[LEAST_MEMBERS];
	struct least_trees trees, found;
	u64 best;
	u64 in[LEAST_MEMBERS][SETS];
	u64 tried[TRIED][LEAST_MEMBERS];
	unsigned int nr_tried;
};

static unsigned int bit(unsigned int member)
{
	return 1U << (member - 1);
}

/* When @v has received from @set, of which @part comes last, over @child. */
static u64 last_part(const struct hunt *h, unsigned int v, unsigned int set, unsigned int part,
		     unsigned int child)
{
	u64 sent = h->in[child][part & ~bit(child)] + h->send[0][child][v];

	return later(h->in[v][set & ~part], sent) + h->receive[child][v];
}

/* The cycle at which the root can have all acknowledgments. */
static u64 gather_least(struct hunt *h)
{
	unsigned int all = (1U << (h->nr - 1)) - 1, set, part, v, child;
	u64 at, least;

	for (set = 0; set <= all; set++) {
		for (v = 0; v < h->nr; v++) {
			if (v && set & bit(v))
				continue;
			least = set ? LEAST_NONE : h->now[v];
			for (part = set; part; part = (part - 1) & set) {
				for (child = 1; child < h->nr; child++) {
					if (!(part & bit(child)))
						continue;
					at = last_part(h, v, set, part, child);
					if (at < least)
						least = at;
				}
			}
			h->in[v][set] = least;
		}
	}
	return h->in[0][all];
}

/* The tree that gather_least() found, below @v. */
static void gather_tree(struct hunt *h, unsigned int v, unsigned int set)
{
	unsigned int part, child;

	while (set) {
		for (part = set; part; part = (part - 1) & set) {
			for (child = 1; child < h->nr; child++)
				if (part & bit(child) &&
				    last_part(h, v, set, part, child) == h->in[v][set])
					break;
			if (child < h->nr)
				break;
		}
		h->found.gather[child] = v;
		gather_tree(h, child, part & ~bit(child));
		set &= ~part;
	}
}

/* --- all broadcast trees -------------------------------------------------------------------- */

/* Has something been tried that is nowhere later than what is at hand? */
static bool tried_before(struct hunt *h)
{
	unsigned int i, v;

	for (i = 0; i < h->nr_tried && i < TRIED; i++) {
		for (v = 0; v < h->nr && h->tried[i][v] <= h->now[v]; v++)
			;
		if (v == h->nr)
			return true;
	}
	return false;
}

static void end_broadcast(struct hunt *h, u64 reached)
{
	unsigned int v, k;
	u64 score;

	if (h->task->op == MK_PLAN_BROADCAST) {
		score = reached;
	} else if (h->task->one_tree) {
		for (v = 0; v < h->nr; v++)
			for (k = 0; k < h->trees.nr_children[v]; k++)
				h->trees.gather[h->trees.child[v][k]] = v;
		score = least_score(h->task, &h->trees, LEAST_RIGHT);
	} else {
		if (tried_before(h))
			return;
		memcpy(h->tried[h->nr_tried++ % TRIED], h->now, sizeof(h->now));
		score = gather_least(h);
	}
	if (score >= h->best)
		return;
	h->best = score;
	h->found = h->trees;
	if (h->task->op != MK_PLAN_BROADCAST && !h->task->one_tree)
		gather_tree(h, 0, (1U << (h->nr - 1)) - 1);
}

/* The least that can be had if @v is free at @at. */
static u64 at_least(const struct hunt *h, unsigned int v, u64 at)
{
	if (h->task->op == MK_PLAN_BROADCAST)
		return at;
	return at + h->ways[v][0] + (h->fault == LEAST_HASTY_BOUND ? h->ways[0][v] : 0);
}

/*
 * Can what is at hand not end below the best? At the earliest, those that have not
 * been sent to yet have the message over the shortest way from the members of
 * @order that may still send, from @from on, and have nothing to send themselves.
 */
static bool hopeless(struct hunt *h, unsigned int from, unsigned int placed)
{
	unsigned int v, i, u;
	u64 at, least;

	for (v = 1; v < h->nr; v++) {
		if (placed & bit(v))
			continue;
		least = LEAST_NONE;
		for (i = from; i < h->nr_order; i++) {
			u = h->order[i];
			at = h->now[u] + h->ways[u][v];
			if (at < least)
				least = at;
		}
		if (least == LEAST_NONE || at_least(h, v, least) >= h->best)
			return true;
		h->now[v] = least;
	}
	return h->task->op != MK_PLAN_BROADCAST && gather_least(h) >= h->best;
}

/*
 * Members are given children one after the other, in the order in which they have
 * become members of the tree, so that each tree is met once.
 */
static void give_children(struct hunt *h, unsigned int i, unsigned int placed, u64 reached)
{
	unsigned int u, v, k;
	u64 was, at;

	if (h->nr_order == h->nr) {
		end_broadcast(h, reached);
		return;
	}
	if (hopeless(h, i, placed))
		return;
	u = h->order[i];
	k = h->trees.nr_children[u];
	was = h->now[u];
	for (v = 1; v < h->nr; v++) {
		if (placed & bit(v))
			continue;
		h->now[u] = was + h->send[k][u][v];
		at = h->now[u] + h->receive[u][v];
		if (at_least(h, u, h->now[u]) >= h->best || at_least(h, v, at) >= h->best)
			continue;
		h->trees.child[u][k] = v;
		h->trees.nr_children[u] = k + 1;
		h->trees.nr_children[v] = 0;
		h->now[v] = at;
		h->order[h->nr_order++] = v;
		give_children(h, i, placed | bit(v), later(reached, at));
		h->nr_order--;
	}
	h->trees.nr_children[u] = k;
	h->now[u] = was;
	give_children(h, i + 1, placed, reached);
}

static void find_ways(struct hunt *h)
{
	unsigned int u, v, w, k;
	u64 least, way;

	for (u = 0; u < h->nr; u++) {
		for (v = 0; v < h->nr; v++) {
			if (u == v)
				continue;
			h->receive[u][v] = receive_cost(h->task, u, v);
			least = LEAST_NONE;
			for (k = 0; k < h->nr; k++) {
				h->send[k][u][v] = send_cost(h->task, u, v, k);
				if (h->send[k][u][v] < least)
					least = h->send[k][u][v];
			}
			h->ways[u][v] = least + h->receive[u][v];
		}
	}
	for (w = 0; w < h->nr; w++) {
		for (u = 0; u < h->nr; u++) {
			for (v = 0; v < h->nr; v++) {
				way = h->ways[u][w] + h->ways[w][v];
				if (u != v && way < h->ways[u][v])
					h->ways[u][v] = way;
			}
		}
	}
}

u64 least_search(const struct mk_plan_task *task, u64 limit, enum least_fault fault,
		 struct least_trees *trees)
{
	struct hunt *h = calloc(1, sizeof(*h));
	u64 best;

	if (!h)
		abort();
	h->task = task;
	h->fault = fault;
	h->nr = task->nr;
	h->best = limit;
	h->nr_order = 1;
	find_ways(h);
	if (task->op == MK_PLAN_GATHER)
		end_broadcast(h, 0);
	else
		give_children(h, 0, 0, 0);
	best = h->best;
	if (best < limit)
		*trees = h->found;
	free(h);
	return best;
}

/* --- without a thought ------------------------------------------------------------------------ */

/* Parents of all but the root, counted up as a number; false after the last. */
static bool next_parents(unsigned char *parent, unsigned int nr)
{
	unsigned int v;

	for (v = 1; v < nr; v++) {
		if (++parent[v] < nr)
			return true;
		parent[v] = 0;
	}
	return false;
}

static bool is_tree(const unsigned char *parent, unsigned int nr)
{
	unsigned int v, at, hops;

	for (v = 1; v < nr; v++) {
		for (at = v, hops = 0; at && hops < nr; hops++)
			at = parent[at];
		if (at)
			return false;
	}
	return true;
}

static u64 score_gathers(const struct mk_plan_task *task, struct least_trees *trees, u64 best)
{
	u64 score;

	memset(trees->gather, 0, sizeof(trees->gather));
	do {
		if (!is_tree(trees->gather, task->nr))
			continue;
		score = least_score(task, trees, LEAST_RIGHT);
		if (score < best)
			best = score;
	} while (task->op != MK_PLAN_BROADCAST && next_parents(trees->gather, task->nr));
	return best;
}

/* Every order of the children of @v and of those after it. */
static u64 score_orders(const struct mk_plan_task *task, struct least_trees *trees,
			unsigned int v, unsigned int from, u64 best)
{
	unsigned char *child = trees->child[v], swap;
	unsigned int i;

	if (v == task->nr)
		return score_gathers(task, trees, best);
	if (from >= trees->nr_children[v])
		return score_orders(task, trees, v + 1, 0, best);
	for (i = from; i < trees->nr_children[v]; i++) {
		swap = child[from], child[from] = child[i], child[i] = swap;
		best = score_orders(task, trees, v, from + 1, best);
		swap = child[from], child[from] = child[i], child[i] = swap;
	}
	return best;
}

u64 least_of_all(const struct mk_plan_task *task)
{
	unsigned char parent[LEAST_MEMBERS] = { 0 };
	struct least_trees trees;
	u64 best = LEAST_NONE;
	unsigned int v;

	do {
		if (!is_tree(parent, task->nr))
			continue;
		memset(&trees, 0, sizeof(trees));
		for (v = 1; v < task->nr; v++)
			trees.child[parent[v]][trees.nr_children[parent[v]]++] = v;
		best = score_orders(task, &trees, 0, 0, best);
	} while (task->op != MK_PLAN_GATHER && next_parents(parent, task->nr));
	return best;
}
