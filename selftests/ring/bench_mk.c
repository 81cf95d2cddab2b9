// SPDX-License-Identifier: GPL-2.0
/*
 * This ring: round trips over a pair of rings, RPC with tags, RPC in place, and
 * one-way streams.
 */
#include "bench.h"
#include "urpc/inplace.h"

#define SLOTS	64

/* From so many messages on that may be on their way they are received as a stream. */
#define STREAM	8

static __always_inline bool intact(const struct mk_message *msg, u32 lines, u64 seq)
{
	return bench_sum(msg->word, lines * MK_LINE_WORDS) ==
	       bench_expected(lines * MK_LINE_WORDS, seq);
}

static bool ends(const struct trial *t, struct mk_end *ping,
		 struct mk_end *pong, u32 fwd, u32 back)
{
	if (ping)
		return !mk_end_init(ping, t->fwd, fwd, t->back, back);
	return !mk_end_init(pong, t->back, back, t->fwd, fwd);
}

static __always_inline void await(const struct trial *t, struct mk_end *end,
				  struct mk_message *msg)
{
	mk_poll_pause(t->first);
	while (!mk_end_recv(end, msg))
		mk_poll_pause(t->pause);
}

static __always_inline bool trip_ping(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	u64 word[MK_MESSAGE_WORDS];
	struct mk_message msg;
	struct mk_end end = { 0 };
	u64 i;
	bool ok = true;

	ok &= ends(&p, &end, NULL, SLOTS, SLOTS);
	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		mk_end_prefetch(&end);
		bench_fill(word, lines * MK_LINE_WORDS, i);
		ok &= !mk_end_send(&end, 1, MK_MSG_CALL, i, word, lines);
		await(&p, &end, &msg);
		ok &= intact(&msg, lines, ~i) && msg.tag == (u32)i;
	}
	t->end = bench_now();
	return ok;
}

static __always_inline bool trip_pong(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	u64 word[MK_MESSAGE_WORDS];
	struct mk_message msg;
	struct mk_end end = { 0 };
	u64 i;
	bool ok = true;

	ok &= ends(&p, NULL, &end, SLOTS, SLOTS);
	for (i = 0; i < p.n; i++) {
		await(&p, &end, &msg);
		mk_end_prefetch(&end);
		ok &= intact(&msg, lines, i);
		bench_fill(word, lines * MK_LINE_WORDS, ~i);
		ok &= !mk_end_send(&end, 1, MK_MSG_REPLY, msg.tag, word,
				      lines);
	}
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

static __always_inline bool inplace_ping(struct trial *t, u32 words)
{
	const struct trial p = *t;
	u64 word[MK_LINE_WORDS], got[MK_LINE_WORDS];
	struct mk_inplace side;
	u64 i;
	bool ok = true;
	u8 type;

	mk_inplace_init(&side, p.fwd);
	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		bench_fill(word, words, i);
		ok &= !mk_inplace_call(&side, 1, word, words);
		mk_poll_pause(p.first);
		while (!mk_inplace_replied(&side, &type, got, words))
			mk_poll_pause(p.pause);
		ok &= bench_sum(got, words) == bench_expected(words, ~i);
	}
	t->end = bench_now();
	return ok;
}

static __always_inline bool inplace_pong(struct trial *t, u32 words)
{
	const struct trial p = *t;
	u64 word[MK_LINE_WORDS], got[MK_LINE_WORDS];
	struct mk_inplace side;
	u64 i;
	bool ok = true;
	u8 type;

	mk_inplace_init(&side, p.fwd);
	for (i = 0; i < p.n; i++) {
		mk_poll_pause(p.first);
		while (!mk_inplace_called(&side, &type, got, words))
			mk_poll_pause(p.pause);
		ok &= bench_sum(got, words) == bench_expected(words, i);
		bench_fill(word, words, ~i);
		ok &= !mk_inplace_reply(&side, 1, word, words);
	}
	return ok;
}

static bool inplace_0_ping(struct trial *t)
{
	return inplace_ping(t, 0);
}

static bool inplace_0_pong(struct trial *t)
{
	return inplace_pong(t, 0);
}

static bool inplace_1_ping(struct trial *t)
{
	return inplace_ping(t, 1);
}

static bool inplace_1_pong(struct trial *t)
{
	return inplace_pong(t, 1);
}

static bool inplace_7_ping(struct trial *t)
{
	return inplace_ping(t, MK_LINE_WORDS);
}

static bool inplace_7_pong(struct trial *t)
{
	return inplace_pong(t, MK_LINE_WORDS);
}

/* Lines that may be on their way, and a ring that holds them and the reserve. */
static u32 window(const struct trial *t)
{
	return t->depth * t->lines;
}

static u32 slots(const struct trial *t)
{
	u32 n = MK_RING_SLOTS_MIN;

	while (n - 1 < window(t))
		n *= 2;
	return n;
}

static __always_inline bool stream_tx(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	u64 word[MK_MESSAGE_WORDS];
	u32 most = window(&p) - lines;
	struct mk_message msg;
	struct mk_end end = { 0 };
	u64 i;
	bool ok = true;

	ok &= ends(&p, &end, NULL, slots(&p), MK_RING_SLOTS_MIN);
	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		bench_fill(word, lines * MK_LINE_WORDS, i);
		while (mk_end_outstanding(&end) > most)
			if (!mk_end_recv(&end, &msg))
				mk_poll_pause(p.pause);
		ok &= !mk_end_send(&end, 1, 0, i, word, lines);
	}
	return ok;
}

static __always_inline bool stream_rx(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	u32 due = window(&p) / 4 > 1 ? window(&p) / 4 : 1;
	struct mk_message msg;
	struct mk_end end = { 0 };
	u64 i;
	bool ok = true;

	ok &= ends(&p, NULL, &end, slots(&p), MK_RING_SLOTS_MIN);
	for (i = 0; i < p.n; i++) {
		while (!(p.depth > STREAM ?
			 mk_end_recv_stream(&end, &msg) :
			 mk_end_recv(&end, &msg)))
			mk_poll_pause(p.pause);
		/*
		 * It has been copied. The sender takes acknowledgments only when
		 * it needs them, so there may be no slot; the next one will do.
		 */
		if (mk_end_owed(&end) >= due)
			mk_end_ack(&end);
		ok &= intact(&msg, lines, i);
	}
	t->end = bench_now();
	return ok;
}

/* As stream_rx(), but adds up what it receives where it lies. */
static __always_inline bool look_rx(struct trial *t, u32 lines)
{
	const struct trial p = *t;
	u32 due = window(&p) / 4 > 1 ? window(&p) / 4 : 1;
	struct mk_view view;
	struct mk_end end = { 0 };
	u64 i, sum;
	u32 line;
	bool ok = true;

	ok &= ends(&p, NULL, &end, slots(&p), MK_RING_SLOTS_MIN);
	for (i = 0; i < p.n; i++) {
		while ((p.depth > STREAM ?
			mk_end_look_stream(&end, &view) :
			mk_end_look(&end, &view)) <= 0)
			mk_poll_pause(p.pause);
		for (line = 0, sum = 0; line < lines; line++)
			sum += bench_sum(mk_end_words(&end, line), MK_LINE_WORDS);
		ok &= sum == bench_expected(lines * MK_LINE_WORDS, i);
		mk_end_done(&end, &view);
		if (mk_end_owed(&end) >= due)
			mk_end_ack(&end);
	}
	t->end = bench_now();
	return ok;
}

static bool stream_ping(struct trial *t)
{
	return bench_by_lines(stream_tx, t);
}

static bool stream_pong(struct trial *t)
{
	return bench_by_lines(stream_rx, t);
}

static bool look_pong(struct trial *t)
{
	return bench_by_lines(look_rx, t);
}

const struct contender ring_contenders[] = {
	{ "ring", false, NULL, round_trip_ping, round_trip_pong },
	{ "inplace_0_words", false, NULL, inplace_0_ping, inplace_0_pong },
	{ "inplace_1_word", false, NULL, inplace_1_ping, inplace_1_pong },
	{ "inplace_7_words", false, NULL, inplace_7_ping, inplace_7_pong },
	{ "ring", true, NULL, stream_ping, stream_pong },
	{ "ring_look", true, NULL, stream_ping, look_pong },
	{ 0 }
};
