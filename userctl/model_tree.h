/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trees over the first cores of a blueprint, and how long a round over one takes.
 */
#ifndef MKCTL_MODEL_TREE_H
#define MKCTL_MODEL_TREE_H

#include "blueprint.h"

/**
 * struct model_tree - down for requests, up for acknowledgments
 * @nr: cores; the first hop of each is core 0, and those of one core follow in
 *	the order of sending
 * @down: hops as in struct mk_plan
 * @up: likewise; which of two acknowledgments comes first does not depend on it
 */
struct model_tree {
	unsigned int nr;
	struct mk_plan_hop *down, *up;
};

/**
 * struct model_round - what each core does in a round
 * @blueprint: whose costs
 * @home: all lines lie on the node of core 0, instead of with who receives
 * @work: cycles of each core once it has sent its requests on
 */
struct model_round {
	const struct blueprint *blueprint;
	int home;
	u64 work;
};

enum model_shape {
	SHAPE_FLAT,		/* core 0 sends to all */
	SHAPE_NEAR_FIRST,	/* one core of each node sends on; the nearest node first */
	SHAPE_FAR_FIRST,	/* likewise, the farthest first */
	SHAPE_PLANNED,		/* by the planner, but no worse than those */
	NR_SHAPES
};

/* A tree over cores 0 to @nr - 1; never fails. */
void model_tree_make(struct model_tree *tree, const struct blueprint *b, unsigned int nr,
		     enum model_shape shape);
void model_tree_free(struct model_tree *tree);

/* Cycles until core 0 has all acknowledgments. */
u64 model_tree_round(const struct model_tree *tree,
		     const struct model_round *round);

/* Cycles of a round that the busiest core is busy with sending and receiving. */
u64 model_tree_busiest(const struct model_tree *tree,
		       const struct model_round *round);

/* Up to so many cores are planned for at once. */
#define MODEL_PLANNED_AT_ONCE	512

#endif /* MKCTL_MODEL_TREE_H */
