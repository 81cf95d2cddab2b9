// SPDX-License-Identifier: GPL-2.0
/*
 * Experiments: their directories, parameters, start and cancel.
 *
 * A run lives in the write() that started it. mk_lock is held to start it and
 * to end it and not in between, so parameters can be written, progress and
 * results read and the run cancelled while it goes on.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "control.h"
#include "experiment.h"
#include "results.h"
#include "run.h"

#define MK_WORD_MAX	64
#define MK_LIST_MAX	PAGE_SIZE

/* One parameter: its file, and its value for the next start. */
struct mk_knob {
	const struct mk_param *param;
	struct mk_value file;		/* of a number */
	struct mk_setting next;
};

/* One experiment. */
struct mk_bench {
	struct list_head link;
	const struct mk_experiment *exp;
	struct mk_run *run;		/* the one that goes on, or NULL */
	struct mk_results *results;	/* of that or the last, or NULL */
	unsigned int percent;		/* where the last one ended */
	struct mk_knob knobs[];
};

static LIST_HEAD(mk_benches);		/* constant between init and exit */

/* Protects every knob's next, bench's run, results and percent, and this. */
static DEFINE_MUTEX(mk_lock);
static struct mk_run *mk_running;	/* in the whole module */

/* ---- a run ---- */

static void mk_run_free(struct mk_run *run)
{
	unsigned int i;

	if (run->settings) {
		for (i = 0; i < run->exp->nr_params; i++)
			free_cpumask_var(run->settings[i].cpus);
		kfree(run->settings);
	}
	mk_results_put(run->results);
	kfree(run);
}

static struct mk_run *mk_run_new(const struct mk_experiment *exp)
{
	struct mk_run *run;
	unsigned int i;

	run = kzalloc(sizeof(*run), GFP_KERNEL);
	if (!run)
		return NULL;
	run->exp = exp;
	run->task = current;
	run->results = mk_results_new();
	if (!run->results)
		goto err_free;
	run->settings = kcalloc(exp->nr_params, sizeof(*run->settings),
				GFP_KERNEL);
	if (!run->settings)
		goto err_free;
	for (i = 0; i < exp->nr_params; i++) {
		if (exp->params[i].kind != MK_PARAM_CPUS)
			continue;
		if (!zalloc_cpumask_var(&run->settings[i].cpus, GFP_KERNEL))
			goto err_free;
	}
	return run;

err_free:
	mk_run_free(run);
	return NULL;
}

/* Copies the parameters into the run, mk_lock held. */
static int mk_run_snapshot(struct mk_run *run, const struct mk_bench *bench)
{
	unsigned int i;

	for (i = 0; i < run->exp->nr_params; i++) {
		const struct mk_param *param = &run->exp->params[i];
		const struct mk_setting *from = &bench->knobs[i].next;
		struct mk_setting *to = &run->settings[i];

		to->number = from->number;
		if (param->kind != MK_PARAM_CPUS)
			continue;
		if (cpumask_empty(from->cpus)) {
			cpumask_copy(to->cpus, cpu_online_mask);
		} else if (!cpumask_and(to->cpus, from->cpus,
					cpu_online_mask)) {
			pr_notice_ratelimited("experiments/%s/%s: no CPU of %*pbl is online\n",
					      run->exp->name, param->name,
					      cpumask_pr_args(from->cpus));
			return -ENODEV;
		}
	}
	return 0;
}

/* Makes the run the one that goes on; on error nothing has changed. */
static int mk_bench_claim(struct mk_bench *bench, struct mk_run *run)
{
	struct mk_results *old = NULL;
	int err;

	mutex_lock(&mk_lock);
	if (mk_running) {
		err = -EBUSY;
		goto out;
	}
	err = mk_run_snapshot(run, bench);
	if (err)
		goto out;
	mk_running = run;
	bench->run = run;
	old = bench->results;
	bench->results = mk_results_get(run->results);
out:
	mutex_unlock(&mk_lock);
	mk_results_put(old);
	return err;
}

static void mk_bench_release(struct mk_bench *bench, struct mk_run *run)
{
	mutex_lock(&mk_lock);
	bench->percent = READ_ONCE(run->percent);
	bench->run = NULL;
	mk_running = NULL;
	mutex_unlock(&mk_lock);
}

/* What an experiment returned, as its writer is to see it. */
static int mk_run_verdict(const struct mk_run *run, int err)
{
	/* From an interruptible wait; a run is not to start over by itself. */
	if (err == -ERESTARTSYS)
		err = -EINTR;
	/* One that is stopped may fail of that, as when its agents are killed. */
	if (err)
		err = mk_run_stopped(run) ?: err;
	if (WARN_ON_ONCE(err > 0 || err < -MAX_ERRNO))
		return -EIO;
	if (err && !mk_run_stopped(run))
		pr_notice("experiments/%s: ended early with error %pe\n",
			  run->exp->name, ERR_PTR(err));
	return err;
}

static int mk_bench_run(struct mk_bench *bench)
{
	struct mk_run *run = mk_run_new(bench->exp);
	int err;

	if (!run)
		return -ENOMEM;
	err = mk_bench_claim(bench, run);
	if (err)
		goto out;

	err = mk_run_begin(run);
	if (!err)
		err = bench->exp->run(run);
	err = mk_run_verdict(run, err);
	if (!err)
		mk_run_progress(run, 1, 1);
	mk_run_end(run, err);
	mk_bench_release(bench, run);
out:
	mk_run_free(run);
	return err;
}

static void mk_bench_cancel(struct mk_bench *bench)
{
	mutex_lock(&mk_lock);
	if (bench->run)
		WRITE_ONCE(bench->run->cancelled, true);
	mutex_unlock(&mk_lock);
}

/* ---- run, progress, agents, results, help ---- */

static u64 mk_bench_show_run(void *data)
{
	const struct mk_bench *bench = data;
	bool running;

	mutex_lock(&mk_lock);
	running = bench->run;
	mutex_unlock(&mk_lock);
	return running;
}

static int mk_bench_store_run(void *data, u64 value)
{
	if (value)
		return mk_bench_run(data);
	mk_bench_cancel(data);
	return 0;
}

static const struct mk_value mk_bench_run_ops = {
	.show = mk_bench_show_run,
	.store = mk_bench_store_run,
	.max = 1,
};

static u64 mk_bench_show_progress(void *data)
{
	const struct mk_bench *bench = data;
	unsigned int percent;

	mutex_lock(&mk_lock);
	percent = bench->run ? READ_ONCE(bench->run->percent) : bench->percent;
	mutex_unlock(&mk_lock);
	return percent;
}

static const struct mk_value mk_bench_progress_ops = {
	.show = mk_bench_show_progress,
};

static u64 mk_bench_show_agents(void *data)
{
	const struct mk_bench *bench = data;

	return bench->exp->agents;
}

static const struct mk_value mk_bench_agents_ops = {
	.show = mk_bench_show_agents,
};

static int mk_bench_results_open(struct inode *inode, struct file *file)
{
	struct mk_bench *bench = inode->i_private;
	struct mk_results *res;

	mutex_lock(&mk_lock);
	res = mk_results_get(bench->results);
	mutex_unlock(&mk_lock);
	return mk_results_open(res, file);
}

static const struct file_operations mk_bench_results_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_bench_results_open,
	.read		= mk_results_read,
	.llseek		= mk_results_llseek,
	.release	= mk_results_release,
};

static int mk_bench_help_show(struct seq_file *m, void *unused)
{
	const struct mk_bench *bench = m->private;
	unsigned int i, j;

	seq_printf(m, "%s: %s\n", bench->exp->name, bench->exp->help);
	for (i = 0; i < bench->exp->nr_params; i++) {
		const struct mk_param *param = &bench->exp->params[i];

		seq_printf(m, "  %s: %s; ", param->name, param->help);
		switch (param->kind) {
		case MK_PARAM_U32:
			seq_printf(m, "%u..%u, default %u\n", param->min,
				   param->max, param->def);
			break;
		case MK_PARAM_CHOICE:
			for (j = 0; param->choices[j]; j++)
				seq_printf(m, "%s%s", j ? "|" : "",
					   param->choices[j]);
			seq_printf(m, ", default %s\n",
				   param->choices[param->def]);
			break;
		case MK_PARAM_CPUS:
			seq_puts(m, "CPU list, empty means every online CPU\n");
			break;
		}
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_bench_help);

/* ---- parameters ---- */

static u64 mk_knob_show_number(void *data)
{
	const struct mk_knob *knob = data;
	u32 number;

	mutex_lock(&mk_lock);
	number = knob->next.number;
	mutex_unlock(&mk_lock);
	return number;
}

static int mk_knob_store_number(void *data, u64 value)
{
	struct mk_knob *knob = data;

	mutex_lock(&mk_lock);
	knob->next.number = value;
	mutex_unlock(&mk_lock);
	return 0;
}

static int mk_knob_show(struct seq_file *m, void *unused)
{
	const struct mk_knob *knob = m->private;

	mutex_lock(&mk_lock);
	if (knob->param->kind == MK_PARAM_CHOICE)
		seq_printf(m, "%s\n", knob->param->choices[knob->next.number]);
	else
		seq_printf(m, "%*pbl\n", cpumask_pr_args(knob->next.cpus));
	mutex_unlock(&mk_lock);
	return 0;
}

static int mk_knob_open(struct inode *inode, struct file *file)
{
	int err = single_open(file, mk_knob_show, inode->i_private);

	/* See mk_value_open(). */
	if (!err)
		file->f_mode |= FMODE_PWRITE;
	return err;
}

static int mk_knob_store_word(struct mk_knob *knob, const char *what,
			      const char *text)
{
	u32 i;

	for (i = 0; knob->param->choices[i]; i++) {
		if (strcmp(text, knob->param->choices[i]))
			continue;
		return mk_knob_store_number(knob, i);
	}
	mk_control_refuse(what, "\"%*pE\" is none of the words that help shows",
			  (int)strlen(text), text);
	return -EINVAL;
}

static int mk_knob_store_cpus(struct mk_knob *knob, const char *what,
			      const char *text)
{
	cpumask_var_t cpus;
	int err = 0;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	if (*text)
		err = cpulist_parse(text, cpus);
	if (err == -ERANGE || err == -EOVERFLOW ||
	    (!err && !cpumask_subset(cpus, cpu_present_mask))) {
		mk_control_refuse(what, "a CPU of the list is out of range %*pbl",
				  cpumask_pr_args(cpu_present_mask));
		err = -ERANGE;
	} else if (err || (*text && cpumask_empty(cpus))) {
		mk_control_refuse(what, "not a CPU list such as 0-3,8");
		err = -EINVAL;
	} else {
		mutex_lock(&mk_lock);
		cpumask_copy(knob->next.cpus, cpus);
		mutex_unlock(&mk_lock);
	}
	free_cpumask_var(cpus);
	return err;
}

static ssize_t mk_knob_write(struct file *file, const char __user *ubuf,
			     size_t len, loff_t *ppos)
{
	struct mk_knob *knob = file_inode(file)->i_private;
	bool word = knob->param->kind == MK_PARAM_CHOICE;
	size_t size = word ? MK_WORD_MAX : MK_LIST_MAX;
	char name[MK_CONTROL_NAME_MAX];
	const char *what = mk_control_name(file, name, sizeof(name));
	char *text;
	int err;

	text = kmalloc(size, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	err = mk_control_copy(what, text, size, ubuf, len, *ppos);
	if (!err)
		err = word ? mk_knob_store_word(knob, what, text) :
			     mk_knob_store_cpus(knob, what, text);
	kfree(text);
	if (err)
		return err;
	*ppos += len;
	return len;
}

static const struct file_operations mk_knob_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_knob_open,
	.read		= seq_read,
	.write		= mk_knob_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* ---- init and exit ---- */

static int mk_knob_init(struct mk_knob *knob, const struct mk_param *param)
{
	knob->param = param;
	knob->next.number = param->def;
	knob->file.show = mk_knob_show_number;
	knob->file.store = mk_knob_store_number;
	knob->file.min = param->min;
	knob->file.max = param->max;
	if (param->kind == MK_PARAM_CPUS &&
	    !zalloc_cpumask_var(&knob->next.cpus, GFP_KERNEL))
		return -ENOMEM;
	return 0;
}

static void mk_bench_free(struct mk_bench *bench)
{
	unsigned int i;

	for (i = 0; i < bench->exp->nr_params; i++)
		free_cpumask_var(bench->knobs[i].next.cpus);
	mk_results_put(bench->results);
	kfree(bench);
}

static struct mk_bench *mk_bench_new(const struct mk_experiment *exp)
{
	struct mk_bench *bench;
	unsigned int i;

	bench = kzalloc(struct_size(bench, knobs, exp->nr_params), GFP_KERNEL);
	if (!bench)
		return NULL;
	bench->exp = exp;
	for (i = 0; i < exp->nr_params; i++) {
		if (mk_knob_init(&bench->knobs[i], &exp->params[i])) {
			mk_bench_free(bench);
			return NULL;
		}
	}
	return bench;
}

static void mk_bench_add_files(struct mk_bench *bench, struct dentry *parent)
{
	const struct mk_experiment *exp = bench->exp;
	struct dentry *dir;
	unsigned int i;

	dir = debugfs_create_dir(exp->name, parent);
	for (i = 0; i < exp->nr_params; i++) {
		struct mk_knob *knob = &bench->knobs[i];

		if (knob->param->kind == MK_PARAM_U32)
			mk_control_value(knob->param->name, dir, knob,
					 &knob->file);
		else
			debugfs_create_file(knob->param->name, 0600, dir, knob,
					    &mk_knob_fops);
	}
	mk_control_value("run", dir, bench, &mk_bench_run_ops);
	mk_control_value("progress", dir, bench, &mk_bench_progress_ops);
	mk_control_value("agents", dir, bench, &mk_bench_agents_ops);
	debugfs_create_file("results", 0400, dir, bench,
			    &mk_bench_results_fops);
	debugfs_create_file("help", 0400, dir, bench, &mk_bench_help_fops);
}

/**
 * mk_experiments_init - make the state of all experiments of the table
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM, with everything undone.
 */
int mk_experiments_init(void)
{
	struct mk_bench *bench;
	unsigned int i;

	for (i = 0; mk_experiments[i]; i++) {
		bench = mk_bench_new(mk_experiments[i]);
		if (!bench) {
			mk_experiments_exit();
			return -ENOMEM;
		}
		list_add_tail(&bench->link, &mk_benches);
	}
	return 0;
}

/**
 * mk_experiments_files - make experiments/ in the tree
 * @root: root of the tree, which also takes experiments/ away again
 *
 * From here on experiments may be started, so what they measure has to be
 * there before.
 *
 * Context: process, may sleep.
 */
void mk_experiments_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("experiments", root);
	struct mk_bench *bench;

	list_for_each_entry(bench, &mk_benches, link)
		mk_bench_add_files(bench, dir);
}

/**
 * mk_experiments_exit - forget the experiments and their results
 *
 * After mk_control_exit(), so that nobody is inside one of the files; a run
 * keeps its file open and with it the module.
 *
 * Context: process, may sleep.
 */
void mk_experiments_exit(void)
{
	struct mk_bench *bench, *next;

	list_for_each_entry_safe(bench, next, &mk_benches, link) {
		list_del(&bench->link);
		mk_bench_free(bench);
	}
}
