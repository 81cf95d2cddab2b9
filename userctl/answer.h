/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an experiment says, in one sentence with its uncertainty.
 */
#ifndef MKCTL_ANSWER_H
#define MKCTL_ANSWER_H

#include "groups.h"

/*
 * Computed from one run alone; times are not spoken of where @counts_only.
 * The caller frees it; NULL where there is nothing to say.
 */
char *answer_of(const char *test, const struct groups *groups, int counts_only);

#endif /* MKCTL_ANSWER_H */
