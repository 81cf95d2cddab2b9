// SPDX-License-Identifier: GPL-2.0
/*
 * Results: text in chunks of fixed size that never move.
 *
 * The writer fills chunks and then sets ->published with release semantics;
 * a reader takes ->published with acquire semantics once, at open, and then
 * looks at nothing beyond it. That pair is all the ordering there is.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "results.h"

#define MK_CHUNK	SZ_64K
#define MK_CHUNKS	(MK_RESULTS_MAX / MK_CHUNK)

struct mk_results {
	struct kref ref;
	size_t filled;			/* the writer's own */
	size_t published;		/* what readers may see */
	unsigned int nr_chunks;		/* the writer's own */
	char *chunks[MK_CHUNKS];
	char row[MK_ROW_MAX];		/* the writer's own */
};

/* One open file. */
struct mk_snapshot {
	struct mk_results *res;		/* NULL: there are none */
	size_t size;
};

/* There is always room for one row more, so that the last one finds it. */
static int mk_results_reserve(struct mk_results *res, size_t len)
{
	size_t want = res->filled + len + MK_ROW_MAX;

	if (want > MK_RESULTS_MAX)
		return -ENOSPC;
	while ((size_t)res->nr_chunks * MK_CHUNK < want) {
		char *chunk = kvmalloc(MK_CHUNK, GFP_KERNEL);

		if (!chunk)
			return -ENOMEM;
		res->chunks[res->nr_chunks++] = chunk;
	}
	return 0;
}

static void mk_results_append(struct mk_results *res, size_t len)
{
	const char *from = res->row;

	while (len) {
		size_t offset = res->filled % MK_CHUNK;
		size_t part = min_t(size_t, len, MK_CHUNK - offset);

		memcpy(res->chunks[res->filled / MK_CHUNK] + offset, from,
		       part);
		res->filled += part;
		from += part;
		len -= part;
	}
}

static void mk_results_free(struct kref *ref)
{
	struct mk_results *res = container_of(ref, struct mk_results, ref);

	while (res->nr_chunks)
		kvfree(res->chunks[--res->nr_chunks]);
	kfree(res);
}

/**
 * mk_results_new - make empty results
 *
 * Context: process, may sleep.
 * Return: results with one reference, or NULL.
 */
struct mk_results *mk_results_new(void)
{
	struct mk_results *res = kzalloc(sizeof(*res), GFP_KERNEL);

	if (!res)
		return NULL;
	kref_init(&res->ref);
	if (mk_results_reserve(res, 0)) {
		mk_results_put(res);
		return NULL;
	}
	return res;
}

/**
 * mk_results_get - take one more reference
 * @res: results or NULL
 *
 * Context: any.
 * Return: @res.
 */
struct mk_results *mk_results_get(struct mk_results *res)
{
	if (res)
		kref_get(&res->ref);
	return res;
}

/**
 * mk_results_put - give a reference back
 * @res: results or NULL
 *
 * Context: process, may sleep.
 */
void mk_results_put(struct mk_results *res)
{
	if (res)
		kref_put(&res->ref, mk_results_free);
}

/**
 * mk_results_row - append one row, not yet seen by readers
 * @res: results
 * @fmt: the row with its newline
 *
 * Context: process, may sleep.
 * Return: 0; -ENOSPC when the results are full; -EMSGSIZE when the row is
 *	longer than MK_ROW_MAX; -ENOMEM. On error nothing is appended.
 */
int mk_results_row(struct mk_results *res, const char *fmt, ...)
{
	va_list args;
	int len, err;

	va_start(args, fmt);
	len = vsnprintf(res->row, sizeof(res->row), fmt, args);
	va_end(args);
	if (len >= (int)sizeof(res->row))
		return -EMSGSIZE;
	err = mk_results_reserve(res, len);
	if (err)
		return err;
	mk_results_append(res, len);
	return 0;
}

/**
 * mk_results_last_row - append the row that ends the results, and publish
 * @res: results, to which nothing may be appended any more
 * @fmt: the row with its newline, cut at MK_ROW_MAX
 *
 * Cannot fail: there is always room kept for it.
 *
 * Context: process.
 */
void mk_results_last_row(struct mk_results *res, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(res->row, sizeof(res->row), fmt, args);
	va_end(args);
	mk_results_append(res, len);
	mk_results_publish(res);
}

/**
 * mk_results_publish - let readers see all rows appended so far
 * @res: results
 *
 * Context: process.
 */
void mk_results_publish(struct mk_results *res)
{
	/* Pairs with smp_load_acquire() in mk_results_open(). */
	smp_store_release(&res->published, res->filled);
}

/**
 * mk_results_take_back - forget the rows that were not published
 * @res: results
 *
 * Context: process.
 */
void mk_results_take_back(struct mk_results *res)
{
	res->filled = res->published;
}

/**
 * mk_results_open - make an open file a snapshot of what is published
 * @res: results, whose reference the file takes over, also on error; NULL is
 *	an empty file
 * @file: being opened
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mk_results_open(struct mk_results *res, struct file *file)
{
	struct mk_snapshot *snap = kmalloc(sizeof(*snap), GFP_KERNEL);

	if (!snap) {
		mk_results_put(res);
		return -ENOMEM;
	}
	snap->res = res;
	/* Pairs with smp_store_release() in mk_results_publish(). */
	snap->size = res ? smp_load_acquire(&res->published) : 0;
	file->private_data = snap;
	return 0;
}

/**
 * mk_results_read - ->read() of such a file
 * @file: the file
 * @ubuf: user's buffer
 * @len: of @ubuf
 * @ppos: offset
 *
 * Context: process, may sleep.
 * Return: bytes read, 0 at the end, -EFAULT or -EINVAL.
 */
ssize_t mk_results_read(struct file *file, char __user *ubuf, size_t len,
			loff_t *ppos)
{
	const struct mk_snapshot *snap = file->private_data;
	size_t done = 0;

	if (*ppos < 0)
		return -EINVAL;
	if (*ppos >= snap->size)
		return 0;
	len = min_t(size_t, len, snap->size - *ppos);
	while (done < len) {
		size_t pos = *ppos + done;
		size_t offset = pos % MK_CHUNK;
		size_t part = min_t(size_t, len - done, MK_CHUNK - offset);
		size_t left;

		left = copy_to_user(ubuf + done,
				    snap->res->chunks[pos / MK_CHUNK] + offset,
				    part);
		done += part - left;
		if (left)
			break;
	}
	if (!done && len)
		return -EFAULT;
	*ppos += done;
	return done;
}

/**
 * mk_results_llseek - ->llseek() of such a file
 * @file: the file
 * @offset: how far
 * @whence: from where
 *
 * Context: process.
 * Return: new offset or -EINVAL.
 */
loff_t mk_results_llseek(struct file *file, loff_t offset, int whence)
{
	const struct mk_snapshot *snap = file->private_data;

	return fixed_size_llseek(file, offset, whence, snap->size);
}

/**
 * mk_results_release - ->release() of such a file
 * @inode: not looked at, what it stood for may be gone
 * @file: the file
 *
 * Context: process, may sleep.
 * Return: 0.
 */
int mk_results_release(struct inode *inode, struct file *file)
{
	struct mk_snapshot *snap = file->private_data;

	mk_results_put(snap->res);
	kfree(snap);
	return 0;
}
