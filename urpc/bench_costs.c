// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment costs: what a message costs its sender and its receiver, which is what
 * trees are planned from (plan.h; Kaestle et al., Smelt, OSDI 2016).
 *
 * Two threads, one on each CPU, with a pair of bare rings (ring.h) on the node of
 * whoever reads them. The sender sends k messages without a pause; when it has, it
 * says so, and the receiver takes them, which are all there by then. Neither waits
 * for the other while it is timed.
 *
 * Variants:
 *	ring	 between two CPUs
 *	control	 one thread is both sides, so that no line travels
 *
 * Metrics: send and receive, cycles for all k messages, which is the size column,
 * k = 1 … 8 in turn: store buffers hide what the first ones cost. round_trip, a
 * message there and another back.
 *
 * What was found goes to topology/costs too: send is an eighth of 8 messages,
 * receive that of one. The error is the standard error of a median as it is for
 * samples that are spread normally, from the quartiles, so that a few that were
 * interrupted do not count.
 *
 * At load a few bursts are sent between two CPUs of each distance, for as long as
 * the module parameter costs_ms allows: enough to tell near from far.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/costs.h"
#include "module/stats.h"
#include "urpc/bench.h"

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(1000),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(100),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(1),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
};

#define MK_COSTS_BURST	8

/* Polls for the other side between two looks around. */
#define MK_COSTS_POLLS	256

/* At load: bursts of each size that count, those before them, and for how long. */
#define MK_COSTS_LOAD_SAMPLES	8
#define MK_COSTS_LOAD_WARMUP	2
#define MK_COSTS_LOAD_MS	20
#define MK_COSTS_LOAD_MS_MAX	1000

static unsigned int costs_ms = MK_COSTS_LOAD_MS;
module_param(costs_ms, uint, 0444);
MODULE_PARM_DESC(costs_ms,
		 "milliseconds at load for what messages cost at each distance, at most 1000 (default 20; 0: not at all)");

/**
 * struct mk_costs_side - what one side writes, on lines of its own
 * @end: its ends of both rings
 * @msg: what it has received
 * @turn: bursts that it is done with; read by the other side
 */
struct mk_costs_side {
	struct mk_end end;
	struct mk_message msg;
	u32 turn;
} ____cacheline_aligned_in_smp;

/**
 * struct mk_costing - a pair of CPUs at it
 * @run: the run; NULL at load
 * @deadline: at load: when to give up, in cycles
 * @cpu: sender and receiver
 * @samples: of each burst
 * @warmup: to take before them
 * @alone: the sender is both sides
 * @call: the receiver
 * @stop: set to end the other side
 * @page: lines that side 0 writes, and those that side 1 writes
 * @cycles: of side 0 and 1, by size, by sample
 * @side: sender and receiver
 */
struct mk_costing {
	struct mk_run *run;
	u64 deadline;
	const int *cpu;
	u32 samples, warmup;
	bool alone;
	struct mk_call call;
	int stop;
	struct page *page[2];
	u64 *cycles[2][MK_COSTS_BURST];
	struct mk_costs_side side[2];
};

/* Now and then: give way, and see whether to go on. */
static int mk_costs_step(struct mk_costing *c)
{
	if (c->run)
		return mk_bench_step(c->run);
	cond_resched();
	if (kthread_should_stop())
		return -ENODEV;
	return mk_cycles() > c->deadline ? -ETIMEDOUT : 0;
}

/* Between two looks at what the other side does: go on, or why not. */
static int mk_costs_pause(struct mk_costing *c, unsigned int *polls)
{
	cpu_relax();
	if (READ_ONCE(c->stop))
		return -ECANCELED;
	return ++*polls % MK_COSTS_POLLS ? 0 : mk_costs_step(c);
}

/* Waits for the other side to be done with burst @turn, or whatever it was. */
static int mk_costs_wait(struct mk_costing *c, int side, u32 turn)
{
	unsigned int polls = 0;
	int err = 0;

	/* Pairs with the release of mk_costs_done(). */
	while (!err && smp_load_acquire(&c->side[!side].turn) != turn)
		err = mk_costs_pause(c, &polls);
	return err;
}

/* All that this side did before is seen by who sees this. */
static void mk_costs_done(struct mk_costing *c, int side, u32 turn)
{
	/* Pairs with the acquire of mk_costs_wait(). */
	smp_store_release(&c->side[side].turn, turn);
}

static void mk_costs_keep(struct mk_costing *c, int side, u32 burst, u64 start,
			  u64 end)
{
	u32 sample = burst / MK_COSTS_BURST;

	if (sample >= c->warmup)
		c->cycles[side][burst % MK_COSTS_BURST][sample - c->warmup] =
			mk_clock_span(start, end);
}

/* Burst @burst leaves side 0. */
static int mk_costs_send(struct mk_costing *c, u32 burst)
{
	static const u64 word[MK_LINE_WORDS];
	struct mk_costs_side *side = &c->side[0];
	u32 k = burst % MK_COSTS_BURST + 1, i;
	u64 start, end;
	int err = 0;

	/* The credit for what was taken, which is no part of sending. */
	while (mk_end_recv(&side->end, &side->msg) == 1)
		;
	start = mk_cycles();
	for (i = 0; i < k; i++)
		err |= mk_end_send(&side->end, 0, 0, 0, word, 1);
	end = mk_cycles();
	mk_costs_keep(c, 0, burst, start, end);
	/* There is room for more than a quarter of the ring. */
	return err ? -EIO : 0;
}

/* And is taken by side 1. */
static int mk_costs_receive(struct mk_costing *c, u32 burst)
{
	struct mk_costs_side *side = &c->side[1];
	u32 k = burst % MK_COSTS_BURST + 1, got = 0, i;
	u64 start, end;

	start = mk_cycles();
	for (i = 0; i < k; i++)
		got += mk_end_recv(&side->end, &side->msg) == 1;
	end = mk_cycles();
	mk_costs_keep(c, 1, burst, start, end);
	if (mk_end_ack_due(&side->end))
		mk_end_ack(&side->end);
	return got == k ? 0 : -EIO;
}

static int mk_costs_sender(struct mk_port *port, void *arg)
{
	struct mk_costing *c = arg;
	u32 nr = (c->warmup + c->samples) * MK_COSTS_BURST, burst;
	int err = 0;

	for (burst = 0; burst < nr && !err; burst++) {
		err = mk_costs_send(c, burst);
		if (!err && c->alone)
			err = mk_costs_receive(c, burst);
		if (!err && !c->alone) {
			mk_costs_done(c, 0, burst + 1);
			err = mk_costs_wait(c, 0, burst + 1);
		}
		err = err ?: mk_costs_step(c);
	}
	return err;
}

/* Until @stop, which is how it ends if all is well. */
static int mk_costs_receiver(struct mk_port *port, void *arg)
{
	struct mk_costing *c = arg;
	u32 burst = 0;
	int err;

	do {
		err = mk_costs_wait(c, 1, burst + 1);
		if (!err)
			err = mk_costs_receive(c, burst);
		if (!err)
			mk_costs_done(c, 1, ++burst);
		if (!err && burst % MK_COSTS_POLLS == 0)
			err = mk_costs_step(c);
	} while (!err);
	WRITE_ONCE(c->stop, 1);
	return err == -ECANCELED ? 0 : err;
}

/* --- round trips ---- */

static int mk_costs_recv(struct mk_costing *c, int side)
{
	unsigned int polls = 0;
	int err = 0;

	while (!err && mk_end_recv(&c->side[side].end, &c->side[side].msg) != 1)
		err = mk_costs_pause(c, &polls);
	return err;
}

static int mk_costs_put(struct mk_costing *c, int side)
{
	static const u64 word[MK_LINE_WORDS];

	return mk_end_send(&c->side[side].end, 0, 0, 0, word, 1);
}

static int mk_costs_echo(struct mk_port *port, void *arg)
{
	struct mk_costing *c = arg;
	int err;

	do {
		err = mk_costs_recv(c, 1);
		if (!err)
			err = mk_costs_put(c, 1);
		if (!err)
			err = mk_costs_step(c);
	} while (!err);
	WRITE_ONCE(c->stop, 1);
	return err == -ECANCELED ? 0 : err;
}

static int mk_costs_trip(struct mk_port *port, struct mk_series *series)
{
	struct mk_costing *c = series->arg;
	int err = mk_costs_put(c, 0);

	if (!err && c->alone)
		err = mk_costs_recv(c, 1) ?: mk_costs_put(c, 1);
	return err ?: mk_costs_recv(c, 0);
}

/* --- a pair ---- */

static int mk_costs_begin(struct mk_costing *c)
{
	int i, err = 0;

	c->stop = 0;
	for (i = 0; i < 2; i++) {
		clear_page(page_address(c->page[i]));
		c->side[i].turn = 0;
	}
	for (i = 0; i < 2 && !err; i++)
		err = mk_end_init(&c->side[i].end, page_address(c->page[i]),
				  MK_CHANNEL_SLOTS, page_address(c->page[!i]),
				  MK_CHANNEL_SLOTS);
	return err;
}

/*
 * @other runs at the receiver meanwhile, if that is another CPU. @series is for round
 * trips.
 */
static int mk_costs_both(struct mk_costing *c, struct mk_series *series,
			 int (*other)(struct mk_port *port, void *arg))
{
	int err = mk_costs_begin(c);

	if (!err && !c->alone)
		err = mk_port_start(c->cpu[1], &c->call, other, c);
	if (err)
		return err;
	if (other == mk_costs_echo)
		err = mk_series_take(series);
	else
		err = mk_port_run(c->cpu[0], mk_costs_sender, c);
	WRITE_ONCE(c->stop, 1);
	if (c->alone)
		return err;
	return mk_port_wait(&c->call) ?: err;
}

/* Median and error of samples that are in order, each of @messages of them. */
static struct mk_cost mk_costs_median(const u64 *sorted, u32 n, u32 messages)
{
	u64 quartiles = sorted[3 * n / 4] - sorted[n / 4];

	/*
	 * A normal distribution has 1.349 deviations between its quartiles, and
	 * its median an error of 1.253 of them by the root of n.
	 */
	return (struct mk_cost){
		.milli = div_u64(sorted[n / 2] * 1000, messages),
		.error = div_u64(div_u64(quartiles * 929, int_sqrt(n)), messages),
	};
}

/* From samples that are in order. */
static void mk_costs_find(const struct mk_costing *c, struct mk_cost *cost)
{
	cost[MK_COST_SEND] = mk_costs_median(c->cycles[0][MK_COSTS_BURST - 1],
					     c->samples, MK_COSTS_BURST);
	cost[MK_COST_RECEIVE] = mk_costs_median(c->cycles[1][0], c->samples, 1);
}

static int mk_costs_report(struct mk_series *series, struct mk_cost *cost)
{
	static const char *const metrics[] = { "send", "receive" };
	struct mk_costing *c = series->arg;
	int side, err = 0;
	u32 k;

	for (side = 0; side < 2; side++) {
		for (k = 0; k < MK_COSTS_BURST && !err; k++) {
			series->key.size = k + 1;
			err = mk_run_samples(c->run, &series->key, metrics[side],
					     "cycles", c->cycles[side][k],
					     c->samples);
		}
	}
	series->key.size = 1;
	if (err)
		return err;
	mk_costs_find(c, cost);
	return 0;
}

static int mk_costs_variant(struct mk_series *series, bool alone)
{
	struct mk_cost cost[MK_COSTS];
	struct mk_costing *c = series->arg;
	int err;

	c->alone = alone;
	series->key.variant = alone ? "control" : "ring";
	series->sample = mk_costs_trip;
	err = mk_costs_both(c, series, mk_costs_receiver);
	err = err ?: mk_costs_report(series, cost);
	err = err ?: mk_costs_both(c, series, mk_costs_echo);
	err = err ?: mk_run_samples(c->run, &series->key, "round_trip", "cycles",
				    series->round_trip, series->samples);
	if (err || alone)
		return err;
	cost[MK_COST_RTT] = mk_costs_median(series->round_trip, series->samples,
					    1);
	return mk_costs_set(c->cpu[0], c->cpu[1], cost);
}

static void mk_costs_unplace(struct mk_costing *c)
{
	int i;

	for (i = 0; i < 2; i++)
		if (c->page[i])
			__free_page(c->page[i]);
}

/* Memory for the rings of a pair. */
static int mk_costs_place(struct mk_costing *c, const int cpu[2])
{
	int i;

	c->cpu = cpu;
	for (i = 0; i < 2; i++)
		c->page[i] = alloc_pages_node(cpu_to_node(cpu[!i]), GFP_KERNEL, 0);
	if (c->page[0] && c->page[1])
		return 0;
	mk_costs_unplace(c);
	return -ENOMEM;
}

/* A CPU with itself is its own control, and has no costs. */
static int mk_costs_pair(struct mk_series *series, const int cpu[2])
{
	struct mk_costing *c = series->arg;
	int err = mk_costs_place(c, cpu);

	if (err)
		return err;
	series->key.mem_node = page_to_nid(c->page[0]);
	if (cpu[0] != cpu[1])
		err = mk_costs_variant(series, false);
	err = err ?: mk_costs_variant(series, true);
	mk_costs_unplace(c);
	return err;
}

static void mk_costing_free(struct mk_costing *c)
{
	if (c)
		kvfree(c->cycles[0][0]);
	kfree(c);
}

static struct mk_costing *mk_costing_alloc(u32 samples, u32 warmup)
{
	struct mk_costing *c = kzalloc(sizeof(*c), GFP_KERNEL);
	u64 *cycles;
	int i;

	cycles = kvmalloc_array(2 * MK_COSTS_BURST * samples, sizeof(*cycles),
				GFP_KERNEL);
	if (!c || !cycles) {
		kvfree(cycles);
		kfree(c);
		return NULL;
	}
	c->samples = samples;
	c->warmup = warmup;
	for (i = 0; i < 2 * MK_COSTS_BURST; i++)
		c->cycles[i / MK_COSTS_BURST][i % MK_COSTS_BURST] =
			cycles + (size_t)i * samples;
	return c;
}

static int mk_costs_run(struct mk_run *run)
{
	struct mk_costing *c;
	int err;

	c = mk_costing_alloc(mk_run_u32(run, MK_SERIES_SAMPLES),
			     mk_run_u32(run, MK_SERIES_WARMUP));
	if (!c)
		return -ENOMEM;
	c->run = run;
	err = mk_series_sweep(run, c, mk_costs_pair);
	mk_costs_settle();
	mk_costing_free(c);
	return err;
}

/* --- at load ---- */

/* Unless something is known of a pair as far apart. */
static int mk_costs_load_pair(struct mk_costing *c, int from, int to)
{
	const int cpu[2] = { from, to };
	struct mk_cost cost[MK_COSTS];
	int err;

	if (from == to || mk_costs_known(from, to))
		return 0;
	err = mk_costs_place(c, cpu);
	if (err)
		return err;
	err = mk_costs_both(c, NULL, mk_costs_receiver);
	mk_costs_unplace(c);
	if (err)
		return err;
	mk_stats_sort(c->cycles[0][MK_COSTS_BURST - 1], c->samples);
	mk_stats_sort(c->cycles[1][0], c->samples);
	mk_costs_find(c, cost);
	mk_costs_sampled(from, to, cost);
	return 0;
}

/* From one CPU: to a sibling, to others of its node, to one of each other node. */
static int mk_costs_load_from(struct mk_costing *c, int cpu)
{
	int other, node, err = 0;

	for_each_cpu(other, topology_sibling_cpumask(cpu))
		err = err ?: mk_costs_load_pair(c, cpu, other);
	for_each_cpu(other, cpumask_of_node(cpu_to_node(cpu)))
		err = err ?: mk_costs_load_pair(c, cpu, other);
	for_each_online_node(node) {
		other = cpumask_any_and(cpumask_of_node(node), cpu_online_mask);
		if (!err && other < nr_cpu_ids)
			err = mk_costs_load_pair(c, cpu, other);
	}
	return err;
}

/**
 * mk_costs_load() - know a little of what messages cost, before anybody measures
 *
 * Context: process, at load, when the monitors run; sleeps for costs_ms at most.
 * What was not found in that time is not known.
 */
void mk_costs_load(void)
{
	struct mk_costing *c;
	int node, cpu, err = 0;

	if (!costs_ms)
		return;
	c = mk_costing_alloc(MK_COSTS_LOAD_SAMPLES, MK_COSTS_LOAD_WARMUP);
	if (!c)
		return;
	c->deadline = mk_cycles() +
		      mk_clock_us(min_t(u32, costs_ms, MK_COSTS_LOAD_MS_MAX) * 1000);
	for_each_online_node(node) {
		cpu = cpumask_any_and(cpumask_of_node(node), cpu_online_mask);
		if (!err && cpu < nr_cpu_ids)
			err = mk_costs_load_from(c, cpu);
	}
	mk_costing_free(c);
}

const struct mk_experiment mk_exp_costs = {
	.name = "costs",
	.help = "what a message costs its sender and its receiver, for each pair of CPUs",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_costs_run,
};
