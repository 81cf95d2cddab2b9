/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One run of an experiment, as experiment.c starts it and run.c reports it.
 * Experiments see no more of it than experiment.h.
 */
#ifndef MK_RUN_H
#define MK_RUN_H

#include <linux/cpumask.h>
#include <linux/types.h>

struct mk_experiment;
struct mk_results;
struct task_struct;

/**
 * struct mk_setting - value of one parameter
 * @number: of a number, index of a choice
 * @cpus: of a list; in a run only the online ones
 */
struct mk_setting {
	u32 number;
	cpumask_var_t cpus;
};

/**
 * struct mk_run - a run
 * @exp: of which experiment
 * @settings: snapshot of its parameters, in their order
 * @task: who runs it
 * @results: what it has found
 * @percent: progress; written by the run, read by anyone
 * @cancelled: set by anyone, read by the run
 */
struct mk_run {
	const struct mk_experiment *exp;
	struct mk_setting *settings;
	struct task_struct *task;
	struct mk_results *results;
	unsigned int percent;
	bool cancelled;
};

int mk_run_begin(struct mk_run *run);
void mk_run_end(struct mk_run *run, int err);

#endif /* MK_RUN_H */
