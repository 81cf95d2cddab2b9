/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every allocation of the module fails once on a path: the first, then the first
 * that has not failed yet, and so on until there is none; and after that, each with
 * those that follow. What was asked for succeeds all the same or is -ENOMEM,
 * nothing is lost, and the next attempt works.
 *
 * Needs the module mk_failnth, which says what counts as an allocation, in
 * $MK_FAILNTH. $MK_ALIKE=0 lets those fail as well that come from one place
 * again and again, which takes long. With $MK_ONLY="load,CPU online" only paths of
 * these names are walked.
 */
#ifndef MK_SELFTEST_FAULTS_H
#define MK_SELFTEST_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define FAILNTH		"/sys/kernel/debug/mk_failnth"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* Of a test: some take half an hour. */
#define FAULTS_TIMEOUT	3000

/* More walks mean that something else allocates, or a loop has no end. */
#define WALKS_MAX	20000

/* As many as fail: kvmalloc() has a second try, a list a next element. */
#define BURST_ALL	1000000000000ULL
#define BURST_SOME	8

/* Where a path goes on after a failure, so many succeed before another fails. */
#define APART		16

/* A line so often, or whoever waits for one takes it for stuck. */
#define PROGRESS_S	60

/* One path: how to walk it, and what has to be true afterwards. */
struct path {
	const char *name;
	const char *arg;
	int (*prepare)(const char *arg);	/* not counted */
	int (*walk)(const char *arg);		/* counted */
	int (*tidy)(const char *arg, int ret);	/* not counted */
	bool goes_on;		/* after most failures: several in one walk */
};

struct tally {
	unsigned int walks;	/* in which something failed */
	unsigned int ended;	/* of these, with -ENOMEM */
	unsigned int points;	/* allocations that failed, each once */
	unsigned int failed;	/* and with those that failed behind one of these */
};

static inline unsigned long long failnth(const char *file)
{
	unsigned long long value = 0;
	char path[64];

	snprintf(path, sizeof(path), FAILNTH "/%s", file);
	mk_get_u64(path, &value);
	return value;
}

static inline void show_stacks(struct __test_metadata *_metadata)
{
	char text[1 << 14], *line, *save;

	if (mk_read(FAILNTH "/where", text, sizeof(text)) <= 0)
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		TH_LOG("    %s", line);
}

/* Return: was there anything that had not failed yet? */
static inline bool walk_once(struct __test_metadata *_metadata,
			     const struct path *path, struct tally *tally)
{
	unsigned int begun;
	int ret;

	ASSERT_EQ(0, path->prepare(path->arg))
		TH_LOG("%s: cannot prepare for walk %u", path->name,
		       tally->walks + 1);
	mk_put_u64(FAILNTH "/walk", 1);
	ret = path->walk(path->arg);
	/* before it is over: nothing fails any more that does not count */
	begun = failnth("begun");
	tally->failed += failnth("failed");
	mk_put_u64(FAILNTH "/walk", 0);

	if (ret && (!begun || ret != -ENOMEM)) {
		EXPECT_EQ(0, ret)
			TH_LOG("%s, walk %u, %u allocations from here on: %s",
			       path->name, tally->walks + 1, begun,
			       mk_errname(ret));
		show_stacks(_metadata);
	}
	tally->walks += !!begun;
	tally->ended += begun && ret;
	tally->points += begun;

	ret = path->tidy(path->arg, ret);
	EXPECT_EQ(0, ret) {
		TH_LOG("%s, after walk %u: %s", path->name, tally->walks,
		       mk_errname(ret));
		show_stacks(_metadata);
	}
	return begun;
}

/* Walks the path until there is nothing that has not failed. */
static inline void sweep(struct __test_metadata *_metadata,
			 const struct path *path, unsigned long long burst,
			 struct tally *tally)
{
	const char *alike = getenv("MK_ALIKE");
	double said = mk_seconds();

	/* the second element of a list need not fail with all that follow */
	if (!alike)
		alike = burst > 1 ? "1" : "2";
	ASSERT_EQ(0, mk_put(FAILNTH "/alike", alike));
	ASSERT_EQ(0, mk_put_u64(FAILNTH "/burst", burst));
	ASSERT_EQ(0, mk_put_u64(FAILNTH "/apart", path->goes_on ? APART : 0));
	ASSERT_EQ(0, mk_put(FAILNTH "/sweep", "1"));
	while (walk_once(_metadata, path, tally) && tally->walks < WALKS_MAX) {
		if (mk_seconds() - said < PROGRESS_S)
			continue;
		said = mk_seconds();
		TH_LOG("%s: %u allocations so far, in %u walks", path->name,
		       tally->points, tally->walks);
	}
	EXPECT_GT(WALKS_MAX, tally->walks)
		TH_LOG("%s: there is no end of allocations", path->name);
}

static inline bool is_wanted(const char *name)
{
	const char *only = getenv("MK_ONLY"), *at;
	size_t len = strlen(name);

	if (!only)
		return true;
	for (at = only; (at = strstr(at, name)); at += len)
		if ((at == only || at[-1] == ',') &&
		    (!at[len] || at[len] == ','))
			return true;
	return false;
}

/* Each one alone if @burst is 1, else with those behind it. */
static inline void each(struct __test_metadata *_metadata,
			const struct path *path, unsigned long long burst,
			bool allocates)
{
	struct tally tally = {};
	double start = mk_seconds();

	if (!is_wanted(path->name))
		return;
	sweep(_metadata, path, burst, &tally);
	TH_LOG("%s: %u allocations failed, %u more behind them; %u walks, %u in vain; %.0f s",
	       path->name, tally.points, tally.failed - tally.points,
	       tally.walks, tally.ended, mk_seconds() - start);
	if (allocates) {
		EXPECT_LT(0, tally.points)
			TH_LOG("%s: nothing could be made to fail", path->name);
	}
	/* and the same path, with nothing failing */
	EXPECT_EQ(0, path->prepare(path->arg));
	EXPECT_RET(0, path->walk(path->arg), path->name);
	EXPECT_EQ(0, path->tidy(path->arg, 0));
}

static inline void each_alone(struct __test_metadata *_metadata,
			      const struct path *path, bool allocates)
{
	each(_metadata, path, 1, allocates);
}

static inline void each_with_more(struct __test_metadata *_metadata,
				  const struct path *path, bool allocates)
{
	each(_metadata, path, path->goes_on ? BURST_SOME : BURST_ALL,
	     allocates);
}

static inline void exhaust(struct __test_metadata *_metadata,
			   const struct path *path, bool allocates)
{
	each_alone(_metadata, path, allocates);
	each_with_more(_metadata, path, allocates);
}

/* In a process of its own: munmap() may fail too, and then leaves a mapping. */
static inline int in_child(int (*walk)(const char *arg), const char *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(-walk(arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static inline int loaded_prepare(const char *arg)
{
	return mk_loaded() ? 0 : mk_load(NULL);
}

static inline int insert_failnth(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret == -EEXIST ? 0 : ret;
}

FIXTURE(faults)
{
};

FIXTURE_SETUP(faults)
{
	const char *failnth = getenv("MK_FAILNTH");
	int cpu;

	if (!failnth)
		SKIP(return, "no MK_FAILNTH");
	/* it learns where the module's code is when the module comes */
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	/*
	 * It hooks functions that every CPU runs all the time. An emulated CPU
	 * was once seen to jump to 0 from one that another was changing: let
	 * there be no other meanwhile.
	 */
	for (cpu = 1; cpu < mk_cpus_possible(); cpu++)
		mk_cpu_set(cpu, false);
	ASSERT_EQ(0, insert_failnth(failnth));
	mk_cpus_all_online();
}

FIXTURE_TEARDOWN(faults)
{
	mk_put_u64(FAILNTH "/walk", 0);
	mk_cpus_all_online();
	if (mk_loaded())
		EXPECT_RET(0, mk_unload_soon(), "unload");
	EXPECT_FALSE(mk_exists(MK_ROOT));
	EXPECT_EQ(0, mk_monitors());
}

/*
 * What the tests before have lost. The verdict on the kernel log would tell as
 * well, but without the names of the module's functions.
 */
static inline void nothing_is_lost(struct __test_metadata *_metadata)
{
	static char text[1 << 16];
	char *line, *save;

	if (access(KMEMLEAK, W_OK))
		SKIP(return, "no kmemleak");
	ASSERT_EQ(0, loaded_prepare(NULL));
	/* younger objects may still be on their way to where they belong */
	mk_sleep_ms(6000);
	/* one that changed between two scans is in use: so there are two */
	ASSERT_EQ(0, mk_put(KMEMLEAK, "scan"));
	ASSERT_EQ(0, mk_put(KMEMLEAK, "scan"));
	ASSERT_LE(0, mk_read(KMEMLEAK, text, sizeof(text)));
	EXPECT_EQ('\0', text[0]);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		TH_LOG("    %s", line);
}

#endif /* MK_SELFTEST_FAULTS_H */
