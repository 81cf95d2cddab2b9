/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of every measurement: ordered TSC reads, their own cost, and
 * whether what they count is hardware.
 */
#ifndef MK_CLOCK_H
#define MK_CLOCK_H

#include <linux/types.h>
#include <asm/msr.h>

struct dentry;

/**
 * mk_cycles - read the clock
 *
 * Earlier loads are done, later instructions have not begun. Stores may still
 * be on their way to other CPUs.
 *
 * Context: any.
 * Return: cycles of the TSC.
 */
static inline u64 mk_cycles(void)
{
	return rdtsc_ordered();
}

u64 mk_clock_overhead(void);
u64 mk_clock_span(u64 start, u64 end);
u64 mk_clock_us(u64 us);
u32 mk_clock_khz(void);
bool mk_clock_stable(void);
bool mk_clock_emulated(void);
const char *mk_clock_hypervisor(void);

int mk_clock_init(void);
void mk_clock_files(struct dentry *root);

#endif /* MK_CLOCK_H */
