// SPDX-License-Identifier: GPL-2.0
/*
 * The limits: one word in one line written by both sides in turn, one word in
 * each of two lines written by one side each, nothing else.
 */
#include "bench.h"

static uint64_t load(uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

BENCH_INLINE bool ping(struct trial *t, uint64_t *out, uint64_t *in)
{
	const struct trial p = *t;
	uint64_t i;

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

BENCH_INLINE bool pong(struct trial *t, uint64_t *out, uint64_t *in)
{
	const struct trial p = *t;
	uint64_t i;

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
