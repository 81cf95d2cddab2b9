// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol unicast: a cell to each CPU. The initiator writes all requests, one
 * after the other, and then looks for replies; each is one line in each
 * direction.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "shootdown/protocol.h"
#include "urpc/cell.h"
#include "urpc/port.h"

/**
 * struct mk_unicast - a party's cells
 * @waiting: members that have not replied
 * @cell: by CPU; NULL for no member. They live as long as the module.
 */
struct mk_unicast {
	cpumask_var_t waiting;
	struct mk_cell *cell[];
};

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

	unicast = kzalloc_node(struct_size(unicast, cell, nr_cpu_ids),
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
		unicast->cell[cpu] = cell;
	}
	return 0;
}

/**
 * mk_unicast_begin() - no requests are out
 * @sd: the operation
 * @word: written: a request, MK_LINE_WORDS words
 *
 * Context: the initiator.
 */
void mk_unicast_begin(struct mk_shootdown *sd, u64 *word)
{
	struct mk_unicast *unicast = sd->party->state;

	cpumask_clear(unicast->waiting);
	/* To its receiver it is one on a route, with nobody below. */
	word[0] = 0;
	mk_request_fill(sd, word + 1);
}

/**
 * mk_unicast_tell() - send a request
 * @sd: the operation
 * @cpu: to whom, a member
 * @word: of mk_unicast_begin()
 *
 * mk_port_flush() after the last one rings the bells.
 *
 * Context: the initiator.
 * Return: true; false if it has not replied to the last one yet.
 */
bool mk_unicast_tell(struct mk_shootdown *sd, int cpu, const u64 *word)
{
	struct mk_unicast *unicast = sd->party->state;

	if (mk_cell_call(unicast->cell[cpu], mk_request_type(sd), word,
			 1 + MK_REQUEST_WORDS))
		return false;
	__cpumask_set_cpu(cpu, unicast->waiting);
	sd->messages += 2;	/* and the reply, which will come */
	return true;
}

/**
 * mk_unicast_done() - take replies
 * @sd: the operation
 *
 * Context: the initiator.
 * Return: all are here.
 */
bool mk_unicast_done(struct mk_shootdown *sd)
{
	struct mk_unicast *unicast = sd->party->state;
	int cpu;

	for_each_cpu(cpu, unicast->waiting)
		if (mk_cell_replied(unicast->cell[cpu], NULL, 0))
			__cpumask_clear_cpu(cpu, unicast->waiting);
	return cpumask_empty(unicast->waiting);
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

const struct mk_protocol_ops mk_unicast_ops = {
	.broken = MK_BROKEN_ALL,
	.prepare = mk_unicast_prepare,
	.unprepare = mk_unicast_unprepare,
	.start = mk_unicast_start,
	.done = mk_unicast_done,
	.missing = mk_unicast_missing,
};
