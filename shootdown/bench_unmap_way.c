// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment unmap: one operation, by each of the variants.
 */
#include <linux/hardirq.h>
#include <linux/jiffies.h>

#include "module/agent.h"
#include "module/clock.h"
#include "shootdown/bench_unmap.h"
#include "shootdown/region.h"
#include "shootdown/shootdown.h"

/* Function call interrupts that the targets have taken so far. */
static u64 mk_unmap_interrupts(const struct mk_unmap *unmap)
{
	u64 sum = 0;
	int cpu;

	for_each_cpu(cpu, unmap->targets.cpus)
		/* Counted by their CPUs, with plain increments. */
		sum += data_race(per_cpu(irq_stat, cpu).irq_call_count);
	return sum;
}

/* By a user thread on the initiator's CPU, on ordinary memory. */
static int mk_unmap_agent(struct mk_unmap *unmap, enum mk_job job, u64 *cycles)
{
	const struct mk_agent_order order = {
		.kind = job,
		.pages = unmap->targets.pages,
		.address = unmap->ordinary,
		.count = 1,
	};
	struct mk_agent_result result = { .samples = cycles, .room = 1 };
	int err;

	err = mk_agent_give(unmap->initiator, &order);
	if (!err)
		err = mk_agent_take(unmap->initiator, &result, MSEC_PER_SEC);
	if (!err)
		err = result.error;
	return err ?: result.nr == 1 ? 0 : -EIO;
}

static int mk_unmap_nothing(struct mk_port *port, void *arg)
{
	u64 *cycles = arg;
	u64 start = mk_cycles();

	*cycles = mk_clock_span(start, mk_cycles());
	return 0;
}

/**
 * mk_unmap_protocol() - the protocol of a variant
 * @way: one of ours, before MK_UNMAP_OURS
 *
 * Context: any.
 */
enum mk_protocol mk_unmap_protocol(int way)
{
	switch (way) {
	case MK_UNMAP_IPI_AGAIN:
		return MK_PROTOCOL_IPI;
	case MK_UNMAP_UNICAST_AGAIN:
		return MK_PROTOCOL_UNICAST;
	case MK_UNMAP_ADAPTIVE_AGAIN:
		return MK_PROTOCOL_ADAPTIVE;
	default:
		return way;
	}
}

/**
 * mk_unmap_name() - its name in the results
 * @way: one of ours, before MK_UNMAP_OURS
 *
 * Context: any.
 */
const char *mk_unmap_name(int way)
{
	switch (way) {
	case MK_UNMAP_IPI_AGAIN:
		return "ipi-again";
	case MK_UNMAP_UNICAST_AGAIN:
		return "unicast-again";
	case MK_UNMAP_ADAPTIVE_AGAIN:
		return "adaptive-again";
	default:
		return mk_protocol_name(way);
	}
}

static int mk_unmap_region(struct mk_unmap *unmap, int way, u64 *cycles)
{
	struct mk_region_op op = {
		.pages = unmap->targets.pages,
		.op = MK_OP_UNMAP,
		.protocol = mk_unmap_protocol(way),
		.cpu = unmap->initiator,
	};
	int err;

	err = mk_region_operate(unmap->region, &op);
	if (err)
		return err;
	*cycles = op.cycles;
	unmap->way[way].count.messages += op.messages;
	unmap->way[way].count.lazies += op.lazies;
	unmap->way[way].count.timeouts += op.timeouts;
	return 0;
}

static int mk_unmap_once(struct mk_unmap *unmap, int way, u64 *cycles)
{
	switch (way) {
	case MK_UNMAP_MPROTECT:
		return mk_unmap_agent(unmap, MK_JOB_MPROTECT, cycles);
	case MK_UNMAP_MUNMAP:
		return mk_unmap_agent(unmap, MK_JOB_MUNMAP, cycles);
	case MK_UNMAP_CONTROL:
		return mk_port_run(unmap->initiator, mk_unmap_nothing, cycles);
	case MK_UNMAP_QUIET:
		return 0;
	default:
		return mk_unmap_region(unmap, way, cycles);
	}
}

/**
 * mk_unmap_try() - one operation, and its interrupts
 * @unmap: the experiment
 * @way: the variant; if this machine cannot have it, it is off from then on
 * @cycles: written: what it took
 *
 * Context: process, in the mm of the space; sleeps.
 * Return: 0, or why not.
 */
int mk_unmap_try(struct mk_unmap *unmap, int way, u64 *cycles)
{
	u64 before = mk_unmap_interrupts(unmap);
	int err = mk_unmap_once(unmap, way, cycles);

	unmap->way[way].count.ipis +=
		mk_unmap_interrupts(unmap) - before;
	if (err == -EOPNOTSUPP) {
		unmap->way[way].off = true;
		err = 0;
	}
	return err;
}
