/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Costs from files into the module.
 */
#ifndef MKCTL_COSTS_STORE_H
#define MKCTL_COSTS_STORE_H

#include "tree.h"

/*
 * Write send, receive and rtt of the directory @dir, as many as there are, to
 * topology/costs/. All are looked at before the first is written. 0, or an exit code
 * after saying what is wrong.
 */
int costs_store(const struct tree *tree, const char *dir);

#endif /* MKCTL_COSTS_STORE_H */
