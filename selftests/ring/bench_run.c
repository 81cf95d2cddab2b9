// SPDX-License-Identifier: GPL-2.0
/*
 * What is measured, and in which order: rounds of one trial for each contender.
 *
 * How polls are spaced is chosen for each contender anew in each round, by short
 * trials: what is best depends on how far apart the cores are, and where the
 * cores are virtual that changes while one measures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_run.h"
#include "bench_stats.h"

#define TRIPS		800
#define WARM_TRIPS	150

/* Short trials. */
#define PROBE		120
#define PROBE_WARM	30
#define PROBE_STREAM	1200

static const struct {
	const struct contender *list;
	const char *name;
	const char *label;
	bool dense;
} trips[BENCH_TRIPS] = {
	[ONE_LINE] = { raw_contenders, "raw_one_line", NULL, false },
	[FULL_LINE] = { raw_contenders, "raw_full_line", NULL, false },
	[TWO_LINES] = { raw_contenders, "raw_two_lines", NULL, false },
	[TWO_LINES_DENSE] = { raw_contenders, "raw_two_lines",
			      "raw_two_lines_dense", true },
	[INPLACE_0] = { ring_contenders, "inplace_0_words", NULL, false },
	[INPLACE_1] = { ring_contenders, "inplace_1_word", NULL, false },
	[INPLACE_7] = { ring_contenders, "inplace_7_words", NULL, false },
	[RING] = { ring_contenders, "ring", NULL, false },
	[RING_DENSE] = { ring_contenders, "ring", "ring_dense", true },
	[CK] = { ck_contenders, "ck_ring", NULL, false },
	[DPDK] = { dpdk_contenders, "rte_ring", NULL, false },
};

static const struct {
	const struct contender *list;
	const char *name;
} streamers[BENCH_STREAMERS] = {
	[STREAM_RING] = { ring_contenders, "ring" },
	[STREAM_LOOK] = { ring_contenders, "ring_look" },
	[STREAM_CK] = { ck_contenders, "ck_ring" },
	[STREAM_DPDK] = { dpdk_contenders, "rte_ring" },
	[STREAM_DPDK_ZC] = { dpdk_contenders, "rte_ring_zc" },
	[STREAM_RAW] = { raw_contenders, "raw_stream" },
	[STREAM_RAW_AHEAD] = { raw_contenders, "raw_stream_ahead" },
};

static struct bench_results results;

const struct contender *bench_find(const struct contender *list,
				   const char *name, bool stream)
{
	for (; list->name; list++)
		if ((!name || !strcmp(list->name, name)) &&
		    list->stream == stream)
			return list;
	return NULL;
}

static const struct contender *streamer(u32 s)
{
	return bench_find(streamers[s].list, streamers[s].name, true);
}

static void prepare(void)
{
	u32 i, s, lines, d;

	for (i = 0; i < BENCH_TRIPS; i++) {
		struct bench_trip_results *r = &results.trip[i];
		const char *label = trips[i].label;

		if (!bench_find(trips[i].list, trips[i].name, false))
			continue;
		if (!label)
			label = trips[i].name;
		r->ns = series_new("ring_round_trip", label, "round_trip", "ns",
				   BENCH_LINE);
		if (trips[i].dense)
			continue;
		r->first = series_new("ring_poll", label, "first", "pauses",
				      BENCH_LINE);
		r->pause = series_new("ring_poll", label, "between", "pauses",
				      BENCH_LINE);
	}
	for (s = 0; s < BENCH_STREAMERS; s++) {
		const struct contender *c = streamer(s);

		for (d = 0; c && d < BENCH_DEPTHS; d++) {
			char test[32];

			snprintf(test, sizeof(test), "ring_stream_%u",
				 BENCH_DEPTH(d));
			for (lines = 1; lines <= BENCH_LINES; lines++)
				results.stream[s][lines][d] =
					series_new(test, c->name, "message",
						   "ns", lines * BENCH_LINE);
		}
	}
}

static void round_trips(int round)
{
	static const u32 first[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16,
	};
	static const u32 pause[] = { 0, 1, 2, 4 };
	struct plan choice[48];
	u32 i;

	for (i = 0; i < 48; i++)
		choice[i] = (struct plan){
			.n = PROBE, .warm = PROBE_WARM,
			.first = first[i / 4], .pause = pause[i % 4],
		};
	for (i = 0; i < BENCH_TRIPS; i++) {
		struct bench_trip_results *r = &results.trip[i];
		struct plan plan = {
			.n = TRIPS, .warm = WARM_TRIPS, .lines = 1,
		};
		const struct contender *c;

		if (!r->ns)
			continue;
		c = bench_find(trips[i].list, trips[i].name, false);
		if (r->first) {
			bench_space(c, &plan, choice, 48, round);
			series_add(r->first, round, plan.first);
			series_add(r->pause, round, plan.pause);
		}
		series_add(r->ns, round, bench_trial(c, &plan, round));
	}
}

/* Spacing is chosen for short messages and for long ones. */
#define LONG		3	/* lines, at least */
#define LONG_PROBE	5	/* lines of those that it is chosen for */

static void space_streams(struct plan (*space)[2], u32 d, const struct plan *choice,
			  int round)
{
	u32 s, longs;

	for (s = 0; s < BENCH_STREAMERS; s++) {
		for (longs = 0; longs < 2; longs++) {
			space[s][longs] = (struct plan){
				.lines = longs ? LONG_PROBE : 1,
				.depth = BENCH_DEPTH(d),
			};
			if (results.stream[s][1][d])
				bench_space(streamer(s), &space[s][longs], choice,
					    4, round);
		}
	}
}

static void streams(int round)
{
	static const u32 pause[] = { 0, 2, 8, 16 };
	u32 i, s, lines, d;

	for (d = 0; d < BENCH_DEPTHS; d++) {
		struct plan space[BENCH_STREAMERS][2];
		struct plan choice[4];

		for (i = 0; i < 4; i++)
			choice[i] = (struct plan){
				.n = PROBE_STREAM,
				.warm = 4 * BENCH_DEPTH(d) + 64,
				.pause = pause[i],
			};
		space_streams(space, d, choice, round);
		for (lines = 1; lines <= BENCH_LINES; lines++) {
			for (s = 0; s < BENCH_STREAMERS; s++) {
				struct plan plan = space[s][lines >= LONG];

				if (!results.stream[s][lines][d])
					continue;
				plan.lines = lines;
				plan.warm = choice[0].warm;
				plan.n = d < 2 ? 600 : 1000 + 5000 / lines;
				series_add(results.stream[s][lines][d], round,
					   bench_trial(streamer(s), &plan,
						       round));
			}
		}
	}
}

void bench_run(int seconds)
{
	double until = bench_seconds() + seconds;
	int round;

	prepare();
	for (round = 0; !round || bench_seconds() < until; round++) {
		round_trips(round);
		streams(round);
	}
	bench_report(&results);
	bench_pages();
}
