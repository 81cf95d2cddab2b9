// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl model: what the experiments would say on a machine that is not at hand.
 */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "env.h"
#include "forecast.h"
#include "mkctl.h"
#include "rundir.h"

enum { KEY_RTT = 256 };

struct model_args {
	const char *machine, *topology, *send, *receive, *nodes, *rtt, *out;
	const char **sets;
	size_t nr_sets;
	int quiet;
};

static const struct argp_option options[] = {
	{ "machine", 'm', "FILE", 0, "a description: levels of cores, and parts", 0 },
	{ "topology", 'T', "8x64", 0,
	  "nodes x cores, or boards x nodes x cores and so on, with assumed costs", 0 },
	{ "send", 's', "FILE", 0, "measured instead: cycles that a send keeps the sender busy", 0 },
	{ "receive", 'r', "FILE", 0, "cycles that a receive keeps the receiver busy", 0 },
	{ "nodes", 'n', "N|FILE", 0,
	  "number of nodes of equally many consecutive cores, or lines 'core node'", 0 },
	{ "rtt", KEY_RTT, "FILE", 0, "round trips measured there: how far is the model off?", 0 },
	{ "set", 'S', "NAME=VALUE", 0, "a part, such as ipi_send=400; may be repeated", 0 },
	{ "out", 'o', "DIR", 0, "where to write, instead of results/<time>", 0 },
	{ "quiet", 'q', NULL, 0, "do not print the summary; it is written all the same", 0 },
	{ 0 }
};

static const struct args_text texts[] = {
	{ 'm', offsetof(struct model_args, machine) },
	{ 'T', offsetof(struct model_args, topology) },
	{ 's', offsetof(struct model_args, send) },
	{ 'r', offsetof(struct model_args, receive) },
	{ 'n', offsetof(struct model_args, nodes) },
	{ KEY_RTT, offsetof(struct model_args, rtt) },
	{ 'o', offsetof(struct model_args, out) },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct model_args *args = state->input;

	switch (key) {
	case 'S':
		args->sets = mkctl_grow(args->sets, args->nr_sets + 1, sizeof(*args->sets));
		args->sets[args->nr_sets++] = arg;
		return 0;
	case 'q':
		args->quiet = 1;
		return 0;
	default:
		return args_text(key, arg, texts, args);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc =
		"Predict figures 3, 6, 7 and 8 of the Multikernel paper for a machine that is not at hand, by a model of what its parts cost.\n"
		"Needs no root and no module.\n"
		"\vThe machine is --machine, --topology, or --send, --receive and --nodes, to which --machine may add parts. mkctl-model(1) has the files, the model and its assumptions.\n\n"
		"Exit status: 0 written, 1 a file cannot be used or written, 2 a wrong argument.",
};

/* MKCTL_OK, or MKCTL_USAGE after saying which arguments are wrong. */
static int check_args(const struct model_args *args)
{
	int matrices = !!args->send + !!args->receive + !!args->nodes;

	if (matrices && matrices != 3) {
		mkctl_error("%s is missing; --send, --receive and --nodes belong together",
			    !args->send ? "--send" : !args->receive ? "--receive" : "--nodes");
		return MKCTL_USAGE;
	}
	if (!args->machine && !args->topology && !matrices) {
		mkctl_error("name a machine: --topology, --machine, or --send and the rest");
		return MKCTL_USAGE;
	}
	if (args->topology && (args->machine || matrices)) {
		mkctl_error("--topology is a machine already; --set changes its parts");
		return MKCTL_USAGE;
	}
	return MKCTL_OK;
}

static int load(const struct model_args *args, struct blueprint *b)
{
	char error[1024];
	size_t i;

	if (args->topology && blueprint_topology(b, args->topology, error, sizeof(error))) {
		mkctl_error("%s", error);
		return MKCTL_USAGE;
	}
	if ((args->machine && blueprint_load(b, args->machine, error, sizeof(error))) ||
	    (args->send && blueprint_matrices(b, args->send, args->receive, args->nodes,
					      error, sizeof(error)))) {
		mkctl_error("%s", error);
		return MKCTL_FAILED;
	}
	if (!b->cores) {
		mkctl_error("%s has no levels; it needs --send, --receive and --nodes then",
			    args->machine);
		return MKCTL_FAILED;
	}
	for (i = 0; i < args->nr_sets; i++) {
		if (!blueprint_set(b, args->sets[i], error, sizeof(error)))
			continue;
		mkctl_error("%s", error);
		return MKCTL_USAGE;
	}
	return MKCTL_OK;
}

/* What env.json says of a run: here that it is none. */
static int write_env(const char *dir, const struct blueprint *b,
		     const struct forecast_error *error)
{
	json_t *env = json_object(), *parts = json_object(), *nodes = json_array();
	char *path = mkctl_printf("%s/env.json", dir), stamp[64] = "";
	time_t now = time(NULL);
	unsigned int i;
	struct tm tm;
	int ret;

	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &tm);
	json_object_set_new(env, "format", json_integer(1));
	json_object_set_new(env, "mkctl", json_string(MKCTL_VERSION));
	json_object_set_new(env, "time", json_string(stamp));
	json_object_set_new(env, "modelled", json_string(b->name));
	json_object_set_new(env, "cpu", json_pack("{s:i}", "online", (int)b->cores));
	for (i = 0; i < b->nodes; i++)
		json_array_append_new(nodes, json_pack("{s:i}", "node", (int)i));
	json_object_set_new(env, "topology", json_pack("{s:o}", "nodes", nodes));
	for (i = 0; i < NR_PARTS; i++)
		json_object_set_new(parts, part_infos[i].name, json_integer(b->value[i]));
	json_object_set_new(env, "parts", parts);
	json_object_set_new(env, "error_percent", json_pack("[f,f]", error->low, error->high));
	ret = env_write(env, path);
	if (ret)
		mkctl_error("cannot write %s: %s", path, strerror(errno));
	json_decref(env);
	free(path);
	return ret;
}

static void summary(const struct forecast *forecast, const struct blueprint *b,
		    const struct forecast_error *error, FILE *out)
{
	forecast_text(forecast, b, error, out);
}

static void rows(const struct forecast *forecast, const struct blueprint *b,
		 const struct forecast_error *error, FILE *out)
{
	(void)error;
	forecast_csv(forecast, b, out);
}

static const struct {
	const char *name;
	void (*print)(const struct forecast *forecast, const struct blueprint *b,
		      const struct forecast_error *error, FILE *out);
	int show;
} files[] = {
	{ "model.csv", rows, 0 },
	{ "model.txt", summary, 1 },
};

static int write_all(const char *dir, const struct blueprint *b, const struct forecast *forecast,
		     const struct forecast_error *error, int quiet)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *out;
	int ret;

	ret = write_env(dir, b, error);
	for (i = 0; i < sizeof(files) / sizeof(files[0]) && !ret; i++) {
		out = open_memstream(&text, &len);
		if (!out) {
			mkctl_error("out of memory");
			return MKCTL_FAILED;
		}
		files[i].print(forecast, b, error, out);
		fclose(out);
		ret = rundir_write(dir, files[i].name, text, len);
		if (files[i].show && !quiet && !ret)
			fwrite(text, 1, len, stdout);
		free(text);
	}
	if (ret)
		return MKCTL_FAILED;
	printf("%swritten to %s; mkctl report has all rows\n", quiet ? "" : "\n", dir);
	return MKCTL_OK;
}

int cmd_model(int argc, char **argv)
{
	struct forecast_error error = { 0 };
	struct model_args args = { 0 };
	struct forecast forecast;
	struct blueprint b;
	char why[1024];
	char *dir;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	blueprint_init(&b);
	ret = check_args(&args);
	if (!ret)
		ret = load(&args, &b);
	if (!ret && args.rtt &&
	    forecast_check_round_trips(&error, &b, args.rtt, why, sizeof(why))) {
		mkctl_error("%s", why);
		ret = MKCTL_FAILED;
	}
	dir = ret ? NULL : rundir_make(args.out);
	if (!ret && !dir)
		ret = MKCTL_USAGE;
	if (!ret) {
		forecast_check(&error, NULL);
		forecast_make(&forecast, &b);
		ret = write_all(dir, &b, &forecast, &error, args.quiet);
		forecast_free(&forecast);
	}
	free(dir);
	free(args.sets);
	blueprint_free(&b);
	return ret;
}
