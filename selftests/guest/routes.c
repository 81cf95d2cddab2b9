// SPDX-License-Identifier: GPL-2.0
/*
 * Routes and fanout under load: who acknowledges has served, nobody is missing
 * who is there, whatever the shape, also when members sleep and when a CPU comes
 * and goes. And a side that is broken on purpose is found out.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define ROUTES_TIMEOUT	400
#define MESSAGES	mk_rounds(200, 40)

static const char *const shapes[] = {
	"star", "binary", "chain", "planned", "fanout"
};

static unsigned long long value(const struct mk_table *table,
				const char *variant, const char *metric)
{
	const struct mk_row *row = mk_table_find(table, variant, metric);

	return row ? strtoull(row->field[MK_VALUE], NULL, 10) : ~0ULL;
}

FIXTURE(routes)
{
	struct mk_table table;
};

FIXTURE_SETUP(routes)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_put_u64(mk_exp_file("routes", "messages"), MESSAGES));
}

FIXTURE_TEARDOWN(routes)
{
	mk_table_free(&self->table);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

/*
 * Everybody has acknowledged, and had served it. An operation that takes half a
 * second is given up, which a host that is busy otherwise brings about: who is
 * missing then is said to be, and most are not.
 */
static void check_exact(struct __test_metadata *_metadata,
			const struct mk_table *table, int roots)
{
	unsigned long long sent = (unsigned long long)roots * MESSAGES;
	size_t i;

	EXPECT_EQ(0, value(table, "control", "acknowledged"));
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		unsigned long long all = sent * (mk_cpus_online() - 1);
		unsigned long long missing = value(table, shapes[i], "missing");

		EXPECT_EQ(sent, value(table, shapes[i], "operations"));
		EXPECT_EQ(all, value(table, shapes[i], "acknowledged") +
			  missing)
			TH_LOG("%s", shapes[i]);
		EXPECT_GE(all / 2, missing)
			TH_LOG("%s", shapes[i]);
		EXPECT_EQ(0, value(table, shapes[i], "unserved"));
		EXPECT_EQ(0, value(table, shapes[i], "corrupted"));
		EXPECT_EQ(0, value(table, shapes[i], "refused"));
	}
}

TEST_F_TIMEOUT(routes, all_to_all, ROUTES_TIMEOUT)
{
	unsigned long long cells, nr, each;

	ASSERT_EQ(0, mk_exp_run("routes"));
	ASSERT_EQ(0, mk_exp_results("routes", &self->table));
	check_exact(_metadata, &self->table, mk_cpus_online());

	/* memory: what is counted is what is computed */
	ASSERT_EQ(0, mk_get_u64("memory/cells", &cells));
	ASSERT_EQ(0, mk_get_u64("memory/nr_cells", &nr));
	ASSERT_EQ(0, mk_get_u64("memory/per_cell", &each));
	EXPECT_EQ(cells, nr * each);
	if (mk_cpus_online() > 1)
		EXPECT_LT(0, nr);
}

TEST_F_TIMEOUT(routes, members_sleep, ROUTES_TIMEOUT)
{
	ASSERT_EQ(0, mk_put_u64("monitors/poll_cycles", 0));
	ASSERT_EQ(0, mk_put(mk_exp_file("routes", "pattern"), "one_to_all"));
	ASSERT_EQ(0, mk_exp_run("routes"));
	ASSERT_EQ(0, mk_exp_results("routes", &self->table));
	check_exact(_metadata, &self->table, 1);
}

/* Forked: off line and back, until killed. */
static void toggle(int cpu)
{
	for (;;) {
		mk_cpu_set(cpu, false);
		usleep(200000);
		mk_cpu_set(cpu, true);
		usleep(200000);
	}
}

/*
 * Never a wrong acknowledgment. Afterwards whatever was left unanswered goes away
 * with the next messages, and everybody is reached again.
 */
TEST_F_TIMEOUT(routes, hotplug, ROUTES_TIMEOUT)
{
	int last = mk_cpus_possible() - 1;
	unsigned long long missing = 0;
	size_t i;
	pid_t pid;

	if (!last)
		SKIP(return, "one CPU");
	ASSERT_EQ(0, mk_put_u64(mk_exp_file("routes", "messages"),
				10 * MESSAGES));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		toggle(last);
	EXPECT_EQ(0, mk_exp_run("routes"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	mk_cpus_all_online();
	ASSERT_EQ(0, mk_exp_results("routes", &self->table));
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		EXPECT_EQ(0, value(&self->table, shapes[i], "unserved"))
			TH_LOG("%s", shapes[i]);
		EXPECT_EQ(0, value(&self->table, shapes[i], "corrupted"));
		missing += value(&self->table, shapes[i], "missing");
	}
	/* the situation was the one that the test is about */
	EXPECT_LT(0, missing);
	mk_table_free(&self->table);

	ASSERT_EQ(0, mk_put_u64(mk_exp_file("routes", "messages"), MESSAGES));
	EXPECT_EQ(0, mk_exp_run("routes"));
	EXPECT_EQ(0, mk_exp_run("routes"));
	ASSERT_EQ(0, mk_exp_results("routes", &self->table));
	check_exact(_metadata, &self->table, mk_cpus_online());
}

static void fault(struct __test_metadata *_metadata, struct mk_table *table,
		  const char *name, const char *metric)
{
	size_t i;

	if (mk_cpus_online() == 1)
		return;
	ASSERT_EQ(0, mk_put(mk_exp_file("routes", "fault"), name));
	ASSERT_EQ(0, mk_exp_run("routes"));
	ASSERT_EQ(0, mk_exp_results("routes", table));
	EXPECT_EQ(0, value(table, "control", metric));
	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		EXPECT_LT(0, value(table, shapes[i], metric))
			TH_LOG("%s is not noticed: %s", name, shapes[i]);
}

TEST_F_TIMEOUT(routes, skip_is_seen, ROUTES_TIMEOUT)
{
	fault(_metadata, &self->table, "skip", "unserved");
}

TEST_F_TIMEOUT(routes, early_is_seen, ROUTES_TIMEOUT)
{
	fault(_metadata, &self->table, "early", "unserved");
}

TEST_F_TIMEOUT(routes, corrupt_is_seen, ROUTES_TIMEOUT)
{
	fault(_metadata, &self->table, "corrupt", "corrupted");
}

TEST_HARNESS_MAIN
