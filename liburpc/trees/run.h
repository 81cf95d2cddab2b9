/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trees that are run: a message goes from the root down one tree, acknowledgments
 * come back over another one, among threads with channels of liburpc between them.
 *
 * What a member does is what the model says (urpc/plan.h): it waits for the message,
 * sends it to its children in their order, and then takes the acknowledgments of its
 * gather children, whichever is there first, before it sends its own. An
 * acknowledgment says how many members it speaks for, each message which operation it
 * is of, and each member counts: so that the figures are of operations that were done.
 */
#ifndef URPC_TREES_RUN_H
#define URPC_TREES_RUN_H

#include "crew.h"
#include "urpc/plan.h"

/* Strategies; planned, two trees; and planned with one tree for both ways. */
#define TREES		(MK_PLAN_STRATEGIES + 2)
#define TREE_PLANNED	MK_PLAN_STRATEGIES
#define TREE_ONE	(MK_PLAN_STRATEGIES + 1)

/* What a member does wrong on purpose, for the test of the tests. */
enum fault {
	FAULT_NONE,
	FAULT_SKIP,		/* leaves its last child out */
	FAULT_TWICE,		/* sends to its last child once more */
	FAULT_EARLY,		/* does not wait for its gather children */
	FAULTS
};

/**
 * struct tree - one that is run
 * @plan: its trees and what is predicted
 * @cycles: measured, by sample
 */
struct tree {
	struct mk_plan plan;
	u64 *cycles;
};

/**
 * struct trees - all trees among the first @nr members
 * @nr: how many
 * @rounds: of message and acknowledgment in one operation: 2 for 2pc
 * @samples: of each tree
 * @warm_up: operations on each before them
 * @fault: planted
 * @tree: they take turns, an operation each
 */
struct trees {
	unsigned int nr;
	unsigned int rounds;
	unsigned int samples, warm_up;
	enum fault fault;
	struct tree tree[TREES];
};

const char *tree_name(unsigned int tree);

/* Room for the plans and samples of @nr members; 0 or -ENOMEM. trees_free() after. */
int trees_alloc(struct trees *trees);
void trees_free(struct trees *trees);

/**
 * trees_run() - run them
 * @trees: with their plans
 * @crew: for its members
 * @cpu: of each member
 *
 * Return: 0, when each member was reached by each message once and all have been
 * acknowledged; otherwise a negative errno, and the crew has a text.
 */
int trees_run(struct trees *trees, struct crew *crew, const int *cpu);

#endif /* URPC_TREES_RUN_H */
