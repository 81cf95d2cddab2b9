/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does a trace agree with the module's counters and with the experiment?
 */
#ifndef MKCTL_TRACE_CHECK_H
#define MKCTL_TRACE_CHECK_H

#include "trace_event.h"
#include "trace_pair.h"
#include "tree.h"

/**
 * struct trace_check - one comparison
 * @what: of what; the caller frees it
 * @trace: from the events
 * @other: from the counters, or the experiment's results
 * @agrees: they are as near as they must be
 */
struct trace_check {
	char *what;
	double trace, other;
	int agrees;
};

struct trace_checks {
	struct trace_check *list;
	size_t nr, disagree, skipped;	/* @skipped: nothing to compare with */
};

/* What is compared, from the notes of the trace. */
struct trace_checks trace_check(const struct trace *trace, const struct trace_pairs *pairs);
void trace_checks_free(struct trace_checks *checks);

/* The module's sums at the moment, to be noted as gains. */
struct trace_sums {
	struct trace_sum {
		char *name;	/* path below the tree */
		int64_t value;
	} *list;
	size_t nr;
};

struct trace_sums trace_sums(const struct tree *tree);
void trace_sums_free(struct trace_sums *sums);

#endif /* MKCTL_TRACE_CHECK_H */
