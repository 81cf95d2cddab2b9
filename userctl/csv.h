/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results as long CSV: one measured value a line, in the columns that
 * Documentation/mkctl/mkctl.rst names.
 */
#ifndef MKCTL_CSV_H
#define MKCTL_CSV_H

#include <stddef.h>
#include <stdio.h>

#define CSV_HEADER \
	"test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit"

/* A number that a row leaves empty. */
#define CSV_NONE (-1)

/*
 * One line of results.
 *
 * Strings are interned in their &struct csv: equal text is an equal pointer.
 */
struct csv_row {
	const char *test, *variant, *tier, *metric, *unit;
	long long cpu_a, cpu_b, mem_node, size, repeat;
	double value;
};

struct csv_text {
	char *text;
	size_t len;
};

struct csv {
	struct csv_row *rows;
	size_t nr_rows, room;
	char **names;			/* hash table of interned strings */
	char ***order;			/* its slots in the order of filling */
	size_t nr_names;
	struct csv_text *texts;		/* every text taken in, as it was */
	size_t nr_texts;
};

void csv_init(struct csv *csv);
void csv_free(struct csv *csv);

/*
 * Take in one CSV text, all of it or nothing; @name is what the error calls it.
 * Returns 0, or -1 with one line in @error.
 */
int csv_add(struct csv *csv, const char *name, const char *text, size_t len,
	    char *error, size_t error_len);

/* The same for a file. */
int csv_load(struct csv *csv, const char *path, char *error, size_t error_len);

/* Write everything taken in as one CSV. */
void csv_write(const struct csv *csv, FILE *file);
/* The same without the header. */
void csv_write_rows(const struct csv *csv, FILE *file);

/* NULL if no row has it. */
const char *csv_name(const struct csv *csv, const char *text);

#endif /* MKCTL_CSV_H */
