/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory whose faults somebody serves, for the jobs MK_JOB_SERVE to MK_JOB_UNSERVE of
 * agents: by pagers, by userfaultfd, by Linux. There is one at a time, and jobs
 * about it come one after the other, on whatever thread.
 */
#ifndef MKCTL_SERVED_H
#define MKCTL_SERVED_H

#include <setjmp.h>
#include <x86intrin.h>

#include "../module/uapi.h"

/* As the module reads it: what comes before is done, what follows has not begun. */
static inline __u64 served_cycles(void)
{
	__u64 now;

	_mm_lfence();
	now = __rdtsc();
	_mm_lfence();
	return now;
}

/*
 * Where a touch goes on that nobody has served, if served_escapes is set: SIGBUS
 * would end the process otherwise.
 */
extern __thread sigjmp_buf served_escape;
extern __thread int served_escapes;

/* Each returns 0 or a negative errno, never -ETIMEDOUT, -EINTR or -ECANCELED. */
int served_begin(const struct mk_agent_job *job, __u64 where[2]);
int served_take(const struct mk_agent_job *job, __u64 *sample);
int served_counts(__u64 *words);

/* Why a touch was not served: a negative errno. */
int served_why(void);

void served_end(void);

#endif /* MKCTL_SERVED_H */
