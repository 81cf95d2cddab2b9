// SPDX-License-Identifier: GPL-2.0
/*
 * Regions and spaces: their life, in whatever order processes map, close, fork,
 * exec and die; what operations do to pages; and what is refused.
 *
 * That no CPU reaches a page which was taken away is for the program shootdown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module/uapi.h"
#include "test.h"

#define PAGE	4096UL
#define PAGES	8
#define WAIT_S	10

/* --- shorthands ------------------------------------------------------------ */

static int ask(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static int region_open(uint32_t pages)
{
	struct mk_region_create create = { .pages = pages, .node = -1 };
	int fd = open(MK_DEVICE, O_RDWR), ret;

	if (fd < 0)
		return -errno;
	ret = ask(fd, MK_IOC_REGION, &create);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static char *region_map(int fd, uint32_t first, uint32_t pages)
{
	return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    first * PAGE);
}

static int operate(int fd, int op, uint32_t first, uint32_t pages)
{
	struct mk_region_op arg = {
		.first = first, .pages = pages, .op = op,
		.protocol = MK_PROTOCOL_IPI, .cpu = -1,
	};

	return ask(fd, MK_IOC_OP, &arg);
}

static int adopt(int fd)
{
	struct mk_space_cpus all = {};

	return ask(fd, MK_IOC_ADOPT, &all);
}

static int leave(int fd)
{
	struct mk_space_cpus all = {};

	return ask(fd, MK_IOC_LEAVE, &all);
}

static uint64_t version(const char *page)
{
	return *(volatile uint64_t *)page;
}

static unsigned long long total(const char *file)
{
	unsigned long long value = ~0ULL;

	mk_get_u64(file, &value);
	return value;
}

/* Frames of a quarantine and spaces take a moment to go. */
static bool becomes(const char *file, unsigned long long value)
{
	double end = mk_seconds() + WAIT_S;

	while (total(file) != value && mk_seconds() < end)
		mk_sleep_ms(1);
	return total(file) == value;
}

#define EXPECT_NOTHING_LEFT() do {					\
	EXPECT_TRUE(becomes("regions/count", 0));			\
	EXPECT_TRUE(becomes("regions/bytes", 0));			\
	EXPECT_TRUE(becomes("spaces/adopted", 0));			\
	EXPECT_TRUE(becomes("spaces/count", 0));			\
} while (0)

static sigjmp_buf fault_jump;
static volatile sig_atomic_t fault_signal;

static void on_fault(int signal)
{
	fault_signal = signal;
	siglongjmp(fault_jump, 1);
}

/* The signal that touching it raises, or 0. */
static int touch(volatile char *at, bool write)
{
	struct sigaction action = { .sa_handler = on_fault }, bus, segv;

	fault_signal = 0;
	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	if (!sigsetjmp(fault_jump, 1)) {
		if (write)
			*at = 1;
		else
			(void)*at;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return fault_signal;
}

FIXTURE(region)
{
	int fd;
	char *base;
};

FIXTURE_SETUP(region)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	self->fd = region_open(PAGES);
	ASSERT_LE(0, self->fd)
		TH_LOG("%s", mk_errname(self->fd));
	self->base = region_map(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, self->base);
}

FIXTURE_TEARDOWN(region)
{
	munmap(self->base, PAGES * PAGE);
	close(self->fd);
	EXPECT_NOTHING_LEFT();
}

/* --- what a page is -------------------------------------------------------- */

TEST_F(region, first_words)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(1, version(self->base + i * PAGE));
		EXPECT_EQ(i, version(self->base + i * PAGE + MK_PAGE_INDEX));
		EXPECT_EQ(0, version(self->base + i * PAGE + 16));
	}
	/* counted while it is there: the control of NOTHING_LEFT */
	EXPECT_EQ(1, total("regions/count"));
	EXPECT_EQ(PAGES, total("regions/frames"));
	EXPECT_LE(PAGES * PAGE, total("regions/bytes"));
}

TEST_F(region, unmap_keeps_the_data)
{
	int i;

	for (i = 0; i < PAGES; i++)
		self->base[i * PAGE + 100] = i + 1;
	EXPECT_RET(0, operate(self->fd, MK_OP_UNMAP, 0, PAGES), "unmap");
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i + 1, self->base[i * PAGE + 100]);
}

TEST_F(region, renew_those_pages_only)
{
	int i;

	for (i = 0; i < PAGES; i++)
		self->base[i * PAGE + 100] = i + 1;
	EXPECT_RET(0, operate(self->fd, MK_OP_RENEW, 2, 3), "renew");
	for (i = 0; i < PAGES; i++) {
		bool renewed = i >= 2 && i < 5;

		EXPECT_EQ(renewed ? 2 : 1, version(self->base + i * PAGE));
		EXPECT_EQ(renewed ? 0 : i + 1, self->base[i * PAGE + 100]);
		EXPECT_EQ(i, version(self->base + i * PAGE + MK_PAGE_INDEX));
	}
}

TEST_F(region, protect_and_unprotect)
{
	EXPECT_EQ(0, touch(self->base + PAGE, true));
	EXPECT_RET(0, operate(self->fd, MK_OP_PROTECT, 1, 1), "protect");
	EXPECT_EQ(SIGBUS, touch(self->base + PAGE, true));
	EXPECT_EQ(0, touch(self->base + PAGE, false));
	EXPECT_EQ(0, touch(self->base + 2 * PAGE, true));
	/* mprotect() is no way round it */
	EXPECT_EQ(0, mprotect(self->base, PAGES * PAGE, PROT_READ));
	EXPECT_EQ(SIGSEGV, touch(self->base + 2 * PAGE, true));
	EXPECT_EQ(0, mprotect(self->base, PAGES * PAGE,
			      PROT_READ | PROT_WRITE));
	EXPECT_EQ(SIGBUS, touch(self->base + PAGE, true));
	EXPECT_EQ(0, touch(self->base + 2 * PAGE, true));
	/* and the frame may be another */
	EXPECT_RET(0, operate(self->fd, MK_OP_RENEW, 1, 1), "renew");
	EXPECT_EQ(SIGBUS, touch(self->base + PAGE, true));
	EXPECT_RET(0, operate(self->fd, MK_OP_UNPROTECT, 1, 1), "unprotect");
	EXPECT_EQ(0, touch(self->base + PAGE, true));
}

/* Pieces of the mapping, moved and removed: each shows what it should. */
TEST_F(region, split_and_move)
{
	struct mk_region_info info = {};
	char *moved, *second;

	second = region_map(self->fd, 3, 2);
	ASSERT_NE(MAP_FAILED, second);
	ASSERT_EQ(0, mprotect(self->base + PAGE, PAGE, PROT_READ));
	ASSERT_EQ(0, munmap(self->base + 2 * PAGE, PAGE));
	EXPECT_RET(0, ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_EQ(4, info.mappings);
	moved = mremap(self->base + 4 * PAGE, 2 * PAGE, 2 * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, self->base + 64 * PAGE);
	ASSERT_NE(MAP_FAILED, moved);
	EXPECT_EQ(4, version(moved + MK_PAGE_INDEX));
	EXPECT_RET(0, operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	EXPECT_EQ(2, version(self->base));
	EXPECT_EQ(2, version(self->base + PAGE));
	EXPECT_EQ(SIGSEGV, touch(self->base + 2 * PAGE, false));
	EXPECT_EQ(2, version(self->base + 3 * PAGE));
	EXPECT_EQ(2, version(moved + PAGE));
	EXPECT_EQ(2, version(second));
	second[PAGE + 200] = 7;
	EXPECT_EQ(7, moved[200]);
	munmap(moved, 2 * PAGE);
	munmap(second, 2 * PAGE);
	memset(&info, 0, sizeof(info));
	EXPECT_RET(0, ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_EQ(4, info.mappings);
}

/* --- processes ------------------------------------------------------------- */

static int exit_code(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

TEST_F(region, fork_has_the_file_but_no_mapping)
{
	pid_t pid;

	self->base[300] = 5;
	pid = fork();
	if (!pid) {
		char *own;

		if (touch(self->base, false) != SIGSEGV)
			_exit(1);
		own = region_map(self->fd, 0, PAGES);
		if (own == MAP_FAILED || own[300] != 5)
			_exit(2);
		own[301] = 6;
		_exit(operate(self->fd, MK_OP_UNMAP, 0, PAGES) ? 3 : 0);
	}
	EXPECT_EQ(0, exit_code(pid));
	EXPECT_EQ(6, self->base[301]);
}

static int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

/* Handed to a stranger, who has it alone in the end. */
TEST_F(region, passed_by_a_socket)
{
	int pair[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		char *own;
		int fd;

		close(self->fd);
		fd = receive_fd(pair[1]);
		own = region_map(fd, 0, PAGES);
		close(fd);
		if (own == MAP_FAILED || own[400] != 9)
			_exit(1);
		if (write(pair[1], "", 1) != 1 || read(pair[1], &byte, 1) != 1)
			_exit(2);
		_exit(own[400] == 9 && version(own) == 2 ? 0 : 3);
	}
	self->base[PAGE + 400] = 1;
	self->base[400] = 9;
	ASSERT_EQ(0, send_fd(pair[0], self->fd));
	ASSERT_EQ(1, read(pair[0], &byte, 1));
	/* both lose page 0 and get the same new one */
	EXPECT_RET(0, operate(self->fd, MK_OP_RENEW, 0, 1), "renew");
	self->base[400] = 9;
	munmap(self->base, PAGES * PAGE);
	close(self->fd);
	EXPECT_EQ(1, total("regions/count"));
	ASSERT_EQ(1, write(pair[0], "", 1));
	EXPECT_EQ(0, exit_code(pid));
	EXPECT_EQ(0, total("regions/count"));
	close(pair[0]);
	close(pair[1]);
}

enum end { EXIT, KILL, EXEC, ENDS };

/* A process with the region mapped, and its mm adopted; it waits for a byte. */
static pid_t child(int fd, enum end end, bool adopted, int *wake, int *ready)
{
	int go[2], up[2];
	pid_t pid;
	char byte;

	if (pipe(go) || pipe(up))
		return -1;
	pid = fork();
	if (pid) {
		close(go[0]);
		close(up[1]);
		*wake = go[1];
		*ready = up[0];
		return pid;
	}
	close(go[1]);
	close(up[0]);
	if (region_map(fd, 0, PAGES) == MAP_FAILED || (adopted && adopt(fd)))
		_exit(1);
	if (write(up[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
		_exit(2);
	if (end == KILL)
		kill(getpid(), SIGKILL);
	if (end == EXEC)
		execl("/bin/true", "true", NULL);
	_exit(0);
}

enum event { CLOSE, UNMAP, LEAVE, CHILD, EVENTS };

/* One order of the events; @order has each once. */
static void one_order(struct __test_metadata *_metadata, const int *order,
		      enum end end, bool adopted)
{
	int fd = region_open(PAGES), wake, ready, i;
	char *base, byte;
	pid_t pid;

	ASSERT_LE(0, fd);
	base = region_map(fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, base);
	base[0] = 1;
	if (adopted)
		ASSERT_EQ(0, adopt(fd));
	pid = child(fd, end, adopted, &wake, &ready);
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &byte, 1));
	for (i = 0; i < EVENTS; i++) {
		switch (order[i]) {
		case CLOSE:
			EXPECT_EQ(0, close(fd));
			fd = -1;
			break;
		case UNMAP:
			EXPECT_EQ(0, munmap(base, PAGES * PAGE));
			break;
		case LEAVE:
			if (fd >= 0 && adopted)
				EXPECT_RET(0, leave(fd), "leave");
			break;
		case CHILD:
			EXPECT_EQ(1, write(wake, "", 1));
			EXPECT_EQ(end == KILL ? 128 + SIGKILL : 0,
				  exit_code(pid));
			break;
		}
	}
	close(wake);
	close(ready);
	EXPECT_EQ(0, total("regions/count"));
	EXPECT_TRUE(becomes("spaces/adopted", 0));
}

static void orders(struct __test_metadata *_metadata, enum end end)
{
	int order[EVENTS], code, i, j, seen;

	/* numbers of four digits below four, of which those without doubles */
	for (code = 0; code < 256; code++) {
		for (i = 0, seen = 0, j = code; i < EVENTS; i++, j /= EVENTS) {
			order[i] = j % EVENTS;
			seen |= 1 << order[i];
		}
		if (seen != (1 << EVENTS) - 1)
			continue;
		one_order(_metadata, order, end, false);
		one_order(_metadata, order, end, true);
	}
}

FIXTURE(life)
{
};

FIXTURE_SETUP(life)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
}

FIXTURE_TEARDOWN(life)
{
	EXPECT_NOTHING_LEFT();
}

TEST_F(life, every_order_with_exit)
{
	orders(_metadata, EXIT);
}

TEST_F(life, every_order_with_kill)
{
	orders(_metadata, KILL);
}

TEST_F(life, every_order_with_exec)
{
	orders(_metadata, EXEC);
}

TEST_F(life, a_thousand)
{
	static int fd[1000];
	int i, n;

	for (n = 0; n < 1000; n++) {
		fd[n] = region_open(2);
		if (fd[n] < 0)
			break;
	}
	EXPECT_EQ(1000, n)
		TH_LOG("%s", mk_errname(fd[n]));
	EXPECT_EQ(n, total("regions/count"));
	EXPECT_EQ(2 * n, total("regions/frames"));
	for (i = 0; i < n; i++)
		close(fd[i]);
}

TEST_F(life, the_module_stays_while_one_is_open)
{
	int fd = open(MK_DEVICE, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_RET(-EAGAIN, mk_unload(), "unload with a file");
	close(fd);
	fd = region_open(1);
	ASSERT_LE(0, fd);
	EXPECT_RET(-EAGAIN, mk_unload(), "unload with a region");
	close(fd);
	EXPECT_RET(0, mk_unload_soon(), "unload");
	ASSERT_EQ(0, mk_load(NULL));
}

/* --- monitors -------------------------------------------------------------- */

static int check(int fd, int cpu, uint32_t pages, uint64_t *lowest)
{
	struct mk_region_check arg = { .pages = pages, .cpu = cpu };
	int ret = ask(fd, MK_IOC_CHECK, &arg);

	*lowest = arg.version;
	return ret;
}

TEST_F(region, monitors_read_what_they_adopt)
{
	uint64_t lowest;
	int cpu;

	EXPECT_RET(-ESRCH, check(self->fd, 0, PAGES, &lowest), "before");
	ASSERT_EQ(0, adopt(self->fd));
	EXPECT_EQ(mk_cpus_online(), total("spaces/adopted"));
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		EXPECT_RET(0, check(self->fd, cpu, PAGES, &lowest), "check");
		EXPECT_EQ(1, lowest);
	}
	EXPECT_RET(0, operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		EXPECT_RET(0, check(self->fd, cpu, PAGES, &lowest), "check");
		EXPECT_EQ(2, lowest);
	}
	munmap(self->base, PAGES * PAGE);
	EXPECT_RET(-ENXIO, check(self->fd, 0, PAGES, &lowest), "unmapped");
	EXPECT_RET(0, leave(self->fd), "leave");
	EXPECT_EQ(0, total("spaces/adopted"));
	EXPECT_RET(0, leave(self->fd), "leave again");
}

/* Two processes: the later one has the monitors, the first one does not mind. */
TEST_F(region, the_later_space_wins)
{
	int wake, ready;
	uint64_t lowest;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, adopt(self->fd));
	pid = child(self->fd, EXIT, true, &wake, &ready);
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &byte, 1));
	EXPECT_RET(-ESRCH, check(self->fd, 0, 1, &lowest), "taken");
	EXPECT_EQ(mk_cpus_online(), total("spaces/adopted"));
	EXPECT_RET(0, operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	EXPECT_EQ(1, write(wake, "", 1));
	EXPECT_EQ(0, exit_code(pid));
	EXPECT_EQ(0, total("spaces/adopted"));
	EXPECT_RET(0, adopt(self->fd), "again");
	EXPECT_RET(0, check(self->fd, 0, 1, &lowest), "its own again");
	close(wake);
	close(ready);
}

TEST_F(region, a_cpu_that_goes_gives_it_back)
{
	int cpu = mk_cpus_possible() - 1;
	uint64_t lowest;

	if (!cpu)
		SKIP(return, "one CPU stays on line");
	ASSERT_EQ(0, adopt(self->fd));
	ASSERT_EQ(0, mk_cpu_set(cpu, false));
	EXPECT_EQ(mk_cpus_online(), total("spaces/adopted"));
	EXPECT_RET(-ENODEV, check(self->fd, cpu, 1, &lowest), "off line");
	EXPECT_RET(0, operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	ASSERT_EQ(0, mk_cpu_set(cpu, true));
	EXPECT_RET(-ESRCH, check(self->fd, cpu, 1, &lowest), "not yet");
	EXPECT_RET(0, adopt(self->fd), "again");
	EXPECT_RET(0, check(self->fd, cpu, 1, &lowest), "back");
	EXPECT_EQ(2, lowest);
}

/* --- bad input ------------------------------------------------------------- */

TEST_F(region, bad_mmap)
{
	static const struct {
		const char *name;
		size_t pages;
		off_t first;
		int flags;
	} bad[] = {
		{ "private", 1, 0, MAP_PRIVATE },
		{ "too long", PAGES + 1, 0, MAP_SHARED },
		{ "beyond the end", 1, PAGES, MAP_SHARED },
		{ "over the end", 2, PAGES - 1, MAP_SHARED },
		{ "far away", 1, 1L << 50, MAP_SHARED },
		{ "huge", 1UL << 30, 0, MAP_SHARED },
	};
	int fd = open(MK_DEVICE, O_RDWR);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, bad[i].pages * PAGE, PROT_READ,
					   bad[i].flags, self->fd,
					   bad[i].first * PAGE))
			TH_LOG("%s", bad[i].name);
	}
	EXPECT_EQ(MAP_FAILED, region_map(fd, 0, 1));
	EXPECT_EQ(ENODATA, errno);
	close(fd);
	/* nor by way of a good one */
	EXPECT_EQ(MAP_FAILED, mremap(self->base, PAGES * PAGE, 16 * PAGE,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(-1, madvise(self->base, PAGES * PAGE, MADV_DOFORK));
	EXPECT_EQ(-1, madvise(self->base, PAGES * PAGE, MADV_DONTNEED));
}

TEST_F(region, bad_region)
{
	static const struct mk_region_create bad[] = {
		{ .pages = 0, .node = -1 },
		{ .pages = MK_REGION_PAGES_MAX + 1, .node = -1 },
		{ .pages = UINT32_MAX, .node = -1 },
		{ .pages = 1, .node = -2 },
		{ .pages = 1, .node = 63 },
		{ .pages = 1, .node = 1 << 20 },
		{ .pages = 1, .node = INT32_MIN },
		{ .pages = 1, .node = -1, .flags = 1 },
		{ .pages = 1, .node = -1, .flags = 1ULL << 63 },
	};
	struct mk_region_create good = { .pages = 1, .node = 0 };
	int fd = open(MK_DEVICE, O_RDWR);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_RET(-EINVAL, ask(fd, MK_IOC_REGION, (void *)&bad[i]),
			   "region");
	EXPECT_RET(0, ask(fd, MK_IOC_REGION, &good), "good");
	EXPECT_RET(-EEXIST, ask(fd, MK_IOC_REGION, &good), "second");
	close(fd);
}

TEST_F(region, bad_operation)
{
	static const struct mk_region_op bad[] = {
		{ .pages = 0 },
		{ .pages = PAGES + 1 },
		{ .pages = MK_OP_PAGES_MAX + 1 },
		{ .pages = UINT32_MAX },
		{ .first = PAGES, .pages = 1 },
		{ .first = PAGES - 1, .pages = 2 },
		{ .first = UINT32_MAX, .pages = 1 },
		{ .first = UINT32_MAX, .pages = 2 },
		{ .pages = 1, .op = MK_OPS },
		{ .pages = 1, .op = UINT32_MAX },
		{ .pages = 1, .protocol = MK_PROTOCOLS },
		{ .pages = 1, .protocol = UINT32_MAX },
		{ .pages = 1, .broken = MK_BROKENS },
		{ .pages = 1, .broken = UINT32_MAX },
		{ .pages = 1, .cpu = -2 },
		{ .pages = 1, .cpu = 100000 },
		{ .pages = 1, .cpu = INT32_MAX },
		{ .pages = 1, .cpu = INT32_MIN },
		{ .pages = 1, .flags = 1 },
		{ .pages = 1, .flags = 1ULL << 32 },
	};
	unsigned long long before = total("regions/operations");
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mk_region_op op = bad[i];

		snprintf(name, sizeof(name), "operation %zu", i);
		EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_OP, &op), name);
		EXPECT_EQ(0, memcmp(&op, &bad[i], sizeof(op)));
	}
	EXPECT_EQ(before, total("regions/operations"));
	EXPECT_EQ(1, version(self->base));
}

TEST_F(region, bad_rest)
{
	uint64_t words[MK_CPUS_BYTES_MAX / 8 + 1] = {};
	struct mk_space_cpus cpus = { .cpus = (uintptr_t)words, .bytes = 8 };
	struct mk_region_settle settle = { .timeout_ms = 0 };
	struct mk_region_check look = { .pages = 1 };
	struct mk_region_info info = { .flags = 1 };
	struct mk_agent_job job = { .cpu = -1 };

	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_SETTLE, &settle), "settle");
	settle.timeout_ms = UINT32_MAX;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_SETTLE, &settle), "settle");

	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_ADOPT, &cpus), "no CPU");
	words[0] = 1ULL << 63;
	words[1] = 1;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_ADOPT, &cpus), "CPU 63");
	cpus.bytes = 7;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_ADOPT, &cpus), "7 bytes");
	cpus.bytes = MK_CPUS_BYTES_MAX + 8;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_ADOPT, &cpus), "too long");
	cpus.bytes = 0;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_ADOPT, &cpus), "no length");
	cpus.bytes = 8;
	cpus.cpus = 16;
	EXPECT_RET(-EFAULT, ask(self->fd, MK_IOC_ADOPT, &cpus), "pointer");
	cpus.cpus = 0;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_ADOPT, &cpus), "no pointer");
	cpus.bytes = 0;
	cpus.flags = 1;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_ADOPT, &cpus), "flags");
	cpus.flags = 0;
	EXPECT_RET(-ESRCH, ask(self->fd, MK_IOC_LEAVE, &cpus), "not adopted");

	look.cpu = -1;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_CHECK, &look), "CPU -1");
	look.cpu = 0;
	look.first = UINT32_MAX;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_CHECK, &look), "first");
	look.first = 0;
	look.pages = UINT32_MAX;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_CHECK, &look), "pages");

	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_AGENT, &job), "agent -1");
	job.cpu = 0;
	job.nr_samples = MK_AGENT_SAMPLES_MAX + 1;
	EXPECT_RET(-EINVAL, ask(self->fd, MK_IOC_AGENT, &job), "samples");
	job.nr_samples = 1;
	job.samples = 16;
	EXPECT_RET(-EFAULT, ask(self->fd, MK_IOC_AGENT, &job), "samples");
	EXPECT_EQ(0, total("spaces/adopted"));
}

TEST_F(region, bad_pointers_and_numbers)
{
	static const unsigned long requests[] = {
		MK_IOC_REGION, MK_IOC_INFO, MK_IOC_OP, MK_IOC_ADOPT,
		MK_IOC_LEAVE, MK_IOC_SETTLE, MK_IOC_CHECK, MK_IOC_AGENT,
	};
	char *hole = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(MK_DEVICE, O_RDONLY);
	size_t i;

	ASSERT_NE(MAP_FAILED, hole);
	munmap(hole + PAGE, PAGE);
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_RET(-EFAULT, ask(self->fd, requests[i], NULL), "NULL");
		EXPECT_RET(-EFAULT, ask(self->fd, requests[i], (void *)-8L),
			   "kernel");
		EXPECT_RET(-EFAULT, ask(self->fd, requests[i],
					hole + PAGE - 4), "over the edge");
		EXPECT_RET(-EBADF, ask(fd, requests[i], hole), "read-only");
		/* the size is part of the number */
		EXPECT_RET(-ENOTTY, ask(self->fd, requests[i] + (8 << 16),
					hole), "size");
	}
	EXPECT_RET(-ENOTTY, ask(self->fd, _IO(MK_IOC_MAGIC, 100), hole), "100");
	close(fd);
	fd = open(MK_DEVICE, O_RDWR);
	EXPECT_RET(-ENODATA, ask(fd, MK_IOC_INFO, hole), "no region");
	EXPECT_RET(-ENODATA, ask(fd, MK_IOC_OP, hole), "no region");
	close(fd);
}

/* --- all at once ----------------------------------------------------------- */

static atomic_bool racing;

struct racer {
	int fd, kind;
	unsigned long done, wrong;
	pthread_t thread;
};

static void race_once(struct racer *racer)
{
	uint64_t lowest;
	char *other;
	pid_t pid;
	int ret;

	switch (racer->kind) {
	case 0:
	case 1:
		ret = operate(racer->fd, racer->kind ? MK_OP_UNMAP :
			      MK_OP_RENEW, racer->done % PAGES, 1);
		racer->wrong += ret && ret != -EINTR;
		break;
	case 2:		/* mappings come and go, in pieces */
		other = region_map(racer->fd, 0, PAGES);
		(void)version(other);
		munmap(other + 3 * PAGE, PAGE);
		(void)version(other + 5 * PAGE);
		munmap(other, PAGES * PAGE);
		break;
	case 3:		/* so do processes */
		pid = fork();
		if (!pid) {
			other = region_map(racer->fd, 0, PAGES);
			_exit(version(other) == 0);
		}
		racer->wrong += exit_code(pid) != 0;
		break;
	case 4:
		ret = racer->done % 4 ? check(racer->fd, 0, PAGES, &lowest) :
		      adopt(racer->fd);
		racer->wrong += ret && ret != -ESRCH && ret != -EFAULT;
		break;
	}
	racer->done++;
}

static void *race(void *arg)
{
	struct racer *racer = arg;

	while (racing)
		race_once(racer);
	return NULL;
}

TEST_F(region, operations_among_everything_else)
{
	struct racer racer[5];
	uint64_t last = 0, now;
	double end;
	int i;

	racing = true;
	for (i = 0; i < 5; i++) {
		racer[i] = (struct racer){ .fd = self->fd, .kind = i };
		ASSERT_EQ(0, pthread_create(&racer[i].thread, NULL, race,
					    &racer[i]));
	}
	for (end = mk_seconds() + 5; mk_seconds() < end; last = now) {
		now = version(self->base);
		EXPECT_LE(last, now);
	}
	racing = false;
	for (i = 0; i < 5; i++) {
		pthread_join(racer[i].thread, NULL);
		EXPECT_LT(0, racer[i].done) TH_LOG("racer %d", i);
		EXPECT_EQ(0, racer[i].wrong) TH_LOG("racer %d", i);
	}
	EXPECT_LT(1, last);
}

/* Killed anywhere, with everything going on. */
TEST_F(life, killed_in_the_middle)
{
	int i, n;

	for (n = 0; n < 20; n++) {
		pid_t pid = fork();

		if (!pid) {
			static struct racer racer[5];
			int fd = region_open(PAGES);

			racing = true;
			for (i = 0; i < 5; i++) {
				racer[i].fd = fd;
				racer[i].kind = i == 3 ? 0 : i;
				pthread_create(&racer[i].thread, NULL, race,
					       &racer[i]);
			}
			pause();
		}
		mk_sleep_ms(20 + n * 7);
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, exit_code(pid));
		EXPECT_TRUE(becomes("regions/count", 0));
	}
}

/* --- faults on purpose, and agents ----------------------------------------- */

TEST_F(region, frames_of_a_planted_fault_are_kept)
{
	struct mk_region_op op = {
		.pages = PAGES, .op = MK_OP_RENEW, .cpu = -1,
		.protocol = MK_PROTOCOL_IPI, .broken = MK_BROKEN_SKIP_TARGET,
	};
	struct mk_region_info info = {};

	EXPECT_RET(0, ask(self->fd, MK_IOC_OP, &op), "renew");
	EXPECT_RET(0, ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_EQ(PAGES, info.kept);
	EXPECT_EQ(2 * PAGES, total("regions/frames"));
	EXPECT_EQ(PAGES, total("regions/kept"));
	/* the control: without it they are not */
	op.broken = MK_BROKEN_NONE;
	EXPECT_RET(0, ask(self->fd, MK_IOC_OP, &op), "renew");
	EXPECT_EQ(PAGES, total("regions/kept"));
	EXPECT_EQ(2 * PAGES, total("regions/frames"));
}

static void on_alarm(int signal)
{
}

TEST_F(region, agents_wait_until_a_signal)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct mk_agent_job job = {};
	pid_t pid;

	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	EXPECT_RET(-EINTR, ask(self->fd, MK_IOC_AGENT, &job), "agent");
	pid = fork();
	if (!pid) {
		ask(self->fd, MK_IOC_AGENT, &job);
		_exit(0);
	}
	mk_sleep_ms(100);
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, exit_code(pid));
}

TEST_HARNESS_MAIN
