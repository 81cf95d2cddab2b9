// SPDX-License-Identifier: GPL-2.0
/*
 * Routes: requests over a tree, acknowledgments gathered on the way back.
 *
 * In the line: first the number of the route, with MK_ROUTE_INNER if the
 * receiver has children on it; then the payload. The reply's first word is 0,
 * or 1 if somebody below was not reached.
 */
#include <linux/hash.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "urpc/route.h"

#define MK_ROUTE_INNER	1ull

/**
 * struct mk_edge - a child, as its parent sees it
 * @cell: to call it
 * @head: first word of what it is sent
 * @number: root: of this operation's call in @cell
 * @state: root: what has become of it
 */
struct mk_edge {
	struct mk_cell *cell;
	u64 head;
	u32 number;
	enum mk_child_state {
		MK_CHILD_WAITS,
		MK_CHILD_DONE,
		MK_CHILD_LOST,
	} state;
};

/**
 * struct mk_hop - what a member with children does for a route
 * @link: in the port's table; unhashed when not installed
 * @id: number of the route
 * @up: call to answer when all below have; NULL if none is open
 * @waiting: calls to children that are not answered
 * @lost: somebody below was not reached
 * @port: where it is installed, or shall be
 * @nr: children
 * @edge: in the order of sending
 *
 * All of it is @port's thread's between installation and removal.
 */
struct mk_hop {
	struct hlist_node link;
	u64 id;
	struct mk_cell *up;
	u32 waiting;
	bool lost;
	struct mk_port *port;
	u32 nr;
	struct mk_edge edge[];
};

/**
 * struct mk_member - a CPU on a route
 * @cpu: which
 * @top: which of the root's edges it is below of; unused for the root
 * @hop: NULL if it has no children
 */
struct mk_member {
	int cpu;
	u32 top;
	struct mk_hop *hop;
};

/**
 * struct mk_route - a tree that is ready for use
 * @first: the root's edges before this one are settled
 * @lost: one of them did not acknowledge
 * @nr: members
 * @member: the root first; it has a hop, which is in no table
 */
struct mk_route {
	u32 first;
	bool lost;
	u32 nr;
	struct mk_member member[];
};

static atomic64_t mk_route_ids;
static mk_leaf_t mk_leaves[MK_TYPES];

static struct hlist_head *mk_hop_head(struct mk_port *port, u64 id)
{
	return &port->hops[hash_64(id, ilog2(MK_PORT_HOPS))];
}

static struct mk_hop *mk_hop_find(struct mk_port *port, u64 id)
{
	struct mk_hop *hop;

	hlist_for_each_entry(hop, mk_hop_head(port, id), link)
		if (hop->id == id)
			return hop;
	return NULL;
}

/* Everybody below has answered, or will not. */
static void mk_hop_finish(struct mk_hop *hop)
{
	struct mk_cell *up = hop->up;
	u64 lost = hop->lost;

	hop->up = NULL;
	mk_cell_reply(up, &lost, 1);
}

static void mk_hop_answered(struct mk_cell *cell, const u64 *word, void *arg)
{
	struct mk_hop *hop = arg;

	if (!word || word[0])
		hop->lost = true;
	if (!--hop->waiting)
		mk_hop_finish(hop);
}

/* Pass a message on. @hop->waiting keeps one for the member itself. */
static void mk_hop_forward(struct mk_hop *hop, struct mk_cell *up,
			   enum mk_type type, const u64 *word)
{
	u64 out[MK_LINE_WORDS];
	u32 i;

	hop->up = up;
	hop->lost = false;
	hop->waiting = 1;
	memcpy(out, word, sizeof(out));
	for (i = 0; i < hop->nr; i++) {
		out[0] = hop->edge[i].head;
		if (mk_cell_call_then(hop->edge[i].cell, type, out,
				      MK_LINE_WORDS, mk_hop_answered, hop))
			hop->lost = true;
		else
			hop->waiting++;
	}
}

/* A member's part, in the middle of an operation or not, ends here. */
static void mk_hop_remove(struct mk_hop *hop)
{
	u32 i;

	hlist_del_init(&hop->link);
	if (!hop->up)
		return;
	for (i = 0; i < hop->nr; i++)
		if (hop->edge[i].cell->arg == hop)
			mk_cell_forget(hop->edge[i].cell);
	hop->lost = true;
	mk_hop_finish(hop);
}

/**
 * mk_hops_close() - forget all routes
 * @port: a closing port
 *
 * Context: the port's thread.
 */
void mk_hops_close(struct mk_port *port)
{
	struct hlist_node *next;
	struct mk_hop *hop;
	int i;

	for (i = 0; i < MK_PORT_HOPS; i++)
		hlist_for_each_entry_safe(hop, next, &port->hops[i], link)
			mk_hop_remove(hop);
}

/**
 * mk_leaf_run() - do what a member does with a message
 * @port: the member's
 * @type: of the message
 * @word: its payload, MK_ROUTE_WORDS words
 *
 * Context: the port's thread.
 */
void mk_leaf_run(struct mk_port *port, enum mk_type type, const u64 *word)
{
	mk_leaf_t leaf = READ_ONCE(mk_leaves[type]);

	if (leaf)
		leaf(port, word);
}

/* Cell handler: a message on a route has come. */
static void mk_route_called(struct mk_cell *cell, const u64 *word)
{
	struct mk_port *port = mk_cell_callee(cell);
	u64 lost = word[0] & MK_ROUTE_INNER;
	struct mk_hop *hop = NULL;

	if (lost)
		hop = mk_hop_find(port, word[0]);
	/* Two calls for one hop at a time: only if somebody garbles them. */
	if (hop && !hop->up)
		mk_hop_forward(hop, cell, cell->type, word);
	else
		hop = NULL;

	mk_leaf_run(port, cell->type, word + 1);
	if (!hop)
		mk_cell_reply(cell, &lost, 1);
	else if (!--hop->waiting)
		mk_hop_finish(hop);
}

/**
 * mk_route_leaf_set() - say what members do with a type of message
 * @type: the type
 * @leaf: runs in each member's thread; NULL for nothing
 *
 * Context: any; set before messages of the type are sent.
 */
void mk_route_leaf_set(enum mk_type type, mk_leaf_t leaf)
{
	WRITE_ONCE(mk_leaves[type], leaf);
	mk_cell_handler_set(type, mk_route_called);
}

static int mk_hop_install(struct mk_port *port, void *arg)
{
	struct mk_hop *hop = arg;

	if (port->closing)
		return -ENODEV;
	hlist_add_head(&hop->link, mk_hop_head(port, hop->id));
	return 0;
}

static int mk_hop_uninstall(struct mk_port *port, void *arg)
{
	struct mk_hop *hop = arg;

	if (!hlist_unhashed(&hop->link))
		mk_hop_remove(hop);
	return 0;
}

static int mk_tree_check(const struct mk_tree *tree)
{
	cpumask_var_t seen;
	int err = 0;
	u32 i;

	if (!tree->nr || tree->nr > nr_cpu_ids)
		return -EINVAL;
	if (!zalloc_cpumask_var(&seen, GFP_KERNEL))
		return -ENOMEM;
	for (i = 0; i < tree->nr && !err; i++) {
		const struct mk_tree_node *node = &tree->node[i];

		if (!mk_port(node->cpu) || cpumask_test_cpu(node->cpu, seen) ||
		    (i && (node->parent < 0 || node->parent >= i)))
			err = -EINVAL;
		else
			cpumask_set_cpu(node->cpu, seen);
	}
	free_cpumask_var(seen);
	return err;
}

static int mk_edge_node(const struct mk_tree *tree, u32 i,
			enum mk_route_place place)
{
	const struct mk_tree_node *node = &tree->node[i];

	switch (place) {
	case MK_ROUTE_PARENT:
		return mk_port(tree->node[node->parent].cpu)->node;
	case MK_ROUTE_ROOT:
		return mk_port(tree->node[0].cpu)->node;
	default:
		return mk_port(node->cpu)->node;
	}
}

/* Allocate the hops: every parent's, and the root's even if it is alone. */
static int mk_route_hops(struct mk_route *route, const struct mk_tree *tree,
			 u64 id)
{
	struct mk_hop *hop;
	u32 i, *children;
	int err = 0;

	children = kcalloc(tree->nr, sizeof(*children), GFP_KERNEL);
	if (!children)
		return -ENOMEM;
	for (i = 1; i < tree->nr; i++)
		children[tree->node[i].parent]++;
	for (i = 0; i < tree->nr && !err; i++) {
		struct mk_port *port = mk_port(tree->node[i].cpu);

		route->member[i].cpu = port->cpu;
		if (i && !children[i])
			continue;
		hop = kzalloc_node(struct_size(hop, edge, children[i]),
				   GFP_KERNEL, port->node);
		if (!hop) {
			err = -ENOMEM;
			break;
		}
		hop->id = id;
		hop->port = port;
		route->member[i].hop = hop;
	}
	kfree(children);
	return err;
}

static int mk_route_edges(struct mk_route *route, const struct mk_tree *tree,
			  enum mk_route_place place)
{
	struct mk_cell *cell;
	u32 i;

	for (i = 1; i < tree->nr; i++) {
		u32 parent = tree->node[i].parent;
		struct mk_hop *hop = route->member[parent].hop;

		cell = mk_cell_make_lane(route->member[parent].cpu,
					 route->member[i].cpu,
					 mk_edge_node(tree, i, place),
					 tree->node[0].cpu);
		if (IS_ERR(cell))
			return PTR_ERR(cell);
		route->member[i].top = parent ? route->member[parent].top :
						hop->nr;
		/* A leaf looks nothing up, and so needs no number. */
		hop->edge[hop->nr++] = (struct mk_edge){
			.cell = cell,
			.head = route->member[i].hop ? hop->id : 0,
		};
	}
	return 0;
}

static void mk_route_destroy(struct mk_route *route)
{
	u32 i;

	for (i = 0; i < route->nr; i++)
		kfree(route->member[i].hop);
	kvfree(route);
}

/**
 * mk_route_make() - make a tree ready for use
 * @tree: copied
 * @place: where the lines of its edges lie
 *
 * CPUs of the tree may be off line; then the route works without what is below
 * them, see the top of route.h.
 *
 * Context: process, not a port's thread; sleeps until each inner member's port
 * has taken its part.
 * Return: the route, to be freed by mk_route_free(); -EINVAL if @tree is none,
 * -ENOMEM.
 */
struct mk_route *mk_route_make(const struct mk_tree *tree,
			       enum mk_route_place place)
{
	struct mk_route *route;
	int err;
	u64 id;
	u32 i;

	err = mk_tree_check(tree);
	if (err)
		return ERR_PTR(err);
	route = kvzalloc(struct_size(route, member, tree->nr), GFP_KERNEL);
	if (!route)
		return ERR_PTR(-ENOMEM);
	route->nr = tree->nr;
	id = (u64)atomic64_inc_return(&mk_route_ids) << 1 | MK_ROUTE_INNER;

	err = mk_route_hops(route, tree, id);
	err = err ?: mk_route_edges(route, tree, place);
	if (err) {
		mk_route_destroy(route);
		return ERR_PTR(err);
	}
	for (i = 1; i < route->nr; i++)
		if (route->member[i].hop)
			mk_port_run_soon(route->member[i].cpu, mk_hop_install,
					 route->member[i].hop);
	return route;
}

/**
 * mk_route_free() - forget a route
 * @route: no operation is started on it any more
 *
 * Messages still on their way find it unknown.
 *
 * Context: process, not a port's thread; sleeps.
 */
void mk_route_free(struct mk_route *route)
{
	u32 i;

	/* A port that is closed has forgotten its hops before it was. */
	for (i = 1; i < route->nr; i++)
		if (route->member[i].hop)
			mk_port_run_soon(route->member[i].cpu, mk_hop_uninstall,
					 route->member[i].hop);
	mk_route_destroy(route);
}

/**
 * mk_route_start() - send a message to everybody
 * @route: what was started on it before is over, or given up
 * @type: enum mk_type, with a leaf function
 * @word: payload, MK_ROUTE_WORDS words, copied
 *
 * Whoever cannot be reached is missing at once.
 *
 * Context: the root's thread.
 */
void mk_route_start(struct mk_route *route, enum mk_type type,
		    const u64 *word)
{
	struct mk_hop *root = route->member[0].hop;
	u64 out[MK_LINE_WORDS];
	u32 i;

	route->first = 0;
	route->lost = false;
	memcpy(out + 1, word, MK_ROUTE_WORDS * sizeof(*word));
	for (i = 0; i < root->nr; i++) {
		struct mk_edge *edge = &root->edge[i];

		out[0] = edge->head;
		edge->state = mk_cell_call(edge->cell, type, out,
					   MK_LINE_WORDS) ?
			      MK_CHILD_LOST : MK_CHILD_WAITS;
		edge->number = mk_cell_number(edge->cell);
	}
	mk_port_flush(root->port);
}

/* See whether an edge has been answered. True if there is no use in waiting. */
static bool mk_edge_settle(struct mk_edge *edge)
{
	u64 lost;

	if (edge->state == MK_CHILD_WAITS) {
		/* Another answer than that to this operation's call. */
		if (mk_cell_number(edge->cell) != edge->number)
			edge->state = MK_CHILD_LOST;
		else if (mk_cell_replied(edge->cell, &lost, 1))
			edge->state = lost ? MK_CHILD_LOST : MK_CHILD_DONE;
		else if (mk_cell_deaf(edge->cell))
			edge->state = MK_CHILD_LOST;
		else
			return false;
	}
	return true;
}

/**
 * mk_route_gathered() - has everybody acknowledged?
 * @route: started
 *
 * Looks at one line, and at the next ones only if that has come: all have to.
 *
 * Context: the root's thread.
 * Return: true if everybody has run the leaf function, and all of that happens
 * before what the caller does next.
 */
bool mk_route_gathered(struct mk_route *route)
{
	struct mk_hop *root = route->member[0].hop;

	for (; route->first < root->nr; route->first++) {
		struct mk_edge *edge = &root->edge[route->first];

		if (!mk_edge_settle(edge))
			return false;
		if (edge->state == MK_CHILD_LOST)
			route->lost = true;
	}
	return !route->lost;
}

/**
 * mk_route_stuck() - is there no use in waiting?
 * @route: mk_route_gathered() was false
 *
 * Context: the root's thread.
 * Return: true if all have answered that will, and it is not everybody.
 */
bool mk_route_stuck(const struct mk_route *route)
{
	return route->lost && route->first == route->member[0].hop->nr;
}

/**
 * mk_route_missing() - who has not acknowledged
 * @route: started
 * @mask: they are added to it, with everybody below them
 *
 * Context: the root's thread.
 */
void mk_route_missing(struct mk_route *route, struct cpumask *mask)
{
	struct mk_hop *root = route->member[0].hop;
	u32 i;

	for (i = route->first; i < root->nr; i++)
		mk_edge_settle(&root->edge[i]);
	for (i = 1; i < route->nr; i++)
		if (root->edge[route->member[i].top].state != MK_CHILD_DONE)
			cpumask_set_cpu(route->member[i].cpu, mask);
}
