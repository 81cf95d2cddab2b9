/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agreement: what its coordinator's files share. agree.c has the phases, seat.c
 * those who vote, pass.c trees of them, join.c what a join does beside, txn.c what
 * its process does.
 */
#ifndef MK_AGREE_PRIV_H
#define MK_AGREE_PRIV_H

#include "shootdown/agree.h"

struct mk_work;

/* agree.c: the coordinator. The first three may end, and free, the transaction. */
void mk_txn_step(struct mk_txn *txn);
void mk_txn_begin_work(struct mk_port *port, struct mk_work *work);
void mk_txn_nudge_work(struct mk_port *port, struct mk_work *work);
void mk_txn_ask(struct mk_txn *txn);
void mk_txn_decide(struct mk_txn *txn, bool commit);
struct mk_txn *mk_txn_find(struct mk_port *port, u64 id);

/* seat.c: the coordinator. */
void mk_txn_seats(struct mk_txn *txn, const struct cpumask *members);
struct mk_seat *mk_txn_seat(struct mk_txn *txn, int cpu);
void mk_txn_post_prepare(struct mk_txn *txn);
void mk_txn_post_decide(struct mk_txn *txn);
void mk_seat_send(struct mk_seat *seat, enum mk_pass_phase phase);
bool mk_txn_paused(const struct mk_txn *txn, enum mk_agree_pause where);

/* pass.c: the coordinator. */
bool mk_txn_pass(struct mk_txn *txn, enum mk_pass_phase phase);
const struct mk_pass_hop *mk_pass_child(const struct mk_pass_tree *tree, int cpu);

/* join.c: the coordinator, which joins. */
int mk_join_allowed(const struct mk_agree *agree,
		    const struct mk_replica *replica);
void mk_txn_fetch(struct mk_txn *txn, u32 offset);
void mk_fetch_done(struct mk_post *post, int err);
void mk_txn_joined(struct mk_txn *txn);

#endif /* MK_AGREE_PRIV_H */
