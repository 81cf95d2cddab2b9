/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a message over liburpc costs its sender and its receiver, for each ordered
 * pair of members: what trees are planned from. Measured as the experiment costs of
 * the module does it.
 */
#ifndef URPC_TREES_COSTS_H
#define URPC_TREES_COSTS_H

#include "crew.h"
#include "urpc/plan.h"

/**
 * struct found - what was measured of something
 * @cycles: its median
 * @error: standard error of that
 */
struct found {
	double cycles;
	double error;
};

/**
 * struct costs - of all pairs of @nr members
 * @nr: how many
 * @cpu: of each; a number of its own if nobody is bound
 * @node: of each
 * @send: send[u * nr + v], whole cycles, as the planner takes them
 * @receive: likewise
 * @burst: factor of the k-th send in a row, in 1/1024
 * @found_send: what @send was rounded from
 * @found_receive: likewise
 * @found_trip: a message there and one back
 */
struct costs {
	unsigned int nr;
	int *cpu;
	u16 *node;
	u32 *send, *receive;
	u16 burst[MK_PLAN_BURST];
	struct found *found_send, *found_receive, *found_trip;
};

/* Room for @nr members; 0 or -ENOMEM. costs_free() in any case. */
int costs_alloc(struct costs *costs, unsigned int nr);
void costs_free(struct costs *costs);

/**
 * costs_measure() - measure each pair
 * @costs: @nr, @cpu and @node are there, the rest is filled
 * @crew: for two of them at a time
 * @samples: of each burst
 * @trips: a receive costs what is left of half a round trip without the send, so that
 *	the way between the two, which takes no time in the model, is part of it
 *
 * Return: 0 or a negative errno, and the crew has a text.
 */
int costs_measure(struct costs *costs, struct crew *crew, unsigned int samples,
		  bool trips);

/* Make some up, for nodes of @per_node members: nothing is measured. */
void costs_make_up(struct costs *costs, unsigned int per_node);

/**
 * costs_write() - files that mkctl plan takes
 * @costs: measured
 * @dir: a directory. In it send, receive and rtt will have lines of source,
 *	destination, cycles and error, by CPU, and nodes one of CPU and node each
 *
 * Return: 0 or a negative errno.
 */
int costs_write(const struct costs *costs, const char *dir);

/* In ascending order, and by nearest rank. */
void costs_sort(u64 *cycles, unsigned int n);
u64 costs_rank(const u64 *sorted, unsigned int n, unsigned int percent);

#endif /* URPC_TREES_COSTS_H */
