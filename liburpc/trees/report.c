// SPDX-License-Identifier: GPL-2.0
/*
 * See report.h. The error of a prediction is how much it is off the median, in per
 * cent of that. Calibrated is what was predicted, times what two members took over
 * what was predicted for them.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "report.h"

static const unsigned int percents[] = { 1, 10, 50, 90, 99, 100 };
static const char *const ranks[] = { "p1", "p10", "p50", "p90", "p99", "max" };

#define RANKS	(sizeof(ranks) / sizeof(ranks[0]))

static u64 rank(const struct trees *trees, unsigned int tree, unsigned int percent)
{
	return costs_rank(trees->tree[tree].cycles, trees->samples, percent);
}

static double off(double predicted, u64 median)
{
	double less = predicted - (double)median;

	return median ? 100 * (less < 0 ? -less : less) / (double)median : 0;
}

static double calibrated(const struct outcome *outcome, const struct trees *trees,
			 unsigned int tree)
{
	return (double)trees->tree[tree].plan.cycles * (double)outcome->pair_cycles /
	       (double)outcome->pair_predicted;
}

/* The control: one member alone, of whom there is one tree too. */
static bool is_control(const struct trees *trees)
{
	return trees->nr == 1;
}

/* --- text ----------------------------------------------------------------------------- */

static int by_cycles(const void *a, const void *b)
{
	double x = ((const struct found *)a)->cycles, y = ((const struct found *)b)->cycles;

	return (x > y) - (x < y);
}

/* Least, median and most over all pairs. */
static void text_costs(FILE *file, const char *name, const struct found *found,
		       const struct costs *costs)
{
	unsigned int nr = costs->nr, n = 0, u, v;
	struct found *sorted = calloc((size_t)nr * nr, sizeof(*sorted));

	for (u = 0; sorted && u < nr; u++)
		for (v = 0; v < nr; v++)
			if (u != v)
				sorted[n++] = found[u * nr + v];
	if (n) {
		qsort(sorted, n, sizeof(*sorted), by_cycles);
		fprintf(file, "  %-10s %10.1f %10.1f %10.1f\n", name, sorted[0].cycles,
			sorted[n / 2].cycles, sorted[n - 1].cycles);
	}
	free(sorted);
}

static void text_measured(FILE *file, const struct outcome *outcome)
{
	const struct costs *costs = outcome->costs;
	unsigned int i;

	fprintf(file, "%u CPUs, CPU %d is the root; load when it began %.1f (at rest: 0)\n",
		costs->nr, costs->cpu[0], outcome->load);
	fprintf(file, "Cycles of the time stamp counter, less the %" PRIu64 " of a look at it\n\n",
		(uint64_t)crew_overhead());
	fprintf(file, "Costs of a message of one line, by pair: medians of %u samples\n\n",
		outcome->samples);
	fprintf(file, "  %-10s %10s %10s %10s\n", "", "least", "median", "most");
	text_costs(file, "send", costs->found_send, costs);
	text_costs(file, "receive", costs->found_receive, costs);
	text_costs(file, "round trip", costs->found_trip, costs);
	if (outcome->trips)
		fputs("\nA receive costs what is left of half a round trip without the send.\n",
		      file);
	fputs("\nFactors of the first, second ... send in a row:", file);
	for (i = 0; i < MK_PLAN_BURST; i++)
		fprintf(file, " %.2f", costs->burst[i] / 1024.0);
	fputc('\n', file);
	if (costs->nr == 2)
		fputs("\nTwo members have one tree. So this says how far off a prediction is, and\n"
		      "nothing of whether trees are ordered rightly: for that there have to be\n"
		      "more CPUs.\n", file);
}

static void text_begin(FILE *file, const struct outcome *outcome)
{
	if (outcome->measured)
		text_measured(file, outcome);
	else
		fprintf(file, "%u members with made-up costs, who give way to each other:\n"
			"nothing is measured, only done.\n", outcome->costs->nr);
}

static void text_tree(FILE *file, const struct outcome *outcome, const struct trees *trees,
		      unsigned int i)
{
	const struct tree *tree = &trees->tree[i];
	u64 median = rank(trees, i, 50);
	double predicted = (double)tree->plan.cycles;

	fprintf(file, "  %-17s %9" PRIu64, is_control(trees) ? "control" : tree_name(i),
		(uint64_t)tree->plan.cycles);
	if (!outcome->measured) {
		fprintf(file, " %9u\n", trees->samples + trees->warm_up);
		return;
	}
	fprintf(file, " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %7u",
		(uint64_t)rank(trees, i, 10), (uint64_t)median, (uint64_t)rank(trees, i, 90),
		(uint64_t)rank(trees, i, 99), trees->samples);
	if (!is_control(trees))
		fprintf(file, " %6.1f %%", off(predicted, median));
	if (!is_control(trees) && outcome->pair_predicted)
		fprintf(file, " %6.1f %%", off(calibrated(outcome, trees, i), median));
	fputc('\n', file);
}

static void text_size(FILE *file, const struct outcome *outcome, const struct trees *trees)
{
	unsigned int i;

	fprintf(file, "\n%s, %u member%s\n\n", mk_plan_op_name(outcome->op), trees->nr,
		trees->nr == 1 ? "" : "s");
	if (outcome->measured)
		fprintf(file, "  %-17s %9s %9s %9s %9s %9s %7s %8s %8s\n", "tree", "predicted",
			"p10", "p50", "p90", "p99", "n", "error", "calibr.");
	else
		fprintf(file, "  %-17s %9s %9s\n", "tree", "predicted", "done");
	for (i = 0; i < (is_control(trees) ? 1 : TREES); i++)
		text_tree(file, outcome, trees, i);
}

static void text_end(FILE *file, const struct outcome *outcome)
{
	fputs("\nEach member was reached by each message once, and all were acknowledged.\n", file);
	if (outcome->measured)
		fputs("error: how far the prediction is off the median, in per cent. calibr.:\n"
		      "the same when all predictions are multiplied by what makes that for two\n"
		      "members right.\n", file);
}

/* --- CSV, in the columns that results of the module have ---------------------------------- */

static void csv_begin(FILE *file, const struct outcome *outcome)
{
	const char *test = "liburpc_trees,environment,,,,,";
	const struct costs *costs = outcome->costs;
	unsigned int i;

	fputs("test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit\n", file);
	fprintf(file, "%s,,members,%u,members\n", test, costs->nr);
	if (!outcome->measured)
		return;
	fprintf(file, "%s,,from_round_trips,%d,bool\n", test, outcome->trips);
	fprintf(file, "%s,,overhead,%" PRIu64 ",cycles\n", test, (uint64_t)crew_overhead());
	if (outcome->load >= 0)
		fprintf(file, "%s,,load,%.2f,threads\n", test, outcome->load);
	for (i = 0; i < MK_PLAN_BURST; i++)
		fprintf(file, "liburpc_trees,costs,,,,,%u,0,burst,%.3f,ratio\n", i + 1,
			costs->burst[i] / 1024.0);
	for (i = 0; i < costs->nr * costs->nr; i++) {
		int u = costs->cpu[i / costs->nr], v = costs->cpu[i % costs->nr];

		if (u == v)
			continue;
		fprintf(file, "liburpc_trees,costs,,%d,%d,,1,0,send,%.3f,cycles\n", u, v,
			costs->found_send[i].cycles);
		fprintf(file, "liburpc_trees,costs,,%d,%d,,1,0,receive,%.3f,cycles\n", u, v,
			costs->found_receive[i].cycles);
		fprintf(file, "liburpc_trees,costs,,%d,%d,,1,0,round_trip,%.3f,cycles\n", u, v,
			costs->found_trip[i].cycles);
	}
}

static void csv_tree(FILE *file, const struct outcome *outcome, const struct trees *trees,
		     unsigned int i)
{
	u64 median = rank(trees, i, 50);
	char key[96];
	unsigned int r;

	snprintf(key, sizeof(key), "liburpc_trees,%s%s,,%d,,,%u,0",
		 is_control(trees) ? "control" : tree_name(i),
		 outcome->op == MK_PLAN_2PC ? "_2pc" : "", outcome->costs->cpu[0], trees->nr);
	fprintf(file, "%s,operations,%u,operations\n", key, trees->samples + trees->warm_up);
	if (!is_control(trees))
		fprintf(file, "%s,predicted,%" PRIu64 ",cycles\n", key,
			(uint64_t)trees->tree[i].plan.cycles);
	if (!outcome->measured)
		return;
	for (r = 0; r < RANKS; r++)
		fprintf(file, "%s,cost_%s,%" PRIu64 ",cycles\n", key, ranks[r],
			(uint64_t)rank(trees, i, percents[r]));
	fprintf(file, "%s,cost_n,%u,samples\n", key, trees->samples);
	if (is_control(trees))
		return;
	fprintf(file, "%s,error,%.3f,per cent\n", key,
		off((double)trees->tree[i].plan.cycles, median));
	if (!outcome->pair_predicted)
		return;
	fprintf(file, "%s,calibrated,%.0f,cycles\n", key, calibrated(outcome, trees, i));
	fprintf(file, "%s,calibrated_error,%.3f,per cent\n", key,
		off(calibrated(outcome, trees, i), median));
}

static void csv_size(FILE *file, const struct outcome *outcome, const struct trees *trees)
{
	unsigned int i;

	for (i = 0; i < (is_control(trees) ? 1 : TREES); i++)
		csv_tree(file, outcome, trees, i);
}

static void csv_end(FILE *file, const struct outcome *outcome)
{
	(void)file;
	(void)outcome;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void json_costs(FILE *file, const char *name, const struct found *found,
		       const struct costs *costs)
{
	const char *comma = "";
	unsigned int i;

	fprintf(file, ", \"%s\": [", name);
	for (i = 0; i < costs->nr * costs->nr; i++) {
		if (i / costs->nr == i % costs->nr)
			continue;
		fprintf(file, "%s[%d, %d, %.3f, %.3f]", comma, costs->cpu[i / costs->nr],
			costs->cpu[i % costs->nr], found[i].cycles, found[i].error);
		comma = ", ";
	}
	fputc(']', file);
}

static void json_begin(FILE *file, const struct outcome *outcome)
{
	const struct costs *costs = outcome->costs;
	unsigned int i;

	fprintf(file, "{\"op\": \"%s\", \"members\": %u, \"measured\": %s",
		mk_plan_op_name(outcome->op), costs->nr, outcome->measured ? "true" : "false");
	if (outcome->measured) {
		fprintf(file, ", \"from_round_trips\": %s", outcome->trips ? "true" : "false");
		fprintf(file, ", \"load\": %.2f, \"overhead\": %" PRIu64 ", \"burst\": [",
			outcome->load, (uint64_t)crew_overhead());
		for (i = 0; i < MK_PLAN_BURST; i++)
			fprintf(file, "%s%.3f", i ? ", " : "", costs->burst[i] / 1024.0);
		fputc(']', file);
		json_costs(file, "send", costs->found_send, costs);
		json_costs(file, "receive", costs->found_receive, costs);
		json_costs(file, "round_trip", costs->found_trip, costs);
	}
	fputs(", \"trees\": [", file);
}

static void json_tree(FILE *file, const struct outcome *outcome, const struct trees *trees,
		      unsigned int i)
{
	u64 median = rank(trees, i, 50);
	unsigned int r;

	fprintf(file, "%s\n {\"tree\": \"%s\", \"size\": %u, \"operations\": %u",
		is_control(trees) ? "" : ",", is_control(trees) ? "control" : tree_name(i),
		trees->nr, trees->samples + trees->warm_up);
	fprintf(file, ", \"predicted\": %" PRIu64, (uint64_t)trees->tree[i].plan.cycles);
	for (r = 0; r < RANKS && outcome->measured; r++)
		fprintf(file, ", \"%s\": %" PRIu64, ranks[r],
			(uint64_t)rank(trees, i, percents[r]));
	if (outcome->measured)
		fprintf(file, ", \"n\": %u", trees->samples);
	if (outcome->measured && !is_control(trees))
		fprintf(file, ", \"error\": %.3f", off((double)trees->tree[i].plan.cycles, median));
	if (outcome->measured && !is_control(trees) && outcome->pair_predicted)
		fprintf(file, ", \"calibrated\": %.0f, \"calibrated_error\": %.3f",
			calibrated(outcome, trees, i), off(calibrated(outcome, trees, i), median));
	fputc('}', file);
}

static void json_size(FILE *file, const struct outcome *outcome, const struct trees *trees)
{
	unsigned int i;

	for (i = 0; i < (is_control(trees) ? 1 : TREES); i++)
		json_tree(file, outcome, trees, i);
}

static void json_end(FILE *file, const struct outcome *outcome)
{
	(void)outcome;
	fputs("\n]}\n", file);
}

static const struct report reports[] = {
	{ "text", text_begin, text_size, text_end },
	{ "csv", csv_begin, csv_size, csv_end },
	{ "json", json_begin, json_size, json_end },
};

const struct report *report_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
		if (!strcmp(reports[i].name, name))
			return &reports[i];
	return NULL;
}
