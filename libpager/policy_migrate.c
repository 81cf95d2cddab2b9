// SPDX-License-Identifier: GPL-2.0
/*
 * migrate: one frame, on the node that touched it last. It is taken away from the
 * other nodes before it is copied, so that nothing is written to the old one.
 */
#include "private.h"

static bool one(const struct pager_state *state)
{
	(void)state;
	return true;
}

static int move(struct pager *pager, struct pager_work *work)
{
	struct pager_state *state = &work->state;
	int from = (int)state->owner - 1;
	int ret;

	if (from >= 0) {
		ret = pager_take_away(pager, work->want.page, state,
				      state->mapped);
		if (ret)
			return ret;
		state->mapped = 0;
	}
	ret = pager_fresh(pager, work, from);
	if (ret)
		return ret;
	if (from >= 0)
		work->drop = node_bit(from);
	state->owner = work->want.node + 1;
	return 0;
}

static int serve(struct pager *pager, struct pager_work *work)
{
	struct pager_state *state = &work->state;
	int ret;

	if (state->owner != work->want.node + 1u) {
		/* Where there is no memory, it stays where it is. */
		ret = move(pager, work);
		if (ret && !state->owner)
			return ret;
	}
	work->frame = state->frame[state->owner - 1] - 1;
	work->rights = PAGER_READ | PAGER_EXEC | PAGER_WRITE;
	return 0;
}

const struct pager_policy_ops pager_migrating = {
	.name = "migrate", .serve = serve, .one = one,
};
