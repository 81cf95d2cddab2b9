// SPDX-License-Identifier: GPL-2.0
/*
 * rte_ring of DPDK: single producer, single consumer, elements of whole lines by
 * value; and the same written and read where they lie.
 */
#include "bench.h"

#ifdef BENCH_DPDK
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>

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

static __always_inline bool zc_tx(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	struct rte_ring_zc_data at;
	u64 i;

	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		while (!rte_ring_enqueue_zc_bulk_elem_start(ring(p.fwd),
							    lines * BENCH_LINE,
							    1, &at, NULL))
			bench_pause(p.pause);
		bench_fill(at.ptr1, lines * 8, i);
		rte_ring_enqueue_zc_elem_finish(ring(p.fwd), 1);
	}
	return true;
}

static __always_inline bool zc_rx(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	struct rte_ring_zc_data at;
	bool ok = true;
	u64 i;

	for (i = 0; i < p.n; i++) {
		while (!rte_ring_dequeue_zc_bulk_elem_start(ring(p.fwd),
							    lines * BENCH_LINE,
							    1, &at, NULL))
			bench_pause(p.pause);
		ok &= bench_sum(at.ptr1, lines * 8) ==
		      bench_expected(lines * 8, i);
		rte_ring_dequeue_zc_elem_finish(ring(p.fwd), 1);
	}
	t->end = bench_now();
	return ok;
}

static bool zc_ping(struct trial *t)
{
	return bench_by_lines(zc_tx, t);
}

static bool zc_pong(struct trial *t)
{
	return bench_by_lines(zc_rx, t);
}

#define LIB	"rte_ring"
#define LIB_MORE	{ "rte_ring_zc", true, init, zc_ping, zc_pong }
#define LIB_CONTENDERS	dpdk_contenders
#include "bench_lib.h"
#else
const struct contender dpdk_contenders[] = { { 0 } };
#endif
