/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arguments that several subcommands take. What is wrong is said on stderr, and
 * ends the program with MKCTL_USAGE.
 */
#ifndef MKCTL_ARGS_H
#define MKCTL_ARGS_H

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

#endif /* MKCTL_ARGS_H */
