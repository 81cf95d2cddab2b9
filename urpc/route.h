/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Routes: a request to many CPUs and their acknowledgments, over a tree.
 *
 * The root calls its children in cells (cell.h). A member with children calls
 * them first, in their order, then runs the type's leaf function, and
 * acknowledges when all its children have: an acknowledgment speaks for the
 * whole subtree. Members never wait: what they still expect is polled for with
 * everything else (split phase).
 *
 * What is never acknowledged
 *	A CPU that has not run the leaf function. A member that cannot reach one
 *	below it (a CPU is off line, or has not answered an earlier call yet), or
 *	that does not know the route (any more), says so instead of acknowledging,
 *	and mk_route_missing() then names its whole subtree. A subtree that says
 *	nothing is missing too. So who runs some other way to the missing ones
 *	has reached everybody.
 *
 * Life
 *	mk_route_make() makes the cells of all edges and installs a hop in the port
 *	of each inner member; each hop belongs to that port's thread from then on.
 *	A CPU that goes off line forgets its hops: after it has come back, routes
 *	made before work, but report everybody below it as missing. Make a new
 *	one. A leaf that goes and comes back needs nothing.
 *
 * One operation at a time for each root, as its thread waits for it. Routes of
 * one root share the cells of edges that they have in common, so what a given up
 * operation has left unanswered can make the next one miss somebody; routes of
 * different roots share nothing.
 *
 * A message may be served late, even after its route is gone. So it carries
 * numbers, never pointers, and leaf functions do no harm when they are late.
 */
#ifndef MK_URPC_ROUTE_H
#define MK_URPC_ROUTE_H

#include <linux/cpumask.h>

#include "urpc/cell.h"

/* Payload: one line less the number of the route. */
#define MK_ROUTE_WORDS	(MK_LINE_WORDS - 1)

struct mk_route;

/**
 * struct mk_tree_node - a member of a tree
 * @cpu: which; in a tree once
 * @parent: index of its parent in the tree, below its own; 0 for the root
 */
struct mk_tree_node {
	int cpu;
	int parent;
};

/**
 * struct mk_tree - who sends to whom
 * @nr: members, the root included; at least 1
 * @node: the root first; children of one parent in the order of sending
 */
struct mk_tree {
	unsigned int nr;
	struct mk_tree_node *node;
};

/**
 * enum mk_route_place - on whose node the line of an edge lies
 * @MK_ROUTE_CHILD: on the child's
 * @MK_ROUTE_PARENT: on the parent's
 * @MK_ROUTE_ROOT: all of them on the root's
 */
enum mk_route_place {
	MK_ROUTE_CHILD,
	MK_ROUTE_PARENT,
	MK_ROUTE_ROOT,
};

/**
 * typedef mk_leaf_t - what a member does with a message
 * @port: the member's; the caller is its thread
 * @word: the payload, MK_ROUTE_WORDS words
 *
 * Neither blocks nor polls. The member acknowledges after it has returned.
 */
typedef void (*mk_leaf_t)(struct mk_port *port, const u64 *word);

/* Process context, not a port's thread; sleep. */
struct mk_route *mk_route_make(const struct mk_tree *tree,
			       enum mk_route_place place);
void mk_route_free(struct mk_route *route);

/* Any context; before the first message of that type. Also for fanout.h. */
void mk_route_leaf_set(enum mk_type type, mk_leaf_t leaf);

/*
 * The root's thread. Start, then ask for gathered until it is true or time is
 * up or mk_route_stuck(), and unless it is true see to the missing.
 */
void mk_route_start(struct mk_route *route, enum mk_type type,
		    const u64 *word);
bool mk_route_gathered(struct mk_route *route);
bool mk_route_stuck(const struct mk_route *route);
void mk_route_missing(struct mk_route *route, struct cpumask *mask);

/* For fanout.c and port.c. */
void mk_leaf_run(struct mk_port *port, enum mk_type type, const u64 *word);
void mk_hops_close(struct mk_port *port);

#endif /* MK_URPC_ROUTE_H */
