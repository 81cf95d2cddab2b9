/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One table under way, among the files that print it: table.c the order of
 * things, table_rows.c what was measured, table_notes.c what is to be known
 * about it.
 */
#ifndef MKCTL_TABLE_PRIV_H
#define MKCTL_TABLE_PRIV_H

#include <stdio.h>

#include "env.h"
#include "grid.h"
#include "groups.h"
#include "layout.h"

/* More than anybody reads; the rest stands in the CSV. */
#define MAX_ROWS 400

struct table {
	FILE *out;
	int width;
	int html;		/* as part of a page */
	const char *test;
	const struct layout *layout;
	const json_t *env;
	struct groups groups;
	const char *counts_only; /* why times mean nothing, NULL if they do */
	size_t left_out;	/* groups of such times */
	int repeats;
};

/* table.c */
int is_special(const struct group *group);
int is_modelled(const struct group *group);
int is_time(const char *unit);
const struct group *environment_of(const struct table *table,
				   const char *metric, long long cpu,
				   long long node, long long other);
const struct group *environment(const struct table *table, const char *metric);

/* Print a grid with its title, NULL for none. */
void print_grid(const struct table *table, const struct grid *grid,
		const char *title);

/* table_rows.c: the groups first ... last-1 */
void print_metric(struct table *table, size_t first, size_t last);
void print_pivot(const struct table *table, size_t first, size_t last);
int print_values(struct table *table);

/* table_notes.c */
void print_head(const struct table *table);
char *remark_text(const struct table *table);
void print_counters(const struct table *table);
void print_settings(const struct table *table);

#endif /* MKCTL_TABLE_PRIV_H */
