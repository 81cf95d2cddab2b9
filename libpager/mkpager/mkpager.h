/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of mkpager know of each other.
 */
#ifndef MKPAGER_H
#define MKPAGER_H

#include <stdbool.h>
#include <sys/types.h>

#include "pager.h"

/* Exit status. */
#define EXIT_CANNOT	1	/* no region, no socket, no process */
#define EXIT_USAGE	2
#define EXIT_DYING	3	/* pagers die one after the other */

/**
 * struct crew - the pagers, each a process
 * @group: theirs
 * @stop: an eventfd that tells them to stop
 * @pid: by node, 0: none
 * @deaths: since it last went well for long
 * @last: when the last one died, in ms
 */
struct crew {
	struct pager_group *group;
	int stop;
	pid_t pid[PAGER_NODES_MAX];
	unsigned int deaths;
	long long last;
};

/* crew.c. 0 or a negative errno. */
int crew_start(struct crew *crew, struct pager_group *group);
bool crew_has(const struct crew *crew, pid_t pid);
int crew_died(struct crew *crew, pid_t pid, int status);
void crew_stop(struct crew *crew);

/* contents.c */
int contents_load(const char *path, struct pager_options *options);

/* door.c: a socket where processes get the region */
int door_open(const char *path);
void door_serve(int socket, const struct pager_group *group, uint32_t pages);

/* counts.c */
void counts_print(const struct pager_group *group);

long long now_ms(void);

#endif /* MKPAGER_H */
