// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that writes what it likes into all of the shared memory: the other side
 * survives, says so, and waits no longer than it was to.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "tests.h"

#define ROUNDS		2000
#define PROCESSES	30

static unsigned int lies;	/* that were seen */

/* Everything that a side can do, with a peer that may have done anything. */
static enum tap_result use(struct urpc_channel *side, u64 *seed)
{
	struct urpc_message message;
	struct urpc_message reply;
	int ret;

	memset(&message, 0xa5, sizeof(message));
	ret = urpc_recv(side, &message);
	CHECK(ret == 0 || ret == 1 || ret == -EBADMSG);
	if (ret == 1) {
		CHECK(message.bytes <= URPC_BYTES_MAX);
		CHECK(!(message.flags & ~(URPC_CALL | URPC_REPLY)));
		if (message.bytes < URPC_BYTES_MAX)
			CHECK(message.data[URPC_BYTES_MAX - 1] == 0xa5);
	}
	if (ret == -EBADMSG) {
		lies++;
		CHECK(urpc_recv(side, &message) == -EBADMSG);
		CHECK(test_send(side, 0, 1) == -EBADMSG);
		CHECK(urpc_wait(side, URPC_IN, 0) == -EBADMSG);
		CHECK(urpc_arm(side, URPC_IN) == -EBADMSG);
		CHECK(urpc_disarm(side) == -EBADMSG);
		return TAP_OK;
	}
	ret = test_send(side, 1, test_random(seed) % (URPC_BYTES_MAX + 1));
	CHECK(ret == 0 || ret == -EAGAIN);
	ret = urpc_wait(side, URPC_IN | URPC_OUT, 0);
	CHECK(ret > 0 || ret == -ETIMEDOUT || ret == -EBADMSG);
	ret = urpc_call(side, "", 1, &reply, 0);
	CHECK(ret <= 0);
	CHECK(side->end.tx.line && side->end.tx.slots == side->area->slots);
	CHECK(mk_end_outstanding(&side->end) <= side->area->slots);
	return TAP_OK;
}

static void scribble(struct urpc_area *area, struct urpc_channel *to, u64 *seed)
{
	u64 *memory = (u64 *)area->side;
	const struct mk_rx *rx = &to->end.rx;
	u64 r = test_random(seed);

	memory[r % (area->bytes / 8)] = test_random(seed);
	if (!(r >> 32 & 3))
		((u64 *)&rx->line[rx->tail & (rx->slots - 1)])[7] =
			test_random(seed);
	/* A believable one, else the first lie is the last. */
	if (!(r >> 34 & 1))
		((u64 *)&rx->line[rx->tail & (rx->slots - 1)])[7] =
			mk_ring_epoch(rx->tail, rx->slots) |
			mk_hdr_pack(r >> 40 & 63, 0, 1 + (r >> 50 & 7),
				    to->end.tx.acked, 0);
}

static enum tap_result between_calls(void)
{
	struct urpc_options options = { .slots = 16 };
	u64 seed = 0x6c696573;
	u32 round, step;

	lies = 0;
	for (round = 0; round < ROUNDS; round++) {
		struct urpc_channel *side[2];

		options.slots = 16 << round % 3;
		CHECK(!urpc_pair(&options, side));
		for (step = 0; step < 40 && !side[0]->error; step++) {
			scribble(side[0]->area, side[0], &seed);
			TRY(use(side[0], &seed));
		}
		urpc_close(side[0]);
		urpc_close(side[1]);
	}
	/* The lies were seen, not just survived. */
	CHECK(lies > ROUNDS / 2);
	return TAP_OK;
}

/* Writes everywhere until it is killed. */
static int vandal(struct urpc_channel *channel)
{
	u64 *memory = (u64 *)channel->area->side, seed = getpid();
	size_t words = channel->area->bytes / 8;
	int file[2] = { channel->wake, channel->wake_peer };
	u64 most = -2ull;
	int i;

	/* It fills the counters, and has them block. */
	for (i = 0; i < 2; i++) {
		fcntl(file[i], F_SETFL, 0);
		if (!(getpid() % 2) && write(file[i], &most, 8) != 8)
			return 1;
	}
	if (write(channel->socket, "unasked for", 11) != 11)
		return 1;
	/* Sealed: there is nothing to take away. */
	if (!ftruncate(channel->area->fd, 0))
		return 1;
	fallocate(channel->area->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  0, channel->area->bytes);
	for (;;) {
		u64 r = test_random(&seed);

		__atomic_store_n(&memory[r % words], test_random(&seed),
				 __ATOMIC_RELAXED);
	}
}

static enum tap_result all_the_time(void)
{
	const struct urpc_options options = { .slots = 64 };
	u64 seed = 0x76616e64616cull;
	u32 round, step;

	for (round = 0; round < PROCESSES; round++) {
		struct urpc_channel *channel;
		pid_t pid;

		CHECK(!test_fork(&channel, &options, vandal, &pid));
		for (step = 0; step < 20 || !channel->error; step++) {
			TRY(use(channel, &seed));
			CHECK(step < 1000000);
		}
		CHECK(channel->error == -EBADMSG);
		CHECK(waitpid(pid, NULL, WNOHANG) == 0);
		kill(pid, SIGKILL);
		CHECK(test_status(pid) == -SIGKILL);
		urpc_close(channel);
	}
	return TAP_OK;
}

/* Bare acknowledgments of nothing would keep a receiver busy for ever. */
static enum tap_result empty_acks(void)
{
	struct urpc_channel *side[2];
	struct urpc_message message;

	CHECK(!urpc_pair(NULL, side));
	mk_tx_show(&side[1]->end.tx, mk_hdr_pack(0, MK_MSG_ACK, 1, 0, 0), 1);
	CHECK(urpc_recv(side[0], &message) == -EBADMSG);
	urpc_close(side[0]);
	urpc_close(side[1]);
	return TAP_OK;
}

/* How much of the last line is unused, in every line and every number. */
static enum tap_result lengths(void)
{
	u32 unused, lines;

	for (unused = 0; unused < 256; unused++) {
		for (lines = 1; lines <= MK_MESSAGE_LINES; lines++) {
			bool ok = unused < MK_LINE_PAYLOAD ||
				  (unused == MK_LINE_PAYLOAD && lines == 1);
			u64 word[MK_MESSAGE_WORDS] = { 0 };
			struct urpc_channel *side[2];
			struct urpc_message message;
			int ret;

			CHECK(!urpc_pair(NULL, side));
			CHECK(!mk_end_send(&side[1]->end, unused, 0, 0, word,
					   lines));
			ret = urpc_recv(side[0], &message);
			CHECK(ret == (ok ? 1 : -EBADMSG));
			if (ok)
				CHECK(message.bytes ==
				      lines * MK_LINE_PAYLOAD - unused);
			urpc_close(side[0]);
			urpc_close(side[1]);
		}
	}
	return TAP_OK;
}

const struct tap_test hostile_tests[] = {
	{ "hostile: every length", lengths },
	{ "hostile: acknowledgments of nothing", empty_acks },
	{ "hostile: memory written between calls", between_calls },
	{ "hostile: memory written all the time", all_the_time },
	{ NULL, NULL }
};
