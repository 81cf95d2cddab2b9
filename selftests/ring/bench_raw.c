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

BENCH_INLINE void ping(struct trial *t, uint64_t *out, uint64_t *in)
{
	uint64_t i;

	for (i = 0; i < t->n; i++) {
		if (i == t->warm)
			t->start = bench_now();
		store(out, 2 * i + 1);
		bench_pause(t->first);
		while (load(in) != 2 * i + 2)
			bench_pause(t->pause);
	}
	t->end = bench_now();
}

BENCH_INLINE void pong(struct trial *t, uint64_t *out, uint64_t *in)
{
	uint64_t i;

	for (i = 0; i < t->n; i++) {
		bench_pause(t->first);
		while (load(in) != 2 * i + 1)
			bench_pause(t->pause);
		store(out, 2 * i + 2);
	}
}

static void one_line_ping(struct trial *t)
{
	ping(t, t->fwd, t->fwd);
}

static void one_line_pong(struct trial *t)
{
	pong(t, t->fwd, t->fwd);
}

static void two_lines_ping(struct trial *t)
{
	ping(t, t->fwd, t->back);
}

static void two_lines_pong(struct trial *t)
{
	pong(t, t->back, t->fwd);
}

const struct contender raw_contenders[] = {
	{ "raw_one_line", false, NULL, one_line_ping, one_line_pong },
	{ "raw_two_lines", false, NULL, two_lines_ping, two_lines_pong },
	{ 0 }
};
