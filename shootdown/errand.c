// SPDX-License-Identifier: GPL-2.0
/*
 * Errands: a port's thread does something for a process that may be killed.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "shootdown/errand.h"

enum {
	MK_ERRAND_WAITS,
	MK_ERRAND_RUNS,
	MK_ERRAND_DROPPED,
};

/**
 * mk_errand_init() - make an errand, with the caller's reference
 * @errand: zeroed; first member of what kvfree() will free
 * @slow: see struct mk_work
 * @fn: what to do
 */
void mk_errand_init(struct mk_errand *errand, bool slow,
		    int (*fn)(struct mk_port *port, struct mk_errand *errand))
{
	errand->work.slow = slow;
	errand->fn = fn;
	refcount_set(&errand->refs, 1);
}

/**
 * mk_errand_put() - drop a reference; the last one frees it
 * @errand: the errand
 */
void mk_errand_put(struct mk_errand *errand)
{
	if (refcount_dec_and_test(&errand->refs))
		kvfree(errand);
}

static void mk_errand_work(struct mk_port *port, struct mk_work *work)
{
	struct mk_errand *errand = container_of(work, struct mk_errand, work);

	if (cmpxchg(&errand->state, MK_ERRAND_WAITS, MK_ERRAND_RUNS) ==
	    MK_ERRAND_WAITS) {
		errand->ret = errand->fn(port, errand);
		complete(&errand->done);
	}
	mk_errand_put(errand);
}

/**
 * mk_errand_run() - have a CPU's port run it, and wait
 * @cpu: which
 * @errand: the errand; may be run again, unless this returned -EINTR
 *
 * Context: process, not a port's thread; sleeps.
 * Return: what @errand->fn returned; -ENODEV if the CPU is off line; -EINTR if
 * the caller is being killed and it has not begun.
 */
int mk_errand_run(int cpu, struct mk_errand *errand)
{
	errand->work.fn = mk_errand_work;
	errand->state = MK_ERRAND_WAITS;
	init_completion(&errand->done);
	refcount_inc(&errand->refs);
	if (mk_port_push(mk_port(cpu), &errand->work, NULL)) {
		mk_errand_put(errand);
		return -ENODEV;
	}
	if (!wait_for_completion_killable(&errand->done))
		return errand->ret;
	if (cmpxchg(&errand->state, MK_ERRAND_WAITS, MK_ERRAND_DROPPED) ==
	    MK_ERRAND_WAITS)
		return -EINTR;
	/* It has begun, and is bounded. */
	wait_for_completion_state(&errand->done, TASK_IDLE);
	return errand->ret;
}
