// SPDX-License-Identifier: GPL-2.0
/*
 * A region from mkpager, by its socket.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private.h"

#define PATIENCE_MS	5000

/* The one file that came; there is room for no more. -1: none did. */
static int take_file(struct msghdr *msg)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(msg);
	int fd;

	if (!header || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static int hear(int socket, uint32_t *pages)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = pages, .iov_len = sizeof(*pages) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	ssize_t got;
	int file;

	if (poll(&fd, 1, PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	got = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return -errno;
	file = take_file(&msg);
	if (file >= 0 && got == sizeof(*pages) &&
	    !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return file;
	if (file >= 0)
		close(file);
	return -EPROTO;
}

int pager_fetch(const char *path, uint32_t *pages)
{
	int ret, socket = urpc_dial(path);

	if (socket < 0)
		return socket;
	ret = hear(socket, pages);
	close(socket);
	return ret;
}
