/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench of the ring: what is measured is a list of contenders, each one or
 * more files; how it is measured is in bench.c.
 */
#ifndef MK_RING_BENCH_H
#define MK_RING_BENCH_H

#include <stddef.h>

#include "urpc/user.h"

#define BENCH_LINE	64

/* Memory of one placement: a region for each direction. */
#define BENCH_REGION	(128 * 1024)

/* Messages of 1 to this many lines. */
#define BENCH_LINES	8

/**
 * struct trial - one timed run of one contender
 * @fwd: zeroed memory, BENCH_REGION bytes, written by the initiator mostly
 * @back: likewise, by the other
 * @n: operations: round trips, or messages one way
 * @warm: of these, so many at the start are not timed
 * @lines: size of a message
 * @depth: messages that may be on their way
 * @first: pause instructions before the first poll for something
 * @pause: pause instructions between two polls
 * @start: the initiator sets it to bench_now() after @warm operations
 * @end: whoever finishes the last operation sets it
 *
 * Shared by both threads, so that nobody writes it in between.
 */
struct trial {
	void *fwd;
	void *back;
	u32 n;
	u32 warm;
	u32 lines;
	u32 depth;
	u32 first;
	u32 pause;
	u64 start;
	u64 end;
};

/**
 * struct contender - something that can be measured
 * @name: in the column "variant"
 * @stream: it carries @n messages one way, not round trips
 * @init: prepares the memory; called before both threads start, may be NULL
 * @ping: the initiator; false if something arrived that was not sent
 * @pong: the other one; likewise
 */
struct contender {
	const char *name;
	bool stream;
	bool (*init)(struct trial *t);
	bool (*ping)(struct trial *t);
	bool (*pong)(struct trial *t);
};

/* Ends with a name of NULL. The libraries' are empty where they are missing. */
extern const struct contender raw_contenders[];
extern const struct contender ring_contenders[];
extern const struct contender ck_contenders[];
extern const struct contender dpdk_contenders[];

/* Ordered: nothing before it is timed after it, nor the other way round. */
static inline u64 bench_now(void)
{
	u32 lo, hi;

	__asm__ __volatile__("lfence; rdtsc; lfence" : "=a" (lo), "=d" (hi)
			     : : "memory");
	return (u64)hi << 32 | lo;
}

static inline void bench_pause(u32 n)
{
	while (n--)
		__builtin_ia32_pause();
}

/* What the libraries carry: a message of @lines whole lines. */
struct bench_element {
	u64 word[BENCH_LINES * BENCH_LINE / 8];
};

/*
 * Words that depend on the number of the message, and the check of them. Unrolled:
 * whether the end of a short loop is foreseen depends on where its code happens to
 * lie, and made 5 ns a message.
 */
static __always_inline void bench_fill(u64 *word, u32 n, u64 seq)
{
	u32 i;

#pragma GCC unroll 64
	for (i = 0; i < n; i++)
		word[i] = seq + i;
}

static __always_inline u64 bench_sum(const u64 *word, u32 n)
{
	u64 sum = 0;
	u32 i;

#pragma GCC unroll 64
	for (i = 0; i < n; i++)
		sum += word[i];
	return sum;
}

/* What bench_sum() of what bench_fill() wrote is. */
static inline u64 bench_expected(u32 n, u64 seq)
{
	return n * seq + (u64)n * (n - 1) / 2;
}

/* Call @fn with a constant length, for copies that are as good as they get. */
static __always_inline bool bench_by_lines(bool (*fn)(struct trial *t, u32 lines),
					   struct trial *t)
{
	switch (t->lines) {
	case 1:
		return fn(t, 1);
	case 2:
		return fn(t, 2);
	case 3:
		return fn(t, 3);
	case 4:
		return fn(t, 4);
	case 5:
		return fn(t, 5);
	case 6:
		return fn(t, 6);
	case 7:
		return fn(t, 7);
	default:
		return fn(t, 8);
	}
}

#endif /* MK_RING_BENCH_H */
