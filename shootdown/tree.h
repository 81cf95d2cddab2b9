/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protocols whose requests go down a tree.
 */
#ifndef MK_SHOOTDOWN_TREE_H
#define MK_SHOOTDOWN_TREE_H

#include "shootdown/protocol.h"
#include "urpc/route.h"

/**
 * enum mk_tree_order - which tree
 * @MK_TREE_NEAR_FIRST: over nodes, the nearest one first
 * @MK_TREE_FAR_FIRST: likewise, the one furthest away first
 * @MK_TREE_PLANNED: from what messages cost
 * @MK_TREE_PLANNED_DEEP: likewise, and none if the root sends to all itself
 */
enum mk_tree_order {
	MK_TREE_NEAR_FIRST,
	MK_TREE_FAR_FIRST,
	MK_TREE_PLANNED,
	MK_TREE_PLANNED_DEEP,
};

int mk_tree_prepare(struct mk_party *party, enum mk_tree_order order,
		    enum mk_route_place place);
void mk_tree_unprepare(struct mk_party *party);
int mk_tree_start(struct mk_shootdown *sd);
bool mk_tree_done(struct mk_shootdown *sd);
bool mk_tree_stuck(struct mk_shootdown *sd);
void mk_tree_missing(struct mk_shootdown *sd, struct cpumask *mask);

#endif /* MK_SHOOTDOWN_TREE_H */
