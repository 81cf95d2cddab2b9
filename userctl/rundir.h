/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory that holds a run: one CSV per experiment, all.csv, env.json.
 */
#ifndef MKCTL_RUNDIR_H
#define MKCTL_RUNDIR_H

#include <stddef.h>

#include "csv.h"

/*
 * Make @dir, or results/<time> where it is NULL; refuses one that holds a run.
 * Returns its name, to be freed, or NULL after saying what is wrong.
 */
char *rundir_make(const char *dir);

/* Is there a CSV or an env.json in it? */
int rundir_used(const char *dir);

/* Write a file of it; 0, or -1 after saying what is wrong. */
int rundir_write(const char *dir, const char *name, const char *text, size_t len);
int rundir_write_csv(const char *dir, const char *name, const struct csv *csv);

/*
 * Take in its CSV files, all.csv only where it is alone. Returns the number
 * of files that could not be taken, each said on stderr, or -1 if none is
 * there.
 */
int rundir_load(const char *dir, struct csv *csv);

/* Directories in @dir that hold a run, sorted; the caller frees them. */
char **rundir_inside(const char *dir, size_t *nr);

#endif /* MKCTL_RUNDIR_H */
