// SPDX-License-Identifier: GPL-2.0
/*
 * Costs from files into the module, which takes some lines at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "costs.h"
#include "costs_store.h"
#include "mkctl.h"

/* The module takes twice as much in one write. */
#define CHUNK	32768

static const char *const names[] = { "send", "receive", "rtt" };

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

/* Are these costs, and of CPUs that this machine can have? */
static int check(const struct tree *tree, const char *path)
{
	unsigned int cores;
	char error[1024], *cpu;
	u32 *cycles;
	int ret;

	if (costs_load_one(&cycles, &cores, path, error, sizeof(error))) {
		mkctl_error("%s", error);
		return MKCTL_FAILED;
	}
	free(cycles);
	cpu = mkctl_printf("%s/topology/cpu%u", tree->root, cores - 1);
	ret = access(cpu, F_OK);
	free(cpu);
	if (!ret)
		return MKCTL_OK;
	mkctl_error("%s has costs of core %u, which this machine cannot have", path,
		    cores - 1);
	return MKCTL_FAILED;
}

/* The end of the last line that fits; the whole @text if all of it does. */
static size_t cut(const char *text)
{
	size_t len = strnlen(text, CHUNK + 1);

	if (len <= CHUNK)
		return len;
	while (len && text[len - 1] != '\n')
		len--;
	return len;
}

static int store(const struct tree *tree, const char *path, const char *name)
{
	char *file = mkctl_printf("topology/costs/%s", name), *chunk;
	char *text = file_read(path, NULL), *at = text;
	int err = text ? 0 : -errno;
	size_t len;

	while (!err && *at) {
		len = cut(at);
		chunk = mkctl_strndup(at, len);
		at += len;
		/* not what says nothing, which the module refuses */
		if (chunk[strspn(chunk, " \t\r\n")])
			err = tree_write(tree, file, chunk);
		free(chunk);
	}
	if (err)
		mkctl_error("%s to %s: %s", path, file, strerror(-err));
	free(text);
	free(file);
	return err ? MKCTL_FAILED : MKCTL_OK;
}

int costs_store(const struct tree *tree, const char *dir)
{
	char *path[NR_NAMES] = { NULL };
	int ret = MKCTL_OK;
	size_t i, nr = 0;

	for (i = 0; i < NR_NAMES && !ret; i++) {
		path[i] = mkctl_printf("%s/%s", dir, names[i]);
		if (access(path[i], F_OK)) {
			free(path[i]);
			path[i] = NULL;
			continue;
		}
		nr++;
		ret = check(tree, path[i]);
	}
	if (!ret && !nr) {
		mkctl_error("%s has no costs: no send, receive or rtt", dir);
		ret = MKCTL_FAILED;
	}
	for (i = 0; i < NR_NAMES; i++) {
		if (!ret && path[i])
			ret = store(tree, path[i], names[i]);
		free(path[i]);
	}
	return ret;
}
