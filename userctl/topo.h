/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a message costs between each two CPUs.
 */
#ifndef MKCTL_TOPO_H
#define MKCTL_TOPO_H

#include <stddef.h>

#include "csv.h"
#include "machine.h"

/**
 * struct topo_costs - a matrix of measured costs
 * @cpus: rows and columns: CPUs 0 to @cpus - 1
 * @cycles: from row to column, NAN where nothing was measured
 * @error: standard error of it, 0 if it is not known
 */
struct topo_costs {
	size_t cpus;
	double *cycles, *error;
};

/* From a file of "src dst cycles stderr"; 0, or -1 with one line in @error. */
int topo_import(struct topo_costs *costs, const char *path, char *error, size_t error_len);

/* From results of urpc_latency, @metric is round_trip or one_way; likewise. */
int topo_results(struct topo_costs *costs, const struct csv *csv, const char *metric,
		 char *error, size_t error_len);

/*
 * The machine that costs from elsewhere are of: @csv says what it ran on, where it
 * is NULL all CPUs are on one node.
 */
void topo_machine(struct machine *machine, const struct topo_costs *costs,
		  const struct csv *csv);

/* Write such a file; 0, or -1 with errno set. */
int topo_export(const struct topo_costs *costs, const char *path, const char *what);

double topo_cost(const struct topo_costs *costs, int from, int to);
void topo_free(struct topo_costs *costs);

void topo_print_text(const struct machine *machine, const struct topo_costs *costs,
		     const char *what);
void topo_print_json(const struct machine *machine, const struct topo_costs *costs,
		     const char *what);
void topo_print_csv(const struct machine *machine, const struct topo_costs *costs);

#endif /* MKCTL_TOPO_H */
