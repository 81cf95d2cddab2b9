// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl run: run experiments, keep their results, print a table.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "csv.h"
#include "env.h"
#include "layout.h"
#include "mkctl.h"
#include "report.h"
#include "rundir.h"
#include "runner.h"
#include "settings.h"
#include "table.h"
#include "tune.h"

/* What was asked for, and what came of it. */
struct run {
	char **names;			/* in the order to run them */
	size_t nr;
	struct settings settings;
	const char *out;
	const char *counts_only;	/* why times mean nothing, or NULL */
	const char *root;		/* before /proc, /sys and /dev */
	int quiet, list, tune;

	struct tree tree;
	char *dir;
	json_t *env;
	struct csv csv;			/* results so far */
	char *counters;			/* rows of our own, as CSV */
	size_t counters_len;
};

static const struct argp_option options[] = {
	{ "set", 's', "[EXPERIMENT.]NAME=VALUE", 0,
	  "Set a parameter, of one experiment or of all that have it; put back afterwards", 0 },
	{ "cpus", 'c', "LIST", 0, "CPUs to run on, such as 0-3,8", 0 },
	{ "repeat", 'r', "N", 0, "Repeat each measurement N times", 0 },
	{ "out", 'o', "DIR", 0, "Where to write (results/<time>)", 0 },
	{ "quiet", 'q', NULL, 0, "Show no progress", 0 },
	{ "tune", 'T', NULL, 0,
	  "Set what spoils a measurement and can be put back; put it back afterwards", 0 },
	{ "root", 'R', "DIR", 0, "Look at the machine below DIR, for tests", 0 },
	{ "list", 'l', NULL, 0, "List the experiments, or the parameters of those named", 0 },
	{ "counts-only", 'C', "REASON", 0,
	  "Times mean nothing here, because of REASON: leave them out of the tables", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;
	size_t i;

	switch (key) {
	case 's':
		if (settings_parse(&run->settings, arg))
			exit(MKCTL_USAGE);
		return 0;
	case 'c':
		settings_add(&run->settings, NULL, "cpus", arg, "--cpus");
		return 0;
	case 'r':
		settings_add(&run->settings, NULL, "repeat", arg, "--repeat");
		return 0;
	case 'o':
		run->out = arg;
		return 0;
	case 'q':
		run->quiet = 1;
		return 0;
	case 'T':
		run->tune = 1;
		return 0;
	case 'R':
		run->root = arg;
		return 0;
	case 'l':
		run->list = 1;
		return 0;
	case 'C':
		run->counts_only = arg;
		return 0;
	case ARGP_KEY_ARG:
		for (i = 0; i < run->nr; i++)
			if (!strcmp(run->names[i], arg))
				return 0;
		run->names = mkctl_grow(run->names, run->nr + 1, sizeof(char *));
		run->names[run->nr++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[EXPERIMENT...]",
	.doc =
		"Run the experiments named, or all, and print a table.\n"
		"Writes DIR/<experiment>.csv, DIR/all.csv, DIR/env.json and the figures in\n"
		"DIR/report.html. Says what spoils the measurement and how to mend it.\n"
		"Needs root, since debugfs does.\n"
		"\vCtrl-C cancels the experiment that runs and keeps what is done.\n\n"
		"Exit status: 0 all done, 1 an experiment failed or a file cannot be\n"
		"written, 2 a wrong argument, 3 the module's tree cannot be reached,\n"
		"130 interrupted (128 and the signal).",
};

static int by_layout(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t i = layout_order(x), j = layout_order(y);

	if (i != j)
		return i < j ? -1 : 1;
	return strcmp(x, y);
}

/* Without names: all, in the order of the tables. */
static int choose(struct run *run)
{
	size_t i;
	int ret;

	for (i = 0; i < run->nr; i++) {
		ret = check_experiment(&run->tree, run->names[i]);
		if (ret)
			return ret;
	}
	if (run->nr || run->list)
		return MKCTL_OK;
	for (i = 0; i < run->tree.nr_experiments; i++) {
		run->names = mkctl_grow(run->names, i + 1, sizeof(char *));
		run->names[run->nr++] = run->tree.experiments[i];
	}
	if (!run->nr) {
		mkctl_error("the module has no experiments");
		return MKCTL_FAILED;
	}
	qsort(run->names, run->nr, sizeof(char *), by_layout);
	return MKCTL_OK;
}

static int write_env(const struct run *run)
{
	char *path = mkctl_printf("%s/env.json", run->dir);
	int ret = env_write(run->env, path);

	if (ret)
		mkctl_error("cannot write %s: %s", path, strerror(errno));
	free(path);
	return ret ? MKCTL_FAILED : MKCTL_OK;
}

/* Append "text" to the counters' CSV; takes it over. */
static void add_counter_text(struct run *run, char *text)
{
	size_t len = strlen(text);

	run->counters = mkctl_grow(run->counters, run->counters_len + len + 1, 1);
	memcpy(run->counters + run->counters_len, text, len + 1);
	run->counters_len += len;
	free(text);
}

/* What the counters gained since @before, as rows. */
static void count_gains(struct run *run, const char *name,
			const struct tree_counters *before)
{
	struct tree_counters after = tree_counters(&run->tree);
	const struct tree_counter *now, *then;
	const char *unit;
	char cpu[16];
	size_t i, j;

	for (i = 0; i < after.nr; i++) {
		now = &after.list[i];
		for (j = 0; j < before->nr; j++) {
			then = &before->list[j];
			if (then->cpu == now->cpu && !strcmp(then->name, now->name))
				break;
		}
		/* One that moved back was cleared meanwhile. */
		if (j == before->nr || now->value <= then->value)
			continue;
		if (!run->counters)
			add_counter_text(run, mkctl_printf("%s\n", CSV_HEADER));
		snprintf(cpu, sizeof(cpu), "%d", now->cpu);
		unit = strstr(now->name, "cycles") ? "cycles" : "count";
		add_counter_text(run, mkctl_printf("%s,%s,,%s,,,,0,%s,%llu,%s\n",
						   name, VARIANT_COUNTERS,
						   now->cpu < 0 ? "" : cpu, now->name,
						   (unsigned long long)(now->value - then->value),
						   unit));
	}
	tree_counters_free(&after);
}

/* The results that the module has of @name: to the file and to the tables. */
static int keep_results(struct run *run, const char *name)
{
	char *path = mkctl_printf("experiments/%s/results", name);
	char *file = mkctl_printf("%s.csv", name), error[512];
	int ret = MKCTL_OK;
	size_t len = 0;
	char *text;

	text = tree_read(&run->tree, path, &len);
	if (!text) {
		mkctl_error("cannot read the results of %s: %s", name,
			    strerror(errno));
		ret = MKCTL_FAILED;
	} else if (len) {
		/* Kept as they are, even if they turn out to be damaged. */
		if (rundir_write(run->dir, file, text, len))
			ret = MKCTL_FAILED;
		if (csv_add(&run->csv, file, text, len, error, sizeof(error))) {
			mkctl_error("%s", error);
			ret = MKCTL_FAILED;
		}
	}
	free(text);
	free(file);
	free(path);
	return ret;
}

static void note_run(struct run *run, const char *name, const char *status,
		     double seconds)
{
	struct tree_params params = tree_params(&run->tree, name);
	json_t *entry = json_object(), *values = json_object();
	size_t i;

	for (i = 0; i < params.nr; i++)
		json_object_set_new(values, params.list[i].name,
				    json_string(params.list[i].value));
	json_object_set_new(entry, "experiment", json_string(name));
	json_object_set_new(entry, "status", json_string(status));
	json_object_set_new(entry, "seconds", json_real(seconds));
	json_object_set_new(entry, "parameters", values);
	json_array_append_new(json_object_get(run->env, "runs"), entry);
	tree_params_free(&params);
}

static int run_one(struct run *run, size_t index)
{
	const char *name = run->names[index];
	struct progress progress;
	struct tree_counters before;
	int reason, ret = MKCTL_OK;
	size_t rows = run->csv.nr_rows;
	char *status;
	double seconds;

	before = tree_counters(&run->tree);
	progress_begin(&progress, name, index + 1, run->nr, run->quiet);
	reason = runner_run(&run->tree, name, 1, &progress);
	seconds = progress_clock() - progress.started;

	/* Where it did not begin, the results are those of somebody else. */
	if (reason != EBUSY && reason != EACCES && reason != EPERM) {
		ret = keep_results(run, name);
		count_gains(run, name, &before);
	}
	tree_counters_free(&before);

	if (!reason)
		status = mkctl_printf("%s", ret ? "its results are damaged" : "done");
	else if (runner_signal())
		status = mkctl_printf("interrupted");
	else
		status = mkctl_printf("failed: %s", runner_reason(reason));
	progress_end(&progress, status, run->csv.nr_rows - rows);
	if (reason && !runner_signal()) {
		mkctl_error("%s: %s", name, runner_reason(reason));
		ret = MKCTL_FAILED;
	}
	note_run(run, name, status, seconds);
	free(status);
	return ret;
}

static int run_all(struct run *run)
{
	int ret = MKCTL_OK;
	char error[512];
	size_t i;

	for (i = 0; i < run->nr; i++) {
		if (runner_signal()) {
			note_run(run, run->names[i], "not run", 0);
			continue;
		}
		ret |= run_one(run, i);
		/* After each: what is done is said, whatever comes. */
		ret |= write_env(run);
	}
	if (run->counters) {
		if (rundir_write(run->dir, "counters.csv", run->counters,
				 run->counters_len))
			ret = MKCTL_FAILED;
		if (csv_add(&run->csv, "counters.csv", run->counters,
			    run->counters_len, error, sizeof(error))) {
			mkctl_error("%s", error);
			ret = MKCTL_FAILED;
		}
	}
	ret |= write_env(run);
	if (rundir_write_csv(run->dir, "all.csv", &run->csv))
		ret = MKCTL_FAILED;
	return ret ? MKCTL_FAILED : MKCTL_OK;
}

/* The figures, for a browser. */
static int write_page(const struct run *run)
{
	struct report_run one = { .name = run->dir, .csv = run->csv, .env = run->env };
	struct report report = { .runs = &one, .nr = 1 };
	char *path = mkctl_printf("%s/report.html", run->dir);
	int ret = report_write(&report, path, report_html);

	free(path);
	return ret;
}

static int run_and_report(struct run *run)
{
	struct tune tune;
	int ret;

	/* Before anything is set: a signal must not keep it from being put back. */
	runner_catch_signals();
	tune_init(&tune, run->root);
	ret = settings_apply(&run->settings, &run->tree,
			     (const char *const *)run->names, run->nr);
	if (ret)
		return ret;
	ret = MKCTL_FAILED;
	run->dir = rundir_make(run->out);
	if (run->dir) {
		run->env = env_collect(&run->tree);
		if (run->counts_only)
			json_object_set_new(run->env, "counts_only",
					    json_string(run->counts_only));
		if (run->tune)
			tune_apply(&tune, run->env);
		tune_warn(&tune, run->env);
		/* Before the first experiment: can it be written at all? */
		ret = write_env(run);
	} else {
		ret = MKCTL_USAGE;
	}
	if (!ret) {
		csv_init(&run->csv);
		ret = run_all(run);
	}
	settings_restore(&run->settings, &run->tree);
	if (tune_restore(&tune))
		ret = MKCTL_FAILED;
	if (run->env && run->csv.names && write_page(run))
		ret = MKCTL_FAILED;
	if (run->env && run->csv.names) {
		table_print(stdout, &run->csv, run->env, mkctl_width());
		printf("\nwritten to %s\n", run->dir);
		csv_free(&run->csv);
	}
	json_decref(run->env);
	free(run->counters);
	free(run->dir);
	return runner_signal() ? 128 + runner_signal() : ret;
}

int cmd_run(int argc, char **argv)
{
	struct run run = { .root = "" };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &run);
	ret = tree_open(&run.tree);
	if (!ret) {
		ret = choose(&run);
		if (!ret)
			ret = run.list ? list_print(&run.tree, run.names, run.nr) :
					 run_and_report(&run);
		tree_close(&run.tree);
	}
	settings_free(&run.settings);
	free(run.names);
	return ret;
}
