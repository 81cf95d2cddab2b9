/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is measured (bench_run.c), and how one trial is taken (bench.c).
 */
#ifndef MK_RING_BENCH_RUN_H
#define MK_RING_BENCH_RUN_H

#include "bench.h"

/**
 * struct plan - parameters of a trial
 * @n: operations that are timed
 * @warm: operations before these
 * @lines: size of a message
 * @depth: messages on their way; 0 for round trips
 * @first: pause instructions before the first poll for something
 * @pause: pause instructions between two polls
 */
struct plan {
	uint32_t n;
	uint32_t warm;
	uint32_t lines;
	uint32_t depth;
	uint32_t first;
	uint32_t pause;
};

/* ns for each operation, or 0 if no trial was undisturbed. */
double bench_trial(const struct contender *contender, const struct plan *plan,
		   int round);
double bench_page(const struct contender *contender, const struct plan *plan,
		  int page);
int bench_placements(void);

/* The spacing of polls that is best for @contender. */
uint32_t bench_calibrate(const struct contender *contender,
			 const struct plan *plan, int rounds);

void bench_run(int rounds);
void bench_die(const char *what) __attribute__((noreturn));

#endif /* MK_RING_BENCH_RUN_H */
