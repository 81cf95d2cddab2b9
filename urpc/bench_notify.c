// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment notify: what it costs a receiver to notice a message, by how it
 * waits (Baumann et al., SOSP 2009, section 5.2).
 *
 * Variants of the receiver, all with the same round trip:
 *	poll	 it polls all the time
 *	mwait	 it waits in MONITOR/MWAIT on the ring's next line; only where a
 *		 trial shows that MWAIT sleeps at all
 *	block	 it is asleep each time, and is woken
 *	control	 an empty pass over the own port
 *
 * The metric handoff is C, the difference between the medians of block and
 * poll; it is 0 if there is none. mwait_sleeps tells of the trial.
 */
#include <linux/hrtimer.h>
#include <asm/cpufeature.h>
#include <asm/mwait.h>

#include "module/clock.h"
#include "module/monitor.h"
#include "module/stats.h"
#include "urpc/bench.h"

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(300),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(30),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(3),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
};

/* An MWAIT that only the timer ends sleeps longer than this. */
#define MK_MWAIT_SLEEP_US	20
#define MK_MWAIT_TRIALS		5

/* A timer ends every MWAIT at least this often, tick or no tick. */
#define MK_MWAIT_TIMER_NS	NSEC_PER_MSEC

/**
 * struct mk_notify - state of a pair
 * @run: the run
 * @cpu: the receiver
 * @ep: its endpoint
 * @call: its wait by MWAIT
 * @stop: set to end that
 * @sleeps: MWAIT is known to sleep there
 * @timer: ends MWAIT
 */
struct mk_notify {
	struct mk_run *run;
	int cpu;
	struct mk_endpoint *ep;
	struct mk_call call;
	int stop;
	bool sleeps;
	struct hrtimer timer;
};

static enum hrtimer_restart mk_mwait_end(struct hrtimer *timer)
{
	hrtimer_forward_now(timer, ns_to_ktime(MK_MWAIT_TIMER_NS));
	return HRTIMER_RESTART;
}

static void mk_mwait_begin(struct mk_notify *notify)
{
	hrtimer_init(&notify->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED);
	notify->timer.function = mk_mwait_end;
	hrtimer_start(&notify->timer, ns_to_ktime(MK_MWAIT_TIMER_NS),
		      HRTIMER_MODE_REL_PINNED);
}

static int mk_mwait_trial(struct mk_port *port, void *arg)
{
	static struct mk_line line;
	struct mk_notify *notify = arg;
	unsigned int slept = 0, i;
	u64 start;

	if (!boot_cpu_has(X86_FEATURE_MWAIT))
		return 0;
	mk_mwait_begin(notify);
	for (i = 0; i < MK_MWAIT_TRIALS; i++) {
		start = mk_cycles();
		__monitor(&line, 0, 0);
		__mwait(0, 0);
		if (mk_clock_span(start, mk_cycles()) >
		    mk_clock_us(MK_MWAIT_SLEEP_US))
			slept++;
		cond_resched();
	}
	hrtimer_cancel(&notify->timer);
	/* An interrupt may end one early. */
	notify->sleeps = slept > MK_MWAIT_TRIALS / 2;
	return 0;
}

/* The receiver, until it is stopped. */
static int mk_notify_mwait(struct mk_port *port, void *arg)
{
	struct mk_notify *notify = arg;
	const struct mk_rx *rx = &notify->ep->end.rx;

	mk_mwait_begin(notify);
	while (!READ_ONCE(notify->stop) && !mk_bench_step(notify->run)) {
		const struct mk_line *line =
			&rx->line[rx->tail & (rx->slots - 1)];

		__monitor(line, 0, 0);
		if (!mk_end_pending(&notify->ep->end))
			__mwait(0, 0);
		mk_port_poll(port);
	}
	hrtimer_cancel(&notify->timer);
	return 0;
}

/* Report a variant with the receiver's P; the median round trip goes out. */
static int mk_notify_variant(struct mk_series *series, const char *variant,
			     u64 poll_cycles, u64 *median)
{
	u64 old = mk_monitor_cpu_poll_cycles(series->key.cpu_b);
	int err;

	series->key.variant = variant;
	series->sample = mk_series_ping;
	mk_monitor_cpu_set_poll_cycles(series->key.cpu_b, poll_cycles);
	err = mk_series_report(series);
	mk_monitor_cpu_set_poll_cycles(series->key.cpu_b, old);
	*median = mk_stats_median(series->round_trip, series->samples);
	return err;
}

static int mk_notify_mwaits(struct mk_series *series, struct mk_notify *notify)
{
	u64 median;
	int err;

	err = mk_port_run(notify->cpu, mk_mwait_trial, notify);
	if (err)
		return err;
	series->key.variant = "mwait";
	err = mk_run_value(series->run, &series->key, "mwait_sleeps", "bool",
			   notify->sleeps);
	if (err || !notify->sleeps)
		return err;

	notify->stop = 0;
	err = mk_port_start(notify->cpu, &notify->call, mk_notify_mwait,
			    notify);
	if (err)
		return err;
	err = mk_notify_variant(series, "mwait",
				mk_monitor_cpu_poll_cycles(notify->cpu),
				&median);
	WRITE_ONCE(notify->stop, 1);
	return mk_port_wait(&notify->call) ?: err;
}

static int mk_notify_waits(struct mk_series *series, struct mk_notify *notify)
{
	u64 polled, blocked;
	int err;

	err = mk_notify_variant(series, "poll", mk_clock_us(USEC_PER_SEC),
				&polled);
	if (!err)
		err = mk_notify_mwaits(series, notify);
	if (err)
		return err;
	series->prepare = mk_series_asleep;
	err = mk_notify_variant(series, "block", 0, &blocked);
	series->prepare = NULL;
	return err ?: mk_run_value(series->run, &series->key, "handoff",
				   "cycles",
				   blocked > polled ? blocked - polled : 0);
}

static int mk_notify_pair(struct mk_series *series, const int cpu[2])
{
	struct mk_notify notify = { .run = series->run, .cpu = cpu[1] };
	struct mk_channel *channel;
	int err;

	/* A monitor cannot sleep while it calls itself. */
	if (cpu[0] == cpu[1])
		return mk_series_report_control(series);
	channel = mk_bench_channel(cpu, MK_PLACE_RECEIVER, 0, 0);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	series->ep = channel->end[0];
	notify.ep = channel->end[1];
	series->key.mem_node = channel->ring_node[0];
	err = mk_notify_waits(series, &notify);
	err = mk_channel_close(channel) ?: err;
	if (err)
		return err;
	return mk_series_report_control(series);
}

static int mk_notify_run(struct mk_run *run)
{
	return mk_series_sweep(run, NULL, mk_notify_pair);
}

const struct mk_experiment mk_exp_notify = {
	.name = "notify",
	.help = "poll, MWAIT where it works, block and wake; hand-off cost C (SOSP'09 section 5.2)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_notify_run,
};
