// SPDX-License-Identifier: GPL-2.0
/*
 * Using home-node spaces: see home_use.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"
#include "home_use.h"
#include "region_use.h"

int home_nodes(int *node, int *cpu)
{
	unsigned long long of;
	char file[64];
	int n = 0, i, c;

	for (c = 0; c < mk_cpus_possible(); c++) {
		snprintf(file, sizeof(file), "topology/cpu%d/node", c);
		if (!mk_cpu_online(c) || mk_get_u64(file, &of))
			continue;
		for (i = 0; i < n && node[i] != (int)of; i++)
			;
		if (i < n || n == NODES_MAX)
			continue;
		node[n] = of;
		cpu[n++] = c;
	}
	return n;
}

int home_open(int node)
{
	struct mk_home_create create = { .node = node };
	int fd = open(MK_DEVICE, O_RDWR), ret;

	if (fd < 0)
		return -errno;
	ret = mk_ask(fd, MK_IOC_HOME, &create);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int home_map(int fd, uint64_t address, uint32_t pages, uint32_t flags)
{
	struct mk_home_map map = {
		.address = address, .pages = pages, .node = -1, .flags = flags,
	};

	return mk_ask(fd, MK_IOC_HOME_MAP, &map);
}

int home_unmap(int fd, uint64_t address, uint32_t pages, int protocol, int broken)
{
	struct mk_home_unmap op = {
		.address = address, .pages = pages, .protocol = protocol,
		.broken = broken, .cpu = -1,
	};

	return mk_ask(fd, MK_IOC_HOME_UNMAP, &op);
}

int home_read(int fd, int cpu, uint64_t address, uint64_t *word,
	      uint32_t *faults)
{
	struct mk_home_touch touch = { .address = address, .cpu = cpu };
	int ret = mk_ask(fd, MK_IOC_HOME_TOUCH, &touch);

	*word = touch.word;
	if (faults)
		*faults = touch.faults;
	return ret;
}

int home_write(int fd, int cpu, uint64_t address, uint64_t word)
{
	struct mk_home_touch touch = {
		.address = address, .cpu = cpu, .flags = MK_HOME_WRITE,
		.word = word,
	};

	return mk_ask(fd, MK_IOC_HOME_TOUCH, &touch);
}

int home_info(int fd, int node, struct mk_home_info *info)
{
	*info = (struct mk_home_info){ .node = node };
	return mk_ask(fd, MK_IOC_HOME_INFO, info);
}

unsigned long long home_total(const char *name)
{
	unsigned long long sum = 0;
	char file[64];
	int node;

	for (node = 0; node < NODES_MAX; node++) {
		snprintf(file, sizeof(file), "home/node%d/%s", node, name);
		if (mk_exists(file))
			sum += mk_total(file);
	}
	return sum;
}
