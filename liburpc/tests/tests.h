/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lists of tests, and what several of them need.
 */
#ifndef URPC_TESTS_H
#define URPC_TESTS_H

#include <stdlib.h>
#include <sys/types.h>

#include "private.h"
#include "tap.h"

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN	true
#else
#define WITH_TSAN	false
#endif

/* No wait of a test that passes comes near it. */
#ifndef LONG_MS
#define LONG_MS		10000
#endif

extern const struct tap_test channel_tests[];
extern const struct tap_test thread_tests[];
extern const struct tap_test process_tests[];
extern const struct tap_test hello_tests[];
extern const struct tap_test hostile_tests[];
extern const struct tap_test loop_tests[];

/* main.c */
u64 test_random(u64 *state);
void test_fill(unsigned char *data, u32 bytes, u32 tag);
bool test_filled(const struct urpc_message *message);
int test_send(struct urpc_channel *channel, u32 tag, u32 bytes);
int test_files(void);
int test_fork(struct urpc_channel **channel,
	      const struct urpc_options *options,
	      int (*child)(struct urpc_channel *channel), pid_t *pid);
int test_status(pid_t pid);

#endif /* URPC_TESTS_H */
