// SPDX-License-Identifier: GPL-2.0
/*
 * Every experiment: runs with few samples, its results can be read and make
 * sense, it can be cancelled, interrupted and killed, and works afterwards.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

FIXTURE(experiment)
{
	const char *name;
	struct mk_table table;
	pid_t pid;		/* of a run in the background */
};

FIXTURE_VARIANT(experiment)
{
	const char *name;
	bool per_client;	/* size clients take so many samples each */
};

FIXTURE_VARIANT_ADD(experiment, urpc_latency) {
	.name = "urpc_latency",
};

FIXTURE_VARIANT_ADD(experiment, urpc_throughput) {
	.name = "urpc_throughput",
};

FIXTURE_VARIANT_ADD(experiment, shm_vs_msg) {
	.name = "shm_vs_msg", .per_client = true,
};

FIXTURE_VARIANT_ADD(experiment, message_size) {
	.name = "message_size",
};

FIXTURE_VARIANT_ADD(experiment, placement) {
	.name = "placement",
};

FIXTURE_VARIANT_ADD(experiment, notify) {
	.name = "notify",
};

FIXTURE_VARIANT_ADD(experiment, polling_model) {
	.name = "polling_model",
};

FIXTURE_VARIANT_ADD(experiment, growth) {
	.name = "growth",
};

FIXTURE_VARIANT_ADD(experiment, storm) {
	.name = "storm",
};

static const char *const known[] = {
	"urpc_latency", "urpc_throughput", "shm_vs_msg", "message_size",
	"placement", "notify", "polling_model", "growth",
	"storm",
};

FIXTURE_SETUP(experiment)
{
	self->name = variant->name;
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_TRUE(mk_exists(mk_exp_file(self->name, "run")));
	ASSERT_EQ(0, mk_exp_small(self->name));
}

FIXTURE_TEARDOWN(experiment)
{
	mk_table_free(&self->table);
	/* a test that failed early has not waited for it */
	if (self->pid > 0)
		kill(self->pid, SIGKILL);
	EXPECT_RET(0, mk_unload_soon(), "unload");
	EXPECT_EQ(0, mk_monitors());
}

/* An experiment that nobody tests would go unnoticed. */
TEST(all_are_known)
{
	char names[MK_NAMES_MAX][MK_FIELD_MAX];
	int n, i;
	size_t k;

	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	n = mk_experiments(names, MK_NAMES_MAX);
	ASSERT_LT(0, n);
	for (i = 0; i < n; i++) {
		for (k = 0; k < ARRAY_SIZE(known); k++)
			if (!strcmp(names[i], known[k]))
				break;
		EXPECT_LT(k, ARRAY_SIZE(known))
			TH_LOG("no test knows %s", names[i]);
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

/* The last row says how the run ended, with the same errno as the write. */
static void check_status(struct __test_metadata *_metadata,
			 const struct mk_table *table, int ret)
{
	const struct mk_row *last = &table->row[table->rows - 1];

	ASSERT_LT(0, table->rows);
	EXPECT_STREQ("environment", last->field[MK_VARIANT]);
	EXPECT_STREQ("status", last->field[MK_METRIC]);
	EXPECT_EQ(-ret, atoi(last->field[MK_VALUE]));
}

TEST_F(experiment, small_run)
{
	unsigned long long value;
	int ret;

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

/* Each parameter has a line of help, and each line of help a parameter. */
TEST_F(experiment, help)
{
	char text[MK_TEXT_MAX], *line, *save;
	int lines = 0, files = 0;
	char param[MK_FIELD_MAX];

	ASSERT_LT(0, mk_read(mk_exp_file(self->name, "help"), text,
			     sizeof(text)));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "  %63[^:]:", param) != 1 || line[0] != ' ')
			continue;
		lines++;
		files += mk_exists(mk_exp_file(self->name, param));
	}
	EXPECT_EQ(lines, files);
	EXPECT_LT(0, lines);
}

/* --- a run that does not reach its end ---------------------------------------- */

/* Starts one that will not end by itself in the time of the test. */
static pid_t start_large(struct __test_metadata *_metadata, const char *exp)
{
	unsigned long long value;
	pid_t pid;

	EXPECT_EQ(0, mk_exp_large(exp));
	pid = mk_exp_start(exp);
	EXPECT_LT(0, pid);
	EXPECT_EQ(0, mk_get_u64(mk_exp_file(exp, "run"), &value));
	EXPECT_EQ(1, value)
		TH_LOG("%s did not start, or ended at once", exp);
	return pid;
}

static int wait_run(pid_t *pid)
{
	int ret = mk_exp_wait(*pid);

	*pid = 0;
	return ret;
}

/* What holds after every such end: it says so, and the next run works. */
static void check_ended(struct __test_metadata *_metadata, const char *exp,
			int ret)
{
	unsigned long long value;
	struct mk_table table;

	EXPECT_TRUE(mk_exp_idle(exp));
	EXPECT_EQ(0, mk_get_u64(mk_exp_file(exp, "progress"), &value));
	EXPECT_GT(100, value);
	ASSERT_EQ(0, mk_exp_results(exp, &table));
	check_status(_metadata, &table, ret);
	mk_table_free(&table);

	EXPECT_EQ(0, mk_exp_small(exp));
	EXPECT_RET(0, mk_exp_run(exp), "run after it");
	ASSERT_EQ(0, mk_exp_results(exp, &table));
	check_status(_metadata, &table, 0);
	mk_table_free(&table);
}

TEST_F(experiment, cancel)
{
	self->pid = start_large(_metadata, self->name);

	EXPECT_RET(0, mk_put(mk_exp_file(self->name, "run"), "0"), "cancel");
	EXPECT_RET(-ECANCELED, wait_run(&self->pid), self->name);
	check_ended(_metadata, self->name, -ECANCELED);
}

TEST_F(experiment, cancel_without_a_run)
{
	EXPECT_RET(0, mk_put(mk_exp_file(self->name, "run"), "0"), "cancel");
	EXPECT_RET(0, mk_exp_run(self->name), "run after it");
}

TEST_F(experiment, signal)
{
	self->pid = start_large(_metadata, self->name);

	EXPECT_EQ(0, kill(self->pid, SIGUSR1));
	EXPECT_RET(-EINTR, wait_run(&self->pid), self->name);
	check_ended(_metadata, self->name, -EINTR);
}

TEST_F(experiment, kill)
{
	self->pid = start_large(_metadata, self->name);

	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_RET(-EOWNERDEAD, wait_run(&self->pid), self->name);
	check_ended(_metadata, self->name, -EINTR);
}

/* One run at a time, whichever experiment it is of. */
TEST_F(experiment, second_start)
{
	char names[MK_NAMES_MAX][MK_FIELD_MAX];
	int n, i;

	self->pid = start_large(_metadata, self->name);
	n = mk_experiments(names, MK_NAMES_MAX);
	ASSERT_LT(0, n);
	for (i = 0; i < n; i++)
		EXPECT_RET(-EBUSY, mk_exp_run(names[i]), names[i]);
	EXPECT_RET(-EAGAIN, mk_unload(), "unload");
	EXPECT_RET(0, mk_put(mk_exp_file(self->name, "run"), "0"), "cancel");
	EXPECT_RET(-ECANCELED, wait_run(&self->pid), self->name);
}

/* Readers meanwhile: whole rows, never fewer; progress never falls. */
TEST_F(experiment, readers)
{
	unsigned long long value, before = 0;
	size_t rows = 0;
	int i, ret;

	self->pid = start_large(_metadata, self->name);
	for (i = 0; i < 20; i++) {
		ret = mk_exp_results(self->name, &self->table);
		/* just begun: not even the header */
		if (ret == -ENODATA && !rows)
			ret = 0;
		ASSERT_EQ(0, ret)
			TH_LOG("%s at line %zu", mk_errname(ret),
			       self->table.rows);
		EXPECT_LE(rows, self->table.rows);
		rows = self->table.rows;
		mk_table_free(&self->table);
		ASSERT_EQ(0, mk_get_u64(mk_exp_file(self->name, "progress"),
					&value));
		EXPECT_LE(before, value);
		EXPECT_GE(100, value);
		before = value;
		mk_sleep_ms(20);
	}
	EXPECT_RET(0, mk_put(mk_exp_file(self->name, "run"), "0"), "cancel");
	EXPECT_RET(-ECANCELED, wait_run(&self->pid), self->name);
}

/* A parameter written in mid-run is for the next one. */
TEST_F(experiment, parameters_are_a_snapshot)
{
	const char *param = "repeats";
	struct mk_range range;
	const struct mk_row *row;
	char metric[80];

	if (mk_exp_range(self->name, param, &range))
		SKIP(return, "no parameter %s", param);
	self->pid = start_large(_metadata, self->name);
	EXPECT_RET(0, mk_put_u64(mk_exp_file(self->name, param), range.min),
		   param);
	EXPECT_RET(0, mk_put(mk_exp_file(self->name, "run"), "0"), "cancel");
	EXPECT_RET(-ECANCELED, wait_run(&self->pid), self->name);
	ASSERT_EQ(0, mk_exp_results(self->name, &self->table));
	snprintf(metric, sizeof(metric), "param_%s", param);
	row = mk_table_find(&self->table, "environment", metric);
	ASSERT_NE(NULL, row);
	EXPECT_EQ(range.max, strtoull(row->field[MK_VALUE], NULL, 10));
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

TEST_HARNESS_MAIN
