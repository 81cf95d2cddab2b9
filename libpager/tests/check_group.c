// SPDX-License-Identifier: GPL-2.0
/*
 * Groups: options that cannot be, names, pagers that take over, files that are
 * left.
 */
#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include "fake.h"

static int make(struct pager_options options)
{
	struct pager_group *group;
	int ret = pager_group_make(&options, &fake_device, &group);

	if (!ret)
		pager_group_destroy(group);
	return ret;
}

static enum tap_result options(void)
{
	struct pager_options good = { .pages = PAGES }, bad;

	fake_new(false);
	CHECK(!make(good));
#define BAD(field, value)						\
do {									\
	bad = good;							\
	bad.field = value;						\
	CHECK(make(bad) == -EINVAL);					\
} while (0)
	BAD(pages, 0);
	BAD(pages, 4097);
	BAD(flags, 0x80);
	BAD(policy, PAGER_POLICIES);
	BAD(sync, PAGER_SYNCS);
	BAD(timeout_ms, 10001);
	BAD(poll_us, 1000001);
	BAD(protocol, 99);
	BAD(stock, PAGER_STOCK_MAX + 1);
	good.flags = PAGER_PLAIN;
	CHECK(!make(good));
	BAD(policy, PAGER_MIGRATE);
	fake_free();
	return TAP_OK;
}

static enum tap_result names(void)
{
	CHECK(!strcmp(pager_policy_name(PAGER_LOCAL), "node-local"));
	CHECK(!strcmp(pager_sync_name(PAGER_BOTH), "both"));
	CHECK(!pager_policy_name(PAGER_POLICIES));
	CHECK(!pager_sync_name(PAGER_SYNCS));
	return TAP_OK;
}

static int files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Every order of taking over; the one that lost finds out. */
static enum tap_result over(void)
{
	const struct pager_options with = {
		.pages = PAGES, .sync = PAGER_BOTH,
	};
	struct pager *first, *second;
	struct pager_group *group;
	struct pager_counts counts;
	int before;

	fake_new(false);
	before = files();
	CHECK(!pager_group_make(&with, &fake_device, &group));
	CHECK(pager_group_nodes(group) == (1 << NODES) - 1);
	CHECK(pager_open(group, NODES, 0, &first) == -EINVAL);
	CHECK(pager_open(group, -1, 0, &first) == -EINVAL);
	CHECK(pager_open(group, 0, 8, &first) == -EINVAL);
	CHECK(!pager_open(group, 1, 0, &first));
	CHECK(!pager_step(first));
	CHECK(pager_run(first, -1, 5) == -ETIMEDOUT);
	CHECK(!pager_open(group, 1, PAGER_TAKE_OVER, &second));
	CHECK(pager_step(first) == -ESHUTDOWN);
	CHECK(pager_run(first, -1, -1) == -ESHUTDOWN);
	CHECK(pager_run(second, -1, 5) == -ETIMEDOUT);
	pager_close(first);
	CHECK(pager_run(second, -1, 5) == -ETIMEDOUT);
	pager_close(second);
	CHECK(!pager_group_counts(group, 1, &counts) && counts.opens == 2);
	CHECK(pager_group_counts(group, 64, &counts) == -EINVAL);
	pager_group_destroy(group);
	CHECK(files() == before);
	fake_free();
	return TAP_OK;
}

static void *client(void *arg)
{
	*(int *)arg = fake_access(0, 0, 1);
	return NULL;
}

/* In a loop of somebody else, which only looks at the file. */
static enum tap_result loop(void)
{
	const struct pager_options with = { .pages = PAGES };
	struct pager_group *group;
	struct pager *pager;
	pthread_t thread;
	int timeout_ms, ret = -1, done = 0;

	fake_new(false);
	CHECK(!pager_group_make(&with, &fake_device, &group));
	CHECK(!pager_open(group, 0, 0, &pager));
	CHECK(!pthread_create(&thread, NULL, client, &ret));
	while (!done) {
		struct pollfd fd = { .fd = pager_fd(pager), .events = POLLIN };

		if (!pager_arm(pager, &timeout_ms)) {
			CHECK(timeout_ms == -1);
			CHECK(poll(&fd, 1, LONG_MS) == 1);
			pager_disarm(pager);
		}
		while ((done = pager_step(pager)) == 0 && !fake->faults)
			;
	}
	pthread_join(thread, NULL);
	CHECK(done > 0 && !ret && !fake->wrong);
	pager_close(pager);
	pager_group_destroy(group);
	fake_free();
	return TAP_OK;
}

const struct tap_test group_tests[] = {
	{ "group: options", options },
	{ "group: names", names },
	{ "group: taking over", over },
	{ "group: a loop of somebody else", loop },
	{ NULL, NULL }
};
