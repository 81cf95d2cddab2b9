// SPDX-License-Identifier: GPL-2.0
/*
 * See ways.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ways.h"

/* Nobody waits that long, unless the other side is dead. */
#define PATIENCE_MS	60000

/* --- files ----------------------------------------------------------------- */

static int unblock(int fd, bool polled)
{
	return polled && fcntl(fd, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static int fd_put(struct way_end *end, const void *data, size_t bytes)
{
	ssize_t done;

	/* All of it at once, or nothing: less than PIPE_BUF, or one datagram. */
	do
		done = write(end->out, data, bytes);
	while (done < 0 && errno == EAGAIN);
	return done == (ssize_t)bytes ? 0 : done < 0 ? -errno : -EIO;
}

static int fd_get(struct way_end *end, void *data, size_t bytes)
{
	ssize_t done;

	do
		done = read(end->in, data, bytes);
	while (done < 0 && errno == EAGAIN);
	if (done < 0)
		return -errno;
	return done == (ssize_t)bytes ? 0 : -EPIPE;
}

static void fd_close(struct way_end *end)
{
	close(end->in);
	if (end->out != end->in)
		close(end->out);
}

static int fd_ready(struct way_end end[2])
{
	int ret = 0, i;

	for (i = 0; i < 2; i++) {
		ret = ret ? ret : unblock(end[i].in, end[i].polled);
		ret = ret ? ret : unblock(end[i].out, end[i].polled);
	}
	return ret;
}

static void ends(struct way_end end[2], int in, int out, int in1, int out1,
		 bool polled)
{
	end[0] = (struct way_end){ .in = in, .out = out, .polled = polled };
	end[1] = (struct way_end){ .in = in1, .out = out1, .polled = polled };
}

static int pipe_open(struct way_end end[2], bool polled, bool processes)
{
	int there[2], back[2];

	(void)processes;
	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		return -errno;
	ends(end, back[0], there[1], there[0], back[1], polled);
	return fd_ready(end);
}

static int socketpair_open(struct way_end end[2], bool polled, bool processes)
{
	int pair[2];

	(void)processes;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	ends(end, pair[0], pair[0], pair[1], pair[1], polled);
	return fd_ready(end);
}

/* A counter each way: nothing but "one more" is said. */
static int eventfd_open(struct way_end end[2], bool polled, bool processes)
{
	int there = eventfd(0, EFD_CLOEXEC), back = eventfd(0, EFD_CLOEXEC);
	int again = fcntl(there, F_DUPFD_CLOEXEC, 0);
	int back_again = fcntl(back, F_DUPFD_CLOEXEC, 0);

	(void)processes;
	if (there < 0 || back < 0 || again < 0 || back_again < 0)
		return -errno;
	ends(end, back, there, again, back_again, polled);
	return fd_ready(end);
}

static int eventfd_put(struct way_end *end, const void *data, size_t bytes)
{
	const uint64_t one = 1;

	(void)data;
	(void)bytes;
	return fd_put(end, &one, sizeof(one));
}

static int eventfd_get(struct way_end *end, void *data, size_t bytes)
{
	uint64_t count;

	(void)data;
	(void)bytes;
	return fd_get(end, &count, sizeof(count));
}

/* --- liburpc ---------------------------------------------------------------- */

static void urpc_options_for(const struct way_end *end,
			     struct urpc_options *options)
{
	memset(options, 0, sizeof(*options));
	if (end->polled) {
		options->poll_us = 1000000;
		options->flags = URPC_NEVER_WAKE;
	}
}

static int urpc_open(struct way_end end[2], bool polled, bool processes)
{
	struct urpc_channel *side[2];
	struct urpc_options options;
	int ret;

	if (processes) {
		ret = socketpair_open(end, false, processes);
		end[0].polled = polled;
		end[1].polled = polled;
		return ret;
	}
	ends(end, -1, -1, -1, -1, polled);
	urpc_options_for(end, &options);
	ret = urpc_pair(&options, side);
	if (ret)
		return ret;
	end[0].channel = side[0];
	end[1].channel = side[1];
	return 0;
}

static int urpc_join(struct way_end *end, int side)
{
	struct urpc_options options;
	int ret;

	urpc_options_for(end, &options);
	ret = side ? urpc_connect(end->in, &options, PATIENCE_MS,
				  &end->channel) :
		     urpc_accept(end->in, &options, PATIENCE_MS,
				 &end->channel);
	if (ret)
		end->channel = NULL;
	return ret;
}

/* Shorter than it polls, so that who is never woken never blocks. */
static int urpc_until(struct way_end *end, unsigned int events)
{
	int ret;

	do
		ret = urpc_wait(end->channel, events, end->polled ? 500 :
				PATIENCE_MS);
	while (end->polled && ret == -ETIMEDOUT);
	return ret < 0 ? ret : 0;
}

static int urpc_put(struct way_end *end, const void *data, size_t bytes)
{
	int ret;

	while ((ret = urpc_send(end->channel, 0, data, bytes)) == -EAGAIN) {
		/* What comes in a stream of one way is nothing but credit. */
		ret = urpc_until(end, URPC_OUT);
		if (ret)
			return ret;
	}
	return ret;
}

static int urpc_get(struct way_end *end, void *data, size_t bytes)
{
	struct urpc_message message;
	int ret;

	while (!(ret = urpc_recv(end->channel, &message))) {
		ret = urpc_until(end, URPC_IN);
		if (ret)
			return ret;
	}
	if (ret < 0)
		return ret;
	if (message.bytes != bytes)
		return -EIO;
	memcpy(data, message.data, bytes);
	return 0;
}

static void urpc_end(struct way_end *end)
{
	if (end->channel)
		urpc_close(end->channel);
	else if (end->in >= 0)
		close(end->in);
}

const struct way way_urpc = {
	.name = "liburpc", .streams = true, .open = urpc_open,
	.join = urpc_join, .put = urpc_put, .get = urpc_get, .close = urpc_end,
};

const struct way way_pipe = {
	.name = "pipe", .streams = true, .open = pipe_open,
	.put = fd_put, .get = fd_get, .close = fd_close,
};

const struct way way_socketpair = {
	.name = "socketpair", .streams = true, .open = socketpair_open,
	.put = fd_put, .get = fd_get, .close = fd_close,
};

const struct way way_eventfd = {
	.name = "eventfd", .fixed = 8, .open = eventfd_open,
	.put = eventfd_put, .get = eventfd_get, .close = fd_close,
};
