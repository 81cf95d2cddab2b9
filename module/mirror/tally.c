// SPDX-License-Identifier: GPL-2.0
/*
 * What all mirrors have done since the module was loaded, those that have ended
 * included.
 */
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "module/mirror/mirror_priv.h"

struct mk_tally {
#define MK_TALLY_FIELD(name)	u64 name;
	MK_MIRROR_TALLY(MK_TALLY_FIELD)
#undef MK_TALLY_FIELD
};

static LIST_HEAD(mk_tallied);		/* mirrors that have not ended */
static DEFINE_SPINLOCK(mk_tally_lock);	/* that list, and the next */
static struct mk_tally mk_tally_ended;

static void mk_tally_add(struct mk_tally *sum, const struct mk_mirror *m)
{
	const struct mk_mirror_cpu *c;
	const struct mk_mirror_node *r;
	int cpu, node;

	sum->attached++;
	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(m->cpu, cpu);
		sum->fills += c->fills;
		sum->refaults += c->refaults;
		sum->switches += c->switches;
		sum->fallbacks += c->fallbacks;
	}
	mk_mirror_for_each_node(r, node, m) {
		sum->zaps += READ_ONCE(r->zaps);
		sum->messages += atomic64_read(&r->messages);
		sum->directs += atomic64_read(&r->directs);
	}
}

/**
 * mk_tally_begin() - count a mirror from now on
 * @m: the mirror
 *
 * Context: process.
 */
void mk_tally_begin(struct mk_mirror *m)
{
	spin_lock(&mk_tally_lock);
	list_add(&m->tallied, &mk_tallied);
	spin_unlock(&mk_tally_lock);
}

/**
 * mk_tally_end() - keep what a mirror has counted
 * @m: the mirror, which counts nothing more
 *
 * Context: process.
 */
void mk_tally_end(struct mk_mirror *m)
{
	spin_lock(&mk_tally_lock);
	list_del(&m->tallied);
	mk_tally_add(&mk_tally_ended, m);
	spin_unlock(&mk_tally_lock);
}

/**
 * mk_tally_show() - all sums, a line each: name, blank, number
 * @s: where to
 * @unused: nothing
 *
 * Context: process.
 * Return: 0.
 */
int mk_tally_show(struct seq_file *s, void *unused)
{
	struct mk_tally sum;
	struct mk_mirror *m;

	spin_lock(&mk_tally_lock);
	sum = mk_tally_ended;
	list_for_each_entry(m, &mk_tallied, tallied)
		mk_tally_add(&sum, m);
	spin_unlock(&mk_tally_lock);
#define MK_TALLY_LINE(name)	seq_printf(s, #name " %llu\n", sum.name);
	MK_MIRROR_TALLY(MK_TALLY_LINE)
#undef MK_TALLY_LINE
	return 0;
}

/**
 * mk_mirror_fills() - how many leaves were filled in for a mirror
 * @m: a mirror that the caller holds
 *
 * Context: any.
 * Return: leaves, of all nodes, since it was attached.
 */
u64 mk_mirror_fills(const struct mk_mirror *m)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(m->cpu, cpu)->fills);
	return sum;
}
