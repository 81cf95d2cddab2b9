/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Charts, drawn as SVG inside a page.
 *
 * Colours are the classes s0 to s7 of the page's style; a shape and, after
 * eight, dashes tell series apart where colours do not.
 */
#ifndef MKCTL_CHART_H
#define MKCTL_CHART_H

#include <stddef.h>
#include <stdio.h>

/**
 * struct chart_point - one value
 * @at: where it is: a number on the x axis, or the row
 * @value: the value
 * @low: lower end of its range, @value if it has none
 * @high: upper end of its range
 * @tip: what is to be known about it, shown when pointed at
 */
struct chart_point {
	double at, value, low, high;
	char *tip;
};

struct chart_series {
	char *name;
	struct chart_point *points;
	size_t nr;
	int paper;	/* not measured here: drawn grey and hollow */
	size_t look;	/* its colour and shape, see chart_fit() */
};

enum chart_kind {
	CHART_LINES,	/* values over numbers */
	CHART_ROWS,	/* values to the right, a row for each thing */
};

/*
 * Ends of an axis, and whether equal steps are equal factors; @zero: what is
 * not above zero stands at its lower end all the same.
 */
struct chart_axis {
	double low, high;
	int log, zero;
};

/**
 * struct chart - one chart
 * @kind: values over numbers, or by rows
 * @title: what it shows, for those who cannot see it
 * @at_label: name of the axis of numbers, with its unit
 * @value_label: name of the axis of values, with its unit
 * @remark: what must not be overlooked, such as "emulated (tcg)"; may be NULL
 * @narrow: it stands beside another, and its letters are to stay as large
 * @rows: names of the rows
 * @nr_rows: how many
 * @series: what is drawn
 * @nr: how many
 * @at: the axis of numbers
 * @value: the axis of values
 */
struct chart {
	enum chart_kind kind;
	const char *title, *at_label, *remark;
	char *value_label;
	int narrow;
	char **rows;
	size_t nr_rows;
	struct chart_series *series;
	size_t nr;
	struct chart_axis at, value;
};

/* Add a series, a point, a row; take over the texts. */
struct chart_series *chart_series(struct chart *chart, char *name, int paper);
void chart_point(struct chart_series *series, struct chart_point point);
size_t chart_row(struct chart *chart, char *name);

/*
 * One scale for @nr charts, and one look for all series of a name, so that they
 * can be compared.
 */
void chart_fit(struct chart *charts, size_t nr);

/* Values that are drawn, those of papers not counted. */
size_t chart_points(const struct chart *chart);

void chart_svg(const struct chart *chart, FILE *out);
void chart_free(struct chart *chart);

/* Text with what markup would take as its own replaced. */
void html_text(FILE *out, const char *text);

#endif /* MKCTL_CHART_H */
