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
	P_PLACEMENT = MK_SERIES_OWN,
};

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(1000),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(100),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(3),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
	[P_PLACEMENT] = {
		.name = "placement", .help = "node of both rings",
		.kind = MK_PARAM_CHOICE, .choices = mk_placement_choices,
		.def = MK_PLACEMENTS,
	},
};

static void mk_latency_interrupt(void *arg)
{
	struct mk_series *series = arg;

	series->there = mk_cycles();
}

static int mk_latency_ipi(struct mk_port *port, struct mk_series *series)
{
	return smp_call_function_single(series->key.cpu_b,
					mk_latency_interrupt, series, 1);
}

/* What came while the CPU was waiting for interrupts. */
static int mk_latency_serve(struct mk_port *port, struct mk_series *series)
{
	mk_port_poll(port);
	return 0;
}

static int mk_latency_messages(struct mk_series *series, const int cpu[2],
			       enum mk_placement placement)
{
	struct mk_channel *channel;
	int err;

	channel = mk_bench_channel(cpu, placement, 0, 0);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	series->ep = channel->end[0];
	series->key.variant = "urpc";
	series->key.mem_node = channel->ring_node[0];
	series->sample = mk_series_ping;
	err = mk_series_report(series);
	series->key.mem_node = -1;
	return mk_channel_close(channel) ?: err;
}

static int mk_latency_interrupts(struct mk_series *series)
{
	struct mk_spin *spin;
	int err;

	series->prepare = mk_latency_serve;
	series->sample = mk_latency_ipi;
	series->key.variant = "ipi_idle";
	err = mk_series_report(series);
	if (err)
		goto out;

	spin = kzalloc(sizeof(*spin), GFP_KERNEL);
	if (!spin) {
		err = -ENOMEM;
		goto out;
	}
	err = mk_bench_spin_start(spin, series->key.cpu_b);
	if (!err) {
		series->key.variant = "ipi_busy";
		err = mk_series_report(series);
		mk_bench_spin_stop(spin);
	}
	kfree(spin);
out:
	series->prepare = NULL;
	return err;
}

static int mk_latency_pair(struct mk_series *series, const int cpu[2])
{
	u32 choice = mk_run_u32(series->run, P_PLACEMENT);
	int err = 0;
	u32 p;

	for (p = 0; p < MK_PLACEMENTS && !err; p++)
		if (mk_place_chosen(choice, p, cpu))
			err = mk_latency_messages(series, cpu, p);
	if (!err && cpu[0] != cpu[1])
		err = mk_latency_interrupts(series);
	if (err)
		return err;
	return mk_series_report_control(series);
}

static int mk_latency_run(struct mk_run *run)
{
	return mk_series_sweep(run, NULL, mk_latency_pair);
}

const struct mk_experiment mk_exp_urpc_latency = {
	.name = "urpc_latency",
	.help = "one-way and round-trip cost of a message and of an IPI (SOSP'09 table 2)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_latency_run,
};
