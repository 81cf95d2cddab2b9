// SPDX-License-Identifier: GPL-2.0
/*
 * The limits: what is left of a message when all is left out that makes it one.
 *
 * Round trips: one word in one line written by both sides in turn; a whole line
 * of words likewise; one word in each of two lines written by one side each.
 *
 * Streams: lines that one side writes where they lie and the other adds up where
 * they lie, with one index each way for a quarter of what may be on its way. No
 * message has a header, a copy, or a word of its own that says that it is there.
 */
#include "bench.h"

/* Messages that each side of a stream asks for ahead: what was fastest of what was tried. */
#define TX_AHEAD	16
#define RX_AHEAD	12

/* Of a full line, beside the one that says that they are there. */
#define WORDS	(BENCH_LINE / 8 - 1)

static u64 load(u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(u64 *p, u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* The first word of a line says that @words after it are there. */
static __always_inline bool ping(struct trial *t, u64 *out, u64 *in, u32 words)
{
	const struct trial p = *t;
	bool ok = true;
	u64 i;

	for (i = 0; i < p.n; i++) {
		if (i == p.warm)
			t->start = bench_now();
		bench_fill(out + 1, words, i);
		store(out, 2 * i + 1);
		bench_pause(p.first);
		while (load(in) != 2 * i + 2)
			bench_pause(p.pause);
		ok &= bench_sum(in + 1, words) == bench_expected(words, ~i);
	}
	t->end = bench_now();
	return ok;
}

static __always_inline bool pong(struct trial *t, u64 *out, u64 *in, u32 words)
{
	const struct trial p = *t;
	bool ok = true;
	u64 i;

	for (i = 0; i < p.n; i++) {
		bench_pause(p.first);
		while (load(in) != 2 * i + 1)
			bench_pause(p.pause);
		ok &= bench_sum(in + 1, words) == bench_expected(words, i);
		bench_fill(out + 1, words, ~i);
		store(out, 2 * i + 2);
	}
	return ok;
}

static bool one_line_ping(struct trial *t)
{
	return ping(t, t->fwd, t->fwd, 0);
}

static bool one_line_pong(struct trial *t)
{
	return pong(t, t->fwd, t->fwd, 0);
}

static bool full_line_ping(struct trial *t)
{
	return ping(t, t->fwd, t->fwd, WORDS);
}

static bool full_line_pong(struct trial *t)
{
	return pong(t, t->fwd, t->fwd, WORDS);
}

static bool two_lines_ping(struct trial *t)
{
	return ping(t, t->fwd, t->back, 0);
}

static bool two_lines_pong(struct trial *t)
{
	return pong(t, t->back, t->fwd, 0);
}

/**
 * struct stream - one side of a raw stream
 * @slot: the messages, @depth of them
 * @words: of each
 * @depth: as in the trial
 * @due: messages between two stores of an index
 * @sent: index of the sender, in a line of its own
 * @taken: of the receiver, likewise
 */
struct stream {
	u64 *slot;
	u32 words;
	u32 depth;
	u32 due;
	u64 *sent;
	u64 *taken;
};

static __always_inline struct stream stream_of(const struct trial *t, u32 lines)
{
	return (struct stream){
		.slot = t->fwd,
		.words = lines * BENCH_LINE / 8,
		.depth = t->depth,
		.due = t->depth < 4 ? 1 : t->depth / 4,
		.sent = t->back,
		.taken = (u64 *)((char *)t->back + 2 * BENCH_LINE),
	};
}

static __always_inline u32 next_of(const struct stream *s, u32 at, u32 by)
{
	at += by;
	return at < s->depth ? at : at - s->depth;
}

static __always_inline bool stream_tx(struct trial *t, u32 lines, bool ahead)
{
	const struct trial p = *t;
	const struct stream s = stream_of(&p, lines);
	u64 i, taken = 0;
	u32 at = 0;

	for (i = 0; i < p.n; i++, at = next_of(&s, at, 1)) {
		if (i == p.warm)
			t->start = bench_now();
		while (i - taken >= s.depth) {
			taken = load(s.taken);
			bench_pause(p.pause);
		}
		if (ahead && s.depth > TX_AHEAD)
			prefetchw(s.slot + (u64)next_of(&s, at, TX_AHEAD) *
				  s.words);
		bench_fill(s.slot + (u64)at * s.words, s.words, i);
		if (!((i + 1) % s.due) || i + 1 == p.n)
			store(s.sent, i + 1);
	}
	return true;
}

static __always_inline bool stream_rx(struct trial *t, u32 lines, bool ahead)
{
	const struct trial p = *t;
	const struct stream s = stream_of(&p, lines);
	u64 i, sent = 0;
	bool ok = true;
	u32 at = 0;

	for (i = 0; i < p.n; i++, at = next_of(&s, at, 1)) {
		while (i >= sent) {
			sent = load(s.sent);
			bench_pause(p.pause);
		}
		if (ahead && s.depth > TX_AHEAD)
			prefetch(s.slot + (u64)next_of(&s, at, RX_AHEAD) *
				 s.words);
		ok &= bench_sum(s.slot + (u64)at * s.words, s.words) ==
		      bench_expected(s.words, i);
		if (!((i + 1) % s.due))
			store(s.taken, i + 1);
	}
	t->end = bench_now();
	return ok;
}

static __always_inline bool tx_plain(struct trial *t, u32 lines)
{
	return stream_tx(t, lines, false);
}

static __always_inline bool rx_plain(struct trial *t, u32 lines)
{
	return stream_rx(t, lines, false);
}

static __always_inline bool tx_ahead(struct trial *t, u32 lines)
{
	return stream_tx(t, lines, true);
}

static __always_inline bool rx_ahead(struct trial *t, u32 lines)
{
	return stream_rx(t, lines, true);
}

static bool stream_ping(struct trial *t)
{
	return bench_by_lines(tx_plain, t);
}

static bool stream_pong(struct trial *t)
{
	return bench_by_lines(rx_plain, t);
}

static bool ahead_ping(struct trial *t)
{
	return bench_by_lines(tx_ahead, t);
}

static bool ahead_pong(struct trial *t)
{
	return bench_by_lines(rx_ahead, t);
}

const struct contender raw_contenders[] = {
	{ "raw_one_line", false, NULL, one_line_ping, one_line_pong },
	{ "raw_full_line", false, NULL, full_line_ping, full_line_pong },
	{ "raw_two_lines", false, NULL, two_lines_ping, two_lines_pong },
	{ "raw_stream", true, NULL, stream_ping, stream_pong },
	{ "raw_stream_ahead", true, NULL, ahead_ping, ahead_pong },
	{ 0 }
};
