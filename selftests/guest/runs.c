// SPDX-License-Identifier: GPL-2.0
/*
 * A run that does not reach its end: cancelled, interrupted, killed, in
 * somebody's way, with readers. Afterwards the experiment works.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MK_EACH_KEEPS
#include "each.h"

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

/* What the experiments have in common is seen with one of them, if it is brief. */
static bool seen_elsewhere(const char *exp)
{
	return !mk_rounds(1, 0) && strcmp(exp, "urpc_latency");
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
	if (seen_elsewhere(self->name))
		SKIP(return, "the same for each");
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

	if (seen_elsewhere(self->name))
		SKIP(return, "the same for each");
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

	if (seen_elsewhere(self->name))
		SKIP(return, "the same for each");
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

	if (seen_elsewhere(self->name))
		SKIP(return, "the same for each");
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

#include "goes.h"

TEST_HARNESS_MAIN
