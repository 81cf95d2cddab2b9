// SPDX-License-Identifier: GPL-2.0
/*
 * A request, from the kernel's question to the answer.
 *
 *	want --> the page is got (struct pager_sync_ops) --> the policy chooses
 *	     --> the state is noted --> answer --> the page is let go
 *
 * The state is noted before the answer: from then on the frame is in use, and
 * whoever comes after this pager must find it. The page is let go after the
 * answer: who gets it next and takes it away from this node takes this answer
 * away as well. A frame is given back after no state has it any more: a pager
 * that dies in between loses the frame, but nobody gives it back twice, when it
 * may be another page's.
 */
#include <string.h>

#include "private.h"

/* A new request; there is room for it. */
void pager_take(struct pager *pager, const struct pager_want *want)
{
	u32 i;

	pager_count(&pager->seat->counts.requests, 1);
	if (want->node < 0 || want->node >= PAGER_NODES_MAX) {
		pager_count(&pager->seat->counts.refusals, 1);
		pager->kernel->ops->answer(pager->kernel, want, 0, 0);
		return;
	}

	for (i = 0; i < pager->kernel->depth; i++) {
		struct pager_work *work = &pager->work[i];

		if (work->stage != STAGE_FREE)
			continue;
		*work = (struct pager_work){
			.want = *want, .stage = STAGE_NEW,
		};
		pager->works++;
		return;
	}
}

/**
 * pager_take_away() - nodes do not map a page any more
 * @pager: this thread's
 * @page: the caller's
 * @state: of the page
 * @nodes: a bit for each; 0: nothing to do
 *
 * Return: 0, or why they may map it still.
 */
int pager_take_away(struct pager *pager, u32 page, struct pager_state *state,
		    u64 nodes)
{
	bool several = nodes & (nodes - 1);
	u64 seq;
	int ret;

	if (!nodes)
		return 0;
	/*
	 * Several at once are all: the others have nothing. And a node may have got
	 * a zero page of the kernel, of which the directory does not know.
	 */
	if (several || (pager->group->options.flags & PAGER_ZERO))
		nodes = 0;
	pager_count(&pager->seat->counts.unmaps, 1);
	ret = pager->kernel->ops->unmap(pager->kernel, page, 1, nodes, &seq);
	if (!ret)
		state->seq = seq;
	return ret;
}

/**
 * pager_drop() - nodes' frames of a page are not used any more, and not mapped
 * @pager: this thread's
 * @page: the caller's
 * @state: of the page; is noted
 * @nodes: a bit for each
 */
void pager_drop(struct pager *pager, u32 page, struct pager_state *state,
		u64 nodes)
{
	struct pager_state before = *state;
	int node;

	for (node = 0; node < PAGER_NODES_MAX; node++)
		if (nodes & node_bit(node))
			state->frame[node] = 0;
	pager_entry_write(pager_entry(pager, page), state);
	for (node = 0; node < PAGER_NODES_MAX; node++)
		if ((nodes & node_bit(node)) && before.frame[node])
			pager_frame_put(pager, before.frame[node] - 1);
}

static void note(struct pager *pager, struct pager_work *work)
{
	pager_entry_write(pager_entry(pager, work->want.page), &work->state);
}

static int contents(struct pager *pager, struct pager_work *work, int from,
		    void *to)
{
	const struct pager_options *options = &pager->group->options;
	const void *source;

	if (from < 0) {
		if (!options->fill)
			return 0;
		return options->fill(options->arg, work->want.page,
				     work->want.node, to);
	}
	source = pager->kernel->ops->data(pager->kernel,
					  work->state.frame[from] - 1);
	if (!source)
		return -EFAULT;
	memcpy(to, source, PAGE_BYTES);
	pager_count(&pager->seat->counts.copies, 1);
	return 0;
}

/**
 * pager_fresh() - a frame of a page for the node that wants one, which has none
 * @pager: this thread's
 * @work: whose page
 * @from: the node whose frame is copied, which nobody writes meanwhile; -1: what the
 *	page begins with
 *
 * It is noted first, so that it is not lost with this pager.
 *
 * Return: 0 or a negative errno.
 */
int pager_fresh(struct pager *pager, struct pager_work *work, int from)
{
	int node = work->want.node;
	void *to;
	u32 frame;
	int ret;

	ret = pager_frame_get(pager, node, &frame);
	if (ret)
		return ret;
	work->state.frame[node] = frame + 1;
	work->state.fresh = node + 1;
	note(pager, work);
	to = pager->kernel->ops->data(pager->kernel, frame);
	ret = to ? contents(pager, work, from, to) : -EFAULT;
	work->state.fresh = 0;
	if (ret)
		pager_drop(pager, work->want.page, &work->state, node_bit(node));
	return ret;
}

static void answer(struct pager *pager, struct pager_work *work)
{
	int ret;

	/* What pagers took away since is known; what others did is asked again. */
	if (work->want.seq < work->state.seq)
		work->want.seq = work->state.seq;

	/* Who is refused finds it counted. */
	if (!work->rights)
		pager_count(&pager->seat->counts.refusals, 1);
	ret = pager->kernel->ops->answer(pager->kernel, &work->want, work->frame,
					 work->rights);
	/* Who asked may have died; the frame is the page's all the same. */
	if (work->rights)
		pager_count(ret ? &pager->seat->counts.refusals :
			    &pager->seat->counts.answers, 1);
}

static void finish(struct pager *pager, struct pager_work *work)
{
	if (work->stage == STAGE_DONE)
		return;
	work->stage = STAGE_FREE;
	pager->works--;
}

/* The page is ours. */
static void serve(struct pager *pager, struct pager_work *work)
{
	const struct pager_policy_ops *policy =
		pager_policy_ops(pager->group->options.policy);
	bool had;

	work->state = *pager_entry_state(pager_entry(pager, work->want.page));
	had = work->state.owner;
	work->drop = 0;
	work->rights = 0;
	if (policy->serve(pager, work))
		work->rights = 0;
	else
		work->state.mapped |= node_bit(work->want.node);
	note(pager, work);
	answer(pager, work);
	if (work->drop)
		pager_drop(pager, work->want.page, &work->state, work->drop);
	/* It is noted: what is said of it now stays true, whoever dies. */
	if (policy->lasting && work->rights && pager->sync->learn)
		pager->sync->learn(pager, work, !had);
	pager->sync->end(pager, work);
	finish(pager, work);
}

/* By the callback. */
static void serve_else(struct pager *pager, struct pager_work *work)
{
	const struct pager_options *options = &pager->group->options;
	const struct pager_request request = {
		.page = work->want.page, .node = work->want.node,
		.rights = work->want.rights,
	};
	int ret;

	ret = options->serve(options->arg, pager, &request, &work->frame);
	work->rights = ret > 0 ? ret : 0;
	answer(pager, work);
	finish(pager, work);
}

/*
 * Nobody has the page: its frame is what it will be, and an answer that comes after
 * somebody took the page away is not taken.
 */
static bool serve_known(struct pager *pager, struct pager_work *work)
{
	if (work->stage != STAGE_NEW || !pager->sync->known ||
	    !pager->sync->known(pager, work))
		return false;
	work->rights = pager_policy_ops(pager->group->options.policy)->lasting;
	answer(pager, work);
	finish(pager, work);
	return true;
}

static int advance(struct pager *pager, struct pager_work *work)
{
	u32 before = work->stage;

	if (work->stage == STAGE_FREE || work->stage == STAGE_DONE)
		return 0;
	if (pager->group->options.serve) {
		serve_else(pager, work);
		return 1;
	}
	if (serve_known(pager, work))
		return 1;
	if (pager->sync->begin(pager, work)) {
		if (!work->waited)
			pager_count(&pager->seat->counts.waits, 1);
		work->waited = 1;
		return work->stage != before;
	}
	serve(pager, work);
	return 1;
}

/* Each request as far as it can go now. Returns how many went on. */
int pager_serve_all(struct pager *pager)
{
	int done = 0;
	u32 i;

	for (i = 0; pager->works && i < pager->kernel->depth; i++)
		done += advance(pager, &pager->work[i]);
	return done;
}

/* Those that have their page: nobody is asked for one. */
void pager_serve_ours(struct pager *pager)
{
	u32 i;

	for (i = 0; i < pager->kernel->depth; i++)
		if (pager->work[i].stage == STAGE_OURS)
			serve(pager, &pager->work[i]);
}
