// SPDX-License-Identifier: GPL-2.0
/*
 * Invalidation by message: the monitor of a node clears the node's replica.
 *
 * Whoever invalidates blocks the range in every replica first, itself. Then it
 * asks a monitor on each other node to clear the leaves there, does its own node
 * meanwhile, and waits. Clearing twice is harmless, so a monitor that does not
 * come to it in time is not waited for: the range is cleared directly, and the
 * monitor does it once more later.
 *
 * A replica has room for one request. A second invalidation at the same time is
 * done directly, as it is for callers that must not sleep or are kernel threads:
 * a monitor would wait for itself. All of that is counted.
 *
 * States of a request, and who changes them
 *	FREE  -> CLAIMED -> SENT
 *			the asker
 *	SENT  -> DONE	the monitor, after it has cleared
 *	DONE  -> FREE	the asker
 *	SENT  -> LEFT	the asker, which gives up
 *	LEFT  -> FREE	the monitor
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/topology.h>
#include <linux/wait_bit.h>

#include "module/clock.h"
#include "module/mirror/mirror_priv.h"
#include "module/monitor.h"
#include "urpc/port.h"

/* How long an asker waits for a monitor. */
#define MK_REQUEST_WAIT_MS	20

enum mk_request_state {
	MK_REQUEST_FREE,
	MK_REQUEST_CLAIMED,
	MK_REQUEST_SENT,
	MK_REQUEST_DONE,
	MK_REQUEST_LEFT,
};

static void mk_request_free(struct mk_mirror_request *req)
{
	/* Pairs with the cmpxchg of mk_request_send(): we are done with it. */
	smp_store_release(&req->state, MK_REQUEST_FREE);
}

/* The node's monitor. */
static void mk_request_work(struct mk_port *port, struct mk_work *work)
{
	struct mk_mirror_request *req =
		container_of(work, struct mk_mirror_request, work);
	struct mk_mirror_node *r =
		container_of(req, struct mk_mirror_node, request);
	struct mk_mirror *m = r->mirror;

	mk_mirror_node_clear(r, req->start, req->end);
	/*
	 * Pairs with the acquire of mk_request_wait(), and the xchg there: what
	 * is cleared is seen with DONE; FREE is the last that we write.
	 */
	if (cmpxchg(&req->state, MK_REQUEST_SENT, MK_REQUEST_DONE) ==
	    MK_REQUEST_SENT)
		wake_up_var(&req->state);
	else
		mk_request_free(req);
	mk_mirror_put(m);
}

static struct mk_port *mk_request_leader(int node)
{
	unsigned int cpu = cpumask_any_and(cpumask_of_node(node),
					   cpu_online_mask);

	return cpu < nr_cpu_ids ? mk_port(cpu) : NULL;
}

/**
 * mk_request_possible() - may this caller ask monitors?
 * @blockable: may it sleep?
 *
 * Context: any.
 */
bool mk_request_possible(bool blockable)
{
	return blockable && !(current->flags & PF_KTHREAD);
}

/**
 * mk_request_send() - ask a node's monitor to clear a range
 * @r: the node's replica, of a mirror that is held
 * @start: first byte
 * @end: first byte after it
 *
 * Context: process.
 * Return: true if mk_request_wait() has to follow; false if nobody was asked.
 */
bool mk_request_send(struct mk_mirror_node *r, unsigned long start,
		     unsigned long end)
{
	struct mk_port *port = mk_request_leader(r->table.node);
	struct mk_mirror_request *req = &r->request;

	if (!port || cmpxchg(&req->state, MK_REQUEST_FREE,
			     MK_REQUEST_CLAIMED) != MK_REQUEST_FREE)
		goto direct;
	req->start = start;
	req->end = end;
	req->work.fn = mk_request_work;
	/* The work's. It can only fail for a mirror that nobody needs. */
	if (!refcount_inc_not_zero(&r->mirror->refs))
		goto free;
	WRITE_ONCE(req->state, MK_REQUEST_SENT);
	/* A full barrier before the monitor can see the work. */
	if (!mk_port_push(port, &req->work, NULL)) {
		atomic64_inc(&r->messages);
		return true;
	}
	mk_mirror_put(r->mirror);
free:
	mk_request_free(req);
direct:
	atomic64_inc(&r->directs);
	return false;
}

static bool mk_request_is_done(struct mk_mirror_request *req)
{
	/* Pairs with mk_request_work(). */
	return smp_load_acquire(&req->state) == MK_REQUEST_DONE;
}

/**
 * mk_request_wait() - wait until a node's monitor has cleared what it was asked
 * @r: the node's replica
 *
 * It polls as long as blocking and waking would cost, and then blocks.
 *
 * Context: process; sleeps, MK_REQUEST_WAIT_MS at most.
 * Return: false if the monitor was too late: the caller has to do it.
 */
bool mk_request_wait(struct mk_mirror_node *r)
{
	struct mk_mirror_request *req = &r->request;
	u64 until = mk_cycles() + mk_monitor_poll_cycles();

	while (!mk_request_is_done(req) && mk_cycles() < until &&
	       !need_resched())
		cpu_relax();
	wait_var_event_timeout(&req->state, mk_request_is_done(req),
			       msecs_to_jiffies(MK_REQUEST_WAIT_MS));
	/* Either we see DONE, or the monitor sees LEFT. */
	if (xchg(&req->state, MK_REQUEST_LEFT) == MK_REQUEST_DONE) {
		mk_request_free(req);
		return true;
	}
	atomic64_inc(&r->directs);
	return false;
}
