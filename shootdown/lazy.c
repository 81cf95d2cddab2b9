// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol lazy, after LATR (Kumar et al., ASPLOS 2018): nobody is asked. The
 * memory goes into quarantine instead, and is freed when every CPU that may
 * still use it has flushed of its own accord, at its next tick or context
 * switch. Correct for what frees memory, and for nothing else: until then, the
 * old page can be read and written.
 *
 * Sweeps
 *	Each CPU has two numbers: of the latest operation that wants it to flush,
 *	and of the latest that it has flushed for. The first only grows, under the
 *	lock; the second belongs to the CPU. An operation is over when the second
 *	number of each of its CPUs has reached its own, and no CPU has to take a
 *	lock or to walk a list for it.
 *
 * Ordering
 *	(I) Initiator: change the entries, announce (H), store-release want. CPU:
 *	    load-acquire want, flush, store-release done. Collector: load-acquire
 *	    done, free. So the flush comes after the change and before the free.
 *	(J) Initiator: write want, full barrier, read armed. Tick: clear armed,
 *	    full barrier, read want. One of the two sees the other, so a CPU
 *	    that is wanted has a timer.
 *
 * Bounds
 *	Whoever has not swept after lazy_after_ms gets an interrupt. What has no
 *	room below lazy_pages_max goes the way of protocol ipi at once.
 */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/tracepoint.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "module/control.h"
#include "shootdown/flush.h"
#include "shootdown/protocol.h"
#include "shootdown/stat.h"

#define MK_LAZY_AFTER_MS	40
#define MK_LAZY_AFTER_MS_MAX	10000
#define MK_LAZY_PAGES		8192
#define MK_LAZY_PAGES_MAX	1048576

/**
 * struct mk_sweeper - one CPU
 * @want: number of the latest operation that it has to flush for
 * @armed: its timer is on its way
 * @timer: the next tick
 * @done: number of the latest operation that it has flushed for
 */
struct mk_sweeper {
	u64 want;
	int armed;
	struct timer_list timer;
	u64 done ____cacheline_aligned_in_smp;
};

static DEFINE_PER_CPU_ALIGNED(struct mk_sweeper, mk_sweepers);

/**
 * struct mk_quarantine - operations that are not over
 * @lock: protects @entries, @seq and every want
 * @entries: in the order of their numbers
 * @seq: the last number given
 * @clean: what has a number up to this has been released
 * @pages: of all entries, and of those about to come
 * @collecting: one collector at a time
 * @work: the collector
 * @settled: @clean has grown
 */
static struct mk_quarantine {
	spinlock_t lock;	/* see above */
	struct list_head entries;
	u64 seq;
	u64 clean;
	atomic_t pages;
	struct mutex collecting;	/* likewise */
	struct delayed_work work;
	wait_queue_head_t settled;
} mk_q;

static u64 mk_lazy_after_ms = MK_LAZY_AFTER_MS;
static u64 mk_lazy_pages_max = MK_LAZY_PAGES;

static struct tracepoint *mk_sched_switch;
static bool mk_sched_switch_probed;	/* under the lock of the parties */

/* This CPU flushes for all that want it to; interrupts are off. */
static bool mk_sweep(void)
{
	struct mk_sweeper *me = this_cpu_ptr(&mk_sweepers);
	u64 want = smp_load_acquire(&me->want);		/* (I) */

	if (want == me->done)
		return false;
	mk_flush_all();
	smp_store_release(&me->done, want);		/* (I) */
	return true;
}

static void mk_sweep_tick(struct timer_list *timer)
{
	struct mk_sweeper *sweeper = from_timer(sweeper, timer, timer);
	unsigned long flags;

	xchg(&sweeper->armed, 0);			/* (J) */
	local_irq_save(flags);
	/* A timer of a CPU that went off line comes elsewhere: to no harm. */
	if (mk_sweep())
		mk_stat_inc(quarantine.tick_sweeps);
	local_irq_restore(flags);
}

/* Of sched_switch: the mm of @prev is still loaded, and interrupts are off. */
static void mk_sweep_switch(void *data, bool preempt, struct task_struct *prev,
			    struct task_struct *next, unsigned int prev_state)
{
	if (mk_sweep())
		mk_stat_inc(quarantine.switch_sweeps);
}

static void mk_sweep_interrupted(void *unused)
{
	mk_sweep();
}

/**
 * mk_frees_init() - make an entry for the quarantine
 * @frees: the entry
 * @pages: how many pages it stands for
 * @release: frees them and the entry, after mk_frees_destroy(); process context,
 *	may sleep, must not call into shootdown
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int mk_frees_init(struct mk_frees *frees, u32 pages,
		  void (*release)(struct mk_frees *frees))
{
	frees->pages = pages;
	frees->release = release;
	if (!zalloc_cpumask_var(&frees->waiting, GFP_KERNEL))
		return -ENOMEM;
	return 0;
}

/**
 * mk_frees_destroy() - undo mk_frees_init()
 * @frees: the entry, not in the quarantine
 *
 * Context: any.
 */
void mk_frees_destroy(struct mk_frees *frees)
{
	free_cpumask_var(frees->waiting);
}

static void mk_lazy_find(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "sched_switch"))
		mk_sched_switch = tp;
}

/*
 * From the first use on CPUs sweep when they switch. The probe stays until the
 * module goes: patching it in and out costs an interrupt to each CPU.
 */
static int mk_lazy_prepare(struct mk_party *party)
{
	if (mk_sched_switch && !mk_sched_switch_probed)
		mk_sched_switch_probed =
			!tracepoint_probe_register(mk_sched_switch,
						   mk_sweep_switch, NULL);
	return 0;
}

/* Take room in the quarantine, or do it as protocol ipi does. */
static int mk_lazy_start(struct mk_shootdown *sd)
{
	struct mk_frees *frees = sd->frees;

	if (!frees)
		return -EINVAL;
	if (atomic_add_return(frees->pages, &mk_q.pages) >
	    READ_ONCE(mk_lazy_pages_max)) {
		atomic_sub(frees->pages, &mk_q.pages);
		mk_stat_inc(quarantine.full);
		mk_shootdown_ipi(sd, sd->need);
		cpumask_clear(sd->need);
		return 0;
	}
	/* Planted: the interrupt has them flush late; nobody is waited for. */
	if (unlikely(sd->broken == MK_BROKEN_EARLY_ACK)) {
		mk_shootdown_ipi(sd, sd->need);
		cpumask_clear(sd->need);
	}
	cpumask_copy(frees->waiting, sd->need);
	cpumask_clear(sd->need);
	sd->frees = NULL;
	sd->quarantine = frees;
	return 0;
}

static void mk_sweep_arm(int cpu)
{
	struct mk_sweeper *sweeper = per_cpu_ptr(&mk_sweepers, cpu);

	if (READ_ONCE(sweeper->armed) || xchg(&sweeper->armed, 1))
		return;
	sweeper->timer.expires = jiffies + 1;
	add_timer_on(&sweeper->timer, cpu);
}

/* This CPU has flushed, so that the others are all there is to wait for. */
static void mk_lazy_finished(struct mk_shootdown *sd)
{
	struct mk_frees *frees = sd->quarantine;
	bool first;
	int cpu;

	if (!frees)
		return;
	/* The collector may release the entry as soon as it is in the list. */
	cpumask_copy(sd->need, frees->waiting);
	frees->deadline = jiffies +
			  msecs_to_jiffies(READ_ONCE(mk_lazy_after_ms));
	spin_lock(&mk_q.lock);
	frees->seq = ++mk_q.seq;
	for_each_cpu(cpu, sd->need) {
		struct mk_sweeper *sweeper = per_cpu_ptr(&mk_sweepers, cpu);

		smp_store_release(&sweeper->want, frees->seq);	/* (I) */
	}
	first = list_empty(&mk_q.entries);
	list_add_tail(&frees->link, &mk_q.entries);
	spin_unlock(&mk_q.lock);

	smp_mb();					/* (J) */
	for_each_cpu(cpu, sd->need)
		mk_sweep_arm(cpu);
	cpumask_clear(sd->need);
	if (first)
		queue_delayed_work(system_unbound_wq, &mk_q.work, 1);
}

/* CPUs that are off line run nobody, and come back with an empty TLB. */
static bool mk_frees_over(struct mk_frees *frees)
{
	int cpu;

	for_each_cpu(cpu, frees->waiting) {
		struct mk_sweeper *sweeper = per_cpu_ptr(&mk_sweepers, cpu);
		u64 done = smp_load_acquire(&sweeper->done);	/* (I) */

		if (done >= frees->seq || !cpu_online(cpu))
			cpumask_clear_cpu(cpu, frees->waiting);
	}
	return cpumask_empty(frees->waiting);
}

/*
 * Release what is over; what is late, or with @force everything, by interrupt.
 * Says whether something is left.
 */
static bool mk_lazy_collect(bool force)
{
	struct mk_frees *frees, *next;
	LIST_HEAD(over);
	LIST_HEAD(late);
	bool left;

	mutex_lock(&mk_q.collecting);
	spin_lock(&mk_q.lock);
	list_for_each_entry_safe(frees, next, &mk_q.entries, link) {
		if (mk_frees_over(frees))
			list_move_tail(&frees->link, &over);
		else if (force || time_after_eq(jiffies, frees->deadline))
			list_move_tail(&frees->link, &late);
	}
	spin_unlock(&mk_q.lock);

	list_for_each_entry(frees, &late, link) {
		preempt_disable();
		smp_call_function_many(frees->waiting, mk_sweep_interrupted,
				       NULL, true);
		/* It leaves out the CPU that it is called on. */
		local_irq_disable();
		mk_sweep();
		local_irq_enable();
		preempt_enable();
		mk_stat_inc(quarantine.late);
	}
	list_splice_tail(&late, &over);
	list_for_each_entry_safe(frees, next, &over, link) {
		atomic_sub(frees->pages, &mk_q.pages);
		mk_stat_inc(quarantine.released);
		frees->release(frees);
	}

	spin_lock(&mk_q.lock);
	left = !list_empty(&mk_q.entries);
	frees = list_first_entry_or_null(&mk_q.entries, struct mk_frees, link);
	WRITE_ONCE(mk_q.clean, frees ? frees->seq - 1 : mk_q.seq);
	spin_unlock(&mk_q.lock);
	mutex_unlock(&mk_q.collecting);
	wake_up_all(&mk_q.settled);
	return left;
}

static void mk_lazy_work(struct work_struct *unused)
{
	if (mk_lazy_collect(false))
		queue_delayed_work(system_unbound_wq, &mk_q.work, 1);
}

/**
 * mk_lazy_settle() - wait for all lazy operations so far
 * @timeout_ms: how long; lazy_after_ms and some ticks are enough
 *
 * Context: process, not a port's thread; sleeps, a signal ends it.
 * Return: 0: what they free has been released; -ETIMEDOUT, -EINTR.
 */
int mk_lazy_settle(u32 timeout_ms)
{
	long left;
	u64 seq;

	spin_lock(&mk_q.lock);
	seq = mk_q.seq;
	spin_unlock(&mk_q.lock);
	left = wait_event_interruptible_timeout(mk_q.settled,
						READ_ONCE(mk_q.clean) >= seq,
						msecs_to_jiffies(timeout_ms));
	if (left > 0)
		return 0;
	return left ? -EINTR : -ETIMEDOUT;
}

/**
 * mk_lazy_drain() - end all lazy operations now, by interrupt
 *
 * Context: process, not a port's thread; sleeps.
 */
void mk_lazy_drain(void)
{
	mk_lazy_collect(true);
}

static u64 mk_lazy_show(void *data)
{
	return READ_ONCE(*(u64 *)data);
}

static int mk_lazy_store(void *data, u64 value)
{
	WRITE_ONCE(*(u64 *)data, value);
	return 0;
}

static u64 mk_lazy_show_pages(void *data)
{
	return atomic_read(&mk_q.pages);
}

static const struct mk_value mk_lazy_after_ops = {
	.show = mk_lazy_show,
	.store = mk_lazy_store,
	.min = 1,
	.max = MK_LAZY_AFTER_MS_MAX,
};

static const struct mk_value mk_lazy_pages_max_ops = {
	.show = mk_lazy_show,
	.store = mk_lazy_store,
	.max = MK_LAZY_PAGES_MAX,
};

static const struct mk_value mk_lazy_pages_ops = {
	.show = mk_lazy_show_pages,
};

/**
 * mk_lazy_files() - make the files of the quarantine
 * @dir: shootdown/
 *
 * Context: process, may sleep.
 */
void mk_lazy_files(struct dentry *dir)
{
	mk_control_value("lazy_after_ms", dir, &mk_lazy_after_ms,
			 &mk_lazy_after_ops);
	mk_control_value("lazy_pages_max", dir, &mk_lazy_pages_max,
			 &mk_lazy_pages_max_ops);
	mk_control_value("lazy_pages", dir, NULL, &mk_lazy_pages_ops);
}

/**
 * mk_lazy_init() - an empty quarantine
 *
 * Context: process.
 */
void mk_lazy_init(void)
{
	int cpu;

	spin_lock_init(&mk_q.lock);
	INIT_LIST_HEAD(&mk_q.entries);
	atomic_set(&mk_q.pages, 0);
	mutex_init(&mk_q.collecting);
	INIT_DELAYED_WORK(&mk_q.work, mk_lazy_work);
	init_waitqueue_head(&mk_q.settled);
	for_each_possible_cpu(cpu)
		timer_setup(&per_cpu_ptr(&mk_sweepers, cpu)->timer,
			    mk_sweep_tick, TIMER_PINNED);
	for_each_kernel_tracepoint(mk_lazy_find, NULL);
}

/**
 * mk_lazy_exit() - release everything; no operation will come
 *
 * Context: process, may sleep.
 */
void mk_lazy_exit(void)
{
	int cpu;

	mk_lazy_drain();
	cancel_delayed_work_sync(&mk_q.work);
	if (mk_sched_switch_probed) {
		tracepoint_probe_unregister(mk_sched_switch, mk_sweep_switch,
					    NULL);
		tracepoint_synchronize_unregister();
	}
	for_each_possible_cpu(cpu)
		del_timer_sync(&per_cpu_ptr(&mk_sweepers, cpu)->timer);
}

const struct mk_protocol_ops mk_lazy_ops = {
	.frees = true,
	.broken = MK_BROKEN_ALL,
	.prepare = mk_lazy_prepare,
	.start = mk_lazy_start,
	.finished = mk_lazy_finished,
};
