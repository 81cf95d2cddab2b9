/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that are mirrored, or not: each does what processes do, over and over, and
 * counts what is wrong with its data.
 */
#ifndef MK_SELFTEST_MIRROR_SUBJECT_H
#define MK_SELFTEST_MIRROR_SUBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE		4096
#define THREADS_MAX	32

enum wrong {
	WRONG_DATA, WRONG_ZERO, WRONG_READ_ONLY, WRONG_CHILD,
	WRONG_REMAP, WRONG_SUM, WRONG_CALL, WRONG_STALE, WRONG_HUGE,
	WRONGS
};

/* What a subject and the test that watches it share. */
struct board {
	_Atomic int stop;
	_Atomic uint64_t rounds[THREADS_MAX];
	_Atomic uint64_t wrong;
	_Atomic uint64_t wrong_by[WRONGS];
	_Atomic uint64_t added;
};

/* Both set by who starts subjects: shared memory; how many CPUs they use. */
extern struct board *board;
extern int cpus;

/* All that a process does to its memory, by two threads per CPU. */
void subject_works(void);
/* Threads that stay in user code, one per CPU. */
void subject_spins(void);
/* Pages are taken away on the first CPU, and were read on the last. */
void subject_takes(void);
/* Pages are given up (MADV_FREE), written again, and paged out where clean. */
void subject_spoils(void);
/* Needs many tables. */
void subject_spreads(void);
/* Has itself mirrored through the device. */
void subject_opens(void);

pid_t subject_start(void (*subject)(void));
/* Until every thread, or the first, has done @n rounds more; a minute at most. */
bool subject_goes_on(uint64_t n);
bool subject_first_goes_on(uint64_t n);
/* Tells it to stop; its exit status, or a negative errno. */
int subject_end(pid_t pid);

#endif /* MK_SELFTEST_MIRROR_SUBJECT_H */
