// SPDX-License-Identifier: GPL-2.0
/*
 * Ports: polling, parking, blocking, and work from outside.
 */
#include <linux/cpumask.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/trace.h"
#include "urpc/channel.h"
#include "urpc/link.h"
#include "urpc/port.h"
#include "urpc/route.h"

/* In the work list of a port that takes no more work. */
#define MK_PORT_SEALED		((struct mk_work *)1)

/* How long a closing port waits for its peers' BYE. */
#define MK_PORT_CLOSE_JIFFIES	(2 * HZ)

static struct mk_port **mk_port_table;

/* How often one has opened or closed. */
static atomic_t mk_ports_versions;

/**
 * mk_port() - the port of a CPU
 * @cpu: any number
 *
 * Context: any. Valid from mk_ports_init() to mk_ports_exit().
 * Return: the port, open or not; NULL if there cannot be such a CPU.
 */
struct mk_port *mk_port(int cpu)
{
	if (cpu < 0 || cpu >= nr_cpu_ids)
		return NULL;
	return mk_port_table[cpu];
}

/**
 * mk_ports_init() - allocate a closed port for every possible CPU
 *
 * Context: process.
 * Return: 0 or -ENOMEM; nothing is left allocated then.
 */
int mk_ports_init(void)
{
	struct mk_port *port;
	int cpu;

	mk_port_table = kcalloc(nr_cpu_ids, sizeof(*mk_port_table), GFP_KERNEL);
	if (!mk_port_table)
		return -ENOMEM;

	for_each_possible_cpu(cpu) {
		port = kzalloc_node(sizeof(*port), GFP_KERNEL,
				    cpu_to_node(cpu));
		if (!port)
			goto err_ports;
		port->cpu = cpu;
		port->node = cpu_to_node(cpu);
		port->work = MK_PORT_SEALED;
		INIT_LIST_HEAD(&port->hot);
		INIT_LIST_HEAD(&port->dirty);
		INIT_LIST_HEAD(&port->endpoints);
		mk_port_table[cpu] = port;
		if (mk_links_init(port))
			goto err_ports;
	}
	return 0;

err_ports:
	mk_ports_exit();
	return -ENOMEM;
}

/**
 * mk_ports_exit() - free the ports; all are closed
 *
 * Context: process.
 */
void mk_ports_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (!mk_port_table[cpu])
			continue;
		mk_links_exit(mk_port_table[cpu]);
		kfree(mk_port_table[cpu]);
	}
	kfree(mk_port_table);
	mk_port_table = NULL;
}

/**
 * mk_ports_total() - sum of all ports' counters
 * @total: written
 *
 * Context: any.
 */
void mk_ports_total(struct mk_counters *total)
{
	int cpu;

	memset(total, 0, sizeof(*total));
	for_each_possible_cpu(cpu) {
		const struct mk_counters *count = &mk_port_table[cpu]->count;

#define MK_COUNTER_SUM(name)	total->name += READ_ONCE(count->name);
		MK_COUNTERS(MK_COUNTER_SUM)
#undef MK_COUNTER_SUM
	}
}

/* Wake the thread, once for each time that it blocked. */
static void mk_port_wake(struct mk_port *port, struct mk_port *from)
{
	struct task_struct *task;

	/* Whoever takes the word has promised the wake-up: see it through. */
	preempt_disable();
	if (xchg(&port->blocked, 0)) {
		trace_mk_wake(port->cpu, from ? from->cpu : -1);
		if (from && from != port)
			mk_count(from, ipis);
		rcu_read_lock();
		task = rcu_dereference(port->task);
		if (task)
			wake_up_process(task);
		rcu_read_unlock();
	}
	preempt_enable();
}

/**
 * mk_port_push() - give a port something to do
 * @port: the port
 * @work: what; stays until its function is called
 * @from: port of the calling thread, NULL if it has none
 *
 * Context: any.
 * Return: 0, and @work will run exactly once; -ENODEV if the port is closed.
 */
int mk_port_push(struct mk_port *port, struct mk_work *work,
		 struct mk_port *from)
{
	struct mk_work *first = READ_ONCE(port->work);

	do {
		if (first == MK_PORT_SEALED)
			return -ENODEV;
		work->next = first;
	} while (!try_cmpxchg(&port->work, &first, work));	/* (D) */

	if (READ_ONCE(port->blocked))
		mk_port_wake(port, from);
	return 0;
}

/**
 * mk_port_is_open() - does a port take work and messages?
 * @port: the port
 *
 * Context: any. A port that is closed stays so until its CPU comes again.
 * Return: false if it is closed; true if it is open, or about to close.
 */
bool mk_port_is_open(const struct mk_port *port)
{
	return READ_ONCE(port->work) != MK_PORT_SEALED;
}

static struct mk_work *mk_work_reverse(struct mk_work *list)
{
	struct mk_work *reversed = NULL;

	while (list) {
		struct mk_work *next = list->next;

		list->next = reversed;
		reversed = list;
		list = next;
	}
	return reversed;
}

static void mk_port_defer(struct mk_port *port, struct mk_work *work)
{
	struct mk_work **tail = &port->later;

	while (*tail)
		tail = &(*tail)->next;
	work->next = NULL;
	*tail = work;
}

static void mk_port_run_work(struct mk_port *port, struct mk_work *work)
{
	mk_count(port, works);
	port->depth++;
	work->fn(port, work);
	port->depth--;
}

/* Run what has been pushed, oldest first; slow work only at the outside. */
static unsigned int mk_port_works(struct mk_port *port)
{
	struct mk_work *list, *work;
	unsigned int n = 0;

	while (!port->depth && port->later) {
		work = port->later;
		port->later = work->next;
		mk_port_run_work(port, work);
		n++;
	}

	if (!READ_ONCE(port->work))
		return n;
	list = mk_work_reverse(xchg(&port->work, NULL));
	while (list) {
		work = list;
		list = list->next;
		if (work->slow)
			mk_port_defer(port, work);
		else
			mk_port_run_work(port, work);
		n++;
	}
	return n;
}

/**
 * mk_port_flush() - ring the bells of parked receivers
 * @port: the caller's own
 *
 * Every pass of mk_port_poll() ends with it. Whoever sends outside of one and
 * does not poll soon calls it.
 *
 * Context: the port's thread.
 */
void mk_port_flush(struct mk_port *port)
{
	struct mk_knock *knock, *next;

	if (list_empty(&port->dirty))
		return;
	smp_mb();	/* (C): after what was published, before ->parked */
	list_for_each_entry_safe(knock, next, &port->dirty, dirty) {
		list_del(&knock->dirty);
		knock->is_dirty = false;
		knock->deaf = mk_source_ring(knock->to, port) < 0;
	}
}

/**
 * mk_port_poll() - one pass: works, messages, credit, bells
 * @port: the caller's own
 *
 * Bounded by what has arrived; messages by a batch per endpoint.
 *
 * Context: the port's thread, outside of message handlers.
 * Return: how many works and messages there were.
 */
unsigned int mk_port_poll(struct mk_port *port)
{
	struct mk_source *source, *next;
	unsigned int n = 0;

	mk_count(port, polls);
	if (READ_ONCE(port->work) || port->later)
		n += mk_port_works(port);
	list_for_each_entry_safe(source, next, &port->hot, hot)
		n += INDIRECT_CALL_1(source->poll, mk_endpoint_poll, source);
	mk_port_flush(port);
	return n;
}

/* Park all sources. False if there is something for one of them. */
static bool mk_port_park(struct mk_port *port)
{
	struct mk_source *source, *next;
	bool parked = true;

	list_for_each_entry_safe(source, next, &port->hot, hot)
		parked &= mk_source_park(source);
	return parked;
}

/**
 * mk_port_block() - sleep until there is work or a message
 * @port: the caller's own
 *
 * Returns at once if there already is, or if the thread should stop.
 *
 * Context: the port's thread; sleeps.
 */
void mk_port_block(struct mk_port *port)
{
	mk_port_flush(port);
	if (!mk_port_park(port))
		return;

	WRITE_ONCE(port->blocked, 1);
	set_current_state(TASK_IDLE);	/* (D) */
	if (!READ_ONCE(port->work) && !port->later && !kthread_should_stop()) {
		mk_count(port, blocks);
		trace_mk_block(port->cpu);
		schedule();
		if (!READ_ONCE(port->blocked))
			mk_count(port, wakes);
	}
	__set_current_state(TASK_RUNNING);
	WRITE_ONCE(port->blocked, 0);
}

/**
 * mk_port_open() - start to take work
 * @port: a closed port
 * @task: its thread
 *
 * Context: process, before @task polls for the first time.
 */
void mk_port_open(struct mk_port *port, struct task_struct *task)
{
	port->closing = false;
	atomic_inc(&mk_ports_versions);
	get_task_struct(task);
	rcu_assign_pointer(port->task, task);
	/* Pairs with the cmpxchg of mk_port_push(): @task is set by then. */
	smp_store_release(&port->work, NULL);
}

/*
 * Have nothing polled, so that whoever calls a closed port gets to know. A flood
 * of calls is cut off at the deadline: one that was not served is served when the
 * CPU comes back and its caller tries again.
 */
static bool mk_port_quiet(struct mk_port *port, unsigned long deadline)
{
	struct mk_source *source, *next;

	if (mk_port_park(port))
		return true;
	if (time_before(jiffies, deadline))
		return false;
	list_for_each_entry_safe(source, next, &port->hot, hot) {
		WRITE_ONCE(source->parked, MK_PARKED);
		mk_source_cool(source);
	}
	return true;
}

/**
 * mk_ports_version() - another one whenever a port has opened or closed
 *
 * A port that closes forgets its hops, so routes that were made before do not
 * reach everybody any more, even when it is open again.
 *
 * Context: any.
 */
u32 mk_ports_version(void)
{
	return atomic_read(&mk_ports_versions);
}

/**
 * mk_port_close() - say BYE on every channel, finish the work, take no more
 * @port: the caller's own
 *
 * Channels whose peers do not answer within MK_PORT_CLOSE_JIFFIES are
 * abandoned.
 *
 * Context: the port's thread, as the last thing it does; sleeps.
 */
void mk_port_close(struct mk_port *port)
{
	unsigned long deadline = jiffies + MK_PORT_CLOSE_JIFFIES;
	struct mk_endpoint *ep, *next;
	struct task_struct *task;

	port->closing = true;
	mk_links_close(port);
	list_for_each_entry_safe(ep, next, &port->endpoints, all)
		mk_endpoint_begin_close(ep);
	while (!list_empty(&port->endpoints) &&
	       time_before(jiffies, deadline)) {
		if (!mk_port_poll(port))
			schedule_timeout_idle(1);
		else
			cond_resched();
	}
	list_for_each_entry_safe(ep, next, &port->endpoints, all)
		mk_endpoint_abandon(ep);

	atomic_inc(&mk_ports_versions);
	mk_hops_close(port);
	do {
		mk_port_poll(port);
		cond_resched();
	} while (!mk_port_quiet(port, deadline) || port->later ||
		 cmpxchg(&port->work, NULL, MK_PORT_SEALED));

	task = rcu_replace_pointer(port->task, NULL, true);
	synchronize_rcu();
	put_task_struct(task);
}

static void mk_call_run(struct mk_port *port, struct mk_work *work)
{
	struct mk_call *call = container_of(work, struct mk_call, work);

	call->ret = call->fn(port, call->arg);
	complete(&call->done);
}

static int mk_call_start(int cpu, struct mk_call *call, bool slow,
			 int (*fn)(struct mk_port *port, void *arg), void *arg)
{
	struct mk_port *port = mk_port(cpu);

	if (!port)
		return -EINVAL;
	*call = (struct mk_call){
		.work = { .fn = mk_call_run, .slow = slow },
		.fn = fn,
		.arg = arg,
	};
	init_completion(&call->done);
	return mk_port_push(port, &call->work, NULL);
}

/**
 * mk_port_start() - have a function run in the thread of a CPU's port
 * @cpu: which
 * @call: stays until mk_port_wait() returned; written here
 * @fn: the function; may take long, if it polls the port and looks at
 *	kthread_should_stop() and its own cancellation all the while
 * @arg: its argument
 *
 * Context: any.
 * Return: 0, -EINVAL if there is no such CPU, -ENODEV if it is off line.
 */
int mk_port_start(int cpu, struct mk_call *call,
		  int (*fn)(struct mk_port *port, void *arg), void *arg)
{
	return mk_call_start(cpu, call, true, fn, arg);
}

/**
 * mk_port_wait() - wait for a function that was started
 * @call: as given to mk_port_start(), which returned 0
 *
 * Waits as long as the function runs, which is why that has to be bounded.
 *
 * Context: process, not the thread of that port; sleeps.
 * Return: what the function returned.
 */
int mk_port_wait(struct mk_call *call)
{
	wait_for_completion_state(&call->done, TASK_IDLE);
	return call->ret;
}

/**
 * mk_port_run() - run a function in the thread of a CPU's port, and wait
 * @cpu: which
 * @fn: see mk_port_start()
 * @arg: its argument
 *
 * Context: process, not the thread of that port; sleeps.
 * Return: what @fn returned, or the error of mk_port_start().
 */
int mk_port_run(int cpu, int (*fn)(struct mk_port *port, void *arg),
		void *arg)
{
	struct mk_call call;
	int err;

	err = mk_port_start(cpu, &call, fn, arg);
	return err ?: mk_port_wait(&call);
}

/**
 * mk_port_run_soon() - run a short function in the thread of a CPU's port
 * @cpu: which
 * @fn: neither blocks nor polls; runs inside the waits of other works too
 * @arg: its argument
 *
 * Context: process, not the thread of that port; sleeps.
 * Return: what @fn returned, or the error of mk_port_start().
 */
int mk_port_run_soon(int cpu, int (*fn)(struct mk_port *port, void *arg),
		     void *arg)
{
	struct mk_call call;
	int err;

	err = mk_call_start(cpu, &call, false, fn, arg);
	return err ?: mk_port_wait(&call);
}
