/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Experiments: one way to declare, parametrise, run, cancel and report.
 *
 * An experiment is one const struct beside what it measures, named in the
 * table of experiments.c; that is all it takes to get a directory in debugfs,
 * validated parameters, progress, cancellation and CSV.
 *
 * experiments/<name>/ holds
 *
 *	<parameter>	one file each; what is written takes effect with the
 *			next start, never in a run that goes on
 *	help		what it measures, and its parameters
 *	run		write 1: run and return when done, 0: cancel; reads 1
 *			while it runs
 *	progress	percent, of the run that goes on or was the last
 *	agents		1 if the writer of run is to bring agents (agent.h)
 *	results		CSV, of the run that goes on or was the last; empty
 *			before the first
 *
 * Experiments disturb each other, so one runs at a time: a second start, of
 * the same or another, is -EBUSY. The writer of 1 gets -ECANCELED when its run
 * was cancelled, -EINTR when a signal came, -ENODEV when none of the CPUs of a
 * list is online, -ENOSPC when the results grew past MK_RESULTS_MAX, or what
 * the experiment failed with.
 *
 * The CSV has the columns
 *
 *	test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit
 *
 * with an empty field for what does not apply. Rows of the variant
 * "environment" say what the run stood on. Their value is always a number, a
 * word belonging to it stands in the unit:
 *
 *	emulated	1: not cycles of hardware		bool
 *	hypervisor	1 if there is one			its name
 *	tsc_overhead	of one clock reading; where times are	cycles
 *			differences, it is already taken off
 *	tsc_khz		cycles per millisecond			khz
 *	tsc_stable	1: even rate, no fault known		bool
 *	param_<name>	a number				number
 *			or the index of a choice		the word
 *			or how many CPUs of a list are online	cpus
 *	node		node of the CPU in cpu_a, a row per	node
 *			online CPU
 *	distance	from node mem_node to node size, a row	slit
 *			per pair of online nodes
 *	status		last row of a finished run: 0, or why	errno
 *			it ended early, as a positive errno
 *
 * So a T3 row has its distance in the distance row of its two CPUs' nodes.
 */
#ifndef MK_EXPERIMENT_H
#define MK_EXPERIMENT_H

#include <linux/cpumask.h>
#include <linux/types.h>

struct dentry;
struct mk_run;

/**
 * enum mk_param_kind - what a parameter holds
 * @MK_PARAM_U32: a number in min … max
 * @MK_PARAM_CHOICE: one word of a list; its value is the index
 * @MK_PARAM_CPUS: a CPU list such as 0-3,8; empty means every online CPU
 */
enum mk_param_kind {
	MK_PARAM_U32,
	MK_PARAM_CHOICE,
	MK_PARAM_CPUS,
};

/**
 * struct mk_param - one parameter of an experiment, one file in debugfs
 * @name: file name; not help, run, progress, agents or results
 * @help: one line, with the unit
 * @kind: enum mk_param_kind
 * @min: smallest value of a number
 * @max: largest value of a number
 * @def: default number, or index into @choices
 * @choices: NULL-terminated words of a choice
 */
struct mk_param {
	const char *name;
	const char *help;
	enum mk_param_kind kind;
	u32 min, max, def;
	const char *const *choices;
};

/**
 * struct mk_experiment - one experiment
 * @name: directory in debugfs and first CSV column
 * @help: one line: what it measures and which figure of which paper it repeats
 * @params: its parameters
 * @nr_params: how many
 * @agents: it gives jobs to agents of the writer, where there are any
 * @run: measures; process context, may sleep, in the context of the writer of
 *	the run file, with no lock held. Must look at mk_run_stopped() at least
 *	every 100 ms and then return mk_run_stopped()'s value. Parameters are a
 *	snapshot. Returns 0 or a negative errno.
 */
struct mk_experiment {
	const char *name;
	const char *help;
	const struct mk_param *params;
	unsigned int nr_params;
	bool agents;
	int (*run)(struct mk_run *run);
};

/**
 * struct mk_key - what a row of results is about
 * @variant: which of the things compared, or "control"; no comma in it
 * @cpu_a: first CPU, -1 if none
 * @cpu_b: second CPU, -1 if none; the tier column is computed from the two
 * @mem_node: node of the memory used, -1 if it does not matter
 * @size: bytes, lines, depth, clients …, as documented per experiment
 * @repeat: which repetition, from 0
 */
struct mk_key {
	const char *variant;
	int cpu_a, cpu_b;
	int mem_node;
	u64 size;
	u32 repeat;
};

/* For experiments, only from within ->run(). */
u32 mk_run_u32(const struct mk_run *run, unsigned int param);
const struct cpumask *mk_run_cpus(const struct mk_run *run, unsigned int param);
int mk_run_stopped(const struct mk_run *run);
void mk_run_progress(struct mk_run *run, u64 done, u64 total);
int mk_run_samples(struct mk_run *run, const struct mk_key *key,
		   const char *metric, const char *unit, u64 *samples,
		   size_t n);
int mk_run_value(struct mk_run *run, const struct mk_key *key,
		 const char *metric, const char *unit, u64 value);
int mk_run_milli(struct mk_run *run, const struct mk_key *key,
		 const char *metric, const char *unit, u64 thousandths);

/* For main.c. */
int mk_experiments_init(void);
void mk_experiments_files(struct dentry *root);
void mk_experiments_exit(void);

/* The table in experiments.c, NULL at its end; each lives beside its subject. */
extern const struct mk_experiment *const mk_experiments[];

extern const struct mk_experiment mk_exp_urpc_latency;
extern const struct mk_experiment mk_exp_urpc_throughput;
extern const struct mk_experiment mk_exp_shm_vs_msg;
extern const struct mk_experiment mk_exp_message_size;
extern const struct mk_experiment mk_exp_placement;
extern const struct mk_experiment mk_exp_notify;
extern const struct mk_experiment mk_exp_polling_model;
extern const struct mk_experiment mk_exp_growth;
extern const struct mk_experiment mk_exp_rings;
extern const struct mk_experiment mk_exp_costs;
extern const struct mk_experiment mk_exp_unmap;
extern const struct mk_experiment mk_exp_storm;
extern const struct mk_experiment mk_exp_routes;
extern const struct mk_experiment mk_exp_trees;
extern const struct mk_experiment mk_exp_shootdown_protocols;
extern const struct mk_experiment mk_exp_two_phase_commit;
extern const struct mk_experiment mk_exp_home_node;
extern const struct mk_experiment mk_exp_global_mapping;
extern const struct mk_experiment mk_exp_mirror_ops;
extern const struct mk_experiment mk_exp_mirror_locality;
extern const struct mk_experiment mk_exp_pager;

#endif /* MK_EXPERIMENT_H */
