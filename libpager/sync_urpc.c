// SPDX-License-Identifier: GPL-2.0
/*
 * A page's home: the pager that is asked for the page, by messages of liburpc.
 *
 *	who has a fault			the page's home
 *	SAY_ASK			->	nobody has it: writes down who has it now;
 *					somebody has: queues who asked
 *				<-	SAY_YOURS, the page's state
 *	changes the page
 *	SAY_NOTE, the state	->	writes it down
 *	answers the kernel
 *	SAY_DONE, the state	->	writes it down; the next in the queue
 *				<-	SAY_KNOWN
 *
 * Homes take turns: page p is at home with the p-th of the group's nodes, modulo
 * their number. Only the home reads and writes the directory's entry, which is the
 * memory that its successor finds.
 *
 * Deaths
 *	Who has a page and dies: the channel hangs up, after what was sent on it
 *	has been received. The home puts the page right, and the next one gets it.
 *	The home dies: its successor finds in the directory who has which page. What
 *	was said to the home may not have been heard. So who is connected to the
 *	successor says DONE of all that was not known to be heard, and then
 *	SYNCED: what it has not said it does not have. Versions tell what is old.
 *	A request that got no page yet asks again.
 *	A page's home dies with a note unread, and then who sent it, before it is
 *	connected to the successor: the page is as before the note.
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
 * @askers: in the queue
 * @room: of the queue
 * @queue: first come, first served
 */
struct pager_homes {
	u32 nodes;
	int node[PAGER_NODES_MAX];
	u32 askers;
	u32 room;
	struct asker queue[];
};

static int home_of(const struct pager *pager, u32 page)
{
	return pager->homes->node[page % pager->homes->nodes];
}

static void own(struct pager *pager, struct pager_work *work)
{
	work->state = *pager_entry_state(pager_entry(pager, work->want.page));
	work->stage = STAGE_OURS;
}

/* A page of ours that nobody has. */
static void grant(struct pager *pager, const struct asker *asker)
{
	struct pager_entry *entry = pager_entry(pager, asker->page);

	WRITE_ONCE(entry->holder, asker->node + 1);
	if (asker->node == pager->node)
		own(pager, &pager->work[asker->work]);
	else if (pager_say(pager, asker->node, SAY_YOURS, asker->page,
			   asker->work, pager_entry_state(entry)))
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

	homes = calloc(1, sizeof(*homes) + room * sizeof(struct asker));
	if (!homes)
		return -ENOMEM;
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
	if (!pager_say(pager, home, SAY_ASK, asker.page, asker.work, NULL))
		work->stage = STAGE_ASKED;
	return -EAGAIN;
}

static int note(struct pager *pager, struct pager_work *work)
{
	u32 page = work->want.page;
	int home = home_of(pager, page);

	work->state.version++;
	if (home != pager->node)
		return pager_say(pager, home, SAY_NOTE, page, 0, &work->state);
	pager_entry_write(pager_entry(pager, page), &work->state);
	return 0;
}

static void end(struct pager *pager, struct pager_work *work)
{
	u32 page = work->want.page;
	int home = home_of(pager, page);

	if (home == pager->node) {
		note(pager, work);
		release(pager, page);
		return;
	}
	work->state.version++;
	work->stage = STAGE_DONE;
	/* If there is no home now, it is said to the next. */
	pager_say(pager, home, SAY_DONE, page, work - pager->work, &work->state);
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

	if (!work || work->stage != STAGE_ASKED)
		return;
	work->state = said->state;
	work->stage = STAGE_OURS;
}

static void known(struct pager *pager, const struct pager_said *said)
{
	struct pager_work *work = work_of(pager, said);

	if (work && work->stage == STAGE_BACK) {
		work->stage = STAGE_NEW;
	} else if (work && work->stage == STAGE_DONE) {
		work->stage = STAGE_FREE;
		pager->works--;
	}
}

/* From who has the page; unless it is said again, and was heard the first time. */
static void noted(struct pager *pager, int node, const struct pager_said *said,
		  bool done)
{
	struct pager_entry *entry = pager_entry(pager, said->page);

	if (entry->holder == node + 1u &&
	    said->state.version > pager_entry_state(entry)->version) {
		pager_entry_write(entry, &said->state);
		if (done)
			release(pager, said->page);
	}
	if (done)
		pager_say(pager, node, SAY_KNOWN, said->page, said->work, NULL);
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
	else if (what == SAY_SYNCED)
		put_right(pager, node);
	else if (ours && what == SAY_ASK)
		asked(pager, &asker);
	else if (ours && (what == SAY_NOTE || what == SAY_DONE))
		noted(pager, node, said, what == SAY_DONE);
}

void pager_peer_came(struct pager *pager, int node)
{
	u32 i;

	if (!pager->homes)
		return;
	for (i = 0; i < pager->kernel->depth; i++) {
		struct pager_work *work = &pager->work[i];

		if ((work->stage == STAGE_DONE || work->stage == STAGE_BACK) &&
		    home_of(pager, work->want.page) == node)
			pager_say(pager, node, SAY_DONE, work->want.page, i,
				  &work->state);
	}
	pager_say(pager, node, SAY_SYNCED, 0, 0, NULL);
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
	.name = "urpc", .begin = begin, .note = note, .end = end, .retry_ms = 50,
};
