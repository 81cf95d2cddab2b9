// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests of the ring: all, or those whose names contain the argument.
 */
#include "tap.h"
#include "tests.h"

/* None takes long. */
#define DEADLINE_S	120

static const struct tap_test *const lists[] = {
	unit_tests, flow_tests, hostile_tests, inplace_tests, thread_tests,
};

int main(int argc, char **argv)
{
	return tap_main(argc > 1 ? argv[1] : NULL, lists, NR_OF(lists),
			DEADLINE_S);
}
