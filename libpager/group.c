// SPDX-License-Identifier: GPL-2.0
/*
 * A group: a region, its directory, and where its pagers meet.
 */
#include <stdlib.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module/uapi.h"
#include "private.h"

#define FLAGS_KNOWN	(PAGER_ZERO | PAGER_PLAIN)
#define POLL_US_MAX	1000000

static int check(const struct pager_options *options)
{
	bool plain = options->flags & PAGER_PLAIN;

	if (!options->pages || options->pages > MK_REGION_PAGES_MAX ||
	    (options->flags & ~FLAGS_KNOWN) || options->stock > PAGER_STOCK_MAX ||
	    options->policy >= PAGER_POLICIES || options->sync >= PAGER_SYNCS ||
	    options->timeout_ms > MK_PAGED_TIMEOUT_MAX ||
	    options->poll_us > POLL_US_MAX || options->protocol > MK_PROTOCOLS)
		return -EINVAL;
	/* Where all nodes have one page table, they have one frame. */
	if (plain && options->policy != PAGER_GLOBAL && !options->serve)
		return -EINVAL;
	return 0;
}

static int meeting_create(struct pager_group *group)
{
	if (group->options.sync == PAGER_SHM || group->options.serve)
		return 0;
	group->maker = getpid();
	snprintf(group->meeting, sizeof(group->meeting), "/tmp/pager-XXXXXX");
	if (mkdtemp(group->meeting))
		return 0;
	group->meeting[0] = 0;
	return -errno;
}

int pager_group_make(const struct pager_options *options,
		     const struct pager_region_ops *device,
		     struct pager_group **out)
{
	struct pager_group *group;
	int ret = check(options);

	if (ret)
		return ret;
	group = calloc(1, sizeof(*group));
	if (!group)
		return -ENOMEM;
	group->options = *options;
	group->device = device;
	group->region = -1;
	group->memory = -1;
	if (!options->nodes)
		group->options.nodes = device->nodes();
	ret = device->create(&group->options, &group->region);
	if (!ret)
		ret = pager_directory_create(group);
	if (!ret)
		ret = meeting_create(group);
	if (ret) {
		pager_group_destroy(group);
		return ret;
	}
	*out = group;
	return 0;
}

int pager_group_create(const struct pager_options *options,
		       struct pager_group **group)
{
	return pager_group_make(options, &pager_device, group);
}

/* Sockets of pagers that have died are still there. */
static void meeting_remove(const struct pager_group *group)
{
	char path[96];
	int node;

	for (node = 0; node < PAGER_NODES_MAX; node++) {
		snprintf(path, sizeof(path), "%s/%d", group->meeting, node);
		unlink(path);
	}
	rmdir(group->meeting);
}

void pager_group_destroy(struct pager_group *group)
{
	if (!group)
		return;
	/* Not by a child that has got it by fork(). */
	if (group->meeting[0] && group->maker == getpid())
		meeting_remove(group);
	if (group->directory)
		munmap(group->directory, group->bytes);
	if (group->memory >= 0)
		close(group->memory);
	if (group->region >= 0)
		close(group->region);
	free(group);
}

int pager_group_region(const struct pager_group *group)
{
	return group->region;
}

uint64_t pager_group_nodes(const struct pager_group *group)
{
	return group->options.nodes;
}

int pager_group_counts(const struct pager_group *group, int node,
		       struct pager_counts *counts)
{
	const uint64_t *from;
	uint64_t *to = (uint64_t *)counts;
	size_t i;

	if (node < 0 || node >= PAGER_NODES_MAX)
		return -EINVAL;
	from = (const uint64_t *)&group->directory->seat[node].counts;
	for (i = 0; i < sizeof(*counts) / sizeof(*to); i++)
		to[i] = READ_ONCE(from[i]);
	return 0;
}

int pager_group_look(const struct pager_group *group, uint32_t page, int node,
		     uint32_t *frame)
{
	return group->device->look(group->region, page, node, frame);
}

int pager_group_unmap(const struct pager_group *group, uint32_t first,
		      uint32_t pages, uint64_t *told)
{
	return group->device->unmap(group->region, &group->options, first, pages,
				    told);
}
