/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Experiments as the test programs see them: parameters, runs, results.
 */
#ifndef MK_SELFTEST_EXPERIMENT_H
#define MK_SELFTEST_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MK_NAMES_MAX	32
#define MK_FIELD_MAX	64

/* Columns of the results. */
enum mk_column {
	MK_TEST, MK_VARIANT, MK_TIER, MK_CPU_A, MK_CPU_B, MK_MEM_NODE, MK_SIZE,
	MK_REPEAT, MK_METRIC, MK_VALUE, MK_UNIT, MK_COLUMNS
};

struct mk_row {
	char field[MK_COLUMNS][MK_FIELD_MAX];
};

struct mk_table {
	struct mk_row *row;
	size_t rows;
};

/* A number parameter, as the help file describes it. */
struct mk_range {
	unsigned long long min, max, def;
};

/* Names of the directories in experiments/; how many, or a negative errno. */
int mk_experiments(char names[][MK_FIELD_MAX], int max);

/* Path of one of an experiment's files, in one of a few static buffers. */
const char *mk_exp_file(const char *exp, const char *file);

/* 0, or a negative errno: -ENOENT when @param is not a number of @exp. */
int mk_exp_range(const char *exp, const char *param, struct mk_range *range);

/*
 * Parameters for a run as short, or as long, as it gets: the known ones that
 * set an amount of work. 0 or a negative errno.
 */
int mk_exp_small(const char *exp);
int mk_exp_large(const char *exp);

/*
 * Runs and waits, with agents if it wants some. 0 or the negative errno of the
 * write.
 */
int mk_exp_run(const char *exp);

/*
 * Runs in a child, which dies with its parent. SIGUSR1 interrupts it.
 * mk_exp_start() returns when the run goes on, or has ended; the child's pid.
 */
pid_t mk_exp_start(const char *exp);
int mk_exp_wait(pid_t pid);

/* Waits until nothing of @exp runs. */
bool mk_exp_idle(const char *exp);

/*
 * Reads and splits results. On a syntax error -EBADMSG, with the number of the
 * line in ->rows. A header alone is 0 rows, an empty file is -ENODATA.
 */
int mk_exp_results(const char *exp, struct mk_table *table);
int mk_table_parse(char *text, struct mk_table *table);
void mk_table_free(struct mk_table *table);

/* The first row with these; NULL stands for any. */
const struct mk_row *mk_table_find(const struct mk_table *table,
				   const char *variant, const char *metric);

#endif /* MK_SELFTEST_EXPERIMENT_H */
