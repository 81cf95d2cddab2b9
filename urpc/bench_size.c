// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment message_size: a call with 1 to 8 lines of arguments, in the message
 * or in memory that both sides share.
 *
 * The receiver reads every word of the arguments and answers with their sum,
 * which is checked. The size column is in bytes of payload.
 *
 * Variants:
 *	message	 the lines travel in the ring
 *	shared	 the lines are written to a buffer on the receiver's node, and a
 *		 one-line call says so
 *	control	 the lines are written and added up on one CPU, nothing is sent
 */
#include <linux/mm.h>
#include <linux/topology.h>

#include "urpc/bench.h"

enum {
	P_LINES = MK_SERIES_OWN,
};

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(500),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(50),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(3),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
	[P_LINES] = {
		.name = "lines", .help = "lines of arguments; 0 sweeps 1 to 8",
		.kind = MK_PARAM_U32, .min = 0, .max = MK_MESSAGE_LINES,
		.def = 0,
	},
};

/**
 * struct mk_size - state of a series
 * @lines: of arguments
 * @count: differs in every call, so that an old buffer is noticed
 * @shared: the buffer, MK_MESSAGE_WORDS words
 */
struct mk_size {
	u32 lines;
	u64 count;
	u64 *shared;
};

/*
 * SUM: a message of more than one line, or with word 0 clear, is added up
 * itself; otherwise word 0 says how many words of the endpoint's buffer are.
 */
static void mk_handle_sum(struct mk_endpoint *ep, const struct mk_message *msg)
{
	u64 reply[MK_LINE_WORDS] = { 0 };
	const u64 *word = msg->word + 1;
	u32 n = msg->lines * MK_LINE_WORDS - 1;
	u32 i;

	if (msg->word[0]) {
		word = ep->data;
		n = min_t(u64, msg->word[0], MK_MESSAGE_WORDS);
		if (!word)
			return;
	}
	for (i = 0; i < n; i++)
		reply[0] += READ_ONCE(word[i]);
	mk_endpoint_reply(ep, msg, reply, 1);
}

/* As many words as a message of that size has beside its word 0. */
static u32 mk_size_words(const struct mk_size *size)
{
	return size->lines * MK_LINE_WORDS - 1;
}

/* Write the arguments; returns what their sum has to be. */
static u64 mk_size_fill(struct mk_size *size, u64 *word)
{
	u32 n = mk_size_words(size), i;
	u64 sum = 0;

	size->count++;
	for (i = 0; i < n; i++) {
		WRITE_ONCE(word[i], size->count + i);
		sum += size->count + i;
	}
	return sum;
}

static int mk_size_call(struct mk_series *series, const u64 *word, u32 lines,
			u64 sum)
{
	int err;

	err = mk_endpoint_rpc(series->ep, MK_TYPE_SUM, word, lines,
			      &series->reply);
	if (!err && series->reply.word[0] != sum)
		err = -EBADMSG;
	return err;
}

static int mk_size_message(struct mk_port *port, struct mk_series *series)
{
	struct mk_size *size = series->arg;
	u64 word[MK_MESSAGE_WORDS];

	word[0] = 0;
	return mk_size_call(series, word, size->lines,
			    mk_size_fill(size, word + 1));
}

static int mk_size_shared(struct mk_port *port, struct mk_series *series)
{
	struct mk_size *size = series->arg;
	u64 word[MK_LINE_WORDS] = { mk_size_words(size) };

	/* Ordered before the call by the release of its header. */
	return mk_size_call(series, word, 1, mk_size_fill(size, size->shared));
}

static int mk_size_control(struct mk_port *port, struct mk_series *series)
{
	struct mk_size *size = series->arg;
	u64 word[MK_MESSAGE_WORDS];
	u64 want = mk_size_fill(size, word), sum = 0;
	u32 i;

	for (i = 0; i < mk_size_words(size); i++)
		sum += READ_ONCE(word[i]);
	return sum == want ? 0 : -EBADMSG;
}

static int mk_size_variants(struct mk_series *series, int ring_node,
			    int shared_node)
{
	const struct {
		const char *name;
		int (*sample)(struct mk_port *port, struct mk_series *series);
		int node;
	} variants[] = {
		{ "message", mk_size_message, ring_node },
		{ "shared", mk_size_shared, shared_node },
		{ "control", mk_size_control, -1 },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(variants) && !err; i++) {
		series->key.variant = variants[i].name;
		series->key.mem_node = variants[i].node;
		series->sample = variants[i].sample;
		err = mk_series_report(series);
	}
	return err;
}

/* The buffer lives as long as anybody can handle a message that names it. */
static void mk_size_dead(struct mk_channel *channel)
{
	__free_page((struct page *)channel->data);
}

static const struct mk_channel_ops mk_size_ops = { .dead = mk_size_dead };

static int mk_size_pair(struct mk_series *series, const int cpu[2])
{
	u32 only = mk_run_u32(series->run, P_LINES);
	struct mk_size *size = series->arg;
	struct mk_channel_options options = MK_CHANNEL_DEFAULTS;
	struct mk_channel *channel;
	struct page *page;
	int err = 0;

	page = alloc_pages_node(cpu_to_node(cpu[1]), GFP_KERNEL | __GFP_ZERO,
				0);
	if (!page)
		return -ENOMEM;
	options.ops = &mk_size_ops;
	options.data = (unsigned long)page;
	channel = mk_channel_create(cpu[0], cpu[1], &options);
	if (IS_ERR(channel)) {
		err = PTR_ERR(channel);
		/* Otherwise the page goes with the channel. */
		if (err == -ENOMEM || err == -EINVAL)
			__free_page(page);
		return err;
	}
	size->shared = page_address(page);
	/* Read by the handler alone, after the first call was received. */
	channel->end[1]->data = size->shared;
	series->ep = channel->end[0];
	for (size->lines = only ?: 1;
	     size->lines <= (only ?: MK_MESSAGE_LINES) && !err; size->lines++) {
		series->key.size = size->lines * MK_LINE_PAYLOAD;
		err = mk_size_variants(series, channel->ring_node[0],
				       page_to_nid(page));
	}
	return mk_channel_close(channel) ?: err;
}

static int mk_size_run(struct mk_run *run)
{
	struct mk_size size = { };

	mk_handler_set(MK_TYPE_SUM, mk_handle_sum);
	return mk_series_sweep(run, &size, mk_size_pair);
}

const struct mk_experiment mk_exp_message_size = {
	.name = "message_size",
	.help = "a call with 1 to 8 lines of arguments, in the message or in shared memory",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_size_run,
};
