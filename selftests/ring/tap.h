/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The least that a test program needs: checks, skips, KTAP lines.
 */
#ifndef MK_RING_TAP_H
#define MK_RING_TAP_H

#include <stdio.h>

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

#endif /* MK_RING_TAP_H */
