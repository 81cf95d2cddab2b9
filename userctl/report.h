/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs side by side, as a page and as JSON.
 */
#ifndef MKCTL_REPORT_H
#define MKCTL_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "csv.h"

/**
 * struct report_run - one directory
 * @name: what it is called in the report
 * @csv: its rows
 * @env: its env.json, NULL if there is none
 */
struct report_run {
	char *name;
	struct csv csv;
	json_t *env;
};

struct report {
	struct report_run *runs;
	size_t nr;
};

/* Every experiment that a run has, in the order of reports, each once. */
const char **report_tests(const struct report *report, size_t *nr);

/* Write a report to a file, whole or not at all; an exit code. */
int report_write(const struct report *report, const char *path,
		 void (*write)(const struct report *report, FILE *out));

void report_html(const struct report *report, FILE *out);
void report_json(const struct report *report, FILE *out);

#endif /* MKCTL_REPORT_H */
