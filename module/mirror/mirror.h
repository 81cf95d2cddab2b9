/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Live mirrors: a running, unmodified process on one page table per node.
 *
 * Linux keeps its page tables, the master, as ever, and never learns of the
 * replicas. Each node with memory has a replica, every page of it on that node.
 * A CPU that runs a thread of the process walks the replica of its own node.
 *
 * Contents. A replica is empty at first, and a fault fills in what the master
 * has (fill.c). Whatever Linux takes away or restricts it announces to MMU
 * notifiers, and the replicas lose it then (notify.c); Linux's own flush, which
 * follows, serves the replicas too: same tag (PCID), same address. So a replica
 * never allows more than the master, and who finds less in it faults.
 * Where the master is empty, a fault fills in nothing and changes nothing: what
 * mk_mirror_set() has put there stays, until mk_mirror_clear() or a notifier.
 *
 * The CR3 of a CPU (switch.c). It is changed when a thread has been switched in,
 * to the replica of the CPU's node. Whenever anything stands in the way (no
 * replica on this node, no page in the pool, an invalidation under way) the CPU
 * goes to the master, which is always right, until the next switch.
 *
 * Life. A mirror begins by mk_mirror_attach(). It ends once, in the work of
 * mk_mirror_end(), whoever asks for it: detach, exec or exit, close of the
 * device, memory hotplug, suspend, rmmod. After that every CPU is on the master
 * and no replica is left; the struct stays as long as somebody holds it.
 *
 * Locks, outermost first
 *	mk_mirrors_lock		mutex: making a mirror
 *	mk_mirror::block_lock	raw, interrupts off
 *	mk_mirror_node::lock	likewise, of one node at a time; not with the above.
 *				Both may be taken under any lock of Linux's but a
 *				run queue's
 */
#ifndef MK_MIRROR_H
#define MK_MIRROR_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "module/mirror/table.h"
#include "urpc/port.h"

struct dentry;
struct mk_mirror;
struct pid;

/**
 * enum mk_mirror_broken - faults that can be planted, to see tests fail
 * @MK_MIRROR_SOUND: none
 * @MK_MIRROR_NO_DIRTY: clean pages are filled in writable
 * @MK_MIRROR_NO_INVALIDATE: what Linux takes away, replicas keep
 * @MK_MIRROR_NO_REGIONS: what operations on regions take away, replicas keep
 * @MK_MIRROR_NO_WIPE: a page of a table that was shut is opened as it was; takes
 *	effect with the next attach, as does
 * @MK_MIRROR_SHARED: all nodes walk the table of one node
 * @MK_MIRROR_BROKENS: how many
 */
enum mk_mirror_broken {
	MK_MIRROR_SOUND,
	MK_MIRROR_NO_DIRTY,
	MK_MIRROR_NO_INVALIDATE,
	MK_MIRROR_NO_REGIONS,
	MK_MIRROR_NO_WIPE,
	MK_MIRROR_SHARED,
	MK_MIRROR_BROKENS
};

/**
 * enum mk_invalidate - who clears the replicas of other nodes
 * @MK_INVALIDATE_DIRECT: the CPU that invalidates
 * @MK_INVALIDATE_MESSAGE: a monitor of each node, which is asked
 * @MK_INVALIDATES: how many ways
 */
enum mk_invalidate {
	MK_INVALIDATE_DIRECT,
	MK_INVALIDATE_MESSAGE,
	MK_INVALIDATES
};

/**
 * struct mk_mirror_request - a range that a monitor is asked to clear
 * @work: of the monitor
 * @state: see request.c
 * @start: first byte
 * @end: first byte after it
 */
struct mk_mirror_request {
	struct mk_work work;
	int state;
	unsigned long start, end;
};

/**
 * struct mk_mirror_node - a mirror's page tables on one node
 * @lock: raw, interrupts off: all below
 * @table: the tables; their root is what CR3 gets
 * @mirror: whose
 * @root: physical address of the root; fixed
 * @gone: the tables are being freed: nobody touches them any more; read without
 *	the lock, too
 * @zaps: leaves that were cleared
 * @young: accesses that were reported to Linux
 * @request: to a monitor of the node; not under the lock
 * @messages: how often one was asked
 * @directs: how often none was, or it was too late, though invalidation is by
 *	message
 */
struct mk_mirror_node {
	raw_spinlock_t lock;	/* the members below */
	struct mk_table table;
	struct mk_mirror *mirror;
	unsigned long root;
	bool gone;
	u64 zaps, young;
	struct mk_mirror_request request;
	atomic64_t messages, directs;
};

/**
 * struct mk_mirror_cpu - what one CPU has done for a mirror
 * @switches: it went to a replica
 * @fills: leaves it has filled in
 * @refaults: faults where the replica had the same leaf already
 * @fallbacks: it went to the master
 * @again: page of the last refault
 * @nr_again: how often in a row
 */
struct mk_mirror_cpu {
	u64 switches, fills, refaults, fallbacks;
	unsigned long again;
	unsigned int nr_again;
};

/**
 * struct mk_mirror - a mirrored mm
 * @notifier: holds the mm_struct; @notifier.mm is it
 * @hash: in the table by mm; under RCU
 * @refs: of the struct
 * @pid: thread group, as it was attached
 * @comm: its name then
 * @ended: MK_MIRROR_ENDS, MK_MIRROR_STARTS: no CPU goes to a replica, and nothing
 *	is put there
 * @end: the work that ends it
 * @over: completed when it has ended
 * @dir: its directory
 * @tallied: see tally.c
 * @held: in the list of mk_mirrors_each()
 * @levels: of the page tables, 4 or 5
 * @block_lock: raw: changes of the range below
 * @blocks: invalidations under way
 * @block_start: first byte that they touch, all together
 * @block_end: first byte after that
 * @cpu: per CPU
 * @replica: by node; NULL where there is none
 */
struct mk_mirror {
	struct mmu_notifier notifier;
	struct hlist_node hash;
	refcount_t refs;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	unsigned long ended;
	struct work_struct end;
	struct completion over;
	struct dentry *dir;
	struct list_head tallied;
	struct list_head held;
	int levels;
	raw_spinlock_t block_lock;	/* block_start, block_end */
	atomic_t blocks;
	unsigned long block_start, block_end;
	struct mk_mirror_cpu __percpu *cpu;
	struct mk_mirror_node *replica[];
};

/* The mm; valid as long as the mirror is held. */
static inline struct mm_struct *mk_mirror_mm(const struct mk_mirror *m)
{
	return m->notifier.mm;
}

/* Bits of mk_mirror::ended: it ends, or has; it has not begun yet. */
#define MK_MIRROR_ENDS		0
#define MK_MIRROR_STARTS	1

/* Once it has ended it stays so. Before it has begun, it looks the same. */
static inline bool mk_mirror_has_ended(const struct mk_mirror *m)
{
	return READ_ONCE(m->ended);
}

/* The next replica from node *@node on, each once; NULL after the last. */
static inline struct mk_mirror_node *mk_mirror_next(const struct mk_mirror *m,
						    int *node)
{
	struct mk_mirror_node *r;

	for (; *node < nr_node_ids; ++*node) {
		r = m->replica[*node];
		if (r && r->table.node == *node)
			return r;
	}
	return NULL;
}

/* Each replica once, in the order of nodes; @at is an int. */
#define mk_mirror_for_each_node(pos, at, mirror)			\
	for ((at) = 0; ((pos) = mk_mirror_next(mirror, &(at))); (at)++)

/* Process context; sleep. */
struct mk_mirror *mk_mirror_attach(struct pid *pid, const char *what);
void mk_mirror_detach(struct mk_mirror *m);
void mk_mirrors_detach_all(const char *why);
int mk_mirror_here(struct mk_mirror *m);

/* Any context. */
enum mk_invalidate mk_mirror_invalidate(void);
void mk_mirror_set_invalidate(enum mk_invalidate how);
u64 mk_mirror_fills(const struct mk_mirror *m);

/* Any context but NMI, not under the lock of a run queue. */
struct mk_mirror *mk_mirror_get(struct mm_struct *mm);
void mk_mirror_put(struct mk_mirror *m);
int mk_mirror_set(struct mk_mirror *m, int node, unsigned long addr, int level,
		  u64 entry);
unsigned long mk_mirror_clear(struct mk_mirror *m, int node,
			      unsigned long start, unsigned long end);

/* For main.c; stop comes before the files go, exit after. */
int mk_mirrors_init(void);
void mk_mirrors_stop(void);
void mk_mirrors_files(struct dentry *root);
void mk_mirrors_exit(void);

#endif /* MK_MIRROR_H */
