// SPDX-License-Identifier: GPL-2.0
/*
 * Policies and ways to synchronise, by number.
 */
#include "private.h"

static const struct pager_policy_ops *const policies[PAGER_POLICIES] = {
	[PAGER_GLOBAL] = &pager_global,
	[PAGER_LOCAL] = &pager_local,
	[PAGER_REPLICATE] = &pager_replicating,
	[PAGER_MIGRATE] = &pager_migrating,
};

static const struct pager_sync_ops *const syncs[PAGER_SYNCS] = {
	[PAGER_SHM] = &pager_shm,
	[PAGER_URPC] = &pager_urpc,
	[PAGER_BOTH] = &pager_both,
};

const struct pager_policy_ops *pager_policy_ops(u32 policy)
{
	return policies[policy];
}

const struct pager_sync_ops *pager_sync_ops(u32 sync)
{
	return syncs[sync];
}

const char *pager_policy_name(uint32_t policy)
{
	return policy < PAGER_POLICIES ? policies[policy]->name : NULL;
}

const char *pager_sync_name(uint32_t sync)
{
	return sync < PAGER_SYNCS ? syncs[sync]->name : NULL;
}
