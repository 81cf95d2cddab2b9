// SPDX-License-Identifier: GPL-2.0
/*
 * Plain text columns that fit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "grid.h"
#include "mkctl.h"

void grid_init(struct grid *grid, const struct grid_column *columns, size_t nr)
{
	memset(grid, 0, sizeof(*grid));
	grid->columns = columns;
	grid->nr_columns = nr;
}

static char **cell_at(const struct grid *grid, size_t row, size_t column)
{
	return &grid->cells[row * grid->nr_columns + column];
}

void grid_row(struct grid *grid)
{
	size_t i;

	grid->nr_rows++;
	grid->cells = mkctl_grow(grid->cells, grid->nr_rows * grid->nr_columns,
				 sizeof(*grid->cells));
	for (i = 0; i < grid->nr_columns; i++)
		*cell_at(grid, grid->nr_rows - 1, i) = NULL;
}

void grid_cell(struct grid *grid, size_t column, char *text)
{
	*cell_at(grid, grid->nr_rows - 1, column) = text;
}

void grid_free(struct grid *grid)
{
	size_t i;

	for (i = 0; i < grid->nr_rows * grid->nr_columns; i++)
		free(grid->cells[i]);
	free(grid->cells);
}

/* Width of a column, 0 if it has nothing to show. */
static size_t column_width(const struct grid *grid, size_t column)
{
	size_t width = 0, row, len;

	for (row = 0; row < grid->nr_rows; row++) {
		if (!*cell_at(grid, row, column))
			continue;
		len = strlen(*cell_at(grid, row, column));
		if (len > width)
			width = len;
	}
	if (width && strlen(grid->columns[column].head) > width)
		width = strlen(grid->columns[column].head);
	return width;
}

static size_t total_width(const struct grid *grid, const size_t *widths, size_t gap)
{
	size_t total = 0, i;

	for (i = 0; i < grid->nr_columns; i++)
		if (widths[i])
			total += widths[i] + (total ? gap : 0);
	return total;
}

/* Make @widths fit: first the gaps shrink, then spare columns go. */
static size_t fit(const struct grid *grid, size_t *widths, size_t width)
{
	size_t i, worst;

	if (total_width(grid, widths, 2) <= width)
		return 2;
	while (total_width(grid, widths, 1) > width) {
		worst = grid->nr_columns;
		for (i = 0; i < grid->nr_columns; i++)
			if (widths[i] && grid->columns[i].spare &&
			    (worst == grid->nr_columns ||
			     grid->columns[i].spare > grid->columns[worst].spare))
				worst = i;
		if (worst == grid->nr_columns)
			break;
		widths[worst] = 0;
	}
	return total_width(grid, widths, 2) <= width ? 2 : 1;
}

static void print_line(const struct grid *grid, FILE *out, const size_t *widths,
		       size_t gap, size_t row)
{
	size_t blank = 0, pad, i;
	const char *text;

	for (i = 0; i < grid->nr_columns; i++) {
		if (!widths[i])
			continue;
		if (row == grid->nr_rows)
			text = grid->columns[i].head;
		else
			text = *cell_at(grid, row, i) ? *cell_at(grid, row, i) : "";
		pad = widths[i] - strlen(text);
		if (!grid->columns[i].left)
			blank += pad;
		/* Blanks wait for text to follow: no line ends in one. */
		if (*text) {
			fprintf(out, "%*s%s", (int)blank, "", text);
			blank = 0;
		} else if (!grid->columns[i].left) {
			pad = 0;
		}
		if (grid->columns[i].left)
			blank += pad;
		blank += gap;
	}
	fputc('\n', out);
}

void grid_print(const struct grid *grid, FILE *out, int width)
{
	size_t *widths, gap, i;

	widths = mkctl_alloc(grid->nr_columns * sizeof(*widths));
	for (i = 0; i < grid->nr_columns; i++)
		widths[i] = column_width(grid, i);
	gap = fit(grid, widths, width);
	print_line(grid, out, widths, gap, grid->nr_rows);
	for (i = 0; i < grid->nr_rows; i++)
		print_line(grid, out, widths, gap, i);
	free(widths);
}

static void html_cell(FILE *out, const struct grid_column *column,
		      const char *element, const char *text)
{
	fprintf(out, "<%s%s>", element, column->left ? "" : " class=\"n\"");
	html_text(out, text);
	fprintf(out, "</%s>", element);
}

void grid_html(const struct grid *grid, FILE *out)
{
	size_t row, i, *widths;
	const char *text;

	widths = mkctl_alloc(grid->nr_columns * sizeof(*widths));
	for (i = 0; i < grid->nr_columns; i++)
		widths[i] = column_width(grid, i);
	fputs("<div class=\"wide\"><table>\n<tr>", out);
	for (i = 0; i < grid->nr_columns; i++)
		if (widths[i])
			html_cell(out, &grid->columns[i], "th", grid->columns[i].head);
	fputs("</tr>\n", out);
	for (row = 0; row < grid->nr_rows; row++) {
		fputs("<tr>", out);
		for (i = 0; i < grid->nr_columns; i++) {
			text = *cell_at(grid, row, i);
			if (widths[i])
				html_cell(out, &grid->columns[i], "td", text ? text : "");
		}
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
	free(widths);
}

char *grid_number(double value)
{
	char digits[64], text[96], *p = text;
	size_t len, i;

	if (!isfinite(value) || fabs(value) > 1e18)
		return mkctl_printf("%.3g", value);
	if (fabs(value) < 100 && value != floor(value)) {
		if (fabs(value) < 0.1)
			return mkctl_printf("%.2g", value);
		return mkctl_printf("%.2f", value);
	}
	if (value < 0)
		*p++ = '-';
	len = snprintf(digits, sizeof(digits), "%.0f", fabs(value));
	for (i = 0; i < len; i++) {
		*p++ = digits[i];
		if (i + 1 < len && (len - i - 1) % 3 == 0)
			*p++ = ',';
	}
	*p = '\0';
	return mkctl_printf("%s", text);
}
