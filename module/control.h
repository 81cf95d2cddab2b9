/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files in debugfs that hold one value each.
 *
 * What every file of the tree has in common: one value, one newline. Reading
 * from offset 0 gives the value of now. A write carries one value and starts
 * at offset 0; spaces, tabs and newlines around it do not matter. A write that
 * cannot be understood is -EINVAL, a number outside its range -ERANGE; either
 * changes nothing and is explained by one line in the log.
 */
#ifndef MK_CONTROL_H
#define MK_CONTROL_H

#include <linux/fs.h>
#include <linux/types.h>

struct dentry;

/* Room for the name of any file of the tree. */
#define MK_CONTROL_NAME_MAX	128

/**
 * struct mk_value - a file that holds one number
 * @show: value now; process context, may sleep
 * @store: take a new value, already known to lie in @min … @max; NULL makes
 *	the file read-only. Returns 0 or a negative errno, which the writer
 *	gets. Process context, may sleep; two writers may call it at once.
 * @min: smallest number accepted
 * @max: largest number accepted
 */
struct mk_value {
	u64 (*show)(void *data);
	int (*store)(void *data, u64 value);
	u64 min, max;
};

struct dentry *mk_control_value(const char *name, struct dentry *dir,
				void *data, const struct mk_value *ops);
struct dentry *mk_control_text(const char *name, struct dentry *dir,
			       const char *text);

/* For files of other kinds: how to take a write and how to refuse it. */
const char *mk_control_name(const struct file *file, char *buf, size_t size);
int mk_control_copy(const char *what, char *text, size_t size,
		    const char __user *ubuf, size_t len, loff_t pos);
int mk_control_parse_u64(const char *what, const char *text, u64 min, u64 max,
			 u64 *value);
__printf(2, 3)
void mk_control_refuse(const char *what, const char *fmt, ...);

u64 mk_control_bytes(void);

struct dentry *mk_control_init(void);
void mk_control_exit(void);

#endif /* MK_CONTROL_H */
