// SPDX-License-Identifier: GPL-2.0
/*
 * A side in each of two threads.
 */
#include <poll.h>
#include <pthread.h>

#include "tests.h"

#define MESSAGES	30000
#define ROUNDS		(WITH_TSAN ? 3000 : 60000)

/* Both sides send and receive MESSAGES of random sizes. */
static enum tap_result talk(struct urpc_channel *side)
{
	u32 sent = 0, got = 0;
	struct urpc_message message;
	u64 seed = 0x7468 + side->side;

	while (sent < MESSAGES || got < MESSAGES) {
		unsigned int events = sent < MESSAGES ? URPC_IN | URPC_OUT :
				      URPC_IN;
		int ret;

		ret = urpc_wait(side, events, LONG_MS);
		if (ret == -EPIPE && got == MESSAGES)
			break;
		CHECK(ret > 0);
		while (sent < MESSAGES && test_random(&seed) % 16 &&
		       !test_send(side, sent,
				  test_random(&seed) % (URPC_BYTES_MAX + 1)))
			sent++;
		while ((ret = urpc_recv(side, &message)) == 1) {
			CHECK(message.tag == got && test_filled(&message));
			got++;
		}
		CHECK(!ret);
	}
	CHECK(sent == MESSAGES && got == MESSAGES);
	return TAP_OK;
}

static void *talk_thread(void *arg)
{
	return (void *)(long)talk(arg);
}

/* A side whose every message is answered, with no time to poll in between. */
static void *answer_thread(void *arg)
{
	struct urpc_channel *side = arg;
	struct urpc_message message;
	int ret;

	for (;;) {
		ret = urpc_wait(side, URPC_IN, 6 * LONG_MS);
		if (ret == -EPIPE)
			return (void *)(long)TAP_OK;
		if (ret < 0 || urpc_recv(side, &message) != 1 ||
		    urpc_send(side, message.tag, message.data, message.bytes))
			return (void *)(long)TAP_FAIL;
	}
}

static enum tap_result run(const struct urpc_options *options,
			   enum tap_result (*mine)(struct urpc_channel *side),
			   void *(*other)(void *arg))
{
	struct urpc_channel *side[2];
	enum tap_result result;
	pthread_t thread;
	void *theirs;

	CHECK(!urpc_pair(options, side));
	CHECK(!pthread_create(&thread, NULL, other, side[1]));
	result = mine(side[0]);
	urpc_close(side[0]);
	CHECK(!pthread_join(thread, &theirs));
	urpc_close(side[1]);
	TRY(result);
	CHECK((long)theirs == TAP_OK);
	return TAP_OK;
}

static enum tap_result random_blocking(void)
{
	static const struct urpc_options options = { .slots = 32 };

	return run(&options, talk, talk_thread);
}

static enum tap_result random_polling(void)
{
	static const struct urpc_options options = {
		.slots = 64, .poll_us = 50,
	};

	return run(&options, talk, talk_thread);
}

/*
 * Each side sleeps between any two messages, so that every one is a chance to
 * lose a wake-up. One of ours is a poll() that times out. One of the peer's,
 * which waits longer, is no answer, and so the same.
 */
static enum tap_result sleep_once(struct urpc_channel *side)
{
	struct pollfd fd = { .fd = urpc_fd(side), .events = POLLIN };
	int ret = urpc_arm(side, URPC_IN);

	CHECK(ret >= 0);
	if (ret)
		return TAP_OK;
	CHECK(poll(&fd, 1, LONG_MS) == 1);
	CHECK(!urpc_disarm(side));
	return TAP_OK;
}

static enum tap_result ping(struct urpc_channel *side)
{
	u64 seed = 0x70696e67;
	u32 i, n;

	for (i = 0; i < ROUNDS; i++) {
		struct urpc_message message;
		int ret;

		CHECK(!test_send(side, i, i % 57));
		/* Not always at the same moment of the peer's going to sleep. */
		for (n = test_random(&seed) % 64; n; n--)
			mk_poll_pause(1);
		while (!(ret = urpc_recv(side, &message)))
			TRY(sleep_once(side));
		CHECK(ret == 1);
		CHECK(message.tag == i && test_filled(&message));
	}
	return TAP_OK;
}

static enum tap_result no_wake_lost(void)
{
	static const struct urpc_options options = { .slots = 16 };

	return run(&options, ping, answer_thread);
}

const struct tap_test thread_tests[] = {
	{ "threads: random sizes, blocking", random_blocking },
	{ "threads: random sizes, polling first", random_polling },
	{ "threads: no wake-up is lost", no_wake_lost },
	{ NULL, NULL }
};
