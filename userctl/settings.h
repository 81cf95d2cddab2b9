/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parameters that a run sets, and puts back when it is over.
 */
#ifndef MKCTL_SETTINGS_H
#define MKCTL_SETTINGS_H

#include <stddef.h>

#include "tree.h"

/**
 * struct setting - one assignment that the user asked for
 * @experiment: for this one only, NULL for all that have it
 * @name: parameter
 * @value: its value
 * @option: the option it came from, for messages
 */
struct setting {
	char *experiment, *name, *value;
	const char *option;
};

struct settings {
	struct setting *list;
	size_t nr;
	struct saved_value {
		char *path, *value;
	} *saved;
	size_t nr_saved;
};

/* "[EXPERIMENT.]name=value"; 0, or -1 after saying what is wrong. */
int settings_parse(struct settings *settings, const char *text);
void settings_add(struct settings *settings, const char *experiment,
		  const char *name, const char *value, const char *option);

/*
 * Write them all, or none; @chosen are the experiments that will run.
 *
 * Returns an exit code, after saying what is wrong and what there is.
 */
int settings_apply(struct settings *settings, const struct tree *tree,
		   const char *const *chosen, size_t nr_chosen);

/* Put the values back that were there before. */
void settings_restore(struct settings *settings, const struct tree *tree);

void settings_free(struct settings *settings);

#endif /* MKCTL_SETTINGS_H */
