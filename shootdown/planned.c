// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol planned: down the tree, and back, that costs least by what messages
 * between each two CPUs cost (urpc/route_plan.h). Each line lies on the node of whoever
 * is called there.
 */
#include "shootdown/tree.h"

static int mk_planned_prepare(struct mk_party *party)
{
	return mk_tree_prepare(party, MK_TREE_PLANNED, MK_ROUTE_CHILD);
}

const struct mk_protocol_ops mk_planned_ops = {
	.broken = MK_BROKEN_ALL,
	.routed = true,
	.planned = true,
	.prepare = mk_planned_prepare,
	.unprepare = mk_tree_unprepare,
	.start = mk_tree_start,
	.done = mk_tree_done,
	.stuck = mk_tree_stuck,
	.missing = mk_tree_missing,
};
