// SPDX-License-Identifier: GPL-2.0
/*
 * Pairing.
 *
 * One pass in the order of the times. An operation of the module names itself in
 * all its events; messages are paired by ring and sequence number; Linux's
 * events carry neither, so they are paired by what can be: an initiator waits
 * for its flush with preemption off, so there is one on a CPU at most, and a
 * target answers each only once. Where two initiators flush at a time, the
 * number of pages and then the age decide, and the guess is counted.
 */
#include <stdlib.h>
#include <string.h>

#include "mkctl.h"
#include "trace_pair.h"

#define NONE	((size_t)-1)

/* What goes on at a CPU. */
struct place {
	size_t op;		/* of the module, by the monitor here */
	size_t flush;		/* of Linux, from here */
	size_t serves;		/* of the module, that was served here last */
	size_t woken_for;	/* the one for which its monitor was woken */
	int inside, mine;	/* in an interrupt; it has an operation */
	int waking;		/* its monitor was woken and has not run yet */
	int waker;		/* it woke a monitor and sched_waking is to come */
};

struct pass {
	struct trace_pairs *pairs;
	struct place *places;
	size_t words;
	int64_t *tasks;		/* whose flushes count, all if there are none */
	size_t nr_tasks;
};

static int has(const uint64_t *set, int cpu)
{
	return set[cpu / 64] >> cpu % 64 & 1;
}

static void put(uint64_t *set, int cpu)
{
	set[cpu / 64] |= 1ULL << cpu % 64;
}

static int is_mine(const struct pass *pass, int64_t pid)
{
	size_t i;

	for (i = 0; i < pass->nr_tasks; i++)
		if (pass->tasks[i] == pid)
			return 1;
	return !pass->nr_tasks;
}

static void add_task(struct pass *pass, int64_t pid)
{
	pass->tasks = mkctl_grow(pass->tasks, pass->nr_tasks + 1, sizeof(*pass->tasks));
	pass->tasks[pass->nr_tasks++] = pid;
}

static size_t new_op(struct pass *pass, const struct trace_event *event, int path)
{
	struct trace_pairs *pairs = pass->pairs;
	struct trace_op *op;
	size_t i;

	if (!(pairs->nr_ops & (pairs->nr_ops + 1)) || !pairs->nr_ops)
		pairs->ops = mkctl_grow(pairs->ops, 2 * (pairs->nr_ops + 1), sizeof(*op));
	op = &pairs->ops[pairs->nr_ops];
	memset(op, 0, sizeof(*op));
	op->path = path;
	op->start = event->time;
	op->cpu = event->cpu;
	op->pid = event->pid;
	for (i = 0; i < NR_STAGES; i++)
		op->stage[i] = -1;
	op->reached = mkctl_alloc(pass->words * sizeof(uint64_t));
	op->hit = mkctl_alloc(pass->words * sizeof(uint64_t));
	return pairs->nr_ops++;
}

static void reach(struct trace_op *op, const struct trace_event *event)
{
	int64_t since = event->time - op->start;

	if (op->stage[STAGE_FIRST] < 0)
		op->stage[STAGE_FIRST] = since;
	op->stage[STAGE_LAST] = since;
}

static void interrupt(struct pass *pass, struct trace_op *op, int cpu)
{
	struct place *place = &pass->places[cpu];

	if (!place->inside || has(op->hit, cpu))
		return;
	put(op->hit, cpu);
	op->interrupted++;
	if (!place->mine)
		pass->pairs->paired++;
	place->mine = 1;
}

/* The module's operation that calls itself @id; NULL if its start is not there. */
static struct trace_op *find(struct pass *pass, int64_t id)
{
	struct trace_op *op;
	int cpu;

	for (cpu = 0; cpu < pass->pairs->cpus; cpu++) {
		if (pass->places[cpu].op == NONE)
			continue;
		op = &pass->pairs->ops[pass->places[cpu].op];
		if (op->id == (uint64_t)id)
			return op;
	}
	return NULL;
}

static void shootdown_event(struct pass *pass, const struct trace_event *event)
{
	struct place *place = &pass->places[event->cpu];
	struct trace_op *op;

	if (event->kind == TRACE_START) {
		/* one that a newer module may have */
		if (event->value[1] < 0 || event->value[1] >= MK_PROTOCOLS)
			return;
		place->op = new_op(pass, event, event->value[1]);
		place->flush = NONE;
		op = &pass->pairs->ops[place->op];
		op->id = event->value[0];
		op->targets = event->value[2];
		op->lazies = event->value[3];
		return;
	}
	op = find(pass, event->value[0]);
	if (!op)
		return;
	switch (event->kind) {
	case TRACE_SENT:
		op->stage[STAGE_SENT] = event->time - op->start;
		op->messages = event->value[1];
		op->flushing = 0;
		break;
	case TRACE_INTERRUPT:
		op->asking = event->value[1];
		op->asked = 0;
		break;
	case TRACE_SERVE:
		place->serves = op - pass->pairs->ops;
		reach(op, event);
		break;
	case TRACE_GATHERED:
		op->stage[STAGE_DONE] = event->time - op->start;
		op->asking = 0;
		op->flushing = 0;
		break;
	case TRACE_END:
		op->ipis = event->value[1];
		op->timeouts = event->value[2];
		op->ended = 1;
		place->op = NONE;
		break;
	}
}

/* Linux's initiator: for itself, or within an operation of protocol linux. */
static void flush_begins(struct pass *pass, const struct trace_event *event)
{
	struct place *place = &pass->places[event->cpu];
	struct trace_op *op;

	if (place->op != NONE) {
		op = &pass->pairs->ops[place->op];
	} else {
		place->flush = new_op(pass, event, TRACE_PATH_FLUSH);
		op = &pass->pairs->ops[place->flush];
		op->ended = 1;
	}
	op->flushing = 1;
	op->pages = event->value[1];
}

/* The operation for which @event's CPU has flushed just now. */
static struct trace_op *flush_of(struct pass *pass, const struct trace_event *event)
{
	struct trace_op *best = NULL, *op;
	int cpu, ways = 0, fits, best_fits = 0;
	size_t index;

	for (cpu = 0; cpu < pass->pairs->cpus; cpu++) {
		index = pass->places[cpu].op;
		if (index == NONE)
			index = pass->places[cpu].flush;
		if (index == NONE || cpu == event->cpu)
			continue;
		op = &pass->pairs->ops[index];
		if (!op->flushing || has(op->reached, event->cpu))
			continue;
		fits = op->pages == event->value[1];
		if (fits && !best_fits) {
			best = NULL;
			best_fits = 1;
			ways = 0;
		}
		if (fits != best_fits)
			continue;
		ways++;
		if (!best || op->start < best->start)
			best = op;
	}
	pass->pairs->guesses += ways > 1;
	return best;
}

static void flush_event(struct pass *pass, const struct trace_event *event)
{
	struct place *place = &pass->places[event->cpu];
	struct trace_op *op;

	if (event->value[0] == TRACE_FLUSH_SEND) {
		flush_begins(pass, event);
		return;
	}
	if (event->value[0] != TRACE_FLUSH_REMOTE) {
		/* Whoever switches tasks does not wait any more. */
		if (!event->value[0])
			place->flush = NONE;
		return;
	}
	pass->pairs->flushes++;
	op = flush_of(pass, event);
	if (!op) {
		pass->pairs->flushes_alone++;
		return;
	}
	put(op->reached, event->cpu);
	reach(op, event);
	interrupt(pass, op, event->cpu);
	if (op->path == TRACE_PATH_FLUSH) {
		op->targets++;
		op->ipis = op->interrupted;
		op->stage[STAGE_DONE] = event->time - op->start;
	}
}

/*
 * An operation of the module that sends interrupts at the moment. Linux has
 * another vector for one target than for several.
 */
static void call_begins(struct pass *pass, const struct trace_event *event)
{
	int single = event->kind == TRACE_SINGLE_ENTRY, cpu, ways = 0;
	struct trace_op *best = NULL, *op;

	for (cpu = 0; cpu < pass->pairs->cpus; cpu++) {
		if (cpu == event->cpu || pass->places[cpu].op == NONE)
			continue;
		op = &pass->pairs->ops[pass->places[cpu].op];
		if (op->asked >= op->asking || has(op->hit, event->cpu))
			continue;
		if (single ? op->asking > 1 : op->asking == 1)
			continue;
		ways++;
		if (!best || op->start < best->start)
			best = op;
	}
	pass->pairs->guesses += ways > 1;
	if (!best)
		return;
	best->asked++;
	reach(best, event);
	interrupt(pass, best, event->cpu);
}

static void entry_event(struct pass *pass, const struct trace_event *event)
{
	struct place *place = &pass->places[event->cpu];

	place->inside = 1;
	place->mine = 0;
	pass->pairs->calls += event->kind == TRACE_CALL_ENTRY;
	pass->pairs->singles += event->kind == TRACE_SINGLE_ENTRY;
	pass->pairs->reschedules += event->kind == TRACE_RESCHEDULE_ENTRY;
	if (event->kind != TRACE_RESCHEDULE_ENTRY)
		call_begins(pass, event);
}

static void exit_event(struct pass *pass, const struct trace_event *event)
{
	struct place *place = &pass->places[event->cpu];

	if (place->inside && !place->mine && place->waking) {
		pass->pairs->wakes_interrupt++;
		place->waking = 0;
		if (place->woken_for != NONE)
			interrupt(pass, &pass->pairs->ops[place->woken_for], event->cpu);
	}
	place->inside = 0;
}

/* By an initiator, or by a member that hands a request or an answer on. */
static void wake_event(struct pass *pass, const struct trace_event *event)
{
	struct place *from = &pass->places[event->cpu];
	int64_t cpu = event->value[0];

	pass->pairs->wakes++;
	from->waker = 1;
	if (cpu < 0 || cpu >= pass->pairs->cpus)
		return;
	pass->places[cpu].waking = 1;
	pass->places[cpu].woken_for = from->op;
	if (from->op == NONE && from->serves != NONE &&
	    !pass->pairs->ops[from->serves].ended)
		pass->places[cpu].woken_for = from->serves;
}

static void one_event(struct pass *pass, const struct trace_event *event)
{
	struct place *place = &pass->places[event->cpu];

	pass->pairs->count[event->kind]++;
	switch (event->kind) {
	case TRACE_ACK:
		pass->pairs->acks_sent += !event->value[2];
		pass->pairs->acks_received += event->value[2] == 1;
		break;
	case TRACE_RECEIVE:
	case TRACE_BLOCK:
		place->waking = 0;
		break;
	case TRACE_WAKE:
		wake_event(pass, event);
		break;
	case TRACE_WAKING:
		pass->pairs->wakes_followed += place->waker;
		place->waker = 0;
		break;
	case TRACE_START:
	case TRACE_SENT:
	case TRACE_INTERRUPT:
	case TRACE_SERVE:
	case TRACE_GATHERED:
	case TRACE_END:
		shootdown_event(pass, event);
		break;
	case TRACE_FLUSH:
		flush_event(pass, event);
		break;
	case TRACE_CALL_ENTRY:
	case TRACE_SINGLE_ENTRY:
	case TRACE_RESCHEDULE_ENTRY:
		entry_event(pass, event);
		break;
	case TRACE_CALL_EXIT:
	case TRACE_SINGLE_EXIT:
	case TRACE_RESCHEDULE_EXIT:
		exit_event(pass, event);
		break;
	case TRACE_FORK:
		if (pass->nr_tasks && is_mine(pass, event->value[0]))
			add_task(pass, event->value[1]);
		break;
	}
}

/* --- messages ----------------------------------------------------------------- */

static int by_message(const void *a, const void *b)
{
	const struct trace_event *x = *(const struct trace_event *const *)a;
	const struct trace_event *y = *(const struct trace_event *const *)b;

	if (x->value[0] != y->value[0])
		return x->value[0] < y->value[0] ? -1 : 1;
	if (x->value[1] != y->value[1])
		return x->value[1] < y->value[1] ? -1 : 1;
	return x->kind - y->kind;
}

/* After sorting, each send is followed by its receive. */
static void pair_messages(struct trace_pairs *pairs, const struct trace *trace)
{
	const struct trace_event **list, *send, *receive;
	size_t nr = 0, i;

	list = mkctl_alloc(trace->nr * sizeof(*list));
	for (i = 0; i < trace->nr; i++)
		if (trace->events[i].kind == TRACE_SEND ||
		    trace->events[i].kind == TRACE_RECEIVE)
			list[nr++] = &trace->events[i];
	qsort(list, nr, sizeof(*list), by_message);
	pairs->transit = mkctl_alloc((nr / 2 + 1) * sizeof(*pairs->transit));
	for (i = 0; i < nr; i++) {
		send = list[i];
		receive = i + 1 < nr ? list[i + 1] : NULL;
		if (receive && send->kind == TRACE_SEND && receive->kind == TRACE_RECEIVE &&
		    !memcmp(send->value, receive->value, sizeof(send->value))) {
			pairs->transit[pairs->nr_transit++] = receive->time - send->time;
			i++;
		} else if (send->kind == TRACE_SEND) {
			pairs->sends_alone++;
		} else {
			pairs->receives_alone++;
		}
	}
	free(list);
}

/* Flushes by others than those asked for go; they were needed for the pairing. */
static void keep_mine(struct pass *pass)
{
	struct trace_pairs *pairs = pass->pairs;
	size_t i, nr = 0;

	for (i = 0; i < pairs->nr_ops; i++) {
		struct trace_op *op = &pairs->ops[i];

		free(op->reached);
		free(op->hit);
		op->reached = NULL;
		op->hit = NULL;
		if (op->path != TRACE_PATH_FLUSH || is_mine(pass, op->pid))
			pairs->ops[nr++] = *op;
	}
	pairs->nr_ops = nr;
}

struct trace_pairs trace_pair(const struct trace *trace)
{
	struct trace_pairs pairs = { 0 };
	struct pass pass = { .pairs = &pairs };
	const char *note = NULL;
	size_t i;
	int cpu;

	for (i = 0; i < trace->nr; i++)
		if (trace->events[i].cpu >= pairs.cpus)
			pairs.cpus = trace->events[i].cpu + 1;
	pass.words = pairs.cpus / 64 + 1;
	pass.places = mkctl_alloc((pairs.cpus + 1) * sizeof(*pass.places));
	for (cpu = 0; cpu < pairs.cpus; cpu++) {
		pass.places[cpu].op = NONE;
		pass.places[cpu].flush = NONE;
		pass.places[cpu].serves = NONE;
		pass.places[cpu].woken_for = NONE;
	}
	while ((note = trace_note(trace, "task", note)))
		add_task(&pass, atoll(note));
	for (i = 0; i < trace->nr; i++)
		one_event(&pass, &trace->events[i]);
	keep_mine(&pass);
	pair_messages(&pairs, trace);
	free(pass.places);
	free(pass.tasks);
	return pairs;
}

void trace_pairs_free(struct trace_pairs *pairs)
{
	free(pairs->ops);
	free(pairs->transit);
}

const char *trace_path_name(int path)
{
	static const char *const names[TRACE_PATHS] = {
#define PATH_NAME(symbol, name)	name,
		MK_PROTOCOL_LIST(PATH_NAME)
#undef PATH_NAME
		"tlb_flush",
	};

	return names[path];
}
