// SPDX-License-Identifier: GPL-2.0
/*
 * Access to the module's debugfs tree.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkctl.h"
#include "tree.h"

/* Files of an experiment that are not parameters. */
static const char *const not_params[] = {
	"help", "run", "progress", "agents", "results"
};

static int is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/*
 * The usual reasons, most likely first, each with the way out. Debian mounts
 * debugfs for root only, so that without root nothing can be told about it.
 */
static int explain(const char *root, int reason)
{
	if (strcmp(root, TREE_DEFAULT)) {
		mkctl_error("%s is not the module's tree: %s", root,
			    strerror(reason));
	} else if (reason == EACCES || reason == EPERM) {
		mkctl_error("debugfs needs root; say: sudo mkctl ...");
	} else if (!is_dir("/sys/kernel/debug/bdi") && geteuid()) {
		mkctl_error("debugfs needs root; say: sudo mkctl ...");
	} else if (!is_dir("/sys/module/multikernel")) {
		mkctl_error("the module is not loaded; say: sudo insmod multikernel.ko");
	} else {
		mkctl_error("debugfs is not mounted: sudo mount -t debugfs none /sys/kernel/debug");
	}
	return MKCTL_NO_TREE;
}

const char *tree_root(void)
{
	const char *root = mkctl_tree ? mkctl_tree : getenv("MKCTL_TREE");

	return root && *root ? root : TREE_DEFAULT;
}

int tree_open(struct tree *tree)
{
	const char *root = tree_root();
	struct dirent **entries;
	char *path;
	int nr, i;

	memset(tree, 0, sizeof(*tree));
	path = mkctl_printf("%s/experiments", root);
	nr = scandir(path, &entries, visible, alphasort);
	if (nr < 0) {
		nr = errno;
		free(path);
		return explain(root, nr);
	}
	tree->root = mkctl_printf("%s", root);
	tree->experiments = mkctl_alloc((nr + 1) * sizeof(char *));
	for (i = 0; i < nr; i++) {
		char *run = mkctl_printf("%s/%s/run", path, entries[i]->d_name);

		if (!access(run, F_OK))
			tree->experiments[tree->nr_experiments++] =
				mkctl_printf("%s", entries[i]->d_name);
		free(run);
		free(entries[i]);
	}
	free(entries);
	free(path);
	return 0;
}

void tree_close(struct tree *tree)
{
	size_t i;

	for (i = 0; i < tree->nr_experiments; i++)
		free(tree->experiments[i]);
	free(tree->experiments);
	free(tree->root);
}

int tree_has(const struct tree *tree, const char *experiment)
{
	size_t i;

	for (i = 0; i < tree->nr_experiments; i++)
		if (!strcmp(tree->experiments[i], experiment))
			return 1;
	return 0;
}

char *file_read(const char *path, size_t *len)
{
	size_t room = 4096, used = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t got;

	if (fd < 0)
		return NULL;
	/* Files of debugfs, sysfs and procfs have no size: read to the end. */
	text = mkctl_alloc(room);
	while ((got = read(fd, text + used, room - used - 1))) {
		if (got < 0) {
			if (errno == EINTR)
				continue;
			got = errno;
			close(fd);
			free(text);
			errno = got;
			return NULL;
		}
		used += got;
		if (used == room - 1) {
			room *= 2;
			text = mkctl_grow(text, room, 1);
		}
	}
	close(fd);
	text[used] = '\0';
	if (len)
		*len = used;
	return text;
}

char *file_read_line(const char *path)
{
	char *text = file_read(path, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

char *tree_read(const struct tree *tree, const char *path, size_t *len)
{
	char *full = mkctl_printf("%s/%s", tree->root, path);
	char *text = file_read(full, len);
	int reason = errno;

	free(full);
	errno = reason;
	return text;
}

char *tree_read_line(const struct tree *tree, const char *path)
{
	char *text = tree_read(tree, path, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

int tree_write(const struct tree *tree, const char *path, const char *value)
{
	char *full = mkctl_printf("%s/%s", tree->root, path);
	int fd = open(full, O_WRONLY | O_CLOEXEC);
	ssize_t put;
	int ret = 0;

	free(full);
	if (fd < 0)
		return -errno;
	/* One write and no more: each is a value or a command of its own. */
	put = write(fd, value, strlen(value));
	if (put < 0)
		ret = -errno;
	else if ((size_t)put != strlen(value))
		ret = -EIO;
	close(fd);
	return ret;
}

static int is_param(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(not_params) / sizeof(not_params[0]); i++)
		if (!strcmp(name, not_params[i]))
			return 0;
	return 1;
}

/* The line of @help that begins with @name, without leading blanks. */
static char *help_line(const char *help, const char *name)
{
	size_t len = strlen(name);
	const char *line;

	for (line = help; line && *line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\n");
		if (!strncmp(line, name, len) &&
		    !isalnum((unsigned char)line[len]) && line[len] != '_')
			return mkctl_strndup(line, strcspn(line, "\n"));
	}
	return mkctl_printf("%s", "");
}

struct tree_params tree_params(const struct tree *tree, const char *experiment)
{
	struct tree_params params = { 0 };
	struct tree_param *param;
	struct dirent **entries;
	char *path, *help, *value;
	struct stat st;
	int nr, i;

	path = mkctl_printf("%s/experiments/%s", tree->root, experiment);
	nr = scandir(path, &entries, visible, alphasort);
	free(path);
	if (nr < 0)
		return params;
	path = mkctl_printf("experiments/%s/help", experiment);
	help = tree_read(tree, path, NULL);
	free(path);
	for (i = 0; i < nr; i++) {
		char *file = mkctl_printf("experiments/%s/%s", experiment,
					  entries[i]->d_name);

		path = mkctl_printf("%s/%s", tree->root, file);
		if (is_param(entries[i]->d_name) && !stat(path, &st) &&
		    S_ISREG(st.st_mode) && (st.st_mode & 0222)) {
			value = tree_read_line(tree, file);
			params.list = mkctl_grow(params.list, params.nr + 1,
						 sizeof(*params.list));
			param = &params.list[params.nr++];
			param->name = mkctl_printf("%s", entries[i]->d_name);
			param->value = value ? value : mkctl_printf("%s", "");
			param->help = help_line(help, param->name);
		}
		free(path);
		free(file);
		free(entries[i]);
	}
	free(entries);
	free(help);
	return params;
}

void tree_params_free(struct tree_params *params)
{
	size_t i;

	for (i = 0; i < params->nr; i++) {
		free(params->list[i].name);
		free(params->list[i].value);
		free(params->list[i].help);
	}
	free(params->list);
}

const struct tree_param *tree_param(const struct tree_params *params,
				    const char *name)
{
	size_t i;

	for (i = 0; i < params->nr; i++)
		if (!strcmp(params->list[i].name, name))
			return &params->list[i];
	return NULL;
}

/* Every file of one directory of counters; @cpu as in &struct tree_counter. */
static void add_counters(struct tree_counters *counters, const char *dir, int cpu)
{
	struct tree_counter *counter;
	struct dirent **entries;
	char *path, *text, *end;
	uint64_t value;
	int nr, i, sub;

	nr = scandir(dir, &entries, visible, versionsort);
	for (i = 0; i < nr; i++) {
		path = mkctl_printf("%s/%s", dir, entries[i]->d_name);
		if (is_dir(path)) {
			if (sscanf(entries[i]->d_name, "cpu%d", &sub) == 1)
				add_counters(counters, path, sub);
			else if (!strcmp(entries[i]->d_name, "total"))
				add_counters(counters, path, -1);
		} else {
			text = file_read_line(path);
			value = text ? strtoull(text, &end, 10) : 0;
			if (text && end != text && !*end) {
				counters->list = mkctl_grow(counters->list,
							    counters->nr + 1,
							    sizeof(*counter));
				counter = &counters->list[counters->nr++];
				counter->name = mkctl_printf("%s", entries[i]->d_name);
				counter->cpu = cpu;
				counter->value = value;
			}
			free(text);
		}
		free(path);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

struct tree_counters tree_counters(const struct tree *tree)
{
	struct tree_counters counters = { 0 };
	char *path = mkctl_printf("%s/counters", tree->root);

	add_counters(&counters, path, -1);
	free(path);
	return counters;
}

void tree_counters_free(struct tree_counters *counters)
{
	size_t i;

	for (i = 0; i < counters->nr; i++)
		free(counters->list[i].name);
	free(counters->list);
}

static char *join(char *so_far, const char *next)
{
	char *longer;

	if (!so_far)
		return mkctl_printf("%s", next);
	longer = mkctl_printf("%s, %s", so_far, next);
	free(so_far);
	return longer;
}

char *tree_experiment_names(const struct tree *tree)
{
	char *text = NULL;
	size_t i;

	for (i = 0; i < tree->nr_experiments; i++)
		text = join(text, tree->experiments[i]);
	return text ? text : mkctl_printf("none");
}

char *tree_param_names(const struct tree_params *params)
{
	char *text = NULL;
	size_t i;

	for (i = 0; i < params->nr; i++)
		text = join(text, params->list[i].name);
	return text ? text : mkctl_printf("none");
}
