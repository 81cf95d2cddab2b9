// SPDX-License-Identifier: GPL-2.0
/*
 * See bench_targets.h.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "module/agent.h"
#include "module/clock.h"
#include "module/monitor.h"
#include "shootdown/bench_targets.h"
#include "shootdown/space.h"
#include "urpc/bench.h"

/* From saying so until the CPU really idles. */
#define MK_TARGETS_ASLEEP_US	50

/* So long a busy target computes in one go, and an operation has to fit in. */
#define MK_TARGETS_SPIN_US	50000
#define MK_TARGETS_OP_US	20000

/* How long an agent may take beyond that. */
#define MK_TARGETS_AGENT_MS	2000

/* A target that does not get into its state by then never will. */
#define MK_TARGETS_PATIENCE	HZ

/**
 * mk_targets_init() - no targets yet
 * @targets: written; freed with mk_targets_free() in any case
 * @run: the run
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int mk_targets_init(struct mk_targets *targets, struct mk_run *run)
{
	*targets = (struct mk_targets){ .run = run };
	if (!zalloc_cpumask_var(&targets->cpus, GFP_KERNEL) ||
	    !zalloc_cpumask_var(&targets->busy, GFP_KERNEL) ||
	    !zalloc_cpumask_var(&targets->blocked, GFP_KERNEL))
		return -ENOMEM;
	targets->saved = kvcalloc(nr_cpu_ids, sizeof(u64), GFP_KERNEL);
	return targets->saved ? 0 : -ENOMEM;
}

/**
 * mk_targets_free() - free what mk_targets_init() allocated
 * @targets: the targets
 *
 * Context: process.
 */
void mk_targets_free(struct mk_targets *targets)
{
	kvfree(targets->saved);
	free_cpumask_var(targets->blocked);
	free_cpumask_var(targets->busy);
	free_cpumask_var(targets->cpus);
}

static void mk_targets_divide(struct mk_targets *targets,
			      enum mk_target_state state)
{
	unsigned int i = 0;
	int cpu;

	cpumask_clear(targets->busy);
	cpumask_clear(targets->blocked);
	for_each_cpu(cpu, targets->cpus) {
		enum mk_target_state own = state;

		if (state == MK_TARGETS_MIX)
			own = i++ % MK_TARGETS_MIX;
		if (own == MK_TARGETS_BUSY)
			cpumask_set_cpu(cpu, targets->busy);
		else if (own == MK_TARGETS_BLOCKED)
			cpumask_set_cpu(cpu, targets->blocked);
	}
}

/**
 * mk_targets_begin() - put the targets into a state
 * @targets: with cpus, space, address and pages
 * @state: which; with MK_TARGETS_BUSY and MK_TARGETS_MIX each needs an agent
 *
 * Context: process.
 */
void mk_targets_begin(struct mk_targets *targets, enum mk_target_state state)
{
	int cpu;

	mk_targets_divide(targets, state);
	for_each_cpu(cpu, targets->cpus) {
		bool polls = !cpumask_test_cpu(cpu, targets->busy) &&
			     !cpumask_test_cpu(cpu, targets->blocked);

		targets->saved[cpu] = mk_monitor_cpu_poll_cycles(cpu);
		mk_monitor_cpu_set_poll_cycles(cpu, polls ?
					       mk_clock_us(USEC_PER_SEC) : 0);
	}
	targets->spinning = 0;
}

/* Have the agents come back from what they compute. */
static int mk_targets_still(struct mk_targets *targets)
{
	struct mk_agent_result result = { };
	int cpu, err = 0, ret;

	if (!targets->spinning)
		return 0;
	for_each_cpu(cpu, targets->busy) {
		ret = mk_agent_take(cpu, &result, MK_TARGETS_AGENT_MS);
		err = err ?: ret;
	}
	targets->spinning = 0;
	return err;
}

/* Have the agents compute, for long enough. */
static int mk_targets_spin(struct mk_targets *targets)
{
	const struct mk_agent_order order = {
		.kind = MK_JOB_SPIN,
		.pages = targets->pages,
		.address = targets->address,
		.cycles = mk_clock_us(MK_TARGETS_SPIN_US),
	};
	int cpu, err;

	if (targets->spinning &&
	    mk_cycles() - targets->spinning <
	    mk_clock_us(MK_TARGETS_SPIN_US - MK_TARGETS_OP_US))
		return 0;
	err = mk_targets_still(targets);
	if (err)
		return err;
	for_each_cpu(cpu, targets->busy) {
		err = mk_agent_give(cpu, &order);
		if (err)
			return err;
	}
	/* they are on their way to user space */
	usleep_range(MK_TARGETS_ASLEEP_US, 2 * MK_TARGETS_ASLEEP_US);
	targets->spinning = mk_cycles();
	return 0;
}

/* In the monitor of a target, through the mm that it has adopted. */
static int mk_targets_read(struct mk_port *port, void *arg)
{
	const struct mk_targets *targets = arg;
	u64 value;
	u32 i;
	int err = 0;

	for (i = 0; i < targets->pages && !err; i++)
		err = mk_space_read(port, targets->space,
				    targets->address + i * PAGE_SIZE, &value);
	return err;
}

/**
 * mk_targets_fault() - have the pages back in the mm; a monitor cannot
 * @targets: with address and pages
 *
 * Context: process, in the mm of the space.
 * Return: 0; -ENOMEM: the pages exist, so all that can fail is a page table.
 */
int mk_targets_fault(const struct mk_targets *targets)
{
	u32 i;
	u8 byte;

	for (i = 0; i < targets->pages; i++)
		if (copy_from_user(&byte, (void __user *)(targets->address +
							  i * PAGE_SIZE),
				   sizeof(byte)))
			return -ENOMEM;
	return 0;
}

static bool mk_targets_blocked(const struct mk_targets *targets)
{
	int cpu;

	for_each_cpu(cpu, targets->blocked)
		if (!READ_ONCE(mk_port(cpu)->blocked))
			return false;
	return true;
}

/*
 * Until those that are to sleep have done so for a while. The caller sleeps too:
 * the CPU that it polled on would not be idle.
 */
static int mk_targets_asleep(struct mk_targets *targets)
{
	unsigned long deadline = jiffies + MK_TARGETS_PATIENCE;
	bool asleep;
	int err;

	do {
		asleep = mk_targets_blocked(targets);
		usleep_range(MK_TARGETS_ASLEEP_US, 2 * MK_TARGETS_ASLEEP_US);
		if (asleep && mk_targets_blocked(targets))
			return 0;
		err = mk_run_stopped(targets->run);
		if (!err && time_after(jiffies, deadline))
			err = -ETIMEDOUT;
	} while (!err);
	return err;
}

/**
 * mk_targets_touch() - have every target use the pages, and be in its state
 * @targets: after mk_targets_begin()
 *
 * Context: process, in the mm of the space.
 * Return: 0, -ENOMEM, -ETIMEDOUT, the error of an agent or monitor, or why to
 *	stop.
 */
int mk_targets_touch(struct mk_targets *targets)
{
	int cpu, err;

	err = mk_targets_fault(targets);
	if (!err && !cpumask_empty(targets->busy))
		err = mk_targets_spin(targets);
	for_each_cpu(cpu, targets->cpus) {
		if (err)
			return err;
		if (!cpumask_test_cpu(cpu, targets->busy))
			err = mk_port_run(cpu, mk_targets_read, targets);
	}
	if (!err && !cpumask_empty(targets->blocked))
		err = mk_targets_asleep(targets);
	return err;
}

/**
 * mk_targets_end() - let the targets be as they were
 * @targets: after mk_targets_begin()
 *
 * Context: process.
 */
void mk_targets_end(struct mk_targets *targets)
{
	int cpu;

	mk_targets_still(targets);
	for_each_cpu(cpu, targets->cpus)
		mk_monitor_cpu_set_poll_cycles(cpu, targets->saved[cpu]);
}
