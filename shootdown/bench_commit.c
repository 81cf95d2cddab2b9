// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment two_phase_commit: what it costs that all agree (figure 8).
 *
 * The monitor of the first CPU has slots of the frame table retyped by two-phase
 * commit, with the monitors of the first n CPUs of the list for voters, one
 * change after the other or several in flight. The slots keep their type, so
 * that the replicas of those who are not asked stay right.
 *
 * The size column is n; cpu_a is the coordinator. Variants:
 *	single		one change at a time
 *	pipelined_<k>	k at a time, on k different slots
 *	control		one change that the coordinator alone votes on
 *	<...>_planned	the first two along a planned tree, if that is asked for and
 *			has somebody who passes anything on
 *
 * Metrics: cost, cycles for each change: of a round of k the k-th part;
 * messages, for each change.
 */
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "shootdown/agree.h"
#include "urpc/bench.h"

#define MK_COMMIT_FLIGHT	32

/* How long a round may take. */
#define MK_COMMIT_JIFFIES	(5 * HZ)

/* Polls between two looks at the clock. */
#define MK_COMMIT_POLLS		64

/* Looks at the counters until they rest, at most. */
#define MK_COMMIT_SETTLE	100

enum {
	P_SAMPLES,
	P_WARMUP,
	P_REPEATS,
	P_FLIGHT,
	P_PLANNED,
	P_CPUS,
};

static const struct mk_param params[] = {
	[P_SAMPLES] = MK_PARAM_SAMPLES(300),
	[P_WARMUP] = MK_PARAM_WARMUP(30),
	[P_REPEATS] = MK_PARAM_REPEATS(1),
	[P_FLIGHT] = {
		.name = "in_flight", .help = "changes in flight at most",
		.kind = MK_PARAM_U32, .min = 1, .max = MK_COMMIT_FLIGHT,
		.def = 16,
	},
	[P_PLANNED] = {
		.name = "planned",
		.help = "1: also along planned trees",
		.kind = MK_PARAM_U32, .max = 1,
	},
	[P_CPUS] = {
		.name = "cpus",
		.help = "CPUs whose monitors vote; the first coordinates",
		.kind = MK_PARAM_CPUS,
	},
};

/**
 * struct mk_commit - one row
 * @run: the run
 * @key: of the row
 * @voters: who votes
 * @slot: first of the slots that change
 * @flight: changes in flight
 * @planned: votes go along trees
 * @samples: to take
 * @warmup: to take before
 * @span: cycles of each sample
 * @txn: the changes
 */
struct mk_commit {
	struct mk_run *run;
	struct mk_key key;
	cpumask_var_t voters;
	u32 slot, flight, samples, warmup;
	bool planned;
	u64 *span;
	struct mk_txn *txn[MK_COMMIT_FLIGHT];
};

/* Until all of a round have ended. */
static int mk_commit_wait(struct mk_port *port, struct mk_commit *commit)
{
	unsigned long deadline = jiffies + MK_COMMIT_JIFFIES;
	u32 polls = 0, i = 0;
	int err;

	while (i < commit->flight) {
		if (commit->txn[i]->phase == MK_TXN_ENDED) {
			i++;
			continue;
		}
		if (!mk_port_poll(port))
			cpu_relax();
		if (++polls % MK_COMMIT_POLLS)
			continue;
		err = mk_bench_step(commit->run);
		if (!err && time_after(jiffies, deadline))
			err = -ETIMEDOUT;
		if (err)
			return err;
	}
	return 0;
}

static int mk_commit_round(struct mk_port *port, struct mk_commit *commit,
			   u64 *span)
{
	u64 start;
	u32 i;
	int err;

	start = mk_cycles();
	for (i = 0; i < commit->flight; i++) {
		mk_txn_reset(commit->txn[i]);
		kref_get(&commit->txn[i]->ref);
		mk_txn_begin(port, commit->txn[i]);
	}
	err = mk_commit_wait(port, commit);
	*span = div_u64(mk_clock_span(start, mk_cycles()), commit->flight);
	for (i = 0; !err && i < commit->flight; i++)
		if (!commit->txn[i]->commit)
			err = commit->txn[i]->err;
	return err;
}

/* The coordinator's thread. A round that meets a join or a check is repeated. */
static int mk_commit_rounds(struct mk_port *port, void *arg)
{
	struct mk_commit *commit = arg;
	u32 i, conflicts = 0;
	u64 span = 0;
	int err;

	for (i = 0; i < commit->warmup + commit->samples;) {
		err = mk_commit_round(port, commit, &span);
		if (!err && i++ >= commit->warmup)
			commit->span[i - 1 - commit->warmup] = span;
		if ((err == -EAGAIN || err == -ESTALE) &&
		    ++conflicts < 1000 + commit->samples)
			err = 0;
		if (!err)
			err = mk_bench_step(commit->run);
		if (err)
			return err == -EAGAIN || err == -ESTALE ? -EBUSY : err;
	}
	return 0;
}

static void mk_commit_drop(struct mk_commit *commit)
{
	u32 i;

	for (i = 0; i < commit->flight; i++) {
		struct mk_txn *txn = commit->txn[i];

		if (!txn)
			continue;
		/* The run was stopped: those that go on are ended. */
		if (txn->id && !completion_done(&txn->done)) {
			WRITE_ONCE(txn->cancelled, -ECANCELED);
			mk_txn_nudge(txn, READ_ONCE(txn->cpu));
			mk_txn_wait(txn, false);
		}
		mk_txn_put(txn);
		commit->txn[i] = NULL;
	}
}

static u64 mk_commit_messages(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(mk_agree(cpu)->count.messages);
	return sum;
}

/* The same once the last answers, which nobody waits for, have been sent. */
static u64 mk_commit_settled(void)
{
	unsigned int tries = MK_COMMIT_SETTLE;
	u64 sum = mk_commit_messages(), last;

	do {
		last = sum;
		schedule_timeout_idle(2);
		sum = mk_commit_messages();
	} while (sum != last && --tries);
	return sum;
}

/* 0, -ENOENT if there is no tree, -ENOMEM. */
static int mk_commit_alloc(struct mk_commit *commit)
{
	u32 i;

	for (i = 0; i < commit->flight; i++) {
		struct mk_txn *txn = mk_txn_alloc(GFP_KERNEL);

		commit->txn[i] = txn;
		if (!txn) {
			mk_commit_drop(commit);
			return -ENOMEM;
		}
		txn->change.kind = MK_CHANGE_RETYPE;
		txn->change.from = MK_FRAME_FRAME;
		txn->change.to = MK_FRAME_FRAME;
		txn->change.first = commit->slot + i;
		txn->change.count = 1;
		txn->voters = commit->voters;
		if (!commit->planned)
			continue;
		txn->tree = mk_pass_tree_make(commit->key.cpu_a, commit->voters);
		if (!txn->tree) {
			mk_commit_drop(commit);
			return -ENOENT;
		}
	}
	return 0;
}

static int mk_commit_row(struct mk_commit *commit)
{
	u64 messages;
	int err;

	err = mk_commit_alloc(commit);
	if (err)
		return err == -ENOENT ? 0 : err;
	messages = mk_commit_settled();
	err = mk_port_run(commit->key.cpu_a, mk_commit_rounds, commit);
	messages = mk_commit_settled() - messages;
	mk_commit_drop(commit);
	if (err)
		return err;
	err = mk_run_samples(commit->run, &commit->key, "cost", "cycles",
			     commit->span, commit->samples);
	if (err)
		return err;
	return mk_run_milli(commit->run, &commit->key, "messages", "messages",
			    div_u64(messages * 1000,
				    (commit->warmup + commit->samples) *
				    commit->flight));
}

static int mk_commit_point(struct mk_commit *commit, u32 n, u32 flight)
{
	const char *how = commit->planned ? "_planned" : "";
	char variant[32];
	int cpu;

	cpumask_clear(commit->voters);
	for_each_cpu(cpu, mk_run_cpus(commit->run, P_CPUS))
		if (cpumask_weight(commit->voters) < n)
			cpumask_set_cpu(cpu, commit->voters);
	commit->flight = flight;
	commit->key.size = n;
	if (flight > 1)
		snprintf(variant, sizeof(variant), "pipelined_%u%s", flight, how);
	else
		snprintf(variant, sizeof(variant), "%s%s",
			 n > 1 ? "single" : "control", how);
	commit->key.variant = variant;
	return mk_commit_row(commit);
}

/* Depths of 1, 4, 16 … and the largest. */
static int mk_commit_flights(struct mk_commit *commit, u32 n, u32 most)
{
	u32 flight;
	int err = 0;

	for (flight = 1; !err; flight = min(flight * 4, most)) {
		err = mk_commit_point(commit, n, flight);
		if (flight == most)
			break;
	}
	return err;
}

static int mk_commit_sweep(struct mk_commit *commit, u32 repeat)
{
	u32 cores = cpumask_weight(mk_run_cpus(commit->run, P_CPUS));
	u32 most = mk_run_u32(commit->run, P_FLIGHT);
	u32 step = max(cores / 16, 1U), n;
	u32 repeats = mk_run_u32(commit->run, P_REPEATS);
	int err;

	commit->key.repeat = repeat;
	err = mk_commit_point(commit, 1, 1);
	for (n = 2; !err && n <= cores; n += step) {
		err = mk_commit_flights(commit, n, most);
		if (!err && mk_run_u32(commit->run, P_PLANNED)) {
			commit->planned = true;
			err = mk_commit_flights(commit, n, most);
			commit->planned = false;
		}
		mk_run_progress(commit->run, repeat * cores + n,
				repeats * cores);
	}
	return err;
}

static int mk_commit_sweeps(struct mk_commit *commit)
{
	u32 repeat;
	int err = 0;

	for (repeat = 0;
	     !err && repeat < mk_run_u32(commit->run, P_REPEATS); repeat++)
		err = mk_commit_sweep(commit, repeat);
	return err;
}

static int mk_commit_run(struct mk_run *run)
{
	u32 flight = mk_run_u32(run, P_FLIGHT);
	struct mk_commit *commit;
	int err = -ENOMEM, undo;

	commit = kzalloc(sizeof(*commit), GFP_KERNEL);
	if (!commit)
		return -ENOMEM;
	commit->run = run;
	commit->samples = mk_run_u32(run, P_SAMPLES);
	commit->warmup = mk_run_u32(run, P_WARMUP);
	commit->key.cpu_a = cpumask_first(mk_run_cpus(run, P_CPUS));
	commit->key.cpu_b = -1;
	commit->key.mem_node = -1;
	commit->span = kvcalloc(commit->samples, sizeof(*commit->span),
				GFP_KERNEL);
	if (!commit->span || !zalloc_cpumask_var(&commit->voters, GFP_KERNEL))
		goto out;
	err = mk_frames_claim(flight, MK_FRAME_FRAME, &commit->slot);
	if (!err) {
		err = mk_commit_sweeps(commit);
		undo = mk_frames_release(commit->slot, flight);
		err = err ?: undo;
	}
	free_cpumask_var(commit->voters);
out:
	kvfree(commit->span);
	kfree(commit);
	return err;
}

const struct mk_experiment mk_exp_two_phase_commit = {
	.name = "two_phase_commit",
	.help = "agreement on the type of a frame, cores and changes in flight (SOSP'09 figure 8)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_commit_run,
};
