// SPDX-License-Identifier: GPL-2.0
/*
 * The pagers of a group, each in a thread or a process of its own.
 */
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"

struct crew {
	struct pager_group *group;
	bool processes;
	int stop;
	struct member {
		struct crew *crew;
		int node;
		pthread_t thread;
		pid_t pid;
		int ret;
	} member[NODES];
};

static int serve(struct member *member)
{
	struct pager *pager;
	int ret;

	ret = pager_open(member->crew->group, member->node, 0, &pager);
	if (ret)
		return ret;
	ret = pager_run(pager, member->crew->stop, -1);
	pager_close(pager);
	return ret;
}

static void *thread(void *arg)
{
	struct member *member = arg;

	member->ret = serve(member);
	return NULL;
}

static void start(struct member *member)
{
	if (!member->crew->processes) {
		if (pthread_create(&member->thread, NULL, thread, member))
			abort();
		return;
	}
	member->pid = fork();
	if (!member->pid) {
		/* It does not outlive a test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(serve(member) ? 99 : 0);
	}
}

struct crew *crew_start(const struct pager_options *options, bool processes)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	int node;

	if (!crew || pager_group_make(options, &fake_device, &crew->group))
		abort();
	crew->processes = processes;
	crew->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (node = 0; node < NODES; node++) {
		crew->member[node].crew = crew;
		crew->member[node].node = node;
		start(&crew->member[node]);
	}
	return crew;
}

struct pager_group *crew_group(struct crew *crew)
{
	return crew->group;
}

void crew_kill(struct crew *crew, int node)
{
	kill(crew->member[node].pid, SIGKILL);
}

/* Of processes: whoever was killed has a successor. Was there one? */
bool crew_replace_dead(struct crew *crew)
{
	bool found = false;
	int node, status;

	for (node = 0; node < NODES; node++) {
		struct member *member = &crew->member[node];

		if (waitpid(member->pid, &status, WNOHANG) != member->pid)
			continue;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
			printf("# pager of node %d ended by itself: %d\n", node,
			       status);
			fake->wrong++;
		}
		start(member);
		found = true;
	}
	return found;
}

/* 0 if all were there still, and did what they were told. */
int crew_stop(struct crew *crew)
{
	const u64 one = 1;
	int node, status, ret = 0;

	if (write(crew->stop, &one, sizeof(one)) < 0)
		abort();
	for (node = 0; node < NODES; node++) {
		struct member *member = &crew->member[node];

		if (!crew->processes) {
			pthread_join(member->thread, NULL);
			status = member->ret;
		} else if (waitpid(member->pid, &status, 0) != member->pid) {
			status = -1;
		}
		if (status)
			ret = status;
	}
	close(crew->stop);
	pager_group_destroy(crew->group);
	free(crew);
	return ret;
}

/* One counter, of all nodes. */
u64 crew_sum(struct crew *crew, size_t counter)
{
	struct pager_counts counts;
	int node;
	u64 sum = 0;

	for (node = 0; node < NODES; node++) {
		pager_group_counts(crew->group, node, &counts);
		sum += *(u64 *)((char *)&counts + counter);
	}
	return sum;
}
