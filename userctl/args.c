// SPDX-License-Identifier: GPL-2.0
/*
 * See args.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "mkctl.h"

/* As the kernel has it, on 64 bits. */
#define PID_MAX	4194304

/* Digits only, from @min to @max; 0 and *@value, or -1. */
static int integer(const char *text, long min, long max, long *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*value = strtol(text, &end, 10);
	return *end || errno || *value < min || *value > max ? -1 : 0;
}

long args_integer(const char *text, const char *option, long min, long max)
{
	long value = 0;

	if (integer(text, min, max, &value)) {
		mkctl_error("--%s takes a number from %ld to %ld, not '%s'", option, min, max,
			    text);
		exit(MKCTL_USAGE);
	}
	return value;
}

double args_real(const char *text, const char *option, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max)) {
		mkctl_error("--%s takes a number from %g to %g, not '%s'", option, min, max,
			    text);
		exit(MKCTL_USAGE);
	}
	return value;
}

long args_pid(const char *text)
{
	long pid = 0;

	if (integer(text, 1, PID_MAX, &pid)) {
		mkctl_error("'%s' is not the number of a process", text);
		exit(MKCTL_USAGE);
	}
	return pid;
}

int args_choice(const char *text, const char *what, const char *const *names)
{
	char *list = NULL, *old;
	int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(text, names[i]))
			return i;
	for (i = 0; names[i]; i++) {
		old = list;
		list = mkctl_printf("%s%s%s", old ? old : "", old ? ", " : "", names[i]);
		free(old);
	}
	mkctl_error("no %s '%s'; there are: %s", what, text, list ? list : "none");
	free(list);
	exit(MKCTL_USAGE);
}

error_t args_text(int key, const char *arg, const struct args_text *texts, void *args)
{
	for (; texts->key; texts++) {
		if (texts->key != key)
			continue;
		*(const char **)((char *)args + texts->at) = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}
