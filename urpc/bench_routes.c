// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment routes: does everybody on a route do what an acknowledgment says
 * that it did, when all CPUs send to all at once? It counts; it times nothing.
 *
 * Each root sends numbered messages with words that both sides can compute. A
 * member writes the number down; when its root has all acknowledgments it reads
 * what the members wrote. Whoever has acknowledged without having written is
 * counted as unserved. The fault parameter breaks a side on purpose, so that the
 * counts can be seen to work.
 *
 * The variant is the shape: star, binary, chain, planned (trees), fanout (a board).
 * Size is the operations of each root. The control is the same with roots that
 * have no members.
 */
#include <linux/hash.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "urpc/bench.h"
#include "urpc/fanout.h"
#include "urpc/route_plan.h"

/* How long a root waits for the acknowledgments of one message. */
#define MK_ROUTES_JIFFIES	(HZ / 2)

/* Polls between two looks at the clock, and at whether to stop. */
#define MK_ROUTES_POLLS		64

/* One message in so many is broken by a fault. */
#define MK_ROUTES_EVERY		7

enum {
	P_PATTERN,
	P_MESSAGES,
	P_ROUNDS,
	P_FAULT,
	P_CPUS,
};

enum mk_routes_fault {
	MK_ROUTES_NO_FAULT,
	MK_ROUTES_SKIP,
	MK_ROUTES_EARLY,
	MK_ROUTES_CORRUPT,
};

enum mk_shape {
	MK_SHAPE_STAR,
	MK_SHAPE_BINARY,
	MK_SHAPE_CHAIN,
	MK_SHAPE_PLANNED,
	MK_SHAPE_FANOUT,
	MK_SHAPES
};

static const char *const shape_names[] = {
	[MK_SHAPE_STAR] = "star",
	[MK_SHAPE_BINARY] = "binary",
	[MK_SHAPE_CHAIN] = "chain",
	[MK_SHAPE_PLANNED] = "planned",
	[MK_SHAPE_FANOUT] = "fanout",
};

static const char *const pattern_choices[] = {
	"all_to_all", "one_to_all", NULL
};

static const char *const fault_choices[] = {
	[MK_ROUTES_NO_FAULT] = "none",
	[MK_ROUTES_SKIP] = "skip",
	[MK_ROUTES_EARLY] = "early",
	[MK_ROUTES_CORRUPT] = "corrupt",
	NULL
};

static const struct mk_param params[] = {
	[P_PATTERN] = {
		.name = "pattern", .help = "who is a root",
		.kind = MK_PARAM_CHOICE, .choices = pattern_choices,
	},
	[P_MESSAGES] = {
		.name = "messages", .help = "messages per root and round",
		.kind = MK_PARAM_U32, .min = 1, .max = 1000000, .def = 500,
	},
	[P_ROUNDS] = {
		.name = "rounds",
		.help = "rounds over all shapes, with a pause in which monitors block",
		.kind = MK_PARAM_U32, .min = 1, .max = 1000, .def = 1,
	},
	[P_FAULT] = {
		.name = "fault",
		.help = "members that skip, roots that do not wait or send wrong words",
		.kind = MK_PARAM_CHOICE, .choices = fault_choices,
	},
	[P_CPUS] = {
		.name = "cpus", .help = "CPUs that take part; the first is the one",
		.kind = MK_PARAM_CPUS,
	},
};

/* Words of the payload; the rest is computed from them. */
enum {
	W_ROUND,
	W_ROOT,
	W_NUMBER,
	W_REST,
};

/**
 * struct mk_root - a CPU that sends
 * @call: its loop
 * @round: what it takes part in
 * @cpu: which
 * @route: of a tree, or NULL
 * @fanout: or else this
 * @members: who has to acknowledge
 * @missing: who has not
 * @seen: by CPU: number of the last message there; written there
 * @operations: done
 * @acknowledged: members that acknowledged one, all together
 * @absent: members that did not, all together
 * @unserved: members that acknowledged and had not done it
 * @ret: why it ended early
 */
struct mk_root {
	struct mk_call call;
	struct mk_routes_round *round;
	int cpu;
	struct mk_route *route;
	struct mk_fanout *fanout;
	cpumask_var_t members, missing;
	u32 *seen;
	u64 operations, acknowledged, absent, unserved;
	int ret;
};

/**
 * struct mk_routes_round - one shape, once
 * @run: the run
 * @id: tells a late message of another round
 * @operations: of each root
 * @fault: see the parameter
 * @corrupted: messages with a wrong word
 * @root: by CPU; NULL for who is none
 */
struct mk_routes_round {
	struct mk_run *run;
	u64 id;
	u32 operations;
	enum mk_routes_fault fault;
	atomic_t corrupted;
	struct mk_root *root[];
};

/* For messages, which carry no pointer and may be late. */
static struct mk_routes_round __rcu *mk_routes_now;
static u64 mk_routes_ids;

static u64 mk_routes_word(const u64 *word, u32 i)
{
	return hash_64(word[W_ROOT] << 32 | word[W_NUMBER], 64) +
	       i * GOLDEN_RATIO_64;
}

/* Leaf: write the number down. */
static void mk_routes_leaf(struct mk_port *port, const u64 *word)
{
	struct mk_routes_round *round;
	struct mk_root *root = NULL;
	u32 i;

	rcu_read_lock();
	round = rcu_dereference(mk_routes_now);
	if (round && round->id == word[W_ROUND] && word[W_ROOT] < nr_cpu_ids)
		root = round->root[word[W_ROOT]];
	if (!root)
		goto out;
	for (i = W_REST; i < MK_ROUTE_WORDS; i++) {
		if (word[i] != mk_routes_word(word, i)) {
			atomic_inc(&round->corrupted);
			break;
		}
	}
	if (round->fault != MK_ROUTES_SKIP ||
	    word[W_NUMBER] % MK_ROUTES_EVERY != 1)
		WRITE_ONCE(root->seen[port->cpu], (u32)word[W_NUMBER]);
out:
	rcu_read_unlock();
}

static void mk_root_start(struct mk_root *root, u32 number)
{
	u64 word[MK_ROUTE_WORDS] = {
		[W_ROUND] = root->round->id,
		[W_ROOT] = root->cpu,
		[W_NUMBER] = number,
	};
	u32 i;

	for (i = W_REST; i < MK_ROUTE_WORDS; i++)
		word[i] = mk_routes_word(word, i);
	if (root->round->fault == MK_ROUTES_CORRUPT &&
	    number % MK_ROUTES_EVERY == 1)
		word[MK_ROUTE_WORDS - 1] ^= 1;
	if (root->fanout)
		mk_fanout_start(root->fanout, MK_TYPE_ROUTES, word);
	else
		mk_route_start(root->route, MK_TYPE_ROUTES, word);
}

static bool mk_root_gathered(struct mk_root *root)
{
	return root->fanout ? mk_fanout_gathered(root->fanout) :
			      mk_route_gathered(root->route);
}

static bool mk_root_stuck(struct mk_root *root)
{
	return root->fanout ? mk_fanout_stuck(root->fanout) :
			      mk_route_stuck(root->route);
}

/* Those who have acknowledged, by what the root knows, must have served it. */
static void mk_root_check(struct mk_root *root, u32 number)
{
	int cpu;

	for_each_cpu_andnot(cpu, root->members, root->missing) {
		root->acknowledged++;
		if (READ_ONCE(root->seen[cpu]) != number)
			root->unserved++;
	}
	root->absent += cpumask_weight(root->missing);
}

/* One message. Who is missing after the time is up is left so. */
static int mk_root_operate(struct mk_port *port, struct mk_root *root,
			   u32 number)
{
	unsigned long deadline = jiffies + MK_ROUTES_JIFFIES;
	bool gathered = false;
	u32 polls = 0;
	int err = 0;

	cpumask_clear(root->missing);
	mk_root_start(root, number);
	if (root->round->fault == MK_ROUTES_EARLY)
		mk_root_check(root, number);

	while (!err) {
		gathered = mk_root_gathered(root);
		if (gathered || mk_root_stuck(root))
			break;
		if (!mk_port_poll(port))
			cpu_relax();
		if (++polls % MK_ROUTES_POLLS)
			continue;
		err = mk_bench_step(root->round->run);
		if (time_after(jiffies, deadline))
			break;
	}
	if (!gathered && root->fanout)
		mk_fanout_missing(root->fanout, root->missing);
	else if (!gathered)
		mk_route_missing(root->route, root->missing);
	mk_root_check(root, number);
	root->operations++;
	return err;
}

static int mk_root_loop(struct mk_port *port, void *arg)
{
	struct mk_root *root = arg;
	int err = 0;
	u32 i;

	for (i = 1; i <= root->round->operations && !err; i++) {
		err = mk_root_operate(port, root, i);
		mk_port_poll(port);
		err = err ?: mk_bench_step(root->round->run);
	}
	return err;
}

static int mk_shape_parent(enum mk_shape shape, int i)
{
	switch (shape) {
	case MK_SHAPE_BINARY:
		return (i - 1) / 2;
	case MK_SHAPE_CHAIN:
		return i - 1;
	default:
		return 0;
	}
}

/* The root first, then the others in their order, from the root on. */
static void mk_shape_tree(enum mk_shape shape, int root,
			  const struct cpumask *members, struct mk_tree *tree)
{
	int cpu;

	tree->node[0].cpu = root;
	tree->nr = 1;
	for_each_cpu_wrap(cpu, members, root) {
		struct mk_tree_node *node = &tree->node[tree->nr];

		node->cpu = cpu;
		node->parent = mk_shape_parent(shape, tree->nr);
		tree->nr++;
	}
}

static struct mk_route *mk_shape_route(enum mk_shape shape, int root,
				       const struct cpumask *members)
{
	struct mk_route *route;
	struct mk_tree tree;
	int err = 0;

	tree.node = kvcalloc(cpumask_weight(members) + 1, sizeof(*tree.node),
			     GFP_KERNEL);
	if (!tree.node)
		return ERR_PTR(-ENOMEM);
	if (shape == MK_SHAPE_PLANNED)
		err = mk_route_plan(root, members, &tree);
	else
		mk_shape_tree(shape, root, members, &tree);
	route = err ? ERR_PTR(err) : mk_route_make(&tree, MK_ROUTE_CHILD);
	kvfree(tree.node);
	return route;
}

static void mk_root_free(struct mk_root *root)
{
	if (!root)
		return;
	if (!IS_ERR_OR_NULL(root->route))
		mk_route_free(root->route);
	if (!IS_ERR_OR_NULL(root->fanout))
		mk_fanout_free(root->fanout);
	free_cpumask_var(root->members);
	free_cpumask_var(root->missing);
	kvfree(root->seen);
	kfree(root);
}

static struct mk_root *mk_root_alloc(struct mk_routes_round *round, int cpu,
				     enum mk_shape shape,
				     const struct cpumask *members)
{
	struct mk_root *root = kzalloc(sizeof(*root), GFP_KERNEL);

	if (!root)
		return NULL;
	root->round = round;
	root->cpu = cpu;
	root->seen = kvcalloc(nr_cpu_ids, sizeof(*root->seen), GFP_KERNEL);
	if (!zalloc_cpumask_var(&root->members, GFP_KERNEL) ||
	    !zalloc_cpumask_var(&root->missing, GFP_KERNEL) || !root->seen)
		goto err_free;
	cpumask_copy(root->members, members);
	cpumask_clear_cpu(cpu, root->members);
	if (shape == MK_SHAPE_FANOUT)
		root->fanout = mk_fanout_make(cpu, root->members);
	else
		root->route = mk_shape_route(shape, cpu, root->members);
	if (!IS_ERR(root->fanout) && !IS_ERR(root->route))
		return root;
err_free:
	mk_root_free(root);
	return NULL;
}

static int mk_routes_report(struct mk_routes_round *round,
			    const struct mk_key *key)
{
	u64 roots = 0, operations = 0, acknowledged = 0, absent = 0;
	u64 unserved = 0, refused = 0;
	int cpu, err;

	for_each_possible_cpu(cpu) {
		const struct mk_root *root = round->root[cpu];

		if (!root)
			continue;
		roots++;
		operations += root->operations;
		acknowledged += root->acknowledged;
		absent += root->absent;
		unserved += root->unserved;
		refused += !!root->ret;
	}
	err = mk_run_value(round->run, key, "roots", "cpus", roots);
	err = err ?: mk_run_value(round->run, key, "operations", "messages",
				  operations);
	err = err ?: mk_run_value(round->run, key, "acknowledged", "messages",
				  acknowledged);
	err = err ?: mk_run_value(round->run, key, "missing", "messages",
				  absent);
	err = err ?: mk_run_value(round->run, key, "unserved", "messages",
				  unserved);
	err = err ?: mk_run_value(round->run, key, "corrupted", "messages",
				  atomic_read(&round->corrupted));
	return err ?: mk_run_value(round->run, key, "refused", "cpus", refused);
}

static void mk_routes_blow(struct mk_routes_round *round)
{
	int cpu;

	rcu_assign_pointer(mk_routes_now, round);
	for_each_possible_cpu(cpu) {
		struct mk_root *root = round->root[cpu];

		if (root)
			root->ret = mk_port_start(cpu, &root->call,
						  mk_root_loop, root);
	}
	for_each_possible_cpu(cpu) {
		struct mk_root *root = round->root[cpu];

		if (root && !root->ret)
			root->ret = mk_port_wait(&root->call);
	}
	RCU_INIT_POINTER(mk_routes_now, NULL);
	synchronize_rcu();
}

static int mk_routes_round(struct mk_run *run, const struct mk_key *key,
			   enum mk_shape shape, bool control)
{
	const struct cpumask *cpus = mk_run_cpus(run, P_CPUS);
	struct mk_routes_round *round;
	int cpu, err = 0;

	round = kvzalloc(struct_size(round, root, nr_cpu_ids), GFP_KERNEL);
	if (!round)
		return -ENOMEM;
	round->run = run;
	round->id = ++mk_routes_ids;
	round->operations = key->size;
	round->fault = mk_run_u32(run, P_FAULT);
	for_each_cpu(cpu, cpus) {
		round->root[cpu] = mk_root_alloc(round, cpu, shape,
						 control ? cpumask_of(cpu) :
							   cpus);
		if (!round->root[cpu])
			err = -ENOMEM;
		if (err || mk_run_u32(run, P_PATTERN))
			break;
	}
	if (!err) {
		mk_routes_blow(round);
		err = mk_routes_report(round, key);
	}
	for_each_possible_cpu(cpu)
		mk_root_free(round->root[cpu]);
	kvfree(round);
	/* Long enough for every monitor to go to sleep. */
	schedule_timeout_idle(2);
	return err ?: mk_run_stopped(run);
}

static int mk_routes_run(struct mk_run *run)
{
	u32 rounds = mk_run_u32(run, P_ROUNDS);
	struct mk_key key = {
		.cpu_a = -1, .cpu_b = -1, .mem_node = -1,
		.size = mk_run_u32(run, P_MESSAGES),
	};
	enum mk_shape shape;
	int err = 0;

	mk_route_leaf_set(MK_TYPE_ROUTES, mk_routes_leaf);
	for (; key.repeat < rounds && !err; key.repeat++) {
		key.variant = "control";
		err = mk_routes_round(run, &key, MK_SHAPE_STAR, true);
		for (shape = 0; shape < MK_SHAPES && !err; shape++) {
			key.variant = shape_names[shape];
			err = mk_routes_round(run, &key, shape, false);
			mk_run_progress(run, key.repeat * MK_SHAPES + shape + 1,
					rounds * MK_SHAPES);
		}
	}
	return err;
}

const struct mk_experiment mk_exp_routes = {
	.name = "routes",
	.help = "correctness of routes and fanout under load",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_routes_run,
};
