// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptions of machines.
 */
#include <stdlib.h>
#include <string.h>

#include "blueprint.h"
#include "lines.h"
#include "mkctl.h"

#define FROM_FIGURE_3	"fitted to figure 3"
#define FROM_FIGURE_6	"fitted to figure 6"
#define FROM_FIGURE_7	"fitted to figure 7"
#define FROM_RING	"the ring's stream"
#define FROM_LINUX	"as in Linux 6.1"
#define ASSUMED		"assumed"

const struct part_info part_infos[NR_PARTS] = {
	[PART_DISPATCH] = { "dispatch", "cycles",
		"from a request that was received to its handler", ASSUMED, 0 },
	[PART_IPI_SEND] = { "ipi_send", "cycles",
		"the initiator's for each interrupt", FROM_FIGURE_7, 560 },
	[PART_IPI_DELIVER] = { "ipi_deliver", "cycles",
		"until the handler begins", ASSUMED, 1000 },
	[PART_IPI_HANDLE] = { "ipi_handle", "cycles",
		"the target's, without what it flushes", ASSUMED, 700 },
	[PART_INVALIDATE] = { "invalidate", "cycles", "INVLPG, one page", ASSUMED, 150 },
	[PART_FLUSH] = { "flush", "cycles", "the whole TLB", ASSUMED, 500 },
	[PART_CEILING] = { "ceiling", "pages",
		"above so many the whole TLB is flushed", FROM_LINUX, 33 },
	[PART_LEVELS] = { "levels", "number", "of page tables", FROM_LINUX, 4 },
	[PART_WALK] = { "walk", "cycles", "to get down one level", ASSUMED, 50 },
	[PART_PTE] = { "pte", "cycles", "to clear one entry", ASSUMED, 30 },
	[PART_ZAP] = { "zap", "cycles",
		"what Linux does around it, and the system call", FROM_FIGURE_7, 2310 },
	[PART_MONITOR] = { "monitor", "cycles",
		"to get to the initiator's monitor and back", ASSUMED, 0 },
	[PART_UPDATE] = { "update", "cycles", "to write one line that is at hand", ASSUMED, 20 },
	[PART_CROWD] = { "crowd", "percent",
		"of a receive: a read of a line that all read", FROM_FIGURE_6, 146 },
	[PART_OCCUPY] = { "occupy", "percent",
		"of a receive: how long others wait for a line", FROM_FIGURE_3, 36 },
	[PART_STREAM] = { "stream", "percent",
		"of the first line: each further one of a message", FROM_RING, 10 },
};

/* Of two sockets with ten cores each: medians of the measurements that there are. */
#define NEAR_SEND	62
#define NEAR_RECEIVE	221
#define FAR_SEND	193
#define FAR_RECEIVE	693

void blueprint_init(struct blueprint *b)
{
	unsigned int i;

	memset(b, 0, sizeof(*b));
	for (i = 0; i < NR_PARTS; i++)
		b->value[i] = part_infos[i].value;
}

void blueprint_free(struct blueprint *b)
{
	costs_free(&b->costs);
	free(b->name);
}

static int find_part(const char *name, size_t len)
{
	int i;

	for (i = 0; i < NR_PARTS; i++)
		if (strlen(part_infos[i].name) == len &&
		    !strncmp(part_infos[i].name, name, len))
			return i;
	return -1;
}

static void set_name(struct blueprint *b, char *name)
{
	free(b->name);
	b->name = name;
}

/* --- levels ----------------------------------------------------------------------- */

/* Adds a level; NULL, or what is wrong with it. */
static const char *add_level(struct blueprint *b, const char *name, long count,
			     long send, long receive)
{
	struct level *level = &b->level[b->nr_levels];
	unsigned int inside = b->nr_levels ? level[-1].size : 1;

	if (b->nr_levels == BLUEPRINT_LEVELS)
		return "there is one level too many, 8 at most";
	if (strlen(name) >= sizeof(level->name) ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz")])
		return "the name of a level is up to 15 small letters";
	if (count < 1 || count * inside > MK_PLAN_CORES)
		return "there is no level of that many; 4096 cores at most";
	if (send < 0 || receive < 0)
		return "send and receive are cycles, 0 to 1000000";
	strcpy(level->name, name);
	level->count = count;
	level->size = count * inside;
	level->send = send;
	level->receive = receive;
	b->nr_levels++;
	b->cores = level->size;
	b->nodes = level->size / b->level[0].size;
	return NULL;
}

static const struct level *level_of(const struct blueprint *b, unsigned int u,
				    unsigned int v)
{
	const struct level *level = b->level;

	while (u / level->size != v / level->size)
		level++;
	return level;
}

unsigned int blueprint_send(const struct blueprint *b, unsigned int u, unsigned int v)
{
	if (b->nr_levels)
		return level_of(b, u, v)->send;
	return b->costs.send[(size_t)u * b->cores + v];
}

unsigned int blueprint_receive(const struct blueprint *b, unsigned int u, unsigned int v)
{
	if (b->nr_levels)
		return level_of(b, u, v)->receive;
	return b->costs.receive[(size_t)u * b->cores + v];
}

unsigned int blueprint_node(const struct blueprint *b, unsigned int core)
{
	return b->nr_levels ? core / b->level[0].size : b->costs.node[core];
}

int blueprint_topology(struct blueprint *b, const char *text, char *error, size_t error_len)
{
	static const char *const names[] = { "package", "machine", "board", "rack" };
	char *copy = mkctl_strndup(text, strlen(text)), *rest, *word;
	unsigned int nr = 0, i, factor;
	const char *why = NULL;
	long count[4];

	if (!*text || *text == 'x' || text[strlen(text) - 1] == 'x' || strstr(text, "xx") ||
	    text[strspn(text, "0123456789x")])
		why = "counts with x in between";
	for (word = strtok_r(copy, "x", &rest); word && !why; word = strtok_r(NULL, "x", &rest)) {
		if (nr == 4)
			why = "at most four of them";
		else
			count[nr++] = line_whole(word, MK_PLAN_CORES + 1);
	}
	free(copy);
	for (i = 0; i < nr && !why; i++) {
		/* across a board twice as much as to a neighbour, across a rack four times */
		factor = i ? 1 << (i - 1) : 1;
		why = add_level(b, names[i], count[nr - 1 - i],
				i ? factor * FAR_SEND : NEAR_SEND,
				i ? factor * FAR_RECEIVE : NEAR_RECEIVE);
	}
	if (why) {
		snprintf(error, error_len,
			 "--topology takes NODESxCORES such as 8x64, or BOARDSx8x64: %s", why);
		return -1;
	}
	set_name(b, mkctl_printf("%s", text));
	return 0;
}

/* --- parts ------------------------------------------------------------------------ */

/* NULL, or what is wrong. */
static const char *set_part(struct blueprint *b, int part, const char *text)
{
	long value = line_whole(text, BLUEPRINT_CYCLES + 1);

	if (value < 0)
		return "takes a whole number, 0 to 1000000";
	if (part == PART_LEVELS && (value < 1 || value > 8))
		return "takes 1 to 8";
	b->value[part] = value;
	b->given[part] = 1;
	return NULL;
}

int blueprint_set(struct blueprint *b, const char *text, char *error, size_t error_len)
{
	const char *equal = strchr(text, '='), *why;
	int part = equal ? find_part(text, equal - text) : -1;
	size_t used;
	int i;

	if (part >= 0) {
		why = set_part(b, part, equal + 1);
		if (!why)
			return 0;
		snprintf(error, error_len, "--set %s %s", part_infos[part].name, why);
		return -1;
	}
	used = snprintf(error, error_len, "--set takes NAME=VALUE, with one of");
	for (i = 0; i < NR_PARTS && used < error_len; i++)
		used += snprintf(error + used, error_len - used, "%s %s", i ? "," : "",
				 part_infos[i].name);
	return -1;
}

/* --- files ------------------------------------------------------------------------ */

static int take_level(struct blueprint *b, struct line *line)
{
	long number[3];
	const char *why;
	int i;

	if (line->nr != 5)
		return line_wrong(line, "%zu field%s where 'level NAME COUNT SEND RECEIVE' belong",
				  line->nr, line->nr == 1 ? "" : "s");
	for (i = 0; i < 3; i++)
		number[i] = line_whole(line->field[2 + i], BLUEPRINT_CYCLES + 1);
	why = add_level(b, line->field[1], number[0], number[1], number[2]);
	return why ? line_wrong(line, "%s", why) : 0;
}

static int take_part(struct blueprint *b, struct line *line, char *seen)
{
	int part = find_part(line->field[0], strlen(line->field[0]));
	const char *why;

	if (part < 0)
		return line_wrong(line,
				  "neither a level nor a part; mkctl-model(1) has their names");
	if (line->nr != 2)
		return line_wrong(line, "%zu field%s where '%s VALUE' belong", line->nr,
				  line->nr == 1 ? "" : "s", part_infos[part].name);
	if (seen[part])
		return line_wrong(line, "%s is there twice", part_infos[part].name);
	seen[part] = 1;
	why = set_part(b, part, line->field[1]);
	return why ? line_wrong(line, "%s %s", part_infos[part].name, why) : 0;
}

/* The name of a file without its directory, as far as it is plain text. */
static char *plain_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = mkctl_printf("%.40s", slash ? slash + 1 : path), *at;

	for (at = name; *at; at++)
		if (*at <= ' ' || *at > '~' || strchr(",\"<>&", *at))
			*at = '_';
	return name;
}

int blueprint_read(struct blueprint *b, FILE *file, const char *name,
		   char *error, size_t error_len)
{
	char seen[NR_PARTS] = { 0 };
	struct line line;
	int ret;

	line_begin(&line, file, name, "a machine's description", error, error_len);
	while ((ret = line_next(&line)) > 0) {
		if (!line.whole)
			ret = line_wrong(&line, "the file is cut short, its last line has no end");
		else if (!strcmp(line.field[0], "level"))
			ret = take_level(b, &line);
		else
			ret = take_part(b, &line, seen);
		if (ret)
			break;
	}
	fclose(file);
	set_name(b, plain_name(name));
	return ret;
}

int blueprint_load(struct blueprint *b, const char *path, char *error, size_t error_len)
{
	struct line line;

	if (line_open(&line, path, "a machine's description", error, error_len))
		return -1;
	return blueprint_read(b, line.file, path, error, error_len);
}

/* Levels know all pairs; matrices need to. */
static int check_whole(const struct blueprint *b, char *error, size_t error_len)
{
	unsigned int u, v;

	for (u = 0; u < b->cores; u++) {
		for (v = 0; v < b->cores; v++) {
			if (u == v || b->costs.send[(size_t)u * b->cores + v] != MK_PLAN_NO_LINK)
				continue;
			snprintf(error, error_len,
				 "core %u to core %u has no cost, and the model needs that of all pairs",
				 u, v);
			return -1;
		}
	}
	return 0;
}

int blueprint_matrices(struct blueprint *b, const char *send, const char *receive,
		       const char *nodes, char *error, size_t error_len)
{
	char *seen;
	unsigned int core;

	if (b->nr_levels) {
		snprintf(error, error_len,
			 "%s has levels, so --send and --receive have no place", b->name);
		return -1;
	}
	if (costs_load(&b->costs, send, receive, error, error_len) ||
	    costs_nodes(&b->costs, nodes, error, error_len))
		return -1;
	b->cores = b->costs.machine.cores;
	seen = mkctl_alloc(MK_PLAN_CORES);
	for (core = 0; core < b->cores; core++) {
		b->nodes += !seen[b->costs.node[core]];
		seen[b->costs.node[core]] = 1;
	}
	free(seen);
	set_name(b, plain_name(send));
	return check_whole(b, error, error_len);
}
