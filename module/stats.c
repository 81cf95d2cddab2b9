// SPDX-License-Identifier: GPL-2.0
/*
 * Samples, sorted, and their median.
 */
#include <linux/sched.h>
#include <linux/sort.h>

#include "module/stats.h"

/* Reschedules, for sort() itself does not, however long it takes. */
static int mk_stats_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	cond_resched();
	return x < y ? -1 : x > y;
}

/**
 * mk_stats_sort() - sort samples in place, smallest first
 * @samples: the samples
 * @n: how many
 *
 * Sorting a million takes a few tenths of a second on hardware.
 *
 * Context: process, may sleep.
 */
void mk_stats_sort(u64 *samples, size_t n)
{
	sort(samples, n, sizeof(*samples), mk_stats_compare, NULL);
}

/**
 * mk_stats_median() - median of some samples
 * @samples: the samples; sorted in place
 * @n: how many, at least one
 *
 * Context: process, may sleep.
 * Return: the middle one, the upper of two.
 */
u64 mk_stats_median(u64 *samples, size_t n)
{
	mk_stats_sort(samples, n);
	return samples[n / 2];
}
