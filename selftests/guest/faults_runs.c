// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation fails once in a run of each experiment: see faults.h.
 */
#define _GNU_SOURCE
#include "faults.h"

/* One way to agree instead of all in turn: it has what the others have. */
static int experiment_prepare(const char *arg)
{
	int ret = loaded_prepare(arg) ?: mk_exp_small(arg);

	if (!ret && mk_exists(mk_exp_file(arg, "transport")))
		ret = mk_put(mk_exp_file(arg, "transport"), "both");
	return ret;
}

static int experiment_walk(const char *arg)
{
	return in_child(mk_exp_run, arg);
}

static int experiment_tidy(const char *arg, int ret)
{
	return mk_exp_idle(arg) ? 0 : -EBUSY;
}

/* All of them take longer than one test may: each test has its share. */
FIXTURE_VARIANT(faults)
{
	int share;
};

#define SHARES	5

FIXTURE_VARIANT_ADD(faults, first) { .share = 0 };
FIXTURE_VARIANT_ADD(faults, second) { .share = 1 };
FIXTURE_VARIANT_ADD(faults, third) { .share = 2 };
FIXTURE_VARIANT_ADD(faults, fourth) { .share = 3 };
FIXTURE_VARIANT_ADD(faults, fifth) { .share = 4 };

TEST_F_TIMEOUT(faults, experiments, FAULTS_TIMEOUT)
{
	char names[MK_NAMES_MAX][MK_FIELD_MAX];
	int n, i;

	ASSERT_EQ(0, mk_load_hooked());
	n = mk_experiments(names, MK_NAMES_MAX);
	ASSERT_LT(0, n);
	for (i = variant->share; i < n; i += SHARES) {
		const struct path path = {
			.name = names[i],
			.arg = names[i],
			.prepare = experiment_prepare,
			.walk = experiment_walk,
			.tidy = experiment_tidy,
		};

		exhaust(_metadata, &path, true);
	}
	if (variant->share == SHARES - 1)
		nothing_is_lost(_metadata);
}

TEST_HARNESS_MAIN
