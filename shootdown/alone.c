// SPDX-License-Identifier: GPL-2.0
/*
 * An operation of which no monitor has to hear.
 *
 * adaptive chooses for each CPU what suits it. Where none of those that may have the
 * pages has the mm loaded, but the caller's, or lazily, there is nobody to tell; and
 * where nobody's monitor listens there is nobody to send a message to. So the caller
 * itself clears the entries, flushes, and sends the interrupts. No monitor is woken for
 * it, which would take the caller's CPU, twice.
 *
 * That it is so is read after the entries are changed and tlb_gen is raised, as in
 * shootdown.c, by the argument that stands there; a CPU that comes later sees the
 * tlb_gen. If it is not so, nothing is lost: the operation is done as ever, and
 * finds that some entries are changed already.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/compat.h"
#include "module/trace.h"
#include "shootdown/flush.h"
#include "shootdown/parts.h"
#include "shootdown/stat.h"
#include "urpc/port.h"

/**
 * mk_alone_may() - may an operation be done without monitors?
 * @op: the operation, as it was asked for
 *
 * Not if its caller has chosen an initiator or wants a fault planted, nor if
 * frames change, which must not happen twice.
 *
 * Context: any.
 */
bool mk_alone_may(const struct mk_region_op *op)
{
	return op->protocol == MK_PROTOCOL_ADAPTIVE && op->cpu < 0 &&
	       !op->broken &&
	       (op->op == MK_OP_UNMAP || op->op == MK_OP_PROTECT);
}

/**
 * struct mk_reach - who may have the pages
 * @narrow: only CPUs of @nodes, and not by Linux's page tables; else any
 * @nodes: these nodes
 */
struct mk_reach {
	bool narrow;
	nodemask_t nodes;
};

static bool mk_reaches(const struct mk_reach *reach, int cpu)
{
	return !reach->narrow || node_isset(cpu_to_node(cpu), reach->nodes);
}

/* Preemption off. */
static bool mk_reaches_others(const struct mk_reach *reach)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (cpu != smp_processor_id() && mk_reaches(reach, cpu))
			return true;
	return false;
}

/* A message reaches it without an interrupt, as in adaptive.c. */
static bool mk_alone_listens(int cpu)
{
	const struct task_struct *task = rcu_access_pointer(mk_port(cpu)->task);

	return task && mk_current_of(cpu) == task;
}

/**
 * struct mk_alone - what is flushed, and by whom
 * @reach: who may have it
 * @part: what
 * @lazies: other CPUs that have the mm lazily
 * @needs: others that have to flush
 */
struct mk_alone {
	const struct mk_reach *reach;
	const struct mk_part *part;
	u32 lazies, needs;
};

/* Preemption off. Return: 0; -EAGAIN if one that has to flush listens. */
static int mk_alone_look(struct mk_alone *alone, struct mm_struct *mm)
{
	int cpu;

	for_each_cpu(cpu, mm_cpumask(mm)) {
		if (cpu == smp_processor_id() || !mk_reaches(alone->reach, cpu))
			continue;
		if (mk_flush_is_lazy(cpu)) {
			alone->lazies++;
			continue;
		}
		if (mk_alone_listens(cpu))
			return -EAGAIN;
		alone->needs++;
	}
	return 0;
}

/* Now; it may have become lazy since, and looks at tlb_gen then. */
static bool mk_alone_asks(int cpu, void *arg)
{
	const struct mk_alone *alone = arg;

	return cpu != smp_processor_id() && mk_reaches(alone->reach, cpu) &&
	       !mk_flush_is_lazy(cpu);
}

static void mk_alone_interrupted(void *arg)
{
	const struct mk_alone *alone = arg;

	mk_flush_range(alone->part->start, alone->part->end);
}

/* Preemption off. */
static void mk_alone_flush_all(struct mk_alone *alone, struct mm_struct *mm)
{
	mk_alone_interrupted(alone);
	if (!alone->needs)
		return;
	trace_mk_shootdown_ipi(0, smp_processor_id(), alone->needs);
	on_each_cpu_cond_mask(mk_alone_asks, mk_alone_interrupted, alone, true,
			      mm_cpumask(mm));
}

/*
 * Entries have been changed. Where no other CPU can have them at all, tlb_gen stays:
 * raising it has this CPU flush everything when it comes back from idling, since only
 * Linux's own flush notes that it has been here. A CPU that has another mm loaded has
 * what it had of this one under another tag, and looks at tlb_gen when it comes back.
 * Return: as mk_alone_look().
 */
static int mk_alone_flush(const struct mk_region *region, struct mm_struct *mm,
			  struct mk_alone *alone)
{
	int err;

	preempt_disable();
	if (current->mm != mm || mk_reaches_others(alone->reach))
		mk_flush_announce(mm);
	err = mk_alone_look(alone, mm);
	if (!err && likely(!region->kind || !READ_ONCE(*region->kind->broken)))
		mk_alone_flush_all(alone, mm);
	preempt_enable();
	return err;
}

static int mk_alone_part(const struct mk_region *region,
			 struct mk_region_op *op, struct mm_struct *mm,
			 const struct mk_part *part,
			 const struct mk_reach *reach)
{
	struct mk_alone alone = { .reach = reach, .part = part };
	u64 start = mk_cycles();
	void *copies = NULL;
	int err = 0;

	if (mk_copies)
		copies = mk_copies->begin(mm, part->start, part->end);
	if (!reach->narrow)
		err = mk_part_change(mm, part, op->op);
	if (!err)
		err = mk_alone_flush(region, mm, &alone);
	if (copies)
		mk_copies->end(copies);
	if (err)
		return err;
	op->cycles += mk_clock_span(start, mk_cycles());
	op->lazies += alone.lazies;
	op->ipis += alone.needs;
	return 0;
}

/* Where there are more VMAs than one, it is done as ever. */
static int mk_alone_mm(struct mk_region *region, struct mk_region_op *op,
		       struct mm_struct *mm, const struct mk_reach *reach)
{
	struct mk_part part;
	unsigned int nr;
	int err = 0;
	bool all;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	nr = mk_parts(region, mm, op, &part, 1, &all);
	if (!all || nr > 1)
		err = -EAGAIN;
	else if (nr)
		err = mk_alone_part(region, op, mm, &part, reach);
	mmap_read_unlock(mm);
	return err;
}

/**
 * mk_alone() - do an operation without monitors
 * @region: the region, with the pages busy
 * @op: for which mk_alone_may(), and the change has been noted
 * @retired: awaits mappings that cannot be reached
 *
 * Context: process, no mmap_lock held; sleeps.
 * Return: 0; -EAGAIN if some monitor has to hear of it, -EINTR, or what changing entries
 * returned: it has to be done as ever, all of it.
 */
int mk_alone(struct mk_region *region, struct mk_region_op *op,
	     struct mk_retired *retired)
{
	struct mk_reach reach;
	struct mm_struct *mm;
	int err = 0;
	u64 seq = 0;

	reach.narrow = region->kind &&
		       region->kind->reach(region, op, &reach.nodes);
	while (!err && (mm = mk_mapping_next(region, &seq, NULL, retired))) {
		err = mk_alone_mm(region, op, mm, &reach);
		mmput(mm);
	}
	if (err) {
		op->cycles = 0;
		op->lazies = 0;
		op->ipis = 0;
		return err;
	}
	mk_stat_inc(protocol[MK_PROTOCOL_ADAPTIVE].operations);
	mk_stat_add(protocol[MK_PROTOCOL_ADAPTIVE].lazies, op->lazies);
	mk_stat_add(protocol[MK_PROTOCOL_ADAPTIVE].ipis, op->ipis);
	mk_stat_add(choice.nothing, op->lazies);
	mk_stat_add(choice.ipi, op->ipis);
	mk_stat_add(choice.asleep, op->ipis);
	mk_stat_inc(choice.alone);
	return 0;
}
