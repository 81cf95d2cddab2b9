/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors, as the module's tree shows them.
 */
#ifndef MKCTL_MIRRORS_H
#define MKCTL_MIRRORS_H

#include <stddef.h>
#include <stdint.h>

#include "tree.h"

/**
 * struct mirror_cpu - how near the page tables of a process are to a CPU
 * @cpu: its number
 * @node: its node
 * @mirrored: the CPU walks the replica of its node
 * @levels: levels of a walk
 * @local: those of them on the CPU's node
 * @master_levels: levels of a walk of Linux's own tables
 * @master_local: those of them on the CPU's node
 */
struct mirror_cpu {
	int cpu, node, mirrored;
	unsigned int levels, local, master_levels, master_local;
};

struct mirror {
	long pid;
	char *comm;
	struct mirror_cpu *cpus;
	size_t nr_cpus;
};

struct mirrors {
	struct mirror *list;
	size_t nr;
};

/* Does the module have mirrors at all? */
int mirrors_there(const struct tree *tree);

/* All of them, by number; one that goes meanwhile is left out. */
struct mirrors mirrors_read(const struct tree *tree);
void mirrors_free(struct mirrors *mirrors);

/* Percent of the levels of all its walks that are local; -1 if there are none. */
double mirror_locality(const struct mirror *mirror);
double mirror_master_locality(const struct mirror *mirror);

/* A file of @node of the mirror of @pid; -1 if it is not there. */
int64_t mirror_value(const struct tree *tree, long pid, int node, const char *name);

#endif /* MKCTL_MIRRORS_H */
