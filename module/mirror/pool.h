/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pools of page-table pages, one for each node.
 *
 * A replica table grows where nothing can be allocated: under a raw spinlock,
 * in a hook of the function tracer. So pages are taken from a stock that was filled
 * beforehand, and a work fills it up again when it runs low. An empty stock is
 * a normal event: the caller does without a replica for now.
 *
 * Every page of a pool is zeroed and lies on the pool's node. A pool without
 * users holds no page. All pools together hand out mk_pool_limit() pages at
 * most.
 */
#ifndef MK_POOL_H
#define MK_POOL_H

#include <linux/list.h>
#include <linux/types.h>

struct page;

/* A stock: what it is filled up to, and where filling it begins. */
#define MK_POOL_STOCK		128
#define MK_POOL_LOW		96

/**
 * struct mk_pool_stat - a node's pool, or all of them
 * @stock: pages that wait
 * @used: pages that were taken and not given back
 * @misses: how often there was none
 */
struct mk_pool_stat {
	u64 stock, used, misses;
};

/* Process context; sleep. */
int mk_pool_get(int node);
void mk_pool_put(int node);
void mk_pool_give(struct list_head *pages);

/* Any context but NMI; not under the lock of a run queue. */
struct page *mk_pool_take(int node);

/* Any context. */
void mk_pool_stat(int node, struct mk_pool_stat *stat);
u64 mk_pool_used(void);
u64 mk_pool_limit(void);
void mk_pool_set_limit(u64 pages);

int mk_pools_init(void);
void mk_pools_exit(void);

#endif /* MK_POOL_H */
