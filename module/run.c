// SPDX-License-Identifier: GPL-2.0
/*
 * What a run tells: whether to stop, how far it is, and rows of results.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>

#include "clock.h"
#include "compat.h"
#include "experiment.h"
#include "results.h"
#include "run.h"
#include "topology.h"
#include "stats.h"

/* The columns before metric, which the rows of one key share. */
#define MK_KEY_MAX	256

static bool mk_run_is(const struct mk_run *run, unsigned int param, bool cpus)
{
	if (WARN_ON_ONCE(param >= run->exp->nr_params))
		return false;
	return !WARN_ON_ONCE((run->exp->params[param].kind ==
			      MK_PARAM_CPUS) != cpus);
}

/**
 * mk_run_u32 - number or choice that this run was started with
 * @run: the run
 * @param: index in the experiment's table of parameters
 *
 * Context: any.
 * Return: the number, or the index of the word chosen.
 */
u32 mk_run_u32(const struct mk_run *run, unsigned int param)
{
	return mk_run_is(run, param, false) ? run->settings[param].number : 0;
}

/**
 * mk_run_cpus - CPUs that this run was started with
 * @run: the run
 * @param: index in the experiment's table of parameters
 *
 * Context: any.
 * Return: the CPUs of the list that were online at the start, at least one;
 *	they may have gone offline since. Constant during the run.
 */
const struct cpumask *mk_run_cpus(const struct mk_run *run, unsigned int param)
{
	return mk_run_is(run, param, true) ? run->settings[param].cpus :
					     cpu_online_mask;
}

/**
 * mk_run_stopped - is it time to stop
 * @run: the run
 *
 * Context: any.
 * Return: 0 to go on, -ECANCELED after a cancel, -EINTR when the one who
 *	started the run got a signal.
 */
int mk_run_stopped(const struct mk_run *run)
{
	if (READ_ONCE(run->cancelled))
		return -ECANCELED;
	if (signal_pending(run->task))
		return -EINTR;
	return 0;
}

/**
 * mk_run_progress - say how far the run is
 * @run: the run
 * @done: parts done
 * @total: of so many
 *
 * Context: any.
 */
void mk_run_progress(struct mk_run *run, u64 done, u64 total)
{
	unsigned int percent = 100;

	if (done < total)
		percent = mul_u64_u64_div_u64(done, 100, total);
	WRITE_ONCE(run->percent, percent);
}

/* Text of the columns from test to repeat. */
static int mk_run_key(const struct mk_run *run, const struct mk_key *key,
		      char *text, size_t size)
{
	const int fields[] = { key->cpu_a, key->cpu_b, key->mem_node };
	size_t len;
	int i;

	len = scnprintf(text, size, "%s,%s,%s", run->exp->name, key->variant,
			mk_tier_name(key->cpu_a, key->cpu_b));
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		len += scnprintf(text + len, size - len, ",");
		if (fields[i] >= 0)
			len += scnprintf(text + len, size - len, "%d",
					 fields[i]);
	}
	len += scnprintf(text + len, size - len, ",%llu,%u", key->size,
			 key->repeat);
	return len < size - 1 ? 0 : -EMSGSIZE;
}

/* All rows of one call become visible, or none. */
static int mk_run_finish_rows(struct mk_run *run, int err)
{
	if (!err) {
		mk_results_publish(run->results);
		return 0;
	}
	mk_results_take_back(run->results);
	if (err == -ENOSPC)
		pr_warn("experiments/%s: results are full at %u bytes\n",
			run->exp->name, (unsigned int)MK_RESULTS_MAX);
	return err;
}

/**
 * mk_run_samples - report how measured values are distributed
 * @run: the run
 * @key: what they are of
 * @metric: name, without comma
 * @unit: of the values, without comma
 * @samples: the values; sorted in place
 * @n: how many
 *
 * Makes rows <metric>_p1, _p10, _p50, _p90, _p99 and _max, by nearest rank,
 * and <metric>_n; without samples <metric>_n alone. Sorting a million takes
 * a few tenths of a second on hardware and is not cancelled in between.
 *
 * Context: process, may sleep; one thread at a time.
 * Return: 0, or -ENOSPC, -EMSGSIZE, -ENOMEM, with which the run should end.
 */
int mk_run_samples(struct mk_run *run, const struct mk_key *key,
		   const char *metric, const char *unit, u64 *samples,
		   size_t n)
{
	static const struct {
		const char *name;
		unsigned int percent;
	} ranks[] = {
		{ "p1", 1 }, { "p10", 10 }, { "p50", 50 },
		{ "p90", 90 }, { "p99", 99 }, { "max", 100 },
	};
	char text[MK_KEY_MAX];
	int i, err;

	err = mk_run_key(run, key, text, sizeof(text));
	mk_stats_sort(samples, n);
	for (i = 0; n && !err && i < ARRAY_SIZE(ranks); i++) {
		size_t rank = DIV_ROUND_UP(n * ranks[i].percent, 100);

		err = mk_results_row(run->results, "%s,%s_%s,%llu,%s\n", text,
				     metric, ranks[i].name, samples[rank - 1],
				     unit);
	}
	if (!err)
		err = mk_results_row(run->results, "%s,%s_n,%zu,samples\n",
				     text, metric, n);
	return mk_run_finish_rows(run, err);
}

/**
 * mk_run_value - report one whole number
 * @run: the run
 * @key: what it is of
 * @metric: name, without comma
 * @unit: without comma
 * @value: the number
 *
 * Context: process, may sleep; one thread at a time.
 * Return: as mk_run_samples().
 */
int mk_run_value(struct mk_run *run, const struct mk_key *key,
		 const char *metric, const char *unit, u64 value)
{
	char text[MK_KEY_MAX];
	int err;

	err = mk_run_key(run, key, text, sizeof(text));
	if (!err)
		err = mk_results_row(run->results, "%s,%s,%llu,%s\n", text,
				     metric, value, unit);
	return mk_run_finish_rows(run, err);
}

/**
 * mk_run_milli - report one number with three decimals
 * @run: the run
 * @key: what it is of
 * @metric: name, without comma
 * @unit: without comma
 * @thousandths: the number times 1000
 *
 * Context: process, may sleep; one thread at a time.
 * Return: as mk_run_samples().
 */
int mk_run_milli(struct mk_run *run, const struct mk_key *key,
		 const char *metric, const char *unit, u64 thousandths)
{
	char text[MK_KEY_MAX];
	u32 rest;
	u64 whole = div_u64_rem(thousandths, 1000, &rest);
	int err;

	err = mk_run_key(run, key, text, sizeof(text));
	if (!err)
		err = mk_results_row(run->results, "%s,%s,%llu.%03u,%s\n",
				     text, metric, whole, rest, unit);
	return mk_run_finish_rows(run, err);
}

static int mk_run_fact(struct mk_run *run, const char *metric, u64 value,
		       const char *unit)
{
	return mk_results_row(run->results, "%s,environment,,,,,,,%s,%llu,%s\n",
			      run->exp->name, metric, value, unit);
}

static int mk_run_clock(struct mk_run *run)
{
	const char *hypervisor = mk_clock_hypervisor();
	int err;

	err = mk_run_fact(run, "emulated", mk_clock_emulated(), "bool");
	if (!err)
		err = mk_run_fact(run, "hypervisor",
				  !!strcmp(hypervisor, "none"), hypervisor);
	if (!err)
		err = mk_run_fact(run, "tsc_overhead", mk_clock_overhead(),
				  "cycles");
	if (!err)
		err = mk_run_fact(run, "tsc_khz", mk_clock_khz(), "khz");
	if (!err)
		err = mk_run_fact(run, "tsc_stable", mk_clock_stable(), "bool");
	return err;
}

static int mk_run_params(struct mk_run *run)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < run->exp->nr_params; i++) {
		const struct mk_param *param = &run->exp->params[i];
		const struct mk_setting *setting = &run->settings[i];
		const char *unit = "number";
		u64 value = setting->number;

		if (param->kind == MK_PARAM_CHOICE) {
			unit = param->choices[value];
		} else if (param->kind == MK_PARAM_CPUS) {
			unit = "cpus";
			value = cpumask_weight(setting->cpus);
		}
		err = mk_results_row(run->results,
				     "%s,environment,,,,,,,param_%s,%llu,%s\n",
				     run->exp->name, param->name, value, unit);
	}
	return err;
}

static int mk_run_machine(struct mk_run *run)
{
	const char *name = run->exp->name;
	int a, b, err;

	for_each_online_cpu(a) {
		err = mk_results_row(run->results,
				     "%s,environment,,%d,,,,,node,%d,node\n",
				     name, a, cpu_to_node(a));
		if (err)
			return err;
	}
	for_each_online_node(a) {
		for_each_online_node(b) {
			err = mk_results_row(run->results,
					     "%s,environment,,,,%d,%d,,distance,%d,slit\n",
					     name, a, b, node_distance(a, b));
			if (err)
				return err;
		}
	}
	return 0;
}

/**
 * mk_run_begin - write the header and what the run stands on
 * @run: a run with fresh results
 *
 * Context: process, may sleep.
 * Return: as mk_run_samples().
 */
int mk_run_begin(struct mk_run *run)
{
	int err;

	err = mk_results_row(run->results,
			     "test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit\n");
	if (!err)
		err = mk_run_clock(run);
	if (!err)
		err = mk_run_params(run);
	if (!err)
		err = mk_run_machine(run);
	return mk_run_finish_rows(run, err);
}

/**
 * mk_run_end - write how the run ended; cannot fail
 * @run: the run
 * @err: 0 or a negative errno
 *
 * Context: process, may sleep.
 */
void mk_run_end(struct mk_run *run, int err)
{
	mk_results_last_row(run->results,
			    "%s,environment,,,,,,,status,%d,errno\n",
			    run->exp->name, -err);
}
