// SPDX-License-Identifier: GPL-2.0
/*
 * The directory that holds a run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "mkctl.h"
#include "rundir.h"

#define MERGED "all.csv"

static int is_csv(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	       !strcmp(entry->d_name + len - 4, ".csv");
}

static int is_run_file(const struct dirent *entry)
{
	return is_csv(entry) || !strcmp(entry->d_name, "env.json");
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void free_entries(struct dirent **entries, int nr)
{
	while (nr-- > 0)
		free(entries[nr]);
	free(entries);
}

int rundir_used(const char *dir)
{
	struct dirent **entries = NULL;
	int nr = scandir(dir, &entries, is_run_file, alphasort);

	free_entries(entries, nr);
	return nr > 0;
}

/* mkdir -p; 0 or -1 with errno set. */
static int make_all(const char *dir)
{
	char *path = mkctl_printf("%s/", dir), *slash;
	int ret = 0;

	for (slash = path + 1; !ret && (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			ret = -1;
		*slash = '/';
	}
	free(path);
	return ret;
}

char *rundir_make(const char *dir)
{
	char stamp[32], *path;
	time_t now = time(NULL);
	struct tm tm;

	if (dir) {
		path = mkctl_printf("%s", dir);
	} else {
		localtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
		path = mkctl_printf("results/%s", stamp);
	}
	if (rundir_used(path)) {
		mkctl_error("%s holds a run already; name another directory with --out",
			    path);
	} else if (!*path || make_all(path)) {
		mkctl_error("cannot make the directory '%s': %s; name another with --out",
			    path, *path ? strerror(errno) : "it has no name");
	} else {
		return path;
	}
	free(path);
	return NULL;
}

static int finish(FILE *file, const char *path)
{
	int bad = file && ferror(file);

	if (!file || fclose(file) || bad) {
		mkctl_error("cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

int rundir_write(const char *dir, const char *name, const char *text, size_t len)
{
	char *path = mkctl_printf("%s/%s", dir, name);
	FILE *file = fopen(path, "we");
	int ret;

	if (file)
		fwrite(text, 1, len, file);
	ret = finish(file, path);
	free(path);
	return ret;
}

int rundir_write_csv(const char *dir, const char *name, const struct csv *csv)
{
	char *path = mkctl_printf("%s/%s", dir, name);
	FILE *file = fopen(path, "we");
	int ret;

	if (file)
		csv_write(csv, file);
	ret = finish(file, path);
	free(path);
	return ret;
}

int rundir_load(const char *dir, struct csv *csv)
{
	struct dirent **entries = NULL;
	int nr = scandir(dir, &entries, is_csv, alphasort), i, bad = 0;
	char *path, error[512];

	if (nr <= 0) {
		free_entries(entries, nr);
		return -1;
	}
	for (i = 0; i < nr; i++) {
		/* It repeats what the others say. */
		if (nr > 1 && !strcmp(entries[i]->d_name, MERGED))
			continue;
		path = mkctl_printf("%s/%s", dir, entries[i]->d_name);
		if (csv_load(csv, path, error, sizeof(error))) {
			mkctl_error("%s", error);
			bad++;
		}
		free(path);
	}
	free_entries(entries, nr);
	return bad;
}

char **rundir_inside(const char *dir, size_t *nr)
{
	struct dirent **entries = NULL;
	int found = scandir(dir, &entries, is_visible, alphasort), i;
	char **list = NULL, *path;

	*nr = 0;
	for (i = 0; i < found; i++) {
		path = mkctl_printf("%s/%s", dir, entries[i]->d_name);
		if (rundir_used(path)) {
			list = mkctl_grow(list, *nr + 1, sizeof(*list));
			list[(*nr)++] = path;
		} else {
			free(path);
		}
	}
	free_entries(entries, found);
	return list;
}
