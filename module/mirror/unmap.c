// SPDX-License-Identifier: GPL-2.0
/*
 * Global unmaps of home-node spaces: every node is told.
 *
 * Two operations of a shootdown protocol, since a leader of a tree may answer for
 * the CPUs below it before its own tables are changed: first the leaders change
 * their node's tables, then all CPUs of the nodes say that they are not in a
 * visit which began before. See home.h for why that is enough.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/mirror/home.h"
#include "shootdown/errand.h"
#include "shootdown/protocol.h"
#include "urpc/route.h"

/**
 * struct mk_global - a global unmap, as the initiator's thread sees it
 * @errand: it
 * @home: the space
 * @op: what, and what came of it
 * @start: first byte
 * @end: first byte after the range
 * @leader: of each other node that has joined, a CPU
 * @all: CPUs of these nodes
 * @tell: protocol for the leaders
 * @gather: for all
 * @joined: nodes, when the records went
 * @cut: a round could not be made
 */
struct mk_global {
	struct mk_errand errand;
	struct mk_home *home;
	struct mk_home_unmap *op;
	unsigned long start, end;
	cpumask_var_t leader, all;
	struct mk_party *tell, *gather;
	nodemask_t joined;
	bool cut;
};

/* --- one node -------------------------------------------------------------- */

/**
 * mk_home_clear() - clear entries of one node's tables
 * @on: the tables
 * @start: first byte
 * @end: first byte after it; MK_HOME_PAGES_MAX pages at most
 * @id: of the operation, or 0
 *
 * Context: any but NMI. CPUs may be in a visit there which has seen the entries.
 */
void mk_home_clear(struct mk_home_node *on, unsigned long start,
		   unsigned long end, u64 id)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&on->lock, flags);
	mk_table_clear(&on->table, start, end);
	WRITE_ONCE(on->served, id);
	raw_spin_unlock_irqrestore(&on->lock, flags);
}

/* This CPU's node. A late one clears what the next fault brings back. */
static void mk_home_update(u64 space, unsigned long start, unsigned long end,
			   u64 id)
{
	int node = numa_node_id();
	struct mk_home_node *on;
	struct mk_home *home;

	rcu_read_lock();
	home = mk_home_find(space);
	/* Pairs with mk_home_join(). */
	on = home ? smp_load_acquire(&home->on[node]) : NULL;
	if (on) {
		mk_home_clear(on, start, end, id);
		atomic64_inc(&mk_home_totals[node].told);
	}
	rcu_read_unlock();
}

/* The leaf function of MK_TYPE_HOME. */
static void mk_home_serve(struct mk_port *port, const u64 *word)
{
	int cpu;

	/* Planted. On a board also others of its node may be told. */
	for_each_cpu(cpu, cpumask_of_node(port->node))
		if (mk_request_skips(word, cpu))
			return;
	mk_home_update(word[MK_REQUEST_SPACE], word[MK_REQUEST_START],
		       word[MK_REQUEST_END], word[MK_REQUEST_ID]);
}

static void mk_home_interrupt(const struct mk_shootdown *sd)
{
	mk_home_update(sd->space, sd->start, sd->end, sd->id);
}

/**
 * mk_home_unmap_init() - say what members do with the messages
 *
 * Context: before there are spaces.
 */
void mk_home_unmap_init(void)
{
	mk_route_leaf_set(MK_TYPE_HOME, mk_home_serve);
}

/* --- the initiator's thread ------------------------------------------------ */

static void mk_global_count(struct mk_global *global,
			    const struct mk_shootdown *sd)
{
	global->op->messages += sd->messages;
	global->op->ipis += sd->ipis;
}

/* Nodes that nobody could be reached on, such as one whose CPUs went off line. */
static void mk_global_direct(struct mk_global *global, u64 id)
{
	struct mk_home_node *on;
	int node;

	for_each_node_mask(node, global->joined) {
		on = global->home->on[node];
		if (READ_ONCE(on->served) == id)
			continue;
		mk_home_clear(on, global->start, global->end, id);
		atomic64_inc(&mk_home_totals[node].direct);
		global->op->direct++;
	}
}

static int mk_global_tell(struct mk_port *port, struct mk_global *global)
{
	struct mk_shootdown sd = {
		.port = port,
		.party = global->tell,
		.targets = global->leader,
		.type = MK_TYPE_HOME,
		.interrupt = mk_home_interrupt,
		.space = global->home->id,
		.start = global->start,
		.end = global->end,
		.broken = global->op->broken,
	};
	int err;

	err = mk_shootdown(&sd);
	if (node_isset(port->node, global->joined))
		mk_home_clear(global->home->on[port->node], global->start,
			      global->end, sd.id);
	if (!global->op->broken)
		mk_global_direct(global, sd.id);
	mk_global_count(global, &sd);
	return err;
}

static int mk_global_gather(struct mk_port *port, struct mk_global *global)
{
	struct mk_shootdown sd = {
		.port = port,
		.party = global->gather,
		.targets = global->all,
	};
	int err = mk_shootdown(&sd);

	mk_global_count(global, &sd);
	return err;
}

static int mk_global_run(struct mk_port *port, struct mk_errand *errand)
{
	struct mk_global *global = container_of(errand, struct mk_global,
						errand);
	u64 start = mk_cycles();
	int err, ret;

	err = mk_global_tell(port, global);
	ret = mk_global_gather(port, global);
	global->op->cycles = mk_clock_span(start, mk_cycles());
	global->cut = err || ret;
	return err ?: ret;
}

/* --- the caller ------------------------------------------------------------ */

/*
 * Under @home->change: nothing else takes records out meanwhile. The errand may
 * outlive a caller that is killed, so it has what it points to with it.
 */
static void mk_global_free(struct mk_global *global)
{
	if (!IS_ERR_OR_NULL(global->tell))
		mk_party_put(global->tell);
	if (!IS_ERR_OR_NULL(global->gather))
		mk_party_put(global->gather);
	free_cpumask_var(global->leader);
	free_cpumask_var(global->all);
	mk_errand_put(&global->errand);
}

static struct mk_global *mk_global_alloc(struct mk_home *home,
					 struct mk_home_unmap *op)
{
	struct mk_global *global = kvzalloc(sizeof(*global), GFP_KERNEL);

	if (!global)
		return NULL;
	mk_errand_init(&global->errand, true, mk_global_run);
	global->home = home;
	global->op = op;
	global->start = op->address;
	global->end = op->address + ((unsigned long)op->pages << PAGE_SHIFT);
	if (!zalloc_cpumask_var(&global->leader, GFP_KERNEL) ||
	    !zalloc_cpumask_var(&global->all, GFP_KERNEL)) {
		mk_global_free(global);
		return NULL;
	}
	return global;
}

/* Whom to tell, as of now: under @home->change no node joins. */
static int mk_global_parties(struct mk_global *global)
{
	struct mk_home_unmap *op = global->op;
	int node, cpu;

	global->joined = global->home->joined;
	for_each_node_mask(node, global->joined) {
		cpumask_or(global->all, global->all, cpumask_of_node(node));
		cpu = cpumask_any_and(cpumask_of_node(node), cpu_online_mask);
		if (cpu < nr_cpu_ids && node != cpu_to_node(op->cpu))
			cpumask_set_cpu(cpu, global->leader);
	}
	global->tell = mk_party_get(op->protocol, op->cpu, global->leader);
	if (IS_ERR(global->tell))
		return PTR_ERR(global->tell);
	global->gather = mk_party_get(op->protocol, op->cpu, global->all);
	return PTR_ERR_OR_ZERO(global->gather);
}

/* Take out the records of the range. -EINVAL if one lies there in part. */
static int mk_global_records(struct mk_global *global,
			     struct list_head *records)
{
	struct mk_home *home = global->home;
	struct mk_home_record *record;
	unsigned long at;
	int err = 0;

	raw_spin_lock_irq(&home->lock);
	for (at = global->start; at < global->end;
	     at = record->start + ((unsigned long)record->pages << PAGE_SHIFT)) {
		record = mk_home_at(home, at);
		if (record && record->start == at)
			continue;
		err = record ? -EINVAL : -ENOENT;
		break;
	}
	if (!err && at > global->end)
		err = -EINVAL;
	for (at = global->start; !err && at < global->end;
	     at = record->start + ((unsigned long)record->pages << PAGE_SHIFT)) {
		record = mk_home_at(home, at);
		rb_erase(&record->rb, &home->records);
		list_add(&record->link, records);
	}
	raw_spin_unlock_irq(&home->lock);
	return err;
}

/* Nobody could run it: a process that is killed, or a CPU that has gone. */
static void mk_global_alone(struct mk_global *global)
{
	struct mk_home_node *on;
	int node;

	for_each_node_mask(node, global->joined) {
		on = global->home->on[node];
		mk_home_clear(on, global->start, global->end, 0);
		atomic64_inc(&mk_home_totals[node].direct);
	}
}

static int mk_global_all(struct mk_home *home, struct mk_home_unmap *op)
{
	struct mk_global *global = mk_global_alloc(home, op);
	LIST_HEAD(records);
	int err;

	if (!global)
		return -ENOMEM;
	err = mk_global_parties(global) ?: mk_global_records(global, &records);
	if (err)
		goto out;
	op->nodes = nodes_weight(global->joined);
	global->cut = true;
	err = mk_errand_run(op->cpu, &global->errand);
	if (global->cut)
		mk_global_alone(global);
	/* Where a CPU may still see a frame, it stays until the space goes. */
	if (global->cut || op->broken)
		list_splice(&records, &home->kept);
	else
		mk_home_records_free(home, &records);
out:
	mk_global_free(global);
	return err;
}

static int mk_home_unmap_refuse(const struct mk_home_unmap *op)
{
	if (!op->pages || op->pages > MK_HOME_PAGES_MAX ||
	    op->address & ~PAGE_MASK || op->address >= TASK_SIZE_MAX ||
	    op->protocol >= MK_PROTOCOLS || op->broken >= MK_BROKENS ||
	    op->flags || op->cpu < -1 || (op->cpu >= 0 && !mk_port(op->cpu)))
		return -EINVAL;
	/* These two know no operation without an mm. */
	if (op->protocol == MK_PROTOCOL_LINUX ||
	    op->protocol == MK_PROTOCOL_LAZY)
		return -EOPNOTSUPP;
	if (op->broken != MK_BROKEN_NONE && op->broken != MK_BROKEN_SKIP_TARGET)
		return -EOPNOTSUPP;
	return mk_protocol_refuses(op->protocol, false, op->broken);
}

/**
 * mk_home_unmap() - take mappings away from every node
 * @home: the space
 * @op: which, and how; gets the outcome, and @cpu the initiator
 *
 * When it has returned 0 no CPU can use what was mapped, and the frames are free.
 *
 * Context: process, not a port's thread; sleeps.
 * Return: 0; -EINVAL for a field that cannot be, or a mapping that lies there in
 * part, -ENOENT if nothing is mapped somewhere: nothing has changed then, nor
 * with -EOPNOTSUPP for a protocol that cannot, -ENOMEM or -EINTR. With -ENODEV,
 * since the initiator's CPU is off line, and with -EINTR if the caller is being
 * killed, it is unmapped, and the frames are kept until the space goes.
 */
int mk_home_unmap(struct mk_home *home, struct mk_home_unmap *op)
{
	int err = mk_home_unmap_refuse(op);

	if (err)
		return err;
	if (op->cpu < 0)
		op->cpu = raw_smp_processor_id();
	op->cycles = 0;
	op->nodes = 0;
	op->messages = 0;
	op->ipis = 0;
	op->direct = 0;
	if (mutex_lock_killable(&home->change))
		return -EINTR;
	err = mk_global_all(home, op);
	mutex_unlock(&home->change);
	return err;
}
