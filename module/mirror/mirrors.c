// SPDX-License-Identifier: GPL-2.0
/*
 * The mirrors there are: how one is found, and what ends them all.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/memory.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/suspend.h>

#include "module/mirror/mirror_priv.h"

/* How long mk_mirrors_exit() waits for memory that is freed by SRCU. */
#define MK_MIRROR_WAIT_MS	2000

/* By mm; changed under the spinlock, read under RCU. */
static DEFINE_HASHTABLE(mk_mirrors_hash, 6);
static DEFINE_RAW_SPINLOCK(mk_mirrors_hash_lock);

DEFINE_MUTEX(mk_mirrors_lock);		/* what follows */
bool mk_mirrors_closed;
static bool mk_mirrors_hooked;

atomic_t mk_nr_mirrors;
atomic_t mk_nr_kept;			/* until their memory is freed */

struct workqueue_struct *mk_mirrors_wq;

/* --- finding one ----------------------------------------------------------- */

/**
 * mk_mirror_find() - the mirror of an mm
 * @mm: any
 *
 * Context: interrupts or preemption off; so long the mirror stays.
 * Return: the mirror, or NULL.
 */
notrace struct mk_mirror *mk_mirror_find(struct mm_struct *mm)
{
	struct mk_mirror *m;

	hash_for_each_possible_rcu_notrace(mk_mirrors_hash, m, hash,
					   (unsigned long)mm)
		if (mk_mirror_mm(m) == mm)
			return m;
	return NULL;
}

/**
 * mk_mirror_get() - hold the mirror of an mm
 * @mm: one that the caller keeps, such as current->mm
 *
 * Context: any but NMI.
 * Return: the mirror, or NULL if the mm has none, or none any more.
 */
struct mk_mirror *mk_mirror_get(struct mm_struct *mm)
{
	struct mk_mirror *m;

	if (!atomic_read(&mk_nr_mirrors))
		return NULL;
	preempt_disable();
	m = mk_mirror_find(mm);
	if (m && !refcount_inc_not_zero(&m->refs))
		m = NULL;
	preempt_enable();
	return m;
}

/**
 * mk_mirror_put() - let a mirror go
 * @m: from mk_mirror_get() or mk_mirror_attach()
 *
 * It goes on, unless somebody has ended it.
 *
 * Context: any but NMI.
 */
void mk_mirror_put(struct mk_mirror *m)
{
	if (refcount_dec_and_test(&m->refs))
		mmu_notifier_put(&m->notifier);
}

/**
 * mk_mirrors_each() - do something with each mirror
 * @fn: what; no mirror that has not ended yet comes to its end meanwhile
 *
 * Context: process; sleeps.
 */
void mk_mirrors_each(void (*fn)(struct mk_mirror *m))
{
	struct mk_mirror *m, *next;
	LIST_HEAD(held);
	int i;

	/* The work of one that ends now waits for the lock. */
	mutex_lock(&mk_mirrors_lock);
	preempt_disable();
	hash_for_each_rcu(mk_mirrors_hash, i, m, hash)
		if (refcount_inc_not_zero(&m->refs))
			list_add(&m->held, &held);
	preempt_enable();
	list_for_each_entry_safe(m, next, &held, held) {
		fn(m);
		list_del(&m->held);
		mk_mirror_put(m);
	}
	mutex_unlock(&mk_mirrors_lock);
}

/**
 * mk_mirrors_idle() - pages of replicas that map nothing
 *
 * Context: any.
 * Return: pages of the lowest level, of all mirrors.
 */
unsigned long mk_mirrors_idle(void)
{
	struct mk_mirror_node *r;
	struct mk_mirror *m;
	unsigned long n = 0;
	int i, node;

	preempt_disable();
	hash_for_each_rcu(mk_mirrors_hash, i, m, hash)
		mk_mirror_for_each_node(r, node, m)
			n += READ_ONCE(r->table.nr_idle);
	preempt_enable();
	return n;
}

/* --- one more, one less ---------------------------------------------------- */

/**
 * mk_mirrors_add() - have a mirror found
 * @m: the mirror
 *
 * Context: process; under mk_mirrors_lock.
 */
void mk_mirrors_add(struct mk_mirror *m)
{
	atomic_inc(&mk_nr_mirrors);
	raw_spin_lock(&mk_mirrors_hash_lock);
	hash_add_rcu(mk_mirrors_hash, &m->hash, (unsigned long)mk_mirror_mm(m));
	raw_spin_unlock(&mk_mirrors_hash_lock);
}

/**
 * mk_mirrors_del() - have a mirror found no longer
 * @m: the mirror, once
 *
 * Context: any but hard interrupts. Who has found it may go on as long as
 * preemption is off there.
 */
void mk_mirrors_del(struct mk_mirror *m)
{
	raw_spin_lock(&mk_mirrors_hash_lock);
	hash_del_rcu(&m->hash);
	raw_spin_unlock(&mk_mirrors_hash_lock);
	atomic_dec(&mk_nr_mirrors);
}

/**
 * mk_mirrors_hook() - set the hooks, unless they are set
 *
 * Context: process; sleeps. Under mk_mirrors_lock.
 * Return: 0 or a negative errno.
 */
int mk_mirrors_hook(void)
{
	int err;

	if (mk_mirrors_hooked)
		return 0;
	err = mk_fill_start();
	if (err)
		return err;
	err = mk_switch_start();
	if (err)
		goto err_fill;
	err = mk_inherit_start();
	if (err)
		goto err_switch;
	mk_mirrors_hooked = true;
	return 0;

err_switch:
	mk_switch_exit();
err_fill:
	mk_fill_exit();
	return err;
}

/* --- what ends them all ---------------------------------------------------- */

/* Without waiting. */
static void mk_mirrors_end_all(const char *why)
{
	struct hlist_node *next;
	struct mk_mirror *m;
	int i;

	/* The work of one that ends waits for us. */
	preempt_disable();
	hash_for_each_safe(mk_mirrors_hash, i, next, m, hash) {
		pr_info("mirror: %s[%d] is detached: %s\n", m->comm, m->pid,
			why);
		mk_mirror_end(m);
	}
	preempt_enable();
}

/**
 * mk_mirrors_detach_all() - end all mirrors and wait until that is done
 * @why: for the log, if there is one
 *
 * Context: process; sleeps.
 */
void mk_mirrors_detach_all(const char *why)
{
	mk_mirrors_end_all(why);
	flush_workqueue(mk_mirrors_wq);
}

/*
 * Memory that comes or goes may change the kernel's half of the roots, of which
 * a replica has a copy. The caller holds cpus_read_lock(), and so must not wait
 * for the work, which takes it too.
 */
static int mk_memory_changes(struct notifier_block *block,
			     unsigned long action, void *arg)
{
	if (action == MEM_GOING_ONLINE || action == MEM_GOING_OFFLINE) {
		mk_mirrors_end_all("memory comes or goes");
		mk_switch_off_all();
	}
	return NOTIFY_OK;
}

static struct notifier_block mk_memory_block = {
	.notifier_call = mk_memory_changes,
};

/* The CPU that resumes compares CR3 with what Linux has loaded. */
static int mk_power_changes(struct notifier_block *block,
			    unsigned long action, void *arg)
{
	if (action == PM_SUSPEND_PREPARE || action == PM_HIBERNATION_PREPARE)
		mk_mirrors_detach_all("the machine is suspended");
	return NOTIFY_OK;
}

static struct notifier_block mk_power_block = {
	.notifier_call = mk_power_changes,
};

/**
 * mk_mirrors_init() - have what mirrors need
 *
 * Context: process; sleeps.
 * Return: 0 or a negative errno.
 */
int mk_mirrors_init(void)
{
	int err;

	mk_mirrors_wq = alloc_workqueue("mk_mirrors", WQ_UNBOUND, 0);
	if (!mk_mirrors_wq)
		return -ENOMEM;
	err = register_memory_notifier(&mk_memory_block);
	if (err)
		goto err_wq;
	err = register_pm_notifier(&mk_power_block);
	if (err)
		goto err_memory;
	err = mk_trim_start();
	if (err)
		goto err_power;
	mk_copies = &mk_mirror_copies;
	return 0;

err_power:
	unregister_pm_notifier(&mk_power_block);
err_memory:
	unregister_memory_notifier(&mk_memory_block);
err_wq:
	destroy_workqueue(mk_mirrors_wq);
	return err;
}

/**
 * mk_mirrors_stop() - end all mirrors, and let none begin
 *
 * Context: process; sleeps. The files are still there.
 */
void mk_mirrors_stop(void)
{
	mutex_lock(&mk_mirrors_lock);
	mk_mirrors_closed = true;
	mutex_unlock(&mk_mirrors_lock);
	if (mk_mirrors_hooked)
		mk_inherit_exit();
	mk_mirrors_detach_all("the module goes");
}

/**
 * mk_mirrors_exit() - let go of everything
 *
 * Context: process; sleeps. After mk_mirrors_stop(), or when nothing could have
 * begun yet.
 */
void mk_mirrors_exit(void)
{
	unsigned long end = jiffies + msecs_to_jiffies(MK_MIRROR_WAIT_MS);

	mk_copies = NULL;
	mk_trim_exit();
	unregister_pm_notifier(&mk_power_block);
	unregister_memory_notifier(&mk_memory_block);
	if (mk_mirrors_hooked) {
		mk_switch_exit();
		mk_fill_exit();
	}
	destroy_workqueue(mk_mirrors_wq);
	mmu_notifier_synchronize();
	while (atomic_read(&mk_nr_kept) && time_before(jiffies, end))
		schedule_timeout_idle(1);
	WARN_ON(atomic_read(&mk_nr_kept));
	/* Callbacks run with BH off: the last one has left our text. */
	synchronize_rcu();
}
