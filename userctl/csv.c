// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and merging results.
 *
 * A results file may be cut short, come from a full disk, or from somebody
 * else: every field is checked, nothing in it reaches the terminal that is not
 * plain text, and an error names the file, the line and what is wrong.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv.h"
#include "mkctl.h"

#define NR_FIELDS	11
#define MAX_FIELD	128
#define MAX_BYTES	(256UL << 20)
#define NAME_SLOTS	8192		/* a power of two */
#define MAX_NAMES	(NAME_SLOTS / 2)

static const char *const field_names[NR_FIELDS] = {
	"test", "variant", "tier", "cpu_a", "cpu_b", "mem_node", "size",
	"repeat", "metric", "value", "unit",
};

struct field {
	const char *text;
	size_t len;
};

void csv_init(struct csv *csv)
{
	memset(csv, 0, sizeof(*csv));
	csv->names = mkctl_alloc(NAME_SLOTS * sizeof(*csv->names));
	csv->order = mkctl_alloc(MAX_NAMES * sizeof(*csv->order));
}

void csv_free(struct csv *csv)
{
	size_t i;

	for (i = 0; i < NAME_SLOTS; i++)
		free(csv->names[i]);
	for (i = 0; i < csv->nr_texts; i++)
		free(csv->texts[i].text);
	free(csv->order);
	free(csv->names);
	free(csv->texts);
	free(csv->rows);
}

/* The slot that holds @text, or the empty one where it belongs. */
static char **name_slot(const struct csv *csv, const char *text, size_t len)
{
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	for (i = hash & (NAME_SLOTS - 1); csv->names[i];
	     i = (i + 1) & (NAME_SLOTS - 1))
		if (!strncmp(csv->names[i], text, len) && !csv->names[i][len])
			break;
	return &csv->names[i];
}

static const char *intern(struct csv *csv, const struct field *field)
{
	char **slot = name_slot(csv, field->text, field->len);

	if (!*slot) {
		if (csv->nr_names == MAX_NAMES)
			return NULL;
		*slot = mkctl_strndup(field->text, field->len);
		csv->order[csv->nr_names++] = slot;
	}
	return *slot;
}

/*
 * Forget all names but the first @nr. Each was filled last when it was filled,
 * so that in this order no search ever has to pass the slot it leaves.
 */
static void forget_names(struct csv *csv, size_t nr)
{
	char **slot;

	while (csv->nr_names > nr) {
		slot = csv->order[--csv->nr_names];
		free(*slot);
		*slot = NULL;
	}
}

const char *csv_name(const struct csv *csv, const char *text)
{
	return *name_slot(csv, text, strlen(text));
}

/* Split one line; returns the number of fields, which may be any. */
static size_t split(const char *line, size_t len, struct field *fields)
{
	size_t nr = 0, start = 0, i;

	for (i = 0; i <= len; i++) {
		if (i < len && line[i] != ',')
			continue;
		if (nr < NR_FIELDS) {
			fields[nr].text = line + start;
			fields[nr].len = i - start;
		}
		nr++;
		start = i + 1;
	}
	return nr;
}

/* Digits only: no sign, no space, no overflow; empty is CSV_NONE. */
static int whole(const struct field *field, long long *value)
{
	size_t i;

	*value = CSV_NONE;
	if (!field->len)
		return 0;
	if (field->len > 18)
		return -1;
	*value = 0;
	for (i = 0; i < field->len; i++) {
		if (!isdigit((unsigned char)field->text[i]))
			return -1;
		*value = *value * 10 + field->text[i] - '0';
	}
	return 0;
}

/* [-]digits[.digits], not what else strtod() takes. */
static int decimal(const struct field *field, double *value)
{
	const char *p = field->text, *end = p + field->len;
	size_t digits = 0, points = 0;

	if (p < end && *p == '-')
		p++;
	for (; p < end; p++) {
		if (isdigit((unsigned char)*p))
			digits++;
		else if (*p == '.' && !points && digits)
			points++;
		else
			return -1;
	}
	if (!digits || field->len > 40 || end[-1] == '.')
		return -1;
	/* What follows is a comma, so strtod() stops there. */
	*value = strtod(field->text, NULL);
	return 0;
}

static int bad_text(const struct field *field)
{
	size_t i;

	if (field->len > MAX_FIELD)
		return 1;
	for (i = 0; i < field->len; i++)
		if (!isprint((unsigned char)field->text[i]) ||
		    field->text[i] == '"')
			return 1;
	return 0;
}

/* Fills @row; on failure says which field in @which and why in the result. */
static const char *parse_row(struct csv *csv, const struct field *fields,
			     struct csv_row *row, int *which)
{
	const char **names[NR_FIELDS] = {
		[0] = &row->test, [1] = &row->variant, [2] = &row->tier,
		[8] = &row->metric, [10] = &row->unit,
	};
	long long *numbers[NR_FIELDS] = {
		[3] = &row->cpu_a, [4] = &row->cpu_b, [5] = &row->mem_node,
		[6] = &row->size, [7] = &row->repeat,
	};
	int i;

	for (i = 0; i < NR_FIELDS; i++) {
		*which = i;
		if (bad_text(&fields[i]))
			return "is not plain text";
		if (names[i]) {
			*names[i] = intern(csv, &fields[i]);
			if (!*names[i])
				return "is one name too many (4096 at most)";
		} else if (numbers[i]) {
			if (whole(&fields[i], numbers[i]))
				return "is not a whole number";
		} else if (decimal(&fields[i], &row->value)) {
			return "is not a number";
		}
	}
	*which = 0;
	if (!*row->test)
		return "is empty";
	*which = 8;
	if (!*row->metric)
		return "is empty";
	return NULL;
}

static void keep_text(struct csv *csv, const char *text, size_t len)
{
	struct csv_text *entry;
	char *copy = mkctl_alloc(len + 1);

	memcpy(copy, text, len);
	csv->texts = mkctl_grow(csv->texts, csv->nr_texts + 1,
				sizeof(*csv->texts));
	entry = &csv->texts[csv->nr_texts++];
	entry->text = copy;
	entry->len = len;
}

int csv_add(struct csv *csv, const char *name, const char *text, size_t len,
	    char *error, size_t error_len)
{
	const char *end = text + len, *line = text, *stop, *why;
	size_t rows_before = csv->nr_rows, names_before = csv->nr_names;
	size_t number = 0, nr, length;
	struct field fields[NR_FIELDS];
	int which;

	if (!len) {
		snprintf(error, error_len,
			 "%s is empty; run the experiment again", name);
		return -1;
	}
	for (; line < end; line = stop + 1) {
		number++;
		stop = memchr(line, '\n', end - line);
		if (!stop) {
			snprintf(error, error_len,
				 "%s:%zu: the file is cut short, its last line has no end; run the experiment again",
				 name, number);
			goto fail;
		}
		length = stop - line;
		if (length && line[length - 1] == '\r')
			length--;
		if (number == 1) {
			if (length == strlen(CSV_HEADER) &&
			    !memcmp(line, CSV_HEADER, length))
				continue;
			snprintf(error, error_len,
				 "%s: not a results file, its first line is not '%s'",
				 name, CSV_HEADER);
			goto fail;
		}
		nr = split(line, length, fields);
		if (nr != NR_FIELDS) {
			snprintf(error, error_len,
				 "%s:%zu: %zu field%s where %d belong; the file is damaged, run the experiment again",
				 name, number, nr, nr == 1 ? "" : "s", NR_FIELDS);
			goto fail;
		}
		if (csv->nr_rows == csv->room) {
			csv->room = csv->room ? 2 * csv->room : 256;
			csv->rows = mkctl_grow(csv->rows, csv->room,
					       sizeof(*csv->rows));
		}
		why = parse_row(csv, fields, &csv->rows[csv->nr_rows], &which);
		if (why) {
			snprintf(error, error_len,
				 "%s:%zu: %s %s; the file is damaged, run the experiment again",
				 name, number, field_names[which], why);
			goto fail;
		}
		csv->nr_rows++;
	}
	keep_text(csv, text, len);
	return 0;

fail:
	csv->nr_rows = rows_before;
	forget_names(csv, names_before);
	return -1;
}

int csv_load(struct csv *csv, const char *path, char *error, size_t error_len)
{
	struct stat st;
	size_t len = 0;
	ssize_t got;
	char *text;
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(error, error_len, "cannot open %s: %s", path,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (!S_ISREG(st.st_mode) || (unsigned long)st.st_size > MAX_BYTES) {
		snprintf(error, error_len, "%s is not a file of at most %lu MiB",
			 path, MAX_BYTES >> 20);
		close(fd);
		return -1;
	}
	text = mkctl_alloc(st.st_size + 1);
	while (len < (size_t)st.st_size) {
		got = read(fd, text + len, st.st_size - len);
		if (got < 0) {
			snprintf(error, error_len, "cannot read %s: %s", path,
				 strerror(errno));
			free(text);
			close(fd);
			return -1;
		}
		if (!got)
			break;
		len += got;
	}
	close(fd);
	ret = csv_add(csv, path, text, len, error, error_len);
	free(text);
	return ret;
}

void csv_write(const struct csv *csv, FILE *file)
{
	fputs(CSV_HEADER "\n", file);
	csv_write_rows(csv, file);
}

void csv_write_rows(const struct csv *csv, FILE *file)
{
	const struct csv_text *entry;
	const char *body;
	size_t i;

	for (i = 0; i < csv->nr_texts; i++) {
		entry = &csv->texts[i];
		body = (const char *)memchr(entry->text, '\n', entry->len) + 1;
		fwrite(body, 1, entry->text + entry->len - body, file);
	}
}
