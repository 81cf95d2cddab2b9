// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a pager, and their answers: lines in memory that it shares.
 *
 * The pager may write anything anywhere in that memory at any time. The kernel
 * never reads what it has written there itself, but the pager's word "asleep",
 * and reads each word of an answer once. Positions are private.
 *
 * (A) The pager writes an answer, a full fence, and reads "asleep" of the line;
 *     who waits writes that, a full fence, and reads the answer.
 * (R) Who asks writes a request, a full fence, and reads "asleep" of the pager;
 *     the pager writes that, a full fence, and reads the request.
 */
#include <linux/eventfd.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "module/clock.h"
#include "module/compat.h"
#include "module/monitor.h"
#include "module/pager/paged_priv.h"

static u32 mk_ask_line(const struct mk_pager *pager, u64 id)
{
	return id & (pager->slots - 1);
}

/* Under the lock. Whoever reads the line meanwhile sees another id after that. */
static void mk_ask_write(struct mk_pager *pager,
			 const struct mk_pager_request *request, u64 id)
{
	struct mk_pager_request *line = &pager->request[mk_ask_line(pager, id)];
	const u64 *from = (const u64 *)request;
	u64 *to = (u64 *)line;
	unsigned int i;

	WRITE_ONCE(line->id, 0);
	/* Pairs with the fence of the pager: after it has copied, before it looks again. */
	smp_wmb();
	for (i = 0; i < sizeof(*line) / sizeof(u64) - 1; i++)
		WRITE_ONCE(to[i], from[i]);
	/* Pairs with the acquire of the pager. */
	smp_store_release(&line->id, id);
}

static void mk_ask_wake(struct mk_pager *pager)
{
	u32 *asleep = &pager->side->asleep;

	if (!pager->wake)
		return;
	smp_mb();	/* (R): after the request, before the word */
	if (!READ_ONCE(*asleep) || !xchg(asleep, 0))
		return;
	atomic64_inc(&pager->wakes);
	mk_eventfd_signal(pager->wake);
}

/*
 * Under the lock. One alarm for all who wait: when they have their answers it is left to
 * come, finds nobody, and is not set again. A timer and a wait queue for each were 1,000
 * instructions of a fault's 17,500.
 */
static void mk_ask_set_alarm(struct mk_pager *pager, unsigned long deadline)
{
	long left = deadline - jiffies;

	if (pager->alarmed && time_after_eq(deadline, pager->alarm_at))
		return;
	pager->alarmed = true;
	pager->alarm_at = deadline;
	mod_delayed_work(system_wq, &pager->alarm, max(left, 0L));
}

/**
 * mk_ask_alarm() - wake those whose deadline is over
 * @work: of a pager
 *
 * Context: process.
 */
void mk_ask_alarm(struct work_struct *work)
{
	struct mk_pager *pager = container_of(to_delayed_work(work),
					      struct mk_pager, alarm);
	unsigned long now, next = 0;
	bool some = false;
	u32 line;

	spin_lock(&pager->lock);
	now = jiffies;
	for (line = 0; line < pager->slots; line++) {
		const struct mk_ask *ask = pager->asks[line];

		if (!ask)
			continue;
		if (time_after_eq(now, ask->deadline)) {
			wake_up_process(ask->task);
		} else if (!some || time_before(ask->deadline, next)) {
			next = ask->deadline;
			some = true;
		}
	}
	pager->alarmed = false;
	if (some)
		mk_ask_set_alarm(pager, next);
	spin_unlock(&pager->lock);
}

/**
 * mk_ask_send() - ask a pager
 * @ask: its deadline is set, in jiffies, if somebody waits; the rest is filled in
 * @pager: whom
 * @request: what, but for @asleep and @id
 * @wait: mk_ask_wait() follows; otherwise the line may be used again at once
 *
 * Context: process.
 * Return: 0; -EPIPE if it serves no more; -EAGAIN if there is no line.
 */
int mk_ask_send(struct mk_ask *ask, struct mk_pager *pager,
		const struct mk_pager_request *request, bool wait)
{
	int err = 0;
	u32 line;

	ask->pager = pager;
	ask->task = current;
	spin_lock(&pager->lock);
	line = mk_ask_line(pager, pager->id + 1);
	if (pager->over) {
		err = -EPIPE;
	} else if (pager->asks[line]) {
		err = -EAGAIN;
	} else {
		ask->id = ++pager->id;
		if (wait) {
			pager->asks[line] = ask;
			pager->waiting++;
			mk_ask_set_alarm(pager, ask->deadline);
		}
		mk_ask_write(pager, request, ask->id);
	}
	spin_unlock(&pager->lock);
	if (!err)
		mk_ask_wake(pager);
	return err;
}

/* Nobody waits for the line any more. */
static void mk_ask_leave(struct mk_ask *ask)
{
	struct mk_pager *pager = ask->pager;

	spin_lock(&pager->lock);
	pager->asks[mk_ask_line(pager, ask->id)] = NULL;
	pager->waiting--;
	spin_unlock(&pager->lock);
	/* Its barrier pairs with that of wait_event(), before mk_ask_room_now(). */
	if (wq_has_sleeper(&pager->room))
		wake_up(&pager->room);
}

static struct mk_pager_answer *mk_ask_answer(const struct mk_ask *ask)
{
	return &ask->pager->answer[mk_ask_line(ask->pager, ask->id)];
}

static bool mk_ask_answered(const struct mk_ask *ask)
{
	/* Pairs with the release of the pager: its other words come before. */
	return smp_load_acquire(&mk_ask_answer(ask)->id) == ask->id;
}

static bool mk_ask_room_now(struct mk_pager *pager)
{
	bool room;

	spin_lock(&pager->lock);
	room = pager->over || !pager->asks[mk_ask_line(pager, pager->id + 1)];
	spin_unlock(&pager->lock);
	return room;
}

/**
 * mk_ask_room() - wait for a line
 * @pager: whose
 * @state: how
 * @deadline: until when, in jiffies
 *
 * Context: process; sleeps.
 * Return: -EAGAIN: try again; -ETIMEDOUT, -EINTR.
 */
int mk_ask_room(struct mk_pager *pager, unsigned int state,
		unsigned long deadline)
{
	long left = deadline - jiffies;

	if (left <= 0)
		return -ETIMEDOUT;
	if (state == TASK_INTERRUPTIBLE)
		left = wait_event_interruptible_timeout(pager->room,
							mk_ask_room_now(pager),
							left);
	else
		left = wait_event_killable_timeout(pager->room,
						   mk_ask_room_now(pager),
						   left);
	if (left < 0)
		return -EINTR;
	return left ? -EAGAIN : -ETIMEDOUT;
}

static bool mk_ask_done(const struct mk_ask *ask)
{
	return mk_ask_answered(ask) || READ_ONCE(ask->pager->over);
}

/*
 * For as long as blocking and being woken would cost; but not while others want to
 * run here, for one of them may be the pager.
 */
static void mk_ask_poll(const struct mk_ask *ask)
{
	u64 start = mk_cycles(), poll = mk_monitor_poll_cycles();

	while (!mk_ask_done(ask) && mk_cycles() - start < poll &&
	       single_task_running() && !need_resched() &&
	       !signal_pending(current) && time_before(jiffies, ask->deadline))
		cpu_relax();
}

/* Woken under the lock by a knock, the alarm, or the pager's end; and by signals. */
static int mk_ask_sleep(const struct mk_ask *ask, unsigned int state)
{
	struct mk_pager *pager = ask->pager;
	struct mk_pager_request *line;
	int err = 0;

	line = &pager->request[mk_ask_line(pager, ask->id)];
	atomic64_inc(&pager->sleeps);
	for (;;) {
		set_current_state(state);
		WRITE_ONCE(line->asleep, 1);
		smp_mb();	/* (A): after the word, before the answer */
		if (mk_ask_done(ask))
			break;
		err = -EINTR;
		if (signal_pending_state(state, current))
			break;
		err = -ETIMEDOUT;
		if (time_after_eq(jiffies, ask->deadline))
			break;
		err = 0;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

/**
 * mk_ask_wait() - wait for the answer
 * @ask: that was sent, to be waited for
 * @state: how to sleep
 * @answer: written
 *
 * Context: process, that of mk_ask_send(); sleeps, until the deadline at most.
 * Return: 0; -ETIMEDOUT, -EINTR; -EPIPE if the pager serves no more.
 */
int mk_ask_wait(struct mk_ask *ask, unsigned int state,
		struct mk_pager_answer *answer)
{
	const u64 *from = (const u64 *)mk_ask_answer(ask);
	u64 *to = (u64 *)answer;
	unsigned int i;
	int err = 0;

	mk_ask_poll(ask);
	if (!mk_ask_done(ask))
		err = mk_ask_sleep(ask, state);
	/* However it ended: what is there is taken. */
	if (mk_ask_answered(ask)) {
		for (i = 0; i < sizeof(*answer) / sizeof(u64); i++)
			to[i] = READ_ONCE(from[i]);
		err = 0;
	} else if (!err) {
		err = -EPIPE;
	}
	mk_ask_leave(ask);
	return err;
}

/**
 * mk_ask_over() - a pager serves no more: whoever waits for it goes on
 * @pager: it
 *
 * Context: process.
 */
void mk_ask_over(struct mk_pager *pager)
{
	u32 line;

	spin_lock(&pager->lock);
	WRITE_ONCE(pager->over, true);
	for (line = 0; line < pager->slots; line++)
		if (pager->asks[line])
			wake_up_process(pager->asks[line]->task);
	spin_unlock(&pager->lock);
	wake_up_all(&pager->room);
	wake_up_poll(&pager->hangup, EPOLLHUP | EPOLLRDHUP);
}

/**
 * mk_pager_knock() - the pager says that a request is answered
 * @pager: it
 * @id: of the request; another one does nothing
 *
 * Context: process.
 * Return: 0; -EPIPE if it serves no more.
 */
int mk_pager_knock(struct mk_pager *pager, u64 id)
{
	struct mk_ask *ask;
	int err = 0;

	spin_lock(&pager->lock);
	ask = pager->asks[mk_ask_line(pager, id)];
	if (pager->over)
		err = -EPIPE;
	else if (ask && ask->id == id)
		wake_up_process(ask->task);
	spin_unlock(&pager->lock);
	return err;
}
