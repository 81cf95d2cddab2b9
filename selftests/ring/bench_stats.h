/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Series of measured values: percentiles, ratios, CSV.
 */
#ifndef MK_RING_BENCH_STATS_H
#define MK_RING_BENCH_STATS_H

#include <stdint.h>

/**
 * struct series - one contender under one set of parameters
 * @next: link
 * @test: column "test"
 * @variant: column "variant"
 * @lines: size of a message
 * @depth: messages on their way; 0 for round trips
 * @pause: spacing of polls
 * @n: rounds that have room
 * @value: ns for each operation by round; 0 where there is none
 */
struct series {
	struct series *next;
	char test[32];
	char variant[64];
	uint32_t lines;
	uint32_t depth;
	uint32_t pause;
	int n;
	double *value;
};

struct series *series_new(const char *test, const char *variant,
			  uint32_t lines, uint32_t depth, uint32_t pause);
void series_add(struct series *s, int round, double value);
int series_count(const struct series *s);
double series_percentile(const struct series *s, int percent);

/* Median of the ratios of both in the same round. */
double series_ratio(const struct series *s, const struct series *to);

/* Write everything; 0, or -1 and a message. */
int series_write(const char *path, int cpu_a, int cpu_b, void *memory);

#endif /* MK_RING_BENCH_STATS_H */
