// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes and their CPUs, as Linux lists them in sysfs: 0-1,3
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "private.h"

/* @found: called for each number. How many there were, or a negative errno. */
static int each_in(const char *path, void (*found)(int n, void *arg), void *arg)
{
	FILE *file = fopen(path, "re");
	int first, last, n = 0;

	if (!file)
		return -errno;
	while (fscanf(file, "%d", &first) == 1) {
		last = first;
		if (fscanf(file, "-%d", &last) < 0)
			last = first;
		for (; first <= last; first++, n++)
			found(first, arg);
		if (fgetc(file) != ',')
			break;
	}
	fclose(file);
	return n;
}

static void add_node(int node, void *nodes)
{
	if (node < PAGER_NODES_MAX)
		*(u64 *)nodes |= node_bit(node);
}

/* A bit for each node with memory. */
u64 pager_nodes(void)
{
	u64 nodes = 0;

	each_in("/sys/devices/system/node/has_memory", add_node, &nodes);
	return nodes ? nodes : 1;
}

static void add_cpu(int cpu, void *set)
{
	if (cpu < CPU_SETSIZE)
		CPU_SET(cpu, (cpu_set_t *)set);
}

int pager_bind(int node)
{
	char path[64];
	cpu_set_t set;
	int ret;

	if (node < 0 || node >= PAGER_NODES_MAX)
		return -EINVAL;
	CPU_ZERO(&set);
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist",
		 node);
	ret = each_in(path, add_cpu, &set);
	/* A node may have memory and no CPU. */
	if (ret <= 0)
		return ret ? ret : -ENODEV;
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}
