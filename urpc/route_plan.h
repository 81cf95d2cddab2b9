/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trees for routes, planned (plan.h) from what messages cost (module/costs.h).
 *
 * A route's acknowledgments come back over its own tree, so a plan is one tree for
 * both ways. Plans are kept, by root, members and version of the costs, up to
 * MK_PLANS_KEPT of them; so a tree is found without a search by whoever makes a
 * route once more, after a CPU was off line for one.
 */
#ifndef MK_URPC_ROUTE_PLAN_H
#define MK_URPC_ROUTE_PLAN_H

#include <linux/cpumask.h>

#include "urpc/plan.h"
#include "urpc/route.h"

/* Members of a tree, the root included, that are planned for: 615 KB, 20 ms. */
#define MK_ROUTE_PLAN_MOST		256

#define MK_PLANS_KEPT		64

/* Process context; sleep. */
int mk_route_plan(int root, const struct cpumask *members,
		  struct mk_tree *tree);
int mk_route_plan_by(enum mk_plan_strategy strategy, int root,
		     const struct cpumask *members, struct mk_tree *tree,
		     u64 *cycles);
u64 mk_route_plans_bytes(void);
void mk_route_plans_exit(void);

#endif /* MK_URPC_ROUTE_PLAN_H */
