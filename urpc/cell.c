// SPDX-License-Identifier: GPL-2.0
/*
 * Cells: calls in place between ports.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/xarray.h>

#include "urpc/cell.h"

/* In the type of a call: its caller polls for the answer. */
#define MK_CELL_QUIET	0x80
static_assert(MK_TYPES <= MK_CELL_QUIET);

/* All cells, by mk_cell_index(). The mutex is for making one. */
static DEFINE_XARRAY(mk_cells);
static DEFINE_MUTEX(mk_cells_lock);
static atomic64_t mk_cells_held;
static atomic_t mk_cells_made;

static mk_cell_handler_t mk_cell_handlers[MK_TYPES];

static unsigned long mk_cell_index(int from, int to, int node, int lane)
{
	unsigned long pair = (unsigned long)from * nr_cpu_ids + to;

	return (pair * nr_node_ids + node) * nr_cpu_ids + lane;
}

/**
 * mk_cell_handler_set() - say who serves a type of call
 * @type: the type
 * @handler: runs in the called port's thread; must not block or poll. NULL, and
 *	calls of that type are taken and never answered.
 *
 * Context: any; handlers are set before calls of the type are made.
 */
void mk_cell_handler_set(enum mk_type type, mk_cell_handler_t handler)
{
	WRITE_ONCE(mk_cell_handlers[type], handler);
}

/**
 * mk_cells_bytes() - memory of all cells
 *
 * Context: any.
 */
s64 mk_cells_bytes(void)
{
	return atomic64_read(&mk_cells_held);
}

/**
 * mk_cells_count() - how many cells there are
 *
 * Context: any.
 */
int mk_cells_count(void)
{
	return atomic_read(&mk_cells_made);
}

/* The callee: serve a call. */
static unsigned int mk_cell_poll_calls(struct mk_source *source)
{
	struct mk_cell *cell = container_of(source, struct mk_cell, calls);
	u64 *word = source->port->msg.word;
	mk_cell_handler_t handler;
	u8 type;

	if (!mk_inplace_called(&cell->target, &type, word, MK_LINE_WORDS)) {
		mk_source_polled(source, 0);
		return 0;
	}
	cell->quiet = type & MK_CELL_QUIET;
	cell->type = type & ~MK_CELL_QUIET;
	mk_count(source->port, calls_received);
	handler = cell->type < MK_TYPES ?
		  READ_ONCE(mk_cell_handlers[cell->type]) : NULL;
	if (handler)
		handler(cell, word);
	mk_source_polled(source, 1);
	return 1;
}

static bool mk_cell_pending_calls(const struct mk_source *source)
{
	struct mk_cell *cell = container_of(source, struct mk_cell, calls);

	return mk_inplace_pending(&cell->target, MK_MSG_CALL);
}

static const struct mk_source_ops mk_cell_calls = {
	.poll = mk_cell_poll_calls,
	.pending = mk_cell_pending_calls,
};

/* The answer to the call that is open, or that there will be none. */
static void mk_cell_finish(struct mk_cell *cell, const u64 *word)
{
	mk_cell_done_t done = cell->done;

	cell->done = NULL;
	done(cell, word, cell->arg);
}

/* The caller: take an answer. */
static unsigned int mk_cell_poll_replies(struct mk_source *source)
{
	struct mk_cell *cell = container_of(source, struct mk_cell, replies);
	u64 *word = source->port->msg.word;
	u8 type;

	/* A bell may come late. What is polled for, or forgotten, stays there. */
	if (!cell->done) {
		mk_source_cool(source);
		return 0;
	}
	if (mk_inplace_replied(&cell->caller, &type, word, MK_LINE_WORDS)) {
		mk_source_cool(source);
		mk_cell_finish(cell, word);
		return 1;
	}
	if (unlikely(cell->called.deaf)) {
		mk_cell_finish(cell, NULL);
		return 1;
	}
	mk_source_polled(source, 0);
	return 0;
}

static bool mk_cell_pending_replies(const struct mk_source *source)
{
	struct mk_cell *cell = container_of(source, struct mk_cell, replies);

	return cell->done && (cell->called.deaf ||
			      mk_inplace_pending(&cell->caller, MK_MSG_REPLY));
}

static const struct mk_source_ops mk_cell_replies = {
	.poll = mk_cell_poll_replies,
	.pending = mk_cell_pending_replies,
};

/*
 * The callee's source begins parked, so the first call's bell makes it hot in
 * the callee's thread; nobody has to attach it, on line or not.
 */
static struct mk_cell *mk_cell_alloc(int from, int to, int node)
{
	struct mk_cell *cell;

	cell = kzalloc_node(sizeof(*cell), GFP_KERNEL, node);
	if (!cell)
		return NULL;
	mk_inplace_init(&cell->caller, &cell->line);
	mk_inplace_init(&cell->target, &cell->line);
	mk_source_init(&cell->calls, mk_port(to), &mk_cell_calls, MK_PARKED);
	mk_source_init(&cell->replies, mk_port(from), &mk_cell_replies,
		       MK_POLLED);
	cell->called.to = &cell->calls;
	cell->replied.to = &cell->replies;
	return cell;
}

/**
 * mk_cell_make_lane() - the cell between two ports, made if there is none
 * @from: CPU of the caller
 * @to: CPU of the callee; may be the same, may be off line
 * @node: where the line lies; NUMA_NO_NODE for the callee's node
 * @lane: for whose calls: a CPU, @from if they are its own (mk_cell_make()). Those
 *	who pass on calls of others keep them apart in this way
 *
 * Context: process; sleeps.
 * Return: the cell, valid until the module goes and the same each time; -EINVAL
 * if there cannot be such a CPU or node, -ENOMEM.
 */
struct mk_cell *mk_cell_make_lane(int from, int to, int node, int lane)
{
	struct mk_cell *cell;
	unsigned long index;
	int err;

	if (!mk_port(from) || !mk_port(to) || !mk_port(lane))
		return ERR_PTR(-EINVAL);
	if (node == NUMA_NO_NODE)
		node = mk_port(to)->node;
	if (node < 0 || node >= nr_node_ids || !node_online(node))
		return ERR_PTR(-EINVAL);

	index = mk_cell_index(from, to, node, lane);
	cell = xa_load(&mk_cells, index);
	if (cell)
		return cell;

	mutex_lock(&mk_cells_lock);
	cell = xa_load(&mk_cells, index);
	if (cell)
		goto out;
	cell = mk_cell_alloc(from, to, node);
	if (!cell) {
		cell = ERR_PTR(-ENOMEM);
		goto out;
	}
	err = xa_err(xa_store(&mk_cells, index, cell, GFP_KERNEL));
	if (err) {
		kfree(cell);
		cell = ERR_PTR(err);
		goto out;
	}
	atomic64_add(ksize(cell), &mk_cells_held);
	atomic_inc(&mk_cells_made);
out:
	mutex_unlock(&mk_cells_lock);
	return cell;
}

/**
 * mk_cells_exit() - free all cells
 *
 * Context: process, after the last port has closed.
 */
void mk_cells_exit(void)
{
	struct mk_cell *cell;
	unsigned long index;

	xa_for_each(&mk_cells, index, cell) {
		kfree(cell);
		cond_resched();
	}
	xa_destroy(&mk_cells);
	atomic64_set(&mk_cells_held, 0);
	atomic_set(&mk_cells_made, 0);
}

/* A call that was given up may have been answered since: drop that. */
static bool mk_cell_is_free(struct mk_cell *cell)
{
	u8 type;

	if (likely(!cell->caller.open))
		return true;
	if (cell->done)
		return false;
	if (mk_inplace_replied(&cell->caller, &type, NULL, 0))
		return true;
	/* The callee may have been off line then, and may be back. */
	mk_knock(&cell->called, mk_cell_caller(cell));
	return false;
}

static int mk_cell_send(struct mk_cell *cell, u8 type, const u64 *word,
			u32 words)
{
	struct mk_port *port = mk_cell_caller(cell);
	int err;

	if (unlikely(!mk_cell_is_free(cell)))
		return -EBUSY;
	err = mk_inplace_call(&cell->caller, type, word, words);
	if (unlikely(err))
		return err;
	cell->called.deaf = false;
	mk_count(port, calls_sent);
	mk_knock(&cell->called, port);
	return 0;
}

/**
 * mk_cell_call() - make a call, and ask for its answer later
 * @cell: a cell of the caller's port
 * @type: enum mk_type
 * @word: the request, copied
 * @words: 0 to MK_LINE_WORDS
 *
 * Context: the caller's thread; mk_port_flush() is due, see the top.
 * Return: 0, -EBUSY if an earlier call has not been answered, -EINVAL if there
 * are too many words.
 */
int mk_cell_call(struct mk_cell *cell, enum mk_type type, const u64 *word,
		 u32 words)
{
	return mk_cell_send(cell, type | MK_CELL_QUIET, word, words);
}

/**
 * mk_cell_call_then() - make a call, and have a function take its answer
 * @cell: a cell of the caller's port
 * @type: enum mk_type
 * @word: the request, copied
 * @words: 0 to MK_LINE_WORDS
 * @done: called once, in mk_port_poll(), unless mk_cell_forget() comes first;
 *	it may call @cell again
 * @arg: for @done
 *
 * Context and return: as mk_cell_call(); on an error @done is not called.
 */
int mk_cell_call_then(struct mk_cell *cell, enum mk_type type,
		      const u64 *word, u32 words, mk_cell_done_t done,
		      void *arg)
{
	int err;

	err = mk_cell_send(cell, type, word, words);
	if (err)
		return err;
	cell->done = done;
	cell->arg = arg;
	mk_source_heat(&cell->replies);
	return 0;
}

/**
 * mk_cell_replied() - take the answer to mk_cell_call()
 * @cell: called
 * @word: written: first @words words of the answer
 * @words: 0 to MK_LINE_WORDS
 *
 * Context: the caller's thread.
 * Return: 1 and the answer, once; 0 if there is none (yet); -EINVAL if there
 * are too many words.
 */
int mk_cell_replied(struct mk_cell *cell, u64 *word, u32 words)
{
	u8 type;

	return mk_inplace_replied(&cell->caller, &type, word, words);
}

/**
 * mk_cell_forget() - do not wait for the answer any longer
 * @cell: called by mk_cell_call_then()
 *
 * ->done will not be called. The cell is busy until the callee has answered.
 *
 * Context: the caller's thread.
 */
void mk_cell_forget(struct mk_cell *cell)
{
	cell->done = NULL;
}

/**
 * mk_cell_reply() - answer the call that is being served
 * @cell: given to the handler
 * @word: the answer, copied
 * @words: 0 to MK_LINE_WORDS
 *
 * Context: the callee's thread, from the handler or later; mk_port_flush() is
 * due, see the top.
 * Return: 0, or -EINVAL if no call is being served or there are too many words.
 */
int mk_cell_reply(struct mk_cell *cell, const u64 *word, u32 words)
{
	int err = mk_inplace_reply(&cell->target, cell->type, word, words);

	if (!err && !cell->quiet)
		mk_knock(&cell->replied, mk_cell_callee(cell));
	return err;
}
