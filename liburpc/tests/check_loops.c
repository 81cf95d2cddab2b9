// SPDX-License-Identifier: GPL-2.0
/*
 * A side in event loops of others: poll(), epoll, io_uring.
 */
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests.h"

#define MESSAGES	2000

/* Wait for one of two files, with a limit. 0 if one is ready. */
static int wait_poll(int wake, int peer)
{
	struct pollfd fd[2] = {
		{ .fd = wake, .events = POLLIN },
		{ .fd = peer, .events = POLLRDHUP },
	};

	return poll(fd, 2, LONG_MS) > 0 ? 0 : -1;
}

static int wait_epoll(int wake, int peer)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC), ret;

	ret = epoll_ctl(fd, EPOLL_CTL_ADD, wake, &event);
	event.events = EPOLLRDHUP;
	ret |= epoll_ctl(fd, EPOLL_CTL_ADD, peer, &event);
	if (!ret)
		ret = epoll_wait(fd, &event, 1, LONG_MS) == 1 ? 0 : -1;
	close(fd);
	return ret;
}

static struct io_uring uring;

static int wait_uring(int wake, int peer)
{
	struct __kernel_timespec limit = { .tv_sec = LONG_MS / 1000 };
	struct io_uring_cqe *cqe;
	const int fd[2] = { wake, peer };
	int i, ret, done = 0;

	for (i = 0; i < 2; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&uring);

		io_uring_prep_poll_add(sqe, fd[i], i ? POLLRDHUP : POLLIN);
		io_uring_sqe_set_data64(sqe, i + 1);
	}
	if (io_uring_submit(&uring) != 2)
		return -1;
	ret = io_uring_wait_cqe_timeout(&uring, &cqe, &limit);
	if (ret)
		return -1;
	/* Take the other one back: two completions, and one of that. */
	for (i = 0; i < 2; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&uring);

		io_uring_prep_poll_remove(sqe, i + 1);
		io_uring_sqe_set_data64(sqe, 0);
	}
	if (io_uring_submit(&uring) != 2)
		return -1;
	while (done < 4) {
		if (io_uring_wait_cqe(&uring, &cqe))
			return -1;
		io_uring_cqe_seen(&uring, cqe);
		done++;
	}
	return 0;
}

/* Sends, and sleeps long enough now and then for the other side to block. */
static int source(struct urpc_channel *channel)
{
	u64 seed = 0x736f;
	u32 i;

	for (i = 0; i < MESSAGES; i++) {
		while (test_send(channel, i, i % 449)) {
			if (urpc_wait(channel, URPC_OUT, LONG_MS) < 0)
				return 1;
		}
		if (!(test_random(&seed) % 8))
			usleep(test_random(&seed) % 200);
	}
	return 0;
}

static enum tap_result loop(int (*wait)(int wake, int peer))
{
	const struct urpc_options options = { .slots = 64 };
	struct urpc_channel *channel;
	struct urpc_message message;
	u32 got = 0, slept = 0;
	bool gone = false;
	pid_t pid;
	int ret;

	CHECK(!test_fork(&channel, &options, source, &pid));
	while (!gone) {
		ret = urpc_arm(channel, URPC_IN);
		CHECK(ret >= 0);
		if (!ret) {
			slept++;
			CHECK(!wait(urpc_fd(channel), urpc_peer_fd(channel)));
			ret = urpc_disarm(channel);
			CHECK(!ret || ret == -EPIPE);
			gone = ret == -EPIPE;
		}
		while ((ret = urpc_recv(channel, &message)) == 1) {
			CHECK(message.tag == got && test_filled(&message));
			got++;
		}
		CHECK(!ret);
	}
	CHECK(got == MESSAGES && slept);
	CHECK(test_status(pid) == 0);
	urpc_close(channel);
	return TAP_OK;
}

static enum tap_result with_poll(void)
{
	return loop(wait_poll);
}

static enum tap_result with_epoll(void)
{
	return loop(wait_epoll);
}

static enum tap_result with_uring(void)
{
	enum tap_result result;

	/* Some machines forbid it. */
	if (io_uring_queue_init(8, &uring, 0))
		return TAP_SKIP;
	result = loop(wait_uring);
	io_uring_queue_exit(&uring);
	return result;
}

const struct tap_test loop_tests[] = {
	{ "loops: poll", with_poll },
	{ "loops: epoll", with_epoll },
	{ "loops: io_uring", with_uring },
	{ NULL, NULL }
};
