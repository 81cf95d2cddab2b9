// SPDX-License-Identifier: GPL-2.0
/*
 * The clock: what one reading costs, how fast it runs, and who makes it run.
 *
 * Set up once at load and constant from then on, so that every function here
 * can be called in any context without a lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "compat.h"
#include "clock.h"
#include "control.h"
#include "stats.h"

#define MK_CLOCK_SAMPLES	1001
#define MK_CLOCK_SIGNATURE	12	/* bytes in EBX, ECX, EDX */

static u64 mk_overhead;
static const char *mk_hypervisor = "none";

static const struct {
	char signature[MK_CLOCK_SIGNATURE + 1];
	const char *name;
} mk_hypervisors[] = {
	{ "TCGTCGTCGTCG", "tcg" },
	{ "KVMKVMKVM\0\0\0", "kvm" },
	{ "VMwareVMware", "vmware" },
	{ "Microsoft Hv", "hyperv" },
	{ "XenVMMXenVMM", "xen" },
};

/**
 * mk_clock_overhead - what a measurement adds to what it measures
 *
 * Context: any.
 * Return: median cost of one mk_cycles(), in cycles, measured at load.
 */
u64 mk_clock_overhead(void)
{
	return mk_overhead;
}

/**
 * mk_clock_span - time between two readings, less what reading costs
 * @start: first reading of mk_cycles()
 * @end: second reading, on the same CPU or another
 *
 * Context: any.
 * Return: cycles; 0 when the difference is below the overhead, or negative
 *	because two CPUs' clocks are apart.
 */
u64 mk_clock_span(u64 start, u64 end)
{
	if (end <= start || end - start <= mk_overhead)
		return 0;
	return end - start - mk_overhead;
}

/**
 * mk_clock_us - microseconds in cycles
 * @us: microseconds
 *
 * Context: any.
 * Return: cycles in @us, as much as fits in 64 bits.
 */
u64 mk_clock_us(u64 us)
{
	u32 khz = tsc_khz;

	if (us > div_u64(U64_MAX, khz))
		return U64_MAX;
	return div_u64(us * khz, 1000);
}

/**
 * mk_clock_khz - speed of the clock
 *
 * Context: any.
 * Return: thousands of cycles per second, never 0.
 */
u32 mk_clock_khz(void)
{
	return tsc_khz;
}

/**
 * mk_clock_stable - does the clock tick evenly
 *
 * Context: any.
 * Return: true when the TSC has a constant rate, does not stop, and the kernel
 *	has found no fault with it since boot.
 */
bool mk_clock_stable(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
	       boot_cpu_has(X86_FEATURE_NONSTOP_TSC) && !check_tsc_unstable();
}

/**
 * mk_clock_emulated - is this machine a program
 *
 * Context: any.
 * Return: true under an emulator: its cycles are not those of hardware.
 */
bool mk_clock_emulated(void)
{
	return !strcmp(mk_hypervisor, "tcg");
}

/**
 * mk_clock_hypervisor - who runs this machine
 *
 * Context: any.
 * Return: "none", "kvm", "tcg", "vmware", "hyperv", "xen" or "unknown".
 */
const char *mk_clock_hypervisor(void)
{
	return mk_hypervisor;
}

static const char *mk_clock_detect(void)
{
	char signature[MK_CLOCK_SIGNATURE];
	u32 eax, ebx, ecx, edx;
	unsigned int i;

	/* QEMU can be told to hide all else, but this is its default name. */
	if (strstr(boot_cpu_data.x86_model_id, "QEMU TCG"))
		return "tcg";
	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return "none";
	cpuid(0x40000000, &eax, &ebx, &ecx, &edx);
	memcpy(signature, &ebx, 4);
	memcpy(signature + 4, &ecx, 4);
	memcpy(signature + 8, &edx, 4);
	for (i = 0; i < ARRAY_SIZE(mk_hypervisors); i++)
		if (!memcmp(signature, mk_hypervisors[i].signature,
			    MK_CLOCK_SIGNATURE))
			return mk_hypervisors[i].name;
	return "unknown";
}

/* Interrupts stay on: the median does not see the few that come. */
static int mk_clock_measure(void)
{
	u64 *samples;
	int i;

	samples = kmalloc_array(MK_CLOCK_SAMPLES, sizeof(*samples),
				GFP_KERNEL);
	if (!samples)
		return -ENOMEM;
	preempt_disable();
	for (i = 0; i < MK_CLOCK_SAMPLES; i++) {
		u64 start = mk_cycles();

		samples[i] = mk_cycles() - start;
	}
	preempt_enable();
	mk_overhead = mk_stats_median(samples, MK_CLOCK_SAMPLES);
	kfree(samples);
	return 0;
}

static u64 mk_clock_show_emulated(void *data)
{
	return mk_clock_emulated();
}

static u64 mk_clock_show_overhead(void *data)
{
	return mk_clock_overhead();
}

static u64 mk_clock_show_khz(void *data)
{
	return mk_clock_khz();
}

static u64 mk_clock_show_stable(void *data)
{
	return mk_clock_stable();
}

static const struct mk_value mk_clock_emulated_ops = {
	.show = mk_clock_show_emulated,
};

static const struct mk_value mk_clock_overhead_ops = {
	.show = mk_clock_show_overhead,
};

static const struct mk_value mk_clock_khz_ops = {
	.show = mk_clock_show_khz,
};

static const struct mk_value mk_clock_stable_ops = {
	.show = mk_clock_show_stable,
};

/**
 * mk_clock_init - measure the clock
 *
 * Context: process, may sleep.
 * Return: 0; -ENODEV when there is no TSC to measure with; -ENOMEM.
 */
int mk_clock_init(void)
{
	int err;

	if (!boot_cpu_has(X86_FEATURE_TSC) || !tsc_khz) {
		pr_err("the TSC is missing or its speed unknown\n");
		return -ENODEV;
	}
	err = mk_clock_measure();
	if (err)
		return err;
	mk_hypervisor = mk_clock_detect();
	if (mk_clock_emulated())
		pr_notice("emulated CPU (tcg): cycles are not those of hardware\n");
	else if (!mk_clock_stable())
		pr_notice("the TSC is not stable: times are not to be trusted\n");
	return 0;
}

/**
 * mk_clock_files - make clock/ in the tree
 * @root: root of the tree, which also takes clock/ away again
 *
 * Context: process, may sleep.
 */
void mk_clock_files(struct dentry *root)
{
	struct dentry *dir;

	dir = debugfs_create_dir("clock", root);
	mk_control_text("hypervisor", dir, mk_hypervisor);
	mk_control_value("emulated", dir, NULL, &mk_clock_emulated_ops);
	mk_control_value("overhead", dir, NULL, &mk_clock_overhead_ops);
	mk_control_value("khz", dir, NULL, &mk_clock_khz_ops);
	mk_control_value("stable", dir, NULL, &mk_clock_stable_ops);
}
