// SPDX-License-Identifier: GPL-2.0
/*
 * A channel whose other side is a monitor of the module multikernel: a door of
 * /dev/multikernel. The device's file is all that there is of the peer: it is
 * written to wake it, as if it were an eventfd, and hangs up when it has gone.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "module/uapi.h"
#include "private.h"

_Static_assert(sizeof(struct urpc_side) == sizeof(struct mk_door_side) &&
	       offsetof(struct urpc_side, asleep) ==
	       offsetof(struct mk_door_side, asleep),
	       "the memory of a door is laid out like that of any channel");

/* A file each for seeing the monitor go, and for waking it. */
static int door_files(struct urpc_channel *channel, int fd)
{
	channel->socket = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	channel->wake_peer = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return channel->socket < 0 || channel->wake_peer < 0 ? -errno : 0;
}

/* A side on the memory of @fd. Both files are the channel's if 0 is returned. */
static int door_channel(int fd, int wake, const struct urpc_options *options,
			struct urpc_channel **channel)
{
	struct urpc_area *area;
	int ret;

	ret = urpc_area_map(fd, options->slots, MK_DOOR_OFFSET, &area);
	if (ret)
		return ret;
	ret = urpc_channel_new(area, 1, options, channel);
	if (ret) {
		area->fd = -1;
		urpc_area_put(area);
		return ret;
	}
	ret = door_files(*channel, fd);
	if (ret) {
		area->fd = -1;
		urpc_close(*channel);
		return ret;
	}
	(*channel)->wake = wake;
	return 0;
}

int urpc_monitor(int cpu, const struct urpc_options *in,
		 struct urpc_channel **channel)
{
	struct mk_door_create create = { .cpu = cpu, .node = -1 };
	struct urpc_options options;
	int fd, wake, ret;

	ret = urpc_options_check(in, &options);
	if (ret)
		return ret;
	fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake < 0) {
		ret = -errno;
		goto close_fd;
	}
	create.slots = options.slots;
	create.wake = wake;
	if (options.flags & URPC_ON_NODE)
		create.node = options.node;
	ret = ioctl(fd, MK_IOC_DOOR, &create) ? -errno :
	      door_channel(fd, wake, &options, channel);
	if (!ret)
		return 0;
	close(wake);
close_fd:
	close(fd);
	return ret;
}
