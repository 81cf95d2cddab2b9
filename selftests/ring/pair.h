/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pair of rings and its two sides, for tests.
 *
 * The ring has no hook for tests: its positions are plain members, and
 * pair_init_at() brings a ring to the state that it would have after so many
 * lines by setting them on both sides and giving every slot the epoch of the
 * last pass that went over it. That is how the wrap of 32-bit positions is
 * tested without sending four billion lines.
 */
#ifndef MK_RING_PAIR_H
#define MK_RING_PAIR_H

#include <stddef.h>

#include "urpc/ring.h"

/* Lines after each ring that nobody may write. */
#define PAIR_GUARD	2
#define PAIR_GUARD_BYTE	0xa5

/**
 * struct pair - two sides
 * @ring: ring[i] is written by side i
 * @slots: of each
 * @end: the sides
 */
struct pair {
	struct mk_line *ring[2];
	u32 slots[2];
	struct mk_end end[2];
};

/* All of these abort when out of memory. */
void pair_init(struct pair *pair, u32 slots_0, u32 slots_1);
void pair_init_at(struct pair *pair, u32 slots_0, u32 pos_0, u32 slots_1,
		  u32 pos_1);
void pair_free(struct pair *pair);

/* True if nothing was written past the rings and no position is impossible. */
bool pair_sane(const struct pair *pair);
bool pair_side_sane(const struct mk_end *end);

/* Word @i of the message whose first line is at @seq: what tests send. */
static inline u64 pair_word(u32 seq, u32 i)
{
	u64 x = ((u64)seq << 8 | i) * 0x9e3779b97f4a7c15ull;

	return x ^ x >> 29;
}

void pair_fill(u64 *word, u32 seq, u32 lines);
bool pair_filled(const struct mk_message *msg);

/* Receive in one of the PAIR_WAYS that there are, which @way chooses. */
#define PAIR_WAYS	4
int pair_recv(struct mk_end *end, struct mk_message *msg, u32 way);

/* A small generator; the state is one word, never 0. */
static inline u64 pair_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif /* MK_RING_PAIR_H */
