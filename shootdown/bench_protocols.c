// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment shootdown_protocols: what it costs to tell n cores something and to
 * have their acknowledgments, nothing being invalidated (Baumann et al., SOSP
 * 2009, figure 6).
 *
 * The monitor of the first CPU of the list runs operations without an mm: the
 * protocol is the one that shootdowns use, and its members flush nothing. A
 * variant is a protocol; ipi has an empty function. Protocols that know no raw
 * operation (linux, lazy) are left out. Size is the cores, the initiator
 * included, cpu_a the initiator.
 *
 * The members poll all the time, as in the paper, or sleep between two operations.
 * The protocols of one size take turns sample by sample, so that what disturbs
 * one disturbs all. The control is the same operation with nobody to tell.
 *
 * Metrics: cost, cycles from the start until all have acknowledged; sent, cycles
 * until all was sent; messages and ipis, for each operation.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "module/monitor.h"
#include "shootdown/shootdown.h"
#include "urpc/bench.h"

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_TARGETS,
	P_CPUS,
};

/* Longer than it takes until the next operation, for a monitor that shall poll. */
#define MK_RAW_POLL_US	100000

static const char *const target_choices[] = { "polling", "default", NULL };

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(500),
	[P_WARMUP] = MK_PARAM_WARMUP(50),
	[P_REPEATS] = MK_PARAM_REPEATS(1),
	[P_TARGETS] = {
		.name = "targets",
		.help = "members poll all the time, or block after P cycles as ever",
		.kind = MK_PARAM_CHOICE, .choices = target_choices,
	},
	[P_CPUS] = {
		.name = "cpus",
		.help = "CPUs that take part; the first initiates",
		.kind = MK_PARAM_CPUS,
	},
};

/**
 * struct mk_raw - one protocol at one size
 * @party: who takes part; NULL if the protocol is left out
 * @cost: cycles of each sample
 * @sent: likewise
 * @messages: of all samples
 * @ipis: likewise
 */
struct mk_raw {
	struct mk_party *party;
	u64 *cost, *sent;
	u64 messages, ipis;
};

/**
 * struct mk_raws - all protocols at one size
 * @run: the run
 * @key: of the rows
 * @targets: who is told
 * @saved: by CPU: P of its monitor, as it was
 * @samples: to take
 * @warmup: to take before
 * @raw: by protocol
 */
struct mk_raws {
	struct mk_run *run;
	struct mk_key key;
	cpumask_var_t targets;
	u64 *saved;
	u32 samples, warmup;
	struct mk_raw raw[MK_PROTOCOLS];
};

static int mk_raw_sample(struct mk_port *port, struct mk_raws *raws,
			 struct mk_raw *raw, u32 i)
{
	struct mk_shootdown sd = {
		.port = port,
		.party = raw->party,
		.targets = raws->targets,
	};
	int err;

	/* What came for this CPU meanwhile is not part of it. */
	mk_port_poll(port);
	err = mk_shootdown(&sd);
	if (err || i < raws->warmup)
		return err;
	i -= raws->warmup;
	raw->cost[i] = mk_clock_span(sd.started, sd.gathered);
	raw->sent[i] = mk_clock_span(sd.started, sd.sent);
	raw->messages += sd.messages;
	raw->ipis += sd.ipis;
	return 0;
}

static int mk_raws_loop(struct mk_port *port, void *arg)
{
	struct mk_raws *raws = arg;
	u32 i, p;
	int err;

	for (i = 0; i < raws->warmup + raws->samples; i++) {
		for (p = 0; p < MK_PROTOCOLS; p++) {
			if (!raws->raw[p].party)
				continue;
			err = mk_raw_sample(port, raws, &raws->raw[p], i);
			err = err ?: mk_bench_step(raws->run);
			if (err)
				return err;
		}
	}
	return 0;
}

static int mk_raw_report(struct mk_raws *raws, struct mk_raw *raw)
{
	u64 n = raws->samples;
	int err;

	err = mk_run_samples(raws->run, &raws->key, "cost", "cycles", raw->cost,
			     n);
	err = err ?: mk_run_samples(raws->run, &raws->key, "sent", "cycles",
				    raw->sent, n);
	err = err ?: mk_run_milli(raws->run, &raws->key, "messages", "messages",
				  div64_u64(raw->messages * 1000, n));
	return err ?: mk_run_milli(raws->run, &raws->key, "ipis", "interrupts",
				   div64_u64(raw->ipis * 1000, n));
}

/* Does the protocol have operations that invalidate nothing? */
static bool mk_raw_possible(enum mk_protocol p)
{
	return p != MK_PROTOCOL_LINUX && p != MK_PROTOCOL_LAZY &&
	       !mk_protocol_refuses(p, false, MK_BROKEN_NONE);
}

static int mk_raws_take(struct mk_raws *raws, bool control)
{
	int cpu = raws->key.cpu_a;
	struct mk_party *party;
	int err = 0;
	u32 p;

	for (p = 0; p < MK_PROTOCOLS && !err; p++) {
		raws->raw[p].messages = 0;
		raws->raw[p].ipis = 0;
		if (!mk_raw_possible(p) ||
		    (control && p != MK_PROTOCOL_IPI))
			continue;
		party = mk_party_get(p, cpu, raws->targets);
		if (IS_ERR(party))
			err = PTR_ERR(party);
		else
			raws->raw[p].party = party;
	}
	err = err ?: mk_port_run(cpu, mk_raws_loop, raws);
	for (p = 0; p < MK_PROTOCOLS; p++) {
		if (!raws->raw[p].party)
			continue;
		raws->key.variant = control ? "control" : mk_protocol_name(p);
		err = err ?: mk_raw_report(raws, &raws->raw[p]);
		mk_party_put(raws->raw[p].party);
		raws->raw[p].party = NULL;
	}
	return err;
}

/* One more member, which polls if it shall. */
static void mk_raws_add(struct mk_raws *raws, int cpu)
{
	cpumask_set_cpu(cpu, raws->targets);
	if (mk_run_u32(raws->run, P_TARGETS))
		return;
	raws->saved[cpu] = mk_monitor_cpu_poll_cycles(cpu);
	mk_monitor_cpu_set_poll_cycles(cpu, mk_clock_us(MK_RAW_POLL_US));
}

static void mk_raws_remove_all(struct mk_raws *raws)
{
	int cpu;

	if (!mk_run_u32(raws->run, P_TARGETS))
		for_each_cpu(cpu, raws->targets)
			mk_monitor_cpu_set_poll_cycles(cpu, raws->saved[cpu]);
	cpumask_clear(raws->targets);
}

/* 2, 3 … cores of a small machine; of a large one about 16 sizes, and all. */
static int mk_raws_sweep(struct mk_raws *raws)
{
	const struct cpumask *cpus = mk_run_cpus(raws->run, P_CPUS);
	u32 cores = cpumask_weight(cpus), step = max(cores / 16, 1U);
	u32 repeats = mk_run_u32(raws->run, P_REPEATS);
	u32 n = 1;
	int cpu, err = 0;

	raws->key.size = 1;
	err = mk_raws_take(raws, true);
	for_each_cpu(cpu, cpus) {
		if (err)
			break;
		if (cpu == raws->key.cpu_a)
			continue;
		mk_raws_add(raws, cpu);
		raws->key.size = ++n;
		if ((n - 2) % step && n != cores)
			continue;
		err = mk_raws_take(raws, false);
		mk_run_progress(raws->run, raws->key.repeat * cores + n,
				repeats * cores);
	}
	mk_raws_remove_all(raws);
	return err;
}

static int mk_raws_alloc(struct mk_raws *raws)
{
	u32 p;

	if (!zalloc_cpumask_var(&raws->targets, GFP_KERNEL))
		return -ENOMEM;
	raws->saved = kvcalloc(nr_cpu_ids, sizeof(u64), GFP_KERNEL);
	if (!raws->saved)
		return -ENOMEM;
	for (p = 0; p < MK_PROTOCOLS; p++) {
		raws->raw[p].cost = kvcalloc(raws->samples, sizeof(u64),
					     GFP_KERNEL);
		raws->raw[p].sent = kvcalloc(raws->samples, sizeof(u64),
					     GFP_KERNEL);
		if (!raws->raw[p].cost || !raws->raw[p].sent)
			return -ENOMEM;
	}
	return 0;
}

static void mk_raws_free(struct mk_raws *raws)
{
	u32 p;

	for (p = 0; p < MK_PROTOCOLS; p++) {
		kvfree(raws->raw[p].cost);
		kvfree(raws->raw[p].sent);
	}
	kvfree(raws->saved);
	free_cpumask_var(raws->targets);
	kfree(raws);
}

static int mk_protocols_run(struct mk_run *run)
{
	u32 repeats = mk_run_u32(run, P_REPEATS);
	struct mk_raws *raws;
	int err;

	raws = kzalloc(sizeof(*raws), GFP_KERNEL);
	if (!raws)
		return -ENOMEM;
	raws->run = run;
	raws->samples = mk_run_u32(run, P_SAMPLES);
	raws->warmup = mk_run_u32(run, P_WARMUP);
	raws->key = (struct mk_key){
		.cpu_a = cpumask_first(mk_run_cpus(run, P_CPUS)),
		.cpu_b = -1,
		.mem_node = -1,
	};
	err = mk_raws_alloc(raws);
	for (; !err && raws->key.repeat < repeats; raws->key.repeat++)
		err = mk_raws_sweep(raws);
	mk_raws_free(raws);
	return err;
}

const struct mk_experiment mk_exp_shootdown_protocols = {
	.name = "shootdown_protocols",
	.help = "telling n cores and hearing from them, by protocol (SOSP'09 figure 6)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_protocols_run,
};
