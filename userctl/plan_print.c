// SPDX-License-Identifier: GPL-2.0
/*
 * Printing plans.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "mkctl.h"
#include "plan_print.h"

static int broadcasts(const struct plan_result *result)
{
	return result->task->op != MK_PLAN_GATHER;
}

static int gathers(const struct plan_result *result)
{
	return result->task->op != MK_PLAN_BROADCAST;
}

/* --- text ------------------------------------------------------------------------ */

struct drawing {
	FILE *file;
	const struct mk_plan_hop *hops;
	const u64 *times;
	const u16 *node;
	unsigned int nr;
	unsigned int *first, *next;	/* child and sibling of each hop, 0: none */
	char *prefix;			/* what stands left of the present line */
};

/* Children follow each other in the list, though not one right after another. */
static void link_hops(struct drawing *drawing)
{
	unsigned int i, parent;

	for (i = drawing->nr - 1; i > 0; i--) {
		parent = drawing->hops[i].parent;
		drawing->next[i] = drawing->first[parent];
		drawing->first[parent] = i;
	}
}

static void draw_line(const struct drawing *drawing, unsigned int hop, const char *branch,
		      size_t depth)
{
	unsigned int core = drawing->hops[hop].core;
	int width = 40 - (int)(depth < 12 ? 3 * depth : 36);

	fprintf(drawing->file, "  %s%s%-*u node %-4u %10" PRIu64 "\n", drawing->prefix,
		branch, width, core, drawing->node[core], (uint64_t)drawing->times[hop]);
}

/* A tree with a line a core; nothing recursive, a tree may be as deep as long. */
static void draw_tree(struct drawing *drawing)
{
	unsigned int hop = 0;
	size_t depth = 0;

	drawing->first = mkctl_alloc(drawing->nr * sizeof(*drawing->first));
	drawing->next = mkctl_alloc(drawing->nr * sizeof(*drawing->next));
	drawing->prefix = mkctl_alloc(3 * (size_t)drawing->nr + 1);
	link_hops(drawing);
	draw_line(drawing, 0, "", 0);
	for (;;) {
		if (drawing->first[hop]) {
			if (hop)
				strcat(drawing->prefix + 3 * (depth - 1),
				       drawing->next[hop] ? "|  " : "   ");
			hop = drawing->first[hop];
			depth++;
		} else {
			while (hop && !drawing->next[hop]) {
				hop = drawing->hops[hop].parent;
				depth--;
				if (depth)
					drawing->prefix[3 * (depth - 1)] = '\0';
			}
			if (!hop)
				break;
			hop = drawing->next[hop];
		}
		draw_line(drawing, hop, drawing->next[hop] ? "|- " : "`- ", depth);
	}
	free(drawing->first);
	free(drawing->next);
	free(drawing->prefix);
}

static unsigned int count_nodes(const struct mk_plan_task *task)
{
	char *seen = mkctl_alloc(1 << 16);
	unsigned int nr = 0, i;
	u16 node;

	for (i = 0; i < task->nr; i++) {
		node = task->machine->node[task->member[i]];
		nr += !seen[node];
		seen[node] = 1;
	}
	free(seen);
	return nr;
}

static void print_comparison(FILE *file, const struct plan_result *result)
{
	u64 cycles = result->plan.cycles, other;
	unsigned int i;

	fprintf(file, "\nThe same score for the strategies");
	if (gathers(result))
		fprintf(file, ", which gather over their broadcast tree reversed");
	fprintf(file, "\n\n  %-12s %12s\n", "strategy", "cycles");
	for (i = 0; i < MK_PLAN_STRATEGIES; i++) {
		if (result->error[i]) {
			fprintf(file, "  %-12s %12s  needs a pair without a cost\n",
				mk_plan_strategy_name(i), "-");
			continue;
		}
		other = result->by[i].cycles;
		fprintf(file, "  %-12s %12" PRIu64, mk_plan_strategy_name(i), (uint64_t)other);
		if (other)
			fprintf(file, "  the plan takes %.1f %% less",
				100.0 * (double)(other - cycles) / (double)other);
		fputc('\n', file);
	}
	fprintf(file, "  %-12s %12" PRIu64 "\n", "planned", (uint64_t)cycles);
}

void plan_text(FILE *file, const struct plan_result *result)
{
	const struct mk_plan_task *task = result->task;
	unsigned int nodes = count_nodes(task);
	struct drawing drawing = {
		.file = file,
		.node = task->machine->node,
		.nr = task->nr,
	};

	fprintf(file, "%s: %u core%s on %u node%s, root %u: %" PRIu64 " cycles%s\n",
		mk_plan_op_name(task->op), task->nr, task->nr == 1 ? "" : "s", nodes,
		nodes == 1 ? "" : "s", task->member[0], (uint64_t)result->plan.cycles,
		task->op == MK_PLAN_2PC ? ", two rounds of the same" : "");
	if (broadcasts(result)) {
		fprintf(file, "\n%s\n\n",
			"Broadcast: children in the order of sending; the cycle at which each has the message");
		drawing.hops = result->plan.broadcast;
		drawing.times = result->plan.received;
		draw_tree(&drawing);
	}
	if (gathers(result)) {
		fprintf(file, "\n%s\n\n",
			"Gather: children in the order of arrival; the cycle at which each has acknowledged");
		drawing.hops = result->plan.gather;
		drawing.times = result->plan.acked;
		draw_tree(&drawing);
	}
	if (result->by)
		print_comparison(file, result);
}

/* --- json ------------------------------------------------------------------------ */

static json_t *checked(json_t *value)
{
	if (!value) {
		mkctl_error("out of memory");
		exit(MKCTL_FAILED);
	}
	return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, checked(value))) {
		mkctl_error("out of memory");
		exit(MKCTL_FAILED);
	}
}

/* Each core with its children, those without any too. */
static json_t *json_tree(const struct mk_plan_hop *hops, unsigned int nr)
{
	json_t *tree = checked(json_object()), **children;
	char name[16];
	unsigned int i;

	children = mkctl_alloc(nr * sizeof(json_t *));
	for (i = 0; i < nr; i++) {
		children[i] = checked(json_array());
		snprintf(name, sizeof(name), "%u", hops[i].core);
		set(tree, name, children[i]);
		if (i && json_array_append_new(children[hops[i].parent],
					       checked(json_integer(hops[i].core))))
			checked(NULL);
	}
	free(children);
	return tree;
}

static json_t *json_plan(const struct plan_result *result, const struct mk_plan *plan)
{
	json_t *object = checked(json_object());
	unsigned int nr = result->task->nr;

	set(object, "broadcast",
	    broadcasts(result) ? json_tree(plan->broadcast, nr) : json_object());
	set(object, "gather",
	    gathers(result) ? json_tree(plan->gather, nr) : json_object());
	set(object, "cycles", json_integer((json_int_t)plan->cycles));
	return object;
}

void plan_json(FILE *file, const struct plan_result *result)
{
	json_t *object = json_plan(result, &result->plan), *by;
	unsigned int i;

	if (result->by) {
		by = checked(json_object());
		for (i = 0; i < MK_PLAN_STRATEGIES; i++)
			set(by, mk_plan_strategy_name(i),
			    result->error[i] ? json_null() : json_plan(result, &result->by[i]));
		set(object, "strategies", by);
	}
	json_dumpf(object, file, 0);
	fputc('\n', file);
	json_decref(object);
}

/* --- dot -------------------------------------------------------------------------- */

static void dot_tree(FILE *file, const struct plan_result *result, const char *name,
		     const struct mk_plan_hop *hops, const u64 *times, int up)
{
	const struct mk_plan_task *task = result->task;
	unsigned int i, *place, from, to;

	place = mkctl_alloc(task->nr * sizeof(*place));
	fprintf(file, "\tsubgraph cluster_%s {\n\t\tlabel=\"%s\"\n", name, name);
	for (i = 0; i < task->nr; i++)
		fprintf(file, "\t\t%s%u [label=\"%u\\nnode %u\\n%" PRIu64 "\"]\n", name,
			hops[i].core, hops[i].core, task->machine->node[hops[i].core],
			(uint64_t)times[i]);
	for (i = 1; i < task->nr; i++) {
		from = hops[up ? i : hops[i].parent].core;
		to = hops[up ? hops[i].parent : i].core;
		fprintf(file, "\t\t%s%u -> %s%u [label=\"%u\"]\n", name, from, name, to,
			++place[hops[i].parent]);
	}
	fprintf(file, "\t}\n");
	free(place);
}

void plan_dot(FILE *file, const struct plan_result *result)
{
	const struct mk_plan *plan = &result->plan;

	fprintf(file, "digraph plan {\n\tlabel=\"%s: %" PRIu64 " cycles\"\n",
		mk_plan_op_name(result->task->op), (uint64_t)plan->cycles);
	if (broadcasts(result))
		dot_tree(file, result, "broadcast", plan->broadcast, plan->received, 0);
	if (gathers(result))
		dot_tree(file, result, "gather", plan->gather, plan->acked, 1);
	fprintf(file, "}\n");
}
