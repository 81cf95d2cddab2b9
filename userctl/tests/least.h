/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The least that trees can cost: a model of its own, and a search of all pairs.
 *
 * What a plan costs is described in urpc/plan.h; nothing of the planner's code is
 * used here, so that both can be held against each other. For few members only.
 */
#ifndef MKCTL_TESTS_LEAST_H
#define MKCTL_TESTS_LEAST_H

#include <stdbool.h>

#include "urpc/plan.h"

#define LEAST_MEMBERS	9
#define LEAST_NONE	(~0ULL)

/* A rule that is not the model's, to see whether that is seen. */
enum least_fault {
	LEAST_RIGHT,
	LEAST_FREE_RECEIVE,	/* acknowledgments cost their receiver nothing */
	LEAST_NO_WAIT,		/* it acknowledges before its own sends are done */
	LEAST_HASTY_BOUND,	/* the search leaves out more than it may */
};

/**
 * struct least_trees - both trees, by members' numbers; 0 is the root
 * @nr_children: of each, in the broadcast tree
 * @child: in the order of sending
 * @gather: parent in the gather tree, of all but the root
 */
struct least_trees {
	unsigned char nr_children[LEAST_MEMBERS];
	unsigned char child[LEAST_MEMBERS][LEAST_MEMBERS];
	unsigned char gather[LEAST_MEMBERS];
};

/* The score of @trees, event by event; one round of 2pc. */
u64 least_score(const struct mk_plan_task *task, const struct least_trees *trees,
		enum least_fault fault);

/**
 * least_search() - is there anything below a limit?
 * @task: for what
 * @limit: a score
 * @fault: LEAST_RIGHT, or what to do wrong
 * @trees: the best that there is, if it is below @limit; else left alone
 *
 * Return: its score, or @limit.
 */
u64 least_search(const struct mk_plan_task *task, u64 limit, enum least_fault fault,
		 struct least_trees *trees);

/* The same by scoring each pair of trees there is, without a thought; up to 5 members. */
u64 least_of_all(const struct mk_plan_task *task);

#endif /* MKCTL_TESTS_LEAST_H */
