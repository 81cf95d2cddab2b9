// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl topo: nodes, distances, and what messages cost between CPUs.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "cmd.h"
#include "costs_store.h"
#include "mkctl.h"
#include "rundir.h"
#include "runner.h"
#include "settings.h"
#include "topo.h"

#define EXPERIMENT	"urpc_latency"

/* What the experiment costs leaves in topology/costs/. */
#define COSTS		"costs"

#define NO_COSTS \
	"there are no costs to export; say: mkctl topo --measure --export %s"

static const char *const cost_files[] = { "send", "receive", "rtt" };

#define NR_COST_FILES (sizeof(cost_files) / sizeof(cost_files[0]))

struct topo_args {
	const char *format, *import, *store, *export, *metric;
	int measure;
};

static const struct argp_option options[] = {
	{ "measure", 'm', NULL, 0, "Measure first: run " EXPERIMENT " on all pairs", 0 },
	{ "import", 'i', "FILE|DIR", 0,
	  "Costs from this file: results of " EXPERIMENT ", or src dst cycles stderr; "
	  "from DIR: send, receive, rtt, into the module", 0 },
	{ "export", 'e', "FILE|DIR", 0,
	  "Write the costs there: src dst cycles stderr; into DIR: send, receive, rtt, nodes", 0 },
	{ "metric", 'M', "METRIC", 0, "round_trip (the default) or one_way", 0 },
	{ "format", 'f', "FORMAT", 0, "text (the default), json, csv", 0 },
	{ 0 }
};

static const char *const formats[] = { "text", "json", "csv", NULL };
static const char *const metrics[] = { "round_trip", "one_way", NULL };

static const struct args_text texts[] = {
	{ 'i', offsetof(struct topo_args, import) },
	{ 'e', offsetof(struct topo_args, export) },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct topo_args *args = state->input;

	switch (key) {
	case 'm':
		args->measure = 1;
		return 0;
	case 'M':
		args->metric = metrics[args_choice(arg, "metric", metrics)];
		return 0;
	case 'f':
		args->format = formats[args_choice(arg, "format", formats)];
		return 0;
	default:
		return args_text(key, arg, texts, args);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc =
		"Show CPUs and nodes, their distances, and what messages cost between CPUs,\n"
		"as the last run of " EXPERIMENT " found.\n"
		"Costs need root and the module, or --import FILE; the rest needs neither.\n"
		"\vExit status: 0 done, 1 something cannot be read, measured or written,\n"
		"2 a wrong argument, 3 the module's tree cannot be reached, 130 interrupted.",
};

static int is_dir(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int measure(const struct tree *tree, const char *experiment)
{
	const char *const chosen[] = { experiment };
	struct settings settings = { 0 };
	struct progress progress;
	int reason, ret;

	ret = check_experiment(tree, experiment);
	if (ret)
		return ret;
	settings_add(&settings, experiment, "pairs", "all", "--measure");
	ret = settings_apply(&settings, tree, chosen, 1);
	if (!ret) {
		runner_catch_signals();
		progress_begin(&progress, experiment, 1, 1, 0);
		reason = runner_run(tree, experiment, 0, &progress);
		progress_end(&progress, reason ? runner_reason(reason) : "done", 0);
		if (reason && !runner_signal())
			mkctl_error("%s: %s", experiment, runner_reason(reason));
		ret = reason ? MKCTL_FAILED : MKCTL_OK;
	}
	settings_restore(&settings, tree);
	settings_free(&settings);
	return ret;
}

/* @machine: is to be the one that the results are of, unless it is NULL. */
static int read_results(struct topo_costs *costs, struct machine *machine,
			const char *name, const char *text, size_t len,
			const char *metric)
{
	struct csv csv;
	char error[512];
	int ret;

	csv_init(&csv);
	ret = csv_add(&csv, name, text, len, error, sizeof(error));
	if (!ret)
		ret = topo_results(costs, &csv, metric, error, sizeof(error));
	if (ret)
		mkctl_error("%s", error);
	else if (machine)
		topo_machine(machine, costs, &csv);
	csv_free(&csv);
	return ret ? MKCTL_FAILED : MKCTL_OK;
}

static int import(struct topo_costs *costs, struct machine *machine,
		  const struct topo_args *args)
{
	char error[512], *text;
	int ret = MKCTL_OK;
	size_t len;

	text = file_read(args->import, &len);
	if (!text) {
		mkctl_error("cannot read %s: %s", args->import, strerror(errno));
		return MKCTL_FAILED;
	}
	if (!strncmp(text, "test,", 5)) {
		ret = read_results(costs, machine, args->import, text, len, args->metric);
	} else if (topo_import(costs, args->import, error, sizeof(error))) {
		mkctl_error("%s", error);
		ret = MKCTL_FAILED;
	} else {
		topo_machine(machine, costs, NULL);
	}
	free(text);
	return ret;
}

/* The results of a run since the module was loaded, if there was one. */
static int read_tree(struct topo_costs *costs, const struct tree *tree, const char *metric)
{
	char *text = NULL;
	size_t len = 0;
	int ret = MKCTL_OK;

	if (tree_has(tree, EXPERIMENT))
		text = tree_read(tree, "experiments/" EXPERIMENT "/results", &len);
	if (text && len)
		ret = read_results(costs, NULL, EXPERIMENT, text, len, metric);
	free(text);
	return ret;
}

/* The node of each CPU, as mkctl plan takes it. */
static int export_nodes(const struct machine *machine, const char *dir)
{
	char *text = NULL;
	size_t len, i;
	FILE *out;
	int ret;

	out = open_memstream(&text, &len);
	for (i = 0; out && i < machine->nr_cpus; i++)
		fprintf(out, "%d %d\n", machine->cpus[i].id, machine->cpus[i].node);
	if (!out || fclose(out)) {
		mkctl_error("out of memory");
		return MKCTL_FAILED;
	}
	ret = rundir_write(dir, "nodes", text, len);
	free(text);
	return ret ? MKCTL_FAILED : MKCTL_OK;
}

/* The module's matrices, and the nodes, into the directory @dir. */
static int export_dir(const struct tree *tree, const struct machine *machine, const char *dir)
{
	int ret = MKCTL_OK;
	char *text, *from;
	size_t i, len = 0;

	for (i = 0; i < NR_COST_FILES && !ret; i++) {
		from = mkctl_printf("topology/costs/%s", cost_files[i]);
		text = tree ? tree_read(tree, from, &len) : NULL;
		/* behind the first line, a comment, stands what was measured */
		if (text && strchr(text, '\n') && strchr(text, '\n')[1]) {
			ret = rundir_write(dir, cost_files[i], text, len) ? MKCTL_FAILED : MKCTL_OK;
		} else {
			mkctl_error(NO_COSTS, dir);
			ret = MKCTL_FAILED;
		}
		free(text);
		free(from);
	}
	return ret ? ret : export_nodes(machine, dir);
}

static int show(const struct topo_args *args, const struct machine *machine,
		const struct topo_costs *costs)
{
	char *title = args->import ? mkctl_printf("%s", args->import) :
				     mkctl_printf(EXPERIMENT ", %s", args->metric);
	int ret = MKCTL_OK;

	if (is_dir(args->export)) {
		;	/* done, see look() */
	} else if (args->export && !costs->cpus) {
		mkctl_error(NO_COSTS, args->export);
		ret = MKCTL_FAILED;
	} else if (args->export && topo_export(costs, args->export, title)) {
		mkctl_error("cannot write %s: %s", args->export, strerror(errno));
		ret = MKCTL_FAILED;
	}
	if (!strcmp(args->format, "json"))
		topo_print_json(machine, costs, title);
	else if (!strcmp(args->format, "csv"))
		topo_print_csv(machine, costs);
	else
		topo_print_text(machine, costs, title);
	free(title);
	return ret;
}

/* Costs and machine of this one; @tree is NULL where there is no module. */
static int look(struct topo_costs *costs, struct machine *machine,
		const struct tree *tree, const struct topo_args *args)
{
	char error[512];
	int ret = MKCTL_OK;

	if (args->store)
		ret = costs_store(tree, args->store);
	if (args->measure)
		ret = measure(tree, is_dir(args->export) ? COSTS : EXPERIMENT);
	if (!ret && tree)
		ret = read_tree(costs, tree, args->metric);
	if (!ret && machine_read(machine, tree ? tree->root : NULL, "/sys", error,
				 sizeof(error))) {
		mkctl_error("%s", error);
		ret = MKCTL_FAILED;
	}
	if (!ret && is_dir(args->export))
		ret = export_dir(tree, machine, args->export);
	return ret;
}

int cmd_topo(int argc, char **argv)
{
	struct topo_args args = { .format = "text", .metric = "round_trip" };
	struct topo_costs costs = { 0 };
	struct machine machine = { 0 };
	struct tree tree;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.measure && args.import) {
		mkctl_error("--measure and --import both say where costs are from: give one");
		return MKCTL_USAGE;
	}
	if (args.import && is_dir(args.export)) {
		mkctl_error("a directory takes costs of this machine; take a file with --import");
		return MKCTL_USAGE;
	}
	if (is_dir(args.import)) {
		args.store = args.import;
		args.import = NULL;
	}
	if (args.import) {
		ret = import(&costs, &machine, &args);
	} else if (args.measure || args.store || !access(tree_root(), R_OK)) {
		ret = tree_open(&tree);
		if (ret)
			return ret;
		ret = look(&costs, &machine, &tree, &args);
		tree_close(&tree);
	} else {
		ret = look(&costs, &machine, NULL, &args);
	}
	if (!ret)
		ret = show(&args, &machine, &costs);
	machine_free(&machine);
	topo_free(&costs);
	return runner_signal() ? 128 + runner_signal() : ret;
}
