/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running one experiment.
 */
#ifndef MKCTL_RUNNER_H
#define MKCTL_RUNNER_H

#include "progress.h"
#include "tree.h"

/* From here on the signals that end a program end the run instead. */
void runner_catch_signals(void);

/* The signal that came, 0 if none did. */
int runner_signal(void);

/*
 * Run @experiment to its end, showing progress; with @agents, user threads of the
 * CPUs that take part, where it has work for them.
 *
 * Returns 0, or the errno with which the module ended the run: EBUSY where it
 * did not even begin, ECANCELED and EINTR where it was cancelled.
 */
int runner_run(const struct tree *tree, const char *experiment, int agents,
	       struct progress *progress);

/* One line: what @reason means for the user. */
const char *runner_reason(int reason);

#endif /* MKCTL_RUNNER_H */
