// SPDX-License-Identifier: GPL-2.0
/*
 * Printing what a trace says.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "mkctl.h"
#include "trace_print.h"

static const char *const stage_names[NR_STAGES] = {
	"sent", "first", "last", "done",
};

/* Operations of one path with as many targets. */
struct class {
	int path;
	uint32_t targets;
	size_t nr, nr_times[NR_STAGES];
	int64_t *times[NR_STAGES];
	double messages, ipis, interrupted, lazies, timeouts;
};

struct classes {
	struct class *list;
	size_t nr;
};

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The value that @percent of the sorted list are not above. */
static int64_t percentile(const int64_t *list, size_t nr, unsigned int percent)
{
	return list[(nr - 1) * percent / 100];
}

static int by_class(const void *a, const void *b)
{
	const struct class *x = a, *y = b;

	if (x->targets != y->targets)
		return x->targets < y->targets ? -1 : 1;
	/* Linux's own comes first, beside the module's linux */
	if (x->path != y->path)
		return (x->path + 1) % TRACE_PATHS - (y->path + 1) % TRACE_PATHS;
	return 0;
}

static struct classes classify(const struct trace_pairs *pairs)
{
	struct classes classes = { 0 };
	const struct trace_op *op;
	struct class *class;
	size_t i, j;

	for (i = 0; i < pairs->nr_ops; i++) {
		op = &pairs->ops[i];
		for (j = 0; j < classes.nr; j++)
			if (classes.list[j].path == op->path &&
			    classes.list[j].targets == op->targets)
				break;
		if (j == classes.nr) {
			classes.list = mkctl_grow(classes.list, ++classes.nr, sizeof(*class));
			memset(&classes.list[j], 0, sizeof(*class));
			classes.list[j].path = op->path;
			classes.list[j].targets = op->targets;
		}
		class = &classes.list[j];
		class->nr++;
		class->messages += op->messages;
		class->ipis += op->ipis;
		class->interrupted += op->interrupted;
		class->lazies += op->lazies;
		class->timeouts += op->timeouts;
		for (j = 0; j < NR_STAGES; j++) {
			if (op->stage[j] < 0)
				continue;
			/* room for a power of two */
			if (!(class->nr_times[j] & (class->nr_times[j] - 1)))
				class->times[j] = mkctl_grow(class->times[j],
							     2 * class->nr_times[j] + 1,
							     sizeof(int64_t));
			class->times[j][class->nr_times[j]++] = op->stage[j];
		}
	}
	for (i = 0; i < classes.nr; i++)
		for (j = 0; j < NR_STAGES; j++)
			if (classes.list[i].nr_times[j])
				qsort(classes.list[i].times[j], classes.list[i].nr_times[j],
				      sizeof(int64_t), by_value);
	if (classes.nr)
		qsort(classes.list, classes.nr, sizeof(*class), by_class);
	return classes;
}

static void classes_free(struct classes *classes)
{
	size_t i, j;

	for (i = 0; i < classes->nr; i++)
		for (j = 0; j < NR_STAGES; j++)
			free(classes->list[i].times[j]);
	free(classes->list);
}

/* A person reads microseconds rather than nanoseconds. */
static char *time_text(const struct trace_report *report, int64_t time)
{
	return grid_number(strcmp(report->unit, "ns") ? time : time / 1e3);
}

static const char *time_unit(const struct trace_report *report)
{
	return strcmp(report->unit, "ns") ? report->unit : "µs";
}

static char *time_cell(const struct trace_report *report, const struct class *class,
		       enum trace_stage stage)
{
	if (!class->nr_times[stage])
		return NULL;
	return time_text(report, percentile(class->times[stage], class->nr_times[stage], 50));
}

static char *range_cell(const struct trace_report *report, const struct class *class)
{
	size_t nr = class->nr_times[STAGE_DONE];
	char *low, *high, *text;

	if (!nr)
		return NULL;
	low = time_text(report, percentile(class->times[STAGE_DONE], nr, 1));
	high = time_text(report, percentile(class->times[STAGE_DONE], nr, 99));
	text = mkctl_printf("%s..%s", low, high);
	free(low);
	free(high);
	return text;
}

static void print_ops(const struct trace_report *report)
{
	static const struct grid_column columns[] = {
		{ "targets", 0, 0 }, { "path", 1, 0 }, { "ops", 0, 0 },
		{ "messages", 0, 0 }, { "IPIs", 0, 0 }, { "CPUs hit", 0, 0 },
		{ "sent", 0, 1 }, { "first", 0, 0 }, { "last", 0, 0 }, { "done", 0, 0 },
		{ "p1..p99", 0, 0 },
	};
	struct classes classes = classify(report->pairs);
	const struct class *class;
	struct grid grid;
	size_t i, stage;

	if (!classes.nr) {
		printf("no shootdown by messages, and none by Linux, is in the trace\n");
		classes_free(&classes);
		return;
	}
	printf("shootdowns: for each, on the average, and %s from its start to a stage, p50\n",
	       time_unit(report));
	grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < classes.nr; i++) {
		class = &classes.list[i];
		grid_row(&grid);
		grid_cell(&grid, 0, grid_number(class->targets));
		grid_cell(&grid, 1, mkctl_printf("%s", trace_path_name(class->path)));
		grid_cell(&grid, 2, grid_number(class->nr));
		grid_cell(&grid, 3, grid_number(class->messages / class->nr));
		grid_cell(&grid, 4, grid_number(class->ipis / class->nr));
		grid_cell(&grid, 5, grid_number(class->interrupted / class->nr));
		for (stage = 0; stage < NR_STAGES; stage++)
			grid_cell(&grid, 6 + stage, time_cell(report, class, stage));
		grid_cell(&grid, 10, range_cell(report, class));
	}
	grid_print(&grid, stdout, mkctl_width());
	grid_free(&grid);
	classes_free(&classes);
}

static void print_messages(const struct trace_report *report)
{
	const struct trace_pairs *pairs = report->pairs;
	int64_t *sorted = pairs->transit;
	char *low, *middle, *high;

	if (!pairs->count[TRACE_SEND] && !pairs->count[TRACE_RECEIVE])
		return;
	printf("\nmessages: %" PRIu64 " sent, %" PRIu64 " received, %zu pairs",
	       pairs->count[TRACE_SEND], pairs->count[TRACE_RECEIVE], pairs->nr_transit);
	if (pairs->sends_alone || pairs->receives_alone)
		printf("; %zu sends and %zu receives without the other",
		       pairs->sends_alone, pairs->receives_alone);
	putchar('\n');
	if (pairs->nr_transit) {
		qsort(sorted, pairs->nr_transit, sizeof(*sorted), by_value);
		low = time_text(report, percentile(sorted, pairs->nr_transit, 1));
		middle = time_text(report, percentile(sorted, pairs->nr_transit, 50));
		high = time_text(report, percentile(sorted, pairs->nr_transit, 99));
		printf("  on their way p50 %s, p1..p99 %s..%s %s\n", middle, low, high,
		       time_unit(report));
		free(low);
		free(middle);
		free(high);
	}
	printf("  monitors: %" PRIu64 " blocked, %" PRIu64 " woken, %" PRIu64
	       " of these seen by the scheduler, %" PRIu64 " by an interrupt\n",
	       pairs->count[TRACE_BLOCK], pairs->wakes, pairs->wakes_followed,
	       pairs->wakes_interrupt);
}

static void print_interrupts(const struct trace_pairs *pairs)
{
	printf("\ninterrupts: %" PRIu64 " function calls (%" PRIu64 " of one CPU alone), %"
	       PRIu64 " of them for a shootdown; %" PRIu64 " reschedules\n",
	       pairs->calls + pairs->singles, pairs->singles, pairs->paired,
	       pairs->reschedules);
	printf("remote flushes by Linux: %" PRIu64, pairs->flushes);
	if (pairs->flushes_alone)
		printf("; %" PRIu64 " without an operation in the trace", pairs->flushes_alone);
	if (pairs->guesses)
		printf("; %" PRIu64 " pairs are guesses, as two flushed at a time",
		       pairs->guesses);
	putchar('\n');
}

static void print_checks(const struct trace_report *report)
{
	const struct trace_checks *checks = report->checks;
	const struct trace_check *check;
	char *seen, *said;
	size_t i;

	if (report->lost || report->trace->gaps) {
		printf("\nevents were lost: ");
		if (report->lost)
			printf("%" PRIu64 ", ", report->lost);
		else
			printf("nobody knows how many, ");
		printf("counts from the trace are too small; give a larger --buffer\n");
	}
	if (!checks->nr)
		return;
	printf("\nchecked against counters and results: %zu agree, %zu do not\n",
	       checks->nr - checks->disagree, checks->disagree);
	if (checks->skipped)
		printf("  of %zu results the trace has other operations than were measured\n",
		       checks->skipped);
	for (i = 0; i < checks->nr; i++) {
		check = &checks->list[i];
		if (check->agrees)
			continue;
		seen = grid_number(check->trace);
		said = grid_number(check->other);
		printf("  %s: %s in the trace, %s there\n", check->what, seen, said);
		free(seen);
		free(said);
	}
}

void trace_print_text(const struct trace_report *report)
{
	const char *of = trace_note(report->trace, "of", NULL);
	const char *machine = trace_note(report->trace, "machine", NULL);

	if (of)
		printf("%.*s\n", (int)strcspn(of, "\n"), of);
	if (machine && strncmp(machine, "none", 4))
		printf("measured on a machine of %.*s: times are not those of hardware\n",
		       (int)strcspn(machine, "\n"), machine);
	print_ops(report);
	print_messages(report);
	print_interrupts(report->pairs);
	print_checks(report);
}

void trace_print_csv(const struct trace_report *report)
{
	const struct trace_op *op;
	size_t i, stage;

	printf("path,op,cpu,pid,start,targets,lazies,messages,ipis,interrupted,timeouts,");
	printf("sent,first,last,done,unit\n");
	for (i = 0; i < report->pairs->nr_ops; i++) {
		op = &report->pairs->ops[i];
		printf("%s,%" PRIu64 ",%d,%d,%" PRIu64 ",%u,%u,%u,%u,%u,%u",
		       trace_path_name(op->path), op->id, op->cpu, op->pid, op->start,
		       op->targets, op->lazies, op->messages, op->ipis, op->interrupted,
		       op->timeouts);
		for (stage = 0; stage < NR_STAGES; stage++) {
			if (op->stage[stage] < 0)
				printf(",");
			else
				printf(",%" PRId64, op->stage[stage]);
		}
		printf(",%s\n", report->unit);
	}
}

static json_t *class_json(const struct class *class)
{
	json_t *object, *stages = json_object();
	const int64_t *times;
	size_t i, nr;

	for (i = 0; i < NR_STAGES; i++) {
		times = class->times[i];
		nr = class->nr_times[i];
		if (!nr)
			continue;
		object = json_pack("{sIsIsIsI}", "n", (json_int_t)nr,
				   "p1", (json_int_t)percentile(times, nr, 1),
				   "p50", (json_int_t)percentile(times, nr, 50),
				   "p99", (json_int_t)percentile(times, nr, 99));
		json_object_set_new(stages, stage_names[i], object);
	}
	object = json_pack("{sssisIsfsfsfsfsf}", "path", trace_path_name(class->path),
			   "targets", class->targets, "operations", (json_int_t)class->nr,
			   "messages", class->messages / class->nr,
			   "ipis", class->ipis / class->nr,
			   "interrupted", class->interrupted / class->nr,
			   "lazies", class->lazies / class->nr,
			   "timeouts", class->timeouts / class->nr);
	json_object_set_new(object, "stages", stages);
	return object;
}

void trace_print_json(const struct trace_report *report)
{
	const struct trace_pairs *pairs = report->pairs;
	struct classes classes = classify(pairs);
	json_t *ops = json_array(), *checks = json_array(), *all;
	const struct trace_check *check;
	size_t i;

	for (i = 0; i < classes.nr; i++)
		json_array_append_new(ops, class_json(&classes.list[i]));
	for (i = 0; i < report->checks->nr; i++) {
		check = &report->checks->list[i];
		json_array_append_new(checks, json_pack("{sssfsfsb}", "what", check->what,
							"trace", check->trace,
							"other", check->other,
							"agrees", check->agrees));
	}
	all = json_pack("{sssIsIsIsIsIsIsIsIsIsIsIsI}", "unit", report->unit,
			"lost", (json_int_t)report->lost,
			"gaps", (json_int_t)report->trace->gaps,
			"sent", (json_int_t)pairs->count[TRACE_SEND],
			"received", (json_int_t)pairs->count[TRACE_RECEIVE],
			"pairs", (json_int_t)pairs->nr_transit,
			"sends_alone", (json_int_t)pairs->sends_alone,
			"receives_alone", (json_int_t)pairs->receives_alone,
			"calls", (json_int_t)(pairs->calls + pairs->singles),
			"calls_paired", (json_int_t)pairs->paired,
			"reschedules", (json_int_t)pairs->reschedules,
			"flushes_alone", (json_int_t)pairs->flushes_alone,
			"guesses", (json_int_t)pairs->guesses);
	json_object_set_new(all, "operations", ops);
	json_object_set_new(all, "checks", checks);
	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(all);
	classes_free(&classes);
}
