// SPDX-License-Identifier: GPL-2.0
/*
 * Series: one thing measured again and again, in the monitor of one CPU.
 */
#include <linux/slab.h>

#include "module/clock.h"
#include "urpc/bench.h"

static int mk_series_loop(struct mk_port *port, void *arg)
{
	struct mk_series *series = arg;
	u64 start, end;
	int err = 0;
	u32 i;

	for (i = 0; i < series->warmup + series->samples; i++) {
		err = series->prepare ? series->prepare(port, series) : 0;
		if (err)
			return err;
		series->there = 0;
		start = mk_cycles();
		err = series->sample(port, series);
		end = mk_cycles();
		if (err)
			return err;
		if (i >= series->warmup) {
			u32 n = i - series->warmup;

			series->round_trip[n] = mk_clock_span(start, end);
			series->one_way[n] = series->there ?
				mk_clock_span(start, series->there) : 0;
		}
		err = mk_bench_step(series->run);
		if (err)
			return err;
	}
	return 0;
}

/**
 * mk_series_take() - take the samples, and leave them unreported
 * @series: the series
 *
 * Context: process, not a port's thread.
 * Return: 0, or the first error of a sample.
 */
int mk_series_take(struct mk_series *series)
{
	return mk_port_run(series->key.cpu_a, mk_series_loop, series);
}

/*
 * The way there. Times of two CPUs are compared only if their clocks can be;
 * otherwise half a round trip has to stand for it, under a name that says so.
 */
static int mk_series_report_one_way(struct mk_series *series)
{
	const struct mk_key *key = &series->key;
	u32 i;

	if (!series->there)
		return 0;
	if (key->cpu_a == key->cpu_b || mk_clock_stable())
		return mk_run_samples(series->run, key, "one_way", "cycles",
				      series->one_way, series->samples);
	for (i = 0; i < series->samples; i++)
		series->one_way[i] = series->round_trip[i] / 2;
	return mk_run_samples(series->run, key, "half_trip", "cycles",
			      series->one_way, series->samples);
}

/**
 * mk_series_report() - take the samples and report both distributions
 * @series: the series
 *
 * Metrics: round_trip, and if the sample tells when it arrived one_way, or
 * half_trip where one_way cannot be known.
 *
 * Context: process, not a port's thread.
 * Return: 0, or the first error of a sample or of the report.
 */
int mk_series_report(struct mk_series *series)
{
	int err = mk_series_take(series);

	err = err ?: mk_series_report_one_way(series);
	return err ?: mk_run_samples(series->run, &series->key, "round_trip",
				     "cycles", series->round_trip,
				     series->samples);
}

/**
 * mk_series_sweep() - an experiment made of series: every pair, again and again
 * @run: a run with the parameters of MK_SERIES_SAMPLES … MK_SERIES_CPUS
 * @arg: for the series
 * @pair: measures and reports one pair; key.cpu_a, key.cpu_b and key.repeat are
 *	set, the rest of the key is as the last call left it
 *
 * Context: process, not a port's thread.
 * Return: 0, -ENOMEM, or the first error of @pair.
 */
int mk_series_sweep(struct mk_run *run, void *arg,
		    int (*pair)(struct mk_series *series, const int cpu[2]))
{
	u32 repeats = mk_run_u32(run, MK_SERIES_REPEATS);
	struct mk_series series = {
		.run = run,
		.key = { .mem_node = -1, .size = MK_LINE_BYTES },
		.samples = mk_run_u32(run, MK_SERIES_SAMPLES),
		.warmup = mk_run_u32(run, MK_SERIES_WARMUP),
		.arg = arg,
	};
	struct mk_pair_set pairs;
	unsigned int i;
	int err;

	mk_bench_handlers();
	err = mk_bench_pairs(&pairs, mk_run_cpus(run, MK_SERIES_CPUS),
			     mk_run_u32(run, MK_SERIES_PAIRS));
	if (err)
		return err;
	series.round_trip = kvmalloc_array(series.samples, sizeof(u64),
					   GFP_KERNEL);
	series.one_way = kvmalloc_array(series.samples, sizeof(u64),
					GFP_KERNEL);
	if (!series.round_trip || !series.one_way)
		err = -ENOMEM;

	for (; !err && series.key.repeat < repeats; series.key.repeat++) {
		for (i = 0; i < pairs.nr && !err; i++) {
			series.key.cpu_a = pairs.cpu[i][0];
			series.key.cpu_b = pairs.cpu[i][1];
			err = pair(&series, pairs.cpu[i]);
			mk_run_progress(run,
					series.key.repeat * pairs.nr + i + 1,
					repeats * pairs.nr);
		}
	}

	kvfree(series.one_way);
	kvfree(series.round_trip);
	mk_bench_pairs_free(&pairs);
	return err;
}

/* From saying so until the CPU really idles. */
#define MK_SERIES_ASLEEP_US	100

/**
 * mk_series_asleep() - prepare: wait until the monitor of cpu_b sleeps
 * @port: the own port, which is served meanwhile
 * @series: the series
 *
 * A monitor that has just said that it blocks is woken more cheaply than one
 * whose CPU has gone idle, so this waits for the latter.
 *
 * Return: 0, -ETIMEDOUT if it does not within a second, or why to stop.
 */
int mk_series_asleep(struct mk_port *port, struct mk_series *series)
{
	const struct mk_port *peer = mk_port(series->key.cpu_b);
	unsigned long deadline = jiffies + HZ;
	u64 since = mk_cycles();
	int err = 0;

	while (!err && mk_cycles() - since < mk_clock_us(MK_SERIES_ASLEEP_US)) {
		mk_port_poll(port);
		cpu_relax();
		if (!READ_ONCE(peer->blocked))
			since = mk_cycles();
		err = mk_bench_step(series->run);
		if (!err && time_after(jiffies, deadline))
			err = -ETIMEDOUT;
	}
	return err;
}

/**
 * mk_series_control() - sample: an empty pass over the own port
 * @port: the own port
 * @series: the series
 *
 * Return: 0.
 */
int mk_series_control(struct mk_port *port, struct mk_series *series)
{
	mk_port_poll(port);
	return 0;
}

/**
 * mk_series_report_control() - the control of an experiment made of series
 * @series: the series
 *
 * Return: as mk_series_report().
 */
int mk_series_report_control(struct mk_series *series)
{
	series->key.variant = "control";
	series->key.mem_node = -1;
	series->sample = mk_series_control;
	return mk_series_report(series);
}

/**
 * mk_series_ping() - sample: a one-line call and its reply
 * @port: the own port
 * @series: the series, with an endpoint
 *
 * Return: 0, or as mk_endpoint_rpc().
 */
int mk_series_ping(struct mk_port *port, struct mk_series *series)
{
	static const u64 word[MK_LINE_WORDS];
	int err;

	err = mk_endpoint_rpc(series->ep, MK_TYPE_PING, word, 1,
			      &series->reply);
	if (!err)
		series->there = series->reply.word[0];
	return err;
}
