// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment pager: what a page fault costs that user level serves (Kupferschmied,
 * Stoess, Bellosa), beside userfaultfd and Linux itself.
 *
 * It works on the process of whoever writes to run, which brings agents. One of
 * each node touches memory that the process has served (MK_JOB_SERVE): by pagers of
 * libpager, one for each node, which agree by locks (pager_shm), messages
 * (pager_urpc) or both (pager_both); by as many threads on userfaultfd; by Linux,
 * as shared memory (kernel); or that is mapped already (control). Who touches and
 * times is the same for all.
 *
 * Each row takes so many samples of each variant in turn, in an order that changes,
 * and for each turn the memory is made anew. What was served is counted by who
 * serves, and compared with what was touched. See Documentation/experiments.rst.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/pager/bench.h"
#include "module/stats.h"

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_PAGES,
	P_NODES,
	P_TRANSPORT,
	P_CPUS,
};

#define MK_SERVE_WARMUP_MAX	32
/* Of rows that touch many; in one turn no page is touched as new twice. */
#define MK_SERVE_PAGES_MAX	64

static const char *const transports[] = { "all", "shm", "urpc", "both", NULL };

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(64),
	[P_WARMUP] = {
		.name = "warmup",
		.help = "samples at the begin of each turn, thrown away",
		.kind = MK_PARAM_U32, .min = 1, .max = MK_SERVE_WARMUP_MAX,
		.def = 4,
	},
	[P_REPEATS] = MK_PARAM_REPEATS(1),
	[P_PAGES] = {
		.name = "pages",
		.help = "pages of a sample, in the rows of local and interleaved memory",
		.kind = MK_PARAM_U32, .min = 1, .max = MK_SERVE_PAGES_MAX,
		.def = 16,
	},
	[P_NODES] = {
		.name = "nodes",
		.help = "nodes that use a global mapping, as far as there are; 0 sweeps",
		.kind = MK_PARAM_U32, .min = 0, .max = MK_SERVE_NODES_MAX,
		.def = 0,
	},
	[P_TRANSPORT] = {
		.name = "transport", .help = "how pagers agree, or every way in turn",
		.kind = MK_PARAM_CHOICE, .choices = transports,
	},
	[P_CPUS] = {
		.name = "cpus",
		.help = "CPUs to choose from: the first of each node",
		.kind = MK_PARAM_CPUS,
	},
};

const char *const mk_server_names[MK_SERVERS] = {
	[MK_SERVER_NONE] = "control",
	[MK_SERVER_KERNEL] = "kernel",
	[MK_SERVER_USERFAULTFD] = "userfaultfd",
	[MK_SERVER_SHM] = "pager_shm",
	[MK_SERVER_URPC] = "pager_urpc",
	[MK_SERVER_BOTH] = "pager_both",
};

static const struct mk_serve_row mk_serve_rows[] = {
	{ .metric = "fault_local", .nodes = 1 },
	{ .metric = "fault_local_polled", .nodes = 1, .how = MK_SERVE_POLL,
	  .spare = true },
	{ .metric = "fault_remote", .nodes = 2, .far = true },
	{ .metric = "fault_remote_polled", .nodes = 2, .far = true,
	  .how = MK_SERVE_POLL },
	{ .metric = "fault_asked", .nodes = 2, .how = MK_SERVE_ASK },
	{ .metric = "establish", .nodes = 1, .how = MK_SERVE_TABLES, .all = true,
	  .second = "unmap", .then = MK_SECOND_TAKE },
	{ .metric = "faults_node_local", .nodes = 1, .how = MK_SERVE_LOCAL,
	  .many = true, .second = "access_node_local",
	  .then = MK_SECOND_ACCESS },
	{ .metric = "faults_interleaved", .nodes = 2, .how = MK_SERVE_SPREAD,
	  .many = true, .second = "access_interleaved",
	  .then = MK_SECOND_ACCESS },
};

/* ---- a row ---- */

/* As in the row _p50: the nearest rank; samples are sorted by now. */
static u64 mk_serve_p50(const struct mk_serve_bench *bench, int way, int k)
{
	return bench->way[way].cycles[k][(bench->samples - 1) / 2];
}

/* The median of userfaultfd, where there is one, or 0. */
static u64 mk_serve_base(struct mk_serve_bench *bench, int k)
{
	struct mk_serving_way *way = &bench->way[MK_SERVER_USERFAULTFD];

	if (way->off)
		return 0;
	mk_stats_sort(way->cycles[k], bench->samples);
	return mk_serve_p50(bench, MK_SERVER_USERFAULTFD, k);
}

static int mk_serve_report(struct mk_serve_bench *bench, const char *metric,
			   int k)
{
	u64 base = mk_serve_base(bench, k);
	char ratio[40];
	int way, err = 0;

	snprintf(ratio, sizeof(ratio), "%s_ratio", metric);
	for (way = 0; way < MK_SERVERS && !err; way++) {
		if (bench->way[way].off)
			continue;
		bench->key.variant = mk_server_names[way];
		err = mk_run_samples(bench->run, &bench->key, metric, "cycles",
				     bench->way[way].cycles[k],
				     bench->samples);
		if (err || !base)
			continue;
		mk_stats_sort(bench->way[way].cycles[k], bench->samples);
		err = mk_run_milli(bench->run, &bench->key, ratio, "ratio",
				   div64_u64(mk_serve_p50(bench, way, k) * 1000,
					     base));
	}
	return err;
}

/* In all samples of the row together, those that were thrown away as well. */
static int mk_serve_report_served(struct mk_serve_bench *bench)
{
	static const char *const words[MK_SERVED_WORDS] = {
		"served", "notices", "messages", "sleeps",
	};
	char metric[40];
	int way, word, err = 0;

	for (way = MK_SERVER_USERFAULTFD; way < MK_SERVERS; way++) {
		if (bench->way[way].off)
			continue;
		bench->key.variant = mk_server_names[way];
		for (word = 0; word < MK_SERVED_WORDS && !err; word++) {
			snprintf(metric, sizeof(metric), "%s_%s",
				 bench->row->metric, words[word]);
			err = mk_run_value(bench->run, &bench->key, metric,
					   word == MK_SERVED_FAULTS ?
						   "faults" : words[word],
					   bench->way[way].served[word]);
		}
	}
	return err;
}

static bool mk_serve_wanted(const struct mk_serve_bench *bench, int way)
{
	u32 transport = mk_run_u32(bench->run, P_TRANSPORT);

	return way < MK_SERVER_SHM || !transport ||
	       way == MK_SERVER_SHM + (int)transport - 1;
}

static int mk_serve_cell(struct mk_serve_bench *bench, u32 nodes)
{
	const struct mk_serve_row *row = bench->row;
	int way, err;

	bench->nodes = nodes;
	bench->pages = row->many ? mk_run_u32(bench->run, P_PAGES) : 1;
	bench->key.size = row->all ? nodes : bench->max_nodes;
	for (way = 0; way < MK_SERVERS; way++) {
		bench->way[way].off = !mk_serve_wanted(bench, way);
		memset(bench->way[way].served, 0,
		       sizeof(bench->way[way].served));
	}
	err = mk_serve_turns(bench);
	err = err ?: mk_serve_report(bench, row->metric, 0);
	if (row->second)
		err = err ?: mk_serve_report(bench, row->second, 1);
	return err ?: mk_serve_report_served(bench);
}

/* ---- the sweep ---- */

static bool mk_serve_possible(const struct mk_serve_bench *bench)
{
	int node = cpu_to_node(bench->cpu[0]);

	if (bench->max_nodes < bench->row->nodes)
		return false;
	return !bench->row->spare ||
	       cpumask_weight(cpumask_of_node(node)) > 1;
}

static int mk_serve_sweep_nodes(struct mk_serve_bench *bench)
{
	u32 only = min(mk_run_u32(bench->run, P_NODES), bench->max_nodes);
	u32 max = bench->max_nodes, n;
	int err = 0;

	if (!bench->row->all)
		return mk_serve_cell(bench, bench->row->nodes == 1 ? 1 : max);
	/* 1, 2, 4 … and all of them */
	for (n = only ?: 1; n <= max && !err;
	     n = n < max ? min(2 * n, max) : max + 1) {
		err = mk_serve_cell(bench, n);
		if (only)
			break;
	}
	return err;
}

static int mk_serve_sweep(struct mk_serve_bench *bench)
{
	u32 repeats = mk_run_u32(bench->run, P_REPEATS);
	u32 rows = ARRAY_SIZE(mk_serve_rows), i;
	int err = 0;

	for (; bench->key.repeat < repeats && !err; bench->key.repeat++) {
		for (i = 0; i < rows && !err; i++) {
			bench->row = &mk_serve_rows[i];
			if (mk_serve_possible(bench))
				err = mk_serve_sweep_nodes(bench);
			mk_run_progress(bench->run,
					bench->key.repeat * rows + i + 1,
					repeats * rows);
		}
	}
	return err;
}

/* ---- the whole ---- */

/* One of each node that can have a server. */
static int mk_serve_choose(struct mk_serve_bench *bench)
{
	int cpu, node, err;

	err = mk_agents_needed(bench->agents, mk_run_cpus(bench->run, P_CPUS),
			       "pager");
	if (err)
		return err;
	/* In the order of nodes: so the memory is for them. */
	for_each_node_state(node, N_MEMORY) {
		cpu = cpumask_first_and(bench->agents, cpumask_of_node(node));
		if (node < MK_SERVE_NODES_MAX && cpu < nr_cpu_ids)
			bench->cpu[bench->max_nodes++] = cpu;
	}
	if (bench->max_nodes)
		return 0;
	pr_notice_ratelimited("experiments/pager: no node of CPUs %*pbl has memory\n",
			      cpumask_pr_args(bench->agents));
	return -ENODEV;
}

static int mk_serve_prepare(struct mk_serve_bench *bench)
{
	int way, k;

	if (!zalloc_cpumask_var(&bench->agents, GFP_KERNEL))
		return -ENOMEM;
	for (way = 0; way < MK_SERVERS; way++)
		for (k = 0; k < 2; k++) {
			bench->way[way].cycles[k] = kvcalloc(bench->samples,
							     sizeof(u64),
							     GFP_KERNEL);
			if (!bench->way[way].cycles[k])
				return -ENOMEM;
		}
	return mk_serve_choose(bench);
}

static void mk_serve_free(struct mk_serve_bench *bench)
{
	int way, k;

	for (way = 0; way < MK_SERVERS; way++)
		for (k = 0; k < 2; k++)
			kvfree(bench->way[way].cycles[k]);
	free_cpumask_var(bench->agents);
	kfree(bench);
}

static int mk_pager_run(struct mk_run *run)
{
	struct mk_serve_bench *bench = kzalloc(sizeof(*bench), GFP_KERNEL);
	struct mk_key key = {
		.variant = "agents", .cpu_a = -1, .cpu_b = -1, .mem_node = -1,
	};
	cpumask_var_t allowed;
	int err = -ENOMEM;

	if (!bench)
		return -ENOMEM;
	bench->run = run;
	bench->key = key;
	bench->samples = mk_run_u32(run, P_SAMPLES);
	bench->warmup = mk_run_u32(run, P_WARMUP);
	if (zalloc_cpumask_var(&allowed, GFP_KERNEL)) {
		err = mk_serve_prepare(bench);
		err = err ?: mk_run_value(run, &key, "nodes", "nodes",
					  bench->max_nodes);
		/* Elsewhere the caller would take a CPU away from who polls. */
		if (!err) {
			cpumask_copy(allowed, current->cpus_ptr);
			err = set_cpus_allowed_ptr(current,
						   cpumask_of(bench->cpu[0]));
		}
		if (!err) {
			bench->key.cpu_a = bench->cpu[0];
			err = mk_serve_sweep(bench);
			set_cpus_allowed_ptr(current, allowed);
		}
		free_cpumask_var(allowed);
	}
	mk_serve_free(bench);
	return err;
}

const struct mk_experiment mk_exp_pager = {
	.name = "pager",
	.help = "faults that pagers serve, and global unmaps, beside userfaultfd",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.agents = true,
	.run = mk_pager_run,
};
