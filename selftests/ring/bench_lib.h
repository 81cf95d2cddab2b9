/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops of a library's ring, for the file that includes this: it has put(),
 * get() and init(), and names itself in LIB and its list in LIB_CONTENDERS. What else
 * it has for that list is in LIB_MORE.
 */
#ifndef MK_RING_BENCH_LIB_H
#define MK_RING_BENCH_LIB_H

static __always_inline bool trip_ping(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	bool ok = true;
	u64 i;

	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		put(&p, p.fwd, i, lines);
		ok &= get(&p, p.back, ~i, lines);
	}
	t->end = bench_now();
	return ok;
}

static __always_inline bool trip_pong(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	bool ok = true;
	u64 i;

	for (i = 0; i < p.n; i++) {
		ok &= get(&p, p.fwd, i, lines);
		put(&p, p.back, ~i, lines);
	}
	return ok;
}

static __always_inline bool stream_tx(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	bool ok = true;
	u64 i;

	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		put(&p, p.fwd, i, lines);
	}
	return ok;
}

static __always_inline bool stream_rx(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	bool ok = true;
	u64 i;

	for (i = 0; i < p.n; i++)
		ok &= get(&p, p.fwd, i, lines);
	t->end = bench_now();
	return ok;
}

static bool round_trip_ping(struct trial *t)
{
	return bench_by_lines(trip_ping, t);
}

static bool round_trip_pong(struct trial *t)
{
	return bench_by_lines(trip_pong, t);
}

static bool stream_ping(struct trial *t)
{
	return bench_by_lines(stream_tx, t);
}

static bool stream_pong(struct trial *t)
{
	return bench_by_lines(stream_rx, t);
}

const struct contender LIB_CONTENDERS[] = {
	{ LIB, false, init, round_trip_ping, round_trip_pong },
	{ LIB, true, init, stream_ping, stream_pong },
#ifdef LIB_MORE
	LIB_MORE,
#endif
	{ 0 }
};

#endif /* MK_RING_BENCH_LIB_H */
