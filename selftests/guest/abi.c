// SPDX-License-Identifier: GPL-2.0
/*
 * The debugfs tree: what is there is what Documentation/debugfs.rst says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/*
 * Exit status of selftests/doc-check, given the tree's files and @more: 0, or 1 if
 * these are not those that are documented.
 */
static int doc_check(const char *more)
{
	char command[3 * PATH_MAX], self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int status;

	if (len < 0)
		return -errno;
	self[len] = '\0';
	/* The program is build/kselftest/multikernel/abi in the sources. */
	snprintf(command, sizeof(command),
		 "cd %s && { find . -type f; printf '%%s' '%s'; } | \"$(dirname '%s')\"/../../../selftests/doc-check",
		 MK_ROOT, more, self);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

FIXTURE(abi)
{
};

FIXTURE_SETUP(abi)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
}

FIXTURE_TEARDOWN(abi)
{
}

/* With a process mirrored, which has files of its own. */
TEST_F(abi, documented)
{
	ASSERT_EQ(0, mk_put_u64("mirror/attach", getpid()));
	EXPECT_EQ(0, doc_check(""));
	EXPECT_EQ(0, mk_put_u64("mirror/detach", getpid()));
}

TEST_F(abi, undocumented_file_is_noticed)
{
	EXPECT_EQ(1, doc_check("./experiments/storm/undocumented\n"));
}

#include "goes.h"

TEST_HARNESS_MAIN
