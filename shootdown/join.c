// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: a monitor becomes a member. It asks a member for the view, has all
 * vote, and copies the table while that stands still.
 */
#include "shootdown/agree_priv.h"
#include "urpc/link.h"

/**
 * mk_join_allowed() - may a monitor join now
 * @agree: its
 * @replica: its; one at a time writes it before it is a member's
 *
 * Context: its port's thread; the join is in the list.
 * Return: 0; -EALREADY if it is a member; -EAGAIN if another join is under way.
 */
int mk_join_allowed(const struct mk_agree *agree,
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
 * mk_fetch_done() - the question for a part of the table was sent, or was not
 * @post: it
 * @err: why not, or 0
 *
 * Context: the coordinator.
 */
void mk_fetch_done(struct mk_post *post, int err)
{
	struct mk_txn *txn = container_of(post, struct mk_txn, fetch_post);

	txn->fetch_out = false;
	if (err && txn->port && !mk_port_is_open(mk_port(txn->peer))) {
		txn->err = txn->err ?: -EHOSTDOWN;
		mk_txn_nudge(txn, txn->port->cpu);
	}
	mk_txn_put(txn);
}

/**
 * mk_txn_fetch() - ask for a part of the table
 * @txn: a join
 * @offset: first word of it
 *
 * Context: the coordinator.
 */
void mk_txn_fetch(struct mk_txn *txn, u32 offset)
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

/**
 * mk_txn_joined() - a monitor has the table as all others have it at this moment
 * @txn: its join, decided
 *
 * Context: the coordinator, which is the monitor.
 */
void mk_txn_joined(struct mk_txn *txn)
{
	struct mk_replica *replica = mk_replica(txn->port->cpu);

	mk_replica_leave(replica);	/* what it had open as a member once */
	cpumask_set_cpu(txn->port->cpu, replica->members);
	WRITE_ONCE(replica->view, txn->view + 1);
	WRITE_ONCE(replica->joined, true);
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
