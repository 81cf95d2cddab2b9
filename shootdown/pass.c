// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement along a tree. A question or a decision goes from the coordinator down a
 * planned tree, and each member answers when all below it have: so a vote is that
 * of a whole subtree, whose members the coordinator knows, since it made the tree.
 *
 * A subtree says yes if everybody in it has. It is against if somebody is, and
 * nobody asks who, as one is enough. If a member cannot reach somebody, or has too
 * much under way to remember whom it waits for, it answers that it does not know;
 * then, and when no answer comes, the coordinator asks or tells the members by
 * themselves, as it does without a tree. So nothing depends on a tree: what is lost
 * with a member that goes is only what others have said to it, and they say it
 * again. What comes late down a tree is what comes late anyway.
 *
 * A message brings the tree below its receiver with it. Nobody keeps trees, and a
 * member that comes back has forgotten nothing that it would need.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "shootdown/agree_priv.h"
#include "urpc/link.h"
#include "urpc/route_plan.h"

/* Words of PASS. */
enum {
	P_ID,
	P_VIEW,			/* a decision: what it is */
	P_CHANGE,		/* kind, from, to, phase, a byte each; then hops */
	P_SLOTS,		/* the first, and how many */
	P_HOPS,			/* two in a word */
};

#define MK_PASS_HOPS	((MK_MESSAGE_WORDS - P_HOPS) * 2)

static_assert(sizeof(struct mk_pass_hop) * 2 == sizeof(u64));

static unsigned int mk_pass_lines(unsigned int hops)
{
	return DIV_ROUND_UP(P_HOPS + DIV_ROUND_UP(hops, 2), MK_LINE_WORDS);
}

/* --- trees --------------------------------------------------------------------- */

/**
 * mk_pass_tree_free() - free a tree
 * @tree: or NULL
 *
 * Context: any that may free memory.
 */
void mk_pass_tree_free(struct mk_pass_tree *tree)
{
	if (!tree)
		return;
	free_cpumask_var(tree->members);
	kvfree(tree);
}

/* Each before those below it. False if no message or member has room for that. */
static bool mk_pass_tree_fill(struct mk_pass_tree *tree,
			      const struct mk_tree *plan, u16 *all, u16 *next,
			      u8 *children)
{
	unsigned int i;
	bool deep = false;

	for (i = 0; i < plan->nr; i++)
		all[i] = 1;
	for (i = plan->nr - 1; i; i--)
		all[plan->node[i].parent] += all[i];
	next[0] = 0;
	for (i = 1; i < plan->nr; i++) {
		int parent = plan->node[i].parent;
		struct mk_pass_hop *hop = &tree->hop[next[parent]];

		hop->cpu = plan->node[i].cpu;
		hop->all = all[i];
		next[i] = next[parent] + 1;
		next[parent] += all[i];
		deep |= parent;
		if (parent ? ++children[parent] > MK_PASS_CHILDREN :
			     all[i] - 1 > MK_PASS_HOPS)
			return false;
	}
	return deep;
}

static struct mk_pass_tree *mk_pass_tree_alloc(int root, unsigned int nr,
					       const struct cpumask *members)
{
	struct mk_pass_tree *tree;

	tree = kvzalloc(struct_size(tree, hop, nr), GFP_KERNEL);
	if (!tree)
		return NULL;
	if (!alloc_cpumask_var(&tree->members, GFP_KERNEL)) {
		kvfree(tree);
		return NULL;
	}
	cpumask_copy(tree->members, members);
	tree->root = root;
	tree->nr = cpumask_weight(tree->members) - 1;
	return tree;
}

/**
 * mk_pass_tree_make() - plan a tree
 * @root: CPU of the coordinator
 * @members: CPUs of all who vote
 *
 * Context: process, sleeps.
 * Return: the tree; NULL if it would have nobody who passes anything on, or be too
 * large, or there is no memory: each is asked by itself then.
 */
struct mk_pass_tree *mk_pass_tree_make(int root, const struct cpumask *members)
{
	unsigned int nr = cpumask_weight(members);
	struct mk_pass_tree *tree;
	struct mk_tree plan = {};
	bool ok = false;
	u16 *numbers;

	if (nr < 3 || nr > MK_ROUTE_PLAN_MOST)
		return NULL;
	tree = mk_pass_tree_alloc(root, nr, members);
	plan.node = kvcalloc(nr + 1, sizeof(*plan.node), GFP_KERNEL);
	numbers = kvcalloc(3 * nr, sizeof(*numbers), GFP_KERNEL);
	/* CPUs may have come and gone since they were counted. */
	if (tree && plan.node && numbers && tree->nr == nr - 1 &&
	    cpumask_test_cpu(root, tree->members) &&
	    !mk_route_plan(root, tree->members, &plan) && plan.nr == nr)
		ok = mk_pass_tree_fill(tree, &plan, numbers, numbers + nr,
				       (u8 *)(numbers + 2 * nr));
	kvfree(numbers);
	kvfree(plan.node);
	if (ok)
		return tree;
	mk_pass_tree_free(tree);
	return NULL;
}

/**
 * mk_pass_child() - a child of the root
 * @tree: the tree
 * @cpu: its CPU
 *
 * Context: any.
 * Return: it, and those below it after it; NULL if there is none.
 */
const struct mk_pass_hop *mk_pass_child(const struct mk_pass_tree *tree, int cpu)
{
	unsigned int i;

	for (i = 0; i < tree->nr; i += tree->hop[i].all)
		if (tree->hop[i].cpu == cpu)
			return &tree->hop[i];
	return NULL;
}

/* --- the coordinator ------------------------------------------------------------- */

/* To @hop, with the tree below it, which goes into @word. */
static int mk_pass_send(struct mk_port *port, u64 *word,
			const struct mk_pass_hop *hop)
{
	unsigned int below = hop->all - 1;
	int err;

	word[P_CHANGE] = (u32)word[P_CHANGE] | (u64)below << 32;
	memset(word + P_HOPS, 0, (mk_pass_lines(below) * MK_LINE_WORDS - P_HOPS) *
				 sizeof(*word));
	memcpy(word + P_HOPS, hop + 1, below * sizeof(*hop));
	err = mk_link_send(port, hop->cpu, MK_TYPE_PASS, word,
			   mk_pass_lines(below));
	if (!err)
		mk_agree_count(mk_agree(port->cpu), messages);
	return err;
}

/* They may be asked from now on; by the coordinator, if not by the tree. */
static void mk_txn_pass_seats(struct mk_txn *txn, enum mk_pass_phase phase,
			      const struct mk_pass_hop *hop, bool sent)
{
	unsigned int i;

	for (i = 0; i < hop->all; i++) {
		struct mk_seat *seat = mk_txn_seat(txn, hop[i].cpu);

		if (sent && phase == MK_PASS_PREPARE)
			seat->asked = true;
		else if (!sent && !(phase == MK_PASS_PREPARE ? seat->voted :
							     seat->done))
			mk_seat_send(seat, phase);
	}
}

/* Is the tree one of those who vote? The others are of this coordinator. */
static bool mk_txn_has_tree(const struct mk_txn *txn)
{
	const struct mk_pass_tree *tree = txn->tree;

	return tree && !txn->adopted && tree->root == txn->port->cpu &&
	       tree->nr == txn->nr_seats - 1 &&
	       txn->change.kind == MK_CHANGE_RETYPE &&
	       READ_ONCE(mk_agree_pause) == MK_AGREE_NO_PAUSE &&
	       cpumask_equal(tree->members, txn->voters ?:
			     mk_replica(txn->port->cpu)->members);
}

/**
 * mk_txn_pass() - ask all, or tell all, down the tree
 * @txn: the transaction
 * @phase: which of the two
 *
 * Context: the coordinator.
 * Return: false if there is no tree for that, or this has been done: then each is to
 * be asked or told by itself.
 */
bool mk_txn_pass(struct mk_txn *txn, enum mk_pass_phase phase)
{
	struct mk_port *port = txn->port;
	const struct mk_change *change = &txn->change;
	u64 *word = mk_agree(port->cpu)->copy;
	const struct mk_pass_hop *hop;
	unsigned int i;

	if (txn->passed[phase] || !mk_txn_has_tree(txn))
		return false;
	/* Whoever was not asked along the tree is not told along it. */
	if (phase == MK_PASS_DECIDE && !txn->passed[MK_PASS_PREPARE])
		return false;
	txn->passed[phase] = true;
	for (i = 0; i < txn->tree->nr; i += hop->all) {
		hop = &txn->tree->hop[i];
		word[P_ID] = txn->id;
		word[P_VIEW] = phase == MK_PASS_PREPARE ? txn->view : txn->commit;
		word[P_CHANGE] = change->kind | change->from << 8 |
				 change->to << 16 | phase << 24;
		word[P_SLOTS] = change->first | (u64)change->count << 32;
		mk_txn_pass_seats(txn, phase, hop, !mk_pass_send(port, word, hop));
	}
	return true;
}

/* --- the members ------------------------------------------------------------------- */

static void mk_pass_answer(struct mk_port *port, int cpu, u64 id, u8 phase,
			   u8 verdict)
{
	const u64 word[MK_LINE_WORDS] = { id, phase | verdict << 8 };

	mk_answer(port, cpu, MK_TYPE_PASSED, word);
}

static void mk_pass_close(struct mk_agree *agree, struct mk_pass *pass)
{
	pass->id = 0;
	agree->nr_pass--;
}

static void mk_pass_finish(struct mk_port *port, struct mk_pass *pass)
{
	mk_pass_answer(port, pass->up, pass->id, pass->phase, pass->verdict);
	mk_pass_close(mk_agree(port->cpu), pass);
}

static struct mk_pass *mk_pass_find(struct mk_agree *agree, u64 id, u8 phase)
{
	unsigned int i;

	for (i = 0; agree->nr_pass && i < MK_PASSES; i++)
		if (agree->pass[i].id == id && agree->pass[i].phase == phase)
			return &agree->pass[i];
	return NULL;
}

/* If none is free, that which was begun longest ago will never be answered. */
static struct mk_pass *mk_pass_open(struct mk_agree *agree, u64 id, u8 phase,
				    int up)
{
	struct mk_pass *pass = mk_pass_find(agree, id, phase);
	unsigned int i;

	for (i = 0; i < MK_PASSES && !pass; i++)
		if (!agree->pass[i].id)
			pass = &agree->pass[i];
	if (!pass)
		pass = &agree->pass[agree->next_pass++ % MK_PASSES];
	agree->nr_pass += !pass->id;
	*pass = (struct mk_pass){
		.id = id, .phase = phase, .verdict = MK_VOTE_YES, .up = up,
	};
	return pass;
}

/* To the children of this member; who cannot be reached makes it unknown. */
static void mk_pass_on(struct mk_port *port, struct mk_pass *pass,
		       const struct mk_message *msg, unsigned int below)
{
	const struct mk_pass_hop *hop = (const void *)(msg->word + P_HOPS);
	const struct mk_pass_hop *end = hop + below;
	struct mk_agree *agree = mk_agree(port->cpu);

	memcpy(agree->copy, msg->word, P_HOPS * sizeof(u64));
	for (; hop < end; hop += hop->all) {
		if (!hop->all || hop->all > end - hop ||
		    pass->nr == MK_PASS_CHILDREN) {
			pass->verdict = MK_VOTE_LATER;
			return;
		}
		if (mk_pass_send(port, agree->copy, hop)) {
			pass->verdict = MK_VOTE_LATER;
			continue;
		}
		mk_agree_count(agree, passed);
		pass->waiting |= BIT(pass->nr);
		pass->child[pass->nr++] = hop->cpu;
	}
}

/* What this member itself says. */
static enum mk_verdict mk_pass_own(struct mk_port *port,
				   const struct mk_message *msg, u8 phase)
{
	const struct mk_change change = {
		.kind = msg->word[P_CHANGE],
		.from = msg->word[P_CHANGE] >> 8,
		.to = msg->word[P_CHANGE] >> 16,
		.first = msg->word[P_SLOTS],
		.count = msg->word[P_SLOTS] >> 32,
	};
	u64 id = msg->word[P_ID];

	if (phase == MK_PASS_PREPARE)
		return mk_agree_vote(port, id, msg->word[P_VIEW], &change,
				     id >> MK_TXN_SHIFT);
	mk_agree_told(port, id, msg->word[P_VIEW]);
	return MK_VOTE_YES;
}

static void mk_handle_pass(struct mk_endpoint *ep, const struct mk_message *msg)
{
	u8 phase = msg->word[P_CHANGE] >> 24 & 0xff, own;
	u32 below = msg->word[P_CHANGE] >> 32;
	int up = ep->peer->port->cpu;
	struct mk_port *port = ep->port;
	struct mk_agree *agree = mk_agree(port->cpu);
	struct mk_pass *pass;

	if (phase >= MK_PASS_PHASES || below > MK_PASS_HOPS ||
	    msg->lines != mk_pass_lines(below))
		return;
	if (READ_ONCE(mk_agree_fault) == MK_AGREE_PASS_OVER)
		below = 0;
	if (!below) {
		own = mk_pass_own(port, msg, phase);
		mk_pass_answer(port, up, msg->word[P_ID], phase, own);
		return;
	}
	/* What was decided ends the question: its answers need not be waited for. */
	if (phase == MK_PASS_DECIDE)
		mk_pass_forget(agree, msg->word[P_ID]);
	pass = mk_pass_open(agree, msg->word[P_ID], phase, up);
	mk_pass_on(port, pass, msg, below);
	own = mk_pass_own(port, msg, phase);
	pass->verdict = max(pass->verdict, own);
	if (!pass->waiting)
		mk_pass_finish(port, pass);
}

static void mk_handle_passed(struct mk_endpoint *ep, const struct mk_message *msg)
{
	u8 phase = msg->word[1], verdict = msg->word[1] >> 8;
	struct mk_port *port = ep->port;
	struct mk_agree *agree = mk_agree(port->cpu);
	u64 id = msg->word[P_ID];
	int from = ep->peer->port->cpu;
	struct mk_pass *pass;
	unsigned int i;

	if (phase >= MK_PASS_PHASES || verdict >= MK_VERDICTS)
		return;
	if (id >> MK_TXN_SHIFT == port->cpu) {
		mk_txn_passed(port, from, id, phase, verdict);
		return;
	}
	pass = mk_pass_find(agree, id, phase);
	for (i = 0; pass && i < pass->nr; i++)
		if (pass->child[i] == from && pass->waiting & BIT(i))
			break;
	if (!pass || i == pass->nr)
		return;
	pass->waiting &= ~BIT(i);
	pass->verdict = max(pass->verdict, verdict);
	if (!pass->waiting)
		mk_pass_finish(port, pass);
}

/**
 * mk_pass_forget() - a question has been decided
 * @agree: agreement's part of the caller's port
 * @id: of the transaction
 *
 * Context: the port's thread.
 */
void mk_pass_forget(struct mk_agree *agree, u64 id)
{
	struct mk_pass *pass = mk_pass_find(agree, id, MK_PASS_PREPARE);

	if (pass)
		mk_pass_close(agree, pass);
}

/**
 * mk_pass_closed() - forget everything
 * @agree: agreement's part of a port that has closed
 *
 * Context: the port's thread, as the last thing it does.
 */
void mk_pass_closed(struct mk_agree *agree)
{
	memset(agree->pass, 0, sizeof(agree->pass));
	agree->nr_pass = 0;
}

/**
 * mk_pass_init() - set the handlers
 *
 * Context: process, before the first port opens.
 */
void mk_pass_init(void)
{
	mk_handler_set(MK_TYPE_PASS, mk_handle_pass);
	mk_handler_set(MK_TYPE_PASSED, mk_handle_passed);
}
