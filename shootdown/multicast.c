// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol multicast: down a tree, with one aggregator on each node. The lines
 * lie on the initiator's node, and the nodes follow each other as they are
 * near: what one gets who does not think of memory.
 */
#include "shootdown/tree.h"

static int mk_multicast_prepare(struct mk_party *party)
{
	return mk_tree_prepare(party, MK_TREE_NEAR_FIRST, MK_ROUTE_ROOT);
}

const struct mk_protocol_ops mk_multicast_ops = {
	.broken = MK_BROKEN_ALL,
	.routed = true,
	.prepare = mk_multicast_prepare,
	.unprepare = mk_tree_unprepare,
	.start = mk_tree_start,
	.done = mk_tree_done,
	.stuck = mk_tree_stuck,
	.missing = mk_tree_missing,
};
