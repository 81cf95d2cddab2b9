// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a channel: made here, or got from a peer that is not believed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "module/uapi.h"
#include "private.h"

#define PAGE_BYTES	4096
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

_Static_assert(sizeof(struct urpc_side) == 2 * MK_LINE_BYTES,
	       "each side has a pair of lines of its own");

static size_t area_bytes(u32 slots)
{
	size_t bytes = 2 * sizeof(struct urpc_side) +
		       2 * (size_t)slots * sizeof(struct mk_line);

	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* The memory of a channel, at @offset of @fd, which becomes the area's. */
int urpc_area_map(int fd, u32 slots, off_t offset, struct urpc_area **out)
{
	struct urpc_area *area = calloc(1, sizeof(*area));
	size_t bytes = area_bytes(slots);
	int ret;

	if (!area)
		return -ENOMEM;
	area->side = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  offset);
	if (area->side == MAP_FAILED) {
		ret = -errno;
		free(area);
		return ret;
	}
	/* A child has no business in it: see urpc.h. */
	if (madvise(area->side, bytes, MADV_DONTFORK)) {
		ret = -errno;
		munmap(area->side, bytes);
		free(area);
		return ret;
	}
	area->bytes = bytes;
	area->slots = slots;
	area->fd = fd;
	area->users = 1;
	*out = area;
	return 0;
}

static int memfd_new(size_t bytes)
{
	int fd = memfd_create("urpc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int ret;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, bytes) || fcntl(fd, F_ADD_SEALS, SEALS)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static int region_new(size_t bytes, int node)
{
	struct mk_region_create create = {
		.pages = bytes / PAGE_BYTES,
		.node = node,
		.flags = MK_REGION_FIXED,
	};
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, MK_IOC_REGION, &create)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/* Zeroed memory for @options, which have been checked. */
int urpc_area_create(const struct urpc_options *options,
		     struct urpc_area **area)
{
	bool region = options->flags & URPC_ON_NODE;
	size_t bytes = area_bytes(options->slots);
	int fd, ret;

	fd = region ? region_new(bytes, options->node) : memfd_new(bytes);
	if (fd < 0)
		return fd;
	ret = urpc_area_map(fd, options->slots, 0, area);
	if (ret) {
		close(fd);
		return ret;
	}
	/* Each page of a region begins with two words of its own. */
	if (region)
		memset((*area)->side, 0, bytes);
	return 0;
}

/*
 * A memfd whose size cannot change any more, and that is made of ordinary pages:
 * one of huge pages can be sealed as well, and is SIGBUS where the pool is
 * empty. The seals come first: the size is final only with them.
 */
static int memfd_check(int fd, size_t bytes)
{
	struct statfs fs;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS || (seals & F_SEAL_WRITE))
		return -EPERM;
	if (fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC)
		return -EPERM;
	if (fstat(fd, &st))
		return -errno;
	return st.st_size == (off_t)bytes ? 0 : -ERANGE;
}

/* One whose pages nobody can replace or protect, so that there is no SIGBUS. */
static int region_check(int fd, const struct stat *st, size_t bytes)
{
	struct mk_region_info info = { 0 };
	struct stat device;

	/* Nothing is asked of a device that is not ours. */
	if (stat(MK_DEVICE, &device) || !S_ISCHR(device.st_mode) ||
	    device.st_rdev != st->st_rdev)
		return -EPERM;
	if (ioctl(fd, MK_IOC_INFO, &info) || !(info.flags & MK_REGION_FIXED))
		return -EPERM;
	return (size_t)info.pages * PAGE_BYTES == bytes ? 0 : -ERANGE;
}

/* Memory of a peer. @fd becomes the area's if 0 is returned. */
int urpc_area_attach(int fd, u32 slots, struct urpc_area **area)
{
	size_t bytes = area_bytes(slots);
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISCHR(st.st_mode))
		ret = region_check(fd, &st, bytes);
	else
		ret = memfd_check(fd, bytes);
	return ret ? ret : urpc_area_map(fd, slots, 0, area);
}

void urpc_area_put(struct urpc_area *area)
{
	if (__atomic_sub_fetch(&area->users, 1, __ATOMIC_ACQ_REL))
		return;
	munmap(area->side, area->bytes);
	if (area->fd >= 0)
		close(area->fd);
	free(area);
}
