/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUs and nodes of this machine, as the module or sysfs has them.
 */
#ifndef MKCTL_MACHINE_H
#define MKCTL_MACHINE_H

#include <stddef.h>

#define MACHINE_CPUS	8192	/* more than any kernel for x86 */

struct machine_node {
	int id;
	int *distance;		/* to each node, in their order; -1 if not said */
};

struct machine_cpu {
	int id, node, package, core;
};

struct machine {
	struct machine_node *nodes;
	struct machine_cpu *cpus;	/* those on line, by node and number */
	size_t nr_nodes, nr_cpus;
};

/*
 * From the module's topology/ in @tree, or from sysfs in the directory @sys where
 * @tree is NULL. 0, or -1 with one line in @error; machine_free() in any case.
 */
int machine_read(struct machine *machine, const char *tree, const char *sys,
		 char *error, size_t error_len);
void machine_free(struct machine *machine);

/* Numbers of a list such as 0-3,8 into a list of ints; how many, or -1. */
int machine_list(const char *text, int **list);

/* The number in DIR/NAME, @otherwise if there is none. */
long machine_number(const char *dir, const char *name, long otherwise);

#endif /* MKCTL_MACHINE_H */
