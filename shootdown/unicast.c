// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol unicast: a cell to each CPU. The initiator writes all requests, one
 * after the other, and then looks for replies; each is one line in each
 * direction.
 */
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "shootdown/unicast.h"
#include "urpc/port.h"

/**
 * mk_unicast_unprepare() - see struct mk_protocol_ops
 * @party: the party
 *
 * Context: process.
 */
void mk_unicast_unprepare(struct mk_party *party)
{
	struct mk_unicast *unicast = party->state;

	free_cpumask_var(unicast->waiting);
	kfree(unicast);
}

/**
 * mk_unicast_prepare() - make the cells
 * @party: the party
 *
 * Context: process, sleeps.
 * Return: 0 or -ENOMEM.
 */
int mk_unicast_prepare(struct mk_party *party)
{
	struct mk_unicast *unicast;
	int cpu;

	unicast = kzalloc_node(struct_size(unicast, member, nr_cpu_ids),
			       GFP_KERNEL, cpu_to_node(party->cpu));
	if (!unicast)
		return -ENOMEM;
	party->state = unicast;
	if (!zalloc_cpumask_var(&unicast->waiting, GFP_KERNEL)) {
		kfree(unicast);
		return -ENOMEM;
	}
	for_each_cpu(cpu, party->members) {
		struct mk_cell *cell;

		cell = mk_cell_make(party->cpu, cpu, cpu_to_node(cpu));
		if (IS_ERR(cell)) {
			mk_unicast_unprepare(party);
			return PTR_ERR(cell);
		}
		unicast->member[cpu].cell = cell;
		unicast->member[cpu].task = rcu_access_pointer(mk_port(cpu)->task);
	}
	return 0;
}

/**
 * mk_unicast_missing() - who has not replied
 * @sd: the operation
 * @mask: they are added
 *
 * Context: the initiator.
 */
void mk_unicast_missing(struct mk_shootdown *sd, struct cpumask *mask)
{
	struct mk_unicast *unicast = sd->party->state;

	cpumask_or(mask, mask, unicast->waiting);
}

static int mk_unicast_start(struct mk_shootdown *sd)
{
	u64 word[MK_LINE_WORDS];
	int cpu;

	mk_unicast_begin(sd, word);
	for_each_cpu_and(cpu, sd->need, sd->party->members)
		if (mk_unicast_tell(sd, cpu, word))
			__cpumask_clear_cpu(cpu, sd->need);
	mk_port_flush(sd->port);
	return 0;
}

static bool mk_unicast_done(struct mk_shootdown *sd)
{
	return mk_unicast_replied(sd);
}

const struct mk_protocol_ops mk_unicast_ops = {
	.broken = MK_BROKEN_ALL,
	.prepare = mk_unicast_prepare,
	.unprepare = mk_unicast_unprepare,
	.start = mk_unicast_start,
	.done = mk_unicast_done,
	.missing = mk_unicast_missing,
};
