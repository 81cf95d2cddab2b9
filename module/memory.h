/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much memory the module takes, counted and computed.
 */
#ifndef MK_MEMORY_H
#define MK_MEMORY_H

#include <linux/types.h>

struct dentry;

/* What kmalloc() or kvmalloc() hands out for @size bytes. Any context. */
u64 mk_alloc_size(size_t size);

void mk_memory_files(struct dentry *root);

#endif /* MK_MEMORY_H */
