// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that test the kernel's memory management, as it is and mirrored: the
 * kernel's own selftests and stress-ng. Each has to end in the same way, and
 * with the same results where it prints some. Nothing of them is changed, and
 * each is mirrored from the begin of its main() on, with all that it forks.
 *
 * A run in which no replica was filled was not mirrored, and has failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mirrors.h"
#include "test.h"

/* Seconds for one run, and for the test of a program. */
#define PATIENCE	150.0
#define SAME_TIMEOUT	500

#define OUTPUT_MAX	1048576

/* --- a run -------------------------------------------------------------------- */

struct outcome {
	int status;			/* as from waitpid(); -1: killed, too long */
	char *output, *results;		/* all of it; lines "ok", "not ok" */
	struct mirror_figures figures;
	int processes;			/* that were mirrored */
};

/* The directory of this program, where the others are as well. */
static const char *here(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[len > 0 ? len : 0] = '\0';
	if (strrchr(path, '/'))
		*strrchr(path, '/') = '\0';
	return path;
}

/*
 * The same surroundings for both: address space, and what is preloaded. The
 * shell that finds the program is not mirrored itself.
 */
static void child(const char *command, int output, bool mirrored)
{
	char line[2 * PATH_MAX];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	personality(ADDR_NO_RANDOMIZE);
	setpgid(0, 0);
	dup2(output, 1);
	dup2(output, 2);
	if (chdir(here()))
		_exit(126);
	snprintf(line, sizeof(line),
		 "export LD_PRELOAD='%s/attach_self.so' %s; exec %s", here(),
		 mirrored ? "MK_ATTACH=1" : "", command);
	execl("/bin/sh", "sh", "-c", line, NULL);
	_exit(127);
}

static void take_output(struct outcome *outcome, int fd)
{
	char *line, *copy, *save;
	ssize_t len;

	outcome->output = calloc(1, OUTPUT_MAX + 1);
	outcome->results = calloc(1, OUTPUT_MAX + 2);
	if (!outcome->output || !outcome->results)
		abort();
	len = pread(fd, outcome->output, OUTPUT_MAX, 0);
	outcome->output[len > 0 ? len : 0] = '\0';
	copy = strdup(outcome->output);
	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "ok ", 3) || !strncmp(line, "not ok ", 7)) {
			strcat(outcome->results, line);
			strcat(outcome->results, "\n");
		}
	free(copy);
}

static int run(const char *command, bool mirrored, struct outcome *outcome)
{
	double end = mk_seconds() + PATIENCE;
	struct mirror_figures before, *sum = &outcome->figures;
	int fd = memfd_create("output", MFD_CLOEXEC);
	pid_t pid;
	int ret;

	*outcome = (struct outcome){ 0 };
	if (fd < 0)
		return -errno;
	ret = mirror_total(&before);
	pid = ret ? -1 : fork();
	if (pid < 0) {
		ret = ret ? ret : -errno;
		close(fd);
		return ret;
	}
	if (!pid)
		child(command, fd, mirrored);
	while (!waitpid(pid, &outcome->status, WNOHANG)) {
		if (mk_seconds() > end) {
			kill(-pid, SIGKILL);
			waitpid(pid, NULL, 0);
			outcome->status = -1;
			break;
		}
		mk_sleep_ms(5);
	}
	ret = mirror_total(sum);
	sum->attached -= before.attached;
	sum->fills -= before.fills;
	sum->zaps -= before.zaps;
	sum->switches -= before.switches;
	/* An attach of which no CPU has known is none. */
	outcome->processes = sum->switches ? sum->attached : 0;
	take_output(outcome, fd);
	close(fd);
	return ret;
}

static void outcome_free(struct outcome *outcome)
{
	free(outcome->output);
	free(outcome->results);
}

/* --- two of them -------------------------------------------------------------- */

enum difference {
	NONE,
	STATUS,		/* they ended in another way */
	RESULTS,	/* or said something else of a test */
	NO_MIRROR,	/* the one that was to be mirrored was not */
	MIRROR,		/* or the other one was */
};

static enum difference differ(const struct outcome *plain,
			      const struct outcome *mirrored)
{
	if (plain->figures.fills)
		return MIRROR;
	if (!mirrored->figures.fills || !mirrored->figures.switches)
		return NO_MIRROR;
	if (plain->status != mirrored->status)
		return STATUS;
	return strcmp(plain->results, mirrored->results) ? RESULTS : NONE;
}

static const char *const difference_name[] = {
	"none", "exit status", "results", "it was not mirrored",
	"it was mirrored already",
};

/* The end of it, in lines that are not taken for results. */
static void show(const char *what, const char *text)
{
	size_t len = strlen(text);
	const char *end;

	if (len > 2000)
		text += len - 2000;
	printf("# %s:\n", what);
	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		printf("# | %.*s\n", (int)(end - text), text);
	}
}

/* --- programs ------------------------------------------------------------------ */

FIXTURE(program)
{
	struct outcome plain, mirrored;
};

FIXTURE_VARIANT(program)
{
	const char *command;
	int status;		/* that it ends with */
	int more;		/* tries: it fails by itself now and then */
	bool brief;		/* part of a short run */
};

/* tools/testing/selftests/vm */
FIXTURE_VARIANT_ADD(program, mremap) {
	.command = "vm/mremap_test",
	.brief = true,
};

FIXTURE_VARIANT_ADD(program, mremap_dontunmap) {
	.command = "vm/mremap_dontunmap",
};

FIXTURE_VARIANT_ADD(program, madv_populate) {
	.command = "vm/madv_populate",
	.brief = true,
};

FIXTURE_VARIANT_ADD(program, soft_dirty) {
	.command = "vm/soft-dirty",
};

FIXTURE_VARIANT_ADD(program, userfaultfd_anon) {
	.command = "vm/userfaultfd anon 10 4",
};

FIXTURE_VARIANT_ADD(program, userfaultfd_shmem) {
	.command = "vm/userfaultfd shmem 10 4",
};

FIXTURE_VARIANT_ADD(program, ksm_merge) {
	.command = "vm/ksm_tests -M -p 10",
	.brief = true,
};

/*
 * It waits for one scan, and takes one for that which was under way and had passed its
 * pages. On two busy CPUs it failed in 5 of 60 runs as it is, in 6 of 60 mirrored.
 */
FIXTURE_VARIANT_ADD(program, ksm_unmerge) {
	.command = "vm/ksm_tests -U",
	.more = 4,
};

FIXTURE_VARIANT_ADD(program, ksm_zero_page) {
	.command = "vm/ksm_tests -Z -p 10 -z 0",
};

FIXTURE_VARIANT_ADD(program, ksm_across_nodes) {
	.command = "vm/ksm_tests -N -m 1",
};

FIXTURE_VARIANT_ADD(program, ksm_by_node) {
	.command = "vm/ksm_tests -N -m 0",
};

FIXTURE_VARIANT_ADD(program, ksm_cow) {
	.command = "vm/ksm_tests -C",
};

FIXTURE_VARIANT_ADD(program, protection_keys) {
	.command = "vm/protection_keys",
	.brief = true,
};

FIXTURE_VARIANT_ADD(program, mlock_random) {
	.command = "vm/mlock-random-test",
};

FIXTURE_VARIANT_ADD(program, mlock2) {
	.command = "vm/mlock2-tests",
};

FIXTURE_VARIANT_ADD(program, map_fixed_noreplace) {
	.command = "vm/map_fixed_noreplace",
};

FIXTURE_VARIANT_ADD(program, map_populate) {
	.command = "vm/map_populate",
};

/* goes on until it is stopped */
FIXTURE_VARIANT_ADD(program, transhuge) {
	.command = "timeout 5 vm/transhuge-stress 64",
	.status = 124,
};

#define STRESS "stress-ng --verify -t 3 "
FIXTURE_VARIANT_ADD(program, stress_vm) {
	.command = STRESS "--vm 2 --vm-bytes 32m",
};

FIXTURE_VARIANT_ADD(program, stress_mmap) {
	.command = STRESS "--mmap 2 --mmap-bytes 16m",
};

FIXTURE_VARIANT_ADD(program, stress_mremap) {
	.command = STRESS "--mremap 2 --mremap-bytes 8m",
};

FIXTURE_VARIANT_ADD(program, stress_fork) {
	.command = STRESS "--fork 2",
	.brief = true,
};

FIXTURE_VARIANT_ADD(program, stress_numa) {
	.command = STRESS "--numa 2",
	.brief = true,
};

FIXTURE_VARIANT_ADD(program, stress_madvise) {
	.command = STRESS "--madvise 2",
};

FIXTURE_VARIANT_ADD(program, stress_switch) {
	.command = STRESS "--switch 2",
};

FIXTURE_VARIANT_ADD(program, stress_futex) {
	.command = STRESS "--futex 2",
};

static void load(struct __test_metadata *_metadata)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load_hooked());
	ASSERT_EQ(0, mk_put_u64("mirror/inherit", 1));
	/* mremap moves more than the guest has, untouched */
	mk_put("/proc/sys/vm/overcommit_memory", "1");
}

FIXTURE_SETUP(program)
{
	load(_metadata);
}

FIXTURE_TEARDOWN(program)
{
	outcome_free(&self->plain);
	outcome_free(&self->mirrored);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

/* Until it ends as it should, or has had all its tries: the last one counts. */
static int run_some(const FIXTURE_VARIANT(program) * variant, bool mirrored,
		    struct outcome *outcome)
{
	int more, ret = run(variant->command, mirrored, outcome);

	for (more = variant->more; !ret && more > 0 &&
	     outcome->status != variant->status << 8; more--) {
		outcome_free(outcome);
		ret = run(variant->command, mirrored, outcome);
	}
	return ret;
}

static void check(struct __test_metadata *_metadata, FIXTURE_DATA(program) * self,
		  const FIXTURE_VARIANT(program) * variant)
{
	enum difference difference;

	ASSERT_EQ(0, run_some(variant, true, &self->mirrored));
	TH_LOG("%d processes, %llu fills, %llu zaps, %llu switches",
	       self->mirrored.processes, self->mirrored.figures.fills,
	       self->mirrored.figures.zaps, self->mirrored.figures.switches);
	difference = differ(&self->plain, &self->mirrored);
	if (difference != NONE) {
		show("as it is", self->plain.output);
		show("mirrored", self->mirrored.output);
	}
	EXPECT_EQ(NONE, difference)
		TH_LOG("%s: %s; status %#x, mirrored %#x", variant->command,
		       difference_name[difference], self->plain.status,
		       self->mirrored.status);
}

TEST_F_TIMEOUT(program, same, SAME_TIMEOUT)
{
	if (getenv("MK_BRIEF") && !variant->brief)
		SKIP(return, "in a short run");
	ASSERT_EQ(0, run_some(variant, false, &self->plain));
	if (self->plain.status != variant->status << 8)
		show("as it is", self->plain.output);
	ASSERT_EQ(variant->status << 8, self->plain.status)
		TH_LOG("it fails as it is");
	check(_metadata, self, variant);
}

/* --- negative controls ----------------------------------------------------------- */

FIXTURE(control)
{
	struct outcome plain, mirrored;
};

FIXTURE_VARIANT(control)
{
	const char *command;
	enum difference difference;
};

/* It knows. */
FIXTURE_VARIANT_ADD(control, status) {
	.command = "sh -c 'sleep 0.3; test -z \"$MK_ATTACH\"'",
	.difference = STATUS,
};

FIXTURE_VARIANT_ADD(control, results) {
	.command = "sh -c 'sleep 0.3; echo ok 1 $MK_ATTACH'",
	.difference = RESULTS,
};

/* It is linked statically: nothing can be preloaded. */
FIXTURE_VARIANT_ADD(control, not_mirrored) {
	.command = "busybox sleep 0.3", .difference = NO_MIRROR,
};

FIXTURE_SETUP(control)
{
	load(_metadata);
}

FIXTURE_TEARDOWN(control)
{
	outcome_free(&self->plain);
	outcome_free(&self->mirrored);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_F(control, is_noticed)
{
	ASSERT_EQ(0, run(variant->command, false, &self->plain));
	ASSERT_EQ(0, run(variant->command, true, &self->mirrored));
	EXPECT_EQ(variant->difference, differ(&self->plain, &self->mirrored));
}

TEST_HARNESS_MAIN
