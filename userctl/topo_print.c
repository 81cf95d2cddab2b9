// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes, distances and costs as text, JSON and CSV.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grid.h"
#include "mkctl.h"
#include "topo.h"

/* From near to far; a terminal has colours that are as distinct in grey. */
static const char *const shades[] = { "  ", "..", "--", "++", "##" };
static const int colours[] = { 231, 222, 208, 160, 52 };

/* Width of a cell without a number. */
#define SHADE	2

#define NR_SHADES	((int)(sizeof(shades) / sizeof(shades[0])))

static int node_distance(const struct machine *machine, int from, int to)
{
	size_t i, j;

	for (i = 0; i < machine->nr_nodes; i++)
		for (j = 0; j < machine->nr_nodes; j++)
			if (machine->nodes[i].id == from && machine->nodes[j].id == to)
				return machine->nodes[i].distance[j];
	return -1;
}

/* 0-3,8 of the CPUs on a node; the caller frees it. */
static char *cpu_list(const struct machine *machine, int node)
{
	char *text = mkctl_printf("%s", ""), *old;
	size_t i, j;

	for (i = 0; i < machine->nr_cpus; i++) {
		if (machine->cpus[i].node != node)
			continue;
		for (j = i; j + 1 < machine->nr_cpus && machine->cpus[j + 1].node == node &&
		     machine->cpus[j + 1].id == machine->cpus[j].id + 1; j++)
			;
		old = text;
		if (j > i)
			text = mkctl_printf("%s%s%d-%d", old, *old ? "," : "",
					    machine->cpus[i].id, machine->cpus[j].id);
		else
			text = mkctl_printf("%s%s%d", old, *old ? "," : "",
					    machine->cpus[i].id);
		free(old);
		i = j;
	}
	return text;
}

static void print_nodes(const struct machine *machine)
{
	struct machine_node *node;
	size_t i, j;
	char *list;

	printf("%zu CPUs on %zu nodes\n\n", machine->nr_cpus, machine->nr_nodes);
	printf("node  distance to");
	for (i = 0; i < machine->nr_nodes; i++)
		printf(" %4d", machine->nodes[i].id);
	printf("  CPUs\n");
	for (i = 0; i < machine->nr_nodes; i++) {
		node = &machine->nodes[i];
		list = cpu_list(machine, node->id);
		printf("%4d             ", node->id);
		for (j = 0; j < machine->nr_nodes; j++) {
			if (node->distance[j] < 0)
				printf("    -");
			else
				printf(" %4d", node->distance[j]);
		}
		printf("  %s\n", *list ? list : "none");
		free(list);
	}
}

/* What is drawn: CPUs, or nodes where there are too many for the width. */
struct map {
	size_t nr, cell;
	int *label;
	double *value, low, high;
};

/* Mean over the CPUs of two nodes that have costs. */
static double mean(const struct machine *machine, const struct topo_costs *costs,
		   int from, int to)
{
	double sum = 0, cost;
	size_t i, j, nr = 0;

	for (i = 0; i < machine->nr_cpus; i++)
		for (j = 0; j < machine->nr_cpus; j++) {
			if (i == j || machine->cpus[i].node != from ||
			    machine->cpus[j].node != to)
				continue;
			cost = topo_cost(costs, machine->cpus[i].id, machine->cpus[j].id);
			if (isnan(cost))
				continue;
			sum += cost;
			nr++;
		}
	return nr ? sum / nr : NAN;
}

static struct map make_map(const struct machine *machine, const struct topo_costs *costs,
			   int of_nodes)
{
	struct map map = { .low = INFINITY, .high = -INFINITY };
	double *value;
	size_t i, j;
	char *text;

	map.nr = of_nodes ? machine->nr_nodes : machine->nr_cpus;
	map.label = mkctl_alloc(map.nr * sizeof(int));
	map.value = mkctl_alloc(map.nr * map.nr * sizeof(double));
	for (i = 0; i < map.nr; i++)
		map.label[i] = of_nodes ? machine->nodes[i].id : machine->cpus[i].id;
	for (i = 0; i < map.nr; i++)
		for (j = 0; j < map.nr; j++) {
			value = &map.value[i * map.nr + j];
			if (of_nodes)
				*value = mean(machine, costs, map.label[i], map.label[j]);
			else
				*value = i == j ? NAN : topo_cost(costs, map.label[i],
								  map.label[j]);
			if (isnan(*value))
				continue;
			map.low = fmin(map.low, *value);
			map.high = fmax(map.high, *value);
			text = grid_number(round(*value));
			map.cell = strlen(text) + 4 > map.cell ? strlen(text) + 4 : map.cell;
			free(text);
		}
	return map;
}

static void print_cell(const struct map *map, double value, int terminal)
{
	int shade = 0;
	char *text;

	if (isnan(value)) {
		printf("%*s", (int)map->cell, map->cell > SHADE ? "- " : " -");
		return;
	}
	if (map->high > map->low)
		shade = (value - map->low) / (map->high - map->low) * (NR_SHADES - 0.001);
	if (map->cell == SHADE) {
		if (terminal)
			printf("\033[48;5;%dm  \033[0m", colours[shade]);
		else
			printf("%s", shades[shade]);
		return;
	}
	text = grid_number(round(value));
	if (terminal)
		printf("\033[48;5;%d;38;5;%dm%*s \033[0m", colours[shade],
		       shade > 2 ? 231 : 16, (int)map->cell - 1, text);
	else
		printf("%s%*s ", shades[shade], (int)map->cell - 3, text);
	free(text);
}

static void print_map(const struct map *map, const char *what, int of_nodes)
{
	int terminal = isatty(STDOUT_FILENO);
	size_t i, j;

	printf("%s, cycles, from row to column\n", what);
	printf("%s; %.0f to %.0f", of_nodes ? "mean of the CPUs of two nodes" : "CPUs by node",
	       map->low, map->high);
	if (!terminal)
		printf("; .. -- ++ ## for the dearer ones");
	printf("\n%5s", of_nodes ? "node" : "CPU");
	for (j = 0; j < map->nr; j++) {
		if (map->cell > SHADE)
			printf("%*d ", (int)map->cell - 1, map->label[j]);
		else
			printf("%2d", map->label[j] % 100);
	}
	putchar('\n');
	for (i = 0; i < map->nr; i++) {
		printf("%5d", map->label[i]);
		for (j = 0; j < map->nr; j++)
			print_cell(map, map->value[i * map->nr + j], terminal);
		putchar('\n');
	}
}

static void map_free(struct map *map)
{
	free(map->label);
	free(map->value);
}

void topo_print_text(const struct machine *machine, const struct topo_costs *costs,
		     const char *what)
{
	size_t width = mkctl_width();
	int of_nodes = 0;
	struct map map;

	print_nodes(machine);
	putchar('\n');
	if (!costs->cpus) {
		printf("no costs are measured yet: mkctl topo --measure\n");
		return;
	}
	map = make_map(machine, costs, 0);
	if (6 + map.nr * map.cell > width && 6 + map.nr * SHADE <= width) {
		map.cell = SHADE;
	} else if (6 + map.nr * map.cell > width) {
		of_nodes = 1;
		map_free(&map);
		map = make_map(machine, costs, 1);
	}
	if (map.high < map.low)
		printf("no cost is of two CPUs of this machine\n");
	else
		print_map(&map, what, of_nodes);
	map_free(&map);
}

void topo_print_json(const struct machine *machine, const struct topo_costs *costs,
		     const char *what)
{
	json_t *all = json_object(), *nodes = json_array(), *cpus = json_array();
	json_t *matrix = json_array(), *list;
	const struct machine_cpu *cpu;
	double cost;
	size_t i, j;

	for (i = 0; i < machine->nr_nodes; i++) {
		list = json_array();
		for (j = 0; j < machine->nr_nodes; j++)
			json_array_append_new(list,
					      json_integer(machine->nodes[i].distance[j]));
		json_array_append_new(nodes, json_pack("{siso}", "node", machine->nodes[i].id,
						       "distance", list));
	}
	for (i = 0; i < machine->nr_cpus; i++) {
		cpu = &machine->cpus[i];
		json_array_append_new(cpus, json_pack("{sisisisi}", "cpu", cpu->id,
						      "node", cpu->node,
						      "package", cpu->package,
						      "core", cpu->core));
		list = json_array();
		for (j = 0; j < machine->nr_cpus; j++) {
			cost = topo_cost(costs, cpu->id, machine->cpus[j].id);
			json_array_append_new(list, isnan(cost) ? json_null() :
								  json_real(cost));
		}
		json_array_append_new(matrix, list);
	}
	json_object_set_new(all, "nodes", nodes);
	json_object_set_new(all, "cpus", cpus);
	json_object_set_new(all, "what", json_string(what));
	json_object_set_new(all, "unit", json_string("cycles"));
	json_object_set_new(all, "costs", matrix);
	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
	putchar('\n');
	json_decref(all);
}

void topo_print_csv(const struct machine *machine, const struct topo_costs *costs)
{
	const struct machine_cpu *from, *to;
	size_t i, j;
	double cost;

	printf("src,dst,src_node,dst_node,distance,cycles,stderr\n");
	for (i = 0; i < machine->nr_cpus; i++)
		for (j = 0; j < machine->nr_cpus; j++) {
			from = &machine->cpus[i];
			to = &machine->cpus[j];
			cost = topo_cost(costs, from->id, to->id);
			printf("%d,%d,%d,%d,%d,", from->id, to->id, from->node, to->node,
			       node_distance(machine, from->node, to->node));
			if (isnan(cost))
				printf(",\n");
			else
				printf("%.6f,%.6f\n", cost,
				       costs->error[from->id * costs->cpus + to->id]);
		}
}
