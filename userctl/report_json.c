// SPDX-License-Identifier: GPL-2.0
/*
 * A report for tools: what the tables and figures show, as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "env.h"
#include "layout.h"
#include "report.h"
#include "table.h"

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, text ? json_string(text) : json_null());
}

static void set_whole(json_t *object, const char *name, long long value)
{
	json_object_set_new(object, name, value == CSV_NONE ? json_null() :
			    json_integer(value));
}

static json_t *describe_group(const struct group *group)
{
	json_t *object = json_object();

	set_text(object, "metric", group->metric);
	set_text(object, "unit", group->unit);
	set_text(object, "variant", group->key->variant);
	set_text(object, "tier", group->key->tier);
	set_whole(object, "cpu_a", group->key->cpu_a);
	set_whole(object, "cpu_b", group->key->cpu_b);
	set_whole(object, "mem_node", group->key->mem_node);
	set_whole(object, "size", group->key->size);
	if (group->has_middle) {
		json_object_set_new(object, group->n > 0 ? "p50" : "value",
				    json_real(group->middle));
		json_object_set_new(object, "least_of_repeats",
				    json_real(group->middle_low));
		json_object_set_new(object, "most_of_repeats",
				    json_real(group->middle_high));
	}
	if (group->has_range && group->n > 0) {
		json_object_set_new(object, "p1", json_real(group->low));
		json_object_set_new(object, "p99", json_real(group->high));
	}
	if (group->n > 0)
		json_object_set_new(object, "samples", json_real(group->n));
	json_object_set_new(object, "repeats", json_integer(group->repeats));
	return object;
}

static json_t *describe_test(const struct report_run *run, const char *test)
{
	struct groups groups = table_groups(&run->csv, test);
	char *remark = table_remark(&groups, run->env, test);
	char *answer = answer_of(test, &groups, !!env_counts_only(run->env));
	json_t *object = json_object(), *list = json_array();
	size_t i;

	set_text(object, "experiment", test);
	set_text(object, "title", layout_find(test)->title);
	set_text(object, "remark", remark);
	set_text(object, "answer", answer);
	for (i = 0; i < groups.nr; i++)
		json_array_append_new(list, describe_group(&groups.list[i]));
	json_object_set_new(object, "results", list);
	groups_free(&groups);
	free(remark);
	free(answer);
	return object;
}

void report_json(const struct report *report, FILE *out)
{
	json_t *all = json_object(), *runs = json_array(), *run, *list;
	const char **tests;
	size_t nr, i, j;

	json_object_set_new(all, "format", json_integer(1));
	for (i = 0; i < report->nr; i++) {
		run = json_object();
		list = json_array();
		set_text(run, "name", report->runs[i].name);
		set_text(run, "counts_only", env_counts_only(report->runs[i].env));
		json_object_set(run, "environment", report->runs[i].env ?
				report->runs[i].env : json_null());
		tests = table_tests(&report->runs[i].csv, &nr);
		for (j = 0; j < nr; j++)
			json_array_append_new(list, describe_test(&report->runs[i], tests[j]));
		free(tests);
		json_object_set_new(run, "experiments", list);
		json_array_append_new(runs, run);
	}
	json_object_set_new(all, "runs", runs);
	json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
	json_decref(all);
}
