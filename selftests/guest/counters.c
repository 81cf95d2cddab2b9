// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: the total is the sum, nothing is lost, and what was done shows.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

#define COUNTERS_MAX	32

struct counters {
	char name[COUNTERS_MAX][MK_FIELD_MAX];
	unsigned long long total[COUNTERS_MAX], sum[COUNTERS_MAX];
	int n, cpus;
};

FIXTURE(counters)
{
	struct counters before, after;
};

FIXTURE_SETUP(counters)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
}

FIXTURE_TEARDOWN(counters)
{
	mk_cpus_all_online();
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

static int take_one(const char *file, bool writable, void *arg)
{
	char cpu[MK_FIELD_MAX], name[MK_FIELD_MAX];
	struct counters *counters = arg;
	unsigned long long value;
	int i;

	if (sscanf(file, "counters/%63[^/]/%63[^/]", cpu, name) != 2)
		return -EINVAL;
	if (mk_get_u64(file, &value))
		return -EIO;
	for (i = 0; i < counters->n; i++)
		if (!strcmp(counters->name[i], name))
			break;
	if (i == counters->n) {
		if (i == COUNTERS_MAX)
			return -ENOSPC;
		strcpy(counters->name[counters->n++], name);
	}
	if (!strcmp(cpu, "total")) {
		counters->total[i] = value;
	} else {
		counters->sum[i] += value;
		counters->cpus += !i;
	}
	return 0;
}

static unsigned long long get(const struct counters *counters, const char *name)
{
	int i;

	for (i = 0; i < counters->n; i++)
		if (!strcmp(counters->name[i], name))
			return counters->total[i];
	return ~0ULL;
}

/* Monitors block one after the other: wait until none counts any more. */
static int take_quiet(struct counters *counters)
{
	struct counters last;
	int ret, tries;

	memset(counters, 0, sizeof(*counters));
	ret = mk_walk("counters", take_one, counters);
	for (tries = 0; !ret && tries < 100; tries++) {
		last = *counters;
		mk_sleep_ms(100);
		memset(counters, 0, sizeof(*counters));
		ret = mk_walk("counters", take_one, counters);
		if (!ret && !memcmp(&last, counters, sizeof(last)))
			return 0;
	}
	return ret ? ret : -ETIME;
}

static void check_sums(struct __test_metadata *_metadata,
		       const struct counters *counters)
{
	int i;

	EXPECT_EQ(mk_cpus_possible(), counters->cpus);
	for (i = 0; i < counters->n; i++)
		EXPECT_EQ(counters->sum[i], counters->total[i])
			TH_LOG("%s", counters->name[i]);
	EXPECT_EQ(get(counters, "messages_sent"),
		  get(counters, "messages_received"));
	EXPECT_EQ(get(counters, "acks_sent"), get(counters, "acks_received"));
}

TEST_F(counters, all_are_there)
{
	static const char *const names[] = {
		"messages_sent", "messages_received", "polls", "blocks",
		"wakes", "credit_stalls", "ipis",
	};
	size_t i;

	ASSERT_EQ(0, mk_walk("counters", take_one, &self->before));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_NE(~0ULL, get(&self->before, names[i]))
			TH_LOG("no counter %s", names[i]);
}

/* A monitor with nothing to do sleeps: nothing is counted. */
TEST_F(counters, idle)
{
	ASSERT_EQ(0, take_quiet(&self->before));
	mk_sleep_ms(1000);
	ASSERT_EQ(0, mk_walk("counters", take_one, &self->after));
	EXPECT_EQ(get(&self->before, "polls"), get(&self->after, "polls"));
	EXPECT_EQ(get(&self->before, "messages_sent"),
		  get(&self->after, "messages_sent"));
}

TEST_F(counters, total_is_the_sum)
{
	ASSERT_EQ(0, take_quiet(&self->before));
	check_sums(_metadata, &self->before);
	ASSERT_EQ(0, mk_exp_small("storm"));
	ASSERT_EQ(0, mk_exp_run("storm"));
	ASSERT_EQ(0, take_quiet(&self->after));
	check_sums(_metadata, &self->after);
	if (mk_cpus_online() > 1)
		EXPECT_LT(get(&self->before, "messages_sent"),
			  get(&self->after, "messages_sent"));
}

/* A CPU that goes takes nothing with it. */
TEST_F(counters, hotplug_keeps_the_sum)
{
	int last = mk_cpus_possible() - 1;

	if (!last)
		SKIP(return, "one CPU");
	ASSERT_EQ(0, mk_exp_small("storm"));
	ASSERT_EQ(0, mk_exp_run("storm"));
	ASSERT_EQ(0, take_quiet(&self->before));
	ASSERT_EQ(0, mk_cpu_set(last, false));
	ASSERT_EQ(0, mk_cpu_set(last, true));
	ASSERT_EQ(0, take_quiet(&self->after));
	check_sums(_metadata, &self->after);
	EXPECT_LE(get(&self->before, "messages_sent"),
		  get(&self->after, "messages_sent"));
}

TEST_HARNESS_MAIN
