/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Experiment unmap, for its own files: bench_unmap.c sweeps, bench_unmap_cell.c
 * measures one cell, bench_unmap_way.c runs one operation of a variant.
 */
#ifndef MK_SHOOTDOWN_BENCH_UNMAP_H
#define MK_SHOOTDOWN_BENCH_UNMAP_H

#include <linux/cpumask.h>
#include <linux/types.h>

#include "shootdown/bench_targets.h"
#include "shootdown/protocols.h"
#include "urpc/bench.h"

struct file;
struct mk_region;

/* After the protocols, of which some are there once more: */
enum {
	MK_UNMAP_IPI_AGAIN = MK_PROTOCOLS,
	MK_UNMAP_UNICAST_AGAIN,
	MK_UNMAP_ADAPTIVE_AGAIN,
	MK_UNMAP_OURS,		/* from here on not by a protocol of ours */
	MK_UNMAP_MPROTECT = MK_UNMAP_OURS,
	MK_UNMAP_MUNMAP,
	MK_UNMAP_CONTROL,
	MK_UNMAP_QUIET,		/* of the others' loops alone */
	MK_UNMAP_WAYS
};

/**
 * struct mk_unmap_count - what was counted in the operations of a cell
 * @ipis: function call interrupts that the targets took
 * @messages: cache lines of requests and replies
 * @lazies: CPUs that needed nothing
 * @timeouts: CPUs that did not answer in time
 */
struct mk_unmap_count {
	u64 ipis, messages, lazies, timeouts;
};

/**
 * struct mk_unmap_way - one variant, and what was measured of it
 * @name: in the results
 * @off: it is not asked for, or cannot be had here
 * @cycles: samples of one cell
 * @loops: of the other CPUs' user threads, a sample each
 * @count: of one cell
 */
struct mk_unmap_way {
	const char *name;
	bool off;
	u64 *cycles, *loops;
	struct mk_unmap_count count;
};

/**
 * struct mk_unmap - the experiment
 * @run: the run
 * @key: of its rows
 * @targets: the other CPUs
 * @initiator: the first
 * @agents: CPUs with a user thread
 * @members: the initiator and the targets of a cell
 * @allowed: CPUs of the writer, when it is not bound to the initiator's
 * @samples: per row
 * @warmup: before them
 * @turn: operations in a row, of which the last one is a sample
 * @warm: the turns are long ones, and rows are named after that
 * @seed: of the order of the variants
 * @state: of the targets
 * @file: of the region
 * @region: that is operated on
 * @address: where it is mapped
 * @ordinary: address of as much ordinary memory
 * @way: the variants
 */
struct mk_unmap {
	struct mk_run *run;
	struct mk_key key;
	struct mk_targets targets;
	int initiator;
	cpumask_var_t agents, members, allowed;
	u32 samples, warmup, turn, seed;
	bool warm;
	enum mk_target_state state;
	struct file *file;
	struct mk_region *region;
	unsigned long address, ordinary;
	struct mk_unmap_way way[MK_UNMAP_WAYS];
};

/* Words of the parameter targets: all, and MK_TARGETS_STATES in their order. */
extern const char *const mk_unmap_states[];

/* Process context, in the mm of the space; sleep. */
int mk_unmap_try(struct mk_unmap *unmap, int way, u64 *cycles);
int mk_unmap_cell(struct mk_unmap *unmap, enum mk_target_state state,
		  u32 pages);
int mk_unmap_victims(struct mk_unmap *unmap);

/* Any context. */
enum mk_protocol mk_unmap_protocol(int way);
const char *mk_unmap_name(int way);

#endif /* MK_SHOOTDOWN_BENCH_UNMAP_H */
