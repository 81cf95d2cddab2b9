// SPDX-License-Identifier: GPL-2.0
/*
 * Sources: parking and bells.
 */
#include "urpc/source.h"

/* Work: somebody found the source parked. */
static void mk_source_bell(struct mk_port *port, struct mk_work *work)
{
	struct mk_source *source = container_of(work, struct mk_source, bell);
	const struct mk_source_ops *ops = source->ops;

	if (!source->gone) {
		WRITE_ONCE(source->parked, MK_POLLED);
		if (list_empty(&source->hot))
			list_add_tail(&source->hot, &port->hot);
	}
	if (ops->put)
		ops->put(source);
}

/**
 * mk_source_init() - set up a source
 * @source: zeroed
 * @port: its owner
 * @ops: its kind
 * @parked: MK_PARKED if the first ring shall make it hot, MK_POLLED if its
 *	owner does
 *
 * Context: any.
 */
void mk_source_init(struct mk_source *source, struct mk_port *port,
		    const struct mk_source_ops *ops, enum mk_parked parked)
{
	source->poll = ops->poll;
	source->ops = ops;
	source->port = port;
	source->parked = parked;
	source->bell.fn = mk_source_bell;
	INIT_LIST_HEAD(&source->hot);
}

/**
 * mk_source_heat() - poll a source from now on
 * @source: hot or not
 *
 * Context: the port's thread.
 */
void mk_source_heat(struct mk_source *source)
{
	/* If it is rung, the bell finds it hot. */
	cmpxchg(&source->parked, MK_PARKED, MK_POLLED);
	if (list_empty(&source->hot))
		list_add_tail(&source->hot, &source->port->hot);
}

/**
 * mk_source_leave() - never poll a source again
 * @source: hot or not; stays until a bell in flight has been dropped
 *
 * Context: the port's thread; from ->poll, or where no list is walked.
 */
void mk_source_leave(struct mk_source *source)
{
	source->gone = true;
	list_del_init(&source->hot);
	/* Nobody needs to ring any more. */
	xchg(&source->parked, MK_POLLED);
}

/**
 * mk_source_park() - stop to poll a source
 * @source: hot
 *
 * Context: the port's thread; from ->poll, or where no list is walked.
 * Return: true if it is parked, false if something has come meanwhile.
 */
bool mk_source_park(struct mk_source *source)
{
	WRITE_ONCE(source->parked, MK_PARKED);
	smp_mb();	/* (C): after ->parked, before what is published */
	if (source->ops->pending(source) &&
	    cmpxchg(&source->parked, MK_PARKED, MK_POLLED) == MK_PARKED)
		return false;
	mk_count(source->port, parks);
	list_del_init(&source->hot);
	return true;
}

/**
 * mk_source_push_bell() - ring, having seen the source parked
 * @source: of any port
 * @from: the caller's port, NULL if it has none
 *
 * Context and return: as mk_source_ring().
 */
int mk_source_push_bell(struct mk_source *source, struct mk_port *from)
{
	const struct mk_source_ops *ops = source->ops;

	if (cmpxchg(&source->parked, MK_PARKED, MK_RUNG) != MK_PARKED)
		return 0;
	if (from)
		mk_count(from, bells);
	if (ops->get)
		ops->get(source);
	if (!mk_port_push(source->port, &source->bell, from))
		return 0;
	/* So that the next one who rings tries again. */
	cmpxchg(&source->parked, MK_RUNG, MK_PARKED);
	if (ops->put)
		ops->put(source);
	return -ENODEV;
}
