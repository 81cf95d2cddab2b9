// SPDX-License-Identifier: GPL-2.0
/*
 * Costs between CPUs: from results, from files and to files.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "costs.h"
#include "mkctl.h"
#include "topo.h"

static void make(struct topo_costs *costs, size_t cpus)
{
	size_t i;

	costs->cpus = cpus;
	costs->cycles = mkctl_alloc(cpus * cpus * sizeof(double));
	costs->error = mkctl_alloc(cpus * cpus * sizeof(double));
	for (i = 0; i < cpus * cpus; i++)
		costs->cycles[i] = NAN;
}

int topo_import(struct topo_costs *costs, const char *path, char *error, size_t error_len)
{
	unsigned int cores;
	u32 *cycles;
	size_t i;

	memset(costs, 0, sizeof(*costs));
	if (costs_load_one(&cycles, &cores, path, error, error_len))
		return -1;
	make(costs, cores);
	for (i = 0; i < (size_t)cores * cores; i++)
		if (cycles[i] != MK_PLAN_NO_LINK)
			costs->cycles[i] = cycles[i];
	free(cycles);
	return 0;
}

static int is_row(const struct csv_row *row, const char *metric)
{
	size_t len = strlen(metric);

	return !strcmp(row->test, "urpc_latency") && !strcmp(row->variant, "urpc") &&
	       !strncmp(row->metric, metric, len) && !strcmp(row->metric + len, "_p50") &&
	       row->cpu_a >= 0 && row->cpu_a < MACHINE_CPUS &&
	       row->cpu_b >= 0 && row->cpu_b < MACHINE_CPUS;
}

/*
 * Rows of one pair differ in the round and in the node of the ring: the mean over
 * them, and from how they differ, the error of that mean.
 */
int topo_results(struct topo_costs *costs, const struct csv *csv, const char *metric,
		 char *error, size_t error_len)
{
	size_t i, cpus = 0, at, *nr;
	const struct csv_row *row;
	double *squares, mean;

	memset(costs, 0, sizeof(*costs));
	for (i = 0; i < csv->nr_rows; i++) {
		row = &csv->rows[i];
		if (!is_row(row, metric))
			continue;
		cpus = (size_t)row->cpu_a >= cpus ? (size_t)row->cpu_a + 1 : cpus;
		cpus = (size_t)row->cpu_b >= cpus ? (size_t)row->cpu_b + 1 : cpus;
	}
	if (!cpus) {
		snprintf(error, error_len, "there are no results of urpc_latency with %s",
			 metric);
		return -1;
	}
	make(costs, cpus);
	nr = mkctl_alloc(cpus * cpus * sizeof(*nr));
	squares = mkctl_alloc(cpus * cpus * sizeof(*squares));
	for (i = 0; i < csv->nr_rows; i++) {
		row = &csv->rows[i];
		if (!is_row(row, metric))
			continue;
		at = row->cpu_a * cpus + row->cpu_b;
		costs->cycles[at] = nr[at] ? costs->cycles[at] + row->value : row->value;
		squares[at] += row->value * row->value;
		nr[at]++;
	}
	for (at = 0; at < cpus * cpus; at++) {
		if (!nr[at])
			continue;
		mean = costs->cycles[at] / nr[at];
		costs->cycles[at] = mean;
		if (nr[at] > 1)
			costs->error[at] = sqrt(fmax(0, squares[at] / nr[at] - mean * mean) /
						(nr[at] - 1));
	}
	free(nr);
	free(squares);
	return 0;
}

static size_t node_index(struct machine *machine, int id)
{
	size_t i;

	for (i = 0; i < machine->nr_nodes; i++)
		if (machine->nodes[i].id == id)
			return i;
	machine->nodes = mkctl_grow(machine->nodes, i + 1, sizeof(*machine->nodes));
	machine->nodes[i].id = id;
	machine->nodes[i].distance = NULL;
	machine->nr_nodes++;
	return i;
}

/* Rows of environment: the node of a CPU, the distance of two nodes. */
static const struct csv_row *environment(const struct csv *csv, const char *metric,
					 long long cpu, long long from, long long to)
{
	const struct csv_row *row;
	size_t i;

	for (i = 0; csv && i < csv->nr_rows; i++) {
		row = &csv->rows[i];
		if (!strcmp(row->variant, "environment") && !strcmp(row->metric, metric) &&
		    row->cpu_a == cpu && row->mem_node == from && row->size == to)
			return row;
	}
	return NULL;
}

static int by_node(const void *a, const void *b)
{
	const struct machine_cpu *x = a, *y = b;

	return x->node != y->node ? x->node - y->node : x->id - y->id;
}

void topo_machine(struct machine *machine, const struct topo_costs *costs,
		  const struct csv *csv)
{
	const struct csv_row *row;
	size_t i, j;

	memset(machine, 0, sizeof(*machine));
	machine->cpus = mkctl_alloc(costs->cpus * sizeof(*machine->cpus));
	machine->nr_cpus = costs->cpus;
	for (i = 0; i < costs->cpus; i++) {
		row = environment(csv, "node", i, CSV_NONE, CSV_NONE);
		machine->cpus[i] = (struct machine_cpu){ .id = i, .package = -1, .core = -1 };
		if (row && row->value >= 0 && row->value < MACHINE_CPUS)
			machine->cpus[i].node = row->value;
		node_index(machine, machine->cpus[i].node);
	}
	for (i = 0; i < machine->nr_nodes; i++) {
		machine->nodes[i].distance = mkctl_alloc(machine->nr_nodes * sizeof(int));
		for (j = 0; j < machine->nr_nodes; j++) {
			row = environment(csv, "distance", CSV_NONE, machine->nodes[i].id,
					  machine->nodes[j].id);
			machine->nodes[i].distance[j] = row ? row->value : -1;
		}
	}
	if (machine->nr_cpus)
		qsort(machine->cpus, machine->nr_cpus, sizeof(*machine->cpus), by_node);
}

int topo_export(const struct topo_costs *costs, const char *path, const char *what)
{
	FILE *file = fopen(path, "we");
	size_t from, to, at;
	int failed;

	if (!file)
		return -1;
	fprintf(file, "# %s: src dst cycles stderr\n", what);
	for (from = 0; from < costs->cpus; from++)
		for (to = 0; to < costs->cpus; to++) {
			at = from * costs->cpus + to;
			if (from != to && !isnan(costs->cycles[at]))
				fprintf(file, "%zu %zu %.6f %.6f\n", from, to,
					costs->cycles[at], costs->error[at]);
		}
	failed = ferror(file);
	if (fclose(file) || failed)
		return -1;
	return 0;
}

double topo_cost(const struct topo_costs *costs, int from, int to)
{
	if ((size_t)from >= costs->cpus || (size_t)to >= costs->cpus)
		return NAN;
	return costs->cycles[(size_t)from * costs->cpus + to];
}

void topo_free(struct topo_costs *costs)
{
	free(costs->cycles);
	free(costs->error);
}
