// SPDX-License-Identifier: GPL-2.0
/*
 * The common path of all protocols.
 *
 * Why it is correct, on Linux 6.1 (arch/x86/mm/tlb.c)
 *
 * Entries have been changed. mk_flush_announce() raises tlb_gen, a full
 * barrier, and only then it is read who has the mm: mm_cpumask(). Each CPU is
 * one of these:
 *
 * Not in mm_cpumask(). If it loads the mm, switch_mm_irqs_off() sets the bit, a
 * full barrier, and then compares tlb_gen. Either we see the bit or it sees the
 * new tlb_gen and flushes.
 *
 * In it and lazy: it has the mm loaded, but runs a kernel thread or idles.
 * Before it uses the mm again, switch_mm_irqs_off() clears is_lazy, a full
 * barrier, and compares tlb_gen. Nothing has to be done now; Linux's own path
 * skips it likewise.
 *
 * In it and not lazy: it has to flush, in an interrupt or in its monitor. The
 * interrupt flushes whatever is loaded; if that is not the mm any more, the mm
 * was left in between, and tlb_gen is compared when it is loaded again. So also
 * for the monitor. If that has adopted the mm (kthread_use_mm()) the CPU is not
 * lazy, and goes to and from user threads of the mm without any comparison: the
 * monitor flushes itself. If it has not, it runs lazily or with another mm, so
 * whatever thread of the mm runs after it will compare: it has nothing to do,
 * and answers.
 *
 * A CPU answers for itself and after its flush. Requests carry numbers only, so
 * that one which comes late does nothing worse than to flush once more. The
 * initiator's CPU is a monitor's like any other.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/mm_types.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/control.h"
#include "module/memory.h"
#include "module/monitor.h"
#include "module/trace.h"
#include "shootdown/flush.h"
#include "shootdown/protocol.h"
#include "shootdown/stat.h"
#include "urpc/port.h"
#include "urpc/route.h"

/* Looks for answers between two looks at the own port and the clock. */
#define MK_SHOOTDOWN_POLLS	16

/* ipi_after_us: what it may be, and what it is at least by default. */
#define MK_IPI_AFTER_MIN	10
#define MK_IPI_AFTER_MAX	10000000
#define MK_IPI_AFTER_DEFAULT	2000

/* A target may have to be woken and to wake others: so many times C. */
#define MK_IPI_AFTER_WAKES	8

/**
 * struct mk_initiator - what one CPU needs for its operations
 * @seq: how many it has begun
 * @need: struct mk_shootdown's
 * @told: those who had to flush at first
 */
struct mk_initiator {
	u64 seq;
	cpumask_var_t need, told;
};

static struct mk_initiator *mk_initiators;
static u64 mk_ipi_after_us;
static u64 mk_ipi_after_cycles;

/* word MK_REQUEST_FAULT: bit 0 for an early answer, above it CPU + 1 to skip */
static u64 mk_request_fault(const struct mk_shootdown *sd)
{
	return (u64)(sd->skip + 1) << 1 | (sd->broken == MK_BROKEN_EARLY_ACK);
}

/**
 * mk_request_fill() - the payload of a request
 * @sd: the operation
 * @word: MK_REQUEST_WORDS words
 *
 * Context: the initiator.
 */
void mk_request_fill(const struct mk_shootdown *sd, u64 *word)
{
	word[MK_REQUEST_ID] = sd->id;
	word[MK_REQUEST_SPACE] = sd->mm || sd->type ? sd->space : 0;
	word[MK_REQUEST_START] = sd->start;
	word[MK_REQUEST_END] = sd->end;
	word[MK_REQUEST_FAULT] = mk_request_fault(sd);
}

/**
 * mk_request_serve() - do what a request asks of this CPU; then answer
 * @port: this CPU's
 * @word: MK_REQUEST_WORDS words
 *
 * Context: the port's thread; does not wait.
 */
void mk_request_serve(struct mk_port *port, const u64 *word)
{
	u64 fault = word[MK_REQUEST_FAULT];

	trace_mk_shootdown_serve(word[MK_REQUEST_ID], port->cpu,
				 word[MK_REQUEST_SPACE] == port->space_id);
	if (!word[MK_REQUEST_SPACE] ||
	    word[MK_REQUEST_SPACE] != port->space_id)
		return;
	if (likely(!fault))
		mk_flush_range(word[MK_REQUEST_START], word[MK_REQUEST_END]);
	else if (mk_request_skips(word, port->cpu))
		return;
	else if (fault & 1)
		mk_flush_late();
	else
		mk_flush_range(word[MK_REQUEST_START], word[MK_REQUEST_END]);
}

/* The interrupt. */
static void mk_shootdown_interrupted(void *arg)
{
	const struct mk_shootdown *sd = arg;

	if (sd->type)
		sd->interrupt(sd);
	if (!sd->mm)
		return;
	if (unlikely(sd->broken == MK_BROKEN_EARLY_ACK))
		mk_flush_late();
	else
		mk_flush_range(sd->start, sd->end);
}

/**
 * mk_shootdown_ipi() - have CPUs flush by interrupt, and wait for it
 * @sd: the operation
 * @mask: which; those that are off line do not matter
 *
 * Context: the initiator.
 */
void mk_shootdown_ipi(struct mk_shootdown *sd, const struct cpumask *mask)
{
	unsigned int n = cpumask_weight(mask);

	if (!n)
		return;
	trace_mk_shootdown_ipi(sd->id, sd->port->cpu, n);
	sd->ipis += n;
	preempt_disable();
	smp_call_function_many(mask, mk_shootdown_interrupted, sd, true);
	preempt_enable();
}

/* Planted: the n-th of those in need is forgotten, another one each time. */
static void mk_shootdown_skip(struct mk_shootdown *sd, u64 seq)
{
	unsigned int n = cpumask_weight(sd->need);
	int cpu;

	if (!n)
		return;
	n = do_div(seq, n);
	for_each_cpu(cpu, sd->need)
		if (!n--)
			break;
	sd->skip = cpu;
	cpumask_clear_cpu(cpu, sd->need);
}

/* Who has to flush, besides this CPU. */
static void mk_shootdown_targets(struct mk_shootdown *sd)
{
	int cpu;

	sd->skip = -1;
	if (!sd->mm) {
		cpumask_and(sd->need, sd->targets, cpu_online_mask);
		cpumask_clear_cpu(sd->port->cpu, sd->need);
		return;
	}
	if (sd->broken == MK_BROKEN_SKIP_GEN)
		smp_mb();	/* instead of (H) */
	else if (!sd->party->ops->zaps)
		mk_flush_announce(sd->mm);
	cpumask_copy(sd->need, mm_cpumask(sd->mm));
	cpumask_clear_cpu(sd->port->cpu, sd->need);
	for_each_cpu(cpu, sd->need) {
		if (!mk_flush_is_lazy(cpu))
			continue;
		cpumask_clear_cpu(cpu, sd->need);
		sd->lazies++;
	}
}

/* All answers, or an interrupt for who has not answered in time. */
static void mk_shootdown_gather(struct mk_shootdown *sd, struct cpumask *told)
{
	const struct mk_protocol_ops *ops = sd->party->ops;
	u64 began = rdtsc();
	unsigned int polls = 0;
	bool stuck;

	while (!ops->done(sd)) {
		if (++polls % MK_SHOOTDOWN_POLLS) {
			cpu_relax();
			continue;
		}
		mk_port_poll(sd->port);
		cond_resched();
		stuck = ops->stuck && ops->stuck(sd);
		if (!stuck &&
		    rdtsc() - began < READ_ONCE(mk_ipi_after_cycles))
			continue;

		cpumask_clear(sd->need);
		ops->missing(sd, sd->need);
		cpumask_and(sd->need, sd->need, told);
		if (stuck)
			sd->strangers += cpumask_weight(sd->need);
		else
			sd->timeouts += cpumask_weight(sd->need);
		mk_shootdown_ipi(sd, sd->need);
		cpumask_clear(sd->need);
		return;
	}
}

static void mk_shootdown_count(const struct mk_shootdown *sd)
{
	enum mk_protocol protocol = sd->party->protocol;

	mk_stat_inc(protocol[protocol].operations);
	mk_stat_add(protocol[protocol].messages, sd->messages);
	mk_stat_add(protocol[protocol].ipis, sd->ipis);
	mk_stat_add(protocol[protocol].lazies, sd->lazies);
	mk_stat_add(protocol[protocol].strangers, sd->strangers);
	mk_stat_add(protocol[protocol].timeouts, sd->timeouts);
}

/**
 * mk_shootdown() - have all CPUs forget translations
 * @sd: the operation; what it finds is 0 at first
 *
 * When it returns 0, no CPU can use entries that were changed before the call;
 * with lazy, none can once @sd->frees has been released. On any error nobody
 * has been told anything.
 *
 * Context: the thread of @sd->port, in a slow work; polls the port, bounded by
 * ipi_after_us and one round of interrupts.
 * Return: 0; what mk_protocol_refuses() returns; -EINVAL if the party is not
 * @sd->port's.
 */
int mk_shootdown(struct mk_shootdown *sd)
{
	struct mk_initiator *me = &mk_initiators[sd->port->cpu];
	const struct mk_protocol_ops *ops = sd->party->ops;
	u64 ipis = sd->port->count.ipis;
	int err;

	if (sd->party->cpu != sd->port->cpu)
		return -EINVAL;
	err = mk_protocol_refuses(sd->party->protocol, sd->protect, sd->broken);
	if (err)
		return err;

	/* Unique without anything that two CPUs write. */
	sd->id = ++me->seq * nr_cpu_ids + sd->port->cpu;
	sd->need = me->need;
	sd->started = mk_cycles();
	mk_shootdown_targets(sd);
	trace_mk_shootdown_start(sd->id, sd->party->protocol, sd->port->cpu,
				 sd->space, sd->start, sd->end,
				 cpumask_weight(sd->need), sd->lazies);
	if (unlikely(sd->broken == MK_BROKEN_SKIP_TARGET))
		mk_shootdown_skip(sd, me->seq);
	cpumask_copy(me->told, sd->need);

	err = ops->start(sd);
	if (err)
		return err;
	trace_mk_shootdown_sent(sd->id, sd->port->cpu, sd->messages);
	if (!cpumask_empty(sd->need)) {
		sd->strangers = cpumask_weight(sd->need);
		mk_shootdown_ipi(sd, sd->need);
	}
	if (!ops->zaps && sd->mm && sd->space &&
	    sd->space == sd->port->space_id)
		mk_flush_range(sd->start, sd->end);
	sd->sent = mk_cycles();
	if (ops->done)
		mk_shootdown_gather(sd, me->told);
	sd->gathered = mk_cycles();
	trace_mk_shootdown_gathered(sd->id, sd->port->cpu, sd->timeouts);
	/* Those that woke others, beside those counted where they were sent. */
	sd->ipis += sd->port->count.ipis - ipis;
	if (ops->finished)
		ops->finished(sd);
	trace_mk_shootdown_end(sd->id, sd->port->cpu, sd->ipis, sd->timeouts);
	mk_shootdown_count(sd);
	return 0;
}

static u64 mk_ipi_after_show(void *data)
{
	return READ_ONCE(mk_ipi_after_us);
}

static int mk_ipi_after_store(void *data, u64 us)
{
	WRITE_ONCE(mk_ipi_after_us, us);
	WRITE_ONCE(mk_ipi_after_cycles, mk_clock_us(us));
	return 0;
}

static const struct mk_value mk_ipi_after_ops = {
	.show = mk_ipi_after_show,
	.store = mk_ipi_after_store,
	.min = MK_IPI_AFTER_MIN,
	.max = MK_IPI_AFTER_MAX,
};

static void mk_ipi_after_default(void)
{
	u64 us = div_u64(mk_monitor_block_wake_cycles() * 1000,
			 mk_clock_khz()) * MK_IPI_AFTER_WAKES;

	mk_ipi_after_store(NULL, clamp_t(u64, us, MK_IPI_AFTER_DEFAULT,
					 MK_IPI_AFTER_MAX));
}

static void mk_initiators_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_cpumask_var(mk_initiators[cpu].need);
		free_cpumask_var(mk_initiators[cpu].told);
	}
	kfree(mk_initiators);
	mk_initiators = NULL;
}

static int mk_initiators_make(void)
{
	int cpu;

	mk_initiators = kcalloc(nr_cpu_ids, sizeof(*mk_initiators),
				GFP_KERNEL);
	if (!mk_initiators)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct mk_initiator *me = &mk_initiators[cpu];
		int node = cpu_to_node(cpu);

		if (!zalloc_cpumask_var_node(&me->need, GFP_KERNEL, node) ||
		    !zalloc_cpumask_var_node(&me->told, GFP_KERNEL, node)) {
			mk_initiators_free();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * mk_shootdown_init() - get ready for operations
 *
 * Context: process, when the monitors run.
 * Return: 0 or -ENOMEM.
 */
int mk_shootdown_init(void)
{
	int err;

	err = mk_initiators_make();
	if (err)
		return err;
	err = mk_adaptive_init();
	if (err) {
		mk_initiators_free();
		return err;
	}
	mk_lazy_init();
	if (mk_flush_init())
		mk_protocols_limit();
	mk_ipi_after_default();
	mk_route_leaf_set(MK_TYPE_SHOOTDOWN, mk_request_serve);
	return 0;
}

/**
 * mk_shootdown_files() - make shootdown/ in the tree
 * @root: root of the tree
 *
 * Context: process, may sleep.
 */
void mk_shootdown_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("shootdown", root);

	mk_control_value("ipi_after_us", dir, NULL, &mk_ipi_after_ops);
	mk_adaptive_files(dir);
	mk_lazy_files(dir);
	mk_stat_files(dir);
}

/**
 * mk_shootdown_exit() - no operation is under way, and no party is in use
 *
 * Context: process, while the monitors still run; sleeps.
 */
void mk_shootdown_exit(void)
{
	mk_parties_exit();
	mk_lazy_exit();
	mk_adaptive_exit();
	mk_flush_exit();
	mk_initiators_free();
}

/* One mask, where it is not part of what it belongs to. */
static u64 mk_mask_size(unsigned int cpus)
{
	return IS_ENABLED(CONFIG_CPUMASK_OFFSTACK) ?
	       mk_alloc_size(BITS_TO_LONGS(cpus) * sizeof(long)) : 0;
}

/**
 * mk_shootdown_bytes() - memory before there are regions and parties
 *
 * Context: any.
 */
u64 mk_shootdown_bytes(void)
{
	return ksize(mk_initiators) + mk_adaptive_bytes() +
	       2 * num_possible_cpus() * mk_mask_size(nr_cpu_ids);
}

/**
 * mk_shootdown_size() - that of a machine
 * @cpus: its CPUs
 *
 * Context: any.
 */
u64 mk_shootdown_size(unsigned int cpus)
{
	return mk_alloc_size(cpus * sizeof(*mk_initiators)) +
	       mk_adaptive_size(cpus) + 2 * cpus * mk_mask_size(cpus);
}
