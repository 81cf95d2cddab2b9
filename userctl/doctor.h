/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks of a host: what stands in the way, and what to do about it.
 */
#ifndef MKCTL_DOCTOR_H
#define MKCTL_DOCTOR_H

#include <stddef.h>

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_WARN,	/* it works, but not as well as it could */
	DOCTOR_FAIL,	/* it does not work */
	DOCTOR_LEVELS
};

/**
 * struct doctor - an examination
 * @root: put before /proc, /sys, /lib and /boot: "" for this host, or a copy of it
 * @tree: the module's tree
 * @loaded: the module is
 * @count: findings of each level
 */
struct doctor {
	const char *root, *tree;
	int loaded;
	size_t count[DOCTOR_LEVELS];
};

/* One line: what was looked at, what is found; @todo is NULL where nothing is to be done. */
__attribute__((__format__(__printf__, 5, 6)))
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *what,
		const char *todo, const char *fmt, ...);

/* A file below @root, whole or its first line; NULL if there is none. */
char *doctor_read(const struct doctor *doctor, const char *path);
char *doctor_line(const struct doctor *doctor, const char *path);
int doctor_has(const struct doctor *doctor, const char *path);

/* Can it be loaded? */
void doctor_load(struct doctor *doctor);
/* What spoils measurements. */
void doctor_measure(struct doctor *doctor);
/* Can this experiment run? */
void doctor_experiment(struct doctor *doctor, const char *name);
/* Can processes be mirrored; this one, unless @pid is 0? */
void doctor_mirror(struct doctor *doctor, long pid);

#endif /* MKCTL_DOCTOR_H */
