/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Using home-node spaces of /dev/multikernel, in the fewest words. What returns
 * an int returns 0, or a descriptor, or a negative errno.
 */
#ifndef MK_SELFTEST_HOME_USE_H
#define MK_SELFTEST_HOME_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "module/uapi.h"

#define NODES_MAX	16
#define HOME_AT		0x10000000UL

/* Nodes with a CPU on line, and the first such CPU of each; how many. */
int home_nodes(int *node, int *cpu);

int home_open(int node);
int home_map(int fd, uint64_t address, uint32_t pages, uint32_t flags);
int home_unmap(int fd, uint64_t address, uint32_t pages, int protocol, int broken);
/* Read or write a word; faults may be NULL. */
int home_read(int fd, int cpu, uint64_t address, uint64_t *word,
	      uint32_t *faults);
int home_write(int fd, int cpu, uint64_t address, uint64_t word);
int home_info(int fd, int node, struct mk_home_info *info);

/* A figure of home/, summed over all nodes. */
unsigned long long home_total(const char *name);

#endif /* MK_SELFTEST_HOME_USE_H */
