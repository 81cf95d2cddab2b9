/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A port is where messages arrive: one thread, all the sources that it polls
 * (source.h: endpoints of channels, cells, boards), and the work others ask it to
 * do.
 *
 * Owner and others
 *	All of a port belongs to its one thread, except the work list, the
 *	blocked word and the task pointer. Functions below are for the owner
 *	unless they say "anyone".
 *
 * Polled and parked
 *	The owner polls the sources on its hot list and the head of its work
 *	list; nothing else. A source that stayed silent is parked: it leaves
 *	the hot list and costs nothing. Whoever publishes for a parked source
 *	rings its bell, which is a work item that makes it hot again. A port that
 *	blocks parks every source first, so a bell is also what wakes it.
 *
 * Ordering
 *	(C) Sender: publish in ring, cell or board, full barrier
 *	    (mk_port_flush()), read source->parked. Owner: write source->parked,
 *	    full barrier (mk_source_park()), read what is published. One of the
 *	    two sees the other, so no message is left behind.
 *	(D) Anyone: push on the work list (a fully ordered cmpxchg), read
 *	    port->blocked. Owner: write port->blocked, full barrier
 *	    (set_current_state()), read the work list. Likewise.
 *	The barrier of (C) is paid once per pass over the port, after everything
 *	has been published, and so never delays a message.
 */
#ifndef MK_URPC_PORT_H
#define MK_URPC_PORT_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "urpc/ring.h"

struct mk_links;
struct mk_port;
struct mk_space;

/*
 * MK_COUNTERS(X) - what every port counts, X(name)
 *
 * Written by the owner alone; anyone may read a value, which is then a little
 * old. wakes: this port was blocked and somebody woke it. ipis: interrupts that
 * this port caused at others, at most (a CPU that idles in a polling state is
 * woken without one). idle_cycles: what the thread has spent polling for
 * nothing. calls: in cells and on boards; what is on a board counts once when it
 * is sent, and at each member that receives it.
 */
#define MK_COUNTERS(X)		\
	X(messages_sent)	\
	X(messages_received)	\
	X(acks_sent)		\
	X(acks_received)	\
	X(calls_sent)		\
	X(calls_received)	\
	X(polls)		\
	X(blocks)		\
	X(wakes)		\
	X(bells)		\
	X(parks)		\
	X(works)		\
	X(credit_stalls)	\
	X(idle_cycles)		\
	X(ipis)

struct mk_counters {
#define MK_COUNTER_FIELD(name)	u64 name;
	MK_COUNTERS(MK_COUNTER_FIELD)
#undef MK_COUNTER_FIELD
};

/* Owner: count. A plain increment would be torn for a reader on 32 bit. */
#define mk_count_add(port, name, n)				\
	WRITE_ONCE((port)->count.name, (port)->count.name + (n))
#define mk_count(port, name)	mk_count_add(port, name, 1)

/* Heads of a port's table of hops, a power of two. */
#define MK_PORT_HOPS	16

/**
 * struct mk_work - something for a port's thread to do
 * @next: link in the work list
 * @fn: what; process context, on the port's CPU, may sleep only if @slow
 * @slow: may take long or wait, and is therefore never run inside the wait of
 *	another work
 */
struct mk_work {
	struct mk_work *next;
	void (*fn)(struct mk_port *port, struct mk_work *work);
	bool slow;
};

/**
 * struct mk_call - a function run in a port's thread, and its result
 * @work: the work item
 * @fn: the function
 * @arg: its argument
 * @ret: its result, valid when @done
 * @done: completed when it has returned
 */
struct mk_call {
	struct mk_work work;
	int (*fn)(struct mk_port *port, void *arg);
	void *arg;
	int ret;
	struct completion done;
};

/**
 * struct mk_port - see the top of the file
 * @cpu: CPU of its thread
 * @node: NUMA node of that CPU
 * @closing: shutting down: refuses new endpoints
 * @depth: nesting of works
 * @quiet_since: when the last thing happened, or the thread woke, in cycles;
 *	idle cycles from then on are not counted yet
 * @hot: sources that are polled (source.h)
 * @dirty: knocks since the last flush
 * @endpoints: all of them
 * @nr_endpoints: how many
 * @later: slow works that arrived inside another one
 * @links: its ways to other ports (link.h)
 * @hops: what it does for routes (route.h), by their number
 * @space: the space whose mm the thread has adopted (shootdown/space.h)
 * @space_id: its number, 0 for none; anyone may read it
 * @count: counters
 * @msg: the message being handled; one, since a handler never polls, and not on
 *	the stack, which many kernels clear on every call
 * @work: anyone: list of works, newest first; MK_PORT_SEALED when closed
 * @blocked: anyone: the thread sleeps, or is about to
 * @task: anyone, under RCU: the thread
 */
struct mk_port {
	int cpu;
	int node;
	bool closing;
	unsigned int depth;
	u64 quiet_since;
	struct list_head hot;
	struct list_head dirty;
	struct list_head endpoints;
	unsigned int nr_endpoints;
	struct mk_work *later;
	struct mk_links *links;
	struct hlist_head hops[MK_PORT_HOPS];
	struct mk_space *space;
	u64 space_id;
	struct mk_counters count;
	struct mk_message msg;

	struct mk_work *work ____cacheline_aligned_in_smp;
	int blocked;
	struct task_struct __rcu *task;
};

/* Anyone, process context. */
struct mk_port *mk_port(int cpu);
int mk_ports_init(void);
void mk_ports_exit(void);
void mk_ports_total(struct mk_counters *total);
int mk_port_run(int cpu, int (*fn)(struct mk_port *port, void *arg),
		void *arg);
int mk_port_run_soon(int cpu, int (*fn)(struct mk_port *port, void *arg),
		     void *arg);
int mk_port_start(int cpu, struct mk_call *call,
		  int (*fn)(struct mk_port *port, void *arg), void *arg);
int mk_port_wait(struct mk_call *call);

/* Anyone, any context. */
int mk_port_push(struct mk_port *port, struct mk_work *work,
		 struct mk_port *from);

bool mk_port_is_open(const struct mk_port *port);
u32 mk_ports_version(void);

/* The owner. */
void mk_port_open(struct mk_port *port, struct task_struct *task);
void mk_port_close(struct mk_port *port);
unsigned int mk_port_poll(struct mk_port *port);
void mk_port_flush(struct mk_port *port);
void mk_port_block(struct mk_port *port);

#endif /* MK_URPC_PORT_H */
