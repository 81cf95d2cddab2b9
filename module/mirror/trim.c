// SPDX-License-Identifier: GPL-2.0
/*
 * Replicas are emptied when their tables have reached the limit, and give back
 * tables that map nothing when Linux is short of memory.
 *
 * At the limit: what is in use comes back by faults; the tables of what is not, and those that
 * an munmap() has left empty, do not. It is done once a second at most: a limit
 * that is too low for what the threads use costs that and fall-backs, no more.
 *
 * When memory is short, Linux asks its shrinkers, ours among them. What it takes
 * from a mirrored process the replicas lose, so tables of what is not used come
 * to map nothing. They are given back by a work, since whoever asks may hold any
 * lock, and CPUs have to be waited for.
 */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>

#include "module/mirror/mirror_priv.h"
#include "module/mirror/pool.h"

/* Entries looked at with a replica's lock held, at most. */
#define MK_TRIM_BUDGET		2048

static void mk_trim_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_trim, mk_trim_work);

static void mk_shrink_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_shrink, mk_shrink_work);

static atomic64_t mk_nr_trims, mk_nr_trimmed, mk_nr_shrinks, mk_nr_shrunk;

/* A table that lies across the ends of two steps stays. */
static unsigned long mk_trim_node(struct mk_mirror_node *r,
				  struct list_head *pages)
{
	unsigned long flags, from, at = 0, n = 0;

	while (at < TASK_SIZE_MAX) {
		raw_spin_lock_irqsave(&r->lock, flags);
		if (r->gone) {
			raw_spin_unlock_irqrestore(&r->lock, flags);
			break;
		}
		from = at;
		mk_table_clear_some(&r->table, &at, TASK_SIZE_MAX,
				    MK_TRIM_BUDGET);
		n += mk_table_prune(&r->table, from, at, pages);
		raw_spin_unlock_irqrestore(&r->lock, flags);
	}
	return n;
}

/**
 * mk_trim_mirror() - empty a mirror's replicas
 * @m: a mirror that does not end meanwhile
 *
 * Context: process; waits for interrupts.
 */
void mk_trim_mirror(struct mk_mirror *m)
{
	struct mk_mirror_node *r;
	unsigned long n = 0;
	LIST_HEAD(pages);
	int node;

	mk_mirror_for_each_node(r, node, m)
		n += mk_trim_node(r, &pages);
	mk_switch_off(m);
	mk_table_free(&pages);
	mk_switch_on(m);
	atomic64_add(n, &mk_nr_trimmed);
}

static void mk_trim_work(struct work_struct *work)
{
	if (mk_pool_used() < mk_pool_limit())
		return;
	atomic64_inc(&mk_nr_trims);
	mk_mirrors_each(mk_trim_mirror);
}

/**
 * mk_trim_soon() - the limit is reached
 *
 * Context: any but NMI, not under the lock of a run queue.
 */
void mk_trim_soon(void)
{
	queue_delayed_work(system_unbound_wq, &mk_trim, HZ);
}

/* --- memory is short ------------------------------------------------------- */

static unsigned long mk_shrink_node(struct mk_mirror_node *r,
				    struct list_head *pages)
{
	unsigned long flags, at = 0, n = 0;

	while (at < TASK_SIZE_MAX) {
		raw_spin_lock_irqsave(&r->lock, flags);
		if (r->gone)
			at = TASK_SIZE_MAX;
		else
			n += mk_table_prune_idle(&r->table, &at, TASK_SIZE_MAX,
						 MK_TRIM_BUDGET, pages);
		raw_spin_unlock_irqrestore(&r->lock, flags);
	}
	return n;
}

static void mk_shrink_mirror(struct mk_mirror *m)
{
	struct mk_mirror_node *r;
	unsigned long n = 0;
	LIST_HEAD(pages);
	int node;

	mk_mirror_for_each_node(r, node, m)
		n += mk_shrink_node(r, &pages);
	if (!n)
		return;
	mk_switch_off(m);
	mk_table_free(&pages);
	mk_switch_on(m);
	atomic64_add(n, &mk_nr_shrunk);
}

static void mk_shrink_work(struct work_struct *work)
{
	atomic64_inc(&mk_nr_shrinks);
	mk_mirrors_each(mk_shrink_mirror);
}

static unsigned long mk_shrink_count(struct shrinker *shrinker,
				     struct shrink_control *control)
{
	return mk_mirrors_idle() ?: SHRINK_EMPTY;
}

/* Once a second at most, each process's CPUs being interrupted twice. */
static unsigned long mk_shrink_scan(struct shrinker *shrinker,
				    struct shrink_control *control)
{
	queue_delayed_work(system_unbound_wq, &mk_shrink, HZ);
	return SHRINK_STOP;
}

static struct shrinker mk_shrinker = {
	.count_objects	= mk_shrink_count,
	.scan_objects	= mk_shrink_scan,
	.seeks		= DEFAULT_SEEKS,
};

/* --- the whole ------------------------------------------------------------- */

/**
 * mk_trim_start() - be asked when memory is short
 *
 * Context: process; sleeps.
 * Return: 0 or -ENOMEM.
 */
int mk_trim_start(void)
{
	return register_shrinker(&mk_shrinker, "multikernel-mirror");
}

/**
 * mk_trim_exit() - have nothing of this under way; no mirror is left
 *
 * Context: process; sleeps.
 */
void mk_trim_exit(void)
{
	unregister_shrinker(&mk_shrinker);
	cancel_delayed_work_sync(&mk_shrink);
	cancel_delayed_work_sync(&mk_trim);
}

/**
 * mk_trims() - how often replicas were emptied, since load
 *
 * Context: any.
 */
u64 mk_trims(void)
{
	return atomic64_read(&mk_nr_trims);
}

/**
 * mk_trimmed() - pages that this has freed
 *
 * Context: any.
 */
u64 mk_trimmed(void)
{
	return atomic64_read(&mk_nr_trimmed);
}

/**
 * mk_shrinks() - how often tables that map nothing were looked for, since load
 *
 * Context: any.
 */
u64 mk_shrinks(void)
{
	return atomic64_read(&mk_nr_shrinks);
}

/**
 * mk_shrunk() - pages that this has freed
 *
 * Context: any.
 */
u64 mk_shrunk(void)
{
	return atomic64_read(&mk_nr_shrunk);
}
