// SPDX-License-Identifier: GPL-2.0
/*
 * Answers: comparisons of medians.
 *
 * How sure one is comes from the repeats: the least and the most that the
 * medians of single repeats give. One repeat says nothing about that, and the
 * answer says so. One thing beats another for certain where no repeat of the
 * two overlaps.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "answer_priv.h"
#include "grid.h"
#include "mkctl.h"
#include "paper.h"
#include "table_priv.h"

/* The longer sentences. */
#define COUNTED_BOTH \
	"At %lld cores an operation takes Linux %s interrupts, and %s at most %s messages."
#define COUNTED	"At %lld cores an operation takes at most %s messages, with %s."
#define LINES_FROM \
	"Messages beat shared memory for %d lines from %lld client%s on%s: there %s."
#define LINES_NEVER \
	"Messages do not beat shared memory for %d lines at up to %lld client%s: there %s."
#define HANDOFF \
	"To block and be woken costs C = %s%s%s %s here%s; the paper has about 6,000."
#define NO_HANDOFF "To block and be woken took no longer than to poll: C is not told by this run."
#define COSTS \
	"A message costs its sender up to %s, its receiver up to %s; 8 in a row %.3g times as much."
#define GROWTH \
	"Beside %lld idle channels a round trip takes %s what it takes beside none."

int answer_is(const struct group *group, const char *pattern,
	      const char *metric, long long size)
{
	return group->has_middle && group->middle > 0 && !is_special(group) &&
	       paper_match(pattern, group->key->variant) &&
	       !strcmp(group->metric, metric) &&
	       (size < 0 || group->key->size == size);
}

/* Measured between the same CPUs, or one does not say between which? */
static int same_cpus(const struct group *a, const struct group *b)
{
	return (a->key->cpu_a == b->key->cpu_a || a->key->cpu_a == CSV_NONE ||
		b->key->cpu_a == CSV_NONE) &&
	       (a->key->cpu_b == b->key->cpu_b || a->key->cpu_b == CSV_NONE ||
		b->key->cpu_b == CSV_NONE);
}

const struct group *answer_best(const struct groups *groups,
				const char *pattern, const char *metric,
				long long size, int most,
				const struct group *like)
{
	const struct group *found = NULL, *group;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		if (answer_is(group, pattern, metric, size) &&
		    !paper_match("control*", group->key->variant) &&
		    (!like || same_cpus(group, like)) &&
		    (!found || (most ? group->middle > found->middle :
			       group->middle < found->middle)))
			found = group;
	}
	return found;
}

static const struct group *best(const struct groups *groups, const char *pattern,
				const char *metric, long long size, int most)
{
	return answer_best(groups, pattern, metric, size, most, NULL);
}

/* Messages only: neither what they are compared with nor what puts work off. */
static int by_messages(const char *variant)
{
	static const char *const others[] = {
		"linux*", "ipi*", "control*", "quiet", "agents", "lazy", "none",
		"unicast-again", "adaptive-again",
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (paper_match(others[i], variant))
			return 0;
	return 1;
}

static const struct group *best_messages(const struct groups *groups,
					 const char *metric, long long size)
{
	const struct group *found = NULL, *group;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		if (answer_is(group, "*", metric, size) && by_messages(group->key->variant) &&
		    (!found || group->middle < found->middle))
			found = group;
	}
	return found;
}

static int compare_sizes(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

/* Sizes of @metric of variants like @pattern, in order, each once. */
static size_t sizes_of(const struct groups *groups, const char *pattern,
		       const char *metric, long long **sizes)
{
	size_t i, j, nr = 0;

	*sizes = mkctl_alloc((groups->nr + 1) * sizeof(**sizes));
	for (i = 0; i < groups->nr; i++)
		if (answer_is(&groups->list[i], pattern, metric, -1) &&
		    groups->list[i].key->size >= 0)
			(*sizes)[nr++] = groups->list[i].key->size;
	qsort(*sizes, nr, sizeof(**sizes), compare_sizes);
	for (i = j = 0; i < nr; i++)
		if (!i || (*sizes)[i] != (*sizes)[i - 1])
			(*sizes)[j++] = (*sizes)[i];
	return j;
}

/* "12,345 cycles" */
static char *amount(const struct group *group)
{
	char *number = grid_number(group->middle), *text;

	text = mkctl_printf("%s%s%s", number, *group->unit ? " " : "", group->unit);
	free(number);
	return text;
}

char *answer_times(double times)
{
	/* above, %g would say 1.75e+04 */
	return times < 999.5 ? mkctl_printf("%.3g", times) : grid_number(times);
}

char *answer_ratio(const struct group *a, const struct group *b)
{
	size_t repeats = a->repeats < b->repeats ? a->repeats : b->repeats;
	char *middle = answer_times(a->middle / b->middle), *low, *high, *text;

	if (repeats < 2 || a->middle_low <= 0 || b->middle_low <= 0) {
		text = mkctl_printf("%s times (one repeat: not known how surely)", middle);
		free(middle);
		return text;
	}
	low = answer_times(a->middle_low / b->middle_high);
	high = answer_times(a->middle_high / b->middle_low);
	text = mkctl_printf("%s times (%s..%s over %zu repeats)", middle, low, high, repeats);
	free(middle);
	free(low);
	free(high);
	return text;
}

static int surely_less(const struct group *a, const struct group *b)
{
	return a->repeats > 1 && b->repeats > 1 && a->middle_high < b->middle_low;
}

char *answer_comparison(const struct group *a, const struct group *b)
{
	char *first = amount(a), *second = amount(b), *times = answer_ratio(a, b), *text;

	text = mkctl_printf("%s takes %s, %s the %s of %s", a->key->variant,
			    first, times, second, b->key->variant);
	free(first);
	free(second);
	free(times);
	return text;
}

/*
 * From how many cores on do messages beat @base? From the most cores down, as
 * long as they do.
 */
static char *from_cores(const struct groups *groups, const char *metric,
			const char *base, const char *called)
{
	const struct group *ours = NULL, *theirs = NULL, *mine, *other;
	char *text, *compared;
	long long *sizes, from = 0;
	size_t nr, i;
	int surely = 1;

	nr = sizes_of(groups, base, metric, &sizes);
	/* One core has nobody to tell. */
	for (i = nr; i-- > 0 && sizes[i] > 1;) {
		mine = best_messages(groups, metric, sizes[i]);
		other = best(groups, base, metric, sizes[i], 0);
		if (!mine || !other)
			continue;
		if (!theirs) {
			ours = mine;
			theirs = other;
		}
		if (mine->middle >= other->middle)
			break;
		if (!surely_less(mine, other))
			surely = 0;
		from = sizes[i];
		ours = mine;
		theirs = other;
	}
	free(sizes);
	if (!theirs)
		return NULL;
	compared = answer_comparison(ours, theirs);
	if (from)
		text = mkctl_printf("Messages beat %s from %lld cores on%s: there %s.",
				    called, from, surely ? "" : ", as far as these repeats tell",
				    compared);
	else
		text = mkctl_printf("Messages do not beat %s at up to %lld cores: there %s.",
				    called, theirs->key->size, compared);
	free(compared);
	return text;
}

const struct group *answer_largest(const struct groups *groups,
				   const char *pattern, const char *metric)
{
	const struct group *found = NULL;
	size_t i;

	for (i = 0; i < groups->nr; i++)
		if (answer_is(&groups->list[i], pattern, metric, -1) &&
		    (!found || groups->list[i].key->size >= found->key->size))
			found = &groups->list[i];
	return found;
}

/* Where times mean nothing, what was sent still does. */
static char *counted(const struct groups *groups)
{
	const struct group *linux_ipis = answer_largest(groups, "linux", "ipis"), *messages;
	const struct group *sent = NULL;
	char *a, *b, *text;
	long long size;
	size_t i;

	messages = answer_largest(groups, "*", "messages");
	if (!messages)
		return NULL;
	size = linux_ipis ? linux_ipis->key->size : messages->key->size;
	for (i = 0; i < groups->nr; i++)
		if (answer_is(&groups->list[i], "*", "messages", size) &&
		    by_messages(groups->list[i].key->variant) &&
		    (!sent || groups->list[i].middle > sent->middle))
			sent = &groups->list[i];
	if (!sent)
		return NULL;
	a = grid_number(sent->middle);
	if (linux_ipis) {
		b = grid_number(linux_ipis->middle);
		text = mkctl_printf(COUNTED_BOTH, size, b, sent->key->variant, a);
		free(b);
	} else {
		text = mkctl_printf(COUNTED, size, a, sent->key->variant);
	}
	free(a);
	return text;
}

static char *of_unmap(const struct groups *groups)
{
	char *text = from_cores(groups, "cost", "linux", "Linux's interrupts");

	/* Runs of single kinds of targets name the cost after them. */
	if (!text)
		text = from_cores(groups, "cost_busy", "linux",
				  "Linux's interrupts (busy targets)");
	return text;
}

static char *of_protocols(const struct groups *groups)
{
	return from_cores(groups, "cost", "ipi", "IPIs");
}

static char *of_latency(const struct groups *groups)
{
	const struct group *ipi = best(groups, "ipi*", "round_trip", -1, 0);
	const struct group *urpc = answer_best(groups, "urpc*", "round_trip", -1, 0, ipi);
	char *text, *compared;

	if (!urpc)
		return NULL;
	if (!ipi) {
		compared = amount(urpc);
		text = mkctl_printf("A message and its answer take %s at best.", compared);
	} else {
		compared = answer_comparison(urpc, ipi);
		text = mkctl_printf("A message and its answer %s an interrupt's at their best: %s.",
				    surely_less(urpc, ipi) ? "surely take less than" :
				    urpc->middle < ipi->middle ? "take less than" :
				    "do not take less than", compared);
	}
	free(compared);
	return text;
}

static char *of_throughput(const struct groups *groups)
{
	const struct group *most = best(groups, "urpc*", "throughput", -1, 1), *one = NULL;
	char *number, *times, *text;
	size_t i;

	if (!most)
		return NULL;
	for (i = 0; i < groups->nr && !one; i++)
		if (answer_is(&groups->list[i], most->key->variant, "throughput", 1) &&
		    groups->list[i].key->cpu_a == most->key->cpu_a &&
		    groups->list[i].key->cpu_b == most->key->cpu_b)
			one = &groups->list[i];
	number = amount(most);
	times = one ? answer_ratio(most, one) : NULL;
	text = mkctl_printf("Most pass with %lld in flight: %s%s%s%s.", most->key->size,
			    number, times ? ", " : "", times ? times : "",
			    times ? " what passes one by one" : "");
	free(number);
	free(times);
	return text;
}

/* For the most lines that both have. */
static char *of_shm(const struct groups *groups)
{
	const struct group *msg = NULL, *shm = NULL, *mine, *other;
	char name[16], partner[16], *text, *compared;
	long long *sizes, from = 0;
	size_t nr = 0, i;
	int lines, surely = 1;

	for (lines = 8; lines; lines /= 2) {
		snprintf(name, sizeof(name), "MSG%d", lines);
		snprintf(partner, sizeof(partner), "SHM%d", lines);
		nr = sizes_of(groups, partner, "cost", &sizes);
		if (nr)
			break;
		free(sizes);
	}
	if (!lines)
		return NULL;
	for (i = nr; i-- > 0;) {
		mine = best(groups, name, "cost", sizes[i], 0);
		other = best(groups, partner, "cost", sizes[i], 0);
		if (!mine || !other)
			continue;
		if (!shm) {
			msg = mine;
			shm = other;
		}
		if (mine->middle >= other->middle)
			break;
		surely &= surely_less(mine, other);
		from = sizes[i];
		msg = mine;
		shm = other;
	}
	free(sizes);
	if (!shm)
		return NULL;
	compared = answer_comparison(msg, shm);
	if (from)
		text = mkctl_printf(LINES_FROM, lines, from, from == 1 ? "" : "s",
				    surely ? "" : ", as far as these repeats tell", compared);
	else
		text = mkctl_printf(LINES_NEVER, lines, shm->key->size,
				    shm->key->size == 1 ? "" : "s", compared);
	free(compared);
	return text;
}

static char *of_notify(const struct groups *groups)
{
	const struct group *handoff = best(groups, "*", "handoff", -1, 0);
	const struct group *worst = best(groups, "*", "handoff", -1, 1);
	char *a, *b, *text;
	size_t i;

	if (!handoff) {
		for (i = 0; i < groups->nr; i++)
			if (!strcmp(groups->list[i].metric, "handoff"))
				return mkctl_printf("%s", NO_HANDOFF);
		return NULL;
	}
	a = grid_number(handoff->repeats > 1 ? handoff->middle_low : handoff->middle);
	b = grid_number(worst->repeats > 1 ? worst->middle_high : worst->middle);
	text = mkctl_printf(HANDOFF, a, strcmp(a, b) ? " to " : "", strcmp(a, b) ? b : "",
			    handoff->unit,
			    strcmp(a, b) ? "" : " (one repeat: not known how surely)");
	free(a);
	free(b);
	return text;
}

static char *of_commit(const struct groups *groups)
{
	const struct group *single = answer_largest(groups, "single", "cost"), *pipelined;
	char *text, *compared;

	if (!single)
		return NULL;
	pipelined = best(groups, "pipelined*", "cost", single->key->size, 0);
	compared = pipelined ? answer_comparison(pipelined, single) : amount(single);
	text = mkctl_printf("At %lld cores %s%s for each change.", single->key->size,
			    pipelined ? "" : "agreement takes ", compared);
	free(compared);
	return text;
}

static char *of_growth(const struct groups *groups)
{
	const struct group *most = answer_largest(groups, "idle", "round_trip");
	const struct group *none;
	char *times, *text;

	if (!most)
		return NULL;
	none = answer_best(groups, "idle", "round_trip", 0, 0, most);
	if (!none)
		return NULL;
	times = answer_ratio(most, none);
	text = mkctl_printf(GROWTH, most->key->size, times);
	free(times);
	return text;
}

static char *of_size(const struct groups *groups)
{
	const struct group *message = answer_largest(groups, "message", "round_trip"), *shared;
	char *text, *compared;

	if (!message)
		return NULL;
	shared = answer_best(groups, "shared", "round_trip", message->key->size, 0,
			     message);
	if (!shared)
		return NULL;
	compared = answer_comparison(message, shared);
	text = mkctl_printf("For %lld bytes a call by %s.", message->key->size, compared);
	free(compared);
	return text;
}

/* Where the two are furthest apart, which comes last. */
static char *of_placement(const struct groups *groups)
{
	const struct group *sender = answer_largest(groups, "sender", "round_trip"), *receiver;
	char *text, *compared;

	if (!sender)
		return NULL;
	receiver = answer_best(groups, "receiver", "round_trip", -1, 0, sender);
	if (!receiver)
		return NULL;
	compared = answer_comparison(receiver, sender);
	text = mkctl_printf("By the node that the ring lies on: %s.", compared);
	free(compared);
	return text;
}

/* Of an experiment that nothing particular is known of: its extremes. */
/* The longest way: between the CPUs that are furthest apart. */
static char *of_costs(const struct groups *groups)
{
	const struct group *send = best(groups, "ring", "send", 1, 1), *receive;
	const struct group *many;
	char *a, *b, *text;

	if (!send)
		return NULL;
	receive = answer_best(groups, "ring", "receive", 1, 1, NULL);
	many = answer_best(groups, "ring", "send", 8, 1, send);
	if (!receive || !many)
		return NULL;
	a = amount(send);
	b = amount(receive);
	text = mkctl_printf(COSTS, a, b, many->middle / send->middle);
	free(a);
	free(b);
	return text;
}

static char *of_any(const struct groups *groups, int counts_only)
{
	const struct group *first = NULL, *last, *least, *most;
	char *text, *compared;
	size_t i;

	for (i = 0; i < groups->nr && !first; i++)
		if (groups->list[i].n > 0 && !is_special(&groups->list[i]) &&
		    groups->list[i].has_middle &&
		    !(counts_only && is_time(groups->list[i].unit)))
			first = &groups->list[i];
	if (!first)
		return NULL;
	last = answer_largest(groups, "*", first->metric);
	if (!last)
		return NULL;
	least = answer_best(groups, "*", first->metric, -1, 0, last);
	most = answer_best(groups, "*", first->metric, -1, 1, last);
	if (!least || !most || !strcmp(least->key->variant, most->key->variant))
		return NULL;
	compared = answer_comparison(least, most);
	text = mkctl_printf("The least and the most %s: %s.", first->metric, compared);
	free(compared);
	return text;
}

/* What is left of an answer where times mean nothing. */
enum { SENT = 1, ALL };

static const struct {
	const char *test;
	char *(*answer)(const struct groups *groups);
	int counts;	/* SENT: it counts messages over cores; ALL: nothing in it is a time */
} answers[] = {
	{ "urpc_latency", of_latency, 0 },
	{ "urpc_throughput", of_throughput, 0 },
	{ "shm_vs_msg", of_shm, 0 },
	{ "shootdown_protocols", of_protocols, SENT },
	{ "unmap", of_unmap, SENT },
	{ "two_phase_commit", of_commit, SENT },
	{ "notify", of_notify, 0 },
	{ "growth", of_growth, 0 },
	{ "message_size", of_size, 0 },
	{ "placement", of_placement, 0 },
	{ "costs", of_costs, 0 },
	{ "polling_model", answer_polling, 0 },
	{ "global_mapping", answer_global_mapping, 0 },
	{ "home_node", answer_home_node, 0 },
	{ "mirror_ops", answer_mirror_ops, 0 },
	{ "mirror_locality", answer_mirror_locality, ALL },
	{ "pager", answer_pager, 0 },
	{ "routes", answer_routes, ALL },
	{ "storm", answer_storm, ALL },
};

static char *answer_from(const char *test, const struct groups *groups, int counts_only)
{
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strcmp(answers[i].test, test))
			continue;
		if (!counts_only || answers[i].counts == ALL)
			return answers[i].answer(groups);
		return answers[i].counts ? counted(groups) : NULL;
	}
	return of_any(groups, counts_only);
}

/* What was measured answers alone; what was modelled, where there is nothing else. */
char *answer_of(const char *test, const struct groups *groups, int counts_only)
{
	struct groups measured = { mkctl_alloc(groups->nr * sizeof(struct group)), 0 };
	char *answer, *text;
	size_t i, rows = 0;

	for (i = 0; i < groups->nr; i++) {
		if (is_modelled(&groups->list[i]))
			continue;
		rows += !is_special(&groups->list[i]);
		measured.list[measured.nr++] = groups->list[i];
	}
	if (rows || measured.nr == groups->nr) {
		answer = answer_from(test, &measured, counts_only);
	} else {
		text = answer_from(test, groups, counts_only);
		answer = text ? mkctl_printf("In the model: %s", text) : NULL;
		free(text);
	}
	free(measured.list);
	return answer;
}
