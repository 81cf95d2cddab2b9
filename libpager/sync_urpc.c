// SPDX-License-Identifier: GPL-2.0
/*
 * A page's home: the pager that is asked for the page, by messages of liburpc.
 *
 *	who has a fault			the page's home
 *	SAY_ASK			->	nobody has it: writes down who has it now;
 *					somebody has: queues who asked
 *				<-	SAY_YOURS
 *	reads and writes the page's state, answers the kernel
 *	SAY_DONE		->	the next in the queue
 *				<-	SAY_KNOWN
 *
 * Messages carry the right to a page. Its state is in the directory, which only who
 * has the page reads or writes, and where a successor finds it. What is written
 * before a message is sent is seen by who has received it.
 *
 * Where frames last (pager_policy_ops.lasting) a pager remembers what it has learned, and
 * does not ask again. Who was the first to serve the page tells all others, by a hint,
 * which wakes nobody: so that whose node touches it next has mostly heard already.
 * Nothing has to be taken back, and who has not heard asks.
 *
 * Homes take turns: page p is at home with the p-th of the group's nodes, modulo
 * their number.
 *
 * Deaths
 *	Who has a page and dies: the channel hangs up, after what was sent on it
 *	has been received. The home puts the page right, and the next one gets it.
 *	The home dies: its successor finds in the directory who has which page. What
 *	was said to the home may not have been heard. So who is connected to the
 *	successor says DONE of all that was not known to be heard, and then
 *	SYNCED: what it has not said it does not have. Before that it serves what
 *	it has. A request that got no page yet asks again.
 */
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* Who waits for a page. */
struct asker {
	u32 page;
	u32 work;
	int node;
};

/**
 * struct pager_homes - which node is whose home, and who waits for pages of ours
 * @nodes: of the group
 * @node: each of them
 * @frame: of each page, 1 + its frame if that is known, for good
 * @askers: in the queue
 * @room: of the queue
 * @queue: first come, first served
 */
struct pager_homes {
	u32 nodes;
	int node[PAGER_NODES_MAX];
	u32 *frame;
	u32 askers;
	u32 room;
	struct asker queue[];
};

static int home_of(const struct pager *pager, u32 page)
{
	return pager->homes->node[page % pager->homes->nodes];
}

/* A page of ours that nobody has. */
static void grant(struct pager *pager, const struct asker *asker)
{
	struct pager_entry *entry = pager_entry(pager, asker->page);

	WRITE_ONCE(entry->holder, asker->node + 1);
	if (asker->node == pager->node)
		pager->work[asker->work].stage = STAGE_OURS;
	else if (pager_say(pager, asker->node, SAY_YOURS, asker->page,
			   asker->work))
		WRITE_ONCE(entry->holder, 0);
}

static void release(struct pager *pager, u32 page)
{
	struct pager_homes *homes = pager->homes;
	struct pager_entry *entry = pager_entry(pager, page);
	u32 i;

	WRITE_ONCE(entry->holder, 0);
	for (i = 0; i < homes->askers && !entry->holder;) {
		struct asker asker = homes->queue[i];

		if (asker.page != page) {
			i++;
			continue;
		}
		homes->askers--;
		memmove(&homes->queue[i], &homes->queue[i + 1],
			(homes->askers - i) * sizeof(asker));
		grant(pager, &asker);
	}
}

static void asked(struct pager *pager, const struct asker *asker)
{
	struct pager_homes *homes = pager->homes;

	if (!pager_entry(pager, asker->page)->holder)
		grant(pager, asker);
	else if (homes->askers < homes->room)
		homes->queue[homes->askers++] = *asker;
}

/* A pager does not have pages of ours any more, or never knew that it had. */
static void put_right(struct pager *pager, int node)
{
	struct pager_homes *homes = pager->homes;
	u32 page, i, n = 0;

	for (i = 0; i < homes->askers; i++)
		if (homes->queue[i].node != node)
			homes->queue[n++] = homes->queue[i];
	homes->askers = n;
	for (page = 0; page < pager->group->options.pages; page++) {
		if (home_of(pager, page) != pager->node ||
		    pager_entry(pager, page)->holder != node + 1u)
			continue;
		pager_mend(pager, page);
		release(pager, page);
	}
}

int pager_homes_open(struct pager *pager)
{
	u64 nodes = pager->group->options.nodes;
	u32 room = __builtin_popcountll(nodes) * pager->kernel->depth;
	struct pager_homes *homes;
	int node;

	homes = calloc(1, sizeof(*homes) + room * sizeof(struct asker) +
		       pager->group->options.pages * sizeof(u32));
	if (!homes)
		return -ENOMEM;
	homes->frame = (u32 *)&homes->queue[room];
	homes->room = room;
	for (node = 0; node < PAGER_NODES_MAX; node++)
		if (nodes & node_bit(node))
			homes->node[homes->nodes++] = node;
	pager->homes = homes;
	put_right(pager, pager->node);
	return 0;
}

static int begin(struct pager *pager, struct pager_work *work)
{
	int home = home_of(pager, work->want.page);
	const struct asker asker = {
		.page = work->want.page, .work = work - pager->work,
		.node = pager->node,
	};

	if (work->stage == STAGE_OURS)
		return 0;
	if (work->stage != STAGE_NEW)
		return -EAGAIN;
	if (home == pager->node) {
		work->stage = STAGE_ASKED;
		asked(pager, &asker);
		return work->stage == STAGE_OURS ? 0 : -EAGAIN;
	}
	if (!pager_say(pager, home, SAY_ASK, asker.page, asker.work))
		work->stage = STAGE_ASKED;
	return -EAGAIN;
}

static void end(struct pager *pager, struct pager_work *work)
{
	u32 page = work->want.page;
	int home = home_of(pager, page);

	if (home == pager->node) {
		release(pager, page);
		return;
	}
	work->stage = STAGE_DONE;
	/* If there is no home now, it is said to the next. */
	pager_say(pager, home, SAY_DONE, page, work - pager->work);
}

static bool remembers(const struct pager *pager, struct pager_work *work)
{
	u32 frame = pager->homes->frame[work->want.page];

	work->frame = frame - 1;
	return frame;
}

static void learn(struct pager *pager, const struct pager_work *work, bool first)
{
	pager->homes->frame[work->want.page] = work->frame + 1;
	if (first)
		pager_hint(pager, SAY_FRAME, work->want.page, work->frame);
}

static struct pager_work *work_of(struct pager *pager,
				  const struct pager_said *said)
{
	struct pager_work *work = &pager->work[said->work];

	if (said->work >= pager->kernel->depth || work->want.page != said->page)
		return NULL;
	return work;
}

static void yours(struct pager *pager, const struct pager_said *said)
{
	struct pager_work *work = work_of(pager, said);

	if (work && work->stage == STAGE_ASKED)
		work->stage = STAGE_OURS;
}

static void known(struct pager *pager, const struct pager_said *said)
{
	struct pager_work *work = work_of(pager, said);

	if (!work || work->stage != STAGE_DONE)
		return;
	work->stage = STAGE_FREE;
	pager->works--;
}

/* It may be said again, and have been heard the first time. */
static void done(struct pager *pager, int node, const struct pager_said *said)
{
	if (pager_entry(pager, said->page)->holder == node + 1u)
		release(pager, said->page);
	pager_say(pager, node, SAY_KNOWN, said->page, said->work);
}

void pager_heard(struct pager *pager, int node, u32 what,
		 const struct pager_said *said)
{
	const struct asker asker = {
		.page = said->page, .work = said->work, .node = node,
	};
	bool ours;

	/* SAY_FREE was said so that all that wait try again. */
	if (!pager->homes || said->page >= pager->group->options.pages)
		return;
	ours = home_of(pager, said->page) == pager->node;
	if (what == SAY_YOURS)
		yours(pager, said);
	else if (what == SAY_KNOWN)
		known(pager, said);
	else if (what == SAY_FRAME)
		pager->homes->frame[said->page] = said->work + 1;
	else if (what == SAY_SYNCED)
		put_right(pager, node);
	else if (ours && what == SAY_ASK)
		asked(pager, &asker);
	else if (ours && what == SAY_DONE)
		done(pager, node, said);
}

void pager_peer_came(struct pager *pager, int node)
{
	u32 i;

	if (!pager->homes)
		return;
	/* What it has not said it does not have: so nothing is had and not served. */
	pager_serve_ours(pager);
	for (i = 0; i < pager->kernel->depth; i++) {
		struct pager_work *work = &pager->work[i];

		if (work->stage == STAGE_DONE &&
		    home_of(pager, work->want.page) == node)
			pager_say(pager, node, SAY_DONE, work->want.page, i);
	}
	pager_say(pager, node, SAY_SYNCED, 0, 0);
}

void pager_peer_went(struct pager *pager, int node)
{
	u32 i;

	if (!pager->homes)
		return;
	for (i = 0; i < pager->kernel->depth; i++) {
		struct pager_work *work = &pager->work[i];

		if (work->stage == STAGE_ASKED &&
		    home_of(pager, work->want.page) == node)
			work->stage = STAGE_NEW;
	}
	put_right(pager, node);
}

const struct pager_sync_ops pager_urpc = {
	.name = "urpc", .begin = begin, .end = end, .known = remembers,
	.learn = learn, .retry_ms = 50,
};
