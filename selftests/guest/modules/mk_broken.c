// SPDX-License-Identifier: GPL-2.0
/*
 * A module with one fault, to be chosen: each has to show in the kernel log, or
 * the tests would pass over the same fault in multikernel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

static char *fault = "none";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "which: none, or the name of a function below");

/* What the compiler cannot see through, so that the fault stays one. */
static void *mk_hide(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

/* Leaked: nothing points there once this has returned. */
static void mk_broken_leak(void)
{
	int i;

	for (i = 0; i < 8; i++)
		memset(mk_hide(kmalloc(200, GFP_KERNEL)), i, 200);
}

static void mk_broken_oob(void)
{
	char *p = kmalloc(100, GFP_KERNEL);

	((char *)mk_hide(p))[100] = 1;
	kfree(p);
}

static void mk_broken_use_after_free(void)
{
	int *p = mk_hide(kmalloc(64, GFP_KERNEL));

	kfree(p);
	WRITE_ONCE(*(int *)mk_hide(p), 1);
}

static void mk_broken_undefined(void)
{
	unsigned int shift = 40;
	int value = 1;

	OPTIMIZER_HIDE_VAR(shift);
	pr_info("%d\n", value << shift);
}

static DEFINE_SPINLOCK(mk_lock_a);
static DEFINE_SPINLOCK(mk_lock_b);

static void mk_broken_atomic_sleep(void)
{
	void *p;

	spin_lock(&mk_lock_a);
	p = kmalloc(64, GFP_KERNEL);
	spin_unlock(&mk_lock_a);
	kfree(p);
}

/* Both orders, one after the other: no deadlock now, and one some day. */
static void mk_broken_inversion(void)
{
	spin_lock(&mk_lock_a);
	spin_lock(&mk_lock_b);
	spin_unlock(&mk_lock_b);
	spin_unlock(&mk_lock_a);

	spin_lock(&mk_lock_b);
	spin_lock(&mk_lock_a);
	spin_unlock(&mk_lock_a);
	spin_unlock(&mk_lock_b);
}

static LIST_HEAD(mk_list);

static void mk_broken_rcu(void)
{
	struct list_head *entry;

	/* outside of any reader's section */
	entry = rcu_dereference(mk_list.next);
	if (entry != &mk_list)
		pr_info("strange\n");
}

/* Freed while it is queued: debugobjects' matter. */
static void mk_broken_nothing(struct work_struct *work)
{
}

static void mk_broken_live_work(void)
{
	struct delayed_work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	if (!work)
		return;
	INIT_DELAYED_WORK(work, mk_broken_nothing);
	schedule_delayed_work(work, 100 * HZ);
	kfree(work);
}

/* Two threads, one word, no marks, no lock. */
static struct {
	unsigned long word;
	bool stop;
} mk_raced;

static int mk_racer(void *unused)
{
	while (!kthread_should_stop()) {
		mk_raced.word++;
		cond_resched();
	}
	return 0;
}

static void mk_broken_race(void)
{
	unsigned long end = jiffies + 5 * HZ;
	struct task_struct *task;

	task = kthread_run(mk_racer, NULL, "mk_racer");
	if (IS_ERR(task))
		return;
	while (time_before(jiffies, end)) {
		mk_raced.word++;
		cond_resched();
	}
	kthread_stop(task);
}

static void mk_broken_none(void)
{
}

#define MK_BROKEN(name)		{ #name, mk_broken_##name }

static const struct {
	const char *name;
	void (*fn)(void);
} mk_faults[] = {
	MK_BROKEN(none),
	MK_BROKEN(leak),
	MK_BROKEN(oob),
	MK_BROKEN(use_after_free),
	MK_BROKEN(undefined),
	MK_BROKEN(atomic_sleep),
	MK_BROKEN(inversion),
	MK_BROKEN(rcu),
	MK_BROKEN(live_work),
	MK_BROKEN(race),
};

static int __init mk_broken_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mk_faults); i++) {
		if (strcmp(fault, mk_faults[i].name))
			continue;
		mk_faults[i].fn();
		return 0;
	}
	return -EINVAL;
}

static void __exit mk_broken_exit(void)
{
}

module_init(mk_broken_init);
module_exit(mk_broken_exit);

MODULE_DESCRIPTION("One fault, to see whether the tests see it");
MODULE_AUTHOR("The multikernel project");
MODULE_LICENSE("GPL");
