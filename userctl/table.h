/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results as tables.
 */
#ifndef MKCTL_TABLE_H
#define MKCTL_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "csv.h"
#include "groups.h"

/* Rows of mkctl itself: what the module's counters gained in a run. */
#define VARIANT_COUNTERS	"counters"
/* Rows of the module about where it measured. */
#define VARIANT_ENVIRONMENT	"environment"
/* In the tier column of rows that nobody measured: see mkctl model. */
#define TIER_MODEL		"model"

/*
 * A table per experiment; @env is what env.json says, NULL if there is none,
 * and @width the columns to keep to.
 */
void table_print(FILE *out, const struct csv *csv, const json_t *env, int width);

/* The table of one experiment as part of a page; @groups as table_groups(). */
void table_html(FILE *out, const struct groups *groups, const json_t *env,
		const char *test);

/* What must stand on all that shows @test: "measured under emulation (tcg)". */
char *table_remark(const struct groups *groups, const json_t *env,
		   const char *test);

/* Names of all experiments in the order of reports; and that order. */
const char **table_tests(const struct csv *csv, size_t *nr);
int table_compare_tests(const void *a, const void *b);

/* Everything about @test, a name of @csv, in the units shown. */
struct groups table_groups(const struct csv *csv, const char *test);

#endif /* MKCTL_TABLE_H */
