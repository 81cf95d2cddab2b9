// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment storm: is everything delivered, once, in order and intact, when
 * all monitors talk at once? It counts; it times nothing.
 *
 * A flow is what one CPU sends to another, in split phase over their link:
 * when the ring is full the flow waits in the link's queue and goes on from
 * there. Every message carries who sent it, its number, and words that both
 * sides can compute. The fault parameter breaks the sender on purpose, so that
 * the counts can be seen to work.
 *
 * The variant is the pattern; size is the messages per flow. The control is the
 * same round with flows that send nothing.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/slab.h>

#include "urpc/bench.h"
#include "urpc/link.h"

enum {
	P_PATTERN,
	P_MESSAGES,
	P_LINES,
	P_ROUNDS,
	P_SLOW,
	P_FAULT,
	P_CPUS,
};

enum mk_pattern {
	MK_ALL_TO_ALL,
	MK_ONE_TO_ALL,
	MK_ALL_TO_ONE,
};

enum mk_fault {
	MK_FAULT_NONE,
	MK_FAULT_DROP,
	MK_FAULT_DUPLICATE,
	MK_FAULT_REORDER,
	MK_FAULT_CORRUPT,
};

static const char *const pattern_choices[] = {
	[MK_ALL_TO_ALL] = "all_to_all",
	[MK_ONE_TO_ALL] = "one_to_all",
	[MK_ALL_TO_ONE] = "all_to_one",
	NULL
};

static const char *const fault_choices[] = {
	[MK_FAULT_NONE] = "none",
	[MK_FAULT_DROP] = "drop",
	[MK_FAULT_DUPLICATE] = "duplicate",
	[MK_FAULT_REORDER] = "reorder",
	[MK_FAULT_CORRUPT] = "corrupt",
	NULL
};

static const struct mk_param params[] = {
	[P_PATTERN] = {
		.name = "pattern", .help = "who sends to whom",
		.kind = MK_PARAM_CHOICE, .choices = pattern_choices,
	},
	[P_MESSAGES] = {
		.name = "messages", .help = "messages per flow and round",
		.kind = MK_PARAM_U32, .min = 1, .max = 1000000, .def = 500,
	},
	[P_LINES] = {
		.name = "lines", .help = "lines per message; 0 mixes 1 to 8",
		.kind = MK_PARAM_U32, .min = 0, .max = MK_MESSAGE_LINES,
	},
	[P_ROUNDS] = {
		.name = "rounds",
		.help = "rounds, with a pause in which monitors block",
		.kind = MK_PARAM_U32, .min = 1, .max = 1000, .def = 3,
	},
	[P_SLOW] = {
		.name = "slow_us", .help = "microseconds a receiver takes per message",
		.kind = MK_PARAM_U32, .min = 0, .max = 1000, .def = 0,
	},
	[P_FAULT] = {
		.name = "fault",
		.help = "break every seventh message, to see it noticed",
		.kind = MK_PARAM_CHOICE, .choices = fault_choices,
	},
	[P_CPUS] = {
		.name = "cpus", .help = "CPUs that take part; the first is the one",
		.kind = MK_PARAM_CPUS,
	},
};

/* Messages a flow sends before it gives way to others. */
#define MK_FLOW_BATCH		32

/* One message in so many is broken by a fault. */
#define MK_FAULT_EVERY		7

/* How long a round may go on without a message coming in. */
#define MK_STORM_QUIET_JIFFIES	(5 * HZ)

/* Words of the payload: who, to whom, which, in which storm; then the rest. */
enum {
	W_SOURCE,
	W_TARGET,
	W_NUMBER,
	W_STORM,
	W_REST,
};

struct mk_storm;

/**
 * struct mk_flow - what one CPU sends to another
 * @storm: what it takes part in
 * @source: port of the sender; @work, @post, @number and @word are its
 * @target: CPU of the receiver; @expected and the counts are its
 * @work: starts the flow, and continues it
 * @post: the message on its way
 * @number: of the next message
 * @again: the next message repeats the last one's number
 * @word: its payload
 * @accepted: messages taken for delivery
 * @expected: number that the receiver expects
 * @received: messages that came
 * @lost: numbers that were skipped and have not come since, but for the
 *	last ones: of those @number and @expected tell
 * @duplicated: numbers that came twice in a row
 * @reordered: numbers that came late
 * @corrupted: messages with a wrong word
 */
struct mk_flow {
	struct mk_storm *storm;
	struct mk_port *source;
	int target;
	struct mk_work work;
	struct mk_post post;
	u32 number;
	bool again;
	u64 word[MK_MESSAGE_WORDS];
	u64 accepted;

	u32 expected ____cacheline_aligned_in_smp;
	u64 received, lost, duplicated, reordered, corrupted;
};

/**
 * struct mk_storm - one round
 * @run: the run
 * @id: tells a late message of another round
 * @messages: per flow
 * @lines: see the parameter
 * @slow_us: likewise
 * @fault: likewise
 * @nr_flows: how many
 * @flow: them
 * @index: of the flow from one CPU to another; NULL if there is none
 * @active: flows that still send, and one for the start
 * @refused: flows that ended early, since a CPU or the run went away
 * @sent: the last of them is done
 */
struct mk_storm {
	struct mk_run *run;
	u64 id;
	u32 messages, lines, slow_us;
	enum mk_fault fault;
	unsigned int nr_flows;
	struct mk_flow *flow;
	struct mk_flow **index;
	atomic_t active;
	atomic_t refused;
	struct completion sent;
};

/* The round that goes on: set and cleared with the ports passing by. */
static struct mk_storm *mk_storm_now;
static u64 mk_storm_ids;

static u64 mk_storm_word(const struct mk_flow *flow, u32 number, u32 i)
{
	return hash_64(((u64)flow->source->cpu << 48 | (u64)flow->target << 32 |
			number) + i * GOLDEN_RATIO_64, 64);
}

static u32 mk_storm_lines(const struct mk_storm *storm, u32 number)
{
	return storm->lines ?: hash_32(number, 3) + 1;
}

/* What number @n is sent as: the fault that moves messages about. */
static u32 mk_flow_number(const struct mk_flow *flow)
{
	u32 n = flow->number, last = flow->storm->messages - 1;

	if (flow->storm->fault != MK_FAULT_REORDER)
		return n;
	if (n % MK_FAULT_EVERY == 1 && n < last)
		return n + 1;
	if (n % MK_FAULT_EVERY == 2)
		return n - 1;
	return n;
}

static void mk_flow_build(struct mk_flow *flow)
{
	u32 n = mk_flow_number(flow);
	u32 lines = mk_storm_lines(flow->storm, n);
	u32 i;

	for (i = W_REST; i < lines * MK_LINE_WORDS; i++)
		flow->word[i] = mk_storm_word(flow, n, i);
	flow->word[W_SOURCE] = flow->source->cpu;
	flow->word[W_TARGET] = flow->target;
	flow->word[W_NUMBER] = n;
	flow->word[W_STORM] = flow->storm->id;
	if (flow->storm->fault == MK_FAULT_CORRUPT && n % MK_FAULT_EVERY == 1)
		flow->word[lines * MK_LINE_WORDS - 1] ^= 1;
	flow->post.lines = lines;
}

static void mk_flow_finish(struct mk_flow *flow, int err)
{
	if (err)
		atomic_inc(&flow->storm->refused);
	if (atomic_dec_and_test(&flow->storm->active))
		complete(&flow->storm->sent);
}

static void mk_flow_next(struct mk_flow *flow)
{
	flow->accepted++;
	if (flow->storm->fault == MK_FAULT_DUPLICATE && !flow->again &&
	    flow->number % MK_FAULT_EVERY == 1) {
		flow->again = true;
		return;
	}
	flow->again = false;
	flow->number++;
}

static void mk_flow_pump(struct mk_flow *flow)
{
	struct mk_storm *storm = flow->storm;
	unsigned int i;
	int err;

	for (i = 0; i < MK_FLOW_BATCH; i++) {
		if (storm->fault == MK_FAULT_DROP &&
		    flow->number % MK_FAULT_EVERY == 1)
			flow->number++;
		if (flow->number >= storm->messages) {
			mk_flow_finish(flow, 0);
			return;
		}
		err = mk_run_stopped(storm->run);
		if (!err) {
			mk_flow_build(flow);
			err = mk_link_post(flow->source, flow->target,
					   &flow->post);
		}
		if (err == -EINPROGRESS)
			return;
		if (err) {
			mk_flow_finish(flow, err);
			return;
		}
		mk_flow_next(flow);
	}
	err = mk_port_push(flow->source, &flow->work, flow->source);
	if (err)
		mk_flow_finish(flow, err);
}

static void mk_flow_done(struct mk_post *post, int err)
{
	struct mk_flow *flow = container_of(post, struct mk_flow, post);

	if (err) {
		mk_flow_finish(flow, err);
		return;
	}
	mk_flow_next(flow);
	mk_flow_pump(flow);
}

static void mk_flow_work(struct mk_port *port, struct mk_work *work)
{
	mk_flow_pump(container_of(work, struct mk_flow, work));
}

/* The receiver's thread alone writes this half of the flow. */
static void mk_flow_account(struct mk_flow *flow, const struct mk_message *msg)
{
	u32 n = msg->word[W_NUMBER];
	u32 lines = mk_storm_lines(flow->storm, n);
	u32 i;

	WRITE_ONCE(flow->received, flow->received + 1);
	if (n >= flow->expected) {
		flow->lost += n - flow->expected;
		flow->expected = n + 1;
	} else if (n + 1 == flow->expected) {
		flow->duplicated++;
	} else {
		flow->reordered++;
		flow->lost--;
	}
	if (msg->lines != lines) {
		flow->corrupted++;
		return;
	}
	for (i = W_REST; i < lines * MK_LINE_WORDS; i++) {
		if (msg->word[i] != mk_storm_word(flow, n, i)) {
			flow->corrupted++;
			return;
		}
	}
}

static void mk_handle_storm(struct mk_endpoint *ep,
			    const struct mk_message *msg)
{
	struct mk_storm *storm = READ_ONCE(mk_storm_now);
	struct mk_flow *flow;

	if (!storm || msg->word[W_STORM] != storm->id ||
	    msg->word[W_SOURCE] >= nr_cpu_ids ||
	    msg->word[W_TARGET] != ep->port->cpu)
		return;
	flow = storm->index[msg->word[W_SOURCE] * nr_cpu_ids + ep->port->cpu];
	if (!flow)
		return;
	if (storm->slow_us)
		udelay(storm->slow_us);
	mk_flow_account(flow, msg);
}

static void mk_storm_free(struct mk_storm *storm)
{
	kvfree(storm->index);
	kvfree(storm->flow);
	kfree(storm);
}

static bool mk_storm_wanted(enum mk_pattern pattern, int one, int a, int b)
{
	if (a == b)
		return false;
	return pattern == MK_ALL_TO_ALL ||
	       (pattern == MK_ONE_TO_ALL && a == one) ||
	       (pattern == MK_ALL_TO_ONE && b == one);
}

static struct mk_storm *mk_storm_alloc(struct mk_run *run, u32 messages)
{
	enum mk_pattern pattern = mk_run_u32(run, P_PATTERN);
	const struct cpumask *cpus = mk_run_cpus(run, P_CPUS);
	unsigned int n = cpumask_weight(cpus);
	int one = cpumask_first(cpus);
	struct mk_storm *storm;
	struct mk_flow *flow;
	int a, b;

	storm = kzalloc(sizeof(*storm), GFP_KERNEL);
	if (!storm)
		return NULL;
	n = pattern == MK_ALL_TO_ALL ? n * (n - 1) : n - 1;
	storm->flow = kvcalloc(n ?: 1, sizeof(*flow), GFP_KERNEL);
	storm->index = kvcalloc(nr_cpu_ids * nr_cpu_ids,
				sizeof(*storm->index), GFP_KERNEL);
	if (!storm->flow || !storm->index) {
		mk_storm_free(storm);
		return NULL;
	}
	storm->run = run;
	storm->id = ++mk_storm_ids;
	storm->messages = messages;
	storm->lines = mk_run_u32(run, P_LINES);
	storm->slow_us = mk_run_u32(run, P_SLOW);
	storm->fault = mk_run_u32(run, P_FAULT);
	atomic_set(&storm->active, 1);
	init_completion(&storm->sent);

	for_each_cpu(a, cpus) {
		for_each_cpu(b, cpus) {
			if (!mk_storm_wanted(pattern, one, a, b))
				continue;
			flow = &storm->flow[storm->nr_flows++];
			flow->storm = storm;
			flow->source = mk_port(a);
			flow->target = b;
			flow->work.fn = mk_flow_work;
			flow->post.type = MK_TYPE_STORM;
			flow->post.word = flow->word;
			flow->post.done = mk_flow_done;
			storm->index[a * nr_cpu_ids + b] = flow;
		}
		cond_resched();
	}
	return storm;
}

/* The counts of all flows of a round. */
struct mk_tally {
	u64 accepted, received, numbered, expected;
	u64 lost, duplicated, reordered, corrupted;
};

static void mk_storm_tally(const struct mk_storm *storm, struct mk_tally *tally)
{
	unsigned int i;

	memset(tally, 0, sizeof(*tally));
	for (i = 0; i < storm->nr_flows; i++) {
		const struct mk_flow *flow = &storm->flow[i];

		tally->accepted += READ_ONCE(flow->accepted);
		tally->received += READ_ONCE(flow->received);
		tally->numbered += READ_ONCE(flow->number);
		tally->expected += READ_ONCE(flow->expected);
		tally->lost += READ_ONCE(flow->lost);
		tally->duplicated += READ_ONCE(flow->duplicated);
		tally->reordered += READ_ONCE(flow->reordered);
		tally->corrupted += READ_ONCE(flow->corrupted);
	}
}

/*
 * Until all that was accepted has come, or nothing comes any more. Every flow
 * has ended; what its receiver counts beside @received is not to be looked at.
 */
static void mk_storm_settle(struct mk_storm *storm)
{
	unsigned long quiet = jiffies + MK_STORM_QUIET_JIFFIES;
	u64 accepted, received, last = 0;
	unsigned int i;

	for (;;) {
		accepted = 0;
		received = 0;
		for (i = 0; i < storm->nr_flows; i++) {
			accepted += storm->flow[i].accepted;
			received += READ_ONCE(storm->flow[i].received);
		}
		if (received >= accepted)
			return;
		if (received != last)
			quiet = jiffies + MK_STORM_QUIET_JIFFIES;
		else if (time_after(jiffies, quiet))
			return;
		last = received;
		schedule_timeout_idle(1);
	}
}

static int mk_storm_nothing(struct mk_port *port, void *arg)
{
	return 0;
}

/* No flow is left anywhere after this: it has either ended or been failed. */
static void mk_storm_blow(struct mk_storm *storm)
{
	unsigned int i;
	int cpu;

	WRITE_ONCE(mk_storm_now, storm);
	for (i = 0; i < storm->nr_flows; i++) {
		atomic_inc(&storm->active);
		if (mk_port_push(storm->flow[i].source, &storm->flow[i].work,
				 NULL))
			mk_flow_finish(&storm->flow[i], -ENODEV);
	}
	if (!atomic_dec_and_test(&storm->active))
		wait_for_completion_state(&storm->sent, TASK_IDLE);
	mk_storm_settle(storm);
	WRITE_ONCE(mk_storm_now, NULL);
	/* Every thread that may have seen it goes on to its next work. */
	for_each_online_cpu(cpu)
		mk_port_run(cpu, mk_storm_nothing, NULL);
}

static int mk_storm_report(struct mk_storm *storm, const struct mk_key *key,
			   const struct mk_tally *tally,
			   const struct mk_counters *before,
			   const struct mk_counters *after)
{
	const struct {
		const char *metric, *unit;
		u64 value;
	} rows[] = {
		{ "flows", "flows", storm->nr_flows },
		{ "sent", "messages", tally->accepted },
		{ "received", "messages", tally->received },
		{ "lost", "messages",
		  tally->lost + tally->numbered - tally->expected },
		{ "duplicated", "messages", tally->duplicated },
		{ "reordered", "messages", tally->reordered },
		{ "corrupted", "messages", tally->corrupted },
		{ "refused", "flows", atomic_read(&storm->refused) },
		{ "acks", "messages", after->acks_sent - before->acks_sent },
		{ "credit_stalls", "events",
		  after->credit_stalls - before->credit_stalls },
		{ "blocks", "events", after->blocks - before->blocks },
		{ "wakes", "events", after->wakes - before->wakes },
		{ "bells", "events", after->bells - before->bells },
		{ "ipis", "events", after->ipis - before->ipis },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(rows) && !err; i++)
		err = mk_run_value(storm->run, key, rows[i].metric,
				   rows[i].unit, rows[i].value);
	return err;
}

static int mk_storm_round(struct mk_run *run, const struct mk_key *key,
			  u32 messages)
{
	struct mk_counters before, after;
	struct mk_storm *storm;
	struct mk_tally tally;
	int err;

	storm = mk_storm_alloc(run, messages);
	if (!storm)
		return -ENOMEM;
	mk_ports_total(&before);
	mk_storm_blow(storm);
	mk_ports_total(&after);
	mk_storm_tally(storm, &tally);
	err = mk_storm_report(storm, key, &tally, &before, &after);
	mk_storm_free(storm);
	/* Long enough for every monitor to go to sleep. */
	schedule_timeout_idle(2);
	return err ?: mk_run_stopped(run);
}

static int mk_storm_run(struct mk_run *run)
{
	u32 messages = mk_run_u32(run, P_MESSAGES);
	u32 rounds = mk_run_u32(run, P_ROUNDS);
	struct mk_key key = {
		.cpu_a = -1, .cpu_b = -1, .mem_node = -1,
	};
	int err = 0;

	mk_handler_set(MK_TYPE_STORM, mk_handle_storm);
	for (; key.repeat < rounds && !err; key.repeat++) {
		key.variant = "control";
		key.size = 0;
		err = mk_storm_round(run, &key, 0);
		if (err)
			break;
		key.variant = pattern_choices[mk_run_u32(run, P_PATTERN)];
		key.size = messages;
		err = mk_storm_round(run, &key, messages);
		mk_run_progress(run, key.repeat + 1, rounds);
	}
	return err;
}

const struct mk_experiment mk_exp_storm = {
	.name = "storm",
	.help = "delivery under load: lost, duplicated, reordered, corrupted messages; wake-ups",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_storm_run,
};
