// SPDX-License-Identifier: GPL-2.0
/*
 * The matrices of measured costs, which the experiment costs fills, or whoever
 * writes to their files (costs_files.c).
 *
 * What was measured stays when a CPU goes: it is the same one when it comes back.
 * There is a row for each CPU that something is known from, so that a machine of many
 * CPUs takes memory only for what is known.
 *
 * Plans (urpc/route_plan.h) are made from estimates: of a pair that was measured, its
 * cost; of another one, the last cost known of a pair as far apart; and if there is
 * none, something that grows with the distance in the firmware's table. Plans are
 * out of date when the version is another one. That changes once a run or an import
 * is over, if a pair became known or is off by more than a MK_COSTS_DRIFT-th from
 * what it was when the version last changed for it, so that noise makes no plans.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "costs.h"
#include "topology.h"
#include "urpc/plan.h"

#define MK_COSTS_DRIFT	4

/* Cycles for each unit of distance, 10 of which are one node, if nothing is known. */
#define MK_COSTS_GUESS	10

/* What plans are made from. */
#define MK_COSTS_PLANNED	2	/* MK_COST_SEND, MK_COST_RECEIVE */

/**
 * struct mk_cost_pair - what is known of a pair
 * @cost: by kind
 * @base: cycles of those that plans are made from, when the version changed for them
 * @known: BIT(kind) of those that are
 */
struct mk_cost_pair {
	struct mk_cost cost[MK_COSTS];
	u32 base[MK_COSTS_PLANNED];
	u8 known;
};

static struct mk_cost_pair **mk_cost_rows;	/* by source, NULL: nothing known */
static unsigned int mk_nr_cost_rows;
static u32 mk_cost_class[MK_COSTS_PLANNED][MK_COSTS_DISTANCES];	/* 0: not known */
static bool mk_costs_drifted;
static DEFINE_MUTEX(mk_costs_mutex);		/* protects all of them */
static atomic_t mk_costs_versions;

/**
 * mk_costs_lock() - nothing becomes known meanwhile
 *
 * Context: process, may sleep.
 */
void mk_costs_lock(void)
{
	mutex_lock(&mk_costs_mutex);
}

/**
 * mk_costs_unlock() - the end of mk_costs_lock()
 *
 * Context: process.
 */
void mk_costs_unlock(void)
{
	mutex_unlock(&mk_costs_mutex);
}

/**
 * mk_costs_any() - is anything known
 *
 * Context: locked.
 */
bool mk_costs_any(void)
{
	return mk_cost_rows;
}

/**
 * mk_costs_get() - what is known of a pair
 * @from: sender
 * @to: receiver
 * @kind: which of its costs
 *
 * Context: locked, and mk_costs_any().
 * Return: the cost, NULL if it is not known.
 */
const struct mk_cost *mk_costs_get(int from, int to, enum mk_cost_kind kind)
{
	const struct mk_cost_pair *row = mk_cost_rows[from];

	return row && row[to].known & BIT(kind) ? &row[to].cost[kind] : NULL;
}

/**
 * mk_costs_room() - room for what is known from a CPU
 * @from: which
 *
 * Context: locked.
 * Return: 0 or -ENOMEM.
 */
int mk_costs_room(int from)
{
	if (!mk_cost_rows)
		mk_cost_rows = kvcalloc(nr_cpu_ids, sizeof(*mk_cost_rows),
					GFP_KERNEL);
	if (!mk_cost_rows)
		return -ENOMEM;
	if (mk_cost_rows[from])
		return 0;
	mk_cost_rows[from] = kvcalloc(nr_cpu_ids, sizeof(**mk_cost_rows),
				      GFP_KERNEL);
	mk_nr_cost_rows += !!mk_cost_rows[from];
	return mk_cost_rows[from] ? 0 : -ENOMEM;
}

static int mk_costs_class(int from, int to)
{
	if (mk_tier(from, to) == MK_TIER_SIBLING)
		return 0;
	return clamp(node_distance(cpu_to_node(from), cpu_to_node(to)), 1,
		     MK_COSTS_DISTANCES - 1);
}

/* Plans are in whole cycles, and nothing costs none. */
static u32 mk_costs_whole(const struct mk_cost *cost)
{
	return clamp_t(u64, div_u64(cost->milli + 500, 1000), 1, MK_PLAN_COST);
}

/**
 * mk_costs_replace() - one cost of one pair
 * @from: sender; mk_costs_room() has made room
 * @to: receiver
 * @kind: which of its costs
 * @cost: replaces what was
 *
 * Context: locked.
 */
void mk_costs_replace(int from, int to, enum mk_cost_kind kind,
		      const struct mk_cost *cost)
{
	struct mk_cost_pair *pair = &mk_cost_rows[from][to];
	bool known = pair->known & BIT(kind);
	u32 cycles, off;

	pair->cost[kind] = *cost;
	pair->known |= BIT(kind);
	if (kind >= MK_COSTS_PLANNED)
		return;
	cycles = mk_costs_whole(cost);
	mk_cost_class[kind][mk_costs_class(from, to)] = cycles;
	off = abs((s32)(cycles - pair->base[kind]));
	if (known && off <= pair->base[kind] / MK_COSTS_DRIFT)
		return;
	pair->base[kind] = cycles;
	mk_costs_drifted = true;
}

/**
 * mk_costs_set() - remember what messages cost from one CPU to another
 * @from: sender
 * @to: receiver
 * @cost: all that is known, which replaces what was
 *
 * Context: process, may sleep. mk_costs_settle() is due when all are set.
 * Return: 0 or -ENOMEM.
 */
int mk_costs_set(int from, int to, const struct mk_cost cost[MK_COSTS])
{
	int kind, err;

	mk_costs_lock();
	err = mk_costs_room(from);
	for (kind = 0; kind < MK_COSTS && !err; kind++)
		mk_costs_replace(from, to, kind, &cost[kind]);
	mk_costs_unlock();
	return err;
}

/**
 * mk_costs_sampled() - remember what messages cost between CPUs as far apart
 * @from: sender
 * @to: receiver
 * @cost: send and receive
 *
 * Context: process, at load, when there are no plans.
 */
void mk_costs_sampled(int from, int to, const struct mk_cost cost[MK_COSTS])
{
	int kind;

	mk_costs_lock();
	for (kind = 0; kind < MK_COSTS_PLANNED; kind++)
		mk_cost_class[kind][mk_costs_class(from, to)] =
			mk_costs_whole(&cost[kind]);
	mk_costs_unlock();
}

/**
 * mk_costs_known() - is it known what messages cost between CPUs as far apart
 * @from: sender
 * @to: receiver
 *
 * Context: process, may sleep.
 */
bool mk_costs_known(int from, int to)
{
	bool known;

	mk_costs_lock();
	known = mk_cost_class[MK_COST_SEND][mk_costs_class(from, to)];
	mk_costs_unlock();
	return known;
}

/**
 * mk_costs_at_distance() - what messages cost at a distance
 * @kind: send or receive
 * @distance: of nodes, 10 for one and the same; 0 for siblings
 *
 * Context: locked.
 * Return: cycles; 0 if that is not known.
 */
u32 mk_costs_at_distance(enum mk_cost_kind kind, unsigned int distance)
{
	return distance < MK_COSTS_DISTANCES ? mk_cost_class[kind][distance] : 0;
}

/**
 * mk_costs_settle() - plans are out of date, if what was set makes them so
 *
 * Context: process, may sleep.
 */
void mk_costs_settle(void)
{
	mk_costs_lock();
	if (mk_costs_drifted)
		atomic_inc(&mk_costs_versions);
	mk_costs_drifted = false;
	mk_costs_unlock();
}

/**
 * mk_costs_version() - tells estimates from those before
 *
 * Context: any.
 */
u32 mk_costs_version(void)
{
	return atomic_read(&mk_costs_versions);
}

/* The nearest class that something is known of, in proportion. */
static u32 mk_costs_guess(enum mk_cost_kind kind, int class)
{
	const u32 *known = mk_cost_class[kind];
	int distance = max(class, LOCAL_DISTANCE), off, at;

	for (off = 0; off < MK_COSTS_DISTANCES; off++) {
		at = class - off;
		if (at < 0 || !known[at])
			at = class + off;
		if (at < MK_COSTS_DISTANCES && known[at])
			return clamp_t(u64, div_u64((u64)known[at] * distance,
						    max(at, LOCAL_DISTANCE)),
				       1, MK_PLAN_COST);
	}
	return MK_COSTS_GUESS * distance;
}

static u32 mk_costs_cycles(int from, int to, enum mk_cost_kind kind)
{
	const struct mk_cost *cost;

	cost = mk_cost_rows ? mk_costs_get(from, to, kind) : NULL;
	if (cost)
		return mk_costs_whole(cost);
	return mk_costs_guess(kind, mk_costs_class(from, to));
}

/**
 * mk_costs_estimate() - what messages cost among some CPUs, as far as one can say
 * @cpu: which
 * @nr: how many
 * @send: written: from the i-th to the j-th at i * @nr + j; 0 on the diagonal
 * @receive: likewise
 *
 * Context: process, may sleep.
 */
void mk_costs_estimate(const int *cpu, unsigned int nr, u32 *send, u32 *receive)
{
	unsigned int i, j;

	mk_costs_lock();
	for (i = 0; i < nr; i++) {
		for (j = 0; j < nr; j++) {
			*send++ = i == j ? 0 :
				mk_costs_cycles(cpu[i], cpu[j], MK_COST_SEND);
			*receive++ = i == j ? 0 :
				mk_costs_cycles(cpu[i], cpu[j], MK_COST_RECEIVE);
		}
		cond_resched();
	}
	mk_costs_unlock();
}

/**
 * mk_costs_bytes() - memory of the matrices
 *
 * Context: process, may sleep.
 * Return: bytes.
 */
u64 mk_costs_bytes(void)
{
	u64 rows;

	mk_costs_lock();
	rows = mk_nr_cost_rows;
	mk_costs_unlock();
	return rows ? nr_cpu_ids * (sizeof(*mk_cost_rows) +
				    rows * sizeof(struct mk_cost_pair)) : 0;
}

/**
 * mk_costs_exit() - forget all
 *
 * Context: process, after the files, the experiments and the plans.
 */
void mk_costs_exit(void)
{
	unsigned int cpu;

	for (cpu = 0; mk_cost_rows && cpu < nr_cpu_ids; cpu++)
		kvfree(mk_cost_rows[cpu]);
	kvfree(mk_cost_rows);
	mk_cost_rows = NULL;
}
