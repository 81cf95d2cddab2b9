// SPDX-License-Identifier: GPL-2.0
/*
 * mkpager: a paged region with a pager on each node, for a command or for whoever
 * connects to a socket.
 */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mkpager.h"

const char *argp_program_version = "mkpager 1.0";

enum long_option {
	OPTION_ZERO = 256,
	OPTION_PLAIN,
	OPTION_STATS,
};

static const struct argp_option known[] = {
	{ "pages", 'n', "N", 0, "pages of the region, 1 to 4096 (64)", 0 },
	{ "policy", 'p', "NAME", 0,
	  "global (the default), node-local, replicate-read or migrate", 0 },
	{ "sync", 's', "NAME", 0, "shm (the default), urpc or both", 0 },
	{ "nodes", 'N', "LIST", 0, "nodes with a pager, as in 0-1,3 (all)", 0 },
	{ "timeout", 't', "MS", 0, "how long a fault waits, 1 to 10000", 0 },
	{ "poll", 'P', "US", 0, "how long pagers poll before they block (0)", 0 },
	{ "stock", 'k', "N", 0, "frames that each pager has ready, 0 to 16 (0)", 0 },
	{ "contents", 'c', "FILE", 0, "what the pages begin with (zeroes)", 0 },
	{ "socket", 'S', "PATH", 0, "hand out the region there", 0 },
	{ "zero", OPTION_ZERO, NULL, 0,
	  "without an answer in time: a zero page, not SIGBUS", 0 },
	{ "plain", OPTION_PLAIN, NULL, 0,
	  "for processes that are not mirrored; global only", 0 },
	{ "stats", OPTION_STATS, NULL, 0, "print what was done at the end", 0 },
	{ 0 }
};

static const char doc[] =
"Makes a paged region of /dev/multikernel and serves its faults by a process on each\n"
"NUMA node.\n"
"\vCOMMAND runs with the region's file as descriptor $MKPAGER_REGION; mkpager ends with it\n"
"and with its status. Without COMMAND, --socket is needed, and mkpager ends by SIGTERM\n"
"or SIGINT. SIGUSR1 prints what was done so far.\n"
"\n"
"Exit status: 0, or that of COMMAND; 1 it could not be done; 2 wrong usage;\n"
"3 the pagers die one after the other.";

static struct settings {
	struct pager_options options;
	const char *contents;
	const char *socket;
	bool stats;
	char **command;
} settings = { .options = { .poll_us = 0 } };

static uint32_t bounded(struct argp_state *state, const char *text,
			unsigned long least, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (!*text || *text == '-' || *end || value < least || value > most)
		argp_error(state, "%s is no number from %lu to %lu", text,
			   least, most);
	return value;
}

static uint64_t node_list(struct argp_state *state, const char *text)
{
	uint64_t nodes = 0;
	const char *at = text;

	do {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end == at)
			break;
		if (*end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
			if (end == at)
				break;
		}
		if (first > last || last >= PAGER_NODES_MAX)
			break;
		for (; first <= last; first++)
			nodes |= 1ull << first;
		if (!*end)
			return nodes;
		at = end + 1;
		if (*end != ',')
			break;
	} while (1);
	argp_error(state, "%s is no list of nodes from 0 to %d", text,
		   PAGER_NODES_MAX - 1);
	return 0;
}

static uint32_t by_name(struct argp_state *state, const char *text,
			const char *(*name)(uint32_t))
{
	uint32_t i;

	for (i = 0; name(i); i++)
		if (!strcmp(name(i), text))
			return i;
	argp_error(state, "there is no %s", text);
	return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct pager_options *options = &settings.options;

	switch (key) {
	case 'n':
		options->pages = bounded(state, text, 1, 4096);
		break;
	case 'p':
		options->policy = by_name(state, text, pager_policy_name);
		break;
	case 's':
		options->sync = by_name(state, text, pager_sync_name);
		break;
	case 'N':
		options->nodes = node_list(state, text);
		break;
	case 't':
		options->timeout_ms = bounded(state, text, 1, 10000);
		break;
	case 'P':
		options->poll_us = bounded(state, text, 0, 1000000);
		break;
	case 'k':
		options->stock = bounded(state, text, 0, PAGER_STOCK_MAX);
		break;
	case 'c':
		settings.contents = text;
		break;
	case 'S':
		settings.socket = text;
		break;
	case OPTION_ZERO:
		options->flags |= PAGER_ZERO;
		break;
	case OPTION_PLAIN:
		options->flags |= PAGER_PLAIN;
		break;
	case OPTION_STATS:
		settings.stats = true;
		break;
	case ARGP_KEY_ARGS:
		settings.command = state->argv + state->next;
		break;
	case ARGP_KEY_END:
		if (!settings.command && !settings.socket)
			argp_error(state, "neither COMMAND nor --socket");
		if ((options->flags & PAGER_PLAIN) &&
		    options->policy != PAGER_GLOBAL)
			argp_error(state, "--plain goes with global only");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int cannot(const char *what, int error)
{
	fprintf(stderr, "mkpager: %s: %s\n", what, strerror(-error));
	return EXIT_CANNOT;
}

static pid_t run_command(const struct pager_group *group)
{
	char text[16];
	sigset_t all;
	pid_t pid = fork();
	int region;

	if (pid)
		return pid < 0 ? -errno : pid;
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	/* One that survives exec. */
	region = dup(pager_group_region(group));
	snprintf(text, sizeof(text), "%d", region);
	if (region >= 0 && !setenv("MKPAGER_REGION", text, 1))
		execvp(*settings.command, settings.command);
	fprintf(stderr, "mkpager: %s: %s\n", *settings.command,
		strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/**
 * struct state - while it runs
 * @crew: the pagers
 * @command: its process, or 0
 * @door: the socket, or -1
 * @signals: a signalfd
 * @ended: it is over
 * @status: and so it ends
 */
struct state {
	struct crew crew;
	pid_t command;
	int door;
	int signals;
	bool ended;
	int status;
};

static void end(struct state *state, int status)
{
	if (!state->ended)
		state->status = status;
	state->ended = true;
}

static void reap(struct state *state)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == state->command) {
			state->command = 0;
			end(state, WIFEXITED(status) ? WEXITSTATUS(status) :
			    128 + WTERMSIG(status));
		} else if (!state->ended && crew_has(&state->crew, pid) &&
			   crew_died(&state->crew, pid, status)) {
			fprintf(stderr, "mkpager: pagers die one after the other\n");
			end(state, EXIT_DYING);
		}
	}
}

static void on_signal(struct state *state)
{
	struct signalfd_siginfo info;

	if (read(state->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		reap(state);
		break;
	case SIGUSR1:
		counts_print(state->crew.group);
		break;
	default:
		/* A command gets it from us, and is waited for. */
		if (state->command)
			kill(state->command, info.ssi_signo);
		else
			end(state, EXIT_SUCCESS);
	}
}

static void loop(struct state *state)
{
	while (!state->ended) {
		struct pollfd fd[2] = {
			{ .fd = state->signals, .events = POLLIN },
			{ .fd = state->door, .events = POLLIN },
		};

		if (poll(fd, 2, -1) < 0)
			continue;
		if (fd[0].revents)
			on_signal(state);
		if (fd[1].revents)
			door_serve(state->door, state->crew.group,
				   settings.options.pages);
	}
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int serve(struct pager_group *group)
{
	struct state state = { .door = -1 };
	int ret;

	state.signals = signals_open();
	if (state.signals < 0)
		return cannot("signals", -errno);
	if (settings.socket) {
		state.door = door_open(settings.socket);
		if (state.door < 0)
			return cannot(settings.socket, state.door);
	}
	ret = crew_start(&state.crew, group);
	if (!ret && settings.command) {
		state.command = run_command(group);
		ret = state.command < 0 ? (int)state.command : 0;
	}
	if (ret)
		end(&state, cannot("a process", ret));
	loop(&state);
	crew_stop(&state.crew);
	if (settings.stats)
		counts_print(group);
	if (settings.socket)
		unlink(settings.socket);
	return state.status;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = known, .parser = parse,
		.args_doc = "[COMMAND [ARGUMENT...]]", .doc = doc,
	};
	struct pager_group *group;
	int ret;

	argp_err_exit_status = EXIT_USAGE;
	/* COMMAND's own options are its own. */
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, NULL);
	if (settings.contents) {
		ret = contents_load(settings.contents, &settings.options);
		if (ret)
			return cannot(settings.contents, ret);
	}
	if (!settings.options.pages)
		settings.options.pages = 64;
	ret = pager_group_create(&settings.options, &group);
	if (ret)
		return cannot("a region", ret);
	ret = serve(group);
	pager_group_destroy(group);
	return ret;
}
