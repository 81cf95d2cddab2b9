// SPDX-License-Identifier: GPL-2.0
/*
 * The matrices of measured costs as files.
 *
 *	topology/costs/send		lines "src dst cycles stderr"
 *	topology/costs/receive		likewise
 *	topology/costs/rtt		likewise
 *	topology/costs/distances	lines "distance send receive"
 *
 * A pair that nothing is known of has no line. A write is one or more whole lines of
 * the same form, which replace what is known of their pairs: all of them, or none if
 * one of them is wrong. The last one may lack its end only in a short write, since
 * programs that know nothing of lines cut longer ones anywhere. Lines that are empty
 * or begin with # say nothing, nor do those with one CPU twice, which files of other
 * programs have.
 */
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "control.h"
#include "costs.h"
#include "urpc/plan.h"

/* Of one write. */
#define MK_COSTS_TEXT	65536

/* One that is as long as this may have been cut. */
#define MK_COSTS_CUT	4096

static enum mk_cost_kind mk_costs_kind(const struct file *file)
{
	return (long)file_inode(file)->i_private;
}

/* --- reading ----------------------------------------------------------------- */

/*
 * The position of a pair is one more than its number, row by row; 0 is the comment
 * that every file begins with.
 */
static const struct mk_cost *mk_costs_at(const struct seq_file *m, loff_t pos)
{
	u32 to;
	u64 from = div_u64_rem(pos - 1, nr_cpu_ids, &to);

	return mk_costs_get(from, to, (long)m->private);
}

static void *mk_costs_next_known(struct seq_file *m, loff_t *pos)
{
	loff_t end = (loff_t)nr_cpu_ids * nr_cpu_ids;

	if (!mk_costs_any())
		return NULL;
	for (; *pos <= end; ++*pos) {
		if (mk_costs_at(m, *pos))
			return pos;
		cond_resched();
	}
	return NULL;
}

static void *mk_costs_start(struct seq_file *m, loff_t *pos)
{
	mk_costs_lock();
	return *pos ? mk_costs_next_known(m, pos) : pos;
}

static void *mk_costs_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return mk_costs_next_known(m, pos);
}

static void mk_costs_stop(struct seq_file *m, void *v)
{
	mk_costs_unlock();
}

static void mk_costs_number(struct seq_file *m, u64 milli)
{
	u32 rest;
	u64 cycles = div_u64_rem(milli, 1000, &rest);

	seq_printf(m, " %llu.%03u", cycles, rest);
}

static int mk_costs_show(struct seq_file *m, void *v)
{
	loff_t pos = *(loff_t *)v;
	const struct mk_cost *cost;
	u64 from;
	u32 to;

	if (!pos) {
		seq_puts(m, "# src dst cycles stderr\n");
		return 0;
	}
	from = div_u64_rem(pos - 1, nr_cpu_ids, &to);
	cost = mk_costs_at(m, pos);
	seq_printf(m, "%llu %u", from, to);
	mk_costs_number(m, cost->milli);
	mk_costs_number(m, cost->error);
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

	if (err)
		return err;
	((struct seq_file *)file->private_data)->private = inode->i_private;
	/* A write is what it is wherever it begins. */
	file->f_mode |= FMODE_PWRITE;
	return 0;
}

/* --- writing ----------------------------------------------------------------- */

/* The CPU that a field names; or an errno. */
static int mk_costs_cpu(const char *field)
{
	unsigned int cpu;
	int err = field ? kstrtouint(field, 10, &cpu) : -EINVAL;

	if (err)
		return err;
	return cpu < nr_cpu_ids && cpu_possible(cpu) ? (int)cpu : -ERANGE;
}

/* A number of cycles such as 82 or 82.4313, of which thousandths count. */
static int mk_costs_milli(char *field, u64 *milli)
{
	char *rest = strchr(field, '.');
	u64 cycles, unit = 1000;
	int err;

	if (rest)
		*rest++ = 0;
	err = kstrtou64(field, 10, &cycles);
	if (err || *field == '+')
		return err ?: -EINVAL;
	if (cycles > MK_PLAN_COST)
		return -ERANGE;
	*milli = cycles * 1000;
	for (; rest && *rest; rest++) {
		if (!isdigit(*rest))
			return -EINVAL;
		unit /= 10;
		*milli += unit * (*rest - '0');
	}
	return 0;
}

/**
 * struct mk_cost_line - what a line says
 * @from: sender
 * @to: receiver; the same if it says nothing
 * @cost: what it costs
 */
struct mk_cost_line {
	int from, to;
	struct mk_cost cost;
};

static int mk_costs_line(char *text, struct mk_cost_line *line)
{
	char *field[5] = {}, *next = text;
	unsigned int nr = 0;
	int err;

	*line = (struct mk_cost_line){};
	if (*text == '#')
		return 0;
	while (next && nr < ARRAY_SIZE(field)) {
		field[nr] = strsep(&next, " \t\r");
		nr += !!*field[nr];
	}
	if (!nr)
		return 0;
	if (nr < 3 || nr > 4)
		return -EINVAL;
	line->from = mk_costs_cpu(field[0]);
	line->to = mk_costs_cpu(field[1]);
	if (line->from < 0 || line->to < 0)
		return min(line->from, line->to);
	if (line->from == line->to)
		return 0;
	err = mk_costs_milli(field[2], &line->cost.milli);
	if (!err && nr == 4)
		err = mk_costs_milli(field[3], &line->cost.error);
	return err;
}

/*
 * Every line of @text, which loses its ends of lines. With @list, what they say goes
 * there, and there is room for it. Returns the number of lines that say something,
 * or an errno.
 */
static int mk_costs_lines(const char *what, char *text, struct mk_cost_line *list)
{
	unsigned int number = 0, nr = 0;
	char *line;
	int err;

	while ((line = strsep(&text, "\n"))) {
		number++;
		err = mk_costs_line(line, &list[nr]);
		if (err == -ERANGE)
			mk_control_refuse(what, "line %u: a CPU or a cost is out of range",
					  number);
		else if (err)
			mk_control_refuse(what, "line %u is not 'src dst cycles stderr'",
					  number);
		if (err)
			return err;
		nr += list[nr].from != list[nr].to;
		cond_resched();
	}
	return nr;
}

static int mk_costs_take(enum mk_cost_kind kind, const struct mk_cost_line *list,
			 int nr)
{
	int i, err = 0;

	mk_costs_lock();
	for (i = 0; i < nr && !err; i++)
		err = mk_costs_room(list[i].from);
	for (i = 0; i < nr && !err; i++)
		mk_costs_replace(list[i].from, list[i].to, kind, &list[i].cost);
	mk_costs_unlock();
	return err;
}

static int mk_costs_text(const struct file *file, char *text, size_t len)
{
	char name[MK_CONTROL_NAME_MAX];
	const char *what = mk_control_name(file, name, sizeof(name));
	struct mk_cost_line *list;
	size_t lines = 1, i;
	int ret;

	if (strlen(text) != len || !*skip_spaces(text) ||
	    (len >= MK_COSTS_CUT && text[len - 1] != '\n')) {
		mk_control_refuse(what, "whole lines 'src dst cycles stderr' are expected");
		return -EINVAL;
	}
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	list = kvmalloc_array(lines, sizeof(*list), GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	ret = mk_costs_lines(what, text, list);
	if (ret > 0)
		ret = mk_costs_take(mk_costs_kind(file), list, ret);
	kvfree(list);
	return ret;
}

static ssize_t mk_costs_write(struct file *file, const char __user *ubuf,
			      size_t len, loff_t *ppos)
{
	char *text;
	int err;

	if (len > MK_COSTS_TEXT)
		return -EFBIG;
	text = kvmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	err = -EFAULT;
	if (!copy_from_user(text, ubuf, len)) {
		text[len] = 0;
		err = mk_costs_text(file, text, len);
	}
	kvfree(text);
	if (err)
		return err;
	*ppos += len;
	return len;
}

static int mk_costs_release(struct inode *inode, struct file *file)
{
	if (file->f_mode & FMODE_WRITE)
		mk_costs_settle();
	return seq_release(inode, file);
}

static const struct file_operations mk_costs_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_costs_open,
	.read		= seq_read,
	.write		= mk_costs_write,
	.llseek		= seq_lseek,
	.release	= mk_costs_release,
};

/* --- by distance -------------------------------------------------------------- */

/* What was last known of a pair of CPUs as far apart; siblings are at distance 0. */
static int mk_distances_show(struct seq_file *m, void *unused)
{
	unsigned int distance;

	seq_puts(m, "# distance send receive\n");
	mk_costs_lock();
	for (distance = 0; distance < MK_COSTS_DISTANCES; distance++) {
		u32 send = mk_costs_at_distance(MK_COST_SEND, distance);
		u32 receive = mk_costs_at_distance(MK_COST_RECEIVE, distance);

		if (send || receive)
			seq_printf(m, "%u %u %u\n", distance, send, receive);
	}
	mk_costs_unlock();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_distances);

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
		debugfs_create_file(names[kind], 0600, dir, (void *)kind,
				    &mk_costs_fops);
	debugfs_create_file("distances", 0400, dir, NULL, &mk_distances_fops);
}
