// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the topology.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "mkctl.h"
#include "tree.h"

static char *read_in(const char *dir, const char *name)
{
	char *path = mkctl_printf("%s/%s", dir, name);
	char *text = file_read_line(path);

	free(path);
	return text;
}

long machine_number(const char *dir, const char *name, long otherwise)
{
	char *text = read_in(dir, name), *end;
	long value = otherwise;

	if (text) {
		value = strtol(text, &end, 10);
		if (end == text)
			value = otherwise;
	}
	free(text);
	return value;
}

int machine_list(const char *text, int **list)
{
	int nr = 0;
	long from, to;
	char *end;

	*list = NULL;
	while (*text && *text != '\n') {
		from = strtol(text, &end, 10);
		to = from;
		if (end == text)
			goto bad;
		if (*end == '-') {
			text = end + 1;
			to = strtol(text, &end, 10);
			if (end == text)
				goto bad;
		}
		if (from < 0 || to < from || to >= MACHINE_CPUS || nr > MACHINE_CPUS)
			goto bad;
		*list = mkctl_grow(*list, nr + to - from + 1, sizeof(int));
		for (; from <= to; from++)
			(*list)[nr++] = from;
		text = end + (*end == ',');
		if (*end && *end != ',' && *end != '\n')
			goto bad;
	}
	return nr;
bad:
	free(*list);
	*list = NULL;
	return -1;
}

/* The list in the file @name; how many, or -1. */
static int read_list(const char *dir, const char *name, int **list)
{
	char *text = read_in(dir, name);
	int nr = text ? machine_list(text, list) : -1;

	if (!text)
		*list = NULL;
	free(text);
	return nr;
}

static void read_distances(struct machine *machine, size_t index, const char *dir)
{
	struct machine_node *node = &machine->nodes[index];
	char *text = read_in(dir, "distance"), *at = text, *end;
	size_t i;

	node->distance = mkctl_alloc(machine->nr_nodes * sizeof(int));
	for (i = 0; i < machine->nr_nodes; i++) {
		node->distance[i] = at ? strtol(at, &end, 10) : -1;
		if (at && end == at)
			node->distance[i] = -1;
		at = at ? end : NULL;
	}
	free(text);
}

static void add_cpu(struct machine *machine, int id, int node, const char *dir,
		    const char *package, const char *core)
{
	struct machine_cpu *cpu;

	machine->cpus = mkctl_grow(machine->cpus, machine->nr_cpus + 1, sizeof(*cpu));
	cpu = &machine->cpus[machine->nr_cpus++];
	cpu->id = id;
	cpu->node = node;
	cpu->package = machine_number(dir, package, -1);
	cpu->core = machine_number(dir, core, -1);
}

/* One node and its CPUs; @sysfs says whose names the files have. */
static int read_node(struct machine *machine, size_t index, const char *nodes,
		     const char *cpus, int sysfs)
{
	char *dir = mkctl_printf("%s/node%d", nodes, machine->nodes[index].id), *cpu;
	int nr, i, *list;

	read_distances(machine, index, dir);
	nr = read_list(dir, sysfs ? "cpulist" : "cpus", &list);
	for (i = 0; i < nr; i++) {
		cpu = mkctl_printf(sysfs ? "%s/cpu%d/topology" : "%s/cpu%d", cpus, list[i]);
		add_cpu(machine, list[i], machine->nodes[index].id, cpu,
			sysfs ? "physical_package_id" : "package",
			sysfs ? "core_id" : "core");
		free(cpu);
	}
	free(list);
	free(dir);
	return nr < 0 ? -1 : 0;
}

/* A kernel without NUMA has no nodes in sysfs: all is one. */
static void read_flat(struct machine *machine, const char *cpus)
{
	int nr, i, *list;
	char *cpu;

	machine->nr_nodes = 1;
	machine->nodes = mkctl_alloc(sizeof(*machine->nodes));
	machine->nodes[0].distance = mkctl_alloc(sizeof(int));
	machine->nodes[0].distance[0] = -1;
	nr = read_list(cpus, "online", &list);
	for (i = 0; i < nr; i++) {
		cpu = mkctl_printf("%s/cpu%d/topology", cpus, list[i]);
		add_cpu(machine, list[i], 0, cpu, "physical_package_id", "core_id");
		free(cpu);
	}
	free(list);
}

int machine_read(struct machine *machine, const char *tree, const char *sys,
		 char *error, size_t error_len)
{
	char *nodes, *cpus;
	int nr, i, *list, ret = 0;

	memset(machine, 0, sizeof(*machine));
	if (tree) {
		nodes = mkctl_printf("%s/topology", tree);
		cpus = mkctl_printf("%s", nodes);
	} else {
		nodes = mkctl_printf("%s/devices/system/node", sys);
		cpus = mkctl_printf("%s/devices/system/cpu", sys);
	}
	nr = read_list(nodes, tree ? "nodes" : "online", &list);
	machine->nodes = mkctl_alloc((nr > 0 ? nr : 0) * sizeof(*machine->nodes));
	for (i = 0; i < nr; i++)
		machine->nodes[i].id = list[i];
	if (nr > 0) {
		machine->nr_nodes = nr;
		for (i = 0; i < nr && !ret; i++)
			ret = read_node(machine, i, nodes, cpus, !tree);
	} else if (!tree) {
		free(machine->nodes);
		read_flat(machine, cpus);
	}
	if (ret || !machine->nr_cpus) {
		snprintf(error, error_len, "cannot read CPUs and nodes in %s", nodes);
		ret = -1;
	}
	free(list);
	free(nodes);
	free(cpus);
	return ret;
}

void machine_free(struct machine *machine)
{
	size_t i;

	for (i = 0; i < machine->nr_nodes; i++)
		free(machine->nodes[i].distance);
	free(machine->nodes);
	free(machine->cpus);
}
