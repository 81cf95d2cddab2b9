// SPDX-License-Identifier: GPL-2.0
/*
 * Measures the contenders side by side: two threads pinned to two CPUs, one
 * short trial of each contender a round, another placement in memory each round,
 * so that drift, neighbours and pages hit all alike. A trial in which either
 * thread lost its CPU is taken again.
 *
 *	ring_bench CSV [SECONDS]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "bench_run.h"
#include "bench_stats.h"

#define PLACEMENTS	48
#define RETRIES		6
#define LIMIT_S		60

/**
 * struct runner - the two threads
 * @thread: the one that answers
 * @cpu: of the initiator and of the other
 * @job: what the other is to run; counts up
 * @done: the last job that it has run
 * @contender: of that job
 * @trial: of that job
 * @ok: what it returned
 * @switched: the other lost its CPU during it
 */
static struct runner {
	pthread_t thread;
	int cpu[2];
	struct {
		u64 job;
		const struct contender *contender;
		struct trial *trial;
	} __aligned(128);
	struct {
		u64 done;
		bool ok;
		bool switched;
	} __aligned(128);
} runner;

static char *arena;
static double ns_per_tick;
static unsigned long trials, retaken, given_up;

void bench_die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("sched_setaffinity");
	/* Neighbours should not count; nothing is lost where this may not be. */
	if (setpriority(PRIO_PROCESS, 0, -20))
		return;
}

static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw + usage.ru_nvcsw;
}

static void *other(void *arg)
{
	u64 job = 0;

	(void)arg;
	pin(runner.cpu[1]);
	for (;;) {
		long before = switches();

		while (__atomic_load_n(&runner.job, __ATOMIC_ACQUIRE) == job)
			bench_pause(16);
		if (!runner.contender)
			return NULL;
		job++;
		before = switches();
		runner.ok = runner.contender->pong(runner.trial);
		runner.switched = switches() != before;
		__atomic_store_n(&runner.done, job, __ATOMIC_RELEASE);
	}
}

static void start(const struct contender *contender, struct trial *t)
{
	runner.contender = contender;
	runner.trial = t;
	__atomic_store_n(&runner.job, runner.job + 1, __ATOMIC_RELEASE);
}

/* One undisturbed trial: ns for each operation, or 0. */
static double trial(const struct contender *contender, const struct plan *plan,
		    int placement)
{
	char *base = arena + (size_t)placement * 2 * BENCH_REGION;
	int try;

	for (try = 0; try < RETRIES; try++) {
		struct trial t __aligned(128) = {
			.fwd = base,
			.back = base + BENCH_REGION,
			.n = plan->warm + plan->n,
			.warm = plan->warm,
			.lines = plan->lines,
			.depth = plan->depth,
			.first = plan->first,
			.pause = plan->pause,
		};
		long before;
		bool ok;

		memset(base, 0, 2 * BENCH_REGION);
		ok = !contender->init || contender->init(&t);
		before = switches();
		start(contender, &t);
		ok &= contender->ping(&t);
		while (__atomic_load_n(&runner.done, __ATOMIC_ACQUIRE) !=
		       runner.job)
			bench_pause(16);
		if (!ok || !runner.ok) {
			fprintf(stderr, "%s garbled a message\n",
				contender->name);
			exit(EXIT_FAILURE);
		}
		trials++;
		if (!runner.switched && switches() == before)
			return (t.end - t.start) * ns_per_tick / plan->n;
		retaken++;
	}
	given_up++;
	return 0;
}

double bench_trial(const struct contender *contender, const struct plan *plan,
		   int round)
{
	return trial(contender, plan, round % PLACEMENTS);
}

int bench_placements(void)
{
	return PLACEMENTS;
}

double bench_page(const struct contender *contender, const struct plan *plan,
		  int page)
{
	return trial(contender, plan, page);
}

/* A choice that was so much slower than the best is not tried again. */
#define WORSE		1.2

void bench_space(const struct contender *contender, struct plan *plan,
		 const struct plan *choice, int n, int round)
{
	double once[BENCH_CHOICES], twice, least = 0, best = 0;
	int i, pass;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < n; i++) {
			struct plan p = *plan;
			double ns;

			if (pass && (!once[i] || once[i] > WORSE * least))
				continue;
			p.n = choice[i].n;
			p.warm = choice[i].warm;
			p.first = choice[i].first;
			p.pause = choice[i].pause;
			ns = bench_trial(contender, &p, round);
			if (!pass) {
				once[i] = ns;
				if (ns && (!least || ns < least))
					least = ns;
				continue;
			}
			/* One lucky trial does not make a good spacing. */
			twice = ns > once[i] ? ns : once[i];
			if (ns && (!best || twice < best)) {
				best = twice;
				plan->first = p.first;
				plan->pause = p.pause;
			}
		}
	}
}

double bench_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void measure_clock(void)
{
	struct timespec a, b;
	u64 t0, t1;

	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	t0 = bench_now();
	usleep(50000);
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	t1 = bench_now();
	ns_per_tick = ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) /
		      (t1 - t0);
}

static void choose_cpus(void)
{
	cpu_set_t set;
	int cpu, n = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		bench_die("sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			runner.cpu[n++] = cpu;
	if (n < 2) {
		fprintf(stderr, "two CPUs are needed\n");
		exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	size_t bytes = (size_t)PLACEMENTS * 2 * BENCH_REGION;
	int seconds = argc > 2 ? atoi(argv[2]) : 60;

	if (argc < 2 || seconds < 1) {
		fprintf(stderr, "usage: ring_bench CSV [SECONDS]\n");
		return EXIT_FAILURE;
	}
	alarm(2 * seconds + LIMIT_S);
	choose_cpus();
	measure_clock();
	/* Small pages: which of them a ring gets is part of what varies. */
	arena = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		bench_die("mmap");
	madvise(arena, bytes, MADV_NOHUGEPAGE);
	pin(runner.cpu[0]);
	memset(arena, 0, bytes);
	if (pthread_create(&runner.thread, NULL, other, NULL))
		bench_die("pthread_create");

	bench_run(seconds);

	start(NULL, NULL);
	pthread_join(runner.thread, NULL);
	printf("\n%lu trials, %lu taken again because a thread lost its CPU, %lu given up\n",
	       trials, retaken, given_up);
	return series_write(argv[1], runner.cpu[0], runner.cpu[1], arena) ?
	       EXIT_FAILURE : EXIT_SUCCESS;
}
