// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment home_node: what a node's page tables of a home-node space cost a CPU
 * when they lie on its own node, and when they lie on another one (Kupferschmied
 * et al.).
 *
 * One CPU of each node in the list goes, in its monitor, to the tables that the
 * space has on each node in turn: cpu_a is the CPU, mem_node the tables' node,
 * and the variant says local or remote. A sample does each of these once, so that
 * what disturbs one disturbs all:
 *
 *	map	the record is looked up and the entry written
 *	walk	the CPU goes there and reads a word: a page walk
 *	unmap	the entry is cleared
 *	fault	as walk, but the entry is missing: a page fault, map, and again
 *
 * The control goes there and comes back without reading anything.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/mirror/home.h"
#include "urpc/bench.h"

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_CPUS,
};

/* In the middle of a table of level 1, whose neighbours are not cached with it. */
#define MK_HOME_BENCH_AT	0x40100000UL

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(1000),
	[P_WARMUP] = MK_PARAM_WARMUP(100),
	[P_REPEATS] = MK_PARAM_REPEATS(3),
	[P_CPUS] = {
		.name = "cpus",
		.help = "CPUs to choose from: the first of each node",
		.kind = MK_PARAM_CPUS,
	},
};

enum {
	MK_STEP_MAP,
	MK_STEP_WALK,
	MK_STEP_UNMAP,
	MK_STEP_FAULT,
	MK_STEP_CONTROL,
	MK_STEPS
};

static const char *const mk_step_names[MK_STEPS] = {
	"map", "walk", "unmap", "fault", "visit",
};

/**
 * struct mk_home_bench - one CPU and the tables of one node
 * @run: the run
 * @home: a space that has one page mapped
 * @key: of the rows
 * @samples: to take
 * @warmup: to take before
 * @cycles: of each sample, by step
 */
struct mk_home_bench {
	struct mk_run *run;
	struct mk_home *home;
	struct mk_key key;
	u32 samples, warmup;
	u64 *cycles[MK_STEPS];
};

static int mk_home_step(struct mk_home_bench *bench, unsigned int step)
{
	int node = bench->key.mem_node, ret;
	u64 word = 0;

	switch (step) {
	case MK_STEP_MAP:
		return mk_home_fault(bench->home, node, MK_HOME_BENCH_AT,
				     false);
	case MK_STEP_UNMAP:
		mk_home_clear(bench->home->on[node], MK_HOME_BENCH_AT,
			      MK_HOME_BENCH_AT + PAGE_SIZE, 0);
		return 0;
	case MK_STEP_CONTROL:
		mk_home_pass(bench->home, node);
		return 0;
	}
	ret = mk_home_visit(bench->home, node, MK_HOME_BENCH_AT, false, &word);
	if (ret < 0)
		return ret;
	/* Anything else is a different measurement. */
	return ret == (step == MK_STEP_FAULT) ? 0 : -EIO;
}

static int mk_home_sample(struct mk_port *port, struct mk_home_bench *bench,
			  u32 i)
{
	unsigned int step;
	u64 start, end;
	int err;

	/* What came for this CPU meanwhile is not part of it. */
	mk_port_poll(port);
	for (step = 0; step < MK_STEPS; step++) {
		start = mk_cycles();
		err = mk_home_step(bench, step);
		end = mk_cycles();
		if (err)
			return err;
		if (i >= bench->warmup)
			bench->cycles[step][i - bench->warmup] =
				mk_clock_span(start, end);
	}
	return mk_home_step(bench, MK_STEP_UNMAP);
}

static int mk_home_loop(struct mk_port *port, void *arg)
{
	struct mk_home_bench *bench = arg;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < bench->warmup + bench->samples; i++) {
		err = mk_home_sample(port, bench, i);
		err = err ?: mk_bench_step(bench->run);
	}
	return err;
}

static int mk_home_measure(struct mk_home_bench *bench)
{
	const char *variant = bench->key.variant;
	unsigned int step;
	int err;

	err = mk_port_run(bench->key.cpu_a, mk_home_loop, bench);
	for (step = 0; step < MK_STEPS && !err; step++) {
		bench->key.variant = step == MK_STEP_CONTROL ? "control" :
							       variant;
		err = mk_run_samples(bench->run, &bench->key,
				     mk_step_names[step], "cycles",
				     bench->cycles[step], bench->samples);
	}
	return err;
}

/* One CPU: tables on each node in turn. */
static int mk_home_from(struct mk_home_bench *bench, int cpu)
{
	int node, err = 0;

	bench->key.cpu_a = cpu;
	for_each_node_mask(node, bench->home->joined) {
		bench->key.mem_node = node;
		bench->key.variant = node == cpu_to_node(cpu) ? "local" :
								"remote";
		err = mk_home_measure(bench);
		if (err)
			break;
	}
	return err;
}

static int mk_home_sweep(struct mk_home_bench *bench)
{
	u32 repeats = mk_run_u32(bench->run, P_REPEATS);
	const struct cpumask *cpus = mk_run_cpus(bench->run, P_CPUS);
	nodemask_t seen;
	int cpu, err = 0;

	for (; !err && bench->key.repeat < repeats; bench->key.repeat++) {
		nodes_clear(seen);
		for_each_cpu(cpu, cpus) {
			if (node_test_and_set(cpu_to_node(cpu), seen))
				continue;
			err = mk_home_from(bench, cpu);
			if (err)
				break;
		}
		mk_run_progress(bench->run, bench->key.repeat + 1, repeats);
	}
	return err;
}

/* A space that all nodes have joined, with slots for what they will need. */
static struct mk_home *mk_home_bench_space(int node)
{
	struct mk_home_map map = {
		.address = MK_HOME_BENCH_AT, .pages = 1, .node = -1,
		.flags = MK_HOME_WRITE,
	};
	struct mk_home *home = mk_home_create(node);
	int err;

	if (IS_ERR(home))
		return home;
	err = mk_home_map(home, &map);
	for_each_node_state(node, N_MEMORY) {
		err = err ?: mk_home_join(home, node);
		err = err ?: mk_home_stock(home->on[node]);
	}
	if (!err)
		return home;
	mk_home_destroy(home);
	return ERR_PTR(err);
}

static int mk_home_node_run(struct mk_run *run)
{
	struct mk_home_bench bench = {
		.run = run,
		.key = { .cpu_b = -1, .size = PAGE_SIZE },
		.samples = mk_run_u32(run, P_SAMPLES),
		.warmup = mk_run_u32(run, P_WARMUP),
	};
	unsigned int step;
	int err = 0;

	if (!mk_home_visits())
		return -EOPNOTSUPP;
	bench.home = mk_home_bench_space(first_memory_node);
	if (IS_ERR(bench.home))
		return PTR_ERR(bench.home);
	for (step = 0; step < MK_STEPS; step++) {
		bench.cycles[step] = kvcalloc(bench.samples, sizeof(u64),
					      GFP_KERNEL);
		if (!bench.cycles[step])
			err = -ENOMEM;
	}
	err = err ?: mk_home_sweep(&bench);
	for (step = 0; step < MK_STEPS; step++)
		kvfree(bench.cycles[step]);
	mk_home_destroy(bench.home);
	return err;
}

const struct mk_experiment mk_exp_home_node = {
	.name = "home_node",
	.help = "map, unmap, walk, fault: page tables on the CPU's node or another",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_home_node_run,
};
