/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was predicted and what was measured, for people and for programs.
 */
#ifndef URPC_TREES_REPORT_H
#define URPC_TREES_REPORT_H

#include <stdio.h>

#include "costs.h"
#include "run.h"

/**
 * struct outcome - all that reports are made from
 * @costs: of the machine
 * @op: what the trees are for
 * @samples: of each tree and size
 * @measured: in time; otherwise all that is known is that it was done
 * @trips: what a receive costs was taken from round trips
 * @load: of the machine when it began, below 0 if that is not known
 * @pair_predicted: for two members, of whom there is one tree only; 0 until then
 * @pair_cycles: measured of that
 */
struct outcome {
	const struct costs *costs;
	enum mk_plan_op op;
	unsigned int samples;
	bool measured;
	bool trips;
	double load;
	u64 pair_predicted, pair_cycles;
};

/**
 * struct report - a way to say it
 * @name: as an option
 * @begin: costs, and what the machine is
 * @size: trees among the first @trees->nr members, their samples in order
 * @end: nothing follows
 */
struct report {
	const char *name;
	void (*begin)(FILE *file, const struct outcome *outcome);
	void (*size)(FILE *file, const struct outcome *outcome, const struct trees *trees);
	void (*end)(FILE *file, const struct outcome *outcome);
};

/* The one of that name, or NULL. */
const struct report *report_find(const char *name);

#endif /* URPC_TREES_REPORT_H */
