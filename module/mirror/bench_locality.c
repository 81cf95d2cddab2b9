// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment mirror_locality: on which nodes the page walks of each CPU read,
 * for a process that is mirrored and for one that is not.
 *
 * It works on the process of whoever writes to run, which brings agents. The
 * first of them maps a range of memory and writes to it, so that Linux has the
 * page tables on that node. Then each in turn goes round all of it in user
 * space. Meanwhile an interrupt on its CPU takes what is in CR3, and goes the
 * way of a page walk from there for each page: each page-table page that lies
 * on the CPU's own node is a local one.
 *
 * Variants, one sample of each in a round, in an order that changes:
 *	unmirrored	as Linux does it
 *	mirrored
 *	control		unmirrored again
 *
 * Per CPU (cpu_a): local, the share of reads that are local, local_level<N>, the
 * same of one level (1 is the lowest), and walks, how many there were. Beside
 * it stands loops: how often the agent got round meanwhile, without the time of
 * the walks.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/topology.h>
#include <asm/processor.h>

#include "module/agent.h"
#include "module/clock.h"
#include "module/experiment.h"
#include "module/mirror/mirror.h"
#include "module/mirror/table.h"
#include "urpc/bench.h"

enum {
	P_SAMPLES,
	P_REPEATS,
	P_PAGES,
	P_CPUS,
};

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(32),
	[P_REPEATS] = MK_PARAM_REPEATS(1),
	[P_PAGES] = {
		.name = "pages", .help = "pages of the range",
		.kind = MK_PARAM_U32, .min = 1, .max = 65536, .def = 2048,
	},
	[P_CPUS] = {
		.name = "cpus", .help = "CPUs to look at, the writer first",
		.kind = MK_PARAM_CPUS,
	},
};

enum mk_locality_way {
	MK_LOCALITY_UNMIRRORED,
	MK_LOCALITY_MIRRORED,
	MK_LOCALITY_CONTROL,
	MK_LOCALITY_WAYS
};

static const char *const mk_locality_way_name[] = {
	"unmirrored", "mirrored", "control",
};

/* So long an agent goes round, for one sample; so many pages one look walks. */
#define MK_LOCALITY_SPIN_US	5000
#define MK_LOCALITY_LOOK_PAGES	256

/**
 * struct mk_locality_count - reads of page walks, by level from 1 on
 * @local: from the CPU's own node
 * @all: from any
 * @walks: that ended at a page
 */
struct mk_locality_count {
	u64 local[MK_TABLE_LEVELS_MAX + 1];
	u64 all[MK_TABLE_LEVELS_MAX + 1];
	u64 walks;
};

/**
 * struct mk_locality_look - one look at a CPU
 * @mm: that has to be there
 * @address: of the first page
 * @pages: how many
 * @count: added to
 * @found: @mm was there
 */
struct mk_locality_look {
	struct mm_struct *mm;
	unsigned long address;
	u32 pages;
	struct mk_locality_count *count;
	bool found;
};

/**
 * struct mk_locality_exp - the experiment
 * @run: the run
 * @key: of its rows
 * @agents: CPUs that are looked at
 * @samples: per CPU and variant
 * @pages: of the range
 * @address: of the range
 * @stray: an agent did not come back: the range has to stay
 * @count: by variant and CPU
 * @loops: of one sample, by variant and CPU: @samples in a row
 */
struct mk_locality_exp {
	struct mk_run *run;
	struct mk_key key;
	cpumask_var_t agents;
	u32 samples, pages;
	unsigned long address;
	bool stray;
	struct mk_locality_count *count[MK_LOCALITY_WAYS];
	u64 *loops[MK_LOCALITY_WAYS];
};

/* ---- a look at a CPU ---- */

/* With interrupts off Linux frees no page-table page, nor does a mirror. */
static void mk_locality_walk(struct mk_locality_count *count, const u64 *root,
			     unsigned long address)
{
	int levels = pgtable_l5_enabled() ? 5 : 4;
	int nodes[MK_TABLE_LEVELS_MAX];
	int i, n, level;

	if (!(mk_walk_get(root, levels, address, &level) & _PAGE_PRESENT))
		return;
	n = mk_walk_nodes(root, levels, address, nodes);
	for (i = 0; i < n; i++) {
		count->all[levels - i]++;
		count->local[levels - i] += nodes[i] == numa_node_id();
	}
	count->walks++;
}

static void mk_locality_interrupt(void *arg)
{
	struct mk_locality_look *look = arg;
	const u64 *root = __va(read_cr3_pa());
	u32 i;

	if (current->mm != look->mm)
		return;
	for (i = 0; i < look->pages; i++)
		mk_locality_walk(look->count, root,
				 look->address + (unsigned long)i * PAGE_SIZE);
	look->found = true;
}

/* All of the range, if the agent is at work meanwhile. */
static void mk_locality_look(struct mk_locality_exp *loc, int cpu,
			     struct mk_locality_count *count)
{
	struct mk_locality_look look = { .mm = current->mm, .count = count };
	u64 start = mk_cycles();
	u32 page = 0;

	while (page < loc->pages &&
	       mk_cycles() - start < mk_clock_us(MK_LOCALITY_SPIN_US)) {
		look.address = loc->address + (unsigned long)page * PAGE_SIZE;
		look.pages = min_t(u32, loc->pages - page,
				   MK_LOCALITY_LOOK_PAGES);
		look.found = false;
		if (smp_call_function_single(cpu, mk_locality_interrupt, &look,
					     1))
			return;
		if (look.found)
			page += look.pages;
		usleep_range(100, 200);
	}
}

/* ---- a sample ---- */

static int mk_locality_job(struct mk_locality_exp *loc, int cpu, enum mk_job kind)
{
	const struct mk_agent_order order = {
		.kind = kind,
		.pages = loc->pages,
		.address = loc->address,
		.count = 1,
	};
	struct mk_agent_result result = { };
	int err = mk_agent_do(loc->run, cpu, &order, &result);

	if (err == -ETIMEDOUT || err == -EINTR || err == -ECANCELED)
		loc->stray = true;
	return err;
}

static int mk_locality_cpu(struct mk_locality_exp *loc, int cpu,
			   struct mk_locality_count *count, u64 *loops)
{
	const struct mk_agent_order order = {
		.kind = MK_JOB_SPIN,
		.pages = loc->pages,
		.address = loc->address,
		.cycles = mk_clock_us(MK_LOCALITY_SPIN_US),
	};
	struct mk_agent_result result = { };
	int err;

	/* Everything it will find is there, on its node too. */
	err = mk_locality_job(loc, cpu, MK_JOB_TOUCH);
	/* Undisturbed, then looked at. */
	err = err ?: mk_agent_do(loc->run, cpu, &order, &result);
	if (!err) {
		*loops = div_u64(result.loops * 1000 * loc->pages,
				 MK_LOCALITY_SPIN_US);
		err = mk_agent_give(cpu, &order);
		if (err)
			return err;
		mk_locality_look(loc, cpu, count);
		err = mk_agent_take(cpu, &result, MSEC_PER_SEC);
	}
	if (err == -ETIMEDOUT || err == -EINTR || err == -ECANCELED)
		loc->stray = true;
	return err ?: result.error;
}

static int mk_locality_sample(struct mk_locality_exp *loc, int way, u32 n)
{
	struct mk_mirror *mirror = NULL;
	int cpu, err;

	if (way == MK_LOCALITY_MIRRORED) {
		mirror = mk_mirror_attach(task_tgid(current),
					  "mirror_locality");
		if (IS_ERR(mirror))
			return PTR_ERR(mirror);
	}
	err = mk_locality_job(loc, cpumask_first(loc->agents), MK_JOB_FAULT);
	for_each_cpu(cpu, loc->agents) {
		err = err ?: mk_locality_cpu(loc, cpu, &loc->count[way][cpu],
					     &loc->loops[way][cpu *
							      loc->samples +
							      n]);
		err = err ?: mk_run_stopped(loc->run);
	}
	if (mirror) {
		mk_mirror_detach(mirror);
		mk_mirror_put(mirror);
	}
	return err;
}

/* ---- the rows ---- */

static int mk_locality_share(struct mk_locality_exp *loc, const char *metric,
			     u64 local, u64 all)
{
	return mk_run_milli(loc->run, &loc->key, metric, "share",
			    div64_u64(local * 1000, all));
}

static int mk_locality_row(struct mk_locality_exp *loc, int way, int cpu)
{
	const struct mk_locality_count *count = &loc->count[way][cpu];
	u64 local = 0, all = 0;
	char metric[32];
	int level, err;

	loc->key.variant = mk_locality_way_name[way];
	loc->key.cpu_a = cpu;
	err = mk_run_value(loc->run, &loc->key, "walks", "walks",
			   count->walks);
	for (level = MK_TABLE_LEVELS_MAX; level && !err; level--) {
		if (!count->all[level])
			continue;
		local += count->local[level];
		all += count->all[level];
		snprintf(metric, sizeof(metric), "local_level%d", level);
		err = mk_locality_share(loc, metric, count->local[level],
					count->all[level]);
	}
	if (all)
		err = err ?: mk_locality_share(loc, "local", local, all);
	return err ?: mk_run_samples(loc->run, &loc->key, "loops", "pages/ms",
				     &loc->loops[way][cpu * loc->samples],
				     loc->samples);
}

static int mk_locality_report(struct mk_locality_exp *loc)
{
	int way, cpu, err = 0;

	for_each_cpu(cpu, loc->agents)
		for (way = 0; way < MK_LOCALITY_WAYS && !err; way++)
			err = mk_locality_row(loc, way, cpu);
	for (way = 0; way < MK_LOCALITY_WAYS; way++)
		memset(loc->count[way], 0,
		       array_size(nr_cpu_ids, sizeof(*loc->count[way])));
	return err;
}

/* ---- the whole ---- */

static int mk_locality_repeats(struct mk_locality_exp *loc)
{
	u32 repeats = mk_run_u32(loc->run, P_REPEATS);
	int i, err = 0;
	u32 n;

	for (; loc->key.repeat < repeats && !err; loc->key.repeat++) {
		for (n = 0; n < loc->samples && !err; n++) {
			for (i = 0; i < MK_LOCALITY_WAYS && !err; i++)
				err = mk_locality_sample(loc, (n + i) %
							 MK_LOCALITY_WAYS, n);
			mk_run_progress(loc->run, (u64)loc->key.repeat *
					loc->samples + n,
					(u64)repeats * loc->samples);
		}
		err = err ?: mk_locality_report(loc);
	}
	return err;
}

static int mk_locality_prepare(struct mk_locality_exp *loc)
{
	int way;

	if (!zalloc_cpumask_var(&loc->agents, GFP_KERNEL))
		return -ENOMEM;
	for (way = 0; way < MK_LOCALITY_WAYS; way++) {
		loc->count[way] = kvcalloc(nr_cpu_ids,
					   sizeof(*loc->count[way]),
					   GFP_KERNEL);
		loc->loops[way] = kvcalloc(nr_cpu_ids,
					   array_size(loc->samples,
						      sizeof(u64)),
					   GFP_KERNEL);
		if (!loc->count[way] || !loc->loops[way])
			return -ENOMEM;
	}
	return mk_agents_needed(loc->agents, mk_run_cpus(loc->run, P_CPUS),
				"mirror_locality");
}

static void mk_locality_free(struct mk_locality_exp *loc)
{
	int way;

	for (way = 0; way < MK_LOCALITY_WAYS; way++) {
		kvfree(loc->count[way]);
		kvfree(loc->loops[way]);
	}
	free_cpumask_var(loc->agents);
	kfree(loc);
}

static int mk_locality_range(struct mk_locality_exp *loc)
{
	unsigned long len = (unsigned long)loc->pages << PAGE_SHIFT;
	bool huge;
	int err;

	loc->address = vm_mmap(NULL, 0, len, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(loc->address))
		return loc->address;
	/* As prctl(PR_SET_THP_DISABLE) does it: walks with all their levels. */
	huge = !test_and_set_bit(MMF_DISABLE_THP, &current->mm->flags);
	err = mk_locality_repeats(loc);
	if (huge)
		clear_bit(MMF_DISABLE_THP, &current->mm->flags);
	/* An agent that is still in there would die of it. */
	if (!loc->stray)
		vm_munmap(loc->address, len);
	return err;
}

static int mk_locality_run(struct mk_run *run)
{
	struct mk_locality_exp *loc = kzalloc(sizeof(*loc), GFP_KERNEL);
	struct mk_key key = { .cpu_a = -1, .cpu_b = -1, .mem_node = -1 };
	int err;

	if (!loc)
		return -ENOMEM;
	loc->run = run;
	loc->samples = mk_run_u32(run, P_SAMPLES);
	loc->pages = mk_run_u32(run, P_PAGES);
	loc->key = key;
	loc->key.size = loc->pages;
	err = mk_locality_prepare(loc);
	if (!err) {
		loc->key.mem_node = cpu_to_node(cpumask_first(loc->agents));
		err = mk_locality_range(loc);
	}
	mk_locality_free(loc);
	return err;
}

const struct mk_experiment mk_exp_mirror_locality = {
	.name = "mirror_locality",
	.help = "on which nodes each CPU's page walks read, mirrored and not (ASPLOS'20 figure 1)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.agents = true,
	.run = mk_locality_run,
};
