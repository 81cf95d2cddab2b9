// SPDX-License-Identifier: GPL-2.0
/*
 * One thread, one message after the other: sizes, lengths, positions, fields.
 */
#include "pair.h"
#include "tests.h"

static enum tap_result init_sizes(void)
{
	static const u32 bad[] = { 0, 1, 8, 15, 17, 24, 48, 16383, 16385, 32768,
				   1u << 31, ~0u };
	static struct mk_line line[16];
	struct mk_end end, before;
	u32 i, slots;

	memset(&end, 0x5a, sizeof(end));
	before = end;
	for (i = 0; i < NR_OF(bad); i++) {
		CHECK(mk_end_init(&end, line, bad[i], line, 16) == -EINVAL);
		CHECK(mk_end_init(&end, line, 16, line, bad[i]) == -EINVAL);
		CHECK(!memcmp(&end, &before, sizeof(end)));
	}
	for (slots = MK_RING_SLOTS_MIN; slots <= MK_RING_SLOTS_MAX;
	     slots *= 2) {
		CHECK(!mk_end_init(&end, line, slots, line, 16));
		CHECK(mk_end_room(&end) == slots - 1);
		CHECK(!mk_end_owed(&end));
	}
	return TAP_OK;
}

static enum tap_result layout(void)
{
	CHECK(sizeof(struct mk_line) == MK_LINE_BYTES);
	CHECK(__alignof__(struct mk_line) == MK_LINE_BYTES);
	CHECK(offsetof(struct mk_line, header) == MK_LINE_PAYLOAD);
	CHECK(sizeof(struct mk_end) <= MK_LINE_BYTES);
	return TAP_OK;
}

static enum tap_result zeroed_is_empty(void)
{
	struct mk_message msg;
	struct pair pair;
	int i;

	pair_init(&pair, 16, 16384);
	for (i = 0; i < 2; i++) {
		CHECK(!mk_end_pending(&pair.end[i]));
		CHECK(!mk_end_recv(&pair.end[i], &msg));
		CHECK(!mk_end_ack_due(&pair.end[i]));
		CHECK(!mk_end_ack(&pair.end[i]));
		CHECK(pair.end[i].tx.head == 0);
	}
	pair_free(&pair);
	return TAP_OK;
}

/* Send @lines lines from side 0 and receive them at side 1, field by field. */
static enum tap_result one(struct pair *pair, u32 lines)
{
	struct mk_end *a = &pair->end[0], *b = &pair->end[1];
	u32 seq = a->tx.head, room = mk_end_room(a);
	struct mk_message msg;
	u64 word[MK_MESSAGE_WORDS];

	pair_fill(word, seq, lines);
	mk_end_prefetch(a);
	CHECK(!mk_end_pending(b));
	CHECK(!mk_end_send(a, (u8)seq, MK_MSG_CALL, ~seq, word, lines));
	CHECK(mk_end_room(a) == room - lines);
	CHECK(mk_end_pending(b));
	memset(&msg, 0x33, sizeof(msg));
	CHECK(mk_end_recv(b, &msg) == 1);
	CHECK(!mk_end_pending(b));
	CHECK(msg.type == (u8)seq && msg.flags == MK_MSG_CALL);
	CHECK(msg.lines == lines && msg.tag == ~seq && msg.seq == seq);
	CHECK(pair_filled(&msg));
	/* Nothing but the message was written. */
	CHECK(lines == MK_MESSAGE_LINES ||
	      msg.word[lines * MK_LINE_WORDS] == 0x3333333333333333ull);
	return TAP_OK;
}

/* Give side 0 all its credit back. */
static enum tap_result settle(struct pair *pair)
{
	struct mk_message msg;

	CHECK(!mk_end_ack(&pair->end[1]));
	CHECK(!mk_end_owed(&pair->end[1]));
	CHECK(mk_end_recv(&pair->end[0], &msg) == 1);
	CHECK(msg.flags == MK_MSG_ACK && msg.lines == 1);
	CHECK(mk_end_room(&pair->end[0]) == pair->slots[0] - 1);
	return TAP_OK;
}

/*
 * Every length after every length from every position of three passes, at the
 * start and across the wrap of 32-bit positions.
 */
static enum tap_result every_length_everywhere(void)
{
	static const u32 sizes[] = { 16, 32, 64 };
	u32 s, pos, first, second;
	struct pair pair;

	for (s = 0; s < 3; s++) {
		u32 slots = sizes[s];

		for (pos = -2 * slots; pos != slots; pos++) {
			pair_init_at(&pair, slots, pos, 16, pos * 7);
			for (first = 1; first <= MK_MESSAGE_LINES; first++) {
				for (second = 1; second < MK_MESSAGE_LINES;
				     second++) {
					if (first + second >= slots)
						continue;
					TRY(one(&pair, first));
					TRY(one(&pair, second));
					TRY(settle(&pair));
				}
			}
			CHECK(pair_sane(&pair));
			pair_free(&pair);
		}
	}
	return TAP_OK;
}

static enum tap_result every_field(void)
{
	struct mk_message msg;
	struct pair pair;
	u64 word[MK_LINE_WORDS] = { 0 };
	u32 type, flags, bit;

	pair_init_at(&pair, 16, -64, 16, -16);
	for (type = 0; type < 256; type++) {
		for (flags = 0; flags < 16; flags++) {
			CHECK(!mk_end_send(&pair.end[0], type, flags,
					   type << 24 | flags, word, 1));
			CHECK(mk_end_recv(&pair.end[1], &msg) == 1);
			CHECK(msg.type == type && msg.flags == flags);
			CHECK(msg.tag == (type << 24 | flags));
			TRY(settle(&pair));
		}
	}
	for (bit = 0; bit < 32; bit++) {
		CHECK(!mk_end_send(&pair.end[0], 0, 0, 1u << bit, word, 1));
		CHECK(mk_end_recv(&pair.end[1], &msg) == 1);
		CHECK(msg.tag == 1u << bit && !msg.type && !msg.flags);
		TRY(settle(&pair));
	}
	pair_free(&pair);
	return TAP_OK;
}

/* All fields 0 in the pass of epoch 0: a header that is 0, but a message. */
static enum tap_result header_of_zeroes(void)
{
	u64 word[MK_LINE_WORDS] = { 0 };
	struct mk_message msg;
	struct pair pair;

	pair_init_at(&pair, 16, 16, 16, 0);
	CHECK(!mk_end_send(&pair.end[0], 0, 0, 0, word, 1));
	CHECK(!pair.ring[0][0].header);
	CHECK(mk_end_recv(&pair.end[1], &msg) == 1);
	pair_free(&pair);
	return TAP_OK;
}

static enum tap_result bad_lengths(void)
{
	static const u32 bad[] = { 0, 9, 16, 17, 1u << 31, ~0u };
	u64 word[MK_MESSAGE_WORDS] = { 0 };
	struct pair pair;
	u32 i;

	pair_init(&pair, 64, 64);
	for (i = 0; i < NR_OF(bad); i++) {
		CHECK(mk_end_send(&pair.end[0], 1, 0, 0, word, bad[i]) ==
		      -EINVAL);
		CHECK(!pair.end[0].tx.head);
		CHECK(!mk_end_pending(&pair.end[1]));
	}
	pair_free(&pair);
	return TAP_OK;
}

/* What is looked at stays until it is given back, and is not acknowledged before. */
static enum tap_result look(void)
{
	u64 word[MK_MESSAGE_WORDS];
	struct mk_view view, again;
	struct mk_message msg;
	struct pair pair;
	struct mk_end *a = &pair.end[0], *b = &pair.end[1];
	u32 lines, i;

	for (lines = 1; lines <= MK_MESSAGE_LINES; lines++) {
		/* Across the wrap of the ring. */
		pair_init_at(&pair, 16, 12, 16, 0);
		CHECK(!mk_end_look(b, &view));
		pair_fill(word, 12, lines);
		CHECK(!mk_end_send(a, 7, MK_MSG_CALL, 99, word, lines));
		CHECK(mk_end_look(b, &view) == 1);
		CHECK(mk_end_look_stream(b, &again) == 1);
		CHECK(again.lines == lines && again.seq == view.seq);
		CHECK(view.type == 7 && view.flags == MK_MSG_CALL);
		CHECK(view.lines == lines && view.tag == 99 && view.seq == 12);
		for (i = 0; i < lines * MK_LINE_WORDS; i++)
			CHECK(mk_end_words(b, i / MK_LINE_WORDS)[i % MK_LINE_WORDS] ==
			      pair_word(12, i));
		CHECK(!mk_end_owed(b));
		CHECK(!mk_end_send(b, 0, 0, 0, word, 1));
		CHECK(mk_end_recv(a, &msg) == 1);
		CHECK(mk_end_outstanding(a) == lines);

		mk_end_done(b, &view);
		CHECK(mk_end_owed(b) == lines && !mk_end_pending(b));
		CHECK(!mk_end_ack(b));
		CHECK(mk_end_look(a, &view) == 1 && view.flags == MK_MSG_ACK);
		CHECK(!mk_end_outstanding(a));
		mk_end_done(a, &view);
		CHECK(pair_sane(&pair));
		pair_free(&pair);
	}
	return TAP_OK;
}

/* A full ring takes no data, one acknowledgment if one is owed, then nothing. */
static enum tap_result fill(void)
{
	u64 word[MK_MESSAGE_WORDS];
	struct mk_message msg;
	struct pair pair;
	struct mk_end *a = &pair.end[0], *b = &pair.end[1];
	u32 lines, slots = 32, sent;

	pair_fill(word, 0, MK_MESSAGE_LINES);
	for (lines = 1; lines <= MK_MESSAGE_LINES; lines++) {
		pair_init_at(&pair, slots, -slots, 16, 0);
		for (sent = 0; !mk_end_send(a, 0, 0, 0, word, lines);
		     sent += lines)
			CHECK(sent < slots);
		CHECK(sent == (slots - 1) / lines * lines);
		CHECK(mk_end_room(a) == slots - 1 - sent);
		CHECK(mk_end_send(a, 0, 0, 0, word, lines) == -EAGAIN);
		while (!mk_end_send(a, 0, 0, 0, word, 1))
			sent++;
		CHECK(sent == slots - 1 && !mk_end_room(a));

		CHECK(!mk_end_ack(a));	/* of nothing: nothing is sent */
		CHECK(mk_end_outstanding(a) == slots - 1);
		CHECK(!mk_end_send(b, 0, 0, 0, word, 1));
		CHECK(mk_end_recv(a, &msg) == 1);
		CHECK(!mk_end_ack(a));	/* takes the reserve */
		CHECK(mk_end_outstanding(a) == slots && !mk_end_room(a));
		CHECK(mk_end_send(a, 0, 0, 0, word, 1) == -EAGAIN);
		CHECK(!mk_end_send(b, 0, 0, 0, word, 1));
		CHECK(mk_end_recv(a, &msg) == 1);
		CHECK(mk_end_owed(a) == 1);
		CHECK(mk_end_ack(a) == -EAGAIN);
		CHECK(mk_end_owed(a) == 1);

		for (sent = 0; mk_end_pending(b); sent += msg.lines)
			CHECK(mk_end_recv(b, &msg) == 1);
		CHECK(sent == slots && mk_end_owed(b) == slots);
		TRY(settle(&pair));
		CHECK(pair_sane(&pair));
		pair_free(&pair);
	}
	return TAP_OK;
}

static enum tap_result ack_due(void)
{
	u64 word[MK_LINE_WORDS] = { 0 };
	struct mk_message msg;
	struct pair pair;
	struct mk_end *a = &pair.end[0], *b = &pair.end[1];
	u32 i, slots = 64;

	pair_init_at(&pair, slots, -5, 16, 3);
	for (i = 0; i < slots / 4; i++) {
		CHECK(!mk_end_ack_due(b));
		CHECK(mk_end_owed(b) == i);
		CHECK(!mk_end_send(a, 0, 0, 0, word, 1));
		CHECK(mk_end_recv(b, &msg) == 1);
	}
	CHECK(mk_end_ack_due(b));
	/* A message carries it as well as an acknowledgment does. */
	CHECK(!mk_end_send(b, 0, 0, 0, word, 1));
	CHECK(!mk_end_ack_due(b) && !mk_end_owed(b));
	CHECK(mk_end_outstanding(a) == slots / 4);
	CHECK(mk_end_recv(a, &msg) == 1);
	CHECK(!mk_end_outstanding(a));
	/* An acknowledgment obliges nobody to answer. */
	CHECK(!mk_end_ack_due(a));
	pair_free(&pair);
	return TAP_OK;
}

static enum tap_result poll_pause(void)
{
	mk_poll_pause(0);
	mk_poll_pause(3);
	return TAP_OK;
}

const struct tap_test unit_tests[] = {
	{ "unit: sizes that are not allowed", init_sizes },
	{ "unit: layout", layout },
	{ "unit: a zeroed ring is empty", zeroed_is_empty },
	{ "unit: every length at every position", every_length_everywhere },
	{ "unit: every field", every_field },
	{ "unit: a header of zeroes", header_of_zeroes },
	{ "unit: lengths that are not allowed", bad_lengths },
	{ "unit: looked at, then given back", look },
	{ "unit: full ring, reserved slot", fill },
	{ "unit: when an acknowledgment is due", ack_due },
	{ "unit: pause", poll_pause },
	{ NULL, NULL }
};
