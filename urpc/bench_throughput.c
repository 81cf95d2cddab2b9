// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment urpc_throughput: messages per thousand cycles, by queue depth
 * (Baumann et al., SOSP 2009, table 2, which has a depth of 16).
 *
 * The size column is the depth: how many one-line messages may be on their way
 * before the first is acknowledged. The receiver returns credit after half of
 * them, so that a depth of 1 is a strict hand-over.
 *
 * Variants:
 *	urpc	 one monitor streams, the other counts
 *	control	 the same loop writing into a ring that nobody reads
 */
#include <linux/slab.h>

#include "module/clock.h"
#include "urpc/bench.h"

enum {
	P_MESSAGES,
	P_BATCHES,
	P_REPEATS,
	P_DEPTH,
	P_PAIRS,
	P_PLACEMENT,
	P_CPUS,
};

static const struct mk_param params[] = {
	[P_MESSAGES] = {
		.name = "messages", .help = "messages per sample",
		.kind = MK_PARAM_U32, .min = 64, .max = 100000, .def = 1000,
	},
	[P_BATCHES] = {
		.name = "samples", .help = "samples per row",
		.kind = MK_PARAM_U32, .min = 5, .max = 10000, .def = 20,
	},
	[P_REPEATS] = MK_PARAM_REPEATS(3),
	[P_DEPTH] = {
		.name = "depth",
		.help = "messages in flight at most; 0 sweeps 1, 2, 4 … 64",
		.kind = MK_PARAM_U32, .min = 0, .max = 64, .def = 0,
	},
	[P_PAIRS] = MK_PARAM_PAIRS,
	[P_PLACEMENT] = {
		.name = "placement", .help = "node of both rings",
		.kind = MK_PARAM_CHOICE, .choices = mk_placement_choices,
		.def = MK_PLACE_RECEIVER,
	},
	[P_CPUS] = MK_PARAM_CPU_LIST,
};

/* Slots for the greatest depth, with its reserve. */
#define MK_STREAM_SLOTS		128

/**
 * struct mk_stream - one series of samples
 * @run: the run it belongs to
 * @key: of its rows
 * @messages: per sample
 * @samples: to take
 * @cycles: per sample
 * @ep: endpoint that sends
 * @ring: private lines for the control
 */
struct mk_stream {
	struct mk_run *run;
	struct mk_key key;
	u32 messages, samples;
	u64 *cycles;
	struct mk_endpoint *ep;
	struct mk_line *ring;
};

static void mk_handle_stream(struct mk_endpoint *ep,
			     const struct mk_message *msg)
{
	/* The port has counted it, and credit goes back by itself. */
}

/* Poll until no more than @inflight lines are unacknowledged. */
static int mk_stream_drain(struct mk_stream *st, u32 inflight)
{
	const struct mk_tx *tx = &st->ep->end.tx;
	u32 polls = 0;
	int err;

	while (tx->head - tx->acked > inflight) {
		if (!st->ep->attached)
			return -EPIPE;
		if (!mk_port_poll(st->ep->port))
			cpu_relax();
		if (++polls % 256)
			continue;
		err = mk_bench_step(st->run);
		if (err)
			return err;
	}
	return 0;
}

static int mk_stream_urpc(struct mk_port *port, void *arg)
{
	static const u64 word[MK_LINE_WORDS];
	struct mk_stream *st = arg;
	u32 depth = st->key.size;
	u32 i, m;
	u64 start;
	int err;

	for (i = 0; i < st->samples; i++) {
		start = mk_cycles();
		for (m = 0; m < st->messages; m++) {
			err = mk_stream_drain(st, depth - 1);
			if (!err)
				err = mk_endpoint_send(st->ep, MK_TYPE_STREAM,
						       0, 0, word, 1);
			if (err)
				return err;
		}
		/* What is owed for less than half a depth stays owed. */
		err = mk_stream_drain(st, depth - 1);
		if (err)
			return err;
		st->cycles[i] = mk_clock_span(start, mk_cycles());
		err = mk_bench_step(st->run);
		if (err)
			return err;
	}
	return 0;
}

static int mk_stream_control(struct mk_port *port, void *arg)
{
	static const u64 word[MK_LINE_WORDS];
	struct mk_stream *st = arg;
	struct mk_end end;
	u32 i, m;
	u64 start;
	int err;

	for (i = 0; i < st->samples; i++) {
		err = mk_end_init(&end, st->ring, MK_STREAM_SLOTS, st->ring,
				  MK_STREAM_SLOTS);
		if (err)
			return err;
		start = mk_cycles();
		for (m = 0; m < st->messages; m++) {
			end.tx.acked = end.tx.head;
			mk_end_send(&end, MK_TYPE_STREAM, 0, 0, word, 1);
		}
		st->cycles[i] = mk_clock_span(start, mk_cycles());
		err = mk_bench_step(st->run);
		if (err)
			return err;
	}
	return 0;
}

static int mk_stream_series(struct mk_stream *st,
			    int (*fn)(struct mk_port *port, void *arg))
{
	int err;
	u32 i;

	err = mk_port_run(st->key.cpu_a, fn, st);
	if (err)
		return err;
	for (i = 0; i < st->samples; i++)
		st->cycles[i] = mk_bench_rate(st->messages, st->cycles[i]);
	return mk_run_samples(st->run, &st->key, "throughput", "msg/Mcycle",
			      st->cycles, st->samples);
}

static int mk_stream_depth(struct mk_stream *st, const int cpu[2],
			   enum mk_placement placement, u32 depth)
{
	struct mk_channel *channel;
	int err;

	channel = mk_bench_channel(cpu, placement, MK_STREAM_SLOTS,
				   (depth + 1) / 2);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	st->ep = channel->end[0];
	st->key.variant = "urpc";
	st->key.size = depth;
	st->key.mem_node = channel->ring_node[0];
	err = mk_stream_series(st, mk_stream_urpc);
	return mk_channel_close(channel) ?: err;
}

static int mk_stream_pair(struct mk_stream *st, const int cpu[2])
{
	u32 choice = mk_run_u32(st->run, P_PLACEMENT);
	u32 only = mk_run_u32(st->run, P_DEPTH);
	u32 depth, p;
	int err = 0;

	st->key.cpu_a = cpu[0];
	st->key.cpu_b = cpu[1];
	for (p = 0; p < MK_PLACEMENTS && !err; p++) {
		if (!mk_place_chosen(choice, p, cpu))
			continue;
		for (depth = 1; depth <= 64 && !err; depth *= 2)
			if (!only)
				err = mk_stream_depth(st, cpu, p, depth);
		if (only)
			err = mk_stream_depth(st, cpu, p, only);
	}
	if (err)
		return err;
	st->key.variant = "control";
	st->key.size = 0;
	st->key.mem_node = -1;
	return mk_stream_series(st, mk_stream_control);
}

static int mk_throughput_run(struct mk_run *run)
{
	u32 repeats = mk_run_u32(run, P_REPEATS);
	struct mk_stream st = {
		.run = run,
		.messages = mk_run_u32(run, P_MESSAGES),
		.samples = mk_run_u32(run, P_BATCHES),
	};
	struct mk_pair_set pairs;
	unsigned int i;
	int err;

	mk_handler_set(MK_TYPE_STREAM, mk_handle_stream);
	err = mk_bench_pairs(&pairs, mk_run_cpus(run, P_CPUS),
			     mk_run_u32(run, P_PAIRS));
	if (err)
		return err;
	st.cycles = kvmalloc_array(st.samples, sizeof(u64), GFP_KERNEL);
	st.ring = kcalloc(MK_STREAM_SLOTS, sizeof(*st.ring), GFP_KERNEL);
	if (!st.cycles || !st.ring)
		err = -ENOMEM;

	for (; !err && st.key.repeat < repeats; st.key.repeat++) {
		for (i = 0; i < pairs.nr && !err; i++) {
			err = mk_stream_pair(&st, pairs.cpu[i]);
			mk_run_progress(run, st.key.repeat * pairs.nr + i + 1,
					repeats * pairs.nr);
		}
	}

	kfree(st.ring);
	kvfree(st.cycles);
	mk_bench_pairs_free(&pairs);
	return err;
}

const struct mk_experiment mk_exp_urpc_throughput = {
	.name = "urpc_throughput",
	.help = "messages per thousand cycles by queue depth (SOSP'09 table 2)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_throughput_run,
};
