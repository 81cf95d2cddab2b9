/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pagers without a library, in the fewest words: for the programs that test what
 * the kernel does. After region_use.h. What returns an int returns 0, or a
 * descriptor, or a negative errno.
 */
#ifndef MK_SELFTEST_PAGED_USE_H
#define MK_SELFTEST_PAGED_USE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "module/uapi.h"

#define PAGER_SLOTS	16
#define PAGER_FRAMES	64
#define LONG_MS		10000
#define SHORT_MS	100

struct pager;

/*
 * What becomes of a request: true if @answer, which begins as one with the request's
 * seq and id, is the answer; false if there is none.
 */
typedef bool (*pager_fn)(struct pager *pager,
			 const struct mk_pager_request *request,
			 struct mk_pager_answer *answer);

struct pager {
	int fd;
	int region;
	int node;
	int wake;
	bool stop;
	pager_fn serve;
	pthread_t thread;
	uint64_t next;
	struct mk_pager_side *side;
	struct mk_pager_request *request;
	struct mk_pager_answer *answer;
	char *frames;		/* PAGER_FRAMES of them */
	volatile unsigned int served;
	volatile unsigned int faults;
};

int paged_open(uint32_t pages, uint64_t flags, uint32_t timeout_ms);
int paged_info(int fd, struct mk_paged_info *info);
int paged_look(int fd, uint32_t page, int node, struct mk_paged_look *look);
int paged_unmap(int fd, uint32_t first, uint32_t pages, int protocol);
/* Returns the number of the first, or a negative errno. */
int frame_get(int fd, int node, uint32_t count);
int frame_free(int fd, uint32_t first, uint32_t count);

/* A pager that looks at nothing yet. */
int pager_join(struct pager *pager, int region, int node, uint64_t flags);
/* A thread that serves; and its end. */
int pager_start(struct pager *pager, pager_fn serve);
void pager_stop(struct pager *pager);
void pager_leave(struct pager *pager);
/* The next request, if there is one. */
bool pager_next(struct pager *pager, struct mk_pager_request *request);
/* Waits for one, LONG_MS at most. */
bool pager_wait(struct pager *pager, struct mk_pager_request *request);
void pager_answer(struct pager *pager, const struct mk_pager_answer *answer);

/* Page n is frame n, with all rights. */
bool serve_same(struct pager *pager, const struct mk_pager_request *request,
		struct mk_pager_answer *answer);

/* The word in a frame, from which who reads it knows it. */
volatile uint64_t *frame_word(struct pager *pager, uint32_t frame);

/* The calling thread runs there from now on; its node. */
int run_on(int cpu);
/* A CPU of that node, or -1. */
int cpu_of(int node);
int nr_nodes(void);

#endif /* MK_SELFTEST_PAGED_USE_H */
