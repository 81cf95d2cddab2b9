// SPDX-License-Identifier: GPL-2.0
/*
 * A mirror: how it begins and ends.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/io.h>
#include <asm/pgtable.h>

#include "module/control.h"
#include "module/mirror/mirror_priv.h"
#include "module/mirror/pool.h"

enum mk_mirror_broken mk_mirror_broken;

/* --- what others put into a replica ---------------------------------------- */

static struct mk_mirror_node *mk_mirror_replica(struct mk_mirror *m, int node)
{
	if (node < 0 || node >= nr_node_ids)
		return NULL;
	return m->replica[node];
}

/**
 * mk_mirror_set() - map memory in one node's replica only
 * @m: a mirror that the caller holds
 * @node: which node's
 * @addr: of a VMA in which the master stays empty
 * @level: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
 * @entry: the leaf, as the CPU reads it
 *
 * It stays until mk_mirror_clear(), until Linux announces that the address is
 * unmapped or changed, or until the replica is trimmed, after which an access
 * faults as on a node that has nothing there. The frame must stay at least that
 * long, and until the flush that follows.
 *
 * Context: any but NMI, not under the lock of a run queue.
 * Return: 0; -ENODEV if the node has no replica; -ESRCH if the mirror has ended;
 * -EAGAIN if Linux is just changing something there; -ENOMEM if the node's pool
 * is dry (it is filled again: have the access done once more); -EINVAL.
 */
int mk_mirror_set(struct mk_mirror *m, int node, unsigned long addr, int level,
		  u64 entry)
{
	struct mk_mirror_node *r = mk_mirror_replica(m, node);
	unsigned long flags;
	int err;

	if (!r)
		return -ENODEV;
	if (level < 1 || level > MK_TABLE_LEAF_MAX || addr >= TASK_SIZE_MAX)
		return -EINVAL;
	addr &= ~(mk_table_span(level) - 1);
	raw_spin_lock_irqsave(&r->lock, flags);
	if (r->gone || mk_mirror_has_ended(m))
		err = -ESRCH;
	else if (mk_mirror_blocked(m, addr, mk_table_span(level)))
		err = -EAGAIN;
	else
		err = mk_table_set(&r->table, addr, level, entry);
	raw_spin_unlock_irqrestore(&r->lock, flags);
	if (err == -ENOMEM && mk_pool_used() >= mk_pool_limit())
		mk_trim_soon();
	return err;
}

/**
 * mk_mirror_clear() - unmap a range in one node's replica
 * @m: a mirror that the caller holds
 * @node: which node's
 * @start: first byte
 * @end: first byte after it
 *
 * Nothing is flushed: that is the caller's.
 *
 * Context: any but NMI.
 * Return: how many leaves there were.
 */
unsigned long mk_mirror_clear(struct mk_mirror *m, int node,
			      unsigned long start, unsigned long end)
{
	struct mk_mirror_node *r = mk_mirror_replica(m, node);

	return r ? mk_mirror_node_clear(r, start, end) : 0;
}

/* --- the end --------------------------------------------------------------- */

static void mk_mirror_destroy(struct mk_mirror *m)
{
	int node;

	/* A shared one is the first node's: downwards, it goes last. */
	for (node = nr_node_ids - 1; node >= 0; node--)
		if (m->replica[node] && m->replica[node]->table.node == node)
			kfree(m->replica[node]);
	free_percpu(m->cpu);
	kfree(m);
}

/**
 * mk_mirror_free() - the notifier's last word
 * @notifier: of a mirror that has ended and that nobody holds
 *
 * Context: softirq.
 */
void mk_mirror_free(struct mmu_notifier *notifier)
{
	mk_mirror_destroy(container_of(notifier, struct mk_mirror, notifier));
	/* The last thing: mk_mirrors_exit() waits for it. */
	atomic_dec(&mk_nr_kept);
}

static void mk_mirror_nodes_destroy(struct mk_mirror *m)
{
	struct mk_mirror_node *r;
	int node;

	mk_mirror_for_each_node(r, node, m) {
		raw_spin_lock_irq(&r->lock);
		WRITE_ONCE(r->gone, true);
		raw_spin_unlock_irq(&r->lock);
	}
	/* Whoever looks at the tables without the lock is done with it. */
	synchronize_rcu();
	mk_mirror_for_each_node(r, node, m)
		mk_table_destroy(&r->table);
}

static void mk_mirror_end_work(struct work_struct *work)
{
	struct mk_mirror *m = container_of(work, struct mk_mirror, end);

	/* Behind an attach that has not made the files yet. */
	mutex_lock(&mk_mirrors_lock);
	mutex_unlock(&mk_mirrors_lock);
	/* Whoever has found it with preemption off is done with it. */
	synchronize_rcu();
	mk_mirror_empty(m);
	mk_switch_off(m);
	mk_tally_end(m);
	mk_mirror_files_remove(m);
	mk_mirror_nodes_destroy(m);
	complete_all(&m->over);
	mk_mirror_put(m);
}

/**
 * mk_mirror_end() - end a mirror, without waiting for it
 * @m: a mirror that is held; a second time is nothing
 *
 * Context: any but hard interrupts. From now on nothing is filled in, and no CPU
 * goes to a replica.
 */
void mk_mirror_end(struct mk_mirror *m)
{
	if (test_and_set_bit(MK_MIRROR_ENDS, &m->ended))
		return;
	mk_mirrors_del(m);
	queue_work(mk_mirrors_wq, &m->end);
}

/**
 * mk_mirror_detach() - end a mirror and wait until that is done
 * @m: a mirror that the caller holds
 *
 * Context: process; sleeps.
 */
void mk_mirror_detach(struct mk_mirror *m)
{
	mk_mirror_end(m);
	wait_for_completion(&m->over);
}

/* --- the beginning --------------------------------------------------------- */

static struct mk_mirror_node *mk_mirror_node_make(struct mk_mirror *m, int node,
						  struct mm_struct *mm)
{
	struct mk_mirror_node *r;
	int err;

	r = kzalloc_node(sizeof(*r), GFP_KERNEL_ACCOUNT, node);
	if (!r)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&r->lock);
	r->mirror = m;
	err = mk_table_init(&r->table, node, m->levels, mm->pgd);
	if (err) {
		kfree(r);
		return ERR_PTR(err);
	}
	r->table.keeps = READ_ONCE(mk_mirror_broken) == MK_MIRROR_NO_WIPE;
	r->root = page_to_phys(r->table.root);
	return r;
}

static int mk_mirror_nodes_make(struct mk_mirror *m, struct mm_struct *mm)
{
	struct mk_mirror_node *r = NULL;
	bool shared = READ_ONCE(mk_mirror_broken) == MK_MIRROR_SHARED;
	int node;

	for_each_node_state(node, N_MEMORY) {
		if (!shared || !r)
			r = mk_mirror_node_make(m, node, mm);
		if (IS_ERR(r))
			return PTR_ERR(r);
		m->replica[node] = r;
	}
	return 0;
}

static struct mk_mirror *mk_mirror_make(struct mm_struct *mm, struct pid *pid,
					struct task_struct *task)
{
	struct mk_mirror *m;
	int err = -ENOMEM;

	m = kzalloc(struct_size(m, replica, nr_node_ids), GFP_KERNEL_ACCOUNT);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->notifier.ops = &mk_mirror_notifier_ops;
	m->ended = BIT(MK_MIRROR_STARTS);
	/* The list's, let go by the work; and the caller's. */
	refcount_set(&m->refs, 2);
	m->pid = pid_nr(pid);
	get_task_comm(m->comm, task);
	raw_spin_lock_init(&m->block_lock);
	INIT_WORK(&m->end, mk_mirror_end_work);
	init_completion(&m->over);
	m->levels = pgtable_l5_enabled() ? 5 : 4;
	m->cpu = alloc_percpu_gfp(struct mk_mirror_cpu, GFP_KERNEL_ACCOUNT);
	if (!m->cpu)
		goto err_free;
	err = mk_mirror_nodes_make(m, mm);
	if (err)
		goto err_replicas;
	err = mmu_notifier_register(&m->notifier, mm);
	if (err)
		goto err_replicas;
	atomic_inc(&mk_nr_kept);
	return m;

err_replicas:
	mk_mirror_nodes_destroy(m);
err_free:
	mk_mirror_destroy(m);
	return ERR_PTR(err);
}

/* Under mk_mirrors_lock; the caller keeps the mm alive. */
static struct mk_mirror *mk_mirror_begin(struct mm_struct *mm, struct pid *pid,
					 struct task_struct *task)
{
	struct mk_mirror *m;
	int err;

	if (mk_mirrors_closed)
		return ERR_PTR(-ESHUTDOWN);
	m = mk_mirror_get(mm);
	if (m) {
		mk_mirror_put(m);
		return ERR_PTR(-EEXIST);
	}
	err = mk_mirrors_hook();
	if (err)
		return ERR_PTR(err);
	m = mk_mirror_make(mm, pid, task);
	if (IS_ERR(m))
		return m;
	mk_mirrors_add(m);
	/* Operations on regions that have not found it are over then. */
	mmap_write_lock(mm);
	mmap_write_unlock(mm);
	clear_bit(MK_MIRROR_STARTS, &m->ended);
	mk_tally_begin(m);
	mk_mirror_files(m);
	mk_switch_on(m);
	return m;
}

/* Why no process can be mirrored on this machine, or NULL. */
static const char *mk_mirror_refuses(void)
{
	if (cpu_feature_enabled(X86_FEATURE_PTI))
		return "page-table isolation is on (boot with pti=off)";
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return "Xen PV has page tables of its own";
	return NULL;
}

/**
 * mk_mirror_attach() - mirror a process
 * @pid: its thread group
 * @what: file or device, for the log
 *
 * Its threads that run now go to their node's replica before this returns,
 * others when they run next. A refusal is explained by one line in the log.
 *
 * Context: process; sleeps. Takes the mm's mmap_lock.
 * Return: the mirror, which the caller holds; or an ERR_PTR: -EOPNOTSUPP if no
 * process can be mirrored here, -ESRCH if there is no such process or it is
 * dying, -EINVAL for a kernel thread, -EEXIST if it is mirrored, -ENOMEM, -EINTR,
 * -ESHUTDOWN while the module goes.
 */
struct mk_mirror *mk_mirror_attach(struct pid *pid, const char *what)
{
	return mk_mirror_attach_mm(pid, NULL, what);
}

/**
 * mk_mirror_attach_mm() - mirror a process if it still has a certain mm
 * @pid: its thread group
 * @only: that mm, or NULL for any
 * @what: file or device, for the log
 *
 * Context and return: as mk_mirror_attach(); -ESRCH, and nothing in the log, if
 * it has another one.
 */
struct mk_mirror *mk_mirror_attach_mm(struct pid *pid, struct mm_struct *only,
				      const char *what)
{
	const char *refused = mk_mirror_refuses();
	struct mk_mirror *m = ERR_PTR(-ESRCH);
	struct task_struct *task;
	struct mm_struct *mm;

	if (refused) {
		mk_control_refuse(what, "%s", refused);
		return ERR_PTR(-EOPNOTSUPP);
	}
	task = get_pid_task(pid, PIDTYPE_TGID);
	if (!task) {
		if (!only)
			mk_control_refuse(what, "there is no process %d",
					  pid_nr(pid));
		return m;
	}
	if (task->flags & PF_KTHREAD) {
		mk_control_refuse(what, "%d is a kernel thread", pid_nr(pid));
		m = ERR_PTR(-EINVAL);
		goto out_task;
	}
	mm = get_task_mm(task);
	if (only && mm != only)
		goto out_mm;
	if (!mm) {
		mk_control_refuse(what, "process %d is dying", pid_nr(pid));
		goto out_task;
	}
	/* A mirror of it that has ended just now gives its directory back. */
	flush_workqueue(mk_mirrors_wq);
	if (mutex_lock_killable(&mk_mirrors_lock)) {
		m = ERR_PTR(-EINTR);
		goto out_mm;
	}
	m = mk_mirror_begin(mm, pid, task);
	mutex_unlock(&mk_mirrors_lock);
	if (IS_ERR(m))
		mk_control_refuse(what, "process %d: %s (error %ld)",
				  pid_nr(pid), PTR_ERR(m) == -EEXIST ?
				  "it is mirrored" : "it cannot be mirrored",
				  PTR_ERR(m));
out_mm:
	if (mm)
		mmput(mm);
out_task:
	put_task_struct(task);
	return m;
}
