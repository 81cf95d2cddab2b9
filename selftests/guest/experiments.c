// SPDX-License-Identifier: GPL-2.0
/*
 * Every experiment runs with few samples, and its results can be read and make
 * sense.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MK_EACH_KEEPS
#include "each.h"

/* An experiment that nobody tests would go unnoticed. */
TEST(all_are_known)
{
	const struct __fixture_variant_metadata *v;
	char names[MK_NAMES_MAX][MK_FIELD_MAX];
	int n, i;

	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	n = mk_experiments(names, MK_NAMES_MAX);
	ASSERT_LT(0, n);
	for (i = 0; i < n; i++) {
		for (v = _experiment_fixture_object.variant; v; v = v->next)
			if (!strcmp(names[i], v->name))
				break;
		EXPECT_NE(NULL, v)
			TH_LOG("each.h has no variant for %s", names[i]);
	}
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

/* --- what results must look like --------------------------------------------- */

/* The part of a metric's name behind its last "_", or "". */
static const char *metric_end(const struct mk_row *row)
{
	const char *end = strrchr(row->field[MK_METRIC], '_');

	return end ? end + 1 : "";
}

/* Whether two rows are about the same: all columns before the metric. */
static bool same_key(const struct mk_row *a, const struct mk_row *b)
{
	int column;

	for (column = 0; column < MK_METRIC; column++)
		if (strcmp(a->field[column], b->field[column]))
			return false;
	return true;
}

/* Rows X_p1, X_p10 ... X_max follow each other and never fall. */
static int check_percentiles(struct __test_metadata *_metadata,
			     const struct mk_table *table)
{
	static const char *const ranks[] = {
		"p1", "p10", "p50", "p90", "p99", "max",
	};
	int series = 0;
	size_t i, k;

	for (i = 0; i < table->rows; i++) {
		const struct mk_row *row = &table->row[i];

		if (strcmp(metric_end(row), "p1"))
			continue;
		series++;
		ASSERT_LE(i + ARRAY_SIZE(ranks) + 1, table->rows);
		for (k = 0; k < ARRAY_SIZE(ranks); k++, row++) {
			EXPECT_STREQ(ranks[k], metric_end(row));
			EXPECT_TRUE(same_key(row, &table->row[i]));
			if (!k)
				continue;
			EXPECT_LE(strtoull(row[-1].field[MK_VALUE], NULL, 10),
				  strtoull(row->field[MK_VALUE], NULL, 10))
				TH_LOG("%s, %s: %s",
				       row->field[MK_VARIANT],
				       row->field[MK_METRIC],
				       row->field[MK_VALUE]);
		}
		EXPECT_STREQ("n", metric_end(row));
	}
	return series;
}

/* As many samples as were asked for. */
static void check_samples(struct __test_metadata *_metadata, const char *exp,
			  bool per_client, const struct mk_table *table)
{
	unsigned long long samples, want;
	size_t i;

	if (mk_get_u64(mk_exp_file(exp, "samples"), &samples))
		return;
	for (i = 0; i < table->rows; i++) {
		const struct mk_row *row = &table->row[i];

		if (strcmp(metric_end(row), "n"))
			continue;
		want = samples;
		if (per_client)
			want *= strtoull(row->field[MK_SIZE], NULL, 10);
		EXPECT_EQ(want, strtoull(row->field[MK_VALUE], NULL, 10))
			TH_LOG("%s, %s", row->field[MK_VARIANT],
			       row->field[MK_METRIC]);
	}
}

static bool is_number(const char *text)
{
	char *end;

	strtod(text, &end);
	return end != text && !*end;
}

/* "" or an integer: CPUs and nodes of rows that have none are empty. */
static bool is_index(const char *text, int below)
{
	char *end;
	long value;

	if (!*text)
		return true;
	value = strtol(text, &end, 10);
	return !*end && value >= 0 && value < below;
}

static void check_rows(struct __test_metadata *_metadata, const char *exp,
		       const struct mk_table *table)
{
	static const char *const tiers[] = { "", "T0", "T1", "T2", "T3" };
	size_t i, k;

	for (i = 0; i < table->rows; i++) {
		const char (*field)[MK_FIELD_MAX] = table->row[i].field;

		EXPECT_STREQ(exp, field[MK_TEST]);
		EXPECT_NE('\0', field[MK_VARIANT][0]);
		EXPECT_NE('\0', field[MK_METRIC][0]);
		EXPECT_NE('\0', field[MK_UNIT][0]);
		EXPECT_TRUE(is_number(field[MK_VALUE]))
			TH_LOG("%s: value '%s'", field[MK_METRIC],
			       field[MK_VALUE]);
		EXPECT_TRUE(is_index(field[MK_CPU_A], mk_cpus_possible()));
		EXPECT_TRUE(is_index(field[MK_CPU_B], mk_cpus_possible()));
		EXPECT_TRUE(is_index(field[MK_MEM_NODE], 64));
		for (k = 0; k < ARRAY_SIZE(tiers); k++)
			if (!strcmp(field[MK_TIER], tiers[k]))
				break;
		EXPECT_LT(k, ARRAY_SIZE(tiers))
			TH_LOG("tier '%s'", field[MK_TIER]);
		/* a tier is that of two CPUs */
		EXPECT_EQ(!field[MK_TIER][0],
			  !field[MK_CPU_A][0] || !field[MK_CPU_B][0]);
	}
}

/* Each parameter has a line of help, and each line of help a parameter. */
static void check_help(struct __test_metadata *_metadata, const char *name)
{
	char text[MK_TEXT_MAX], *line, *save;
	int lines = 0, files = 0;
	char param[MK_FIELD_MAX];

	ASSERT_LT(0, mk_read(mk_exp_file(name, "help"), text, sizeof(text)));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "  %63[^:]:", param) != 1 || line[0] != ' ')
			continue;
		lines++;
		files += mk_exists(mk_exp_file(name, param));
	}
	EXPECT_EQ(lines, files);
	EXPECT_LT(0, lines);
}

TEST_F(experiment, small_run)
{
	unsigned long long value;
	int ret;

	check_help(_metadata, self->name);
	EXPECT_RET(0, mk_exp_run(self->name), self->name);
	EXPECT_EQ(0, mk_get_u64(mk_exp_file(self->name, "progress"), &value));
	EXPECT_EQ(100, value);
	EXPECT_EQ(0, mk_get_u64(mk_exp_file(self->name, "run"), &value));
	EXPECT_EQ(0, value);

	ret = mk_exp_results(self->name, &self->table);
	ASSERT_EQ(0, ret)
		TH_LOG("results: %s at line %zu", mk_errname(ret),
		       self->table.rows);
	check_rows(_metadata, self->name, &self->table);
	check_samples(_metadata, self->name, variant->per_client,
		      &self->table);
	check_status(_metadata, &self->table, 0);
	EXPECT_LE(0, check_percentiles(_metadata, &self->table));
	EXPECT_NE(NULL, mk_table_find(&self->table, "environment", "emulated"));
	EXPECT_NE(NULL, mk_table_find(&self->table, "environment",
				      "tsc_overhead"));
	EXPECT_NE(NULL, mk_table_find(&self->table, "control", NULL))
		TH_LOG("%s has no control", self->name);
}

/* The negative control of the checks above. */
TEST(broken_results_are_noticed)
{
	char good[] = "test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit\n"
		      "a,b,,,,,1,0,c,2,d\n";
	char header[] = "test,variant,tier\na,b,c\n";
	char columns[] = "test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit\n"
			 "a,b,,,,,1,0,c,2\n";
	char cut[] = "test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit\n"
		     "a,b,,,,,1,0,c,2,d";
	struct mk_table table;

	ASSERT_EQ(0, mk_table_parse(good, &table));
	EXPECT_EQ(1, table.rows);
	mk_table_free(&table);
	EXPECT_EQ(-EBADMSG, mk_table_parse(header, &table));
	EXPECT_EQ(-EBADMSG, mk_table_parse(columns, &table));
	EXPECT_EQ(-EBADMSG, mk_table_parse(cut, &table));
}

/* A list with a CPU that is not there; with none that is online. */
TEST_F(experiment, cpus)
{
	const char *file = mk_exp_file(self->name, "cpus");
	char list[32];

	if (!mk_exists(file))
		SKIP(return, "no parameter cpus");
	snprintf(list, sizeof(list), "%d", mk_cpus_possible());
	EXPECT_RET(-ERANGE, mk_put(file, list), list);
	if (mk_cpus_possible() == 1)
		return;
	snprintf(list, sizeof(list), "%d", mk_cpus_possible() - 1);
	ASSERT_EQ(0, mk_put(file, list));
	ASSERT_EQ(0, mk_cpu_set(mk_cpus_possible() - 1, false));
	EXPECT_RET(-ENODEV, mk_exp_run(self->name), "run on no CPU");
	EXPECT_EQ(0, mk_cpu_set(mk_cpus_possible() - 1, true));
	ASSERT_EQ(0, mk_put(file, "\n"));
	EXPECT_RET(0, mk_exp_run(self->name), "run on all CPUs");
}

#include "goes.h"

TEST_HARNESS_MAIN
