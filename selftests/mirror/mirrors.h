/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors as the programs here see them, in debugfs.
 */
#ifndef MK_SELFTEST_MIRRORS_H
#define MK_SELFTEST_MIRRORS_H

#include <sys/types.h>

/* Sums over all nodes of one mirror, or of all that were watched. */
struct mirror_figures {
	unsigned long long fills, zaps, switches;
};

int mirror_attach(pid_t pid);
int mirror_detach(pid_t pid);
/* 0, or -ENOENT when it is not mirrored. */
int mirror_figures(pid_t pid, struct mirror_figures *figures);

/*
 * Figures go with their mirror: so they are looked at again and again, and the
 * last ones of each process count.
 */
struct mirror_watch {
	struct mirror_seen *seen;
	int nr, room;
};

void mirror_watch_look(struct mirror_watch *watch);
/* The sums; how many processes there were. */
int mirror_watch_end(struct mirror_watch *watch, struct mirror_figures *sum);

#endif /* MK_SELFTEST_MIRRORS_H */
