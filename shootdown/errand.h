/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Errands: a port's thread does something for a process that may be killed
 * meanwhile.
 *
 * An errand is the first member of something on the heap, which the caller and
 * the port's thread hold: a caller that is killed before it has begun goes away
 * without it. One that has begun is waited for, so it has to be bounded.
 */
#ifndef MK_ERRAND_H
#define MK_ERRAND_H

#include <linux/completion.h>
#include <linux/refcount.h>

#include "urpc/port.h"

/**
 * struct mk_errand - something for a port's thread to do
 * @work: the work item
 * @refs: the caller, and the work while it is queued
 * @state: waits, runs or was dropped
 * @done: it has returned
 * @fn: what to do; the port's thread
 * @ret: what @fn returned
 */
struct mk_errand {
	struct mk_work work;
	refcount_t refs;
	int state;
	struct completion done;
	int (*fn)(struct mk_port *port, struct mk_errand *errand);
	int ret;
};

/* Process context, not a port's thread. */
void mk_errand_init(struct mk_errand *errand, bool slow,
		    int (*fn)(struct mk_port *port, struct mk_errand *errand));
int mk_errand_run(int cpu, struct mk_errand *errand);

/* Any context that may free memory of kvmalloc(). */
void mk_errand_put(struct mk_errand *errand);

#endif /* MK_ERRAND_H */
