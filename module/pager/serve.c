// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of paged regions: what is not known is asked for.
 *
 * The thread lets mmap_lock go before it waits, as for a page that is read from a
 * disk; so nothing else in the process waits for it. Since the VMA may be gone
 * then, it does not map anything when it has the answer: it makes the record
 * and does the access again. The file of the region is held meanwhile. SIGBUS can
 * be returned with the lock held only, so it is taken again for that.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/compat.h"
#include "module/pager/paged_priv.h"

/**
 * struct mk_serving - a fault that waits
 * @paged: of which region
 * @table: which table's record it is about; or a negative errno, if none's
 * @node: whose pager serves it
 * @page: which page
 * @rights: what it needs
 * @state: how it sleeps
 * @deadline: until when, in jiffies
 */
struct mk_serving {
	struct mk_paged *paged;
	int table;
	int node;
	u32 page;
	u32 rights;
	unsigned int state;
	unsigned long deadline;
};

/* What comes of it, besides 0: the access is done again. */
#define MK_SERVE_SIGBUS		1	/* SIGBUS */
#define MK_SERVE_POLICY		2	/* nobody has served it */

static unsigned long mk_serve_left(const struct mk_serving *serving)
{
	long left = serving->deadline - jiffies;

	return left > 0 ? left : 0;
}

static bool mk_serve_is_busy(const struct mk_serving *serving)
{
	return mk_paged_busy(serving->paged, serving->page);
}

/* Wait for an operation on the page; true if there is one. */
static bool mk_serve_busy(const struct mk_serving *serving)
{
	wait_queue_head_t *idle = &serving->paged->region->idle;
	unsigned long left = mk_serve_left(serving);

	if (!mk_serve_is_busy(serving))
		return false;
	/* Whatever comes of it, the access finds out. */
	if (serving->state == TASK_INTERRUPTIBLE)
		wait_event_interruptible_timeout(*idle,
						 !mk_serve_is_busy(serving),
						 left);
	else
		wait_event_killable_timeout(*idle, !mk_serve_is_busy(serving),
					    left);
	return true;
}

/* --- an answer -------------------------------------------------------------- */

static bool mk_answer_blank(const struct mk_pager_answer *answer)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answer->pad); i++)
		if (answer->pad[i])
			return false;
	return !answer->reserved;
}

/* Under the lock: make the record. Return: 0, -ESTALE, -EBADMSG. */
static int mk_serve_record(const struct mk_serving *serving,
			   const struct mk_pager_answer *answer)
{
	struct mk_paged *paged = serving->paged;
	u32 *record = &paged->record[serving->table][serving->page];

	/* Asked again, when that is over; or it was taken away meanwhile. */
	if (mk_paged_busy(paged, serving->page) ||
	    answer->seq != paged->seq[serving->page])
		return -ESTALE;
	if (answer->frame >= paged->frames_max || !paged->frame[answer->frame])
		return -EBADMSG;
	if (!*record) {
		*record = mk_record(answer->frame, answer->rights);
		paged->uses[answer->frame]++;
		return 0;
	}
	/* Somebody was faster, on this node or another. */
	if (mk_record_frame(*record) == answer->frame)
		*record |= answer->rights;
	return mk_record_allows(*record, serving->rights) ? 0 : -EBADMSG;
}

static int mk_serve_map(const struct mk_serving *serving,
			const struct mk_pager_answer *answer)
{
	struct mk_region *region = serving->paged->region;
	int err;

	if (answer->rights & ~(u32)MK_RECORD_RIGHTS ||
	    !mk_record_allows(answer->rights, serving->rights) ||
	    !mk_answer_blank(answer))
		return -EBADMSG;
	mutex_lock(&region->lock);
	err = mk_serve_record(serving, answer);
	mutex_unlock(&region->lock);
	return err;
}

static int mk_serve_answer(const struct mk_serving *serving,
			   const struct mk_pager_answer *answer)
{
	int err = 0;

	switch (answer->verdict) {
	case MK_PAGER_MAP:
		err = mk_serve_map(serving, answer);
		break;
	case MK_PAGER_REFUSE:
		mk_paged_count(serving->paged, refused);
		return MK_SERVE_SIGBUS;
	case MK_PAGER_AGAIN:
		return 0;
	default:
		err = -EBADMSG;
	}
	if (err == -EBADMSG) {
		mk_paged_count(serving->paged, nonsense);
		return MK_SERVE_POLICY;
	}
	if (err)
		mk_paged_count(serving->paged, stale);
	else
		mk_paged_count(serving->paged, served);
	return 0;
}

/* --- a pager ---------------------------------------------------------------- */

/* Return: 0, MK_SERVE_…; -EPIPE if the pager is gone; -EAGAIN if it has no room. */
static int mk_serve_by(const struct mk_serving *serving, struct mk_pager *pager)
{
	struct mk_pager_request request = {
		.kind = MK_PAGER_FAULT,
		.page = serving->page,
		.pages = 1,
		.rights = serving->rights,
		.node = serving->node,
		.cpu = raw_smp_processor_id(),
		.cycles = mk_cycles(),
	};
	struct mk_paged *paged = serving->paged;
	struct mk_ask ask = { .deadline = serving->deadline };
	struct mk_pager_answer answer;
	int err;

	mutex_lock(&paged->region->lock);
	request.seq = paged->seq[serving->page];
	mutex_unlock(&paged->region->lock);
	err = mk_ask_send(&ask, pager, &request, true);
	if (err)
		return err;
	mk_paged_count(paged, asked);
	err = mk_ask_wait(&ask, serving->state, &answer);
	if (!err)
		return mk_serve_answer(serving, &answer);
	if (err == -ETIMEDOUT) {
		mk_paged_count(paged, timeouts);
		return MK_SERVE_POLICY;
	}
	/* A signal: it is handled, and the access comes again. */
	return err == -EINTR ? 0 : err;
}

static bool mk_serve_somebody(const struct mk_serving *serving)
{
	return mk_pager_is_there(serving->paged, serving->node);
}

/* Nobody serves the node: wait for somebody, if so agreed. Return: as below. */
static int mk_serve_await(const struct mk_serving *serving)
{
	wait_queue_head_t *arrival = &serving->paged->arrival;
	long left = mk_serve_left(serving);

	if (!(serving->paged->flags & MK_PAGED_AWAIT))
		left = 0;
	else if (serving->state == TASK_INTERRUPTIBLE)
		left = wait_event_interruptible_timeout(*arrival,
							mk_serve_somebody(serving),
							left);
	else
		left = wait_event_killable_timeout(*arrival,
						   mk_serve_somebody(serving),
						   left);
	if (left)
		return 0;
	mk_paged_count(serving->paged, nobody);
	return MK_SERVE_POLICY;
}

/* Pagers may go, and come; the deadline bounds it. Return: 0, MK_SERVE_…. */
static int mk_serve_by_pager(const struct mk_serving *serving)
{
	struct mk_pager *pager;
	int err;

	do {
		pager = mk_pager_get(serving->paged, serving->node);
		if (!pager)
			return mk_serve_await(serving);
		err = mk_serve_by(serving, pager);
		if (err == -EAGAIN)
			err = mk_ask_room(pager, serving->state,
					  serving->deadline);
		mk_pager_put(pager);
		if (err == -ETIMEDOUT) {
			mk_paged_count(serving->paged, timeouts);
			return MK_SERVE_POLICY;
		}
	} while (err == -EPIPE || err == -EAGAIN);
	return err == -EINTR ? 0 : err;
}

/* --- nobody ----------------------------------------------------------------- */

/* Under the lock: has any node a frame of its own? */
static bool mk_serve_was_local(const struct mk_serving *serving)
{
	const struct mk_paged *paged = serving->paged;
	int node;

	for (node = 0; node < nr_node_ids; node++)
		if (paged->record[node] && paged->record[node][serving->page])
			return true;
	return false;
}

/* Under the lock: @page becomes the frame. Return: 0 if it was taken, or not 0. */
static int mk_serve_zero(const struct mk_serving *serving, int table,
			 struct page *page)
{
	struct mk_paged *paged = serving->paged;
	u32 *record = &paged->record[table][serving->page];
	int frame;

	if (mk_paged_busy(paged, serving->page))
		return -ESTALE;
	/* What the page was on some node must not turn into zeroes. */
	if (table == mk_paged_master() && mk_serve_was_local(serving))
		return -EPERM;
	/* There is one, but it does not allow it. Or there is one by now. */
	if (*record)
		return mk_record_allows(*record, serving->rights) ? -ESTALE :
		       -EPERM;
	frame = mk_frames_add(paged, page);
	if (frame < 0)
		return frame;
	*record = mk_record(frame, MK_RECORD_RIGHTS);
	paged->uses[frame]++;
	return 0;
}

/* Return: 0, or MK_SERVE_SIGBUS. */
static int mk_serve_policy(const struct mk_serving *serving)
{
	struct mk_paged *paged = serving->paged;
	int table = serving->table, node, err;
	struct page *page;

	if (!(paged->flags & MK_PAGED_ZERO))
		return MK_SERVE_SIGBUS;
	/* No mirror, or not on this node: the same for all nodes. */
	if (table < 0)
		table = mk_paged_master();
	node = table == mk_paged_master() ? paged->region->node : table;
	page = mk_frame_page(node, false);
	if (!page)
		return MK_SERVE_SIGBUS;
	mutex_lock(&paged->region->lock);
	err = mk_serve_zero(serving, table, page);
	mutex_unlock(&paged->region->lock);
	if (err)
		mk_frame_drop(page);
	else
		mk_paged_count(paged, fallbacks);
	return err && err != -ESTALE ? MK_SERVE_SIGBUS : 0;
}

/* Return: 0, or MK_SERVE_SIGBUS. */
static int mk_serve(const struct mk_serving *serving)
{
	int err;

	if (mk_serve_busy(serving))
		return 0;
	/* The pool of the node's replica is dry, and being filled. */
	if (serving->table == -ENOMEM) {
		schedule_timeout_killable(1);
		return 0;
	}
	err = serving->table < 0 ? MK_SERVE_POLICY : mk_serve_by_pager(serving);
	return err == MK_SERVE_POLICY ? mk_serve_policy(serving) : err;
}

static unsigned int mk_serve_state(unsigned int flags)
{
	/* In the kernel's own accesses a signal is not handled, but comes back. */
	if (flags & FAULT_FLAG_INTERRUPTIBLE && flags & FAULT_FLAG_USER)
		return TASK_INTERRUPTIBLE;
	return TASK_KILLABLE;
}

/**
 * mk_paged_wait() - have a fault served that cannot be at once
 * @vmf: the fault
 * @table: which table's record it needs; or why it is none's: -ESRCH, the process
 *	is not mirrored any more; -ENODEV, not on this node; -ENOMEM, not now
 * @rights: what it needs
 *
 * Context: process; mmap_lock held for reading, and let go of where the result
 * says so; sleeps, until the region's timeout at most.
 * Return: VM_FAULT_RETRY or VM_FAULT_SIGBUS.
 */
vm_fault_t mk_paged_wait(struct vm_fault *vmf, int table, u32 rights)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mm_struct *mm = vma->vm_mm;
	struct mk_region *region = vma->vm_private_data;
	struct mk_paged *paged = mk_paged_of(region);
	struct mk_serving serving = {
		.paged = paged,
		.table = table,
		.node = numa_mem_id(),
		.page = vmf->pgoff,
		.rights = rights,
		.state = mk_serve_state(vmf->flags),
		.deadline = jiffies + paged->timeout + 1,
	};
	struct file *file;
	int err;

	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY) ||
	    current->flags & (PF_EXITING | PF_DUMPCORE)) {
		mk_paged_count(paged, sigbus);
		return VM_FAULT_SIGBUS;
	}
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (table >= 0 && table < nr_node_ids)
		serving.node = table;

	file = get_file(vma->vm_file);
	mk_fault_unlock(vmf);
	err = mk_serve(&serving);
	if (err == MK_SERVE_SIGBUS)
		mk_paged_count(paged, sigbus);
	fput(file);
	if (err != MK_SERVE_SIGBUS || mmap_read_lock_killable(mm))
		return VM_FAULT_RETRY;
	return VM_FAULT_SIGBUS;
}
