// SPDX-License-Identifier: GPL-2.0
/*
 * rte_ring of DPDK: single producer, single consumer, elements of whole lines by
 * value.
 */
#include "bench.h"

#ifdef BENCH_DPDK
#include <rte_ring_elem.h>

#define SLOTS	64

static struct rte_ring *ring(void *region)
{
	return region;
}

static bool init_one(struct trial *t, void *region)
{
	/* One entry of an rte_ring always stays empty. */
	return !rte_ring_init(region, "bench", t->depth ? t->depth + 1 : SLOTS,
			      RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static bool init(struct trial *t)
{
	return init_one(t, t->fwd) && init_one(t, t->back);
}

static __always_inline void put(const struct trial *t, void *region, u64 seq,
				u32 lines)
{
	struct bench_element e;

	bench_fill(e.word, lines * 8, seq);
	while (rte_ring_sp_enqueue_elem(ring(region), &e, lines * BENCH_LINE))
		bench_pause(t->pause);
}

static __always_inline bool get(const struct trial *t, void *region, u64 seq,
				u32 lines)
{
	struct bench_element e;

	bench_pause(t->first);
	while (rte_ring_sc_dequeue_elem(ring(region), &e, lines * BENCH_LINE))
		bench_pause(t->pause);
	return bench_sum(e.word, lines * 8) == bench_expected(lines * 8, seq);
}

#define LIB	"rte_ring"
#define LIB_CONTENDERS	dpdk_contenders
#include "bench_lib.h"
#else
const struct contender dpdk_contenders[] = { { 0 } };
#endif
