// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: who votes. Handlers of its messages, in every port.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/memory.h"
#include "shootdown/agree.h"
#include "urpc/link.h"

u32 mk_agree_fault, mk_agree_pause, mk_agree_planned;

static struct mk_agree **mk_agree_table;

/**
 * mk_agree() - agreement's part of a CPU's port
 * @cpu: a possible one
 *
 * Context: any; what it points to belongs to that port's thread, counters may
 * be read by anyone.
 */
struct mk_agree *mk_agree(int cpu)
{
	return mk_agree_table[cpu];
}

/* Is this CPU the one that a planted fault is in? */
static bool mk_agree_faulty(int cpu, enum mk_agree_fault fault)
{
	return READ_ONCE(mk_agree_fault) == fault &&
	       cpu == cpumask_last(cpu_online_mask);
}

/* --- answers ------------------------------------------------------------------- */

static void mk_answer_done(struct mk_post *post, int err)
{
	container_of(post, struct mk_answer, post)->busy = false;
}

/**
 * mk_answer() - send an answer, now or when there is room
 * @port: the caller's own
 * @cpu: whom to
 * @type: enum mk_type
 * @word: one line
 *
 * One that finds no place is lost: it will be asked for again.
 *
 * Context: the port's thread.
 */
void mk_answer(struct mk_port *port, int cpu, enum mk_type type,
	       const u64 *word)
{
	struct mk_agree *agree = mk_agree(port->cpu);
	struct mk_answer *answer = agree->answer;
	int err;

	while (answer->busy && answer < agree->answer + MK_ANSWERS - 1)
		answer++;
	if (answer->busy) {
		mk_agree_count(agree, dropped);
		return;
	}
	memcpy(answer->word, word, sizeof(answer->word));
	answer->post.type = type;
	answer->post.lines = 1;
	answer->post.word = answer->word;
	answer->post.done = mk_answer_done;
	answer->busy = true;
	err = mk_link_post(port, cpu, &answer->post);
	if (err != -EINPROGRESS)
		answer->busy = false;
	if (!err || err == -EINPROGRESS)
		mk_agree_count(agree, messages);
}

static void mk_answer_vote(struct mk_port *port, int cpu, u64 id,
			   enum mk_verdict verdict)
{
	const u64 word[MK_LINE_WORDS] = {
		[W_ID] = id,
		[W_VERDICT] = verdict,
	};

	if (cpu == port->cpu) {
		mk_txn_vote(port, cpu, id, verdict);
		return;
	}
	mk_answer(port, cpu, MK_TYPE_VOTE, word);
	if (READ_ONCE(mk_agree_fault) == MK_AGREE_VOTE_TWICE)
		mk_answer(port, cpu, MK_TYPE_VOTE, word);
}

/**
 * mk_agree_decide() - a change takes place here, or does not
 * @port: the caller's own
 * @id: of the transaction
 * @commit: it does
 *
 * Sends the vote that waited for it, if there is one.
 *
 * Context: the port's thread.
 */
void mk_agree_decide(struct mk_port *port, u64 id, bool commit)
{
	struct mk_replica *replica = mk_replica(port->cpu);
	u64 ready;

	mk_pass_forget(mk_agree(port->cpu), id);
	mk_replica_decide(replica, id, commit);
	ready = mk_replica_ready(replica);
	if (ready)
		mk_answer_vote(port, replica->turn_asker, ready, MK_VOTE_YES);
}

/**
 * mk_agree_vote() - vote on a change
 * @port: the caller's own
 * @id: of the transaction
 * @view: of its coordinator
 * @change: what
 * @asker: CPU that a vote which has to wait goes to
 *
 * Context: the port's thread.
 * Return: the vote.
 */
enum mk_verdict mk_agree_vote(struct mk_port *port, u64 id, u64 view,
			      const struct mk_change *change, int asker)
{
	enum mk_verdict verdict;

	verdict = mk_replica_prepare(mk_replica(port->cpu), id, view, change,
				     asker);
	if (verdict != MK_VOTE_YES && verdict != MK_VOTE_LATER)
		mk_agree_count(mk_agree(port->cpu), conflicts);
	return verdict;
}

/**
 * mk_agree_told() - the coordinator says what was decided
 * @port: the caller's own
 * @id: of the transaction
 * @commit: it takes place
 *
 * Context: the port's thread.
 */
void mk_agree_told(struct mk_port *port, u64 id, bool commit)
{
	if (commit && mk_agree_faulty(port->cpu, MK_AGREE_DROP_COMMIT)) {
		WRITE_ONCE(mk_agree_fault, MK_AGREE_NO_FAULT);
		commit = false;
	}
	mk_agree_decide(port, id, commit);
}

/* --- handlers ------------------------------------------------------------------ */

static void mk_handle_prepare(struct mk_endpoint *ep,
			      const struct mk_message *msg)
{
	struct mk_port *port = ep->port;
	int from = ep->peer->port->cpu;
	const struct mk_change change = {
		.kind = msg->word[W_KIND],
		.from = msg->word[W_KIND] >> 8,
		.to = msg->word[W_KIND] >> 16,
		.first = msg->word[W_FIRST],
		.count = msg->word[W_COUNT],
	};
	u64 id = msg->word[W_ID];
	enum mk_verdict verdict;

	verdict = mk_agree_vote(port, id, msg->word[W_VIEW], &change, from);
	if (verdict != MK_VOTE_LATER)
		mk_answer_vote(port, from, id, verdict);
}

static void mk_handle_vote(struct mk_endpoint *ep, const struct mk_message *msg)
{
	mk_txn_vote(ep->port, ep->peer->port->cpu, msg->word[W_ID],
		    msg->word[W_VERDICT]);
}

static void mk_handle_decide(struct mk_endpoint *ep,
			     const struct mk_message *msg)
{
	const u64 word[MK_LINE_WORDS] = { [W_ID] = msg->word[W_ID] };

	mk_agree_told(ep->port, msg->word[W_ID], msg->word[W_COMMIT]);
	mk_answer(ep->port, ep->peer->port->cpu, MK_TYPE_DONE, word);
}

static void mk_handle_done(struct mk_endpoint *ep, const struct mk_message *msg)
{
	mk_txn_told(ep->port, ep->peer->port->cpu, msg->word[W_ID]);
}

/* Lost if there is no room: it will be asked for again. */
static void mk_handle_fetch(struct mk_endpoint *ep,
			    const struct mk_message *msg)
{
	const struct mk_replica *replica = mk_replica(ep->port->cpu);
	struct mk_agree *agree = mk_agree(ep->port->cpu);
	u64 offset = msg->word[W_OFFSET], words = 0, i;
	u64 *copy = agree->copy;

	if (replica->joined && offset < mk_replica_words())
		words = min_t(u64, mk_replica_words() - offset, MK_COPY_WORDS);
	copy[W_ID] = msg->word[W_ID];
	copy[W_VIEW] = replica->view;
	copy[W_OFFSET] = offset;
	copy[W_WORDS] = words;
	for (i = 0; i < words; i++)
		copy[W_DATA + i] = mk_replica_word(replica, offset + i);
	if (mk_endpoint_send(ep, MK_TYPE_COPY, 0, 0, copy,
			     DIV_ROUND_UP(W_DATA + words, MK_LINE_WORDS)))
		mk_agree_count(agree, dropped);
	else
		mk_agree_count(agree, messages);
}

static void mk_handle_copy(struct mk_endpoint *ep, const struct mk_message *msg)
{
	mk_txn_copy(ep->port, ep->peer->port->cpu, msg);
}

/* Work: the others go on without this one, which may join again. */
static void mk_agree_leave(struct mk_port *port, struct mk_work *work)
{
	struct mk_agree *agree = mk_agree(port->cpu);

	atomic_set_release(&agree->leave_pushed, 0);
	mk_replica_leave(mk_replica(port->cpu));
}

/**
 * mk_agree_excluded() - have a monitor know that it is no member any more
 * @cpu: its CPU
 *
 * Context: any.
 */
void mk_agree_excluded(int cpu)
{
	struct mk_agree *agree = mk_agree(cpu);

	if (atomic_xchg(&agree->leave_pushed, 1))
		return;
	if (mk_port_push(mk_port(cpu), &agree->leave, NULL))
		atomic_set(&agree->leave_pushed, 0);
}

/* --- a port's life ------------------------------------------------------------- */

/**
 * mk_agree_closed() - a port has closed: its transactions go on elsewhere
 * @port: the caller's own; no message comes or goes any more
 *
 * Context: the port's thread, as the last thing it does.
 */
void mk_agree_closed(struct mk_port *port)
{
	struct mk_agree *agree = mk_agree(port->cpu);
	struct mk_txn *txn, *next;
	int cpu, err;

	mk_replica_leave(mk_replica(port->cpu));
	mk_pass_closed(agree);
	list_for_each_entry_safe(txn, next, &agree->txns, node) {
		list_del_init(&txn->node);
		txn->orphan = true;
		txn->port = NULL;
		err = -ENODEV;
		for_each_online_cpu(cpu) {
			err = cpu == port->cpu ? -ENODEV :
			      mk_txn_hand(txn, cpu);
			if (!err)
				break;
		}
		if (err) {
			/* No monitor is left, and so no replica. */
			txn->err = txn->err ?: -ENODEV;
			txn->phase = MK_TXN_ENDED;
			complete_all(&txn->done);
		}
		mk_txn_put(txn);
	}
}

/**
 * mk_voters_exit() - free agreement's part of all ports
 *
 * Context: process, when no port is open.
 */
void mk_voters_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(mk_agree_table[cpu]);
	kfree(mk_agree_table);
	mk_agree_table = NULL;
}

/**
 * mk_voters_init() - allocate agreement's part of all ports, set the handlers
 *
 * Context: process, before the first port opens.
 * Return: 0 or -ENOMEM.
 */
int mk_voters_init(void)
{
	int cpu;

	mk_agree_table = kcalloc(nr_cpu_ids, sizeof(*mk_agree_table),
				 GFP_KERNEL);
	if (!mk_agree_table)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		mk_agree_table[cpu] = kvzalloc_node(sizeof(**mk_agree_table),
						    GFP_KERNEL,
						    cpu_to_node(cpu));
		if (!mk_agree_table[cpu]) {
			mk_voters_exit();
			return -ENOMEM;
		}
		INIT_LIST_HEAD(&mk_agree_table[cpu]->txns);
		mk_agree_table[cpu]->leave.fn = mk_agree_leave;
	}
	mk_handler_set(MK_TYPE_PREPARE, mk_handle_prepare);
	mk_handler_set(MK_TYPE_VOTE, mk_handle_vote);
	mk_handler_set(MK_TYPE_DECIDE, mk_handle_decide);
	mk_handler_set(MK_TYPE_DONE, mk_handle_done);
	mk_handler_set(MK_TYPE_FETCH, mk_handle_fetch);
	mk_handler_set(MK_TYPE_COPY, mk_handle_copy);
	mk_pass_init();
	return 0;
}

/**
 * mk_agree_bytes() - memory of replicas, and of agreement's part of ports
 *
 * Context: any.
 */
u64 mk_agree_bytes(void)
{
	u64 bytes = mk_replicas_bytes();
	int cpu;

	for_each_possible_cpu(cpu)
		bytes += is_vmalloc_addr(mk_agree_table[cpu]) ?
			 PAGE_ALIGN(sizeof(struct mk_agree)) :
			 ksize(mk_agree_table[cpu]);
	return bytes;
}

/**
 * mk_agree_size() - memory of those of a machine
 * @cpus: its CPUs
 *
 * Context: any.
 */
u64 mk_agree_size(unsigned int cpus)
{
	return mk_replicas_size(cpus) +
	       cpus * mk_alloc_size(sizeof(struct mk_agree));
}
