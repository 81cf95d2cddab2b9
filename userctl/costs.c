// SPDX-License-Identifier: GPL-2.0
/*
 * Reading costs.
 *
 * A file may be cut short, be made by hand, or come from somebody else: every
 * field is checked, and an error names the file, the line and what is wrong,
 * and repeats nothing of it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "costs.h"
#include "lines.h"
#include "mkctl.h"

struct cost {
	u16 from, to;
	u32 cycles;
	unsigned long number;
};

struct cost_list {
	const char *path;
	struct cost *list;
	size_t nr, room;
	unsigned int cores;
};

static int take_cost(struct line *line, struct cost_list *costs)
{
	long from, to;
	double cycles, error = 0;
	struct cost *cost;

	if (line->nr != 3 && line->nr != 4)
		return line_wrong(line, "%zu field%s where 'src dst cycles stderr' belong%s",
			     line->nr, line->nr == 1 ? "" : "s",
			     line->whole ? "" : "; the file is cut short");
	if (line->nr == 3 && !line->whole)
		return line_wrong(line, "the file is cut short, its last line has no end");
	from = line_whole(line->field[0], MK_PLAN_CORES);
	to = line_whole(line->field[1], MK_PLAN_CORES);
	if (from < 0 || to < 0)
		return line_wrong(line, "%s is not a core, which is a number from 0 to %u",
			     from < 0 ? "src" : "dst", MK_PLAN_CORES - 1);
	cycles = line_number(line->field[2]);
	if (line->nr == 4)
		error = line_number(line->field[3]);
	if (isnan(cycles) || isnan(error))
		return line_wrong(line, "%s is not a number", isnan(cycles) ? "cycles" : "stderr");
	if (from >= costs->cores)
		costs->cores = from + 1;
	if (to >= costs->cores)
		costs->cores = to + 1;
	if (from == to)
		return 0;
	if (cycles < 0 || cycles > MK_PLAN_COST)
		return line_wrong(line, "cycles are outside 0 to %u", MK_PLAN_COST);
	if (costs->nr == costs->room) {
		costs->room = costs->room ? 2 * costs->room : 1024;
		costs->list = mkctl_grow(costs->list, costs->room, sizeof(*cost));
	}
	cost = &costs->list[costs->nr++];
	cost->from = from;
	cost->to = to;
	cost->cycles = cycles + 0.5;
	cost->number = line->number;
	return 0;
}

static int read_list(struct cost_list *costs, const char *path, char *error, size_t error_len)
{
	struct line line;
	int ret;

	costs->path = path;
	if (line_open(&line, path, "a file of costs", error, error_len))
		return -1;
	while ((ret = line_next(&line)) > 0) {
		/* every pair may come once, so a file that is longer has some twice */
		if (costs->nr > MK_PLAN_CORES * (MK_PLAN_CORES - 1))
			ret = line_wrong(&line, "too many costs");
		else
			ret = take_cost(&line, costs);
		if (ret)
			break;
	}
	fclose(line.file);
	if (!ret && !costs->cores) {
		snprintf(error, error_len, "%s has no costs in it", path);
		return -1;
	}
	return ret;
}

static int fill(u32 *matrix, unsigned int cores, const struct cost_list *costs,
		char *error, size_t error_len)
{
	size_t pairs = (size_t)cores * cores, i;
	const struct cost *cost;
	u32 *entry;

	for (i = 0; i < pairs; i++)
		matrix[i] = MK_PLAN_NO_LINK;
	for (i = 0; i < costs->nr; i++) {
		cost = &costs->list[i];
		entry = &matrix[(size_t)cost->from * cores + cost->to];
		if (*entry != MK_PLAN_NO_LINK) {
			snprintf(error, error_len, "%s:%lu: core %u to core %u is there twice",
				 costs->path, cost->number, cost->from, cost->to);
			return -1;
		}
		*entry = cost->cycles;
	}
	return 0;
}

/* A pair that one file has, the other has too. */
static int check_pairs(const struct costs *costs, const char *send, const char *receive,
		       char *error, size_t error_len)
{
	unsigned int cores = costs->machine.cores;
	size_t pairs = (size_t)cores * cores, i;
	int sends, receives;

	for (i = 0; i < pairs; i++) {
		sends = costs->send[i] != MK_PLAN_NO_LINK;
		receives = costs->receive[i] != MK_PLAN_NO_LINK;
		if (sends == receives)
			continue;
		snprintf(error, error_len,
			 "core %zu to core %zu is in %s but not in %s; is that cut short, or of another machine?",
			 i / cores, i % cores, sends ? send : receive,
			 sends ? receive : send);
		return -1;
	}
	return 0;
}

int costs_load(struct costs *costs, const char *send, const char *receive,
	       char *error, size_t error_len)
{
	struct cost_list sends = { 0 }, receives = { 0 };
	unsigned int cores;
	int ret;

	ret = read_list(&sends, send, error, error_len);
	if (!ret)
		ret = read_list(&receives, receive, error, error_len);
	if (!ret) {
		cores = sends.cores > receives.cores ? sends.cores : receives.cores;
		costs->send = mkctl_alloc((size_t)cores * cores * sizeof(u32));
		costs->receive = mkctl_alloc((size_t)cores * cores * sizeof(u32));
		costs->node = mkctl_alloc(cores * sizeof(u16));
		costs->machine.cores = cores;
		costs->machine.send = costs->send;
		costs->machine.receive = costs->receive;
		costs->machine.node = costs->node;
		ret = fill(costs->send, cores, &sends, error, error_len);
		if (!ret)
			ret = fill(costs->receive, cores, &receives, error, error_len);
		if (!ret)
			ret = check_pairs(costs, send, receive, error, error_len);
	}
	free(sends.list);
	free(receives.list);
	return ret;
}

int costs_load_one(u32 **cycles, unsigned int *cores, const char *path,
		   char *error, size_t error_len)
{
	struct cost_list list = { 0 };
	int ret;

	*cycles = NULL;
	ret = read_list(&list, path, error, error_len);
	if (!ret) {
		*cores = list.cores;
		*cycles = mkctl_alloc((size_t)list.cores * list.cores * sizeof(u32));
		ret = fill(*cycles, list.cores, &list, error, error_len);
	}
	if (ret) {
		free(*cycles);
		*cycles = NULL;
	}
	free(list.list);
	return ret;
}

static int take_node(struct line *line, struct costs *costs, char *seen)
{
	long core, node;

	if (line->nr != 2)
		return line_wrong(line, "%zu field%s where 'core node' belong", line->nr,
			     line->nr == 1 ? "" : "s");
	if (!line->whole)
		return line_wrong(line, "the file is cut short, its last line has no end");
	core = line_whole(line->field[0], costs->machine.cores);
	if (core < 0)
		return line_wrong(line, "not a core that has costs, which are 0 to %u",
			     costs->machine.cores - 1);
	node = line_whole(line->field[1], MK_PLAN_CORES);
	if (node < 0)
		return line_wrong(line, "not a node, which is a number from 0 to %u",
			     MK_PLAN_CORES - 1);
	if (seen[core])
		return line_wrong(line, "core %ld is there twice", core);
	seen[core] = 1;
	costs->node[core] = node;
	return 0;
}

static int read_nodes(struct costs *costs, const char *path, char *error, size_t error_len)
{
	char *seen = mkctl_alloc(costs->machine.cores);
	unsigned int core;
	struct line line;
	int ret;

	if (line_open(&line, path, "a file of costs", error, error_len)) {
		free(seen);
		return -1;
	}
	while ((ret = line_next(&line)) > 0) {
		ret = take_node(&line, costs, seen);
		if (ret)
			break;
	}
	fclose(line.file);
	for (core = 0; !ret && core < costs->machine.cores; core++) {
		if (seen[core])
			continue;
		snprintf(error, error_len, "%s does not say on which node core %u is",
			 path, core);
		ret = -1;
	}
	free(seen);
	return ret;
}

int costs_nodes(struct costs *costs, const char *nodes, char *error, size_t error_len)
{
	unsigned int cores = costs->machine.cores, core;
	long nr;

	if (!*nodes || nodes[strspn(nodes, "0123456789")])
		return read_nodes(costs, nodes, error, error_len);
	nr = line_whole(nodes, (long)cores + 1);
	if (nr < 1) {
		snprintf(error, error_len,
			 "%u core%s cannot be on %.20s nodes (a file of that name: ./%.20s)",
			 cores, cores == 1 ? "" : "s", nodes, nodes);
		return -1;
	}
	for (core = 0; core < cores; core++)
		costs->node[core] = core * nr / cores;
	return 0;
}

int costs_burst(struct costs *costs, const char *text, char *error, size_t error_len)
{
	char *copy = mkctl_strndup(text, strlen(text)), *rest, *field;
	unsigned int nr = 0;
	double factor;

	for (field = strtok_r(copy, ",", &rest); field && nr < MK_PLAN_BURST;
	     field = strtok_r(NULL, ",", &rest)) {
		factor = line_number(field);
		if (!(factor >= 0 && factor <= 4))
			break;
		costs->burst[nr++] = factor * 1024 + 0.5;
	}
	free(copy);
	if (field || !nr) {
		snprintf(error, error_len,
			 "--burst takes one to %d factors from 0 to 4, with commas in between",
			 MK_PLAN_BURST);
		return -1;
	}
	for (; nr < MK_PLAN_BURST; nr++)
		costs->burst[nr] = costs->burst[nr - 1];
	costs->machine.burst = costs->burst;
	return 0;
}

void costs_free(struct costs *costs)
{
	free(costs->send);
	free(costs->receive);
	free(costs->node);
}
