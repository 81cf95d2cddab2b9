// SPDX-License-Identifier: GPL-2.0
/*
 * The matrices of measured costs, which the experiment costs fills.
 *
 *	topology/costs/send		lines "src dst cycles stderr"
 *	topology/costs/receive		likewise
 *	topology/costs/rtt		likewise
 *
 * A pair that was not measured has no line. What was measured stays when a CPU
 * goes: it is the same one when it comes back. There is a row for each CPU that
 * something was measured from, so that a machine of many CPUs takes memory only for
 * what is known.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "costs.h"

struct mk_cost_pair {
	struct mk_cost cost[MK_COSTS];
	bool known;
};

static struct mk_cost_pair **mk_cost_rows;	/* by source, NULL: nothing known */
static unsigned int mk_nr_cost_rows;
static DEFINE_MUTEX(mk_costs_lock);		/* protects both */

static struct mk_cost_pair *mk_costs_row(int from)
{
	struct mk_cost_pair *row;

	if (!mk_cost_rows)
		mk_cost_rows = kvcalloc(nr_cpu_ids, sizeof(*mk_cost_rows),
					GFP_KERNEL);
	if (!mk_cost_rows)
		return NULL;
	row = mk_cost_rows[from];
	if (row)
		return row;
	row = kvcalloc(nr_cpu_ids, sizeof(*row), GFP_KERNEL);
	mk_cost_rows[from] = row;
	mk_nr_cost_rows += !!row;
	return row;
}

/**
 * mk_costs_set() - remember what messages cost from one CPU to another
 * @from: sender
 * @to: receiver
 * @cost: all that is known, which replaces what was
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mk_costs_set(int from, int to, const struct mk_cost cost[MK_COSTS])
{
	struct mk_cost_pair *row;

	mutex_lock(&mk_costs_lock);
	row = mk_costs_row(from);
	if (row) {
		memcpy(row[to].cost, cost, sizeof(row[to].cost));
		row[to].known = true;
	}
	mutex_unlock(&mk_costs_lock);
	return row ? 0 : -ENOMEM;
}

/**
 * mk_costs_bytes() - memory of the matrices
 *
 * Context: process, may sleep.
 * Return: bytes.
 */
u64 mk_costs_bytes(void)
{
	u64 rows;

	mutex_lock(&mk_costs_lock);
	rows = mk_nr_cost_rows;
	mutex_unlock(&mk_costs_lock);
	return rows ? nr_cpu_ids * (sizeof(*mk_cost_rows) +
				    rows * sizeof(struct mk_cost_pair)) : 0;
}

/*
 * The position of a pair is one more than its number, row by row; 0 is the comment
 * that every file begins with.
 */
static struct mk_cost_pair *mk_costs_at(loff_t pos)
{
	struct mk_cost_pair *row;
	u32 to;

	row = mk_cost_rows[div_u64_rem(pos - 1, nr_cpu_ids, &to)];
	return row && row[to].known ? &row[to] : NULL;
}

static void *mk_costs_next_known(loff_t *pos)
{
	loff_t end = (loff_t)nr_cpu_ids * nr_cpu_ids;

	if (!mk_cost_rows)
		return NULL;
	for (; *pos <= end; ++*pos) {
		if (mk_costs_at(*pos))
			return pos;
		cond_resched();
	}
	return NULL;
}

static void *mk_costs_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&mk_costs_lock);
	return *pos ? mk_costs_next_known(pos) : pos;
}

static void *mk_costs_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return mk_costs_next_known(pos);
}

static void mk_costs_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&mk_costs_lock);
}

static void mk_costs_put(struct seq_file *m, u64 milli)
{
	u32 rest;
	u64 cycles = div_u64_rem(milli, 1000, &rest);

	seq_printf(m, " %llu.%03u", cycles, rest);
}

static int mk_costs_show(struct seq_file *m, void *v)
{
	enum mk_cost_kind kind = (long)m->private;
	loff_t pos = *(loff_t *)v;
	const struct mk_cost *cost;
	u64 from;
	u32 to;

	if (!pos) {
		seq_puts(m, "# src dst cycles stderr\n");
		return 0;
	}
	from = div_u64_rem(pos - 1, nr_cpu_ids, &to);
	cost = &mk_costs_at(pos)->cost[kind];
	seq_printf(m, "%llu %u", from, to);
	mk_costs_put(m, cost->milli);
	mk_costs_put(m, cost->error);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations mk_costs_seq = {
	.start	= mk_costs_start,
	.next	= mk_costs_next,
	.stop	= mk_costs_stop,
	.show	= mk_costs_show,
};

static int mk_costs_open(struct inode *inode, struct file *file)
{
	int err = seq_open(file, &mk_costs_seq);

	if (!err)
		((struct seq_file *)file->private_data)->private =
			inode->i_private;
	return err;
}

static const struct file_operations mk_costs_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_costs_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= seq_release,
};

/**
 * mk_costs_files() - make costs/
 * @topology: the directory it goes to, which also takes it away again
 *
 * Context: process, may sleep.
 */
void mk_costs_files(struct dentry *topology)
{
	static const char *const names[MK_COSTS] = {
		[MK_COST_SEND] = "send",
		[MK_COST_RECEIVE] = "receive",
		[MK_COST_RTT] = "rtt",
	};
	struct dentry *dir = debugfs_create_dir("costs", topology);
	long kind;

	for (kind = 0; kind < MK_COSTS; kind++)
		debugfs_create_file(names[kind], 0400, dir, (void *)kind,
				    &mk_costs_fops);
}

/**
 * mk_costs_exit() - forget all
 *
 * Context: process, after the files and the experiments.
 */
void mk_costs_exit(void)
{
	unsigned int cpu;

	for (cpu = 0; mk_cost_rows && cpu < nr_cpu_ids; cpu++)
		kvfree(mk_cost_rows[cpu]);
	kvfree(mk_cost_rows);
	mk_cost_rows = NULL;
}
