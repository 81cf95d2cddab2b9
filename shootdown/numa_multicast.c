// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol numa_multicast: the same tree, but each line lies on the node of its
 * aggregator, which polls it there, and the farthest node is sent to first, since
 * its answer takes longest.
 */
#include "shootdown/tree.h"

static int mk_numa_multicast_prepare(struct mk_party *party)
{
	return mk_tree_prepare(party, MK_TREE_FAR_FIRST, MK_ROUTE_CHILD);
}

const struct mk_protocol_ops mk_numa_multicast_ops = {
	.broken = MK_BROKEN_ALL,
	.routed = true,
	.prepare = mk_numa_multicast_prepare,
	.unprepare = mk_tree_unprepare,
	.start = mk_tree_start,
	.done = mk_tree_done,
	.stuck = mk_tree_stuck,
	.missing = mk_tree_missing,
};
