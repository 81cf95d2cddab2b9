// SPDX-License-Identifier: GPL-2.0
/*
 * How two processes come by a channel, over a Unix socket.
 *
 *	connecting side			accepting side
 *	HELLO, version		->
 *				<-	OFFER, slots, memory, two eventfds
 *	TAKEN			->
 *
 * The accepting side makes everything, so that it believes nothing; the
 * connecting side checks all that it gets. Either may give up at any step: it
 * closes the socket, or says why in a status.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private.h"

#define HELLO_MAGIC	0x63707275	/* "urpc" */
#define FILES		3		/* memory, acceptor's and connector's wake */

enum kind {
	HELLO = 1,
	OFFER,
	TAKEN,
};

/**
 * struct hello - what goes through the socket, in the machine's byte order
 * @magic: HELLO_MAGIC
 * @version: URPC_VERSION
 * @kind: enum kind
 * @status: 0, or why the sender gives up: a negative errno
 * @slots: in an OFFER
 * @reserved: 0
 */
struct hello {
	u32 magic;
	u32 version;
	u32 kind;
	int32_t status;
	u32 slots;
	u32 reserved[3];
};

static void close_files(int *file)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (file[i] >= 0)
			close(file[i]);
		file[i] = -1;
	}
}

/* @file: FILES to go with it, or NULL */
static int say(int socket, enum kind kind, int status, u32 slots,
	       const int *file)
{
	struct hello hello = {
		.magic = HELLO_MAGIC, .version = URPC_VERSION, .kind = kind,
		.status = status, .slots = slots,
	};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(FILES * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = &hello, .iov_len = sizeof(hello) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (file) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(FILES * sizeof(int));
		memcpy(CMSG_DATA(&control.header), file, FILES * sizeof(int));
	}
	if (sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* Take over whatever files came. Returns how many. */
static int take_files(struct msghdr *msg, int *file)
{
	struct cmsghdr *header;
	int n = 0;

	for (header = CMSG_FIRSTHDR(msg); header;
	     header = CMSG_NXTHDR(msg, header)) {
		size_t got, i;

		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS)
			continue;
		got = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < got; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd),
			       sizeof(fd));
			if (n < FILES)
				file[n] = fd;
			else
				close(fd);
			n++;
		}
	}
	return n;
}

static int listen_until(int socket, int64_t deadline)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };

	for (;;) {
		int64_t left = deadline - urpc_now_ns();
		int ret;

		if (left < 0)
			return -ETIMEDOUT;
		ret = poll(&fd, 1, (left + NS_PER_MS - 1) / NS_PER_MS);
		if (ret > 0)
			return 0;
		if (ret < 0)
			return -errno;
	}
}

/* Hear a @kind. @file: FILES that must come with it, all -1 if this fails. */
static int hear(int socket, enum kind kind, int64_t deadline, struct hello *hello,
		int *file)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(FILES * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = hello, .iov_len = sizeof(*hello) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int extra[FILES] = { -1, -1, -1 };
	int *files = file ? file : extra;
	int ret, n;
	ssize_t got;

	ret = listen_until(socket, deadline);
	if (ret)
		return ret;
	got = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	n = take_files(&msg, files);
	if (got == 0)
		ret = -EPIPE;
	else if (got != sizeof(*hello) || hello->magic != HELLO_MAGIC)
		ret = -EPROTO;
	else if (hello->version != URPC_VERSION)
		ret = -EPROTONOSUPPORT;
	else if (hello->kind != kind)
		ret = -EPROTO;
	else if (hello->status)
		ret = -ECONNREFUSED;
	else if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
		 n != (file ? FILES : 0))
		ret = -EPROTO;
	if (ret)
		close_files(files);
	return ret;
}

/* Reading or writing any other file could do anything, and wait for ever. */
static bool is_eventfd(int fd)
{
	static const char want[] = "anon_inode:[eventfd]";
	char path[40], name[sizeof(want)];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, name, sizeof(name));
	return length == sizeof(want) - 1 && !memcmp(name, want, length);
}

static int start(int socket, const struct urpc_options *in, int timeout_ms,
		 struct urpc_options *options)
{
	socklen_t length = sizeof(int);
	int type;

	if (timeout_ms < 0 || timeout_ms > URPC_TIMEOUT_MS_MAX)
		return -EINVAL;
	if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &length))
		return -errno;
	return type == SOCK_SEQPACKET ? urpc_options_check(in, options) :
	       -EINVAL;
}

static int make_offer(const struct urpc_options *options,
		      struct urpc_channel **channel)
{
	struct urpc_area *area;
	int ret;

	ret = urpc_area_create(options, &area);
	if (ret)
		return ret;
	ret = urpc_channel_new(area, 0, options, channel);
	if (ret) {
		urpc_area_put(area);
		return ret;
	}
	(*channel)->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(*channel)->wake_peer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if ((*channel)->wake >= 0 && (*channel)->wake_peer >= 0)
		return 0;
	ret = -errno;
	urpc_close(*channel);
	return ret;
}

int urpc_accept(int socket, const struct urpc_options *in, int timeout_ms,
		struct urpc_channel **out)
{
	int64_t deadline = urpc_now_ns() + timeout_ms * NS_PER_MS;
	struct urpc_channel *channel;
	struct urpc_options options;
	struct hello hello;
	int file[FILES];
	int ret;

	ret = start(socket, in, timeout_ms, &options);
	if (ret)
		return ret;
	ret = hear(socket, HELLO, deadline, &hello, NULL);
	if (ret)
		goto refuse;
	ret = make_offer(&options, &channel);
	if (ret)
		goto refuse;

	file[0] = channel->area->fd;
	file[1] = channel->wake;
	file[2] = channel->wake_peer;
	ret = say(socket, OFFER, 0, options.slots, file);
	if (!ret)
		ret = hear(socket, TAKEN, deadline, &hello, NULL);
	if (ret) {
		urpc_close(channel);
		return ret;
	}
	channel->socket = socket;
	*out = channel;
	return 0;
refuse:
	say(socket, OFFER, ret, 0, NULL);
	return ret;
}

/* @file: memory and eventfds of a peer; those that are used become -1. */
static int take_offer(const struct urpc_options *options, u32 slots, int *file,
		      struct urpc_channel **channel)
{
	struct urpc_area *area;
	int ret;

	if (!mk_ring_slots_ok(slots) || !is_eventfd(file[1]) ||
	    !is_eventfd(file[2]))
		return -EPROTO;
	ret = urpc_area_attach(file[0], slots, &area);
	if (ret)
		return ret;
	file[0] = -1;
	ret = urpc_channel_new(area, 1, options, channel);
	if (ret) {
		urpc_area_put(area);
		return ret;
	}
	(*channel)->wake = file[2];
	(*channel)->wake_peer = file[1];
	file[1] = -1;
	file[2] = -1;
	return 0;
}

int urpc_connect(int socket, const struct urpc_options *in, int timeout_ms,
		 struct urpc_channel **out)
{
	int64_t deadline = urpc_now_ns() + timeout_ms * NS_PER_MS;
	int file[FILES] = { -1, -1, -1 };
	struct urpc_channel *channel;
	struct urpc_options options;
	struct hello hello;
	int ret;

	ret = start(socket, in, timeout_ms, &options);
	if (!ret)
		ret = say(socket, HELLO, 0, 0, NULL);
	if (!ret)
		ret = hear(socket, OFFER, deadline, &hello, file);
	if (ret)
		return ret;

	ret = take_offer(&options, hello.slots, file, &channel);
	close_files(file);
	if (ret) {
		say(socket, TAKEN, ret, 0, NULL);
		return ret;
	}
	ret = say(socket, TAKEN, 0, 0, NULL);
	if (ret) {
		urpc_close(channel);
		return ret;
	}
	channel->socket = socket;
	*out = channel;
	return 0;
}
