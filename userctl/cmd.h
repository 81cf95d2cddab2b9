/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one subcommand has that another uses.
 */
#ifndef MKCTL_CMD_H
#define MKCTL_CMD_H

#include <stddef.h>

#include "tree.h"

/* mkctl list: all experiments, or the parameters of those named. */
int list_print(const struct tree *tree, char **names, size_t nr);

/* MKCTL_OK, or MKCTL_USAGE after naming those that there are. */
int check_experiment(const struct tree *tree, const char *name);

#endif /* MKCTL_CMD_H */
