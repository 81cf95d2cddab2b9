// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: the coordinator.
 */
#include <linux/bsearch.h>
#include <linux/slab.h>

#include "shootdown/agree.h"
#include "urpc/link.h"

static void mk_txn_step(struct mk_txn *txn);

static void mk_txn_free(struct kref *ref)
{
	kvfree(container_of(ref, struct mk_txn, ref));
}

/**
 * mk_txn_put() - drop a reference; the last one frees the log
 * @txn: the transaction
 *
 * Context: any that may free memory.
 */
void mk_txn_put(struct mk_txn *txn)
{
	kref_put(&txn->ref, mk_txn_free);
}

/* --- posts -------------------------------------------------------------------- */

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

static void mk_txn_post_prepare(struct mk_txn *txn)
{
	unsigned int i;

	for (i = 0; i < txn->nr_seats; i++) {
		struct mk_seat *seat = &txn->seat[i];

		if (!seat->voted && seat->cpu != txn->port->cpu)
			mk_seat_post(seat, &seat->prepare, &seat->prepare_out);
	}
}

/* For tests: stop here until it is cancelled, or another port takes over. */
static bool mk_txn_paused(const struct mk_txn *txn, enum mk_agree_pause where)
{
	return READ_ONCE(mk_agree_pause) == where && !txn->adopted &&
	       !READ_ONCE(txn->cancelled) &&
	       txn->change.kind == MK_CHANGE_RETYPE;
}

static void mk_txn_post_decide(struct mk_txn *txn)
{
	unsigned int i;

	for (i = 0; i < txn->nr_seats; i++) {
		struct mk_seat *seat = &txn->seat[i];

		if (seat->cpu == txn->port->cpu)
			continue;
		if (txn->commit && mk_txn_paused(txn, MK_AGREE_PAUSE_DECIDED))
			return;
		if (!seat->done)
			mk_seat_post(seat, &seat->decide, &seat->decide_out);
		if (txn->commit && mk_txn_paused(txn, MK_AGREE_PAUSE_HALF))
			return;
	}
}

static void mk_fetch_done(struct mk_post *post, int err)
{
	struct mk_txn *txn = container_of(post, struct mk_txn, fetch_post);

	txn->fetch_out = false;
	if (err && txn->port && !mk_port_is_open(mk_port(txn->peer))) {
		txn->err = txn->err ?: -EHOSTDOWN;
		mk_txn_nudge(txn, txn->port->cpu);
	}
	mk_txn_put(txn);
}

static void mk_txn_fetch(struct mk_txn *txn, u32 offset)
{
	int err;

	if (txn->fetch_out)
		return;
	txn->fetch[W_ID] = txn->id;
	txn->fetch[W_VIEW] = txn->view;
	txn->fetch[W_OFFSET] = offset;
	txn->fetch_out = true;
	kref_get(&txn->ref);
	err = mk_link_post(txn->port, txn->peer, &txn->fetch_post);
	if (err == -EINPROGRESS || !err)
		mk_agree_count(mk_agree(txn->port->cpu), messages);
	if (err != -EINPROGRESS)
		mk_fetch_done(&txn->fetch_post, err);
}

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

/* A monitor that joins has the table as all others have it at this moment. */
static void mk_txn_joined(struct mk_txn *txn)
{
	struct mk_replica *replica = mk_replica(txn->port->cpu);

	mk_replica_leave(replica);	/* what it had open as a member once */
	cpumask_set_cpu(txn->port->cpu, replica->members);
	WRITE_ONCE(replica->view, txn->view + 1);
	WRITE_ONCE(replica->joined, true);
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

static void mk_txn_decide(struct mk_txn *txn, bool commit)
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

/* Go on as far as that is possible now. May end, and free, the transaction. */
static void mk_txn_step(struct mk_txn *txn)
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

static void mk_txn_seats(struct mk_txn *txn, const struct cpumask *members)
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

/* Ask everybody. What is refused here costs no message. */
static void mk_txn_ask(struct mk_txn *txn)
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

/* One at a time: it writes the replica before that is a member's. */
static int mk_join_allowed(const struct mk_agree *agree,
			   const struct mk_replica *replica)
{
	const struct mk_txn *txn;
	unsigned int joins = 0;

	list_for_each_entry(txn, &agree->txns, node)
		joins += txn->change.kind == MK_CHANGE_JOIN;
	if (replica->joined)
		return -EALREADY;
	return joins > 1 ? -EAGAIN : 0;
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

static void mk_txn_begin_work(struct mk_port *port, struct mk_work *work)
{
	struct mk_txn *txn = container_of(work, struct mk_txn, begin);

	if (txn->orphan)
		mk_txn_adopt(port, txn);
	else
		mk_txn_begin(port, txn);
}

/* Work: the process, or a post that failed, wants it looked at. */
static void mk_txn_nudge_work(struct mk_port *port, struct mk_work *work)
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

static struct mk_txn *mk_txn_find(struct mk_port *port, u64 id)
{
	struct mk_txn *txn;

	list_for_each_entry(txn, &mk_agree(port->cpu)->txns, node)
		if (txn->id == id)
			return txn;
	return NULL;
}

static int mk_seat_compare(const void *key, const void *seat)
{
	return *(const int *)key - ((const struct mk_seat *)seat)->cpu;
}

static struct mk_seat *mk_txn_seat(struct mk_txn *txn, int cpu)
{
	return bsearch(&cpu, txn->seat, txn->nr_seats, sizeof(*txn->seat),
		       mk_seat_compare);
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

/* The view and its members: now everybody can be asked. */
static void mk_txn_hello(struct mk_txn *txn, const struct mk_message *msg)
{
	struct mk_replica *replica = mk_replica(txn->port->cpu);
	u32 i;

	for (i = 0; i < msg->word[W_WORDS]; i++)
		mk_replica_set_word(replica, MK_REPLICA_FRAME_WORDS + i,
				    msg->word[W_DATA + i]);
	txn->view = msg->word[W_VIEW];
	mk_txn_seats(txn, replica->members);
	mk_txn_ask(txn);
}

/**
 * mk_txn_copy() - a part of a member's replica has come
 * @port: the caller's own, which joins
 * @cpu: whose
 * @msg: the part
 *
 * Context: the port's thread, from the handler.
 */
void mk_txn_copy(struct mk_port *port, int cpu, const struct mk_message *msg)
{
	struct mk_txn *txn = mk_txn_find(port, msg->word[W_ID]);
	u64 offset = msg->word[W_OFFSET], words = msg->word[W_WORDS];
	u32 i;

	if (!txn || cpu != txn->peer || words > MK_COPY_WORDS)
		return;
	if (!words) {
		txn->err = -ESTALE;	/* it is no member itself */
		mk_txn_step(txn);
	} else if (txn->phase == MK_TXN_HELLO &&
		   offset == MK_REPLICA_FRAME_WORDS &&
		   words == mk_replica_words() - MK_REPLICA_FRAME_WORDS) {
		mk_txn_hello(txn, msg);
	} else if (txn->phase == MK_TXN_COPYING && offset == txn->copied) {
		for (i = 0; i < words && txn->copied < mk_replica_words(); i++)
			mk_replica_set_word(mk_replica(port->cpu),
					    txn->copied++,
					    msg->word[W_DATA + i]);
		if (txn->copied < mk_replica_words()) {
			mk_txn_fetch(txn, txn->copied);
		} else {
			mk_txn_decide(txn, true);
			mk_txn_step(txn);
		}
	}
}

/* --- processes ---------------------------------------------------------------- */

/**
 * mk_txn_reset() - make a transaction that has ended a new one
 * @txn: the transaction; what it is about, and the seats' memory, stay
 *
 * Context: whoever owns it; nothing of it is on its way any more.
 */
void mk_txn_reset(struct mk_txn *txn)
{
	txn->phase = MK_TXN_NEW;
	txn->commit = false;
	txn->err = 0;
	txn->cancelled = 0;
	txn->give_up = false;
	txn->adopted = false;
	txn->gone = -1;
	reinit_completion(&txn->done);
}

/**
 * mk_txn_alloc() - make a transaction
 * @gfp: for the memory
 *
 * Context: process.
 * Return: the transaction, with a reference for the caller; or NULL.
 */
struct mk_txn *mk_txn_alloc(gfp_t gfp)
{
	struct mk_txn *txn;

	txn = kvzalloc(struct_size(txn, seat, nr_cpu_ids), gfp);
	if (!txn)
		return NULL;
	kref_init(&txn->ref);
	INIT_LIST_HEAD(&txn->node);
	init_completion(&txn->done);
	init_completion(&txn->frozen);
	txn->begin.fn = mk_txn_begin_work;
	txn->nudge.fn = mk_txn_nudge_work;
	txn->fetch_post.type = MK_TYPE_FETCH;
	txn->fetch_post.lines = 1;
	txn->fetch_post.word = txn->fetch;
	txn->fetch_post.done = mk_fetch_done;
	txn->gone = -1;
	return txn;
}

/**
 * mk_txn_hand() - hand a transaction to a port: a new one, or an orphan
 * @txn: the transaction; the port gets a reference
 * @cpu: the port's CPU
 *
 * Context: process; no port has it.
 * Return: 0, -ENODEV if the CPU is off line.
 */
int mk_txn_hand(struct mk_txn *txn, int cpu)
{
	int err;

	kref_get(&txn->ref);
	WRITE_ONCE(txn->cpu, cpu);
	err = mk_port_push(mk_port(cpu), &txn->begin, NULL);
	if (err)
		mk_txn_put(txn);
	return err;
}

/**
 * mk_txn_nudge() - have a transaction looked at
 * @txn: the transaction
 * @cpu: of the port that has it; another one does nothing
 *
 * Context: any.
 */
void mk_txn_nudge(struct mk_txn *txn, int cpu)
{
	if (atomic_xchg(&txn->nudged, 1))
		return;
	kref_get(&txn->ref);
	if (mk_port_push(mk_port(cpu), &txn->nudge, NULL)) {
		atomic_set(&txn->nudged, 0);
		mk_txn_put(txn);
	}
}
