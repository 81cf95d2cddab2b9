// SPDX-License-Identifier: GPL-2.0
/*
 * What a chart is made of, and its scales.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "mkctl.h"

/* Beyond this factor between two values a linear axis hides the smaller. */
#define LINEAR_FACTOR	12
/* The same where there is a zero, for which a logarithm has no place. */
#define ZERO_FACTOR	100
/* So far beyond the values do their ranges count: an outlier is no scale. */
#define RANGE_FACTOR	4

struct chart_series *chart_series(struct chart *chart, char *name, int paper)
{
	struct chart_series *series;

	chart->series = mkctl_grow(chart->series, chart->nr + 1,
				   sizeof(*chart->series));
	series = &chart->series[chart->nr++];
	*series = (struct chart_series){ .name = name, .paper = paper };
	return series;
}

void chart_point(struct chart_series *series, struct chart_point point)
{
	series->points = mkctl_grow(series->points, series->nr + 1,
				    sizeof(*series->points));
	series->points[series->nr++] = point;
}

size_t chart_row(struct chart *chart, char *name)
{
	chart->rows = mkctl_grow(chart->rows, chart->nr_rows + 1,
				 sizeof(*chart->rows));
	chart->rows[chart->nr_rows] = name;
	return chart->nr_rows++;
}

size_t chart_points(const struct chart *chart)
{
	size_t nr = 0, i;

	for (i = 0; i < chart->nr; i++)
		if (!chart->series[i].paper)
			nr += chart->series[i].nr;
	return nr;
}

void chart_free(struct chart *chart)
{
	size_t i, j;

	for (i = 0; i < chart->nr; i++) {
		for (j = 0; j < chart->series[i].nr; j++)
			free(chart->series[i].points[j].tip);
		free(chart->series[i].points);
		free(chart->series[i].name);
	}
	for (i = 0; i < chart->nr_rows; i++)
		free(chart->rows[i]);
	free(chart->rows);
	free(chart->series);
	free(chart->value_label);
}

static void take(struct chart_axis *axis, double value)
{
	if (value < axis->low)
		axis->low = value;
	if (value > axis->high)
		axis->high = value;
}

/*
 * Room at both ends, and ends that differ. @smallest is the smallest that is
 * above zero.
 */
static void widen(struct chart_axis *axis, double smallest)
{
	double room;

	axis->zero = axis->low <= 0;
	axis->log = axis->low >= 0 && axis->high / smallest >
		    (axis->zero ? ZERO_FACTOR : LINEAR_FACTOR);
	if (axis->log) {
		axis->low = smallest / 1.15;
		axis->high *= 1.15;
		return;
	}
	if (axis->low > 0)
		axis->low = 0;
	room = (axis->high - axis->low) * 0.06;
	axis->high += room > 0 ? room : 1;
	if (axis->low < 0)
		axis->low -= room;
}

/* Sizes double from one to the next more often than not. */
static void widen_numbers(struct chart_axis *axis)
{
	axis->log = axis->low > 0 && axis->high / axis->low >= 4;
	if (axis->log) {
		axis->low /= 1.1;
		axis->high *= 1.1;
	} else {
		double room = (axis->high - axis->low) * 0.05;

		axis->low -= room > 0 ? room : 1;
		axis->high += room > 0 ? room : 1;
	}
}

/* The series of that name in one of @nr charts. */
static const struct chart_series *namesake(const struct chart *charts, size_t nr,
					   const struct chart_series *series)
{
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < charts[i].nr; j++)
			if (charts[i].series[j].paper == series->paper &&
			    !strcmp(charts[i].series[j].name, series->name))
				return &charts[i].series[j];
	return NULL;
}

static void share_looks(struct chart *charts, size_t nr)
{
	const struct chart_series *other;
	struct chart_series *series;
	size_t next = 0, i, j;
	int paper;

	/* ours first: there are more of them than colours soon enough */
	for (paper = 0; paper < 2; paper++)
		for (i = 0; i < nr; i++)
			for (j = 0; j < charts[i].nr; j++) {
				series = &charts[i].series[j];
				if (!!series->paper != paper)
					continue;
				other = namesake(charts, i, series);
				series->look = other ? other->look : next++;
			}
}

void chart_fit(struct chart *charts, size_t nr)
{
	struct chart_axis at = { INFINITY, -INFINITY, 0, 0 }, value = at, range = at;
	double smallest = INFINITY;
	size_t i, j, k;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < charts[i].nr; j++) {
			const struct chart_series *series = &charts[i].series[j];

			for (k = 0; k < series->nr; k++) {
				if (charts[i].kind == CHART_LINES)
					take(&at, series->points[k].at);
				take(&value, series->points[k].value);
				take(&range, series->points[k].low);
				take(&range, series->points[k].high);
				if (series->points[k].value > 0 &&
				    series->points[k].value < smallest)
					smallest = series->points[k].value;
			}
		}
	}
	if (!isfinite(at.low))
		at = (struct chart_axis){ 0, 1, 0, 0 };
	if (!isfinite(value.low))
		value = (struct chart_axis){ 0, 1, 0, 0 };
	if (range.high > value.high)
		value.high = fmin(range.high, value.high * RANGE_FACTOR);
	if (range.low < value.low && value.low > 0) {
		value.low = fmax(range.low, value.low / RANGE_FACTOR);
		smallest = fmin(smallest, value.low);
	}
	widen(&value, smallest);
	widen_numbers(&at);
	share_looks(charts, nr);
	for (i = 0; i < nr; i++) {
		charts[i].at = at;
		charts[i].value = value;
	}
}
