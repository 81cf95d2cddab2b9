/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last test of a program that keeps the module loaded for all of its tests: the
 * module goes, and leaves nothing. To be included behind them, since fixtures have their
 * turns in the order in which they stand.
 */
#ifndef MK_SELFTEST_GOES_H
#define MK_SELFTEST_GOES_H

#include "test.h"

FIXTURE(module) { };

FIXTURE_SETUP(module) { }

FIXTURE_TEARDOWN(module) { }

TEST_F(module, goes)
{
	/* it may not be here, if there was nothing to be done on this machine */
	if (mk_loaded())
		EXPECT_RET(0, mk_unload_soon(), "unload");
	EXPECT_EQ(0, mk_monitors());
}

#endif /* MK_SELFTEST_GOES_H */
