// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl plan: trees for broadcasts and gathers, from measured costs.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "costs.h"
#include "mkctl.h"
#include "plan_print.h"

enum { KEY_COMPARE = 256, KEY_BURST, KEY_ONE_TREE };

typedef void (*print_fn)(FILE *file, const struct plan_result *result);

static const char *const formats[] = { "text", "json", "dot", NULL };
static const print_fn writers[] = { plan_text, plan_json, plan_dot };

struct plan_args {
	const char *send, *receive, *nodes, *burst, *members;
	long root;
	int op;
	int compare, one_tree;
	print_fn print;
};

static const struct argp_option options[] = {
	{ "send", 's', "FILE", 0, "cycles that a send keeps the sender busy", 0 },
	{ "receive", 'r', "FILE", 0, "cycles that a receive keeps the receiver busy", 0 },
	{ "nodes", 'n', "N|FILE", 0,
	  "number of nodes of equally many consecutive cores, or lines 'core node'", 0 },
	{ "op", 'o', "OP", 0, "broadcast, gather, both or 2pc", 0 },
	{ "root", 'c', "C", 0, "core that begins, instead of the first member", 0 },
	{ "members", 'm', "LIST", 0, "cores that take part, such as 0-3,8, instead of all", 0 },
	{ "burst", KEY_BURST, "LIST", 0,
	  "factors of the first, second ... send in a row, such as 1.4,1,0.9; 1 if not given", 0 },
	{ "one-tree", KEY_ONE_TREE, NULL, 0,
	  "gather over the broadcast tree, as routes in the module do", 0 },
	{ "compare", KEY_COMPARE, NULL, 0, "score the strategies of the literature too", 0 },
	{ "format", 'f', "FORMAT", 0, "text (the default), json or dot", 0 },
	{ 0 }
};

static int find_op(const char *name)
{
	const char *names[MK_PLAN_OPS + 1] = { NULL };
	int op;

	for (op = 0; op < MK_PLAN_OPS; op++)
		names[op] = mk_plan_op_name(op);
	return args_choice(name, "operation", names);
}

/* A number below MK_PLAN_CORES, up to *@end; -1 if there is none. */
static long find_core(const char *text, char **end)
{
	long core;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	core = strtol(text, end, 10);
	return errno || core >= MK_PLAN_CORES ? -1 : core;
}

static const struct args_text texts[] = {
	{ 's', offsetof(struct plan_args, send) },
	{ 'r', offsetof(struct plan_args, receive) },
	{ 'n', offsetof(struct plan_args, nodes) },
	{ 'm', offsetof(struct plan_args, members) },
	{ KEY_BURST, offsetof(struct plan_args, burst) },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct plan_args *args = state->input;
	char *end;

	switch (key) {
	case 'o':
		args->op = find_op(arg);
		return 0;
	case 'f':
		args->print = writers[args_choice(arg, "format", formats)];
		return 0;
	case 'c':
		args->root = find_core(arg, &end);
		if (args->root >= 0 && !*end)
			return 0;
		mkctl_error("no core '%s'; --root takes the number of one", arg);
		exit(MKCTL_USAGE);
	case KEY_ONE_TREE:
		args->one_tree = 1;
		return 0;
	case KEY_COMPARE:
		args->compare = 1;
		return 0;
	case ARGP_KEY_END:
		if (args->send && args->receive && args->nodes && args->op >= 0)
			return 0;
		mkctl_error("%s is missing; --send, --receive, --nodes and --op are needed",
			    !args->send ? "--send" : !args->receive ? "--receive" :
			    !args->nodes ? "--nodes" : "--op");
		exit(MKCTL_USAGE);
	default:
		return args_text(key, arg, texts, args);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc =
		"Plan the trees over which a broadcast, the gathering of its acknowledgments, or both cost least, from the measured costs of messages between cores.\n"
		"Needs no root and no module.\n"
		"\vThe files have lines 'src dst cycles stderr'; lines that begin with # and those where src is dst are skipped.\n\n"
		"Exit status: 0 planned, 1 a file cannot be used or its costs do not connect the members, 2 a wrong argument.",
};

/* --- members -------------------------------------------------------------------- */

/* Marks the cores of @list; 0, or an exit code after saying what is wrong. */
static int mark_members(const char *list, unsigned int cores, char *member)
{
	const char *at = list;
	long first, last;
	char *end;

	do {
		first = find_core(at, &end);
		last = first;
		if (first >= 0 && *end == '-') {
			at = end + 1;
			last = find_core(at, &end);
		}
		if (first < 0 || last < first || (*end && *end != ',')) {
			mkctl_error("--members takes cores such as 0-3,8");
			return MKCTL_USAGE;
		}
		if (last >= cores) {
			mkctl_error("there are no costs for core %ld; the files have cores 0 to %u",
				    last, cores - 1);
			return MKCTL_USAGE;
		}
		memset(member + first, 1, last - first + 1);
		at = end + 1;
	} while (*end);
	return MKCTL_OK;
}

/* The members of @task with its root first; as mark_members(). */
static int find_members(const struct plan_args *args, unsigned int cores,
			struct mk_plan_task *task, u16 *members)
{
	char *member = mkctl_alloc(cores);
	long root = args->root;
	unsigned int core;
	int ret = MKCTL_OK;

	if (args->members)
		ret = mark_members(args->members, cores, member);
	else
		memset(member, 1, cores);
	if (root < 0 && !ret)
		root = (char *)memchr(member, 1, cores) - member;
	if (!ret && (root >= cores || !member[root])) {
		mkctl_error("root %ld is not among the members", root);
		ret = MKCTL_USAGE;
	}
	if (!ret) {
		members[task->nr++] = root;
		for (core = 0; core < cores; core++)
			if (member[core] && core != root)
				members[task->nr++] = core;
	}
	free(member);
	return ret;
}

/* --- plans ------------------------------------------------------------------------ */

static void plan_alloc(struct mk_plan *plan, unsigned int nr)
{
	plan->broadcast = mkctl_alloc(nr * sizeof(*plan->broadcast));
	plan->gather = mkctl_alloc(nr * sizeof(*plan->gather));
	plan->received = mkctl_alloc(nr * sizeof(*plan->received));
	plan->acked = mkctl_alloc(nr * sizeof(*plan->acked));
}

static void plan_free(struct mk_plan *plan)
{
	free(plan->broadcast);
	free(plan->gather);
	free(plan->received);
	free(plan->acked);
}

static int plan_and_print(const struct plan_args *args, const struct mk_plan_task *task)
{
	void *memory = mkctl_alloc(mk_plan_bytes(task->nr));
	struct mk_plan by[MK_PLAN_STRATEGIES] = { 0 };
	struct plan_result result = { .task = task };
	int i, ret;

	plan_alloc(&result.plan, task->nr);
	ret = mk_plan_make(task, memory, &result.plan);
	if (ret == -ENETUNREACH)
		mkctl_error("the costs do not connect core %u with all members: %s",
			    task->member[0], strerror(-ret));
	else if (ret)
		mkctl_error("cannot plan this: %s", strerror(-ret));
	for (i = 0; i < MK_PLAN_STRATEGIES && !ret && args->compare; i++) {
		plan_alloc(&by[i], task->nr);
		result.error[i] = mk_plan_by(task, i, memory, &by[i]);
		result.by = by;
	}
	if (!ret)
		args->print(stdout, &result);
	plan_free(&result.plan);
	for (i = 0; i < MK_PLAN_STRATEGIES; i++)
		plan_free(&by[i]);
	free(memory);
	return ret ? MKCTL_FAILED : MKCTL_OK;
}

int cmd_plan(int argc, char **argv)
{
	struct plan_args args = { .root = -1, .op = -1, .print = plan_text };
	struct mk_plan_task task = { 0 };
	int ret = MKCTL_FAILED;
	struct costs costs = { 0 };
	char error[1024];
	u16 *members;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.compare && args.print == plan_dot) {
		mkctl_error("--compare has no drawing; take --format text or json");
		return MKCTL_USAGE;
	}
	if (args.burst && costs_burst(&costs, args.burst, error, sizeof(error))) {
		mkctl_error("%s", error);
		return MKCTL_USAGE;
	}
	if (costs_load(&costs, args.send, args.receive, error, sizeof(error)) ||
	    costs_nodes(&costs, args.nodes, error, sizeof(error))) {
		mkctl_error("%s", error);
		costs_free(&costs);
		return MKCTL_FAILED;
	}
	members = mkctl_alloc(costs.machine.cores * sizeof(*members));
	task.machine = &costs.machine;
	task.member = members;
	task.op = args.op;
	task.one_tree = args.one_tree;
	ret = find_members(&args, costs.machine.cores, &task, members);
	if (!ret)
		ret = plan_and_print(&args, &task);
	free(members);
	costs_free(&costs);
	return ret;
}
