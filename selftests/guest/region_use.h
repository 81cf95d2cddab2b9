/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Using regions of /dev/multikernel, in the fewest words: for the programs that
 * test them. What returns an int returns 0, or a descriptor, or a negative errno.
 */
#ifndef MK_SELFTEST_REGION_USE_H
#define MK_SELFTEST_REGION_USE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "module/uapi.h"

#define PAGE	4096UL
#define PAGES	8
/* Frames of a quarantine and spaces take a moment to go. */
#define WAIT_S	10

int mk_ask(int fd, unsigned long request, void *arg);

int region_open(uint32_t pages);
char *region_map(int fd, uint32_t first, uint32_t pages);
int region_operate(int fd, int op, uint32_t first, uint32_t pages);
/* All monitors, the caller's mm. */
int region_adopt(int fd);
int region_leave(int fd);
/* The lowest version that the monitor of that CPU reads in the first pages. */
int region_check(int fd, int cpu, uint32_t pages, uint64_t *lowest);
uint64_t region_version(const char *page);

enum region_end {
	REGION_EXIT,
	REGION_KILL,
	REGION_EXEC,
};

/*
 * A process that has the region mapped, and its mm adopted if that is wanted; it
 * writes a byte to @ready then, waits for one from @wake, and ends like that.
 */
pid_t region_child(int fd, enum region_end end, bool adopted, int *wake,
		   int *ready);

/* A figure of the tree; all ones if it cannot be had. */
unsigned long long mk_total(const char *file);
/* Does it become that within WAIT_S? */
bool mk_becomes(const char *file, unsigned long long value);

/* The signal that touching it raises, or 0. */
int mk_touch(volatile char *at, bool write);
/* Of a child that ends now: its status, 128 and more for a signal; -1. */
int mk_exit_code(pid_t pid);

#define EXPECT_NOTHING_LEFT() do {					\
	EXPECT_TRUE(mk_becomes("regions/count", 0));			\
	EXPECT_TRUE(mk_becomes("regions/bytes", 0));			\
	EXPECT_TRUE(mk_becomes("spaces/adopted", 0));			\
	EXPECT_TRUE(mk_becomes("spaces/count", 0));			\
} while (0)

#endif /* MK_SELFTEST_REGION_USE_H */
