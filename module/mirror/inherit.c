// SPDX-License-Identifier: GPL-2.0
/*
 * Children of mirrored processes are mirrored too, if that is wanted.
 *
 * The tracepoint of a fork is no place to attach anything, so a work does it,
 * shortly after. If the child has another mm by then (exec), or none, it is left
 * alone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "module/mirror/mirror_priv.h"

#define MK_FORK_NAME	"sched_process_fork"

/**
 * struct mk_heir - a child that is to be mirrored
 * @work: does it
 * @pid: the child
 * @mm: what it had when it was made
 */
struct mk_heir {
	struct work_struct work;
	struct pid *pid;
	struct mm_struct *mm;
};

static struct tracepoint *mk_fork_point;
static struct workqueue_struct *mk_heirs_wq;
static bool mk_inherits;

static void mk_heir_work(struct work_struct *work)
{
	struct mk_heir *heir = container_of(work, struct mk_heir, work);
	struct mk_mirror *m = mk_mirror_attach_mm(heir->pid, heir->mm,
						  "mirror/inherit");

	if (!IS_ERR(m))
		mk_mirror_put(m);
	put_pid(heir->pid);
	mmdrop(heir->mm);
	kfree(heir);
}

/* Preemption off; the child does not run yet. */
static void mk_forked(void *unused, struct task_struct *parent,
		      struct task_struct *child)
{
	struct mk_heir *heir;

	if (!READ_ONCE(mk_inherits) || !child->mm || child->mm == parent->mm ||
	    !parent->mm || !mk_mirror_find(parent->mm))
		return;
	heir = kmalloc(sizeof(*heir), GFP_ATOMIC | __GFP_NOWARN);
	if (!heir) {
		pr_notice_ratelimited("mirror/inherit: no memory for a child of %s[%d]\n",
				      parent->comm, task_tgid_nr(parent));
		return;
	}
	INIT_WORK(&heir->work, mk_heir_work);
	heir->pid = get_pid(task_pid(child));
	heir->mm = child->mm;
	mmgrab(heir->mm);
	queue_work(mk_heirs_wq, &heir->work);
}

static void mk_find_fork(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, MK_FORK_NAME))
		mk_fork_point = point;
}

/**
 * mk_inherit() - are children mirrored?
 *
 * Context: any.
 */
bool mk_inherit(void)
{
	return READ_ONCE(mk_inherits);
}

/**
 * mk_set_inherit() - change it, for children that are made later
 * @inherit: are they?
 *
 * Context: any.
 */
void mk_set_inherit(bool inherit)
{
	WRITE_ONCE(mk_inherits, inherit);
}

/**
 * mk_inherit_start() - hook into forks
 *
 * Context: process; sleeps.
 * Return: 0 or a negative errno.
 */
int mk_inherit_start(void)
{
	int err;

	for_each_kernel_tracepoint(mk_find_fork, NULL);
	if (!mk_fork_point) {
		pr_err("mirror: there is no tracepoint " MK_FORK_NAME "\n");
		return -ENOENT;
	}
	mk_heirs_wq = alloc_workqueue("mk_heirs", WQ_UNBOUND, 0);
	if (!mk_heirs_wq)
		return -ENOMEM;
	err = tracepoint_probe_register(mk_fork_point, mk_forked, NULL);
	if (err)
		destroy_workqueue(mk_heirs_wq);
	return err;
}

/**
 * mk_inherit_exit() - let go; children that are still to be attached are
 *
 * Context: process; sleeps.
 */
void mk_inherit_exit(void)
{
	tracepoint_probe_unregister(mk_fork_point, mk_forked, NULL);
	tracepoint_synchronize_unregister();
	destroy_workqueue(mk_heirs_wq);
}
