/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which figures there are of an experiment, and charts of them.
 */
#ifndef MKCTL_FIGURE_H
#define MKCTL_FIGURE_H

#include "chart.h"
#include "groups.h"

/**
 * struct figure - one figure
 * @id: its name in the page and in JSON
 * @test: experiment
 * @title: what it shows
 * @paper: what it repeats, NULL where the paper has none
 * @note: what else is to be said below it; may be NULL
 * @at: name of the axis of sizes
 * @value: name of the axis of values; NULL: from what is drawn
 * @unit: only what is in this unit; NULL: all
 * @metrics: what it shows, NULL-terminated; one with a '*' in front stands for all
 *	that end like it
 * @skip: variants left to the table, NULL-terminated; '*' as in paper_match()
 * @rows: a row for each thing instead of a line over sizes
 * @by_variant: the same, with a row for each metric and a mark for each variant
 * @one_pair: only the CPUs that are furthest apart, where lines would be too many
 * @largest: only the largest size, of which this is the name
 */
struct figure {
	const char *id, *test, *title, *paper, *note, *at, *value, *unit;
	const char *metrics[8];
	const char *skip[8];
	int rows, by_variant, one_pair;
	const char *largest;
};

/* The figure of @test after @last, NULL for the first one; NULL: no more. */
const struct figure *figure_next(const struct figure *last, const char *test);

/* For an experiment that has none: its first metric; filled into @figure. */
int figure_plain(struct figure *figure, const char *test,
		 const struct groups *groups, int counts_only);

/*
 * Fill @chart, which is zeroed, from the groups of one run; times are left out
 * where @counts_only. Returns how many values there are.
 */
size_t figure_chart(const struct figure *figure, const struct groups *groups,
		    int counts_only, struct chart *chart);

#endif /* MKCTL_FIGURE_H */
