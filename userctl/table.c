// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of results, as plain text and as parts of a page.
 *
 * Nothing here knows an experiment: layout.c says what is particular to one,
 * paper.c what papers say. An experiment that neither knows gets a plain table.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "chart.h"
#include "paper.h"
#include "mkctl.h"
#include "table.h"
#include "table_priv.h"

int is_special(const struct group *group)
{
	return !strcmp(group->key->variant, VARIANT_COUNTERS) ||
	       !strcmp(group->key->variant, VARIANT_ENVIRONMENT);
}

int is_modelled(const struct group *group)
{
	return !strcmp(group->key->tier, TIER_MODEL);
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

void print_grid(const struct table *table, const struct grid *grid,
		const char *title)
{
	if (table->html) {
		if (title) {
			fputs("<h4>", table->out);
			html_text(table->out, title);
			fputs("</h4>\n", table->out);
		}
		grid_html(grid, table->out);
	} else {
		fprintf(table->out, "\n%s%s", title ? title : "", title ? "\n" : "");
		grid_print(grid, table->out, table->width);
	}
}

static void print_rows(struct table *table)
{
	if (!print_values(table))
		print_metrics(table);
}

/* All that is to be known beside the rows. */
static void print_notes(struct table *table)
{
	const struct group *list = table->groups.list;
	size_t first, rows = 0;

	for (first = 0; first < table->groups.nr; first++)
		rows += !is_special(&list[first]);
	if (!rows)
		fprintf(table->out, "no results\n");
	if (!table->html)
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

/* What @print prints, as lines of a page. */
static void html_notes(struct table *table, FILE *out,
		       void (*print)(struct table *table))
{
	char *text = NULL;
	size_t len;

	table->out = open_memstream(&text, &len);
	if (table->out) {
		print(table);
		fclose(table->out);
	}
	table->out = out;
	if (text && *text) {
		fputs("<p class=\"notes\">", out);
		html_text(out, text);
		fputs("</p>\n", out);
	}
	free(text);
}

static void print_remarks(struct table *table)
{
	print_head(table);
}

static void print_answer(const struct table *table)
{
	char *answer = answer_of(table->test, &table->groups, !!table->counts_only);
	int column = 0;

	if (answer)
		paper_flow(table->out, answer, table->width, &column);
	free(answer);
}

static void print_test(struct table *table)
{
	print_head(table);
	print_answer(table);
	print_rows(table);
	print_notes(table);
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
		group->middle_low /= divisor;
		group->middle_high /= divisor;
		group->low /= divisor;
		group->high /= divisor;
	}
}

struct groups table_groups(const struct csv *csv, const char *test)
{
	struct groups groups = groups_build(csv, test);

	convert(&groups);
	return groups;
}

int table_compare_tests(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t i = layout_order(x), j = layout_order(y);

	if (i != j)
		return i < j ? -1 : 1;
	return strcmp(x, y);
}

const char **table_tests(const struct csv *csv, size_t *nr)
{
	const char **tests = NULL;
	size_t i, j;

	*nr = 0;
	for (i = 0; i < csv->nr_rows; i++) {
		for (j = 0; j < *nr; j++)
			if (tests[j] == csv->rows[i].test)
				break;
		if (j == *nr) {
			tests = mkctl_grow(tests, *nr + 1, sizeof(*tests));
			tests[(*nr)++] = csv->rows[i].test;
		}
	}
	if (*nr)
		qsort(tests, *nr, sizeof(*tests), table_compare_tests);
	return tests;
}

/* The table of @test, not printed yet; @groups stay the caller's. */
static struct table begin(FILE *out, const struct groups *groups,
			  const json_t *env, const char *test)
{
	return (struct table){
		.out = out, .env = env, .test = test, .groups = *groups,
		.layout = layout_find(test), .counts_only = env_counts_only(env),
	};
}

void table_print(FILE *out, const struct csv *csv, const json_t *env, int width)
{
	struct groups groups;
	struct table table;
	const char **tests;
	size_t nr, i;

	tests = table_tests(csv, &nr);
	if (!nr)
		fprintf(out, "no results\n");
	for (i = 0; i < nr; i++) {
		if (i)
			fputc('\n', out);
		groups = table_groups(csv, tests[i]);
		table = begin(out, &groups, env, tests[i]);
		table.width = width;
		print_test(&table);
		groups_free(&groups);
	}
	free(tests);
}

void table_html(FILE *out, const struct groups *groups, const json_t *env,
		const char *test)
{
	struct table table = begin(out, groups, env, test);

	table.html = 1;
	table.width = INT_MAX;
	html_notes(&table, out, print_remarks);
	print_rows(&table);
	html_notes(&table, out, print_notes);
}

char *table_remark(const struct groups *groups, const json_t *env,
		   const char *test)
{
	struct table table = begin(NULL, groups, env, test);

	return remark_text(&table);
}
