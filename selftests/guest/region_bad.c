// SPDX-License-Identifier: GPL-2.0
/*
 * What /dev/multikernel refuses, and that nothing has changed then; and agents
 * that wait for nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region_use.h"
#include "test.h"
#include "region_fixture.h"

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
		{ .pages = 1, .node = -1, .flags = 2 },
		{ .pages = 1, .node = -1, .flags = 1ULL << 63 },
	};
	struct mk_region_create good = { .pages = 1, .node = 0 };
	int fd = open(MK_DEVICE, O_RDWR);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_RET(-EINVAL, mk_ask(fd, MK_IOC_REGION, (void *)&bad[i]),
			   "region");
	EXPECT_RET(0, mk_ask(fd, MK_IOC_REGION, &good), "good");
	EXPECT_RET(-EEXIST, mk_ask(fd, MK_IOC_REGION, &good), "second");
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
	unsigned long long before = mk_total("regions/operations");
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mk_region_op op = bad[i];

		snprintf(name, sizeof(name), "operation %zu", i);
		EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_OP, &op), name);
		EXPECT_EQ(0, memcmp(&op, &bad[i], sizeof(op)));
	}
	EXPECT_EQ(before, mk_total("regions/operations"));
	EXPECT_EQ(1, region_version(self->base));
}

TEST_F(region, bad_rest)
{
	uint64_t words[MK_CPUS_BYTES_MAX / 8 + 1] = {};
	struct mk_space_cpus cpus = { .cpus = (uintptr_t)words, .bytes = 8 };
	struct mk_region_settle settle = { .timeout_ms = 0 };
	struct mk_region_check look = { .pages = 1 };
	struct mk_region_info info = { .flags = 1 };
	struct mk_agent_job job = { .cpu = -1 };

	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_SETTLE, &settle), "settle");
	settle.timeout_ms = UINT32_MAX;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_SETTLE, &settle), "settle");

	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "no CPU");
	words[0] = 1ULL << 63;
	words[1] = 1;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "CPU 63");
	cpus.bytes = 7;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "7 bytes");
	cpus.bytes = MK_CPUS_BYTES_MAX + 8;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "too long");
	cpus.bytes = 0;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "no length");
	cpus.bytes = 8;
	cpus.cpus = 16;
	EXPECT_RET(-EFAULT, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "pointer");
	cpus.cpus = 0;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "no pointer");
	cpus.bytes = 0;
	cpus.flags = 1;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_ADOPT, &cpus), "flags");
	cpus.flags = 0;
	EXPECT_RET(-ESRCH, mk_ask(self->fd, MK_IOC_LEAVE, &cpus), "not adopted");

	look.cpu = -1;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_CHECK, &look), "CPU -1");
	look.cpu = 0;
	look.first = UINT32_MAX;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_CHECK, &look), "first");
	look.first = 0;
	look.pages = UINT32_MAX;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_CHECK, &look), "pages");

	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_AGENT, &job), "agent -1");
	job.cpu = 0;
	job.nr_samples = MK_AGENT_SAMPLES_MAX + 1;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_AGENT, &job), "samples");
	job.nr_samples = 1;
	job.samples = 16;
	EXPECT_RET(-EFAULT, mk_ask(self->fd, MK_IOC_AGENT, &job), "samples");
	EXPECT_EQ(0, mk_total("spaces/adopted"));
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
		EXPECT_RET(-EFAULT, mk_ask(self->fd, requests[i], NULL), "NULL");
		EXPECT_RET(-EFAULT, mk_ask(self->fd, requests[i], (void *)-8L),
			   "kernel");
		EXPECT_RET(-EFAULT, mk_ask(self->fd, requests[i],
					   hole + PAGE - 4), "over the edge");
		EXPECT_RET(-EBADF, mk_ask(fd, requests[i], hole), "read-only");
		/* the size is part of the number */
		EXPECT_RET(-ENOTTY, mk_ask(self->fd, requests[i] + (8 << 16),
					   hole), "size");
	}
	EXPECT_RET(-ENOTTY, mk_ask(self->fd, _IO(MK_IOC_MAGIC, 100), hole), "100");
	close(fd);
	fd = open(MK_DEVICE, O_RDWR);
	EXPECT_RET(-ENODATA, mk_ask(fd, MK_IOC_INFO, hole), "no region");
	EXPECT_RET(-ENODATA, mk_ask(fd, MK_IOC_OP, hole), "no region");
	close(fd);
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
	EXPECT_RET(-EINTR, mk_ask(self->fd, MK_IOC_AGENT, &job), "agent");
	pid = fork();
	if (!pid) {
		mk_ask(self->fd, MK_IOC_AGENT, &job);
		_exit(0);
	}
	mk_sleep_ms(100);
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, mk_exit_code(pid));
}

TEST_HARNESS_MAIN
