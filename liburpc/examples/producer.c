// SPDX-License-Identifier: GPL-2.0
/*
 * A process that produces numbers, and one that takes them in an epoll loop
 * which could have other things to do as well. Prints their sum.
 *
 *	producer COUNT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <urpc.h>

#define TIMEOUT_MS	5000

static int produce(struct urpc_channel *channel, unsigned long count)
{
	unsigned long i;
	int ret;

	for (i = 1; i <= count; i++) {
		while ((ret = urpc_send(channel, 0, &i, sizeof(i))) == -EAGAIN) {
			struct urpc_message ignored;

			/* Room comes back with what is received. */
			ret = urpc_wait(channel, URPC_OUT, TIMEOUT_MS);
			if (ret < 0)
				return ret;
			ret = urpc_recv(channel, &ignored);
			if (ret < 0)
				return ret;
		}
		if (ret)
			return ret;
	}
	return 0;
}

/* Everything that is there. 0, or a negative errno. */
static int take(struct urpc_channel *channel, unsigned long *sum)
{
	struct urpc_message message;
	unsigned long number;
	int ret;

	while ((ret = urpc_recv(channel, &message)) == 1) {
		/* What a peer sends is checked like any other input. */
		if (message.bytes != sizeof(number))
			return -EPROTO;
		memcpy(&number, message.data, sizeof(number));
		*sum += number;
	}
	return ret;
}

static int consume(struct urpc_channel *channel, unsigned long *sum)
{
	struct epoll_event wake = { .events = EPOLLIN };
	struct epoll_event gone = { .events = EPOLLRDHUP };
	struct epoll_event event;
	int loop = epoll_create1(EPOLL_CLOEXEC);
	int ret;

	if (loop < 0 ||
	    epoll_ctl(loop, EPOLL_CTL_ADD, urpc_fd(channel), &wake) ||
	    epoll_ctl(loop, EPOLL_CTL_ADD, urpc_peer_fd(channel), &gone))
		return -errno;
	do {
		/* Announce the sleep. More than 0: there is something already. */
		ret = urpc_arm(channel, URPC_IN);
		if (ret == 0) {
			if (epoll_wait(loop, &event, 1, TIMEOUT_MS) == 0)
				return -ETIMEDOUT;
			/* -EPIPE: the producer has ended; take the rest. */
			ret = urpc_disarm(channel);
		}
		if (ret >= 0 || ret == -EPIPE) {
			int taken = take(channel, sum);

			if (taken < 0)
				ret = taken;
		}
	} while (ret >= 0);
	close(loop);
	return ret == -EPIPE ? 0 : ret;
}

int main(int argc, char **argv)
{
	unsigned long sum = 0, count = argc == 2 ? strtoul(argv[1], NULL, 0) : 0;
	struct urpc_channel *channel;
	int ret, status, socket[2];
	pid_t pid;

	if (!count) {
		fprintf(stderr, "usage: producer COUNT\n");
		return EXIT_FAILURE;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		return EXIT_FAILURE;
	pid = fork();
	if (pid < 0)
		return EXIT_FAILURE;
	/* Each process keeps one end, or the other's death would not show. */
	close(socket[pid != 0]);
	if (pid == 0) {
		ret = urpc_connect(socket[1], NULL, TIMEOUT_MS, &channel);
		if (!ret)
			ret = produce(channel, count);
		_exit(ret ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	ret = urpc_accept(socket[0], NULL, TIMEOUT_MS, &channel);
	if (!ret) {
		ret = consume(channel, &sum);
		urpc_close(channel);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		ret = ret ? ret : -EPIPE;
	if (ret) {
		fprintf(stderr, "producer: %s\n", strerror(-ret));
		return EXIT_FAILURE;
	}
	printf("%lu\n", sum);
	return EXIT_SUCCESS;
}
