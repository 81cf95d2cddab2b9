// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of results.
 *
 * Nothing here knows an experiment: layout.c says what is particular to one,
 * paper.c what papers say. An experiment that neither knows gets a plain table.
 */
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "grid.h"
#include "groups.h"
#include "layout.h"
#include "mkctl.h"
#include "paper.h"
#include "runner.h"
#include "table.h"

/* More than anybody reads; the rest stands in the CSV. */
#define MAX_ROWS 400

struct table {
	FILE *out;
	int width;
	const char *test;
	const struct layout *layout;
	const json_t *env;
	struct groups groups;
	size_t left_out;	/* groups of times that mean nothing */
	int repeats;
};

static int is_special(const struct group *group)
{
	return !strcmp(group->key->variant, VARIANT_COUNTERS) ||
	       !strcmp(group->key->variant, VARIANT_ENVIRONMENT);
}

/* Is this unit a time or made from one? */
static int is_time(const char *unit)
{
	static const char *const times[] = { "ns", "us", "ms", "s" };
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (!strcmp(unit, times[i]))
			return 1;
	return !!strstr(unit, "cycle") || !!strstr(unit, "/s");
}

/* Not one of the things compared, but shown beside them. */
static int is_side(const char *variant)
{
	return paper_match("control*", variant) || paper_match("server*", variant);
}

/* Equal, or one of the two does not say. */
static int agree(long long a, long long b)
{
	return a == b || a == CSV_NONE || b == CSV_NONE;
}

/* The group that @ratio sets @group against, NULL if there is none. */
static const struct group *find_base(const struct table *table,
				     const struct layout_ratio *ratio,
				     const struct group *group)
{
	const struct csv_row *key = group->key, *other;
	long long size = ratio->base_size < 0 ? key->size : ratio->base_size;
	const struct group *base, *found = NULL;
	const char *star;
	char *variant;
	size_t i;

	if (strcmp(group->metric, ratio->metric) ||
	    !paper_match(ratio->variant, key->variant))
		return NULL;
	star = strchr(ratio->base_variant, '*');
	if (star)
		variant = mkctl_printf("%.*s%s", (int)(star - ratio->base_variant),
				       ratio->base_variant,
				       key->variant + strlen(ratio->variant) - 1);
	else
		variant = mkctl_printf("%s", ratio->base_variant);
	for (i = 0; i < table->groups.nr && !found; i++) {
		base = &table->groups.list[i];
		other = base->key;
		if (base != group && base->has_middle && base->middle > 0 &&
		    !strcmp(other->variant, variant) &&
		    !strcmp(base->metric, ratio->base_metric) &&
		    base->unit == group->unit && agree(other->size, size) &&
		    agree(other->cpu_a, key->cpu_a) &&
		    agree(other->cpu_b, key->cpu_b) &&
		    agree(other->mem_node, key->mem_node))
			found = base;
	}
	free(variant);
	return found;
}

static char *ratio_text(const struct table *table,
			const struct layout_ratio *ratio,
			const struct group *group)
{
	const struct group *base;
	double value;

	if (!ratio->title || !group->has_middle ||
	    is_side(group->key->variant))
		return NULL;
	base = find_base(table, ratio, group);
	if (!base)
		return NULL;
	value = group->middle / base->middle;
	if (value < 9.995)
		return mkctl_printf("%.2f", value);
	return mkctl_printf(value < 99.95 ? "%.1f" : "%.0f", value);
}

static char *range_text(double low, double high)
{
	char *a = grid_number(low), *b = grid_number(high), *text;

	text = strcmp(a, b) ? mkctl_printf("%s..%s", a, b) : mkctl_printf("%s", a);
	free(a);
	free(b);
	return text;
}

static char *cpus_text(const struct csv_row *key)
{
	if (key->cpu_a == CSV_NONE)
		return NULL;
	if (key->cpu_b == CSV_NONE)
		return mkctl_printf("%lld", key->cpu_a);
	return mkctl_printf("%lld->%lld", key->cpu_a, key->cpu_b);
}

static char *text_or_none(const char *text)
{
	return *text ? mkctl_printf("%s", text) : NULL;
}

static char *count_or_none(long long value)
{
	return value == CSV_NONE ? NULL : mkctl_printf("%lld", value);
}

/* The environment row of @metric for that CPU, node and other node. */
static const struct group *environment_of(const struct table *table,
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
static const struct group *environment(const struct table *table,
				       const char *metric)
{
	return environment_of(table, metric, CSV_NONE, CSV_NONE, CSV_NONE);
}

/* How far the nodes of the two CPUs are apart, where they are two. */
static char *distance_text(const struct table *table, const struct csv_row *key)
{
	const struct group *a, *b, *distance;

	if (key->cpu_a == CSV_NONE || key->cpu_b == CSV_NONE)
		return NULL;
	a = environment_of(table, "node", key->cpu_a, CSV_NONE, CSV_NONE);
	b = environment_of(table, "node", key->cpu_b, CSV_NONE, CSV_NONE);
	if (!a || !b || a->middle == b->middle)
		return NULL;
	distance = environment_of(table, "distance", CSV_NONE, a->middle, b->middle);
	return distance ? grid_number(distance->middle) : NULL;
}

enum column {
	COL_VARIANT, COL_TIER, COL_CPUS, COL_DISTANCE, COL_NODE, COL_SIZE, COL_MIDDLE,
	COL_RANGE, COL_N, COL_RATIO, COL_RATIO_2, COL_PAPER, NR_COLS
};

static void add_row(struct table *table, struct grid *grid,
		    const struct group *group)
{
	const struct csv_row *key = group->key;
	double low, high;

	grid_row(grid);
	grid_cell(grid, COL_VARIANT, mkctl_printf("%s", *key->variant ? key->variant : "-"));
	grid_cell(grid, COL_TIER, text_or_none(key->tier));
	grid_cell(grid, COL_CPUS, cpus_text(key));
	grid_cell(grid, COL_DISTANCE, distance_text(table, key));
	grid_cell(grid, COL_NODE, count_or_none(key->mem_node));
	grid_cell(grid, COL_SIZE, count_or_none(key->size));
	grid_cell(grid, COL_MIDDLE, group->has_middle ? grid_number(group->middle) :
		  mkctl_printf("-"));
	if (group->has_range)
		grid_cell(grid, COL_RANGE, range_text(group->low, group->high));
	if (group->n > 0)
		grid_cell(grid, COL_N, grid_number(group->n));
	grid_cell(grid, COL_RATIO, ratio_text(table, &table->layout->ratios[0], group));
	grid_cell(grid, COL_RATIO_2, ratio_text(table, &table->layout->ratios[1], group));
	if (paper_find(table->test, key->variant, key->tier, group->metric,
		       key->size, &low, &high))
		grid_cell(grid, COL_PAPER, range_text(low, high));
	if (group->repeats > 1)
		table->repeats = 1;
}

/* The groups first … last-1 have one metric and unit: one grid. */
static void print_metric(struct table *table, size_t first, size_t last)
{
	const struct layout *layout = table->layout;
	const struct group *head = &table->groups.list[first];
	struct grid_column columns[NR_COLS] = {
		[COL_VARIANT] = { "variant", 1, 0 },
		[COL_TIER] = { "tier", 1, 0 },
		[COL_CPUS] = { "cpus", 1, 0 },
		[COL_DISTANCE] = { "dist", 0, 4 },
		[COL_NODE] = { "node", 0, 3 },
		[COL_SIZE] = { layout->size ? layout->size : "size", 0, 0 },
		[COL_MIDDLE] = { head->n > 0 ? "p50" : "value", 0, 0 },
		[COL_RANGE] = { head->n > 0 ? "p1..p99" : "range", 0, 0 },
		[COL_N] = { "n", 0, 2 },
		[COL_RATIO] = { layout->ratios[0].title, 0, 0 },
		[COL_RATIO_2] = { layout->ratios[0].title ? layout->ratios[1].title : NULL, 0, 1 },
		[COL_PAPER] = { "paper", 0, 0 },
	};
	struct grid grid;
	size_t i, shown = 0;

	for (i = 0; i < NR_COLS; i++)
		if (!columns[i].head)
			columns[i].head = "";
	grid_init(&grid, columns, NR_COLS);
	for (i = first; i < last; i++) {
		if (is_special(&table->groups.list[i]))
			continue;
		if (shown++ < MAX_ROWS)
			add_row(table, &grid, &table->groups.list[i]);
	}
	if (shown) {
		fprintf(table->out, "\n%s%s%s\n", head->metric,
			*head->unit ? ", " : "", head->unit);
		grid_print(&grid, table->out, table->width);
	}
	if (shown > MAX_ROWS)
		fprintf(table->out, "... and %zu more rows in the CSV\n",
			shown - MAX_ROWS);
	grid_free(&grid);
}

static int compare_sizes(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

/*
 * The medians once more, a column per variant: what a curve over sizes looks
 * like. Only where it says everything, that is where no CPU pair, node or tier
 * tells two rows of one variant and size apart.
 */
static void print_pivot(const struct table *table, size_t first, size_t last)
{
	struct grid_column columns[17] = {
		{ table->layout->size ? table->layout->size : "size", 0, 0 },
	};
	size_t nr = 1, nr_sizes = 0, i, j;
	const struct group *group;
	struct grid grid;
	long long *sizes;

	sizes = mkctl_alloc((last - first) * sizeof(*sizes));
	for (i = first; i < last; i++) {
		group = &table->groups.list[i];
		if (is_special(group) || !group->has_middle ||
		    group->key->size == CSV_NONE)
			continue;
		for (j = 1; j < nr; j++)
			if (columns[j].head == group->key->variant)
				break;
		if (j == sizeof(columns) / sizeof(columns[0]))
			goto out;
		if (j == nr)
			columns[nr++] = (struct grid_column){
				.head = group->key->variant,
				.spare = is_side(group->key->variant),
			};
		sizes[nr_sizes++] = group->key->size;
	}
	qsort(sizes, nr_sizes, sizeof(*sizes), compare_sizes);
	for (i = j = 0; i < nr_sizes; i++)
		if (!i || sizes[i] != sizes[i - 1])
			sizes[j++] = sizes[i];
	nr_sizes = j;
	if (nr < 3 || nr_sizes < 2 || nr_sizes > MAX_ROWS)
		goto out;

	grid_init(&grid, columns, nr);
	for (i = 0; i < nr_sizes; i++) {
		grid_row(&grid);
		grid_cell(&grid, 0, mkctl_printf("%lld", sizes[i]));
		for (j = first; j < last; j++) {
			size_t column;

			group = &table->groups.list[j];
			if (is_special(group) || !group->has_middle ||
			    group->key->size != sizes[i])
				continue;
			for (column = 1; columns[column].head != group->key->variant;)
				column++;
			if (grid.cells[i * nr + column]) {
				grid_free(&grid);
				goto out;
			}
			grid_cell(&grid, column, grid_number(group->middle));
		}
	}
	fprintf(table->out, "\n%s, %s: p50 by %s\n",
		table->groups.list[first].metric,
		table->groups.list[first].unit, columns[0].head);
	grid_print(&grid, table->out, table->width);
	grid_free(&grid);
out:
	free(sizes);
}

/* A list that goes on over lines: "title: a, b, c". */
struct flow {
	FILE *out;
	const char *title;
	int width, column;
};

static void flow_item(struct flow *flow, char *item)
{
	int len = strlen(item);

	if (!flow->column) {
		flow->column = fprintf(flow->out, "%s: ", flow->title);
	} else if (flow->column + len + 3 > flow->width) {
		fputs(",\n  ", flow->out);
		flow->column = 2;
	} else {
		flow->column += fprintf(flow->out, ", ");
	}
	flow->column += fprintf(flow->out, "%s", item);
	free(item);
}

static void flow_end(struct flow *flow)
{
	if (flow->column)
		fputc('\n', flow->out);
}

/* Totals of what the module counted, those that moved. */
static void print_counters(const struct table *table)
{
	struct flow flow = { table->out, "counted over the run", table->width, 0 };
	const struct group *group;
	char *number;
	size_t i;

	for (i = 0; i < table->groups.nr; i++) {
		group = &table->groups.list[i];
		if (strcmp(group->key->variant, VARIANT_COUNTERS) ||
		    group->key->cpu_a != CSV_NONE || !group->has_middle)
			continue;
		number = grid_number(group->middle);
		flow_item(&flow, mkctl_printf("%s %s", group->metric, number));
		free(number);
	}
	flow_end(&flow);
}

/* A number with its unit, or the word that the unit is. */
static char *setting_text(const struct group *group, const char *name)
{
	const char *unit = group->unit;
	char *number = grid_number(group->middle), *text;

	if (!strcmp(unit, "number") || !*unit)
		text = mkctl_printf("%s %s", name, number);
	else if (!strcmp(unit, "bool"))
		text = mkctl_printf("%s %s", name, group->middle != 0 ? "yes" : "no");
	else if (!strcmp(unit, "cpus"))
		text = mkctl_printf("%s %s", name, number);
	else if (is_time(unit) || !strcmp(unit, "khz"))
		text = mkctl_printf("%s %s %s", name, number, unit);
	else
		text = mkctl_printf("%s %s", name, unit);
	free(number);
	return text;
}

/* What the run stood on, from the rows of the module itself. */
static void print_settings(const struct table *table)
{
	struct flow flow = { table->out, "run with", table->width, 0 };
	const struct csv_row *key;
	const char *name;
	size_t i;

	for (i = 0; i < table->groups.nr; i++) {
		key = table->groups.list[i].key;
		name = table->groups.list[i].metric;
		if (strcmp(key->variant, VARIANT_ENVIRONMENT) ||
		    key->cpu_a != CSV_NONE || key->mem_node != CSV_NONE ||
		    !table->groups.list[i].has_middle ||
		    !strcmp(name, "emulated") || !strcmp(name, "status"))
			continue;
		if (!strncmp(name, "param_", 6))
			name += 6;
		flow_item(&flow, setting_text(&table->groups.list[i], name));
	}
	flow_end(&flow);
}

/* The module ends a run with a row that says how it ended. */
static void print_incomplete(const struct table *table)
{
	const char *status = env_status(table->env, table->test);
	const struct group *group = environment(table, "status");

	if (status && strcmp(status, "done"))
		fprintf(table->out, "not complete: %s\n", status);
	else if (!group)
		fprintf(table->out,
			"not complete: the row that ends a run is missing\n");
	else if (group->high != 0 || group->middle != 0)
		fprintf(table->out, "not complete: %s\n",
			runner_reason(group->middle));
}

/* "tcg", "kvm", …, NULL where nobody says. */
static const char *machine_of(const struct table *table)
{
	const struct group *group = environment(table, "hypervisor");
	const char *machine = env_machine(table->env);

	if (!machine && group && *group->unit)
		machine = group->unit;
	return machine;
}

static void print_head(const struct table *table)
{
	const struct group *emulated = environment(table, "emulated");
	const char *machine = machine_of(table);

	fprintf(table->out, "%s%s%s\n", table->test,
		table->layout->title ? ": " : "",
		table->layout->title ? table->layout->title : "");
	if (!emulated)
		fprintf(table->out,
			"whether this was measured under emulation is not recorded\n");
	else if (emulated->middle != 0 || emulated->high != 0)
		fprintf(table->out,
			"measured under emulation (%s): cycles are not those of hardware\n",
			machine ? machine : "by what is not recorded");
	else if (machine && strcmp(machine, "none"))
		fprintf(table->out, "measured in a virtual machine (%s)\n", machine);
	print_incomplete(table);
}

static void print_test(struct table *table)
{
	const char *why = env_counts_only(table->env);
	const struct group *list = table->groups.list;
	size_t first, last, rows = 0;

	print_head(table);
	for (first = 0; first < table->groups.nr; first = last) {
		for (last = first + 1; last < table->groups.nr; last++)
			if (strcmp(list[last].metric, list[first].metric) ||
			    list[last].unit != list[first].unit)
				break;
		if (why && is_time(list[first].unit)) {
			for (; first < last; first++)
				table->left_out += !is_special(&list[first]);
			continue;
		}
		print_metric(table, first, last);
		if (table->layout->pivot)
			print_pivot(table, first, last);
	}
	for (first = 0; first < table->groups.nr; first++)
		rows += !is_special(&list[first]);
	if (!rows)
		fprintf(table->out, "no results\n");
	fputc('\n', table->out);
	if (table->left_out)
		fprintf(table->out, "times left out: %zu; they mean nothing here: %s\n",
			table->left_out, why);
	print_counters(table);
	print_settings(table);
	if (table->repeats)
		fprintf(table->out,
			"with repeats: the median of their p50, the lowest p1 and the highest p99\n");
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
