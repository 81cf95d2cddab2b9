// SPDX-License-Identifier: GPL-2.0
/*
 * A bar with the time left on a terminal, a line now and then elsewhere.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define BAR		30
#define SECONDS_BETWEEN	10	/* lines, where there is no terminal */

double progress_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

void progress_begin(struct progress *progress, const char *name, size_t number,
		    size_t total, int quiet)
{
	memset(progress, 0, sizeof(*progress));
	progress->name = name;
	progress->quiet = quiet;
	progress->terminal = isatty(STDERR_FILENO);
	progress->shown = -1;
	progress->started = progress_clock();
	progress->said = progress->started;
	if (!quiet && !progress->terminal)
		fprintf(stderr, "%s: started (%zu of %zu)\n", name, number, total);
}

/*
 * "1:05 left", or nothing while it cannot be told. The whole time is estimated
 * when a step is done and stands until the next: an experiment of few steps
 * would seem to take longer and longer else.
 */
static void time_left(struct progress *progress, char *text, size_t len,
		      double elapsed, int percent)
{
	double rest;

	if (percent != progress->percent && percent > 0)
		progress->whole = elapsed * 100 / percent;
	progress->percent = percent;
	*text = '\0';
	if (percent < 2 || percent > 100 || elapsed < 1)
		return;
	rest = progress->whole > elapsed ? progress->whole - elapsed : 0;
	if (rest < 360000)
		snprintf(text, len, ", %d:%02d left", (int)rest / 60, (int)rest % 60);
}

void progress_update(struct progress *progress, int percent)
{
	double now = progress_clock(), elapsed = now - progress->started;
	char rest[32], bar[BAR + 1];
	int i;

	if (progress->quiet || percent < 0)
		return;
	time_left(progress, rest, sizeof(rest), elapsed, percent);
	if (progress->terminal) {
		for (i = 0; i < BAR; i++)
			bar[i] = i * 100 < percent * BAR ? '#' : '.';
		bar[BAR] = '\0';
		fprintf(stderr, "\r%-20s [%s] %3d %%%s\033[K", progress->name, bar,
			percent, rest);
	} else if (now - progress->said >= SECONDS_BETWEEN &&
		   percent != progress->shown) {
		fprintf(stderr, "%s: %d %%%s\n", progress->name, percent, rest);
		progress->said = now;
		progress->shown = percent;
	}
}

void progress_end(struct progress *progress, const char *outcome, size_t rows)
{
	if (progress->quiet)
		return;
	fprintf(stderr, "%s%s: %s after %.1f s, %zu rows\n",
		progress->terminal ? "\r\033[K" : "", progress->name, outcome,
		progress_clock() - progress->started, rows);
}
