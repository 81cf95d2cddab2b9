// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment mirror_ops: what a mirror costs the calls that change page tables
 * (Achermann et al., Mitosis, ASPLOS 2020, table 5).
 *
 * It works on the process of whoever writes to run, which brings agents, one of
 * them on each node. The first does the calls on a range of its own memory; the
 * others read the range before each call that takes something away, so that
 * every one of so many nodes has a replica of it. Timed in the first agent, in
 * user space:
 *	mmap		mmap() of the range with MAP_POPULATE
 *	fault		writes to all of it after MADV_DONTNEED
 *	mprotect	mprotect() to read-only
 *	munmap		munmap()
 * and in those of the other nodes
 *	touch		reads of all of it, the first since another node wrote
 *
 * Variants, so many samples of each in turn, and in an order that changes:
 *	unmirrored	as Linux does it
 *	direct		mirrored; who invalidates clears the replicas
 *	message		mirrored; each node's leader clears its own
 *	control		unmirrored again: how far two equal things differ here
 *
 * The metric is <operation>_<pages>p, the size column the number of nodes.
 * Beside it stands <operation>_<pages>p_ratio, the median by that of unmirrored
 * in the same rounds. fills_<pages>p is how many leaves were filled in replicas,
 * in all samples together. Pages are 4 KiB: the process does without huge ones.
 */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/slab.h>

#include "module/agent.h"
#include "module/clock.h"
#include "module/experiment.h"
#include "module/mirror/mirror.h"
#include "module/stats.h"
#include "urpc/bench.h"

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_PAGES,
	P_NODES,
	P_CPUS,
};

/* 4 KiB, 8 MiB and 4 GiB, or what fits; under emulation 8 MiB at most. */
#define MK_OPS_PAGES_MAX	1048576
#define MK_OPS_EMULATED_MAX	2048u
static const u32 mk_ops_sweep[] = { 1, 2048, MK_OPS_PAGES_MAX };

/* Samples of one variant before the next has its turn. */
#define MK_OPS_BATCH		16

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(64),
	[P_WARMUP] = {
		.name = "warmup",
		.help = "samples at the begin of each turn, thrown away",
		.kind = MK_PARAM_U32, .min = 1, .max = 100, .def = 4,
	},
	[P_REPEATS] = MK_PARAM_REPEATS(1),
	[P_PAGES] = {
		.name = "pages",
		.help = "pages of the range; 0 sweeps 1, 2048 and what fits",
		.kind = MK_PARAM_U32, .min = 0, .max = MK_OPS_PAGES_MAX,
		.def = 0,
	},
	[P_NODES] = {
		.name = "nodes",
		.help = "nodes that use it, as far as there are; 0 sweeps",
		.kind = MK_PARAM_U32, .min = 0, .max = 1024, .def = 0,
	},
	[P_CPUS] = {
		.name = "cpus", .help = "CPUs to choose from, the caller first",
		.kind = MK_PARAM_CPUS,
	},
};

enum mk_ops_op {
	MK_OPS_MMAP,
	MK_OPS_FAULT,
	MK_OPS_TOUCH,
	MK_OPS_MPROTECT,
	MK_OPS_MUNMAP,
	MK_OPS_KINDS
};

static const struct mk_ops_what {
	const char *name;
	enum mk_job job;
	bool others;		/* who does it: the agents of the other nodes */
	bool read_first;	/* they read the range before it */
} mk_ops_what[MK_OPS_KINDS] = {
	[MK_OPS_MMAP] = { "mmap", MK_JOB_MMAP },
	[MK_OPS_FAULT] = { "fault", MK_JOB_FAULT },
	[MK_OPS_TOUCH] = { "touch", MK_JOB_TOUCH, .others = true },
	[MK_OPS_MPROTECT] = { "mprotect", MK_JOB_MPROTECT },
	[MK_OPS_MUNMAP] = { "munmap", MK_JOB_MUNMAP, .read_first = true },
};

enum mk_ops_way {
	MK_OPS_UNMIRRORED,
	MK_OPS_DIRECT,
	MK_OPS_MESSAGE,
	MK_OPS_CONTROL,
	MK_OPS_WAYS
};

static const char *const mk_ops_way_name[] = {
	"unmirrored", "direct", "message", "control",
};

/**
 * struct mk_ops - the experiment
 * @run: the run
 * @key: of its rows
 * @agents: CPUs with an agent
 * @cpu: CPUs that take part, each on a node of its own, the caller's first
 * @max_nodes: how many there are
 * @nodes: how many of them use the range now
 * @samples: per row
 * @warmup: before them, each turn
 * @pages: of the range
 * @address: of the range
 * @stray: an agent did not come back: the range may not be touched any more
 * @cycles: samples of each variant and operation
 * @fills: leaves of replicas filled in, by variant, in one cell
 */
struct mk_ops {
	struct mk_run *run;
	struct mk_key key;
	cpumask_var_t agents;
	int *cpu;
	u32 max_nodes, nodes, samples, warmup, pages;
	unsigned long address;
	bool stray;
	u64 *cycles[MK_OPS_WAYS][MK_OPS_KINDS];
	u64 fills[MK_OPS_WAYS];
};

/* ---- one operation ---- */

static int mk_ops_job(struct mk_ops *ops, int cpu, enum mk_job kind,
		      u64 *sample)
{
	const struct mk_agent_order order = {
		.kind = kind,
		.pages = ops->pages,
		.address = ops->address,
		.count = 1,
	};
	struct mk_agent_result result = { .samples = sample, .room = 1 };
	int err = mk_agent_do(ops->run, cpu, &order, &result);

	if (err == -ETIMEDOUT || err == -EINTR || err == -ECANCELED)
		ops->stray = true;
	return err ?: result.nr == 1 ? 0 : -EIO;
}

/* The slowest of the other nodes' is the sample. */
static int mk_ops_touch(struct mk_ops *ops, u64 *sample)
{
	u64 cycles;
	u32 i;
	int err;

	*sample = 0;
	for (i = 1; i < ops->nodes; i++) {
		err = mk_ops_job(ops, ops->cpu[i], MK_JOB_TOUCH, &cycles);
		if (err)
			return err;
		*sample = max(*sample, cycles);
	}
	return 0;
}

/* One of each, in an order in which each finds what it needs. */
static int mk_ops_sample(struct mk_ops *ops, u64 sample[MK_OPS_KINDS])
{
	u64 unused;
	int i, err = 0;

	for (i = 0; i < MK_OPS_KINDS && !err; i++) {
		const struct mk_ops_what *what = &mk_ops_what[i];

		if (what->read_first)
			err = mk_ops_touch(ops, &unused);
		if (err)
			break;
		if (what->others)
			err = mk_ops_touch(ops, &sample[i]);
		else
			err = mk_ops_job(ops, ops->cpu[0], what->job,
					 &sample[i]);
	}
	return err ?: mk_run_stopped(ops->run);
}

/* ---- a turn of a variant ---- */

static int mk_ops_turn(struct mk_ops *ops, int way, u32 first, u32 n)
{
	u64 sample[MK_OPS_KINDS];
	struct mk_mirror *mirror = NULL;
	int op, err = 0;
	u32 i;

	if (way == MK_OPS_DIRECT || way == MK_OPS_MESSAGE) {
		mirror = mk_mirror_attach(task_tgid(current), "mirror_ops");
		if (IS_ERR(mirror))
			return PTR_ERR(mirror);
		mk_mirror_set_invalidate(way == MK_OPS_MESSAGE ?
					 MK_INVALIDATE_MESSAGE :
					 MK_INVALIDATE_DIRECT);
	}
	for (i = 0; i < ops->warmup + n && !err; i++) {
		err = mk_ops_sample(ops, sample);
		if (err || i < ops->warmup)
			continue;
		for (op = 0; op < MK_OPS_KINDS; op++)
			ops->cycles[way][op][first + i - ops->warmup] =
				mk_clock_span(0, sample[op]);
	}
	if (mirror) {
		ops->fills[way] += mk_mirror_fills(mirror);
		mk_mirror_detach(mirror);
		mk_mirror_put(mirror);
	}
	return err;
}

static int mk_ops_turns(struct mk_ops *ops)
{
	u32 first, turn;
	int i, err = 0;

	for (first = 0, turn = 0; first < ops->samples && !err;
	     first += MK_OPS_BATCH, turn++) {
		u32 n = min_t(u32, ops->samples - first, MK_OPS_BATCH);

		for (i = 0; i < MK_OPS_WAYS && !err; i++)
			err = mk_ops_turn(ops, (turn + i) % MK_OPS_WAYS, first,
					  n);
	}
	return err;
}

/* ---- a cell ---- */

/* As in the row _p50: the nearest rank. */
static u64 mk_ops_p50(const struct mk_ops *ops, int way, int op)
{
	mk_stats_sort(ops->cycles[way][op], ops->samples);
	return ops->cycles[way][op][(ops->samples - 1) / 2];
}

static int mk_ops_report(struct mk_ops *ops, int op)
{
	u64 base = mk_ops_p50(ops, MK_OPS_UNMIRRORED, op);
	char metric[32];
	int way, err = 0;

	if (mk_ops_what[op].others && ops->nodes == 1)
		return 0;
	for (way = 0; way < MK_OPS_WAYS && !err; way++) {
		u64 *cycles = ops->cycles[way][op];

		ops->key.variant = mk_ops_way_name[way];
		snprintf(metric, sizeof(metric), "%s_%up",
			 mk_ops_what[op].name, ops->pages);
		err = mk_run_samples(ops->run, &ops->key, metric, "cycles",
				     cycles, ops->samples);
		if (err || !base)
			continue;
		snprintf(metric, sizeof(metric), "%s_%up_ratio",
			 mk_ops_what[op].name, ops->pages);
		err = mk_run_milli(ops->run, &ops->key, metric, "ratio",
				   div64_u64(mk_ops_p50(ops, way, op) * 1000,
					     base));
	}
	return err;
}

/* That it was mirrored, and that it was not. */
static int mk_ops_report_fills(struct mk_ops *ops)
{
	char metric[32];
	int way, err = 0;

	snprintf(metric, sizeof(metric), "fills_%up", ops->pages);
	for (way = 0; way < MK_OPS_WAYS && !err; way++) {
		ops->key.variant = mk_ops_way_name[way];
		err = mk_run_value(ops->run, &ops->key, metric, "leaves",
				   ops->fills[way]);
		ops->fills[way] = 0;
	}
	return err;
}

static int mk_ops_cell(struct mk_ops *ops, u32 pages, u32 nodes)
{
	unsigned long address, len = (unsigned long)pages << PAGE_SHIFT;
	int op, err;

	address = vm_mmap(NULL, 0, len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(address))
		return address;
	ops->address = address;
	ops->pages = pages;
	ops->nodes = nodes;
	ops->key.size = nodes;
	err = mk_ops_turns(ops);
	/* An agent that is still in there would die of it. */
	if (!ops->stray)
		vm_munmap(address, len);
	for (op = 0; op < MK_OPS_KINDS && !err; op++)
		err = mk_ops_report(ops, op);
	return err ?: mk_ops_report_fills(ops);
}

/* ---- the sweep ---- */

/* At most a quarter of the memory that is free. */
static u32 mk_ops_fits(u32 pages)
{
	unsigned long available = max(si_mem_available(), 0L);

	return clamp_t(unsigned long, available / 4, 1, pages);
}

/* Emulated, a page fault takes as long as a hundred. */
static u32 mk_ops_bearable(u32 pages)
{
	if (mk_clock_emulated())
		pages = min(pages, MK_OPS_EMULATED_MAX);
	return mk_ops_fits(pages);
}

static int mk_ops_sweep_pages(struct mk_ops *ops, u32 nodes)
{
	u32 only = mk_run_u32(ops->run, P_PAGES), pages;
	int i, err = 0;

	if (only)
		return mk_ops_cell(ops, mk_ops_fits(only), nodes);
	for (i = 0; i < ARRAY_SIZE(mk_ops_sweep) && !err; i++) {
		pages = mk_ops_bearable(mk_ops_sweep[i]);
		/* No more fits. */
		if (i && pages <= mk_ops_sweep[i - 1])
			break;
		err = mk_ops_cell(ops, pages, nodes);
	}
	return err;
}

static int mk_ops_sweep_nodes(struct mk_ops *ops)
{
	u32 only = min(mk_run_u32(ops->run, P_NODES), ops->max_nodes);
	u32 repeats = mk_run_u32(ops->run, P_REPEATS);
	u32 max = ops->max_nodes, n;
	int err = 0;

	for (; ops->key.repeat < repeats && !err; ops->key.repeat++) {
		/* 1, 2, 4 … and all of them */
		for (n = only ?: 1; n <= max && !err;
		     n = n < max ? min(2 * n, max) : max + 1) {
			err = mk_ops_sweep_pages(ops, n);
			mk_run_progress(ops->run, ops->key.repeat * max + n,
					repeats * max);
			if (only)
				break;
		}
	}
	return err;
}

/* ---- the whole ---- */

/* The first CPU with an agent, and one of each other node. */
static int mk_ops_choose(struct mk_ops *ops)
{
	nodemask_t seen = NODE_MASK_NONE;
	int cpu, err;

	err = mk_agents_needed(ops->agents, mk_run_cpus(ops->run, P_CPUS),
			       "mirror_ops");
	if (err)
		return err;
	for_each_cpu(cpu, ops->agents)
		if (!node_test_and_set(cpu_to_node(cpu), seen))
			ops->cpu[ops->max_nodes++] = cpu;
	return 0;
}

static int mk_ops_prepare(struct mk_ops *ops)
{
	int way, op;

	ops->cpu = kcalloc(nr_node_ids, sizeof(*ops->cpu), GFP_KERNEL);
	if (!ops->cpu || !zalloc_cpumask_var(&ops->agents, GFP_KERNEL))
		return -ENOMEM;
	for (way = 0; way < MK_OPS_WAYS; way++)
		for (op = 0; op < MK_OPS_KINDS; op++) {
			ops->cycles[way][op] = kvcalloc(ops->samples,
							sizeof(u64),
							GFP_KERNEL);
			if (!ops->cycles[way][op])
				return -ENOMEM;
		}
	return mk_ops_choose(ops);
}

static void mk_ops_free(struct mk_ops *ops)
{
	int way, op;

	for (way = 0; way < MK_OPS_WAYS; way++)
		for (op = 0; op < MK_OPS_KINDS; op++)
			kvfree(ops->cycles[way][op]);
	free_cpumask_var(ops->agents);
	kfree(ops->cpu);
	kfree(ops);
}

static int mk_ops_run(struct mk_run *run)
{
	struct mk_ops *ops = kzalloc(sizeof(*ops), GFP_KERNEL);
	struct mk_key key = {
		.variant = "agents", .cpu_a = -1, .cpu_b = -1, .mem_node = -1,
	};
	enum mk_invalidate invalidate;
	bool huge;
	int err;

	if (!ops)
		return -ENOMEM;
	ops->run = run;
	ops->key = key;
	ops->samples = mk_run_u32(run, P_SAMPLES);
	ops->warmup = mk_run_u32(run, P_WARMUP);
	err = mk_ops_prepare(ops);
	err = err ?: mk_run_value(run, &key, "nodes", "nodes", ops->max_nodes);
	if (!err) {
		/* As prctl(PR_SET_THP_DISABLE) does it. */
		huge = !test_and_set_bit(MMF_DISABLE_THP, &current->mm->flags);
		ops->key.cpu_a = ops->cpu[0];
		invalidate = mk_mirror_invalidate();
		err = mk_ops_sweep_nodes(ops);
		mk_mirror_set_invalidate(invalidate);
		if (huge)
			clear_bit(MMF_DISABLE_THP, &current->mm->flags);
	}
	mk_ops_free(ops);
	return err;
}

const struct mk_experiment mk_exp_mirror_ops = {
	.name = "mirror_ops",
	.help = "mmap, fault, mprotect and munmap, mirrored and not (ASPLOS'20 table 5)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.agents = true,
	.run = mk_ops_run,
};
