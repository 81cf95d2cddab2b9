// SPDX-License-Identifier: GPL-2.0
/*
 * Monitors: one kthread per online CPU, which runs that CPU's port.
 *
 * A monitor polls for P cycles after the last thing that happened, and then
 * blocks. With P = C, the cost of blocking and being woken, waiting never costs
 * more than twice what the best choice in hindsight would have (Baumann et al.,
 * SOSP 2009, section 5.2); that is the default.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/debugfs.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "module/control.h"
#include "module/door.h"
#include "module/monitor.h"
#include "module/stats.h"
#include "shootdown/agree.h"
#include "shootdown/space.h"
#include "urpc/link.h"
#include "urpc/port.h"

/* The default P never exceeds this, however slowly the host wakes up. */
#define MK_POLL_DEFAULT_MAX_US	100

/* Nor does any P: politeness to whoever shares the CPU. */
#define MK_POLL_MAX_US		10000000

/* Rounds of the measurement of C. */
#define MK_BLOCK_WAKE_ROUNDS	15

/**
 * struct mk_monitor - the thread of one port
 * @port: the port
 * @task: the thread, NULL while the CPU is off line
 * @started: the thread has begun, so that kthread_stop() lets it finish
 * @poll_cycles: P
 */
struct mk_monitor {
	struct mk_port *port;
	struct task_struct *task;
	struct completion started;
	u64 poll_cycles;
};

static struct mk_monitor *mk_monitors;
static enum cpuhp_state mk_cpuhp_state;
static u64 mk_poll_cycles;
static u64 mk_block_wake_cycles;
static u64 mk_cpu_files_bytes;

/* Whether to poll on is no measurement: an unordered read will do. */
static int mk_monitor_main(void *data)
{
	struct mk_monitor *monitor = data;
	struct mk_port *port = monitor->port;
	u64 now, idle;

	complete(&monitor->started);
	port->quiet_since = rdtsc();
	while (!kthread_should_stop()) {
		bool quiet = !mk_port_poll(port);

		now = rdtsc();
		idle = now - port->quiet_since;
		if (!quiet) {
			mk_count_add(port, idle_cycles, idle);
			port->quiet_since = now;
		} else if (idle >= READ_ONCE(monitor->poll_cycles)) {
			mk_count_add(port, idle_cycles, idle);
			mk_port_block(port);
			port->quiet_since = rdtsc();
		} else {
			cpu_relax();
		}
		cond_resched();
	}
	mk_doors_stop(port);
	mk_port_close(port);
	mk_agree_closed(port);
	mk_space_stop(port);
	return 0;
}

static int mk_monitor_online(unsigned int cpu)
{
	struct mk_monitor *monitor = &mk_monitors[cpu];
	struct task_struct *task;

	task = kthread_create_on_node(mk_monitor_main, monitor,
				      cpu_to_node(cpu), "mk_monitor/%u", cpu);
	if (IS_ERR(task)) {
		pr_err("CPU %u gets no monitor: error %ld\n", cpu,
		       PTR_ERR(task));
		return PTR_ERR(task);
	}
	kthread_bind(task, cpu);
	WRITE_ONCE(monitor->task, task);
	init_completion(&monitor->started);
	mk_port_open(monitor->port, task);
	wake_up_process(task);
	wait_for_completion(&monitor->started);
	mk_agree_online(cpu);
	return 0;
}

static int mk_monitor_offline(unsigned int cpu)
{
	struct mk_monitor *monitor = &mk_monitors[cpu];
	int err = mk_agree_offline(cpu);

	if (err)
		return err;
	kthread_stop(monitor->task);
	WRITE_ONCE(monitor->task, NULL);
	return 0;
}

static int mk_nothing(struct mk_port *port, void *arg)
{
	return 0;
}

/*
 * C: half of what it takes a thread to wake a blocked monitor and to be woken
 * by it. The monitors poll for 0 cycles meanwhile.
 */
static void mk_monitor_measure(void)
{
	u64 span[MK_BLOCK_WAKE_ROUNDS];
	unsigned int i;
	u64 start;
	int cpu;

	cpu = cpumask_last(cpu_online_mask);
	for (i = 0; i < MK_BLOCK_WAKE_ROUNDS; i++) {
		/* Let the monitor get to sleep. */
		schedule_timeout_idle(1);
		start = mk_cycles();
		if (mk_port_run(cpu, mk_nothing, NULL))
			return;
		span[i] = mk_clock_span(start, mk_cycles());
	}
	mk_block_wake_cycles = mk_stats_median(span, MK_BLOCK_WAKE_ROUNDS) / 2;
}

/**
 * mk_monitor_poll_cycles() - P, as last set for all monitors
 *
 * Context: any.
 */
u64 mk_monitor_poll_cycles(void)
{
	return READ_ONCE(mk_poll_cycles);
}

/**
 * mk_monitor_cpu_poll_cycles() - P of one monitor
 * @cpu: its CPU, a possible one
 *
 * Context: any.
 */
u64 mk_monitor_cpu_poll_cycles(int cpu)
{
	return READ_ONCE(mk_monitors[cpu].poll_cycles);
}

/**
 * mk_monitor_cpu_set_poll_cycles() - set P of one monitor
 * @cpu: its CPU, a possible one
 * @cycles: to poll after the last event, before blocking
 *
 * Context: any; experiments put the old value back.
 */
void mk_monitor_cpu_set_poll_cycles(int cpu, u64 cycles)
{
	WRITE_ONCE(mk_monitors[cpu].poll_cycles, cycles);
}

/**
 * mk_monitor_block_wake_cycles() - C, as measured at load
 *
 * Context: any.
 * Return: cycles; 0 if it could not be measured.
 */
u64 mk_monitor_block_wake_cycles(void)
{
	return mk_block_wake_cycles;
}

/**
 * mk_monitor_set_poll_cycles() - set P for all monitors
 * @cycles: to poll after the last event, before blocking
 *
 * Context: process; experiments put the old value back.
 * Return: 0, or -ERANGE and nothing is changed.
 */
int mk_monitor_set_poll_cycles(u64 cycles)
{
	int cpu;

	if (cycles > mk_clock_us(MK_POLL_MAX_US))
		return -ERANGE;
	WRITE_ONCE(mk_poll_cycles, cycles);
	for_each_possible_cpu(cpu)
		WRITE_ONCE(mk_monitors[cpu].poll_cycles, cycles);
	return 0;
}

static u64 mk_show_poll_all(void *data)
{
	return mk_monitor_poll_cycles();
}

static int mk_store_poll_all(void *data, u64 value)
{
	return mk_monitor_set_poll_cycles(value);
}

static u64 mk_show_poll(void *data)
{
	struct mk_monitor *monitor = data;

	return READ_ONCE(monitor->poll_cycles);
}

static int mk_store_poll(void *data, u64 value)
{
	struct mk_monitor *monitor = data;

	WRITE_ONCE(monitor->poll_cycles, value);
	return 0;
}

static u64 mk_show_block_wake(void *data)
{
	return mk_block_wake_cycles;
}

static u64 mk_show_online(void *data)
{
	struct mk_monitor *monitor = data;

	return !!READ_ONCE(monitor->task);
}

static u64 mk_show_blocked(void *data)
{
	struct mk_monitor *monitor = data;

	return READ_ONCE(monitor->port->blocked);
}

static u64 mk_show_channels(void *data)
{
	struct mk_monitor *monitor = data;

	return READ_ONCE(monitor->port->nr_endpoints);
}

static struct mk_value mk_value_poll_all = {
	.show = mk_show_poll_all,
	.store = mk_store_poll_all,
};

static struct mk_value mk_value_poll = {
	.show = mk_show_poll,
	.store = mk_store_poll,
};

static const struct mk_value mk_value_block_wake = {
	.show = mk_show_block_wake,
};

static const struct mk_value mk_value_online = { .show = mk_show_online };
static const struct mk_value mk_value_blocked = { .show = mk_show_blocked };
static const struct mk_value mk_value_channels = { .show = mk_show_channels };

/* A counter of one port, or of all if there is none. */
#define MK_COUNTER_VALUE(name)						\
static u64 mk_show_##name(void *data)					\
{									\
	struct mk_port *port = data;					\
	struct mk_counters total;					\
									\
	if (port)							\
		return READ_ONCE(port->count.name);			\
	mk_ports_total(&total);						\
	return total.name;						\
}									\
									\
static const struct mk_value mk_value_##name = { .show = mk_show_##name };
MK_COUNTERS(MK_COUNTER_VALUE)

static void mk_monitor_counters(struct dentry *dir, struct mk_port *port)
{
#define MK_COUNTER_FILE(name)						\
	mk_control_value(#name, dir, port, &mk_value_##name);
	MK_COUNTERS(MK_COUNTER_FILE)
#undef MK_COUNTER_FILE
}

/**
 * mk_monitors_bytes() - memory of all monitors: ports, links, threads
 *
 * Context: any.
 * Return: bytes as handed out by the allocators, for every possible CPU; a
 * CPU that is off line is counted with the thread it will have.
 */
u64 mk_monitors_bytes(void)
{
	u64 bytes = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		bytes += ksize(mk_port(cpu)) + mk_links_bytes(mk_port(cpu)) +
			 THREAD_SIZE + sizeof(struct task_struct);
	return bytes;
}

/**
 * mk_monitors_files_bytes() - memory of the files that each CPU has of its own
 *
 * Context: any, after mk_monitors_files().
 * Return: bytes, for all present CPUs, as mk_control_bytes() counts them.
 */
u64 mk_monitors_files_bytes(void)
{
	return mk_cpu_files_bytes;
}

/**
 * mk_monitors_files() - make monitors/ and counters/ in the tree
 * @root: root of the tree, which also takes them away again
 *
 * Context: process.
 */
void mk_monitors_files(struct dentry *root)
{
	struct dentry *monitors = debugfs_create_dir("monitors", root);
	struct dentry *counters = debugfs_create_dir("counters", root);
	struct dentry *dir;
	char name[16];
	int cpu;

	mk_value_poll_all.max = mk_clock_us(MK_POLL_MAX_US);
	mk_value_poll.max = mk_clock_us(MK_POLL_MAX_US);
	mk_control_value("poll_cycles", monitors, NULL, &mk_value_poll_all);
	mk_control_value("block_wake_cycles", monitors, NULL,
			 &mk_value_block_wake);
	mk_monitor_counters(debugfs_create_dir("total", counters), NULL);

	mk_cpu_files_bytes = mk_control_bytes();
	for_each_present_cpu(cpu) {
		struct mk_monitor *monitor = &mk_monitors[cpu];

		snprintf(name, sizeof(name), "cpu%d", cpu);
		dir = debugfs_create_dir(name, monitors);
		mk_control_value("poll_cycles", dir, monitor, &mk_value_poll);
		mk_control_value("online", dir, monitor, &mk_value_online);
		mk_control_value("blocked", dir, monitor, &mk_value_blocked);
		mk_control_value("channels", dir, monitor, &mk_value_channels);
		mk_monitor_counters(debugfs_create_dir(name, counters),
				    monitor->port);
	}
	mk_cpu_files_bytes = mk_control_bytes() - mk_cpu_files_bytes;
}

/**
 * mk_monitors_init() - start a monitor on every CPU, now and as they come
 * @poll_cycles: P, or negative for the default
 *
 * Context: process, after mk_ports_init() and mk_links_start().
 * Return: 0 or a negative errno; no monitor is left then.
 */
int mk_monitors_init(s64 poll_cycles)
{
	int cpu, ret;

	mk_monitors = kcalloc(nr_cpu_ids, sizeof(*mk_monitors), GFP_KERNEL);
	if (!mk_monitors)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		mk_monitors[cpu].port = mk_port(cpu);

	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "multikernel:online",
				mk_monitor_online, mk_monitor_offline);
	if (ret < 0)
		goto err_free;
	mk_cpuhp_state = ret;

	mk_monitor_measure();
	if (poll_cycles < 0)
		poll_cycles = min(mk_block_wake_cycles,
				  mk_clock_us(MK_POLL_DEFAULT_MAX_US));
	ret = mk_monitor_set_poll_cycles(poll_cycles);
	if (ret) {
		pr_err("poll_cycles: %lld is out of range, at most %llu is expected\n",
		       poll_cycles, mk_clock_us(MK_POLL_MAX_US));
		goto err_remove;
	}
	return 0;

err_remove:
	cpuhp_remove_state(mk_cpuhp_state);
err_free:
	kfree(mk_monitors);
	return ret;
}

/**
 * mk_monitors_exit() - stop all monitors; their ports close in order
 *
 * Context: process, after the files are gone.
 */
void mk_monitors_exit(void)
{
	cpuhp_remove_state(mk_cpuhp_state);
	kfree(mk_monitors);
}
