// SPDX-License-Identifier: GPL-2.0
/*
 * Trees for routes, planned from what messages cost.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/costs.h"
#include "urpc/route_plan.h"

/*
 * How much less work is done than a plan can have. A plan for few is nearly as good
 * with a sixteenth of it, and then takes less time than the route that is made from it.
 */
#define MK_ROUTE_PLAN_FEW		32
#define MK_ROUTE_PLAN_HURRY_FEW	4
#define MK_ROUTE_PLAN_HURRY	1

/**
 * struct mk_kept - a plan
 * @link: in the list, most recently used first
 * @root: root of the tree
 * @members: those that are in it; the root need not be
 * @costs: version of the costs that it was made from
 * @nr: nodes of the tree
 * @node: the tree
 */
struct mk_kept {
	struct list_head link;
	int root;
	cpumask_var_t members;
	u32 costs;
	u32 nr;
	struct mk_tree_node node[];
};

static LIST_HEAD(mk_plans_kept);
static unsigned int mk_nr_kept;
static u64 mk_kept_bytes;
static DEFINE_MUTEX(mk_plans_lock);		/* protects all three */

/**
 * struct mk_planning - what the planner is lent
 * @machine: the members, the i-th of the tree being core i
 * @task: both ways over one tree
 * @plan: its trees
 * @cpu: of each core
 * @send: matrix
 * @receive: likewise
 * @node: of each core
 * @member: all cores
 * @hop: of both trees
 * @memory: the planner's own
 */
struct mk_planning {
	struct mk_plan_machine machine;
	struct mk_plan_task task;
	struct mk_plan plan;
	int *cpu;
	u32 *send, *receive;
	u16 *node, *member;
	struct mk_plan_hop *hop;
	void *memory;
};

static void mk_planning_end(struct mk_planning *p)
{
	kvfree(p->cpu);
	kvfree(p->send);
	kvfree(p->receive);
	kvfree(p->node);
	kvfree(p->member);
	kvfree(p->hop);
	kvfree(p->memory);
}

/* @p->cpu is to be filled, the root first, and then its costs to be asked for. */
static int mk_planning_begin(struct mk_planning *p, unsigned int nr)
{
	*p = (struct mk_planning){
		.cpu = kvcalloc(nr, sizeof(*p->cpu), GFP_KERNEL),
		.send = kvcalloc(nr, nr * sizeof(*p->send), GFP_KERNEL),
		.receive = kvcalloc(nr, nr * sizeof(*p->receive), GFP_KERNEL),
		.node = kvcalloc(nr, sizeof(*p->node), GFP_KERNEL),
		.member = kvcalloc(nr, sizeof(*p->member), GFP_KERNEL),
		.hop = kvcalloc(2 * nr, sizeof(*p->hop), GFP_KERNEL),
		.memory = kvmalloc(mk_plan_bytes(nr), GFP_KERNEL),
	};
	if (!p->cpu || !p->send || !p->receive || !p->node || !p->member ||
	    !p->hop || !p->memory) {
		mk_planning_end(p);
		return -ENOMEM;
	}
	p->machine = (struct mk_plan_machine){
		.cores = nr, .send = p->send, .receive = p->receive,
		.node = p->node,
	};
	p->task = (struct mk_plan_task){
		.machine = &p->machine, .op = MK_PLAN_BOTH, .nr = nr,
		.member = p->member, .one_tree = true,
		.hurry = nr <= MK_ROUTE_PLAN_FEW ? MK_ROUTE_PLAN_HURRY_FEW :
						MK_ROUTE_PLAN_HURRY,
	};
	p->plan = (struct mk_plan){
		.broadcast = p->hop, .gather = p->hop + nr,
	};
	return 0;
}

/* Nodes of a tree. */
static unsigned int mk_route_plan_nr(int root, const struct cpumask *members)
{
	return cpumask_weight(members) + !cpumask_test_cpu(root, members);
}

static void mk_planning_costs(struct mk_planning *p)
{
	unsigned int i;

	for (i = 0; i < p->task.nr; i++) {
		p->member[i] = i;
		p->node[i] = max(cpu_to_node(p->cpu[i]), 0);
	}
	mk_costs_estimate(p->cpu, p->task.nr, p->send, p->receive);
}

/**
 * mk_route_plan_by() - a tree, and how long it takes both ways by the model
 * @strategy: how it is made; MK_PLAN_STRATEGIES: planned, without looking whether
 *	that has been done before
 * @root: its root
 * @members: who is in it; the root is in any case
 * @tree: written; has room for one node more than there are members
 * @cycles: written
 *
 * Context: process, sleeps.
 * Return: as mk_route_plan().
 */
int mk_route_plan_by(enum mk_plan_strategy strategy, int root,
		     const struct cpumask *members, struct mk_tree *tree,
		     u64 *cycles)
{
	struct mk_planning p;
	unsigned int i = 0;
	int err, cpu;

	tree->nr = mk_route_plan_nr(root, members);
	if (tree->nr > MK_ROUTE_PLAN_MOST)
		return -E2BIG;
	err = mk_planning_begin(&p, tree->nr);
	if (err)
		return err;
	p.cpu[i++] = root;
	for_each_cpu(cpu, members)
		if (cpu != root)
			p.cpu[i++] = cpu;
	mk_planning_costs(&p);
	if (strategy == MK_PLAN_STRATEGIES)
		err = mk_plan_make(&p.task, p.memory, &p.plan);
	else
		err = mk_plan_by(&p.task, strategy, p.memory, &p.plan);
	for (i = 0; i < tree->nr && !err; i++)
		tree->node[i] = (struct mk_tree_node){
			.cpu = p.cpu[p.plan.broadcast[i].core],
			.parent = p.plan.broadcast[i].parent,
		};
	*cycles = p.plan.cycles;
	mk_planning_end(&p);
	return err;
}

static void mk_kept_free(struct mk_kept *kept)
{
	list_del(&kept->link);
	mk_nr_kept--;
	mk_kept_bytes -= struct_size(kept, node, kept->nr);
	free_cpumask_var(kept->members);
	kvfree(kept);
}

/* The oldest go, and those that nobody will ask for any more. */
static void mk_kept_trim(unsigned int keep, u32 costs)
{
	struct mk_kept *kept, *next;

	list_for_each_entry_safe_reverse(kept, next, &mk_plans_kept, link)
		if (mk_nr_kept > keep || kept->costs != costs)
			mk_kept_free(kept);
}

static struct mk_kept *mk_kept_find(int root, const struct cpumask *members,
				    u32 costs)
{
	struct mk_kept *kept;

	list_for_each_entry(kept, &mk_plans_kept, link)
		if (kept->root == root && kept->costs == costs &&
		    cpumask_equal(kept->members, members))
			return kept;
	return NULL;
}

static struct mk_kept *mk_kept_alloc(int root, const struct cpumask *members,
				     u32 costs, unsigned int nr)
{
	struct mk_kept *kept;

	kept = kvzalloc(struct_size(kept, node, nr), GFP_KERNEL);
	if (!kept)
		return NULL;
	if (!alloc_cpumask_var(&kept->members, GFP_KERNEL)) {
		kvfree(kept);
		return NULL;
	}
	kept->root = root;
	kept->costs = costs;
	kept->nr = nr;
	cpumask_copy(kept->members, members);
	list_add(&kept->link, &mk_plans_kept);
	mk_nr_kept++;
	mk_kept_bytes += struct_size(kept, node, nr);
	return kept;
}

static int mk_kept_plan(struct mk_kept *kept)
{
	struct mk_tree tree = { .node = kept->node };
	u64 cycles;

	return mk_route_plan_by(MK_PLAN_STRATEGIES, kept->root, kept->members,
				&tree, &cycles);
}

static struct mk_kept *mk_kept_get(int root, const struct cpumask *members,
				   unsigned int nr)
{
	/* Before the costs are: a plan that is newer than it says does no harm. */
	u32 costs = mk_costs_version();
	struct mk_kept *kept;
	int err;

	kept = mk_kept_find(root, members, costs);
	if (kept) {
		list_move(&kept->link, &mk_plans_kept);
		return kept;
	}
	kept = mk_kept_alloc(root, members, costs, nr);
	if (!kept)
		return ERR_PTR(-ENOMEM);
	err = mk_kept_plan(kept);
	if (err) {
		mk_kept_free(kept);
		return ERR_PTR(err);
	}
	mk_kept_trim(MK_PLANS_KEPT, costs);
	return kept;
}

/**
 * mk_route_plan() - a tree that reaches some CPUs, and gathers from them, quickly
 * @root: its root
 * @members: who is in it; the root is in any case
 * @tree: written; has room for one node more than there are members
 *
 * Context: process, sleeps; takes as long as a plan, see MK_ROUTE_PLAN_MOST.
 * Return: 0; -E2BIG if these are too many; -ENOMEM.
 */
int mk_route_plan(int root, const struct cpumask *members,
		  struct mk_tree *tree)
{
	unsigned int nr = mk_route_plan_nr(root, members);
	struct mk_kept *kept;
	int err = 0;

	if (nr > MK_ROUTE_PLAN_MOST)
		return -E2BIG;
	mutex_lock(&mk_plans_lock);
	kept = mk_kept_get(root, members, nr);
	if (IS_ERR(kept)) {
		err = PTR_ERR(kept);
	} else {
		memcpy(tree->node, kept->node, nr * sizeof(*tree->node));
		tree->nr = nr;
	}
	mutex_unlock(&mk_plans_lock);
	return err;
}

/**
 * mk_route_plans_bytes() - memory of the plans that are kept
 *
 * Context: process, may sleep.
 */
u64 mk_route_plans_bytes(void)
{
	u64 bytes;

	mutex_lock(&mk_plans_lock);
	bytes = mk_kept_bytes;
	mutex_unlock(&mk_plans_lock);
	return bytes;
}

/**
 * mk_route_plans_exit() - forget all plans
 *
 * Context: process, when nobody makes routes any more.
 */
void mk_route_plans_exit(void)
{
	mutex_lock(&mk_plans_lock);
	mk_kept_trim(0, mk_costs_version());
	mutex_unlock(&mk_plans_lock);
}
