// SPDX-License-Identifier: GPL-2.0
/*
 * One test of each outcome, so that the counting can be tested: passes, fails,
 * dies, is skipped, and takes the program with it, which leaves one test of
 * the plan without a result.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

TEST(passes)
{
	EXPECT_EQ(1, 1);
}

TEST(fails)
{
	EXPECT_EQ(1, 2);
}

TEST(dies)
{
	abort();
}

TEST(skipped)
{
	SKIP(return, "on purpose");
}

TEST(kills_the_program)
{
	kill(getppid(), SIGKILL);
	_exit(0);
}

TEST(never_runs)
{
}

TEST_HARNESS_MAIN
