// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl report: runs made before, as a page, as text, or for tools.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "csv.h"
#include "env.h"
#include "mkctl.h"
#include "report.h"
#include "rundir.h"
#include "table.h"

/* None is asked for: the name of the output tells, or it is text. */
enum format { FORMAT_TEXT, FORMAT_HTML, FORMAT_JSON, FORMAT_CSV, FORMAT_NONE };

static const char *const formats[] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_HTML] = "html",
	[FORMAT_JSON] = "json",
	[FORMAT_CSV] = "csv",
	NULL
};

struct report_args {
	char **dirs;
	size_t nr;
	enum format format;
	const char *output;
};

static const struct argp_option options[] = {
	{ "format", 'f', "FORMAT", 0,
	  "text: tables; html: a page; json; csv: all rows. By default as FILE ends", 0 },
	{ "output", 'o', "FILE", 0, "Write to FILE, whole or not at all", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;

	switch (key) {
	case 'f':
		args->format = args_choice(arg, "format", formats);
		return 0;
	case 'o':
		args->output = arg;
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
		"Several directories are set side by side in a page.\n"
		"Needs no root and no module.\n"
		"\vA file that is damaged is named on stderr and left out.\n\n"
		"Exit status: 0 all printed, 1 something could not be read, 2 a wrong argument.",
};

/* Take in one directory; an exit code. */
static int load(struct report *report, const char *dir)
{
	char *path = mkctl_printf("%s/env.json", dir), error[512];
	struct report_run *run;
	int bad;

	report->runs = mkctl_grow(report->runs, report->nr + 1,
				  sizeof(*report->runs));
	run = &report->runs[report->nr];
	csv_init(&run->csv);
	run->env = env_load(path, error, sizeof(error));
	free(path);
	if (*error)
		mkctl_error("%s", error);
	bad = rundir_load(dir, &run->csv);
	if (bad < 0) {
		mkctl_error("%s: no results there; it should hold files such as all.csv",
			    dir);
		csv_free(&run->csv);
		json_decref(run->env);
		return MKCTL_FAILED;
	}
	run->name = mkctl_printf("%s", dir);
	report->nr++;
	return bad || *error ? MKCTL_FAILED : MKCTL_OK;
}

/* Each of @dirs that holds a run, or else the runs inside it. */
static int load_all(struct report *report, char **dirs, size_t nr)
{
	size_t i, j, nr_inside;
	int ret = MKCTL_OK;
	char **inside;

	for (i = 0; i < nr; i++) {
		inside = rundir_used(dirs[i]) ? NULL : rundir_inside(dirs[i], &nr_inside);
		if (!inside) {
			ret |= load(report, dirs[i]);
			continue;
		}
		for (j = 0; j < nr_inside; j++) {
			ret |= load(report, inside[j]);
			free(inside[j]);
		}
		free(inside);
	}
	return ret ? MKCTL_FAILED : MKCTL_OK;
}

static void report_text(const struct report *report, FILE *out)
{
	const struct report_run *run;
	size_t i;
	char *line;

	for (i = 0; i < report->nr; i++) {
		run = &report->runs[i];
		line = run->env ? env_headline(run->env) :
		       mkctl_printf("where this was measured is not recorded");
		fprintf(out, "%s%s\n%s\n\n", i ? "\n" : "", run->name, line);
		free(line);
		table_print(out, &run->csv, run->env, mkctl_width());
	}
}

static void report_csv(const struct report *report, FILE *out)
{
	size_t i;

	fputs(CSV_HEADER "\n", out);
	for (i = 0; i < report->nr; i++)
		csv_write_rows(&report->runs[i].csv, out);
}

static void (*const writers[])(const struct report *report, FILE *out) = {
	[FORMAT_TEXT] = report_text,
	[FORMAT_HTML] = report_html,
	[FORMAT_JSON] = report_json,
	[FORMAT_CSV] = report_csv,
};

int report_write(const struct report *report, const char *path,
		 void (*write)(const struct report *report, FILE *out))
{
	char *next = mkctl_printf("%s.tmp", path);
	FILE *file = fopen(next, "we");
	int bad = !file;

	if (file) {
		write(report, file);
		bad = fflush(file) || ferror(file);
		if (fclose(file) || bad || rename(next, path))
			bad = 1;
	}
	if (bad) {
		mkctl_error("cannot write %s: %s", path, strerror(errno));
		if (file)
			unlink(next);
	}
	free(next);
	return bad ? MKCTL_FAILED : MKCTL_OK;
}

static enum format format_of(const char *output)
{
	const char *end = output ? strrchr(output, '.') : NULL;
	int format;

	for (format = FORMAT_HTML; end && format < FORMAT_NONE; format++)
		if (!strcmp(end + 1, formats[format]))
			return format;
	return FORMAT_TEXT;
}

int cmd_report(int argc, char **argv)
{
	struct report_args args = { .format = FORMAT_NONE };
	struct report report = { 0 };
	size_t i;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.format == FORMAT_NONE)
		args.format = format_of(args.output);
	ret = load_all(&report, args.dirs, args.nr);
	/* A page about nothing would look like an answer. */
	if (report.nr && args.output)
		ret |= report_write(&report, args.output, writers[args.format]);
	else if (report.nr)
		writers[args.format](&report, stdout);
	for (i = 0; i < report.nr; i++) {
		csv_free(&report.runs[i].csv);
		json_decref(report.runs[i].env);
		free(report.runs[i].name);
	}
	free(report.runs);
	free(args.dirs);
	return ret;
}
