// SPDX-License-Identifier: GPL-2.0
/*
 * mkctl trace: what messages and interrupts a shootdown takes, seen from outside.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "args.h"
#include "cmd.h"
#include "csv.h"
#include "mkctl.h"
#include "runner.h"
#include "settings.h"
#include "trace_check.h"
#include "trace_event.h"
#include "trace_pair.h"
#include "trace_print.h"
#include "trace_session.h"

/* The last acknowledgements come, and monitors go to sleep. */
#define SETTLE_US	300000

#define BUFFER_KB	8192
#define BUFFER_KB_MAX	(4UL << 20)
#define SECONDS_MAX	86400

enum { OPTION_INPUT = 256 };

struct trace_args {
	const char *experiment, *input, *output, *clock, *format;
	char **command;
	long pid, seconds;
	unsigned long buffer_kb;
	struct settings settings;
};

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Trace until this process ends, or Ctrl-C", 0 },
	{ "duration", 'd', "SECONDS", 0, "With --pid: no longer than this", 0 },
	{ "set", 's', "[EXPERIMENT.]NAME=VALUE", 0,
	  "Set a parameter of the experiment; put back afterwards", 0 },
	{ "output", 'o', "FILE", 0, "Where the trace goes (trace.dat)", 0 },
	{ "input", OPTION_INPUT, "FILE", 0, "Record nothing, read this trace", 0 },
	{ "buffer", 'b', "KIB", 0, "Size of the buffer of each CPU (8192)", 0 },
	{ "clock", 'C', "CLOCK", 0, "Clock of the trace (mono; x86-tsc counts cycles)", 0 },
	{ "format", 'f', "FORMAT", 0,
	  "text (the default), json, or csv with a line for each operation", 0 },
	{ 0 }
};

static const char *const formats[] = { "text", "json", "csv", NULL };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace_args *args = state->input;

	switch (key) {
	case 'p':
		args->pid = args_pid(arg);
		return 0;
	case 'd':
		args->seconds = args_integer(arg, "duration", 1, SECONDS_MAX);
		return 0;
	case 's':
		if (settings_parse(&args->settings, arg))
			exit(MKCTL_USAGE);
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case OPTION_INPUT:
		args->input = arg;
		return 0;
	case 'b':
		args->buffer_kb = args_integer(arg, "buffer", 1, BUFFER_KB_MAX);
		return 0;
	case 'C':
		args->clock = arg;
		return 0;
	case 'f':
		args->format = formats[args_choice(arg, "format", formats)];
		return 0;
	case ARGP_KEY_ARG:
		if (state->quoted) {
			args->command = state->argv + state->next - 1;
			state->next = state->argc;
		} else if (args->experiment) {
			mkctl_error("one experiment at a time; a command stands behind --");
			exit(MKCTL_USAGE);
		} else {
			args->experiment = arg;
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "EXPERIMENT\n--pid PID\n-- COMMAND [ARGUMENT...]\n--input FILE",
	.doc =
		"Record how TLBs are shot down, by messages and by Linux's interrupts, pair\n"
		"what belongs together, and print both beside each other.\n"
		"Needs root, but for --input.\n"
		"\vFILE can be opened by trace-cmd and KernelShark too.\n\n"
		"Exit status: 0 done, 1 something failed, events were lost, or trace and\n"
		"counters disagree; 2 a wrong argument, 3 the module's tree cannot be\n"
		"reached, 130 interrupted.",
};

static int check_args(const struct trace_args *args)
{
	int ways = !!args->experiment + !!args->pid + !!args->command + !!args->input;

	if (ways != 1) {
		mkctl_error("give one of: EXPERIMENT, --pid PID, -- COMMAND, --input FILE");
		return MKCTL_USAGE;
	}
	if (args->seconds && !args->pid) {
		mkctl_error("--duration goes with --pid");
		return MKCTL_USAGE;
	}
	if (args->settings.nr && !args->experiment) {
		mkctl_error("--set goes with an experiment");
		return MKCTL_USAGE;
	}
	return MKCTL_OK;
}

/* --- recording ------------------------------------------------------------------ */

static int trace_experiment(const struct trace_args *args, const struct tree *tree)
{
	struct progress progress;
	int reason;

	progress_begin(&progress, args->experiment, 1, 1, 1);
	/*
	 * Without user threads, as these have operations go on and on to see how
	 * they are disturbed, which no figure is to be compared with. Some
	 * experiments do nothing without.
	 */
	reason = runner_run(tree, args->experiment, 0, &progress);
	if (reason == ENODEV)
		reason = runner_run(tree, args->experiment, 1, &progress);
	if (reason && !runner_signal())
		mkctl_error("%s: %s", args->experiment, runner_reason(reason));
	return reason ? MKCTL_FAILED : MKCTL_OK;
}

/* Until @pid ends, @ms are over, or a signal comes. */
static void wait_for(long pid, int ms)
{
	struct pollfd wait = { .events = POLLIN };

	wait.fd = syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (wait.fd < 0)
		return;
	while (!runner_signal() && poll(&wait, 1, ms) < 0 && errno == EINTR)
		;
	close(wait.fd);
}

static int trace_command(struct trace_args *args)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		execvp(args->command[0], args->command);
		mkctl_error("cannot run %s: %s", args->command[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0) {
		mkctl_error("cannot run %s: %s", args->command[0], strerror(errno));
		return MKCTL_FAILED;
	}
	args->pid = pid;
	wait_for(pid, -1);
	/* A key of the terminal has reached it already; other signals have not. */
	if (runner_signal())
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return MKCTL_FAILED;
	if (runner_signal() || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return MKCTL_OK;
	/* 127 has been explained by the child. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 127)
		mkctl_error("%s ended with %s %d", args->command[0],
			    WIFEXITED(status) ? "status" : "signal",
			    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return MKCTL_FAILED;
}

/* Threads of @pid now; the trace has those that come later. */
static size_t tasks_of(long pid, long **tasks)
{
	char *path = mkctl_printf("/proc/%ld/task", pid);
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t nr = 0;

	*tasks = NULL;
	while (dir && (entry = readdir(dir))) {
		if (atol(entry->d_name) <= 0)
			continue;
		*tasks = mkctl_grow(*tasks, nr + 1, sizeof(long));
		(*tasks)[nr++] = atol(entry->d_name);
	}
	if (dir)
		closedir(dir);
	free(path);
	return nr;
}

/* What the results say of messages and interrupts, for the checks. */
static void note_results(struct trace_session *session, const struct tree *tree,
			 const char *experiment)
{
	char *path = mkctl_printf("experiments/%s/results", experiment), error[512];
	const struct csv_row *row;
	struct csv csv;
	size_t len, i;
	char *text;

	text = tree_read(tree, path, &len);
	csv_init(&csv);
	if (text && len && !csv_add(&csv, experiment, text, len, error, sizeof(error)))
		for (i = 0; i < csv.nr_rows; i++) {
			row = &csv.rows[i];
			if (strncmp(row->metric, "messages", 8) &&
			    strncmp(row->metric, "ipis", 4))
				continue;
			trace_session_note(session, "result %s,%lld,%.*s,%g", row->variant,
					   row->size, (int)strcspn(row->metric, "_"),
					   row->metric, row->value);
		}
	csv_free(&csv);
	free(text);
	free(path);
}

static void note_gains(struct trace_session *session, const struct tree *tree,
		       const struct trace_sums *before)
{
	struct trace_sums after = trace_sums(tree);
	size_t i;

	for (i = 0; i < after.nr && i < before->nr; i++)
		if (!strcmp(after.list[i].name, before->list[i].name))
			trace_session_note(session, "%s %lld", after.list[i].name,
					   (long long)(after.list[i].value -
						       before->list[i].value));
	trace_sums_free(&after);
}

static void note_machine(struct trace_session *session, const struct trace_args *args,
			 const struct tree *tree, uint64_t lost)
{
	char *machine = tree ? tree_read_line(tree, "clock/hypervisor") : NULL;

	trace_session_note(session, "clock %s", args->clock);
	trace_session_note(session, "lost %llu", (unsigned long long)lost);
	if (machine)
		trace_session_note(session, "machine %s", machine);
	if (args->experiment)
		trace_session_note(session, "of %s", args->experiment);
	else if (args->command)
		trace_session_note(session, "of %.200s", args->command[0]);
	else
		trace_session_note(session, "of process %ld", args->pid);
	free(machine);
}

/* How many operations an experiment throws away before so many that it keeps. */
static void note_samples(struct trace_session *session, const struct tree *tree,
			 const char *experiment)
{
	static const char *const names[] = { "samples", "warmup" };
	char *path, *text;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path = mkctl_printf("experiments/%s/%s", experiment, names[i]);
		text = tree_read_line(tree, path);
		if (text)
			trace_session_note(session, "%s %s", names[i], text);
		free(text);
		free(path);
	}
}

/* @tree is NULL where there is no module: then there is Linux's side alone. */
static int record(struct trace_args *args, const struct tree *tree)
{
	struct trace_sums before = { 0 };
	struct trace_session *session;
	long *tasks = NULL;
	size_t nr = 0, i;
	int ret = MKCTL_OK;
	uint64_t lost;

	if (args->pid) {
		nr = tasks_of(args->pid, &tasks);
		if (!nr) {
			mkctl_error("there is no process %ld", args->pid);
			return MKCTL_USAGE;
		}
	}
	session = trace_session_begin(args->buffer_kb, args->clock);
	if (!session) {
		free(tasks);
		return MKCTL_FAILED;
	}
	if (tree)
		before = trace_sums(tree);
	if (args->experiment)
		ret = trace_experiment(args, tree);
	else if (args->command)
		ret = trace_command(args);
	else
		wait_for(args->pid, args->seconds ? args->seconds * 1000 : -1);
	usleep(SETTLE_US);
	lost = trace_session_stop(session);
	note_machine(session, args, tree, lost);
	if (tree)
		note_gains(session, tree, &before);
	/* A run that did not come to its end has results of a part of it. */
	if (args->experiment && !ret) {
		note_samples(session, tree, args->experiment);
		note_results(session, tree, args->experiment);
	}
	if (args->command)
		trace_session_note(session, "task %ld", args->pid);
	for (i = 0; i < nr; i++)
		trace_session_note(session, "task %ld", tasks[i]);
	if (trace_session_save(session, args->output))
		ret = MKCTL_FAILED;
	trace_session_end(session);
	trace_sums_free(&before);
	free(tasks);
	return ret;
}

/* --- reading ---------------------------------------------------------------------- */

static int print(const struct trace_args *args, const char *path)
{
	struct trace_report report;
	struct trace_checks checks;
	struct trace_pairs pairs;
	struct trace trace;
	char error[512];
	const char *clock;
	int ret;

	if (trace_read(&trace, path, error, sizeof(error))) {
		mkctl_error("%s", error);
		trace_free(&trace);
		return MKCTL_FAILED;
	}
	if (!trace.seen[TRACE_FLUSH] && !trace.seen[TRACE_START]) {
		mkctl_error("%s has no events of shootdowns; record it with mkctl trace", path);
		trace_free(&trace);
		return MKCTL_FAILED;
	}
	pairs = trace_pair(&trace);
	checks = trace_check(&trace, &pairs);
	clock = trace_note(&trace, "clock", NULL);
	report = (struct trace_report){
		.trace = &trace, .pairs = &pairs, .checks = &checks,
		.unit = !clock ? "ticks" : !strncmp(clock, "x86-tsc", 7) ? "cycles" : "ns",
		.lost = trace_note_number(&trace, "lost", 0),
	};
	/* What a file of trace-cmd's own says, which has no note of it. */
	if (report.lost < trace.missed)
		report.lost = trace.missed;
	if (!strcmp(args->format, "json"))
		trace_print_json(&report);
	else if (!strcmp(args->format, "csv"))
		trace_print_csv(&report);
	else
		trace_print_text(&report);
	ret = report.lost || trace.gaps || checks.disagree ? MKCTL_FAILED : MKCTL_OK;
	trace_checks_free(&checks);
	trace_pairs_free(&pairs);
	trace_free(&trace);
	return ret;
}

/*
 * Each operation that is recorded is set beside one that was measured: so, unless the
 * user says otherwise, none that is not.
 */
static void set_turn(struct trace_args *args, const struct tree *tree)
{
	char *path = mkctl_printf("experiments/%s/turn", args->experiment);
	char *turn = tree_read(tree, path, NULL);
	size_t i;

	for (i = 0; i < args->settings.nr; i++)
		if (!strcmp(args->settings.list[i].name, "turn"))
			break;
	if (turn && i == args->settings.nr)
		settings_add(&args->settings, args->experiment, "turn", "1", "--set");
	free(turn);
	free(path);
}

/* With the tree where there is one; an experiment cannot do without. */
static int record_with_tree(struct trace_args *args)
{
	const char *root = tree_root();
	struct tree tree;
	int ret;

	if (!args->experiment && access(root, R_OK))
		return record(args, NULL);
	ret = tree_open(&tree);
	if (ret)
		return ret;
	if (args->experiment) {
		const char *const chosen[] = { args->experiment };

		ret = check_experiment(&tree, args->experiment);
		if (!ret) {
			set_turn(args, &tree);
			ret = settings_apply(&args->settings, &tree, chosen, 1);
		}
	}
	if (!ret) {
		ret = record(args, &tree);
		settings_restore(&args->settings, &tree);
	}
	tree_close(&tree);
	return ret;
}

int cmd_trace(int argc, char **argv)
{
	struct trace_args args = {
		.output = "trace.dat", .clock = "mono", .format = "text",
		.buffer_kb = BUFFER_KB,
	};
	int ret, printed;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	ret = check_args(&args);
	if (!ret && !args.input) {
		runner_catch_signals();
		ret = record_with_tree(&args);
	}
	if (ret == MKCTL_OK || (ret == MKCTL_FAILED && !access(args.output, F_OK) &&
				runner_signal())) {
		printed = print(&args, args.input ? args.input : args.output);
		if (!ret)
			ret = printed;
	}
	settings_free(&args.settings);
	return runner_signal() ? 128 + runner_signal() : ret;
}
