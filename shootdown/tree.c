// SPDX-License-Identifier: GPL-2.0
/*
 * Trees. Over the topology: the root sends to one CPU on each node, the
 * aggregator, which sends to the others there. On its own node the root is the
 * aggregator. So each node's interconnect is crossed once in each direction,
 * however many CPUs it has, and nodes work at the same time. Or as planned from what
 * messages cost (urpc/route_plan.h).
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "shootdown/tree.h"
#include "urpc/route_plan.h"

/* The node among @nodes that comes next, seen from @from. */
static int mk_tree_next_node(const nodemask_t *nodes, int from,
			     enum mk_tree_order order)
{
	int node, next = NUMA_NO_NODE;

	for_each_node_mask(node, *nodes) {
		int than;

		if (next == NUMA_NO_NODE) {
			next = node;
			continue;
		}
		than = node_distance(from, node) - node_distance(from, next);
		if (order == MK_TREE_FAR_FIRST ? than > 0 : than < 0)
			next = node;
	}
	return next;
}

static void mk_tree_add(struct mk_tree *tree, int cpu, int parent)
{
	tree->node[tree->nr].cpu = cpu;
	tree->node[tree->nr].parent = parent;
	tree->nr++;
}

/* The members of one node below its first one, or below the root. */
static void mk_tree_add_node(struct mk_tree *tree,
			     const struct cpumask *members, int node, int root)
{
	int cpu, top = node == root ? 0 : -1;

	for_each_cpu(cpu, members) {
		if (cpu_to_node(cpu) != node)
			continue;
		mk_tree_add(tree, cpu, max(top, 0));
		if (top < 0)
			top = tree->nr - 1;
	}
}

/* The root's own node comes last, it is the fastest. */
static void mk_tree_by_node(struct mk_tree *tree, const struct mk_party *party,
			    enum mk_tree_order order)
{
	int home = cpu_to_node(party->cpu), node, cpu;
	nodemask_t nodes;

	nodes_clear(nodes);
	for_each_cpu(cpu, party->members)
		node_set(cpu_to_node(cpu), nodes);
	node_clear(home, nodes);

	tree->nr = 0;
	mk_tree_add(tree, party->cpu, 0);
	while ((node = mk_tree_next_node(&nodes, home, order)) !=
	       NUMA_NO_NODE) {
		node_clear(node, nodes);
		mk_tree_add_node(tree, party->members, node, home);
	}
	mk_tree_add_node(tree, party->members, home, home);
}

static int mk_tree_route(struct mk_party *party, const struct mk_tree *tree,
			 enum mk_route_place place)
{
	struct mk_route *route = mk_route_make(tree, place);

	if (IS_ERR(route))
		return PTR_ERR(route);
	party->route = route;
	return 0;
}

static int mk_tree_alloc(struct mk_tree *tree, const struct mk_party *party)
{
	tree->nr = 0;
	tree->node = kvcalloc(cpumask_weight(party->members) + 1,
			      sizeof(*tree->node), GFP_KERNEL);
	return tree->node ? 0 : -ENOMEM;
}

/* Is somebody between the root and another member? */
static bool mk_tree_is_deep(const struct mk_tree *tree)
{
	unsigned int i;

	for (i = 1; i < tree->nr; i++)
		if (tree->node[i].parent)
			return true;
	return false;
}

/* With more members than can be planned for it is that of numa_multicast. */
static int mk_tree_fill(struct mk_tree *tree, const struct mk_party *party,
			enum mk_tree_order order)
{
	int err = -E2BIG;

	if (order >= MK_TREE_PLANNED) {
		err = mk_route_plan(party->cpu, party->members, tree);
		order = MK_TREE_FAR_FIRST;
	}
	if (err != -E2BIG)
		return err;
	mk_tree_by_node(tree, party, order);
	return 0;
}

/**
 * mk_tree_prepare() - make the route
 * @party: the party
 * @order: of the tree
 * @place: of the lines
 *
 * Context: process, sleeps.
 * Return: 0, an errno of mk_route_make() or -ENOMEM.
 */
int mk_tree_prepare(struct mk_party *party, enum mk_tree_order order,
		    enum mk_route_place place)
{
	struct mk_tree tree;
	int err;

	if (cpumask_empty(party->members))
		return 0;
	err = mk_tree_alloc(&tree, party);
	if (err)
		return err;
	err = mk_tree_fill(&tree, party, order);
	if (!err && (order != MK_TREE_PLANNED_DEEP || mk_tree_is_deep(&tree)))
		err = mk_tree_route(party, &tree, place);
	kvfree(tree.node);
	return err;
}

/**
 * mk_tree_unprepare() - see struct mk_protocol_ops
 * @party: the party
 *
 * Context: process, sleeps.
 */
void mk_tree_unprepare(struct mk_party *party)
{
	if (party->route)
		mk_route_free(party->route);
}

/**
 * mk_tree_start() - send down the tree, if a member has to flush
 * @sd: the operation
 *
 * All members get the request, since those in between pass it on.
 *
 * Context: the initiator.
 * Return: 0.
 */
int mk_tree_start(struct mk_shootdown *sd)
{
	const struct cpumask *members = sd->party->members;
	u64 word[MK_ROUTE_WORDS] = {};

	sd->told = cpumask_intersects(sd->need, members);
	if (!sd->told)
		return 0;
	mk_request_fill(sd, word);
	mk_route_start(sd->party->route, mk_request_type(sd), word);
	cpumask_andnot(sd->need, sd->need, members);
	sd->messages += 2 * cpumask_weight(members);
	return 0;
}

/**
 * mk_tree_done() - are all replies here
 * @sd: the operation
 *
 * Context: the initiator.
 */
bool mk_tree_done(struct mk_shootdown *sd)
{
	return !sd->told || mk_route_gathered(sd->party->route);
}

/**
 * mk_tree_stuck() - will those whose replies are not here never reply
 * @sd: the operation
 *
 * Context: the initiator.
 */
bool mk_tree_stuck(struct mk_shootdown *sd)
{
	return mk_route_stuck(sd->party->route);
}

/**
 * mk_tree_missing() - who has not replied, or not been reached
 * @sd: the operation
 * @mask: they are added
 *
 * Context: the initiator.
 */
void mk_tree_missing(struct mk_shootdown *sd, struct cpumask *mask)
{
	mk_route_missing(sd->party->route, mask);
}
