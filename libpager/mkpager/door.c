// SPDX-License-Identifier: GPL-2.0
/*
 * A Unix socket where processes get the region: whoever connects is sent its file,
 * and the number of its pages. pager_fetch() is the other side.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "liburpc/urpc.h"
#include "mkpager.h"

int door_open(const char *path)
{
	int fd = urpc_listen(path);

	if (fd < 0)
		return fd;
	/* Who may connect may use the region: the owner, unless changed later. */
	if (chmod(path, 0600) || fcntl(fd, F_SETFL, O_NONBLOCK)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

void door_serve(int socket, const struct pager_group *group, uint32_t pages)
{
	int client = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	int region = pager_group_region(group);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = &pages, .iov_len = sizeof(pages) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	if (client < 0)
		return;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &region, sizeof(region));
	/* A client that has gone already is no business of ours. */
	if (sendmsg(client, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0;
	close(client);
}
