/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the messaging experiments share: CPU pairs, placement, busy CPUs.
 */
#ifndef MK_URPC_BENCH_H
#define MK_URPC_BENCH_H

#include "module/experiment.h"
#include "urpc/channel.h"

/**
 * enum mk_placement - on whose node a ring lies
 * @MK_PLACE_RECEIVER: the one that polls it (the default everywhere)
 * @MK_PLACE_SENDER: the one that writes it
 */
enum mk_placement {
	MK_PLACE_RECEIVER,
	MK_PLACE_SENDER,
	MK_PLACEMENTS
};

extern const char *const mk_placement_choices[];
extern const char *const mk_pairs_choices[];

/**
 * struct mk_pair_set - the CPU pairs of an experiment
 * @nr: how many
 * @cpu: the pairs, in ordered form
 */
struct mk_pair_set {
	unsigned int nr;
	int (*cpu)[2];
};

/**
 * struct mk_spin - a CPU kept busy in its monitor
 * @call: the function that spins
 * @stop: set to end it
 */
struct mk_spin {
	struct mk_call call;
	int stop;
};

int mk_bench_pairs(struct mk_pair_set *set, const struct cpumask *cpus,
		   bool all);
void mk_bench_pairs_free(struct mk_pair_set *set);
struct mk_channel *mk_bench_channel(const int cpu[2],
				    enum mk_placement placement, u32 slots,
				    u32 ack_every);
int mk_bench_step(const struct mk_run *run);
int mk_bench_spin_start(struct mk_spin *spin, int cpu);
void mk_bench_spin_stop(struct mk_spin *spin);
void mk_bench_handlers(void);

#endif /* MK_URPC_BENCH_H */
