// SPDX-License-Identifier: GPL-2.0
/*
 * The pagers of mkpager: a process for each node, and another in the place of each
 * that dies.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mkpager.h"

/* So many deaths, none of them long after the one before, are too many. */
#define DEATHS_MAX	10
#define LONG_MS		5000
#define STOP_MS		2000

long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void serve(struct crew *crew, int node)
{
	struct pager *pager;
	sigset_t all;
	int ret;

	/* It neither outlives mkpager nor gets what is meant for it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	/* It serves from elsewhere, if it has to. */
	pager_bind(node);
	ret = pager_open(crew->group, node, 0, &pager);
	if (!ret) {
		ret = pager_run(pager, crew->stop, -1);
		pager_close(pager);
	}
	if (ret)
		fprintf(stderr, "mkpager: node %d: %s\n", node, strerror(-ret));
	_exit(ret ? EXIT_CANNOT : 0);
}

static int start(struct crew *crew, int node)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		serve(crew, node);
	crew->pid[node] = pid;
	return 0;
}

int crew_start(struct crew *crew, struct pager_group *group)
{
	int node, ret = 0;

	crew->group = group;
	crew->stop = eventfd(0, EFD_CLOEXEC);
	if (crew->stop < 0)
		return -errno;
	for (node = 0; !ret && node < PAGER_NODES_MAX; node++)
		if (pager_group_nodes(group) >> node & 1)
			ret = start(crew, node);
	return ret;
}

static int node_of(const struct crew *crew, pid_t pid)
{
	int node;

	for (node = 0; node < PAGER_NODES_MAX; node++)
		if (crew->pid[node] == pid)
			return node;
	return -1;
}

bool crew_has(const struct crew *crew, pid_t pid)
{
	return node_of(crew, pid) >= 0;
}

/* A new one takes over; -ECHILD if they die too often. */
int crew_died(struct crew *crew, pid_t pid, int status)
{
	int node = node_of(crew, pid);
	long long now = now_ms();

	crew->pid[node] = 0;
	if (now - crew->last > LONG_MS)
		crew->deaths = 0;
	crew->last = now;
	fprintf(stderr, "mkpager: node %d: its pager %s %d\n", node,
		WIFSIGNALED(status) ? "was killed by signal" :
		"ended with status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (++crew->deaths > DEATHS_MAX)
		return -ECHILD;
	return start(crew, node);
}

static bool all_gone(struct crew *crew)
{
	bool gone = true;
	int node;

	for (node = 0; node < PAGER_NODES_MAX; node++) {
		if (!crew->pid[node])
			continue;
		if (waitpid(crew->pid[node], NULL, WNOHANG) == crew->pid[node])
			crew->pid[node] = 0;
		else
			gone = false;
	}
	return gone;
}

/* Who does not listen is killed. */
void crew_stop(struct crew *crew)
{
	const struct timespec moment = { .tv_nsec = 2000000 };
	long long until = now_ms() + STOP_MS;
	const uint64_t one = 1;
	int node;

	if (write(crew->stop, &one, sizeof(one)) < 0)
		until = 0;
	while (!all_gone(crew) && now_ms() < until)
		nanosleep(&moment, NULL);
	for (node = 0; node < PAGER_NODES_MAX; node++) {
		if (!crew->pid[node])
			continue;
		kill(crew->pid[node], SIGKILL);
		waitpid(crew->pid[node], NULL, 0);
	}
	close(crew->stop);
}
