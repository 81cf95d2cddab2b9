// SPDX-License-Identifier: GPL-2.0
/*
 * A chart as SVG. Sizes are chosen so that it can be read at half of them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "grid.h"
#include "mkctl.h"

#define WIDTH		880.0
#define NARROW		640.0	/* of one of two, where there is half the room */
#define HEIGHT		460.0
#define LEFT		108.0
#define LEGEND		60.0	/* beside the names of lines */
#define TOP		64.0
#define MARGIN		48.0	/* half of a number beyond the last line */
#define BOTTOM		66.0
#define ROW		27.0	/* at least, and for each mark in it */
#define MARK		12.0
#define DODGE		3.0	/* keeps ranges of one number apart */
#define LETTER		8.6	/* average width of one, for room */
#define REMARK_LETTER	8.2	/* the same of the remark's */
#define LABEL_LETTER	10.5	/* and of a label's, with (log scale) behind it */
#define MAX_TICKS	11
#define NR_COLOURS	8
#define NAME_LETTERS	34

/* Where values go: pixels from @start to @end. */
struct scale {
	struct chart_axis axis;
	double start, end;
};

void html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		case '\n':
			fputc('\n', out);
			break;
		default:
			fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' :
			      *text, out);
		}
	}
}

static double place(const struct scale *scale, double value)
{
	const struct chart_axis *axis = &scale->axis;
	double share;

	if (axis->log)
		share = log(value / axis->low) / log(axis->high / axis->low);
	else
		share = (value - axis->low) / (axis->high - axis->low);
	if (!(share > 0))
		share = 0;
	if (share > 1)
		share = 1;
	return scale->start + share * (scale->end - scale->start);
}

static double width(const struct chart *chart)
{
	return chart->narrow ? NARROW : WIDTH;
}

/* Text of at most so many letters. */
static void short_text(FILE *out, const char *text, size_t letters)
{
	char *part;

	if (strlen(text) <= letters) {
		html_text(out, text);
		return;
	}
	part = mkctl_strndup(text, letters - 2);
	html_text(out, part);
	fputs("..", out);
	free(part);
}

/* 1, 2 or 5 times a power of ten, so that about @nr fit into @span. */
static double step_for(double span, int nr)
{
	double raw = span / nr, power = pow(10, floor(log10(raw))), part = raw / power;

	return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/* Numbers to write at an axis of values; returns how many. */
static size_t ticks(const struct chart_axis *axis, double *list)
{
	static const double parts[] = { 1, 2, 5 };
	double step, at, decades;
	size_t nr = 0, i;
	int power, every;

	if (!axis->log) {
		step = step_for(axis->high - axis->low, 6);
		for (at = ceil(axis->low / step) * step;
		     at <= axis->high && nr < MAX_TICKS; at += step)
			list[nr++] = fabs(at) < step / 1e6 ? 0 : at;
		return nr;
	}
	decades = log10(axis->high / axis->low);
	every = decades > MAX_TICKS - 1 ? ceil(decades / (MAX_TICKS - 1)) : 1;
	for (power = floor(log10(axis->low)); nr < MAX_TICKS; power += every) {
		if (pow(10, power) > axis->high)
			break;
		for (i = 0; i < 3 && nr < MAX_TICKS; i++) {
			if (i && decades > 3)
				break;
			at = pow(10, power) * parts[i];
			if (at >= axis->low && at <= axis->high)
				list[nr++] = at;
		}
	}
	return nr;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Short, for an axis: 20 M instead of 20,000,000. */
static char *tick_text(double value)
{
	if (fabs(value) >= 1e12)
		return mkctl_printf("%.3g", value);
	if (fabs(value) >= 1e9)
		return mkctl_printf("%.4g G", value / 1e9);
	if (fabs(value) >= 1e6)
		return mkctl_printf("%.4g M", value / 1e6);
	return grid_number(value);
}

/* The numbers that were measured, as far as there is room for them. */
static size_t number_ticks(const struct chart *chart, const struct scale *scale,
			   double *list)
{
	double *all = NULL, last = -INFINITY, half, x;
	char *text;
	size_t nr_all = 0, nr = 0, i, j;

	for (i = 0; i < chart->nr; i++) {
		for (j = 0; j < chart->series[i].nr; j++) {
			all = mkctl_grow(all, nr_all + 1, sizeof(*all));
			all[nr_all++] = chart->series[i].points[j].at;
		}
	}
	qsort(all, nr_all, sizeof(*all), compare);
	for (i = 0; i < nr_all && nr < MAX_TICKS; i++) {
		x = place(scale, all[i]);
		text = tick_text(all[i]);
		half = strlen(text) * 5.0 + 4;
		free(text);
		if (x - half < last)
			continue;
		last = x + half;
		list[nr++] = all[i];
	}
	free(all);
	return nr;
}

static void marker(FILE *out, size_t shape, double x, double y)
{
	static const char *const paths[NR_COLOURS] = {
		"m-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0z",
		"m-5-5h10v10h-10z", "m0-6.5l6 11h-12z", "m0-7l6.500 7-6.500 7-6.500-7z",
		"m0 6.500l6-11h-12z", "m-6-2h4v-4h4v4h4v4h-4v4h-4v-4h-4z",
		"m-6 0l3-5.500h6l3 5.500-3 5.500h-6z", "m-6-3h12v6h-12z",
	};

	fprintf(out, "<path d=\"M%.1f %.1f%s\"/>", x, y, paths[shape % NR_COLOURS]);
}

static void begin_series(FILE *out, const struct chart *chart, size_t i)
{
	const struct chart_series *series = &chart->series[i];

	if (series->paper)
		fprintf(out, "<g class=\"paper\">");
	else
		fprintf(out, "<g class=\"series s%zu%s\">", series->look % NR_COLOURS,
			series->look >= NR_COLOURS ? " dashed" : "");
}

static void tip(FILE *out, const struct chart_point *point)
{
	if (!point->tip)
		return;
	fputs("<title>", out);
	html_text(out, point->tip);
	fputs("</title>", out);
}

static void begin(const struct chart *chart, FILE *out, double height)
{
	fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
		width(chart), height);
	html_text(out, chart->title);
	fputs("\">\n", out);
	if (chart->remark) {
		fprintf(out, "<text class=\"remark\" x=\"%.0f\" y=\"20\" text-anchor=\"end\">",
			width(chart) - 8);
		short_text(out, chart->remark, width(chart) / REMARK_LETTER - 3);
		fputs("</text>\n", out);
	}
}

/* A line of the grid and its number; @across: values go to the right. */
static void tick(FILE *out, double pos, double value, double from, double to,
		 int across)
{
	char *number = tick_text(value);

	if (across)
		fprintf(out,
			"<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
			pos, from, to, pos, from + 22, number);
	else
		fprintf(out,
			"<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			from, pos, to, from - 8, pos + 5.5, number);
	free(number);
}

static void axis_label(FILE *out, const struct chart *chart, const char *label,
		       const struct chart_axis *axis, double x, double y, const char *anchor)
{
	fprintf(out, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
		x, y, anchor);
	short_text(out, label, width(chart) / LABEL_LETTER - 13);
	fprintf(out, "%s</text>\n", !axis->log ? "" : axis->zero ? " (log scale, 0 at the edge)" :
		" (log scale)");
}

/* Where the lines end and their names begin. */
static double lines_end(const struct chart *chart)
{
	size_t letters = 12, len, i;

	for (i = 0; i < chart->nr; i++) {
		len = strlen(chart->series[i].name);
		if (len > letters)
			letters = len > NAME_LETTERS ? NAME_LETTERS : len;
	}
	return width(chart) - LEGEND - letters * 9.4;
}

static void lines_body(const struct chart *chart, FILE *out,
		       const struct scale *x, const struct scale *y)
{
	size_t i, j;

	for (i = 0; i < chart->nr; i++) {
		const struct chart_series *series = &chart->series[i];
		double aside = (i - (chart->nr - 1) / 2.0) * DODGE;

		begin_series(out, chart, i);
		for (j = 0; j < series->nr; j++) {
			const struct chart_point *point = &series->points[j];

			if (point->high > point->low)
				fprintf(out, "<path class=\"range\" d=\"M%.1f %.1fV%.1f\"/>",
					place(x, point->at) + aside, place(y, point->low),
					place(y, point->high));
		}
		if (series->nr > 1) {
			fputs("<path class=\"line\" d=\"", out);
			for (j = 0; j < series->nr; j++)
				fprintf(out, "%s%.1f %.1f", j && series->points[j].at >
					series->points[j - 1].at ? "L" : "M",
					place(x, series->points[j].at) + aside,
					place(y, series->points[j].value));
			fputs("\"/>", out);
		}
		for (j = 0; j < series->nr; j++) {
			fputs("<g class=\"point\">", out);
			tip(out, &series->points[j]);
			marker(out, series->look, place(x, series->points[j].at) + aside,
			       place(y, series->points[j].value));
			fputs("</g>", out);
		}
		fputs("</g>\n", out);
	}
}

static void lines_legend(const struct chart *chart, FILE *out, double height)
{
	double x = lines_end(chart) + 18, y = TOP + 8, step = 23;
	size_t i;

	if (chart->nr * step > height - TOP - 10)
		step = (height - TOP - 10) / chart->nr;
	for (i = 0; i < chart->nr; i++, y += step) {
		begin_series(out, chart, i);
		fprintf(out, "<path class=\"line\" d=\"M%.1f %.1fh24\"/>", x, y);
		marker(out, chart->series[i].look, x + 12, y);
		fprintf(out, "</g><text x=\"%.1f\" y=\"%.1f\">", x + 32, y + 5.5);
		short_text(out, chart->series[i].name, NAME_LETTERS);
		fputs("</text>\n", out);
	}
}

static void svg_lines(const struct chart *chart, FILE *out)
{
	double list[MAX_TICKS], height = HEIGHT, more = chart->nr * 21.0 + TOP + 10;
	double end = lines_end(chart);
	/* marks of the first and the last number stay off the axes' own numbers */
	double edge = chart->nr * DODGE / 2 + MARK / 2;
	struct scale x = { chart->at, LEFT + edge, end - edge }, y;
	size_t nr, i;

	if (more > height)
		height = more > 2 * HEIGHT ? 2 * HEIGHT : more;
	y = (struct scale){ chart->value, height - BOTTOM, TOP };
	begin(chart, out, height);
	nr = ticks(&chart->value, list);
	for (i = 0; i < nr; i++)
		tick(out, place(&y, list[i]), list[i], LEFT, end, 0);
	nr = number_ticks(chart, &x, list);
	for (i = 0; i < nr; i++)
		tick(out, place(&x, list[i]), list[i], height - BOTTOM, TOP, 1);
	axis_label(out, chart, chart->at_label, &chart->at, (LEFT + end) / 2,
		   height - 14, "middle");
	axis_label(out, chart, chart->value_label, &chart->value, 8, TOP - 18, "start");
	lines_body(chart, out, &x, &y);
	lines_legend(chart, out, height);
	fputs("</svg>\n", out);
}

/* Names of several kinds of value, in one line above the rows. */
static double rows_legend(const struct chart *chart, FILE *out)
{
	double x = 12, y = 46;
	size_t i;

	if (chart->nr < 2)
		return 34;
	for (i = 0; i < chart->nr; i++) {
		size_t letters = strlen(chart->series[i].name);
		double room;

		if (letters > NAME_LETTERS)
			letters = NAME_LETTERS;
		room = 34 + letters * LETTER;
		if (x + room > width(chart) && x > 12) {
			x = 12;
			y += 24;
		}
		begin_series(out, chart, i);
		marker(out, chart->series[i].look, x + 8, y);
		fprintf(out, "</g><text x=\"%.1f\" y=\"%.1f\">", x + 20, y + 5.5);
		short_text(out, chart->series[i].name, NAME_LETTERS);
		fputs("</text>\n", out);
		x += room;
	}
	return y + 22;
}

static double row_height(const struct chart *chart)
{
	return chart->nr * MARK + 8 > ROW ? chart->nr * MARK + 8 : ROW;
}

static void rows_body(const struct chart *chart, FILE *out,
		      const struct scale *x, double top)
{
	double row = row_height(chart), y;
	size_t i, j;

	for (i = 0; i < chart->nr; i++) {
		begin_series(out, chart, i);
		for (j = 0; j < chart->series[i].nr; j++) {
			const struct chart_point *point = &chart->series[i].points[j];

			y = top + (point->at + 0.5) * row +
			    (i - (chart->nr - 1) / 2.0) * MARK;
			fputs("<g class=\"point\">", out);
			tip(out, point);
			if (point->high > point->low)
				fprintf(out, "<path class=\"range\" d=\"M%.1f %.1fH%.1f\"/>",
					place(x, point->low), y, place(x, point->high));
			marker(out, chart->series[i].look, place(x, point->value), y);
			fputs("</g>", out);
		}
		fputs("</g>\n", out);
	}
}

static void svg_rows(const struct chart *chart, FILE *out)
{
	double list[MAX_TICKS], left = 0, top, bottom, height, row = row_height(chart);
	double last = -INFINITY;
	size_t nr, i, letters;
	struct scale x;
	char *legend = NULL;
	size_t legend_len;
	FILE *text;

	for (i = 0; i < chart->nr_rows; i++) {
		letters = strlen(chart->rows[i]);
		if (letters > NAME_LETTERS)
			letters = NAME_LETTERS;
		if (letters * LETTER > left)
			left = letters * LETTER;
	}
	left += 24;
	text = open_memstream(&legend, &legend_len);
	top = text ? rows_legend(chart, text) : TOP;
	if (text)
		fclose(text);
	bottom = top + chart->nr_rows * row;
	height = bottom + BOTTOM;
	x = (struct scale){ chart->value, left, width(chart) - MARGIN };

	begin(chart, out, height);
	if (legend)
		fputs(legend, out);
	free(legend);
	nr = ticks(&chart->value, list);
	for (i = 0; i < nr; i++) {
		double at = place(&x, list[i]);

		if (at - last < 92)
			continue;
		tick(out, at, list[i], bottom, top, 1);
		last = at;
	}
	for (i = 0; i < chart->nr_rows; i++) {
		double y = top + (i + 0.5) * row;

		fprintf(out,
			"<path class=\"guide\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
			left, y, width(chart) - MARGIN, left - 10, y + 5.5);
		short_text(out, chart->rows[i], NAME_LETTERS);
		fputs("</text>\n", out);
	}
	axis_label(out, chart, chart->value_label, &chart->value,
		   (left + width(chart) - MARGIN) / 2, height - 14, "middle");
	rows_body(chart, out, &x, top);
	fputs("</svg>\n", out);
}

void chart_svg(const struct chart *chart, FILE *out)
{
	if (chart->kind == CHART_LINES)
		svg_lines(chart, out);
	else
		svg_rows(chart, out);
}
