// SPDX-License-Identifier: GPL-2.0
/*
 * A range of this process's memory becomes a paged region: code or data that each
 * node has a copy of.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "module/uapi.h"
#include "private.h"

/* A page table on each node. @mirror: see pager_replicate() */
static int mirror_self(int *mirror)
{
	int ret, fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);

	*mirror = -1;
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, MK_IOC_MIRROR)) {
		*mirror = fd;
		return 0;
	}
	ret = errno == EEXIST ? 0 : -errno;
	close(fd);
	return ret;
}

/*
 * First somewhere else: what would be refused is, while the range is as it was.
 * Then by one call, so that there is no moment at which nothing is there: who runs
 * there meanwhile finds the old pages, or faults and finds the region.
 */
static int replace(int region, void *start, uint64_t bytes, int rights)
{
	void *probe = mmap(NULL, bytes, rights, MAP_SHARED, region, 0);

	if (probe == MAP_FAILED)
		return -errno;
	munmap(probe, bytes);
	return mmap(start, bytes, rights, MAP_SHARED | MAP_FIXED, region, 0) ==
	       MAP_FAILED ? -errno : 0;
}

int pager_replicate(int region, void *start, uint64_t bytes, int text,
		    int *mirror)
{
	int ret;

	if ((unsigned long)start % PAGE_BYTES || !bytes || bytes % PAGE_BYTES)
		return -EINVAL;
	ret = mirror_self(mirror);
	if (ret)
		return ret;
	ret = replace(region, start, bytes, PROT_READ | (text ? PROT_EXEC : 0));
	if (ret && *mirror >= 0) {
		close(*mirror);
		*mirror = -1;
	}
	return ret;
}
