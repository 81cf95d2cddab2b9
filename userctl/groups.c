// SPDX-License-Identifier: GPL-2.0
/*
 * From long rows to things measured: percentiles of one sample set are rows of
 * their own, and so is every repetition.
 */
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "mkctl.h"

/* A range counts when both its ends are known. */
#define RANGE_LOW	1
#define RANGE_HIGH	2
#define RANGE_BOTH	(RANGE_LOW | RANGE_HIGH)

/* In this order they lie in a group; the number, with a unit of its own, last. */
enum part { PART_VALUE, PART_P1, PART_P50, PART_P99, PART_OTHER, PART_N };

static const struct {
	const char *suffix;
	enum part part;
} suffixes[] = {
	{ "_p1", PART_P1 }, { "_p10", PART_OTHER }, { "_p50", PART_P50 },
	{ "_p90", PART_OTHER }, { "_p99", PART_P99 }, { "_max", PART_OTHER },
	{ "_n", PART_N },
};

#define NR_SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

/*
 * A row on its way into a group. The ranks are the place of the metric and the
 * variant at their first appearance: the module's order is the table's.
 */
struct item {
	const struct csv_row *row;
	size_t metric_len, metric_rank, variant_rank;
	enum part part;
};

struct ranks {
	const struct item **list;
	size_t nr;
};

/* Length of the metric's name without its suffix, and what the suffix says. */
static size_t base_length(const char *metric, enum part *part)
{
	size_t len = strlen(metric), end, i;

	for (i = 0; i < NR_SUFFIXES; i++) {
		end = strlen(suffixes[i].suffix);
		if (len > end && !strcmp(metric + len - end, suffixes[i].suffix)) {
			*part = suffixes[i].part;
			return len - end;
		}
	}
	*part = PART_VALUE;
	return len;
}

/* The number of samples counts samples, whatever the samples are in. */
static int same_unit(const struct item *a, const struct item *b)
{
	return a->row->unit == b->row->unit ||
	       a->part == PART_N || b->part == PART_N;
}

static size_t metric_rank(struct ranks *ranks, const struct item *item)
{
	const struct item *other;
	size_t i;

	for (i = 0; i < ranks->nr; i++) {
		other = ranks->list[i];
		if (other->metric_len == item->metric_len &&
		    same_unit(other, item) &&
		    !strncmp(other->row->metric, item->row->metric,
			     item->metric_len))
			return i;
	}
	ranks->list = mkctl_grow(ranks->list, i + 1, sizeof(*ranks->list));
	ranks->list[ranks->nr++] = item;
	return i;
}

static size_t variant_rank(struct ranks *ranks, const struct item *item)
{
	size_t i;

	for (i = 0; i < ranks->nr; i++)
		if (ranks->list[i]->row->variant == item->row->variant)
			return i;
	ranks->list = mkctl_grow(ranks->list, i + 1, sizeof(*ranks->list));
	ranks->list[ranks->nr++] = item;
	return i;
}

static int order(long long a, long long b)
{
	return a < b ? -1 : a > b;
}

/* Same thing measured? Everything but repeat, part and value. */
static int compare_thing(const struct item *a, const struct item *b)
{
	int diff = order(a->metric_rank, b->metric_rank);

	if (!diff)
		diff = order(a->variant_rank, b->variant_rank);
	if (!diff)
		diff = strcmp(a->row->tier, b->row->tier);
	if (!diff)
		diff = order(a->row->cpu_a, b->row->cpu_a);
	if (!diff)
		diff = order(a->row->cpu_b, b->row->cpu_b);
	if (!diff)
		diff = order(a->row->mem_node, b->row->mem_node);
	if (!diff)
		diff = order(a->row->size, b->row->size);
	return diff;
}

/* Parts of one thing lie together, each in order of value: see middle(). */
static int compare_items(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	int thing = compare_thing(a, b);

	if (thing)
		return thing;
	if (a->part != b->part)
		return order(a->part, b->part);
	return a->row->value < b->row->value ? -1 : a->row->value > b->row->value;
}

/* Median of @nr items in order of value. */
static double middle(const struct item *items, size_t nr)
{
	return (items[(nr - 1) / 2].row->value + items[nr / 2].row->value) / 2;
}

/* One run of items of the same part. */
static void add_part(struct group *group, const struct item *items, size_t nr)
{
	size_t i;

	if (nr > group->repeats && items->part != PART_OTHER)
		group->repeats = nr;
	switch (items->part) {
	case PART_VALUE:
		group->low = items[0].row->value;
		group->high = items[nr - 1].row->value;
		group->has_range = nr > 1 ? RANGE_BOTH : 0;
		fallthrough;
	case PART_P50:
		group->middle = middle(items, nr);
		group->middle_low = items[0].row->value;
		group->middle_high = items[nr - 1].row->value;
		group->has_middle = 1;
		break;
	case PART_P1:
		group->low = items[0].row->value;
		group->has_range |= RANGE_LOW;
		break;
	case PART_P99:
		group->high = items[nr - 1].row->value;
		group->has_range |= RANGE_HIGH;
		break;
	case PART_N:
		for (i = 0; i < nr; i++)
			group->n += items[i].row->value;
		break;
	case PART_OTHER:
		break;
	}
}

static void finish(struct group *group)
{
	group->has_range = group->has_range == RANGE_BOTH;
}

struct groups groups_build(const struct csv *csv, const char *test)
{
	struct ranks metrics = { 0 }, variants = { 0 };
	struct groups groups = { 0 };
	struct group *group;
	struct item *items;
	size_t nr = 0, i, end;

	items = mkctl_alloc(csv->nr_rows * sizeof(*items));
	for (i = 0; i < csv->nr_rows; i++) {
		if (csv->rows[i].test != test)
			continue;
		items[nr].row = &csv->rows[i];
		items[nr].metric_len = base_length(csv->rows[i].metric,
						   &items[nr].part);
		items[nr].metric_rank = metric_rank(&metrics, &items[nr]);
		items[nr].variant_rank = variant_rank(&variants, &items[nr]);
		nr++;
	}
	free(metrics.list);
	free(variants.list);
	qsort(items, nr, sizeof(*items), compare_items);

	for (i = 0; i < nr; i = end) {
		if (!i || compare_thing(&items[i - 1], &items[i])) {
			if (groups.nr)
				finish(&groups.list[groups.nr - 1]);
			groups.list = mkctl_grow(groups.list, groups.nr + 1,
						 sizeof(*groups.list));
			group = &groups.list[groups.nr++];
			memset(group, 0, sizeof(*group));
			group->key = items[i].row;
			group->unit = group->key->unit;
			group->metric = mkctl_strndup(items[i].row->metric,
						      items[i].metric_len);
		}
		for (end = i + 1; end < nr && items[end].part == items[i].part &&
		     !compare_thing(&items[i], &items[end]); end++)
			;
		add_part(group, items + i, end - i);
	}
	if (groups.nr)
		finish(&groups.list[groups.nr - 1]);
	free(items);
	return groups;
}

void groups_free(struct groups *groups)
{
	size_t i;

	for (i = 0; i < groups->nr; i++)
		free(groups->list[i].metric);
	free(groups->list);
}
