// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl top: what monitors do at the moment.
 */
#include <argp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "grid.h"
#include "machine.h"
#include "mirrors.h"
#include "mkctl.h"
#include "progress.h"
#include "runner.h"
#include "trace_check.h"
#include "tree.h"

#define SECONDS_MAX	3600
#define ROUNDS_MAX	1000000

struct top_args {
	double seconds;
	long rounds;		/* 0: until somebody ends it */
	int batch;
};

static const struct argp_option options[] = {
	{ "batch", 'b', NULL, 0, "One table below the other, for scripts", 0 },
	{ "iterations", 'n', "N", 0, "End after N tables", 0 },
	{ "delay", 'd', "SECONDS", 0, "Between two tables (1)", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_args *args = state->input;

	switch (key) {
	case 'b':
		args->batch = 1;
		return 0;
	case 'n':
		args->rounds = args_integer(arg, "iterations", 1, ROUNDS_MAX);
		return 0;
	case 'd':
		args->seconds = args_real(arg, "delay", 0.05, SECONDS_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc =
		"Show what the monitors do, for each CPU and node, each second anew: messages,\n"
		"polls, blocks and interrupts; shootdowns; mirrors and how local their walks are.\n"
		"Needs root and the module. q or Ctrl-C ends it.\n"
		"\vExit status: 0 done, 2 a wrong argument, 3 the module's tree cannot be\n"
		"reached.",
};

/* Columns of the table, each the rate of a sum of counters. */
static const struct {
	const char *head, *counter, *more;
} rates[] = {
	{ "sent/s", "messages_sent", "calls_sent" },
	{ "received/s", "messages_received", "calls_received" },
	{ "polls/s", "polls", NULL },
	{ "blocks/s", "blocks", NULL },
	{ "woken/s", "wakes", NULL },
	{ "IPIs/s", "ipis", NULL },
	{ "stalls/s", "credit_stalls", NULL },
};

#define NR_RATES	(sizeof(rates) / sizeof(rates[0]))

/* All that is read for one table. */
struct look {
	double time;
	struct tree_counters counters;
	struct trace_sums sums;
	struct mirrors mirrors;
	int64_t avoided;
};

static int64_t value_of(const struct tree *tree, const char *path)
{
	char *text = tree_read_line(tree, path);
	int64_t value = text ? atoll(text) : 0;

	free(text);
	return value;
}

static struct look look(const struct tree *tree)
{
	struct look now = { .time = progress_clock() };
	char *path;
	int i;

	now.counters = tree_counters(tree);
	now.sums = trace_sums(tree);
	now.mirrors = mirrors_read(tree);
	now.avoided = value_of(tree, "shootdown/choice/message");
	for (i = 0; i < MK_PROTOCOLS; i++) {
		path = mkctl_printf("shootdown/%s/lazies", trace_path_name(i));
		now.avoided += value_of(tree, path);
		free(path);
	}
	return now;
}

static void look_free(struct look *look)
{
	tree_counters_free(&look->counters);
	trace_sums_free(&look->sums);
	mirrors_free(&look->mirrors);
}

static uint64_t counter(const struct tree_counters *counters, const char *name, int cpu)
{
	size_t i;

	for (i = 0; name && i < counters->nr; i++)
		if (counters->list[i].cpu == cpu && !strcmp(counters->list[i].name, name))
			return counters->list[i].value;
	return 0;
}

static double rate(const struct look *then, const struct look *now, size_t index, int cpu)
{
	uint64_t a = counter(&then->counters, rates[index].counter, cpu) +
		     counter(&then->counters, rates[index].more, cpu);
	uint64_t b = counter(&now->counters, rates[index].counter, cpu) +
		     counter(&now->counters, rates[index].more, cpu);

	/* One that moved back is of a module that was loaded anew. */
	return b > a ? (b - a) / (now->time - then->time) : 0;
}

static void row(struct grid *grid, char *what, char *node, const double *values)
{
	size_t i;

	grid_row(grid);
	grid_cell(grid, 0, what);
	grid_cell(grid, 1, node);
	for (i = 0; i < NR_RATES; i++)
		grid_cell(grid, i + 2, grid_number(values[i]));
}

/* CPUs node by node, below each node its sum, and all at the end. */
static void print_cpus(const struct machine *machine, const struct look *then,
		       const struct look *now)
{
	struct grid_column columns[NR_RATES + 2] = { { "CPU", 0, 0 }, { "node", 0, 0 } };
	double values[NR_RATES], node[NR_RATES], all[NR_RATES] = { 0 };
	const struct machine_cpu *cpu;
	struct grid grid;
	size_t i, j, k;

	for (i = 0; i < NR_RATES; i++)
		columns[i + 2].head = rates[i].head;
	grid_init(&grid, columns, NR_RATES + 2);
	for (i = 0; i < machine->nr_nodes; i++) {
		memset(node, 0, sizeof(node));
		for (j = 0; j < machine->nr_cpus; j++) {
			cpu = &machine->cpus[j];
			if (cpu->node != machine->nodes[i].id)
				continue;
			for (k = 0; k < NR_RATES; k++) {
				values[k] = rate(then, now, k, cpu->id);
				node[k] += values[k];
				all[k] += values[k];
			}
			row(&grid, mkctl_printf("%d", cpu->id), mkctl_printf("%d", cpu->node),
			    values);
		}
		row(&grid, mkctl_printf("all of"), mkctl_printf("%d", machine->nodes[i].id),
		    node);
	}
	row(&grid, mkctl_printf("all"), NULL, all);
	grid_print(&grid, stdout, mkctl_width());
	grid_free(&grid);
}

static int64_t sum_of(const struct trace_sums *sums, const char *name)
{
	size_t i;

	for (i = 0; i < sums->nr; i++)
		if (!strcmp(sums->list[i].name, name))
			return sums->list[i].value;
	return 0;
}

static double gain(const struct look *then, const struct look *now, int protocol,
		   const char *what)
{
	char *name = mkctl_printf("shootdown/%s/%s", trace_path_name(protocol), what);
	int64_t more = sum_of(&now->sums, name) - sum_of(&then->sums, name);

	free(name);
	return more > 0 ? more / (now->time - then->time) : 0;
}

static void print_shootdowns(const struct look *then, const struct look *now)
{
	double operations, caused = 0, avoided;
	int i;

	for (i = 0; i < MK_PROTOCOLS; i++) {
		operations = gain(then, now, i, "operations");
		caused += gain(then, now, i, "ipis");
		if (operations > 0)
			printf("%s: %.1f shootdowns/s, %.1f messages/s, %.1f IPIs/s\n",
			       trace_path_name(i), operations, gain(then, now, i, "messages"),
			       gain(then, now, i, "ipis"));
	}
	avoided = (now->avoided - then->avoided) / (now->time - then->time);
	printf("shootdowns: %.1f IPIs/s caused, %.1f/s avoided\n", caused,
	       avoided > 0 ? avoided : 0);
}

static void print_mirrors(const struct mirrors *mirrors)
{
	const struct mirror *mirror;
	size_t i;

	for (i = 0; i < mirrors->nr; i++) {
		mirror = &mirrors->list[i];
		printf("mirror %ld %s: ", mirror->pid, mirror->comm);
		if (mirror_locality(mirror) < 0)
			printf("runs nowhere at the moment\n");
		else
			printf("%.0f%% of its walks local, %.0f%% with Linux's tables\n",
			       mirror_locality(mirror), mirror_master_locality(mirror));
	}
	if (!mirrors->nr)
		printf("no process is mirrored\n");
}

/* The next table is due, a key or a signal came: 0 to go on. */
static int wait_for(const struct top_args *args)
{
	struct pollfd key = { .fd = args->batch ? -1 : STDIN_FILENO, .events = POLLIN };
	double until = progress_clock() + args->seconds, left;
	char c;

	while ((left = until - progress_clock()) > 0 && !runner_signal()) {
		if (poll(&key, 1, left * 1000 + 1) <= 0)
			continue;
		if (read(STDIN_FILENO, &c, 1) != 1)
			key.fd = -1;	/* its end: nobody presses keys there */
		else if (c == 'q')
			return 1;
	}
	return runner_signal() != 0;
}

static int watch(const struct top_args *args, const struct tree *tree)
{
	struct look then = look(tree), now;
	struct machine machine;
	char error[256];
	long round;
	int ret = MKCTL_OK;

	for (round = 0; !ret && (!args->rounds || round < args->rounds); round++) {
		if (wait_for(args))
			break;
		now = look(tree);
		/* Each time anew: CPUs come and go. */
		if (machine_read(&machine, tree->root, NULL, error, sizeof(error))) {
			mkctl_error("%s; was the module unloaded?", error);
			ret = MKCTL_FAILED;
		} else {
			if (!args->batch)
				fputs("\033[H\033[J", stdout);
			else if (round)
				putchar('\n');
			print_cpus(&machine, &then, &now);
			print_shootdowns(&then, &now);
			print_mirrors(&now.mirrors);
			if (fflush(stdout))
				ret = MKCTL_FAILED;
		}
		machine_free(&machine);
		look_free(&then);
		then = now;
	}
	look_free(&then);
	return ret;
}

int cmd_top(int argc, char **argv)
{
	struct top_args args = { .seconds = 1 };
	struct tree tree;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (!isatty(STDOUT_FILENO))
		args.batch = 1;
	ret = tree_open(&tree);
	if (ret)
		return ret;
	runner_catch_signals();
	ret = watch(&args, &tree);
	tree_close(&tree);
	return ret;
}
