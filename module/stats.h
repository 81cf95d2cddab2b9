/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Samples, sorted, and their median.
 */
#ifndef MK_STATS_H
#define MK_STATS_H

#include <linux/types.h>

void mk_stats_sort(u64 *samples, size_t n);
u64 mk_stats_median(u64 *samples, size_t n);

#endif /* MK_STATS_H */
