/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that the model says about one machine, as rows of results.
 */
#ifndef MKCTL_FORECAST_H
#define MKCTL_FORECAST_H

#include <stdio.h>

#include "blueprint.h"

/**
 * struct forecast_row - one value
 * @test: experiment that measures the same
 * @variant: its variant
 * @metric: its metric
 * @unit: of @value
 * @to: the other core, -1 if there is none in particular
 * @size: the size column
 * @value: the value
 */
struct forecast_row {
	const char *test, *metric, *unit;
	char variant[24];
	int to;
	unsigned int size;
	u64 value;
};

struct forecast {
	struct forecast_row *rows;
	size_t nr;
};

/* Changes in flight of the pipelined agreement. */
#define FORECAST_FLIGHT	16

void forecast_make(struct forecast *forecast, const struct blueprint *b);
void forecast_free(struct forecast *forecast);

/* The row, NULL if there is none. */
const struct forecast_row *forecast_find(const struct forecast *forecast, const char *test,
					 const char *variant, const char *metric,
					 unsigned int size);

/* The next size after @size that @test has, 0: no more. */
unsigned int forecast_next_size(const struct forecast *forecast, const char *test,
				unsigned int size);

/* As a results file, with what the machine is in rows of environment. */
void forecast_csv(const struct forecast *forecast, const struct blueprint *b, FILE *out);

/**
 * struct forecast_error - how far the model is off where there is something to compare
 * @low: percent, of the comparison that is the farthest below
 * @high: and above
 * @round_trip_low: likewise, of measured round trips
 * @round_trip: median
 * @round_trip_high: the highest
 * @pairs: how many round trips, 0 if none were given
 */
struct forecast_error {
	double low, high;
	double round_trip_low, round_trip, round_trip_high;
	size_t pairs;
};

/* Compares with what papers say of their machines; a table to @out, if it is not NULL. */
void forecast_check(struct forecast_error *error, FILE *out);

/* Compares with round trips measured on the machine; 0, or -1 with one line in @why. */
int forecast_check_round_trips(struct forecast_error *error, const struct blueprint *b,
			       const char *path, char *why, size_t why_len);

/* Machine, assumptions, errors, tables, crossovers, growth: for people. */
void forecast_text(const struct forecast *forecast, const struct blueprint *b,
		   const struct forecast_error *error, FILE *out);

#endif /* MKCTL_FORECAST_H */
