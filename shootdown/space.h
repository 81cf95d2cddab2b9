/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spaces: address spaces of processes, and the monitors that have adopted them.
 *
 * A monitor that has adopted an mm runs on that mm's page tables as a thread of
 * the process would. It can then read the process's memory, and invalidate
 * its CPU's translations of it by INVLPG; on the other hand it has to, as no
 * switch back to a user thread will.
 *
 * Lifetime
 *	There is one space for an mm. Users hold it from mk_space_get() to
 *	mk_space_put(); a monitor that has adopted it, or is asked to, holds the
 *	memory. A space holds the mm_struct (mm_count), never the memory of the
 *	process (mm_users): a dying process is not kept alive. When it dies (the
 *	mmu notifier's ->release), and when the last user is gone, every monitor
 *	gives the mm back, and none adopts it again. ->release waits for them,
 *	MK_SPACE_WAIT_MS at most; a monitor that comes later does no harm, since
 *	it reads user memory only where a fault is an error, and page tables go
 *	away only after an interrupt to each CPU that uses them.
 *
 * Who does what
 *	What is adopted where is wanted by anyone and done by the port's thread: in
 *	the space there is one seat per CPU, with the word that says what is
 *	wanted and the work that makes it so. The work is not slow, so a
 *	monitor in the middle of an operation does it while it polls, and whoever
 *	uses an adopted mm asks mk_space_is_adopted() again after each poll.
 *	A port has one adopted space at a time; the later one wins. A port's
 *	thread takes no mmap_lock, no reference to mm_users, and never faults.
 *
 * Locks
 *	mk_space_get() takes mmap_lock for writing, when the mm is new. All else
 *	here takes no lock that is held over anything which sleeps.
 */
#ifndef MK_SPACE_H
#define MK_SPACE_H

#include <linux/cpumask.h>
#include <linux/mmu_notifier.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "urpc/port.h"

struct dentry;
struct mk_space;

/* How long anybody waits for monitors to adopt an mm or give it back. */
#define MK_SPACE_WAIT_MS	2000

/**
 * struct mk_space_seat - a space as one CPU's monitor sees it
 * @work: makes @wanted so
 * @space: which
 * @queued: @work is on its way
 * @running: it has begun
 * @wanted: should the monitor adopt the mm
 * @taken: it has; written by its thread
 */
struct mk_space_seat {
	struct mk_work work;
	struct mk_space *space;
	int queued;
	bool running;
	bool wanted;
	bool taken;
};

/**
 * struct mk_space - an mm, and who has adopted it
 * @notifier: holds the mm_struct and tells when the mm dies; @notifier.mm is it
 * @link: in the list of all
 * @refs: of the memory: users, and seats taken or queued
 * @users: see mk_space_get(); under the lock of the list
 * @id: its number in messages; never 0, never another space's
 * @dead: the mm dies, or has
 * @waiters: for seats
 * @seat: one per CPU
 */
struct mk_space {
	struct mmu_notifier notifier;
	struct list_head link;
	refcount_t refs;
	unsigned int users;
	u64 id;
	bool dead;
	wait_queue_head_t waiters;
	struct mk_space_seat seat[];
};

/**
 * struct mk_copies - page tables that CPUs walk instead of an mm's own
 * @begin: entries of a range are about to change: copies lose theirs, and get none
 *	of the range until @end. Returns what @end gets, NULL if the mm has no
 *	copies. Any context but NMI; the caller holds mmap_lock.
 * @end: they have been changed, and flushes have been asked for. Any but NMI
 * @own: have this CPU walk the mm's own. The thread that has adopted the mm
 */
struct mk_copies {
	void *(*begin)(struct mm_struct *mm, unsigned long start,
		       unsigned long end);
	void (*end)(void *copies);
	void (*own)(struct mm_struct *mm);
};

/* Set by who makes copies, while nobody uses a space; or NULL. */
extern const struct mk_copies *mk_copies;

/* The mm; valid as long as the space. */
static inline struct mm_struct *mk_space_mm(const struct mk_space *space)
{
	return space->notifier.mm;
}

/* Anyone: which space has this CPU's monitor adopted, 0 if none; may be old. */
static inline u64 mk_space_adopted(const struct mk_port *port)
{
	return READ_ONCE(port->space_id);
}

/* The port's thread: is it on the page tables of that space now? */
static inline bool mk_space_is_adopted(const struct mk_port *port, u64 id)
{
	return port->space_id == id;
}

/* Process context, no mmap_lock held; sleep. */
struct mk_space *mk_space_get(struct mm_struct *mm);
void mk_space_hold(struct mk_space *space);
void mk_space_put(struct mk_space *space);
int mk_space_adopt(struct mk_space *space, const struct cpumask *cpus);
int mk_space_leave(struct mk_space *space, const struct cpumask *cpus);

/* Anyone. */
void mk_space_cpus(const struct mk_space *space, struct cpumask *cpus);

/* The port's thread. */
int mk_space_read(struct mk_port *port, const struct mk_space *space,
		  unsigned long address, u64 *value);
void mk_space_stop(struct mk_port *port);

/* For main.c; exit comes after the monitors'. */
void mk_spaces_files(struct dentry *root);
void mk_spaces_exit(void);

#endif /* MK_SPACE_H */
