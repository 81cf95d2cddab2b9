/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of paged regions know of each other. The rules: paged.h.
 */
#ifndef MK_PAGER_PAGED_PRIV_H
#define MK_PAGER_PAGED_PRIV_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "module/pager/paged.h"
#include "shootdown/region_priv.h"

struct address_space;
struct eventfd_ctx;
struct page;

/*
 * MK_PAGED_STATS(X) - what is counted, X(name): as in struct mk_paged_info
 */
#define MK_PAGED_STATS(X)	\
	X(faults)		\
	X(installs)		\
	X(asked)		\
	X(served)		\
	X(refused)		\
	X(stale)		\
	X(timeouts)		\
	X(nonsense)		\
	X(nobody)		\
	X(fallbacks)		\
	X(sigbus)		\
	X(takeovers)		\
	X(unmaps)

#define MK_PAGED_STAT_MEMBER(name)	u64 name;

struct mk_paged_stats {
	MK_PAGED_STATS(MK_PAGED_STAT_MEMBER)
};

/* What a record is: a frame, and rights. 0: none. */
#define MK_RECORD_RIGHTS	(MK_PAGER_READ | MK_PAGER_WRITE | MK_PAGER_EXEC)
#define MK_RECORD_SHIFT		3

static inline u32 mk_record(u32 frame, u32 rights)
{
	return frame << MK_RECORD_SHIFT | rights;
}

static inline u32 mk_record_frame(u32 record)
{
	return record >> MK_RECORD_SHIFT;
}

static inline bool mk_record_allows(u32 record, u32 rights)
{
	return !(rights & ~record);
}

/**
 * struct mk_paged - of a paged region; under mk_region::lock what says nothing else
 * @region: it; constant
 * @flags: as created; constant
 * @timeout: how long a fault waits, in jiffies; constant
 * @frames_max: constant
 * @frames: how many there are
 * @frame: each, by its number
 * @used: which numbers are
 * @uses: of each: how many records have it
 * @pinned: of which an operation has not reached everyone
 * @nr_pinned: how many
 * @seq: of each page: the operation that took it away last
 * @ops: number of the latest
 * @record: of each page, by table: a node's, or mk_paged_master()
 * @serving: protects @pager
 * @pager: by node; NULL
 * @arrival: who waits until there is one
 * @pagers: struct mk_pager whose files are open
 * @stats: per CPU
 */
struct mk_paged {
	struct mk_region *region;
	u64 flags;
	unsigned long timeout;
	u32 frames_max;
	u32 frames;
	struct page **frame;
	unsigned long *used;
	u32 *uses;
	unsigned long *pinned;
	u32 nr_pinned;
	u64 *seq;
	u64 ops;
	u32 **record;
	spinlock_t serving;	/* pager */
	struct mk_pager **pager;
	wait_queue_head_t arrival;
	struct list_head pagers;
	struct mk_paged_stats __percpu *stats;
};

/**
 * struct mk_pager - see paged.h
 * @paged: constant
 * @of: the region's file, held; constant
 * @mapping: of the pager's own file; constant
 * @link: in mk_paged::pagers
 * @refs: of this memory: the file, and asks
 * @node: constant
 * @slots: constant
 * @frame: pages of the shared memory; constant
 * @pages: how many; constant
 * @side: the shared memory; constant
 * @request: lines in it; constant
 * @answer: likewise
 * @wake: eventfd of the pager, or NULL; constant
 * @lock: protects @asks, @id, @alarmed and @alarm_at, and the writing of lines
 * @asks: who waits, by line
 * @waiting: how many
 * @id: of the latest request
 * @over: it serves no more; set once, under @lock
 * @alarm: wakes those who have waited too long
 * @alarmed: it will come
 * @alarm_at: when, in jiffies
 * @room: who waits for a line
 * @hangup: who polls the file
 * @wakes: signals to @wake
 * @sleeps: threads that went to sleep
 */
struct mk_pager {
	struct mk_paged *paged;
	struct file *of;
	struct address_space *mapping;
	struct list_head link;
	refcount_t refs;
	int node;
	u32 slots;
	struct page **frame;
	u32 pages;
	struct mk_pager_side *side;
	struct mk_pager_request *request;
	struct mk_pager_answer *answer;
	struct eventfd_ctx *wake;
	spinlock_t lock;	/* asks, id, lines, alarm */
	struct mk_ask **asks;
	u32 waiting;
	u64 id;
	bool over;
	struct delayed_work alarm;
	bool alarmed;
	unsigned long alarm_at;
	wait_queue_head_t room;
	wait_queue_head_t hangup;
	atomic64_t wakes;
	atomic64_t sleeps;
};

/**
 * struct mk_ask - a request, as who waits for the answer sees it
 * @pager: held
 * @id: of the request
 * @task: who waits
 * @deadline: until when, in jiffies
 */
struct mk_ask {
	struct mk_pager *pager;
	u64 id;
	struct task_struct *task;
	unsigned long deadline;
};

/* Of all regions, for debugfs. */
DECLARE_PER_CPU(struct mk_paged_stats, mk_paged_totals);
extern atomic64_t mk_paged_regions;
extern atomic64_t mk_paged_pagers;
extern atomic64_t mk_paged_frames;
extern atomic64_t mk_paged_memory;

/* A planted fault, to see tests fail: local entries go without a flush. */
extern bool mk_paged_broken;

#define mk_paged_count(paged, name)					\
	do {								\
		this_cpu_inc((paged)->stats->name);			\
		this_cpu_inc(mk_paged_totals.name);			\
	} while (0)

/* Can anything lie on that node? */
static inline bool mk_paged_node_ok(int node)
{
	return node >= 0 && node < (int)nr_node_ids &&
	       node_state(node, N_MEMORY);
}

/* The table of pages that are the same on every node. */
static inline int mk_paged_master(void)
{
	return nr_node_ids;
}

static inline bool mk_paged_is_local(const struct mk_paged *paged)
{
	return paged->flags & MK_PAGED_LOCAL;
}

/* Under mk_region::lock: what is not busy now is not taken away meanwhile. */
static inline bool mk_paged_busy(const struct mk_paged *paged, u32 page)
{
	return test_bit(page, paged->region->busy);
}

/* paged.c */
struct mk_paged *mk_paged_of(const struct mk_region *region);
void *mk_paged_alloc(size_t n, size_t size, int node);
void mk_paged_free(void *p, size_t n, size_t size);
void mk_paged_sum(const struct mk_paged_stats __percpu *stats,
		  struct mk_paged_stats *sum);
void mk_paged_info(struct mk_paged *paged, struct mk_paged_info *info);
int mk_paged_look(struct mk_paged *paged, struct mk_paged_look *look);

/* frames.c */
int mk_frames_get(struct mk_paged *paged, struct mk_frame_alloc *alloc);
int mk_frames_free(struct mk_paged *paged, const struct mk_frame_free *range);
void mk_frames_destroy(struct mk_paged *paged);
int mk_frames_add(struct mk_paged *paged, struct page *page);
struct page *mk_frame_page(int node, bool exact);
void mk_frame_drop(struct page *page);
void mk_frame_pin(struct mk_paged *paged, u32 frame);
vm_fault_t mk_frames_fault(struct mk_pager *pager, struct vm_fault *vmf);

/* fault.c */
extern const struct vm_operations_struct mk_paged_vm_ops;

/* serve.c */
vm_fault_t mk_paged_wait(struct vm_fault *vmf, int table, u32 rights);

/* pager.c */
struct mk_pager *mk_pager_get(struct mk_paged *paged, int node);
void mk_pager_put(struct mk_pager *pager);
bool mk_pager_is_there(struct mk_paged *paged, int node);
void mk_pager_info(struct mk_pager *pager, struct mk_pager_info *info);

/* ask.c */
int mk_ask_send(struct mk_ask *ask, struct mk_pager *pager,
		const struct mk_pager_request *request, bool wait);
int mk_ask_room(struct mk_pager *pager, unsigned int state,
		unsigned long deadline);
int mk_ask_wait(struct mk_ask *ask, unsigned int state,
		struct mk_pager_answer *answer);
void mk_ask_over(struct mk_pager *pager);
void mk_ask_alarm(struct work_struct *work);

/* unmap.c */
int mk_paged_unmap(struct mk_paged *paged, struct mk_pager *self,
		   struct mk_paged_unmap *unmap);
bool mk_paged_reach(struct mk_region *region, const struct mk_region_op *op,
		    nodemask_t *nodes);
void mk_paged_operated(struct mk_region *region, struct mk_region_op *op,
		       bool all);

#endif /* MK_PAGER_PAGED_PRIV_H */
