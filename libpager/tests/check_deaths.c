// SPDX-License-Identifier: GPL-2.0
/*
 * A pager is killed before each operation of the kernel in turn, while pages are
 * in use on all nodes. A successor takes over; nothing that was written is lost, and
 * the others do not notice.
 */
#include <unistd.h>

#include "fake.h"

#define POINTS		24	/* operations after which somebody dies */
#define ACCESSES	40
#define FIRST		1000	/* in each page */

struct client {
	pthread_t thread;
	int node;
	u64 seed;
	u32 done;
	int ret;
};

static void *touch(void *arg)
{
	struct client *client = arg;
	u32 i;

	for (i = 0; i < ACCESSES && !client->ret; i++) {
		u64 random = test_random(&client->seed);

		client->ret = fake_access(client->node, random % PAGES,
					  (random >> 16 & 7) == 0);
	}
	/* What a dead one left in the middle is put right by who comes next. */
	for (i = 0; i < PAGES && !client->ret; i++)
		client->ret = fake_access(client->node, i, 1);
	__atomic_store_n(&client->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* So that a frame which nobody has filled is seen. */
static int fill(void *arg, u32 page, int node, void *frame)
{
	(void)arg;
	(void)page;
	(void)node;
	*(u64 *)frame = FIRST;
	return 0;
}

static enum tap_result survive(u32 policy, u32 sync, int victim, u32 point)
{
	struct pager_options options = {
		.pages = PAGES, .policy = policy, .sync = sync, .fill = fill,
		.stock = point % 3,
	};
	struct client client[NODES] = { 0 };
	bool busy = true;
	struct crew *crew;
	u32 most = policy == PAGER_LOCAL ? PAGES * NODES : PAGES;
	u32 replaced = 0;
	int i;

	fake_new(policy == PAGER_LOCAL);
	fake->node[victim].die_at = point;
	for (i = 0; i < PAGES * NODES; i++)
		fake->want[i / NODES][i % NODES] = FIRST;
	crew = crew_start(&options, true);
	for (i = 0; i < NODES; i++) {
		client[i].node = i;
		client[i].seed = 0x777 + 13 * i + point;
		CHECK(!pthread_create(&client[i].thread, NULL, touch,
				      &client[i]));
	}
	while (busy) {
		busy = false;
		for (i = 0; i < NODES; i++)
			busy |= !__atomic_load_n(&client[i].done,
						 __ATOMIC_ACQUIRE);
		replaced += crew_replace_dead(crew);
		usleep(500);
	}
	for (i = 0; i < NODES; i++) {
		pthread_join(client[i].thread, NULL);
		CHECK(!client[i].ret);
	}
	fake_spare(victim);
	/* It may have been killed just now, by what it did with nobody waiting. */
	BECOMES((replaced += crew_replace_dead(crew)) ==
		fake->node[victim].deaths);
	/* What a dead one left in the middle is put right by who comes next. */
	CHECK(!pager_group_unmap(crew_group(crew), 0, PAGES, NULL));
	for (i = 0; i < PAGES * NODES; i++)
		CHECK(!fake_access(i % NODES, i / NODES, 1));
	/* Who dies about to give frames back loses them. */
	BECOMES(fake_frames() <= most + NODES - 1 + NODES * options.stock);
	CHECK(!crew_stop(crew));
	if (fake->wrong)
		printf("# %s: node %d, before operation %u\n",
		       pager_policy_name(policy), victim, point);
	CHECK(!fake->wrong);
	fake_free();
	return TAP_OK;
}

static enum tap_result each(u32 sync)
{
	u32 policy, point, step = WITH_ASAN ? 11 : 3;

	if (getenv("MK_FULL"))
		step = 1;
	if (WITH_TSAN)
		return TAP_SKIP;
	for (policy = 0; policy < PAGER_POLICIES; policy++)
		for (point = 1 + policy % step; point < POINTS; point += step)
			TRY(survive(policy, sync, point % NODES, point));
	return TAP_OK;
}

TEST_WITH(shm, PAGER_SHM, each)
TEST_WITH(urpc, PAGER_URPC, each)
TEST_WITH(both, PAGER_BOTH, each)

const struct tap_test death_tests[] = {
	{ "deaths: locks", shm },
	{ "deaths: messages", urpc },
	{ "deaths: locks and messages", both },
	{ NULL, NULL }
};
