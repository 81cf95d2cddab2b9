// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing a trace with what counted the same without it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "mkctl.h"
#include "trace_check.h"

/* Means of an experiment may be off by rounds that it throws away. */
#define MEAN_MARGIN	0.1

/* Counters that grow with an event each. */
static const struct {
	const char *path;
	enum trace_kind kind;
} counted[] = {
	{ "counters/total/messages_sent", TRACE_SEND },
	{ "counters/total/messages_received", TRACE_RECEIVE },
	{ "counters/total/acks_sent", TRACE_ACK },
	{ "counters/total/acks_received", TRACE_ACK },
	{ "counters/total/blocks", TRACE_BLOCK },
};

static const char *const sums_of_protocol[] = {
	"operations", "messages", "ipis", "timeouts",
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static void add_sum(struct trace_sums *sums, const struct tree *tree, char *path)
{
	char *text = tree_read_line(tree, path);

	if (!text) {
		free(path);
		return;
	}
	sums->list = mkctl_grow(sums->list, sums->nr + 1, sizeof(*sums->list));
	sums->list[sums->nr].name = path;
	sums->list[sums->nr++].value = atoll(text);
	free(text);
}

struct trace_sums trace_sums(const struct tree *tree)
{
	struct trace_sums sums = { 0 };
	size_t i, j;

	for (i = 0; i < COUNT(counted); i++)
		add_sum(&sums, tree, mkctl_printf("%s", counted[i].path));
	for (i = 0; i < MK_PROTOCOLS; i++)
		for (j = 0; j < COUNT(sums_of_protocol); j++)
			add_sum(&sums, tree, mkctl_printf("shootdown/%s/%s",
							  trace_path_name(i),
							  sums_of_protocol[j]));
	return sums;
}

void trace_sums_free(struct trace_sums *sums)
{
	size_t i;

	for (i = 0; i < sums->nr; i++)
		free(sums->list[i].name);
	free(sums->list);
}

static void add(struct trace_checks *checks, char *what, double trace, double other,
		double margin)
{
	struct trace_check *check;

	checks->list = mkctl_grow(checks->list, checks->nr + 1, sizeof(*check));
	check = &checks->list[checks->nr++];
	check->what = what;
	check->trace = trace;
	check->other = other;
	check->agrees = fabs(trace - other) <= margin;
	checks->disagree += !check->agrees;
}

static void check_counters(struct trace_checks *checks, const struct trace *trace,
			   const struct trace_pairs *pairs)
{
	double value;
	int64_t gain;
	size_t i;

	for (i = 0; i < COUNT(counted); i++) {
		gain = trace_note_number(trace, counted[i].path, -1);
		if (gain < 0)
			continue;
		value = pairs->count[counted[i].kind];
		if (counted[i].kind == TRACE_ACK)
			value = strstr(counted[i].path, "sent") ? pairs->acks_sent :
								  pairs->acks_received;
		add(checks, mkctl_printf("%s", counted[i].path), value, gain, 0);
	}
}

static void check_protocols(struct trace_checks *checks, const struct trace *trace,
			    const struct trace_pairs *pairs)
{
	double sum[MK_PROTOCOLS][COUNT(sums_of_protocol)] = { 0 };
	const struct trace_op *op;
	char *name;
	int64_t gain;
	size_t i, j;

	for (i = 0; i < pairs->nr_ops; i++) {
		op = &pairs->ops[i];
		if (op->path == TRACE_PATH_FLUSH || !op->ended)
			continue;
		sum[op->path][0]++;
		sum[op->path][1] += op->messages;
		sum[op->path][2] += op->ipis;
		sum[op->path][3] += op->timeouts;
	}
	for (i = 0; i < MK_PROTOCOLS; i++)
		for (j = 0; j < COUNT(sums_of_protocol); j++) {
			name = mkctl_printf("shootdown/%s/%s", trace_path_name(i),
					    sums_of_protocol[j]);
			gain = trace_note_number(trace, name, -1);
			/* What nobody did needs no line. */
			if (gain > 0 || (!gain && sum[i][j]))
				add(checks, name, sum[i][j], gain, 0);
			else
				free(name);
		}
}

/* A row "protocol,size,metric,value" that was noted from the results. */
static int parse_result(const char *text, int *path, unsigned int *size,
			char *metric, double *value)
{
	char variant[32];

	if (sscanf(text, "%31[^,],%u,%31[^,],%lf", variant, size, metric, value) != 4)
		return -1;
	for (*path = 0; *path < MK_PROTOCOLS; (*path)++)
		if (!strcmp(variant, trace_path_name(*path)))
			return 0;
	return -1;
}

/*
 * The operations of @path with so many targets, in the order of the trace: the
 * sum of what @metric says of those that the experiment kept, and their number.
 * An experiment throws @warmup away before each @samples that it keeps, @rows
 * times. Where there are others than these, 0: nobody knows which it kept.
 */
static size_t sum_kept(const struct trace_pairs *pairs, const char *metric, int seen,
		       int path, unsigned int targets, unsigned int rows,
		       int64_t samples, int64_t warmup, double *sum)
{
	int64_t each = samples < 0 || warmup < 0 ? 0 : samples + warmup;
	const struct trace_op *op;
	size_t i, all = 0, kept = 0;

	*sum = 0;
	for (i = 0; i < pairs->nr_ops; i++) {
		op = &pairs->ops[i];
		if (op->path != path || op->targets != targets)
			continue;
		if (each && (int64_t)(all++ % each) < warmup)
			continue;
		*sum += !strcmp(metric, "messages") ? op->messages :
			seen ? op->interrupted : op->ipis;
		kept++;
	}
	return each && (int64_t)all != rows * each ? 0 : kept;
}

/*
 * The experiment says what an operation took on the average, for each number of
 * CPUs; rows of the same are put together, as the trace does not know rounds.
 */
static void check_results(struct trace_checks *checks, const struct trace *trace,
			  const struct trace_pairs *pairs)
{
	int64_t samples = trace_note_number(trace, "samples", -1);
	int64_t warmup = trace_note_number(trace, "warmup", -1);
	const char *note = NULL, *other;
	unsigned int size, size2, nr;
	char metric[32], metric2[32];
	int path, path2, before;
	double value, value2, sum;
	const char *of = trace_note(trace, "of", NULL);
	size_t ops;
	int seen;

	/* unmap has the kernel count interrupts; others, the initiators */
	seen = of && !strncmp(of, "unmap\n", 6);
	while ((note = trace_note(trace, "result", note))) {
		if (parse_result(note, &path, &size, metric, &value) || !size)
			continue;
		before = 0;
		nr = 0;
		sum = 0;
		for (other = NULL; (other = trace_note(trace, "result", other));) {
			if (parse_result(other, &path2, &size2, metric2, &value2) ||
			    path2 != path || size2 != size || strcmp(metric, metric2))
				continue;
			before |= other < note;
			sum += value2;
			nr++;
		}
		if (before)
			continue;
		value = sum / nr;
		ops = sum_kept(pairs, metric, seen, path, size - 1, nr, samples, warmup, &sum);
		if (ops)
			add(checks, mkctl_printf("results: %s of %s on %u CPUs", metric,
						 trace_path_name(path), size),
			    sum / ops, value, MEAN_MARGIN);
		else
			checks->skipped++;
	}
}

struct trace_checks trace_check(const struct trace *trace, const struct trace_pairs *pairs)
{
	struct trace_checks checks = { 0 };

	check_counters(&checks, trace, pairs);
	check_protocols(&checks, trace, pairs);
	check_results(&checks, trace, pairs);
	return checks;
}

void trace_checks_free(struct trace_checks *checks)
{
	size_t i;

	for (i = 0; i < checks->nr; i++)
		free(checks->list[i].what);
	free(checks->list);
}
