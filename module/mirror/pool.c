// SPDX-License-Identifier: GPL-2.0
/*
 * Pools of page-table pages.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "module/mirror/pool.h"

/* By default all pools hand out a sixteenth of memory at most. */
#define MK_POOL_SHARE		16

/**
 * struct mk_pool - the pool of one node
 * @lock: raw, since it is taken under raw spinlocks; protects @free, @stock
 * @free: pages, by their lru
 * @stock: how many
 * @misses: how often there was none
 * @used: pages handed out
 * @users: who holds the pool; under mk_pools_lock
 * @node: which node
 * @work: fills it up
 */
struct mk_pool {
	raw_spinlock_t lock;	/* free, stock */
	struct list_head free;
	unsigned int stock;
	atomic64_t misses;
	atomic64_t used;
	unsigned int users;
	int node;
	struct work_struct work;
};

static struct mk_pool *mk_pools;	/* one per node there can be */
static DEFINE_MUTEX(mk_pools_lock);	/* users; the stock while it shrinks */

static atomic64_t mk_pools_used;	/* handed out, all nodes */
static u64 mk_pools_limit;

static struct page *mk_pool_pop(struct mk_pool *pool, bool *low)
{
	struct page *page;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	page = list_first_entry_or_null(&pool->free, struct page, lru);
	if (page) {
		list_del(&page->lru);
		pool->stock--;
	}
	*low = pool->stock < MK_POOL_LOW;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return page;
}

/* Up to MK_POOL_STOCK. A node that has no page left stays as it is. */
static void mk_pool_fill(struct mk_pool *pool)
{
	unsigned long flags;
	struct page *page;

	while (READ_ONCE(pool->stock) < MK_POOL_STOCK) {
		page = alloc_pages_node(pool->node, GFP_KERNEL | __GFP_ZERO |
					__GFP_THISNODE | __GFP_NOWARN, 0);
		if (!page)
			return;
		raw_spin_lock_irqsave(&pool->lock, flags);
		list_add(&page->lru, &pool->free);
		pool->stock++;
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
}

static void mk_pool_work(struct work_struct *work)
{
	struct mk_pool *pool = container_of(work, struct mk_pool, work);

	mutex_lock(&mk_pools_lock);
	if (pool->users)
		mk_pool_fill(pool);
	mutex_unlock(&mk_pools_lock);
}

/**
 * mk_pool_get() - hold a node's pool, and have it filled
 * @node: an online node
 *
 * Context: process; sleeps.
 * Return: 0, or -ENOMEM if the node has no page to give.
 */
int mk_pool_get(int node)
{
	struct mk_pool *pool = &mk_pools[node];
	int err = 0;

	mutex_lock(&mk_pools_lock);
	mk_pool_fill(pool);
	if (READ_ONCE(pool->stock))
		pool->users++;
	else
		err = -ENOMEM;
	mutex_unlock(&mk_pools_lock);
	return err;
}

/**
 * mk_pool_put() - let a node's pool go
 * @node: of mk_pool_get()
 *
 * With the last user goes its stock.
 *
 * Context: process; sleeps.
 */
void mk_pool_put(int node)
{
	struct mk_pool *pool = &mk_pools[node];
	struct page *page;
	bool low;

	mutex_lock(&mk_pools_lock);
	if (!--pool->users)
		while ((page = mk_pool_pop(pool, &low)))
			__free_page(page);
	mutex_unlock(&mk_pools_lock);
}

/**
 * mk_pool_take() - take a page
 * @node: whose pool, which the caller holds
 *
 * Context: any but NMI, raw spinlocks may be held; not that of a run queue,
 * since filling the stock again wakes a thread.
 * Return: a zeroed page on @node; NULL if the stock is empty or the limit is
 * reached.
 */
struct page *mk_pool_take(int node)
{
	struct mk_pool *pool = &mk_pools[node];
	struct page *page = NULL;
	bool low = false;

	if (atomic64_inc_return(&mk_pools_used) <= READ_ONCE(mk_pools_limit))
		page = mk_pool_pop(pool, &low);
	if (page) {
		atomic64_inc(&pool->used);
	} else {
		atomic64_dec(&mk_pools_used);
		atomic64_inc(&pool->misses);
	}
	if (low)
		queue_work(system_unbound_wq, &pool->work);
	return page;
}

/**
 * mk_pool_give() - give pages back
 * @pages: list of pages from mk_pool_take(), by their lru; empty afterwards.
 *	No CPU's page walk can reach one any more.
 *
 * Context: process.
 */
void mk_pool_give(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		atomic64_dec(&mk_pools[page_to_nid(page)].used);
		atomic64_dec(&mk_pools_used);
		__free_page(page);
	}
}

/**
 * mk_pool_stat() - figures of a pool
 * @node: whose
 * @stat: written
 *
 * Context: any.
 */
void mk_pool_stat(int node, struct mk_pool_stat *stat)
{
	stat->stock = READ_ONCE(mk_pools[node].stock);
	stat->used = atomic64_read(&mk_pools[node].used);
	stat->misses = atomic64_read(&mk_pools[node].misses);
}

/**
 * mk_pool_used() - pages handed out by all pools
 *
 * Context: any.
 * Return: pages.
 */
u64 mk_pool_used(void)
{
	return atomic64_read(&mk_pools_used);
}

/**
 * mk_pool_limit() - how many pages all pools hand out together, at most
 *
 * Context: any.
 * Return: pages.
 */
u64 mk_pool_limit(void)
{
	return READ_ONCE(mk_pools_limit);
}

/**
 * mk_pool_set_limit() - change it
 * @pages: how many; what is out already is not taken back
 *
 * Context: any.
 */
void mk_pool_set_limit(u64 pages)
{
	WRITE_ONCE(mk_pools_limit, pages);
}

/**
 * mk_pools_init() - make the pools, empty
 *
 * Context: process; sleeps.
 * Return: 0 or -ENOMEM.
 */
int mk_pools_init(void)
{
	int node;

	mk_pools = kcalloc(nr_node_ids, sizeof(*mk_pools), GFP_KERNEL);
	if (!mk_pools)
		return -ENOMEM;
	for (node = 0; node < nr_node_ids; node++) {
		raw_spin_lock_init(&mk_pools[node].lock);
		INIT_LIST_HEAD(&mk_pools[node].free);
		mk_pools[node].node = node;
		INIT_WORK(&mk_pools[node].work, mk_pool_work);
	}
	mk_pools_limit = totalram_pages() / MK_POOL_SHARE;
	return 0;
}

/**
 * mk_pools_exit() - take them away; they have no users
 *
 * Context: process; sleeps.
 */
void mk_pools_exit(void)
{
	int node;

	for (node = 0; node < nr_node_ids; node++)
		cancel_work_sync(&mk_pools[node].work);
	WARN_ON(mk_pool_used());
	kfree(mk_pools);
}
