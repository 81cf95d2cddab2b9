/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What operations cost on a machine that is not at hand.
 *
 * Cycles of the initiator. Nothing else runs; monitors poll, CPUs that get an
 * interrupt are in the mm. The first cores of the blueprint take part, core 0
 * begins.
 */
#ifndef MKCTL_MODEL_H
#define MKCTL_MODEL_H

#include "model_tree.h"

enum model_protocol {
	MODEL_LINUX,
	MODEL_IPI,
	MODEL_UNICAST,
	MODEL_BROADCAST,
	MODEL_MULTICAST,
	MODEL_NUMA_MULTICAST,
	MODEL_PLANNED,
	NR_MODELS
};

extern const char *const model_names[NR_MODELS];

/**
 * struct model - some cores of a machine
 * @blueprint: the machine
 * @nr: how many take part
 * @tree: over them, by shape
 */
struct model {
	const struct blueprint *blueprint;
	unsigned int nr;
	struct model_tree tree[NR_SHAPES];
};

void model_init(struct model *model, const struct blueprint *b, unsigned int nr);
void model_free(struct model *model);

/* Telling all and hearing from all, nothing being invalidated; not of linux. */
u64 model_raw(const struct model *model, enum model_protocol protocol);

/* Unmapping @pages that all cores use. */
u64 model_unmap(const struct model *model, enum model_protocol protocol,
		unsigned int pages);

/* Two phases over a tree, @flight changes at a time; cycles for each of them. */
u64 model_commit(const struct model *model, enum model_shape shape,
		 unsigned int flight);

/* Updating @lines lines by @clients at once: in shared memory, by a server (core 0). */
u64 model_shared(const struct blueprint *b, unsigned int clients,
		 unsigned int lines);
u64 model_served(const struct blueprint *b, unsigned int clients,
		 unsigned int lines);

/* A call with @lines lines of arguments from @u to @v: in the message, beside it. */
u64 model_call(const struct blueprint *b, unsigned int u, unsigned int v,
	       unsigned int lines, int shared);

#endif /* MKCTL_MODEL_H */
