// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation fails once in what users of the device and of the files do: see
 * faults.h. Regions, doors, paged regions with their pagers, each from its first
 * breath to its last, and then nothing of it is left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "faults.h"
#include "paged_use.h"
#include "region_use.h"

/* --- regions ------------------------------------------------------------------- */

static int region_calls(int fd)
{
	struct mk_region_create create = { .pages = 4, .node = -1 };
	struct mk_space_cpus all = {};
	struct mk_region_op op = {
		.pages = 4, .op = MK_OP_RENEW, .cpu = -1,
		.protocol = MK_PROTOCOL_IPI,
	};
	struct mk_region_settle settle = { .timeout_ms = 10000 };
	int ret = 0;
	char *base;

	if (ioctl(fd, MK_IOC_REGION, &create))
		return -errno;
	base = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	base[100] = 1;
	if (ioctl(fd, MK_IOC_ADOPT, &all) || ioctl(fd, MK_IOC_OP, &op))
		ret = -errno;
	op.protocol = MK_PROTOCOL_LAZY;
	if (!ret && (ioctl(fd, MK_IOC_OP, &op) ||
		     ioctl(fd, MK_IOC_SETTLE, &settle)))
		ret = -errno;
	munmap(base, 4 * PAGE);
	return ret;
}

static int with_device(int (*calls)(int fd))
{
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = calls(fd);
	close(fd);
	return ret;
}

static int region_walk(const char *arg)
{
	return with_device(region_calls);
}

/* Nothing is left, whatever failed; @arg: the file that says so. */
static int all_gone(const char *arg, int ret)
{
	return mk_becomes(arg, 0) ? 0 : -EBUSY;
}

TEST_F_TIMEOUT(faults, regions, FAULTS_TIMEOUT)
{
	const struct path path = {
		.name = "region",
		.arg = "regions/bytes",
		.prepare = loaded_prepare,
		.walk = region_walk,
		.tidy = all_gone,
	};

	exhaust(_metadata, &path, true);
}

/* --- doors --------------------------------------------------------------------- */

#define DOOR_SLOTS	64

/* A door of several pages, each of which is looked at. */
static int door_calls(int fd)
{
	struct mk_door_create create = {
		.cpu = mk_cpus_possible() - 1, .slots = DOOR_SLOTS, .wake = -1,
	};
	struct mk_door_info info = {};
	int ret = 0;
	size_t at;
	char *base;

	if (ioctl(fd, MK_IOC_DOOR, &create))
		return -errno;
	base = mmap(NULL, MK_DOOR_BYTES(DOOR_SLOTS), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, MK_DOOR_OFFSET);
	if (base == MAP_FAILED)
		return -errno;
	for (at = 0; at < MK_DOOR_BYTES(DOOR_SLOTS) && !ret; at += PAGE)
		ret = mk_touch(base + at, false) ? -ENOMEM : 0;
	if (!ret && ioctl(fd, MK_IOC_DOOR_INFO, &info))
		ret = -errno;
	munmap(base, MK_DOOR_BYTES(DOOR_SLOTS));
	return ret;
}

static int door_once(const char *arg)
{
	return with_device(door_calls);
}

static int door_walk(const char *arg)
{
	return in_child(door_once, arg);
}

TEST_F_TIMEOUT(faults, doors, FAULTS_TIMEOUT)
{
	const struct path path = {
		.name = "door",
		.arg = "doors/bytes",
		.prepare = loaded_prepare,
		.walk = door_walk,
		.tidy = all_gone,
	};

	exhaust(_metadata, &path, true);
}

/* --- paged regions ------------------------------------------------------------- */

/* What was not served for want of memory is a SIGBUS. */
static int touch_pages(char *base)
{
	uint32_t page;

	for (page = 0; page < PAGES; page++)
		if (mk_touch(base + page * PAGE, true))
			return -ENOMEM;
	return 0;
}

/* By each protocol that can; the pager is told, and waited for. */
static int unmap_pages(int fd, char *base)
{
	struct mk_paged_unmap unmap = {
		.pages = PAGES, .op = MK_OP_UNMAP, .cpu = -1, .node = -1,
		.flags = MK_PAGED_TELL | MK_PAGED_WAIT,
	};
	uint32_t protocol;
	int ret;

	for (protocol = 0; protocol < MK_PROTOCOLS; protocol++) {
		unmap.protocol = protocol;
		ret = mk_ask(fd, MK_IOC_PAGED_UNMAP, &unmap);
		if (ret == -EOPNOTSUPP)
			continue;
		ret = ret ?: touch_pages(base);
		if (ret)
			return ret;
	}
	return 0;
}

static int pager_joins(struct pager *pager, int fd, uint64_t flags)
{
	int ret = pager_join(pager, fd, 0, flags);

	return ret ?: pager_start(pager, serve_same);
}

static void pager_leaves(struct pager *pager)
{
	pager_stop(pager);
	pager_leave(pager);
}

/*
 * What was begun ends with the process where something fails. @arg: "local" for a
 * region that has another frame on each node.
 */
static int paged_walk(const char *arg)
{
	bool local = !strcmp(arg, "local");
	struct pager first, second;
	int fd, mirror = -1, ret;
	char *base;

	if (local) {
		mirror = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
		if (mirror < 0 || ioctl(mirror, MK_IOC_MIRROR))
			return -errno;
	}
	fd = paged_open(PAGES, local ? MK_PAGED_LOCAL : 0, LONG_MS);
	if (fd < 0)
		return fd;
	base = region_map(fd, 0, PAGES);
	if (base == MAP_FAILED)
		return -errno;
	ret = region_adopt(fd);
	ret = ret ?: pager_joins(&first, fd, 0);
	if (ret)
		return ret;
	ret = frame_get(first.fd, -1, PAGES);
	if (ret < 0)
		return ret;
	ret = touch_pages(base);
	ret = ret ?: unmap_pages(fd, base);
	/* whoever takes over serves as well */
	ret = ret ?: pager_joins(&second, fd, MK_PAGER_TAKE_OVER);
	if (ret)
		return ret;
	pager_leaves(&first);
	ret = paged_unmap(fd, 0, PAGES, MK_PROTOCOL_IPI);
	ret = ret ?: touch_pages(base);
	ret = ret ?: paged_unmap(fd, 0, PAGES, MK_PROTOCOL_UNICAST);
	ret = ret ?: frame_free(fd, 0, PAGES);
	if (ret)
		return ret;
	pager_leaves(&second);
	munmap(base, PAGES * PAGE);
	close(fd);
	close(mirror);
	return 0;
}

/* Nobody serves: a zeroed frame, or SIGBUS where there is none to be had. */
static int zeroed_walk(const char *arg)
{
	int fd = paged_open(PAGES, MK_PAGED_ZERO, LONG_MS), ret;
	char *base;

	if (fd < 0)
		return fd;
	base = region_map(fd, 0, PAGES);
	if (base == MAP_FAILED)
		return -errno;
	ret = touch_pages(base);
	ret = ret ?: paged_unmap(fd, 0, PAGES, MK_PROTOCOL_ADAPTIVE);
	return ret ?: touch_pages(base);
}

static int paged_in_child(const char *arg)
{
	return in_child(strcmp(arg, "zeroed") ? paged_walk : zeroed_walk, arg);
}

static int paged_gone(const char *arg, int ret)
{
	static const char *const files[] = {
		"pagers/regions", "pagers/count", "pagers/frames",
		"pagers/bytes", "regions/bytes", "spaces/count",
		"mirror/count",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (!mk_becomes(files[i], 0))
			return -EBUSY;
	return 0;
}

static void paged(struct __test_metadata *_metadata, const char *name,
		  const char *arg)
{
	const struct path path = {
		.name = name,
		.arg = arg,
		.prepare = loaded_prepare,
		.walk = paged_in_child,
		.tidy = paged_gone,
	};

	exhaust(_metadata, &path, true);
}

TEST_F_TIMEOUT(faults, pagers, FAULTS_TIMEOUT)
{
	paged(_metadata, "pager", "shared");
}

TEST_F_TIMEOUT(faults, no_pager, FAULTS_TIMEOUT)
{
	paged(_metadata, "paged region without a pager", "zeroed");
}

TEST_F_TIMEOUT(faults, local_pagers, FAULTS_TIMEOUT)
{
	ASSERT_EQ(0, mk_load_hooked());
	paged(_metadata, "pager of local frames", "local");
}

/* --- files --------------------------------------------------------------------- */

/* Reads a file, and writes back what it held unless that does something. */
static int visit(const char *file, bool writable, void *arg)
{
	static char text[1 << 20];
	ssize_t n = mk_read(file, text, sizeof(text));
	const char *base = strrchr(file, '/');
	int *worst = arg, ret = 0;

	if (n < 0)
		ret = n;
	else if (writable && n && !mk_acts(file) &&
		 strcmp(base ? base + 1 : file, "run"))
		ret = mk_write(file, text, n);
	if (ret && (!*worst || ret != -ENOMEM))
		*worst = ret;
	return 0;
}

static int files_walk(const char *arg)
{
	int worst = 0, ret = mk_walk("", visit, &worst);

	return ret ?: worst;
}

static int files_tidy(const char *arg, int ret)
{
	return 0;
}

TEST_F_TIMEOUT(faults, files, FAULTS_TIMEOUT)
{
	const struct path path = {
		.name = "files",
		.prepare = loaded_prepare,
		.walk = files_walk,
		.tidy = files_tidy,
		.goes_on = true,
	};

	exhaust(_metadata, &path, true);
}

TEST_F(faults, nothing_is_lost)
{
	nothing_is_lost(_metadata);
}

TEST_HARNESS_MAIN
