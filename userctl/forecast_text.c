// SPDX-License-Identifier: GPL-2.0
/*
 * What a forecast says, for people.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "forecast.h"
#include "grid.h"
#include "mkctl.h"
#include "model.h"
#include "paper.h"

#define WIDTH		100
/* The longer sentences. */
#define OFF_BY \
	"So what was predicted there is off by %+.0f to %+.0f %%. Here it will hardly be less: " \
	"assumed parts may be wrong, and nothing else runs in the model. Trust an order of " \
	"magnitude and a direction, not a digit."
#define TRIPS_OFF_BY \
	"Round trips of this machine, modelled against the %zu measured: %+.0f %% in the " \
	"middle, %+.0f to %+.0f %% at the ends."

#define MAX_SIZES	9	/* rows of a table; the rest is in the CSV */

__printf(2, 3)
static void prose(FILE *out, const char *fmt, ...)
{
	int column = 0;
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0) {
		paper_flow(out, text, WIDTH, &column);
		free(text);
	}
	va_end(args);
}

/* --- the machine ------------------------------------------------------------------------ */

static void print_machine(const struct blueprint *b, FILE *out)
{
	const struct level *level;
	unsigned int i;

	prose(out, "modelled, not measured: %s, %u core%s on %u node%s", b->name, b->cores,
	      b->cores == 1 ? "" : "s", b->nodes, b->nodes == 1 ? "" : "s");
	if (!b->nr_levels) {
		prose(out, "\nCosts of messages are those of the files.");
		return;
	}
	fputs("\nA message inside one, in cycles of the sender and of the receiver:\n", out);
	for (i = 0; i < b->nr_levels; i++) {
		level = &b->level[i];
		fprintf(out, "  %-15s %4u core%s %7u + %u%s\n", level->name, level->size,
			level->size == 1 ? " " : "s", level->send, level->receive,
			i ? "" : "  (this is a node)");
	}
}

static void print_parts(const struct blueprint *b, FILE *out)
{
	static const struct grid_column columns[] = {
		{ "  part", 1, 0 }, { "value", 0, 0 }, { "unit", 1, 0 }, { "from", 1, 0 },
		{ "what", 1, 0 },
	};
	const struct part_info *info;
	struct grid grid;
	unsigned int i;

	fputs("\nOther parts, and where values come from (figures are those of SOSP'09):\n", out);
	grid_init(&grid, columns, 5);
	for (i = 0; i < NR_PARTS; i++) {
		info = &part_infos[i];
		grid_row(&grid);
		grid_cell(&grid, 0, mkctl_printf("  %s", info->name));
		grid_cell(&grid, 1, grid_number(b->value[i]));
		grid_cell(&grid, 2, mkctl_printf("%s", info->unit));
		grid_cell(&grid, 3, mkctl_printf("%s", b->given[i] ? "given" : info->from));
		grid_cell(&grid, 4, mkctl_printf("%s", info->help));
	}
	grid_print(&grid, out, WIDTH);
	grid_free(&grid);
}

/* --- errors ------------------------------------------------------------------------------- */

static void print_errors(const struct forecast_error *error, FILE *out)
{
	struct forecast_error again;

	fputs("\nHow far the model is off, on machines of the paper (SOSP'09), cycles:\n", out);
	forecast_check(&again, out);
	prose(out, OFF_BY, error->low, error->high);
	if (error->pairs)
		prose(out, TRIPS_OFF_BY, error->pairs, error->round_trip,
		      error->round_trip_low, error->round_trip_high);
}

/* --- tables ------------------------------------------------------------------------------- */

static unsigned int count_sizes(const struct forecast *forecast, const char *test)
{
	unsigned int nr = 0, size;

	for (size = forecast_next_size(forecast, test, 0); size;
	     size = forecast_next_size(forecast, test, size))
		nr++;
	return nr;
}

/* A row for each size, a column for each of @variants (NULL-terminated). */
static void print_curves(const struct forecast *forecast, const char *title, const char *test,
			 const char *metric, const char *head, const char *const *variants,
			 FILE *out)
{
	unsigned int sizes = count_sizes(forecast, test), step, nr, i, at = 0, size;
	struct grid_column columns[12] = { { head, 0, 0 } };
	const struct forecast_row *row;
	struct grid grid;

	if (!sizes)
		return;
	for (nr = 0; variants[nr]; nr++)
		columns[nr + 1].head = variants[nr];
	grid_init(&grid, columns, nr + 1);
	step = (sizes + MAX_SIZES - 1) / MAX_SIZES;
	for (size = forecast_next_size(forecast, test, 0); size;
	     size = forecast_next_size(forecast, test, size)) {
		/* the largest always */
		if ((sizes - 1 - at++) % step)
			continue;
		grid_row(&grid);
		grid_cell(&grid, 0, mkctl_printf("%u", size));
		for (i = 0; i < nr; i++) {
			row = forecast_find(forecast, test, variants[i], metric, size);
			grid_cell(&grid, i + 1, row ? grid_number(row->value) : NULL);
		}
	}
	fprintf(out, "\n%s\n", title);
	grid_print(&grid, out, WIDTH);
	grid_free(&grid);
}

static const char *const shared_and_served[] = {
	"SHM1", "SHM2", "SHM4", "SHM8", "MSG1", "MSG8", NULL
};

static const char *const messages[] = {
	"ipi", "unicast", "broadcast", "multicast", "numa_multicast", "planned", NULL
};

static const char *const protocols[] = {
	"linux", "ipi", "unicast", "broadcast", "multicast", "numa_multicast", "planned", NULL
};

static const char *const commits[] = {
	"single", "pipelined_16", "single_numa_multicast", "single_planned",
	"pipelined_16_planned", NULL
};

static void print_tables(const struct forecast *forecast, FILE *out)
{
	print_curves(forecast, "Figure 3, updating shared lines, cycles for each update",
		     "shm_vs_msg", "cost", "clients", shared_and_served, out);
	print_curves(forecast, "Figure 6, telling all and hearing from all, cycles",
		     "shootdown_protocols", "cost", "cores", messages, out);
	print_curves(forecast, "Figure 7, unmapping one page, cycles", "unmap", "cost", "cores",
		     protocols, out);
	print_curves(forecast, "Figure 8, agreement in two phases, cycles for each change",
		     "two_phase_commit", "cost", "cores", commits, out);
	print_curves(forecast, "Unmapping one page, one core of each node, cycles", "model_nodes",
		     "cost", "nodes", protocols, out);
}

/* --- crossovers ------------------------------------------------------------------------------ */

static long long difference(const struct forecast *forecast, const char *test,
			    const char *metric, const char *a, const char *b,
			    unsigned int size, int *known)
{
	const struct forecast_row *x = forecast_find(forecast, test, a, metric, size);
	const struct forecast_row *y = forecast_find(forecast, test, b, metric, size);

	*known = x && y;
	return *known ? (long long)(x->value - y->value) : 0;
}

/* From which size on @a is cheaper than @b, for good. */
static void print_crossing(const struct forecast *forecast, const char *test,
			   const char *metric, const char *of, const char *a, const char *b,
			   FILE *out)
{
	unsigned int size, last = 0, before = 0, from = 0, least = 0;
	int known;

	for (size = forecast_next_size(forecast, test, 1); size;
	     size = forecast_next_size(forecast, test, size)) {
		long long than = difference(forecast, test, metric, a, b, size, &known);

		if (!known)
			continue;
		if (!least)
			least = size;
		if (than < 0 && !from) {
			from = size;
			before = last;
		} else if (than >= 0) {
			from = 0;
		}
		last = size;
	}
	if (!last)
		return;
	fprintf(out, "  %-16s below %-10s ", a, b);
	if (!from)
		fprintf(out, "not up to %u %s\n", last, of);
	else if (from == least || from == before + 1)
		fprintf(out, "from %u %s on\n", from, of);
	else
		fprintf(out, "from some number in %u to %u %s on\n", before + 1, from, of);
}

static void print_crossings(const struct forecast *forecast, FILE *out)
{
	static const char *const lines[] = { "1", "2", "4", "8" };
	char a[16], b[16];
	unsigned int i;

	fputs("\nWhere curves cross\n Figure 3, cost of an update:\n", out);
	for (i = 0; i < 4; i++) {
		snprintf(a, sizeof(a), "MSG%s", lines[i]);
		snprintf(b, sizeof(b), "SHM%s", lines[i]);
		print_crossing(forecast, "shm_vs_msg", "cost", "clients", a, b, out);
	}
	fputs(" Figure 6:\n", out);
	for (i = 2; messages[i]; i++)
		print_crossing(forecast, "shootdown_protocols", "cost", "cores", messages[i],
			       "unicast", out);
	fputs(" Figure 7, one page:\n", out);
	for (i = 2; protocols[i]; i++)
		print_crossing(forecast, "unmap", "cost", "cores", protocols[i], "linux", out);
	for (i = 2; protocols[i]; i++)
		print_crossing(forecast, "unmap", "cost", "cores", protocols[i], "ipi", out);
	fputs(" Figure 8:\n", out);
	print_crossing(forecast, "two_phase_commit", "cost", "cores", "single_planned", "single",
		       out);
}

/* --- growth ------------------------------------------------------------------------------- */

static void print_growth_of(const struct forecast *forecast, const char *test,
			    const char *of, FILE *out)
{
	unsigned int size, next, half = 0, last = 0, i;
	const struct forecast_row *x, *y;

	for (size = forecast_next_size(forecast, test, 0); size; size = next) {
		next = forecast_next_size(forecast, test, size);
		last = size;
	}
	for (size = forecast_next_size(forecast, test, 0); size && 2 * size <= last;
	     size = forecast_next_size(forecast, test, size))
		half = size;
	if (!half)
		return;
	fprintf(out, " %u instead of %u %s, figure 7:", last, half, of);
	for (i = 0; protocols[i]; i++) {
		x = forecast_find(forecast, test, protocols[i], "cost", last);
		y = forecast_find(forecast, test, protocols[i], "cost", half);
		if (x && y && y->value)
			fprintf(out, "%s%s x %.2f", i % 4 ? ", " : i ? ",\n  " : "\n  ",
				protocols[i], (double)x->value / y->value);
	}
	fputc('\n', out);
}

static void print_growth(const struct forecast *forecast, FILE *out)
{
	const struct forecast_row *row, *first = NULL;

	fputs("\nHow cost grows\n", out);
	print_growth_of(forecast, "unmap", "cores", out);
	print_growth_of(forecast, "model_nodes", "nodes", out);
	for (row = forecast->rows; row < forecast->rows + forecast->nr; row++) {
		if (strcmp(row->test, "message_size"))
			continue;
		if (row->size == 56)
			first = row;
		if (row->size == 448 && first && first->value)
			fprintf(out, " 8 lines instead of 1, core 0 to %d, %s: x %.2f\n",
				row->to, row->variant, (double)row->value / first->value);
	}
}

void forecast_text(const struct forecast *forecast, const struct blueprint *b,
		   const struct forecast_error *error, FILE *out)
{
	print_machine(b, out);
	print_parts(b, out);
	print_errors(error, out);
	print_tables(forecast, out);
	print_crossings(forecast, out);
	print_growth(forecast, out);
}
