// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl list: what can be run and set.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "grid.h"
#include "mkctl.h"
#include "tree.h"

/* First line of the help, without the name that it begins with. */
static char *read_help(const struct tree *tree, const char *experiment)
{
	char *path = mkctl_printf("experiments/%s/help", experiment);
	char *line = tree_read_line(tree, path), *text;
	size_t len = strlen(experiment);

	free(path);
	if (!line)
		return mkctl_printf("%s", "");
	if (!strncmp(line, experiment, len) && line[len] == ':') {
		len++;
		text = mkctl_printf("%s", line + len + strspn(line + len, " "));
		free(line);
		line = text;
	}
	return line;
}

static void list_all(const struct tree *tree)
{
	char *help;
	size_t i;

	for (i = 0; i < tree->nr_experiments; i++) {
		help = read_help(tree, tree->experiments[i]);
		printf("%-20s %s\n", tree->experiments[i], help);
		free(help);
	}
}

static void list_one(const struct tree *tree, const char *experiment)
{
	static const struct grid_column columns[] = {
		{ "parameter", 1, 0 }, { "now", 1, 0 }, { "help", 1, 0 },
	};
	struct tree_params params = tree_params(tree, experiment);
	char *help = read_help(tree, experiment);
	const struct tree_param *param;
	struct grid grid;
	const char *text;
	size_t i;

	printf("%s: %s\n", experiment, help);
	grid_init(&grid, columns, 3);
	for (i = 0; i < params.nr; i++) {
		param = &params.list[i];
		/* The line of the help begins with the name: once is enough. */
		text = param->help;
		if (*text)
			text += strlen(param->name);
		text += strspn(text, " \t:");
		grid_row(&grid);
		grid_cell(&grid, 0, mkctl_printf("%s", param->name));
		grid_cell(&grid, 1, mkctl_printf("%s", *param->value ? param->value : "-"));
		grid_cell(&grid, 2, *text ? mkctl_printf("%s", text) : NULL);
	}
	if (params.nr)
		grid_print(&grid, stdout, 200);
	else
		printf("it has no parameters\n");
	grid_free(&grid);
	free(help);
	tree_params_free(&params);
}

int list_print(const struct tree *tree, char **names, size_t nr)
{
	size_t i;

	if (!nr)
		list_all(tree);
	for (i = 0; i < nr; i++) {
		if (i)
			putchar('\n');
		list_one(tree, names[i]);
	}
	return MKCTL_OK;
}

int check_experiment(const struct tree *tree, const char *name)
{
	char *names;

	if (tree_has(tree, name))
		return MKCTL_OK;
	names = tree_experiment_names(tree);
	mkctl_error("no experiment '%s'; there are: %s", name, names);
	free(names);
	return MKCTL_USAGE;
}

struct list_args {
	char **names;
	size_t nr;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct list_args *args = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	args->names = mkctl_grow(args->names, args->nr + 1, sizeof(char *));
	args->names[args->nr++] = arg;
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "[EXPERIMENT...]",
	.doc =
		"List the experiments, or the parameters of those named.\n"
		"Needs root, since debugfs does.\n"
		"\vExit status: 0 done, 2 no such experiment, 3 the module's tree\n"
		"cannot be reached.",
};

int cmd_list(int argc, char **argv)
{
	struct list_args args = { 0 };
	struct tree tree;
	size_t i;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	ret = tree_open(&tree);
	if (!ret) {
		for (i = 0; i < args.nr && !ret; i++)
			ret = check_experiment(&tree, args.names[i]);
		if (!ret)
			ret = list_print(&tree, args.names, args.nr);
		tree_close(&tree);
	}
	free(args.names);
	return ret;
}
