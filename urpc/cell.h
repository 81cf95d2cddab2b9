/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cells: a call in place (inplace.h) from one port to another.
 *
 * One cache line carries request and reply, so a call moves one line each way;
 * the price is one call at a time. The line lies on the callee's node unless
 * another is asked for.
 *
 * Life
 *	A cell is made on demand, once for each caller, callee, node and lane, and
 *	stays until the module goes, so a pointer to one is always good and CPU hotplug
 *	tears nothing down. A call to a CPU that is off line waits in the cell and
 *	is served when the CPU has come back and somebody calls again. Callers
 *	therefore send only what does no harm when it is served late.
 *
 * Owner
 *	The caller's side belongs to the thread of the calling port, the callee's
 *	to that of the called one. Handlers and ->done run in those threads, in
 *	mk_port_poll(), and neither block nor poll.
 *
 * A call that is not answered leaves the cell busy until the late answer comes,
 * which is then dropped. Its caller has to have another way.
 *
 * After the calls of a round mk_port_flush() is due, for barrier pair (C) of
 * port.h; within a handler or ->done the pass over the port does it.
 */
#ifndef MK_URPC_CELL_H
#define MK_URPC_CELL_H

#include "urpc/inplace.h"
#include "urpc/source.h"
#include "urpc/types.h"

struct mk_cell;

/**
 * typedef mk_cell_handler_t - serves calls of one type
 * @cell: to answer on, by mk_cell_reply(), now or later in the same thread
 * @word: the request, MK_LINE_WORDS words, valid until it returns or polls
 */
typedef void (*mk_cell_handler_t)(struct mk_cell *cell, const u64 *word);

/**
 * typedef mk_cell_done_t - takes the answer to a call
 * @cell: called
 * @word: the reply, MK_LINE_WORDS words; NULL if the callee is off line, and
 *	then the cell stays busy
 * @arg: as given with the call
 */
typedef void (*mk_cell_done_t)(struct mk_cell *cell, const u64 *word,
			       void *arg);

/**
 * struct mk_cell - a line, and both sides of it
 * @line: the call
 * @caller: caller: its side of the line
 * @called: caller: the knock at @calls
 * @done: caller: where the answer goes; NULL if it is polled for, or dropped
 * @arg: caller: for @done
 * @replies: caller's source: polled while an answer with @done is expected
 * @target: callee: its side of the line
 * @replied: callee: the knock at @replies
 * @type: callee: type of the call being served, enum mk_type
 * @quiet: callee: the caller polls for the answer, so that no knock is needed
 * @calls: callee's source
 */
struct mk_cell {
	struct mk_line line;

	struct mk_inplace caller;
	struct mk_knock called;
	mk_cell_done_t done;
	void *arg;
	struct mk_source replies;

	struct mk_inplace target ____cacheline_aligned_in_smp;
	struct mk_knock replied;
	u8 type;
	bool quiet;
	struct mk_source calls;
};

/* Process context; sleeps. */
struct mk_cell *mk_cell_make_lane(int from, int to, int node, int lane);
void mk_cells_exit(void);

static inline struct mk_cell *mk_cell_make(int from, int to, int node)
{
	return mk_cell_make_lane(from, to, node, from);
}

/* Any context. */
void mk_cell_handler_set(enum mk_type type, mk_cell_handler_t handler);
s64 mk_cells_bytes(void);
int mk_cells_count(void);

/* The caller's thread. */
int mk_cell_call(struct mk_cell *cell, enum mk_type type, const u64 *word,
		 u32 words);
int mk_cell_call_then(struct mk_cell *cell, enum mk_type type,
		      const u64 *word, u32 words, mk_cell_done_t done,
		      void *arg);
int mk_cell_replied(struct mk_cell *cell, u64 *word, u32 words);
void mk_cell_forget(struct mk_cell *cell);

/* The caller's thread: tells its calls from each other. */
static inline u32 mk_cell_number(const struct mk_cell *cell)
{
	return cell->caller.seq;
}

/* The caller's thread: the callee was off line when it was last called. */
static inline bool mk_cell_deaf(const struct mk_cell *cell)
{
	return cell->called.deaf;
}

/* The callee's thread. */
int mk_cell_reply(struct mk_cell *cell, const u64 *word, u32 words);

static inline struct mk_port *mk_cell_callee(const struct mk_cell *cell)
{
	return cell->calls.port;
}

static inline struct mk_port *mk_cell_caller(const struct mk_cell *cell)
{
	return cell->replies.port;
}

#endif /* MK_URPC_CELL_H */
