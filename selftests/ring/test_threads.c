// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads, one a side: order, integrity, full rings, closing in mid-flow.
 * Under ThreadSanitizer these show that the two barrier pairs are enough.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "pair.h"
#include "tests.h"
#include "urpc/inplace.h"

#define TYPE_DATA	1
#define TYPE_FIN	2

/* No progress for so long is a jam. */
#define JAM_S		10

/**
 * struct side - what one thread does, and what came of it
 * @end: its side of the pair
 * @cell: its side of a cell
 * @target: it is the target of the cell
 * @messages: how many to send before FIN; a FIN of the peer may end it sooner
 * @seed: of its random lengths
 * @sent: messages sent
 * @delivered: messages received
 * @result: TAP_OK, TAP_FAIL
 */
struct side {
	struct mk_end *end;
	struct mk_inplace *cell;
	bool target;
	u32 messages;
	u64 seed;
	u32 sent;
	u32 delivered;
	enum tap_result result;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Give way after a while: two cores may be one. False after a jam. */
static bool idle(u32 *polls, double *since)
{
	if (++*polls % 64) {
		mk_poll_pause(2);
		return true;
	}
	if (*polls == 64)
		*since = now();
	else if (now() - *since > JAM_S)
		return false;
	sched_yield();
	return true;
}

/* Receive what is there. */
static enum tap_result receive(struct side *me, bool *fin, bool *something)
{
	struct mk_message msg;
	int ret = pair_recv(me->end, &msg, me->sent);

	CHECK(ret >= 0);
	*something = ret;
	if (!ret || msg.flags & MK_MSG_ACK)
		return TAP_OK;
	CHECK(!*fin);
	CHECK(pair_filled(&msg));
	if (msg.type == TYPE_FIN) {
		*fin = true;
	} else {
		CHECK(msg.type == TYPE_DATA && msg.tag == me->delivered);
		me->delivered++;
	}
	return TAP_OK;
}

/*
 * Send until the ring is full, receive until it is empty, and so on; FIN last;
 * until FIN was sent and received.
 */
static enum tap_result both_ways(struct side *me)
{
	bool fin_sent = false, fin = false, some = true, sent;
	u32 lines = 0, polls = 0;
	u64 word[MK_MESSAGE_WORDS];
	double since = 0;

	while (!fin_sent || !fin) {
		bool last = fin || me->sent == me->messages;

		sent = false;
		if (!lines)
			lines = pair_random(&me->seed) % MK_MESSAGE_LINES + 1;
		if (!fin_sent) {
			pair_fill(word, me->end->tx.head, lines);
			sent = !mk_end_send(me->end, last ? TYPE_FIN : TYPE_DATA,
					    0, me->sent, word, lines);
		}
		if (sent) {
			lines = 0;
			fin_sent = last;
			me->sent += !last;
			continue;
		}
		do {
			TRY(receive(me, &fin, &some));
			if (mk_end_ack_due(me->end))
				mk_end_ack(me->end);
			polls = some ? 0 : polls;
		} while (some);
		CHECK(idle(&polls, &since));
	}
	return TAP_OK;
}

static enum tap_result call_in_place(struct side *me)
{
	u64 word[MK_LINE_WORDS], got[MK_LINE_WORDS];
	u32 n, words, polls = 0;
	double since = 0;
	u8 type;

	for (n = 0; n < me->messages; n++) {
		words = n % (MK_LINE_WORDS + 1);
		if (!me->target) {
			pair_fill(word, n, 1);
			CHECK(!mk_inplace_call(me->cell, n, word, words));
			while (!mk_inplace_replied(me->cell, &type, got, words))
				CHECK(idle(&polls, &since));
			pair_fill(word, ~n, 1);
			CHECK(type == (u8)~n);
		} else {
			while (!mk_inplace_called(me->cell, &type, got, words))
				CHECK(idle(&polls, &since));
			pair_fill(word, n, 1);
			CHECK(type == (u8)n);
		}
		CHECK(!memcmp(word, got, words * sizeof(*word)));
		if (me->target) {
			pair_fill(word, ~n, 1);
			CHECK(!mk_inplace_reply(me->cell, ~n, word, words));
		}
		polls = 0;
	}
	return TAP_OK;
}

static void *run(void *arg)
{
	struct side *me = arg;

	me->result = me->cell ? call_in_place(me) : both_ways(me);
	return NULL;
}

static enum tap_result run_both(struct side *side)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, run, &side[1]));
	run(&side[0]);
	CHECK(!pthread_join(thread, NULL));
	TRY(side[0].result);
	TRY(side[1].result);
	return TAP_OK;
}

/* @messages of each side; a side that has fewer stops the other in mid-flow. */
static enum tap_result flow(u32 slots_0, u32 slots_1, u32 messages_0,
			    u32 messages_1)
{
	struct side side[2] = {
		{ .messages = messages_0, .seed = 1 + messages_0 + slots_0 },
		{ .messages = messages_1, .seed = 2 + messages_1 + slots_1 },
	};
	struct pair pair;

	pair_init_at(&pair, slots_0, -1000 * slots_0 / 64, slots_1, -64);
	side[0].end = &pair.end[0];
	side[1].end = &pair.end[1];
	TRY(run_both(side));
	CHECK(side[0].sent == side[1].delivered);
	CHECK(side[1].sent == side[0].delivered);
	CHECK(pair_sane(&pair));
	pair_free(&pair);
	return TAP_OK;
}

#define MANY	60000

static enum tap_result one_way(void)
{
	TRY(flow(16, 16, MANY, 0));
	TRY(flow(64, 16, MANY, 0));
	TRY(flow(16, 256, MANY, ~0u));
	return TAP_OK;
}

/* Both send as fast as they can into small rings: full both ways most times. */
static enum tap_result full_both_ways(void)
{
	TRY(flow(16, 16, MANY, MANY));
	TRY(flow(16, 64, MANY, MANY));
	TRY(flow(256, 256, MANY, MANY));
	return TAP_OK;
}

static enum tap_result teardown(void)
{
	u64 seed = 99;
	u32 i;

	for (i = 0; i < 150; i++)
		TRY(flow(16u << pair_random(&seed) % 3, 16,
			 pair_random(&seed) % 400, pair_random(&seed) % 400));
	return TAP_OK;
}

static enum tap_result in_place(void)
{
	struct mk_inplace cell[2];
	static struct mk_line line;
	struct side side[2] = {
		{ .cell = &cell[0], .messages = MANY },
		{ .cell = &cell[1], .messages = MANY, .target = true },
	};
	int i;

	memset(&line, 0, sizeof(line));
	for (i = 0; i < 2; i++) {
		mk_inplace_init(&cell[i], &line);
		cell[i].seq = -MANY / 2;
	}
	return run_both(side);
}

const struct tap_test thread_tests[] = {
	{ "threads: one way, and the other until it ends", one_way },
	{ "threads: full both ways", full_both_ways },
	{ "threads: teardown in mid-flow", teardown },
	{ "threads: RPC in place", in_place },
	{ NULL, NULL }
};
