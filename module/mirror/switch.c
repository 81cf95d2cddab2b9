// SPDX-License-Identifier: GPL-2.0
/*
 * The CR3 of CPUs that run a mirrored process.
 *
 * Linux loads the master when it switches to an mm. Right after that, still with
 * interrupts off, finish_task_switch() runs on the new thread's stack, and an
 * ftrace hook there puts the replica's root in the place of the master's. The
 * tag (PCID) stays and nothing is flushed: both hold the same translations.
 * Between two threads of one mm Linux leaves CR3 alone, and a CPU that idles or
 * runs a kernel thread keeps it too; every other way reloads the master, which
 * is always right.
 *
 * A replica is loaded only on the CPU's own node, only with interrupts off, and
 * only after a look at whether the mirror has ended. So once every CPU has taken
 * the interrupt of mk_switch_off(), none is on a replica and none goes there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <asm/io.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "module/mirror/mirror_priv.h"
#include "shootdown/flush.h"

/**
 * struct mk_loaded - what was put into this CPU's CR3 last
 * @root: the replica's root
 * @master: the root that it has replaced
 */
struct mk_loaded {
	unsigned long root, master;
};

static DEFINE_PER_CPU(struct mk_loaded, mk_loaded);

static unsigned long mk_master(const struct mk_mirror *m)
{
	return __pa(mk_mirror_mm(m)->pgd);
}

static notrace unsigned long mk_loaded_root(void)
{
	return __read_cr3() & CR3_ADDR_MASK;
}

/* Interrupts off. The tag stays; translations stay if !@flush. */
static notrace void mk_load(unsigned long root, bool flush)
{
	unsigned long cr3 = __read_cr3();

	cr3 = (cr3 & ~CR3_ADDR_MASK) | root;
	if (!flush && boot_cpu_has(X86_FEATURE_PCID))
		cr3 |= CR3_NOFLUSH;
	write_cr3(cr3);
}

/* Interrupts off, the CPU is on @m's mm. Return: the replica, or NULL. */
static notrace struct mk_mirror_node *mk_switch_to(struct mk_mirror *m)
{
	struct mk_mirror_node *r = m->replica[numa_node_id()];
	unsigned long root = mk_loaded_root();

	if (!r || mk_mirror_has_ended(m))
		return NULL;
	if (root == r->root)
		return r;
	/* Not the master: a temporary mm, or one of a moment ago. */
	if (root != mk_master(m))
		return NULL;
	this_cpu_write(mk_loaded.master, root);
	this_cpu_write(mk_loaded.root, r->root);
	mk_load(r->root, false);
	this_cpu_inc(m->cpu->switches);
	return r;
}

/* Interrupts off: if this CPU is on any replica, then to its master. */
static notrace void mk_switch_restore(bool flush)
{
	if (this_cpu_read(mk_loaded.root) &&
	    this_cpu_read(mk_loaded.root) == mk_loaded_root())
		mk_load(this_cpu_read(mk_loaded.master), flush);
}

/* Interrupts off: back to the master, which holds what the replica holds. */
static notrace void mk_switch_from(struct mk_mirror *m)
{
	mk_load(mk_master(m), false);
}

/**
 * mk_switch_is_here() - is this CPU on that replica?
 * @r: a replica
 *
 * Context: interrupts off.
 */
bool mk_switch_is_here(const struct mk_mirror_node *r)
{
	return mk_loaded_root() == r->root;
}

/**
 * mk_switch_fall_back() - go to the master until the next switch
 * @m: the mirror, whose replica this CPU is on
 *
 * Context: interrupts off.
 */
void mk_switch_fall_back(struct mk_mirror *m)
{
	mk_switch_from(m);
	this_cpu_inc(m->cpu->fallbacks);
}

/**
 * mk_mirror_here() - have this CPU on its node's replica now
 * @m: the mirror of current->mm
 *
 * For who has put something into a replica where the master is empty, and lets
 * the access be done again: on the master it would fault for ever.
 *
 * Context: process; current->mm is @m's.
 * Return: the node; -ESRCH if the mirror has ended, -ENODEV if the node has no
 * replica. The thread may move on at once: then it faults once more.
 */
int mk_mirror_here(struct mk_mirror *m)
{
	struct mk_mirror_node *r;
	unsigned long flags;
	int err;

	local_irq_save(flags);
	r = mk_switch_to(m);
	if (r)
		err = r->table.node;
	else
		err = mk_mirror_has_ended(m) ? -ESRCH : -ENODEV;
	local_irq_restore(flags);
	return err;
}

/*
 * The master has all of it, and a kernel thread that has adopted the mm may look
 * without faulting.
 */
static notrace void mk_switch_own_now(struct mk_mirror *m)
{
	struct mk_mirror_node *r = m->replica[numa_node_id()];

	if (r && mk_switch_is_here(r))
		mk_switch_from(m);
}

/**
 * mk_switch_own() - have this CPU on the master of an mm
 * @mm: that the calling kernel thread has adopted; maybe with a mirror
 *
 * Borrowed before, it may have come with a replica. No later switch brings one.
 *
 * Context: a kernel thread.
 */
void mk_switch_own(struct mm_struct *mm)
{
	struct mk_mirror *m;
	unsigned long flags;

	if (!atomic_read(&mk_nr_mirrors))
		return;
	local_irq_save(flags);
	m = mk_mirror_find(mm);
	if (m)
		mk_switch_own_now(m);
	local_irq_restore(flags);
}

/* --- a thread has been switched in ----------------------------------------- */

/* Interrupts off, the run queue locked. */
static void notrace mk_switched_in(unsigned long ip, unsigned long parent,
				   struct ftrace_ops *ops,
				   struct ftrace_regs *regs)
{
	struct mm_struct *mm = current->mm;
	struct mk_mirror *m;

	if (!mm || !atomic_read(&mk_nr_mirrors) || !irqs_disabled())
		return;
	m = mk_mirror_find(mm);
	if (!m)
		return;
	if (current->flags & PF_KTHREAD)
		mk_switch_own_now(m);
	else
		mk_switch_to(m);
}

static struct ftrace_ops mk_switched_in_ops = {
	.func = mk_switched_in,
};

#ifdef CONFIG_DEBUG_VM
/*
 * A kernel with CONFIG_DEBUG_VM warns if CR3 is not what it has put there when
 * it leaves an mm: put it back before.
 */
static void notrace mk_switching(unsigned long ip, unsigned long parent,
				 struct ftrace_ops *ops,
				 struct ftrace_regs *regs)
{
	unsigned long flags;

	local_irq_save(flags);
	mk_switch_restore(false);
	local_irq_restore(flags);
}

static struct ftrace_ops mk_switching_ops = {
	.func = mk_switching,
};
#endif

/* --- all CPUs -------------------------------------------------------------- */

static void mk_switch_on_here(void *arg)
{
	struct mk_mirror *m = arg;

	if (current->mm == mk_mirror_mm(m) && !(current->flags & PF_KTHREAD))
		mk_switch_to(m);
}

/**
 * mk_switch_on() - have threads that run now go to their replicas
 * @m: a mirror that mk_mirror_find() finds
 *
 * Context: process; waits for interrupts.
 */
void mk_switch_on(struct mk_mirror *m)
{
	on_each_cpu(mk_switch_on_here, m, 1);
}

/*
 * A CPU that has the mm loaded, lazily or not, may also have pages of a replica
 * in its paging-structure caches while it is on the master.
 */
static void mk_switch_off_here(void *arg)
{
	struct mk_mirror *m = arg;
	struct mk_mirror_node *r = m->replica[numa_node_id()];
	unsigned long root = mk_loaded_root();

	if (root == mk_master(m) || (r && root == r->root))
		mk_load(mk_master(m), true);
}

/**
 * mk_switch_off() - have every CPU on the master, with nothing cached
 * @m: a mirror; if it has ended no CPU goes back
 *
 * CPUs that have left the mm compare its tlb_gen when they load it again, and
 * flush then.
 *
 * Context: process; waits for interrupts.
 */
void mk_switch_off(struct mk_mirror *m)
{
	/* A CPU on its way down is not asked, but may still be on a replica. */
	cpus_read_lock();
	mk_flush_announce(mk_mirror_mm(m));
	on_each_cpu(mk_switch_off_here, m, 1);
	cpus_read_unlock();
}

static void mk_switch_off_any(void *unused)
{
	mk_switch_restore(false);
}

/**
 * mk_switch_off_all() - have every CPU on the master
 *
 * Mirrors that have not ended go on with the next switch.
 *
 * Context: process, with CPU hotplug locked out; waits for interrupts.
 */
void mk_switch_off_all(void)
{
	on_each_cpu(mk_switch_off_any, NULL, 1);
}

/* --- where walks go -------------------------------------------------------- */

/**
 * struct mk_look - a look at what a CPU walks
 * @m: of a thread of which mirror
 * @locality: what is seen
 * @running: does it run such a thread
 */
struct mk_look {
	struct mk_mirror *m;
	struct mk_locality *locality;
	bool running;
};

static void mk_look_walk(const struct mk_mirror *m, unsigned long root,
			 unsigned long addr, unsigned int *levels,
			 unsigned int *local)
{
	int nodes[MK_TABLE_LEVELS_MAX];
	int n = mk_walk_nodes(__va(root), m->levels, addr, nodes);

	*levels += n;
	while (n--)
		*local += nodes[n] == numa_node_id();
}

/* The walks for the thread's instruction and for its stack. */
static void mk_look_here(void *arg)
{
	struct mk_look *look = arg;
	struct mk_locality *seen = look->locality;
	const struct pt_regs *regs = current_pt_regs();
	unsigned long addr[] = { regs->ip, regs->sp };
	unsigned long root = mk_loaded_root();
	unsigned int i;

	if (current->mm != mk_mirror_mm(look->m) ||
	    (current->flags & PF_KTHREAD))
		return;
	look->running = true;
	seen->mirrored = root != mk_master(look->m);
	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		if (addr[i] >= TASK_SIZE_MAX)
			continue;
		mk_look_walk(look->m, root, addr[i], &seen->levels,
			     &seen->local);
		mk_look_walk(look->m, mk_master(look->m), addr[i],
			     &seen->master_levels, &seen->master_local);
	}
}

/**
 * mk_switch_locality() - where the page walks of a CPU read now
 * @m: a mirror
 * @cpu: an online CPU
 * @locality: written
 *
 * Context: process; waits for an interrupt.
 * Return: false if the CPU does not run a thread of @m at the moment.
 */
bool mk_switch_locality(struct mk_mirror *m, int cpu,
			struct mk_locality *locality)
{
	struct mk_look look = { .m = m, .locality = locality };

	memset(locality, 0, sizeof(*locality));
	smp_call_function_single(cpu, mk_look_here, &look, 1);
	return look.running;
}

/* --- hooks ----------------------------------------------------------------- */

#define MK_HOOK_NAME_MAX	32

/**
 * mk_hook() - have a function traced
 * @ops: by whom
 * @name: the function's; a glob
 *
 * Context: process; sleeps.
 * Return: 0, or a negative errno, which is logged.
 */
int mk_hook(struct ftrace_ops *ops, const char *name)
{
	char filter[MK_HOOK_NAME_MAX];
	int err;

	/* It is taken to pieces there. */
	strscpy(filter, name, sizeof(filter));
	err = ftrace_set_filter(ops, filter, strlen(filter), 1);
	if (!err)
		err = register_ftrace_function(ops);
	if (err) {
		pr_err("mirror: no hook on %s: error %d\n", name, err);
		ftrace_free_filter(ops);
	}
	return err;
}

/**
 * mk_unhook() - have it traced no longer
 * @ops: of mk_hook()
 *
 * Context: process; sleeps. Nobody is in the handler any more.
 */
void mk_unhook(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

/**
 * mk_switch_start() - hook into thread switches
 *
 * Context: process; sleeps.
 * Return: 0 or a negative errno.
 */
int mk_switch_start(void)
{
	int err;

#ifdef CONFIG_DEBUG_VM
	err = mk_hook(&mk_switching_ops, "switch_mm_irqs_off");
	if (err)
		return err;
#endif
	/* The compiler gives it a suffix. */
	err = mk_hook(&mk_switched_in_ops, "finish_task_switch*");
#ifdef CONFIG_DEBUG_VM
	if (err)
		mk_unhook(&mk_switching_ops);
#endif
	return err;
}

/**
 * mk_switch_exit() - let go; no mirror is left
 *
 * Context: process; sleeps.
 */
void mk_switch_exit(void)
{
	mk_unhook(&mk_switched_in_ops);
#ifdef CONFIG_DEBUG_VM
	mk_unhook(&mk_switching_ops);
#endif
}
