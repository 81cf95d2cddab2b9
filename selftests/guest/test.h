/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the test programs: the harness, and what they share.
 */
#ifndef MK_SELFTEST_TEST_H
#define MK_SELFTEST_TEST_H

#include <stdlib.h>

#include "kselftest_harness.h"

#include "experiment.h"
#include "guest.h"

/* Seconds for one test; 30 are few for an emulated machine. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 240

/* Fewer rounds of the same: $MK_BRIEF is set where it would take too long. */
static inline unsigned int mk_rounds(unsigned int full, unsigned int brief)
{
	return getenv("MK_BRIEF") ? brief : full;
}

/* Compares what a call returned, and says for which file. */
#define EXPECT_RET(expected, seen, what) do {				\
	int __want = (expected), __got = (seen);			\
									\
	EXPECT_EQ(__want, __got)					\
		TH_LOG("%s: %s, expected %s", what,			\
		       mk_errname(__got), mk_errname(__want));		\
} while (0)

#endif /* MK_SELFTEST_TEST_H */
