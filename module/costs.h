/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What messages cost between each two CPUs, as far as that was measured.
 */
#ifndef MK_COSTS_H
#define MK_COSTS_H

#include <linux/types.h>

struct dentry;

/**
 * enum mk_cost_kind - what is known about a pair
 * @MK_COST_SEND: cycles that the sender is busy
 * @MK_COST_RECEIVE: cycles that the receiver is busy
 * @MK_COST_RTT: cycles until a message has come back
 * @MK_COSTS: how many
 */
enum mk_cost_kind {
	MK_COST_SEND,
	MK_COST_RECEIVE,
	MK_COST_RTT,
	MK_COSTS
};

/**
 * struct mk_cost - one measured cost
 * @milli: in thousandths of a cycle
 * @error: its standard error, likewise
 */
struct mk_cost {
	u64 milli, error;
};

/* Pairs by how far they are apart: siblings, and then a node's distance. */
#define MK_COSTS_DISTANCES	256

/* Process context; may sleep. */
int mk_costs_set(int from, int to, const struct mk_cost cost[MK_COSTS]);
void mk_costs_settle(void);
void mk_costs_sampled(int from, int to, const struct mk_cost cost[MK_COSTS]);
bool mk_costs_known(int from, int to);
void mk_costs_estimate(const int *cpu, unsigned int nr, u32 *send, u32 *receive);
u64 mk_costs_bytes(void);

/* Any context. */
u32 mk_costs_version(void);

/* For costs_files.c: all between lock and unlock. */
void mk_costs_lock(void);
void mk_costs_unlock(void);
bool mk_costs_any(void);
const struct mk_cost *mk_costs_get(int from, int to, enum mk_cost_kind kind);
int mk_costs_room(int from);
void mk_costs_replace(int from, int to, enum mk_cost_kind kind,
		      const struct mk_cost *cost);

u32 mk_costs_at_distance(enum mk_cost_kind kind, unsigned int distance);

/* bench_costs.c, for main.c. */
void mk_costs_load(void);

/* For topology.c and main.c. */
void mk_costs_files(struct dentry *topology);
void mk_costs_exit(void);

#endif /* MK_COSTS_H */
