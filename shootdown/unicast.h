/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests in cells, one to each CPU: unicast, and adaptive for those it sends a
 * message to. Inline, since it is on the way of every operation.
 */
#ifndef MK_SHOOTDOWN_UNICAST_H
#define MK_SHOOTDOWN_UNICAST_H

#include <linux/cpumask.h>
#include <linux/types.h>

#include "shootdown/protocol.h"
#include "urpc/cell.h"

/**
 * struct mk_unicast_member - how a member is reached
 * @cell: its cell, which lives as long as the module; NULL for no member
 * @task: its port's thread when the party was made: to compare, not to follow
 */
struct mk_unicast_member {
	struct mk_cell *cell;
	const struct task_struct *task;
};

/**
 * struct mk_unicast - a party's cells
 * @waiting: members that have not replied
 * @member: by CPU
 */
struct mk_unicast {
	cpumask_var_t waiting;
	struct mk_unicast_member member[];
};

/* Process context; sleeps. */
int mk_unicast_prepare(struct mk_party *party);
void mk_unicast_unprepare(struct mk_party *party);

/* The initiator. */
void mk_unicast_missing(struct mk_shootdown *sd, struct cpumask *mask);

/**
 * mk_unicast_begin() - no requests are out
 * @sd: the operation
 * @word: written: a request, MK_LINE_WORDS words
 *
 * Context: the initiator.
 */
static inline void mk_unicast_begin(struct mk_shootdown *sd, u64 *word)
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
static inline bool mk_unicast_tell(struct mk_shootdown *sd, int cpu,
				   const u64 *word)
{
	struct mk_unicast *unicast = sd->party->state;

	if (mk_cell_call(unicast->member[cpu].cell, mk_request_type(sd), word,
			 1 + MK_REQUEST_WORDS))
		return false;
	__cpumask_set_cpu(cpu, unicast->waiting);
	sd->messages += 2;	/* and the reply, which will come */
	return true;
}

/**
 * mk_unicast_replied() - take replies
 * @sd: the operation
 *
 * Context: the initiator.
 * Return: all are here.
 */
static inline bool mk_unicast_replied(struct mk_shootdown *sd)
{
	struct mk_unicast *unicast = sd->party->state;
	int cpu;

	for_each_cpu(cpu, unicast->waiting)
		if (mk_cell_replied(unicast->member[cpu].cell, NULL, 0))
			__cpumask_clear_cpu(cpu, unicast->waiting);
	return cpumask_empty(unicast->waiting);
}

#endif /* MK_SHOOTDOWN_UNICAST_H */
