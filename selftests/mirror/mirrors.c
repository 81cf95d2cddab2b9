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

struct mirror_seen {
	pid_t pid;
	struct mirror_figures figures;
};

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

	*figures = (struct mirror_figures){ 0 };
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

static struct mirror_seen *seen(struct mirror_watch *watch, pid_t pid)
{
	int i;

	for (i = 0; i < watch->nr; i++)
		if (watch->seen[i].pid == pid)
			return &watch->seen[i];
	if (watch->nr == watch->room) {
		watch->room += 64;
		watch->seen = realloc(watch->seen,
				      watch->room * sizeof(*watch->seen));
		if (!watch->seen)
			abort();
	}
	watch->seen[watch->nr] = (struct mirror_seen){ .pid = pid };
	return &watch->seen[watch->nr++];
}

void mirror_watch_look(struct mirror_watch *watch)
{
	DIR *dir = opendir(mk_path("mirror"));
	struct mirror_figures now;
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);

		/* Its files may go while they are read: then they read 0. */
		if (pid > 0 && !mirror_figures(pid, &now) && now.switches)
			seen(watch, pid)->figures = now;
	}
	closedir(dir);
}

int mirror_watch_end(struct mirror_watch *watch, struct mirror_figures *sum)
{
	int i, nr = watch->nr;

	*sum = (struct mirror_figures){ 0 };
	for (i = 0; i < nr; i++) {
		sum->fills += watch->seen[i].figures.fills;
		sum->zaps += watch->seen[i].figures.zaps;
		sum->switches += watch->seen[i].figures.switches;
	}
	free(watch->seen);
	*watch = (struct mirror_watch){ 0 };
	return nr;
}
