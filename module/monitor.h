/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Monitors: the thread of each port, and how long it polls before it blocks.
 */
#ifndef MK_MONITOR_H
#define MK_MONITOR_H

#include <linux/types.h>

struct dentry;

int mk_monitors_init(s64 poll_cycles);
void mk_monitors_files(struct dentry *root);
void mk_monitors_exit(void);
u64 mk_monitors_bytes(void);
u64 mk_monitors_files_bytes(void);

u64 mk_monitor_poll_cycles(void);
int mk_monitor_set_poll_cycles(u64 cycles);
u64 mk_monitor_cpu_poll_cycles(int cpu);
void mk_monitor_cpu_set_poll_cycles(int cpu, u64 cycles);
u64 mk_monitor_block_wake_cycles(void);

#endif /* MK_MONITOR_H */
