// SPDX-License-Identifier: GPL-2.0
/*
 * replicate-read: each node that reads gets a copy of its own, which nobody can
 * write. The first write takes the page away from all nodes and makes one frame
 * of it, the writer's; from then on it is as with the policy global.
 *
 * The writer's replica is as good as any other: while they can only be read, all
 * are equal. It is mapped to be written only after no other can be read any more.
 */
#include "private.h"

static bool one(const struct pager_state *state)
{
	return state->flags & STATE_ONE;
}

/* A copy for this node, of the owner's, or of what the page begins with. */
static int replica(struct pager *pager, struct pager_work *work)
{
	struct pager_state *state = &work->state;
	int ret;

	/* It reads the owner's, if there was no memory the last time. */
	if (state->frame[work->want.node] ||
	    (state->mapped & node_bit(work->want.node)))
		return 0;
	ret = pager_fresh(pager, work, (int)state->owner - 1);
	if (!ret && !state->owner)
		state->owner = work->want.node + 1;
	return ret;
}

static int collapse(struct pager *pager, struct pager_work *work)
{
	struct pager_state *state = &work->state;
	u64 others = state->mapped & ~node_bit(work->want.node);
	int node, ret;

	/* The writer's own stays as it is, and gets one right more. */
	ret = pager_take_away(pager, work->want.page, state, others);
	if (ret)
		return ret;
	state->mapped &= ~others;
	state->flags |= STATE_ONE;
	if (state->frame[work->want.node])
		state->owner = work->want.node + 1;
	for (node = 0; node < PAGER_NODES_MAX; node++)
		if (state->frame[node] && state->owner != node + 1u)
			work->drop |= node_bit(node);
	return 0;
}

static int serve(struct pager *pager, struct pager_work *work)
{
	struct pager_state *state = &work->state;
	int node = work->want.node;
	int ret, from;

	if (!one(state)) {
		/* Where there is no memory, the owner's has to do. */
		ret = replica(pager, work);
		if (ret && !state->owner)
			return ret;
		if (work->want.rights & PAGER_WRITE)
			ret = collapse(pager, work);
		else
			ret = 0;
		if (ret)
			return ret;
	}
	from = one(state) || !state->frame[node] ? (int)state->owner - 1 : node;
	work->frame = state->frame[from] - 1;
	work->rights = PAGER_READ | PAGER_EXEC |
		       (one(state) ? PAGER_WRITE : 0);
	return 0;
}

const struct pager_policy_ops pager_replicating = {
	.name = "replicate-read", .serve = serve, .one = one,
};
