// SPDX-License-Identifier: GPL-2.0
/*
 * A pair of rings and its two sides, for tests: see pair.h.
 */
#include <stdlib.h>

#include "pair.h"

static struct mk_line *pair_ring(u32 slots)
{
	struct mk_line *ring;

	ring = aligned_alloc(MK_LINE_BYTES,
			     (slots + PAIR_GUARD) * sizeof(*ring));
	if (!ring)
		abort();
	memset(ring, 0, slots * sizeof(*ring));
	memset(ring + slots, PAIR_GUARD_BYTE, PAIR_GUARD * sizeof(*ring));
	return ring;
}

void pair_init(struct pair *pair, u32 slots_0, u32 slots_1)
{
	const u32 slots[2] = { slots_0, slots_1 };
	int i;

	for (i = 0; i < 2; i++) {
		pair->slots[i] = slots[i];
		pair->ring[i] = pair_ring(slots[i]);
	}
	for (i = 0; i < 2; i++)
		if (mk_end_init(&pair->end[i], pair->ring[i], slots[i],
				pair->ring[!i], slots[!i]))
			abort();
}

/* As if @pos lines had passed. */
static void pair_advance(struct mk_line *ring, u32 slots, struct mk_tx *tx,
			 struct mk_rx *rx, u32 pos)
{
	u32 i;

	tx->head = pos;
	tx->acked = pos;
	rx->tail = pos;
	rx->told = pos;
	/* Position pos - slots + i is the last one written in its slot. */
	for (i = 0; i < slots; i++) {
		u32 last = pos - slots + i;

		ring[last & (slots - 1)].header = mk_ring_epoch(last, slots);
	}
}

void pair_init_at(struct pair *pair, u32 slots_0, u32 pos_0, u32 slots_1,
		  u32 pos_1)
{
	struct mk_end *end = pair->end;

	pair_init(pair, slots_0, slots_1);
	pair_advance(pair->ring[0], slots_0, &end[0].tx, &end[1].rx, pos_0);
	pair_advance(pair->ring[1], slots_1, &end[1].tx, &end[0].rx, pos_1);
}

void pair_free(struct pair *pair)
{
	free(pair->ring[0]);
	free(pair->ring[1]);
}

int pair_recv(struct mk_end *end, struct mk_message *msg, u32 way)
{
	struct mk_view view;
	u32 line;
	int ret;

	switch (way % PAIR_WAYS) {
	case 0:
		return mk_end_recv(end, msg);
	case 1:
		return mk_end_recv_stream(end, msg);
	case 2:
		ret = mk_end_look(end, &view);
		break;
	default:
		ret = mk_end_look_stream(end, &view);
	}
	if (ret <= 0)
		return ret;
	msg->type = view.type;
	msg->flags = view.flags;
	msg->lines = view.lines;
	msg->tag = view.tag;
	msg->seq = view.seq;
	for (line = 0; line < view.lines; line++)
		memcpy(msg->word + line * MK_LINE_WORDS, mk_end_words(end, line),
		       MK_LINE_PAYLOAD);
	mk_end_done(end, &view);
	return ret;
}

bool pair_side_sane(const struct mk_end *end)
{
	return mk_end_outstanding(end) <= end->tx.slots &&
	       mk_end_room(end) < end->tx.slots &&
	       mk_ring_slots_ok(end->tx.slots) &&
	       mk_ring_slots_ok(end->rx.slots);
}

bool pair_sane(const struct pair *pair)
{
	const unsigned char *guard;
	size_t i;
	int r;

	for (r = 0; r < 2; r++) {
		guard = (const unsigned char *)(pair->ring[r] + pair->slots[r]);
		for (i = 0; i < PAIR_GUARD * sizeof(struct mk_line); i++)
			if (guard[i] != PAIR_GUARD_BYTE)
				return false;
		if (!pair_side_sane(&pair->end[r]))
			return false;
	}
	return true;
}

void pair_fill(u64 *word, u32 seq, u32 lines)
{
	u32 i;

	for (i = 0; i < lines * MK_LINE_WORDS; i++)
		word[i] = pair_word(seq, i);
}

bool pair_filled(const struct mk_message *msg)
{
	u32 i;

	for (i = 0; i < (u32)msg->lines * MK_LINE_WORDS; i++)
		if (msg->word[i] != pair_word(msg->seq, i))
			return false;
	return true;
}
