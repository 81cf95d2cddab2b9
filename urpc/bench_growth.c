// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment growth: do idle channels cost anything but memory?
 *
 * Opens more and more channels between two monitors, lets them go silent, and
 * measures a round trip on one more. The size column is the number of idle
 * channels.
 *
 * Variants:
 *	idle	 that many channels beside the one that is used
 *	control	 an empty pass over the port of cpu_a, with the same channels
 *
 * The metric bytes_per_channel is what the idle ones take, rings included, as
 * counted when they were allocated.
 */
#include <linux/slab.h>

#include "urpc/bench.h"

enum {
	P_CHANNELS = MK_SERIES_OWN,
};

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(500),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(50),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(1),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
	[P_CHANNELS] = {
		.name = "channels", .help = "idle channels at most",
		.kind = MK_PARAM_U32, .min = 0, .max = 4096, .def = 256,
	},
};

/**
 * struct mk_growth - the idle channels of a pair
 * @nr: how many
 * @channel: them
 */
struct mk_growth {
	u32 nr;
	struct mk_channel **channel;
};

/* Open channels until there are @n. */
static int mk_growth_open(struct mk_growth *growth, const int cpu[2], u32 n)
{
	while (growth->nr < n) {
		struct mk_channel *channel;

		channel = mk_bench_channel(cpu, MK_PLACE_RECEIVER, 0, 0);
		if (IS_ERR(channel))
			return PTR_ERR(channel);
		growth->channel[growth->nr++] = channel;
	}
	return 0;
}

static int mk_growth_close(struct mk_growth *growth)
{
	int err = 0;

	while (growth->nr)
		err = mk_channel_close(growth->channel[--growth->nr]) ?: err;
	return err;
}

static int mk_growth_point(struct mk_series *series, u32 n)
{
	int err;

	/* Long enough for both monitors to block, which parks everything. */
	schedule_timeout_idle(3);
	series->key.size = n;
	series->key.variant = "idle";
	series->sample = mk_series_ping;
	err = mk_series_report(series);
	if (err)
		return err;
	series->key.variant = "control";
	series->sample = mk_series_control;
	return mk_series_report(series);
}

static int mk_growth_points(struct mk_series *series, const int cpu[2],
			    u32 most)
{
	struct mk_growth *growth = series->arg;
	s64 before = mk_channel_bytes();
	u32 n = 0;
	int err;

	for (;;) {
		err = mk_growth_open(growth, cpu, n);
		if (!err)
			err = mk_growth_point(series, n);
		if (err || n == most)
			break;
		n = min(n ? n * 4 : 1, most);
	}
	if (!err && n) {
		series->key.variant = "idle";
		err = mk_run_value(series->run, &series->key,
				   "bytes_per_channel", "bytes",
				   div_u64(mk_channel_bytes() - before, n));
	}
	return err;
}

static int mk_growth_pair(struct mk_series *series, const int cpu[2])
{
	u32 most = mk_run_u32(series->run, P_CHANNELS);
	struct mk_growth *growth = series->arg;
	struct mk_channel *channel;
	int err;

	growth->channel = kvcalloc(most ?: 1, sizeof(*growth->channel),
				   GFP_KERNEL);
	if (!growth->channel)
		return -ENOMEM;
	channel = mk_bench_channel(cpu, MK_PLACE_RECEIVER, 0, 0);
	if (IS_ERR(channel)) {
		kvfree(growth->channel);
		return PTR_ERR(channel);
	}
	series->ep = channel->end[0];
	err = mk_growth_points(series, cpu, most);
	err = mk_growth_close(growth) ?: err;
	err = mk_channel_close(channel) ?: err;
	kvfree(growth->channel);
	return err;
}

static int mk_growth_run(struct mk_run *run)
{
	struct mk_growth growth = { };

	return mk_series_sweep(run, &growth, mk_growth_pair);
}

const struct mk_experiment mk_exp_growth = {
	.name = "growth",
	.help = "round trip and polling cost beside more and more idle channels",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_growth_run,
};
