// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment placement: the same round trip with the rings on the receiver's
 * node, the sender's, or a third one. The mem_node column says where the ring of
 * the calls really was.
 *
 * Variants:
 *	receiver, sender, third	by node
 *	chosen	 on the receiver's node, the best of some candidates as measured when
 *		 the channel was made; setup is what making it took, candidates or
 *		 not
 *	control	 an empty pass over the port
 */
#include <linux/nodemask.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "urpc/bench.h"
#include "urpc/pages.h"

enum {
	P_CANDIDATES = MK_SERIES_OWN,
};

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(1000),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(100),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(3),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
	[P_CANDIDATES] = {
		.name = "candidates",
		.help = "pages to choose each ring from in variant chosen",
		.kind = MK_PARAM_U32, .min = 1, .max = MK_PAGES_MAX, .def = 8,
	},
};

/* Both rings on the nodes asked for, or nothing if memory there is short. */
static int mk_placement_on(struct mk_series *series, const char *variant,
			   int call_node, int reply_node, u32 candidates)
{
	struct mk_channel_options options = {
		.node = { call_node, reply_node },
		.candidates = candidates,
	};
	const struct mk_key *key = &series->key;
	u64 start = mk_cycles();
	struct mk_channel *channel;
	int err = 0;

	channel = mk_channel_create(key->cpu_a, key->cpu_b, &options);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	if (channel->ring_node[0] == call_node &&
	    channel->ring_node[1] == reply_node) {
		series->ep = channel->end[0];
		series->key.variant = variant;
		series->key.mem_node = call_node;
		series->sample = mk_series_ping;
		err = mk_run_value(series->run, key, "setup", "cycles",
				   mk_clock_span(start, mk_cycles()));
		err = err ?: mk_series_report(series);
	}
	return mk_channel_close(channel) ?: err;
}

static int mk_placement_pair(struct mk_series *series, const int cpu[2])
{
	int a = cpu_to_node(cpu[0]), b = cpu_to_node(cpu[1]);
	int node, err;

	err = mk_placement_on(series, "receiver", b, a, 0);
	if (!err && cpu[0] != cpu[1])
		err = mk_placement_on(series, "chosen", b, a,
				      mk_run_u32(series->run, P_CANDIDATES));
	if (!err && a != b)
		err = mk_placement_on(series, "sender", a, b, 0);
	for_each_node_state(node, N_MEMORY) {
		if (err || node == a || node == b)
			continue;
		err = mk_placement_on(series, "third", node, node, 0);
	}
	if (err)
		return err;
	return mk_series_report_control(series);
}

static int mk_placement_run(struct mk_run *run)
{
	return mk_series_sweep(run, NULL, mk_placement_pair);
}

const struct mk_experiment mk_exp_placement = {
	.name = "placement",
	.help = "the same round trip, rings on the receiver's, the sender's, a third node",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_placement_run,
};
