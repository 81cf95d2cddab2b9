// SPDX-License-Identifier: GPL-2.0
/*
 * global: one frame, on the node that touched it first. Each node maps it when it
 * touches it: n faults for n nodes.
 */
#include "private.h"

#define RIGHTS	(PAGER_READ | PAGER_EXEC | PAGER_WRITE)

static bool one(const struct pager_state *state)
{
	(void)state;
	return true;
}

static int serve(struct pager *pager, struct pager_work *work)
{
	struct pager_state *state = &work->state;
	int ret;

	if (!state->owner) {
		ret = pager_fresh(pager, work, -1);
		if (ret)
			return ret;
		state->owner = work->want.node + 1;
	}
	work->frame = state->frame[state->owner - 1] - 1;
	work->rights = RIGHTS;
	return 0;
}

const struct pager_policy_ops pager_global = {
	.name = "global", .serve = serve, .one = one, .lasting = RIGHTS,
};
