// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment unmap: what it costs to take pages of memory away from every CPU
 * that uses them, end to end (Baumann et al., SOSP 2009, figure 7).
 *
 * It runs in the mm of whoever writes to run: a region is mapped there, the
 * monitors of the CPUs adopt the mm, and before each operation every one of
 * them touches the pages. Timed is the operation in the monitor of the first
 * CPU: PTEs cleared, and nobody left that could use the old ones. The size
 * column is the number of CPUs, the initiator's included; 1 is alone.
 *
 * Variants, one sample of each in a round, in an order that changes. One page is
 * also measured in turns of four operations of a variant, the last of which is the
 * sample: it finds what it needs in the caches, and its metric ends with _warm.
 *	linux		zap_vma_ptes() on the same region: Linux's own path
 *	linux-mprotect	mprotect() of ordinary memory, by a user thread
 *	linux-munmap	munmap() likewise
 *	ipi … lazy	the protocols of shootdown/
 *	ipi-again, unicast-again, adaptive-again
 *			those whose ratio is of interest a second time: how far
 *			equals differ. All three, since whatever is there twice is
 *			warm twice as often.
 *	control		the same loop with nothing to do
 *
 * The metric is cost, with _<targets> after it unless the other CPUs' monitors
 * poll, and _<pages>p unless it is one page. Beside it stands what was counted
 * in the same operations, divided by their number: ipis, the function call
 * interrupts that those CPUs took, by the kernel's own count, and messages.
 *
 * While each protocol runs on and on, user threads on the other CPUs count how
 * often they get round a loop: loops, and for nothing running loops of quiet.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "module/agent.h"
#include "module/device.h"
#include "shootdown/bench_unmap.h"
#include "shootdown/region.h"
#include "shootdown/shootdown.h"
#include "shootdown/space.h"

enum {
	P_SAMPLES,
	P_WARMUP,
	P_TURN,
	P_REPEATS,
	P_PROTOCOL,
	P_TARGETS,
	P_PAGES,
	P_CORES,
	P_CPUS,
};

/* What the parameter pages sweeps: either side of the ceiling of INVLPG. */
static const u32 mk_unmap_sweep[] = { 1, 8, 64 };

/* Operations in a row, for a sample that finds the caches warm. */
#define MK_UNMAP_WARM	4

/* Words of the parameter protocol: all, and MK_PROTOCOLS in their order. */
static const char *const protocols[] = {
	"all",
#define MK_UNMAP_PROTOCOL(symbol, name)	name,
	MK_PROTOCOL_LIST(MK_UNMAP_PROTOCOL)
#undef MK_UNMAP_PROTOCOL
	NULL
};

const char *const mk_unmap_states[] = {
	"all", "polling", "blocked", "busy", "mix", NULL
};

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(200),
	[P_WARMUP] = MK_PARAM_WARMUP(10),
	[P_REPEATS] = MK_PARAM_REPEATS(3),
	[P_TURN] = {
		.name = "turn",
		.help = "of a variant in a row, the last is measured; 0: 1, and 4 (warm)",
		.kind = MK_PARAM_U32, .min = 0, .max = 64, .def = 0,
	},
	[P_PROTOCOL] = {
		.name = "protocol", .help = "which one, or every one in turn",
		.kind = MK_PARAM_CHOICE, .choices = protocols,
	},
	[P_TARGETS] = {
		.name = "targets", .help = "what the other CPUs are doing",
		.kind = MK_PARAM_CHOICE, .choices = mk_unmap_states,
	},
	[P_PAGES] = {
		.name = "pages", .help = "pages per operation; 0 sweeps 1, 8, 64",
		.kind = MK_PARAM_U32, .min = 0, .max = MK_OP_PAGES_MAX, .def = 0,
	},
	[P_CORES] = {
		.name = "cores",
		.help = "CPUs that use the pages, as far as there are; 0 sweeps",
		.kind = MK_PARAM_U32, .min = 0, .max = 4096, .def = 0,
	},
	[P_CPUS] = {
		.name = "cpus", .help = "them, the initiator first",
		.kind = MK_PARAM_CPUS,
	},
};

/* ---- the sweep ---- */

static bool mk_unmap_has_agents(const struct mk_unmap *unmap,
				enum mk_target_state state)
{
	return state < MK_TARGETS_BUSY ||
	       cpumask_subset(unmap->targets.cpus, unmap->agents);
}

/* Both kinds of turns: who comes after others, and after its like. */
static int mk_unmap_turns(struct mk_unmap *unmap, enum mk_target_state state,
			  u32 pages, bool both)
{
	u32 turn = mk_run_u32(unmap->run, P_TURN);
	int err;

	unmap->turn = turn ?: 1;
	err = mk_unmap_cell(unmap, state, pages);
	if (err || turn || !both)
		return err;
	unmap->turn = MK_UNMAP_WARM;
	unmap->warm = true;
	err = mk_unmap_cell(unmap, state, pages);
	unmap->warm = false;
	return err;
}

/*
 * All page counts with polling targets, the first with all other states; and the
 * first in both kinds of turns.
 */
static int mk_unmap_cells(struct mk_unmap *unmap)
{
	u32 chosen = mk_run_u32(unmap->run, P_TARGETS);
	u32 only = mk_run_u32(unmap->run, P_PAGES);
	u32 i, state, pages;
	int err = 0;

	for (state = 0; state < MK_TARGETS_STATES && !err; state++) {
		if (chosen && state != chosen - 1)
			continue;
		/* alone, there is nobody to be in a state */
		if (!chosen && state && unmap->key.size == 1)
			continue;
		if (!mk_unmap_has_agents(unmap, state))
			continue;
		for (i = 0; i < ARRAY_SIZE(mk_unmap_sweep) && !err; i++) {
			pages = only ?: mk_unmap_sweep[i];
			if (i && (only || (state && !chosen)))
				break;
			err = mk_unmap_turns(unmap, state, pages, !i);
		}
	}
	return err;
}

/* The first @n CPUs of the list: the initiator, and its targets. */
static int mk_unmap_members(struct mk_unmap *unmap, u32 n)
{
	const struct cpumask *cpus = mk_run_cpus(unmap->run, P_CPUS);
	int cpu;

	mk_space_leave(unmap->targets.space, cpus);
	cpumask_clear(unmap->members);
	for_each_cpu(cpu, cpus)
		if (n) {
			cpumask_set_cpu(cpu, unmap->members);
			n--;
		}
	unmap->key.size = cpumask_weight(unmap->members);
	cpumask_copy(unmap->targets.cpus, unmap->members);
	cpumask_clear_cpu(unmap->initiator, unmap->targets.cpus);
	return mk_space_adopt(unmap->targets.space, unmap->members);
}

static int mk_unmap_sweep_cores(struct mk_unmap *unmap)
{
	u32 max = cpumask_weight(mk_run_cpus(unmap->run, P_CPUS));
	u32 only = min(mk_run_u32(unmap->run, P_CORES), max);
	u32 repeats = mk_run_u32(unmap->run, P_REPEATS);
	u32 n;
	int err = 0;

	for (; unmap->key.repeat < repeats && !err; unmap->key.repeat++) {
		/* 1, 2, 4 … and all of them */
		for (n = only ?: 1; n <= max && !err;
		     n = n < max ? min(2 * n, max) : max + 1) {
			err = mk_unmap_members(unmap, n);
			err = err ?: mk_unmap_cells(unmap);
			mk_run_progress(unmap->run, unmap->key.repeat * max + n,
					repeats * max);
			if (only)
				break;
		}
		if (!err && !cpumask_empty(unmap->targets.cpus) &&
		    cpumask_subset(unmap->targets.cpus, unmap->agents))
			err = mk_unmap_victims(unmap);
	}
	return err;
}

/* ---- the whole ---- */

static int mk_unmap_ways(struct mk_unmap *unmap)
{
	u32 chosen = mk_run_u32(unmap->run, P_PROTOCOL);
	bool user = cpumask_test_cpu(unmap->initiator, unmap->agents);
	int i;

	unmap->way[MK_UNMAP_MPROTECT].name = "linux-mprotect";
	unmap->way[MK_UNMAP_MUNMAP].name = "linux-munmap";
	unmap->way[MK_UNMAP_CONTROL].name = "control";
	unmap->way[MK_UNMAP_QUIET].name = "quiet";
	for (i = 0; i < MK_UNMAP_WAYS; i++) {
		struct mk_unmap_way *way = &unmap->way[i];

		if (i < MK_UNMAP_OURS) {
			way->name = mk_unmap_name(i);
			way->off = chosen && chosen - 1 != mk_unmap_protocol(i);
		}
		if (i == MK_UNMAP_MPROTECT || i == MK_UNMAP_MUNMAP)
			way->off = chosen || !user;
		way->cycles = kvcalloc(unmap->samples, sizeof(u64), GFP_KERNEL);
		way->loops = kvcalloc(unmap->samples, sizeof(u64), GFP_KERNEL);
		if (!way->cycles || !way->loops)
			return -ENOMEM;
	}
	return 0;
}

static unsigned long mk_unmap_map(struct file *file)
{
	return vm_mmap(file, 0, MK_OP_PAGES_MAX * PAGE_SIZE,
		       PROT_READ | PROT_WRITE,
		       file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, 0);
}

static int mk_unmap_memory(struct mk_unmap *unmap)
{
	unmap->file = mk_region_file(MK_OP_PAGES_MAX, NUMA_NO_NODE);
	if (IS_ERR(unmap->file))
		return PTR_ERR(unmap->file);
	unmap->region = mk_region_of(unmap->file);
	unmap->address = mk_unmap_map(unmap->file);
	if (IS_ERR_VALUE(unmap->address))
		return unmap->address;
	unmap->ordinary = mk_unmap_map(NULL);
	if (IS_ERR_VALUE(unmap->ordinary))
		return unmap->ordinary;
	unmap->targets.address = unmap->address;
	unmap->targets.space = mk_space_get(current->mm);
	return PTR_ERR_OR_ZERO(unmap->targets.space);
}

static void mk_unmap_free(struct mk_unmap *unmap)
{
	int i;

	if (!IS_ERR_OR_NULL(unmap->targets.space)) {
		mk_space_leave(unmap->targets.space,
			       mk_run_cpus(unmap->run, P_CPUS));
		mk_space_put(unmap->targets.space);
	}
	if (unmap->ordinary && !IS_ERR_VALUE(unmap->ordinary))
		vm_munmap(unmap->ordinary, MK_OP_PAGES_MAX * PAGE_SIZE);
	if (unmap->address && !IS_ERR_VALUE(unmap->address))
		vm_munmap(unmap->address, MK_OP_PAGES_MAX * PAGE_SIZE);
	if (!IS_ERR_OR_NULL(unmap->file))
		fput(unmap->file);
	for (i = 0; i < MK_UNMAP_WAYS; i++) {
		kvfree(unmap->way[i].cycles);
		kvfree(unmap->way[i].loops);
	}
	mk_targets_free(&unmap->targets);
	free_cpumask_var(unmap->allowed);
	free_cpumask_var(unmap->members);
	free_cpumask_var(unmap->agents);
	kfree(unmap);
}

static int mk_unmap_prepare(struct mk_unmap *unmap)
{
	int err;

	err = mk_targets_init(&unmap->targets, unmap->run);
	if (err || !zalloc_cpumask_var(&unmap->agents, GFP_KERNEL) ||
	    !zalloc_cpumask_var(&unmap->members, GFP_KERNEL) ||
	    !zalloc_cpumask_var(&unmap->allowed, GFP_KERNEL))
		return -ENOMEM;
	mk_agents_waiting(unmap->agents);
	err = mk_unmap_ways(unmap);
	return err ?: mk_unmap_memory(unmap);
}

static int mk_unmap_run(struct mk_run *run)
{
	struct mk_unmap *unmap = kzalloc(sizeof(*unmap), GFP_KERNEL);
	struct mk_key key = {
		.variant = "agents", .cpu_a = -1, .cpu_b = -1, .mem_node = -1,
	};
	int err;

	if (!unmap)
		return -ENOMEM;
	unmap->run = run;
	unmap->key = key;
	unmap->samples = mk_run_u32(run, P_SAMPLES);
	unmap->warmup = mk_run_u32(run, P_WARMUP);
	unmap->initiator = cpumask_first(mk_run_cpus(run, P_CPUS));
	unmap->key.cpu_a = unmap->initiator;
	err = mk_unmap_prepare(unmap);
	err = err ?: mk_run_value(run, &key, "agents", "threads",
				  cpumask_weight(unmap->agents));
	/* Elsewhere the caller would keep a target awake, and be woken by IPI. */
	if (!err) {
		cpumask_copy(unmap->allowed, current->cpus_ptr);
		err = set_cpus_allowed_ptr(current,
					   cpumask_of(unmap->initiator));
	}
	if (!err) {
		err = mk_unmap_sweep_cores(unmap);
		set_cpus_allowed_ptr(current, unmap->allowed);
	}
	mk_unmap_free(unmap);
	return err;
}

const struct mk_experiment mk_exp_unmap = {
	.name = "unmap",
	.help = "taking pages away from all CPUs, beside Linux's own ways (SOSP'09 figure 7)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.agents = true,
	.run = mk_unmap_run,
};
