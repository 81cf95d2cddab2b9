// SPDX-License-Identifier: GPL-2.0
/*
 * Protocol linux: Linux's own path on the same memory. zap_vma_ptes() clears
 * the entries, flushes here and sends the interrupts; it is the only function
 * for it that modules may call, so access cannot be restricted this way, and no
 * fault can be planted.
 */
#include <linux/mm.h>

#include "shootdown/protocol.h"

static int mk_linux_start(struct mk_shootdown *sd)
{
	if (!sd->vma)
		return -EOPNOTSUPP;
	zap_vma_ptes(sd->vma, sd->start, sd->end - sd->start);
	/* Linux does not tell: those that it found not lazy, as we did. */
	sd->ipis += cpumask_weight(sd->need);
	cpumask_clear(sd->need);
	return 0;
}

const struct mk_protocol_ops mk_linux_ops = {
	.zaps = true,
	.frees = true,
	.native = true,
	.start = mk_linux_start,
};
