// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: the coordinator.
 */
#include "shootdown/agree_priv.h"

/* --- phases ------------------------------------------------------------------- */

static void mk_txn_end(struct mk_txn *txn)
{
	struct mk_agree *agree = mk_agree(txn->port->cpu);

	if (txn->commit)
		mk_agree_count(agree, commits);
	else if (txn->change.kind != MK_CHANGE_CHECK)
		mk_agree_count(agree, aborts);
	txn->phase = MK_TXN_ENDED;
	list_del_init(&txn->node);
	complete_all(&txn->done);
	mk_txn_put(txn);
}

static void mk_txn_tell(struct mk_txn *txn)
{
	unsigned int i;

	txn->decide[W_ID] = txn->id;
	txn->decide[W_COMMIT] = txn->commit;
	txn->missing = 0;
	for (i = 0; i < txn->nr_seats; i++) {
		struct mk_seat *seat = &txn->seat[i];

		if (seat->cpu == txn->port->cpu) {
			mk_agree_decide(txn->port, txn->id, txn->commit);
			seat->done = true;
		} else if (!seat->asked && !seat->prepare_out) {
			seat->done = true;	/* has nothing to undo */
		}
		txn->missing += !seat->done;
	}
	mk_txn_post_decide(txn);
}

/**
 * mk_txn_decide() - that is how it ends
 * @txn: the transaction
 * @commit: it takes place
 *
 * Context: the coordinator; mk_txn_step() is due.
 */
void mk_txn_decide(struct mk_txn *txn, bool commit)
{
	txn->commit = commit;
	txn->phase = MK_TXN_DECIDED;
	if (commit && txn->change.kind == MK_CHANGE_JOIN)
		mk_txn_joined(txn);
	mk_txn_tell(txn);
}

/* All have voted yes. */
static void mk_txn_unanimous(struct mk_txn *txn)
{
	if (mk_txn_paused(txn, MK_AGREE_PAUSE_VOTED))
		return;
	if (txn->change.kind == MK_CHANGE_CHECK) {
		complete_all(&txn->frozen);
	} else if (txn->change.kind == MK_CHANGE_JOIN) {
		txn->phase = MK_TXN_COPYING;
		txn->copied = 0;
		mk_txn_fetch(txn, 0);
	} else {
		mk_txn_decide(txn, true);
	}
}

/**
 * mk_txn_step() - go on as far as that is possible now
 * @txn: the transaction; may end, and be freed
 *
 * Context: the coordinator.
 */
void mk_txn_step(struct mk_txn *txn)
{
	switch (txn->phase) {
	case MK_TXN_HELLO:
	case MK_TXN_COPYING:
		if (txn->err)
			mk_txn_decide(txn, false);
		break;
	case MK_TXN_VOTING:
		if (txn->err)
			mk_txn_decide(txn, false);
		else if (!txn->missing)
			mk_txn_unanimous(txn);
		break;
	default:
		break;
	}
	if (txn->phase == MK_TXN_DECIDED && !txn->missing)
		mk_txn_end(txn);
}

/* --- the beginning ------------------------------------------------------------ */

static int mk_verdict_error(enum mk_verdict verdict)
{
	switch (verdict) {
	case MK_VOTE_YES:
	case MK_VOTE_LATER:
		return 0;
	case MK_VOTE_TYPE:
		return -ENOENT;
	case MK_VOTE_VIEW:
		return -ESTALE;
	default:
		return -EAGAIN;
	}
}

/**
 * mk_txn_ask() - ask everybody; what is refused here costs no message
 * @txn: the transaction, with its seats; may end, and be freed
 *
 * Context: the coordinator.
 */
void mk_txn_ask(struct mk_txn *txn)
{
	struct mk_replica *replica = mk_replica(txn->port->cpu);
	const struct mk_change *change = &txn->change;
	unsigned int i;

	txn->prepare[W_ID] = txn->id;
	txn->prepare[W_VIEW] = txn->view;
	txn->prepare[W_KIND] = change->kind | change->from << 8 |
			       change->to << 16;
	txn->prepare[W_FIRST] = change->first;
	txn->prepare[W_COUNT] = change->count;
	txn->phase = MK_TXN_VOTING;
	txn->missing = txn->nr_seats;
	for (i = 0; i < txn->nr_seats; i++) {
		struct mk_seat *seat = &txn->seat[i];
		enum mk_verdict verdict;

		if (seat->cpu != txn->port->cpu)
			continue;
		verdict = mk_replica_prepare(replica, txn->id, txn->view,
					     change, seat->cpu);
		txn->err = mk_verdict_error(verdict);
		seat->asked = true;
		if (verdict == MK_VOTE_YES) {
			seat->voted = true;
			txn->missing--;
		}
	}
	if (!txn->err)
		mk_txn_post_prepare(txn);
	mk_txn_step(txn);
}

static int mk_txn_choose(struct mk_txn *txn, const struct mk_replica *replica)
{
	int at;

	if (!txn->find)
		return 0;
	at = mk_replica_find(replica, txn->change.count, txn->start);
	if (at < 0)
		return at == -EBUSY ? -EAGAIN : at;
	txn->change.first = at;
	return 0;
}

/**
 * mk_txn_begin() - begin a transaction
 * @port: the caller's own: the coordinator
 * @txn: new, or reset; the caller's reference becomes the port's
 *
 * Context: the port's thread. May end it at once.
 */
void mk_txn_begin(struct mk_port *port, struct mk_txn *txn)
{
	struct mk_agree *agree = mk_agree(port->cpu);
	struct mk_replica *replica = mk_replica(port->cpu);

	txn->port = port;
	WRITE_ONCE(txn->cpu, port->cpu);
	list_add_tail(&txn->node, &agree->txns);
	txn->id = mk_txn_id(port->cpu, ++agree->seq);
	txn->view = replica->view;

	if (port->closing)
		txn->err = -EHOSTDOWN;
	else if (txn->change.kind == MK_CHANGE_JOIN)
		txn->err = mk_join_allowed(agree, replica);
	else if (!replica->joined ||
		 !cpumask_test_cpu(port->cpu, replica->members))
		txn->err = -ESTALE;
	else if (txn->change.kind == MK_CHANGE_EXCLUDE &&
		 txn->of_view != replica->view)
		txn->err = -EALREADY;
	else
		txn->err = mk_txn_choose(txn, replica);
	if (txn->err) {
		txn->nr_seats = 0;
		mk_txn_decide(txn, false);
		mk_txn_step(txn);
		return;
	}
	if (txn->change.kind == MK_CHANGE_JOIN) {
		txn->phase = MK_TXN_HELLO;
		mk_txn_fetch(txn, MK_REPLICA_FRAME_WORDS);
		return;
	}
	mk_txn_seats(txn, replica->members);
	mk_txn_ask(txn);
}

/* Another port's log: end what was begun. */
static void mk_txn_adopt(struct mk_port *port, struct mk_txn *txn)
{
	struct mk_agree *agree = mk_agree(port->cpu);

	txn->port = port;
	txn->orphan = false;
	txn->adopted = true;
	list_add_tail(&txn->node, &agree->txns);
	mk_agree_count(agree, adopted);
	if (txn->phase == MK_TXN_DECIDED) {
		mk_txn_tell(txn);
	} else {
		txn->err = txn->err ?: -EHOSTDOWN;
		mk_txn_decide(txn, false);
	}
	mk_txn_step(txn);
}

/**
 * mk_txn_begin_work() - work: a transaction was handed to this port
 * @port: it
 * @work: the transaction's
 *
 * Context: the port's thread.
 */
void mk_txn_begin_work(struct mk_port *port, struct mk_work *work)
{
	struct mk_txn *txn = container_of(work, struct mk_txn, begin);

	if (txn->orphan)
		mk_txn_adopt(port, txn);
	else
		mk_txn_begin(port, txn);
}

/**
 * mk_txn_nudge_work() - work: the process, or a post that failed, wants it
 *	looked at
 * @port: that has it, or had
 * @work: the transaction's
 *
 * Context: the port's thread.
 */
void mk_txn_nudge_work(struct mk_port *port, struct mk_work *work)
{
	struct mk_txn *txn = container_of(work, struct mk_txn, nudge);
	int cancelled;
	unsigned int i;

	atomic_set_release(&txn->nudged, 0);
	if (txn->port != port || txn->phase == MK_TXN_ENDED ||
	    port->closing)
		goto out;
	cancelled = READ_ONCE(txn->cancelled);
	if (cancelled)
		txn->err = txn->err ?: cancelled;
	if (txn->phase == MK_TXN_HELLO && !txn->err) {
		mk_txn_fetch(txn, MK_REPLICA_FRAME_WORDS);
	} else if (txn->phase == MK_TXN_COPYING && !txn->err) {
		mk_txn_fetch(txn, txn->copied);
	} else if (txn->phase == MK_TXN_VOTING && !txn->err) {
		mk_txn_post_prepare(txn);
	} else if (txn->phase == MK_TXN_DECIDED) {
		for (i = 0; READ_ONCE(txn->give_up) && i < txn->nr_seats; i++) {
			if (txn->seat[i].done)
				continue;
			txn->gone = txn->seat[i].cpu;
			txn->seat[i].done = true;
			txn->missing--;
		}
		mk_txn_post_decide(txn);
	}
	mk_txn_step(txn);
out:
	mk_txn_put(txn);
}

/* --- answers ------------------------------------------------------------------ */

/**
 * mk_txn_find() - a transaction that this port coordinates
 * @port: the caller's own
 * @id: which
 *
 * Context: the port's thread.
 * Return: it, or NULL.
 */
struct mk_txn *mk_txn_find(struct mk_port *port, u64 id)
{
	struct mk_txn *txn;

	list_for_each_entry(txn, &mk_agree(port->cpu)->txns, node)
		if (txn->id == id)
			return txn;
	return NULL;
}

/**
 * mk_txn_vote() - a vote has come
 * @port: the caller's own
 * @cpu: whose
 * @id: on what
 * @verdict: the vote
 *
 * Context: the port's thread. One that comes too late, or twice, changes
 * nothing.
 */
void mk_txn_vote(struct mk_port *port, int cpu, u64 id,
		 enum mk_verdict verdict)
{
	struct mk_txn *txn = mk_txn_find(port, id);
	struct mk_seat *seat = txn ? mk_txn_seat(txn, cpu) : NULL;

	if (!seat || txn->phase != MK_TXN_VOTING || seat->voted) {
		mk_agree_count(mk_agree(port->cpu), duplicates);
		return;
	}
	seat->voted = true;
	txn->missing--;
	txn->err = txn->err ?: mk_verdict_error(verdict);
	mk_txn_step(txn);
}

static void mk_seat_passed(struct mk_txn *txn, struct mk_seat *seat,
			   enum mk_pass_phase phase, enum mk_verdict verdict)
{
	bool *said = phase == MK_PASS_PREPARE ? &seat->voted : &seat->done;

	if (*said)
		return;
	if (verdict == MK_VOTE_YES) {
		*said = true;
		txn->missing--;
	} else if (verdict == MK_VOTE_LATER) {
		mk_seat_send(seat, phase);
	}
}

/**
 * mk_txn_passed() - a child in the tree has answered for all below it
 * @port: the caller's own
 * @cpu: the child
 * @id: of what
 * @phase: a vote, or that the decision is known
 * @verdict: of all of them; MK_VOTE_LATER if that is not known, and each of them
 *	has to be asked or told by itself
 *
 * Context: the port's thread, from the handler.
 */
void mk_txn_passed(struct mk_port *port, int cpu, u64 id,
		   enum mk_pass_phase phase, enum mk_verdict verdict)
{
	struct mk_txn *txn = mk_txn_find(port, id);
	const struct mk_pass_hop *hop;
	unsigned int i;

	hop = txn && txn->passed[phase] ? mk_pass_child(txn->tree, cpu) : NULL;
	if (!hop || txn->phase != (phase == MK_PASS_PREPARE ? MK_TXN_VOTING :
							      MK_TXN_DECIDED)) {
		mk_agree_count(mk_agree(port->cpu), duplicates);
		return;
	}
	for (i = 0; i < hop->all; i++)
		mk_seat_passed(txn, mk_txn_seat(txn, hop[i].cpu), phase,
			       verdict);
	/* Whoever it was that is against it. */
	if (phase == MK_PASS_PREPARE)
		txn->err = txn->err ?: mk_verdict_error(verdict);
	mk_txn_step(txn);
}

/**
 * mk_txn_told() - somebody has confirmed the decision
 * @port: the caller's own
 * @cpu: who
 * @id: of what
 *
 * Context: the port's thread, from the handler.
 */
void mk_txn_told(struct mk_port *port, int cpu, u64 id)
{
	struct mk_txn *txn = mk_txn_find(port, id);
	struct mk_seat *seat = txn ? mk_txn_seat(txn, cpu) : NULL;

	if (!seat || txn->phase != MK_TXN_DECIDED || seat->done) {
		mk_agree_count(mk_agree(port->cpu), duplicates);
		return;
	}
	seat->done = true;
	txn->missing--;
	mk_txn_step(txn);
}
