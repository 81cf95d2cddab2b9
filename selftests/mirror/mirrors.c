// SPDX-License-Identifier: GPL-2.0
/*
 * See mirrors.h.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "mirrors.h"

int mirror_attach(pid_t pid)
{
	return mk_put_u64("mirror/attach", pid);
}

int mirror_detach(pid_t pid)
{
	return mk_put_u64("mirror/detach", pid);
}

static unsigned long long figure(pid_t pid, const char *node, const char *name)
{
	unsigned long long value;
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "mirror/%d/%s/%s", pid, node, name);
	return mk_get_u64(file, &value) ? 0 : value;
}

int mirror_figures(pid_t pid, struct mirror_figures *figures)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	*figures = (struct mirror_figures){ .attached = 1 };
	snprintf(path, sizeof(path), "mirror/%d", pid);
	dir = opendir(mk_path(path));
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "node", 4))
			continue;
		figures->fills += figure(pid, entry->d_name, "fills");
		figures->zaps += figure(pid, entry->d_name, "zaps");
		figures->switches += figure(pid, entry->d_name, "switches");
	}
	closedir(dir);
	return 0;
}

int mirror_total(struct mirror_figures *figures)
{
	unsigned long long value;
	char text[1024], name[32], *line, *save;
	ssize_t len = mk_read("mirror/total", text, sizeof(text));

	*figures = (struct mirror_figures){ 0 };
	if (len < 0)
		return len;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%31s %llu", name, &value) != 2)
			continue;
		if (!strcmp(name, "attached"))
			figures->attached = value;
		else if (!strcmp(name, "fills"))
			figures->fills = value;
		else if (!strcmp(name, "zaps"))
			figures->zaps = value;
		else if (!strcmp(name, "switches"))
			figures->switches = value;
	}
	return 0;
}
