/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors as the programs here see them, in debugfs.
 */
#ifndef MK_SELFTEST_MIRRORS_H
#define MK_SELFTEST_MIRRORS_H

#include <sys/types.h>

/* Sums over all nodes of one mirror, or of all that there have been. */
struct mirror_figures {
	unsigned long long attached, fills, zaps, switches;
};

int mirror_attach(pid_t pid);
int mirror_detach(pid_t pid);
/* 0, or -ENOENT when it is not mirrored. */
int mirror_figures(pid_t pid, struct mirror_figures *figures);

/* Of all mirrors since the module was loaded, ended ones too. 0 or a negative errno. */
int mirror_total(struct mirror_figures *figures);

#endif /* MK_SELFTEST_MIRRORS_H */
