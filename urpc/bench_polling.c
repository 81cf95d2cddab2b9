// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment polling_model: what waiting costs when a monitor polls for P
 * cycles before it blocks, against the model (Baumann et al., SOSP 2009,
 * section 5.2).
 *
 * A message that comes t cycles after the last costs t if t <= P, since that
 * long was polled for it, and P + C otherwise: P polled in vain and C to block
 * and be woken. In hindsight the best is min(t, C); with P = C the cost is never
 * more than 2C.
 *
 * The size column is t as it was asked for, the variant P as a share of C.
 * Metrics, in cycles:
 *	cost		as measured: polled in vain, and what the round trip took
 *			longer than one to a polling monitor
 *	arrival		t as the receiver saw it, a round trip longer
 *	poll, handoff	P, and C as measured first on the same pair
 *	predicted	by the model
 *	bound		2C
 * The control is the cost of a message that follows at once, and on one CPU,
 * where there is nothing to wait for, an empty pass over the port.
 */

#include "module/clock.h"
#include "module/monitor.h"
#include "module/stats.h"
#include "urpc/bench.h"

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(200),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(20),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(1),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
};

/* P and t as shares of C, in quarters. */
static const u32 poll_quarters[] = { 0, 1, 2, 4, 8, 16 };
static const u32 gap_quarters[] = { 1, 2, 3, 4, 6, 8, 16, 32 };

/**
 * struct mk_polling - state of a pair
 * @gap: t
 * @arrival: t as it came out, of the last sample
 * @idle: what the receiver has polled in vain, as of its last reply
 * @end: time of the last reply
 * @cost: of each sample
 * @arrivals: t of each sample
 * @baseline: median round trip to a polling monitor
 */
struct mk_polling {
	u64 gap, arrival, idle, end;
	u64 *cost, *arrivals;
	u64 baseline;
};

/*
 * One message, @gap after the last, which has told what the receiver had polled
 * in vain until then; this one tells how much that is now.
 */
static int mk_polling_one(struct mk_port *port, struct mk_series *series,
			  u64 *cost)
{
	static const u64 word[MK_LINE_WORDS];
	struct mk_polling *polling = series->arg;
	u64 start, trip;
	int err;

	while (mk_cycles() - polling->end < polling->gap) {
		mk_port_poll(port);
		cpu_relax();
	}
	start = mk_cycles();
	err = mk_endpoint_rpc(series->ep, MK_TYPE_PING, word, 1,
			      &series->reply);
	if (err)
		return err;
	trip = mk_clock_span(start, mk_cycles());
	/* From its last reply to this call the receiver waits a trip longer. */
	polling->arrival = start - polling->end + polling->baseline;
	polling->end = mk_cycles();
	*cost = series->reply.word[1] - polling->idle;
	polling->idle = series->reply.word[1];
	if (trip > polling->baseline)
		*cost += trip - polling->baseline;
	return 0;
}

static int mk_polling_loop(struct mk_port *port, void *arg)
{
	struct mk_series *series = arg;
	struct mk_polling *polling = series->arg;
	u64 cost;
	int err;
	u32 i;

	polling->end = mk_cycles();
	/* The first sample has no predecessor, and is thrown away. */
	for (i = 0; i < series->warmup + series->samples + 1; i++) {
		err = mk_polling_one(port, series, &cost);
		if (!err)
			err = mk_bench_step(series->run);
		if (err)
			return err;
		if (i > series->warmup) {
			polling->cost[i - series->warmup - 1] = cost;
			polling->arrivals[i - series->warmup - 1] =
				polling->arrival;
		}
	}
	return 0;
}

static int mk_polling_point(struct mk_series *series, u64 poll, u64 gap,
			    u64 handoff)
{
	struct mk_polling *polling = series->arg;
	struct mk_run *run = series->run;
	const struct mk_key *key = &series->key;
	u64 arrival;
	int err;

	series->key.size = gap;
	polling->gap = gap;
	mk_monitor_cpu_set_poll_cycles(key->cpu_b, poll);
	err = mk_port_run(key->cpu_a, mk_polling_loop, series);
	if (err)
		return err;
	arrival = mk_stats_median(polling->arrivals, series->samples);
	err = mk_run_samples(run, key, "cost", "cycles", polling->cost,
			     series->samples);
	err = err ?: mk_run_value(run, key, "arrival", "cycles", arrival);
	err = err ?: mk_run_value(run, key, "poll", "cycles", poll);
	err = err ?: mk_run_value(run, key, "handoff", "cycles", handoff);
	err = err ?: mk_run_value(run, key, "predicted", "cycles",
				  arrival <= poll ? arrival : poll + handoff);
	return err ?: mk_run_value(run, key, "bound", "cycles", 2 * handoff);
}

/* Median round trip with the receiver's P; it is left at that P. */
static int mk_polling_trip(struct mk_series *series, u64 poll, u64 *median)
{
	int err;

	mk_monitor_cpu_set_poll_cycles(series->key.cpu_b, poll);
	series->sample = mk_series_ping;
	err = mk_series_take(series);
	*median = mk_stats_median(series->round_trip, series->samples);
	return err;
}

static int mk_polling_points(struct mk_series *series)
{
	struct mk_polling *polling = series->arg;
	u64 blocked, handoff;
	unsigned int p, g;
	char variant[32];
	int err;

	err = mk_polling_trip(series, mk_clock_us(USEC_PER_SEC),
			      &polling->baseline);
	if (err)
		return err;
	series->prepare = mk_series_asleep;
	err = mk_polling_trip(series, 0, &blocked);
	series->prepare = NULL;
	if (err)
		return err;
	handoff = blocked > polling->baseline ? blocked - polling->baseline : 1;

	series->key.variant = "control";
	err = mk_polling_point(series, mk_clock_us(USEC_PER_SEC), 0, handoff);
	for (p = 0; p < ARRAY_SIZE(poll_quarters) && !err; p++) {
		snprintf(variant, sizeof(variant), "P=%u.%02uC",
			 poll_quarters[p] / 4, poll_quarters[p] % 4 * 25);
		series->key.variant = variant;
		for (g = 0; g < ARRAY_SIZE(gap_quarters) && !err; g++)
			err = mk_polling_point(series,
					       handoff * poll_quarters[p] / 4,
					       handoff * gap_quarters[g] / 4,
					       handoff);
	}
	return err;
}

static int mk_polling_pair(struct mk_series *series, const int cpu[2])
{
	u64 old = mk_monitor_cpu_poll_cycles(cpu[1]);
	struct mk_polling *polling = series->arg;
	struct mk_channel *channel;
	int err;

	/* A monitor does not wait for itself. */
	if (cpu[0] == cpu[1])
		return mk_series_report_control(series);
	polling->cost = series->one_way;
	polling->arrivals = series->round_trip;
	channel = mk_bench_channel(cpu, MK_PLACE_RECEIVER, 0, 0);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	series->ep = channel->end[0];
	series->key.mem_node = channel->ring_node[0];
	err = mk_polling_points(series);
	mk_monitor_cpu_set_poll_cycles(cpu[1], old);
	return mk_channel_close(channel) ?: err;
}

static int mk_polling_run(struct mk_run *run)
{
	struct mk_polling polling = { };

	return mk_series_sweep(run, &polling, mk_polling_pair);
}

const struct mk_experiment mk_exp_polling_model = {
	.name = "polling_model",
	.help = "cost of polling for P cycles before blocking, against the model (SOSP'09 5.2)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_polling_run,
};
