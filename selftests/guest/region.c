// SPDX-License-Identifier: GPL-2.0
/*
 * Regions and spaces: what operations do to pages, and what monitors see that
 * have adopted the mm.
 *
 * In whatever order processes come and go: region_life. What is refused:
 * region_bad. That no CPU reaches a page which was taken away: shootdown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "region_use.h"
#include "test.h"
#include "region_fixture.h"

/* --- what a page is -------------------------------------------------------- */

TEST_F(region, first_words)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(1, region_version(self->base + i * PAGE));
		EXPECT_EQ(i, region_version(self->base + i * PAGE + MK_PAGE_INDEX));
		EXPECT_EQ(0, region_version(self->base + i * PAGE + 16));
	}
	/* counted while it is there: the control of NOTHING_LEFT */
	EXPECT_EQ(1, mk_total("regions/count"));
	EXPECT_EQ(PAGES, mk_total("regions/frames"));
	EXPECT_LE(PAGES * PAGE, mk_total("regions/bytes"));
}

TEST_F(region, unmap_keeps_the_data)
{
	int i;

	for (i = 0; i < PAGES; i++)
		self->base[i * PAGE + 100] = i + 1;
	EXPECT_RET(0, region_operate(self->fd, MK_OP_UNMAP, 0, PAGES), "unmap");
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i + 1, self->base[i * PAGE + 100]);
}

TEST_F(region, renew_those_pages_only)
{
	int i;

	for (i = 0; i < PAGES; i++)
		self->base[i * PAGE + 100] = i + 1;
	EXPECT_RET(0, region_operate(self->fd, MK_OP_RENEW, 2, 3), "renew");
	for (i = 0; i < PAGES; i++) {
		bool renewed = i >= 2 && i < 5;

		EXPECT_EQ(renewed ? 2 : 1, region_version(self->base + i * PAGE));
		EXPECT_EQ(renewed ? 0 : i + 1, self->base[i * PAGE + 100]);
		EXPECT_EQ(i, region_version(self->base + i * PAGE + MK_PAGE_INDEX));
	}
}

TEST_F(region, protect_and_unprotect)
{
	EXPECT_EQ(0, mk_touch(self->base + PAGE, true));
	EXPECT_RET(0, region_operate(self->fd, MK_OP_PROTECT, 1, 1), "protect");
	EXPECT_EQ(SIGBUS, mk_touch(self->base + PAGE, true));
	EXPECT_EQ(0, mk_touch(self->base + PAGE, false));
	EXPECT_EQ(0, mk_touch(self->base + 2 * PAGE, true));
	/* mprotect() is no way round it */
	EXPECT_EQ(0, mprotect(self->base, PAGES * PAGE, PROT_READ));
	EXPECT_EQ(SIGSEGV, mk_touch(self->base + 2 * PAGE, true));
	EXPECT_EQ(0, mprotect(self->base, PAGES * PAGE,
			      PROT_READ | PROT_WRITE));
	EXPECT_EQ(SIGBUS, mk_touch(self->base + PAGE, true));
	EXPECT_EQ(0, mk_touch(self->base + 2 * PAGE, true));
	/* and the frame may be another */
	EXPECT_RET(0, region_operate(self->fd, MK_OP_RENEW, 1, 1), "renew");
	EXPECT_EQ(SIGBUS, mk_touch(self->base + PAGE, true));
	EXPECT_RET(0, region_operate(self->fd, MK_OP_UNPROTECT, 1, 1), "unprotect");
	EXPECT_EQ(0, mk_touch(self->base + PAGE, true));
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
	EXPECT_RET(0, mk_ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_EQ(4, info.mappings);
	moved = mremap(self->base + 4 * PAGE, 2 * PAGE, 2 * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, self->base + 64 * PAGE);
	ASSERT_NE(MAP_FAILED, moved);
	EXPECT_EQ(4, region_version(moved + MK_PAGE_INDEX));
	EXPECT_RET(0, region_operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	EXPECT_EQ(2, region_version(self->base));
	EXPECT_EQ(2, region_version(self->base + PAGE));
	EXPECT_EQ(SIGSEGV, mk_touch(self->base + 2 * PAGE, false));
	EXPECT_EQ(2, region_version(self->base + 3 * PAGE));
	EXPECT_EQ(2, region_version(moved + PAGE));
	EXPECT_EQ(2, region_version(second));
	second[PAGE + 200] = 7;
	EXPECT_EQ(7, moved[200]);
	munmap(moved, 2 * PAGE);
	munmap(second, 2 * PAGE);
	memset(&info, 0, sizeof(info));
	EXPECT_RET(0, mk_ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_EQ(4, info.mappings);
}

TEST_F(region, fork_has_the_file_but_no_mapping)
{
	pid_t pid;

	self->base[300] = 5;
	pid = fork();
	if (!pid) {
		char *own;

		if (mk_touch(self->base, false) != SIGSEGV)
			_exit(1);
		own = region_map(self->fd, 0, PAGES);
		if (own == MAP_FAILED || own[300] != 5)
			_exit(2);
		own[301] = 6;
		_exit(region_operate(self->fd, MK_OP_UNMAP, 0, PAGES) ? 3 : 0);
	}
	EXPECT_EQ(0, mk_exit_code(pid));
	EXPECT_EQ(6, self->base[301]);
}

/* --- monitors -------------------------------------------------------------- */

TEST_F(region, monitors_read_what_they_adopt)
{
	uint64_t lowest;
	int cpu;

	EXPECT_RET(-ESRCH, region_check(self->fd, 0, PAGES, &lowest), "before");
	ASSERT_EQ(0, region_adopt(self->fd));
	EXPECT_EQ(mk_cpus_online(), mk_total("spaces/adopted"));
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		EXPECT_RET(0, region_check(self->fd, cpu, PAGES, &lowest), "check");
		EXPECT_EQ(1, lowest);
	}
	EXPECT_RET(0, region_operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		EXPECT_RET(0, region_check(self->fd, cpu, PAGES, &lowest), "check");
		EXPECT_EQ(2, lowest);
	}
	munmap(self->base, PAGES * PAGE);
	EXPECT_RET(-ENXIO, region_check(self->fd, 0, PAGES, &lowest), "unmapped");
	EXPECT_RET(0, region_leave(self->fd), "leave");
	EXPECT_EQ(0, mk_total("spaces/adopted"));
	EXPECT_RET(0, region_leave(self->fd), "leave again");
}

/* Two processes: the later one has the monitors, the first one does not mind. */
TEST_F(region, the_later_space_wins)
{
	int wake, ready;
	uint64_t lowest;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, region_adopt(self->fd));
	pid = region_child(self->fd, REGION_EXIT, true, &wake, &ready);
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &byte, 1));
	EXPECT_RET(-ESRCH, region_check(self->fd, 0, 1, &lowest), "taken");
	EXPECT_EQ(mk_cpus_online(), mk_total("spaces/adopted"));
	EXPECT_RET(0, region_operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	EXPECT_EQ(1, write(wake, "", 1));
	EXPECT_EQ(0, mk_exit_code(pid));
	EXPECT_EQ(0, mk_total("spaces/adopted"));
	EXPECT_RET(0, region_adopt(self->fd), "again");
	EXPECT_RET(0, region_check(self->fd, 0, 1, &lowest), "its own again");
	close(wake);
	close(ready);
}

TEST_F(region, a_cpu_that_goes_gives_it_back)
{
	int cpu = mk_cpus_possible() - 1;
	uint64_t lowest;

	if (!cpu)
		SKIP(return, "one CPU stays on line");
	ASSERT_EQ(0, region_adopt(self->fd));
	ASSERT_EQ(0, mk_cpu_set(cpu, false));
	EXPECT_EQ(mk_cpus_online(), mk_total("spaces/adopted"));
	EXPECT_RET(-ENODEV, region_check(self->fd, cpu, 1, &lowest), "off line");
	EXPECT_RET(0, region_operate(self->fd, MK_OP_RENEW, 0, PAGES), "renew");
	ASSERT_EQ(0, mk_cpu_set(cpu, true));
	EXPECT_RET(-ESRCH, region_check(self->fd, cpu, 1, &lowest), "not yet");
	EXPECT_RET(0, region_adopt(self->fd), "again");
	EXPECT_RET(0, region_check(self->fd, cpu, 1, &lowest), "back");
	EXPECT_EQ(2, lowest);
}

/* --- faults on purpose ------------------------------------------------------ */

TEST_F(region, frames_of_a_planted_fault_are_kept)
{
	struct mk_region_op op = {
		.pages = PAGES, .op = MK_OP_RENEW, .cpu = -1,
		.protocol = MK_PROTOCOL_IPI, .broken = MK_BROKEN_SKIP_TARGET,
	};
	struct mk_region_info info = {};

	EXPECT_RET(0, mk_ask(self->fd, MK_IOC_OP, &op), "renew");
	EXPECT_RET(0, mk_ask(self->fd, MK_IOC_INFO, &info), "info");
	EXPECT_EQ(PAGES, info.kept);
	EXPECT_EQ(2 * PAGES, mk_total("regions/frames"));
	EXPECT_EQ(PAGES, mk_total("regions/kept"));
	/* the control: without it they are not */
	op.broken = MK_BROKEN_NONE;
	EXPECT_RET(0, mk_ask(self->fd, MK_IOC_OP, &op), "renew");
	EXPECT_EQ(PAGES, mk_total("regions/kept"));
	EXPECT_EQ(2 * PAGES, mk_total("regions/frames"));
}

TEST_HARNESS_MAIN
