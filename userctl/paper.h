/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Figures that papers give for what the experiments repeat.
 */
#ifndef MKCTL_PAPER_H
#define MKCTL_PAPER_H

#include <stddef.h>
#include <stdio.h>

/**
 * struct paper_figure - one figure
 * @test: experiment
 * @variant: which variant of it; a '*' at the end stands for anything
 * @tier: beginning of the tier it is for, NULL for any
 * @metric: metric
 * @size: size column, -1 for any
 * @value: the figure, in the unit of the metric
 * @machine: what it was measured on
 * @source: index into the papers' names
 */
struct paper_figure {
	const char *test, *variant, *tier, *metric;
	long long size;
	double value;
	const char *machine;
	int source;
};

/* How many figures there are for this row, and the lowest and highest. */
size_t paper_find(const char *test, const char *variant, const char *tier,
		  const char *metric, long long size, double *low, double *high);

/* The first figure for @metric of @test after @last, NULL for the first one. */
const struct paper_figure *paper_next(const struct paper_figure *last,
				      const char *test, const char *metric);

/* The paper, the place in it, and whether the figure was read off a plot. */
const char *paper_source(const struct paper_figure *figure);

/* Footnote: every figure for @test with its machine, and the paper. */
void paper_footnote(FILE *out, const char *test, int width);

/* A line of prose, broken between words where it is longer than @width. */
void paper_flow(FILE *out, const char *text, int width, int *column);

/* Does @text match @pattern, which may end in '*'? */
int paper_match(const char *pattern, const char *text);

#endif /* MKCTL_PAPER_H */
