// SPDX-License-Identifier: GPL-2.0
/*
 * A side in each of two processes, and peers that die or stop.
 */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "tests.h"

#define MESSAGES	20000
#define KILLS		(WITH_TSAN ? 20 : 200)

/* Send back whatever comes, until the peer has gone. */
static int echo(struct urpc_channel *channel)
{
	struct urpc_message message;
	int ret;

	for (;;) {
		ret = urpc_wait(channel, URPC_IN, LONG_MS);
		if (ret < 0)
			return ret == -EPIPE ? 0 : 1;
		while ((ret = urpc_recv(channel, &message)) == 1) {
			do {
				ret = urpc_send(channel, message.tag,
						message.data, message.bytes);
				if (ret == -EAGAIN &&
				    urpc_wait(channel, URPC_OUT, LONG_MS) < 0)
					return 2;
			} while (ret == -EAGAIN);
			if (ret)
				return 3;
		}
		if (ret < 0)
			return 4;
	}
}

/* So few on their way that the echo, which sends first, always has room. */
static enum tap_result exchange(struct urpc_channel *channel)
{
	struct urpc_message message;
	u32 sent = 0, got = 0;
	u64 seed = 0x6578;

	while (got < MESSAGES) {
		while (sent < MESSAGES && sent - got < 8 &&
		       !test_send(channel, sent,
				  test_random(&seed) % (URPC_BYTES_MAX + 1)))
			sent++;
		CHECK(urpc_wait(channel, URPC_IN, LONG_MS) > 0);
		while (urpc_recv(channel, &message) == 1) {
			CHECK(message.tag == got && test_filled(&message));
			got++;
		}
	}
	return TAP_OK;
}

static enum tap_result echoes(u32 poll_us, u32 slots)
{
	const struct urpc_options options = {
		.slots = slots, .poll_us = poll_us,
	};
	int files = test_files();
	struct urpc_channel *channel;
	pid_t pid;

	CHECK(!test_fork(&channel, &options, echo, &pid));
	TRY(exchange(channel));
	urpc_close(channel);
	CHECK(test_status(pid) == 0);
	CHECK(test_files() == files);
	return TAP_OK;
}

static enum tap_result blocking(void)
{
	return echoes(0, 256);
}

static enum tap_result polling(void)
{
	return echoes(100, 256);
}

/* Killed at any moment: what was sent before is whole, and then -EPIPE. */
static enum tap_result killed(void)
{
	const struct urpc_options options = { .slots = 256 };
	u64 seed = 0x6b696c6c;
	u32 round;

	for (round = 0; round < KILLS; round++) {
		struct urpc_channel *channel;
		struct urpc_message message;
		u32 sent = 0, got = 0;
		int64_t until;
		pid_t pid;
		int ret;

		CHECK(!test_fork(&channel, &options, echo, &pid));
		until = urpc_now_ns() + test_random(&seed) % 2000000;
		for (;;) {
			if (pid && urpc_now_ns() >= until) {
				kill(pid, SIGKILL);
				CHECK(test_status(pid) == -SIGKILL);
				pid = 0;
			}
			if (sent - got < 8 && !test_send(channel, sent, sent % 449))
				sent++;
			ret = urpc_wait(channel, URPC_IN, pid ? 1 : LONG_MS);
			if (ret == -EPIPE)
				break;
			CHECK(ret > 0 || (ret == -ETIMEDOUT && pid));
			while ((ret = urpc_recv(channel, &message)) == 1) {
				CHECK(message.tag == got);
				CHECK(test_filled(&message));
				got++;
			}
			CHECK(!ret);
		}
		CHECK(!pid && got <= sent);
		urpc_close(channel);
	}
	return TAP_OK;
}

static int stuck(struct urpc_channel *channel)
{
	(void)channel;
	pause();
	return 0;
}

/* A peer that lives and does nothing: no wait is longer than it was to be. */
static enum tap_result stopped(void)
{
	const struct urpc_options options = { .slots = 16 };
	struct urpc_channel *channel;
	struct urpc_message reply = { 0 };
	pid_t pid;

	CHECK(!test_fork(&channel, &options, stuck, &pid));
	CHECK(urpc_wait(channel, URPC_IN, 10) == -ETIMEDOUT);
	CHECK(urpc_call(channel, "", 1, &reply, 10) == -ETIMEDOUT);
	while (!test_send(channel, 0, URPC_BYTES_MAX))
		;
	CHECK(urpc_wait(channel, URPC_OUT, 10) == -ETIMEDOUT);
	CHECK(urpc_call(channel, reply.data, URPC_BYTES_MAX, &reply, 10) ==
	      -ETIMEDOUT);
	kill(pid, SIGKILL);
	CHECK(urpc_wait(channel, URPC_IN, LONG_MS) == -EPIPE);
	CHECK(test_status(pid) == -SIGKILL);
	urpc_close(channel);
	return TAP_OK;
}

static volatile sig_atomic_t alarms;

static void on_signal(int number)
{
	(void)number;
	alarms++;
}

static enum tap_result signalled(void)
{
	const struct urpc_options options = { .slots = 16 };
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerspec soon = { .it_value.tv_nsec = 20000000 };
	struct urpc_channel *channel;
	timer_t timer;
	pid_t pid;
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
	};

	CHECK(!sigaction(SIGUSR1, &action, NULL));
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!test_fork(&channel, &options, stuck, &pid));
	CHECK(!timer_settime(timer, 0, &soon, NULL));
	CHECK(urpc_wait(channel, URPC_IN, LONG_MS) == -EINTR);
	CHECK(alarms == 1);
	timer_delete(timer);
	kill(pid, SIGKILL);
	CHECK(test_status(pid) == -SIGKILL);
	urpc_close(channel);
	return TAP_OK;
}

const struct tap_test process_tests[] = {
	{ "process: random sizes, blocking", blocking },
	{ "process: random sizes, polling first", polling },
	{ "process: killed at random moments", killed },
	{ "process: a peer that stops", stopped },
	{ "process: a signal ends a wait", signalled },
	{ NULL, NULL }
};
