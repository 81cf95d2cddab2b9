/* SPDX-License-Identifier: GPL-2.0 */
/*
 * env.json: where and how a run was made.
 */
#ifndef MKCTL_ENV_H
#define MKCTL_ENV_H

#include <jansson.h>

#include "tree.h"

/* Everything that can be found out; what cannot is null. Never NULL. */
json_t *env_collect(const struct tree *tree);

/* Write it to @path, whole or not at all; 0 or -1 with errno set. */
int env_write(const json_t *env, const char *path);

/* NULL with one line in @error; @error is empty where there is no file. */
json_t *env_load(const char *path, char *error, size_t error_len);

/* A text at "a.b.c", NULL if there is none or it is not plain. */
const char *env_text(const json_t *env, const char *path);

/* "CPU, 2 CPUs, 2 nodes", "Linux 6.1.0, time": two lines; the caller frees them. */
char *env_headline(const json_t *env);

/* Who emulates or virtualises: what the user said, else what the module saw. */
const char *env_machine(const json_t *env);

/* How the run of @test ended, NULL if not known. */
const char *env_status(const json_t *env, const char *test);

/* Why times mean nothing there, NULL if they do. */
const char *env_counts_only(const json_t *env);

#endif /* MKCTL_ENV_H */
