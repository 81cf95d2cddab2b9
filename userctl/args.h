/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arguments that several subcommands take. What is wrong is said on stderr, and
 * ends the program with MKCTL_USAGE.
 */
#ifndef MKCTL_ARGS_H
#define MKCTL_ARGS_H

#include <argp.h>
#include <stddef.h>

/* What --@option was given, within @min and @max; digits only. */
long args_integer(const char *text, const char *option, long min, long max);

/* The same, with a fraction. */
double args_real(const char *text, const char *option, double min, double max);

/* The number of a process, which need not be there. */
long args_pid(const char *text);

/*
 * Which of @names, NULL-terminated, it is; @what they are, for who finds that
 * there is none such.
 */
int args_choice(const char *text, const char *what, const char *const *names);

/**
 * struct args_text - an option whose argument is taken as it is
 * @key: of the option, 0 after the last one
 * @at: offset of the const char * that it goes to
 */
struct args_text {
	int key;
	size_t at;
};

/* For argp: takes the argument of one of @texts into @args; 0 or ARGP_ERR_UNKNOWN. */
error_t args_text(int key, const char *arg, const struct args_text *texts, void *args);

#endif /* MKCTL_ARGS_H */
