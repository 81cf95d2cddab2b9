// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol broadcast: one line that all members poll, and one for each to answer
 * in (urpc/fanout.h). One store tells all; but each of them fetches the same line
 * from the same place, one after the other.
 */
#include <linux/err.h>

#include "shootdown/protocol.h"
#include "urpc/fanout.h"

static int mk_broadcast_prepare(struct mk_party *party)
{
	struct mk_fanout *fanout;

	if (cpumask_empty(party->members))
		return 0;
	fanout = mk_fanout_make(party->cpu, party->members);
	if (IS_ERR(fanout))
		return PTR_ERR(fanout);
	party->state = fanout;
	return 0;
}

static void mk_broadcast_unprepare(struct mk_party *party)
{
	if (party->state)
		mk_fanout_free(party->state);
}

static int mk_broadcast_start(struct mk_shootdown *sd)
{
	const struct cpumask *members = sd->party->members;
	u64 word[MK_ROUTE_WORDS] = {};

	sd->told = cpumask_intersects(sd->need, members);
	if (!sd->told)
		return 0;
	mk_request_fill(sd, word);
	mk_fanout_start(sd->party->state, mk_request_type(sd), word);
	cpumask_andnot(sd->need, sd->need, members);
	sd->messages += 1 + cpumask_weight(members);
	return 0;
}

static bool mk_broadcast_done(struct mk_shootdown *sd)
{
	return !sd->told || mk_fanout_gathered(sd->party->state);
}

static bool mk_broadcast_stuck(struct mk_shootdown *sd)
{
	return mk_fanout_stuck(sd->party->state);
}

static void mk_broadcast_missing(struct mk_shootdown *sd, struct cpumask *mask)
{
	mk_fanout_missing(sd->party->state, mask);
}

const struct mk_protocol_ops mk_broadcast_ops = {
	.broken = MK_BROKEN_ALL,
	.prepare = mk_broadcast_prepare,
	.unprepare = mk_broadcast_unprepare,
	.start = mk_broadcast_start,
	.done = mk_broadcast_done,
	.stuck = mk_broadcast_stuck,
	.missing = mk_broadcast_missing,
};
