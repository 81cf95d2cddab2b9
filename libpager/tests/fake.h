/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel for the tests: nodes, frames, page tables, threads that wait. All of it
 * is in shared memory, so that pagers can be processes, and be killed.
 *
 * Each access is made under one lock, and compared with what was last written, by
 * anybody (or, where nodes have their own, on that node). So whatever a pager does
 * wrong is seen at the access that it spoils.
 */
#ifndef PAGER_FAKE_H
#define PAGER_FAKE_H

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>

#include "private.h"
#include "tap.h"

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN	true
#else
#define WITH_TSAN	false
#endif

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN	true
#else
#define WITH_ASAN	false
#endif

/* No wait of a test that passes comes near it. Mutants have less patience. */
#define LONG_MS		test_long_ms()

#define NODES		3
#define PAGES		4
#define FRAMES		64
#define DEPTH		8

enum fake_request_state {
	REQUEST_FREE,
	REQUEST_POSTED,
	REQUEST_TAKEN,
	REQUEST_ANSWERED,
	REQUEST_REFUSED,
};

struct fake_request {
	u64 id;
	u64 seq;
	u32 page;
	u32 rights;
	u32 state;
};

struct fake_node {
	struct fake_request request[DEPTH];
	int wake;
	u32 asleep;
	/* its pager is killed before that operation; 0: never */
	u32 die_at;
	u32 deaths;
	u32 operations;
	u32 no_memory;
};

struct fake_record {
	u32 frame;		/* 1 + number */
	u32 rights;
};

/* The machine. */
struct fake {
	pthread_mutex_t lock;	/* everything */
	u32 wrong;		/* what must not be was seen so often */
	u32 local;		/* each node has words of its own */
	u64 next_id;
	u64 next_seq;
	u64 seq[PAGES];
	struct fake_record record[PAGES][NODES];
	u32 frame_node[FRAMES];	/* 1 + node, 0: free */
	struct fake_node node[NODES];
	u64 want[PAGES][NODES];	/* what the first word must be */
	u64 faults;
	u64 unmaps;
	char frame[FRAMES][PAGE_BYTES] __aligned(64);
};

extern struct fake *fake;
extern const struct pager_region_ops fake_device;

struct fake *fake_new(bool local);
void fake_free(void);
void fake_spare(int node);
/* Read, or add to, a page's first word. 0 or a negative errno. */
int fake_access(int node, u32 page, u64 add);
/* How many frames are in use. */
u32 fake_frames(void);
u32 fake_frame_of(u32 page, int node, u32 *rights);

/* Pagers, each in a thread or a process. tests/crew.c */
struct crew;
struct crew *crew_start(const struct pager_options *options, bool processes);
struct pager_group *crew_group(struct crew *crew);
bool crew_replace_dead(struct crew *crew);
void crew_kill(struct crew *crew, int node);
int crew_stop(struct crew *crew);
u64 crew_sum(struct crew *crew, size_t counter);
#define COUNTED(crew, name) \
	crew_sum(crew, offsetof(struct pager_counts, name))

u64 test_random(u64 *state);
void test_pause(void);
int test_long_ms(void);

/* What pagers do after they have answered. */
#define BECOMES(cond)							\
do {									\
	int tries_left = LONG_MS;					\
	bool is_so;							\
									\
	while (!(is_so = (cond)) && tries_left--)			\
		test_pause();						\
	CHECK(is_so);							\
} while (0)

extern const struct tap_test policy_tests[];
extern const struct tap_test storm_tests[];
extern const struct tap_test death_tests[];
extern const struct tap_test group_tests[];

/* A test @name: @test, with pagers that agree among themselves by @sync. */
#define TEST_WITH(name, sync, test)					\
static enum tap_result name(void)					\
{									\
	return test(sync);						\
}

#endif /* PAGER_FAKE_H */
