// SPDX-License-Identifier: GPL-2.0
/*
 * Home-node address spaces: life, nodes that join, records.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "module/mirror/home.h"
#include "module/mirror/pool.h"
#include "shootdown/frames.h"

/* A slot that is not given back is lost until the module is loaded again. */
#define MK_RELEASE_TRIES	10

/* All spaces, by number; under RCU. */
static DEFINE_XARRAY(mk_homes);
static atomic64_t mk_home_last_id;

struct mk_home_totals *mk_home_totals;	/* by node */

/**
 * mk_home_find() - a space by its number
 * @id: from a message, which may be late
 *
 * Context: any but NMI, under rcu_read_lock().
 * Return: the space, or NULL if it is gone.
 */
struct mk_home *mk_home_find(u64 id)
{
	return xa_load(&mk_homes, id);
}

/* --- records --------------------------------------------------------------- */

/**
 * mk_home_at() - what is mapped at an address
 * @home: the space
 * @address: any
 *
 * Context: any, under @home->lock.
 * Return: the record, or NULL.
 */
struct mk_home_record *mk_home_at(const struct mk_home *home,
				  unsigned long address)
{
	struct rb_node *node = home->records.rb_node;
	struct mk_home_record *record;

	while (node) {
		record = rb_entry(node, struct mk_home_record, rb);
		if (address < record->start)
			node = node->rb_left;
		else if (address - record->start >=
			 (unsigned long)record->pages << PAGE_SHIFT)
			node = node->rb_right;
		else
			return record;
	}
	return NULL;
}

/**
 * mk_home_frame() - the frame that a node has at an address
 * @record: of the address
 * @address: in it
 * @node: whose
 *
 * Context: any.
 */
struct page *mk_home_frame(const struct mk_home_record *record,
			   unsigned long address, int node)
{
	u32 i = (address - record->start) >> PAGE_SHIFT;

	if (record->flags & MK_HOME_LOCAL)
		i += node * record->pages;
	return record->frame[i];
}

static u32 mk_home_frames(u32 pages, u32 flags)
{
	return flags & MK_HOME_LOCAL ? pages * nr_node_ids : pages;
}

static void mk_home_record_free(struct mk_home *home,
				struct mk_home_record *record)
{
	u32 i;

	for (i = 0; i < mk_home_frames(record->pages, record->flags); i++)
		if (record->frame[i])
			__free_page(record->frame[i]);
	atomic64_dec(&mk_home_totals[home->node].records);
	kvfree(record);
}

/**
 * mk_home_records_free() - free records, and frames that nobody can reach
 * @home: theirs
 * @records: by their link; empty afterwards
 *
 * Context: process.
 */
void mk_home_records_free(struct mk_home *home, struct list_head *records)
{
	struct mk_home_record *record, *next;

	list_for_each_entry_safe(record, next, records, link) {
		list_del(&record->link);
		mk_home_record_free(home, record);
		cond_resched();
	}
}

static struct page *mk_home_frame_alloc(int node, u64 word)
{
	struct page *page;

	page = alloc_pages_node(node, GFP_KERNEL_ACCOUNT | __GFP_ZERO |
				__GFP_THISNODE | __GFP_NOWARN, 0);
	if (page)
		*(u64 *)page_address(page) = word;
	return page;
}

static int mk_home_record_fill(struct mk_home_record *record, int node)
{
	bool local = record->flags & MK_HOME_LOCAL;
	struct page *page;
	int on;
	u32 i;

	for_each_node_state(on, N_MEMORY) {
		for (i = 0; i < record->pages; i++) {
			if (fatal_signal_pending(current))
				return -EINTR;
			page = mk_home_frame_alloc(local ? on : node, local ?
						   (u64)on << 32 | i : i);
			if (!page)
				return -ENOMEM;
			record->frame[local ? on * record->pages + i : i] =
				page;
			cond_resched();
		}
		if (!local)
			break;
	}
	return 0;
}

static struct mk_home_record *mk_home_record_make(struct mk_home *home,
						  const struct mk_home_map *map)
{
	int node = map->node < 0 ? home->node : map->node, err;
	struct mk_home_record *record;

	record = kvzalloc_node(struct_size(record, frame,
					   mk_home_frames(map->pages,
							  map->flags)),
			       GFP_KERNEL_ACCOUNT | __GFP_THISNODE |
			       __GFP_NOWARN, home->node);
	if (!record)
		return ERR_PTR(-ENOMEM);
	atomic64_inc(&mk_home_totals[home->node].records);
	record->start = map->address;
	record->pages = map->pages;
	record->flags = map->flags;
	err = mk_home_record_fill(record, node);
	if (err) {
		mk_home_record_free(home, record);
		return ERR_PTR(err);
	}
	return record;
}

/* Under @home->lock. */
static int mk_home_record_insert(struct mk_home *home,
				 struct mk_home_record *record)
{
	unsigned long end = record->start +
			    ((unsigned long)record->pages << PAGE_SHIFT);
	struct rb_node **link = &home->records.rb_node, *parent = NULL;
	struct mk_home_record *other;

	while (*link) {
		parent = *link;
		other = rb_entry(parent, struct mk_home_record, rb);
		if (end <= other->start)
			link = &parent->rb_left;
		else if (record->start >= other->start +
			 ((unsigned long)other->pages << PAGE_SHIFT))
			link = &parent->rb_right;
		else
			return -EEXIST;
	}
	rb_link_node(&record->rb, parent, link);
	rb_insert_color(&record->rb, &home->records);
	return 0;
}

/* Is it a page's address, and so are those that follow, of user space? */
static bool mk_home_range(u64 address, u32 pages)
{
	return !(address & ~PAGE_MASK) && address >= PAGE_SIZE &&
	       pages && pages <= MK_HOME_PAGES_MAX &&
	       address < TASK_SIZE_MAX &&
	       (u64)pages << PAGE_SHIFT <= TASK_SIZE_MAX - address;
}

/**
 * mk_home_map() - map fresh frames
 * @home: the space
 * @map: where and what
 *
 * No page table changes: each node brings it in by faults.
 *
 * Context: process; sleeps.
 * Return: 0; -EINVAL for a field that cannot be, -EEXIST if something is mapped
 * there, -ENOMEM, -EINTR.
 */
int mk_home_map(struct mk_home *home, const struct mk_home_map *map)
{
	struct mk_home_record *record;
	int err;

	if (!mk_home_range(map->address, map->pages) || map->reserved ||
	    map->flags & ~(MK_HOME_WRITE | MK_HOME_LOCAL) || map->node < -1 ||
	    map->node >= (int)nr_node_ids ||
	    (map->node >= 0 && !node_state(map->node, N_MEMORY)) ||
	    (map->node >= 0 && map->flags & MK_HOME_LOCAL))
		return -EINVAL;
	record = mk_home_record_make(home, map);
	if (IS_ERR(record))
		return PTR_ERR(record);
	raw_spin_lock_irq(&home->lock);
	err = mk_home_record_insert(home, record);
	raw_spin_unlock_irq(&home->lock);
	if (err)
		mk_home_record_free(home, record);
	return err;
}

/* --- nodes ----------------------------------------------------------------- */

static void mk_home_slots_release(u32 first)
{
	unsigned int tries = 0;
	int err;

	while ((err = mk_frames_release(first, MK_HOME_BATCH)) &&
	       ++tries < MK_RELEASE_TRIES)
		schedule_timeout_uninterruptible(1);
	if (err)
		pr_notice("frame table: slots %u to %u could not be released: error %d\n",
			  first, first + MK_HOME_BATCH - 1, err);
}

/**
 * mk_home_stock() - have enough slots for the next fault of a node
 * @on: a space's page tables there
 *
 * Context: process, not a port's thread; sleeps.
 * Return: 0; -ENOSPC if the node has all that it may have, or the frame table is
 * full; -EINTR, -ENOMEM, or another error of mk_frames_claim().
 */
int mk_home_stock(struct mk_home_node *on)
{
	u32 first;
	int err;

	err = mk_frames_claim(MK_HOME_BATCH, MK_FRAME_PAGE_TABLE, &first);
	if (err)
		return err;
	raw_spin_lock_irq(&on->lock);
	if (on->nr_batches < MK_HOME_BATCHES)
		on->batch[on->nr_batches++] = first;
	else
		err = -ENOSPC;
	raw_spin_unlock_irq(&on->lock);
	if (err)
		mk_home_slots_release(first);
	return err;
}

/* No CPU goes there any more. */
static void mk_home_node_free(struct mk_home_node *on)
{
	u32 i;

	atomic64_dec(&mk_home_totals[on->table.node].tables);
	mk_table_destroy(&on->table);
	for (i = 0; i < on->nr_batches; i++)
		mk_home_slots_release(on->batch[i]);
	kfree(on);
}

/* Empty tables: just the root, which has its slot. */
static struct mk_home_node *mk_home_node_make(struct mk_home *home, int node)
{
	/* The kernel's half is the same in the root of every process. */
	const pgd_t *pgd = current->active_mm->pgd;
	struct mk_home_node *on;
	int err;

	on = kzalloc_node(sizeof(*on), GFP_KERNEL_ACCOUNT | __GFP_THISNODE,
			  node);
	if (!on)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&on->lock);
	err = mk_table_init(&on->table, node, home->levels, pgd);
	if (err) {
		kfree(on);
		return ERR_PTR(err);
	}
	atomic64_inc(&mk_home_totals[node].tables);
	err = mk_home_stock(on);
	if (err) {
		mk_home_node_free(on);
		return ERR_PTR(err);
	}
	set_page_private(on->table.root, on->batch[0]);
	return on;
}

/**
 * mk_home_join() - have a node take part in a space
 * @home: the space
 * @node: which; nothing happens if it does already
 *
 * Context: process, not a port's thread; sleeps.
 * Return: 0; -EINVAL for a node that has no memory; -ENOMEM, -EINTR, or an error
 * of mk_home_stock().
 */
int mk_home_join(struct mk_home *home, int node)
{
	struct mk_home_node *on;
	int err = 0;

	if (node < 0 || node >= nr_node_ids || !node_state(node, N_MEMORY))
		return -EINVAL;
	if (mutex_lock_killable(&home->change))
		return -EINTR;
	if (!home->on[node]) {
		on = mk_home_node_make(home, node);
		if (IS_ERR(on)) {
			err = PTR_ERR(on);
			goto out;
		}
		/* Pairs with mk_home_serve(): a message that means others. */
		smp_store_release(&home->on[node], on);
		raw_spin_lock_irq(&home->lock);
		node_set(node, home->joined);
		raw_spin_unlock_irq(&home->lock);
	}
out:
	mutex_unlock(&home->change);
	return err;
}

/* --- life ------------------------------------------------------------------ */

/**
 * mk_home_create() - make a space
 * @node: its home, which joins
 *
 * Context: process, not a port's thread; sleeps.
 * Return: the space, for mk_home_destroy(); or an ERR_PTR: -EINVAL for a node
 * that has no memory, -ENOMEM, -EINTR, or an error of mk_home_stock().
 */
struct mk_home *mk_home_create(int node)
{
	struct mk_home *home;
	int err;

	if (node < 0 || node >= nr_node_ids || !node_state(node, N_MEMORY))
		return ERR_PTR(-EINVAL);
	home = kzalloc_node(struct_size(home, on, nr_node_ids),
			    GFP_KERNEL_ACCOUNT | __GFP_THISNODE, node);
	if (!home)
		return ERR_PTR(-ENOMEM);
	home->id = atomic64_inc_return(&mk_home_last_id);
	home->node = node;
	home->levels = pgtable_l5_enabled() ? 5 : 4;
	mutex_init(&home->change);
	raw_spin_lock_init(&home->lock);
	home->records = RB_ROOT;
	INIT_LIST_HEAD(&home->kept);
	atomic64_inc(&mk_home_totals[node].spaces);
	err = mk_home_join(home, node);
	if (!err)
		err = xa_err(xa_store(&mk_homes, home->id, home, GFP_KERNEL));
	if (err) {
		mk_home_destroy(home);
		return ERR_PTR(err);
	}
	return home;
}

/**
 * mk_home_destroy() - take a space away
 * @home: from mk_home_create(); nobody else uses it, but a late message may name it
 *
 * Context: process, not a port's thread; sleeps.
 */
void mk_home_destroy(struct mk_home *home)
{
	struct mk_home_record *record, *next;
	int node;

	xa_erase(&mk_homes, home->id);
	/* Whoever serves a late message is done with it. */
	synchronize_rcu();
	for_each_node(node)
		if (home->on[node])
			mk_home_node_free(home->on[node]);
	rbtree_postorder_for_each_entry_safe(record, next, &home->records, rb)
		mk_home_record_free(home, record);
	mk_home_records_free(home, &home->kept);
	atomic64_dec(&mk_home_totals[home->node].spaces);
	kfree(home);
}
