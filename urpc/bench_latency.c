// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment urpc_latency: what a message costs between two CPUs, and what an
 * interrupt does (Baumann et al., SOSP 2009, table 2).
 *
 * Variants, all in one run and interleaved by repeat:
 *	urpc		a one-line call and its reply through two monitors
 *	ipi_idle	smp_call_function_single() to an idle CPU, waited for
 *	ipi_busy	the same to a CPU that computes in its monitor
 *	control		an empty pass over the own port: what the loop costs
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "module/clock.h"
#include "urpc/bench.h"

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_PAIRS,
	P_PLACEMENT,
	P_CPUS,
};

static const struct mk_param params[] = {
	[P_SAMPLES] = {
		.name = "samples", .help = "measured calls per row",
		.kind = MK_PARAM_U32, .min = 16, .max = 100000, .def = 1000,
	},
	[P_WARMUP] = {
		.name = "warmup", .help = "calls before them",
		.kind = MK_PARAM_U32, .min = 0, .max = 100000, .def = 100,
	},
	[P_REPEATS] = {
		.name = "repeats", .help = "rounds over everything",
		.kind = MK_PARAM_U32, .min = 1, .max = 100, .def = 3,
	},
	[P_PAIRS] = {
		.name = "pairs",
		.help = "one pair for each tier and distance, or all",
		.kind = MK_PARAM_CHOICE, .choices = mk_pairs_choices,
	},
	[P_PLACEMENT] = {
		.name = "placement", .help = "node of both rings",
		.kind = MK_PARAM_CHOICE, .choices = mk_placement_choices,
		.def = 2,
	},
	[P_CPUS] = {
		.name = "cpus", .help = "CPUs to choose pairs from",
		.kind = MK_PARAM_CPUS,
	},
};

/**
 * struct mk_latency - one series of samples
 * @run: the run it belongs to
 * @key: of its rows
 * @samples: to take
 * @warmup: to take before
 * @round_trip: the samples
 * @one_way: the samples; without them if the clocks of two CPUs cannot be
 *	compared
 * @ep: endpoint for calls
 * @dispatched: when the interrupt was handled
 */
struct mk_latency {
	struct mk_run *run;
	struct mk_key key;
	u32 samples, warmup;
	u64 *round_trip, *one_way;
	struct mk_endpoint *ep;
	u64 dispatched;
};

static void mk_latency_note(struct mk_latency *lat, u32 i, u64 start,
			    u64 there, u64 end)
{
	if (i < lat->warmup)
		return;
	i -= lat->warmup;
	lat->round_trip[i] = mk_clock_span(start, end);
	lat->one_way[i] = there ? mk_clock_span(start, there) : 0;
}

static int mk_latency_urpc(struct mk_port *port, void *arg)
{
	static const u64 word[MK_LINE_WORDS];
	struct mk_latency *lat = arg;
	struct mk_message reply;
	u64 start, end;
	int err = 0;
	u32 i;

	for (i = 0; i < lat->warmup + lat->samples && !err; i++) {
		start = mk_cycles();
		err = mk_endpoint_rpc(lat->ep, MK_TYPE_PING, word, 1, &reply);
		end = mk_cycles();
		if (!err) {
			mk_latency_note(lat, i, start, reply.word[0], end);
			err = mk_bench_step(lat->run);
		}
	}
	return err;
}

static void mk_latency_interrupt(void *arg)
{
	struct mk_latency *lat = arg;

	lat->dispatched = mk_cycles();
}

static int mk_latency_ipi(struct mk_port *port, void *arg)
{
	struct mk_latency *lat = arg;
	u64 start, end;
	int err = 0;
	u32 i;

	for (i = 0; i < lat->warmup + lat->samples && !err; i++) {
		start = mk_cycles();
		err = smp_call_function_single(lat->key.cpu_b,
					       mk_latency_interrupt, lat, 1);
		end = mk_cycles();
		if (err)
			break;
		mk_latency_note(lat, i, start, lat->dispatched, end);
		mk_port_poll(port);
		err = mk_bench_step(lat->run);
	}
	return err;
}

static int mk_latency_control(struct mk_port *port, void *arg)
{
	struct mk_latency *lat = arg;
	u64 start, end;
	int err = 0;
	u32 i;

	for (i = 0; i < lat->warmup + lat->samples && !err; i++) {
		start = mk_cycles();
		mk_port_poll(port);
		end = mk_cycles();
		mk_latency_note(lat, i, start, 0, end);
		err = mk_bench_step(lat->run);
	}
	return err;
}

static int mk_latency_series(struct mk_latency *lat,
			     int (*fn)(struct mk_port *port, void *arg))
{
	bool one_way = fn != mk_latency_control &&
		       (lat->key.cpu_a == lat->key.cpu_b || mk_clock_stable());
	int err;

	err = mk_port_run(lat->key.cpu_a, fn, lat);
	if (err)
		return err;
	if (one_way) {
		err = mk_run_samples(lat->run, &lat->key, "one_way", "cycles",
				     lat->one_way, lat->samples);
		if (err)
			return err;
	}
	return mk_run_samples(lat->run, &lat->key, "round_trip", "cycles",
			      lat->round_trip, lat->samples);
}

static int mk_latency_messages(struct mk_latency *lat, const int cpu[2],
			       enum mk_placement placement)
{
	struct mk_channel *channel;
	int err;

	channel = mk_bench_channel(cpu, placement, 0, 0);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	lat->ep = channel->end[0];
	lat->key.variant = "urpc";
	lat->key.mem_node = channel->ring_node[0];
	err = mk_latency_series(lat, mk_latency_urpc);
	lat->key.mem_node = -1;
	return mk_channel_close(channel) ?: err;
}

static int mk_latency_interrupts(struct mk_latency *lat)
{
	struct mk_spin *spin;
	int err;

	lat->key.variant = "ipi_idle";
	err = mk_latency_series(lat, mk_latency_ipi);
	if (err)
		return err;

	spin = kzalloc(sizeof(*spin), GFP_KERNEL);
	if (!spin)
		return -ENOMEM;
	err = mk_bench_spin_start(spin, lat->key.cpu_b);
	if (!err) {
		lat->key.variant = "ipi_busy";
		err = mk_latency_series(lat, mk_latency_ipi);
		mk_bench_spin_stop(spin);
	}
	kfree(spin);
	return err;
}

static int mk_latency_pair(struct mk_latency *lat, const int cpu[2],
			   u32 choice)
{
	bool apart = cpu_to_node(cpu[0]) != cpu_to_node(cpu[1]);
	int err = 0;
	u32 p;

	lat->key.cpu_a = cpu[0];
	lat->key.cpu_b = cpu[1];
	for (p = 0; p < MK_PLACEMENTS && !err; p++) {
		/* On one node there is only one place. */
		if (apart ? choice != MK_PLACEMENTS && p != choice : p)
			continue;
		err = mk_latency_messages(lat, cpu, p);
	}
	if (!err && cpu[0] != cpu[1])
		err = mk_latency_interrupts(lat);
	if (err)
		return err;
	lat->key.variant = "control";
	return mk_latency_series(lat, mk_latency_control);
}

static int mk_latency_run(struct mk_run *run)
{
	u32 repeats = mk_run_u32(run, P_REPEATS);
	struct mk_latency lat = {
		.run = run,
		.key = { .mem_node = -1, .size = MK_LINE_BYTES },
		.samples = mk_run_u32(run, P_SAMPLES),
		.warmup = mk_run_u32(run, P_WARMUP),
	};
	struct mk_pair_set pairs;
	unsigned int i;
	int err;

	mk_bench_handlers();
	err = mk_bench_pairs(&pairs, mk_run_cpus(run, P_CPUS),
			     mk_run_u32(run, P_PAIRS));
	if (err)
		return err;
	lat.round_trip = kvmalloc_array(lat.samples, sizeof(u64), GFP_KERNEL);
	lat.one_way = kvmalloc_array(lat.samples, sizeof(u64), GFP_KERNEL);
	if (!lat.round_trip || !lat.one_way)
		err = -ENOMEM;

	for (; !err && lat.key.repeat < repeats; lat.key.repeat++) {
		for (i = 0; i < pairs.nr && !err; i++) {
			err = mk_latency_pair(&lat, pairs.cpu[i],
					      mk_run_u32(run, P_PLACEMENT));
			mk_run_progress(run, lat.key.repeat * pairs.nr + i + 1,
					repeats * pairs.nr);
		}
	}

	kvfree(lat.one_way);
	kvfree(lat.round_trip);
	mk_bench_pairs_free(&pairs);
	return err;
}

const struct mk_experiment mk_exp_urpc_latency = {
	.name = "urpc_latency",
	.help = "one-way and round-trip cost of a message and of an IPI (SOSP'09 table 2)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_latency_run,
};
