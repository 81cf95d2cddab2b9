// SPDX-License-Identifier: GPL-2.0
/*
 * What is measured, in which order, and the tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_run.h"
#include "bench_stats.h"

#define TRIPS		1000
#define WARM_TRIPS	200
#define DEPTHS		6	/* messages on their way: 1, 3, 7 … 63 */
#define DEPTH(d)	((2u << (d)) - 1)
#define STREAMERS	3
#define PAGE_REPEATS	9

/* What the ring has to reach; see "Aims" at the end of the output. */
#define AIM_INPLACE	1.05
#define AIM_TWO_LINES	0.90
#define AIM_STREAM	3.5

/* Round trips: who, and with polls spaced as is best, or as given. */
static struct entry {
	const struct contender *list;
	const char *name;
	const char *label;
	int pause;
	struct plan plan;
	struct series *series;
} entries[] = {
	{ .list = raw_contenders, .name = "raw_one_line", .pause = -1 },
	{ .list = raw_contenders, .name = "raw_two_lines", .pause = -1 },
	{ .list = raw_contenders, .name = "raw_two_lines",
	  .label = "raw_two_lines_dense" },
	{ .list = ring_contenders, .name = "inplace_1_word", .pause = -1 },
	{ .list = ring_contenders, .name = "inplace_7_words", .pause = -1 },
	{ .list = ring_contenders, .name = "ring", .pause = -1 },
	{ .list = ring_contenders, .name = "ring", .label = "ring_dense" },
	{ .list = ck_contenders, .name = "ck_ring", .pause = -1 },
	{ .list = dpdk_contenders, .name = "rte_ring", .pause = -1 },
};

enum {
	ONE_LINE, TWO_LINES, TWO_LINES_DENSE, INPLACE_1, INPLACE_7, RING,
	RING_DENSE, CK, DPDK, NR_ENTRIES
};

static const struct contender *const streamers[STREAMERS] = {
	ring_contenders, ck_contenders, dpdk_contenders,
};

static struct series *streams[STREAMERS][BENCH_LINES + 1][DEPTHS];

static const struct contender *find(const struct contender *list,
				    const char *name, bool stream)
{
	for (; list->name; list++)
		if ((!name || !strcmp(list->name, name)) &&
		    list->stream == stream)
			return list;
	return NULL;
}

static void calibrate(int rounds)
{
	unsigned int i;

	for (i = 0; i < NR_ENTRIES; i++) {
		struct entry *e = &entries[i];
		const struct contender *c = find(e->list, e->name, false);

		if (!c)
			continue;
		e->plan = (struct plan){
			.n = TRIPS, .warm = WARM_TRIPS, .lines = 1,
		};
		if (e->pause < 0)
			e->pause = bench_calibrate(c, &e->plan, rounds);
		e->plan.pause = e->pause;
		e->series = series_new("ring_round_trip",
				       e->label ? e->label : e->name, 1, 0,
				       e->pause);
	}
}

static struct plan stream_plan(uint32_t lines, uint32_t depth, uint32_t pause)
{
	uint32_t n = depth < 4 ? 1000 : 8000 / lines;

	return (struct plan){
		.n = n < 1000 ? 1000 : n, .warm = 4 * depth + 64,
		.lines = lines, .depth = depth, .pause = pause,
	};
}

static void calibrate_streams(int rounds)
{
	uint32_t s, lines, d;

	for (s = 0; s < STREAMERS; s++) {
		const struct contender *c = find(streamers[s], NULL, true);

		if (!c)
			continue;
		for (d = 0; d < DEPTHS; d++) {
			struct plan plan = stream_plan(1, DEPTH(d), 0);
			char test[32];

			plan.pause = bench_calibrate(c, &plan, rounds);
			snprintf(test, sizeof(test), "ring_stream_%u", DEPTH(d));
			for (lines = 1; lines <= BENCH_LINES; lines++)
				streams[s][lines][d] =
					series_new(test, c->name, lines,
						   DEPTH(d), plan.pause);
		}
	}
}

static void one_round(int round)
{
	uint32_t i, s, lines, d;

	for (i = 0; i < NR_ENTRIES; i++) {
		struct entry *e = &entries[i];

		if (e->series)
			series_add(e->series, round,
				   bench_trial(find(e->list, e->name, false),
					       &e->plan, round));
	}
	for (lines = 1; lines <= BENCH_LINES; lines++) {
		for (d = 0; d < DEPTHS; d++) {
			for (s = 0; s < STREAMERS; s++) {
				struct series *series = streams[s][lines][d];
				struct plan plan;

				if (!series)
					continue;
				plan = stream_plan(lines, series->depth,
						   series->pause);
				series_add(series, round,
					   bench_trial(find(streamers[s], NULL,
							    true),
						       &plan, round));
			}
		}
	}
}

static void print_trips(void)
{
	unsigned int i;

	printf("\nRound trips, 64-byte messages; ns one way (half a round trip)\n\n");
	printf("%-22s %5s %4s %7s %7s %7s   %9s %9s\n", "", "pause", "n",
	       "median", "p10", "p90", "x 1 line", "x 2 lines");
	for (i = 0; i < NR_ENTRIES; i++) {
		struct series *s = entries[i].series;

		if (!s)
			continue;
		printf("%-22s %5u %4d %7.1f %7.1f %7.1f   %9.2f %9.2f\n",
		       s->variant, s->pause, series_count(s),
		       series_percentile(s, 50) / 2,
		       series_percentile(s, 10) / 2,
		       series_percentile(s, 90) / 2,
		       series_ratio(s, entries[ONE_LINE].series),
		       series_ratio(s, entries[TWO_LINES_DENSE].series));
	}
	printf("x: median of the ratios in the same round; 2 lines: polled densely\n");
}

/* Messages for each microsecond. */
static double rate(const struct series *s)
{
	double ns = s ? series_percentile(s, 50) : 0;

	return ns ? 1e3 / ns : 0;
}

/* How much more this ring carries than the better library; 0 without one. */
static double lead(uint32_t lines, uint32_t d)
{
	double least = 0;
	uint32_t s;

	for (s = 1; s < STREAMERS; s++) {
		double ratio;

		if (!streams[s][lines][d])
			continue;
		ratio = series_ratio(streams[s][lines][d],
				     streams[0][lines][d]);
		if (!least || ratio < least)
			least = ratio;
	}
	return least;
}

static void print_streams(void)
{
	uint32_t lines, d, s;

	printf("\nOne way, million messages a second (p10 to p90 of this ring), and x the better library\n\n");
	printf("%5s %5s %4s %9s %17s %9s %9s %7s\n", "bytes", "depth", "n",
	       "ring", "", "ck_ring", "rte_ring", "x");
	for (lines = 1; lines <= BENCH_LINES; lines++) {
		for (d = 0; d < DEPTHS; d++) {
			struct series *ring = streams[0][lines][d];

			printf("%5u %5u %4d %9.2f  (%6.2f … %6.2f)",
			       lines * BENCH_LINE, DEPTH(d), series_count(ring),
			       rate(ring), 1e3 / series_percentile(ring, 90),
			       1e3 / series_percentile(ring, 10));
			for (s = 1; s < STREAMERS; s++)
				printf(" %9.2f", rate(streams[s][lines][d]));
			printf(" %7.2f\n", lead(lines, d));
		}
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/*
 * What choosing among candidate pages by measurement would give: one line
 * ping-pong on each page, then the ring on the best and on all.
 */
static void pages(void)
{
	const struct contender *line = find(raw_contenders, "raw_one_line",
					    false);
	const struct contender *ring = find(ring_contenders, "ring", false);
	struct plan probe = { .n = 200, .warm = 50, .lines = 1,
			      .pause = entries[ONE_LINE].pause };
	struct plan plan = entries[RING].plan;
	int i, r, n = bench_placements(), best = 0;
	struct series **page = calloc(n, sizeof(*page));
	struct series *on_best, *on_all;
	double *median = calloc(n, sizeof(*median));
	double low = 0, from;

	if (!page || !median)
		bench_die("calloc");
	for (i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "page=%d", i);
		page[i] = series_new("ring_page", name, 1, 0, probe.pause);
	}
	for (r = 0; r < PAGE_REPEATS; r++)
		for (i = 0; i < n; i++)
			series_add(page[i], r, bench_page(line, &probe, i));
	for (i = 0; i < n; i++) {
		median[i] = series_percentile(page[i], 50) / 2;
		if (median[i] && (!low || median[i] < low)) {
			low = median[i];
			best = i;
		}
	}
	on_best = series_new("ring_page_gain", "best", 1, 0, plan.pause);
	on_all = series_new("ring_page_gain", "any", 1, 0, plan.pause);
	for (r = 0; r < n; r++) {
		series_add(on_all, r, bench_page(ring, &plan, r));
		series_add(on_best, r, bench_page(ring, &plan, best));
	}

	printf("\nPages: one line back and forth on %d candidate pages, medians of %d, ns one way\n\n",
	       n, PAGE_REPEATS);
	qsort(median, n, sizeof(*median), by_value);
	/* A class ends where the next page is a tenth slower. */
	for (i = 0, from = median[0], r = 0; i < n; i++) {
		if (i + 1 < n && median[i + 1] < 1.1 * median[i])
			continue;
		printf("  class of %2d pages: %.1f to %.1f\n", i + 1 - r, from,
		       median[i]);
		r = i + 1;
		from = r < n ? median[r] : 0;
	}
	printf("  best %.1f, median %.1f, worst %.1f\n", median[0],
	       median[n / 2], median[n - 1]);
	printf("  the ring, one way: %.1f on the best page and its neighbour, %.1f on any (gain %.0f %%)\n",
	       series_percentile(on_best, 50) / 2,
	       series_percentile(on_all, 50) / 2,
	       100 * (1 - series_percentile(on_best, 50) /
			  series_percentile(on_all, 50)));
	printf("  cost of one probe of one page: about %.0f microseconds\n",
	       (probe.n + probe.warm) * 2 * median[n / 2] / 1e3);
	free(page);
	free(median);
}

static void aim(const char *what, double value, double bound, bool at_most)
{
	printf("%-58s %6.2f   aim %s %.2f: %s\n", what, value,
	       at_most ? "<=" : ">=", bound,
	       (at_most ? value <= bound : value >= bound) ? "met" : "MISSED");
}

static void print_aims(void)
{
	double least = 0;
	uint32_t lines, d, at_lines = 0, at_depth = 0, below = 0;
	char text[80];

	printf("\nAims\n\n");
	aim("in-place RPC (1 word) x one line",
	    series_ratio(entries[INPLACE_1].series, entries[ONE_LINE].series),
	    AIM_INPLACE, true);
	aim("in-place RPC (7 words) x one line",
	    series_ratio(entries[INPLACE_7].series, entries[ONE_LINE].series),
	    AIM_INPLACE, true);
	aim("two rings x two lines polled densely",
	    series_ratio(entries[RING].series, entries[TWO_LINES_DENSE].series),
	    AIM_TWO_LINES, true);
	printf("%-58s %6.2f\n", "two rings x two lines polled at their best",
	       series_ratio(entries[RING].series, entries[TWO_LINES].series));
	if (!lead(1, DEPTHS - 1)) {
		printf("no library to compare streams with\n");
		return;
	}
	aim("64 bytes, depth 63, x the better library", lead(1, DEPTHS - 1),
	    AIM_STREAM, false);
	for (lines = 1; lines <= BENCH_LINES; lines++) {
		for (d = 0; d < DEPTHS; d++) {
			double ratio = lead(lines, d);

			below += ratio < 1;
			if (!least || ratio < least) {
				least = ratio;
				at_lines = lines;
				at_depth = DEPTH(d);
			}
		}
	}
	snprintf(text, sizeof(text), "least of all rows (%u bytes, depth %u; %u below 1)",
		 at_lines * BENCH_LINE, at_depth, below);
	aim(text, least, 1, false);
}

void bench_run(int rounds)
{
	int round, tries = rounds < 20 ? 6 : 16;

	calibrate(tries);
	calibrate_streams(tries / 2);
	for (round = 0; round < rounds; round++)
		one_round(round);
	print_trips();
	print_streams();
	pages();
	print_aims();
}
