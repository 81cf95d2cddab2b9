// SPDX-License-Identifier: GPL-2.0
/*
 * Plans for few members, against the least that any trees cost (least.h).
 *
 *	plan_least [MACHINES [MOST]]
 *
 * makes up so many machines of each kind and size, of up to MOST members, and says
 * how far plans are from the best there is, and the best there is from the
 * strategies. What does not hold is said too, and then the exit status is 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "least.h"

/* A plan may be so many per mille above the least. */
#define SLACK		10

enum shape {
	EVEN,			/* nodes of equal size, costs of two kinds */
	RING,			/* likewise, the further the dearer */
	LINE,			/* likewise, one way dearer than the other */
	CHEAP_SENDS,
	CHEAP_RECEIVES,
	NODES_HARDLY_MATTER,
	ANYTHING,		/* costs from 1 to 100,000 */
	ALL_THE_SAME,
	FREE_SENDS,
	BURST,			/* sends in a row cost others than the first */
	SHAPES
};

static const char *const shapes[SHAPES] = {
	[EVEN] = "even",
	[RING] = "ring",
	[LINE] = "asymmetric line",
	[CHEAP_SENDS] = "cheap sends",
	[CHEAP_RECEIVES] = "cheap receives",
	[NODES_HARDLY_MATTER] = "nodes hardly matter",
	[ANYTHING] = "anything",
	[ALL_THE_SAME] = "all the same",
	[FREE_SENDS] = "free sends",
	[BURST] = "burst",
};

/* A made-up machine, and a task of all its cores. */
struct made {
	u32 send[LEAST_MEMBERS * LEAST_MEMBERS], receive[LEAST_MEMBERS * LEAST_MEMBERS];
	u16 node[LEAST_MEMBERS], member[LEAST_MEMBERS], burst[MK_PLAN_BURST];
	unsigned int nodes;
	struct mk_plan_machine machine;
	struct mk_plan_task task;
};

/* What the planner says, in its form and in that of the search. */
struct answer {
	struct mk_plan_hop broadcast[LEAST_MEMBERS], gather[LEAST_MEMBERS];
	struct least_trees trees;
	u64 cycles;
};

static int failed;
static char *memory;
static u64 state = 1;

static unsigned int draw(unsigned int from, unsigned int to)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return from + (unsigned int)(state >> 33) % (to - from + 1);
}

static void check(bool good, const char *what, const struct made *made, enum shape shape)
{
	if (good)
		return;
	failed = 1;
	printf("does not hold: %s: %s, %u members on %u nodes, %s%s\n", what, shapes[shape],
	       made->task.nr, made->nodes, mk_plan_op_name(made->task.op),
	       made->task.one_tree ? ", one tree" : "");
}

/* --- machines -------------------------------------------------------------------------------- */

static unsigned int hops(const struct made *made, enum shape shape, unsigned int u,
			 unsigned int v)
{
	unsigned int a = made->node[u], b = made->node[v];
	unsigned int apart = a > b ? a - b : b - a;

	if (shape == RING && apart > made->nodes / 2)
		apart = made->nodes - apart;
	if (shape != RING && shape != LINE)
		return apart != 0;
	return apart;
}

static void make_up(struct made *made, enum shape shape, unsigned int nr)
{
	static const unsigned int ten_to[] = { 1, 10, 100, 1000, 10000, 100000 };
	unsigned int noise = draw(0, 1) ? draw(0, 20) : draw(0, 300), u, v, at, far, factor;
	unsigned int near_send = draw(20, 120), near_receive = draw(60, 400);
	unsigned int far_send = near_send * draw(10, 80) / 10;
	unsigned int far_receive = near_receive * draw(10, 80) / 10;

	memset(made, 0, sizeof(*made));
	made->nodes = nr < 4 || !draw(0, 4) ? draw(1, nr) : draw(4, nr);
	if (shape == CHEAP_SENDS)
		near_send = draw(1, 10), far_send = near_send;
	if (shape == CHEAP_RECEIVES)
		near_receive = draw(1, 40), far_receive = near_receive * draw(1, 3);
	if (shape == NODES_HARDLY_MATTER)
		far_send = near_send, far_receive = near_receive;
	if (shape == FREE_SENDS)
		near_send = 0, far_send = 0;
	for (u = 0; u < nr; u++) {
		made->member[u] = u;
		made->node[u] = draw(0, 1) ? u * made->nodes / nr : u % made->nodes;
	}
	for (u = 0; u < nr; u++) {
		for (v = 0; v < nr; v++) {
			at = u * nr + v;
			far = hops(made, shape, u, v);
			factor = 100 + draw(0, noise);
			if (far > 1)
				factor += factor * (far - 1) / 2;
			if (shape == LINE && made->node[u] > made->node[v])
				factor = factor * 2;
			made->send[at] = (far ? far_send : near_send) * factor / 100;
			made->receive[at] = (far ? far_receive : near_receive) * factor / 100;
			if (shape == ANYTHING) {
				made->send[at] = draw(1, ten_to[draw(0, 5)]);
				made->receive[at] = draw(1, ten_to[draw(0, 5)]);
			}
			if (shape == ALL_THE_SAME) {
				made->send[at] = near_send;
				made->receive[at] = near_receive;
			}
		}
	}
	for (u = 0; u < MK_PLAN_BURST; u++)
		made->burst[u] = draw(0, 1) ? draw(100, 4096) : draw(800, 1200);
	made->machine = (struct mk_plan_machine){
		.cores = nr, .send = made->send, .receive = made->receive, .node = made->node,
		.burst = shape == BURST ? made->burst : NULL,
	};
	made->task = (struct mk_plan_task){
		.machine = &made->machine, .nr = nr, .member = made->member,
	};
}

/* --- what the planner says ------------------------------------------------------------------- */

static void take_trees(const struct made *made, struct answer *answer)
{
	struct least_trees *trees = &answer->trees;
	unsigned int i, parent;

	memset(trees, 0, sizeof(*trees));
	for (i = 1; i < made->task.nr && made->task.op != MK_PLAN_GATHER; i++) {
		parent = answer->broadcast[answer->broadcast[i].parent].core;
		trees->child[parent][trees->nr_children[parent]++] = answer->broadcast[i].core;
	}
	for (i = 1; i < made->task.nr && made->task.op != MK_PLAN_BROADCAST; i++)
		trees->gather[answer->gather[i].core] =
			answer->gather[answer->gather[i].parent].core;
}

/* A strategy's trees, or the planner's own for MK_PLAN_STRATEGIES. */
static void ask(struct made *made, unsigned int strategy, enum shape shape,
		struct answer *answer)
{
	struct mk_plan plan = { .broadcast = answer->broadcast, .gather = answer->gather };
	int ret;

	if (strategy == MK_PLAN_STRATEGIES)
		ret = mk_plan_make(&made->task, memory, &plan);
	else
		ret = mk_plan_by(&made->task, strategy, memory, &plan);
	check(!ret, "it is planned", made, shape);
	if (ret)
		exit(1);
	answer->cycles = made->task.op == MK_PLAN_2PC ? plan.cycles / 2 : plan.cycles;
	take_trees(made, answer);
	check(least_score(&made->task, &answer->trees, LEAST_RIGHT) == answer->cycles,
	      "both models give one score", made, shape);
}

/* The planner's own score of trees that others found. */
static u64 planner_score(const struct made *made, const struct least_trees *trees)
{
	struct mk_plan_hop broadcast[LEAST_MEMBERS] = { 0 }, gather[LEAST_MEMBERS] = { 0 };
	struct mk_plan plan = { .broadcast = broadcast, .gather = gather };
	unsigned int i, k, v, nr = 1;

	for (i = 0; i < nr; i++) {
		v = broadcast[i].core;
		for (k = 0; k < trees->nr_children[v]; k++)
			broadcast[nr++] = (struct mk_plan_hop){ trees->child[v][k], i };
	}
	for (i = 0, nr = 1; i < nr; i++)
		for (v = 1; v < made->task.nr; v++)
			if (trees->gather[v] == gather[i].core)
				gather[nr++] = (struct mk_plan_hop){ v, i };
	return mk_plan_score(&made->task, memory, &plan) ? 0 : plan.cycles;
}

/* --- figures --------------------------------------------------------------------------------- */

/**
 * struct row - of the machines of one size, for one operation
 * @machines: how many
 * @above: plans above the least
 * @worst: how far the worst, per mille
 * @large: of 4 nodes and more
 * @possible: of them, those where the least is 10 % below the best strategy
 * @reached: those where the plan is
 * @most: of them, too, the largest part of the best strategy that the least is, per
 *	mille
 */
struct row {
	unsigned int machines, above, worst, large, possible, reached, most;
};

static void count(struct row *row, const struct made *made, u64 cycles, u64 least, u64 best)
{
	unsigned int worse = least ? ((cycles - least) * 1000 + least - 1) / least : 0;

	row->machines++;
	row->above += cycles > least;
	if (worse > row->worst)
		row->worst = worse;
	if (made->nodes < 4)
		return;
	row->large++;
	row->possible += least * 10 <= best * 9;
	row->reached += cycles * 10 <= best * 9;
	if (best && least * 1000 / best > row->most)
		row->most = least * 1000 / best;
}

static void compare(struct row *row, struct made *made, enum shape shape)
{
	struct answer plan, by;
	struct least_trees trees;
	u64 least, best = LEAST_NONE;
	unsigned int i;

	ask(made, MK_PLAN_STRATEGIES, shape, &plan);
	for (i = 0; i < MK_PLAN_STRATEGIES; i++) {
		ask(made, i, shape, &by);
		if (by.cycles < best)
			best = by.cycles;
	}
	check(plan.cycles <= best, "no worse than a strategy", made, shape);
	least = least_search(&made->task, plan.cycles, LEAST_RIGHT, &trees);
	if (least < plan.cycles) {
		check(least_score(&made->task, &trees, LEAST_RIGHT) == least,
		      "the search has trees of that score", made, shape);
		check(planner_score(made, &trees) == least,
		      "the planner gives them that score", made, shape);
	}
	check(plan.cycles * 1000 <= least * (1000 + SLACK), "the plan is near the least", made,
	      shape);
	count(row, made, plan.cycles, least, best);
}

static const struct {
	const char *name;
	enum mk_plan_op op;
	bool one_tree;
	unsigned int hurry;
} rows[] = {
	{ "broadcast", MK_PLAN_BROADCAST, false, 0 },
	{ "gather", MK_PLAN_GATHER, false, 0 },
	{ "both", MK_PLAN_BOTH, false, 0 },
	{ "both, one tree", MK_PLAN_BOTH, true, 0 },
	{ "as in a route", MK_PLAN_BOTH, true, 4 },
};

static void table(unsigned int machines, unsigned int most)
{
	unsigned int nr, i, k, shape;
	struct made made;
	struct row row;

	puts("members  plan for        machines  above   worst  4 nodes  possible reached hardest");
	for (nr = 4; nr <= most; nr++) {
		for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			row = (struct row){ 0 };
			state = nr;
			for (shape = 0; shape < SHAPES; shape++) {
				/* the search cannot tell one tree from another there */
				if (shape == ALL_THE_SAME && nr > 7)
					continue;
				for (i = 0; i < machines; i++) {
					make_up(&made, shape, nr);
					made.task.op = rows[k].op;
					made.task.one_tree = rows[k].one_tree;
					made.task.hurry = rows[k].hurry;
					compare(&row, &made, shape);
				}
			}
			printf("%7u  %-14s  %8u  %5u  %3u.%u%%  %7u  %8u %7u  %3u.%u%%\n", nr,
			       rows[k].name, row.machines, row.above, row.worst / 10,
			       row.worst % 10, row.large, row.possible, row.reached,
			       (1000 - row.most) / 10, (1000 - row.most) % 10);
			fflush(stdout);
		}
	}
}

/* --- does the search find the least, and is what is wrong seen? ------------------------------- */

/* Up to 5 members, all trees can be scored. */
static void all_trees(void)
{
	enum mk_plan_op op;
	struct least_trees trees;
	unsigned int nr, shape, hasty = 0;
	struct made made;
	u64 least;

	for (nr = 2; nr <= 5; nr++) {
		for (shape = 0; shape < SHAPES; shape++) {
			make_up(&made, shape, nr);
			for (op = MK_PLAN_BROADCAST; op <= MK_PLAN_BOTH; op++) {
				made.task.op = op;
				least = least_of_all(&made.task);
				check(least_search(&made.task, LEAST_NONE, LEAST_RIGHT,
						   &trees) == least,
				      "the search finds the least of all", &made, shape);
				hasty += least_search(&made.task, LEAST_NONE, LEAST_HASTY_BOUND,
						      &trees) != least;
			}
		}
	}
	check(hasty, "a search that leaves out too much is seen", &made, 0);
}

/* A model with another rule, and plans that were not searched for. */
static void faults(void)
{
	unsigned int shape, nr, free_receive = 0, no_wait = 0, worse = 0;
	struct least_trees trees;
	struct answer answer;
	struct made made;

	for (nr = 4; nr <= 6; nr++) {
		for (shape = 0; shape < SHAPES; shape++) {
			make_up(&made, shape, nr);
			made.task.op = MK_PLAN_BOTH;
			ask(&made, MK_PLAN_STRATEGIES, shape, &answer);
			free_receive += least_score(&made.task, &answer.trees,
						    LEAST_FREE_RECEIVE) != answer.cycles;
			no_wait += least_score(&made.task, &answer.trees,
					       LEAST_NO_WAIT) != answer.cycles;
			made.task.hurry = MK_PLAN_HURRY;
			ask(&made, MK_PLAN_STRATEGIES, shape, &answer);
			worse += least_search(&made.task, answer.cycles, LEAST_RIGHT, &trees) *
				 (1000 + SLACK) < answer.cycles * 1000;
		}
	}
	printf("seen: free receives %u times, no waiting %u, plans without a search %u\n",
	       free_receive, no_wait, worse);
	check(free_receive, "a model without the cost of acknowledgments is seen", &made, 0);
	check(no_wait, "a model that does not wait for its sends is seen", &made, 0);
	check(worse, "a plan that is far from the least is seen", &made, 0);
}

int main(int argc, char **argv)
{
	int machines = argc > 1 ? atoi(argv[1]) : 1, most = argc > 2 ? atoi(argv[2]) : 7;

	if (machines < 1 || most < 4 || most > LEAST_MEMBERS) {
		fprintf(stderr, "plan_least [MACHINES [MOST]], up to %d members\n", LEAST_MEMBERS);
		return 2;
	}
	memory = malloc(mk_plan_bytes(LEAST_MEMBERS));
	all_trees();
	faults();
	table(machines, most);
	free(memory);
	return failed;
}
