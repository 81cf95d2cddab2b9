// SPDX-License-Identifier: GPL-2.0
/*
 * An operation that no other CPU has to hear of.
 *
 * adaptive chooses for each CPU what suits it. Where none of those that may have the
 * pages has the mm loaded, but the caller's, or lazily, there is nobody to tell: the
 * caller itself clears the entries and flushes. No monitor is woken for it, which
 * would take the caller's CPU, twice.
 *
 * That it is so is read after the entries are changed and tlb_gen is raised, as in
 * shootdown.c, by the argument that stands there; a CPU that comes later sees the
 * tlb_gen. If it is not so, nothing is lost: the operation is done as ever, and
 * finds that some entries are changed already.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/smp.h>

#include "module/clock.h"
#include "shootdown/flush.h"
#include "shootdown/parts.h"
#include "shootdown/stat.h"

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

/*
 * Preemption off. How many of @cpus have the mm lazily, beside this one; -EAGAIN if
 * one has to flush.
 */
static int mk_alone_others(struct mm_struct *mm, const struct cpumask *cpus)
{
	int cpu, lazies = 0;

	for_each_cpu_and(cpu, mm_cpumask(mm), cpus) {
		if (cpu == smp_processor_id())
			continue;
		if (!mk_flush_is_lazy(cpu))
			return -EAGAIN;
		lazies++;
	}
	return lazies;
}

/*
 * Entries have been changed. Where no other CPU can have them at all, tlb_gen stays:
 * raising it has this CPU flush everything when it comes back from idling, since only
 * Linux's own flush notes that it has been here. A CPU that has another mm loaded has
 * what it had of this one under another tag, and looks at tlb_gen when it comes back.
 * Return: as mk_alone_others().
 */
static int mk_alone_flush(const struct mk_region *region, struct mm_struct *mm,
			  const struct mk_part *part,
			  const struct cpumask *cpus)
{
	int lazies;

	preempt_disable();
	if (current->mm != mm ||
	    !cpumask_subset(cpus, cpumask_of(smp_processor_id())))
		mk_flush_announce(mm);
	lazies = mk_alone_others(mm, cpus);
	if (lazies >= 0 &&
	    likely(!region->kind || !READ_ONCE(*region->kind->broken)))
		mk_flush_range(part->start, part->end);
	preempt_enable();
	return lazies;
}

static int mk_alone_part(const struct mk_region *region,
			 struct mk_region_op *op, struct mm_struct *mm,
			 const struct mk_part *part,
			 const struct cpumask *cpus)
{
	u64 start = mk_cycles();
	void *copies = NULL;
	int ret;

	if (mk_copies)
		copies = mk_copies->begin(mm, part->start, part->end);
	ret = mk_part_change(mm, part, op->op);
	if (!ret)
		ret = mk_alone_flush(region, mm, part, cpus);
	if (copies)
		mk_copies->end(copies);
	if (ret < 0)
		return ret;
	op->cycles += mk_clock_span(start, mk_cycles());
	op->lazies += ret;
	return 0;
}

/* Where there are more VMAs than one, it is done as ever. */
static int mk_alone_mm(struct mk_region *region, struct mk_region_op *op,
		       struct mm_struct *mm, const struct cpumask *cpus)
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
		err = mk_alone_part(region, op, mm, &part, cpus);
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
 * Return: 0; -EAGAIN if some CPU has to hear of it, -EINTR, or what changing entries
 * returned: it has to be done as ever, all of it.
 */
int mk_alone(struct mk_region *region, struct mk_region_op *op,
	     struct mk_retired *retired)
{
	bool narrows = region->kind && region->kind->narrows(region);
	const struct cpumask *cpus = cpu_possible_mask;
	cpumask_var_t some;
	struct mm_struct *mm;
	int err = 0;
	u64 seq = 0;

	if (narrows) {
		if (!alloc_cpumask_var(&some, GFP_KERNEL))
			return -ENOMEM;
		cpumask_copy(some, cpu_possible_mask);
		region->kind->cpus(region, op, some);
		cpus = some;
	}
	while (!err && (mm = mk_mapping_next(region, &seq, NULL, retired))) {
		err = mk_alone_mm(region, op, mm, cpus);
		mmput(mm);
	}
	if (narrows)
		free_cpumask_var(some);
	if (err) {
		op->cycles = 0;
		op->lazies = 0;
		return err;
	}
	mk_stat_inc(protocol[MK_PROTOCOL_ADAPTIVE].operations);
	mk_stat_add(protocol[MK_PROTOCOL_ADAPTIVE].lazies, op->lazies);
	mk_stat_add(choice.nothing, op->lazies);
	mk_stat_inc(choice.alone);
	return 0;
}
