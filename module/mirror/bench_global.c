// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment global_mapping: what a mapping costs that n nodes share, each with
 * page tables of its own (Kupferschmied et al.): n page faults until all have
 * it, and a global unmap that tells all of them.
 *
 * A space has its home on the first CPU's node, and n nodes have joined it. A
 * sample maps some pages, has one CPU of each node read each page, one node
 * after the other, and unmaps them; the protocols take turns sample by sample.
 * Size is n, cpu_a the CPU that initiates the unmap. A variant is a protocol.
 * Protocols that know no operation without an mm (linux, lazy) are left out.
 *
 * Metrics: establish, cycles of all nodes' first reads together; unmap, cycles
 * until no CPU can use the pages; faults, messages and ipis, for each sample. The
 * control: establish, the same reads once more, when no fault is left; and as
 * size 1 with ipi, unmap where nobody has to be told.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/mirror/home.h"
#include "shootdown/shootdown.h"
#include "urpc/bench.h"

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_PAGES,
	P_CPUS,
};

#define MK_GLOBAL_AT	0x40000000UL

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(100),
	[P_WARMUP] = MK_PARAM_WARMUP(10),
	[P_REPEATS] = MK_PARAM_REPEATS(1),
	[P_PAGES] = {
		.name = "pages",
		.help = "pages of the mapping",
		.kind = MK_PARAM_U32, .min = 1, .max = MK_HOME_PAGES_MAX,
		.def = 1,
	},
	[P_CPUS] = {
		.name = "cpus",
		.help = "CPUs to choose from: the first of each node; the very first initiates",
		.kind = MK_PARAM_CPUS,
	},
};

/**
 * struct mk_shared - one protocol at one size
 * @establish: cycles of each sample
 * @again: likewise, of the control
 * @unmap: likewise
 * @faults: of all samples
 * @messages: likewise
 * @ipis: likewise
 */
struct mk_shared {
	u64 *establish, *again, *unmap;
	u64 faults, messages, ipis;
};

/**
 * struct mk_shareds - all protocols at one size
 * @run: the run
 * @home: the space
 * @key: of the rows
 * @samples: to take
 * @warmup: to take before
 * @pages: of the mapping
 * @nr: nodes that share it
 * @cpu: of each, the initiator's first
 * @shared: by protocol
 */
struct mk_shareds {
	struct mk_run *run;
	struct mk_home *home;
	struct mk_key key;
	u32 samples, warmup, pages;
	u32 nr;
	int *cpu;
	struct mk_shared shared[MK_PROTOCOLS];
};

/* What one node's CPU has found when it has read all pages. */
struct mk_reading {
	struct mk_shareds *all;
	u64 cycles;
	u32 faults;
};

static int mk_global_read(struct mk_port *port, void *arg)
{
	struct mk_reading *reading = arg;
	struct mk_shareds *all = reading->all;
	u64 start = mk_cycles(), word;
	int ret;
	u32 i;

	for (i = 0; i < all->pages; i++) {
		ret = mk_home_visit(all->home, port->node,
				    MK_GLOBAL_AT + i * PAGE_SIZE, false, &word);
		if (ret < 0)
			return ret;
		reading->faults += ret;
	}
	reading->cycles += mk_clock_span(start, mk_cycles());
	return 0;
}

/* Every node, one after the other. */
static int mk_global_readings(struct mk_shareds *all,
			      struct mk_reading *reading)
{
	int err = 0;
	u32 i;

	*reading = (struct mk_reading){ .all = all };
	for (i = 0; i < all->nr && !err; i++)
		err = mk_port_run(all->cpu[i], mk_global_read, reading);
	return err;
}

static int mk_global_sample(struct mk_shareds *all, enum mk_protocol protocol,
			    u32 i)
{
	const struct mk_home_map map = {
		.address = MK_GLOBAL_AT, .pages = all->pages, .node = -1,
	};
	struct mk_home_unmap op = {
		.address = MK_GLOBAL_AT, .pages = all->pages,
		.protocol = protocol, .cpu = all->cpu[0],
	};
	struct mk_shared *shared = &all->shared[protocol];
	struct mk_reading first, again;
	int err;

	err = mk_home_map(all->home, &map);
	err = err ?: mk_global_readings(all, &first);
	err = err ?: mk_global_readings(all, &again);
	err = err ?: mk_home_unmap(all->home, &op);
	if (err || i < all->warmup)
		return err;
	i -= all->warmup;
	shared->establish[i] = first.cycles;
	shared->again[i] = again.cycles;
	shared->unmap[i] = op.cycles;
	shared->faults += first.faults;
	shared->messages += op.messages;
	shared->ipis += op.ipis;
	/* Whatever else this is, it is not the mapping that was to be measured. */
	return again.faults || first.faults != all->nr * all->pages ? -EIO : 0;
}

static int mk_global_report(struct mk_shareds *all, enum mk_protocol protocol)
{
	struct mk_shared *shared = &all->shared[protocol];
	struct mk_key *key = &all->key;
	u64 n = all->samples;
	int err;

	/* With nobody to tell, all of them are the same. */
	if (all->nr == 1) {
		if (protocol != MK_PROTOCOL_IPI)
			return 0;
		key->variant = "control";
		err = mk_run_samples(all->run, key, "unmap", "cycles",
				     shared->unmap, n);
		return err ?: mk_run_samples(all->run, key, "establish",
					     "cycles", shared->again, n);
	}
	key->variant = mk_protocol_name(protocol);
	err = mk_run_samples(all->run, key, "establish", "cycles",
			     shared->establish, n);
	err = err ?: mk_run_samples(all->run, key, "unmap", "cycles",
				    shared->unmap, n);
	err = err ?: mk_run_milli(all->run, key, "faults", "faults",
				  div64_u64(shared->faults * 1000, n));
	err = err ?: mk_run_milli(all->run, key, "messages", "messages",
				  div64_u64(shared->messages * 1000, n));
	err = err ?: mk_run_milli(all->run, key, "ipis", "interrupts",
				  div64_u64(shared->ipis * 1000, n));
	if (protocol != MK_PROTOCOL_IPI)
		return err;
	key->variant = "control";
	return err ?: mk_run_samples(all->run, key, "establish", "cycles",
				     shared->again, n);
}

static bool mk_global_possible(enum mk_protocol p)
{
	return p != MK_PROTOCOL_LINUX && p != MK_PROTOCOL_LAZY &&
	       !mk_protocol_refuses(p, false, MK_BROKEN_NONE);
}

static int mk_global_take(struct mk_shareds *all)
{
	int err = 0;
	u32 i, p;

	for (p = 0; p < MK_PROTOCOLS; p++) {
		all->shared[p].faults = 0;
		all->shared[p].messages = 0;
		all->shared[p].ipis = 0;
	}
	for (i = 0; i < all->warmup + all->samples; i++) {
		for (p = 0; p < MK_PROTOCOLS; p++) {
			if (!mk_global_possible(p))
				continue;
			err = mk_global_sample(all, p, i);
			err = err ?: mk_run_stopped(all->run);
			if (err)
				return err;
			cond_resched();
		}
	}
	for (p = 0; p < MK_PROTOCOLS && !err; p++)
		if (mk_global_possible(p))
			err = mk_global_report(all, p);
	return err;
}

/* Slots for all table pages that the mapping can need. */
static int mk_global_join(struct mk_shareds *all, int node)
{
	u32 needed = all->home->levels + all->pages / PTRS_PER_PTE + 1;
	int err = mk_home_join(all->home, node);
	u32 have;

	for (have = 0; have < needed && !err; have += MK_HOME_BATCH)
		err = mk_home_stock(all->home->on[node]);
	return err;
}

/* A space of its own for each size, so that only so many nodes have joined. */
static int mk_global_size(struct mk_shareds *all)
{
	int err = 0;
	u32 i;

	all->key.size = all->nr;
	all->home = mk_home_create(cpu_to_node(all->cpu[0]));
	if (IS_ERR(all->home))
		return PTR_ERR(all->home);
	for (i = 0; i < all->nr && !err; i++)
		err = mk_global_join(all, cpu_to_node(all->cpu[i]));
	err = err ?: mk_global_take(all);
	mk_home_destroy(all->home);
	return err;
}

/* The first CPU of each node, in the order of the list; how many. */
static u32 mk_global_cpus(struct mk_shareds *all)
{
	nodemask_t seen = NODE_MASK_NONE;
	u32 n = 0;
	int cpu;

	for_each_cpu(cpu, mk_run_cpus(all->run, P_CPUS)) {
		int node = cpu_to_node(cpu);

		if (node_state(node, N_MEMORY) &&
		    !node_test_and_set(node, seen))
			all->cpu[n++] = cpu;
	}
	return n;
}

static int mk_global_sweep(struct mk_shareds *all)
{
	u32 repeats = mk_run_u32(all->run, P_REPEATS);
	u32 nodes = mk_global_cpus(all);
	int err = 0;

	if (!nodes)
		return -ENODEV;
	all->key.cpu_a = all->cpu[0];
	all->key.mem_node = cpu_to_node(all->cpu[0]);
	for (; !err && all->key.repeat < repeats; all->key.repeat++) {
		for (all->nr = 1; !err && all->nr <= nodes; all->nr++) {
			err = mk_global_size(all);
			mk_run_progress(all->run, all->key.repeat * nodes +
					all->nr, repeats * nodes);
		}
	}
	return err;
}

static int mk_global_alloc(struct mk_shareds *all)
{
	u32 p;

	all->cpu = kcalloc(nr_node_ids, sizeof(*all->cpu), GFP_KERNEL);
	if (!all->cpu)
		return -ENOMEM;
	for (p = 0; p < MK_PROTOCOLS; p++) {
		struct mk_shared *shared = &all->shared[p];

		shared->establish = kvcalloc(all->samples, sizeof(u64),
					     GFP_KERNEL);
		shared->again = kvcalloc(all->samples, sizeof(u64), GFP_KERNEL);
		shared->unmap = kvcalloc(all->samples, sizeof(u64), GFP_KERNEL);
		if (!shared->establish || !shared->again || !shared->unmap)
			return -ENOMEM;
	}
	return 0;
}

static void mk_global_free(struct mk_shareds *all)
{
	u32 p;

	for (p = 0; p < MK_PROTOCOLS; p++) {
		kvfree(all->shared[p].establish);
		kvfree(all->shared[p].again);
		kvfree(all->shared[p].unmap);
	}
	kfree(all->cpu);
	kfree(all);
}

static int mk_global_mapping_run(struct mk_run *run)
{
	struct mk_shareds *all;
	int err;

	if (!mk_home_visits())
		return -EOPNOTSUPP;
	all = kzalloc(sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	all->run = run;
	all->key.cpu_b = -1;
	all->samples = mk_run_u32(run, P_SAMPLES);
	all->warmup = mk_run_u32(run, P_WARMUP);
	all->pages = mk_run_u32(run, P_PAGES);
	err = mk_global_alloc(all);
	err = err ?: mk_global_sweep(all);
	mk_global_free(all);
	return err;
}

const struct mk_experiment mk_exp_global_mapping = {
	.name = "global_mapping",
	.help = "a mapping that n nodes share: n faults, and a global unmap, by protocol",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_global_mapping_run,
};
