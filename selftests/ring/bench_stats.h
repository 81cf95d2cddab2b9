/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Series of measured values: percentiles, ratios, classes of rounds, CSV.
 */
#ifndef MK_RING_BENCH_STATS_H
#define MK_RING_BENCH_STATS_H

#include "urpc/user.h"

/**
 * struct series - one contender under one set of parameters
 * @next: link
 * @test: column "test"
 * @variant: column "variant"
 * @metric: column "metric"
 * @unit: column "unit"
 * @size: column "size"
 * @n: rounds that have room
 * @value: by round; negative where there is none
 */
struct series {
	struct series *next;
	char test[32];
	char variant[32];
	const char *metric;
	const char *unit;
	u32 size;
	int n;
	double *value;
};

struct series *series_new(const char *test, const char *variant,
			  const char *metric, const char *unit, u32 size);

/* A @value of 0 ns is none. */
void series_add(struct series *s, int round, double value);

/* Of the values in the rounds of the chosen class. */
int series_count(const struct series *s);
double series_percentile(const struct series *s, int percent);

/* Median of the ratios of both in the same round. */
double series_ratio(const struct series *s, const struct series *to);

/*
 * Tell rounds apart by @s: those below and those above the middle of its range,
 * if that range is wide. Returns the number of classes, 1 or 2.
 */
int series_classify(const struct series *s);

/* Which class counts from now on, 0 or 1, or all with -1. */
void series_choose(int class);

/* Write everything; 0, or -1 and a message. */
int series_write(const char *path, int cpu_a, int cpu_b, void *memory);

#endif /* MK_RING_BENCH_STATS_H */
