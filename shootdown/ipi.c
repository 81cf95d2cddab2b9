// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol ipi: an interrupt to every CPU that has to flush, as Linux does it,
 * in our own hands. The common path can do it already.
 */
#include "shootdown/protocol.h"

static int mk_ipi_start(struct mk_shootdown *sd)
{
	mk_shootdown_ipi(sd, sd->need);
	cpumask_clear(sd->need);
	return 0;
}

const struct mk_protocol_ops mk_ipi_ops = {
	.broken = MK_BROKEN_ALL,
	.start = mk_ipi_start,
};
