// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that writes what it likes into its ring: it may garble its own
 * messages, and nothing else.
 */
#include <pthread.h>
#include <stdlib.h>

#include "pair.h"
#include "tests.h"

#if defined(__SANITIZE_THREAD__)
#define RACES_ALLOWED	false
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACES_ALLOWED	false
#endif
#endif
#ifndef RACES_ALLOWED
#define RACES_ALLOWED	true
#endif

/* A message with canaries around it. */
struct guarded {
	u64 before[8];
	struct mk_message msg;
	u64 after[8];
};

static void guard(struct guarded *g)
{
	memset(g, PAIR_GUARD_BYTE, sizeof(*g));
}

static bool guarded(const struct guarded *g)
{
	const unsigned char *p = (const unsigned char *)g->before;
	const unsigned char *q = (const unsigned char *)g->after;
	size_t i;

	for (i = 0; i < sizeof(g->before); i++)
		if (p[i] != PAIR_GUARD_BYTE || q[i] != PAIR_GUARD_BYTE)
			return false;
	return true;
}

/* Receive once from a peer that may have done anything. */
static enum tap_result recv_any(struct mk_end *end, u32 way)
{
	struct mk_end before = *end;
	struct guarded g;
	u32 given;
	int ret;

	guard(&g);
	ret = pair_recv(end, &g.msg, way);
	CHECK(guarded(&g));
	CHECK(pair_side_sane(end));
	/* What is not the peer's business stayed as it was. */
	CHECK(end->tx.line == before.tx.line && end->rx.line == before.rx.line);
	CHECK(end->tx.slots == before.tx.slots);
	CHECK(end->rx.slots == before.rx.slots);
	CHECK(end->tx.head == before.tx.head && end->rx.told == before.rx.told);
	if (ret != 1) {
		CHECK(ret == 0 || ret == -EBADMSG);
		before.rx.calm = end->rx.calm;	/* a hint */
		CHECK(!memcmp(end, &before, sizeof(before)));
		return TAP_OK;
	}
	CHECK(g.msg.lines >= 1 && g.msg.lines <= MK_MESSAGE_LINES);
	CHECK(g.msg.flags < 16);
	CHECK(end->rx.tail - before.rx.tail == g.msg.lines);
	given = end->tx.acked - before.tx.acked;
	CHECK(given <= before.tx.head - before.tx.acked);
	return TAP_OK;
}

/* Every possible acknowledgment at every amount outstanding. */
static enum tap_result every_ack(void)
{
	static const u32 start[] = { 0, 65530, -7u };
	u64 word[MK_LINE_WORDS] = { 0 };
	struct mk_message msg;
	struct pair pair;
	u32 ack, sent, s;

	for (s = 0; s < 3; s++) {
		for (sent = 0; sent < 16; sent++) {
			struct mk_end *a = &pair.end[0], before;
			struct mk_line *line;
			u64 epoch;
			u32 i;

			pair_init_at(&pair, 16, start[s], 16, 32);
			for (i = 0; i < sent; i++)
				CHECK(!mk_end_send(a, 0, 0, 0, word, 1));
			before = *a;
			line = &pair.ring[1][a->rx.tail & 15];
			epoch = mk_ring_epoch(a->rx.tail, 16);
			for (ack = 0; ack < 65536; ack++) {
				bool ok = (u16)(ack - start[s]) <= sent;
				int ret;

				line->header = epoch | (u64)ack << 16;
				*a = before;
				ret = mk_end_recv(a, &msg);
				CHECK(ret == (ok ? 1 : -EBADMSG));
				if (!ok)
					CHECK(!memcmp(a, &before, sizeof(*a)));
			}
			pair_free(&pair);
		}
	}
	return TAP_OK;
}

/* Random lines, written between receives. */
static enum tap_result random_lines(void)
{
	u64 seed = 0x686f7374696c65ull;
	u64 out[MK_MESSAGE_WORDS] = { 0 };
	struct pair pair;
	u32 round, step, i;

	for (round = 0; round < 300; round++) {
		struct mk_end *a = &pair.end[0];
		u32 slots = 16u << round % 4;

		pair_init_at(&pair, 64, pair_random(&seed), slots,
			     pair_random(&seed));
		for (step = 0; step < 400; step++) {
			u64 r = pair_random(&seed);
			u64 *to = (u64 *)&pair.ring[1][r % slots];

			for (i = 0; i < 8; i++)
				to[i] = pair_random(&seed);
			/* Half of them believable: no wild acknowledgment. */
			if (r >> 32 & 1)
				to[7] = (to[7] & ~0xffff0000ull) |
					(u64)(a->tx.acked & 0xffff) << 16;
			for (i = 0; i < 3; i++)
				TRY(recv_any(a, step));
			mk_end_send(a, 0, 0, 0, out, (r >> 40 & 7) + 1);
			if (mk_end_ack_due(a))
				mk_end_ack(a);
		}
		CHECK(pair_sane(&pair));
		pair_free(&pair);
	}
	return TAP_OK;
}

/**
 * struct vandal - a thread that writes a ring at random
 * @line: what it writes
 * @slots: how much of it
 * @stop: set when it is to end
 */
struct vandal {
	struct mk_line *line;
	u32 slots;
	int stop;
};

static void *vandal(void *arg)
{
	struct vandal *v = arg;
	u64 seed = 0x76616e64616cull;

	while (!__atomic_load_n(&v->stop, __ATOMIC_RELAXED)) {
		u64 r = pair_random(&seed);
		u64 *to = (u64 *)&v->line[r % v->slots];

		__atomic_store_n(&to[r >> 32 & 7], pair_random(&seed),
				 __ATOMIC_RELAXED);
	}
	return NULL;
}

/* The same while the lines are being read. */
static enum tap_result random_lines_threaded(void)
{
	u64 out[MK_MESSAGE_WORDS] = { 0 };
	enum tap_result result = TAP_OK;
	struct vandal v = { 0 };
	pthread_t thread;
	struct pair pair;
	struct mk_end *a = &pair.end[0];
	u32 step;

	/* Payload is read plainly, so that such a peer does race with it. */
	if (!RACES_ALLOWED)
		return TAP_SKIP;

	pair_init(&pair, 16, 16);
	v.line = pair.ring[1];
	v.slots = 16;
	CHECK(!pthread_create(&thread, NULL, vandal, &v));
	for (step = 0; step < 200000 && result == TAP_OK; step++) {
		result = recv_any(a, step);
		mk_end_send(a, 0, 0, 0, out, (step & 7) + 1);
		if (mk_end_ack_due(a))
			mk_end_ack(a);
	}
	__atomic_store_n(&v.stop, 1, __ATOMIC_RELAXED);
	CHECK(!pthread_join(thread, NULL));
	CHECK(pair_sane(&pair));
	pair_free(&pair);
	return result;
}

const struct tap_test hostile_tests[] = {
	{ "hostile: every acknowledgment", every_ack },
	{ "hostile: random lines", random_lines },
	{ "hostile: random lines while they are read", random_lines_threaded },
	{ NULL, NULL }
};
