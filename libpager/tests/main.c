// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests of libpager: all, or those whose names contain the argument.
 */
#include <unistd.h>

#include "fake.h"

/* None takes long. */
#define DEADLINE_S	100

static const struct tap_test *const lists[] = {
	group_tests, policy_tests, storm_tests, death_tests,
};

u64 test_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void test_pause(void)
{
	usleep(1000);
}

int test_long_ms(void)
{
	const char *text = getenv("PAGER_LONG_MS");

	return text ? atoi(text) : 20000;
}

int main(int argc, char **argv)
{
	return tap_main(argc > 1 ? argv[1] : NULL, lists, NR_OF(lists),
			DEADLINE_S);
}
