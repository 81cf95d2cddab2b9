// SPDX-License-Identifier: GPL-2.0
/*
 * Faults fill a replica with what the master has.
 *
 * A thread on a replica faults where the replica has less than it needs, even
 * if the master has enough. Linux handles the fault as ever, and finds what there
 * is to do (perhaps nothing). Then the master's leaf is copied to the replica of
 * the CPU that the access will be done on again. Two hooks of the function tracer
 * do that. One at handle_mm_fault() notes the address; a CPU has room for one
 * note. One at up_read() finds that the thread that made the note lets its
 * mmap_lock go, which is when the fault has been handled. It covers faults
 * of fixup_user_fault() by the process itself as well; of get_user_pages(), which
 * needs no replica, the last page only. A note that is lost, since the thread
 * slept and another had a fault, or has moved, costs one more fault.
 *
 * Where the master has neighbours of the page that the replica lacks they are
 * copied with it, as Linux does with pages of files (fault_around_bytes). They are
 * not marked as used, as nobody knows that yet.
 *
 * The dirty rule: a leaf is writable in a replica only if the master's is
 * writable and dirty. CPUs set the dirty bit of the entry they walk, and Linux
 * looks at the master's only; so the first write goes through Linux, which
 * marks the master dirty. What Linux cleans later it announces, and the
 * replicas lose it.
 */
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "module/compat.h"
#include "module/mirror/mirror_priv.h"
#include "module/mirror/pool.h"
#include "module/mirror/table_priv.h"

/* As many refaults of one page in a row, and the CPU goes to the master. */
#define MK_FILL_AGAIN		8

/* Pages that are filled in together, aligned: two lines of entries. */
#define MK_FILL_AROUND		16

/* Bits that CPUs set. */
#define MK_FILL_USED		(_PAGE_ACCESSED | _PAGE_DIRTY)

/**
 * struct mk_fault - a CPU's note of a fault
 * @task: whose, or NULL
 * @addr: where
 */
struct mk_fault {
	struct task_struct *task;
	unsigned long addr;
};

static DEFINE_PER_CPU(struct mk_fault, mk_fault);

/* What a replica gets for the master's @entry. */
static u64 mk_fill_entry(u64 entry)
{
	if ((entry & _PAGE_RW) && !(entry & _PAGE_DIRTY) &&
	    likely(READ_ONCE(mk_mirror_broken) != MK_MIRROR_NO_DIRTY))
		entry &= ~(u64)_PAGE_RW;
	return entry;
}

/*
 * Nothing has changed and yet it faults: another CPU of the node was faster, or
 * something is not as it should be. Return: whether to try again.
 */
static bool mk_fill_again(struct mk_mirror *m, unsigned long addr)
{
	struct mk_mirror_cpu *cpu = this_cpu_ptr(m->cpu);

	cpu->refaults++;
	if (cpu->again != addr) {
		cpu->again = addr;
		cpu->nr_again = 0;
	}
	return ++cpu->nr_again < MK_FILL_AGAIN;
}

/*
 * The master's entry for @addr, and its place. Under the lock: an invalidation that
 * begins from now on finds it taken, and clears what was filled in. One that has ended
 * before the blocks are looked at has changed the master before that; so the master is
 * looked at afterwards, and once more if all of a large page was not asked about.
 * Return: false if an invalidation is under way.
 */
static __always_inline bool mk_fill_master(const struct mk_mirror *m,
					   unsigned long addr, u64 *entry,
					   int *level, const u64 **slot)
{
	const u64 *root = (u64 *)mk_mirror_mm(m)->pgd;
	int asked = 0;

	*level = 1;
	while (*level > asked) {
		if (*level > MK_TABLE_LEAF_MAX)
			return false;
		asked = *level;
		if (mk_mirror_blocked(m, addr & ~(mk_table_span(asked) - 1),
				      mk_table_span(asked)))
			return false;
		/* Pairs with the atomic of mk_mirror_unblock(). */
		smp_rmb();
		*entry = mk_walk_find(root, m->levels, addr, level, slot);
		if (!(*entry & _PAGE_PRESENT))
			break;
	}
	return true;
}

/* Does the replica lack what the master has? */
static bool mk_fill_lacks(const u64 *master, const u64 *table, unsigned int i)
{
	return (READ_ONCE(master[i]) & _PAGE_PRESENT) && !table[i];
}

/*
 * Under the lock. What lies around a page that was filled in; first a look at the
 * next one and the last, so that a process that uses its pages in order for the
 * first time pays for no more than that.
 */
static void mk_fill_around(struct mk_mirror *m, const u64 *master, u64 *table,
			   struct mk_table *t, unsigned long addr)
{
	unsigned int i = mk_index(addr, 1), n = 0;
	unsigned int end = (i | (MK_FILL_AROUND - 1)) + 1;
	u64 entry;

	if (!(i + 1 < end && mk_fill_lacks(master, table, i + 1)) &&
	    !(i & (MK_FILL_AROUND - 1) && mk_fill_lacks(master, table, i - 1)))
		return;
	i = end - MK_FILL_AROUND;
	addr &= -(unsigned long)(MK_FILL_AROUND * PAGE_SIZE);
	if (mk_mirror_blocked(m, addr, MK_FILL_AROUND * PAGE_SIZE))
		return;
	/* As in mk_fill_master(): the blocks, then the master. */
	smp_rmb();
	for (; i < end; i++) {
		entry = READ_ONCE(master[i]);
		if (!(entry & _PAGE_PRESENT) || table[i])
			continue;
		entry = mk_fill_entry(entry) & ~(u64)_PAGE_ACCESSED;
		WRITE_ONCE(table[i], entry);
		n++;
	}
	mk_use(t, table, 1, n);
	this_cpu_add(m->cpu->fills, n);
}

/*
 * Under the lock, and so are the next. @slot is of the master, @entry for the
 * replica. Return: false if the thread cannot go on with the replica.
 */
static __always_inline bool mk_fill_small(struct mk_mirror *m, struct mk_table *t,
					  unsigned long addr, u64 entry,
					  const u64 *slot)
{
	unsigned int i = mk_index(addr, 1);
	u64 *table = mk_table_lowest(t, addr);
	u64 old = table ? table[i] : 0;

	if (old && !((old ^ entry) & ~(u64)MK_FILL_USED))
		return mk_fill_again(m, addr & PAGE_MASK);
	if (table) {
		WRITE_ONCE(table[i], entry);
		if (!old)
			mk_use(t, table, 1, 1);
	} else {
		if (mk_table_set(t, addr, 1, entry))
			return false;
		table = mk_table_lowest(t, addr);
	}
	this_cpu_inc(m->cpu->fills);
	mk_fill_around(m, slot - i, table, t, addr);
	return true;
}

static bool mk_fill_large(struct mk_mirror *m, struct mk_table *t,
			  unsigned long addr, int level, u64 entry)
{
	u64 old;
	int had;

	addr &= ~(mk_table_span(level) - 1);
	old = mk_table_get(t, addr, &had);
	if (old && had == level && !((old ^ entry) & ~(u64)MK_FILL_USED))
		return mk_fill_again(m, addr);
	if (mk_table_set(t, addr, level, entry))
		return false;
	this_cpu_inc(m->cpu->fills);
	return true;
}

static __always_inline bool mk_fill_locked(struct mk_mirror *m,
					   struct mk_mirror_node *r,
					   unsigned long addr)
{
	const u64 *slot;
	u64 entry;
	int level;

	if (r->gone || mk_mirror_has_ended(m))
		return false;
	if (!mk_fill_master(m, addr, &entry, &level, &slot))
		return false;
	/* Nothing to fill in; a replica may still have something here. */
	if (!(entry & _PAGE_PRESENT))
		return true;
	entry = mk_fill_entry(entry);
	return level == 1 ? mk_fill_small(m, &r->table, addr, entry, slot) :
			    mk_fill_large(m, &r->table, addr, level, entry);
}

static void mk_fill(struct mk_mirror *m, unsigned long addr)
{
	struct mk_mirror_node *r = m->replica[numa_node_id()];
	bool good;

	/* On the master, there is nothing that it lacks. */
	if (!r || !mk_switch_is_here(r))
		return;
	raw_spin_lock(&r->lock);
	good = mk_fill_locked(m, r, addr);
	raw_spin_unlock(&r->lock);
	if (good)
		return;
	mk_switch_fall_back(m);
	if (mk_pool_used() >= mk_pool_limit())
		mk_trim_soon();
}

/* At handle_mm_fault(). Preempted between the two, a note is lost. */
static void notrace mk_fault_begins(unsigned long ip, unsigned long parent,
				    struct ftrace_ops *ops,
				    struct ftrace_regs *regs)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (!atomic_read(&mk_nr_mirrors) || !mm || !mm_has_notifiers(mm))
		return;
	vma = (struct vm_area_struct *)mk_traced_argument(regs, 0);
	if (vma->vm_mm != mm)
		return;
	this_cpu_write(mk_fault.addr, mk_traced_argument(regs, 1));
	this_cpu_write(mk_fault.task, current);
}

/* At up_read(), by anybody. */
static void notrace mk_fault_ends(unsigned long ip, unsigned long parent,
				  struct ftrace_ops *ops,
				  struct ftrace_regs *regs)
{
	struct mk_mirror *m;
	unsigned long flags;

	if (this_cpu_read(mk_fault.task) != current || !current->mm ||
	    mk_traced_argument(regs, 0) != (unsigned long)&current->mm->mmap_lock)
		return;
	/* The walk of the master and the look at CR3 need it. */
	local_irq_save(flags);
	this_cpu_write(mk_fault.task, NULL);
	m = mk_mirror_find(current->mm);
	if (m)
		mk_fill(m, this_cpu_read(mk_fault.addr));
	local_irq_restore(flags);
}

static struct ftrace_ops mk_fault_begins_ops = {
	.func = mk_fault_begins,
};

static struct ftrace_ops mk_fault_ends_ops = {
	.func = mk_fault_ends,
};

/**
 * mk_fill_start() - hook into faults
 *
 * Context: process; sleeps.
 * Return: 0 or a negative errno.
 */
int mk_fill_start(void)
{
	int err;

	err = mk_hook(&mk_fault_ends_ops, "up_read");
	if (err)
		return err;
	err = mk_hook(&mk_fault_begins_ops, "handle_mm_fault");
	if (err)
		mk_unhook(&mk_fault_ends_ops);
	return err;
}

/**
 * mk_fill_exit() - let go
 *
 * Context: process; sleeps.
 */
void mk_fill_exit(void)
{
	mk_unhook(&mk_fault_begins_ops);
	mk_unhook(&mk_fault_ends_ops);
}
