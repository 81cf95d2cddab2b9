/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fixture for tests of each experiment: the module is loaded, its parameters
 * are set for a short run. A new experiment is one variant here; a test fails
 * when there is one that has none.
 */
#ifndef MK_SELFTEST_EACH_H
#define MK_SELFTEST_EACH_H

#include <signal.h>

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
	bool mirrors;
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

FIXTURE_VARIANT_ADD(experiment, unmap) {
	.name = "unmap",
};

FIXTURE_VARIANT_ADD(experiment, growth) {
	.name = "growth",
};

FIXTURE_VARIANT_ADD(experiment, storm) {
	.name = "storm",
};

FIXTURE_VARIANT_ADD(experiment, routes) {
	.name = "routes",
};

FIXTURE_VARIANT_ADD(experiment, trees) {
	.name = "trees",
};

FIXTURE_VARIANT_ADD(experiment, shootdown_protocols) {
	.name = "shootdown_protocols",
};

FIXTURE_VARIANT_ADD(experiment, rings) {
	.name = "rings",
};

FIXTURE_VARIANT_ADD(experiment, costs) {
	.name = "costs",
};

FIXTURE_VARIANT_ADD(experiment, two_phase_commit) {
	.name = "two_phase_commit",
};

FIXTURE_VARIANT_ADD(experiment, home_node) {
	.name = "home_node",
};

FIXTURE_VARIANT_ADD(experiment, global_mapping) {
	.name = "global_mapping",
};

FIXTURE_VARIANT_ADD(experiment, mirror_ops) {
	.name = "mirror_ops", .mirrors = true,
};

FIXTURE_VARIANT_ADD(experiment, mirror_locality) {
	.name = "mirror_locality", .mirrors = true,
};

FIXTURE_VARIANT_ADD(experiment, pager) {
	.name = "pager", .mirrors = true,
};

/*
 * Whoever has a short test of each experiment keeps the module for all of them: loading it
 * would take most of the time. Then it goes in the end, see goes.h, or after a failure.
 */
#ifdef MK_EACH_KEEPS
#define mk_each_ends(metadata) (!(metadata)->passed)
#else
#define mk_each_ends(metadata) true
#endif

FIXTURE_SETUP(experiment)
{
	self->name = variant->name;
	if (mk_loaded() && mk_each_ends(_metadata))
		ASSERT_EQ(0, mk_unload_soon());
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	if (variant->mirrors)
		ASSERT_EQ(0, mk_hook());
	ASSERT_TRUE(mk_exists(mk_exp_file(self->name, "run")));
	ASSERT_EQ(0, mk_exp_small(self->name));
}

FIXTURE_TEARDOWN(experiment)
{
	mk_table_free(&self->table);
	/* a test that failed early has not waited for it */
	if (self->pid > 0)
		kill(self->pid, SIGKILL);
	if (!mk_each_ends(_metadata))
		return;
	EXPECT_RET(0, mk_unload_soon(), "unload");
	EXPECT_EQ(0, mk_monitors());
}

/* The last row says how the run ended, with the same errno as the write. */
static inline void check_status(struct __test_metadata *_metadata,
				const struct mk_table *table, int ret)
{
	const struct mk_row *last = &table->row[table->rows - 1];

	ASSERT_LT(0, table->rows);
	EXPECT_STREQ("environment", last->field[MK_VARIANT]);
	EXPECT_STREQ("status", last->field[MK_METRIC]);
	EXPECT_EQ(-ret, atoi(last->field[MK_VALUE]));
}

#endif /* MK_SELFTEST_EACH_H */
