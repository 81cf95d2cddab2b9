/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's debugfs tree: one value per file.
 */
#ifndef MKCTL_TREE_H
#define MKCTL_TREE_H

#include <stddef.h>
#include <stdint.h>

#define TREE_DEFAULT "/sys/kernel/debug/multikernel"

struct tree {
	char *root;
	char **experiments;	/* sorted, NULL after the last */
	size_t nr_experiments;
};

/**
 * struct tree_param - one parameter of an experiment
 * @name: file name
 * @value: what it holds, without the newline
 * @help: its line of the experiment's help file, "" if it has none
 */
struct tree_param {
	char *name, *value, *help;
};

struct tree_params {
	struct tree_param *list;
	size_t nr;
};

/**
 * struct tree_counter - one of the module's counters
 * @name: its name
 * @cpu: the CPU that it counts for, -1 for all together
 * @value: its value
 */
struct tree_counter {
	char *name;
	int cpu;
	uint64_t value;
};

struct tree_counters {
	struct tree_counter *list;
	size_t nr;
};

/* Where the tree is said to be, whether or not it is. */
const char *tree_root(void);

/* 0, or an exit code after saying why it cannot be reached and what to do. */
int tree_open(struct tree *tree);
void tree_close(struct tree *tree);

/* Is there such an experiment? */
int tree_has(const struct tree *tree, const char *experiment);

/* Whole content of root/path; NULL with errno set. The caller frees it. */
char *tree_read(const struct tree *tree, const char *path, size_t *len);

/* The same as one line without its newline. */
char *tree_read_line(const struct tree *tree, const char *path);

/* One write of @value; 0 or -errno. */
int tree_write(const struct tree *tree, const char *path, const char *value);

struct tree_params tree_params(const struct tree *tree, const char *experiment);
void tree_params_free(struct tree_params *params);
const struct tree_param *tree_param(const struct tree_params *params,
				    const char *name);

struct tree_counters tree_counters(const struct tree *tree);
void tree_counters_free(struct tree_counters *counters);

/* "a, b, c" of what exists, for messages; the caller frees it. */
char *tree_experiment_names(const struct tree *tree);
char *tree_param_names(const struct tree_params *params);

/* Whole content of any file, for sysfs and procfs; NULL with errno set. */
char *file_read(const char *path, size_t *len);
char *file_read_line(const char *path);

#endif /* MKCTL_TREE_H */
