// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces: monitors adopt the mm of a process and give it back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "module/control.h"
#include "shootdown/space.h"

/* All spaces; the lock also protects mk_space::users. */
const struct mk_copies *mk_copies;

static LIST_HEAD(mk_spaces);
static DEFINE_SPINLOCK(mk_spaces_lock);

/* Makes looking for a space and making it one step. Outside of mmap_lock. */
static DEFINE_MUTEX(mk_spaces_make);

static u64 mk_space_last_id;
static atomic64_t mk_nr_spaces;		/* until their memory is freed */
static atomic64_t mk_nr_taken;

/* --- memory ---------------------------------------------------------------- */

static void mk_space_drop(struct mk_space *space)
{
	bool last;

	/* Under the lock, so that mk_space_find() never finds one that goes. */
	spin_lock(&mk_spaces_lock);
	last = refcount_dec_and_test(&space->refs);
	if (last)
		list_del(&space->link);
	spin_unlock(&mk_spaces_lock);
	if (last)
		mmu_notifier_put(&space->notifier);
}

static void mk_space_free(struct mmu_notifier *notifier)
{
	kvfree(container_of(notifier, struct mk_space, notifier));
	/* The last thing: mk_spaces_exit() waits for it. */
	atomic64_dec(&mk_nr_spaces);
}

/* --- seats: the port's thread ---------------------------------------------- */

static void mk_port_unuse(struct mk_port *port)
{
	struct mk_space *space = port->space;

	WRITE_ONCE(port->space_id, 0);
	port->space = NULL;
	kthread_unuse_mm(mk_space_mm(space));
	atomic64_dec(&mk_nr_taken);
	WRITE_ONCE(space->seat[port->cpu].taken, false);
	wake_up_all(&space->waiters);
	mk_space_drop(space);
}

static void mk_port_use(struct mk_port *port, struct mk_space *space)
{
	if (port->space)
		mk_port_unuse(port);
	refcount_inc(&space->refs);
	kthread_use_mm(mk_space_mm(space));
	if (mk_copies)
		mk_copies->own(mk_space_mm(space));
	port->space = space;
	WRITE_ONCE(port->space_id, space->id);
	atomic64_inc(&mk_nr_taken);
	WRITE_ONCE(space->seat[port->cpu].taken, true);
}

static void mk_seat_work(struct mk_port *port, struct mk_work *work)
{
	struct mk_space_seat *seat = container_of(work, struct mk_space_seat, work);
	struct mk_space *space = seat->space;
	bool wanted;

	WRITE_ONCE(seat->running, true);
	/* Pairs with mk_seat_want(): what is wanted later queues us again. */
	xchg(&seat->queued, 0);
	wanted = READ_ONCE(seat->wanted) && !READ_ONCE(space->dead) &&
		 !port->closing;
	if (wanted && port->space != space)
		mk_port_use(port, space);
	else if (!wanted && port->space == space)
		mk_port_unuse(port);
	/* Pairs with mk_space_settled(): with it goes what was done. */
	smp_store_release(&seat->running, false);
	wake_up_all(&space->waiters);
	mk_space_drop(space);
}

/**
 * mk_space_stop() - give back whatever the port's thread has adopted
 * @port: the caller's own, closed
 *
 * Context: the port's thread, before it ends.
 */
void mk_space_stop(struct mk_port *port)
{
	if (port->space)
		mk_port_unuse(port);
}

/**
 * mk_space_read() - read a word of the memory of an adopted mm
 * @port: the caller's own
 * @space: the space
 * @address: in the process
 * @value: written
 *
 * Context: the port's thread.
 * Return: 0; -ESRCH if the port has not adopted that space; -EFAULT if the page
 * is not mapped at the moment: nothing is faulted in.
 */
int mk_space_read(struct mk_port *port, const struct mk_space *space,
		  unsigned long address, u64 *value)
{
	if (!mk_space_is_adopted(port, space->id))
		return -ESRCH;
	if (copy_from_user_nofault(value, (const void __user *)address,
				   sizeof(*value)))
		return -EFAULT;
	return 0;
}

/* --- seats: anyone --------------------------------------------------------- */

static void mk_seat_want(struct mk_space_seat *seat, int cpu, bool wanted)
{
	WRITE_ONCE(seat->wanted, wanted);
	if (xchg(&seat->queued, 1))
		return;
	refcount_inc(&seat->space->refs);
	if (!mk_port_push(mk_port(cpu), &seat->work, NULL))
		return;
	/* Off line: its thread has given back whatever it had. */
	xchg(&seat->queued, 0);
	mk_space_drop(seat->space);
}

/* All of them are to give the mm back; does not wait. */
static void mk_space_clear(struct mk_space *space)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(space->seat[cpu].wanted) ||
		    READ_ONCE(space->seat[cpu].taken))
			mk_seat_want(&space->seat[cpu], cpu, false);
}

/* Has every work of @cpus been done; is the mm taken by none, if @empty? */
static bool mk_space_settled(struct mk_space *space,
			     const struct cpumask *cpus, bool empty)
{
	int cpu;

	for_each_cpu(cpu, cpus) {
		const struct mk_space_seat *seat = &space->seat[cpu];

		/* Pairs with the xchg of mk_seat_work(): queued, or running. */
		if (smp_load_acquire(&seat->queued))
			return false;
		/* Pairs with its release: running, or done. */
		if (smp_load_acquire(&seat->running))
			return false;
		if (empty && READ_ONCE(seat->taken))
			return false;
	}
	return true;
}

/*
 * The mm dies, in the context of whoever had the last reference to its users,
 * which is never a port's thread.
 */
static void mk_space_release(struct mmu_notifier *notifier,
			     struct mm_struct *mm)
{
	struct mk_space *space = container_of(notifier, struct mk_space,
					      notifier);

	WRITE_ONCE(space->dead, true);
	/*
	 * Pairs with the xchg of mk_seat_want(): what was wanted before is seen
	 * here, and the work of what is wanted later sees that it is dead.
	 */
	smp_mb();
	mk_space_clear(space);
	if (!wait_event_timeout(space->waiters,
				mk_space_settled(space, cpu_possible_mask, true),
				msecs_to_jiffies(MK_SPACE_WAIT_MS)))
		pr_notice("a monitor has not given back the mm of a dying process within %u ms\n",
			  MK_SPACE_WAIT_MS);
}

static const struct mmu_notifier_ops mk_space_ops = {
	.release	= mk_space_release,
	.free_notifier	= mk_space_free,
};

static struct mk_space *mk_space_find(struct mm_struct *mm)
{
	struct mk_space *space;

	spin_lock(&mk_spaces_lock);
	list_for_each_entry(space, &mk_spaces, link) {
		if (mk_space_mm(space) != mm)
			continue;
		refcount_inc(&space->refs);
		space->users++;
		spin_unlock(&mk_spaces_lock);
		return space;
	}
	spin_unlock(&mk_spaces_lock);
	return NULL;
}

static struct mk_space *mk_space_make(struct mm_struct *mm)
{
	struct mk_space *space;
	int cpu, err;

	space = kvzalloc(struct_size(space, seat, nr_cpu_ids),
			 GFP_KERNEL_ACCOUNT);
	if (!space)
		return ERR_PTR(-ENOMEM);
	space->notifier.ops = &mk_space_ops;
	refcount_set(&space->refs, 1);
	space->users = 1;
	init_waitqueue_head(&space->waiters);
	for_each_possible_cpu(cpu) {
		space->seat[cpu].space = space;
		space->seat[cpu].work.fn = mk_seat_work;
	}
	err = mmu_notifier_register(&space->notifier, mm);
	if (err) {
		kvfree(space);
		return ERR_PTR(err);
	}
	atomic64_inc(&mk_nr_spaces);
	spin_lock(&mk_spaces_lock);
	space->id = ++mk_space_last_id;
	list_add(&space->link, &mk_spaces);
	spin_unlock(&mk_spaces_lock);
	return space;
}

/**
 * mk_space_get() - the space of an mm
 * @mm: current->mm, or one whose users the caller holds
 *
 * Context: process, no mmap_lock held; sleeps.
 * Return: the space, with the caller as a user, or an ERR_PTR: -ENOMEM, -EINTR.
 */
struct mk_space *mk_space_get(struct mm_struct *mm)
{
	struct mk_space *space;

	if (mutex_lock_killable(&mk_spaces_make))
		return ERR_PTR(-EINTR);
	space = mk_space_find(mm);
	if (!space)
		space = mk_space_make(mm);
	mutex_unlock(&mk_spaces_make);
	return space;
}

/**
 * mk_space_hold() - one more user
 * @space: a space that has a user, who keeps it meanwhile
 *
 * Context: process.
 */
void mk_space_hold(struct mk_space *space)
{
	spin_lock(&mk_spaces_lock);
	refcount_inc(&space->refs);
	space->users++;
	spin_unlock(&mk_spaces_lock);
}

/**
 * mk_space_put() - the caller uses it no more
 * @space: from mk_space_get()
 *
 * With the last user every monitor is asked to give the mm back; nobody waits
 * for it.
 *
 * Context: process, not a port's thread.
 */
void mk_space_put(struct mk_space *space)
{
	bool last;

	spin_lock(&mk_spaces_lock);
	last = !--space->users;
	spin_unlock(&mk_spaces_lock);
	if (last)
		mk_space_clear(space);
	mk_space_drop(space);
}

/**
 * mk_space_cpus() - which CPUs' monitors have adopted it
 * @space: a space that the caller uses
 * @cpus: these are added
 *
 * Context: any. A moment later it may be others.
 */
void mk_space_cpus(const struct mk_space *space, struct cpumask *cpus)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(space->seat[cpu].taken))
			cpumask_set_cpu(cpu, cpus);
}

/* Wait for the works of @cpus. */
static int mk_space_wait(struct mk_space *space, const struct cpumask *cpus,
			 bool empty)
{
	long left;

	left = wait_event_killable_timeout(space->waiters,
					   mk_space_settled(space, cpus, empty),
					   msecs_to_jiffies(MK_SPACE_WAIT_MS));
	if (left < 0)
		return -EINTR;
	return left ? 0 : -ETIMEDOUT;
}

/**
 * mk_space_adopt() - have monitors adopt the mm
 * @space: a space that the caller uses
 * @cpus: whose
 *
 * A CPU that is off line is left out, and has to be asked again when it is back.
 *
 * Context: process, not a port's thread; sleeps, MK_SPACE_WAIT_MS at most.
 * Return: 0; -ENODEV if none of @cpus is on line, -ETIMEDOUT if a monitor has
 * not come to it (it will), -EINTR if the caller is being killed.
 */
int mk_space_adopt(struct mk_space *space, const struct cpumask *cpus)
{
	bool any = false;
	int cpu, err;

	for_each_cpu(cpu, cpus)
		mk_seat_want(&space->seat[cpu], cpu, true);
	err = mk_space_wait(space, cpus, false);
	for_each_cpu(cpu, cpus)
		any |= READ_ONCE(space->seat[cpu].taken);
	if (!err && !any)
		err = -ENODEV;
	return err;
}

/**
 * mk_space_leave() - have monitors give the mm back
 * @space: a space that the caller uses
 * @cpus: whose; those that have not adopted it are left alone
 *
 * Context and return: as mk_space_adopt(), without -ENODEV.
 */
int mk_space_leave(struct mk_space *space, const struct cpumask *cpus)
{
	int cpu;

	for_each_cpu(cpu, cpus)
		mk_seat_want(&space->seat[cpu], cpu, false);
	return mk_space_wait(space, cpus, true);
}

/* --- files ----------------------------------------------------------------- */

static u64 mk_show_count(void *data)
{
	return atomic64_read(data);
}

static const struct mk_value mk_value_count = { .show = mk_show_count };

/**
 * mk_spaces_files() - make spaces/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process.
 */
void mk_spaces_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("spaces", root);

	mk_control_value("count", dir, &mk_nr_spaces, &mk_value_count);
	mk_control_value("adopted", dir, &mk_nr_taken, &mk_value_count);
}

/**
 * mk_spaces_exit() - wait until the memory of the last space is freed
 *
 * Nobody uses one any more, so that is a matter of an SRCU grace period.
 *
 * Context: process, after the device and the monitors are gone.
 */
void mk_spaces_exit(void)
{
	unsigned long end = jiffies + msecs_to_jiffies(MK_SPACE_WAIT_MS);

	/* It waits for a grace period, not for every callback. */
	mmu_notifier_synchronize();
	while (atomic64_read(&mk_nr_spaces) && time_before(jiffies, end))
		schedule_timeout_idle(1);
	WARN_ON(atomic64_read(&mk_nr_spaces));
	/* Callbacks run with BH off: the last one has left our text. */
	synchronize_rcu();
}
