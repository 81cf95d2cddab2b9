// SPDX-License-Identifier: GPL-2.0
/*
 * What choosing pages by measurement gives: one line back and forth on each of
 * some candidate pages, then the ring on the best of them and on all.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_run.h"
#include "bench_stats.h"

#define REPEATS		9

/* A class of pages ends where the next is so much slower. */
#define STEP		1.1

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_classes(double *median, int n)
{
	int i, from = 0;

	qsort(median, n, sizeof(*median), by_value);
	for (i = 0; i < n; i++) {
		if (i + 1 < n && median[i + 1] < STEP * median[i])
			continue;
		printf("  class of %2d pages: %.1f to %.1f\n", i + 1 - from,
		       median[from], median[i]);
		from = i + 1;
	}
	printf("  best %.1f, median %.1f, worst %.1f\n", median[0],
	       median[n / 2], median[n - 1]);
}

void bench_pages(void)
{
	const struct contender *line = bench_find(raw_contenders,
						  "raw_one_line", false);
	const struct contender *ring = bench_find(ring_contenders, "ring",
						  false);
	struct plan probe = { .n = 200, .warm = 50, .lines = 1, .pause = 1 };
	struct plan plan = { .n = 800, .warm = 150, .lines = 1, .pause = 1 };
	int i, r, n = bench_placements(), best = 0;
	struct series **page = calloc(n, sizeof(*page));
	struct series *on_best, *on_any;
	double *median = calloc(n, sizeof(*median));

	if (!page || !median)
		bench_die("calloc");
	for (i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "page %d", i);
		page[i] = series_new("ring_page", name, "round_trip", "ns",
				     BENCH_LINE);
	}
	for (r = 0; r < REPEATS; r++)
		for (i = 0; i < n; i++)
			series_add(page[i], r, bench_page(line, &probe, i));
	for (i = 0; i < n; i++) {
		median[i] = series_percentile(page[i], 50) / 2;
		if (median[i] < median[best])
			best = i;
	}
	on_best = series_new("ring_page_choice", "best", "round_trip", "ns",
			     BENCH_LINE);
	on_any = series_new("ring_page_choice", "any", "round_trip", "ns",
			    BENCH_LINE);
	for (r = 0; r < n; r++) {
		series_add(on_any, r, bench_page(ring, &plan, r));
		series_add(on_best, r, bench_page(ring, &plan, best));
	}

	printf("\n== Pages: one line on %d candidates, medians of %d, ns one way ==\n\n",
	       n, REPEATS);
	print_classes(median, n);
	printf("  the ring where the line was best %.1f, anywhere %.1f: gain %.0f %%\n",
	       series_percentile(on_best, 50) / 2,
	       series_percentile(on_any, 50) / 2,
	       100 * (1 - series_ratio(on_best, on_any)));
	printf("  probing one page once takes %.0f microseconds\n",
	       (probe.n + probe.warm) * 2 * median[n / 2] / 1e3);
	free(page);
	free(median);
}
