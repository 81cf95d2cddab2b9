/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text that a run leaves: rows appended by one writer, read by any number
 * of files while it grows.
 *
 * Text never moves and is never changed once it is there, so a reader needs no
 * lock and no copy: it holds a reference and the length that was published
 * when it opened the file. Rows become visible together, when they are
 * published, and rows not published can be taken back.
 */
#ifndef MK_RESULTS_H
#define MK_RESULTS_H

#include <linux/fs.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct mk_results;

/* No results are larger. */
#define MK_RESULTS_MAX	SZ_16M

/* One row with its newline. */
#define MK_ROW_MAX	512

struct mk_results *mk_results_new(void);
struct mk_results *mk_results_get(struct mk_results *res);
void mk_results_put(struct mk_results *res);

/* The writer: one thread at a time, process context. */
__printf(2, 3)
int mk_results_row(struct mk_results *res, const char *fmt, ...);
__printf(2, 3)
void mk_results_last_row(struct mk_results *res, const char *fmt, ...);
void mk_results_publish(struct mk_results *res);
void mk_results_take_back(struct mk_results *res);

/* The readers: file operations of a snapshot. */
int mk_results_open(struct mk_results *res, struct file *file);
ssize_t mk_results_read(struct file *file, char __user *ubuf, size_t len,
			loff_t *ppos);
loff_t mk_results_llseek(struct file *file, loff_t offset, int whence);
int mk_results_release(struct inode *inode, struct file *file);

#endif /* MK_RESULTS_H */
