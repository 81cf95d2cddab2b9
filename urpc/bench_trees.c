// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment trees: is a message to many CPUs and back over a tree as fast as the
 * planner says that it is?
 *
 * The variant is how the tree was made: a strategy of the literature (plan.h), or
 * planned. Each is a route whose members do nothing but pass on and acknowledge, and poll
 * all the time. Size is the cores, the root included; cpu_a is the root. The trees
 * of one size take turns sample by sample. The control is a root that is alone.
 *
 * Metrics: cost, cycles from the start until the root has all acknowledgments.
 * predicted, the planner's score of that very tree, from topology/costs. error, by
 * how much that is off the median, in per cent of it. The costs are those of bare
 * rings, without the pass over a port and the dispatch that every hop takes here. So there
 * is also calibrated: predicted, times what two cores took over what was predicted for
 * them; and calibrated_error. missing: members that did not answer in time, of all
 * operations; those are no samples.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "module/monitor.h"
#include "module/stats.h"
#include "urpc/bench.h"
#include "urpc/route_plan.h"

/* How long a root waits for the acknowledgments of one message. */
#define MK_TREES_JIFFIES	(HZ / 2)

/* Polls between two looks at the clock, and at whether to stop. */
#define MK_TREES_POLLS		64

/* Messages that may be given up, for each sample. */
#define MK_TREES_TRIES		2

/* Longer than it takes until the next message. */
#define MK_TREES_POLL_US	100000

/* Strategies, and planned. */
#define MK_TREES		(MK_PLAN_STRATEGIES + 1)

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_CPUS,
};

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(500),
	[P_WARMUP] = MK_PARAM_WARMUP(50),
	[P_REPEATS] = MK_PARAM_REPEATS(1),
	[P_CPUS] = {
		.name = "cpus",
		.help = "CPUs that take part; the first is the root",
		.kind = MK_PARAM_CPUS,
	},
};

/**
 * struct mk_measured - one tree at one size
 * @route: the tree; NULL if it is left out
 * @predicted: its score
 * @cost: cycles of each sample
 * @missing: members that did not answer
 */
struct mk_measured {
	struct mk_route *route;
	u64 predicted;
	u64 *cost;
	u64 missing;
};

/**
 * struct mk_trees - all trees at one size
 * @run: the run
 * @key: of the rows
 * @members: who is called
 * @missing: who has not answered
 * @saved: by CPU: P of its monitor, as it was
 * @samples: to take
 * @warmup: to take before
 * @pair_cost: median of planned for two cores, of which there is one tree only
 * @pair_predicted: what was predicted for them
 * @node: of the tree that is made
 * @tree: by strategy
 */
struct mk_trees {
	struct mk_run *run;
	struct mk_key key;
	cpumask_var_t members, missing;
	u64 *saved;
	u32 samples, warmup;
	u64 pair_cost, pair_predicted;
	struct mk_tree_node *node;
	struct mk_measured tree[MK_TREES];
};

static const char *mk_trees_name(unsigned int i)
{
	return i < MK_PLAN_STRATEGIES ? mk_plan_strategy_name(i) : "planned";
}

/* Leaf: nothing. */
static void mk_trees_leaf(struct mk_port *port, const u64 *word)
{
}

/* One message; *@cycles is 0 if somebody did not answer. */
static int mk_trees_operate(struct mk_port *port, struct mk_trees *trees,
			    struct mk_measured *tree, u64 *cycles)
{
	static const u64 word[MK_ROUTE_WORDS];
	unsigned long deadline = jiffies + MK_TREES_JIFFIES;
	u64 start, end;
	u32 polls = 0;
	int err = 0;

	/* What came for this CPU meanwhile is not part of it. */
	mk_port_poll(port);
	start = mk_cycles();
	mk_route_start(tree->route, MK_TYPE_TREES, word);
	while (!mk_route_gathered(tree->route)) {
		cpu_relax();
		if (++polls % MK_TREES_POLLS)
			continue;
		mk_port_poll(port);
		err = mk_bench_step(trees->run);
		if (err || mk_route_stuck(tree->route) ||
		    time_after(jiffies, deadline)) {
			cpumask_clear(trees->missing);
			mk_route_missing(tree->route, trees->missing);
			tree->missing += cpumask_weight(trees->missing);
			*cycles = 0;
			return err;
		}
	}
	end = mk_cycles();
	*cycles = max(mk_clock_span(start, end), 1ull);
	return mk_bench_step(trees->run);
}

static int mk_trees_loop(struct mk_port *port, void *arg)
{
	struct mk_trees *trees = arg;
	u32 all = trees->warmup + trees->samples, i = 0, tries = 0, t;
	u64 cycles = 0;
	int err;

	while (i < all) {
		for (t = 0; t < MK_TREES; t++) {
			if (!trees->tree[t].route)
				continue;
			err = mk_trees_operate(port, trees, &trees->tree[t],
					       &cycles);
			if (err)
				return err;
			if (!cycles)
				break;
			if (i >= trees->warmup)
				trees->tree[t].cost[i - trees->warmup] = cycles;
		}
		if (++tries > MK_TREES_TRIES * all)
			return -ETIMEDOUT;
		/* A round that somebody missed is taken again. */
		i += t == MK_TREES;
	}
	return 0;
}

/* Thousandths of a per cent of @measured. */
static u64 mk_trees_error(u64 predicted, u64 measured)
{
	u64 off = predicted > measured ? predicted - measured :
					 measured - predicted;

	return div64_u64(off * 100000, max(measured, 1ull));
}

static int mk_trees_predictions(struct mk_trees *trees, u64 predicted, u64 median)
{
	struct mk_run *run = trees->run;
	u64 calibrated;
	int err;

	err = mk_run_value(run, &trees->key, "predicted", "cycles", predicted);
	err = err ?: mk_run_milli(run, &trees->key, "error", "per cent",
				  mk_trees_error(predicted, median));
	if (err || !trees->pair_predicted)
		return err;
	calibrated = mul_u64_u64_div_u64(predicted, trees->pair_cost,
					 trees->pair_predicted);
	err = mk_run_value(run, &trees->key, "calibrated", "cycles", calibrated);
	return err ?: mk_run_milli(run, &trees->key, "calibrated_error",
				   "per cent", mk_trees_error(calibrated, median));
}

static int mk_trees_report(struct mk_trees *trees, unsigned int i, bool control)
{
	struct mk_measured *tree = &trees->tree[i];
	u64 n = trees->samples, median;
	int err;

	trees->key.variant = control ? "control" : mk_trees_name(i);
	err = mk_run_samples(trees->run, &trees->key, "cost", "cycles",
			     tree->cost, n);
	err = err ?: mk_run_value(trees->run, &trees->key, "missing", "members",
				  tree->missing);
	median = tree->cost[n / 2];
	if (err || control)
		return err;
	return mk_trees_predictions(trees, tree->predicted, median);
}

/* From samples that are in order. */
static void mk_trees_calibrate(struct mk_trees *trees)
{
	const struct mk_measured *tree = &trees->tree[MK_PLAN_STRATEGIES];

	if (trees->key.size != 2)
		return;
	trees->pair_predicted = tree->predicted;
	trees->pair_cost = tree->cost[trees->samples / 2];
}

static int mk_trees_make(struct mk_trees *trees, unsigned int i)
{
	struct mk_measured *tree = &trees->tree[i];
	struct mk_tree plan = { .node = trees->node };
	struct mk_route *route;
	int err;

	tree->missing = 0;
	err = mk_route_plan_by(i, trees->key.cpu_a, trees->members, &plan,
			       &tree->predicted);
	if (err)
		return err;
	route = mk_route_make(&plan, MK_ROUTE_CHILD);
	if (IS_ERR(route))
		return PTR_ERR(route);
	tree->route = route;
	return 0;
}

static int mk_trees_take(struct mk_trees *trees)
{
	bool control = cpumask_empty(trees->members);
	unsigned int i;
	int err = 0;

	for (i = 0; i < (control ? 1 : MK_TREES) && !err; i++)
		err = mk_trees_make(trees, i);
	err = err ?: mk_port_run(trees->key.cpu_a, mk_trees_loop, trees);
	for (i = 0; i < MK_TREES; i++) {
		if (!trees->tree[i].route)
			continue;
		mk_route_free(trees->tree[i].route);
		trees->tree[i].route = NULL;
		if (!err)
			mk_stats_sort(trees->tree[i].cost, trees->samples);
	}
	if (!err && !control)
		mk_trees_calibrate(trees);
	for (i = 0; i < (control ? 1 : MK_TREES) && !err; i++)
		err = mk_trees_report(trees, i, control);
	return err;
}

/* One more member, which polls. */
static void mk_trees_add(struct mk_trees *trees, int cpu)
{
	cpumask_set_cpu(cpu, trees->members);
	trees->saved[cpu] = mk_monitor_cpu_poll_cycles(cpu);
	mk_monitor_cpu_set_poll_cycles(cpu, mk_clock_us(MK_TREES_POLL_US));
}

static void mk_trees_remove_all(struct mk_trees *trees)
{
	int cpu;

	for_each_cpu(cpu, trees->members)
		mk_monitor_cpu_set_poll_cycles(cpu, trees->saved[cpu]);
	cpumask_clear(trees->members);
}

/* 1, 2, 3 … cores of a small machine; of a large one about 16 sizes, and all. */
static int mk_trees_sweep(struct mk_trees *trees)
{
	const struct cpumask *cpus = mk_run_cpus(trees->run, P_CPUS);
	u32 cores = min_t(u32, cpumask_weight(cpus), MK_ROUTE_PLAN_MOST);
	u32 step = max(cores / 16, 1U), n = 1;
	u32 repeats = mk_run_u32(trees->run, P_REPEATS);
	int cpu, err;

	trees->key.size = 1;
	err = mk_trees_take(trees);
	for_each_cpu(cpu, cpus) {
		if (err || n == cores)
			break;
		if (cpu == trees->key.cpu_a)
			continue;
		mk_trees_add(trees, cpu);
		trees->key.size = ++n;
		if ((n - 2) % step && n != cores)
			continue;
		err = mk_trees_take(trees);
		mk_run_progress(trees->run, trees->key.repeat * cores + n,
				repeats * cores);
	}
	mk_trees_remove_all(trees);
	return err;
}

static int mk_trees_alloc(struct mk_trees *trees)
{
	u32 i;

	if (!zalloc_cpumask_var(&trees->members, GFP_KERNEL) ||
	    !zalloc_cpumask_var(&trees->missing, GFP_KERNEL))
		return -ENOMEM;
	trees->saved = kvcalloc(nr_cpu_ids, sizeof(u64), GFP_KERNEL);
	trees->node = kvcalloc(MK_ROUTE_PLAN_MOST, sizeof(*trees->node),
			       GFP_KERNEL);
	if (!trees->saved || !trees->node)
		return -ENOMEM;
	for (i = 0; i < MK_TREES; i++) {
		trees->tree[i].cost = kvcalloc(trees->samples, sizeof(u64),
					       GFP_KERNEL);
		if (!trees->tree[i].cost)
			return -ENOMEM;
	}
	return 0;
}

static void mk_trees_free(struct mk_trees *trees)
{
	u32 i;

	for (i = 0; i < MK_TREES; i++)
		kvfree(trees->tree[i].cost);
	kvfree(trees->node);
	kvfree(trees->saved);
	free_cpumask_var(trees->missing);
	free_cpumask_var(trees->members);
	kfree(trees);
}

static int mk_trees_run(struct mk_run *run)
{
	u32 repeats = mk_run_u32(run, P_REPEATS);
	struct mk_trees *trees;
	int err;

	mk_route_leaf_set(MK_TYPE_TREES, mk_trees_leaf);
	trees = kzalloc(sizeof(*trees), GFP_KERNEL);
	if (!trees)
		return -ENOMEM;
	trees->run = run;
	trees->samples = mk_run_u32(run, P_SAMPLES);
	trees->warmup = mk_run_u32(run, P_WARMUP);
	trees->key = (struct mk_key){
		.cpu_a = cpumask_first(mk_run_cpus(run, P_CPUS)),
		.cpu_b = -1,
		.mem_node = -1,
	};
	err = mk_trees_alloc(trees);
	for (; !err && trees->key.repeat < repeats; trees->key.repeat++)
		err = mk_trees_sweep(trees);
	mk_trees_free(trees);
	return err;
}

const struct mk_experiment mk_exp_trees = {
	.name = "trees",
	.help = "what a message to n cores and back costs over a tree, and what was predicted",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_trees_run,
};
