// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded: where $MK_ATTACH is set, it has a program mirrored before its
 * main() begins, and each program that it executes. What it forks is mirrored
 * where mirror/inherit is 1.
 *
 * A program that cannot be mirrored runs all the same. Whoever started it sees
 * that no mirror was there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ATTACH	"/sys/kernel/debug/multikernel/mirror/attach"

static void __attribute__((constructor)) attach_self(void)
{
	int fd;

	if (!getenv("MK_ATTACH"))
		return;
	fd = open(ATTACH, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dprintf(fd, "%d", getpid());
	close(fd);
}
