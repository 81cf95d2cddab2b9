// SPDX-License-Identifier: GPL-2.0
/*
 * Running one experiment.
 *
 * The module runs it in the write() of whoever starts it. That is a child of
 * ours, in a process group of its own so that no key of the terminal reaches
 * it: a stop signal would end the run. We read the progress meanwhile and
 * cancel by writing 0, which leaves the results whole; killing the child is
 * what remains if that does not help.
 */
#include <errno.h>
#include <poll.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents.h"
#include "mkctl.h"
#include "runner.h"

/*
 * Each look at the progress takes a little from the CPUs that are measured:
 * as often as an eye asks for, no more.
 */
#define LOOK_TERMINAL	250	/* ms */
#define LOOK_LINES	1000
#define PATIENCE	5.0	/* seconds from cancelling to killing */

static volatile sig_atomic_t caught;

static void catch(int signal)
{
	caught = signal;
}

void runner_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = catch }, old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* Under nohup the hangup stays ignored. */
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* Agents beside one that has no work for them would only disturb it. */
static int wants_agents(const struct tree *tree, const char *experiment)
{
	char *path = mkctl_printf("experiments/%s/agents", experiment);
	char *text = tree_read_line(tree, path);
	int wants = text && !strcmp(text, "1");

	free(text);
	free(path);
	return wants;
}

int runner_signal(void)
{
	return caught;
}

static void child(const struct tree *tree, const char *path, int agents,
		  int report, pid_t parent)
{
	int result;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	setpgid(0, 0);
	/* Nobody cancels a run whose mkctl was killed: then it ends too. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	if (agents)
		agents_start();
	result = -agents_error(tree_write(tree, path, "1\n"));
	_exit(write(report, &result, sizeof(result)) != sizeof(result));
}

static int read_progress(const struct tree *tree, const char *experiment)
{
	char *path = mkctl_printf("experiments/%s/progress", experiment);
	char *text = tree_read_line(tree, path);
	int percent = -1;

	if (text && *text >= '0' && *text <= '9')
		percent = atoi(text);
	free(text);
	free(path);
	return percent;
}

int runner_run(const struct tree *tree, const char *experiment, int agents,
	       struct progress *progress)
{
	char *path = mkctl_printf("experiments/%s/run", experiment);
	int fds[2], result = EIO, done = 0;
	pid_t parent = getpid(), pid;
	double cancelled = 0;
	struct pollfd wait;
	int interval;

	if (pipe2(fds, O_CLOEXEC) < 0)
		goto fail;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		goto fail;
	}
	if (!pid)
		child(tree, path, agents && wants_agents(tree, experiment),
		      fds[1], parent);
	close(fds[1]);

	wait = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	interval = progress->terminal ? LOOK_TERMINAL : LOOK_LINES;
	while (!done) {
		if (!progress->quiet)
			progress_update(progress, read_progress(tree, experiment));
		if (caught) {
			if (!cancelled)
				cancelled = progress_clock();
			/*
			 * Again each time: the child may not have come to its
			 * write yet, and then there is nothing to cancel.
			 */
			tree_write(tree, path, "0\n");
			if (progress_clock() - cancelled > PATIENCE)
				kill(pid, SIGTERM);
		}
		/* POLLHUP is a child that died without a report. */
		done = poll(&wait, 1, interval) > 0;
	}
	if (read(fds[0], &result, sizeof(result)) != sizeof(result))
		result = EINTR;
	close(fds[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(path);
	return result;

fail:
	result = errno;
	free(path);
	return result;
}

const char *runner_reason(int reason)
{
	switch (reason) {
	case EBUSY:
		return "an experiment runs already; wait, or write 0 to its run file";
	case ECANCELED:
		return "it was cancelled";
	case EINTR:
		return "a signal ended it";
	case ENODEV:
		return "none of the CPUs that it needs is online; see its parameter cpus";
	case ENOSPC:
		return "its results grew too large; ask for fewer CPUs, sizes or repeats";
	case EACCES:
	case EPERM:
		return "the run file may be written by root only; say: sudo mkctl run";
	default:
		return strerror(reason);
	}
}
