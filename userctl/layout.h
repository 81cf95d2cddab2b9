/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is particular to the table of one experiment.
 */
#ifndef MKCTL_LAYOUT_H
#define MKCTL_LAYOUT_H

#include <stddef.h>

/**
 * struct layout_ratio - a column that sets rows against others of the run
 * @title: head of the column
 * @metric: metric of the rows that get it; a '*' at the end stands for anything
 * @variant: their variant; a '*' at the end stands for anything
 * @base_variant: variant to divide by; a '*' is what @variant's stood for
 * @base_metric: its metric; "*" is the row's own
 * @base_size: its size, -1 for the row's own
 * @any_node: its memory may be on another node
 *
 * The base row has the same tier, CPUs and repetitions; a column that either
 * of the two leaves empty is not compared.
 */
struct layout_ratio {
	const char *title;
	const char *metric, *variant;
	const char *base_variant, *base_metric;
	long long base_size;
	int any_node;
};

/**
 * struct layout - one experiment
 * @test: its name
 * @title: what the table says it is
 * @size: head of the size column
 * @pivot: also print the medians with a column per variant
 * @hidden: metrics that are left to the CSV, NULL-terminated
 * @ratios: NULL-title terminated
 */
struct layout {
	const char *test;
	const char *title;
	const char *size;
	int pivot;
	const char *hidden[8];
	struct layout_ratio ratios[3];
};

/* Never NULL: experiments without one of their own get a plain one. */
const struct layout *layout_find(const char *test);

/*
 * What to divide a value in @unit by to show it; @unit becomes the unit shown.
 * Both stay as they are where it is shown as it is.
 */
double layout_unit(const char **unit);

/* Place of @test in reports; unknown ones come last. */
size_t layout_order(const char *test);

#endif /* MKCTL_LAYOUT_H */
