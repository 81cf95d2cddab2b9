// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl mirror: have processes walk page tables of their own node.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "args.h"
#include "grid.h"
#include "machine.h"
#include "mirrors.h"
#include "mkctl.h"

struct mirror_args {
	const char *verb;
	long pid;
	char **command;
};

static const char *const verbs[] = { "run", "attach", "detach", "list", "show", NULL };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct mirror_args *args = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (!args->verb) {
		args->verb = verbs[args_choice(arg, "verb", verbs)];
	} else if (!strcmp(args->verb, "run")) {
		args->command = state->argv + state->next - 1;
		state->next = state->argc;
	} else if (!args->pid && strcmp(args->verb, "list")) {
		args->pid = args_pid(arg);
	} else {
		mkctl_error("too many arguments from '%s' on", arg);
		exit(MKCTL_USAGE);
	}
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "run -- COMMAND [ARGUMENT...]\nattach PID\ndetach PID\nlist\nshow PID",
	.doc =
		"Have a process walk page tables on the node where it runs.\n"
		"  run     start a command and attach to it\n"
		"  attach  mirror a process that runs\n"
		"  detach  have it use Linux's tables again\n"
		"  list    the processes that are mirrored, and how local their walks are\n"
		"  show    one of them, for each CPU and node\n"
		"Needs root and the module.\n"
		"\vExit status: 0 done, 1 it was refused or failed, 2 a wrong argument,\n"
		"3 the module's tree cannot be reached; of run: that of COMMAND, or 128\n"
		"and the signal that ended it.",
};

static void explain(const char *verb, long pid, int reason)
{
	switch (reason) {
	case ESRCH:
		mkctl_error("there is no process %ld%s", pid,
			    strcmp(verb, "detach") ? "" : ", or it is not mirrored");
		break;
	case EEXIST:
		mkctl_error("process %ld is mirrored already", pid);
		break;
	case EOPNOTSUPP:
		mkctl_error("processes cannot be mirrored here: mkctl doctor says why");
		break;
	case EINVAL:
		mkctl_error("process %ld is a kernel thread", pid);
		break;
	case ENOMEM:
		mkctl_error("no memory for page tables on some node; see mirror/limit");
		break;
	default:
		mkctl_error("cannot %s process %ld: %s", verb, pid, strerror(reason));
	}
}

/* A number to mirror/attach or mirror/detach; an exit code. */
static int tell(const struct tree *tree, const char *verb, long pid)
{
	char *path = mkctl_printf("mirror/%s", verb), *text = mkctl_printf("%ld\n", pid);
	int reason = -tree_write(tree, path, text);

	if (reason)
		explain(verb, pid, reason);
	free(text);
	free(path);
	return reason ? MKCTL_FAILED : MKCTL_OK;
}

/*
 * Start it, and come back when it has another program: the pipe is closed then.
 * Its number, or 0 after saying why not.
 */
static pid_t start(char **command)
{
	int fds[2], reason = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 0;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		execvp(command[0], command);
		reason = errno;
		_exit(write(fds[1], &reason, sizeof(reason)) == sizeof(reason) ? 127 : 126);
	}
	close(fds[1]);
	if (pid < 0)
		reason = errno;
	else if (read(fds[0], &reason, sizeof(reason)) <= 0)
		reason = 0;
	close(fds[0]);
	if (!reason)
		return pid;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	mkctl_error("cannot run %s: %s", command[0], strerror(reason));
	return 0;
}

static int run(const struct tree *tree, char **command)
{
	pid_t pid;
	int status;

	pid = start(command);
	if (!pid)
		return MKCTL_FAILED;
	/* Keys of the terminal are the command's, and end it; its mirror goes with it. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (tell(tree, "attach", pid)) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return MKCTL_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return MKCTL_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *percent(double value)
{
	return value < 0 ? mkctl_printf("-") : mkctl_printf("%.0f%%", value);
}

static int list(const struct tree *tree)
{
	static const struct grid_column columns[] = {
		{ "pid", 0, 0 }, { "command", 1, 0 }, { "CPUs", 0, 0 },
		{ "local walks", 0, 0 }, { "with Linux's tables", 0, 0 },
	};
	struct mirrors mirrors = mirrors_read(tree);
	const struct mirror *mirror;
	struct grid grid;
	size_t i;

	grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < mirrors.nr; i++) {
		mirror = &mirrors.list[i];
		grid_row(&grid);
		grid_cell(&grid, 0, mkctl_printf("%ld", mirror->pid));
		grid_cell(&grid, 1, mkctl_printf("%s", mirror->comm));
		grid_cell(&grid, 2, mkctl_printf("%zu", mirror->nr_cpus));
		grid_cell(&grid, 3, percent(mirror_locality(mirror)));
		grid_cell(&grid, 4, percent(mirror_master_locality(mirror)));
	}
	if (mirrors.nr)
		grid_print(&grid, stdout, mkctl_width());
	else
		printf("no process is mirrored\n");
	grid_free(&grid);
	mirrors_free(&mirrors);
	return MKCTL_OK;
}

static void show_cpus(const struct mirror *mirror)
{
	static const struct grid_column columns[] = {
		{ "CPU", 0, 0 }, { "node", 0, 0 }, { "tables", 1, 0 },
		{ "levels", 0, 0 }, { "local", 0, 0 },
		{ "Linux's levels", 0, 0 }, { "local", 0, 0 },
	};
	const struct mirror_cpu *cpu;
	struct grid grid;
	size_t i;

	grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < mirror->nr_cpus; i++) {
		cpu = &mirror->cpus[i];
		grid_row(&grid);
		grid_cell(&grid, 0, mkctl_printf("%d", cpu->cpu));
		grid_cell(&grid, 1, mkctl_printf("%d", cpu->node));
		grid_cell(&grid, 2, mkctl_printf("%s", cpu->mirrored ? "replica" : "Linux's"));
		grid_cell(&grid, 3, mkctl_printf("%u", cpu->levels));
		grid_cell(&grid, 4, mkctl_printf("%u", cpu->local));
		grid_cell(&grid, 5, mkctl_printf("%u", cpu->master_levels));
		grid_cell(&grid, 6, mkctl_printf("%u", cpu->master_local));
	}
	if (mirror->nr_cpus)
		grid_print(&grid, stdout, mkctl_width());
	else
		printf("it runs on no CPU at the moment\n");
	grid_free(&grid);
}

static void show_nodes(const struct tree *tree, long pid)
{
	static const char *const values[] = {
		"tables", "bytes", "remote", "switches", "fills", "refaults", "fallbacks",
		"zaps",
	};
	static const struct grid_column columns[] = {
		{ "node", 0, 0 }, { "tables", 0, 0 }, { "bytes", 0, 0 }, { "remote", 0, 0 },
		{ "switches", 0, 0 }, { "fills", 0, 0 }, { "refaults", 0, 0 },
		{ "fallbacks", 0, 0 }, { "zaps", 0, 0 },
	};
	struct machine machine;
	struct grid grid;
	char error[256];
	int64_t value;
	size_t i, j;

	if (machine_read(&machine, tree->root, NULL, error, sizeof(error))) {
		machine_free(&machine);
		return;
	}
	grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < machine.nr_nodes; i++) {
		if (mirror_value(tree, pid, machine.nodes[i].id, "tables") < 0)
			continue;
		grid_row(&grid);
		grid_cell(&grid, 0, mkctl_printf("%d", machine.nodes[i].id));
		for (j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			value = mirror_value(tree, pid, machine.nodes[i].id, values[j]);
			grid_cell(&grid, j + 1, value < 0 ? NULL : grid_number(value));
		}
	}
	putchar('\n');
	grid_print(&grid, stdout, mkctl_width());
	grid_free(&grid);
	machine_free(&machine);
}

static int show(const struct tree *tree, long pid)
{
	struct mirrors mirrors = mirrors_read(tree);
	int ret = MKCTL_FAILED;
	size_t i;

	for (i = 0; i < mirrors.nr; i++) {
		if (mirrors.list[i].pid != pid)
			continue;
		printf("%ld %s\n", pid, mirrors.list[i].comm);
		show_cpus(&mirrors.list[i]);
		show_nodes(tree, pid);
		ret = MKCTL_OK;
	}
	if (ret)
		mkctl_error("process %ld is not mirrored; say: mkctl mirror attach %ld", pid, pid);
	mirrors_free(&mirrors);
	return ret;
}

int cmd_mirror(int argc, char **argv)
{
	struct mirror_args args = { 0 };
	struct tree tree;
	int ret;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	if (!args.verb) {
		mkctl_error("mirror what? run, attach, detach, list or show");
		return MKCTL_USAGE;
	}
	if (!args.pid && strcmp(args.verb, "run") && strcmp(args.verb, "list")) {
		mkctl_error("%s takes the number of a process", args.verb);
		return MKCTL_USAGE;
	}
	if (!strcmp(args.verb, "run") && !args.command) {
		mkctl_error("run takes a command, behind --");
		return MKCTL_USAGE;
	}
	ret = tree_open(&tree);
	if (ret)
		return ret;
	if (!mirrors_there(&tree)) {
		mkctl_error("the module that is loaded has no mirrors; load a newer one");
		ret = MKCTL_FAILED;
	} else if (!strcmp(args.verb, "run")) {
		ret = run(&tree, args.command);
	} else if (!strcmp(args.verb, "list")) {
		ret = list(&tree);
	} else if (!strcmp(args.verb, "show")) {
		ret = show(&tree, args.pid);
	} else {
		ret = tell(&tree, args.verb, args.pid);
	}
	tree_close(&tree);
	return ret;
}
