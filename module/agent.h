/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agents: user threads that lend themselves to an experiment.
 *
 * What a system call costs, and how far a thread gets in user space, only a user
 * thread can measure. An agent is one that has bound itself to a CPU and waits in
 * ioctl(MK_IOC_AGENT). An experiment that runs in the same process (mkctl run
 * starts an agent per CPU) gives it a job; the thread does it in user space and
 * comes back with the result.
 *
 * An agent is known by its mm and its CPU. What the kernel holds of it belongs
 * to the open file that it called on. A thread that is killed, or does not
 * come back, is a timeout for the experiment and nothing else. Agents that wait
 * when the experiment has gone wait on, until a signal.
 *
 * One experiment runs at a time, so jobs are given by one thread.
 */
#ifndef MK_AGENT_H
#define MK_AGENT_H

#include <linux/types.h>

#include "module/uapi.h"

struct cpumask;
struct file;
struct mk_run;

/**
 * struct mk_agent_order - a job, as an experiment gives it
 * @kind: enum mk_job
 * @pages: see struct mk_agent_job
 * @address: likewise
 * @count: likewise; samples of one job are at most MK_AGENT_SAMPLES_MAX
 * @how: likewise
 * @cycles: likewise
 */
struct mk_agent_order {
	enum mk_job kind;
	u32 pages;
	unsigned long address;
	u32 count;
	u32 how;
	u64 cycles;
};

/**
 * struct mk_agent_result - what came of it
 * @samples: room for the samples, or NULL
 * @room: how many fit
 * @nr: out: how many there are, at most @room
 * @error: out: 0, or a negative errno that the agent met
 * @loops: out: how often it got round
 */
struct mk_agent_result {
	u64 *samples;
	u32 room;
	u32 nr;
	int error;
	u64 loops;
};

/* An experiment, in ->run(); agents of current->mm. */
void mk_agents_waiting(struct cpumask *cpus);
int mk_agents_needed(struct cpumask *cpus, const struct cpumask *among,
		     const char *what);
int mk_agent_give(int cpu, const struct mk_agent_order *order);
int mk_agent_take(int cpu, struct mk_agent_result *result,
		  unsigned int timeout_ms);
int mk_agent_do(const struct mk_run *run, int cpu,
		const struct mk_agent_order *order,
		struct mk_agent_result *result);

/* The device. */
long mk_agent_ioctl(struct file *file, struct mk_agent_job __user *arg);
void mk_agents_release(struct file *file);

#endif /* MK_AGENT_H */
