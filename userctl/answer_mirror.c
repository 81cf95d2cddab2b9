// SPDX-License-Identifier: GPL-2.0
/*
 * Answers about page tables on nodes, and mirrors of them.
 */
#include <stdlib.h>
#include <string.h>

#include "answer_priv.h"
#include "mkctl.h"
#include "paper.h"
#include "table_priv.h"

#define RATIO	"_ratio"

/* The longer sentences. */
#define OPS_MIRRORED \
	"On %lld node%s calls cost a mirrored process %s times as much (direct), %s (message)"
#define OPS_CONTROL \
	"%s; unmirrored again it is %s times, which is how far that can be trusted."
#define PAGED \
	"Pagers take %.3g to %.3g times what userfaultfd takes, more in %zu of %zu cases, the most in %s by %s"
#define PAGED_KERNEL "%s; Linux itself takes %.3g to %.3g times."
#define LOCAL_SHARES \
	"Of what walks read at least %.0f %% is local when mirrored, otherwise %.0f %% on CPU %lld."

/* Of one CPU, as what a table of another node costs may differ from CPU to CPU. */
char *answer_home_node(const struct groups *groups)
{
	static const char *const what[] = { "walk", "fault" };
	const struct group *local, *remote;
	char *times, *text = NULL, *old;
	size_t i;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		remote = answer_best(groups, "remote", what[i], -1, 1, NULL);
		local = remote ? answer_best(groups, "local", what[i], -1, 0, remote) : NULL;
		if (!local)
			continue;
		times = answer_ratio(remote, local);
		old = text;
		text = mkctl_printf("%s%s a %s takes %s", old ? old : "With tables on another node",
				    old ? "," : "", what[i], times);
		free(old);
		free(times);
	}
	if (!text)
		return NULL;
	old = text;
	text = mkctl_printf("%s what it takes with local ones, at the most.", old);
	free(old);
	return text;
}

char *answer_global_mapping(const struct groups *groups)
{
	const struct group *last = answer_largest(groups, "*", "unmap"), *least, *most;
	const struct group *faults = answer_largest(groups, "*", "faults");
	char *text, *compared;

	if (!last || !faults)
		return NULL;
	least = answer_best(groups, "*", "unmap", last->key->size, 0, last);
	most = answer_best(groups, "*", "unmap", last->key->size, 1, last);
	if (!least || !most || least == most)
		return NULL;
	compared = answer_comparison(least, most);
	text = mkctl_printf("%g faults make a mapping of %lld nodes; of the ways to unmap it %s.",
			    faults->middle, faults->key->size, compared);
	free(compared);
	return text;
}

/* How far ratios of variants like @pattern go at @size, touch apart; the highest. */
static const struct group *ratios(const struct groups *groups, const char *pattern,
				  long long size, double *low, double *high)
{
	const struct group *group, *found = NULL;
	size_t len, i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		len = strlen(group->metric);
		/* Touch is what other nodes pay; it is no call. */
		if (!group->has_middle || is_special(group) || group->key->size != size ||
		    !paper_match(pattern, group->key->variant) ||
		    !strncmp(group->metric, "touch", 5) || len < strlen(RATIO) ||
		    strcmp(group->metric + len - strlen(RATIO), RATIO))
			continue;
		if (!found || group->middle < *low)
			*low = group->middle;
		if (!found || group->middle > *high) {
			*high = group->middle;
			found = group;
		}
	}
	return found;
}

/* "1.2 to 3", or "2" */
static char *span(double low, double high)
{
	return low == high ? mkctl_printf("%.3g", low) :
			     mkctl_printf("%.3g to %.3g", low, high);
}

char *answer_mirror_ops(const struct groups *groups)
{
	char *spans[3], *mirrored, *text;
	double low[3], high[3];
	const struct group *control, *direct, *message;
	long long size = 0;
	size_t i;

	for (i = 0; i < groups->nr; i++)
		if (!strcmp(groups->list[i].key->variant, "direct") &&
		    groups->list[i].key->size > size)
			size = groups->list[i].key->size;
	control = ratios(groups, "control", size, &low[0], &high[0]);
	direct = ratios(groups, "direct", size, &low[1], &high[1]);
	message = ratios(groups, "message", size, &low[2], &high[2]);
	if (!direct || !message || !control)
		return NULL;
	for (i = 0; i < 3; i++)
		spans[i] = span(low[i], high[i]);
	mirrored = mkctl_printf(OPS_MIRRORED, size, size == 1 ? "" : "s", spans[1], spans[2]);
	text = mkctl_printf(OPS_CONTROL, mirrored, spans[0]);
	free(mirrored);
	for (i = 0; i < 3; i++)
		free(spans[i]);
	return text;
}

/* On the CPU where it is least. */
static const struct group *least_local(const struct groups *groups, const char *variant)
{
	const struct group *group, *found = NULL;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		if (group->has_middle && !strcmp(group->metric, "local") &&
		    !strcmp(group->key->variant, variant) &&
		    (!found || group->middle < found->middle))
			found = group;
	}
	return found;
}

char *answer_mirror_locality(const struct groups *groups)
{
	const struct group *mirrored = least_local(groups, "mirrored");
	const struct group *without = least_local(groups, "unmirrored");

	if (!mirrored || !without)
		return NULL;
	return mkctl_printf(LOCAL_SHARES, 100 * mirrored->middle, 100 * without->middle,
			    without->key->cpu_a);
}

/* Ratios of one kind of server, but of accesses, which have no fault in them. */
struct served {
	size_t nr, worse;
	double low, high;
	const struct group *most;
};

static struct served served_by(const struct groups *groups, const char *pattern)
{
	struct served by = { 0 };
	const struct group *group;
	size_t len, i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		len = strlen(group->metric);
		if (!group->has_middle || is_special(group) ||
		    !paper_match(pattern, group->key->variant) ||
		    !strncmp(group->metric, "access", 6) || len < strlen(RATIO) ||
		    strcmp(group->metric + len - strlen(RATIO), RATIO))
			continue;
		if (!by.nr || group->middle < by.low)
			by.low = group->middle;
		if (!by.nr || group->middle > by.high) {
			by.high = group->middle;
			by.most = group;
		}
		by.nr++;
		by.worse += group->middle > 1;
	}
	return by;
}

char *answer_pager(const struct groups *groups)
{
	struct served pagers = served_by(groups, "pager_*");
	struct served kernel = served_by(groups, "kernel");
	char *metric, *text, *all;

	if (!pagers.nr || !kernel.nr)
		return NULL;
	metric = mkctl_printf("%.*s", (int)(strlen(pagers.most->metric) - strlen(RATIO)),
			      pagers.most->metric);
	text = mkctl_printf(PAGED, pagers.low, pagers.high, pagers.worse, pagers.nr, metric,
			    pagers.most->key->variant);
	all = mkctl_printf(PAGED_KERNEL, text, kernel.low, kernel.high);
	free(text);
	free(metric);
	return all;
}
