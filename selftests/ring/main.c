// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests of the ring: all, or those whose names contain the argument.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "tests.h"

/* A test that hangs is a test that failed; none takes long. */
#define DEADLINE_S	120

static const struct tap_test *const lists[] = {
	unit_tests, flow_tests, hostile_tests, inplace_tests, thread_tests,
};

static const struct tap_test *nth(unsigned int n)
{
	const struct tap_test *test;
	unsigned int i;

	for (i = 0; i < NR_OF(lists); i++)
		for (test = lists[i]; test && test->name; test++)
			if (!n--)
				return test;
	return NULL;
}

int main(int argc, char **argv)
{
	static const char *const directive[] = { "ok", "not ok", "ok" };
	const char *filter = argc > 1 ? argv[1] : "";
	const struct tap_test *test;
	unsigned int i, n = 0, failed = 0;

	alarm(DEADLINE_S);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	for (i = 0; (test = nth(i)); i++)
		if (strstr(test->name, filter))
			n++;
	printf("1..%u\n", n);

	n = 0;
	for (i = 0; (test = nth(i)); i++) {
		enum tap_result result;

		if (!strstr(test->name, filter))
			continue;
		result = test->run();
		failed += result == TAP_FAIL;
		printf("%s %u - %s%s\n", directive[result], ++n, test->name,
		       result == TAP_SKIP ? " # SKIP not in this build" : "");
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
