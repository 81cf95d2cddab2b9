// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: the log of a transaction, as the process that owns it sees it.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "shootdown/agree_priv.h"
#include "urpc/port.h"

static void mk_txn_free(struct kref *ref)
{
	struct mk_txn *txn = container_of(ref, struct mk_txn, ref);

	mk_pass_tree_free(txn->tree);
	kvfree(txn);
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
	memset(txn->passed, 0, sizeof(txn->passed));
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
 * Context: process, sleeps, with a new one; a port's thread with an orphan. No port
 * has it.
 * Return: 0, -ENODEV if the CPU is off line.
 */
int mk_txn_hand(struct mk_txn *txn, int cpu)
{
	int err;

	if (READ_ONCE(mk_agree_planned) && !txn->orphan &&
	    txn->change.kind == MK_CHANGE_RETYPE) {
		mk_pass_tree_free(txn->tree);
		txn->tree = mk_pass_tree_make(cpu, cpu_online_mask);
	}
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
