// SPDX-License-Identifier: GPL-2.0
/*
 * What Linux changes in the master, as the replicas learn of it.
 *
 * Linux announces each change that takes away or restricts anything, before it
 * begins (invalidate_range_start) and after it is done (_end). At the start
 * the mirror is blocked for the range, so that nothing of it is filled in, and
 * then each replica loses its leaves there; at the end it is unblocked. The flush
 * that Linux does after its own change then finds neither in the master nor in a
 * replica what was there before. See Documentation/mirror.rst.
 *
 * Whoever fills does so under the replica's lock, and only after a look at the
 * blocks. Whoever invalidates blocks, and then looks at the lock. With a full
 * barrier between the two on either side one of them sees the other: either
 * nothing is filled in, or the lock is found taken, or what was filled in is found
 * in the table. So a replica that has nothing there is not locked, and costs
 * some reads.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "module/mirror/mirror_priv.h"

/* Entries looked at with a replica's lock held, at most. */
#define MK_NOTIFY_BUDGET	2048
/* Of more than these, interrupts come between two replicas. */
#define MK_NOTIFY_FEW		32

static struct mk_mirror *mk_mirror_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct mk_mirror, notifier);
}

/**
 * mk_mirror_node_clear() - clear a range, letting the lock go now and then
 * @r: the replica
 * @start: first byte
 * @end: first byte after it
 *
 * Context: any but NMI.
 * Return: how many leaves there were.
 */
unsigned long mk_mirror_node_clear(struct mk_mirror_node *r,
				   unsigned long start, unsigned long end)
{
	unsigned long flags, n, sum = 0;

	while (start < end) {
		raw_spin_lock_irqsave(&r->lock, flags);
		if (r->gone) {
			raw_spin_unlock_irqrestore(&r->lock, flags);
			break;
		}
		n = mk_table_clear_some(&r->table, &start, end,
					MK_NOTIFY_BUDGET);
		r->zaps += n;
		sum += n;
		raw_spin_unlock_irqrestore(&r->lock, flags);
	}
	return sum;
}

/*
 * May the replica have a leaf there, or get one that was not blocked? A false yes
 * costs a look under the lock. Interrupts are off so that no page of the table is
 * freed meanwhile: see mk_trim_mirror() and mk_mirror_nodes_destroy().
 */
static bool mk_mirror_node_looks(struct mk_mirror_node *r, unsigned long start,
				 unsigned long end, struct mk_table_part *part)
{
	part->slot = NULL;
	if (raw_spin_is_locked(&r->lock))
		return true;
	/* Free: what was filled in before is seen. */
	smp_rmb();
	return !READ_ONCE(r->gone) && mk_table_has(&r->table, start, end, part);
}

static bool mk_mirror_node_has(struct mk_mirror_node *r, unsigned long start,
			       unsigned long end)
{
	struct mk_table_part part;
	unsigned long flags;
	bool has;

	local_irq_save(flags);
	has = mk_mirror_node_looks(r, start, end, &part);
	local_irq_restore(flags);
	return has;
}

/* What was found. Interrupts are off since. */
static void mk_mirror_node_drop_part(struct mk_mirror_node *r,
				     const struct mk_table_part *part,
				     unsigned long start)
{
	raw_spin_lock(&r->lock);
	if (!r->gone)
		r->zaps += mk_table_clear_part(&r->table, part, start);
	raw_spin_unlock(&r->lock);
}

/* Of a replica whose range is blocked. Return: was there anything? */
static bool mk_mirror_node_drop(struct mk_mirror_node *r, unsigned long start,
				unsigned long end)
{
	struct mk_table_part part;
	unsigned long flags;
	bool has;

	local_irq_save(flags);
	has = mk_mirror_node_looks(r, start, end, &part);
	if (has && part.slot)
		mk_mirror_node_drop_part(r, &part, start);
	local_irq_restore(flags);
	if (has && !part.slot)
		mk_mirror_node_clear(r, start, end);
	return has;
}

/* Blocks are merged: a range between two of them is blocked with them. */
static void mk_mirror_block(struct mk_mirror *m, unsigned long start,
			    unsigned long end)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&m->block_lock, flags);
	if (atomic_read(&m->blocks)) {
		start = min(m->block_start, start);
		end = max(m->block_end, end);
	}
	WRITE_ONCE(m->block_start, start);
	WRITE_ONCE(m->block_end, end);
	/* A range that grows while it is looked at covers what it did. */
	atomic_inc(&m->blocks);
	raw_spin_unlock_irqrestore(&m->block_lock, flags);
	/* Pairs with mk_mirror_blocked(): blocked before the lock is looked at. */
	smp_mb();
}

static void mk_mirror_unblock(struct mk_mirror *m)
{
	/* Who fills after that reads what Linux has written before. */
	WARN_ON_ONCE(atomic_dec_return(&m->blocks) < 0);
}

static enum mk_invalidate mk_invalidate;

/**
 * mk_mirror_invalidate() - who clears the replicas of other nodes
 *
 * Context: any.
 */
enum mk_invalidate mk_mirror_invalidate(void)
{
	return READ_ONCE(mk_invalidate);
}

/**
 * mk_mirror_set_invalidate() - change it, for invalidations that begin later
 * @how: who
 *
 * Context: any.
 */
void mk_mirror_set_invalidate(enum mk_invalidate how)
{
	WRITE_ONCE(mk_invalidate, how);
}

/*
 * As mk_mirror_node_drop(), with interrupts off. Inline: a replica has mostly nothing there,
 * and a call would be half of what it costs then. Return: entries that were cleared.
 */
static __always_inline unsigned int
mk_invalidate_part(struct mk_mirror_node *r, unsigned long start,
		   unsigned long end, unsigned long *flags)
{
	struct mk_table_part part;

	if (!mk_mirror_node_looks(r, start, end, &part))
		return 0;
	if (part.slot) {
		mk_mirror_node_drop_part(r, &part, start);
		return part.n;
	}
	local_irq_restore(*flags);
	mk_mirror_node_clear(r, start, end);
	local_irq_save(*flags);
	return 0;
}

/*
 * Interrupts are switched once for all replicas, but where there is much to do. A range
 * that lies in two pages of the lowest level is two parts: to go through all levels is
 * more than a walk for each.
 */
static void mk_invalidate_direct(struct mk_mirror *m, unsigned long start,
				 unsigned long end)
{
	unsigned long middle = (start | ~PMD_MASK) + 1, flags;
	struct mk_mirror_node *r;
	unsigned int n;
	int node;

	if (middle >= end || end - middle > PMD_SIZE)
		middle = end;
	local_irq_save(flags);
	mk_mirror_for_each_node(r, node, m) {
		n = mk_invalidate_part(r, start, middle, &flags);
		if (middle < end)
			n += mk_invalidate_part(r, middle, end, &flags);
		if (n <= MK_NOTIFY_FEW)
			continue;
		local_irq_restore(flags);
		local_irq_save(flags);
	}
	local_irq_restore(flags);
}

/* This node's replica directly, the others by their monitors if they can. */
static void mk_invalidate_message(struct mk_mirror *m, unsigned long start,
				  unsigned long end, bool blockable)
{
	nodemask_t asked = NODE_MASK_NONE;
	int node, here = numa_node_id();
	struct mk_mirror_node *r;

	if (!mk_request_possible(blockable)) {
		mk_mirror_for_each_node(r, node, m)
			if (mk_mirror_node_drop(r, start, end))
				atomic64_add(node != here, &r->directs);
		return;
	}
	mk_mirror_for_each_node(r, node, m) {
		if (node == here || !mk_mirror_node_has(r, start, end))
			continue;
		if (mk_request_send(r, start, end))
			node_set(node, asked);
		else
			mk_mirror_node_clear(r, start, end);
	}
	r = m->replica[here];
	if (r)
		mk_mirror_node_drop(r, start, end);
	for_each_node_mask(node, asked)
		if (!mk_request_wait(m->replica[node]))
			mk_mirror_node_clear(m->replica[node], start, end);
}

static int mk_notify_start(struct mmu_notifier *notifier,
			   const struct mmu_notifier_range *range)
{
	struct mk_mirror *m = mk_mirror_of(notifier);

	mk_mirror_block(m, range->start, range->end);
	if (unlikely(READ_ONCE(mk_mirror_broken) == MK_MIRROR_NO_INVALIDATE))
		return 0;
	if (mk_mirror_invalidate() == MK_INVALIDATE_DIRECT)
		mk_invalidate_direct(m, range->start, range->end);
	else
		mk_invalidate_message(m, range->start, range->end,
				      mmu_notifier_range_blockable(range));
	return 0;
}

static void mk_notify_end(struct mmu_notifier *notifier,
			  const struct mmu_notifier_range *range)
{
	mk_mirror_unblock(mk_mirror_of(notifier));
}

/*
 * What this module changes itself: its regions. Linux does not announce that. An
 * operation that has not found the mirror holds mmap_lock, for which
 * mk_mirror_begin() waits before a replica is used. It runs in a port's thread,
 * which waits for no messages of ours.
 */
static void *mk_copies_begin(struct mm_struct *mm, unsigned long start,
			     unsigned long end)
{
	struct mk_mirror *m = mk_mirror_get(mm);

	if (!m)
		return NULL;
	mk_mirror_block(m, start, end);
	if (likely(READ_ONCE(mk_mirror_broken) != MK_MIRROR_NO_REGIONS))
		mk_invalidate_direct(m, start, end);
	return m;
}

static void mk_copies_end(void *copies)
{
	mk_mirror_unblock(copies);
	mk_mirror_put(copies);
}

const struct mk_copies mk_mirror_copies = {
	.begin	= mk_copies_begin,
	.end	= mk_copies_end,
	.own	= mk_switch_own,
};

/* Has any node used the range? Linux flushes nothing for this, nor is it here. */
static int mk_mirror_young(struct mk_mirror *m, unsigned long start,
			   unsigned long end, bool clear)
{
	unsigned long flags, n = 0, young;
	struct mk_mirror_node *r;
	int node;

	mk_mirror_for_each_node(r, node, m) {
		if (!mk_mirror_node_has(r, start, end))
			continue;
		raw_spin_lock_irqsave(&r->lock, flags);
		if (!r->gone) {
			young = mk_table_young(&r->table, start, end, clear);
			r->young += young;
			n += young;
		}
		raw_spin_unlock_irqrestore(&r->lock, flags);
	}
	return !!n;
}

static int mk_notify_clear_young(struct mmu_notifier *notifier,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long end)
{
	return mk_mirror_young(mk_mirror_of(notifier), start, end, true);
}

static int mk_notify_test_young(struct mmu_notifier *notifier,
				struct mm_struct *mm, unsigned long addr)
{
	return mk_mirror_young(mk_mirror_of(notifier), addr, addr + 1, false);
}

/**
 * mk_mirror_empty() - clear all leaves of a mirror that ends
 * @m: the mirror; nothing is filled in any more
 *
 * Context: process.
 */
void mk_mirror_empty(struct mk_mirror *m)
{
	struct mk_mirror_node *r;
	int node;

	mk_mirror_for_each_node(r, node, m)
		mk_mirror_node_clear(r, 0, TASK_SIZE_MAX);
}

/*
 * The mm dies: no thread of it runs in user space any more, but CPUs may still
 * be on a replica lazily. The pages it maps are freed next, so they are taken out
 * here; the rest is left to the work, since this may be called under locks that
 * the work takes.
 */
static void mk_notify_release(struct mmu_notifier *notifier,
			      struct mm_struct *mm)
{
	struct mk_mirror *m = mk_mirror_of(notifier);

	mk_mirror_end(m);
	mk_mirror_empty(m);
}

const struct mmu_notifier_ops mk_mirror_notifier_ops = {
	.release		= mk_notify_release,
	.invalidate_range_start	= mk_notify_start,
	.invalidate_range_end	= mk_notify_end,
	.clear_flush_young	= mk_notify_clear_young,
	.clear_young		= mk_notify_clear_young,
	.test_young		= mk_notify_test_young,
	.free_notifier		= mk_mirror_free,
};
