/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sources: whatever a port polls.
 *
 * A source belongs to one port. While it is hot, the port's thread looks at it
 * in every pass; a source that stays silent is parked and costs nothing, until
 * whoever publishes something for it rings its bell. The bell is a work item
 * that makes the source hot again, and wakes a port that blocks.
 *
 * Who publishes does not ring at once. It leaves a knock in its own port, and
 * mk_port_flush(), at the end of each pass, looks at the bells behind all
 * knocks after one full barrier: that is pair (C) of port.h.
 *
 * Hot list
 *	A source leaves the hot list only by its own ->poll, or where the port's
 *	thread walks no list: handlers may heat sources, never cool them.
 *
 * A port that closes parks its sources. A ring is then refused, which the knock
 * remembers (@deaf), and what was published waits until somebody rings again
 * after the CPU has come back.
 */
#ifndef MK_URPC_SOURCE_H
#define MK_URPC_SOURCE_H

#include <linux/list.h>

#include "urpc/port.h"

/* Silent polls before a source is parked. */
#define MK_SOURCE_IDLE	4096

enum mk_parked {
	MK_POLLED,	/* on the hot list, or its owner looks without one */
	MK_PARKED,	/* not polled: ring before you rely on it */
	MK_RUNG,	/* the bell is in the work list */
};

struct mk_source;

/**
 * struct mk_source_ops - what a kind of source can do
 * @poll: take what has come, and mk_source_polled(); the port's thread
 * @pending: is there anything to take; the port's thread
 * @get: hold the source for a bell in flight; NULL if it lives as long as the
 *	ports do, or its owner has it leave by a work that is pushed after the
 *	last ring
 * @put: drop that
 */
struct mk_source_ops {
	unsigned int (*poll)(struct mk_source *source);
	bool (*pending)(const struct mk_source *source);
	void (*get)(struct mk_source *source);
	void (*put)(struct mk_source *source);
};

/**
 * struct mk_source - something a port polls
 * @poll: ops->poll
 * @ops: what kind it is
 * @port: owner
 * @hot: link in the port's hot list
 * @idle: polls since something came
 * @gone: never to be polled again
 * @parked: shared with those who publish: enum mk_parked
 * @bell: shared likewise: makes the source hot
 */
struct mk_source {
	unsigned int (*poll)(struct mk_source *source);
	const struct mk_source_ops *ops;
	struct mk_port *port;
	struct list_head hot;
	u32 idle;
	bool gone;

	int parked ____cacheline_aligned_in_smp;
	struct mk_work bell;
};

/**
 * struct mk_knock - something was published for a source, in the publisher's
 *	port
 * @dirty: link in that port's list
 * @to: whose bell has to be looked at
 * @is_dirty: in the list
 * @deaf: when it was last rung, the port of @to was closed
 */
struct mk_knock {
	struct list_head dirty;
	struct mk_source *to;
	bool is_dirty;
	bool deaf;
};

/* Before anybody else knows the source. */
void mk_source_init(struct mk_source *source, struct mk_port *port,
		    const struct mk_source_ops *ops, enum mk_parked parked);

/* The thread of the source's port. */
void mk_source_heat(struct mk_source *source);
void mk_source_leave(struct mk_source *source);
bool mk_source_park(struct mk_source *source);

/* For mk_source_ring(). */
int mk_source_push_bell(struct mk_source *source, struct mk_port *from);

/**
 * mk_source_ring() - if a source is parked, have it polled
 * @source: of any port
 * @from: the caller's port, NULL if it has none
 *
 * Context: the thread of @from, or any, after a full barrier after the last publish.
 * Return: 0, or -ENODEV if nobody polls it and its port is closed.
 */
static inline int mk_source_ring(struct mk_source *source, struct mk_port *from)
{
	if (likely(READ_ONCE(source->parked) != MK_PARKED))
		return 0;
	return mk_source_push_bell(source, from);
}

/* The publisher's thread: look at the bell with the next mk_port_flush(). */
static inline void mk_knock(struct mk_knock *knock, struct mk_port *port)
{
	if (knock->is_dirty)
		return;
	knock->is_dirty = true;
	list_add_tail(&knock->dirty, &port->dirty);
}

/* ->poll: @n things came; park a source that has been silent for long. */
static inline void mk_source_polled(struct mk_source *source, unsigned int n)
{
	if (n) {
		source->idle = 0;
	} else if (++source->idle >= MK_SOURCE_IDLE) {
		source->idle = 0;
		mk_source_park(source);
	}
}

/* ->poll: nothing is expected here until mk_source_heat(). */
static inline void mk_source_cool(struct mk_source *source)
{
	list_del_init(&source->hot);
}

#endif /* MK_URPC_SOURCE_H */
