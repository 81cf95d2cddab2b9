// SPDX-License-Identifier: GPL-2.0
/*
 * Threads on all nodes touch all pages, while pagers serve them, and a global
 * unmap comes now and then. Each word read must be the one written last.
 */
#include <unistd.h>

#include "fake.h"

#define CLIENTS		2	/* of each node */
#define ACCESSES	(WITH_TSAN ? 150 : 400)

struct client {
	pthread_t thread;
	int node;
	u64 seed;
	u32 one_in;		/* so many accesses write */
	int ret;
};

static void *touch(void *arg)
{
	struct client *client = arg;
	u32 i;

	for (i = 0; i < ACCESSES && !client->ret; i++) {
		u64 random = test_random(&client->seed);
		u64 add = random >> 32 & 0xff;

		if ((random >> 8 & 0xff) % client->one_in)
			add = 0;
		client->ret = fake_access(client->node, random % PAGES, add);
	}
	return NULL;
}

static enum tap_result run(struct crew *crew, u32 one_in)
{
	struct client client[NODES * CLIENTS] = { 0 };
	int i;

	for (i = 0; i < NODES * CLIENTS; i++) {
		client[i].node = i % NODES;
		client[i].seed = 0x1234 + 77 * i;
		client[i].one_in = one_in;
		CHECK(!pthread_create(&client[i].thread, NULL, touch,
				      &client[i]));
	}
	for (i = 0; i < 20; i++) {
		usleep(1000);
		CHECK(!pager_group_unmap(crew_group(crew), i % PAGES, 1, NULL));
	}
	for (i = 0; i < NODES * CLIENTS; i++) {
		pthread_join(client[i].thread, NULL);
		CHECK(!client[i].ret);
	}
	return TAP_OK;
}

static enum tap_result storm(u32 policy, u32 sync, bool processes, u32 one_in)
{
	struct pager_options options = {
		.pages = PAGES, .policy = policy, .sync = sync,
	};
	struct crew *crew;
	u32 most = policy == PAGER_LOCAL ? PAGES * NODES : PAGES;

	fake_new(policy == PAGER_LOCAL);
	crew = crew_start(&options, processes);
	TRY(run(crew, one_in));
	BECOMES(fake_frames() <= most);
	BECOMES(fake_frames() == COUNTED(crew, frames) - COUNTED(crew, freed));
	CHECK(!COUNTED(crew, mended));
	CHECK(!crew_stop(crew));
	CHECK(!fake->wrong);
	fake_free();
	return TAP_OK;
}

static enum tap_result each_policy(u32 sync)
{
	u32 policy;

	for (policy = 0; policy < PAGER_POLICIES; policy++)
		TRY(storm(policy, sync, false, 3));
	if (WITH_TSAN)
		return TAP_OK;
	for (policy = 0; policy < PAGER_POLICIES; policy++)
		TRY(storm(policy, sync, true, 3));
	return TAP_OK;
}

TEST_WITH(shm, PAGER_SHM, each_policy)
TEST_WITH(urpc, PAGER_URPC, each_policy)
TEST_WITH(both, PAGER_BOTH, each_policy)

const struct tap_test storm_tests[] = {
	{ "storm: locks", shm },
	{ "storm: messages", urpc },
	{ "storm: locks and messages", both },
	{ NULL, NULL }
};
