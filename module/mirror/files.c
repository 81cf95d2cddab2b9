// SPDX-License-Identifier: GPL-2.0
/*
 * Files of mirrors: mirror/ and mirror/<pid>/.
 *
 * Files of a process go with its mirror, in its work, and debugfs waits there
 * for whoever reads one: so what they stand for is there as long as they are.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/threads.h>

#include "module/control.h"
#include "module/mirror/mirror_priv.h"
#include "module/mirror/pool.h"

#define MK_WORD_MAX	64

static struct dentry *mk_mirrors_dir;
static atomic64_t mk_nr_attached, mk_nr_detached;

/* --- one process ----------------------------------------------------------- */

/* Sum of a counter over the CPUs of a node, from its offset. */
static u64 mk_mirror_node_sum(const struct mk_mirror_node *r, size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		if (cpu_to_node(cpu) == r->table.node)
			sum += *(u64 *)((void *)per_cpu_ptr(r->mirror->cpu, cpu) +
					offset);
	return sum;
}

#define MK_REPLICA_FILE(name, value)					\
static int mk_mirror_node_##name##_show(struct seq_file *s, void *unused)	\
{									\
	struct mk_mirror_node *r = s->private;				\
									\
	seq_printf(s, "%llu\n", (u64)(value));				\
	return 0;							\
}									\
DEFINE_SHOW_ATTRIBUTE(mk_mirror_node_##name)

#define MK_REPLICA_CPU_FILE(name)					\
	MK_REPLICA_FILE(name, mk_mirror_node_sum(r, offsetof(struct mk_mirror_cpu, \
							 name)))

/* Pages that are not where they should be. */
static u64 mk_mirror_node_remote(struct mk_mirror_node *r)
{
	unsigned long flags, n;

	raw_spin_lock_irqsave(&r->lock, flags);
	n = r->table.nr_pages - mk_table_count(&r->table, r->table.node);
	raw_spin_unlock_irqrestore(&r->lock, flags);
	return n;
}

MK_REPLICA_FILE(tables, READ_ONCE(r->table.nr_pages));
MK_REPLICA_FILE(bytes, (READ_ONCE(r->table.nr_pages) +
			READ_ONCE(r->table.nr_retired)) * PAGE_SIZE);
MK_REPLICA_FILE(remote, mk_mirror_node_remote(r));
MK_REPLICA_FILE(zaps, READ_ONCE(r->zaps));
MK_REPLICA_FILE(young, READ_ONCE(r->young));
MK_REPLICA_FILE(messages, atomic64_read(&r->messages));
MK_REPLICA_FILE(directs, atomic64_read(&r->directs));
MK_REPLICA_CPU_FILE(switches);
MK_REPLICA_CPU_FILE(fills);
MK_REPLICA_CPU_FILE(refaults);
MK_REPLICA_CPU_FILE(fallbacks);

static void mk_mirror_node_files(struct mk_mirror_node *r, struct dentry *parent)
{
	struct dentry *dir;
	char name[16];

	snprintf(name, sizeof(name), "node%d", r->table.node);
	dir = debugfs_create_dir(name, parent);
#define MK_REPLICA_CREATE(name)						\
	debugfs_create_file(#name, 0400, dir, r, &mk_mirror_node_##name##_fops)
	MK_REPLICA_CREATE(tables);
	MK_REPLICA_CREATE(bytes);
	MK_REPLICA_CREATE(remote);
	MK_REPLICA_CREATE(switches);
	MK_REPLICA_CREATE(fills);
	MK_REPLICA_CREATE(refaults);
	MK_REPLICA_CREATE(fallbacks);
	MK_REPLICA_CREATE(zaps);
	MK_REPLICA_CREATE(young);
	MK_REPLICA_CREATE(messages);
	MK_REPLICA_CREATE(directs);
#undef MK_REPLICA_CREATE
}

static int mk_locality_show(struct seq_file *s, void *unused)
{
	struct mk_locality here;
	int cpu;

	seq_puts(s, "cpu,node,mirrored,levels,local,master_levels,master_local\n");
	for_each_online_cpu(cpu) {
		if (!mk_switch_locality(s->private, cpu, &here))
			continue;
		seq_printf(s, "%d,%d,%d,%u,%u,%u,%u\n", cpu, cpu_to_node(cpu),
			   here.mirrored, here.levels, here.local,
			   here.master_levels, here.master_local);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_locality);

static int mk_comm_show(struct seq_file *s, void *unused)
{
	const struct mk_mirror *m = s->private;

	seq_printf(s, "%s\n", m->comm);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_comm);

/**
 * mk_mirror_files() - make mirror/<pid>/
 * @m: a mirror that begins
 *
 * Context: process; sleeps.
 */
void mk_mirror_files(struct mk_mirror *m)
{
	struct mk_mirror_node *r;
	char name[16];
	int node;

	snprintf(name, sizeof(name), "%d", m->pid);
	m->dir = debugfs_create_dir(name, mk_mirrors_dir);
	debugfs_create_file("comm", 0400, m->dir, m, &mk_comm_fops);
	debugfs_create_file("locality", 0400, m->dir, m, &mk_locality_fops);
	mk_mirror_for_each_node(r, node, m)
		mk_mirror_node_files(r, m->dir);
	atomic64_inc(&mk_nr_attached);
}

/**
 * mk_mirror_files_remove() - take it away
 * @m: a mirror that ends
 *
 * Context: process; waits for readers.
 */
void mk_mirror_files_remove(struct mk_mirror *m)
{
	debugfs_remove(m->dir);
	atomic64_inc(&mk_nr_detached);
}

/* --- all of them ----------------------------------------------------------- */

static u64 mk_show_attached(void *data)
{
	return atomic64_read(&mk_nr_attached);
}

static u64 mk_show_detached(void *data)
{
	return atomic64_read(&mk_nr_detached);
}

static u64 mk_show_count(void *data)
{
	return atomic_read(&mk_nr_mirrors);
}

static int mk_store_attach(void *data, u64 value)
{
	struct pid *pid = find_get_pid(value);
	struct mk_mirror *m;

	if (!pid) {
		mk_control_refuse("mirror/attach", "there is no process %llu",
				  value);
		return -ESRCH;
	}
	m = mk_mirror_attach(pid, "mirror/attach");
	put_pid(pid);
	if (IS_ERR(m))
		return PTR_ERR(m);
	mk_mirror_put(m);
	return 0;
}

static int mk_store_detach(void *data, u64 value)
{
	struct pid *pid = find_get_pid(value);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_TGID);
	struct mm_struct *mm = task ? get_task_mm(task) : NULL;
	struct mk_mirror *m = mm ? mk_mirror_get(mm) : NULL;

	if (m) {
		mk_mirror_detach(m);
		mk_mirror_put(m);
	} else {
		mk_control_refuse("mirror/detach",
				  "process %llu is not mirrored", value);
	}
	if (mm)
		mmput(mm);
	if (task)
		put_task_struct(task);
	put_pid(pid);
	return m ? 0 : -ESRCH;
}

static u64 mk_show_limit(void *data)
{
	return mk_pool_limit() << PAGE_SHIFT;
}

static int mk_store_limit(void *data, u64 value)
{
	mk_pool_set_limit(value >> PAGE_SHIFT);
	return 0;
}

static u64 mk_show_bytes(void *data)
{
	return mk_pool_used() << PAGE_SHIFT;
}

static u64 mk_show_stock(void *data)
{
	struct mk_pool_stat stat;
	u64 pages = 0;
	int node;

	for (node = 0; node < nr_node_ids; node++) {
		mk_pool_stat(node, &stat);
		pages += stat.stock;
	}
	return pages << PAGE_SHIFT;
}

static u64 mk_show_inherit(void *data)
{
	return mk_inherit();
}

static int mk_store_inherit(void *data, u64 value)
{
	/* A tracepoint's probe cannot allocate there. */
	if (value && IS_ENABLED(CONFIG_PREEMPT_RT)) {
		mk_control_refuse("mirror/inherit",
				  "not on a PREEMPT_RT kernel");
		return -EOPNOTSUPP;
	}
	mk_set_inherit(value);
	return 0;
}

static u64 mk_show_trims(void *data)
{
	return mk_trims();
}

static u64 mk_show_trimmed(void *data)
{
	return mk_trimmed();
}

static u64 mk_show_shrinks(void *data)
{
	return mk_shrinks();
}

static u64 mk_show_shrunk(void *data)
{
	return mk_shrunk();
}

static const struct mk_value mk_value_stock = { .show = mk_show_stock };
static const struct mk_value mk_value_shrinks = { .show = mk_show_shrinks };
static const struct mk_value mk_value_shrunk = { .show = mk_show_shrunk };
static const struct mk_value mk_value_trims = { .show = mk_show_trims };
static const struct mk_value mk_value_trimmed = { .show = mk_show_trimmed };

static const struct mk_value mk_value_inherit = {
	.show = mk_show_inherit, .store = mk_store_inherit,
	.min = 0, .max = 1,
};

static const struct mk_value mk_value_attach = {
	.show = mk_show_attached, .store = mk_store_attach,
	.min = 1, .max = PID_MAX_LIMIT,
};

static const struct mk_value mk_value_detach = {
	.show = mk_show_detached, .store = mk_store_detach,
	.min = 1, .max = PID_MAX_LIMIT,
};

static const struct mk_value mk_value_count = { .show = mk_show_count };
static const struct mk_value mk_value_bytes = { .show = mk_show_bytes };

static const struct mk_value mk_value_limit = {
	.show = mk_show_limit, .store = mk_store_limit,
	.min = 0, .max = 1ULL << 46,
};

/* --- words ----------------------------------------------------------------- */

static const char *const mk_mirror_broken_words[] = {
	[MK_MIRROR_SOUND]		= "none",
	[MK_MIRROR_NO_DIRTY]		= "no_dirty",
	[MK_MIRROR_NO_INVALIDATE]	= "no_invalidate",
	[MK_MIRROR_NO_REGIONS]		= "no_regions",
	[MK_MIRROR_NO_WIPE]		= "no_wipe",
	[MK_MIRROR_SHARED]		= "shared",
};

static const char *const mk_invalidate_words[] = {
	[MK_INVALIDATE_DIRECT]		= "direct",
	[MK_INVALIDATE_MESSAGE]		= "message",
};

static u32 mk_get_broken(void)
{
	return READ_ONCE(mk_mirror_broken);
}

static void mk_set_broken(u32 word)
{
	WRITE_ONCE(mk_mirror_broken, word);
}

static u32 mk_get_invalidate(void)
{
	return mk_mirror_invalidate();
}

static void mk_set_invalidate(u32 word)
{
	mk_mirror_set_invalidate(word);
}

/**
 * struct mk_words - a file that holds one word of a list
 * @name: below the root of the tree
 * @words: the list
 * @nr: how many
 * @get: index of the word now
 * @set: take another
 */
struct mk_words {
	const char *name;
	const char *const *words;
	u32 nr;
	u32 (*get)(void);
	void (*set)(u32 word);
};

static const struct mk_words mk_broken_file = {
	.name = "mirror/broken",
	.words = mk_mirror_broken_words,
	.nr = MK_MIRROR_BROKENS,
	.get = mk_get_broken,
	.set = mk_set_broken,
};

static const struct mk_words mk_invalidate_file = {
	.name = "mirror/invalidate",
	.words = mk_invalidate_words,
	.nr = MK_INVALIDATES,
	.get = mk_get_invalidate,
	.set = mk_set_invalidate,
};

static int mk_words_show(struct seq_file *s, void *unused)
{
	const struct mk_words *file = s->private;

	seq_printf(s, "%s\n", file->words[file->get()]);
	return 0;
}

static int mk_words_open(struct inode *inode, struct file *file)
{
	int err = single_open(file, mk_words_show, inode->i_private);

	/* seq_open() takes away pwrite(), which is as good as write() here. */
	if (!err)
		file->f_mode |= FMODE_PWRITE;
	return err;
}

static ssize_t mk_words_write(struct file *file, const char __user *ubuf,
			      size_t len, loff_t *ppos)
{
	const struct mk_words *words = file_inode(file)->i_private;
	char text[MK_WORD_MAX];
	int err, i;

	err = mk_control_copy(words->name, text, sizeof(text), ubuf, len,
			      *ppos);
	if (err)
		return err;
	i = match_string(words->words, words->nr, text);
	if (i < 0) {
		mk_control_refuse(words->name, "\"%*pE\" is not one of its words",
				  (int)strlen(text), text);
		return i;
	}
	words->set(i);
	*ppos += len;
	return len;
}

static const struct file_operations mk_words_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_words_open,
	.read		= seq_read,
	.write		= mk_words_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

DEFINE_SHOW_ATTRIBUTE(mk_tally);

/**
 * mk_mirrors_files() - make mirror/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process.
 */
void mk_mirrors_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("mirror", root);

	mk_control_value("attach", dir, NULL, &mk_value_attach);
	mk_control_value("detach", dir, NULL, &mk_value_detach);
	mk_control_value("count", dir, NULL, &mk_value_count);
	mk_control_value("limit", dir, NULL, &mk_value_limit);
	mk_control_value("bytes", dir, NULL, &mk_value_bytes);
	mk_control_value("stock", dir, NULL, &mk_value_stock);
	mk_control_value("inherit", dir, NULL, &mk_value_inherit);
	mk_control_value("trims", dir, NULL, &mk_value_trims);
	mk_control_value("trimmed", dir, NULL, &mk_value_trimmed);
	mk_control_value("shrinks", dir, NULL, &mk_value_shrinks);
	mk_control_value("shrunk", dir, NULL, &mk_value_shrunk);
	debugfs_create_file("total", 0400, dir, NULL, &mk_tally_fops);
	debugfs_create_file("invalidate", 0600, dir,
			    (void *)&mk_invalidate_file, &mk_words_fops);
	debugfs_create_file("broken", 0600, dir, (void *)&mk_broken_file,
			    &mk_words_fops);
	mk_mirrors_dir = dir;
}
