// SPDX-License-Identifier: GPL-2.0
/*
 * One thread plays both sides in random order, next to a model of what each
 * must see. Also: two full rings, and closing in the middle.
 */
#include <stdlib.h>

#include "pair.h"
#include "tests.h"

#define TYPE_DATA	1
#define TYPE_FIN	2

/**
 * struct side - one side, and what the test knows about it
 * @end: the side
 * @sent: lines sent, data and acknowledgments
 * @received: lines received
 * @told: of those sent, lines that a message of the peer said it had received
 * @carried: what each message sent said had been received, by its position
 * @closing: accepts no more messages
 * @fin_sent: has sent its last message
 * @fin_received: has received the peer's
 * @accepted: messages promised to be delivered
 * @queued: of these, not sent yet
 * @delivered: messages of the peer that arrived
 */
struct side {
	struct mk_end *end;
	u32 sent;
	u32 received;
	u32 told;
	u32 *carried;
	bool closing;
	bool fin_sent;
	bool fin_received;
	u32 accepted;
	u32 queued;
	u32 delivered;
};

static u32 random_slots(u64 *seed)
{
	return MK_RING_SLOTS_MIN << pair_random(seed) % 5;
}

/* What each line sent carried; only lines in flight matter. */
static u32 carried[2][MK_RING_SLOTS_MAX];

static void carry(struct side *side)
{
	side->carried[side->sent % MK_RING_SLOTS_MAX] = side->received;
}

static void side_init(struct side *side, struct mk_end *end, int i)
{
	*side = (struct side){
		.end = end,
		.sent = end->tx.head,
		.told = end->tx.head,
		.received = end->rx.tail,
		.carried = carried[i],
	};
}

/* Near 0, near the wrap, or anywhere. */
static u32 random_pos(u64 *seed)
{
	u32 r = pair_random(seed);

	return r % 3 == 0 ? r >> 20 : r % 3 == 1 ? -(r >> 20) : r;
}

static void random_pair(struct pair *pair, struct side *side, u64 *seed)
{
	u32 slots[2] = { random_slots(seed), random_slots(seed) };
	u32 pos[2] = { random_pos(seed), random_pos(seed) };
	int i;

	pair_init_at(pair, slots[0], pos[0], slots[1], pos[1]);
	for (i = 0; i < 2; i++)
		side_init(&side[i], &pair->end[i], i);
}

static enum tap_result try_send(struct side *side, u8 type, u32 lines,
				bool *done)
{
	struct mk_end *end = side->end;
	u64 word[MK_MESSAGE_WORDS];
	int ret;

	pair_fill(word, side->sent, lines);
	ret = mk_end_send(end, type, 0, side->accepted - side->queued, word,
			  lines);
	*done = !ret;
	/* The model: room is what neither data nor the reserve takes. */
	if (side->sent - side->told + lines + 1 > end->tx.slots) {
		CHECK(ret == -EAGAIN);
		return TAP_OK;
	}
	CHECK(!ret);
	carry(side);
	side->sent += lines;
	CHECK(!mk_end_owed(end));
	return TAP_OK;
}

static enum tap_result try_ack(struct side *side)
{
	u32 owed = mk_end_owed(side->end);
	int ret = mk_end_ack(side->end);

	/* The side knows what the model knows. */
	if (!owed) {
		CHECK(!ret && side->end->tx.head == side->sent);
	} else if (side->sent - side->told == side->end->tx.slots) {
		CHECK(ret == -EAGAIN && mk_end_owed(side->end) == owed);
	} else {
		CHECK(!ret && !mk_end_owed(side->end));
		carry(side);
		side->sent++;
	}
	return TAP_OK;
}

static enum tap_result try_recv(struct side *side, struct side *from)
{
	bool something = from->sent != side->received;
	struct mk_message msg;
	int ret;

	CHECK(mk_end_pending(side->end) == something);
	ret = pair_recv(side->end, &msg, side->sent);
	CHECK(ret == something);
	if (!something)
		return TAP_OK;

	CHECK(msg.seq == side->received);
	side->told = from->carried[msg.seq % MK_RING_SLOTS_MAX];
	CHECK(mk_end_outstanding(side->end) == side->sent - side->told);
	side->received += msg.lines;
	if (msg.flags & MK_MSG_ACK)
		return TAP_OK;
	CHECK(pair_filled(&msg));
	CHECK(!side->fin_received);
	if (msg.type == TYPE_FIN) {
		side->fin_received = true;
		side->closing = true;
	} else {
		CHECK(msg.tag == side->delivered);
		side->delivered++;
	}
	return TAP_OK;
}

/* Random operations in random order at random sizes and positions. */
static enum tap_result random_walk(void)
{
	u64 seed = 0x6d756c74696b6572ull;
	struct side side[2];
	struct pair pair;
	u32 round, step;
	bool done;

	for (round = 0; round < 400; round++) {
		u32 bias = pair_random(&seed) % 8;

		random_pair(&pair, side, &seed);
		for (step = 0; step < 1500; step++) {
			u64 r = pair_random(&seed);
			struct side *me = &side[r & 1];
			u32 what = r >> 8 & 15;

			if (what < 4 + bias) {
				me->accepted++;
				me->queued++;
				TRY(try_send(me, TYPE_DATA, (r >> 16 & 7) + 1,
					     &done));
				me->accepted -= !done;
				me->queued--;
			} else if (what < 15) {
				TRY(try_recv(me, &side[~r & 1]));
			} else {
				TRY(try_ack(me));
			}
			CHECK(pair_side_sane(me->end));
		}
		CHECK(pair_sane(&pair));
		pair_free(&pair);
	}
	return TAP_OK;
}

/* Fill the ring of @side with data of at most @lines lines a message. */
static enum tap_result fill(struct side *side, u32 lines)
{
	bool done;

	while (lines) {
		TRY(try_send(side, TYPE_DATA, lines, &done));
		if (done)
			side->accepted++;
		else
			lines--;
	}
	return TAP_OK;
}

static enum tap_result drain(struct side *side, struct side *from)
{
	while (from->sent != side->received)
		TRY(try_recv(side, from));
	return TAP_OK;
}

/*
 * Both rings full, nothing received on either side; then both sides only do
 * what the header asks for. @eager ones acknowledge where nothing is due.
 */
static enum tap_result both_full(u32 slots_0, u32 slots_1, u32 lines,
				 bool eager)
{
	struct side side[2];
	struct pair pair;
	u32 round, i;

	pair_init_at(&pair, slots_0, -slots_0 - 3, slots_1, -slots_1 + 5);
	for (i = 0; i < 2; i++)
		side_init(&side[i], &pair.end[i], i);
	for (round = 0; round < 40; round++) {
		u32 before[2] = { side[0].accepted, side[1].accepted };

		TRY(fill(&side[0], lines));
		TRY(fill(&side[1], lines));
		/* Bounded: a few exchanges must make room on both sides. */
		for (i = 0; i < 3; i++) {
			if (eager) {
				TRY(try_ack(&side[0]));
				TRY(try_ack(&side[1]));
			}
			TRY(drain(&side[0], &side[1]));
			TRY(drain(&side[1], &side[0]));
			if (mk_end_ack_due(side[0].end))
				TRY(try_ack(&side[0]));
			if (mk_end_ack_due(side[1].end))
				TRY(try_ack(&side[1]));
		}
		CHECK(side[0].accepted > before[0]);
		CHECK(side[1].accepted > before[1]);
		CHECK(mk_end_room(side[0].end) >= MK_MESSAGE_LINES);
		CHECK(mk_end_room(side[1].end) >= MK_MESSAGE_LINES);
	}
	CHECK(side[1].delivered == side[0].accepted);
	CHECK(side[0].delivered == side[1].accepted);
	pair_free(&pair);
	return TAP_OK;
}

static enum tap_result two_full_rings(void)
{
	u32 a, b, lines;

	for (a = 16; a <= 256; a *= 2)
		for (b = 16; b <= 256; b *= 2)
			for (lines = 1; lines <= MK_MESSAGE_LINES; lines++)
				TRY(both_full(a, b, lines, false));
	return TAP_OK;
}

/* Acknowledgments of nothing into both full rings would close the way back. */
static enum tap_result two_full_rings_eager(void)
{
	u32 a, b;

	for (a = 16; a <= 64; a *= 2)
		for (b = 16; b <= 64; b *= 2)
			TRY(both_full(a, b, 1, true));
	return TAP_OK;
}

/* The same without the model, which would notice a broken ring too early. */
static enum tap_result jam(u32 slots_0, u32 slots_1, bool eager)
{
	u64 word[MK_LINE_WORDS] = { 0 };
	struct mk_message msg;
	struct pair pair;
	u32 round, i;

	pair_init(&pair, slots_0, slots_1);
	for (i = 0; i < 2; i++) {
		while (!mk_end_send(&pair.end[i], TYPE_DATA, 0, 0, word, 1))
			;
		if (eager)
			mk_end_ack(&pair.end[i]);
	}
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 2; i++) {
			while (mk_end_recv(&pair.end[i], &msg))
				;
			if (mk_end_ack_due(&pair.end[i]))
				mk_end_ack(&pair.end[i]);
		}
	}
	CHECK(mk_end_room(&pair.end[0]) >= MK_MESSAGE_LINES);
	CHECK(mk_end_room(&pair.end[1]) >= MK_MESSAGE_LINES);
	pair_free(&pair);
	return TAP_OK;
}

static enum tap_result no_jam(void)
{
	u32 a, b;

	for (a = 16; a <= 64; a *= 2)
		for (b = 16; b <= 64; b *= 2)
			TRY(jam(a, b, false));
	return TAP_OK;
}

static enum tap_result no_jam_eager(void)
{
	u32 a, b;

	for (a = 16; a <= 64; a *= 2)
		for (b = 16; b <= 64; b *= 2)
			TRY(jam(a, b, true));
	return TAP_OK;
}

/* Acknowledgments of acknowledgments must die out. */
static enum tap_result acks_die_out(void)
{
	struct side side[2];
	struct pair pair;
	u64 seed = 77;
	u32 i, quiet, round;

	for (round = 0; round < 50; round++) {
		random_pair(&pair, side, &seed);
		TRY(fill(&side[0], 8));
		TRY(fill(&side[1], 8));
		for (i = 0, quiet = 0; quiet < 2; i++) {
			u32 sent = side[0].sent + side[1].sent;
			struct side *me = &side[i & 1];

			CHECK(i < 100);
			TRY(drain(me, &side[!(i & 1)]));
			if (mk_end_ack_due(me->end))
				TRY(try_ack(me));
			quiet = sent == side[0].sent + side[1].sent ?
				quiet + 1 : 0;
		}
		pair_free(&pair);
	}
	return TAP_OK;
}

/* One step of a side that keeps the rules until it is done. */
static enum tap_result closing_step(struct side *me, struct side *peer,
				    u64 *seed)
{
	u64 r = pair_random(seed);
	bool done;

	if (!me->closing && r % 4 == 0) {
		me->accepted++;
		me->queued++;
	}
	if (!me->closing && r % 256 == 1)
		me->closing = true;
	if (r >> 16 & 1)
		TRY(try_recv(me, peer));
	if (me->queued) {
		TRY(try_send(me, TYPE_DATA, (r >> 24 & 7) + 1, &done));
		me->queued -= done;
	} else if (me->closing && !me->fin_sent) {
		TRY(try_send(me, TYPE_FIN, 1, &done));
		me->fin_sent = done;
	}
	/* After FIN too: the peer may still have messages to send. */
	if (mk_end_ack_due(me->end))
		TRY(try_ack(me));
	return TAP_OK;
}

static bool done(const struct side *side)
{
	return side->fin_sent && side->fin_received;
}

/* Each side closes in mid-flow, or because the other did. */
static enum tap_result teardown(void)
{
	u64 seed = 0x746561726f6666ull;
	struct side side[2];
	struct pair pair;
	u32 round, step;

	for (round = 0; round < 1000; round++) {
		random_pair(&pair, side, &seed);
		for (step = 0; !done(&side[0]) || !done(&side[1]); step++) {
			int i = pair_random(&seed) & 1;

			CHECK(step < 200000);
			if (!done(&side[i]))
				TRY(closing_step(&side[i], &side[!i], &seed));
		}
		CHECK(!side[0].queued && !side[1].queued);
		CHECK(side[0].accepted == side[1].delivered);
		CHECK(side[1].accepted == side[0].delivered);
		CHECK(pair_sane(&pair));
		pair_free(&pair);
	}
	return TAP_OK;
}

const struct tap_test flow_tests[] = {
	{ "flow: random operations against a model", random_walk },
	{ "flow: two full rings", two_full_rings },
	{ "flow: two full rings, eager", two_full_rings_eager },
	{ "flow: two full rings do not jam", no_jam },
	{ "flow: nor if told what they know", no_jam_eager },
	{ "flow: acknowledgments die out", acks_die_out },
	{ "flow: teardown in mid-flow", teardown },
	{ NULL, NULL }
};
