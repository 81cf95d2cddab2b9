// SPDX-License-Identifier: GPL-2.0
/*
 * Unix sockets by name, for those who have none yet.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "private.h"

#define BACKLOG	16

static int open_socket(const char *path, struct sockaddr_un *address)
{
	int fd;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(address->sun_path))
		return -EINVAL;
	memcpy(address->sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int urpc_dial(const char *path)
{
	struct sockaddr_un address;
	int fd = open_socket(path, &address);
	int ret;

	if (fd < 0)
		return fd;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int urpc_listen(const char *path)
{
	struct sockaddr_un address;
	int fd, other, ret;

	/* What a server that died left behind refuses connections. */
	other = urpc_dial(path);
	if (other >= 0) {
		close(other);
		return -EADDRINUSE;
	}
	if (other == -ECONNREFUSED)
		unlink(path);

	fd = open_socket(path, &address);
	if (fd < 0)
		return fd;
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    !listen(fd, BACKLOG))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}
