// SPDX-License-Identifier: GPL-2.0
/*
 * Faults fill a replica with what the master has.
 *
 * A thread on a replica faults where the replica has less than it needs, even
 * if the master has enough. Linux handles the fault as ever, finds what there
 * is to do (perhaps nothing) and returns; the kretprobe on handle_mm_fault()
 * then copies the master's leaf to the replica of the CPU that the access will
 * be done on again. It covers faults of get_user_pages() by the process itself
 * as well. A probe that is missed, or a thread that moves, costs one more fault.
 *
 * The dirty rule: a leaf is writable in a replica only if the master's is
 * writable and dirty. CPUs set the dirty bit of the entry they walk, and Linux
 * looks at the master's only; so the first write goes through Linux, which
 * marks the master dirty. What Linux cleans later it announces, and the
 * replicas lose it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/topology.h>

#include "module/mirror/mirror_priv.h"
#include "module/mirror/pool.h"

/* As many refaults of one page in a row, and the CPU goes to the master. */
#define MK_FILL_AGAIN		8

/* Threads that are in a fault at once, per CPU there can be. */
#define MK_FILL_THREADS		64

/* Bits that CPUs set. */
#define MK_FILL_USED		(_PAGE_ACCESSED | _PAGE_DIRTY)

/**
 * struct mk_fault - what is kept of a fault while it is handled
 * @addr: where
 */
struct mk_fault {
	unsigned long addr;
};

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
 * The master's entry for @addr. Under the lock: an invalidation that begins from
 * now on finds it taken, and clears what was filled in. One that has ended before
 * the blocks are looked at has changed the master before that; so the master is
 * looked at afterwards, and once more if all of a large page was not asked about.
 * Return: false if an invalidation is under way.
 */
static bool mk_fill_master(const struct mk_mirror *m, unsigned long addr,
			   u64 *entry, int *level)
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
		*entry = mk_walk_get(root, m->levels, addr, level);
		if (!(*entry & _PAGE_PRESENT))
			break;
	}
	return true;
}

/* Under the lock. Return: false if the thread cannot go on with the replica. */
static bool mk_fill_locked(struct mk_mirror *m, struct mk_mirror_node *r,
			   unsigned long addr)
{
	int level, had;
	u64 entry, old;

	if (r->gone || mk_mirror_has_ended(m))
		return false;
	if (!mk_fill_master(m, addr, &entry, &level))
		return false;
	/* Nothing to fill in; a replica may still have something here. */
	if (!(entry & _PAGE_PRESENT))
		return true;
	addr &= ~(mk_table_span(level) - 1);
	entry = mk_fill_entry(entry);
	old = mk_table_get(&r->table, addr, &had);
	if (old && had == level && !((old ^ entry) & ~(u64)MK_FILL_USED))
		return mk_fill_again(m, addr);
	if (mk_table_set(&r->table, addr, level, entry))
		return false;
	this_cpu_inc(m->cpu->fills);
	return true;
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

static int mk_fault_begins(struct kretprobe_instance *probe,
			   struct pt_regs *regs)
{
	struct mk_fault *fault = (struct mk_fault *)probe->data;
	struct vm_area_struct *vma;
	struct mm_struct *mm = current->mm;

	vma = (struct vm_area_struct *)regs_get_kernel_argument(regs, 0);
	if (!mm || vma->vm_mm != mm || !atomic_read(&mk_nr_mirrors) ||
	    !mk_mirror_find(mm))
		return 1;
	fault->addr = regs_get_kernel_argument(regs, 1);
	return 0;
}

static int mk_fault_ends(struct kretprobe_instance *probe,
			 struct pt_regs *regs)
{
	struct mk_fault *fault = (struct mk_fault *)probe->data;
	vm_fault_t result = (__force vm_fault_t)regs_return_value(regs);
	struct mk_mirror *m;
	unsigned long flags;

	if (result & (VM_FAULT_ERROR | VM_FAULT_RETRY))
		return 0;
	/* The walk of the master and the look at CR3 need it. */
	local_irq_save(flags);
	m = mk_mirror_find(current->mm);
	if (m)
		mk_fill(m, fault->addr);
	local_irq_restore(flags);
	return 0;
}

static struct kretprobe mk_fault_probe = {
	.kp.symbol_name	= "handle_mm_fault",
	.entry_handler	= mk_fault_begins,
	.handler	= mk_fault_ends,
	.data_size	= sizeof(struct mk_fault),
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

	/* What registering has left of a probe that was taken away. */
	mk_fault_probe.kp.addr = NULL;
	mk_fault_probe.kp.flags = 0;
	mk_fault_probe.maxactive = min_t(unsigned int, 4096, MK_FILL_THREADS *
					 num_possible_cpus());
	err = register_kretprobe(&mk_fault_probe);
	if (err)
		pr_err("mirror: no probe on %s: error %d\n",
		       mk_fault_probe.kp.symbol_name, err);
	return err;
}

/**
 * mk_fill_exit() - let go
 *
 * Context: process; sleeps.
 */
void mk_fill_exit(void)
{
	unregister_kretprobe(&mk_fault_probe);
}
