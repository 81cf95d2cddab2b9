/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Answers, among the files that give them: answer.c those to the paper's questions,
 * answer_mirror.c those about page tables, answer_counts.c those that count.
 */
#ifndef MKCTL_ANSWER_PRIV_H
#define MKCTL_ANSWER_PRIV_H

#include "groups.h"

/* Does @group measure @metric of a variant like @pattern at @size (any: -1)? */
int answer_is(const struct group *group, const char *pattern,
	      const char *metric, long long size);

/*
 * The one of the lowest median, or with @most of the highest; where @like is
 * given, among those between its CPUs.
 */
const struct group *answer_best(const struct groups *groups,
				const char *pattern, const char *metric,
				long long size, int most,
				const struct group *like);

/* Of the largest size the last, whose CPUs are the furthest apart. */
const struct group *answer_largest(const struct groups *groups,
				   const char *pattern, const char *metric);

/* "0.83 times (0.80..0.86 over 3 repeats)" */
char *answer_ratio(const struct group *a, const struct group *b);

/* How many times, in few digits: 0.0123, 1.57, 17,500. */
char *answer_times(double times);

/* "X takes 100 cycles, 0.5 times (...) the 200 cycles of Y" */
char *answer_comparison(const struct group *a, const struct group *b);

/* Of one experiment each; NULL where there is nothing to say. */
char *answer_home_node(const struct groups *groups);
char *answer_global_mapping(const struct groups *groups);
char *answer_mirror_ops(const struct groups *groups);
char *answer_mirror_locality(const struct groups *groups);
char *answer_pager(const struct groups *groups);
char *answer_storm(const struct groups *groups);
char *answer_routes(const struct groups *groups);
char *answer_polling(const struct groups *groups);

#endif /* MKCTL_ANSWER_PRIV_H */
