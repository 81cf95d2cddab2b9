// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of what was measured, and the aims.
 */
#include <stdio.h>

#include "bench.h"
#include "bench_run.h"
#include "bench_stats.h"

#define AIM_INPLACE	1.05
#define AIM_TWO_LINES	0.90
#define AIM_STREAM	3.5

/* Rounds that make a class worth a table. */
#define ENOUGH		5

static const struct bench_results *results;

static void print_trips(void)
{
	unsigned int i;

	printf("\nRound trips of 64-byte messages: ns one way (half a round trip)\n\n");
	printf("%-20s %9s %5s %7s %7s %7s   %9s %9s\n", "", "first/gap", "n",
	       "median", "p10", "p90", "x 1 line", "x 2 lines");
	for (i = 0; i < BENCH_TRIPS; i++) {
		const struct bench_trip_results *r = &results->trip[i];
		char space[16] = "dense";

		if (!r->ns)
			continue;
		if (r->first)
			snprintf(space, sizeof(space), "%.0f/%.0f",
				 series_percentile(r->first, 50),
				 series_percentile(r->pause, 50));
		printf("%-20s %9s %5d %7.1f %7.1f %7.1f   %9.2f %9.2f\n",
		       r->ns->variant, space, series_count(r->ns),
		       series_percentile(r->ns, 50) / 2,
		       series_percentile(r->ns, 10) / 2,
		       series_percentile(r->ns, 90) / 2,
		       series_ratio(r->ns, results->trip[ONE_LINE].ns),
		       series_ratio(r->ns, results->trip[TWO_LINES_DENSE].ns));
	}
	printf("first/gap: pause instructions before the first poll and between two, by trial\n");
	printf("x: median of the ratios in the same round; 2 lines: polled densely\n");
}

static double rate(const struct series *s, int percent)
{
	double ns = s ? series_percentile(s, percent) : 0;

	return ns ? 1e3 / ns : 0;
}

/* How much more @streamer carries than the better library; 0 without one. */
static double lead_of(u32 streamer, u32 lines, u32 d)
{
	const struct series *ns = results->stream[streamer][lines][d];
	double least = 0;
	u32 s;

	for (s = STREAM_CK; s <= STREAM_DPDK_ZC; s++) {
		const struct series *library = results->stream[s][lines][d];
		double ratio = library ? series_ratio(library, ns) : 0;

		if (ratio && (!least || ratio < least))
			least = ratio;
	}
	return least;
}

/* The better one of the two limits. */
static u32 raw_of(u32 lines, u32 d)
{
	return rate(results->stream[STREAM_RAW][lines][d], 50) >
	       rate(results->stream[STREAM_RAW_AHEAD][lines][d], 50) ?
	       STREAM_RAW : STREAM_RAW_AHEAD;
}

static void print_streams(void)
{
	u32 lines, d;

	printf("\nOne way: million messages a second, and x the better library\n\n");
	printf("%5s %5s %5s %8s %19s %6s %8s %19s %6s %8s %8s %8s %8s %6s\n", "bytes",
	       "depth", "n", "ring", "(p10 … p90)", "x", "look", "(p10 … p90)", "x",
	       "ck_ring", "rte_ring", "rte zc", "raw", "x");
	for (lines = 1; lines <= BENCH_LINES; lines++) {
		for (d = 0; d < BENCH_DEPTHS; d++) {
			u32 s, raw = raw_of(lines, d);

			printf("%5u %5u %5d", lines * BENCH_LINE, BENCH_DEPTH(d),
			       series_count(results->stream[STREAM_RING][lines][d]));
			for (s = STREAM_RING; s <= STREAM_LOOK; s++) {
				const struct series *ring =
					results->stream[s][lines][d];

				printf(" %8.2f (%6.2f … %6.2f) %6.2f", rate(ring, 50),
				       rate(ring, 90), rate(ring, 10),
				       lead_of(s, lines, d));
			}
			for (s = STREAM_CK; s <= STREAM_DPDK_ZC; s++)
				printf(" %8.2f",
				       rate(results->stream[s][lines][d], 50));
			printf(" %8.2f %6.2f\n",
			       rate(results->stream[raw][lines][d], 50),
			       lead_of(raw, lines, d));
		}
	}
	printf("x: of what the better library carries\n");
	printf("look, rte zc: read where they lie; raw: written there too, an index for many\n");
}

static void judge(const char *what, double value, double bound, bool at_most)
{
	printf("%-58s %6.2f   %s %.2f: %s\n", what, value,
	       at_most ? "at most" : "at least", bound,
	       (at_most ? value <= bound : value >= bound) ? "met" : "MISSED");
}

static void print_aims(void)
{
	const struct series *two = results->trip[TWO_LINES_DENSE].ns;
	const struct series *one = results->trip[ONE_LINE].ns;
	u32 lines, d, at_lines = 0, at_depth = 0, below = 0, rows = 0;
	double least = 0;
	char text[80];

	printf("\nAims\n\n");
	judge("in-place RPC of no words, x one line",
	      series_ratio(results->trip[INPLACE_0].ns, one), AIM_INPLACE, true);
	judge("in-place RPC of 1 word, x one line",
	      series_ratio(results->trip[INPLACE_1].ns, one), AIM_INPLACE, true);
	judge("in-place RPC of 7 words, x one line",
	      series_ratio(results->trip[INPLACE_7].ns, one), AIM_INPLACE, true);
	printf("%-58s %6.2f\n", "in-place RPC of 7 words, x one full line",
	       series_ratio(results->trip[INPLACE_7].ns,
			    results->trip[FULL_LINE].ns));
	judge("round trip over two rings, x two lines polled densely",
	      series_ratio(results->trip[RING].ns, two), AIM_TWO_LINES, true);
	printf("%-58s %6.2f\n",
	       "round trip over two rings, x two lines spaced as is best",
	       series_ratio(results->trip[RING].ns,
			    results->trip[TWO_LINES].ns));
	if (!lead_of(STREAM_RING, 1, BENCH_DEPTHS - 1)) {
		printf("no library to compare streams with\n");
		return;
	}
	judge("64 bytes, depth 63, x the better library",
	      lead_of(STREAM_RING, 1, BENCH_DEPTHS - 1), AIM_STREAM, false);
	judge("64 bytes, depth 63, read where they lie, x the same",
	      lead_of(STREAM_LOOK, 1, BENCH_DEPTHS - 1), AIM_STREAM, false);
	printf("%-58s %6.2f\n", "  of that, what raw lines reach",
	       lead_of(raw_of(1, BENCH_DEPTHS - 1), 1, BENCH_DEPTHS - 1));
	for (lines = 1; lines <= BENCH_LINES; lines++) {
		for (d = 0; d < BENCH_DEPTHS; d++) {
			double ratio = lead_of(STREAM_RING, lines, d);

			rows++;
			below += ratio < 1;
			if (!least || ratio < least) {
				least = ratio;
				at_lines = lines;
				at_depth = BENCH_DEPTH(d);
			}
		}
	}
	snprintf(text, sizeof(text),
		 "least of all rows (%u bytes, depth %u; %u of %u below 1)",
		 at_lines * BENCH_LINE, at_depth, below, rows);
	judge(text, least, 1, false);
}

void bench_report(const struct bench_results *measured)
{
	static const char *const name[] = {
		"the cores were near each other", "the cores were far apart",
	};
	const struct series *one = measured->trip[ONE_LINE].ns;
	int class, classes = series_classify(one);

	results = measured;
	for (class = 0; class < classes; class++) {
		series_choose(classes == 1 ? -1 : class);
		printf("\n== %d rounds", series_count(one));
		if (classes > 1)
			printf(" in which %s", name[class]);
		printf(": one line, one way, %.0f ns ==\n",
		       series_percentile(one, 50) / 2);
		if (classes > 1 && series_count(one) < ENOUGH) {
			printf("too few\n");
			continue;
		}
		print_trips();
		print_streams();
		print_aims();
	}
	series_choose(-1);
}
