/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From events to operations: sends paired with receives, interrupts with
 * flushes, both with the operation that asked for them.
 */
#ifndef MKCTL_TRACE_PAIR_H
#define MKCTL_TRACE_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "shootdown/protocols.h"
#include "trace_event.h"

/* A path is one of enum mk_protocol, or Linux's own outside of the module. */
#define TRACE_PATH_FLUSH	MK_PROTOCOLS
#define TRACE_PATHS		(MK_PROTOCOLS + 1)

/* Stages of an operation, each a time since its start. */
enum trace_stage {
	STAGE_SENT,		/* all requests are out; not traced in Linux */
	STAGE_FIRST,		/* the first target is reached */
	STAGE_LAST,		/* the last one is */
	STAGE_DONE,		/* the last has acknowledged; Linux: has flushed */
	NR_STAGES
};

/**
 * struct trace_op - one shootdown
 * @path: which way it went
 * @id: of the module; 0 for Linux's
 * @start: in the clock of the trace
 * @stage: times since; negative where there is none
 * @cpu: the initiator's
 * @pid: of the initiator
 * @targets: CPUs that have to flush; Linux's: those that did
 * @lazies: CPUs that need not, since they are lazy
 * @messages: lines, replies included, as the initiator counts them
 * @ipis: interrupts that it counts; Linux's: those seen
 * @interrupted: CPUs seen to be interrupted for it
 * @timeouts: CPUs that were late
 * @pages: of a flush by Linux
 * @ended: its end is in the trace
 * @asking: while it goes on: interrupts that it has asked for last
 * @asked: those of them that came
 * @flushing: Linux flushes for it
 * @reached: CPUs that have flushed for it in Linux
 * @hit: CPUs that were interrupted for it
 */
struct trace_op {
	int path;
	uint64_t id, start;
	int64_t stage[NR_STAGES];
	int cpu, pid;
	uint32_t targets, lazies, messages, ipis, interrupted, timeouts;
	int64_t pages;
	int ended;
	int asking, asked, flushing;
	uint64_t *reached, *hit;
};

/**
 * struct trace_pairs - what a trace says
 * @ops: operations in the order of their starts
 * @nr_ops: how many
 * @transit: of each pair of a send and a receive
 * @nr_transit: how many
 * @sends_alone: sends without a receive
 * @receives_alone: receives without a send
 * @count: events of each kind
 * @acks_sent: bare acknowledgements sent
 * @acks_received: bare acknowledgements taken
 * @wakes: of monitors
 * @wakes_followed: those that the scheduler's event followed
 * @wakes_interrupt: those that took an interrupt
 * @calls: interrupts of function calls for several CPUs
 * @singles: for one CPU
 * @reschedules: interrupts to reschedule
 * @paired: of the calls, those for an operation
 * @flushes: remote flushes by Linux
 * @flushes_alone: those that belong to no operation
 * @guesses: pairs for which there was more than one way
 * @cpus: CPUs of the trace
 */
struct trace_pairs {
	struct trace_op *ops;
	size_t nr_ops;
	int64_t *transit;
	size_t nr_transit, sends_alone, receives_alone;
	uint64_t count[TRACE_KINDS], acks_sent, acks_received;
	uint64_t wakes, wakes_followed, wakes_interrupt;
	uint64_t calls, singles, reschedules, paired;
	uint64_t flushes, flushes_alone, guesses;
	int cpus;
};

struct trace_pairs trace_pair(const struct trace *trace);
void trace_pairs_free(struct trace_pairs *pairs);

const char *trace_path_name(int path);

#endif /* MKCTL_TRACE_PAIR_H */
