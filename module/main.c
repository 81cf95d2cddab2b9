// SPDX-License-Identifier: GPL-2.0
/*
 * multikernel: a multikernel beside the kernel that is there.
 *
 * Only the way in and the way out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "module/clock.h"
#include "module/control.h"
#include "module/costs.h"
#include "module/device.h"
#include "module/door.h"
#include "module/experiment.h"
#include "module/memory.h"
#include "module/mirror/home.h"
#include "module/mirror/mirror.h"
#include "module/mirror/pool.h"
#include "module/monitor.h"
#include "module/pager/paged.h"
#include "module/topology.h"
#include "shootdown/agree.h"
#include "shootdown/region.h"
#include "shootdown/shootdown.h"
#include "shootdown/space.h"
#include "urpc/fanout.h"
#include "urpc/link.h"
#include "urpc/route_plan.h"
#include "urpc/port.h"

static long poll_cycles = -1;
module_param(poll_cycles, long, 0444);
MODULE_PARM_DESC(poll_cycles,
		 "cycles that a monitor polls before it blocks (-1: what blocking and waking costs, measured at load)");

static int __init mk_init(void)
{
	struct dentry *root;
	int err;

	if (poll_cycles < -1) {
		pr_err("poll_cycles: %ld is out of range, -1 or more is expected\n",
		       poll_cycles);
		return -EINVAL;
	}

	err = mk_clock_init();
	if (err)
		return err;
	err = mk_ports_init();
	if (err)
		return err;
	err = mk_links_start();
	if (err)
		goto err_ports;
	err = mk_agree_init();
	if (err)
		goto err_links;
	mk_doors_init();
	err = mk_monitors_init(poll_cycles);
	if (err)
		goto err_agree;
	mk_agree_start();
	mk_costs_load();
	err = mk_shootdown_init();
	if (err)
		goto err_monitors;
	err = mk_pools_init();
	if (err)
		goto err_shootdown;
	err = mk_homes_init();
	if (err)
		goto err_pools;
	err = mk_mirrors_init();
	if (err)
		goto err_homes;
	err = mk_experiments_init();
	if (err)
		goto err_mirrors;
	root = mk_control_init();
	if (IS_ERR(root)) {
		err = PTR_ERR(root);
		goto err_experiments;
	}
	err = mk_device_init();
	if (err)
		goto err_control;

	/* A file may be opened as soon as it is there: nothing fails now. */
	mk_control_text("version", root, THIS_MODULE->version);
	mk_clock_files(root);
	mk_topology_files(root);
	mk_monitors_files(root);
	mk_memory_files(root);
	mk_agree_files(root);
	mk_shootdown_files(root);
	mk_regions_files(root);
	mk_spaces_files(root);
	mk_homes_files(root);
	mk_doors_files(root);
	mk_paged_files(root);
	mk_mirrors_files(root);
	mk_experiments_files(root);
	return 0;

err_control:
	mk_control_exit();
err_experiments:
	mk_experiments_exit();
err_mirrors:
	mk_mirrors_exit();
err_homes:
	mk_homes_exit();
err_pools:
	mk_pools_exit();
err_shootdown:
	mk_shootdown_exit();
err_monitors:
	mk_agree_stop();
	mk_monitors_exit();
	mk_spaces_exit();
err_agree:
	mk_agree_exit();
err_links:
	mk_links_stop();
	mk_boards_exit();
	mk_cells_exit();
err_ports:
	mk_ports_exit();
	return err;
}

/* The files go first: with them goes the last way to start anything. */
static void __exit mk_exit(void)
{
	mk_device_exit();
	mk_mirrors_stop();
	mk_control_exit();
	mk_experiments_exit();
	mk_mirrors_exit();
	mk_homes_exit();
	mk_pools_exit();
	mk_shootdown_exit();
	mk_route_plans_exit();
	mk_costs_exit();
	mk_agree_stop();
	mk_monitors_exit();
	mk_spaces_exit();
	mk_agree_exit();
	mk_links_stop();
	mk_boards_exit();
	mk_cells_exit();
	mk_ports_exit();
}

module_init(mk_init);
module_exit(mk_exit);

MODULE_DESCRIPTION("A multikernel beside Linux: monitors, URPC, and experiments");
MODULE_AUTHOR("The multikernel project");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
