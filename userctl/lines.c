// SPDX-License-Identifier: GPL-2.0
/*
 * Files of fields: reading them.
 *
 * A file may be cut short, be made by hand, or come from somebody else. An error
 * names the file, the line and what is wrong, and repeats nothing of it.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"

#define NUMBER		"0123456789.eE+-"

int line_wrong(struct line *line, const char *fmt, ...)
{
	va_list args;
	int len;

	len = snprintf(line->error, line->error_len, "%s:%lu: ", line->path,
		       line->number);
	if ((size_t)len < line->error_len) {
		va_start(args, fmt);
		vsnprintf(line->error + len, line->error_len - len, fmt, args);
		va_end(args);
	}
	return -1;
}

void line_begin(struct line *line, FILE *file, const char *path, const char *what,
		char *error, size_t error_len)
{
	memset(line, 0, sizeof(*line));
	line->file = file;
	line->path = path;
	line->what = what;
	line->error = error;
	line->error_len = error_len;
}

int line_open(struct line *line, const char *path, const char *what,
	      char *error, size_t error_len)
{
	line_begin(line, fopen(path, "re"), path, what, error, error_len);
	if (line->file)
		return 0;
	snprintf(error, error_len, "cannot open %s: %s", path, strerror(errno));
	return -1;
}

/* Reads one line into text; 1, 0 at the end of the file, or -1. */
static int line_read(struct line *line)
{
	size_t len = 0;
	int c;

	line->number++;
	while ((c = getc_unlocked(line->file)) != EOF && c != '\n') {
		if (len == LINE_MAX_BYTES - 1)
			return line_wrong(line, "the line is too long; is this %s?", line->what);
		if ((c < ' ' && c != '\t' && c != '\r') || c > '~')
			return line_wrong(line, "not plain text; is this %s?", line->what);
		line->text[len++] = c;
	}
	line->text[len] = '\0';
	line->whole = c == '\n';
	if (c == EOF && ferror(line->file)) {
		snprintf(line->error, line->error_len, "cannot read %s: %s",
			 line->path, strerror(errno));
		return -1;
	}
	return c != EOF || len;
}

int line_next(struct line *line)
{
	char *rest, *field;
	int ret;

	while ((ret = line_read(line)) > 0) {
		line->nr = 0;
		if (line->text[0] == '#')
			continue;
		for (field = strtok_r(line->text, " \t\r", &rest);
		     field && line->nr < LINE_FIELDS;
		     field = strtok_r(NULL, " \t\r", &rest))
			line->field[line->nr++] = field;
		if (line->nr)
			return 1;
	}
	return ret;
}

long line_whole(const char *text, long limit)
{
	long value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = 10 * value + *text - '0';
		if (value >= limit)
			return -1;
	}
	return value;
}

double line_number(const char *text)
{
	double value;
	char *end;

	if (!*text || text[strspn(text, NUMBER)])
		return NAN;
	value = strtod(text, &end);
	return *end ? NAN : value;
}
