// SPDX-License-Identifier: GPL-2.0
/*
 * Reading mirror/ of the module's tree.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mirrors.h"
#include "mkctl.h"

int mirrors_there(const struct tree *tree)
{
	char *path = mkctl_printf("%s/mirror/attach", tree->root);
	int there = !access(path, F_OK);

	free(path);
	return there;
}

static void read_locality(struct mirror *mirror, const char *text)
{
	struct mirror_cpu cpu;
	const char *line;

	/* the first line names the columns */
	for (line = strchr(text, '\n'); line; line = strchr(line + 1, '\n')) {
		if (sscanf(line + 1, "%d,%d,%d,%u,%u,%u,%u", &cpu.cpu, &cpu.node,
			   &cpu.mirrored, &cpu.levels, &cpu.local, &cpu.master_levels,
			   &cpu.master_local) != 7)
			continue;
		mirror->cpus = mkctl_grow(mirror->cpus, mirror->nr_cpus + 1, sizeof(cpu));
		mirror->cpus[mirror->nr_cpus++] = cpu;
	}
}

static void add(struct mirrors *mirrors, const struct tree *tree, long pid)
{
	char *path = mkctl_printf("mirror/%ld/comm", pid);
	struct mirror *mirror;
	char *comm, *locality;

	comm = tree_read_line(tree, path);
	free(path);
	path = mkctl_printf("mirror/%ld/locality", pid);
	locality = tree_read(tree, path, NULL);
	free(path);
	if (comm && locality) {
		mirrors->list = mkctl_grow(mirrors->list, mirrors->nr + 1, sizeof(*mirror));
		mirror = &mirrors->list[mirrors->nr++];
		memset(mirror, 0, sizeof(*mirror));
		mirror->pid = pid;
		mirror->comm = comm;
		read_locality(mirror, locality);
		comm = NULL;
	}
	free(comm);
	free(locality);
}

static int is_pid(const struct dirent *entry)
{
	return entry->d_name[strspn(entry->d_name, "0123456789")] == '\0';
}

struct mirrors mirrors_read(const struct tree *tree)
{
	char *path = mkctl_printf("%s/mirror", tree->root);
	struct mirrors mirrors = { 0 };
	struct dirent **entries;
	int nr = scandir(path, &entries, is_pid, versionsort), i;

	for (i = 0; i < nr; i++) {
		add(&mirrors, tree, atol(entries[i]->d_name));
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	free(path);
	return mirrors;
}

void mirrors_free(struct mirrors *mirrors)
{
	size_t i;

	for (i = 0; i < mirrors->nr; i++) {
		free(mirrors->list[i].comm);
		free(mirrors->list[i].cpus);
	}
	free(mirrors->list);
}

static double percent(unsigned int part, unsigned int all)
{
	return all ? 100.0 * part / all : -1;
}

double mirror_locality(const struct mirror *mirror)
{
	unsigned int levels = 0, local = 0;
	size_t i;

	for (i = 0; i < mirror->nr_cpus; i++) {
		levels += mirror->cpus[i].levels;
		local += mirror->cpus[i].local;
	}
	return percent(local, levels);
}

double mirror_master_locality(const struct mirror *mirror)
{
	unsigned int levels = 0, local = 0;
	size_t i;

	for (i = 0; i < mirror->nr_cpus; i++) {
		levels += mirror->cpus[i].master_levels;
		local += mirror->cpus[i].master_local;
	}
	return percent(local, levels);
}

int64_t mirror_value(const struct tree *tree, long pid, int node, const char *name)
{
	char *path = mkctl_printf("mirror/%ld/node%d/%s", pid, node, name);
	char *text = tree_read_line(tree, path);
	int64_t value = text ? atoll(text) : -1;

	free(text);
	free(path);
	return value;
}
