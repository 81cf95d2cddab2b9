// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment pager: do those serve that it says? What it says of its pagers is what
 * the module itself has counted; who has asked nobody has no rows of it; and runs
 * that end in any other way leave nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define EXP		"pager"
/* A run, on a host that has other things to do. */
#define PATIENCE	300
#define SAMPLES		16
#define WARMUP		2

static const char *const pagers[] = { "pager_shm", "pager_urpc", "pager_both" };

FIXTURE(served)
{
	struct mk_table table;
	unsigned long long nodes;
};

static bool quiet(void)
{
	unsigned long long regions, count, frames, mirrors;

	return !mk_get_u64("pagers/regions", &regions) && !regions &&
	       !mk_get_u64("pagers/count", &count) && !count &&
	       !mk_get_u64("pagers/frames", &frames) && !frames &&
	       !mk_get_u64("mirror/count", &mirrors) && !mirrors;
}

/* What belongs to a process that was killed goes a little later than it. */
static bool becomes_quiet(void)
{
	int i;

	for (i = 0; i < 3000 && !quiet(); i++)
		mk_sleep_ms(10);
	return quiet();
}

FIXTURE_SETUP(served)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load_hooked());
	ASSERT_EQ(0, mk_exp_small(EXP));
	ASSERT_EQ(0, mk_put_u64(mk_exp_file(EXP, "samples"), SAMPLES));
	ASSERT_EQ(0, mk_put_u64(mk_exp_file(EXP, "warmup"), WARMUP));
}

FIXTURE_TEARDOWN(served)
{
	mk_table_free(&self->table);
	EXPECT_TRUE(becomes_quiet());
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

static double value(const struct mk_table *table, const char *variant,
		    const char *metric)
{
	const struct mk_row *row = mk_table_find(table, variant, metric);

	return row ? atof(row->field[MK_VALUE]) : -1;
}

/* The sum of all rows, of all numbers of nodes. */
static unsigned long long sum(const struct mk_table *table, const char *variant,
			      const char *end)
{
	unsigned long long all = 0;
	size_t i, len;

	for (i = 0; i < table->rows; i++) {
		const char (*field)[MK_FIELD_MAX] = table->row[i].field;

		len = strlen(field[MK_METRIC]);
		if (!strcmp(field[MK_VARIANT], variant) && len >= strlen(end) &&
		    !strcmp(field[MK_METRIC] + len - strlen(end), end))
			all += strtoull(field[MK_VALUE], NULL, 10);
	}
	return all;
}

static bool has_uffd(void)
{
	long fd = syscall(SYS_userfaultfd, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void check_rows(struct __test_metadata *_metadata,
		       const struct mk_table *table, const char *variant)
{
	const double touched = SAMPLES + WARMUP;

	TH_LOG("%s: served %llu, told %llu, messages %llu", variant,
	       sum(table, variant, "_served"), sum(table, variant, "_notices"),
	       sum(table, variant, "_messages"));
	EXPECT_LE(touched, value(table, variant, "fault_local_served"));
	EXPECT_LT(0, value(table, variant, "fault_local_p50"));
	EXPECT_LT(0, value(table, variant, "establish_p50"));
	EXPECT_LT(0, value(table, variant, "unmap_p50"));
	/* Each server learns of each page that is taken away. */
	EXPECT_LE(touched, value(table, variant, "establish_notices"));
	if (mk_table_find(table, "userfaultfd", NULL))
		EXPECT_LT(0, value(table, variant, "fault_local_ratio"));
	if (value(table, "agents", "nodes") < 2)
		return;
	EXPECT_LE(touched, value(table, variant, "fault_remote_served"));
	EXPECT_LE(touched, value(table, variant, "fault_asked_served"));
}

TEST_F_TIMEOUT(served, rows, PATIENCE)
{
	unsigned long long before, after, said = 0;
	unsigned int i;

	ASSERT_EQ(0, mk_get_u64("pagers/served", &before));
	EXPECT_RET(0, mk_exp_run(EXP), "run");
	ASSERT_EQ(0, mk_get_u64("pagers/served", &after));
	ASSERT_EQ(0, mk_exp_results(EXP, &self->table));
	for (i = 0; i < ARRAY_SIZE(pagers); i++) {
		check_rows(_metadata, &self->table, pagers[i]);
		said += sum(&self->table, pagers[i], "_served");
	}
	if (has_uffd())
		check_rows(_metadata, &self->table, "userfaultfd");
	/* Every fault that a pager has counted, the kernel has had served, and others not. */
	EXPECT_LE(after - before, said);
	EXPECT_GE(after - before + said / 20, said)
		TH_LOG("served: %llu, by the pagers %llu", after - before, said);
	/* Two pagers that agree by messages send some; by locks they do not. */
	if (value(&self->table, "agents", "nodes") > 1) {
		EXPECT_LT(0, value(&self->table, "pager_urpc",
				   "fault_asked_messages"));
		EXPECT_EQ(0, value(&self->table, "pager_shm",
				   "fault_asked_messages"));
	}
	EXPECT_EQ(NULL, mk_table_find(&self->table, "kernel",
				      "fault_local_served"));
}

TEST_F_TIMEOUT(served, one_transport, PATIENCE)
{
	ASSERT_EQ(0, mk_put(mk_exp_file(EXP, "transport"), "shm"));
	ASSERT_EQ(0, mk_put(mk_exp_file(EXP, "nodes"), "1"));
	EXPECT_RET(0, mk_exp_run(EXP), "run");
	ASSERT_EQ(0, mk_exp_results(EXP, &self->table));
	EXPECT_NE(NULL, mk_table_find(&self->table, "pager_shm", NULL));
	EXPECT_EQ(NULL, mk_table_find(&self->table, "pager_urpc", NULL));
	EXPECT_EQ(NULL, mk_table_find(&self->table, "pager_both", NULL));
}

/* As echo 1 > run does it. */
TEST_F_TIMEOUT(served, nobody, PATIENCE)
{
	EXPECT_RET(-ENODEV, mk_put(mk_exp_file(EXP, "run"), "1"), "no agents");
	ASSERT_EQ(0, mk_exp_results(EXP, &self->table));
	EXPECT_EQ(NULL, mk_table_find(&self->table, "pager_shm", NULL));
}

/* It is cancelled, or killed, in the midst of it. */
TEST_F_TIMEOUT(served, ended, PATIENCE)
{
	pid_t pid;
	int i;

	ASSERT_EQ(0, mk_put_u64(mk_exp_file(EXP, "samples"), 1000));
	for (i = 0; i < 2; i++) {
		pid = mk_exp_start(EXP);
		ASSERT_LT(0, pid);
		mk_sleep_ms(200);
		EXPECT_EQ(0, i ? kill(pid, SIGKILL) :
				 mk_put(mk_exp_file(EXP, "run"), "0"));
		EXPECT_RET(i ? -EOWNERDEAD : -ECANCELED, mk_exp_wait(pid),
			   "an ended run");
		EXPECT_TRUE(mk_exp_idle(EXP));
		EXPECT_TRUE(becomes_quiet());
	}
}

TEST_HARNESS_MAIN
