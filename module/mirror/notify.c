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
#include "module/mirror/table_priv.h"

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
 * A look at a replica: interrupts are off, so that no page of its table is freed
 * meanwhile, see mk_trim_mirror() and mk_mirror_nodes_destroy(). If its lock is
 * taken, something may be filled in that was not blocked.
 */
static __always_inline bool mk_mirror_node_locked(struct mk_mirror_node *r)
{
	bool locked = raw_spin_is_locked(&r->lock);

	/* Free: what was filled in before is seen. */
	smp_rmb();
	return locked;
}

/* May it have a leaf there, or get one? A false yes costs a look under the lock. */
static bool mk_mirror_node_has(struct mk_mirror_node *r, unsigned long start,
			       unsigned long end)
{
	unsigned long flags;
	bool has;

	local_irq_save(flags);
	has = mk_mirror_node_locked(r) ||
	      (!READ_ONCE(r->gone) && mk_table_has(&r->table, start, end));
	local_irq_restore(flags);
	return has;
}

/* Of a replica whose range is blocked. Return: was there anything? */
static bool mk_mirror_node_drop(struct mk_mirror_node *r, unsigned long start,
				unsigned long end)
{
	bool has = mk_mirror_node_has(r, start, end);

	if (has)
		mk_mirror_node_clear(r, start, end);
	return has;
}

/*
 * Blocks are merged: a range between two of them is blocked with them. Interrupts
 * are off.
 */
static void mk_mirror_block(struct mk_mirror *m, unsigned long start,
			    unsigned long end)
{
	raw_spin_lock(&m->block_lock);
	if (atomic_read(&m->blocks)) {
		start = min(m->block_start, start);
		end = max(m->block_end, end);
	}
	WRITE_ONCE(m->block_start, start);
	WRITE_ONCE(m->block_end, end);
	/* A range that grows while it is looked at covers what it did. */
	atomic_inc(&m->blocks);
	/* Pairs with mk_mirror_blocked(): blocked before the lock is looked at. */
	smp_mb__after_atomic();
	raw_spin_unlock(&m->block_lock);
}

static void mk_mirror_block_only(struct mk_mirror *m, unsigned long start,
				 unsigned long end)
{
	unsigned long flags;

	local_irq_save(flags);
	mk_mirror_block(m, start, end);
	local_irq_restore(flags);
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

/* One replica's entry or entries, @slot being the first. Interrupts are off. */
static void mk_invalidate_slots(struct mk_mirror_node *r, u64 *slot,
				unsigned int n)
{
	raw_spin_lock(&r->lock);
	if (!r->gone)
		r->zaps += mk_table_clear_part(&r->table, slot, n);
	raw_spin_unlock(&r->lock);
}

/*
 * Of a part, see mk_is_part(), in all replicas. Interrupts are off, with @flags before,
 * and come between two replicas if there is much to do.
 */
static void mk_invalidate_part(struct mk_mirror *m, unsigned long start,
			       unsigned long end, unsigned long flags)
{
	unsigned int n = mk_part_entries(start, end);
	struct mk_mirror_node *r;
	u64 *slot, entry;
	int node;

	mk_mirror_for_each_node(r, node, m) {
		if (mk_mirror_node_locked(r)) {
			mk_mirror_node_clear(r, start, end);
			continue;
		}
		if (READ_ONCE(r->gone))
			continue;
		slot = mk_table_part(&r->table, start, &entry);
		if (slot && (entry || (n > 1 && mk_table_has_part(slot, n))))
			mk_invalidate_slots(r, slot, n);
		else if (entry)
			mk_mirror_node_clear(r, start, end);
		else
			continue;
		if (n > MK_NOTIFY_FEW) {
			local_irq_restore(flags);
			local_irq_save(flags);
		}
	}
}

/*
 * Blocks a range and clears it everywhere. Interrupts are switched once for all of that,
 * but where there is much to do. Most ranges are one part. One that lies in two pages of
 * the lowest level is two: to go through all levels is more than a walk for each.
 */
static void mk_invalidate_direct(struct mk_mirror *m, unsigned long start,
				 unsigned long end)
{
	unsigned long middle = (start | ~PMD_MASK) + 1, flags;
	struct mk_mirror_node *r;
	int node;

	local_irq_save(flags);
	mk_mirror_block(m, start, end);
	if (mk_is_part(start, end)) {
		mk_invalidate_part(m, start, end, flags);
		local_irq_restore(flags);
	} else if (mk_is_part(start, middle) && mk_is_part(middle, end)) {
		mk_invalidate_part(m, start, middle, flags);
		mk_invalidate_part(m, middle, end, flags);
		local_irq_restore(flags);
	} else {
		local_irq_restore(flags);
		mk_mirror_for_each_node(r, node, m)
			mk_mirror_node_drop(r, start, end);
	}
}

/* The same: this node's replica directly, the others by their monitors if they can. */
static void mk_invalidate_message(struct mk_mirror *m, unsigned long start,
				  unsigned long end, bool blockable)
{
	nodemask_t asked = NODE_MASK_NONE;
	int node, here = numa_node_id();
	struct mk_mirror_node *r;

	mk_mirror_block_only(m, start, end);
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

	if (unlikely(READ_ONCE(mk_mirror_broken) == MK_MIRROR_NO_INVALIDATE))
		mk_mirror_block_only(m, range->start, range->end);
	else if (mk_mirror_invalidate() == MK_INVALIDATE_DIRECT)
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
	if (likely(READ_ONCE(mk_mirror_broken) != MK_MIRROR_NO_REGIONS))
		mk_invalidate_direct(m, start, end);
	else
		mk_mirror_block_only(m, start, end);
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
