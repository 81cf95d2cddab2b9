// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl: run the experiments of the multikernel module and read their results.
 *
 * This file finds the subcommand; each has a file of its own. Everything they
 * do with the module goes through its debugfs tree, so that a script could do it
 * too.
 */
#include <argp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mkctl.h"

struct command {
	const char *name;
	const char *help;
	int (*main)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "run", "run experiments, write their results and print a table", cmd_run },
	{ "list", "list the experiments and their parameters", cmd_list },
	{ "report", "show runs made before: tables, a page with figures, JSON, CSV", cmd_report },
	{ "plan", "plan trees for broadcasts and gathers from measured costs", cmd_plan },
	{ "model", "predict the figures for a machine that is not at hand", cmd_model },
	{ "trace", "record shootdowns, by messages and by interrupts, and compare", cmd_trace },
	{ "topo", "show nodes, distances and what messages cost between CPUs", cmd_topo },
	{ "doctor", "say what stands in the way on this host, and what to do", cmd_doctor },
	{ "mirror", "have processes walk page tables of their own node", cmd_mirror },
	{ "top", "show what the monitors do at the moment", cmd_top },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *mkctl_tree;
const char *argp_program_version = "mkctl " MKCTL_VERSION;

void mkctl_error(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("mkctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static void *checked(void *memory)
{
	if (!memory) {
		mkctl_error("out of memory");
		exit(MKCTL_FAILED);
	}
	return memory;
}

void *mkctl_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mkctl_grow(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size));
}

char *mkctl_printf(const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	return checked(len < 0 ? NULL : text);
}

char *mkctl_strndup(const char *text, size_t len)
{
	return checked(strndup(text, len));
}

int mkctl_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 100;
	if (size.ws_col < 80)
		return 80;
	return size.ws_col > 100 ? 100 : size.ws_col;
}

static const struct argp_option options[] = {
	{ "tree", 't', "DIR", 0,
	  "Instead of /sys/kernel/debug/multikernel, for tests (also MKCTL_TREE)", 0 },
	{ 0 }
};

struct choice {
	const struct command *command;
	char **argv;
	int argc;
};

static char *command_names(void)
{
	char *list = mkctl_printf("%s", commands[0].name), *old;
	size_t i;

	for (i = 1; i < NR_COMMANDS; i++) {
		old = list;
		list = mkctl_printf("%s, %s", old, commands[i].name);
		free(old);
	}
	return list;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;
	char *list;
	size_t i;

	switch (key) {
	case 't':
		mkctl_tree = arg;
		return 0;
	case ARGP_KEY_ARG:
		for (i = 0; i < NR_COMMANDS; i++)
			if (!strcmp(arg, commands[i].name))
				choice->command = &commands[i];
		if (!choice->command) {
			list = command_names();
			mkctl_error("no command '%s'; there are: %s", arg, list);
			exit(MKCTL_USAGE);
		}
		/* What follows belongs to the subcommand, options included. */
		choice->argv = state->argv + state->next - 1;
		choice->argc = state->argc - state->next + 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK);
		exit(MKCTL_USAGE);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static char *help_filter(int key, const char *text, void *input)
{
	char *list, *old;
	size_t i;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	list = mkctl_printf("Commands:\n");
	for (i = 0; i < NR_COMMANDS; i++) {
		old = list;
		list = mkctl_printf("%s  %-8s %s\n", old, commands[i].name,
				    commands[i].help);
		free(old);
	}
	old = list;
	list = mkctl_printf("%s\n%s", old, text ? text : "");
	free(old);
	return list;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc =
		"Run the experiments of the multikernel module and read their results.\n"
		"\vmkctl COMMAND --help says more about one command.\n\n"
		"Exit status: 0 all done, 1 something failed, 2 a wrong argument,\n"
		"3 the module's tree cannot be reached, 130 interrupted.",
	.help_filter = help_filter,
};

int main(int argc, char **argv)
{
	struct choice choice = { 0 };
	char *name;
	int ret;

	argp_err_exit_status = MKCTL_USAGE;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice))
		return MKCTL_USAGE;
	if (!choice.command)
		return MKCTL_USAGE;

	name = mkctl_printf("mkctl %s", choice.command->name);
	choice.argv[0] = name;
	ret = choice.command->main(choice.argc, choice.argv);
	free(name);

	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) || ferror(stdout)) {
		mkctl_error("cannot write to standard output: %m");
		return ret ? ret : MKCTL_FAILED;
	}
	return ret;
}
