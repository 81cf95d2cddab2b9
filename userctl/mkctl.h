/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of mkctl shares: exit codes, messages, the subcommands.
 */
#ifndef MKCTL_H
#define MKCTL_H

#include <stddef.h>

#define MKCTL_VERSION "0.1"

#define __printf(fmt, first) \
	__attribute__((__format__( \
		__printf__, fmt, first)))
#define fallthrough __attribute__((__fallthrough__))

/*
 * Exit codes, documented in mkctl(1). A run that a signal ended exits with
 * 128 plus the signal: 130 after Ctrl-C.
 */
enum mkctl_exit {
	MKCTL_OK = 0,
	MKCTL_FAILED = 1,	/* something did not work; the rest was done */
	MKCTL_USAGE = 2,	/* an argument is wrong; nothing was done */
	MKCTL_NO_TREE = 3,	/* the module's tree cannot be reached */
};

/* One line on stderr, "mkctl: " before it. */
__printf(1, 2)
void mkctl_error(const char *fmt, ...);

/* These never return NULL; without memory there is nothing left to save. */
void *mkctl_alloc(size_t size);
void *mkctl_grow(void *old, size_t count, size_t size);
__printf(1, 2)
char *mkctl_printf(const char *fmt, ...);
char *mkctl_strndup(const char *text, size_t len);

/* Columns that output may take: the terminal's, within 80 … 100. */
int mkctl_width(void);

/* Subcommands: argv[0] is the name for messages; return an exit code. */
int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_mirror(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_topo(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/* --tree of the dispatcher, NULL if not given. */
extern const char *mkctl_tree;

#endif /* MKCTL_H */
