/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of a live mirror know of each other.
 */
#ifndef MK_MIRROR_PRIV_H
#define MK_MIRROR_PRIV_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "module/mirror/mirror.h"
#include "shootdown/space.h"

struct ftrace_ops;
struct seq_file;

/* mirrors.c */
extern atomic_t mk_nr_mirrors;		/* that have not ended */
extern atomic_t mk_nr_kept;		/* whose memory is not freed */
extern struct mutex mk_mirrors_lock;
extern bool mk_mirrors_closed;		/* under it */
extern struct workqueue_struct *mk_mirrors_wq;
struct mk_mirror *mk_mirror_find(struct mm_struct *mm);
unsigned long mk_mirrors_idle(void);
void mk_mirrors_each(void (*fn)(struct mk_mirror *m));
void mk_mirrors_add(struct mk_mirror *m);
void mk_mirrors_del(struct mk_mirror *m);
int mk_mirrors_hook(void);

/* mirror.c */
extern enum mk_mirror_broken mk_mirror_broken;
struct mk_mirror *mk_mirror_attach_mm(struct pid *pid, struct mm_struct *only,
				      const char *what);
void mk_mirror_end(struct mk_mirror *m);
void mk_mirror_free(struct mmu_notifier *notifier);

/* notify.c */
extern const struct mk_copies mk_mirror_copies;
extern const struct mmu_notifier_ops mk_mirror_notifier_ops;
void mk_mirror_empty(struct mk_mirror *m);
unsigned long mk_mirror_node_clear(struct mk_mirror_node *r,
				   unsigned long start, unsigned long end);

/* Under a replica's lock: may nothing of this be filled in now? */
static inline bool mk_mirror_blocked(const struct mk_mirror *m,
				     unsigned long addr, unsigned long size)
{
	/* Pairs with mk_mirror_block(): locked before the blocks are looked at. */
	smp_mb__after_spinlock();
	return atomic_read(&m->blocks) &&
	       addr < READ_ONCE(m->block_end) &&
	       addr + size > READ_ONCE(m->block_start);
}

/**
 * struct mk_locality - where a CPU's page walk reads
 * @mirrored: is the CPU on its replica
 * @levels: pages that the walk reads, with what CR3 holds
 * @local: how many of them lie on the CPU's node
 * @master_levels: the same, if it walked the master
 * @master_local: likewise
 */
struct mk_locality {
	bool mirrored;
	unsigned int levels, local;
	unsigned int master_levels, master_local;
};

/* switch.c */
int mk_hook(struct ftrace_ops *ops, const char *name);
void mk_unhook(struct ftrace_ops *ops);
bool mk_switch_locality(struct mk_mirror *m, int cpu,
			struct mk_locality *locality);
int mk_switch_start(void);
void mk_switch_exit(void);
void mk_switch_on(struct mk_mirror *m);
void mk_switch_off(struct mk_mirror *m);
void mk_switch_off_all(void);
void mk_switch_own(struct mm_struct *mm);
bool mk_switch_is_here(const struct mk_mirror_node *r);
void mk_switch_fall_back(struct mk_mirror *m);

/* fill.c */
int mk_fill_start(void);
void mk_fill_exit(void);

/* request.c */
bool mk_request_possible(bool blockable);
bool mk_request_send(struct mk_mirror_node *r, unsigned long start,
		     unsigned long end);
bool mk_request_wait(struct mk_mirror_node *r);

/*
 * MK_MIRROR_TALLY(X) - what is summed up over all mirrors, X(name): how many
 * were attached, and what files of their nodes show
 */
#define MK_MIRROR_TALLY(X)	\
	X(attached)		\
	X(fills)		\
	X(refaults)		\
	X(fallbacks)		\
	X(switches)		\
	X(zaps)			\
	X(messages)		\
	X(directs)

/* trim.c */
void mk_trim_mirror(struct mk_mirror *m);
void mk_trim_soon(void);
int mk_trim_start(void);
void mk_trim_exit(void);
u64 mk_trims(void);
u64 mk_trimmed(void);
u64 mk_shrinks(void);
u64 mk_shrunk(void);

/* inherit.c */
bool mk_inherit(void);
void mk_set_inherit(bool inherit);
int mk_inherit_start(void);
void mk_inherit_exit(void);

/* tally.c */
void mk_tally_begin(struct mk_mirror *m);
void mk_tally_end(struct mk_mirror *m);
int mk_tally_show(struct seq_file *s, void *unused);

/* files.c */
void mk_mirror_files(struct mk_mirror *m);
void mk_mirror_files_remove(struct mk_mirror *m);

#endif /* MK_MIRROR_PRIV_H */
