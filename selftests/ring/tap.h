/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The least that a test program needs: checks, skips, KTAP lines.
 */
#ifndef MK_RING_TAP_H
#define MK_RING_TAP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum tap_result {
	TAP_OK,
	TAP_FAIL,
	TAP_SKIP,
};

/**
 * struct tap_test - a test
 * @name: said in its line; a list ends with NULL
 * @run: TAP_OK, TAP_FAIL or TAP_SKIP
 */
struct tap_test {
	const char *name;
	enum tap_result (*run)(void);
};

/* In a test, or in anything that it calls and that returns enum tap_result. */
#define CHECK(cond)							\
do {									\
	if (!(cond)) {							\
		printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #cond); \
		return TAP_FAIL;					\
	}								\
} while (0)

/* Return early with what a helper returned, unless it is TAP_OK. */
#define TRY(call)							\
do {									\
	enum tap_result try_result = (call);				\
									\
	if (try_result != TAP_OK) {					\
		printf("# %s:%d: in %s\n", __FILE__, __LINE__, #call);	\
		return try_result;					\
	}								\
} while (0)

#define NR_OF(array)	(sizeof(array) / sizeof(*(array)))

static inline const struct tap_test *
tap_nth(const struct tap_test *const *lists, size_t nr, unsigned int n)
{
	const struct tap_test *test;
	size_t i;

	/* A list that is not linked in is NULL. */
	for (i = 0; i < nr; i++)
		for (test = lists[i]; test && test->name; test++)
			if (!n--)
				return test;
	return NULL;
}

/**
 * tap_main() - run tests and say how they went
 * @filter: those whose names contain it; NULL for all
 * @lists: lists of tests, @nr of them
 * @nr: how many
 * @deadline: seconds: a test that hangs is a test that failed
 *
 * Return: what main() returns; none to run is a failure.
 */
static inline int tap_main(const char *filter,
			   const struct tap_test *const *lists, size_t nr,
			   unsigned int deadline)
{
	static const char *const directive[] = { "ok", "not ok", "ok" };
	const struct tap_test *test;
	unsigned int i, n = 0, failed = 0;

	alarm(deadline);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	for (i = 0; (test = tap_nth(lists, nr, i)); i++)
		n += !filter || strstr(test->name, filter);
	printf("1..%u\n", n);

	n = 0;
	for (i = 0; (test = tap_nth(lists, nr, i)); i++) {
		enum tap_result result;

		if (filter && !strstr(test->name, filter))
			continue;
		result = test->run();
		failed += result == TAP_FAIL;
		printf("%s %u - %s%s\n", directive[result], ++n, test->name,
		       result == TAP_SKIP ? " # SKIP not in this build" : "");
	}
	return failed || !n ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif /* MK_RING_TAP_H */
