// SPDX-License-Identifier: GPL-2.0
/*
 * Delivery under load: nothing is lost, doubled, out of order or garbled, with
 * monitors that block and that poll, receivers that are slow, rings that are
 * full. And a sender that is broken on purpose is found out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define ROUNDS		2
#define STORM_TIMEOUT	500

/* The sum over all rounds of what a storm counted. */
struct counts {
	unsigned long long flows, sent, received, lost, duplicated, reordered,
			   corrupted, refused, credit_stalls, blocks, wakes;
};

static unsigned long long sum(const struct mk_table *table, const char *pattern,
			      const char *metric)
{
	unsigned long long total = 0;
	size_t i;

	for (i = 0; i < table->rows; i++)
		if (!strcmp(table->row[i].field[MK_VARIANT], pattern) &&
		    !strcmp(table->row[i].field[MK_METRIC], metric))
			total += strtoull(table->row[i].field[MK_VALUE], NULL,
					  10);
	return total;
}

static void take(const struct mk_table *table, const char *pattern,
		 struct counts *counts)
{
	counts->flows = sum(table, pattern, "flows");
	counts->sent = sum(table, pattern, "sent");
	counts->received = sum(table, pattern, "received");
	counts->lost = sum(table, pattern, "lost");
	counts->duplicated = sum(table, pattern, "duplicated");
	counts->reordered = sum(table, pattern, "reordered");
	counts->corrupted = sum(table, pattern, "corrupted");
	counts->refused = sum(table, pattern, "refused");
	counts->credit_stalls = sum(table, pattern, "credit_stalls");
	counts->blocks = sum(table, pattern, "blocks");
	counts->wakes = sum(table, pattern, "wakes");
}

static void set(struct __test_metadata *_metadata, const char *param,
		unsigned long long value)
{
	ASSERT_EQ(0, mk_put_u64(mk_exp_file("storm", param), value))
		TH_LOG("%s %llu", param, value);
}

static void storm(struct __test_metadata *_metadata, const char *pattern,
		  struct counts *counts)
{
	struct mk_table table;

	ASSERT_EQ(0, mk_put(mk_exp_file("storm", "pattern"), pattern));
	EXPECT_RET(0, mk_exp_run("storm"), pattern);
	ASSERT_EQ(0, mk_exp_results("storm", &table));
	/* flows that send nothing bring nothing */
	take(&table, "control", counts);
	EXPECT_EQ(0, counts->sent);
	EXPECT_EQ(0, counts->received);
	EXPECT_EQ(0, counts->lost);
	take(&table, pattern, counts);
	mk_table_free(&table);
}

static void setup(struct __test_metadata *_metadata)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	set(_metadata, "rounds", ROUNDS);
}

static int flows(const char *pattern)
{
	int n = mk_cpus_online();

	return strcmp(pattern, "all_to_all") ? n - 1 : n * (n - 1);
}

/* --- as it should be -------------------------------------------------------------- */

FIXTURE(delivery)
{
	struct counts counts;
};

FIXTURE_VARIANT(delivery)
{
	const char *pattern;
	unsigned int messages, lines, slow_us;
	long poll_cycles;	/* negative: the default */
	bool stalls;		/* senders must have run out of credit */
};

FIXTURE_VARIANT_ADD(delivery, all_to_all) {
	.pattern = "all_to_all", .messages = 500, .poll_cycles = -1,
};

FIXTURE_VARIANT_ADD(delivery, one_to_all) {
	.pattern = "one_to_all", .messages = 2000, .poll_cycles = -1,
};

FIXTURE_VARIANT_ADD(delivery, all_to_one) {
	.pattern = "all_to_one", .messages = 2000, .poll_cycles = -1,
};

FIXTURE_VARIANT_ADD(delivery, block_at_once) {
	.pattern = "all_to_all", .messages = 500, .poll_cycles = 0,
};

FIXTURE_VARIANT_ADD(delivery, poll_long) {
	.pattern = "all_to_all", .messages = 500, .poll_cycles = 2000000,
};

FIXTURE_VARIANT_ADD(delivery, slow_receivers) {
	.pattern = "all_to_all", .messages = 300, .slow_us = 30,
	.poll_cycles = -1, .stalls = true,
};

FIXTURE_VARIANT_ADD(delivery, slow_receiver_blocks) {
	.pattern = "all_to_one", .messages = 500, .slow_us = 30,
	.poll_cycles = 0, .stalls = true,
};

FIXTURE_VARIANT_ADD(delivery, full_rings_both_ways) {
	.pattern = "all_to_all", .messages = 500, .lines = 8,
	.poll_cycles = -1, .stalls = true,
};

FIXTURE_VARIANT_ADD(delivery, one_line) {
	.pattern = "all_to_all", .messages = 1000, .lines = 1,
	.poll_cycles = -1,
};

FIXTURE_SETUP(delivery)
{
	setup(_metadata);
	set(_metadata, "messages", variant->messages);
	set(_metadata, "lines", variant->lines);
	set(_metadata, "slow_us", variant->slow_us);
	if (variant->poll_cycles >= 0)
		ASSERT_EQ(0, mk_put_u64("monitors/poll_cycles",
					variant->poll_cycles));
}

FIXTURE_TEARDOWN(delivery)
{
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_F_TIMEOUT(delivery, exact, STORM_TIMEOUT)
{
	const struct counts *counts = &self->counts;

	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has nobody to send to");
	storm(_metadata, variant->pattern, &self->counts);
	EXPECT_EQ(ROUNDS * flows(variant->pattern), counts->flows);
	EXPECT_EQ(counts->flows * variant->messages, counts->sent);
	EXPECT_EQ(counts->sent, counts->received);
	EXPECT_EQ(0, counts->lost);
	EXPECT_EQ(0, counts->duplicated);
	EXPECT_EQ(0, counts->reordered);
	EXPECT_EQ(0, counts->corrupted);
	EXPECT_EQ(0, counts->refused);
	/* the situation was the one that the variant is about */
	if (variant->stalls)
		EXPECT_LT(0, counts->credit_stalls);
	if (!variant->poll_cycles) {
		EXPECT_LT(0, counts->blocks);
		EXPECT_LT(0, counts->wakes);
	}
}

/* --- negative controls ------------------------------------------------------------ */

/* Every seventh message of 70 is broken, from the second on. */
#define BROKEN	10

FIXTURE(fault)
{
	struct counts counts;
};

FIXTURE_VARIANT(fault)
{
	const char *name;
	int lost, duplicated, reordered, corrupted;	/* per flow */
};

FIXTURE_VARIANT_ADD(fault, drop) {
	.name = "drop", .lost = BROKEN,
};

FIXTURE_VARIANT_ADD(fault, duplicate) {
	.name = "duplicate", .duplicated = BROKEN,
};

FIXTURE_VARIANT_ADD(fault, reorder) {
	.name = "reorder", .reordered = BROKEN,
};

FIXTURE_VARIANT_ADD(fault, corrupt) {
	.name = "corrupt", .corrupted = BROKEN,
};

FIXTURE_SETUP(fault)
{
	setup(_metadata);
	set(_metadata, "messages", 7 * BROKEN);
	ASSERT_EQ(0, mk_put(mk_exp_file("storm", "fault"), variant->name));
}

FIXTURE_TEARDOWN(fault)
{
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_F_TIMEOUT(fault, is_noticed, STORM_TIMEOUT)
{
	const struct counts *counts = &self->counts;

	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has nobody to send to");
	storm(_metadata, "all_to_all", &self->counts);
	EXPECT_LT(0, counts->flows);
	EXPECT_EQ(counts->flows * variant->lost, counts->lost);
	EXPECT_EQ(counts->flows * variant->duplicated, counts->duplicated);
	EXPECT_EQ(counts->flows * variant->reordered, counts->reordered);
	EXPECT_EQ(counts->flows * variant->corrupted, counts->corrupted);
}

TEST_HARNESS_MAIN
