// SPDX-License-Identifier: GPL-2.0
/*
 * From what was measured to charts.
 */
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "grid.h"
#include "mkctl.h"
#include "paper.h"
#include "table_priv.h"

/* More than anybody tells apart; the rest stands in the tables. */
#define MAX_LINES	24
#define MAX_FIGURE_ROWS	40

static int skipped(const struct figure *figure, const char *variant)
{
	size_t i;

	for (i = 0; figure->skip[i]; i++)
		if (paper_match(figure->skip[i], variant))
			return 1;
	return 0;
}

/* Letters of @metric that @pattern does not say already, 0 if it is not like it. */
static size_t stem_of(const char *pattern, const char *metric)
{
	size_t len = strlen(metric), tail = strlen(pattern + 1);

	if (*pattern != '*')
		return strcmp(pattern, metric) ? 0 : len;
	if (len <= tail || strcmp(metric + len - tail, pattern + 1))
		return 0;
	return len - tail;
}

/* Place of the group's metric in the figure, -1 if it is not drawn. */
static int metric_of(const struct figure *figure, const struct group *group,
		     int counts_only)
{
	int i;

	if (is_special(group) || !group->has_middle ||
	    (counts_only && is_time(group->unit)) ||
	    (figure->unit && strcmp(figure->unit, group->unit)) ||
	    skipped(figure, group->key->variant))
		return -1;
	for (i = 0; figure->metrics[i]; i++)
		if (stem_of(figure->metrics[i], group->metric))
			return i;
	return -1;
}

int figure_plain(struct figure *figure, const char *test,
		 const struct groups *groups, int counts_only)
{
	const struct group *group, *found = NULL;
	int weight, heaviest = 0;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		if (is_special(group) || !group->has_middle ||
		    (counts_only && is_time(group->unit)))
			continue;
		/* Samples before single values, times before counts. */
		weight = group->n > 0 ? 2 : is_time(group->unit);
		if (!found || weight > heaviest) {
			found = group;
			heaviest = weight;
		}
	}
	if (!found)
		return 0;
	*figure = (struct figure){
		.id = "plain", .test = test, .title = found->metric,
		.at = "size", .metrics = { found->metric },
	};
	return 1;
}

/* Which columns tell the groups drawn apart. */
struct parts {
	int tier, cpus, node, size;
};

static void find_parts(const struct figure *figure, const struct groups *groups,
		       int counts_only, struct parts *parts)
{
	const struct csv_row *first = NULL, *last = NULL, *key;
	int metric;
	size_t i;

	memset(parts, 0, sizeof(*parts));
	for (i = 0; i < groups->nr; i++) {
		metric = metric_of(figure, &groups->list[i], counts_only);
		if (metric < 0)
			continue;
		key = groups->list[i].key;
		if (!first)
			first = key;
		parts->size |= key->size != first->size;
		/* Those of one variant lie together. */
		if (last && last->variant == key->variant) {
			parts->tier |= !!strcmp(key->tier, last->tier);
			parts->cpus |= key->cpu_a != last->cpu_a ||
				       key->cpu_b != last->cpu_b;
			parts->node |= key->mem_node != last->mem_node;
		}
		last = key;
	}
}

/* What a line or a row is called; without @size all sizes are one. */
static char *name_of(const struct group *group, const struct parts *parts,
		     int size, int metric)
{
	const struct csv_row *key = group->key;
	char cpus[64] = "", node[32] = "", bytes[32] = "";

	if (parts->cpus && key->cpu_a != CSV_NONE && key->cpu_b != CSV_NONE)
		snprintf(cpus, sizeof(cpus), " %lld->%lld", key->cpu_a, key->cpu_b);
	else if (parts->cpus && key->cpu_a != CSV_NONE)
		snprintf(cpus, sizeof(cpus), " %lld", key->cpu_a);
	if (parts->node && key->mem_node != CSV_NONE)
		snprintf(node, sizeof(node), " node %lld", key->mem_node);
	if (size && parts->size && key->size != CSV_NONE)
		snprintf(bytes, sizeof(bytes), " %lld", key->size);
	return mkctl_printf("%s%s%s%s%s%s%s%s", *key->variant ? key->variant : "-",
			    parts->tier && *key->tier ? " " : "",
			    parts->tier ? key->tier : "", cpus, node, bytes,
			    metric ? " " : "", metric ? group->metric : "");
}

static char *tip_of(const struct group *group, const char *name)
{
	char *middle = grid_number(group->middle), *low = NULL, *high = NULL;
	char *n = NULL, *text, size[32] = "";

	if (group->key->size != CSV_NONE)
		snprintf(size, sizeof(size), " at %lld", group->key->size);
	if (group->has_range) {
		low = grid_number(group->low);
		high = grid_number(group->high);
	}
	if (group->n > 0)
		n = grid_number(group->n);
	text = mkctl_printf("%s%s: %s %s%s%s%s%s%s%s%s%s", name, size,
			    n ? "median" : group->metric, middle, *group->unit ? " " : "",
			    group->unit, low ? (n ? ", p1..p99 " : ", range ") : "",
			    low ? low : "", low ? ".." : "", low ? high : "",
			    n ? ", n " : "", n ? n : "");
	free(middle);
	free(low);
	free(high);
	free(n);
	return text;
}

static struct chart_point point_of(const struct group *group, double at,
				   const char *name)
{
	return (struct chart_point){
		.at = at, .value = group->middle,
		.low = group->has_range && group->low < group->middle ?
		       group->low : group->middle,
		.high = group->has_range && group->high > group->middle ?
			group->high : group->middle,
		.tip = tip_of(group, name),
	};
}

static struct chart_series *series_named(struct chart *chart, const char *name)
{
	size_t i;

	for (i = 0; i < chart->nr; i++)
		if (!strcmp(chart->series[i].name, name))
			return &chart->series[i];
	return NULL;
}

static void paper_point(struct chart *chart, const char *name,
			const struct paper_figure *paper, double at,
			double low, double high)
{
	struct chart_series *series = series_named(chart, name);
	char *number = grid_number(paper->value);

	if (!series)
		series = chart_series(chart, mkctl_printf("%s", name), 1);
	chart_point(series, (struct chart_point){
		.at = at, .value = paper->value, .low = low, .high = high,
		.tip = mkctl_printf("%s: %s, %s", paper_source(paper), number,
				    paper->machine),
	});
	free(number);
}

static void paper_lines(const struct figure *figure, struct chart *chart)
{
	const struct paper_figure *paper = NULL;
	char *name;

	while ((paper = paper_next(paper, figure->test, figure->metrics[0]))) {
		if (paper->size < 0)
			continue;
		name = mkctl_printf("paper: %s", strchr(paper->variant, '*') &&
				    paper->tier ? paper->tier : paper->variant);
		paper_point(chart, name, paper, paper->size, paper->value,
			    paper->value);
		free(name);
	}
}

/* Every figure of the paper that belongs to this row. */
static void paper_row(const struct figure *figure, struct chart *chart,
		      const struct group *group, size_t row)
{
	const struct csv_row *key = group->key;
	const struct paper_figure *paper = NULL;

	while ((paper = paper_next(paper, figure->test, group->metric)))
		if (paper_match(paper->variant, key->variant) &&
		    (!paper->tier || !strncmp(paper->tier, key->tier, strlen(paper->tier))) &&
		    (paper->size < 0 || paper->size == key->size))
			paper_point(chart, "paper", paper, row, paper->value,
				    paper->value);
}

static int by_number(const void *a, const void *b)
{
	const struct chart_point *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void fill_lines(const struct figure *figure, const struct groups *groups,
		       int counts_only, const struct parts *parts,
		       struct chart *chart)
{
	struct chart_series *series;
	const struct group *group;
	char *name;
	size_t i;
	int metric;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		metric = metric_of(figure, group, counts_only);
		if (metric < 0 || group->key->size == CSV_NONE)
			continue;
		name = name_of(group, parts, 0, metric > 0);
		series = series_named(chart, name);
		if (!series && chart->nr < MAX_LINES)
			series = chart_series(chart, mkctl_printf("%s", name), 0);
		if (series)
			chart_point(series, point_of(group, group->key->size, name));
		free(name);
	}
	for (i = 0; i < chart->nr; i++)
		qsort(chart->series[i].points, chart->series[i].nr,
		      sizeof(struct chart_point), by_number);
}

/* The row called @name; @add: a new one where there is none and room. */
static size_t row_named(struct chart *chart, const char *name, int add)
{
	size_t row;

	for (row = 0; row < chart->nr_rows; row++)
		if (!strcmp(chart->rows[row], name))
			return row;
	if (!add || row == MAX_FIGURE_ROWS)
		return MAX_FIGURE_ROWS;
	return chart_row(chart, mkctl_printf("%s", name));
}

/* What a row is called that has a mark for each variant. */
static char *row_of(const struct figure *figure, const struct group *group,
		    const struct parts *parts)
{
	const struct csv_row *key = group->key;
	const char *first = figure->metrics[0];
	size_t len = strlen(group->metric);
	char cpus[64] = "";

	if (parts->cpus && key->cpu_a != CSV_NONE)
		snprintf(cpus, sizeof(cpus), "CPU %lld", key->cpu_a);
	if (*cpus && *first != '*' && !figure->metrics[1])
		return mkctl_printf("%s", cpus);
	/* What all of them end with tells none from the others. */
	if (!strncmp(first, "*_", 2))
		len = stem_of(first, group->metric);
	return mkctl_printf("%.*s%s%s", (int)len, group->metric, *cpus ? ", " : "", cpus);
}

/* Ours, or with @paper what the paper has for the same rows. */
static void fill_rows(const struct figure *figure, const struct groups *groups,
		      int counts_only, const struct parts *parts,
		      long long largest, struct chart *chart, int paper)
{
	const char *what;
	struct chart_series *series;
	const struct group *group;
	char *name, *head;
	size_t i, row;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		if (metric_of(figure, group, counts_only) < 0 ||
		    (figure->largest && group->key->size != largest))
			continue;
		name = name_of(group, parts, !figure->largest, 0);
		head = figure->by_variant ? row_of(figure, group, parts) :
					    mkctl_printf("%s", name);
		what = figure->by_variant ? group->key->variant : group->metric;
		row = row_named(chart, head, !paper);
		if (row < MAX_FIGURE_ROWS && paper) {
			paper_row(figure, chart, group, row);
		} else if (row < MAX_FIGURE_ROWS) {
			series = series_named(chart, what);
			if (!series && chart->nr < MAX_LINES)
				series = chart_series(chart, mkctl_printf("%s", what), 0);
			if (series)
				chart_point(series, point_of(group, row, name));
		}
		free(head);
		free(name);
	}
}

/* What the values are, and of how large a thing if only the largest is shown. */
static char *value_label(const struct figure *figure, const struct group *first,
			 long long largest)
{
	const char *one = figure->value || figure->metrics[1] || *figure->metrics[0] == '*' ?
			  "" : first->metric;
	/* what is counted is its own unit */
	const char *unit = figure->value ? figure->value :
			   strcmp(one, first->unit) ? first->unit : "";
	char *size = figure->largest && largest != CSV_NONE ?
		     mkctl_printf("; %lld %s", largest, figure->largest) : NULL;
	char *label;

	label = mkctl_printf("%s%s%s%s", one, *one && *unit ? ", " : "", unit,
			     size ? size : "");
	free(size);
	return label;
}

/* Those between the two CPUs that are furthest apart; the list is a copy. */
static struct groups furthest(const struct groups *groups)
{
	struct groups some = { .list = mkctl_alloc(groups->nr * sizeof(*groups->list)) };
	const struct csv_row *key, *far = NULL;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		key = groups->list[i].key;
		if (key->cpu_b != CSV_NONE && (!far || strcmp(key->tier, far->tier) > 0))
			far = key;
	}
	for (i = 0; i < groups->nr; i++) {
		key = groups->list[i].key;
		if (!far || (key->cpu_a == far->cpu_a && key->cpu_b == far->cpu_b))
			some.list[some.nr++] = groups->list[i];
	}
	return some;
}

static size_t fill_chart(const struct figure *figure, const struct groups *groups,
			 int counts_only, struct chart *chart)
{
	const struct group *first = NULL;
	long long largest = CSV_NONE;
	struct parts parts;
	size_t i;

	find_parts(figure, groups, counts_only, &parts);
	for (i = 0; i < groups->nr; i++) {
		if (metric_of(figure, &groups->list[i], counts_only) < 0)
			continue;
		if (!first)
			first = &groups->list[i];
		if (groups->list[i].key->size > largest)
			largest = groups->list[i].key->size;
	}
	if (!first)
		return 0;
	chart->title = figure->title;
	chart->kind = figure->rows || figure->by_variant || !parts.size ?
		      CHART_ROWS : CHART_LINES;
	chart->at_label = figure->at ? figure->at : "size";
	chart->value_label = value_label(figure, first, parts.size ? largest : CSV_NONE);
	if (chart->kind == CHART_LINES) {
		fill_lines(figure, groups, counts_only, &parts, chart);
		if (chart_points(chart))
			paper_lines(figure, chart);
	} else {
		fill_rows(figure, groups, counts_only, &parts, largest, chart, 0);
		fill_rows(figure, groups, counts_only, &parts, largest, chart, 1);
	}
	return chart_points(chart);
}

size_t figure_chart(const struct figure *figure, const struct groups *groups,
		    int counts_only, struct chart *chart)
{
	struct groups some;
	size_t points;

	if (!figure->one_pair)
		return fill_chart(figure, groups, counts_only, chart);
	some = furthest(groups);
	points = fill_chart(figure, &some, counts_only, chart);
	free(some.list);
	return points;
}
