/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other CPUs of an experiment on shootdown: what their monitors and user
 * threads do while an operation on one CPU wants something of them.
 */
#ifndef MK_SHOOTDOWN_BENCH_TARGETS_H
#define MK_SHOOTDOWN_BENCH_TARGETS_H

#include <linux/cpumask.h>
#include <linux/types.h>

struct mk_run;
struct mk_space;

/**
 * enum mk_target_state - what a target is doing
 * @MK_TARGETS_POLLING: its monitor, which has adopted the mm, polls
 * @MK_TARGETS_BLOCKED: its monitor sleeps and the CPU idles
 * @MK_TARGETS_BUSY: a thread of the process computes in user code
 * @MK_TARGETS_MIX: the first polls, the next sleeps, the next computes …
 * @MK_TARGETS_STATES: how many
 */
enum mk_target_state {
	MK_TARGETS_POLLING,
	MK_TARGETS_BLOCKED,
	MK_TARGETS_BUSY,
	MK_TARGETS_MIX,
	MK_TARGETS_STATES
};

/**
 * struct mk_targets - the other CPUs
 * @run: the run
 * @cpus: them
 * @busy: those of them that compute
 * @blocked: those that sleep
 * @saved: P of each CPU, as it was before
 * @space: the mm that their monitors have adopted; the caller's
 * @address: of the pages in it
 * @pages: how many are touched
 * @spinning: since when the busy ones compute, in cycles
 */
struct mk_targets {
	struct mk_run *run;
	cpumask_var_t cpus, busy, blocked;
	u64 *saved;
	struct mk_space *space;
	unsigned long address;
	u32 pages;
	u64 spinning;
};

int mk_targets_init(struct mk_targets *targets, struct mk_run *run);
void mk_targets_free(struct mk_targets *targets);
void mk_targets_begin(struct mk_targets *targets, enum mk_target_state state);
int mk_targets_fault(const struct mk_targets *targets);
int mk_targets_touch(struct mk_targets *targets);
void mk_targets_end(struct mk_targets *targets);

#endif /* MK_SHOOTDOWN_BENCH_TARGETS_H */
