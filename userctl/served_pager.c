// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that pagers of libpager serve: a thread for each node. Where each node is
 * to have tables or frames of its own the process is mirrored, from its threads'
 * begin to the end of the memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../libpager/pager.h"
#include "served_priv.h"

/* Of a fault: what the module has for the most. */
#define TIMEOUT_MS	10000

/* Frames that a pager has ready. */
#define STOCK		8

struct crew;

/**
 * struct keeper - a thread that is a pager
 * @crew: whose
 * @thread: it
 * @node: whose pager it is
 * @ret: 0, or why it is not; valid once it has posted crew->ready
 */
struct keeper {
	struct crew *crew;
	pthread_t thread;
	int node;
	int ret;
};

/**
 * struct crew - what serves the memory
 * @served: it
 * @group: of the pagers
 * @mirror: the file that mirrors the process, or -1
 * @ready: posted by each of them, once
 * @keepers: how many
 * @keeper: each
 */
struct crew {
	struct served *served;
	struct pager_group *group;
	int mirror;
	sem_t ready;
	int keepers;
	struct keeper keeper[MK_SERVE_NODES_MAX];
};

static void *keep(void *arg)
{
	struct keeper *keeper = arg;
	struct crew *crew = keeper->crew;
	struct pager *pager = NULL;

	keeper->ret = pager_bind(keeper->node);
	if (!keeper->ret)
		keeper->ret = pager_open(crew->group, keeper->node, 0, &pager);
	sem_post(&crew->ready);
	/* If it fails, the next fault is not served in time. */
	if (!keeper->ret)
		pager_run(pager, crew->served->stop, -1);
	pager_close(pager);
	return NULL;
}

/* The frame lies on the page's node. Only one thread touches such memory. */
static int spread(void *arg, struct pager *pager,
		  const struct pager_request *request, uint32_t *frame)
{
	const struct served *served = arg;
	int ret;

	ret = pager_frame_get(pager, served->node[request->page % served->nodes],
			      frame);
	return ret ? ret : PAGER_READ | PAGER_WRITE;
}

static int group(struct crew *crew)
{
	struct served *served = crew->served;
	struct pager_options options = {
		.pages = served->pages,
		.nodes = served->mask,
		.policy = served->how & MK_SERVE_LOCAL ? PAGER_LOCAL :
							 PAGER_GLOBAL,
		.sync = served->who - MK_SERVER_SHM,
		.timeout_ms = TIMEOUT_MS,
		.stock = STOCK,
		.arg = served,
	};

	if (!(served->how & (MK_SERVE_LOCAL | MK_SERVE_TABLES)))
		options.flags = PAGER_PLAIN;
	if (served->how & MK_SERVE_POLL)
		options.poll_us = SERVED_POLL_US;
	if (served->how & MK_SERVE_SPREAD)
		options.serve = spread;
	return pager_group_create(&options, &crew->group);
}

static int start(struct crew *crew)
{
	struct served *served = crew->served;
	int i, ret = 0;

	for (i = 0; i < served->nodes && !ret; i++) {
		struct keeper *keeper = &crew->keeper[i];

		keeper->crew = crew;
		keeper->node = served->node[i];
		ret = -pthread_create(&keeper->thread, NULL, keep, keeper);
		crew->keepers += !ret;
	}
	for (i = 0; i < crew->keepers; i++)
		while (sem_wait(&crew->ready) && errno == EINTR)
			;
	for (i = 0; i < crew->keepers && !ret; i++)
		ret = crew->keeper[i].ret;
	return ret;
}

/* A page table on each node. */
static int mirror(struct crew *crew)
{
	int ret, fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!ioctl(fd, MK_IOC_MIRROR)) {
		crew->mirror = fd;
		return 0;
	}
	ret = -errno;
	close(fd);
	/* By somebody else. */
	return ret == -EEXIST ? 0 : ret;
}

static int begin(struct served *served)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	int ret;

	if (!crew)
		return -ENOMEM;
	served->inside = crew;
	crew->served = served;
	crew->mirror = -1;
	sem_init(&crew->ready, 0, 0);
	ret = group(crew);
	if (!ret)
		ret = start(crew);
	if (!ret && (served->how & (MK_SERVE_LOCAL | MK_SERVE_TABLES)))
		ret = mirror(crew);
	if (ret)
		return ret;
	served->at = mmap(NULL, served->pages * SERVED_PAGE,
			  PROT_READ | PROT_WRITE, MAP_SHARED,
			  pager_group_region(crew->group), 0);
	if (served->at != MAP_FAILED)
		return 0;
	served->at = NULL;
	return -errno;
}

static int take(struct served *served, __u32 first, __u32 pages)
{
	const struct crew *crew = served->inside;

	return pager_group_unmap(crew->group, first, pages, NULL);
}

static void counts(struct served *served, __u64 *words)
{
	const struct crew *crew = served->inside;
	struct pager_counts counts;
	int node;

	for (node = 0; node < MK_SERVE_NODES_MAX; node++) {
		if (pager_group_counts(crew->group, node, &counts))
			continue;
		words[MK_SERVED_FAULTS] = counts.answers;
		words[MK_SERVED_NOTICES] = counts.notices;
		words[MK_SERVED_MESSAGES] = counts.messages;
		words[MK_SERVED_SLEEPS] = counts.sleeps;
		words += MK_SERVED_WORDS;
	}
}

/* Pages begin with zeroes: there is no other reason. */
static int refused(struct served *served)
{
	const struct crew *crew = served->inside;
	struct pager_counts counts;
	int i;

	for (i = 0; i < served->nodes; i++)
		if (!pager_group_counts(crew->group, served->node[i], &counts) &&
		    counts.refusals)
			return 1;
	return 0;
}

static void end(struct served *served)
{
	struct crew *crew = served->inside;
	int i;

	if (!crew)
		return;
	/* What is mapped on nodes goes before the tables do. */
	if (served->at)
		munmap(served->at, served->pages * SERVED_PAGE);
	if (crew->mirror >= 0)
		close(crew->mirror);
	served_stop(served);
	for (i = 0; i < crew->keepers; i++)
		pthread_join(crew->keeper[i].thread, NULL);
	pager_group_destroy(crew->group);
	sem_destroy(&crew->ready);
	free(crew);
}

const struct served_ops served_by_pagers = {
	.begin = begin, .take = take, .counts = counts, .refused = refused,
	.end = end,
};
