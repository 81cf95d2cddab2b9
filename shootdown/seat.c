// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: those who vote, and what is sent to them.
 */
#include <linux/bsearch.h>

#include "shootdown/agree_priv.h"
#include "urpc/link.h"

/*
 * Nothing was sent. Has the other one gone, or is it only the way to it that
 * has? Then it is asked again, over a new one. Who has gone has no vote: it comes
 * back with a copy of the table, which it cannot get before what is under way
 * now has ended.
 */
static void mk_seat_failed(struct mk_seat *seat)
{
	struct mk_txn *txn = seat->txn;

	if (!txn->port || mk_port_is_open(mk_port(seat->cpu)))
		return;
	txn->gone = seat->cpu;
	if (txn->phase == MK_TXN_DECIDED) {
		txn->missing -= !seat->done;
		seat->done = true;
	} else if (txn->phase == MK_TXN_VOTING) {
		txn->missing -= !seat->voted;
		seat->voted = true;
	}
	/* Not from here: who calls may be in the middle of its own lists. */
	mk_txn_nudge(txn, txn->port->cpu);
}

static void mk_prepare_done(struct mk_post *post, int err)
{
	struct mk_seat *seat = container_of(post, struct mk_seat, prepare);
	struct mk_txn *txn = seat->txn;

	seat->prepare_out = false;
	if (err)
		mk_seat_failed(seat);
	else
		seat->asked = true;
	mk_txn_put(txn);
}

static void mk_decide_done(struct mk_post *post, int err)
{
	struct mk_seat *seat = container_of(post, struct mk_seat, decide);
	struct mk_txn *txn = seat->txn;

	seat->decide_out = false;
	if (err && !seat->asked && !seat->done && txn->phase == MK_TXN_DECIDED) {
		/* The question was before it in the queue, and failed too. */
		seat->done = true;
		txn->missing--;
	}
	if (err)
		mk_seat_failed(seat);
	mk_txn_put(txn);
}

static void mk_seat_post(struct mk_seat *seat, struct mk_post *post, bool *out)
{
	struct mk_txn *txn = seat->txn;
	int err;

	if (*out)
		return;
	kref_get(&txn->ref);
	*out = true;
	err = mk_link_post(txn->port, seat->cpu, post);
	if (err != -EINPROGRESS)
		post->done(post, err);
	if (err == -EINPROGRESS || !err)
		mk_agree_count(mk_agree(txn->port->cpu), messages);
}

/**
 * mk_seat_send() - ask somebody, or tell the decision
 * @seat: whose; nothing is done if it is under way
 * @phase: which of the two
 *
 * Context: the coordinator.
 */
void mk_seat_send(struct mk_seat *seat, enum mk_pass_phase phase)
{
	if (phase == MK_PASS_PREPARE)
		mk_seat_post(seat, &seat->prepare, &seat->prepare_out);
	else
		mk_seat_post(seat, &seat->decide, &seat->decide_out);
}

/**
 * mk_txn_post_prepare() - ask whoever has not voted
 * @txn: the transaction
 *
 * Context: the coordinator.
 */
void mk_txn_post_prepare(struct mk_txn *txn)
{
	unsigned int i;

	if (mk_txn_pass(txn, MK_PASS_PREPARE))
		return;
	for (i = 0; i < txn->nr_seats; i++) {
		struct mk_seat *seat = &txn->seat[i];

		if (!seat->voted && seat->cpu != txn->port->cpu)
			mk_seat_send(seat, MK_PASS_PREPARE);
	}
}

/**
 * mk_txn_paused() - does a test want it to stop here
 * @txn: the transaction
 * @where: here
 *
 * Context: the coordinator.
 * Return: true until it is cancelled, or another port takes over.
 */
bool mk_txn_paused(const struct mk_txn *txn, enum mk_agree_pause where)
{
	return READ_ONCE(mk_agree_pause) == where && !txn->adopted &&
	       !READ_ONCE(txn->cancelled) &&
	       txn->change.kind == MK_CHANGE_RETYPE;
}

/**
 * mk_txn_post_decide() - tell whoever has not confirmed the decision
 * @txn: the transaction
 *
 * Context: the coordinator.
 */
void mk_txn_post_decide(struct mk_txn *txn)
{
	unsigned int i;

	if (mk_txn_pass(txn, MK_PASS_DECIDE))
		return;
	for (i = 0; i < txn->nr_seats; i++) {
		struct mk_seat *seat = &txn->seat[i];

		if (seat->cpu == txn->port->cpu)
			continue;
		if (txn->commit && mk_txn_paused(txn, MK_AGREE_PAUSE_DECIDED))
			return;
		if (!seat->done)
			mk_seat_send(seat, MK_PASS_DECIDE);
		if (txn->commit && mk_txn_paused(txn, MK_AGREE_PAUSE_HALF))
			return;
	}
}

/**
 * mk_txn_seats() - give those who vote their seats
 * @txn: the transaction
 * @members: of its view; its own voters, if it has some, come first
 *
 * Context: the coordinator.
 */
void mk_txn_seats(struct mk_txn *txn, const struct cpumask *members)
{
	struct mk_seat *seat = txn->seat;
	int cpu;

	for_each_cpu(cpu, txn->voters ?: members) {
		/* Who joins, or has gone, has no vote on it. */
		if (cpu == (int)txn->change.first &&
		    (txn->change.kind == MK_CHANGE_JOIN ||
		     txn->change.kind == MK_CHANGE_EXCLUDE))
			continue;
		*seat = (struct mk_seat){ .txn = txn, .cpu = cpu };
		seat->prepare.type = MK_TYPE_PREPARE;
		seat->prepare.lines = 1;
		seat->prepare.word = txn->prepare;
		seat->prepare.done = mk_prepare_done;
		seat->decide.type = MK_TYPE_DECIDE;
		seat->decide.lines = 1;
		seat->decide.word = txn->decide;
		seat->decide.done = mk_decide_done;
		seat++;
	}
	txn->nr_seats = seat - txn->seat;
}

static int mk_seat_compare(const void *key, const void *seat)
{
	return *(const int *)key - ((const struct mk_seat *)seat)->cpu;
}

/**
 * mk_txn_seat() - somebody's seat
 * @txn: the transaction
 * @cpu: whose
 *
 * Context: the coordinator.
 * Return: the seat; NULL if @cpu has none.
 */
struct mk_seat *mk_txn_seat(struct mk_txn *txn, int cpu)
{
	return bsearch(&cpu, txn->seat, txn->nr_seats, sizeof(*txn->seat),
		       mk_seat_compare);
}
