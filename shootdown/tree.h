/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protocols whose requests go down a tree.
 */
#ifndef MK_SHOOTDOWN_TREE_H
#define MK_SHOOTDOWN_TREE_H

#include "shootdown/protocol.h"
#include "urpc/route.h"

/* How the nodes of the members follow each other in the tree. */
enum mk_tree_order {
	MK_TREE_NEAR_FIRST,
	MK_TREE_FAR_FIRST,
};

int mk_tree_prepare(struct mk_party *party, enum mk_tree_order order,
		    enum mk_route_place place);
int mk_tree_prepare_planned(struct mk_party *party, bool deep);
void mk_tree_unprepare(struct mk_party *party);
int mk_tree_start(struct mk_shootdown *sd);
bool mk_tree_done(struct mk_shootdown *sd);
bool mk_tree_stuck(struct mk_shootdown *sd);
void mk_tree_missing(struct mk_shootdown *sd, struct cpumask *mask);

#endif /* MK_SHOOTDOWN_TREE_H */
