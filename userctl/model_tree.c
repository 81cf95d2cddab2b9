// SPDX-License-Identifier: GPL-2.0
/*
 * Rounds over trees: the model of urpc/plan.h without its matrices, so that it
 * takes memory for cores and not for pairs, with what a monitor does besides.
 */
#include <stdlib.h>
#include <string.h>

#include "mkctl.h"
#include "model_tree.h"

/* --- what a message costs ------------------------------------------------------- */

static u64 larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* A line on another node than its receiver's costs what a message to there does. */
static u64 send_cost(const struct model_round *round, unsigned int u, unsigned int v)
{
	u64 cost = blueprint_send(round->blueprint, u, v);

	if (round->home && u)
		cost = larger(cost, blueprint_send(round->blueprint, u, 0));
	return cost;
}

static u64 receive_cost(const struct model_round *round, unsigned int u, unsigned int v)
{
	u64 cost = blueprint_receive(round->blueprint, u, v);

	if (round->home && v)
		cost = larger(cost, blueprint_receive(round->blueprint, 0, v));
	return cost;
}

/* --- a round ---------------------------------------------------------------------- */

/* An acknowledgment on its way. */
struct ack {
	u64 at;
	unsigned int core;
};

static int earlier(const void *x, const void *y)
{
	const struct ack *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->core < b->core ? -1 : a->core > b->core;
}

/* When each core has sent its requests on, and done its work; by core. */
static void go_down(const struct model_tree *tree, const struct model_round *round,
		    u64 *now)
{
	unsigned int i, u, v;

	now[tree->down[0].core] = 0;
	for (i = 1; i < tree->nr; i++) {
		u = tree->down[tree->down[i].parent].core;
		v = tree->down[i].core;
		now[u] += send_cost(round, u, v);
		now[v] = now[u] + receive_cost(round, u, v) +
			 round->blueprint->value[PART_DISPATCH];
	}
	for (i = 0; i < tree->nr; i++)
		now[i] += round->work;
}

/* The acknowledgments to hop @i, whose cores are @acks, in the order they come. */
static void gather(const struct model_tree *tree, const struct model_round *round,
		   unsigned int i, struct ack *acks, unsigned int nr, u64 *now)
{
	unsigned int v = tree->up[i].core, k, parent;

	qsort(acks, nr, sizeof(*acks), earlier);
	for (k = 0; k < nr; k++)
		now[v] = larger(now[v], acks[k].at) + receive_cost(round, acks[k].core, v);
	if (!i)
		return;
	parent = tree->up[tree->up[i].parent].core;
	now[v] += send_cost(round, v, parent);
}

u64 model_tree_round(const struct model_tree *tree, const struct model_round *round)
{
	u64 *now = mkctl_alloc(tree->nr * sizeof(*now)), total;
	unsigned int *first = mkctl_alloc((tree->nr + 1) * sizeof(*first));
	unsigned int *used = mkctl_alloc(tree->nr * sizeof(*used)), i, at;
	struct ack *acks = mkctl_alloc(tree->nr * sizeof(*acks));

	go_down(tree, round, now);
	/* room for the acknowledgments to each hop, one after the other */
	for (i = 1; i < tree->nr; i++)
		first[tree->up[i].parent + 1]++;
	for (i = 0; i < tree->nr; i++)
		first[i + 1] += first[i];
	for (i = tree->nr; i-- > 0;) {
		gather(tree, round, i, acks + first[i], used[i], now);
		if (!i)
			break;
		at = first[tree->up[i].parent] + used[tree->up[i].parent]++;
		acks[at].core = tree->up[i].core;
		acks[at].at = now[tree->up[i].core];
	}
	total = now[tree->up[0].core];
	free(now);
	free(first);
	free(used);
	free(acks);
	return total;
}

u64 model_tree_busiest(const struct model_tree *tree, const struct model_round *round)
{
	u64 *busy = mkctl_alloc(tree->nr * sizeof(*busy)), most = 0;
	unsigned int i, u, v;

	for (i = 1; i < tree->nr; i++) {
		u = tree->down[tree->down[i].parent].core;
		v = tree->down[i].core;
		busy[u] += send_cost(round, u, v);
		busy[v] += receive_cost(round, u, v) + round->work +
			   round->blueprint->value[PART_DISPATCH];
		u = tree->up[tree->up[i].parent].core;
		v = tree->up[i].core;
		busy[v] += send_cost(round, v, u);
		busy[u] += receive_cost(round, v, u);
	}
	for (i = 0; i < tree->nr; i++)
		most = larger(most, busy[i]);
	free(busy);
	return most;
}

/* --- shapes ------------------------------------------------------------------------ */

static void tree_alloc(struct model_tree *tree, unsigned int nr)
{
	tree->nr = nr;
	tree->down = mkctl_alloc(nr * sizeof(*tree->down));
	tree->up = mkctl_alloc(nr * sizeof(*tree->up));
}

void model_tree_free(struct model_tree *tree)
{
	free(tree->down);
	free(tree->up);
}

static void same_way_up(struct model_tree *tree)
{
	memcpy(tree->up, tree->down, tree->nr * sizeof(*tree->up));
}

static void make_flat(struct model_tree *tree, unsigned int nr)
{
	unsigned int i;

	tree_alloc(tree, nr);
	for (i = 0; i < nr; i++)
		tree->down[i].core = i;
	same_way_up(tree);
}

/* A node as it is sent to: how far its first core is, and which that is. */
struct way {
	unsigned int far, core, node;
};

static int nearer(const void *x, const void *y)
{
	const struct way *a = x, *b = y;

	if (a->far != b->far)
		return a->far < b->far ? -1 : 1;
	return a->core < b->core ? -1 : a->core > b->core;
}

static int farther(const void *x, const void *y)
{
	const struct way *a = x, *b = y;

	if (a->far != b->far)
		return a->far > b->far ? -1 : 1;
	return a->core < b->core ? -1 : a->core > b->core;
}

/* shootdown/tree.c: other nodes in order, core 0's own last. */
static void make_by_nodes(struct model_tree *tree, const struct blueprint *b,
			  unsigned int nr, int (*order)(const void *x, const void *y))
{
	struct way *ways = mkctl_alloc(nr * sizeof(*ways));
	char *seen = mkctl_alloc(MK_PLAN_CORES);
	unsigned int nr_ways = 0, i, w, next = 1, node;

	tree_alloc(tree, nr);
	seen[blueprint_node(b, 0)] = 1;
	for (i = 1; i < nr; i++) {
		node = blueprint_node(b, i);
		if (seen[node])
			continue;
		seen[node] = 1;
		ways[nr_ways].far = blueprint_send(b, 0, i) + blueprint_receive(b, 0, i);
		ways[nr_ways].node = node;
		ways[nr_ways++].core = i;
	}
	qsort(ways, nr_ways, sizeof(*ways), order);
	/* first the cores that send on, so that a parent stands before its children */
	for (w = 0; w < nr_ways; w++)
		tree->down[next++].core = ways[w].core;
	for (w = 0; w <= nr_ways; w++) {
		node = w < nr_ways ? ways[w].node : blueprint_node(b, 0);
		for (i = 1; i < nr; i++) {
			if (blueprint_node(b, i) != node ||
			    (w < nr_ways && i == ways[w].core))
				continue;
			tree->down[next].parent = w < nr_ways ? w + 1 : 0;
			tree->down[next++].core = i;
		}
	}
	same_way_up(tree);
	free(ways);
	free(seen);
}

/* --- planned ----------------------------------------------------------------------- */

/* A plan for some cores, and the costs that it was made for. */
struct part_plan {
	unsigned int nr;
	u32 *send, *receive;
	struct mk_plan_hop *down, *up;		/* cores are indices */
};

static void part_free(struct part_plan *part)
{
	free(part->send);
	free(part->receive);
	free(part->down);
	free(part->up);
	memset(part, 0, sizeof(*part));
}

/* Plans for @core; what @part has already is kept if its costs are the same. */
static void plan_part(struct part_plan *part, const struct blueprint *b,
		      const unsigned int *core, unsigned int nr)
{
	size_t bytes = (size_t)nr * nr * sizeof(u32), at;
	struct part_plan new = {
		.nr = nr, .send = mkctl_alloc(bytes), .receive = mkctl_alloc(bytes),
	};
	u16 *node = mkctl_alloc(nr * sizeof(u16)), *member = mkctl_alloc(nr * sizeof(u16));
	struct mk_plan_machine machine = {
		.cores = nr, .send = new.send, .receive = new.receive, .node = node,
	};
	struct mk_plan_task task = {
		.machine = &machine, .op = MK_PLAN_BOTH, .nr = nr, .member = member,
	};
	struct mk_plan plan = { 0 };
	unsigned int i, j;
	void *memory;

	for (i = 0; i < nr; i++) {
		node[i] = blueprint_node(b, core[i]);
		member[i] = i;
		for (j = 0; j < nr; j++) {
			at = (size_t)i * nr + j;
			if (i == j)
				continue;
			new.send[at] = blueprint_send(b, core[i], core[j]);
			new.receive[at] = blueprint_receive(b, core[i], core[j]);
		}
	}
	if (part->nr == nr && !memcmp(part->send, new.send, bytes) &&
	    !memcmp(part->receive, new.receive, bytes)) {
		part_free(&new);
	} else {
		new.down = mkctl_alloc(nr * sizeof(*new.down));
		new.up = mkctl_alloc(nr * sizeof(*new.up));
		plan.broadcast = new.down;
		plan.gather = new.up;
		memory = mkctl_alloc(mk_plan_bytes(nr));
		if (mk_plan_make(&task, memory, &plan)) {
			/* cannot be: all pairs have a cost; but no tree is worse than that */
			for (i = 0; i < nr; i++) {
				new.down[i] = (struct mk_plan_hop){ .core = i };
				new.up[i] = new.down[i];
			}
		}
		free(memory);
		part_free(part);
		*part = new;
	}
	free(node);
	free(member);
}

/* Begins of groups of 64 cores at most and, if @by_node, of one node; 0: too many. */
static unsigned int cut(const struct blueprint *b, unsigned int nr, unsigned int *begin,
			int by_node)
{
	unsigned int nr_groups = 0, i;

	for (i = 0; i < nr; i++) {
		if (i && i - begin[nr_groups - 1] < 64 &&
		    !(by_node && blueprint_node(b, i) != blueprint_node(b, i - 1)))
			continue;
		if (nr_groups == MODEL_PLANNED_AT_ONCE)
			return 0;
		begin[nr_groups++] = i;
	}
	begin[nr_groups] = nr;
	return nr_groups;
}

/* Groups that are planned for by themselves, of one node each if those are few. */
static unsigned int find_groups(const struct blueprint *b, unsigned int nr,
				unsigned int *begin)
{
	unsigned int nr_groups = cut(b, nr, begin, 1);

	return nr_groups ? nr_groups : cut(b, nr, begin, 0);
}

/* Hops of a group below its leader, which is hop @leader of all. */
static unsigned int add_hops(struct mk_plan_hop *hops, unsigned int next,
			     const struct mk_plan_hop *part, unsigned int nr,
			     unsigned int base, unsigned int leader)
{
	unsigned int i;

	for (i = 1; i < nr; i++) {
		hops[next + i - 1].core = base + part[i].core;
		hops[next + i - 1].parent = part[i].parent ? next + part[i].parent - 1 : leader;
	}
	return next + nr - 1;
}

/* Where core @index of the leaders stands among @hops. */
static unsigned int hop_of(const struct mk_plan_hop *hops, unsigned int nr, unsigned int core)
{
	unsigned int i;

	for (i = 0; i < nr - 1; i++)
		if (hops[i].core == core)
			break;
	return i;
}

static void make_planned(struct model_tree *tree, const struct blueprint *b, unsigned int nr)
{
	unsigned int *begin = mkctl_alloc((MODEL_PLANNED_AT_ONCE + 1) * sizeof(*begin));
	unsigned int *core = mkctl_alloc(nr * sizeof(*core));
	struct part_plan leaders = { 0 }, part = { 0 };
	unsigned int groups = nr, i, g, size, down, up;

	tree_alloc(tree, nr);
	if (nr <= MODEL_PLANNED_AT_ONCE) {
		/* each core is a group, and leads it */
		for (i = 0; i <= nr; i++)
			begin[i] = i;
	} else {
		groups = find_groups(b, nr, begin);
	}
	plan_part(&leaders, b, begin, groups);
	for (i = 0; i < groups; i++) {
		tree->down[i].core = begin[leaders.down[i].core];
		tree->down[i].parent = leaders.down[i].parent;
		tree->up[i].core = begin[leaders.up[i].core];
		tree->up[i].parent = leaders.up[i].parent;
	}
	down = groups;
	up = groups;
	for (g = 0; g < groups; g++) {
		size = begin[g + 1] - begin[g];
		if (size == 1)
			continue;
		for (i = 0; i < size; i++)
			core[i] = begin[g] + i;
		plan_part(&part, b, core, size);
		down = add_hops(tree->down, down, part.down, size, begin[g],
				hop_of(tree->down, groups, begin[g]));
		up = add_hops(tree->up, up, part.up, size, begin[g],
			      hop_of(tree->up, groups, begin[g]));
	}
	part_free(&leaders);
	part_free(&part);
	free(begin);
	free(core);
}

static void make_best(struct model_tree *tree, const struct blueprint *b, unsigned int nr)
{
	const struct model_round round = { .blueprint = b };
	struct model_tree other;
	int shape;

	make_planned(tree, b, nr);
	for (shape = 0; shape < SHAPE_PLANNED; shape++) {
		model_tree_make(&other, b, nr, shape);
		if (model_tree_round(&other, &round) < model_tree_round(tree, &round)) {
			model_tree_free(tree);
			*tree = other;
		} else {
			model_tree_free(&other);
		}
	}
}

void model_tree_make(struct model_tree *tree, const struct blueprint *b, unsigned int nr,
		     enum model_shape shape)
{
	switch (shape) {
	case SHAPE_FLAT:
		make_flat(tree, nr);
		break;
	case SHAPE_NEAR_FIRST:
		make_by_nodes(tree, b, nr, nearer);
		break;
	case SHAPE_FAR_FIRST:
		make_by_nodes(tree, b, nr, farther);
		break;
	default:
		make_best(tree, b, nr);
		break;
	}
}
