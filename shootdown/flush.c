// SPDX-License-Identifier: GPL-2.0
/*
 * Flushing.
 *
 * All of it works on the address space that the CPU has loaded now, by its
 * current tag (PCID). That it is the right one is not checked: if it is another
 * one, the flush is for nothing, and the CPU will look at the tlb_gen of the
 * right one when it loads that.
 *
 * Linux's own record of what this CPU has flushed (cpu_tlbstate.ctxs[].tlb_gen)
 * is out of reach and stays behind, which is legal: the next flush by Linux's
 * own path is then a full one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irqflags.h>
#include <linux/mm_types.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/timer.h>
#include <asm/cpufeature.h>
#include <asm/special_insns.h>

#include "module/compat.h"
#include "shootdown/flush.h"
#include "shootdown/stat.h"

static DEFINE_PER_CPU(struct timer_list, mk_flush_timer);

/**
 * mk_flush_all() - flush this CPU's translations of the loaded address space
 *
 * Global ones, which are the kernel's, stay.
 *
 * Context: any.
 */
void mk_flush_all(void)
{
	unsigned long flags;

	/* No other CR3 must come between the two, nor another CPU. */
	local_irq_save(flags);
	native_write_cr3(__native_read_cr3());
	mk_stat_inc(flush.all);
	local_irq_restore(flags);
}

/**
 * mk_flush_range() - flush this CPU's translations of a range
 * @start: first byte
 * @end: first byte after it
 *
 * Where it is preempted it need not go on at once: a thread of the same mm that
 * runs in between uses what is not flushed yet, and the operation is not over
 * yet; if another mm was loaded in between, tlb_gen has had all flushed.
 *
 * Context: any, on one CPU all the time.
 */
void mk_flush_range(unsigned long start, unsigned long end)
{
	unsigned long at;

	if ((end - start) >> PAGE_SHIFT > MK_FLUSH_CEILING) {
		mk_flush_all();
		return;
	}
	for (at = start; at < end; at += PAGE_SIZE)
		asm volatile("invlpg (%0)" : : "r" (at) : "memory");
	mk_stat_add(flush.pages, (end - start) >> PAGE_SHIFT);
}

static void mk_flush_timed(struct timer_list *unused)
{
	mk_flush_all();
}

/**
 * mk_flush_late() - flush all, but not now: the planted fault
 *
 * Context: any.
 */
void mk_flush_late(void)
{
	unsigned long flags;

	local_irq_save(flags);
	mod_timer(this_cpu_ptr(&mk_flush_timer),
		  jiffies + msecs_to_jiffies(MK_FLUSH_LATE_MS));
	mk_stat_inc(flush.late);
	local_irq_restore(flags);
}

/**
 * mk_flush_announce() - tell Linux that translations of an mm are out of date
 * @mm: the mm, whose entries have been changed
 *
 * Any CPU that loads @mm from now on, or takes it up again after having been
 * lazy, finds its own tlb_gen behind and flushes all (switch_mm_irqs_off()).
 * A full barrier: the changed entries are visible before the tlb_gen, and
 * mm_cpumask() and is_lazy are read after it. Linux has inc_mm_tlb_gen() for
 * it, but not for modules.
 *
 * Context: any.
 */
void mk_flush_announce(struct mm_struct *mm)
{
	atomic64_inc_return(&mm->context.tlb_gen);	/* (H) */
}

/**
 * mk_flush_is_lazy() - does a CPU have its mm loaded without using it
 * @cpu: the CPU
 *
 * If so when it is read after mk_flush_announce(), then the CPU looks at the
 * tlb_gen before it uses the mm: it clears is_lazy, executes a full barrier, and
 * reads tlb_gen.
 *
 * Context: any.
 */
bool mk_flush_is_lazy(int cpu)
{
	return READ_ONCE(per_cpu(cpu_tlbstate_shared, cpu).is_lazy);
}

/**
 * mk_flush_init() - can it be done here
 *
 * Context: process.
 * Return: 0; -EOPNOTSUPP, and a line in the log, where flushing takes more than
 * INVLPG and CR3: with page table isolation the user's half has a tag of its own,
 * under Xen PV the page tables are the hypervisor's.
 */
int mk_flush_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		timer_setup(per_cpu_ptr(&mk_flush_timer, cpu), mk_flush_timed,
			    TIMER_PINNED);
	if (boot_cpu_has(X86_FEATURE_PTI)) {
		pr_notice("shootdown: page table isolation is on (pti=off turns it off): Linux's own path only\n");
		return -EOPNOTSUPP;
	}
	if (boot_cpu_has(X86_FEATURE_XENPV)) {
		pr_notice("shootdown: Xen PV: Linux's own path only\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * mk_flush_exit() - after the last operation
 *
 * Context: process, may sleep.
 */
void mk_flush_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		del_timer_sync(per_cpu_ptr(&mk_flush_timer, cpu));
}
