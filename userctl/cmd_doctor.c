// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl doctor: why does it not work here?
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "doctor.h"
#include "mkctl.h"
#include "tree.h"

enum { OPTION_ROOT = 256 };

struct doctor_args {
	const char *experiment, *root;
	long pid;
};

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Can this process be mirrored?", 0 },
	{ "root", OPTION_ROOT, "DIR", 0,
	  "Look at copies of /proc, /sys, /lib and /boot in DIR, of another host", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct doctor_args *args = state->input;

	switch (key) {
	case 'p':
		args->pid = args_pid(arg);
		return 0;
	case OPTION_ROOT:
		args->root = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->experiment) {
			mkctl_error("one experiment at a time");
			exit(MKCTL_USAGE);
		}
		args->experiment = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[EXPERIMENT]",
	.doc =
		"Look whether the module can be loaded here, what spoils measurements, and\n"
		"whether processes can be mirrored; or EXPERIMENT run, or a process be mirrored.\n"
		"Needs neither root nor the module, but sees more with them.\n"
		"\vA line for each thing looked at: ok, warn or fail, and what to do.\n\n"
		"Exit status: 0 nothing failed, 1 something did, 2 a wrong argument.",
};

int cmd_doctor(int argc, char **argv)
{
	struct doctor_args args = { .root = "" };
	struct doctor doctor = { 0 };
	char *tree = NULL;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	doctor.root = args.root;
	doctor.tree = tree_root();
	if (*args.root) {
		tree = mkctl_printf("%s" TREE_DEFAULT, args.root);
		doctor.tree = tree;
	}
	doctor.loaded = doctor_has(&doctor, "/sys/module/multikernel") ||
			(!*args.root && strcmp(tree_root(), TREE_DEFAULT));
	doctor_load(&doctor);
	doctor_measure(&doctor);
	doctor_mirror(&doctor, args.pid);
	if (args.experiment)
		doctor_experiment(&doctor, args.experiment);
	free(tree);
	return doctor.count[DOCTOR_FAIL] ? MKCTL_FAILED : MKCTL_OK;
}
