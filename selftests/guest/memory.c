// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: what is counted on this machine is what is computed for one of its
 * size, large machines stay within bounds, and channels give back all of it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "test.h"

/* The module on 256 CPUs, before there is a channel. */
#define LIMIT_256_CPUS	(64ULL << 20)

FIXTURE(memory)
{
	unsigned long long monitors, per_monitor, per_channel, channels;
};

FIXTURE_SETUP(memory)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_get_u64("memory/monitors", &self->monitors));
	ASSERT_EQ(0, mk_get_u64("memory/per_monitor", &self->per_monitor));
	ASSERT_EQ(0, mk_get_u64("memory/per_channel", &self->per_channel));
	ASSERT_EQ(0, mk_get_u64("memory/channels", &self->channels));
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_F(memory, computed_is_counted)
{
	EXPECT_EQ(self->monitors, self->per_monitor * mk_cpus_possible());
	EXPECT_EQ(0, self->channels) TH_LOG("a channel before traffic");
}

/*
 * All parts together; and if this machine has one of the sizes that are computed,
 * that is what is computed for it.
 */
TEST_F(memory, predicted_is_counted)
{
	unsigned long long agreement, shootdown, files, here, same, sum;
	int cpus = mk_cpus_possible();
	char name[40];

	ASSERT_EQ(0, mk_get_u64("memory/agreement", &agreement));
	ASSERT_EQ(0, mk_get_u64("memory/shootdown", &shootdown));
	ASSERT_EQ(0, mk_get_u64("memory/files", &files));
	ASSERT_EQ(0, mk_get_u64("memory/predicted/here", &here));
	EXPECT_LT(0, agreement);
	EXPECT_LT(0, shootdown);
	sum = self->monitors + agreement + shootdown + files;
	EXPECT_EQ(sum, here);
	if (cpus != 2 && cpus != 8)
		return;
	snprintf(name, sizeof(name), "memory/predicted/%dcpus", cpus);
	ASSERT_EQ(0, mk_get_u64(name, &same));
	EXPECT_EQ(sum, same);
}

TEST_F(memory, files_are_common_or_of_a_monitor)
{
	unsigned long long common, each, files;

	ASSERT_EQ(0, mk_get_u64("memory/files", &files));
	ASSERT_EQ(0, mk_get_u64("memory/common_files", &common));
	ASSERT_EQ(0, mk_get_u64("memory/files_per_monitor", &each));
	EXPECT_LT(0, common);
	EXPECT_LT(0, each);
	EXPECT_EQ(files, common + each * mk_cpus_possible());
}

TEST_F(memory, large_machines)
{
	unsigned long long small, large;

	ASSERT_EQ(0, mk_get_u64("memory/predicted/8cpus", &small));
	ASSERT_EQ(0, mk_get_u64("memory/predicted/256cpus", &large));
	EXPECT_LT(small, large);
	EXPECT_LE(large, LIMIT_256_CPUS);
}

TEST_F(memory, channels_are_counted_and_given_back)
{
	const struct mk_row *row;
	struct mk_table table;
	char want[MK_FIELD_MAX];
	unsigned long long left;

	ASSERT_EQ(0, mk_exp_small("growth"));
	ASSERT_EQ(0, mk_exp_run("growth"));
	ASSERT_EQ(0, mk_exp_results("growth", &table));
	row = mk_table_find(&table, "idle", "bytes_per_channel");
	ASSERT_NE(NULL, row);
	snprintf(want, sizeof(want), "%llu", self->per_channel);
	EXPECT_STREQ(want, row->field[MK_VALUE]);
	mk_table_free(&table);

	ASSERT_EQ(0, mk_get_u64("memory/channels", &left));
	EXPECT_EQ(0, left);
}

TEST_HARNESS_MAIN
