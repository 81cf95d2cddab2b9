/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Experiment pager, for its own files: bench.c sweeps and reports, bench_turn.c takes
 * samples, by jobs for agents.
 */
#ifndef MK_PAGER_BENCH_H
#define MK_PAGER_BENCH_H

#include <linux/cpumask.h>
#include <linux/types.h>

#include "module/agent.h"
#include "urpc/bench.h"

/* Samples of one variant before the next has its turn. */
#define MK_SERVE_BATCH		16

/* What the second metric of a row is. */
enum mk_serve_second {
	MK_SECOND_NONE,
	MK_SECOND_TAKE,		/* the pages are taken away again */
	MK_SECOND_ACCESS,	/* they are touched once more */
};

/**
 * struct mk_serve_row - what is measured together
 * @metric: the sum of what the nodes that touch take
 * @second: see @then
 * @then: enum mk_serve_second
 * @how: MK_SERVE_…
 * @nodes: how many it needs; of 1, one takes part, otherwise all
 * @all: all of the nodes touch, one after the other; otherwise the first does
 * @far: only the last node has a server
 * @many: a sample is many pages
 * @spare: it needs a CPU more on the first node, for its server
 */
struct mk_serve_row {
	const char *metric, *second;
	enum mk_serve_second then;
	u32 how;
	u32 nodes;
	bool all, far, many, spare;
};

/**
 * struct mk_serving_way - one variant, in one row
 * @off: it is not asked for, or cannot be had here
 * @cycles: of both metrics
 * @served: sum of what its servers have done
 */
struct mk_serving_way {
	bool off;
	u64 *cycles[2];
	u64 served[MK_SERVED_WORDS];
};

/**
 * struct mk_serve_bench - the experiment
 * @run: the run
 * @key: of its rows
 * @agents: CPUs with an agent
 * @cpu: CPUs that take part, each on a node of its own
 * @max_nodes: how many there are
 * @nodes: how many of them take part in this row
 * @samples: per row
 * @warmup: before them, each turn
 * @row: that is measured
 * @pages: of a sample
 * @at: the next page
 * @address: of the memory, for the first server's node
 * @stride: to that for the next
 * @stray: an agent did not come back; nothing may be taken from it any more
 * @touched: pages that were touched in this turn, by who serves them
 * @taken: that were taken away again, of which each of those has to know
 * @words: what the servers say
 * @way: the variants
 */
struct mk_serve_bench {
	struct mk_run *run;
	struct mk_key key;
	cpumask_var_t agents;
	int cpu[MK_SERVE_NODES_MAX];
	u32 max_nodes, nodes, samples, warmup;
	const struct mk_serve_row *row;
	u32 pages, at;
	unsigned long address, stride;
	bool stray;
	u32 touched[MK_SERVE_NODES_MAX];
	u32 taken;
	u64 words[MK_SERVE_NODES_MAX * MK_SERVED_WORDS];
	struct mk_serving_way way[MK_SERVERS];
};

extern const char *const mk_server_names[MK_SERVERS];

/* Process context, in the mm of the agents; sleeps. */
int mk_serve_turns(struct mk_serve_bench *bench);

#endif /* MK_PAGER_BENCH_H */
