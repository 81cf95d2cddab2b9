// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol adaptive: for each CPU what suits it.
 *
 * A CPU that is lazy needs nothing (the common path sees to that). One whose
 * monitor is on the CPU at this moment, which it is while it polls, listens: a
 * message reaches it without an interrupt. Any other is in user code or in the
 * kernel, and an interrupt is the fastest way to it, as it is to one that owes
 * a reply.
 *
 * If one CPU gets an interrupt the others may as well get theirs in the same
 * go; and if all listen, messages are not faster on every machine, nor are they
 * if the initiator sends all of them itself: where all members listen and nobody
 * else has to flush, they can also go down the planned tree (planned.c), if
 * that is one. So for each number of listeners and of others all ways are
 * measured as operations run, and a party's next operation takes what was cheapest
 * for the last one's. Now and then another way is taken, to see whether that is
 * still so: a few operations on end, since the first ones find caches cold;
 * seldom, and very seldom if it was much worse. All this is done when nobody waits
 * any more.
 *
 * Compared are medians. A mean follows the one operation in a hundred in which
 * somebody was interrupted for a long time, and that says nothing of the way.
 */
#include <linux/debugfs.h>
#include <linux/log2.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/compat.h"
#include "module/control.h"
#include "module/memory.h"
#include "shootdown/stat.h"
#include "shootdown/tree.h"
#include "shootdown/unicast.h"
#include "urpc/port.h"

/* Numbers of CPUs are told apart exactly up to 4, and beyond by powers of 2. */
#define MK_ADAPTIVE_EXACT	4
#define MK_ADAPTIVE_BUCKETS	16

/* Operations of one probe, those of them that count, and how often it comes. */
#define MK_ADAPTIVE_BURST	8
#define MK_ADAPTIVE_COUNTED	6
#define MK_ADAPTIVE_PROBE	512
#define MK_ADAPTIVE_PROBE_BAD	4096

/* What a sample moves the estimate of the median by: this part of it. */
#define MK_ADAPTIVE_STEP	16

/* A way that a test has made slow takes so much longer. */
#define MK_ADAPTIVE_SLOW_US	100000

enum mk_way {
	MK_WAY_MESSAGE,		/* to who listens; interrupts to the others */
	MK_WAY_IPI,		/* to all */
	MK_WAY_PLANNED,		/* a message to all, down a tree */
	MK_WAYS
};

/**
 * struct mk_costs - of operations with as many listeners and others
 * @cycles: of each way, about the median; 0 if not known
 * @runs: operations
 * @burst: operations that are left of a probe
 * @probed: the way that is being measured, while @burst
 */
struct mk_costs {
	u32 cycles[MK_WAYS];
	u32 runs;
	u8 burst;
	u8 probed;
};

/**
 * struct mk_adaptive - what one initiator has learnt; its port's thread's
 * @costs: by the numbers of listeners and of others
 */
struct mk_adaptive {
	struct mk_costs costs[MK_ADAPTIVE_BUCKETS][MK_ADAPTIVE_BUCKETS];
};

static struct mk_adaptive **mk_adaptives;

/* For tests: bits of the ways that are slow. */
static u32 mk_adaptive_slow;

static unsigned int mk_adaptive_bucket(unsigned int n)
{
	if (n <= MK_ADAPTIVE_EXACT)
		return n;
	return min_t(unsigned int, MK_ADAPTIVE_BUCKETS - 1,
		     ilog2(n - 1) + MK_ADAPTIVE_EXACT - 1);
}

/*
 * Is the monitor of that member running right now? Neither its port nor its task is
 * looked at, which nothing else on the way would touch: only whether that task is the
 * one that its CPU runs. If it is about to block the message's bell wakes it, as with
 * unicast. A party is made anew when a monitor has come or gone, so that a task that
 * has gone is compared only by operations that are under way; should another one have
 * its place by then, its CPU gets an interrupt after ipi_after_us.
 */
static bool mk_adaptive_polls(const struct mk_unicast_member *member, int cpu)
{
	return member->task && mk_current_of(cpu) == member->task;
}

/* Measure a way from now on. */
static enum mk_way mk_adaptive_probe(struct mk_costs *costs, enum mk_way way)
{
	costs->burst = MK_ADAPTIVE_BURST;
	costs->probed = way;
	mk_stat_inc(choice.probes);
	return way;
}

/* Is it time to see what another way than the best one costs now? */
static bool mk_adaptive_is_due(const struct mk_costs *costs, enum mk_way way,
			       enum mk_way best)
{
	u32 period = costs->cycles[way] / 2 < costs->cycles[best] ?
		     MK_ADAPTIVE_PROBE : MK_ADAPTIVE_PROBE_BAD;

	/* Not two of them at once. */
	return costs->runs % period == way * MK_ADAPTIVE_BURST * 2;
}

/*
 * The cheapest of the first @ways, or one that has to be measured, for the next
 * operation.
 */
static enum mk_way mk_adaptive_choose(struct mk_costs *costs, enum mk_way ways)
{
	enum mk_way best = 0, way;

	costs->runs++;
	if (costs->burst && --costs->burst)
		return costs->probed;
	for (way = 0; way < ways; way++) {
		if (!costs->cycles[way])
			return mk_adaptive_probe(costs, way);
		if (costs->cycles[way] < costs->cycles[best])
			best = way;
	}
	for (way = 0; way < ways; way++)
		if (way != best && mk_adaptive_is_due(costs, way, best))
			return mk_adaptive_probe(costs, way);
	return best;
}

/*
 * Down the tree, which leads to all members: only if each of them has to flush and
 * listens, and nobody else has to. False if not; then nothing has been done.
 */
static bool mk_adaptive_plan(struct mk_shootdown *sd)
{
	const struct mk_unicast *unicast = sd->party->state;
	struct mk_choice *choice = &sd->choice;
	bool all;
	int cpu;

	all = sd->party->route && cpumask_equal(sd->need, sd->party->members);
	for_each_cpu(cpu, sd->need) {
		all = all && mk_adaptive_polls(&unicast->member[cpu], cpu);
		if (!all)
			break;
		choice->listeners++;
	}
	if (!all) {
		choice->listeners = 0;
		return false;
	}
	choice->told = choice->listeners;
	mk_tree_start(sd);
	return true;
}

/*
 * One pass, since it is on the way of every operation. Which way suits this many
 * listeners and others is known when they are counted, which is too late; what
 * suited the last ones of this party is taken. What was done is counted when
 * nobody waits any more.
 */
static int mk_adaptive_send(struct mk_shootdown *sd)
{
	const struct mk_unicast *unicast = sd->party->state;
	struct mk_choice *choice = &sd->choice;
	u64 word[MK_LINE_WORDS];
	u32 silent = 0;
	int cpu;

	choice->way = sd->party->way;
	if (choice->way == MK_WAY_PLANNED) {
		if (mk_adaptive_plan(sd))
			return 0;
		choice->way = MK_WAY_MESSAGE;
	}
	for_each_cpu(cpu, sd->need) {
		/* of members alone */
		const struct mk_unicast_member *member = &unicast->member[cpu];

		if (!mk_adaptive_polls(member, cpu)) {
			if (member->cell)
				choice->asleep++;
			else
				choice->strangers++;
			silent++;
			continue;
		}
		choice->listeners++;
		if (choice->way != MK_WAY_MESSAGE) {
			silent++;
			continue;
		}
		if (!sd->told)
			mk_unicast_begin(sd, word);
		sd->told = true;
		if (mk_unicast_tell(sd, cpu, word)) {
			__cpumask_clear_cpu(cpu, sd->need);
			choice->told++;
		} else {
			choice->deaf++;
			silent++;
		}
	}
	if (choice->told)
		mk_port_flush(sd->port);
	if (silent) {
		mk_shootdown_ipi(sd, sd->need);
		cpumask_clear(sd->need);
	}
	return 0;
}

/*
 * Only if a test asks for it, and for no longer than that. This CPU's inbox waits
 * meanwhile: who waits for it sends an interrupt after ipi_after_us.
 */
static void mk_adaptive_delay(void)
{
	u64 start = mk_cycles(), cycles = mk_clock_us(MK_ADAPTIVE_SLOW_US);

	while (mk_cycles() - start < cycles)
		cpu_relax();
}

static int mk_adaptive_start(struct mk_shootdown *sd)
{
	int err = mk_adaptive_send(sd);

	if (unlikely(READ_ONCE(mk_adaptive_slow) & BIT(sd->choice.way)))
		mk_adaptive_delay();
	return err;
}

static bool mk_adaptive_done(struct mk_shootdown *sd)
{
	if (sd->choice.way == MK_WAY_PLANNED)
		return mk_tree_done(sd);
	return !sd->told || mk_unicast_replied(sd);
}

static bool mk_adaptive_stuck(struct mk_shootdown *sd)
{
	return sd->choice.way == MK_WAY_PLANNED && mk_tree_stuck(sd);
}

static void mk_adaptive_missing(struct mk_shootdown *sd, struct cpumask *mask)
{
	if (sd->choice.way == MK_WAY_PLANNED)
		mk_tree_missing(sd, mask);
	else
		mk_unicast_missing(sd, mask);
}

/*
 * The first probe of a way leaves its best sample: an estimate that is too low is
 * put right by using the way, one that is too high keeps it from being used. From
 * then on half of the samples move the estimate up, and half of them down.
 */
static void mk_adaptive_learn(struct mk_costs *costs, enum mk_way way,
			      u64 cycles)
{
	u32 *median = &costs->cycles[way];

	cycles = clamp_t(u64, cycles, MK_ADAPTIVE_STEP, U32_MAX / 2);
	if (!*median)
		*median = cycles;
	else if (cycles < *median)
		*median = costs->runs <= MK_WAYS * MK_ADAPTIVE_BURST ?
			  cycles : *median - *median / MK_ADAPTIVE_STEP;
	else if (costs->runs > MK_WAYS * MK_ADAPTIVE_BURST)
		*median += min_t(u32, *median, U32_MAX / 2) /
			   MK_ADAPTIVE_STEP;
}

static void mk_adaptive_count(const struct mk_shootdown *sd)
{
	const struct mk_choice *choice = &sd->choice;

	mk_stat_add(choice.message, choice->told);
	mk_stat_add(choice.ipi, choice->listeners - choice->told +
				choice->asleep + choice->strangers);
	mk_stat_add(choice.nothing, sd->lazies);
	mk_stat_add(choice.asleep, choice->asleep);
	mk_stat_add(choice.deaf, choice->deaf);
	mk_stat_add(choice.stranger, choice->strangers);
	if (choice->way == MK_WAY_IPI)
		mk_stat_add(choice.cheaper, choice->listeners);
	else if (choice->way == MK_WAY_PLANNED)
		mk_stat_add(choice.planned, choice->told);
}

/* What the operation cost, and what its party does next. */
static void mk_adaptive_finished(struct mk_shootdown *sd)
{
	const struct mk_choice *choice = &sd->choice;
	enum mk_way ways = MK_WAY_PLANNED;
	struct mk_costs *costs;

	mk_adaptive_count(sd);
	if (!choice->listeners)
		return;
	costs = &mk_adaptives[sd->port->cpu]->costs
			[mk_adaptive_bucket(choice->listeners)]
			[mk_adaptive_bucket(choice->asleep +
					    choice->strangers)];
	if (costs->burst ? costs->burst <= MK_ADAPTIVE_COUNTED :
	    costs->cycles[choice->way])
		mk_adaptive_learn(costs, choice->way,
				  sd->gathered - sd->started);
	if (sd->party->route && !choice->asleep && !choice->strangers &&
	    choice->listeners == cpumask_weight(sd->party->members))
		ways = MK_WAYS;
	sd->party->way = mk_adaptive_choose(costs, ways);
}

static u64 mk_adaptive_slow_show(void *data)
{
	return READ_ONCE(mk_adaptive_slow);
}

static int mk_adaptive_slow_store(void *data, u64 ways)
{
	WRITE_ONCE(mk_adaptive_slow, ways);
	return 0;
}

static const struct mk_value mk_adaptive_slow_ops = {
	.show = mk_adaptive_slow_show,
	.store = mk_adaptive_slow_store,
	.max = BIT(MK_WAYS) - 1,
};

/**
 * mk_adaptive_files() - make its file in the tree
 * @dir: shootdown/
 *
 * Context: process, may sleep.
 */
void mk_adaptive_files(struct dentry *dir)
{
	mk_control_value("slow_ways", dir, NULL, &mk_adaptive_slow_ops);
}

/**
 * mk_adaptive_exit() - forget what was learnt
 *
 * Context: process.
 */
void mk_adaptive_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree(mk_adaptives[cpu]);
	kfree(mk_adaptives);
	mk_adaptives = NULL;
}

/**
 * mk_adaptive_init() - room for what will be learnt
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int mk_adaptive_init(void)
{
	int cpu;

	mk_adaptives = kcalloc(nr_cpu_ids, sizeof(*mk_adaptives), GFP_KERNEL);
	if (!mk_adaptives)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		mk_adaptives[cpu] = kzalloc_node(sizeof(**mk_adaptives),
						 GFP_KERNEL, cpu_to_node(cpu));
		if (!mk_adaptives[cpu]) {
			mk_adaptive_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * mk_adaptive_bytes() - memory of what was and can be learnt
 *
 * Context: any.
 */
u64 mk_adaptive_bytes(void)
{
	u64 bytes = ksize(mk_adaptives);
	int cpu;

	for_each_possible_cpu(cpu)
		bytes += ksize(mk_adaptives[cpu]);
	return bytes;
}

/**
 * mk_adaptive_size() - that of a machine
 * @cpus: its CPUs
 *
 * Context: any.
 */
u64 mk_adaptive_size(unsigned int cpus)
{
	return mk_alloc_size(cpus * sizeof(*mk_adaptives)) +
	       cpus * mk_alloc_size(sizeof(**mk_adaptives));
}

static int mk_adaptive_prepare(struct mk_party *party)
{
	int err = mk_unicast_prepare(party);

	if (err)
		return err;
	err = mk_tree_prepare(party, MK_TREE_PLANNED_DEEP, MK_ROUTE_CHILD);
	if (err)
		mk_unicast_unprepare(party);
	return err;
}

static void mk_adaptive_unprepare(struct mk_party *party)
{
	mk_tree_unprepare(party);
	mk_unicast_unprepare(party);
}

const struct mk_protocol_ops mk_adaptive_ops = {
	.broken = MK_BROKEN_ALL,
	.routed = true,
	.planned = true,
	.prepare = mk_adaptive_prepare,
	.unprepare = mk_adaptive_unprepare,
	.start = mk_adaptive_start,
	.done = mk_adaptive_done,
	.stuck = mk_adaptive_stuck,
	.missing = mk_adaptive_missing,
	.finished = mk_adaptive_finished,
};
