/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lists of tests, one a file. A program may leave some out.
 */
#ifndef MK_RING_TESTS_H
#define MK_RING_TESTS_H

#include "tap.h"

extern const struct tap_test unit_tests[] __attribute((weak));
extern const struct tap_test flow_tests[] __attribute((weak));
extern const struct tap_test hostile_tests[] __attribute((weak));
extern const struct tap_test inplace_tests[] __attribute((weak));
extern const struct tap_test thread_tests[] __attribute((weak));

#endif /* MK_RING_TESTS_H */
