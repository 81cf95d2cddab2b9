// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading many times, under traffic, while CPUs go and come; and
 * that afterwards nothing of the module is left.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Of each kind. */
#define LOADS		100
#define LOADS_BRIEF	25
#define STRESS_TIMEOUT	700
#define TRAFFIC		"storm"

/* --- what may not be left ------------------------------------------------------ */

/* kB of kernel memory, as /proc/meminfo tells. */
struct memory {
	long available, slab, vmalloc, percpu;
};

static long meminfo(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? atol(line + strlen(name)) : 0;
}

/* kB on the free lists of CPUs, some MB each, which count as in use. */
static long on_free_lists(void)
{
	static char text[MK_TEXT_MAX];
	const char *line = text;
	long pages = 0;

	if (mk_read("/proc/zoneinfo", text, sizeof(text)) < 0)
		return 0;
	while ((line = strstr(line, " count: "))) {
		line += strlen(" count: ");
		pages += atol(line);
	}
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void memory_read(struct memory *memory)
{
	char text[16384];

	if (mk_read("/proc/meminfo", text, sizeof(text)) < 0)
		text[0] = '\0';
	memory->available = meminfo(text, "MemAvailable:") + on_free_lists();
	memory->slab = meminfo(text, "Slab:");
	memory->vmalloc = meminfo(text, "VmallocUsed:");
	memory->percpu = meminfo(text, "Percpu:");
}

/*
 * What is in use once caches are dropped and all that waits to be freed has
 * been: until it gets no less for some time.
 */
static void memory_take(struct memory *memory)
{
	struct memory now;
	int quiet = 0, i;

	memory_read(memory);
	for (i = 0; i < 30 && quiet < 4; i++) {
		mk_put("/proc/sys/vm/drop_caches", "3");
		mk_sleep_ms(300);
		memory_read(&now);
		quiet++;
		if (now.available > memory->available + 128 ||
		    now.slab < memory->slab - 128) {
			*memory = now;
			quiet = 0;
		}
	}
}

/*
 * More than that is no noise: in 100 loads each lost page counts 400 kB, each
 * lost kB of slab 100. NULL, or what has grown.
 */
static const char *memory_grown(const struct memory *before,
				const struct memory *after)
{
	if (after->slab - before->slab > 1024)
		return "slab";
	if (after->vmalloc - before->vmalloc > 256)
		return "vmalloc";
	if (after->percpu - before->percpu > 256)
		return "percpu";
	if (before->available - after->available > 3072)
		return "memory in use";
	return NULL;
}

static int loads(void)
{
	return mk_rounds(LOADS, LOADS_BRIEF);
}

static void memory_check(struct __test_metadata *_metadata,
			 const struct memory *before)
{
	struct memory after;
	const char *grown;

	memory_take(&after);
	grown = memory_grown(before, &after);
	TH_LOG("kB more: slab %ld, vmalloc %ld, percpu %ld, in use %ld",
	       after.slab - before->slab, after.vmalloc - before->vmalloc,
	       after.percpu - before->percpu,
	       before->available - after.available);
	/* It keeps books of every object, and will name what is lost. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK)) {
		TH_LOG("judged by kmemleak");
		return;
	}
	EXPECT_EQ(NULL, grown)
		TH_LOG("%s has grown", grown);
}

/* Kernel threads whose name begins with mk_ */
static int threads_left(void)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	char path[300], comm[64];
	int n = 0;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (mk_read(path, comm, sizeof(comm)) > 0)
			n += !strncmp(comm, "mk_", 3);
	}
	closedir(proc);
	return n;
}

/* Whether a file of /proc or /sys mentions the module. */
static bool mentions(const char *file)
{
	static char text[1 << 20];

	return mk_read(file, text, sizeof(text)) > 0 &&
	       strstr(text, "multikernel");
}

static void nothing_left(struct __test_metadata *_metadata)
{
	double end = mk_seconds() + 10;

	EXPECT_FALSE(mk_loaded());
	EXPECT_FALSE(mk_exists(MK_ROOT));
	EXPECT_FALSE(mk_exists("/sys/kernel/tracing/events/multikernel"));
	/* a thread that has been stopped is in /proc until it is reaped */
	while (threads_left() && mk_seconds() < end)
		mk_sleep_ms(20);
	EXPECT_EQ(0, threads_left());
	EXPECT_FALSE(mentions("/proc/modules"));
	EXPECT_FALSE(mentions("/proc/vmallocinfo"));
	EXPECT_FALSE(mentions("/sys/devices/system/cpu/hotplug/states"));
}

/* --- company -------------------------------------------------------------------- */

static atomic_bool stop;
static atomic_uint toggles;

/* CPUs but the first, one after the other, off and on. */
static void *toggle_cpus(void *arg)
{
	unsigned int seed = 1;

	while (!stop) {
		int cpu = 1 + rand_r(&seed) % (mk_cpus_possible() - 1);

		if (!mk_cpu_set(cpu, !mk_cpu_online(cpu)))
			toggles++;
		mk_sleep_ms(rand_r(&seed) % 50);
	}
	mk_cpus_all_online();
	return NULL;
}

/* Starts runs for ever, whether there is a module or not. A child. */
static pid_t start_traffic(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			mk_exp_run(TRAFFIC);
			mk_sleep_ms(1);
		}
	}
	return pid;
}

static void stop_traffic(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Unload against traffic: in use is no error as long as it ends. */
static int unload_against_traffic(int *refused)
{
	double end = mk_seconds() + 60;
	int ret;

	while ((ret = mk_unload()) == -EAGAIN && mk_seconds() < end) {
		++*refused;
		mk_put(mk_exp_file(TRAFFIC, "run"), "0");
		mk_sleep_ms(5);
	}
	return ret;
}

FIXTURE(stress)
{
	struct memory before;
	pthread_t thread;
	pid_t traffic;
};

FIXTURE_SETUP(stress)
{
	int i;

	mk_cpus_all_online();
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	/* what the first loads leave in caches for good is no leak */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, mk_load(NULL));
		ASSERT_EQ(0, mk_exp_small(TRAFFIC));
		EXPECT_EQ(0, mk_exp_run(TRAFFIC));
		ASSERT_EQ(0, mk_unload_soon());
	}
	memory_take(&self->before);
	stop = false;
	toggles = 0;
}

FIXTURE_TEARDOWN(stress)
{
	mk_cpus_all_online();
	if (mk_loaded())
		EXPECT_RET(0, mk_unload_soon(), "unload");
	nothing_left(_metadata);
}

TEST_F_TIMEOUT(stress, loads, STRESS_TIMEOUT)
{
	int i;

	for (i = 0; i < loads(); i++) {
		ASSERT_EQ(0, mk_load(NULL));
		if (i % 10 == 0) {
			ASSERT_EQ(0, mk_exp_small(TRAFFIC));
			EXPECT_EQ(0, mk_exp_run(TRAFFIC));
		}
		ASSERT_EQ(0, mk_unload());
	}
	memory_check(_metadata, &self->before);
}

TEST_F_TIMEOUT(stress, loads_under_traffic_and_hotplug, STRESS_TIMEOUT)
{
	bool hotplug = mk_cpus_possible() > 1;
	int i, ret, refused = 0;

	self->traffic = start_traffic();
	if (hotplug)
		ASSERT_EQ(0, pthread_create(&self->thread, NULL, toggle_cpus,
					    NULL));
	for (i = 0; i < loads(); i++) {
		ret = mk_load(NULL);
		EXPECT_RET(0, ret, "load");
		if (ret)
			break;
		/* sometimes at once, sometimes in the middle of a run */
		mk_sleep_ms(i % 5 * 20);
		ret = unload_against_traffic(&refused);
		EXPECT_RET(0, ret, "unload");
		if (ret)
			break;
	}
	stop = true;
	if (hotplug)
		pthread_join(self->thread, NULL);
	stop_traffic(self->traffic);
	TH_LOG("%d loads, %u CPUs off or on, unload refused %d times", i,
	       toggles, refused);
	EXPECT_EQ(loads(), i);
	/* the company was there */
	EXPECT_LT(0, refused);
	if (hotplug)
		EXPECT_LT(10, toggles);
	memory_check(_metadata, &self->before);
}

/* CPUs go and come under traffic, and the module stays. */
TEST_F_TIMEOUT(stress, hotplug_under_traffic, STRESS_TIMEOUT)
{
	double end;
	int cpu;

	if (mk_cpus_possible() == 1)
		SKIP(return, "one CPU");
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_exp_small(TRAFFIC));
	self->traffic = start_traffic();
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, toggle_cpus, NULL));
	end = mk_seconds() + 60;
	while (mk_seconds() < end && toggles < mk_rounds(200, 40))
		mk_sleep_ms(100);
	stop = true;
	pthread_join(self->thread, NULL);
	stop_traffic(self->traffic);
	TH_LOG("%u CPUs off or on", toggles);
	EXPECT_LT(10, toggles);

	ASSERT_TRUE(mk_exp_idle(TRAFFIC));
	EXPECT_TRUE(mk_monitors_become(mk_cpus_possible()));
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++)
		EXPECT_TRUE(mk_monitor_of(cpu))
			TH_LOG("CPU %d", cpu);
	EXPECT_RET(0, mk_exp_run(TRAFFIC), "run after hotplug");
	EXPECT_RET(0, mk_unload_soon(), "unload");
	memory_check(_metadata, &self->before);
}

/* The negative control: memory that really is in use is noticed. */
TEST_F(stress, leak_is_noticed)
{
	struct memory after;
	char page[4096] = "";
	int fd[2], i;

	/* pipes hold their pages in the kernel: 16 of 1 MB */
	for (i = 0; i < 16; i++) {
		ASSERT_EQ(0, pipe2(fd, O_NONBLOCK));
		ASSERT_LT(0, fcntl(fd[1], F_SETPIPE_SZ, 1 << 20));
		while (write(fd[1], page, sizeof(page)) > 0)
			;
	}
	memory_take(&after);
	EXPECT_NE(NULL, memory_grown(&self->before, &after));
}

TEST_HARNESS_MAIN
