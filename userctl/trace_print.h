/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace as text, JSON or CSV.
 */
#ifndef MKCTL_TRACE_PRINT_H
#define MKCTL_TRACE_PRINT_H

#include "trace_check.h"
#include "trace_event.h"
#include "trace_pair.h"

struct trace_report {
	const struct trace *trace;
	const struct trace_pairs *pairs;
	const struct trace_checks *checks;
	const char *unit;	/* of times */
	uint64_t lost;
};

/* Operations of one path and as many targets together; then the checks. */
void trace_print_text(const struct trace_report *report);
void trace_print_json(const struct trace_report *report);
/* A line for each operation. */
void trace_print_csv(const struct trace_report *report);

#endif /* MKCTL_TRACE_PRINT_H */
