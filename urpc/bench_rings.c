// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment rings: what the module's channels keep of a bare ring's speed, and
 * what the kernel's own queues do, between the same two CPUs in one run.
 *
 * Every variant carries 56 bytes by value between two threads that do nothing
 * else, through the same two indirect calls per message.
 *
 * Variants:
 *	line	 one cache line that both sides write in turn: the limit of any
 *		 call and reply
 *	inplace	 call and reply in one line (inplace.h)
 *	ring	 a pair of rings (ring.h) without monitors
 *	channel	 the same pair as a channel between two monitors, dispatch, credit
 *		 and bells included
 *	ptr_ring, kfifo	the kernel's, with pointers into a pool and by value
 *	control	 an empty pass over the own port
 *
 * Metrics: round_trip, and throughput for what can hold more than one message.
 * In tier T0 one thread is both sides, so that no line travels: what is left is
 * what the instructions cost. Under the test host's accelerator icount a cycle
 * is an instruction, and the figure their number.
 */
#include <linux/kfifo.h>
#include <linux/mm.h>
#include <linux/ptr_ring.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "urpc/bench.h"
#include "urpc/inplace.h"

enum {
	P_MESSAGES = MK_SERIES_OWN,
};

static const struct mk_param params[] = {
	[MK_SERIES_SAMPLES] = MK_PARAM_SAMPLES(1000),
	[MK_SERIES_WARMUP] = MK_PARAM_WARMUP(100),
	[MK_SERIES_REPEATS] = MK_PARAM_REPEATS(3),
	[MK_SERIES_PAIRS] = MK_PARAM_PAIRS,
	[MK_SERIES_CPUS] = MK_PARAM_CPU_LIST,
	[P_MESSAGES] = {
		.name = "messages", .help = "messages per sample of throughput",
		.kind = MK_PARAM_U32, .min = 64, .max = 100000, .def = 1000,
	},
};

/* Samples of throughput per row. */
#define MK_RINGS_STREAMS	16

/* Polls of the server, or of a full queue, between two looks around. */
#define MK_RINGS_POLLS		256

struct mk_rings;

/**
 * struct mk_queue - a way to carry lines between two sides
 * @name: the variant
 * @streams: holds more than one message
 * @init: set up; everything is zero
 * @exit: undo it
 * @put: side @side sends @word; false if there is no room
 * @get: side @side receives @word; false if there is nothing
 */
struct mk_queue {
	const char *name;
	bool streams;
	int (*init)(struct mk_rings *rings);
	void (*exit)(struct mk_rings *rings);
	bool (*put)(struct mk_rings *rings, int side, const u64 *word);
	bool (*get)(struct mk_rings *rings, int side, u64 *word);
};

/**
 * struct mk_rings_side - what one side keeps to itself, on lines of its own
 * @end: for ring
 * @msg: for ring: what was received
 * @cell: for inplace
 * @turn: for line: number of the last message written or read
 * @next: for ptr_ring: next buffer of the pool
 */
struct mk_rings_side {
	struct mk_end end;
	struct mk_message msg;
	struct mk_inplace cell;
	u64 turn;
	u32 next;
} ____cacheline_aligned_in_smp;

struct mk_line_fifo {
	DECLARE_KFIFO_PTR(lines, struct mk_line);
};

/**
 * struct mk_rings - two sides of one queue
 * @run: the run
 * @queue: what is measured
 * @cpu: the two CPUs; the second serves
 * @call: the server
 * @stop: set to end it
 * @echo: the server answers; otherwise it only receives
 * @messages: per sample of throughput
 * @cycles: samples of throughput
 * @page: lines that side 0 writes, and those that side 1 writes
 * @ptr: for ptr_ring, by writer
 * @fifo: for kfifo, by writer
 * @side: private to each side
 */
struct mk_rings {
	struct mk_run *run;
	const struct mk_queue *queue;
	const int *cpu;
	struct mk_call call;
	int stop;
	bool echo;
	u32 messages;
	u64 cycles[MK_RINGS_STREAMS];
	struct page *page[2];
	struct ptr_ring ptr[2];
	struct mk_line_fifo fifo[2];
	struct mk_rings_side side[2];
};

static struct mk_line *mk_rings_lines(struct mk_rings *rings, int side)
{
	return page_address(rings->page[side]);
}

/* ---- line: both sides write the same line in turn ---- */

static bool mk_line_put(struct mk_rings *rings, int side, const u64 *word)
{
	struct mk_line *line = mk_rings_lines(rings, 0);

	memcpy(line->word, word, MK_LINE_PAYLOAD);
	/* Pairs with the acquire of mk_line_get(). */
	smp_store_release(&line->header, ++rings->side[side].turn);
	return true;
}

static bool mk_line_get(struct mk_rings *rings, int side, u64 *word)
{
	struct mk_line *line = mk_rings_lines(rings, 0);

	/* Pairs with the release of mk_line_put(). */
	if (smp_load_acquire(&line->header) != rings->side[side].turn + 1)
		return false;
	memcpy(word, line->word, MK_LINE_PAYLOAD);
	rings->side[side].turn++;
	return true;
}

/* ---- inplace ---- */

static int mk_cell_init(struct mk_rings *rings)
{
	mk_inplace_init(&rings->side[0].cell, mk_rings_lines(rings, 0));
	mk_inplace_init(&rings->side[1].cell, mk_rings_lines(rings, 0));
	return 0;
}

static bool mk_cell_put(struct mk_rings *rings, int side, const u64 *word)
{
	struct mk_inplace *cell = &rings->side[side].cell;

	return !(side ? mk_inplace_reply(cell, 0, word, MK_LINE_WORDS) :
		 mk_inplace_call(cell, 0, word, MK_LINE_WORDS));
}

static bool mk_cell_get(struct mk_rings *rings, int side, u64 *word)
{
	struct mk_inplace *cell = &rings->side[side].cell;
	u8 type;

	return side ? mk_inplace_called(cell, &type, word, MK_LINE_WORDS) :
	       mk_inplace_replied(cell, &type, word, MK_LINE_WORDS);
}

/* ---- ring ---- */

static int mk_pair_init(struct mk_rings *rings)
{
	int i, err = 0;

	for (i = 0; i < 2 && !err; i++)
		err = mk_end_init(&rings->side[i].end,
				  mk_rings_lines(rings, i), MK_CHANNEL_SLOTS,
				  mk_rings_lines(rings, !i), MK_CHANNEL_SLOTS);
	return err;
}

/* A sender that only sends takes its credit here. */
static bool mk_pair_put(struct mk_rings *rings, int side, const u64 *word)
{
	struct mk_end *end = &rings->side[side].end;

	if (!mk_end_send(end, 0, 0, 0, word, 1))
		return true;
	if (!rings->echo)
		mk_end_recv(end, &rings->side[side].msg);
	return false;
}

static bool mk_pair_get(struct mk_rings *rings, int side, u64 *word)
{
	struct mk_end *end = &rings->side[side].end;
	struct mk_message *msg = &rings->side[side].msg;

	if (mk_end_recv(end, msg) != 1 || msg->flags & MK_MSG_ACK)
		return false;
	memcpy(word, msg->word, MK_LINE_PAYLOAD);
	if (mk_end_ack_due(end))
		mk_end_ack(end);
	return true;
}

/*
 * ---- the kernel's queues ----
 *
 * In both of them each side looks without a mark at what the other writes: the
 * slot in ptr_ring, the index in kfifo. They take that to be safe, and so the
 * race is theirs, although headers compile it into this file. What they carry
 * stays under KCSAN's eye as far as it is copied here.
 */

/* ---- ptr_ring: pointers to lines of a pool of the writer's ---- */

static void mk_ptr_exit(struct mk_rings *rings)
{
	int i;

	for (i = 0; i < 2; i++)
		if (rings->ptr[i].queue)
			ptr_ring_cleanup(&rings->ptr[i], NULL);
}

/* Half as many as there are lines: a line in use is never written. */
static int mk_ptr_init(struct mk_rings *rings)
{
	int i;

	for (i = 0; i < 2; i++)
		if (ptr_ring_init(&rings->ptr[i], MK_CHANNEL_SLOTS / 2,
				  GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static bool mk_ptr_put(struct mk_rings *rings, int side, const u64 *word)
{
	struct mk_rings_side *own = &rings->side[side];
	struct mk_line *line = mk_rings_lines(rings, side) +
			       own->next % MK_CHANNEL_SLOTS;

	/* data_race: see above */
	if (data_race(__ptr_ring_full(&rings->ptr[side])))
		return false;
	memcpy(line->word, word, MK_LINE_PAYLOAD);
	/* data_race: see above */
	if (data_race(__ptr_ring_produce(&rings->ptr[side], line)))
		return false;
	own->next++;
	return true;
}

static bool mk_ptr_get(struct mk_rings *rings, int side, u64 *word)
{
	struct mk_line *line;

	/* data_race: see above */
	line = data_race(__ptr_ring_consume(&rings->ptr[!side]));
	if (!line)
		return false;
	memcpy(word, line->word, MK_LINE_PAYLOAD);
	return true;
}

/* ---- kfifo: lines by value ---- */

static void mk_fifo_exit(struct mk_rings *rings)
{
	kfifo_free(&rings->fifo[0].lines);
	kfifo_free(&rings->fifo[1].lines);
}

static int mk_fifo_init(struct mk_rings *rings)
{
	return kfifo_alloc(&rings->fifo[0].lines, MK_CHANNEL_SLOTS, GFP_KERNEL) ?:
	       kfifo_alloc(&rings->fifo[1].lines, MK_CHANNEL_SLOTS, GFP_KERNEL);
}

static bool mk_fifo_put(struct mk_rings *rings, int side, const u64 *word)
{
	struct mk_line line;

	memcpy(line.word, word, MK_LINE_PAYLOAD);
	line.header = 0;
	/* data_race: see above */
	return data_race(kfifo_put(&rings->fifo[side].lines, line));
}

static bool mk_fifo_get(struct mk_rings *rings, int side, u64 *word)
{
	struct mk_line line;

	/* data_race: see above */
	if (!data_race(kfifo_get(&rings->fifo[!side].lines, &line)))
		return false;
	memcpy(word, line.word, MK_LINE_PAYLOAD);
	return true;
}

static const struct mk_queue mk_queues[] = {
	{
		.name = "line",
		.put = mk_line_put, .get = mk_line_get,
	}, {
		.name = "inplace", .init = mk_cell_init,
		.put = mk_cell_put, .get = mk_cell_get,
	}, {
		.name = "ring", .streams = true, .init = mk_pair_init,
		.put = mk_pair_put, .get = mk_pair_get,
	}, {
		.name = "ptr_ring", .streams = true,
		.init = mk_ptr_init, .exit = mk_ptr_exit,
		.put = mk_ptr_put, .get = mk_ptr_get,
	}, {
		.name = "kfifo", .streams = true,
		.init = mk_fifo_init, .exit = mk_fifo_exit,
		.put = mk_fifo_put, .get = mk_fifo_get,
	},
};

/* ---- the two sides ---- */

/* Wait for a message, or if @word is to be sent for room; bounded by the run. */
static int mk_rings_wait(struct mk_rings *rings, int side, u64 *word, bool put)
{
	const struct mk_queue *queue = rings->queue;
	unsigned int polls = 0;
	int err;

	while (!(put ? queue->put(rings, side, word) :
		 queue->get(rings, side, word))) {
		cpu_relax();
		if (READ_ONCE(rings->stop))
			return -ECANCELED;
		if (++polls % MK_RINGS_POLLS)
			continue;
		err = mk_bench_step(rings->run);
		if (err)
			return err;
	}
	return 0;
}

static int mk_rings_serve(struct mk_port *port, void *arg)
{
	struct mk_rings *rings = arg;
	u64 word[MK_LINE_WORDS];
	unsigned int n = 0;
	int err;

	do {
		err = mk_rings_wait(rings, 1, word, false);
		if (!err && rings->echo)
			err = mk_rings_wait(rings, 1, word, true);
		if (!err && ++n % MK_RINGS_POLLS == 0)
			err = mk_bench_step(rings->run);
	} while (!err);
	return 0;
}

static int mk_rings_sample(struct mk_port *port, struct mk_series *series)
{
	struct mk_rings *rings = series->arg;
	u64 word[MK_LINE_WORDS] = { 0 };

	return mk_rings_wait(rings, 0, word, true) ?:
	       mk_rings_wait(rings, 0, word, false);
}

/* Both sides in one thread: no line travels, only instructions are left. */
static int mk_rings_sample_alone(struct mk_port *port, struct mk_series *series)
{
	struct mk_rings *rings = series->arg;
	u64 word[MK_LINE_WORDS] = { 0 };
	int side, err = 0;

	for (side = 0; side < 2 && !err; side++)
		err = mk_rings_wait(rings, side, word, true) ?:
		      mk_rings_wait(rings, !side, word, false);
	return err;
}

static int mk_rings_stream(struct mk_port *port, void *arg)
{
	struct mk_rings *rings = arg;
	u64 word[MK_LINE_WORDS] = { 0 };
	u64 start;
	u32 i, m;
	int err;

	for (i = 0; i < MK_RINGS_STREAMS; i++) {
		start = mk_cycles();
		for (m = 0; m < rings->messages; m++) {
			err = mk_rings_wait(rings, 0, word, true);
			if (err)
				return err;
		}
		rings->cycles[i] = mk_clock_span(start, mk_cycles());
		err = mk_bench_step(rings->run);
		if (err)
			return err;
	}
	return 0;
}

/* With the server running: round trips, or a stream. */
static int mk_rings_measure(struct mk_series *series, bool echo)
{
	struct mk_rings *rings = series->arg;
	int err;
	u32 i;

	rings->echo = echo;
	rings->stop = 0;
	if (rings->cpu[0] == rings->cpu[1]) {
		series->sample = mk_rings_sample_alone;
		return echo ? mk_series_report(series) : 0;
	}
	err = mk_port_start(rings->cpu[1], &rings->call, mk_rings_serve, rings);
	if (err)
		return err;
	if (echo) {
		series->sample = mk_rings_sample;
		err = mk_series_report(series);
	} else {
		err = mk_port_run(rings->cpu[0], mk_rings_stream, rings);
	}
	WRITE_ONCE(rings->stop, 1);
	err = mk_port_wait(&rings->call) ?: err;
	if (err || echo)
		return err;

	for (i = 0; i < MK_RINGS_STREAMS; i++)
		rings->cycles[i] = mk_bench_rate(rings->messages,
						 rings->cycles[i]);
	return mk_run_samples(series->run, &series->key, "throughput",
			      "msg/Mcycle", rings->cycles, MK_RINGS_STREAMS);
}

static int mk_rings_queue(struct mk_series *series, const struct mk_queue *queue,
			  const int cpu[2])
{
	struct mk_rings *rings;
	int i, err = 0;

	rings = kzalloc(sizeof(*rings), GFP_KERNEL);
	if (!rings)
		return -ENOMEM;
	rings->run = series->run;
	rings->queue = queue;
	rings->cpu = cpu;
	rings->messages = mk_run_u32(series->run, P_MESSAGES);
	for (i = 0; i < 2; i++) {
		rings->page[i] = alloc_pages_node(cpu_to_node(cpu[!i]),
						  GFP_KERNEL | __GFP_ZERO, 0);
		if (!rings->page[i])
			err = -ENOMEM;
	}
	if (!err && queue->init)
		err = queue->init(rings);
	if (!err) {
		series->arg = rings;
		series->key.variant = queue->name;
		series->key.mem_node = page_to_nid(rings->page[0]);
		err = mk_rings_measure(series, true);
		if (!err && queue->streams)
			err = mk_rings_measure(series, false);
	}
	if (queue->exit)
		queue->exit(rings);
	for (i = 0; i < 2; i++)
		if (rings->page[i])
			__free_page(rings->page[i]);
	kfree(rings);
	return err;
}

static int mk_rings_channel(struct mk_series *series, const int cpu[2])
{
	struct mk_channel *channel;
	int err;

	channel = mk_bench_channel(cpu, MK_PLACE_RECEIVER, 0, 0);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	series->ep = channel->end[0];
	series->key.variant = "channel";
	series->key.mem_node = channel->ring_node[0];
	series->sample = mk_series_ping;
	err = mk_series_report(series);
	return mk_channel_close(channel) ?: err;
}

static int mk_rings_pair(struct mk_series *series, const int cpu[2])
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(mk_queues) && !err; i++)
		err = mk_rings_queue(series, &mk_queues[i], cpu);
	if (!err)
		err = mk_rings_channel(series, cpu);
	if (err)
		return err;
	return mk_series_report_control(series);
}

static int mk_rings_run(struct mk_run *run)
{
	return mk_series_sweep(run, NULL, mk_rings_pair);
}

const struct mk_experiment mk_exp_rings = {
	.name = "rings",
	.help = "bare rings, channels, ptr_ring and kfifo between the same CPUs",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_rings_run,
};
