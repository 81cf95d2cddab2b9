// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on regions: pages are taken away from every process and CPU.
 *
 * The order of things, and what holds what, is in region.h.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "shootdown/errand.h"
#include "shootdown/parts.h"
#include "shootdown/retired.h"
#include "shootdown/shootdown.h"
#include "shootdown/space.h"

/* How long an operation of Linux's own waits for lazy ones before it. */
#define MK_OPERATE_SETTLE_MS	2000

/* --- one mm: the initiator's thread ---------------------------------------- */

struct mk_assault {
	struct mk_errand errand;
	const struct mk_region_op *op;
	struct mk_party *party;
	struct mm_struct *mm;
	u64 space;
	u64 cycles;
	u32 messages, ipis, lazies, timeouts;
	unsigned int nr;
	struct mk_part part[];
};

static int mk_assault_part(struct mk_port *port, struct mk_assault *assault,
			   struct mk_part *part)
{
	const struct mk_region_op *op = assault->op;
	struct mk_shootdown sd = {
		.port = port,
		.party = assault->party,
		.mm = assault->mm,
		.space = assault->space,
		.vma = part->vma,
		.start = part->start,
		.end = part->end,
		.protect = op->op == MK_OP_PROTECT,
		.frees = part->frees,
		.broken = op->broken,
	};
	u64 start = mk_cycles();
	void *copies = NULL;
	int err = 0;

	/* Linux tells of its own changes, but nobody does of ours. */
	if (mk_copies)
		copies = mk_copies->begin(assault->mm, part->start, part->end);
	if (!mk_protocol_zaps(op->protocol))
		err = mk_part_change(assault->mm, part, op->op);
	if (!err)
		err = mk_shootdown(&sd);
	if (copies)
		mk_copies->end(copies);
	part->frees = sd.frees;
	if (err)
		return err;
	/* What the protocol notes for its next operation comes after that. */
	assault->cycles += mk_clock_span(start, sd.gathered);
	assault->messages += sd.messages;
	assault->ipis += sd.ipis;
	assault->lazies += sd.lazies;
	assault->timeouts += sd.timeouts;
	return 0;
}

static int mk_assault_run(struct mk_port *port, struct mk_errand *errand)
{
	struct mk_assault *assault = container_of(errand, struct mk_assault,
						  errand);
	unsigned int i;
	int err = 0;

	/* All of them, whatever happens to one: the caller keeps the frames. */
	for (i = 0; i < assault->nr; i++)
		err = mk_assault_part(port, assault, &assault->part[i]) ?: err;
	return err;
}

/* --- one mm: the caller ---------------------------------------------------- */

static void mk_operate_count(struct mk_region_op *op,
			     const struct mk_assault *assault)
{
	op->cycles += assault->cycles;
	op->messages += assault->messages;
	op->ipis += assault->ipis;
	op->lazies += assault->lazies;
	op->timeouts += assault->timeouts;
}

/*
 * The pages of @op in one mm, whose mmap_lock is held.
 * Return: 0; -EAGAIN if it has to be held for writing, see region.h.
 */
static int mk_operate_locked(struct mk_region *region, struct mk_region_op *op,
			     struct mk_party *party, struct mm_struct *mm,
			     struct mk_space *space,
			     struct mk_retired *retired, bool exclusive)
{
	struct mk_assault *assault;
	unsigned int i, nr;
	int err = 0;
	bool all;

	nr = mk_parts(region, mm, op, NULL, 0, &all);
	if (!exclusive && !all)
		return -EAGAIN;
	if (!nr)
		return 0;

	assault = kvzalloc(struct_size(assault, part, nr), GFP_KERNEL);
	if (!assault)
		return -ENOMEM;
	mk_errand_init(&assault->errand, true, mk_assault_run);
	assault->op = op;
	assault->party = party;
	assault->mm = mm;
	assault->space = space->id;
	assault->nr = mk_parts(region, mm, op, assault->part, nr, &all);

	for (i = 0; !err && i < nr && op->protocol == MK_PROTOCOL_LAZY; i++) {
		assault->part[i].frees = mk_ticket_get(retired, i ? 0 :
						       retired->nr);
		if (!assault->part[i].frees)
			err = -ENOMEM;
	}
	if (!err)
		err = mk_errand_run(op->cpu, &assault->errand);
	for (i = 0; i < nr; i++)
		if (assault->part[i].frees)
			mk_ticket_release(assault->part[i].frees);
	mk_operate_count(op, assault);
	mk_errand_put(&assault->errand);
	return err;
}

static int mk_operate_mm(struct mk_region *region, struct mk_region_op *op,
			 struct mk_party *party, struct mm_struct *mm,
			 struct mk_space *space, struct mk_retired *retired)
{
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = mk_operate_locked(region, op, party, mm, space, retired, false);
	mmap_read_unlock(mm);
	if (err != -EAGAIN)
		return err;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	err = mk_operate_locked(region, op, party, mm, space, retired, true);
	mmap_write_unlock(mm);
	return err;
}

/* --- all of them ----------------------------------------------------------- */

/* Make the space of an mm that has none yet, and leave it with the mapping. */
static struct mk_space *mk_mapping_space(struct mk_region *region,
					 struct mm_struct *mm)
{
	struct mk_space *space = mk_space_get(mm);
	struct mk_mapping *mapping;

	if (IS_ERR(space))
		return space;
	mutex_lock(&region->lock);
	list_for_each_entry(mapping, &region->mappings, link) {
		if (mapping->mm != mm || mapping->space)
			continue;
		mk_space_hold(space);
		mapping->space = space;
	}
	mutex_unlock(&region->lock);
	return space;
}

/*
 * Before anything changes: every mm has its space, which may fail; and @cpus are
 * those whose monitors have adopted one of them.
 */
static int mk_operate_survey(struct mk_region *region, struct cpumask *cpus)
{
	struct mk_space *space;
	struct mm_struct *mm;
	u64 seq = 0;

	while ((mm = mk_mapping_next(region, &seq, &space, NULL))) {
		if (!space)
			space = mk_mapping_space(region, mm);
		if (!IS_ERR(space)) {
			mk_space_cpus(space, cpus);
			mk_space_put(space);
		}
		mmput(mm);
		if (IS_ERR(space))
			return PTR_ERR(space);
	}
	return 0;
}

static int mk_operate_all(struct mk_region *region, struct mk_region_op *op,
			  struct mk_party *party, struct mk_retired *retired)
{
	struct mk_space *space;
	struct mm_struct *mm;
	int err, ret = 0;
	u64 seq = 0;

	retired->keep = op->broken;
	while ((mm = mk_mapping_next(region, &seq, &space, retired))) {
		if (!space)
			space = mk_mapping_space(region, mm);
		if (IS_ERR(space)) {
			err = PTR_ERR(space);
		} else {
			err = mk_operate_mm(region, op, party, mm, space,
					    retired);
			mk_space_put(space);
		}
		mmput(mm);
		if (err)
			mk_retired_await(retired, seq);
		ret = ret ?: err;
	}
	return ret;
}

/* Fresh frames for the pages, in @retired until they change places. */
static int mk_renew_alloc(struct mk_region *region,
			  const struct mk_region_op *op,
			  struct mk_retired *retired)
{
	u32 i;

	for (i = 0; i < op->pages; i++) {
		retired->page[i] = mk_frame_alloc(region, op->first + i, 0);
		if (!retired->page[i])
			return -ENOMEM;
		retired->nr = i + 1;
		cond_resched();
	}
	return 0;
}

static void mk_renew(struct mk_region *region, const struct mk_region_op *op,
		     struct mk_retired *retired)
{
	u64 version = ++region->version;
	u32 i;

	for (i = 0; i < op->pages; i++) {
		u64 *word = page_address(retired->page[i]);

		word[MK_PAGE_VERSION / sizeof(u64)] = version;
		swap(region->frame[op->first + i], retired->page[i]);
	}
}

/* What a fault sees from now on. */
static int mk_operate_change(struct mk_region *region,
			     struct mk_region_op *op,
			     struct mk_retired *retired)
{
	int err = 0;

	mutex_lock(&region->lock);
	switch (op->op) {
	case MK_OP_RENEW:
		if (region->nr_kept + op->pages > MK_REGION_KEPT_MAX)
			err = -ENOSPC;
		else
			mk_renew(region, op, retired);
		break;
	case MK_OP_PROTECT:
		bitmap_set(region->protected, op->first, op->pages);
		break;
	case MK_OP_UNPROTECT:
		bitmap_clear(region->protected, op->first, op->pages);
		break;
	}
	retired->seq = ++region->ops;
	retired->start = op->first;
	retired->end = op->first + op->pages;
	/* Linux does not flush where there is nothing left to clear. */
	retired->clears = !err && !mk_protocol_zaps(op->protocol) &&
			  (op->op == MK_OP_UNMAP || op->op == MK_OP_RENEW);
	op->version = region->version;
	mutex_unlock(&region->lock);
	return err;
}

static int mk_operate_told(struct mk_region *region, struct mk_region_op *op,
			   struct mk_retired *retired)
{
	struct mk_party *party;
	cpumask_var_t members;
	int err;

	if (!zalloc_cpumask_var(&members, GFP_KERNEL))
		return -ENOMEM;
	err = mk_operate_survey(region, members);
	if (err)
		goto out_members;
	party = mk_party_get(op->protocol, op->cpu, members);
	if (IS_ERR(party)) {
		err = PTR_ERR(party);
		goto out_members;
	}
	err = mk_operate_change(region, op, retired);
	if (!err)
		err = mk_operate_all(region, op, party, retired);
	mk_party_put(party);
out_members:
	free_cpumask_var(members);
	return err;
}

/*
 * Whom the caller has to tell is seen when it has been done. If there is somebody all
 * of it is done once more: that changes nothing that is changed already, and what is
 * awaited of dying mms stays awaited.
 */
static int mk_operate_change_all(struct mk_region *region,
				 struct mk_region_op *op, bool alone,
				 struct mk_retired *retired)
{
	if (alone && !mk_operate_change(region, op, retired) &&
	    !mk_alone(region, op, retired))
		return 0;
	return mk_operate_told(region, op, retired);
}

/* A condition of wait_event(), so nothing in it sleeps. */
static bool mk_region_begin(struct mk_region *region,
			    const struct mk_region_op *op)
{
	u32 end = op->first + op->pages;
	bool idle;

	spin_lock(&region->busy_lock);
	idle = find_next_bit(region->busy, end, op->first) >= end;
	if (idle)
		bitmap_set(region->busy, op->first, op->pages);
	spin_unlock(&region->busy_lock);
	return idle;
}

static void mk_region_end(struct mk_region *region,
			  const struct mk_region_op *op)
{
	spin_lock(&region->busy_lock);
	bitmap_clear(region->busy, op->first, op->pages);
	spin_unlock(&region->busy_lock);
	/* Its barrier pairs with that of wait_event(), before who waits looks at the bits. */
	if (wq_has_sleeper(&region->idle))
		wake_up_all(&region->idle);
}

static int mk_operate_refuse(struct mk_region *region,
			     const struct mk_region_op *op)
{
	if (!op->pages || op->pages > MK_OP_PAGES_MAX ||
	    op->first >= region->pages ||
	    op->pages > region->pages - op->first ||
	    op->op >= MK_OPS || op->protocol >= MK_PROTOCOLS ||
	    op->broken >= MK_BROKENS || op->flags || op->cpu < -1)
		return -EINVAL;
	if (op->cpu >= 0 && !mk_port(op->cpu))
		return -EINVAL;
	if (region->flags & MK_REGION_FIXED &&
	    (op->op != MK_OP_UNMAP || op->broken))
		return -EPERM;
	if (region->kind && op->op != MK_OP_UNMAP && op->op != MK_OP_PROTECT)
		return -EPERM;
	return mk_protocol_refuses(op->protocol, op->op == MK_OP_PROTECT,
				   op->broken);
}

/**
 * mk_region_operate() - do something to pages of a region
 * @region: the region
 * @op: what; gets the outcome, and @cpu the initiator
 *
 * When it has returned 0 no thread of any process can reach what the pages were,
 * or write to them if they were protected; with the protocol lazy, when
 * mk_region_settle() has returned 0.
 *
 * Context: process, not a port's thread, no mmap_lock held; sleeps.
 * Return: 0; -EINVAL for a field that cannot be; -EPERM if the region is
 * MK_REGION_FIXED; -EOPNOTSUPP if the protocol does not do that; -ENODEV if the
 * initiator's CPU is off line; -ENOMEM; -ENOSPC when MK_REGION_KEPT_MAX frames are
 * kept; -EINTR if a signal came before anything changed, or the caller is being
 * killed; -EBUSY if lazy operations that had to come first do not settle. After
 * an error a part may have been done, and calling again does the rest.
 */
int mk_region_operate(struct mk_region *region, struct mk_region_op *op)
{
	bool alone = mk_alone_may(op);
	struct mk_retired lent, *retired = &lent;
	int err;

	err = mk_operate_refuse(region, op);
	if (err)
		return err;
	if (op->cpu < 0)
		op->cpu = raw_smp_processor_id();
	op->cycles = 0;
	op->messages = 0;
	op->ipis = 0;
	op->lazies = 0;
	op->timeouts = 0;

	if (op->op == MK_OP_RENEW)
		retired = mk_retired_alloc(region, op->pages);
	else if (op->protocol == MK_PROTOCOL_LAZY)
		retired = mk_retired_alloc(region, 0);
	else
		mk_retired_init(&lent, region);
	if (!retired)
		return -ENOMEM;
	if (op->op == MK_OP_RENEW) {
		err = mk_renew_alloc(region, op, retired);
		if (err)
			goto out;
	}

	err = wait_event_killable(region->idle, mk_region_begin(region, op));
	if (err) {
		err = -EINTR;
		goto out;
	}
	/* Linux does not flush where a lazy operation has cleared the PTE. */
	if (mk_protocol_zaps(op->protocol))
		err = mk_region_settle(region, MK_OPERATE_SETTLE_MS);
	if (err == -ETIMEDOUT)
		err = -EBUSY;
	if (!err && op->op == MK_OP_UNPROTECT)
		err = mk_operate_change(region, op, retired);
	else if (!err)
		err = mk_operate_change_all(region, op, alone, retired);
	if (!err && region->kind)
		region->kind->operated(region, op,
				       !op->broken && !retired->last);
	mk_region_end(region, op);
	atomic64_inc(&mk_region_totals.operations);
out:
	mk_retired_put(retired);
	return err;
}

/**
 * mk_region_settle() - wait for the region's lazy operations
 * @region: the region
 * @timeout_ms: how long at most
 *
 * Context: process; sleeps.
 * Return: 0 when all that had returned before are over; -ETIMEDOUT, -EINTR.
 */
int mk_region_settle(struct mk_region *region, unsigned int timeout_ms)
{
	long left;

	left = wait_event_interruptible_timeout(region->settled,
						!atomic_read(&region->settling),
						msecs_to_jiffies(timeout_ms));
	if (left < 0)
		return -EINTR;
	return left ? 0 : -ETIMEDOUT;
}
