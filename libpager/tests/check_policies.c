// SPDX-License-Identifier: GPL-2.0
/*
 * Each policy, one access after the other: faults, frames, rights and copies are
 * exactly what it says.
 */
#include "fake.h"

static const struct pager_options plain_options = { .pages = PAGES };

static struct crew *begin(u32 policy, u32 sync)
{
	struct pager_options options = plain_options;

	options.policy = policy;
	options.sync = sync;
	fake_new(policy == PAGER_LOCAL);
	return crew_start(&options, false);
}

static enum tap_result end(struct crew *crew)
{
	CHECK(!crew_stop(crew));
	CHECK(!fake->wrong);
	fake_free();
	return TAP_OK;
}

static bool on_node(u32 page, int node, int where)
{
	u32 rights, frame = fake_frame_of(page, node, &rights);

	return frame < FRAMES && fake->frame_node[frame] == where + 1u;
}

static u32 rights_of(u32 page, int node)
{
	u32 rights;

	fake_frame_of(page, node, &rights);
	return rights & ~PAGER_EXEC;
}

static enum tap_result global(u32 sync)
{
	struct crew *crew = begin(PAGER_GLOBAL, sync);
	int node;

	for (node = NODES - 1; node >= 0; node--)
		CHECK(!fake_access(node, 0, 1));
	/* One frame, where it was touched first; a fault for each node. */
	BECOMES(fake_frames() == 1 && fake->faults == NODES);
	for (node = 0; node < NODES; node++)
		CHECK(on_node(0, node, NODES - 1));
	CHECK(COUNTED(crew, copies) == 0 && COUNTED(crew, unmaps) == 0);
	CHECK(!pager_group_unmap(crew_group(crew), 0, 1, NULL));
	for (node = 0; node < NODES; node++)
		CHECK(!fake_access(node, 0, 1));
	BECOMES(fake_frames() == 1 && fake->faults == 2 * NODES);
	BECOMES(COUNTED(crew, answers) == 2 * NODES);
	return end(crew);
}

static enum tap_result local(u32 sync)
{
	struct crew *crew = begin(PAGER_LOCAL, sync);
	int node;

	for (node = 0; node < NODES; node++)
		CHECK(!fake_access(node, 1, 1 + node));
	BECOMES(fake_frames() == NODES && fake->faults == NODES);
	for (node = 0; node < NODES; node++)
		CHECK(on_node(1, node, node));
	CHECK(COUNTED(crew, copies) == 0 && COUNTED(crew, unmaps) == 0);
	return end(crew);
}

static enum tap_result replicate(u32 sync)
{
	struct crew *crew = begin(PAGER_REPLICATE, sync);
	int node;

	for (node = 0; node < NODES; node++) {
		CHECK(!fake_access(node, 0, 0));
		CHECK(on_node(0, node, node));
		CHECK(rights_of(0, node) == PAGER_READ);
	}
	BECOMES(fake_frames() == NODES && COUNTED(crew, copies) == NODES - 1);
	/* The first write: the writer's is the one that is left. */
	CHECK(!fake_access(1, 0, 5));
	BECOMES(fake_frames() == 1 && COUNTED(crew, unmaps) == 1);
	BECOMES(COUNTED(crew, freed) == NODES - 1);
	for (node = 0; node < NODES; node++) {
		CHECK(!fake_access(node, 0, 0));
		CHECK(on_node(0, node, 1));
		CHECK(rights_of(0, node) == (PAGER_READ | PAGER_WRITE));
	}
	CHECK(!fake_access(2, 0, 1));
	BECOMES(fake_frames() == 1 && COUNTED(crew, unmaps) == 1);
	/* A page that is written first has nothing to collapse. */
	CHECK(!fake_access(2, 3, 7));
	CHECK(!fake_access(0, 3, 0) && on_node(3, 0, 2));
	CHECK(COUNTED(crew, unmaps) == 1);
	return end(crew);
}

static enum tap_result migrate(u32 sync)
{
	struct crew *crew = begin(PAGER_MIGRATE, sync);
	u32 rights;
	int node, i;

	for (i = 0; i < 2 * NODES; i++) {
		node = i % NODES;
		CHECK(!fake_access(node, 2, i));
		CHECK(on_node(2, node, node));
		/* Nobody else maps it. */
		fake_frame_of(2, (node + 1) % NODES, &rights);
		CHECK(!rights);
		BECOMES(fake_frames() == 1);
	}
	CHECK(COUNTED(crew, copies) == 2 * NODES - 1);
	CHECK(COUNTED(crew, unmaps) == 2 * NODES - 1);
	/* No answer was older than what its pager did for it. */
	CHECK(COUNTED(crew, requests) == 2 * NODES);
	CHECK(!fake_access(node, 2, 1));
	CHECK(COUNTED(crew, copies) == 2 * NODES - 1);
	return end(crew);
}

static enum tap_result with_each(enum tap_result (*one)(u32 sync))
{
	u32 sync;

	for (sync = 0; sync < PAGER_SYNCS; sync++)
		TRY(one(sync));
	return TAP_OK;
}

static enum tap_result test_global(void)
{
	return with_each(global);
}

static enum tap_result test_local(void)
{
	return with_each(local);
}

static enum tap_result test_replicate(void)
{
	return with_each(replicate);
}

static enum tap_result test_migrate(void)
{
	return with_each(migrate);
}

/*
 * With messages: who touched a page first tells the others, who then ask nobody; and what
 * a pager knows it knows for good. Pages 0 and 3 are at home with node 0.
 */
static enum tap_result told(void)
{
	struct crew *crew = begin(PAGER_GLOBAL, PAGER_URPC);
	u64 waits;
	int node;

	/* Afterwards all have a channel to it. */
	for (node = 0; node < NODES; node++)
		CHECK(!fake_access(node, 0, 1));
	waits = COUNTED(crew, waits);
	CHECK(!fake_access(0, 3, 1));
	/* It has told before it serves another page. */
	CHECK(!pager_group_unmap(crew_group(crew), 0, 1, NULL));
	for (node = 0; node < NODES; node++)
		CHECK(!fake_access(node, 0, 1));
	for (node = 1; node < NODES; node++)
		CHECK(!fake_access(node, 3, 1));
	CHECK(COUNTED(crew, waits) == waits && fake_frames() == 2);
	return end(crew);
}

/* A node without memory uses what there is elsewhere. */
static enum tap_result no_memory(void)
{
	struct crew *crew = begin(PAGER_REPLICATE, PAGER_SHM);

	fake->node[1].no_memory = 1;
	CHECK(fake_access(1, 0, 0) == -EFAULT);
	CHECK(!fake_access(0, 0, 0));
	CHECK(!fake_access(1, 0, 0) && on_node(0, 1, 0));
	/* It had the owner's to read, and keeps it. */
	fake->node[1].no_memory = 0;
	CHECK(!fake_access(1, 0, 3) && on_node(0, 1, 0));
	CHECK(!fake_access(0, 0, 3));
	BECOMES(fake_frames() == 1);
	TRY(end(crew));

	crew = begin(PAGER_MIGRATE, PAGER_SHM);
	fake->node[1].no_memory = 1;
	CHECK(fake_access(1, 0, 1) == -EFAULT);
	CHECK(!fake_access(0, 0, 1));
	CHECK(!fake_access(1, 0, 1) && on_node(0, 1, 0));
	CHECK(!fake_access(2, 0, 1) && on_node(0, 2, 2));
	BECOMES(fake_frames() == 1);
	return end(crew);
}

static int fill(void *arg, u32 page, int node, void *frame)
{
	u64 *word = frame;

	if (page == 3)
		return -EIO;
	*word = *(u64 *)arg + (fake->local ? node : 0);
	return 0;
}

/* What a page begins with: of the node's own, or copied from the first. */
static enum tap_result filled(void)
{
	u64 first = 1000;
	struct pager_options options = {
		.pages = PAGES, .policy = PAGER_LOCAL, .fill = fill,
		.arg = &first,
	};
	struct crew *crew;
	int node;

	fake_new(true);
	for (node = 0; node < NODES; node++)
		fake->want[0][node] = first + node;
	crew = crew_start(&options, false);
	for (node = 0; node < NODES; node++)
		CHECK(!fake_access(node, 0, 0));
	/* A page that cannot be filled is not there, and leaves nothing. */
	CHECK(fake_access(0, 3, 0) == -EFAULT && fake_frames() == NODES);
	BECOMES(COUNTED(crew, refusals) == 1);
	return end(crew);
}

static int serve_one(void *arg, struct pager *pager,
		     const struct pager_request *request, u32 *frame)
{
	u32 *shared = arg;

	if (request->page)
		return -EPERM;
	/* Of one node only, in this test. */
	if (!*shared) {
		if (pager_frame_get(pager, request->node, frame))
			return -ENOMEM;
		*shared = *frame + 1;
		*(u64 *)pager_frame_data(pager, *frame) = 7;
	}
	*frame = *shared - 1;
	return PAGER_READ | PAGER_WRITE;
}

static enum tap_result called_back(void)
{
	u32 shared = 0;
	struct pager_options options = {
		.pages = PAGES, .serve = serve_one, .arg = &shared,
		.sync = PAGER_URPC,
	};
	struct crew *crew;

	fake_new(false);
	fake->want[0][0] = 7;
	crew = crew_start(&options, false);
	CHECK(!fake_access(1, 0, 1));
	CHECK(fake_access(1, 1, 1) == -EFAULT);
	CHECK(!fake_access(1, 0, 1));
	BECOMES(COUNTED(crew, answers) == 1 && COUNTED(crew, refusals) == 1);
	return end(crew);
}

/* A frame is ready before it is wanted, and another one afterwards; none is two. */
static enum tap_result stocked(void)
{
	struct pager_options options = {
		.pages = PAGES, .policy = PAGER_LOCAL, .stock = 2,
	};
	u32 page, rights, frame, seen = NODES * 2;
	struct crew *crew;

	fake_new(true);
	crew = crew_start(&options, false);
	BECOMES(fake_frames() == NODES * 2);
	for (page = 0; page < 3; page++) {
		CHECK(!fake_access(0, page, 1));
		frame = fake_frame_of(page, 0, &rights);
		CHECK(frame != seen);
		if (!page)
			CHECK(frame < NODES * 2);
		seen = frame;
		BECOMES(fake_frames() == NODES * 2 + 1 + page);
	}
	return end(crew);
}

const struct tap_test policy_tests[] = {
	{ "policy: frames in stock", stocked },
	{ "policy: global", test_global },
	{ "policy: node-local", test_local },
	{ "policy: replicate-read", test_replicate },
	{ "policy: migrate", test_migrate },
	{ "policy: what lasts is told", told },
	{ "policy: a node without memory", no_memory },
	{ "policy: what pages begin with", filled },
	{ "policy: a callback", called_back },
	{ NULL, NULL }
};
