/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Measured costs of messages between cores, as files of "src dst cycles stderr".
 */
#ifndef MKCTL_COSTS_H
#define MKCTL_COSTS_H

#include <stddef.h>

#include "urpc/plan.h"

/**
 * struct costs - a machine from its files
 * @machine: as the planner takes it; its arrays are those below
 * @send: cycles, rounded to whole ones; MK_PLAN_NO_LINK where no file has any
 * @receive: likewise
 * @node: of each core
 * @burst: factors in 1/1024
 */
struct costs {
	struct mk_plan_machine machine;
	u32 *send, *receive;
	u16 *node;
	u16 burst[MK_PLAN_BURST];
};

/* All of these: 0, or -1 with one line in @error. */

/* Reads both files into a zeroed @costs. costs_free() in any case. */
int costs_load(struct costs *costs, const char *send, const char *receive,
	       char *error, size_t error_len);

/*
 * One file alone: cycles[src * cores + dst], MK_PLAN_NO_LINK where it has none, for
 * the caller to free.
 */
int costs_load_one(u32 **cycles, unsigned int *cores, const char *path,
		   char *error, size_t error_len);

/* @nodes: a number of nodes with equally many consecutive cores, or a file. */
int costs_nodes(struct costs *costs, const char *nodes, char *error, size_t error_len);

/* @text: up to MK_PLAN_BURST factors with commas, the last one for the rest. */
int costs_burst(struct costs *costs, const char *text, char *error, size_t error_len);

void costs_free(struct costs *costs);

#endif /* MKCTL_COSTS_H */
