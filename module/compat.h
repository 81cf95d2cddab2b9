/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernel versions is here and nowhere else: the
 * other files are written for Linux 6.1, and where a later kernel wants
 * something else, this file makes that out of what 6.1 calls it.
 */
#ifndef MK_COMPAT_H
#define MK_COMPAT_H

#include <linux/types.h>
#include <linux/version.h>

/* True from Linux @major.@minor on; for #if. */
#define MK_LINUX(major, minor) \
	(LINUX_VERSION_MAJOR * 1000 + LINUX_VERSION_PATCHLEVEL >= \
	 (major) * 1000 + (minor))

#if !MK_LINUX(6, 1)
#error "multikernel needs Linux 6.1 or later"
#endif

#ifndef CONFIG_X86_64
#error "multikernel needs x86-64"
#endif

#ifndef CONFIG_SMP
#error "multikernel needs CONFIG_SMP"
#endif

/*
 * Linux shares these with modules, but its <asm/tlbflush.h> does not declare
 * them for modules.
 */
#include <linux/percpu.h>

struct tlb_state_shared {
	bool is_lazy;
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct tlb_state_shared, cpu_tlbstate_shared);

/* What a CPU runs, as another one sees it. */
#include <asm/current.h>

#if MK_LINUX(6, 2)
#define mk_current_of(cpu)	READ_ONCE(per_cpu(pcpu_hot.current_task, cpu))
#else
#define mk_current_of(cpu)	READ_ONCE(per_cpu(current_task, cpu))
#endif

#if MK_LINUX(6, 3)
#define mk_vm_flags_set(vma, flags)	vm_flags_set(vma, flags)
#else
#define mk_vm_flags_set(vma, flags)	((vma)->vm_flags |= (flags))
#endif

#if MK_LINUX(6, 6)
#define mk_pte_mkwrite(pte)		pte_mkwrite_novma(pte)
#else
#define mk_pte_mkwrite(pte)		pte_mkwrite(pte)
#endif

/*
 * Where a fault holds no more than the lock of its VMA, it can be had again with
 * mmap_lock.
 */
#if MK_LINUX(6, 6)
#define mk_fault_by_vma(vmf)		((vmf)->flags & FAULT_FLAG_VMA_LOCK)
#define mk_fault_unlock(vmf)		release_fault_lock(vmf)
#else
#define mk_fault_by_vma(vmf)		false
#define mk_fault_unlock(vmf)		mmap_read_unlock((vmf)->vma->vm_mm)
#endif

#if MK_LINUX(6, 8)
#define mk_eventfd_signal(ctx)		eventfd_signal(ctx)
#else
#define mk_eventfd_signal(ctx)		eventfd_signal(ctx, 1)
#endif

/* An argument of a function that is traced. */
#include <linux/ftrace.h>

#if MK_LINUX(6, 2)
#define mk_traced_argument(regs, n)	ftrace_regs_get_argument(regs, n)
#else
#define mk_traced_argument(fregs, n) \
	regs_get_kernel_argument(&(fregs)->regs, n)
#endif

#endif /* MK_COMPAT_H */
