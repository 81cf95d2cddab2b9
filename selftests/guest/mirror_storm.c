// SPDX-License-Identifier: GPL-2.0
/*
 * A storm over live mirrors, for as many seconds as $MK_SOAK_SECONDS says:
 * processes are attached and detached all the time while they map, unmap,
 * protect, give up, page out, fork, move their pages and are killed; CPUs go and
 * come, memory is compacted and short, Linux balances its nodes. What they check
 * stands in mirror_prey.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mirror_prey.h"
#include "test.h"
#include "watch.h"

#define SECONDS		15.0
/* So often again, if some of it has not been there. */
#define MORE		8
/* For the longest: half an hour, and what it takes to end. */
#define STORM_TIMEOUT	2400

#define PROCESSES	3

#define HUGE_PAGES	"/proc/sys/vm/nr_hugepages"
#define HUGE_BYTES	(2UL << 20)
/* Once to four times that is left free: of less, Linux reports that there is none. */
#define LEAVE_BYTES	(96UL << 20)

#define BALANCING	"/proc/sys/kernel/numa_balancing"

static struct mk_prey_board *board;

/* What the test itself did. */
static struct {
	atomic_uint attached, detached, refused, killed, toggles, compacted,
		    shortages;
	atomic_ullong fills, zaps;
	atomic_int error;	/* of the last attach that was refused */
} count;

/* --- company ---------------------------------------------------------------------- */

static void take_figures(pid_t pid)
{
	unsigned long long value;
	char name[64];
	int node;

	for (node = 0; node < 64; node++) {
		snprintf(name, sizeof(name), "mirror/%d/node%d/fills", pid,
			 node);
		if (mk_get_u64(name, &value))
			continue;
		count.fills += value;
		snprintf(name, sizeof(name), "mirror/%d/node%d/zaps", pid,
			 node);
		if (!mk_get_u64(name, &value))
			count.zaps += value;
	}
}

static void begin_mirror(pid_t pid)
{
	int ret = mk_put_u64("mirror/attach", pid);

	if (!ret) {
		count.attached++;
	} else if (ret != -ENOMEM) {	/* which is short on purpose */
		count.refused++;
		count.error = ret;
	}
}

static void end_mirror(pid_t pid)
{
	take_figures(pid);
	if (!mk_put_u64("mirror/detach", pid))
		count.detached++;
}

/* One process after the other: attached, detached, killed, started. */
static void *juggle(void *arg)
{
	bool mirrored[PROCESSES] = { };
	unsigned int seed = 7;
	pid_t *pids = arg;

	while (!board->stop) {
		int i = rand_r(&seed) % PROCESSES;

		if (rand_r(&seed) % 16 == 0) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
			pids[i] = mk_prey_start(board, rand_r(&seed));
			mirrored[i] = false;
			count.killed++;
		} else if (mirrored[i]) {
			end_mirror(pids[i]);
			mirrored[i] = false;
		} else {
			mk_put("mirror/invalidate",
			       rand_r(&seed) % 2 ? "message" : "direct");
			begin_mirror(pids[i]);
			mirrored[i] = true;
		}
		mk_sleep_ms(rand_r(&seed) % 100);
	}
	return NULL;
}

static void *toggle_cpus(void *arg)
{
	unsigned int seed = 2;

	while (!board->stop) {
		int cpu = 1 + rand_r(&seed) % (mk_cpus_possible() - 1);

		if (!mk_cpu_set(cpu, !mk_cpu_online(cpu)))
			count.toggles++;
		mk_sleep_ms(50 + rand_r(&seed) % 200);
	}
	mk_cpus_all_online();
	return NULL;
}

static unsigned long free_memory(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return info.freeram;
}

/*
 * All but so much of what is free is taken, as huge pages that nobody maps. To touch as
 * many takes minutes in an emulated guest, with the mm locked, and Linux takes what waits
 * for that for hung.
 */
static void take_memory(unsigned long leave)
{
	unsigned long long taken = 0;
	unsigned long there;

	mk_get_u64(HUGE_PAGES, &taken);
	there = free_memory() + taken * HUGE_BYTES;
	if (there > leave)
		mk_put_u64(HUGE_PAGES, (there - leave) / HUGE_BYTES);
}

/* Memory is short, is there again, is compacted, and caches go. */
static void *eat(void *arg)
{
	unsigned int seed = 3;

	while (!board->stop) {
		take_memory((1 + rand_r(&seed) % 4) * LEAVE_BYTES);
		count.shortages += free_memory() < LEAVE_BYTES + LEAVE_BYTES / 2;
		if (!mk_put("/proc/sys/vm/compact_memory", "1"))
			count.compacted++;
		mk_put("/proc/sys/vm/drop_caches", "1");
		mk_sleep_ms(rand_r(&seed) % 300);
	}
	return NULL;
}

/* Swap of compressed memory, where the kernel has it. */
static bool swap_on(void)
{
	return !system("modprobe -q zram") &&
	       !mk_put("/sys/block/zram0/disksize", "64M") &&
	       !system("mkswap /dev/zram0 > /dev/null") &&
	       !system("swapon /dev/zram0");
}

static void swap_off(void)
{
	if (!system("swapoff /dev/zram0"))
		mk_put("/sys/block/zram0/reset", "1");
}

/* --- the storm --------------------------------------------------------------------- */

FIXTURE(storm)
{
	pid_t pid[PROCESSES];
	pthread_t company[3];
	int threads;
	bool swap;
	unsigned long long balancing;
};

FIXTURE_SETUP(storm)
{
	mk_cpus_all_online();
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load_hooked());
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)board);
	board->only = MK_DEEDS;
	/* nothing to keep, nor to set, on a kernel without it */
	if (mk_get_u64(BALANCING, &self->balancing))
		self->balancing = 0;
}

FIXTURE_TEARDOWN(storm)
{
	int i;

	board->stop = true;
	for (i = 0; i < self->threads; i++)
		pthread_join(self->company[i], NULL);
	for (i = 0; i < PROCESSES; i++) {
		if (self->pid[i] <= 0)
			continue;
		kill(self->pid[i], SIGKILL);
		waitpid(self->pid[i], NULL, 0);
	}
	/* before what is in swap has to go somewhere */
	mk_put_u64(HUGE_PAGES, 0);
	if (self->swap)
		swap_off();
	mk_put_u64(BALANCING, self->balancing);
	mk_cpus_all_online();
	/* nothing is left of any of them */
	EXPECT_RET(0, mk_unload_soon(), "unload");
	munmap(board, sizeof(*board));
}

static void company(struct __test_metadata *_metadata, FIXTURE_DATA(storm) * self,
		    void *(*fn)(void *), void *arg)
{
	ASSERT_EQ(0, pthread_create(&self->company[self->threads++], NULL, fn,
				    arg));
}

static unsigned int deeds(void)
{
	unsigned int sum = board->replaced, i;

	for (i = 0; i < MK_DEEDS; i++)
		sum += board->done[i];
	return sum;
}

static unsigned int wrong(void)
{
	unsigned int sum = 0, i;

	for (i = 0; i < MK_DEEDS; i++)
		sum += board->wrong[i];
	return sum;
}

static bool is_wrong(void *unused)
{
	return board->stale || wrong();
}

/* Has it been a storm: was each of its parts there? */
static bool was_all(void)
{
	int i;

	for (i = 0; i < MK_DEEDS; i++)
		if (!board->done[i])
			return false;
	return board->fresh && count.detached && count.fills && count.zaps &&
	       count.shortages && (count.toggles || mk_cpus_possible() == 1);
}

TEST_F_TIMEOUT(storm, exact, STORM_TIMEOUT)
{
	const char *text = getenv("MK_SOAK_SECONDS");
	bool lives;
	int i;

	self->swap = swap_on();
	/* while nobody is in the way */
	take_memory(LEAVE_BYTES);
	mk_put(BALANCING, "1");
	for (i = 0; i < PROCESSES; i++)
		self->pid[i] = mk_prey_start(board, 10 * i);
	company(_metadata, self, juggle, self->pid);
	company(_metadata, self, eat, NULL);
	if (mk_cpus_possible() > 1)
		company(_metadata, self, toggle_cpus, NULL);
	lives = mk_watch(text ? atof(text) : SECONDS, deeds, is_wrong, NULL);
	/* on a slow host it takes longer until all has happened */
	for (i = 0; lives && i < MORE && !was_all() && !is_wrong(NULL); i++)
		lives = mk_watch(SECONDS, deeds, is_wrong, NULL);
	EXPECT_TRUE(lives)
		TH_LOG("nothing was done in a minute");
	board->stop = true;
	for (i = 0; i < self->threads; i++)
		pthread_join(self->company[i], NULL);
	self->threads = 0;

	for (i = 0; i < MK_DEEDS; i++) {
		EXPECT_EQ(0, board->wrong[i])
			TH_LOG("wrong after %s", mk_deed_name[i]);
		EXPECT_LT(0, board->done[i])
			TH_LOG("no %s", mk_deed_name[i]);
	}
	EXPECT_EQ(0, board->stale);
	EXPECT_EQ(0, count.refused)
		TH_LOG("attach: %s", mk_errname(count.error));
	TH_LOG("%u deeds, %u pages replaced, %u fresh reads, swap: %s", deeds(),
	       board->replaced, board->fresh, self->swap ? "yes" : "no");
	TH_LOG("%u times attached, %u detached, %llu fills, %llu zaps",
	       count.attached, count.detached, count.fills, count.zaps);
	TH_LOG("%u killed, %u CPUs off or on, %u times compacted, %u short",
	       count.killed, count.toggles, count.compacted, count.shortages);
	EXPECT_TRUE(was_all())
		TH_LOG("some of that is 0: it was no storm");
}

/* --- negative controls --------------------------------------------------------------- */

static void planted(struct __test_metadata *_metadata, FIXTURE_DATA(storm) * self,
		    const char *fault, int only)
{
	board->only = only;
	self->pid[0] = mk_prey_start(board, 1);
	ASSERT_EQ(0, mk_put("mirror/broken", fault));
	begin_mirror(self->pid[0]);
	ASSERT_EQ(1, count.attached);
	mk_watch(30, deeds, is_wrong, NULL);
}

/* Replaced pages stay in the file: who still reads them does no harm. */
TEST_F_TIMEOUT(storm, sees_stale_pages, STORM_TIMEOUT)
{
	if (mk_cpus_online() == 1)
		SKIP(return, "nobody else could read");
	planted(_metadata, self, "no_invalidate", -1);
	EXPECT_LT(0, board->stale);
}

TEST_F_TIMEOUT(storm, sees_lost_pages, STORM_TIMEOUT)
{
	planted(_metadata, self, "no_dirty", MK_GIVE_UP);
	EXPECT_LT(0, wrong());
}

TEST_HARNESS_MAIN
