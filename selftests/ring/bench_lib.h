/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops of a library's ring, for the file that includes this: it has put(),
 * get() and init(), and names itself in LIB and its list in LIB_CONTENDERS.
 */
#ifndef MK_RING_BENCH_LIB_H
#define MK_RING_BENCH_LIB_H

BENCH_INLINE void trip_ping(struct trial *t, uint32_t lines)
{
	uint64_t i;

	for (i = 0; i < t->n; i++) {
		if (i == t->warm)
			t->start = bench_now();
		put(t, t->fwd, i, lines);
		get(t, t->back, ~i, lines);
	}
	t->end = bench_now();
}

BENCH_INLINE void trip_pong(struct trial *t, uint32_t lines)
{
	uint64_t i;

	for (i = 0; i < t->n; i++) {
		get(t, t->fwd, i, lines);
		put(t, t->back, ~i, lines);
	}
}

BENCH_INLINE void stream_tx(struct trial *t, uint32_t lines)
{
	uint64_t i;

	for (i = 0; i < t->n; i++) {
		if (i == t->warm)
			t->start = bench_now();
		put(t, t->fwd, i, lines);
	}
}

BENCH_INLINE void stream_rx(struct trial *t, uint32_t lines)
{
	uint64_t i;

	for (i = 0; i < t->n; i++)
		get(t, t->fwd, i, lines);
	t->end = bench_now();
}

static void round_trip_ping(struct trial *t)
{
	BENCH_BY_LINES(trip_ping, t);
}

static void round_trip_pong(struct trial *t)
{
	BENCH_BY_LINES(trip_pong, t);
}

static void stream_ping(struct trial *t)
{
	BENCH_BY_LINES(stream_tx, t);
}

static void stream_pong(struct trial *t)
{
	BENCH_BY_LINES(stream_rx, t);
}

const struct contender LIB_CONTENDERS[] = {
	{ LIB, false, init, round_trip_ping, round_trip_pong },
	{ LIB, true, init, stream_ping, stream_pong },
	{ 0 }
};

#endif /* MK_RING_BENCH_LIB_H */
