// SPDX-License-Identifier: GPL-2.0
/*
 * A page's lock in the directory: alone, or with a message when it is free.
 *
 * Locks are robust mutexes. The kernel marks those that a dying thread holds, and
 * who gets such a one puts the page right. A lock that is taken is polled for
 * some time, since it is held for a copy of a page at most; then the request
 * waits, and the pager does something else.
 *
 * With messages (both)
 *	Who waits sets its node's bit in the page's word, and then tries the lock
 *	once more; who lets go unlocks, and then takes the word and sends a
 *	message to each node in it. A full barrier stands between the two steps
 *	on either side. So the one finds the lock free, or the other finds the
 *	bit. A holder that dies in between sends nothing: who waits still looks,
 *	but seldom.
 */
#include "urpc/ring.h"
#include "private.h"

#define TRIES		64
#define TRY_PAUSES	8

static int attempt(struct pager *pager, struct pager_work *work)
{
	struct pager_entry *entry = pager_entry(pager, work->want.page);

	switch (pthread_mutex_trylock(&entry->lock)) {
	case 0:
		break;
	case EOWNERDEAD:
		pager_mend(pager, work->want.page);
		pthread_mutex_consistent(&entry->lock);
		break;
	default:
		return -EAGAIN;
	}
	work->stage = STAGE_OURS;
	return 0;
}

static int begin(struct pager *pager, struct pager_work *work)
{
	int tries, ret = -EAGAIN;

	for (tries = 0; tries < TRIES; tries++) {
		ret = attempt(pager, work);
		if (ret != -EAGAIN)
			break;
		mk_poll_pause(TRY_PAUSES);
	}
	return ret;
}

static void end(struct pager *pager, struct pager_work *work)
{
	pthread_mutex_unlock(&pager_entry(pager, work->want.page)->lock);
}

const struct pager_sync_ops pager_shm = {
	.name = "shm", .begin = begin, .end = end, .retry_ms = 1,
};

static int begin_told(struct pager *pager, struct pager_work *work)
{
	struct pager_entry *entry = pager_entry(pager, work->want.page);
	int ret = begin(pager, work);

	if (ret != -EAGAIN)
		return ret;
	/* A full barrier, before the lock is tried again. */
	__atomic_fetch_or(&entry->waiters, node_bit(pager->node),
			  __ATOMIC_SEQ_CST);
	return attempt(pager, work);
}

static void end_telling(struct pager *pager, struct pager_work *work)
{
	struct pager_entry *entry = pager_entry(pager, work->want.page);
	u64 waiters;
	int node;

	end(pager, work);
	/* A full barrier, after the lock was let go. */
	waiters = __atomic_exchange_n(&entry->waiters, 0, __ATOMIC_SEQ_CST);
	for (node = 0; waiters && node < PAGER_NODES_MAX; node++)
		if ((waiters & node_bit(node)) && node != pager->node)
			pager_say(pager, node, SAY_FREE, work->want.page, 0);
}

const struct pager_sync_ops pager_both = {
	.name = "both", .begin = begin_told, .end = end_telling, .retry_ms = 50,
};
