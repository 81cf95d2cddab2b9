/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows of results put together: all that was said about one thing measured.
 */
#ifndef MKCTL_GROUPS_H
#define MKCTL_GROUPS_H

#include "csv.h"

/**
 * struct group - one thing measured
 * @key: a row of it: test, variant, tier, CPUs, node and size
 * @unit: what the values are in
 * @metric: the metric without _p50 and the like
 * @middle: median over the repeats of the p50, or of the single value
 * @middle_low: lowest of what @middle is the median of
 * @middle_high: highest of it
 * @low: lowest p1 of the repeats, or lowest value
 * @high: highest p99, or highest value
 * @n: samples, all repeats together; 0 for single values
 * @repeats: how many repeats there are
 * @has_middle: there is a middle
 * @has_range: @low and @high differ in meaning from @middle
 */
struct group {
	const struct csv_row *key;
	const char *unit;
	char *metric;
	double middle, middle_low, middle_high, low, high, n;
	size_t repeats;
	int has_middle, has_range;
};

struct groups {
	struct group *list;
	size_t nr;
};

/* Everything about @test (a name of @csv), in the order of a table. */
struct groups groups_build(const struct csv *csv, const char *test);
void groups_free(struct groups *groups);

#endif /* MKCTL_GROUPS_H */
