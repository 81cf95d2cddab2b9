// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment pager: a turn of a variant. Its memory is made, its samples are taken,
 * its servers are asked what they have done, all of it by jobs for agents.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/monitor.h"
#include "module/pager/bench.h"

/* Longer than any fault waits, for an agent to come back after the run was ended. */
#define MK_SERVE_PATIENCE_MS	12000
/* So often, and with such pauses, servers are asked what they have counted. */
#define MK_SERVE_LOOKS		100
#define MK_SERVE_LOOK_MS	10
/* The longest that is waited for monitors to come to rest. */
#define MK_SERVE_REST_US	5000
#define MK_SERVE_REST_SLACK_US	200

/* ---- jobs ---- */

/*
 * A run that is ended waits for its agent: it may be in a fault, which is
 * served or times out, and what serves it must be there until then.
 */
static int mk_serve_job(struct mk_serve_bench *bench, int cpu,
			const struct mk_agent_order *order,
			struct mk_agent_result *result)
{
	int err = mk_agent_do(bench->run, cpu, order, result);

	if (err != -ETIMEDOUT && err != -EINTR && err != -ECANCELED)
		return err;
	if (mk_agent_take(cpu, result, MK_SERVE_PATIENCE_MS))
		bench->stray = true;
	return err;
}

static int mk_serve_timed(struct mk_serve_bench *bench, int cpu,
			  struct mk_agent_order *order, u64 *cycles)
{
	u64 sample;
	struct mk_agent_result result = { .samples = &sample, .room = 1 };
	int err;

	order->count = 1;
	err = mk_serve_job(bench, cpu, order, &result);
	if (err)
		return err;
	if (result.nr != 1)
		return -EIO;
	*cycles += mk_clock_span(0, sample);
	return 0;
}

/* The number of the server of the i-th node, and of where its memory is. */
static u32 mk_serve_by(const struct mk_serve_bench *bench, u32 i)
{
	return bench->row->far ? bench->max_nodes - 1 : i;
}

/* A node's pages, at once. */
static int mk_serve_touch(struct mk_serve_bench *bench, u32 i, u64 *cycles)
{
	struct mk_agent_order order = {
		.kind = MK_JOB_TOUCH,
		.pages = bench->pages,
		.address = bench->address + i * bench->stride +
			   bench->at * PAGE_SIZE,
	};

	return mk_serve_timed(bench, bench->cpu[i], &order, cycles);
}

static int mk_serve_take(struct mk_serve_bench *bench, u64 *cycles)
{
	struct mk_agent_order order = {
		.kind = MK_JOB_TAKE,
		.pages = bench->pages,
		.address = bench->address + bench->at * PAGE_SIZE,
	};

	return mk_serve_timed(bench, bench->cpu[0], &order, cycles);
}

/* ---- a sample ---- */

/* Pages from one sample to the next: each node is once at home in them. */
static u32 mk_serve_step(const struct mk_serve_bench *bench)
{
	return max(bench->max_nodes, bench->pages);
}

/*
 * A monitor that has taken pages away polls for some time before it blocks. The next
 * fault on that CPU is not about that.
 */
static void mk_serve_rest(void)
{
	u64 us = div_u64(mk_monitor_poll_cycles() * USEC_PER_MSEC,
			 mk_clock_khz());

	us = min_t(u64, us, MK_SERVE_REST_US);
	usleep_range(us, us + MK_SERVE_REST_SLACK_US);
}

static int mk_serve_sample(struct mk_serve_bench *bench, u32 n, u64 cycles[2])
{
	const struct mk_serve_row *row = bench->row;
	u32 i, touch = row->all ? bench->nodes : 1;
	int err = 0;

	cycles[0] = 0;
	cycles[1] = 0;
	bench->at = n * mk_serve_step(bench);
	if (row->how & MK_SERVE_ASK)
		bench->at += bench->max_nodes - 1;
	if (row->then == MK_SECOND_TAKE)
		mk_serve_rest();
	for (i = 0; i < touch && !err; i++) {
		err = mk_serve_touch(bench, i, &cycles[0]);
		bench->touched[mk_serve_by(bench, i)] += bench->pages;
	}
	if (!err && row->then == MK_SECOND_TAKE) {
		err = mk_serve_take(bench, &cycles[1]);
		bench->taken += bench->pages;
	}
	if (!err && row->then == MK_SECOND_ACCESS)
		err = mk_serve_touch(bench, 0, &cycles[1]);
	return err ?: mk_run_stopped(bench->run);
}

/* ---- a turn of a variant ---- */

/* A bit for the node of each server. */
static u64 mk_serve_mask(const struct mk_serve_bench *bench)
{
	u64 mask = 0;
	u32 i;

	for (i = 0; i < bench->nodes; i++)
		mask |= 1ull << cpu_to_node(bench->cpu[mk_serve_by(bench, i)]);
	return mask;
}

static int mk_serve_begin(struct mk_serve_bench *bench, int way)
{
	const struct mk_agent_order order = {
		.kind = MK_JOB_SERVE,
		.pages = (bench->warmup + MK_SERVE_BATCH) *
			 mk_serve_step(bench),
		.count = way,
		.how = bench->row->how,
		.cycles = mk_serve_mask(bench),
	};
	struct mk_agent_result result = { .samples = bench->words, .room = 2 };
	int err = mk_serve_job(bench, bench->cpu[0], &order, &result);

	if (err)
		return err;
	if (result.nr != 2)
		return -EIO;
	bench->address = bench->words[0];
	bench->stride = bench->words[1];
	memset(bench->touched, 0, sizeof(bench->touched));
	bench->taken = 0;
	return 0;
}

/* However the turn has ended, unless its memory is in use for ever. */
static void mk_serve_end(struct mk_serve_bench *bench)
{
	const struct mk_agent_order order = { .kind = MK_JOB_UNSERVE };
	struct mk_agent_result result = { };

	if (!bench->stray && !mk_agent_give(bench->cpu[0], &order))
		mk_agent_take(bench->cpu[0], &result, MK_SERVE_PATIENCE_MS);
}

/* Where the i-th node's server says how many it has served. */
static u32 mk_serve_word(const struct mk_serve_bench *bench, u32 i)
{
	return cpu_to_node(bench->cpu[i]) * MK_SERVED_WORDS;
}

static int mk_serve_ask(struct mk_serve_bench *bench)
{
	const struct mk_agent_order order = { .kind = MK_JOB_SERVED };
	struct mk_agent_result result = {
		.samples = bench->words, .room = ARRAY_SIZE(bench->words),
	};
	int err = mk_serve_job(bench, bench->cpu[0], &order, &result);

	if (!err && result.nr != ARRAY_SIZE(bench->words))
		err = -EIO;
	return err;
}

static u64 mk_serve_said(const struct mk_serve_bench *bench, u32 i,
			 enum mk_served word)
{
	return bench->words[mk_serve_word(bench, i) + word];
}

/*
 * The first of the servers that has served less than it should have, or does not
 * know yet of all that was taken away; or -1.
 */
static int mk_serve_missing(const struct mk_serve_bench *bench)
{
	u32 i;

	for (i = 0; i < bench->max_nodes; i++) {
		if (!bench->touched[i])
			continue;
		if (mk_serve_said(bench, i, MK_SERVED_FAULTS) < bench->touched[i] ||
		    mk_serve_said(bench, i, MK_SERVED_NOTICES) < bench->taken)
			return i;
	}
	return -1;
}

/*
 * Did those serve that should have? Whoever served counts it a moment after the
 * thread that was served has gone on; and taking pages away does not wait for
 * acknowledgements for ever.
 */
static int mk_serve_check(struct mk_serve_bench *bench, int way)
{
	bool asked = way != MK_SERVER_NONE && way != MK_SERVER_KERNEL;
	int looks, i = -1, err;

	for (looks = 0; looks < MK_SERVE_LOOKS; looks++) {
		err = mk_serve_ask(bench);
		if (err)
			return err;
		i = asked ? mk_serve_missing(bench) : -1;
		if (i < 0)
			break;
		msleep(MK_SERVE_LOOK_MS);
	}
	if (i >= 0) {
		pr_notice_ratelimited("experiments/pager: %s of node %d served %llu faults of %u, knows of %llu pages taken of %u\n",
				      mk_server_names[way],
				      cpu_to_node(bench->cpu[i]),
				      mk_serve_said(bench, i, MK_SERVED_FAULTS),
				      bench->touched[i],
				      mk_serve_said(bench, i, MK_SERVED_NOTICES),
				      bench->taken);
		return -EIO;
	}
	for (i = 0; i < ARRAY_SIZE(bench->words); i++)
		bench->way[way].served[i % MK_SERVED_WORDS] += bench->words[i];
	return 0;
}

static int mk_serve_turn(struct mk_serve_bench *bench, int way, u32 first,
			 u32 n)
{
	struct mk_serving_way *to = &bench->way[way];
	u64 cycles[2];
	u32 i;
	int err;

	if (to->off)
		return 0;
	err = mk_serve_begin(bench, way);
	/* No userfaultfd here, or no mirrors. */
	if (err == -EOPNOTSUPP) {
		to->off = true;
		return 0;
	}
	for (i = 0; i < bench->warmup + n && !err; i++) {
		err = mk_serve_sample(bench, i, cycles);
		if (err || i < bench->warmup)
			continue;
		to->cycles[0][first + i - bench->warmup] = cycles[0];
		to->cycles[1][first + i - bench->warmup] = cycles[1];
	}
	err = err ?: mk_serve_check(bench, way);
	mk_serve_end(bench);
	return err;
}

/**
 * mk_serve_turns() - all samples of a row, of each variant in turn
 * @bench: the experiment, with its row
 *
 * Context: process, in the mm of the agents; sleeps.
 * Return: 0, or why not; what the servers did is added up.
 */
int mk_serve_turns(struct mk_serve_bench *bench)
{
	u32 first, n, turn = 0;
	int i, err = 0;

	for (first = 0; first < bench->samples && !err; first += n, turn++) {
		n = min_t(u32, bench->samples - first, MK_SERVE_BATCH);
		for (i = 0; i < MK_SERVERS && !err; i++)
			err = mk_serve_turn(bench, (turn + i) % MK_SERVERS,
					    first, n);
	}
	return err;
}
