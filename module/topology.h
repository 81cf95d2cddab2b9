/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the machine looks like: CPUs, siblings, packages, nodes, distances.
 */
#ifndef MK_TOPOLOGY_H
#define MK_TOPOLOGY_H

#include <linux/types.h>

struct dentry;

/**
 * enum mk_tier - how far two CPUs are apart
 * @MK_TIER_SAME: one and the same CPU (T0)
 * @MK_TIER_SIBLING: two threads of one core (T1)
 * @MK_TIER_NODE: two cores of one node (T2)
 * @MK_TIER_REMOTE: two nodes (T3)
 */
enum mk_tier {
	MK_TIER_SAME,
	MK_TIER_SIBLING,
	MK_TIER_NODE,
	MK_TIER_REMOTE,
};

enum mk_tier mk_tier(int cpu_a, int cpu_b);
const char *mk_tier_name(int cpu_a, int cpu_b);

void mk_topology_files(struct dentry *root);

#endif /* MK_TOPOLOGY_H */
