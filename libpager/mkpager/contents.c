// SPDX-License-Identifier: GPL-2.0
/*
 * What pages begin with: a file, which is read once, before there are pagers.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkpager.h"

#define PAGE_BYTES	4096ul

static char *contents;
static uint64_t length;

static int fill(void *arg, uint32_t page, int node, void *frame)
{
	uint64_t at = page * PAGE_BYTES, left = length > at ? length - at : 0;

	(void)arg;
	(void)node;
	memcpy(frame, contents + at, left < PAGE_BYTES ? left : PAGE_BYTES);
	return 0;
}

static int read_all(int fd)
{
	uint64_t at = 0;
	ssize_t got;

	while (at < length) {
		got = read(fd, contents + at, length - at);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		at += got > 0 ? got : 0;
	}
	length = at;
	return 0;
}

/* @options: gets the callback, and pages if it has none */
int contents_load(const char *path, struct pager_options *options)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) ? -errno : 0;
	if (!ret && (!S_ISREG(st.st_mode) || !st.st_size))
		ret = -EINVAL;
	if (ret)
		goto close_fd;
	if (!options->pages)
		options->pages = (st.st_size + PAGE_BYTES - 1) / PAGE_BYTES;
	length = options->pages * PAGE_BYTES;
	if ((uint64_t)st.st_size < length)
		length = st.st_size;
	contents = mmap(NULL, length, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ret = contents == MAP_FAILED ? -errno : read_all(fd);
	options->fill = fill;
close_fd:
	close(fd);
	return ret;
}
