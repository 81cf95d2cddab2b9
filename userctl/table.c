// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of results.
 *
 * Nothing here knows an experiment: layout.c says what is particular to one,
 * paper.c what papers say. An experiment that neither knows gets a plain table.
 */
#include <stdlib.h>
#include <string.h>

#include "paper.h"
#include "mkctl.h"
#include "table.h"
#include "table_priv.h"

int is_special(const struct group *group)
{
	return !strcmp(group->key->variant, VARIANT_COUNTERS) ||
	       !strcmp(group->key->variant, VARIANT_ENVIRONMENT);
}

/* Is this unit a time or made from one? */
int is_time(const char *unit)
{
	static const char *const times[] = { "ns", "us", "ms", "s" };
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (!strcmp(unit, times[i]))
			return 1;
	return !!strstr(unit, "cycle") || !!strstr(unit, "/s") ||
	       !!strstr(unit, "/ms");
}

/* The environment row of @metric for that CPU, node and other node. */
const struct group *environment_of(const struct table *table,
				   const char *metric, long long cpu,
				   long long node, long long other)
{
	const struct group *group;
	size_t i;

	for (i = 0; i < table->groups.nr; i++) {
		group = &table->groups.list[i];
		if (!strcmp(group->key->variant, VARIANT_ENVIRONMENT) &&
		    !strcmp(group->metric, metric) && group->has_middle &&
		    group->key->cpu_a == cpu && group->key->mem_node == node &&
		    group->key->size == other)
			return group;
	}
	return NULL;
}

/* The same about no CPU and no node. */
const struct group *environment(const struct table *table, const char *metric)
{
	return environment_of(table, metric, CSV_NONE, CSV_NONE, CSV_NONE);
}

static int is_hidden(const struct layout *layout, const char *metric)
{
	size_t i;

	for (i = 0; layout->hidden[i]; i++)
		if (!strcmp(layout->hidden[i], metric))
			return 1;
	return 0;
}

/* A section per metric, but for times where they mean nothing. */
static void print_metrics(struct table *table)
{
	const struct group *list = table->groups.list;
	size_t first, last;

	for (first = 0; first < table->groups.nr; first = last) {
		for (last = first + 1; last < table->groups.nr; last++)
			if (strcmp(list[last].metric, list[first].metric) ||
			    list[last].unit != list[first].unit)
				break;
		if (table->counts_only && is_time(list[first].unit)) {
			for (; first < last; first++)
				table->left_out += !is_special(&list[first]);
			continue;
		}
		if (is_hidden(table->layout, list[first].metric))
			continue;
		print_metric(table, first, last);
		if (table->layout->pivot)
			print_pivot(table, first, last);
	}
}

static void print_hidden(const struct table *table)
{
	const char *const *hidden = table->layout->hidden;
	size_t i;

	for (i = 0; hidden[i]; i++)
		fprintf(table->out, "%s%s", i ? ", " : "in the CSV only: ", hidden[i]);
	if (i)
		fputc('\n', table->out);
}

static void print_test(struct table *table)
{
	const struct group *list = table->groups.list;
	size_t first, rows = 0;

	print_head(table);
	if (!print_values(table))
		print_metrics(table);
	for (first = 0; first < table->groups.nr; first++)
		rows += !is_special(&list[first]);
	if (!rows)
		fprintf(table->out, "no results\n");
	fputc('\n', table->out);
	if (table->left_out)
		fprintf(table->out, "times left out: %zu; they mean nothing here: %s\n",
			table->left_out, table->counts_only);
	print_hidden(table);
	print_counters(table);
	print_settings(table);
	if (table->repeats)
		fprintf(table->out,
			"with repeats: the median of their medians, the lowest p1 and the highest p99\n");
	/* Nothing to set it beside where the times are not shown. */
	if (!table->left_out)
		paper_footnote(table->out, table->test, table->width);
}

/* To the units that papers use. */
static void convert(struct groups *groups)
{
	struct group *group;
	double divisor;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		divisor = layout_unit(&group->unit);
		group->middle /= divisor;
		group->low /= divisor;
		group->high /= divisor;
	}
}

static int compare_tests(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t i = layout_order(x), j = layout_order(y);

	if (i != j)
		return i < j ? -1 : 1;
	return strcmp(x, y);
}

void table_print(FILE *out, const struct csv *csv, const json_t *env, int width)
{
	const char **tests = NULL;
	size_t nr = 0, i, j;

	for (i = 0; i < csv->nr_rows; i++) {
		for (j = 0; j < nr; j++)
			if (tests[j] == csv->rows[i].test)
				break;
		if (j == nr) {
			tests = mkctl_grow(tests, nr + 1, sizeof(*tests));
			tests[nr++] = csv->rows[i].test;
		}
	}
	if (!nr)
		fprintf(out, "no results\n");
	else
		qsort(tests, nr, sizeof(*tests), compare_tests);
	for (i = 0; i < nr; i++) {
		struct table table = {
			.out = out, .width = width, .env = env,
			.test = tests[i], .layout = layout_find(tests[i]),
			.counts_only = env_counts_only(env),
		};

		if (i)
			fputc('\n', out);
		table.groups = groups_build(csv, tests[i]);
		convert(&table.groups);
		print_test(&table);
		groups_free(&table.groups);
	}
	free(tests);
}
