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
	u32 n;
	u32 warm;
	u32 lines;
	u32 depth;
	u32 first;
	u32 pause;
};

/* ns for each operation, or 0 if no trial was undisturbed. */
double bench_trial(const struct contender *contender, const struct plan *plan,
		   int round);
double bench_page(const struct contender *contender, const struct plan *plan,
		  int page);
int bench_placements(void);

#define BENCH_CHOICES		64

/*
 * Choose the spacing of polls for @plan: that of @n choices, at most
 * BENCH_CHOICES, which short trials (their @n and @warm) find best now.
 */
void bench_space(const struct contender *contender, struct plan *plan,
		 const struct plan *choice, int n, int round);

double bench_seconds(void);
void bench_die(const char *what) __attribute((noreturn));

#define BENCH_DEPTHS		6	/* messages on their way: 1, 3, 7 … 63 */
#define BENCH_DEPTH(d)		((2u << (d)) - 1)
#define BENCH_LENGTHS		(BENCH_LINES + 1)	/* index: lines, from 1 */

/*
 * Streams: this ring, by value and read where messages lie; two libraries, of which one
 * can do that too; and the limit in two ways.
 */
enum bench_streamer {
	STREAM_RING, STREAM_LOOK, STREAM_CK, STREAM_DPDK, STREAM_DPDK_ZC, STREAM_RAW,
	STREAM_RAW_AHEAD,
	BENCH_STREAMERS
};

enum bench_trip {
	ONE_LINE, FULL_LINE, TWO_LINES, TWO_LINES_DENSE, INPLACE_0, INPLACE_1,
	INPLACE_7, RING, RING_DENSE, CK, DPDK, BENCH_TRIPS
};

/**
 * struct bench_trip_results - round trips of one contender
 * @ns: a round trip
 * @first: spacing that was chosen
 * @pause: likewise
 */
struct bench_trip_results {
	struct series *ns;
	struct series *first;
	struct series *pause;
};

/**
 * struct bench_results - what was measured; NULL where there is no contender
 * @trip: round trips
 * @stream: one-way messages, by contender, lines, depth
 */
struct bench_results {
	struct bench_trip_results trip[BENCH_TRIPS];
	struct series *stream[BENCH_STREAMERS][BENCH_LENGTHS][BENCH_DEPTHS];
};

const struct contender *bench_find(const struct contender *list,
				   const char *name, bool stream);
void bench_run(int seconds);
void bench_report(const struct bench_results *results);
void bench_pages(void);

#endif /* MK_RING_BENCH_RUN_H */
