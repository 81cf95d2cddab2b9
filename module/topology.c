// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine looks like, as Linux sees it now: nothing is remembered
 * here, so CPUs may come and go at any time. What was measured is in costs.c.
 *
 *	topology/cpus			online CPUs, a list
 *	topology/nodes			online nodes, a list
 *	topology/node<N>/cpus		online CPUs of the node, a list
 *	topology/node<N>/distance	to each online node in turn
 *	topology/cpu<N>/online		0 or 1
 *	topology/cpu<N>/node		number of its node
 *	topology/cpu<N>/package		number of its package
 *	topology/cpu<N>/core		number of its core in the package
 *	topology/cpu<N>/siblings	CPUs of the same core, a list; empty
 *					while the CPU is offline
 *
 * There is a directory for every CPU and node that this kernel could ever see,
 * package and core of one that was never online mean nothing.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/seq_file.h>
#include <linux/topology.h>

#include "compat.h"
#include "costs.h"
#include "topology.h"

/**
 * mk_tier - how far two CPUs are apart
 * @cpu_a: one CPU
 * @cpu_b: the other, both below nr_cpu_ids
 *
 * Context: any.
 * Return: the tier; a CPU that is offline has no siblings.
 */
enum mk_tier mk_tier(int cpu_a, int cpu_b)
{
	if (cpu_a == cpu_b)
		return MK_TIER_SAME;
	if (cpumask_test_cpu(cpu_b, topology_sibling_cpumask(cpu_a)))
		return MK_TIER_SIBLING;
	if (cpu_to_node(cpu_a) == cpu_to_node(cpu_b))
		return MK_TIER_NODE;
	return MK_TIER_REMOTE;
}

/**
 * mk_tier_name - the same for people and CSV
 * @cpu_a: one CPU, or -1 for none
 * @cpu_b: the other, or -1 for none
 *
 * Context: any.
 * Return: "T0" … "T3", "" when either is none.
 */
const char *mk_tier_name(int cpu_a, int cpu_b)
{
	static const char *const names[] = {
		[MK_TIER_SAME] = "T0",
		[MK_TIER_SIBLING] = "T1",
		[MK_TIER_NODE] = "T2",
		[MK_TIER_REMOTE] = "T3",
	};

	if (cpu_a < 0 || cpu_b < 0)
		return "";
	return names[mk_tier(cpu_a, cpu_b)];
}

static int mk_cpus_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%*pbl\n", cpumask_pr_args(cpu_online_mask));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_cpus);

static int mk_nodes_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%*pbl\n", nodemask_pr_args(&node_online_map));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_nodes);

static int mk_node_cpus_show(struct seq_file *m, void *unused)
{
	const struct cpumask *mask = cpumask_of_node((long)m->private);

	/* On x86 CPUs leave this mask when they go offline. */
	seq_printf(m, "%*pbl\n", cpumask_pr_args(mask));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_node_cpus);

static int mk_node_distance_show(struct seq_file *m, void *unused)
{
	int node = (long)m->private;
	const char *space = "";
	int other;

	for_each_online_node(other) {
		seq_printf(m, "%s%d", space, node_distance(node, other));
		space = " ";
	}
	seq_putc(m, '\n');
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_node_distance);

static int mk_cpu_online_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%d\n", cpu_online((long)m->private));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_cpu_online);

static int mk_cpu_node_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%d\n", cpu_to_node((long)m->private));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_cpu_node);

static int mk_cpu_package_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%d\n", topology_physical_package_id((long)m->private));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_cpu_package);

static int mk_cpu_core_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%d\n", topology_core_id((long)m->private));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_cpu_core);

static int mk_cpu_siblings_show(struct seq_file *m, void *unused)
{
	const struct cpumask *mask =
		topology_sibling_cpumask((long)m->private);

	seq_printf(m, "%*pbl\n", cpumask_pr_args(mask));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_cpu_siblings);

static void mk_topology_add_node(struct dentry *parent, int node)
{
	void *data = (void *)(long)node;
	struct dentry *dir;
	char name[16];

	snprintf(name, sizeof(name), "node%d", node);
	dir = debugfs_create_dir(name, parent);
	debugfs_create_file("cpus", 0400, dir, data, &mk_node_cpus_fops);
	debugfs_create_file("distance", 0400, dir, data,
			    &mk_node_distance_fops);
}

static void mk_topology_add_cpu(struct dentry *parent, int cpu)
{
	void *data = (void *)(long)cpu;
	struct dentry *dir;
	char name[16];

	snprintf(name, sizeof(name), "cpu%d", cpu);
	dir = debugfs_create_dir(name, parent);
	debugfs_create_file("online", 0400, dir, data, &mk_cpu_online_fops);
	debugfs_create_file("node", 0400, dir, data, &mk_cpu_node_fops);
	debugfs_create_file("package", 0400, dir, data, &mk_cpu_package_fops);
	debugfs_create_file("core", 0400, dir, data, &mk_cpu_core_fops);
	debugfs_create_file("siblings", 0400, dir, data,
			    &mk_cpu_siblings_fops);
}

/**
 * mk_topology_files - make topology/ in the tree
 * @root: root of the tree, which also takes topology/ away again
 *
 * Context: process, may sleep.
 */
void mk_topology_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("topology", root);
	int i;

	debugfs_create_file("cpus", 0400, dir, NULL, &mk_cpus_fops);
	debugfs_create_file("nodes", 0400, dir, NULL, &mk_nodes_fops);
	mk_costs_files(dir);
	for_each_node(i)
		mk_topology_add_node(dir, i);
	for_each_possible_cpu(i)
		mk_topology_add_cpu(dir, i);
}
