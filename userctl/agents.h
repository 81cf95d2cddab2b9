/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agents: threads of ours, one on each CPU, that do in user space what an
 * experiment asks for. They share the address space of whoever writes to run.
 */
#ifndef MKCTL_AGENTS_H
#define MKCTL_AGENTS_H

/*
 * Start them, for an experiment that this process is about to run; how many
 * wait, which is 0 where the module has no device. They end with the process.
 */
int agents_start(void);

/*
 * What a run came to that returned @error, 0 or a negative errno: for want of an agent
 * that could not start, why that was so.
 */
int agents_error(int error);

#endif /* MKCTL_AGENTS_H */
