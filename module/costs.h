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

int mk_costs_set(int from, int to, const struct mk_cost cost[MK_COSTS]);
u64 mk_costs_bytes(void);

/* For topology.c and main.c. */
void mk_costs_files(struct dentry *topology);
void mk_costs_exit(void);

#endif /* MK_COSTS_H */
