/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of lines, in fields with blanks in between: costs, nodes, machines.
 */
#ifndef MKCTL_LINES_H
#define MKCTL_LINES_H

#include <stddef.h>
#include <stdio.h>

#include "mkctl.h"

#define LINE_MAX_BYTES	256
#define LINE_FIELDS	5

/**
 * struct line - the present line of a file
 * @path: its name, for messages
 * @what: what it should be, such as "a file of costs"
 * @file: the file
 * @number: of the line, from 1
 * @text: the line, in pieces
 * @field: the fields
 * @nr: how many there are, LINE_FIELDS at most
 * @whole: it has its newline
 * @error: what is wrong goes there
 * @error_len: its size
 */
struct line {
	const char *path, *what;
	FILE *file;
	unsigned long number;
	char text[LINE_MAX_BYTES];
	char *field[LINE_FIELDS];
	size_t nr;
	int whole;
	char *error;
	size_t error_len;
};

/* Begin with @file; line_open() opens it, 0 or -1 with one line in @error. */
void line_begin(struct line *line, FILE *file, const char *path, const char *what,
		char *error, size_t error_len);
int line_open(struct line *line, const char *path, const char *what,
	      char *error, size_t error_len);

/*
 * The next line that is neither empty nor a comment: 1, 0 at the end of the file,
 * or -1 with one line in the error.
 */
int line_next(struct line *line);

/* Puts file, number and what is wrong into the error; -1. */
__printf(2, 3)
int line_wrong(struct line *line, const char *fmt, ...);

/* Digits only, below @limit; -1 if it is not. */
long line_whole(const char *text, long limit);

/* A plain number, not what else strtod() takes; NAN if it is none. */
double line_number(const char *text);

#endif /* MKCTL_LINES_H */
