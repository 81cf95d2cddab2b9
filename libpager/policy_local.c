// SPDX-License-Identifier: GPL-2.0
/*
 * node-local: a frame for each node at one address, which begins with the same
 * contents everywhere. Code that is replicated, counters of each node.
 */
#include "private.h"

static bool one(const struct pager_state *state)
{
	(void)state;
	return false;
}

static int serve(struct pager *pager, struct pager_work *work)
{
	struct pager_state *state = &work->state;
	int ret;

	if (!state->frame[work->want.node]) {
		ret = pager_fresh(pager, work, -1);
		if (ret)
			return ret;
	}
	work->frame = state->frame[work->want.node] - 1;
	work->rights = PAGER_READ | PAGER_EXEC | PAGER_WRITE;
	return 0;
}

const struct pager_policy_ops pager_local = {
	.name = "node-local", .serve = serve, .one = one,
};
