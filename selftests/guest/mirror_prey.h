/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that a storm over live mirrors is about. It has three threads, which
 * check all they do.
 *
 * Owners have pages of their own, with a version of each in ordinary memory. No
 * page ever has another content than it was given last.
 *
 * The replacer puts other pages of a file in the place of pages, with a higher
 * version, and publishes that once it is done. A reader reads what was
 * published, and then the page: it finds no lower one, or its CPU has used a
 * translation that should have been gone.
 */
#ifndef MK_SELFTEST_MIRROR_PREY_H
#define MK_SELFTEST_MIRROR_PREY_H

#include <stdatomic.h>
#include <sys/types.h>

enum mk_deed {
	MK_WRITE, MK_REMAP, MK_PROTECT, MK_GIVE_UP, MK_PAGE_OUT, MK_DROP,
	MK_FORK, MK_MOVE, MK_CPU,
	MK_DEEDS
};

extern const char *const mk_deed_name[MK_DEEDS];

/**
 * struct mk_prey_board - what all processes and the test share
 * @stop: they are to end
 * @only: what owners do; MK_DEEDS: everything; -1: there are none
 * @done: by owners
 * @wrong: pages that were, after what
 * @replaced: pages
 * @fresh: reads of a page that had been replaced
 * @stale: of those, of what was there before
 */
struct mk_prey_board {
	atomic_bool stop;
	int only;
	atomic_uint done[MK_DEEDS], wrong[MK_DEEDS];
	atomic_uint replaced, fresh, stale;
};

/* A process; the board has to be mapped shared. */
pid_t mk_prey_start(struct mk_prey_board *board, unsigned int seed);

#endif /* MK_SELFTEST_MIRROR_PREY_H */
