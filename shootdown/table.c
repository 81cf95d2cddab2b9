// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: processes that want a change, monitors that come and go.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "shootdown/agree.h"
#include "urpc/port.h"

/* A transaction that is not decided by then is aborted. */
#define MK_AGREE_JIFFIES	(5 * HZ)

/* Between two looks at it; what was lost is sent again. */
#define MK_AGREE_TICK		max(HZ / 10, 1)

/* Tries to get a change through, and the longest pause between two. */
#define MK_AGREE_TRIES		200
#define MK_AGREE_PAUSE_US	20000

/* A monitor that could not join tries again, so often. */
#define MK_REJOIN_TRIES		60

static bool mk_agree_founded;
struct mk_agree_events mk_agree_events;

static void mk_rejoin(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_rejoin_work, mk_rejoin);
static atomic_t mk_rejoin_tries;

static long mk_txn_sleep(struct mk_txn *txn, bool may_end)
{
	if (may_end)
		return wait_for_completion_interruptible_timeout(&txn->done,
								 MK_AGREE_TICK);
	return wait_for_completion_timeout(&txn->done, MK_AGREE_TICK);
}

/**
 * mk_txn_wait() - wait for a transaction that was handed to a port
 * @txn: the transaction
 * @may_end: a signal aborts it, if it is not decided
 *
 * Context: process, not a port's thread; sleeps, bounded.
 * Return: 0 if it was committed, or why not; -ETIMEDOUT if nobody takes care of
 * it in time: then it is aborted whenever somebody does.
 */
int mk_txn_wait(struct mk_txn *txn, bool may_end)
{
	unsigned long start = jiffies;
	long left;

	while ((left = mk_txn_sleep(txn, may_end)) <= 0) {
		if (left < 0) {
			may_end = false;
			WRITE_ONCE(txn->cancelled, -EINTR);
		} else if (time_after(jiffies, start + 3 * MK_AGREE_JIFFIES)) {
			atomic64_inc(&mk_agree_events.timeouts);
			return -ETIMEDOUT;
		} else if (time_after(jiffies, start + 2 * MK_AGREE_JIFFIES)) {
			WRITE_ONCE(txn->give_up, true);
		} else if (time_after(jiffies, start + MK_AGREE_JIFFIES)) {
			if (!txn->cancelled)
				WRITE_ONCE(txn->cancelled, -ETIMEDOUT);
		}
		mk_txn_nudge(txn, READ_ONCE(txn->cpu));
	}
	return txn->commit ? 0 : txn->err;
}

/* Hand it to a monitor: the nearest, or the @nth after it. */
static int mk_txn_hand_any(struct mk_txn *txn, unsigned int nth)
{
	int cpu = raw_smp_processor_id(), err = -ENODEV;
	unsigned int n;

	nth %= num_online_cpus();
	for (n = 0; n < nth; n++)
		cpu = cpumask_next_wrap(cpu, cpu_online_mask, -1, false);
	for (n = 0; n < nr_cpu_ids; n++) {
		if (cpu < nr_cpu_ids)
			err = mk_txn_hand(txn, cpu);
		if (!err)
			return 0;
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	return err;
}

static void mk_agree_backoff(unsigned int try)
{
	u32 us = min(50U << min(try, 12U), (u32)MK_AGREE_PAUSE_US);

	us = us / 2 + get_random_u32() % us;
	usleep_range(us, us + us / 4);
}

/*
 * A member that did not answer is one no more, unless the view has changed: a
 * best effort, since all goes on, though slower, while it is one. If it lives,
 * it joins again.
 */
static void mk_agree_exclude(int cpu, u64 view)
{
	struct mk_txn *txn = mk_txn_alloc(GFP_KERNEL);

	if (!txn)
		return;
	txn->change.kind = MK_CHANGE_EXCLUDE;
	txn->change.first = cpu;
	txn->of_view = view;
	if (!mk_txn_hand_any(txn, cpu == raw_smp_processor_id()) &&
	    !mk_txn_wait(txn, false)) {
		atomic64_inc(&mk_agree_events.excludes);
		mk_agree_excluded(cpu);
		mk_agree_rejoin();
	}
	mk_txn_put(txn);
}

/* One try. */
static int mk_agree_try(const struct mk_change *change, bool find, bool may_end,
			unsigned int try, u32 *first)
{
	struct mk_txn *txn = mk_txn_alloc(GFP_KERNEL);
	int err;

	if (!txn)
		return -ENOMEM;
	txn->change = *change;
	txn->find = find;
	txn->start = raw_smp_processor_id() * (MK_FRAMES / nr_cpu_ids);
	if (try)
		txn->start = get_random_u32() % MK_FRAMES;
	/* Who is no member yet cannot coordinate. */
	err = mk_txn_hand_any(txn, try > 4 ? try : 0);
	if (!err)
		err = mk_txn_wait(txn, may_end);
	if (!err && first)
		*first = txn->change.first;
	if (err != -ETIMEDOUT && txn->gone >= 0)
		mk_agree_exclude(txn->gone, txn->view);
	mk_txn_put(txn);
	return err;
}

static int mk_agree_on(const struct mk_change *change, bool find, bool may_end,
		       u32 *first)
{
	unsigned long deadline = jiffies + MK_AGREE_JIFFIES;
	unsigned int try;
	int err = -EBUSY;

	for (try = 0; try < MK_AGREE_TRIES; try++) {
		err = mk_agree_try(change, find, may_end, try, first);
		if (err != -EAGAIN && err != -ESTALE && err != -EHOSTDOWN)
			return err;
		if (may_end && signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, deadline))
			break;
		atomic64_inc(&mk_agree_events.retries);
		mk_agree_backoff(try);
	}
	return -EBUSY;
}

static bool mk_frames_valid(u32 first, u32 count)
{
	return count && count <= MK_FRAMES && first <= MK_FRAMES - count;
}

/**
 * mk_frames_claim() - take free slots that follow each other
 * @count: how many, 1 to MK_FRAMES
 * @type: what they become
 * @first: written: number of the first
 *
 * Context: process, not a port's thread; sleeps, bounded. A signal ends it.
 * Return: 0; -EINVAL for a count or type that cannot be, -ENOSPC if no @count
 * slots in a row are free, -EBUSY if others were faster every time, -EINTR if a
 * signal came, -ETIMEDOUT if a monitor does not answer, -ENODEV if there is no
 * monitor, -ENOMEM.
 */
int mk_frames_claim(u32 count, enum mk_frame_type type, u32 *first)
{
	const struct mk_change change = {
		.kind = MK_CHANGE_RETYPE,
		.from = MK_FRAME_FREE,
		.to = type,
		.count = count,
	};

	if (!mk_frames_valid(0, count) || type == MK_FRAME_FREE ||
	    type >= MK_FRAME_TYPES)
		return -EINVAL;
	return mk_agree_on(&change, true, true, first);
}

/**
 * mk_frames_release() - give claimed slots back
 * @first: number of the first
 * @count: how many; all of one type
 *
 * Context: process, not a port's thread; sleeps, bounded. Signals do not
 * matter, so that it can be called where a process dies.
 * Return: 0; -EINVAL for slots that cannot be, -ENOENT if they are free already
 * or of several types, -EBUSY if others had them locked every time, -ETIMEDOUT
 * if a monitor does not answer, -ENODEV if there is no monitor, -ENOMEM. After
 * the last four the slots are still claimed.
 */
int mk_frames_release(u32 first, u32 count)
{
	struct mk_change change = {
		.kind = MK_CHANGE_RETYPE,
		.to = MK_FRAME_FREE,
		.first = first,
		.count = count,
	};
	int err = -ENOENT;

	if (!mk_frames_valid(first, count))
		return -EINVAL;
	/* The replicas know of which type they are: no other one is accepted. */
	for (change.from = MK_FRAME_FRAME;
	     err == -ENOENT && change.from < MK_FRAME_TYPES; change.from++)
		err = mk_agree_on(&change, false, false, NULL);
	return err;
}

/**
 * mk_frames_retype() - change the type of slots
 * @first: number of the first
 * @count: how many
 * @from: the type that they have
 * @to: the type that they get
 *
 * Context and return: as mk_frames_claim(), and -ENOENT if one is not @from.
 */
int mk_frames_retype(u32 first, u32 count, enum mk_frame_type from,
		     enum mk_frame_type to)
{
	const struct mk_change change = {
		.kind = MK_CHANGE_RETYPE,
		.from = from,
		.to = to,
		.first = first,
		.count = count,
	};

	if (!mk_frames_valid(first, count) || from == to ||
	    from >= MK_FRAME_TYPES || to >= MK_FRAME_TYPES)
		return -EINVAL;
	return mk_agree_on(&change, false, true, NULL);
}

/**
 * mk_frames_type() - what a slot is, to a monitor
 * @port: its port
 * @slot: which
 *
 * Context: the port's thread.
 */
enum mk_frame_type mk_frames_type(const struct mk_port *port, u32 slot)
{
	return slot < MK_FRAMES ?
	       mk_frame_type(mk_replica(port->cpu)->frame[slot]) :
	       MK_FRAME_FREE;
}

/* --- members ------------------------------------------------------------------- */

/* A CPU's monitor joins, with the help of a member. */
static int mk_agree_join_by(int cpu, int peer)
{
	struct mk_txn *txn;
	int err;

	if (READ_ONCE(mk_agree_fault) == MK_AGREE_NO_JOIN)
		return -EAGAIN;
	txn = mk_txn_alloc(GFP_KERNEL);
	if (!txn)
		return -ENOMEM;
	txn->change.kind = MK_CHANGE_JOIN;
	txn->change.first = cpu;
	txn->peer = peer;
	err = mk_txn_hand(txn, cpu);
	if (!err)
		err = mk_txn_wait(txn, false);
	mk_txn_put(txn);
	return err == -EALREADY ? 0 : err;
}

static int mk_agree_join(int cpu)
{
	unsigned long deadline = jiffies + MK_AGREE_JIFFIES;
	unsigned int try = 0;
	int peer, err;

	do {
		err = -ESTALE;
		for_each_online_cpu(peer) {
			if (peer == cpu)
				continue;
			err = mk_agree_join_by(cpu, peer);
			if (!err)
				atomic64_inc(&mk_agree_events.joins);
			if (!err || err == -ENODEV)
				return err;
		}
		mk_agree_backoff(try++);
	} while (time_before(jiffies, deadline));
	return err;
}

/* Is a monitor a member, besides that of @but? */
static bool mk_agree_members_but(int but)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (cpu != but && READ_ONCE(mk_replica(cpu)->joined))
			return true;
	return false;
}

/* Work: whoever is on line and no member joins. */
static void mk_rejoin(struct work_struct *work)
{
	bool all = true;
	int cpu;

	for_each_online_cpu(cpu)
		if (!READ_ONCE(mk_replica(cpu)->joined))
			all &= !mk_agree_join(cpu);
	if (!mk_agree_members_but(-1))
		pr_err_once("no member of the agreement is left, and the frame table with none: claims fail until the module is loaded again\n");
	if (!all && atomic_dec_if_positive(&mk_rejoin_tries) > 0)
		schedule_delayed_work(&mk_rejoin_work, HZ);
}

/**
 * mk_agree_rejoin() - have all join that are on line and no members
 *
 * Context: any but a port's thread.
 */
void mk_agree_rejoin(void)
{
	atomic_set(&mk_rejoin_tries, MK_REJOIN_TRIES);
	schedule_delayed_work(&mk_rejoin_work, 1);
}

/**
 * mk_agree_online() - a CPU has come on line and has a monitor
 * @cpu: the CPU
 *
 * It joins, now or, when others have no time for it, a little later.
 *
 * Context: process, from the hotplug callback; sleeps, bounded.
 */
void mk_agree_online(int cpu)
{
	int err;

	if (!mk_agree_founded)
		return;
	err = mk_agree_join(cpu);
	if (!err)
		return;
	pr_warn("CPU %d is not part of the agreement yet: error %d\n", cpu,
		err);
	mk_agree_rejoin();
}

/**
 * mk_agree_offline() - a CPU is about to go off line
 * @cpu: the CPU
 *
 * If its monitor is the last member, the table would go with it. Then another
 * one joins first, or the CPU stays.
 *
 * Context: process, from the hotplug callback, while the monitor still runs;
 * sleeps, bounded.
 * Return: 0, -EBUSY if the CPU has to stay.
 */
int mk_agree_offline(int cpu)
{
	unsigned long deadline = jiffies + MK_AGREE_JIFFIES;
	unsigned int try = 0;
	int other;

	if (!READ_ONCE(mk_agree_founded) ||
	    !READ_ONCE(mk_replica(cpu)->joined) || mk_agree_members_but(cpu))
		return 0;
	do {
		for_each_online_cpu(other) {
			if (other == cpu || time_after(jiffies, deadline))
				continue;
			if (mk_agree_join_by(other, cpu))
				continue;
			atomic64_inc(&mk_agree_events.joins);
			return 0;
		}
		mk_agree_backoff(try++);
	} while (time_before(jiffies, deadline));
	pr_warn("CPU %d stays on line: it has the only copy of the frame table, and no other monitor could join\n",
		cpu);
	return -EBUSY;
}

static int mk_agree_found(struct mk_port *port, void *arg)
{
	mk_replica_found(mk_replica(port->cpu), arg);
	return 0;
}

/**
 * mk_agree_start() - all monitors that there are begin with an empty table
 *
 * Context: process, after mk_monitors_init(), before there are files.
 */
void mk_agree_start(void)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		mk_port_run(cpu, mk_agree_found, (void *)cpu_online_mask);
	mk_agree_founded = true;
	cpus_read_unlock();
}

/**
 * mk_agree_init() - allocate what agreement needs
 *
 * Context: process, before the first port opens.
 * Return: 0 or -ENOMEM.
 */
int mk_agree_init(void)
{
	int err = mk_replicas_init();

	if (err)
		return err;
	err = mk_voters_init();
	if (err)
		mk_replicas_exit();
	return err;
}

/**
 * mk_agree_stop() - nobody joins any more
 *
 * Context: process, before the monitors stop.
 */
void mk_agree_stop(void)
{
	/* From here on the last member may go. */
	WRITE_ONCE(mk_agree_founded, false);
	atomic_set(&mk_rejoin_tries, 0);
	cancel_delayed_work_sync(&mk_rejoin_work);
}

/**
 * mk_agree_exit() - free everything
 *
 * Context: process, after the last port has closed.
 */
void mk_agree_exit(void)
{
	mk_voters_exit();
	mk_replicas_exit();
}
