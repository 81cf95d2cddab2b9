// SPDX-License-Identifier: GPL-2.0
/*
 * The table of experiments: a new one is one line here and one extern in
 * experiment.h.
 */
#include <linux/stddef.h>

#include "experiment.h"

const struct mk_experiment *const mk_experiments[] = {
	&mk_exp_urpc_latency,
	&mk_exp_urpc_throughput,
	&mk_exp_shm_vs_msg,
	&mk_exp_message_size,
	&mk_exp_placement,
	&mk_exp_notify,
	&mk_exp_polling_model,
	&mk_exp_growth,
	&mk_exp_rings,
	&mk_exp_costs,
	&mk_exp_unmap,
	&mk_exp_storm,
	&mk_exp_routes,
	&mk_exp_trees,
	&mk_exp_shootdown_protocols,
	&mk_exp_two_phase_commit,
	&mk_exp_home_node,
	&mk_exp_global_mapping,
	&mk_exp_mirror_ops,
	&mk_exp_mirror_locality,
	&mk_exp_pager,
	NULL
};
