// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl report: the tables of runs made before.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "env.h"
#include "mkctl.h"
#include "rundir.h"
#include "table.h"

enum format { FORMAT_TEXT, FORMAT_CSV };

static const char *const formats[] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_CSV] = "csv",
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

struct report_args {
	char **dirs;
	size_t nr;
	enum format format;
};

static const struct argp_option options[] = {
	{ "format", 'f', "FORMAT", 0,
	  "text: tables (the default); csv: all rows as one CSV", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;
	size_t i;

	switch (key) {
	case 'f':
		for (i = 0; i < NR_FORMATS; i++)
			if (!strcmp(arg, formats[i]))
				break;
		if (i == NR_FORMATS) {
			mkctl_error("no format '%s'; there are: text, csv", arg);
			exit(MKCTL_USAGE);
		}
		args->format = i;
		return 0;
	case ARGP_KEY_ARG:
		args->dirs = mkctl_grow(args->dirs, args->nr + 1, sizeof(char *));
		args->dirs[args->nr++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		mkctl_error("name the directory of a run, such as results/<time>");
		exit(MKCTL_USAGE);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "DIR...",
	.doc =
		"Print the results in DIR, or in the directories right inside it.\n"
		"Needs no root and no module.\n"
		"\vA file that is damaged is named on stderr and left out.\n\n"
		"Exit status: 0 all printed, 1 something could not be read, 2 a wrong argument.",
};

static void print_heading(const char *dir, const json_t *env)
{
	char *line;

	if (env) {
		line = env_headline(env);
		printf("%s\n%s\n\n", dir, line);
		free(line);
	} else {
		printf("%s\nwhere this was measured is not recorded\n\n", dir);
	}
}

/* All the CSV of one directory as tables; an exit code. */
static int report_text(const char *dir)
{
	static int printed;
	char *path = mkctl_printf("%s/env.json", dir), error[512];
	json_t *env = env_load(path, error, sizeof(error));
	int bad, ret = MKCTL_OK;
	struct csv csv;

	free(path);
	if (*error) {
		mkctl_error("%s", error);
		ret = MKCTL_FAILED;
	}
	csv_init(&csv);
	bad = rundir_load(dir, &csv);
	if (bad)
		ret = MKCTL_FAILED;
	if (bad < 0) {
		mkctl_error("%s: no results there; it should hold files such as all.csv",
			    dir);
	} else {
		if (printed++)
			putchar('\n');
		print_heading(dir, env);
		table_print(stdout, &csv, env, mkctl_width());
	}
	csv_free(&csv);
	json_decref(env);
	return ret;
}

typedef int (*report_fn)(const char *dir, void *data);

/* Each of @dirs that holds a run, or else the runs inside it. */
static int report_each(char **dirs, size_t nr, report_fn report, void *data)
{
	size_t i, j, nr_inside;
	int ret = MKCTL_OK;
	char **inside;

	for (i = 0; i < nr; i++) {
		inside = rundir_used(dirs[i]) ? NULL : rundir_inside(dirs[i], &nr_inside);
		if (!inside) {
			ret |= report(dirs[i], data);
			continue;
		}
		for (j = 0; j < nr_inside; j++) {
			ret |= report(inside[j], data);
			free(inside[j]);
		}
		free(inside);
	}
	return ret ? MKCTL_FAILED : MKCTL_OK;
}

static int text_one(const char *dir, void *data)
{
	(void)data;
	return report_text(dir);
}

static int csv_one(const char *dir, void *data)
{
	int bad = rundir_load(dir, data);

	if (bad < 0)
		mkctl_error("%s: no results there; it should hold files such as all.csv",
			    dir);
	return bad ? MKCTL_FAILED : MKCTL_OK;
}

int cmd_report(int argc, char **argv)
{
	struct report_args args = { 0 };
	struct csv csv;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.format == FORMAT_CSV) {
		csv_init(&csv);
		ret = report_each(args.dirs, args.nr, csv_one, &csv);
		csv_write(&csv, stdout);
		csv_free(&csv);
	} else {
		ret = report_each(args.dirs, args.nr, text_one, NULL);
	}
	free(args.dirs);
	return ret;
}
