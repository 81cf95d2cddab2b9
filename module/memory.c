// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory the module takes: counted on this machine, and computed for
 * machines of other sizes from the same structures.
 *
 * Counted is what the allocators really handed out. Computed follows their
 * rounding; that both agree where both exist is what the test memory.c checks.
 */
#include <linux/debugfs.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "module/control.h"
#include "module/costs.h"
#include "module/memory.h"
#include "module/monitor.h"
#include "module/pager/paged.h"
#include "shootdown/agree.h"
#include "shootdown/shootdown.h"
#include "urpc/cell.h"
#include "urpc/channel.h"
#include "urpc/fanout.h"
#include "urpc/link.h"
#include "urpc/route_plan.h"

u64 mk_alloc_size(size_t size)
{
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return PAGE_SIZE << get_order(size);
	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	return max_t(u64, roundup_pow_of_two(size), 8);
}

/* One monitor of a machine with @cpus CPUs: port, links, thread. */
static u64 mk_memory_monitor(unsigned int cpus)
{
	return mk_alloc_size(sizeof(struct mk_port)) +
	       mk_alloc_size(mk_links_size(cpus)) +
	       mk_alloc_size(BITS_TO_LONGS(cpus) * sizeof(long)) +
	       THREAD_SIZE + sizeof(struct task_struct);
}

static u64 mk_memory_channel(void)
{
	return mk_alloc_size(sizeof(struct mk_channel)) +
	       2 * mk_alloc_size(sizeof(struct mk_endpoint)) +
	       2 * (PAGE_SIZE << get_order(MK_CHANNEL_SLOTS *
					   sizeof(struct mk_line)));
}

static u64 mk_show_monitors_counted(void *data)
{
	return mk_monitors_bytes();
}

static u64 mk_show_channels_counted(void *data)
{
	return mk_channel_bytes();
}

static u64 mk_show_agreement(void *data)
{
	return mk_agree_bytes();
}

static u64 mk_show_shootdown(void *data)
{
	return mk_shootdown_bytes();
}

static u64 mk_show_cells(void *data)
{
	return mk_cells_bytes();
}

static u64 mk_show_nr_cells(void *data)
{
	return mk_cells_count();
}

static u64 mk_show_cell(void *data)
{
	return mk_alloc_size(sizeof(struct mk_cell));
}

static u64 mk_show_boards(void *data)
{
	return mk_boards_bytes();
}

static u64 mk_show_costs(void *data)
{
	return mk_costs_bytes();
}

static u64 mk_show_plans(void *data)
{
	return mk_route_plans_bytes();
}

static u64 mk_show_pagers(void *data)
{
	return mk_paged_bytes();
}

static u64 mk_show_nr_channels(void *data)
{
	return mk_channel_count();
}

static u64 mk_show_monitor(void *data)
{
	return mk_memory_monitor(nr_cpu_ids);
}

static u64 mk_show_channel(void *data)
{
	return mk_memory_channel();
}

static u64 mk_show_files(void *data)
{
	return mk_control_bytes();
}

/* Each present CPU has as many. */
static u64 mk_show_monitor_files(void *data)
{
	return div_u64(mk_monitors_files_bytes(), num_present_cpus());
}

/* Those that there are once, however many CPUs there are. */
static u64 mk_show_common_files(void *data)
{
	return mk_control_bytes() - mk_monitors_files_bytes();
}

/* data: a number of CPUs. The module there, before there is a channel. */
static u64 mk_show_predicted(void *data)
{
	unsigned int cpus = (unsigned long)data;

	return cpus * (mk_memory_monitor(cpus) + mk_show_monitor_files(NULL)) +
	       mk_show_common_files(NULL) + mk_agree_size(cpus) + mk_shootdown_size(cpus);
}

#define MK_MEMORY_VALUE(name) \
	static const struct mk_value mk_value_##name = { .show = mk_show_##name }

MK_MEMORY_VALUE(monitors_counted);
MK_MEMORY_VALUE(channels_counted);
MK_MEMORY_VALUE(nr_channels);
MK_MEMORY_VALUE(cells);
MK_MEMORY_VALUE(nr_cells);
MK_MEMORY_VALUE(cell);
MK_MEMORY_VALUE(boards);
MK_MEMORY_VALUE(costs);
MK_MEMORY_VALUE(plans);
MK_MEMORY_VALUE(pagers);
MK_MEMORY_VALUE(agreement);
MK_MEMORY_VALUE(shootdown);
MK_MEMORY_VALUE(monitor);
MK_MEMORY_VALUE(channel);
MK_MEMORY_VALUE(files);
MK_MEMORY_VALUE(monitor_files);
MK_MEMORY_VALUE(common_files);
MK_MEMORY_VALUE(predicted);

/**
 * mk_memory_files() - make memory/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process, after the other files were made.
 */
void mk_memory_files(struct dentry *root)
{
	static const unsigned int sizes[] = { 2, 8, 64, 256 };
	struct dentry *dir = debugfs_create_dir("memory", root);
	struct dentry *predicted;
	unsigned int i;
	char name[16];

	mk_control_value("monitors", dir, NULL, &mk_value_monitors_counted);
	mk_control_value("channels", dir, NULL, &mk_value_channels_counted);
	mk_control_value("nr_channels", dir, NULL, &mk_value_nr_channels);
	mk_control_value("agreement", dir, NULL, &mk_value_agreement);
	mk_control_value("shootdown", dir, NULL, &mk_value_shootdown);
	mk_control_value("files", dir, NULL, &mk_value_files);
	mk_control_value("common_files", dir, NULL, &mk_value_common_files);
	mk_control_value("files_per_monitor", dir, NULL,
			 &mk_value_monitor_files);
	mk_control_value("per_monitor", dir, NULL, &mk_value_monitor);
	mk_control_value("per_channel", dir, NULL, &mk_value_channel);
	mk_control_value("cells", dir, NULL, &mk_value_cells);
	mk_control_value("nr_cells", dir, NULL, &mk_value_nr_cells);
	mk_control_value("per_cell", dir, NULL, &mk_value_cell);
	mk_control_value("boards", dir, NULL, &mk_value_boards);
	mk_control_value("costs", dir, NULL, &mk_value_costs);
	mk_control_value("plans", dir, NULL, &mk_value_plans);
	mk_control_value("pagers", dir, NULL, &mk_value_pagers);
	predicted = debugfs_create_dir("predicted", dir);
	mk_control_value("here", predicted, (void *)(unsigned long)nr_cpu_ids,
			 &mk_value_predicted);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(name, sizeof(name), "%ucpus", sizes[i]);
		mk_control_value(name, predicted,
				 (void *)(unsigned long)sizes[i],
				 &mk_value_predicted);
	}
}
