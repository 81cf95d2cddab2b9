/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far a run is, on stderr.
 */
#ifndef MKCTL_PROGRESS_H
#define MKCTL_PROGRESS_H

#include <stddef.h>

/**
 * struct progress - one experiment under way
 * @name: its name
 * @quiet: say nothing
 * @terminal: stderr is one
 * @shown: percent last said in a line
 * @percent: last seen
 * @whole: seconds that all of it takes, as far as can be told
 * @started: when, in seconds of the monotonic clock
 * @said: when the last line was
 */
struct progress {
	const char *name;
	int quiet, terminal, shown;
	int percent;
	double whole;
	double started, said;
};

double progress_clock(void);
void progress_begin(struct progress *progress, const char *name, size_t number,
		    size_t total, int quiet);
/* @percent: 0 … 100, less than 0 if not known */
void progress_update(struct progress *progress, int percent);
void progress_end(struct progress *progress, const char *outcome, size_t rows);

#endif /* MKCTL_PROGRESS_H */
