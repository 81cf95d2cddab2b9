// SPDX-License-Identifier: GPL-2.0
/*
 * Answers that count: was everything delivered, does a model hold?
 */
#include <stdlib.h>
#include <string.h>

#include "answer_priv.h"
#include "grid.h"
#include "mkctl.h"
#include "paper.h"
#include "table_priv.h"

/* The longer sentences. */
#define UNSERVED "Not everybody did what was asked:%s, of %s messages of a round."
#define SERVED "All acknowledged the %s messages of a round, and had done what was asked."
#define MODEL \
	"Waiting costs %s to %s times what min(t, P + C) says, within a quarter in %zu of %zu cases."

/* Of all variants but the control: each one's value, or the most it ever was. */
static double sum_of(const struct groups *groups, const char *metric, int most)
{
	const struct group *group;
	double sum = 0;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		group = &groups->list[i];
		if (!is_special(group) && group->has_middle && !strcmp(group->metric, metric) &&
		    !paper_match("control*", group->key->variant))
			sum += most ? group->high : group->middle;
	}
	return sum;
}

/* " 3 lost, 1 corrupted" of @names, NULL-terminated; NULL where all are 0. */
static char *faults_of(const struct groups *groups, const char *const *names)
{
	char *text = NULL, *old, *number;
	double seen;

	for (; *names; names++) {
		seen = sum_of(groups, *names, 1);
		if (seen <= 0)
			continue;
		old = text;
		number = grid_number(seen);
		text = mkctl_printf("%s%s %s %s", old ? old : "", old ? "," : "", number,
				    *names);
		free(number);
		free(old);
	}
	return text;
}

char *answer_storm(const struct groups *groups)
{
	static const char *const names[] = {
		"lost", "duplicated", "reordered", "corrupted", NULL
	};
	double sent = sum_of(groups, "sent", 0), received = sum_of(groups, "received", 0);
	char *faults = faults_of(groups, names), *text, *number;

	if (!sent) {
		free(faults);
		return NULL;
	}
	number = grid_number(sent);
	if (faults || sent != received)
		text = mkctl_printf("Not all messages came as they were sent:%s of %s in a round.",
				    faults ? faults : " others came than were sent,", number);
	else
		text = mkctl_printf("All %s messages of a round came, once, in order and whole.",
				    number);
	free(number);
	free(faults);
	return text;
}

char *answer_routes(const struct groups *groups)
{
	static const char *const names[] = { "unserved", "corrupted", "missing", NULL };
	double operations = sum_of(groups, "operations", 0);
	char *faults = faults_of(groups, names), *text, *number;

	if (!operations) {
		free(faults);
		return NULL;
	}
	number = grid_number(operations);
	if (faults)
		text = mkctl_printf(UNSERVED, faults, number);
	else
		text = mkctl_printf(SERVED, number);
	free(number);
	free(faults);
	return text;
}

/* How far the costs of waiting are from what the model says, over all P and t. */
char *answer_polling(const struct groups *groups)
{
	const struct group *cost, *model;
	double times, low = 0, high = 0;
	char *least, *most, *text;
	size_t nr = 0, near = 0, i;

	for (i = 0; i < groups->nr; i++) {
		cost = &groups->list[i];
		if (!answer_is(cost, "P=*", "cost", -1))
			continue;
		model = answer_best(groups, cost->key->variant, "predicted", cost->key->size, 0,
				    cost);
		if (!model)
			continue;
		times = cost->middle / model->middle;
		if (!nr || times < low)
			low = times;
		if (!nr || times > high)
			high = times;
		near += times > 0.8 && times < 1.25;
		nr++;
	}
	if (!nr)
		return NULL;
	least = answer_times(low);
	most = answer_times(high);
	text = mkctl_printf(MODEL, least, most, near, nr);
	free(least);
	free(most);
	return text;
}
