// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of the module fails once: the first, the second, and so on
 * until there is none that has not failed, on each path that allocates. What was
 * asked for then succeeds all the same or is -ENOMEM, nothing is lost, and the
 * next attempt works.
 *
 * Needs the module mk_failnth, which says what counts as an allocation, in
 * $MK_FAILNTH. $MK_ALIKE=0 lets those fail as well that come from one place
 * again and again, which takes long.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module/uapi.h"
#include "test.h"

#define FAILNTH		"/sys/kernel/debug/mk_failnth"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define TRAFFIC		"storm"
#define FAULTS_TIMEOUT	850

/* More of them means that something else allocates, or a loop has no end. */
#define POINTS_MAX	20000

/* One path: how to walk it, and what has to be true afterwards. */
struct path {
	const char *name;
	const char *arg;
	int (*prepare)(const char *arg);	/* not counted */
	int (*walk)(const char *arg);		/* counted */
	int (*tidy)(const char *arg, int ret);	/* not counted */
};

struct tally {
	unsigned int points, failed, survived;
};

static int insert(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret == -EEXIST ? 0 : ret;
}

/* --- the paths ---------------------------------------------------------------- */

static int load_prepare(const char *arg)
{
	return mk_loaded() ? mk_unload_soon() : 0;
}

static int load_walk(const char *arg)
{
	return mk_load(NULL);
}

static int load_tidy(const char *arg, int ret)
{
	if (!ret)
		return mk_unload_soon();
	return mk_loaded() || mk_exists(MK_ROOT) || mk_monitors() ?
		-EEXIST : 0;
}

static int last_cpu(void)
{
	return mk_cpus_possible() - 1;
}

static int online_prepare(const char *arg)
{
	int ret = mk_loaded() ? 0 : mk_load(NULL);

	if (!ret && mk_cpu_online(last_cpu()))
		ret = mk_cpu_set(last_cpu(), false);
	return ret;
}

static int online_walk(const char *arg)
{
	return mk_cpu_set(last_cpu(), true);
}

/* Either it is there with its monitor, or neither is. */
static int online_tidy(const char *arg, int ret)
{
	if (mk_cpu_online(last_cpu()) != !ret)
		return -EIO;
	if (!mk_monitors_become(mk_cpus_online()))
		return -ECHILD;
	if (ret)
		ret = mk_cpu_set(last_cpu(), true);
	if (!ret && !mk_monitors_become(mk_cpus_online()))
		ret = -ECHILD;
	return ret;
}

static int offline_prepare(const char *arg)
{
	int ret = mk_loaded() ? 0 : mk_load(NULL);

	/* with channels, for those are what it has to take leave of */
	if (!ret && !mk_cpu_online(last_cpu()))
		ret = mk_cpu_set(last_cpu(), true);
	if (!ret)
		ret = mk_exp_small(TRAFFIC);
	return ret ?: mk_exp_run(TRAFFIC);
}

static int offline_walk(const char *arg)
{
	return mk_cpu_set(last_cpu(), false);
}

static int offline_tidy(const char *arg, int ret)
{
	if (!mk_monitors_become(mk_cpus_online()))
		return -ECHILD;
	return ret ?: mk_cpu_set(last_cpu(), true);
}

/* A module that has just been loaded has no channels: the first run makes them. */
static int channels_prepare(const char *arg)
{
	int ret = mk_loaded() ? mk_unload_soon() : 0;

	if (!ret)
		ret = mk_load(NULL);
	return ret ?: mk_exp_small(TRAFFIC);
}

static int channels_walk(const char *arg)
{
	return mk_exp_run(TRAFFIC);
}

/* The same monitors make them when asked again. */
static int channels_tidy(const char *arg, int ret)
{
	return mk_exp_run(TRAFFIC);
}

/* The first mirror hooks functions that all CPUs run: see the fixture. */
static int hooks_prepare(const char *arg)
{
	int ret = mk_loaded() ? mk_unload_soon() : 0;
	int cpu;

	ret = ret ?: mk_load(NULL);
	for (cpu = 1; cpu < mk_cpus_possible(); cpu++)
		mk_cpu_set(cpu, false);
	return ret;
}

static int hooks_walk(const char *arg)
{
	return mk_put_u64("mirror/attach", getpid()) ?:
	       mk_put_u64("mirror/detach", getpid());
}

static int hooks_tidy(const char *arg, int ret)
{
	mk_cpus_all_online();
	return mk_monitors_become(mk_cpus_online()) ? 0 : -ECHILD;
}

static int experiment_prepare(const char *arg)
{
	int ret = mk_loaded() ? 0 : mk_load(NULL);

	return ret ?: mk_exp_small(arg);
}

/* In a process of its own: munmap() may fail too, and then leaves a mapping. */
static int experiment_walk(const char *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(-mk_exp_run(arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int experiment_tidy(const char *arg, int ret)
{
	return mk_exp_idle(arg) ? 0 : -EBUSY;
}

static int loaded_prepare(const char *arg)
{
	return mk_loaded() ? 0 : mk_load(NULL);
}

static int nothing_tidy(const char *arg, int ret)
{
	return 0;
}

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

/* A region from its first breath to its last. */
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
	base = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	base[100] = 1;
	if (ioctl(fd, MK_IOC_ADOPT, &all) || ioctl(fd, MK_IOC_OP, &op))
		ret = -errno;
	op.protocol = MK_PROTOCOL_LAZY;
	if (!ret && (ioctl(fd, MK_IOC_OP, &op) ||
		     ioctl(fd, MK_IOC_SETTLE, &settle)))
		ret = -errno;
	munmap(base, 4 * 4096);
	return ret;
}

static int region_walk(const char *arg)
{
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = region_calls(fd);
	close(fd);
	return ret;
}

/* Nothing is left, whatever failed; frames of a lazy one take a moment. */
static int region_tidy(const char *arg, int ret)
{
	unsigned long long bytes = 1;
	int tries;

	for (tries = 0; bytes && tries < 1000; tries++) {
		ret = mk_get_u64("regions/bytes", &bytes);
		if (ret)
			return ret;
		if (bytes)
			mk_sleep_ms(5);
	}
	return bytes ? -EBUSY : 0;
}

/* --- failing ------------------------------------------------------------------- */

static unsigned long long failnth(const char *file)
{
	unsigned long long value = 0;
	char path[64];

	snprintf(path, sizeof(path), FAILNTH "/%s", file);
	mk_get_u64(path, &value);
	return value;
}

static void show_stack(struct __test_metadata *_metadata)
{
	char text[4096], *line, *save;

	if (mk_read(FAILNTH "/where", text, sizeof(text)) <= 0)
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		TH_LOG("    %s", line);
}

/*
 * Walks the path with the n-th allocation failing, for every n. @burst of them
 * fail at a time: kvmalloc() has a second try, a list a next element.
 */
static void sweep(struct __test_metadata *_metadata, const struct path *path,
		  unsigned long long burst, struct tally *tally)
{
	const char *alike = getenv("MK_ALIKE");
	unsigned int n;

	/* the second element of a list need not fail with all that follow */
	if (!alike)
		alike = burst > 1 ? "1" : "2";
	ASSERT_EQ(0, mk_put(FAILNTH "/alike", alike));
	ASSERT_EQ(0, mk_put_u64(FAILNTH "/burst", burst));
	for (n = 1; n <= POINTS_MAX; n++) {
		bool hit;
		int ret;

		ASSERT_EQ(0, path->prepare(path->arg))
			TH_LOG("%s: cannot prepare for allocation %u",
			       path->name, n);
		mk_put_u64(FAILNTH "/nth", n);
		ret = path->walk(path->arg);
		hit = failnth("failed");
		mk_put_u64(FAILNTH "/nth", 0);

		if (ret && (!hit || ret != -ENOMEM)) {
			EXPECT_EQ(0, ret)
				TH_LOG("%s, allocation %u%s: %s", path->name,
				       n, burst > 1 ? " and on" : "",
				       mk_errname(ret));
			show_stack(_metadata);
		}
		tally->points += hit;
		tally->failed += hit && ret;
		tally->survived += hit && !ret;

		ret = path->tidy(path->arg, ret);
		EXPECT_EQ(0, ret) {
			TH_LOG("%s, after allocation %u%s: %s", path->name, n,
			       burst > 1 ? " and on" : "", mk_errname(ret));
			show_stack(_metadata);
		}
		if (!hit)
			break;
	}
	EXPECT_GE(POINTS_MAX, n)
		TH_LOG("%s: there is no end of allocations", path->name);
}

static void exhaust(struct __test_metadata *_metadata, const struct path *path,
		    bool allocates)
{
	struct tally one = {}, all = {};
	double start = mk_seconds();

	sweep(_metadata, path, 1, &one);
	sweep(_metadata, path, 1ULL << 40, &all);
	TH_LOG("%s: %u points, %u failures, %u survived; from there on all: %u, %u, %u; %.0f s",
	       path->name, one.points, one.failed, one.survived, all.points,
	       all.failed, all.survived, mk_seconds() - start);
	if (allocates) {
		EXPECT_LT(0, one.points)
			TH_LOG("%s: nothing could be made to fail", path->name);
	}
	/* and the same path, with nothing failing */
	EXPECT_EQ(0, path->prepare(path->arg));
	EXPECT_RET(0, path->walk(path->arg), path->name);
	EXPECT_EQ(0, path->tidy(path->arg, 0));
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
	ASSERT_EQ(0, insert(failnth));
	mk_cpus_all_online();
}

FIXTURE_TEARDOWN(faults)
{
	mk_put_u64(FAILNTH "/nth", 0);
	mk_cpus_all_online();
	if (mk_loaded())
		EXPECT_RET(0, mk_unload_soon(), "unload");
	EXPECT_FALSE(mk_exists(MK_ROOT));
	EXPECT_EQ(0, mk_monitors());
}

TEST_F_TIMEOUT(faults, load, FAULTS_TIMEOUT)
{
	const struct path path = {
		"load", NULL, load_prepare, load_walk, load_tidy,
	};

	exhaust(_metadata, &path, true);
}

TEST_F_TIMEOUT(faults, cpu_comes, FAULTS_TIMEOUT)
{
	const struct path path = {
		"CPU online", NULL, online_prepare, online_walk, online_tidy,
	};

	if (mk_cpus_possible() == 1)
		SKIP(return, "one CPU");
	exhaust(_metadata, &path, true);
}

/* It may well do without: then there is nothing that could fail. */
TEST_F_TIMEOUT(faults, cpu_goes, FAULTS_TIMEOUT)
{
	const struct path path = {
		"CPU offline", NULL, offline_prepare, offline_walk,
		offline_tidy,
	};

	if (mk_cpus_possible() == 1)
		SKIP(return, "one CPU");
	exhaust(_metadata, &path, false);
}

TEST_F_TIMEOUT(faults, channels, FAULTS_TIMEOUT)
{
	const struct path path = {
		"first channels", NULL, channels_prepare, channels_walk,
		channels_tidy,
	};

	if (mk_cpus_possible() == 1)
		SKIP(return, "one CPU");
	exhaust(_metadata, &path, true);
}

TEST_F_TIMEOUT(faults, regions, FAULTS_TIMEOUT)
{
	const struct path path = {
		"region", NULL, loaded_prepare, region_walk, region_tidy,
	};

	exhaust(_metadata, &path, true);
}

TEST_F_TIMEOUT(faults, first_mirror, FAULTS_TIMEOUT)
{
	const struct path path = {
		"first mirror", NULL, hooks_prepare, hooks_walk, hooks_tidy,
	};

	exhaust(_metadata, &path, true);
}

/* What these allocate is mostly what others do: with MK_FEW they are left out. */
static bool is_like_others(const char *exp)
{
	static const char *const names[] = {
		"urpc_throughput", "shm_vs_msg", "message_size", "placement",
		"notify", "polling_model", "rings", "growth",
		"shootdown_protocols", "mirror_locality",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(exp, names[i]))
			return true;
	return false;
}

TEST_F_TIMEOUT(faults, experiments, FAULTS_TIMEOUT)
{
	char names[MK_NAMES_MAX][MK_FIELD_MAX];
	int n, i;

	ASSERT_EQ(0, mk_load_hooked());
	n = mk_experiments(names, MK_NAMES_MAX);
	ASSERT_LT(0, n);
	for (i = 0; i < n; i++) {
		const struct path path = {
			names[i], names[i], experiment_prepare,
			experiment_walk, experiment_tidy,
		};

		if (getenv("MK_FEW") && is_like_others(names[i]))
			continue;
		exhaust(_metadata, &path, true);
	}
}

TEST_F_TIMEOUT(faults, files, FAULTS_TIMEOUT)
{
	const struct path path = {
		"files", NULL, loaded_prepare, files_walk, nothing_tidy,
	};

	exhaust(_metadata, &path, true);
}

/*
 * What the tests above have lost. The verdict on the kernel log would tell as
 * well, but without the names of the module's functions.
 */
TEST_F(faults, nothing_is_lost)
{
	static char text[1 << 16];
	char *line, *save;

	if (access(KMEMLEAK, W_OK))
		SKIP(return, "no kmemleak");
	ASSERT_EQ(0, mk_load(NULL));
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

TEST_HARNESS_MAIN
