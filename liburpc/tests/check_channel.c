// SPDX-License-Identifier: GPL-2.0
/*
 * Both sides in one thread: what each call promises.
 */
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests.h"

static enum tap_result every_size(void)
{
	struct urpc_channel *side[2];
	struct urpc_message message;
	u32 bytes, i;

	CHECK(!urpc_pair(NULL, side));
	for (bytes = 0; bytes <= URPC_BYTES_MAX; bytes++) {
		CHECK(!test_send(side[0], bytes, bytes));
		memset(&message, 0xa5, sizeof(message));
		CHECK(urpc_recv(side[1], &message) == 1);
		CHECK(message.tag == bytes && message.bytes == bytes);
		CHECK(message.flags == 0 && test_filled(&message));
		for (i = bytes; i < URPC_BYTES_MAX; i++)
			CHECK(message.data[i] == 0xa5);
		CHECK(urpc_recv(side[1], &message) == 0);
		/* Nothing for the caller, but room. */
		CHECK(urpc_recv(side[0], &message) == 0);
	}
	CHECK(test_send(side[0], 0, URPC_BYTES_MAX) == 0);
	CHECK(urpc_send(side[0], 0, &message, URPC_BYTES_MAX + 1) == -EMSGSIZE);
	CHECK(urpc_send(side[0], 0, &message, -1u) == -EMSGSIZE);
	urpc_close(side[0]);
	urpc_close(side[1]);
	return TAP_OK;
}

static enum tap_result full(void)
{
	static const struct urpc_options options = { .slots = 16 };
	struct urpc_channel *side[2];
	struct urpc_message message;
	u32 sent, got, round;

	CHECK(!urpc_pair(&options, side));
	for (round = 0; round < 1000; round++) {
		for (sent = 0; !test_send(side[0], sent, round % 200); sent++)
			;
		CHECK(sent >= 1 && sent < 16);
		CHECK(test_send(side[0], 0, round % 200) == -EAGAIN);
		CHECK(urpc_wait(side[0], URPC_OUT, 0) == -ETIMEDOUT);
		for (got = 0; urpc_recv(side[1], &message) == 1; got++)
			CHECK(message.tag == got && test_filled(&message));
		CHECK(got == sent);
		CHECK(urpc_wait(side[0], URPC_OUT, 0) == URPC_OUT);
	}
	urpc_close(side[0]);
	urpc_close(side[1]);
	return TAP_OK;
}

static enum tap_result waits(void)
{
	struct urpc_channel *side[2];
	struct urpc_message message;
	int64_t began;

	CHECK(!urpc_pair(NULL, side));
	began = urpc_now_ns();
	CHECK(urpc_wait(side[0], URPC_IN, 20) == -ETIMEDOUT);
	CHECK(urpc_now_ns() - began >= 20 * NS_PER_MS);
	CHECK(urpc_wait(side[0], URPC_IN | URPC_OUT, 0) == URPC_OUT);
	CHECK(urpc_wait(side[0], 0, 0) == -EINVAL);
	CHECK(urpc_wait(side[0], 4, 0) == -EINVAL);
	CHECK(urpc_wait(side[0], URPC_IN, -1) == -EINVAL);
	CHECK(!test_send(side[1], 7, 100));
	CHECK(urpc_wait(side[0], URPC_IN, 0) == URPC_IN);
	CHECK(urpc_wait(side[0], URPC_IN | URPC_OUT, 0) == (URPC_IN | URPC_OUT));
	/* Its last message, and then that it has gone. */
	urpc_close(side[1]);
	CHECK(urpc_wait(side[0], URPC_IN, LONG_MS) == URPC_IN);
	CHECK(urpc_recv(side[0], &message) == 1 && test_filled(&message));
	CHECK(urpc_wait(side[0], URPC_IN, LONG_MS) == -EPIPE);
	CHECK(urpc_disarm(side[0]) == -EPIPE);
	urpc_close(side[0]);
	return TAP_OK;
}

static bool woken(struct urpc_channel *side)
{
	struct pollfd fd = { .fd = urpc_fd(side), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Nobody is woken, and half of the room is left; they come first all the same. */
static enum tap_result hints(void)
{
	struct urpc_options options = { .slots = 32 };
	struct urpc_channel *side[2];
	struct urpc_message message;
	u32 round, hints, i;

	CHECK(!urpc_pair(&options, side));
	CHECK(urpc_hint(side[0], 0, &message, URPC_BYTES_MAX + 1) == -EMSGSIZE);
	for (round = 0; round < 100; round++) {
		CHECK(!urpc_arm(side[1], URPC_IN));
		for (hints = 0; !urpc_hint(side[0], hints, &round, 4); hints++)
			CHECK(hints < options.slots);
		CHECK(hints == options.slots / 2 - 1);
		CHECK(urpc_hint(side[0], 0, &round, 4) == -EAGAIN);
		CHECK(!woken(side[1]));
		for (i = 0; i < options.slots / 4; i++)
			CHECK(!urpc_send(side[0], hints + i, &round, 4));
		CHECK(woken(side[1]));
		CHECK(!urpc_disarm(side[1]));
		for (i = 0; i < hints + options.slots / 4; i++) {
			CHECK(urpc_recv(side[1], &message) == 1);
			CHECK(message.tag == i && message.bytes == 4 &&
			      !memcmp(message.data, &round, 4));
		}
		/* What gives room back. */
		CHECK(!urpc_send(side[1], 0, &round, 4));
		CHECK(urpc_recv(side[0], &message) == 1);
	}
	urpc_close(side[0]);
	CHECK(urpc_hint(side[1], 0, NULL, 0) == 0);
	urpc_close(side[1]);
	return TAP_OK;
}

static enum tap_result calls(void)
{
	struct urpc_channel *side[2];
	struct urpc_message call, reply;

	CHECK(!urpc_pair(NULL, side));
	/* A call that times out; its late reply is not taken for the next. */
	CHECK(urpc_call(side[0], "old", 4, &reply, 1) == -ETIMEDOUT);
	CHECK(urpc_recv(side[1], &call) == 1 && call.flags == URPC_CALL);
	CHECK(!urpc_reply(side[1], &call, "late", 5));
	call.tag++;
	CHECK(!urpc_reply(side[1], &call, "right", 6));
	CHECK(!urpc_call(side[0], "new", 4, &reply, LONG_MS));
	CHECK(reply.bytes == 6 && !strcmp((char *)reply.data, "right"));
	call.flags = 0;
	CHECK(urpc_reply(side[1], &call, "no", 3) == -EINVAL);
	CHECK(!test_send(side[1], 0, 10));
	CHECK(urpc_call(side[0], "odd", 4, &reply, LONG_MS) == -EPROTO);
	urpc_close(side[0]);
	urpc_close(side[1]);
	return TAP_OK;
}

static enum tap_result options(void)
{
	static const struct urpc_options wrong[] = {
		{ .slots = 8 }, { .slots = 24 }, { .slots = 32768 },
		{ .flags = 8 }, { .poll_us = 2000000 },
	};
	struct urpc_options one = { .slots = URPC_SLOTS_MAX };
	struct urpc_channel *side[2];
	int files = test_files();
	u32 i;

	for (i = 0; i < NR_OF(wrong); i++)
		CHECK(urpc_pair(&wrong[i], side) == -EINVAL);
	CHECK(!urpc_pair(&one, side));
	urpc_close(side[0]);
	urpc_close(side[1]);
	urpc_close(NULL);
	CHECK(test_files() == files);
	return TAP_OK;
}

/* The child of a fork() would be a second reader. */
static enum tap_result forked(void)
{
	struct urpc_channel *side[2];
	struct urpc_message message;
	pid_t pid;

	CHECK(!urpc_pair(NULL, side));
	CHECK(!test_send(side[0], 1, 1));
	pid = fork();
	if (!pid)
		_exit(urpc_recv(side[1], &message) != -EBADF ||
		      urpc_wait(side[1], URPC_IN, 0) != -EBADF ||
		      urpc_arm(side[1], URPC_IN) != -EBADF ||
		      test_send(side[0], 1, 1) != -EBADF ||
		      urpc_fd(side[0]) != -EBADF);
	CHECK(test_status(pid) == 0);
	CHECK(urpc_recv(side[1], &message) == 1);
	urpc_close(side[0]);
	urpc_close(side[1]);
	return TAP_OK;
}

const struct tap_test channel_tests[] = {
	{ "channel: every size", every_size },
	{ "channel: full, and room again", full },
	{ "channel: waits end", waits },
	{ "channel: hints", hints },
	{ "channel: calls and late replies", calls },
	{ "channel: options that cannot be", options },
	{ "channel: no second reader by fork()", forked },
	{ NULL, NULL }
};
