// SPDX-License-Identifier: GPL-2.0
/*
 * Replicas of the frame table: what a monitor locks, applies and copies.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/memory.h"
#include "shootdown/replica.h"

static struct mk_replica **mk_replica_table;

/**
 * mk_replica() - the replica of a CPU
 * @cpu: a possible one
 *
 * Context: any; what it points to belongs to that CPU's port's thread.
 */
struct mk_replica *mk_replica(int cpu)
{
	return mk_replica_table[cpu];
}

/**
 * mk_replica_size() - size of one replica, without what it points to
 * @cpus: of the machine; not used while members fit beside it
 *
 * Context: any.
 */
size_t mk_replica_size(unsigned int cpus)
{
	return sizeof(struct mk_replica);
}

static void mk_replica_free(struct mk_replica *replica)
{
	if (!replica)
		return;
	free_cpumask_var(replica->members);
	kvfree(replica->last);
	kvfree(replica);
}

static struct mk_replica *mk_replica_alloc(int node)
{
	struct mk_replica *replica;

	replica = kvzalloc_node(sizeof(*replica), GFP_KERNEL, node);
	if (!replica)
		return NULL;
	replica->last = kvzalloc_node(nr_cpu_ids * sizeof(*replica->last),
				      GFP_KERNEL, node);
	if (!replica->last ||
	    !zalloc_cpumask_var_node(&replica->members, GFP_KERNEL, node)) {
		kvfree(replica->last);
		kvfree(replica);
		return NULL;
	}
	return replica;
}

/**
 * mk_replicas_exit() - free all replicas
 *
 * Context: process, when no port is open.
 */
void mk_replicas_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		mk_replica_free(mk_replica_table[cpu]);
	kfree(mk_replica_table);
	mk_replica_table = NULL;
}

/**
 * mk_replicas_init() - allocate a replica for every possible CPU, on its node
 *
 * They are members of nothing until mk_replica_found() or a join.
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int mk_replicas_init(void)
{
	int cpu;

	mk_replica_table = kcalloc(nr_cpu_ids, sizeof(*mk_replica_table),
				   GFP_KERNEL);
	if (!mk_replica_table)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		mk_replica_table[cpu] = mk_replica_alloc(cpu_to_node(cpu));
		if (!mk_replica_table[cpu]) {
			mk_replicas_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

static u64 mk_bytes(const void *p, size_t size)
{
	return is_vmalloc_addr(p) ? PAGE_ALIGN(size) : ksize(p);
}

/**
 * mk_replicas_bytes() - memory of all replicas, as handed out
 *
 * Context: any.
 */
u64 mk_replicas_bytes(void)
{
	u64 bytes = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		bytes += mk_bytes(mk_replica_table[cpu],
				  sizeof(struct mk_replica)) +
			 mk_bytes(mk_replica_table[cpu]->last,
				  nr_cpu_ids * sizeof(u64));
	return bytes;
}

/**
 * mk_replicas_size() - memory of the replicas of a machine
 * @cpus: its CPUs
 *
 * Context: any.
 */
u64 mk_replicas_size(unsigned int cpus)
{
	return cpus * (mk_alloc_size(sizeof(struct mk_replica)) +
		       mk_alloc_size(cpus * sizeof(u64)));
}

/**
 * mk_replica_found() - begin with an empty table
 * @replica: of the caller's port
 * @members: the first view
 *
 * Context: the port's thread, once, before there are transactions.
 */
void mk_replica_found(struct mk_replica *replica,
		      const struct cpumask *members)
{
	cpumask_copy(replica->members, members);
	WRITE_ONCE(replica->view, 1);
	WRITE_ONCE(replica->joined, true);
}

/**
 * mk_replica_leave() - forget everything but what must not come back
 * @replica: of a port that has closed, or closes
 *
 * Context: the port's thread, or nobody's while the port is closed.
 */
void mk_replica_leave(struct mk_replica *replica)
{
	WRITE_ONCE(replica->joined, false);
	memset(replica->open, 0, sizeof(replica->open));
	memset(&replica->turn, 0, sizeof(replica->turn));
	replica->turn_waits = false;
	replica->nr_open = 0;
}

static struct mk_open *mk_replica_open(struct mk_replica *replica, u64 id)
{
	unsigned int i;

	for (i = 0; i < MK_REPLICA_OPEN; i++)
		if (replica->open[i].id == id)
			return &replica->open[i];
	return NULL;
}

static bool mk_overlap(const struct mk_change *a, const struct mk_change *b)
{
	return a->first < b->first + b->count && b->first < a->first + a->count;
}

static enum mk_verdict mk_replica_lock(struct mk_replica *replica, u64 id,
				       const struct mk_change *change)
{
	struct mk_open *open = mk_replica_open(replica, 0);
	u32 i;

	if (!change->count || change->count > MK_FRAMES ||
	    change->first > MK_FRAMES - change->count)
		return MK_VOTE_TYPE;
	if (!open || replica->turn.id)
		return MK_VOTE_BUSY;
	for (i = 0; i < MK_REPLICA_OPEN; i++)
		if (replica->open[i].id &&
		    mk_overlap(&replica->open[i].change, change))
			return MK_VOTE_BUSY;
	for (i = 0; i < change->count; i++)
		if (mk_frame_type(replica->frame[change->first + i]) !=
		    change->from)
			return MK_VOTE_TYPE;
	open->id = id;
	open->change = *change;
	replica->nr_open++;
	return MK_VOTE_YES;
}

/* Freezes the table from now on; the vote follows when nothing is open. */
static enum mk_verdict mk_replica_take_turn(struct mk_replica *replica, u64 id,
					    const struct mk_change *change,
					    int asker)
{
	if (replica->turn.id || change->first >= nr_cpu_ids)
		return MK_VOTE_BUSY;
	replica->turn.id = id;
	replica->turn.change = *change;
	replica->turn_asker = asker;
	replica->turn_waits = replica->nr_open;
	return replica->turn_waits ? MK_VOTE_LATER : MK_VOTE_YES;
}

/**
 * mk_replica_prepare() - vote on a change
 * @replica: of the caller's port
 * @id: of the transaction
 * @view: of its coordinator
 * @change: what
 * @asker: CPU that the vote goes to
 *
 * Asked again it gives the same answer, and nothing that comes after the
 * decision, or after a later transaction of the same origin, can lock anything.
 *
 * Context: the port's thread; does not wait.
 * Return: the vote.
 */
enum mk_verdict mk_replica_prepare(struct mk_replica *replica, u64 id,
				   u64 view, const struct mk_change *change,
				   int asker)
{
	int origin = id >> MK_TXN_SHIFT;

	if (mk_replica_open(replica, id))
		return MK_VOTE_YES;
	if (replica->turn.id == id) {
		replica->turn_asker = asker;
		return replica->turn_waits ? MK_VOTE_LATER : MK_VOTE_YES;
	}
	if (!replica->joined || replica->view != view)
		return MK_VOTE_VIEW;
	if (id <= replica->last[origin])
		return MK_VOTE_BUSY;
	replica->last[origin] = id;
	return change->kind == MK_CHANGE_RETYPE ?
	       mk_replica_lock(replica, id, change) :
	       mk_replica_take_turn(replica, id, change, asker);
}

static void mk_replica_retype(struct mk_replica *replica,
			      const struct mk_change *change)
{
	u32 i;

	/* From a type to the same one is nothing, for measurements. */
	if (change->from == change->to)
		return;
	for (i = change->first; i < change->first + change->count; i++)
		replica->frame[i] = (replica->frame[i] & ~0xffU) + 0x100 +
				    change->to;
}

static void mk_replica_turn(struct mk_replica *replica,
			    const struct mk_change *change)
{
	if (change->kind == MK_CHANGE_JOIN)
		cpumask_set_cpu(change->first, replica->members);
	else
		cpumask_clear_cpu(change->first, replica->members);
	WRITE_ONCE(replica->view, replica->view + 1);
}

/**
 * mk_replica_decide() - a change takes place, or does not
 * @replica: of the caller's port
 * @id: of the transaction
 * @commit: it does
 *
 * Context: the port's thread.
 * Return: true if it was open here, false if there was nothing to do.
 */
bool mk_replica_decide(struct mk_replica *replica, u64 id, bool commit)
{
	struct mk_open *open = mk_replica_open(replica, id);
	int origin = id >> MK_TXN_SHIFT;

	replica->last[origin] = max(replica->last[origin], id);
	if (open) {
		if (commit)
			mk_replica_retype(replica, &open->change);
		open->id = 0;
		replica->nr_open--;
		return true;
	}
	if (replica->turn.id != id)
		return false;
	if (commit)
		mk_replica_turn(replica, &replica->turn.change);
	replica->turn.id = 0;
	replica->turn_waits = false;
	return true;
}

/**
 * mk_replica_ready() - is it time for a vote that had to wait?
 * @replica: of the caller's port
 *
 * Context: the port's thread, after mk_replica_decide().
 * Return: the transaction that has this replica's yes from now on, or 0.
 */
u64 mk_replica_ready(struct mk_replica *replica)
{
	if (!replica->turn_waits || replica->nr_open)
		return 0;
	replica->turn_waits = false;
	return replica->turn.id;
}

/**
 * mk_replica_find() - look for free slots that nobody has locked here
 * @replica: of the caller's port
 * @count: so many in a row
 * @start: where to begin; goes on from slot 0
 *
 * Context: the port's thread.
 * Return: the first, -ENOSPC if so many are not free, -EBUSY if they are
 * locked.
 */
int mk_replica_find(const struct mk_replica *replica, u32 count, u32 start)
{
	DECLARE_BITMAP(taken, MK_FRAMES);
	unsigned long at;
	u32 i;

	bitmap_zero(taken, MK_FRAMES);
	for (i = 0; i < MK_FRAMES; i++)
		if (mk_frame_type(replica->frame[i]) != MK_FRAME_FREE)
			__set_bit(i, taken);
	at = bitmap_find_next_zero_area(taken, MK_FRAMES, 0, count, 0);
	if (at >= MK_FRAMES)
		return -ENOSPC;
	for (i = 0; i < MK_REPLICA_OPEN; i++)
		if (replica->open[i].id)
			bitmap_set(taken, replica->open[i].change.first,
				   replica->open[i].change.count);
	at = bitmap_find_next_zero_area(taken, MK_FRAMES, start, count, 0);
	if (at >= MK_FRAMES)
		at = bitmap_find_next_zero_area(taken, MK_FRAMES, 0, count, 0);
	return at >= MK_FRAMES ? -EBUSY : at;
}

/**
 * mk_replica_words() - words that make up a replica for a copy
 *
 * Context: any.
 */
u32 mk_replica_words(void)
{
	return BITS_TO_U64(nr_cpu_ids) + MK_REPLICA_FRAME_WORDS;
}

/**
 * mk_replica_word() - one word of a replica: the table, then the members
 * @replica: of the caller's port
 * @i: below mk_replica_words()
 *
 * Context: the port's thread.
 */
u64 mk_replica_word(const struct mk_replica *replica, u32 i)
{
	if (i < MK_REPLICA_FRAME_WORDS)
		return replica->frame[2 * i] |
		       (u64)replica->frame[2 * i + 1] << 32;
	return cpumask_bits(replica->members)[i - MK_REPLICA_FRAME_WORDS];
}

/**
 * mk_replica_set_word() - take one word of another replica
 * @replica: of the caller's port; not a member
 * @i: below mk_replica_words()
 * @value: what mk_replica_word() gave there
 *
 * Context: the port's thread.
 */
void mk_replica_set_word(struct mk_replica *replica, u32 i, u64 value)
{
	if (i < MK_REPLICA_FRAME_WORDS) {
		replica->frame[2 * i] = value;
		replica->frame[2 * i + 1] = value >> 32;
	} else {
		cpumask_bits(replica->members)[i - MK_REPLICA_FRAME_WORDS] =
			value;
	}
}
