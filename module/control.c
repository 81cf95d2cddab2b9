// SPDX-License-Identifier: GPL-2.0
/*
 * The debugfs tree: files of one value each, and how a write to them is
 * checked.
 *
 * debugfs keeps the module loaded while one of its files is open, and waits
 * in debugfs_remove() for whoever is inside a read or write. So what a file
 * stands for may be freed once mk_control_exit() has returned, and nothing below
 * looks at it on release.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "control.h"

#define MK_CONTROL_ROOT		"multikernel"
#define MK_CONTROL_BLANK	" \t\r\n"

/* A number with some blanks; more than that is nonsense. */
#define MK_CONTROL_NUMBER_MAX	64

/* As much of a refused text as the log shows. */
#define MK_CONTROL_SHOWN	40

/* What a file of one number stands for; all are freed together at exit. */
struct mk_file {
	struct list_head link;
	const struct mk_value *ops;
	void *data;
};

static LIST_HEAD(mk_files);
static u64 mk_nr_files;
static DEFINE_MUTEX(mk_files_lock);	/* protects both */

static struct dentry *mk_root;

/**
 * mk_control_name - name of an open file of the tree, for the log
 * @file: the file
 * @buf: room for it
 * @size: of @buf, MK_CONTROL_NAME_MAX is enough
 *
 * Context: process.
 * Return: path below the root of the tree, such as
 *	"experiments/urpc_latency/samples"; lies in @buf.
 */
const char *mk_control_name(const struct file *file, char *buf, size_t size)
{
	static const char root[] = "/" MK_CONTROL_ROOT "/";
	const char *path = dentry_path_raw(file->f_path.dentry, buf, size);

	if (IS_ERR(path)) {
		strscpy(buf, "?", size);
		return buf;
	}
	if (!strncmp(path, root, strlen(root)))
		path += strlen(root);
	return path;
}

/**
 * mk_control_refuse - say in the log why a write was refused
 * @what: file, as mk_control_name() gives it
 * @fmt: what was wrong with it, without newline
 *
 * One line, rate-limited over all files.
 *
 * Context: any.
 */
void mk_control_refuse(const char *what, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_notice_ratelimited("%s: %pV\n", what, &vaf);
	va_end(args);
}

/**
 * mk_control_copy - take the text of a write from user space
 * @what: file, for the log
 * @text: where to put it, without the blanks around it, NUL-terminated
 * @size: of @text; a write of @size bytes or more is refused
 * @ubuf: what was written
 * @len: bytes at @ubuf
 * @pos: file offset of the write, must be 0
 *
 * A text of nothing but blanks becomes "".
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL when the write is empty, too long, not at offset 0, or
 *	has a NUL in it; -EFAULT.
 */
int mk_control_copy(const char *what, char *text, size_t size,
		    const char __user *ubuf, size_t len, loff_t pos)
{
	size_t start, end;

	if (pos) {
		mk_control_refuse(what, "a value is written at offset 0, not %lld",
				  pos);
		return -EINVAL;
	}
	if (!len) {
		mk_control_refuse(what, "nothing was written");
		return -EINVAL;
	}
	if (len >= size) {
		mk_control_refuse(what, "%zu bytes are too long", len);
		return -EINVAL;
	}
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	text[len] = '\0';
	if (strlen(text) != len) {
		mk_control_refuse(what, "binary data");
		return -EINVAL;
	}

	start = strspn(text, MK_CONTROL_BLANK);
	end = len;
	while (end > start && strchr(MK_CONTROL_BLANK, text[end - 1]))
		end--;
	memmove(text, text + start, end - start);
	text[end - start] = '\0';
	return 0;
}

/**
 * mk_control_parse_u64 - read one decimal number and check its range
 * @what: file or parameter, for the log
 * @text: the number, digits only, without blanks
 * @min: smallest number accepted
 * @max: largest number accepted
 * @value: gets the number; left alone on error
 *
 * Context: any.
 * Return: 0; -EINVAL when @text is not a decimal number; -ERANGE when it is
 *	one outside @min … @max.
 */
int mk_control_parse_u64(const char *what, const char *text, u64 min, u64 max,
			 u64 *value)
{
	size_t len = strlen(text);
	u64 number;

	if (!len || strspn(text, "0123456789") != len) {
		mk_control_refuse(what, "\"%*pE\" is not a decimal number",
				  (int)min_t(size_t, len, MK_CONTROL_SHOWN),
				  text);
		return -EINVAL;
	}
	/* With nothing but digits, kstrtoull() can only fail by overflow. */
	if (kstrtoull(text, 10, &number) || number < min || number > max) {
		mk_control_refuse(what, "%.*s is out of range %llu..%llu",
				  MK_CONTROL_SHOWN, text, min, max);
		return -ERANGE;
	}
	*value = number;
	return 0;
}

static int mk_value_show(struct seq_file *m, void *unused)
{
	const struct mk_file *f = m->private;

	seq_printf(m, "%llu\n", f->ops->show(f->data));
	return 0;
}

static int mk_value_open(struct inode *inode, struct file *file)
{
	int err = single_open(file, mk_value_show, inode->i_private);

	/* seq_open() takes away pwrite(), which is as good as write() here. */
	if (!err)
		file->f_mode |= FMODE_PWRITE;
	return err;
}

static ssize_t mk_value_write(struct file *file, const char __user *ubuf,
			      size_t len, loff_t *ppos)
{
	const struct mk_file *f = file_inode(file)->i_private;
	char name[MK_CONTROL_NAME_MAX], text[MK_CONTROL_NUMBER_MAX];
	const char *what = mk_control_name(file, name, sizeof(name));
	u64 value;
	int err;

	err = mk_control_copy(what, text, sizeof(text), ubuf, len, *ppos);
	if (!err)
		err = mk_control_parse_u64(what, text, f->ops->min,
					   f->ops->max, &value);
	if (!err)
		err = f->ops->store(f->data, value);
	if (err)
		return err;
	*ppos += len;
	return len;
}

static const struct file_operations mk_value_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_value_open,
	.read		= seq_read,
	.write		= mk_value_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* Read-only twin, so that a write fails in the VFS. */
static const struct file_operations mk_value_ro_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_value_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/**
 * mk_control_value - make a file that holds one number
 * @name: file name
 * @dir: directory below the root, which goes away with the root
 * @data: handed to @ops
 * @ops: how to read and write it; must live as long as the file
 *
 * Context: process, may sleep.
 * Return: the file, or an ERR_PTR, which callers may ignore: the file is then
 *	missing and nothing else is wrong.
 */
struct dentry *mk_control_value(const char *name, struct dentry *dir,
				void *data, const struct mk_value *ops)
{
	struct mk_file *f;
	struct dentry *dentry;

	if (IS_ERR_OR_NULL(dir))
		return ERR_PTR(-ENODEV);
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->ops = ops;
	f->data = data;
	if (ops->store)
		dentry = debugfs_create_file(name, 0600, dir, f,
					     &mk_value_fops);
	else
		dentry = debugfs_create_file(name, 0400, dir, f,
					     &mk_value_ro_fops);
	if (IS_ERR(dentry)) {
		kfree(f);
		return dentry;
	}
	mutex_lock(&mk_files_lock);
	list_add(&f->link, &mk_files);
	mk_nr_files++;
	mutex_unlock(&mk_files_lock);
	return dentry;
}

static int mk_text_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%s\n", (const char *)m->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_text);

/**
 * mk_control_text - make a read-only file that holds a constant text
 * @name: file name
 * @dir: directory
 * @text: without the trailing newline; must live as long as the file
 *
 * Context: process, may sleep.
 * Return: the file, or an ERR_PTR, which callers may ignore.
 */
struct dentry *mk_control_text(const char *name, struct dentry *dir,
			       const char *text)
{
	if (IS_ERR_OR_NULL(dir))
		return ERR_PTR(-ENODEV);
	return debugfs_create_file(name, 0400, dir, (void *)text,
				   &mk_text_fops);
}

/**
 * mk_control_bytes - memory of the files of one number
 *
 * Most of a tree's files are of that kind.
 *
 * Context: process, may sleep.
 * Return: bytes, with the inode and the directory entry of each.
 */
u64 mk_control_bytes(void)
{
	u64 n;

	mutex_lock(&mk_files_lock);
	n = mk_nr_files;
	mutex_unlock(&mk_files_lock);
	return n * (sizeof(struct mk_file) + sizeof(struct inode) +
		    sizeof(struct dentry));
}

/**
 * mk_control_init - make the root of the tree
 *
 * Context: process, may sleep; once, before every other function here.
 * Return: the root, to be undone by mk_control_exit(), or an ERR_PTR when
 *	debugfs is off or the name is taken. Without the tree there is no use
 *	in going on.
 */
struct dentry *mk_control_init(void)
{
	struct inode *inode;

	mk_root = debugfs_create_dir(MK_CONTROL_ROOT, NULL);
	if (IS_ERR(mk_root))
		return mk_root;

	/* debugfs has no way to ask for it. */
	inode = d_inode(mk_root);
	inode_lock(inode);
	inode->i_mode = S_IFDIR | 0700;
	inode_unlock(inode);
	return mk_root;
}

/**
 * mk_control_exit - remove the tree
 *
 * Waits for whoever is inside a read or write of one of its files, so the
 * caller must hold no lock that a show or store callback takes. What the files
 * stand for may be freed afterwards.
 *
 * Context: process, may sleep.
 */
void mk_control_exit(void)
{
	struct mk_file *f, *next;

	debugfs_remove(mk_root);
	mk_root = NULL;
	list_for_each_entry_safe(f, next, &mk_files, link) {
		list_del(&f->link);
		kfree(f);
	}
}
