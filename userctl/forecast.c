// SPDX-License-Identifier: GPL-2.0
/*
 * Sweeps of the model over cores, nodes, clients and lines.
 */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "forecast.h"
#include "mkctl.h"
#include "model.h"
#include "table.h"

static const unsigned int page_counts[] = { 1, 8, 64 };
static const char *const page_metrics[] = { "cost", "cost_8p", "cost_64p" };
static const unsigned int line_counts[] = { 1, 2, 4, 8 };

static void add(struct forecast *forecast, const char *test, const char *variant,
		const char *metric, unsigned int size, u64 value)
{
	struct forecast_row *row;

	/* in steps of a power of two */
	if (!(forecast->nr & (forecast->nr - 1)))
		forecast->rows = mkctl_grow(forecast->rows, forecast->nr ? 2 * forecast->nr : 1,
					    sizeof(*forecast->rows));
	row = &forecast->rows[forecast->nr++];
	*row = (struct forecast_row){
		.test = test, .metric = metric, .unit = "cycles", .to = -1,
		.size = size, .value = value,
	};
	snprintf(row->variant, sizeof(row->variant), "%s", variant);
}

/* 2, 3, 4, 6, 8, 12 … and @last; 0 when there are no more. */
static unsigned int next_size(unsigned int size, unsigned int last)
{
	unsigned int next;

	if (size >= last)
		return 0;
	if (size < 4)
		next = size + 1;
	else if (size & (size - 1))
		next = size / 3 * 4;	/* from three halves to the next power of two */
	else
		next = size / 2 * 3;
	return next < last ? next : last;
}

/* --- the figures -------------------------------------------------------------------- */

static void add_figure_3(struct forecast *forecast, const struct blueprint *b)
{
	unsigned int clients, i, lines;
	char variant[24];

	for (i = 0; i < sizeof(line_counts) / sizeof(line_counts[0]); i++) {
		lines = line_counts[i];
		snprintf(variant, sizeof(variant), "SHM%u", lines);
		for (clients = 1; clients; clients = next_size(clients, b->cores))
			add(forecast, "shm_vs_msg", variant, "cost", clients,
			    model_shared(b, clients, lines));
		snprintf(variant, sizeof(variant), "MSG%u", lines);
		/* the server is one of the cores; sizes are those of SHM */
		for (clients = 1; clients && clients < b->cores;
		     clients = next_size(clients, b->cores))
			add(forecast, "shm_vs_msg", variant, "cost", clients,
			    model_served(b, clients, lines));
	}
}

static void add_shootdown(struct forecast *forecast, const struct model *model)
{
	unsigned int i;
	int p;

	for (p = 0; p < NR_MODELS; p++) {
		if (p != MODEL_LINUX && model->nr > 1)
			add(forecast, "shootdown_protocols", model_names[p], "cost", model->nr,
			    model_raw(model, p));
		for (i = 0; i < sizeof(page_counts) / sizeof(page_counts[0]); i++)
			add(forecast, "unmap", model_names[p], page_metrics[i], model->nr,
			    model_unmap(model, p, page_counts[i]));
	}
}

static void add_figure_8(struct forecast *forecast, const struct model *model)
{
	static const struct {
		const char *name;
		enum model_shape shape;
	} trees[] = {
		{ "", SHAPE_FLAT },
		{ "_numa_multicast", SHAPE_FAR_FIRST },
		{ "_planned", SHAPE_PLANNED },
	};
	char variant[24];
	size_t i;

	for (i = 0; i < sizeof(trees) / sizeof(trees[0]) && model->nr > 1; i++) {
		snprintf(variant, sizeof(variant), "single%s", trees[i].name);
		add(forecast, "two_phase_commit", variant, "cost", model->nr,
		    model_commit(model, trees[i].shape, 1));
		if (trees[i].shape == SHAPE_FAR_FIRST)
			continue;
		snprintf(variant, sizeof(variant), "pipelined_%u%s", FORECAST_FLIGHT,
			 trees[i].name);
		add(forecast, "two_phase_commit", variant, "cost", model->nr,
		    model_commit(model, trees[i].shape, FORECAST_FLIGHT));
	}
}

/* To the core that is the cheapest to call, and to the dearest. */
static void add_sizes(struct forecast *forecast, const struct blueprint *b)
{
	unsigned int near = 1, far = 1, to, lines, i;
	int shared;

	for (to = 2; to < b->cores; to++) {
		if (model_call(b, 0, to, 1, 0) < model_call(b, 0, near, 1, 0))
			near = to;
		if (model_call(b, 0, to, 1, 0) > model_call(b, 0, far, 1, 0))
			far = to;
	}
	for (i = 0; i < (near == far ? 1 : 2) && b->cores > 1; i++) {
		to = i ? far : near;
		for (shared = 0; shared < 2; shared++) {
			for (lines = 1; lines <= 8; lines++) {
				add(forecast, "message_size", shared ? "shared" : "message",
				    "round_trip", 56 * lines, model_call(b, 0, to, lines, shared));
				forecast->rows[forecast->nr - 1].to = to;
			}
		}
	}
}

/* --- one core of each node ------------------------------------------------------------ */

static void thin_levels(struct blueprint *thin)
{
	unsigned int i;

	thin->level[0].count = 1;
	thin->level[0].size = 1;
	for (i = 1; i < thin->nr_levels; i++)
		thin->level[i].size = thin->level[i].count * thin->level[i - 1].size;
	thin->cores = thin->nodes;
}

static void thin_matrices(struct blueprint *thin, const struct blueprint *b)
{
	unsigned int *core = mkctl_alloc(b->nodes * sizeof(*core)), nr = 0, u, v;
	char *seen = mkctl_alloc(MK_PLAN_CORES);
	size_t pairs = (size_t)b->nodes * b->nodes;

	for (u = 0; u < b->cores; u++) {
		if (seen[b->costs.node[u]])
			continue;
		seen[b->costs.node[u]] = 1;
		core[nr++] = u;
	}
	thin->costs.send = mkctl_alloc(pairs * sizeof(u32));
	thin->costs.receive = mkctl_alloc(pairs * sizeof(u32));
	thin->costs.node = mkctl_alloc(nr * sizeof(u16));
	thin->cores = nr;
	for (u = 0; u < nr; u++) {
		thin->costs.node[u] = u;
		for (v = 0; v < nr; v++) {
			if (u == v)
				continue;
			thin->costs.send[(size_t)u * nr + v] = blueprint_send(b, core[u], core[v]);
			thin->costs.receive[(size_t)u * nr + v] =
				blueprint_receive(b, core[u], core[v]);
		}
	}
	free(seen);
	free(core);
}

/* How unmapping grows with nodes alone. */
static void add_nodes(struct forecast *forecast, const struct blueprint *b)
{
	struct blueprint thin = *b;
	struct model model;
	unsigned int nr;
	int p;

	if (b->nr_levels)
		thin_levels(&thin);
	else
		thin_matrices(&thin, b);
	for (nr = 1; nr; nr = next_size(nr, thin.cores)) {
		model_init(&model, &thin, nr);
		for (p = 0; p < NR_MODELS; p++)
			add(forecast, "model_nodes", model_names[p], "cost", nr,
			    model_unmap(&model, p, 1));
		model_free(&model);
	}
	if (!b->nr_levels)
		costs_free(&thin.costs);
}

void forecast_make(struct forecast *forecast, const struct blueprint *b)
{
	struct model model;
	unsigned int nr;

	memset(forecast, 0, sizeof(*forecast));
	add_figure_3(forecast, b);
	add_sizes(forecast, b);
	for (nr = 1; nr; nr = next_size(nr, b->cores)) {
		model_init(&model, b, nr);
		add_shootdown(forecast, &model);
		add_figure_8(forecast, &model);
		model_free(&model);
	}
	add_nodes(forecast, b);
}

void forecast_free(struct forecast *forecast)
{
	free(forecast->rows);
}

/* --- rows ----------------------------------------------------------------------------- */

const struct forecast_row *forecast_find(const struct forecast *forecast, const char *test,
					 const char *variant, const char *metric,
					 unsigned int size)
{
	const struct forecast_row *row;

	for (row = forecast->rows; row < forecast->rows + forecast->nr; row++)
		if (row->size == size && !strcmp(row->test, test) &&
		    !strcmp(row->variant, variant) && !strcmp(row->metric, metric))
			return row;
	return NULL;
}

unsigned int forecast_next_size(const struct forecast *forecast, const char *test,
				unsigned int size)
{
	const struct forecast_row *row;
	unsigned int next = 0;

	for (row = forecast->rows; row < forecast->rows + forecast->nr; row++)
		if (!strcmp(row->test, test) && row->size > size && (!next || row->size < next))
			next = row->size;
	return next;
}

static void environment_csv(const char *test, const struct blueprint *b, FILE *out)
{
	int i;

	fprintf(out, "%s,%s,%s,,,,,,modelled,1,bool\n", test, VARIANT_ENVIRONMENT, TIER_MODEL);
	for (i = 0; i < NR_PARTS; i++)
		fprintf(out, "%s,%s,%s,,,,,,param_%s,%u,%s\n", test, VARIANT_ENVIRONMENT,
			TIER_MODEL, part_infos[i].name, b->value[i],
			/* the table has words for these two alone */
			strcmp(part_infos[i].unit, "cycles") ? "number" : "cycles");
	fprintf(out, "%s,%s,%s,,,,,,status,0,errno\n", test, VARIANT_ENVIRONMENT, TIER_MODEL);
}

void forecast_csv(const struct forecast *forecast, const struct blueprint *b, FILE *out)
{
	static const char *const tests[] = {
		"shm_vs_msg", "message_size", "shootdown_protocols", "unmap",
		"two_phase_commit", "model_nodes",
	};
	const struct forecast_row *row;
	size_t i;

	fputs(CSV_HEADER "\n", out);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		environment_csv(tests[i], b, out);
		for (row = forecast->rows; row < forecast->rows + forecast->nr; row++) {
			if (strcmp(row->test, tests[i]))
				continue;
			fprintf(out, "%s,%s,%s,", row->test, row->variant, TIER_MODEL);
			if (row->to < 0)
				fputs(",,", out);
			else
				fprintf(out, "0,%d,", row->to);
			fprintf(out, ",%u,0,%s,%llu,%s\n", row->size, row->metric, row->value,
				row->unit);
		}
	}
}
