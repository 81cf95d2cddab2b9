/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A storm over one paged region: on each CPU a thread that reads, and one that takes
 * pages away. As in the oracle of regions, each page has a version. Who takes it away
 * has written the next one to the page's other frame, and publishes it when nobody
 * has the old frame any more. Whoever reads what is published, and then the page, finds
 * that or more.
 */
#ifndef MK_SELFTEST_PAGED_STORM_H
#define MK_SELFTEST_PAGED_STORM_H

#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "paged_use.h"
#include "region_use.h"

#define CPUS_MAX	16

struct storm_reader {
	pthread_t thread;
	unsigned int number;
	uint64_t reads;
	uint64_t signals;	/* SIGBUS */
	sigjmp_buf jump;
};

/* What is above the line is set by who starts it. */
struct storm {
	char *base;
	struct pager *pager;	/* any: frames are the same for all */
	int fd, cpus, nodes;
	bool local;		/* each node has frames of its own */
	uint32_t broken;	/* enum mk_broken */
	/* --- */
	uint32_t which[PAGES];	/* of its two frames a page has now */
	uint64_t published[PAGES];
	bool stop;
	uint64_t unmaps;
	uint64_t gone;		/* times there was no CPU to do it */
	uint64_t stale;		/* versions that were too old */
	int error;		/* of an unmap, but for that */
	struct storm_reader reader[CPUS_MAX];
	pthread_t renewer;
};

extern struct storm storm;

/* Number of a page's frame; they are 2 * PAGES, for each node where it is local. */
uint32_t storm_frame(int node, uint32_t page, uint32_t which);
/* A pager of it, which runs on its node where that has CPUs. */
bool storm_serve(struct pager *pager, const struct mk_pager_request *request,
		 struct mk_pager_answer *answer);

/* All first frames have version 1. 0 or a negative errno. */
int storm_begin(void);
void storm_end(void);
/* Does each reader read on, and are pages taken away, within @seconds? */
bool storm_goes_on(double seconds);

#endif /* MK_SELFTEST_PAGED_STORM_H */
