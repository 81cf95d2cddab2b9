// SPDX-License-Identifier: GPL-2.0
/*
 * ck_ring of Concurrency Kit: single producer, single consumer, elements of
 * whole lines by value.
 */
#include "bench.h"

#ifdef BENCH_CK
#include <ck_ring.h>

#define SLOTS	64

/* The two indices, then the elements. */
static ck_ring_t *ring(void *region)
{
	return region;
}

static void *elements(void *region)
{
	return (char *)region + 4096;
}

static bool init(struct trial *t)
{
	/* One entry of a ck_ring always stays empty. */
	u32 slots = t->depth ? t->depth + 1 : SLOTS;

	ck_ring_init(ring(t->fwd), slots);
	ck_ring_init(ring(t->back), slots);
	return true;
}

static __always_inline void put(const struct trial *t, void *region, u64 seq,
				u32 lines)
{
	unsigned int length;
	struct bench_element e;

	bench_fill(e.word, lines * 8, seq);
	while (!_ck_ring_enqueue_sp(ring(region), elements(region), &e,
				    lines * BENCH_LINE, &length))
		bench_pause(t->pause);
}

static __always_inline bool get(const struct trial *t, void *region, u64 seq,
				u32 lines)
{
	struct bench_element e;

	bench_pause(t->first);
	while (!_ck_ring_dequeue_sc(ring(region), elements(region), &e,
				    lines * BENCH_LINE))
		bench_pause(t->pause);
	return bench_sum(e.word, lines * 8) == bench_expected(lines * 8, seq);
}

#define LIB	"ck_ring"
#define LIB_CONTENDERS	ck_contenders
#include "bench_lib.h"
#else
const struct contender ck_contenders[] = { { 0 } };
#endif
