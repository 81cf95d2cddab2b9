// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: what appears, and that nothing stays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "test.h"

FIXTURE(module)
{
};

FIXTURE_SETUP(module)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
}

FIXTURE_TEARDOWN(module)
{
	if (mk_loaded())
		EXPECT_RET(0, mk_unload_soon(), "unload");
}

/* modinfo's answer to one field, without newline; "" when there is none. */
static void get_modinfo(const char *field, char *buf, size_t size)
{
	char command[4400];
	FILE *pipe;
	size_t len;

	snprintf(command, sizeof(command), "modinfo -F %s '%s' 2>/dev/null",
		 field, mk_module_path());
	*buf = '\0';
	pipe = popen(command, "r");
	if (!pipe)
		return;
	len = fread(buf, 1, size - 1, pipe);
	buf[len] = '\0';
	pclose(pipe);
	buf[strcspn(buf, "\n")] = '\0';
}

TEST_F(module, modinfo_is_complete)
{
	static const char *const fields[] = {
		"description", "author", "license", "version", "srcversion",
		"vermagic",
	};
	char text[4096];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		get_modinfo(fields[i], text, sizeof(text));
		EXPECT_NE('\0', text[0])
			TH_LOG("modinfo has no %s", fields[i]);
	}
	get_modinfo("license", text, sizeof(text));
	EXPECT_STREQ("GPL", text);
	/* the negative control: a field that no module has */
	get_modinfo("nonsense", text, sizeof(text));
	EXPECT_STREQ("", text);
}

/* Every parameter that modinfo lists says what it is for. */
TEST_F(module, parameters_are_described)
{
	char command[4400], line[512];
	FILE *pipe;

	snprintf(command, sizeof(command), "modinfo -F parm '%s'",
		 mk_module_path());
	pipe = popen(command, "r");
	ASSERT_NE(NULL, pipe);
	while (fgets(line, sizeof(line), pipe)) {
		const char *text = strchr(line, ':');

		/* NAME:TEXT (TYPE), or NAME: (TYPE) where nothing is said */
		EXPECT_TRUE(text && text[1] && text[1] != ' ')
			TH_LOG("undescribed: %s", line);
	}
	EXPECT_EQ(0, pclose(pipe));
}

TEST_F(module, tree_comes_and_goes)
{
	static const char *const names[] = { "experiments", "counters" };
	struct stat st;
	size_t i;

	EXPECT_FALSE(mk_exists(MK_ROOT));
	ASSERT_EQ(0, mk_load(NULL));
	EXPECT_TRUE(mk_loaded());
	ASSERT_EQ(0, stat(MK_ROOT, &st));
	EXPECT_EQ(0700, st.st_mode & 0777);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_TRUE(mk_exists(names[i]))
			TH_LOG("no %s", names[i]);
	ASSERT_EQ(0, mk_unload());
	EXPECT_FALSE(mk_exists(MK_ROOT));
	EXPECT_FALSE(mk_loaded());
}

/* One monitor per online CPU, bound to it. */
TEST_F(module, one_monitor_per_cpu)
{
	int cpu;

	EXPECT_EQ(0, mk_monitors());
	ASSERT_EQ(0, mk_load(NULL));
	EXPECT_TRUE(mk_monitors_become(mk_cpus_online()));
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++)
		EXPECT_EQ(mk_cpu_online(cpu), mk_monitor_of(cpu))
			TH_LOG("CPU %d", cpu);
	ASSERT_EQ(0, mk_unload());
	EXPECT_EQ(0, mk_monitors());
}

TEST_F(module, second_load_is_refused)
{
	ASSERT_EQ(0, mk_load(NULL));
	EXPECT_RET(-EEXIST, mk_load(NULL), "second load");
	EXPECT_EQ(mk_cpus_online(), mk_monitors());
}

/* Names of the parameters that modinfo knows; how many. */
static int parameters(char names[][64], int max)
{
	char command[4400], line[512];
	int n = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "modinfo -F parm '%s'",
		 mk_module_path());
	pipe = popen(command, "r");
	if (!pipe)
		return -errno;
	while (n < max && fgets(line, sizeof(line), pipe)) {
		line[strcspn(line, ":")] = '\0';
		snprintf(names[n++], 64, "%s", line);
	}
	pclose(pipe);
	return n;
}

/* A parameter with a bad value: not loaded, nothing left, the next load works. */
TEST_F(module, bad_parameters_are_refused)
{
	static const char *const bad[] = {
		"=nonsense", "=-99", "=99999999999999999999", "=1x", "=",
	};
	char names[16][64], params[128];
	int n, i;
	size_t k;

	n = parameters(names, 16);
	ASSERT_LE(0, n);
	for (i = 0; i < n; i++) {
		for (k = 0; k < ARRAY_SIZE(bad); k++) {
			int ret;

			snprintf(params, sizeof(params), "%s%s", names[i],
				 bad[k]);
			ret = mk_load(params);
			EXPECT_TRUE(ret == -EINVAL || ret == -ERANGE)
				TH_LOG("%s: %s", params, mk_errname(ret));
			if (!ret)
				EXPECT_EQ(0, mk_unload());
			EXPECT_FALSE(mk_exists(MK_ROOT));
			EXPECT_EQ(0, mk_monitors());
		}
	}
	EXPECT_RET(0, mk_load(NULL), "load after refused ones");
}

TEST_F(module, again_and_again)
{
	unsigned int i;

	for (i = 0; i < mk_rounds(20, 8); i++) {
		ASSERT_EQ(0, mk_load(NULL));
		ASSERT_EQ(0, mk_unload());
	}
	EXPECT_EQ(0, mk_monitors());
	EXPECT_FALSE(mk_exists(MK_ROOT));
}

TEST_HARNESS_MAIN
