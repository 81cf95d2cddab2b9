/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cells of text in rows and columns.
 */
#ifndef MKCTL_GRID_H
#define MKCTL_GRID_H

#include <stddef.h>
#include <stdio.h>

/**
 * struct grid_column - one column
 * @head: its head
 * @left: its cells stand to the left
 * @spare: 0 must be there; the highest goes first where the width is too small
 */
struct grid_column {
	const char *head;
	int left, spare;
};

struct grid {
	const struct grid_column *columns;
	size_t nr_columns, nr_rows;
	char **cells;
};

void grid_init(struct grid *grid, const struct grid_column *columns, size_t nr);
void grid_row(struct grid *grid);
/* Fills a cell of the last row; takes @text over, NULL leaves it empty. */
void grid_cell(struct grid *grid, size_t column, char *text);
/* Columns in which every cell is empty are left out. */
void grid_print(const struct grid *grid, FILE *out, int width);
/* The same as a table of a page. */
void grid_html(const struct grid *grid, FILE *out);
void grid_free(struct grid *grid);

/* 12,345 or 3.42; the caller frees it. */
char *grid_number(double value);

#endif /* MKCTL_GRID_H */
