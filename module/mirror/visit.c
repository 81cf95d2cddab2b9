// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU goes to a home-node space, uses a word there, and comes back.
 *
 * The port's thread loads the root of its node's tables into CR3 with interrupts
 * off, under tag (PCID) 0, which Linux gives to no address space. Loading it
 * flushes that tag, so that a visit begins with nothing cached; and coming
 * back flushes what there is without tags. So nothing that was cached in a visit
 * is used after it.
 *
 * What is not mapped raises a page fault, which the kernel's own handler ends at
 * once, as for any kernel thread without an mm, by the exception table.
 */
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/io.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "module/mirror/home.h"
#include "module/mirror/pool.h"
#include "shootdown/errand.h"

/* A page may be unmapped under a visit again and again: faults until it fails. */
#define MK_VISIT_FAULTS		16

/* How often more slots or pages are fetched for one touch. */
#define MK_TOUCH_TRIES		16

/**
 * mk_home_visits() - can CPUs of this machine visit spaces
 *
 * Where the kernel has a root of its own for user space, its entry code takes a
 * bit of the root's address for a mark; Xen PV keeps the tables itself.
 *
 * Context: any.
 */
bool mk_home_visits(void)
{
	return !cpu_feature_enabled(X86_FEATURE_PTI) &&
	       !cpu_feature_enabled(X86_FEATURE_XENPV);
}

/* Memory that was added meanwhile may need an entry that the copy has not. */
static void mk_visit_kernel_half(u64 *root, unsigned long cr3)
{
	const u64 *now = __va(cr3 & CR3_ADDR_MASK);
	const size_t half = PTRS_PER_PGD / 2;

	if (memcmp(root + half, now + half, PAGE_SIZE / 2))
		memcpy(root + half, now + half, PAGE_SIZE / 2);
}

static int mk_visit_access(u64 __user *at, bool write, u64 *word)
{
	if (write)
		return __put_user(*word, at);
	return __get_user(*word, at);
}

/* One access, or none if @word is NULL. Return: 0 or -EFAULT. */
static int mk_visit(struct page *root, unsigned long address, bool write,
		    u64 *word)
{
	unsigned long flags, cr3;
	int err = 0;

	pagefault_disable();
	local_irq_save(flags);
	cr3 = __read_cr3();
	mk_visit_kernel_half(page_address(root), cr3);
	write_cr3(__sme_set(page_to_phys(root)));
	if (word)
		err = mk_visit_access((u64 __user *)address, write, word);
	if (boot_cpu_has(X86_FEATURE_PCID))
		cr3 |= CR3_NOFLUSH;
	write_cr3(cr3);
	local_irq_restore(flags);
	pagefault_enable();
	return err;
}

/* New pages of the table, which come first in its list, get their slots. */
static void mk_home_type(struct mk_home_node *on, unsigned long had)
{
	unsigned long i = on->table.nr_pages;
	struct page *page;

	mk_table_for_each_page(page, &on->table) {
		if (i-- <= had)
			break;
		set_page_private(page, on->batch[i / MK_HOME_BATCH] +
				 i % MK_HOME_BATCH);
	}
}

/**
 * mk_home_fault() - bring a page of a space in line on a node
 * @home: the space
 * @node: which has joined it
 * @address: any
 * @write: it is to be written
 *
 * Context: any but NMI.
 * Return: 0; -EFAULT if nothing is mapped there; -EACCES if it must not be
 * written; -EAGAIN if there are too few slots (mk_home_stock()); -ENOMEM if the
 * node's pool is dry.
 */
int mk_home_fault(struct mk_home *home, int node, unsigned long address,
		  bool write)
{
	struct mk_home_node *on = home->on[node];
	struct mk_home_record *record;
	unsigned long flags, had;
	struct page *page;
	pgprot_t prot;
	int err;

	raw_spin_lock_irqsave(&on->lock, flags);
	had = on->table.nr_pages;
	raw_spin_lock(&home->lock);
	record = mk_home_at(home, address);
	if (!record) {
		err = -EFAULT;
	} else if (write && !(record->flags & MK_HOME_WRITE)) {
		err = -EACCES;
	} else if (had + home->levels - 1 > on->nr_batches * MK_HOME_BATCH) {
		err = -EAGAIN;
	} else {
		/* Nobody harvests accessed and dirty: set at once. */
		prot = record->flags & MK_HOME_WRITE ? PAGE_SHARED :
		       PAGE_READONLY;
		page = mk_home_frame(record, address, node);
		err = mk_table_set(&on->table, address & PAGE_MASK, 1,
				   pte_val(pte_mkdirty(mk_pte(page, prot))));
	}
	raw_spin_unlock(&home->lock);
	mk_home_type(on, had);
	on->faults++;
	raw_spin_unlock_irqrestore(&on->lock, flags);
	atomic64_inc(&mk_home_totals[node].faults);
	return err;
}

/**
 * mk_home_visit() - use a word of a space, with the faults that it takes
 * @home: the space
 * @node: this CPU's, which has joined it
 * @address: of the word, a multiple of 8, of user space
 * @write: write it
 * @word: written, or read
 *
 * Context: a port's thread.
 * Return: how many faults it took; or an error of mk_home_fault().
 */
int mk_home_visit(struct mk_home *home, int node, unsigned long address,
		  bool write, u64 *word)
{
	int faults, err;

	for (faults = 0; faults < MK_VISIT_FAULTS; faults++) {
		err = mk_visit(home->on[node]->table.root, address, write,
			       word);
		if (!err)
			return faults;
		err = mk_home_fault(home, node, address, write);
		if (err)
			return err;
	}
	return -EFAULT;
}

/**
 * mk_home_pass() - go to a space and come back
 * @home: the space
 * @node: which has joined it
 *
 * Context: a port's thread.
 */
void mk_home_pass(struct mk_home *home, int node)
{
	mk_visit(home->on[node]->table.root, 0, false, NULL);
}

/* --- for processes --------------------------------------------------------- */

struct mk_touch {
	struct mk_errand errand;
	struct mk_home *home;
	unsigned long address;
	bool write;
	u64 word;
};

static int mk_touch_run(struct mk_port *port, struct mk_errand *errand)
{
	struct mk_touch *touch = container_of(errand, struct mk_touch, errand);

	return mk_home_visit(touch->home, port->node, touch->address,
			     touch->write, &touch->word);
}

/* A node's pool is filled beside us. */
static int mk_touch_fill(int node)
{
	int err = mk_pool_get(node);

	if (!err)
		mk_pool_put(node);
	return err;
}

static int mk_touch_try(struct mk_home *home, struct mk_touch *touch, int cpu)
{
	int node = cpu_to_node(cpu), tries = 0, err;

	err = mk_home_join(home, node);
	while (!err) {
		err = mk_errand_run(cpu, &touch->errand);
		if ((err != -EAGAIN && err != -ENOMEM) ||
		    ++tries == MK_TOUCH_TRIES)
			break;
		err = err == -EAGAIN ? mk_home_stock(home->on[node]) :
				       mk_touch_fill(node);
	}
	return err;
}

/**
 * mk_home_touch() - have a CPU use a word of a space
 * @home: the space
 * @touch: which, and how; gets what was read and the faults that it took
 *
 * The CPU's node joins the space if it has not.
 *
 * Context: process, not a port's thread; sleeps.
 * Return: 0; -EINVAL for a field that cannot be; -EFAULT if nothing is mapped
 * there; -EACCES if it must not be written; -ENODEV if the CPU is off line;
 * -EOPNOTSUPP if this machine's kernel allows no visits; -ENOSPC, -ENOMEM,
 * -EINTR, -EAGAIN.
 */
int mk_home_touch(struct mk_home *home, struct mk_home_touch *touch)
{
	struct mk_touch *one;
	int err;

	if (touch->flags & ~MK_HOME_WRITE || touch->address % sizeof(u64) ||
	    touch->address >= TASK_SIZE_MAX || touch->reserved ||
	    !mk_port(touch->cpu))
		return -EINVAL;
	if (!mk_home_visits())
		return -EOPNOTSUPP;
	one = kvzalloc(sizeof(*one), GFP_KERNEL);
	if (!one)
		return -ENOMEM;
	mk_errand_init(&one->errand, false, mk_touch_run);
	one->home = home;
	one->address = touch->address;
	one->write = touch->flags & MK_HOME_WRITE;
	one->word = touch->word;
	err = mk_touch_try(home, one, touch->cpu);
	if (err >= 0) {
		touch->faults = err;
		touch->word = one->word;
		err = 0;
	}
	mk_errand_put(&one->errand);
	return err;
}
