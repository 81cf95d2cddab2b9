/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Home-node address spaces (Kupferschmied, Stoess and Bellosa, NUMA-aware
 * per-node address spaces for microkernels).
 *
 * A space belongs to the node it was made on, its home. What is mapped is
 * written down there, in records. Each node that uses the space has page tables
 * of its own, every page of them on that node; they are empty at first, and a
 * page fault on that node brings in what the records say, so that a page which n
 * nodes use costs n faults. A page is global (one frame for all nodes) or
 * node-local (a frame for each node, at one address).
 *
 * Who is on the tables
 *	No process: a CPU goes there for one access at a time, in its port's
 *	thread, with interrupts off (visit.c). It walks the node's tables as
 *	hardware does, and its TLB keeps nothing of it.
 *
 * A global unmap (unmap.c)
 *	1. The records go. From here on a fault there is an error.
 *	2. The monitors of the nodes' leaders are told, by a shootdown protocol;
 *	   each clears its own node's tables. The initiator clears its own's.
 *	3. Every CPU of the nodes is told, by the same protocol. Its answer says
 *	   that no visit goes on there which began before 2.
 *	4. The frames are freed.
 *
 * Why no entry is left: a fault looks for the record and writes the entry under
 * its node's lock. If it has found the record, 1 comes after that, and so does 2,
 * which takes the node's lock and clears the entry. A node joins under the lock of
 * the records, and 1 sees it or it finds no record.
 *
 * Page tables in the frame table
 *	Each page of a table is a slot there, of type page table. Slots are agreed
 *	on where one can wait; a fault that finds too few in stock gives up, and
 *	whoever wanted the access gets more and tries again.
 *
 * Locks, outermost first
 *	mk_home::change		mutex: maps and unmaps, nodes that join
 *	mk_home_node::lock	raw, interrupts off: one node's tables
 *	mk_home::lock		raw, interrupts off: records, who has joined
 */
#ifndef MK_HOME_H
#define MK_HOME_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "module/mirror/table.h"
#include "module/uapi.h"
#include "shootdown/protocols.h"

struct dentry;
struct mk_port;
struct mk_shootdown;

/* Slots of the frame table are agreed on in batches, so many for a node at most. */
#define MK_HOME_BATCH		8
#define MK_HOME_BATCHES		64

/**
 * struct mk_home_record - what is mapped in one piece
 * @rb: by address
 * @link: while it is on its way out
 * @start: first byte
 * @pages: how many
 * @flags: MK_HOME_WRITE, MK_HOME_LOCAL
 * @frame: of each page; with MK_HOME_LOCAL, of each page of node 0, node 1 …
 */
struct mk_home_record {
	struct rb_node rb;
	struct list_head link;
	unsigned long start;
	u32 pages;
	u32 flags;
	struct page *frame[];
};

/**
 * struct mk_home_node - a space's page tables on one node
 * @lock: raw, interrupts off: all below but @nr_batches as said
 * @table: the tables
 * @batch: first slots of what the frame table has for them
 * @nr_batches: how many; grows under the lock
 * @faults: page faults
 * @served: number of the last operation that cleared entries here
 */
struct mk_home_node {
	raw_spinlock_t lock;	/* the members below */
	struct mk_table table;
	u32 batch[MK_HOME_BATCHES];
	u32 nr_batches;
	u64 faults;
	u64 served;
};

/**
 * struct mk_home - a space
 * @id: its number in messages; never 0, never another space's
 * @node: its home
 * @levels: of its page tables, 4 or 5
 * @change: see above
 * @lock: raw, interrupts off: @records, @joined
 * @records: struct mk_home_record
 * @joined: nodes that have page tables
 * @kept: records whose frames may still be reached: freed with the space
 * @on: by node: its page tables; set once, before it is in @joined
 */
struct mk_home {
	u64 id;
	int node;
	int levels;
	struct mutex change;	/* records, joined, kept */
	raw_spinlock_t lock;	/* records, joined */
	struct rb_root records;
	nodemask_t joined;
	struct list_head kept;
	struct mk_home_node *on[];
};

/* Of one node, all spaces together. */
struct mk_home_totals {
	atomic64_t spaces;	/* whose home it is */
	atomic64_t records;
	atomic64_t tables;	/* spaces that have page tables here */
	atomic64_t faults;
	atomic64_t told;	/* unmaps that were a message or an interrupt */
	atomic64_t direct;	/* unmaps that the initiator did for the node */
};

extern struct mk_home_totals *mk_home_totals;

/* Process context; sleep. home.c */
struct mk_home *mk_home_create(int node);
void mk_home_destroy(struct mk_home *home);
int mk_home_join(struct mk_home *home, int node);
int mk_home_stock(struct mk_home_node *on);
int mk_home_map(struct mk_home *home, const struct mk_home_map *map);
void mk_home_records_free(struct mk_home *home, struct list_head *records);

/* Any context but NMI; home.c */
struct mk_home *mk_home_find(u64 id);
struct mk_home_record *mk_home_at(const struct mk_home *home,
				  unsigned long address);
struct page *mk_home_frame(const struct mk_home_record *record,
			   unsigned long address, int node);

/* unmap.c: process context; sleeps. */
int mk_home_unmap(struct mk_home *home, struct mk_home_unmap *op);
void mk_home_unmap_init(void);
/* Any context but NMI: */
void mk_home_clear(struct mk_home_node *on, unsigned long start,
		   unsigned long end, u64 id);

/* visit.c. The port's thread: */
int mk_home_fault(struct mk_home *home, int node, unsigned long address,
		  bool write);
int mk_home_visit(struct mk_home *home, int node, unsigned long address,
		  bool write, u64 *word);
void mk_home_pass(struct mk_home *home, int node);
/* Process context; sleeps: */
int mk_home_touch(struct mk_home *home, struct mk_home_touch *touch);
bool mk_home_visits(void);

/* home_files.c. Process context; sleep. */
int mk_home_info(struct mk_home *home, struct mk_home_info *info);
long mk_home_ioctl(struct mk_home **home, unsigned int cmd, void __user *arg);
int mk_homes_init(void);
void mk_homes_files(struct dentry *root);
void mk_homes_exit(void);

#endif /* MK_HOME_H */
