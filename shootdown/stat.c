// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of shootdown as files.
 */
#include <linux/debugfs.h>
#include <linux/kernel.h>

#include "module/control.h"
#include "shootdown/shootdown.h"
#include "shootdown/stat.h"

DEFINE_PER_CPU(struct mk_stat, mk_stat);

/* A file's data is the offset of its counter. */
static u64 mk_stat_show(void *data)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*(u64 *)((void *)per_cpu_ptr(&mk_stat, cpu) +
					  (size_t)data));
	return sum;
}

static const struct mk_value mk_stat_ops = {
	.show = mk_stat_show,
};

static void mk_stat_file(struct dentry *dir, const char *name, size_t offset)
{
	mk_control_value(name, dir, (void *)offset, &mk_stat_ops);
}

/**
 * mk_stat_files() - make the files of all counters
 * @root: shootdown/
 *
 * Context: process, may sleep.
 */
void mk_stat_files(struct dentry *root)
{
	struct dentry *dir;
	unsigned int i;

#define MK_STAT_FILE(group, name)	\
	mk_stat_file(dir, #name, offsetof(struct mk_stat, group.name));
	for (i = 0; i < MK_PROTOCOLS; i++) {
		dir = debugfs_create_dir(mk_protocol_name(i), root);
		MK_STAT_PROTOCOL(MK_STAT_FILE, protocol[i])
	}
	dir = debugfs_create_dir("flush", root);
	MK_STAT_FLUSH(MK_STAT_FILE)
	dir = debugfs_create_dir("choice", root);
	MK_STAT_CHOICE(MK_STAT_FILE)
	dir = debugfs_create_dir("quarantine", root);
	MK_STAT_QUARANTINE(MK_STAT_FILE)
#undef MK_STAT_FILE
}
