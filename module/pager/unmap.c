// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a paged region are taken away from every process, and the pagers are
 * told.
 *
 * While it goes on, faults on the pages wait. Once no CPU can use what was mapped,
 * the records go; so a record that is there says who may still have a frame.
 */
#include <linux/jiffies.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/pager/paged_priv.h"
#include "shootdown/shootdown.h"

/* An operation of ours, as operate.c sees it. */
struct mk_paged_op {
	struct mk_region_op op;
	int node;
	u64 seq;
};

/* Under the lock. */
static void mk_record_lose(struct mk_paged *paged, u32 *record,
			   const struct mk_region_op *op, bool all)
{
	u32 frame = mk_record_frame(*record);

	if (!*record)
		return;
	if (op->op == MK_OP_PROTECT) {
		*record &= ~(u32)MK_PAGER_WRITE;
		return;
	}
	*record = 0;
	paged->uses[frame]--;
	if (!all)
		mk_frame_pin(paged, frame);
}

/**
 * mk_paged_operated() - an operation on pages is over, and faults still wait
 * @region: the region
 * @op: what was done
 * @all: nobody has been left out
 *
 * Context: process; sleeps.
 */
void mk_paged_operated(struct mk_region *region, struct mk_region_op *op,
		       bool all)
{
	struct mk_paged_op *own = container_of(op, struct mk_paged_op, op);
	struct mk_paged *paged = mk_paged_of(region);
	int table;
	u32 page;

	mutex_lock(&region->lock);
	own->seq = ++paged->ops;
	for (page = op->first; page < op->first + op->pages; page++) {
		paged->seq[page] = own->seq;
		for (table = 0; table <= mk_paged_master(); table++)
			if (paged->record[table] &&
			    (own->node < 0 || own->node == table))
				mk_record_lose(paged,
					       &paged->record[table][page],
					       op, all);
	}
	mutex_unlock(&region->lock);
	mk_paged_count(paged, unmaps);
}

/* Under the lock: has a table a record of one of the pages? */
static bool mk_record_any(const struct mk_paged *paged, int table,
			  const struct mk_region_op *op)
{
	const u32 *record = paged->record[table];

	return record && memchr_inv(record + op->first, 0,
				    op->pages * sizeof(*record));
}

/**
 * mk_paged_reach() - who may have pages
 * @region: the region
 * @op: the operation, whose pages are busy
 * @nodes: written, if not everybody
 *
 * A record is there as long as anybody may have what it says. A node's is for the
 * CPUs that walk the node's replica: its own. The master's is for Linux's page tables,
 * which every CPU may walk.
 *
 * Context: process; sleeps.
 * Return: whether only CPUs of @nodes may, by their replicas.
 */
bool mk_paged_reach(struct mk_region *region, const struct mk_region_op *op,
		    nodemask_t *nodes)
{
	const struct mk_paged *paged = mk_paged_of(region);
	bool narrow;
	int node;

	if (!mk_paged_is_local(paged))
		return false;
	nodes_clear(*nodes);
	mutex_lock(&region->lock);
	narrow = !mk_record_any(paged, mk_paged_master(), op);
	for (node = 0; narrow && node < nr_node_ids; node++)
		if (mk_record_any(paged, node, op))
			node_set(node, *nodes);
	mutex_unlock(&region->lock);
	return narrow;
}

/* --- the pagers -------------------------------------------------------------- */

struct mk_told {
	struct mk_ask ask;
	struct mk_pager *pager;
};

/*
 * This CPU's node is told last: its pager may want this very CPU. And it is waited for
 * first: when it has gone to sleep again the CPU has nothing to do, and who waits for the
 * others' answers can poll.
 */
static int mk_told_node(int self, int i)
{
	return (self + 1 + i) % (int)nr_node_ids;
}

/* For so many nodes there is room on the stack. */
#define MK_TOLD_FEW	4

static void mk_tell_all(struct mk_paged *paged, const struct mk_pager *self,
			int here, struct mk_told *told,
			struct mk_paged_unmap *unmap)
{
	struct mk_pager_request request = {
		.kind = MK_PAGER_UNMAPPED,
		.page = unmap->first,
		.pages = unmap->pages,
		.rights = unmap->op == MK_OP_PROTECT ? MK_PAGER_READ : 0,
		.node = unmap->node,
		.cpu = -1,
		.seq = unmap->seq,
		.cycles = mk_cycles(),
	};
	unsigned long deadline = jiffies + paged->timeout + 1;
	int i;

	for (i = 0; i < nr_node_ids; i++) {
		int node = mk_told_node(here, i);
		struct mk_pager *pager;

		spin_lock(&paged->serving);
		pager = paged->pager[node];
		if (pager && pager != self)
			refcount_inc(&pager->refs);
		spin_unlock(&paged->serving);
		if (!pager || pager == self)
			continue;
		unmap->told++;
		told[node].ask.deadline = deadline;
		if (mk_ask_send(&told[node].ask, pager, &request,
				unmap->flags & MK_PAGED_WAIT)) {
			unmap->late++;
			mk_pager_put(pager);
		} else {
			told[node].pager = pager;
		}
	}
}

/* One that is gone needs not know. */
static void mk_told_wait(struct mk_paged *paged, struct mk_told *told,
			 struct mk_paged_unmap *unmap)
{
	struct mk_pager_answer answer;
	int err;

	err = mk_ask_wait(&told->ask, TASK_INTERRUPTIBLE, &answer);
	if (!err && answer.verdict != MK_PAGER_ACK)
		mk_paged_count(paged, nonsense);
	if ((!err && answer.verdict != MK_PAGER_ACK) || err == -ETIMEDOUT ||
	    err == -EINTR)
		unmap->late++;
}

static void mk_tell(struct mk_paged *paged, const struct mk_pager *self,
		    struct mk_told *told, struct mk_paged_unmap *unmap)
{
	int i, here = numa_node_id();

	mk_tell_all(paged, self, here, told, unmap);
	for (i = nr_node_ids - 1; i >= 0; i--) {
		int node = mk_told_node(here, i);

		if (!told[node].pager)
			continue;
		if (unmap->flags & MK_PAGED_WAIT)
			mk_told_wait(paged, &told[node], unmap);
		mk_pager_put(told[node].pager);
	}
}

/* --- all of it --------------------------------------------------------------- */

static int mk_unmap_refuse(const struct mk_paged *paged,
			   const struct mk_paged_unmap *unmap)
{
	bool local = mk_paged_is_local(paged);

	if (unmap->flags & ~(u32)(MK_PAGED_TELL | MK_PAGED_WAIT) ||
	    (unmap->flags & MK_PAGED_WAIT && !(unmap->flags & MK_PAGED_TELL)) ||
	    (unmap->op != MK_OP_UNMAP && unmap->op != MK_OP_PROTECT) ||
	    unmap->protocol >= MK_PROTOCOLS ||
	    (unmap->node != -1 && (!local || !mk_paged_node_ok(unmap->node))))
		return -EINVAL;
	/*
	 * A page that others may still use cannot get another frame; and Linux
	 * flushes nothing where its own page table is empty.
	 */
	if (unmap->protocol == MK_PROTOCOL_LAZY ||
	    (local && mk_protocol_zaps(unmap->protocol)))
		return -EOPNOTSUPP;
	return 0;
}

/**
 * mk_paged_unmap() - take pages away from every process
 * @paged: the region
 * @self: the pager that does it, or NULL
 * @unmap: what; gets the outcome
 *
 * Context: process, not a port's thread, no mmap_lock held; sleeps.
 * Return: 0, or as mk_region_operate(); -EOPNOTSUPP for a protocol that cannot.
 * After an error all records are there, and calling again does the rest.
 */
int mk_paged_unmap(struct mk_paged *paged, struct mk_pager *self,
		   struct mk_paged_unmap *unmap)
{
	struct mk_paged_op own = {
		.op = {
			.first = unmap->first,
			.pages = unmap->pages,
			.op = unmap->op,
			.protocol = unmap->protocol,
			.broken = unmap->broken,
			.cpu = unmap->cpu,
		},
		.node = unmap->node,
	};
	struct mk_told few[MK_TOLD_FEW] = { }, *told = NULL;
	int err;

	err = mk_unmap_refuse(paged, unmap);
	if (err)
		return err;
	/* Before anything is changed. */
	if (unmap->flags & MK_PAGED_TELL) {
		told = few;
		if (nr_node_ids > MK_TOLD_FEW)
			told = kcalloc(nr_node_ids, sizeof(*told), GFP_KERNEL);
		if (!told)
			return -ENOMEM;
	}
	err = mk_region_operate(paged->region, &own.op);
	if (err)
		goto out;
	unmap->seq = own.seq;
	unmap->cycles = own.op.cycles;
	unmap->messages = own.op.messages;
	unmap->ipis = own.op.ipis;
	unmap->lazies = own.op.lazies;
	unmap->timeouts = own.op.timeouts;
	unmap->told = 0;
	unmap->late = 0;
	if (told)
		mk_tell(paged, self, told, unmap);
out:
	if (told != few)
		kfree(told);
	return err;
}
