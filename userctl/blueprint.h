/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that is not at hand, by what its parts cost.
 *
 * Messages cost what two matrices say, or what the level says at which two cores
 * meet: dies, packages, boards, racks. A level takes no memory, so that there may
 * be 4,096 cores. All else (interrupts, invalidations, page tables) is a list of
 * numbers.
 */
#ifndef MKCTL_BLUEPRINT_H
#define MKCTL_BLUEPRINT_H

#include <stddef.h>
#include <stdio.h>

#include "costs.h"

#define BLUEPRINT_LEVELS	8
#define BLUEPRINT_CYCLES	1000000	/* of a part, at most: 1,000 times what is known */

enum part {
	PART_DISPATCH,
	PART_IPI_SEND,
	PART_IPI_DELIVER,
	PART_IPI_HANDLE,
	PART_INVALIDATE,
	PART_FLUSH,
	PART_CEILING,
	PART_LEVELS,
	PART_WALK,
	PART_PTE,
	PART_ZAP,
	PART_MONITOR,
	PART_UPDATE,
	PART_CROWD,
	PART_OCCUPY,
	PART_STREAM,
	NR_PARTS
};

/**
 * struct part_info - what a part is
 * @name: in descriptions and for --set
 * @unit: cycles, percent or number
 * @help: what it is
 * @from: where the value comes from that it has if none is given
 * @value: that value
 */
struct part_info {
	const char *name, *unit, *help, *from;
	unsigned int value;
};

extern const struct part_info part_infos[NR_PARTS];

/**
 * struct level - cores that are as far apart as each other
 * @name: what such a group is called
 * @count: groups of the level below in one, cores for the first
 * @size: cores in one
 * @send: cycles that a message between two of its cores keeps the sender busy
 * @receive: and the receiver
 */
struct level {
	char name[16];
	unsigned int count, size, send, receive;
};

/**
 * struct blueprint - a machine
 * @name: for people, plain text
 * @cores: how many
 * @nodes: how many
 * @level: from the inside out; the groups of the first are the nodes
 * @nr_levels: how many, 0 where there are matrices
 * @costs: the matrices
 * @value: of each part
 * @given: was it given, rather than assumed
 */
struct blueprint {
	char *name;
	unsigned int cores, nodes;
	struct level level[BLUEPRINT_LEVELS];
	unsigned int nr_levels;
	struct costs costs;
	unsigned int value[NR_PARTS];
	char given[NR_PARTS];
};

/* The parts as they are where none is given; the rest is zero. */
void blueprint_init(struct blueprint *b);
void blueprint_free(struct blueprint *b);

/* All of these: 0, or -1 with one line in @error. */

/* A description: levels, or parts alone for matrices. */
int blueprint_load(struct blueprint *b, const char *path, char *error, size_t error_len);
/* The same from an open file, which is closed. */
int blueprint_read(struct blueprint *b, FILE *file, const char *name,
		   char *error, size_t error_len);
/* NODESxCORES, or with more counts before it: BOARDSxNODESxCORES, and so on. */
int blueprint_topology(struct blueprint *b, const char *text, char *error, size_t error_len);
/* Matrices, as costs_load() and costs_nodes(). */
int blueprint_matrices(struct blueprint *b, const char *send, const char *receive,
		       const char *nodes, char *error, size_t error_len);
/* NAME=VALUE */
int blueprint_set(struct blueprint *b, const char *text, char *error, size_t error_len);

/* What a message from @u to @v costs; @u is not @v. */
unsigned int blueprint_send(const struct blueprint *b, unsigned int u, unsigned int v);
unsigned int blueprint_receive(const struct blueprint *b, unsigned int u, unsigned int v);
unsigned int blueprint_node(const struct blueprint *b, unsigned int core);

#endif /* MKCTL_BLUEPRINT_H */
