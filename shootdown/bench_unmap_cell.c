// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment unmap: samples of all variants in one cell, so many CPUs and pages
 * in one state; and what the targets' own threads lose.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "module/agent.h"
#include "module/clock.h"
#include "shootdown/bench_unmap.h"

/* So long the others count their loops, for one sample. */
#define MK_UNMAP_SPIN_US	5000

/*
 * Another order for each round: what comes after its like finds the caches warm,
 * and who that is must not always be the same.
 */
static void mk_unmap_shuffle(struct mk_unmap *unmap, u8 *order)
{
	u32 i, k;

	for (i = 0; i < MK_UNMAP_QUIET; i++) {
		unmap->seed = next_pseudo_random32(unmap->seed);
		k = (unmap->seed >> 16) % (i + 1);
		order[i] = order[k];
		order[k] = i;
	}
}

/* What comes before the last operation of a turn is neither timed nor counted. */
static int mk_unmap_turn(struct mk_unmap *unmap, struct mk_unmap_way *way,
			 u64 *cycles)
{
	struct mk_unmap_count count = way->count;
	u32 i;
	int err;

	for (i = 0; i < unmap->turn && !way->off; i++) {
		way->count = count;
		err = mk_targets_touch(&unmap->targets);
		err = err ?: mk_unmap_try(unmap, way - unmap->way, cycles);
		cond_resched();
		err = err ?: mk_run_stopped(unmap->run);
		if (err)
			return err;
	}
	return 0;
}

static int mk_unmap_samples(struct mk_unmap *unmap)
{
	u8 order[MK_UNMAP_QUIET];
	u64 unused;
	u32 i, k;
	int err;

	for (i = 0; i < unmap->warmup + unmap->samples; i++) {
		mk_unmap_shuffle(unmap, order);
		for (k = 0; k < MK_UNMAP_QUIET; k++) {
			struct mk_unmap_way *way = &unmap->way[order[k]];

			if (i == unmap->warmup)
				way->count = (struct mk_unmap_count){ };
			err = mk_unmap_turn(unmap, way, i < unmap->warmup ?
					    &unused :
					    &way->cycles[i - unmap->warmup]);
			if (err)
				return err;
		}
	}
	return 0;
}

/* "cost", "cost_busy", "cost_64p", "cost_busy_64p", "cost_busy_warm" */
static void mk_unmap_metric(const struct mk_unmap *unmap, const char *name,
			    char *text, size_t size)
{
	size_t len = scnprintf(text, size, "%s", name);

	if (unmap->state != MK_TARGETS_POLLING)
		len += scnprintf(text + len, size - len, "_%s",
				 mk_unmap_states[1 + unmap->state]);
	if (unmap->targets.pages > 1)
		len += scnprintf(text + len, size - len, "_%up",
				 unmap->targets.pages);
	if (unmap->warm)
		scnprintf(text + len, size - len, "_warm");
}

static int mk_unmap_count(struct mk_unmap *unmap, const char *name, u64 sum)
{
	char metric[32];

	mk_unmap_metric(unmap, name, metric, sizeof(metric));
	return mk_run_milli(unmap->run, &unmap->key, metric, "per operation",
			    div_u64(sum * 1000, unmap->samples));
}

static int mk_unmap_report(struct mk_unmap *unmap)
{
	char metric[32];
	int i, err = 0;

	for (i = 0; i < MK_UNMAP_QUIET && !err; i++) {
		struct mk_unmap_way *way = &unmap->way[i];

		if (way->off)
			continue;
		unmap->key.variant = way->name;
		mk_unmap_metric(unmap, "cost", metric, sizeof(metric));
		err = mk_run_samples(unmap->run, &unmap->key, metric, "cycles",
				     way->cycles, unmap->samples);
		err = err ?: mk_unmap_count(unmap, "ipis", way->count.ipis);
		if (i >= MK_UNMAP_OURS)
			continue;
		err = err ?: mk_unmap_count(unmap, "messages", way->count.messages);
		err = err ?: mk_unmap_count(unmap, "lazies", way->count.lazies);
		err = err ?: mk_unmap_count(unmap, "timeouts", way->count.timeouts);
	}
	return err;
}

/**
 * mk_unmap_cell() - measure, and report: so many CPUs and pages, in one state
 * @unmap: the experiment, with its targets
 * @state: what they do
 * @pages: how many
 *
 * Context: process, in the mm of the space; sleeps.
 * Return: 0, or why not.
 */
int mk_unmap_cell(struct mk_unmap *unmap, enum mk_target_state state,
		  u32 pages)
{
	int err;

	unmap->state = state;
	unmap->targets.pages = pages;
	mk_targets_begin(&unmap->targets, state);
	err = mk_unmap_samples(unmap);
	mk_targets_end(&unmap->targets);
	return err ?: mk_unmap_report(unmap);
}

/* ---- what the others lose ---- */

/* While agents count, the initiator repeats the operation. */
static int mk_unmap_disturb(struct mk_unmap *unmap, int way, u64 *loops)
{
	const struct mk_agent_order order = {
		.kind = MK_JOB_SPIN,
		.cycles = mk_clock_us(MK_UNMAP_SPIN_US),
	};
	struct mk_agent_result result = { };
	u64 start = mk_cycles(), unused, sum = 0;
	int cpu, err = 0, ret, given = 0;

	for_each_cpu(cpu, unmap->targets.cpus) {
		err = mk_agent_give(cpu, &order);
		if (err)
			break;
		given++;
	}
	while (!err && mk_cycles() - start < order.cycles) {
		if (way == MK_UNMAP_QUIET) {
			usleep_range(MK_UNMAP_SPIN_US, MK_UNMAP_SPIN_US + 100);
			break;
		}
		err = mk_targets_fault(&unmap->targets);
		err = err ?: mk_unmap_try(unmap, way, &unused);
		err = err ?: mk_run_stopped(unmap->run);
		cond_resched();
	}
	for_each_cpu(cpu, unmap->targets.cpus) {
		if (!given--)
			break;
		ret = mk_agent_take(cpu, &result, MSEC_PER_SEC);
		err = err ?: ret ?: result.error;
		sum += result.loops;
	}
	/* loops of one thread in a millisecond */
	*loops = div_u64(sum * 1000, MK_UNMAP_SPIN_US *
			 cpumask_weight(unmap->targets.cpus));
	return err;
}

/**
 * mk_unmap_victims() - measure, and report, what the targets' threads lose
 * @unmap: the experiment, with its targets; each has an agent
 *
 * Context: process, in the mm of the space; sleeps.
 * Return: 0, or why not.
 */
int mk_unmap_victims(struct mk_unmap *unmap)
{
	int i, err = 0;
	u32 n;

	for (n = 0; n < unmap->samples && !err; n++) {
		for (i = 0; i < MK_UNMAP_WAYS && !err; i++)
			if (!unmap->way[i].off)
				err = mk_unmap_disturb(unmap, i,
						       &unmap->way[i].loops[n]);
	}
	for (i = 0; i < MK_UNMAP_WAYS && !err; i++) {
		if (unmap->way[i].off)
			continue;
		unmap->key.variant = unmap->way[i].name;
		err = mk_run_samples(unmap->run, &unmap->key, "loops",
				     "loops/ms", unmap->way[i].loops,
				     unmap->samples);
	}
	return err;
}
