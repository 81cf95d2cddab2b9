// SPDX-License-Identifier: GPL-2.0
/*
 * See costs.h. Two threads and a channel. The sender sends k messages without a pause,
 * k = 1 to 8 in turn, since store buffers hide the first ones; when it has, it says
 * so, and the receiver takes them, which are all there by then. Neither waits for the
 * other while it is timed. What a send costs is an eighth of 8, what a receive costs
 * is that of one. Then there are round trips.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "costs.h"
#include "urpc.h"

#define BURST		MK_PLAN_BURST
#define BURST_MOST	4096	/* the planner's */

/* Taken before those that count: this part of them. */
#define WARM_UP		8

/* Lines of a channel. */
#define SLOTS		64

/**
 * struct pairing - two at it
 * @side: both sides of the channel
 * @samples: of each burst
 * @warm_up: of them that are not kept
 * @overhead: of a look at the clock
 * @cycles: of sender and receiver, by size, by sample
 * @trip: round trips, by sample
 * @done: bursts that each is done with, on lines of their own
 */
struct pairing {
	struct urpc_channel *side[2];
	unsigned int samples, warm_up;
	u64 overhead;
	u64 *cycles[2][BURST];
	u64 *trip;
	struct {
		unsigned int turn;
	} __attribute__((aligned(128))) done[2];
};

static int by_size(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

void costs_sort(u64 *cycles, unsigned int n)
{
	qsort(cycles, n, sizeof(*cycles), by_size);
}

u64 costs_rank(const u64 *sorted, unsigned int n, unsigned int percent)
{
	return sorted[((u64)n * percent + 99) / 100 - 1];
}

/* --- two threads --------------------------------------------------------------- */

static int until_done(struct crew *crew, struct pairing *p, int side, unsigned int turn)
{
	struct crew_wait wait = { 0 };
	int ret = 0;

	/* Pairs with the release of say_done(). */
	while (!ret && smp_load_acquire(&p->done[side].turn) != turn)
		ret = crew_pause(crew, &wait);
	return ret;
}

/* All that this side did before is seen by who sees this. */
static void say_done(struct pairing *p, int side, unsigned int turn)
{
	/* Pairs with the acquire of until_done(). */
	smp_store_release(&p->done[side].turn, turn);
}

static void keep(struct pairing *p, int side, unsigned int burst, u64 start, u64 end)
{
	unsigned int sample = burst / BURST;

	if (sample >= p->warm_up)
		p->cycles[side][burst % BURST][sample - p->warm_up] =
			crew_span(start, end, p->overhead);
}

static int send_burst(struct pairing *p, unsigned int burst)
{
	static const u64 data;
	struct urpc_message message;
	unsigned int k = burst % BURST + 1, i;
	u64 start, end;
	int ret = 0;

	/* The credit for what was taken, which is no part of sending. */
	while (urpc_recv(p->side[0], &message) > 0)
		;
	start = crew_cycles();
	for (i = 0; i < k; i++)
		ret |= urpc_send(p->side[0], 0, &data, sizeof(data));
	end = crew_cycles();
	keep(p, 0, burst, start, end);
	return ret ? -EIO : 0;
}

static int receive_burst(struct pairing *p, unsigned int burst)
{
	struct urpc_message message;
	unsigned int k = burst % BURST + 1, got = 0, i;
	u64 start, end;

	start = crew_cycles();
	for (i = 0; i < k; i++)
		got += urpc_recv(p->side[1], &message) == 1;
	end = crew_cycles();
	keep(p, 1, burst, start, end);
	return got == k ? 0 : -EIO;
}

static int hear(struct crew *crew, struct urpc_channel *channel)
{
	struct urpc_message message;
	struct crew_wait wait = { 0 };
	int got, ret = 0;

	while (!(got = urpc_recv(channel, &message)) && !ret)
		ret = crew_pause(crew, &wait);
	return got < 0 ? got : got ? 0 : ret;
}

static int trip(struct crew *crew, struct pairing *p, unsigned int i)
{
	static const u64 data;
	u64 start = crew_cycles(), end;
	int ret;

	ret = urpc_send(p->side[0], 0, &data, sizeof(data));
	if (!ret)
		ret = hear(crew, p->side[0]);
	end = crew_cycles();
	if (i >= p->warm_up)
		p->trip[i - p->warm_up] = crew_span(start, end, p->overhead);
	return ret;
}

static int echo(struct crew *crew, struct pairing *p)
{
	static const u64 data;
	int ret = hear(crew, p->side[1]);

	return ret ? ret : urpc_send(p->side[1], 0, &data, sizeof(data));
}

static int pair_member(struct crew *crew, unsigned int member, void *arg)
{
	struct pairing *p = arg;
	unsigned int all = p->warm_up + p->samples, i;
	int ret = 0;

	for (i = 0; i < all * BURST && !ret; i++) {
		/* What was not taken yet has no burst behind it. */
		ret = member ? until_done(crew, p, 0, i + 1) : send_burst(p, i);
		if (!ret && member)
			ret = receive_burst(p, i);
		say_done(p, member, i + 1);
		if (!ret && !member)
			ret = until_done(crew, p, 1, i + 1);
	}
	for (i = 0; i < all && !ret; i++)
		ret = member ? echo(crew, p) : trip(crew, p, i);
	return ret;
}

/* --- what was found --------------------------------------------------------------- */

/*
 * The error of a median as it is for samples that are spread normally, from the
 * quartiles, so that a few that were interrupted do not count.
 */
static struct found find(u64 *cycles, unsigned int n, unsigned int messages)
{
	costs_sort(cycles, n);
	return (struct found){
		.cycles = (double)cycles[n / 2] / messages,
		.error = 0.929 * (double)(cycles[3 * n / 4] - cycles[n / 4]) /
			 sqrt(n) / messages,
	};
}

static u32 whole(struct found found)
{
	return found.cycles < MK_PLAN_COST ? (u32)(found.cycles + 0.5) : MK_PLAN_COST;
}

/* Factors of one pair, added to the sums of all. */
static void add_burst(struct pairing *p, double sum[BURST])
{
	double all = (double)p->cycles[0][BURST - 1][p->samples / 2];
	double last = 0, now;
	unsigned int k;

	for (k = 0; k < BURST; k++) {
		costs_sort(p->cycles[0][k], p->samples);
		now = (double)p->cycles[0][k][p->samples / 2];
		sum[k] += all > 0 ? (now - last) * BURST / all : 1;
		last = now;
	}
}

static void set_burst(struct costs *costs, const double sum[BURST], unsigned int pairs)
{
	double factor;
	unsigned int k;

	for (k = 0; k < BURST; k++) {
		factor = sum[k] / pairs * 1024 + 0.5;
		costs->burst[k] = factor < 1 ? 1 : factor > BURST_MOST ? BURST_MOST :
				  (u16)factor;
	}
}

static int measure_pair(struct costs *costs, struct crew *crew, struct pairing *p,
			unsigned int u, unsigned int v)
{
	const struct urpc_options options = {
		.slots = SLOTS, .flags = URPC_NEVER_WAKE,
	};
	const int cpu[2] = { costs->cpu[u], costs->cpu[v] };
	unsigned int at = u * costs->nr + v;
	int ret, i;

	ret = urpc_pair(&options, p->side);
	if (ret)
		return crew_fail(crew, ret, "a channel: %s", strerror(-ret));
	p->done[0].turn = 0;
	p->done[1].turn = 0;
	ret = crew_run(crew, cpu, 2, pair_member, p);
	for (i = 0; i < 2; i++)
		urpc_close(p->side[i]);
	if (ret)
		return ret;
	costs->found_send[at] = find(p->cycles[0][BURST - 1], p->samples, BURST);
	costs->found_receive[at] = find(p->cycles[1][0], p->samples, 1);
	costs->found_trip[at] = find(p->trip, p->samples, 1);
	costs->send[at] = whole(costs->found_send[at]);
	costs->receive[at] = whole(costs->found_receive[at]);
	return 0;
}

/* See @trips in costs.h. A send that is alone is the first in a row. */
static void charge_receivers(struct costs *costs)
{
	unsigned int i;

	for (i = 0; i < costs->nr * costs->nr; i++) {
		double send = costs->found_send[i].cycles * costs->burst[0] / 1024;
		double half = costs->found_trip[i].cycles / 2;

		costs->found_receive[i] = (struct found){
			.cycles = half > send ? half - send : 0,
			.error = costs->found_trip[i].error / 2,
		};
		costs->receive[i] = whole(costs->found_receive[i]);
	}
}

int costs_measure(struct costs *costs, struct crew *crew, unsigned int samples,
		  bool trips)
{
	struct pairing p = {
		.samples = samples, .warm_up = samples / WARM_UP,
		.overhead = crew_overhead(),
	};
	double sum[BURST] = { 0 };
	unsigned int u, v, i;
	u64 *cycles;
	int ret = 0;

	cycles = calloc((size_t)samples * (2 * BURST + 1), sizeof(*cycles));
	if (!cycles)
		return crew_fail(crew, -ENOMEM, "no memory");
	for (i = 0; i < 2 * BURST; i++)
		p.cycles[i / BURST][i % BURST] = cycles + (size_t)i * samples;
	p.trip = cycles + (size_t)2 * BURST * samples;
	for (u = 0; u < costs->nr && !ret; u++) {
		for (v = 0; v < costs->nr && !ret; v++) {
			if (u == v)
				continue;
			ret = measure_pair(costs, crew, &p, u, v);
			if (!ret)
				add_burst(&p, sum);
		}
	}
	free(cycles);
	if (!ret && costs->nr > 1)
		set_burst(costs, sum, costs->nr * (costs->nr - 1));
	if (!ret && trips)
		charge_receivers(costs);
	return ret;
}

void costs_make_up(struct costs *costs, unsigned int per_node)
{
	unsigned int u, v, k;

	for (u = 0; u < costs->nr; u++) {
		costs->cpu[u] = (int)u;
		costs->node[u] = u / per_node;
		for (v = 0; v < costs->nr; v++) {
			bool near = u / per_node == v / per_node;

			/* Not one like the other, so that strategies differ. */
			costs->send[u * costs->nr + v] = (near ? 40 : 90) + (3 * u + v) % 7;
			costs->receive[u * costs->nr + v] =
				(near ? 80 : 400) + (u + 5 * v) % 31;
		}
	}
	for (k = 0; k < BURST; k++)
		costs->burst[k] = 1024;
}

/* --- memory and files --------------------------------------------------------------- */

int costs_alloc(struct costs *costs, unsigned int nr)
{
	size_t pairs = (size_t)nr * nr;

	*costs = (struct costs){
		.nr = nr,
		.cpu = calloc(nr, sizeof(*costs->cpu)),
		.node = calloc(nr, sizeof(*costs->node)),
		.send = calloc(pairs, sizeof(*costs->send)),
		.receive = calloc(pairs, sizeof(*costs->receive)),
		.found_send = calloc(pairs, sizeof(struct found)),
		.found_receive = calloc(pairs, sizeof(struct found)),
		.found_trip = calloc(pairs, sizeof(struct found)),
	};
	return costs->cpu && costs->node && costs->send && costs->receive &&
	       costs->found_send && costs->found_receive && costs->found_trip ?
	       0 : -ENOMEM;
}

void costs_free(struct costs *costs)
{
	free(costs->cpu);
	free(costs->node);
	free(costs->send);
	free(costs->receive);
	free(costs->found_send);
	free(costs->found_receive);
	free(costs->found_trip);
}

static FILE *open_in(const char *dir, const char *name)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(path, "w");
}

static int write_pairs(const struct costs *costs, const char *dir, const char *name,
		       const struct found *found)
{
	FILE *file = open_in(dir, name);
	unsigned int u, v;

	if (!file)
		return -errno;
	fputs("# src dst cycles stderr\n", file);
	for (u = 0; u < costs->nr; u++)
		for (v = 0; v < costs->nr; v++)
			if (u != v)
				fprintf(file, "%d %d %.3f %.3f\n", costs->cpu[u],
					costs->cpu[v], found[u * costs->nr + v].cycles,
					found[u * costs->nr + v].error);
	return fclose(file) ? -errno : 0;
}

int costs_write(const struct costs *costs, const char *dir)
{
	unsigned int u;
	FILE *file;
	int ret;

	ret = write_pairs(costs, dir, "send", costs->found_send);
	if (!ret)
		ret = write_pairs(costs, dir, "receive", costs->found_receive);
	if (!ret)
		ret = write_pairs(costs, dir, "rtt", costs->found_trip);
	if (ret)
		return ret;
	file = open_in(dir, "nodes");
	if (!file)
		return -errno;
	for (u = 0; u < costs->nr; u++)
		fprintf(file, "%d %u\n", costs->cpu[u], costs->node[u]);
	return fclose(file) ? -errno : 0;
}
