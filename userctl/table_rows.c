// SPDX-License-Identifier: GPL-2.0
/*
 * What was measured: rows, a section per metric.
 */
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "mkctl.h"
#include "paper.h"
#include "table.h"
#include "table_priv.h"

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
	const char *metric = strcmp(ratio->base_metric, "*") ?
			     ratio->base_metric : group->metric;
	const char *star;
	char *variant;
	size_t i;

	if (!paper_match(ratio->metric, group->metric) ||
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
		    !strcmp(base->metric, metric) &&
		    base->unit == group->unit && is_modelled(base) == is_modelled(group) &&
		    agree(other->size, size) &&
		    agree(other->cpu_a, key->cpu_a) &&
		    agree(other->cpu_b, key->cpu_b) &&
		    (ratio->any_node || agree(other->mem_node, key->mem_node)))
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
	if (group->has_range && (group->n > 0 || group->low < group->high))
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
void print_metric(struct table *table, size_t first, size_t last)
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
	char *title;

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
		title = mkctl_printf("%s%s%s", head->metric,
				     *head->unit ? ", " : "", head->unit);
		print_grid(table, &grid, title);
		free(title);
	}
	if (shown > MAX_ROWS)
		fprintf(table->out, "%s... and %zu more rows in the CSV%s\n",
			table->html ? "<p>" : "", shown - MAX_ROWS,
			table->html ? "</p>" : "");
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
void print_pivot(const struct table *table, size_t first, size_t last)
{
	struct grid_column columns[17] = {
		{ table->layout->size ? table->layout->size : "size", 0, 0 },
	};
	size_t nr = 1, nr_sizes = 0, i, j;
	const struct group *group;
	struct grid grid;
	long long *sizes;
	char *title;

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
	title = mkctl_printf("%s, %s: p50 by %s", table->groups.list[first].metric,
			     table->groups.list[first].unit, columns[0].head);
	print_grid(table, &grid, title);
	free(title);
	grid_free(&grid);
out:
	free(sizes);
}

/* print_values(): from how many metrics on, and up to how many things. */
#define MIN_METRICS	3
#define MAX_THINGS	6

static int same_thing(const struct csv_row *a, const struct csv_row *b)
{
	return a->variant == b->variant && a->tier == b->tier &&
	       a->cpu_a == b->cpu_a && a->cpu_b == b->cpu_b &&
	       a->mem_node == b->mem_node && a->size == b->size;
}

/* "urpc T3 0->1 500 messages": what a column is about. */
static char *thing_text(const struct table *table, const struct csv_row *key)
{
	char *cpus = cpus_text(key), *size = NULL, *text;

	if (key->size > 0)
		size = mkctl_printf(" %lld%s%s", key->size,
				    table->layout->size ? " " : "",
				    table->layout->size ? table->layout->size : "");
	text = mkctl_printf("%s%s%s%s%s%s", key->variant, *key->tier ? " " : "",
			    key->tier, cpus ? " " : "", cpus ? cpus : "",
			    size ? size : "");
	free(cpus);
	free(size);
	return text;
}

static char *value_text(const struct group *group)
{
	char *number, *range, *text;

	if (!group->has_middle)
		return NULL;
	number = grid_number(group->middle);
	if (!group->has_range || group->low >= group->high)
		return number;
	range = range_text(group->low, group->high);
	text = mkctl_printf("%s (%s)", number, range);
	free(range);
	free(number);
	return text;
}

/*
 * Many single values of few things, such as counts: a line per metric and a
 * column per thing. Returns 0 and prints nothing where it is not like that.
 */
int print_values(struct table *table)
{
	struct grid_column columns[MAX_THINGS + 2] = {
		{ "", 1, 0 }, { "unit", 1, 0 },
	};
	const struct csv_row *things[MAX_THINGS];
	const struct group *group, *last = NULL;
	size_t nr_things = 0, metrics = 0, i, j;
	struct grid grid;
	int printed = 0;

	grid_init(&grid, columns, MAX_THINGS + 2);
	for (i = 0; i < table->groups.nr; i++) {
		group = &table->groups.list[i];
		if (is_special(group))
			continue;
		if (group->n > 0 || (table->counts_only && is_time(group->unit)))
			goto out;
		for (j = 0; j < nr_things; j++)
			if (same_thing(things[j], group->key))
				break;
		if (j == MAX_THINGS || metrics > MAX_ROWS)
			goto out;
		if (j == nr_things)
			things[nr_things++] = group->key;
		if (!last || strcmp(last->metric, group->metric) ||
		    last->unit != group->unit) {
			metrics++;
			grid_row(&grid);
			grid_cell(&grid, 0, mkctl_printf("%s", group->metric));
			if (strcmp(group->unit, group->metric))
				grid_cell(&grid, 1, mkctl_printf("%s", group->unit));
		}
		grid_cell(&grid, j + 2, value_text(group));
		table->repeats |= group->repeats > 1;
		last = group;
	}
	if (metrics < MIN_METRICS)
		goto out;
	for (j = 0; j < nr_things; j++)
		columns[j + 2].head = thing_text(table, things[j]);
	for (; j < MAX_THINGS; j++)
		columns[j + 2].head = "";
	print_grid(table, &grid, NULL);
	for (j = 0; j < nr_things; j++)
		free((char *)columns[j + 2].head);
	printed = 1;
out:
	grid_free(&grid);
	return printed;
}
