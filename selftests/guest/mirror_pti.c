// SPDX-License-Identifier: GPL-2.0
/*
 * What live mirrors refuse, and that they say why: in a guest with page-table
 * isolation (pti=on) every process, with one line in the log each time. In other
 * guests the same process is accepted, and nothing is said.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "test.h"
#include "module/uapi.h"

/* Is page-table isolation on? */
static bool isolated(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[4096];
	bool on = false;

	while (file && !on && fgets(line, sizeof(line), file))
		on = !strncmp(line, "flags", 5) &&
		     (strstr(line, " pti ") || strstr(line, " pti\n"));
	if (file)
		fclose(file);
	return on;
}

/* Lines of the kernel's log, from where @fd is, that say @what. */
static int said(int fd, const char *what)
{
	char record[8192];
	ssize_t len;
	int n = 0;

	while ((len = read(fd, record, sizeof(record) - 1)) > 0) {
		record[len] = 0;
		n += !!strstr(record, what);
	}
	return n;
}

FIXTURE(refusal)
{
	int log;
};

FIXTURE_SETUP(refusal)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	/* Hooks are set with the first process that is accepted. */
	ASSERT_EQ(0, isolated() ? mk_load(NULL) : mk_load_hooked());
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, self->log);
	lseek(self->log, 0, SEEK_END);
}

FIXTURE_TEARDOWN(refusal)
{
	close(self->log);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_F(refusal, isolation)
{
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	bool on = isolated();
	unsigned long long n;

	ASSERT_LE(0, fd);
	EXPECT_RET(on ? -EOPNOTSUPP : 0,
		   mk_put_u64("mirror/attach", getpid()), "attach");
	EXPECT_EQ(on, said(self->log, "page-table isolation is on"));
	EXPECT_EQ(0, mk_get_u64("mirror/count", &n));
	EXPECT_EQ(!on, n);
	EXPECT_RET(on ? -ESRCH : 0, mk_put_u64("mirror/detach", getpid()),
		   "detach");
	EXPECT_RET(on ? -EOPNOTSUPP : 0, ioctl(fd, MK_IOC_MIRROR) ? -errno : 0,
		   "device");
	EXPECT_EQ(on, said(self->log, "page-table isolation is on"));
	close(fd);
}

TEST_HARNESS_MAIN
