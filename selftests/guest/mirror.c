// SPDX-License-Identifier: GPL-2.0
/*
 * Live mirrors: a process does what processes do, and its data is exact,
 * mirrored or not; its page walks stay on their node; and each fault that can
 * be planted is seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mirror_subject.h"
#include "test.h"

/* --- the tests ------------------------------------------------------------- */

FIXTURE(mirror)
{
	pid_t pid;
};

FIXTURE_SETUP(mirror)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load_hooked());
	cpus = mk_cpus_online();
	if (cpus > THREADS_MAX)
		cpus = THREADS_MAX;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)board);
}

FIXTURE_TEARDOWN(mirror)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	EXPECT_RET(0, mk_unload_soon(), "unload");
	munmap(board, sizeof(*board));
}

/* Sum of a counter over the nodes of a mirror. */
static uint64_t sum_of(pid_t pid, const char *name)
{
	unsigned long long value;
	char file[128];
	uint64_t sum = 0;
	int node;

	for (node = 0; node < 64; node++) {
		snprintf(file, sizeof(file), "mirror/%d/node%d/%s", pid, node,
			 name);
		if (mk_exists(file) && !mk_get_u64(file, &value))
			sum += value;
	}
	return sum;
}

/* A sum over all mirrors there have been. */
static uint64_t tally_of(const char *name)
{
	char text[1024] = "", *line;
	size_t len = strlen(name);

	if (mk_read("mirror/total", text, sizeof(text) - 1) < 0)
		return UINT64_MAX;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	return UINT64_MAX;
}

struct locality {
	int cpus, mirrored;
	unsigned int levels, local, master_levels, master_local;
};

static int locality_of(pid_t pid, struct locality *sum)
{
	unsigned int levels, local, master_levels, master_local;
	char file[128], *text, *line;
	int cpu, node, mirrored;

	memset(sum, 0, sizeof(*sum));
	snprintf(file, sizeof(file), "mirror/%d/locality", pid);
	text = calloc(1, MK_TEXT_MAX);
	if (!text || mk_read(file, text, MK_TEXT_MAX - 1) < 0) {
		free(text);
		return -EIO;
	}
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "%d,%d,%d,%u,%u,%u,%u", &cpu, &node,
			   &mirrored, &levels, &local, &master_levels,
			   &master_local) != 7)
			continue;
		sum->cpus++;
		sum->mirrored += mirrored;
		sum->levels += levels;
		sum->local += local;
		sum->master_levels += master_levels;
		sum->master_local += master_local;
	}
	free(text);
	return 0;
}

static void expect_right(struct __test_metadata *_metadata)
{
	static const char *const names[WRONGS] = {
		"data", "zero", "read only", "child", "remap", "sum", "call",
		"stale", "huge",
	};
	int i;

	for (i = 0; i < WRONGS; i++)
		EXPECT_EQ(0, board->wrong_by[i])
			TH_LOG("%s", names[i]);
}

/* A program that works is attached, goes on, is detached, goes on. */
static void works(struct __test_metadata *_metadata,
		  FIXTURE_DATA(mirror) * self, const char *invalidate)
{
	unsigned int i, n = mk_rounds(4, 2);

	ASSERT_EQ(0, mk_put("mirror/invalidate", invalidate));
	self->pid = subject_start(subject_works);
	ASSERT_TRUE(subject_goes_on(1));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
		EXPECT_TRUE(subject_goes_on(3));
		EXPECT_LT(0, sum_of(self->pid, "fills"));
		EXPECT_LT(0, sum_of(self->pid, "zaps"));
		EXPECT_LT(0, sum_of(self->pid, "switches"));
		EXPECT_EQ(0, sum_of(self->pid, "remote"));
		TH_LOG("fills %lu refaults %lu fallbacks %lu zaps %lu tables %lu",
		       sum_of(self->pid, "fills"), sum_of(self->pid, "refaults"),
		       sum_of(self->pid, "fallbacks"), sum_of(self->pid, "zaps"),
		       sum_of(self->pid, "tables"));
		ASSERT_EQ(0, mk_put_u64("mirror/detach", self->pid));
		EXPECT_TRUE(subject_goes_on(1));
	}
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
	EXPECT_LT(0, board->added);
}

TEST_F(mirror, works)
{
	works(_metadata, self, "direct");
	EXPECT_EQ(0, tally_of("messages"));
}

TEST_F(mirror, works_by_message)
{
	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "one node");
	works(_metadata, self, "message");
	EXPECT_LT(0, tally_of("messages"));
	TH_LOG("messages %lu, directs %lu", tally_of("messages"),
	       tally_of("directs"));
}

TEST_F(mirror, is_local)
{
	struct locality seen;

	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "one node");
	self->pid = subject_start(subject_spins);
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	mk_sleep_ms(500);
	ASSERT_EQ(0, locality_of(self->pid, &seen));
	TH_LOG("%d CPUs, %d mirrored, %u of %u levels local; master %u of %u",
	       seen.cpus, seen.mirrored, seen.local, seen.levels,
	       seen.master_local, seen.master_levels);
	EXPECT_LT(0, seen.cpus);
	EXPECT_EQ(seen.cpus, seen.mirrored);
	EXPECT_LT(0, seen.levels);
	EXPECT_EQ(seen.levels, seen.local);
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
}

static void nothing_stale(struct __test_metadata *_metadata,
			  FIXTURE_DATA(mirror) * self, const char *invalidate)
{
	ASSERT_EQ(0, mk_put("mirror/invalidate", invalidate));
	self->pid = subject_start(subject_takes);
	ASSERT_TRUE(subject_first_goes_on(2));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_TRUE(subject_first_goes_on(mk_rounds(100, 10)));
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
}

TEST_F(mirror, nothing_stale)
{
	nothing_stale(_metadata, self, "direct");
}

TEST_F(mirror, nothing_stale_by_message)
{
	nothing_stale(_metadata, self, "message");
}

TEST_F(mirror, nothing_lost)
{
	self->pid = subject_start(subject_spoils);
	ASSERT_TRUE(subject_first_goes_on(2));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_TRUE(subject_first_goes_on(mk_rounds(20, 4)));
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
}

/* rmmod, kill and exit while mirrored; nothing is left. */
TEST_F(mirror, ends)
{
	self->pid = subject_start(subject_works);
	ASSERT_TRUE(subject_goes_on(1));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_RET(-EEXIST, mk_put_u64("mirror/attach", self->pid), "attach");
	EXPECT_TRUE(subject_goes_on(1));
	ASSERT_EQ(0, mk_unload());
	EXPECT_TRUE(subject_goes_on(1));
	kill(self->pid, SIGSTOP);
	ASSERT_EQ(0, mk_load_hooked());
	kill(self->pid, SIGCONT);
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_TRUE(subject_goes_on(1));
	kill(self->pid, SIGKILL);
	waitpid(self->pid, NULL, 0);
	EXPECT_RET(-ESRCH, mk_put_u64("mirror/detach", self->pid), "detach");
	EXPECT_RET(-ESRCH, mk_put_u64("mirror/attach", self->pid), "attach");
	self->pid = 0;
	expect_right(_metadata);
}

/* Children too, if that is wanted, and not otherwise. */
TEST_F(mirror, inherits)
{
	uint64_t before;

	if (mk_put("mirror/inherit", "1") == -EOPNOTSUPP)
		SKIP(return, "not on this kernel");
	ASSERT_EQ(0, mk_put("mirror/inherit", "0"));
	self->pid = subject_start(subject_works);
	ASSERT_TRUE(subject_goes_on(1));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	before = tally_of("attached");
	EXPECT_TRUE(subject_goes_on(5));
	EXPECT_EQ(before, tally_of("attached"));
	ASSERT_EQ(0, mk_put("mirror/inherit", "1"));
	EXPECT_TRUE(subject_goes_on(5));
	EXPECT_LT(before, tally_of("attached"));
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
}

/* At the limit replicas are emptied, and the process goes on. */
TEST_F(mirror, keeps_to_the_limit)
{
	unsigned long long bytes = 0, trims = 0, limit = 100 * PAGE;
	double until = mk_seconds() + 60;

	ASSERT_EQ(0, mk_put_u64("mirror/limit", limit));
	self->pid = subject_start(subject_spreads);
	ASSERT_TRUE(subject_first_goes_on(1));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	while (trims < 2 && mk_seconds() < until) {
		EXPECT_TRUE(subject_first_goes_on(5));
		EXPECT_EQ(0, mk_get_u64("mirror/trims", &trims));
		EXPECT_EQ(0, mk_get_u64("mirror/bytes", &bytes));
		EXPECT_LE(bytes, limit);
	}
	EXPECT_LE(2, trims);
	EXPECT_EQ(0, mk_get_u64("mirror/trimmed", &trims));
	EXPECT_LT(0, trims);
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
	EXPECT_LT(0, tally_of("fallbacks"));
}

/* The device does the same for whoever has it open. */
TEST_F(mirror, device)
{
	uint64_t before = tally_of("attached");
	unsigned long long n = 0;

	self->pid = subject_start(subject_opens);
	ASSERT_TRUE(subject_first_goes_on(1));
	EXPECT_EQ(0, mk_get_u64("mirror/count", &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
	EXPECT_EQ(before + 2, tally_of("attached"));
	EXPECT_EQ(0, mk_get_u64("mirror/count", &n));
	EXPECT_EQ(0, n);
}

TEST_F(mirror, refuses)
{
	/* kthreadd */
	EXPECT_RET(-EINVAL, mk_put_u64("mirror/attach", 2), "attach");
	EXPECT_RET(-ERANGE, mk_put_u64("mirror/attach", 0), "attach");
	EXPECT_RET(-EINVAL, mk_put("mirror/attach", "me"), "attach");
	EXPECT_RET(-ESRCH, mk_put_u64("mirror/detach", getpid()), "detach");
}

/* --- planted faults are seen ----------------------------------------------- */

/*
 * A while at most: after a fall-back the reader's CPU is on the master, where
 * nothing is wrong, until another thread has run there.
 */
static bool goes_wrong(int how)
{
	double end = mk_seconds() + 20;

	while (!board->wrong_by[how] && mk_seconds() < end)
		mk_sleep_ms(10);
	return board->wrong_by[how];
}

/*
 * Does one of three subjects see the planted fault? Where replicas are wrong, so may be
 * the word by which its threads take turns: then they wait for ever.
 */
static bool sees(pid_t *pid, void (*subject)(void), const char *broken, int how)
{
	bool seen = false;
	int i;

	for (i = 0; i < 3 && !seen; i++) {
		*pid = subject_start(subject);
		if (!subject_first_goes_on(2) || mk_put("mirror/broken", broken) ||
		    mk_put_u64("mirror/attach", *pid))
			return false;
		seen = goes_wrong(how);
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
		*pid = 0;
	}
	return seen;
}

/* A page that Linux moves to another node is two pages from then on. */
TEST_F_TIMEOUT(mirror, sees_no_invalidate, 250)
{
	unsigned long long balancing = 0;

	mk_get_u64("/proc/sys/kernel/numa_balancing", &balancing);
	mk_put("/proc/sys/kernel/numa_balancing", "0");
	EXPECT_TRUE(sees(&self->pid, subject_takes, "no_invalidate", WRONG_STALE));
	mk_put_u64("/proc/sys/kernel/numa_balancing", balancing);
}

TEST_F_TIMEOUT(mirror, sees_no_dirty, 250)
{
	EXPECT_TRUE(sees(&self->pid, subject_spoils, "no_dirty", WRONG_DATA));
}

TEST_F(mirror, sees_shared)
{
	struct locality seen;

	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "one node");
	ASSERT_EQ(0, mk_put("mirror/broken", "shared"));
	self->pid = subject_start(subject_spins);
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	mk_sleep_ms(500);
	ASSERT_EQ(0, locality_of(self->pid, &seen));
	EXPECT_LT(seen.local, seen.levels);
	EXPECT_EQ(0, subject_end(self->pid));
	self->pid = 0;
}

TEST_HARNESS_MAIN
