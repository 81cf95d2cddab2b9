/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways for two threads or processes to exchange messages, all with the same few
 * functions, so that the bench measures each with the same loop.
 */
#ifndef URPC_BENCH_WAYS_H
#define URPC_BENCH_WAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "urpc.h"

#define WAY_BYTES_MAX	URPC_BYTES_MAX

/**
 * struct way_end - one side
 * @in: where messages come from; -1 with liburpc
 * @out: where they go
 * @polled: never block: look again and again
 * @channel: liburpc's
 */
struct way_end {
	int in;
	int out;
	bool polled;
	struct urpc_channel *channel;
};

/**
 * struct way - a way to exchange messages
 * @name: in the table
 * @streams: one message does not wait for the one before
 * @fixed: 0, or how many bytes each message has
 * @open: makes both sides, for two threads, or for two processes that fork later;
 *	0 or a negative errno
 * @join: liburpc's sides do not survive fork(): makes one in each process. NULL
 *	for the others.
 * @put: send; 0 or a negative errno
 * @get: receive as many bytes; likewise
 * @close: one side
 */
struct way {
	const char *name;
	bool streams;
	size_t fixed;
	int (*open)(struct way_end end[2], bool polled, bool processes);
	int (*join)(struct way_end *end, int side);
	int (*put)(struct way_end *end, const void *data, size_t bytes);
	int (*get)(struct way_end *end, void *data, size_t bytes);
	void (*close)(struct way_end *end);
};

extern const struct way way_urpc;
extern const struct way way_pipe;
extern const struct way way_socketpair;
extern const struct way way_eventfd;

#endif /* URPC_BENCH_WAYS_H */
