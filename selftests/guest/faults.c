// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation fails once while the module comes, while CPUs come and go, at the
 * first channels and at the first mirror: see faults.h. What its users do:
 * faults_use.c; experiments: faults_runs.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "faults.h"

#define TRAFFIC		"storm"

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

static const struct path load_path = {
	.name = "load",
	.prepare = load_prepare,
	.walk = load_walk,
	.tidy = load_tidy,
	.goes_on = true,	/* without the file */
};

TEST_F_TIMEOUT(faults, load, FAULTS_TIMEOUT)
{
	each_alone(_metadata, &load_path, true);
}

TEST_F_TIMEOUT(faults, load_with_more, FAULTS_TIMEOUT)
{
	each_with_more(_metadata, &load_path, true);
}

TEST_F_TIMEOUT(faults, cpu_comes, FAULTS_TIMEOUT)
{
	const struct path path = {
		.name = "CPU online",
		.prepare = online_prepare,
		.walk = online_walk,
		.tidy = online_tidy,
	};

	if (mk_cpus_possible() == 1)
		SKIP(return, "one CPU");
	exhaust(_metadata, &path, true);
}

/* It may well do without: then there is nothing that could fail. */
TEST_F_TIMEOUT(faults, cpu_goes, FAULTS_TIMEOUT)
{
	const struct path path = {
		.name = "CPU offline",
		.prepare = offline_prepare,
		.walk = offline_walk,
		.tidy = offline_tidy,
	};

	if (mk_cpus_possible() == 1)
		SKIP(return, "one CPU");
	exhaust(_metadata, &path, false);
}

TEST_F_TIMEOUT(faults, channels, FAULTS_TIMEOUT)
{
	const struct path path = {
		.name = "first channels",
		.prepare = channels_prepare,
		.walk = channels_walk,
		.tidy = channels_tidy,
	};

	if (mk_cpus_possible() == 1)
		SKIP(return, "one CPU");
	exhaust(_metadata, &path, true);
}

TEST_F_TIMEOUT(faults, first_mirror, FAULTS_TIMEOUT)
{
	const struct path path = {
		.name = "first mirror",
		.prepare = hooks_prepare,
		.walk = hooks_walk,
		.tidy = hooks_tidy,
	};

	exhaust(_metadata, &path, true);
}

TEST_F(faults, nothing_is_lost)
{
	nothing_is_lost(_metadata);
}

TEST_HARNESS_MAIN
