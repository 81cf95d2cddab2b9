// SPDX-License-Identifier: GPL-2.0
/*
 * The limits: one word in one line written by both sides in turn, one word in
 * each of two lines written by one side each, nothing else.
 */
#include "bench.h"

static u64 load(u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(u64 *p, u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static __always_inline bool ping(struct trial *t, u64 *out, u64 *in)
{
	const struct trial p = *t;
	u64 i;

	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		store(out, 2 * i + 1);
		bench_pause(p.first);
		while (load(in) != 2 * i + 2)
			bench_pause(p.pause);
	}
	t->end = bench_now();
	return true;
}

static __always_inline bool pong(struct trial *t, u64 *out, u64 *in)
{
	const struct trial p = *t;
	u64 i;

	for (i = 0; i < p.n; i++) {
		bench_pause(p.first);
		while (load(in) != 2 * i + 1)
			bench_pause(p.pause);
		store(out, 2 * i + 2);
	}
	return true;
}

static bool one_line_ping(struct trial *t)
{
	return ping(t, t->fwd, t->fwd);
}

static bool one_line_pong(struct trial *t)
{
	return pong(t, t->fwd, t->fwd);
}

static bool two_lines_ping(struct trial *t)
{
	return ping(t, t->fwd, t->back);
}

static bool two_lines_pong(struct trial *t)
{
	return pong(t, t->back, t->fwd);
}

const struct contender raw_contenders[] = {
	{ "raw_one_line", false, NULL, one_line_ping, one_line_pong },
	{ "raw_two_lines", false, NULL, two_lines_ping, two_lines_pong },
	{ 0 }
};
