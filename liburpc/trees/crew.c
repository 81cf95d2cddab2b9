// SPDX-License-Identifier: GPL-2.0
/*
 * See crew.h.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crew.h"

/* Looks between two at the clock, and at the others. */
#define POLLS		1024

#define CLOCK_LOOKS	10000

/* What one thread is told. */
struct hand {
	pthread_t thread;
	struct crew *crew;
	unsigned int member;
	int cpu;
	crew_fn fn;
	void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of errors */

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int crew_fail(struct crew *crew, int error, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&lock);
	if (!crew->error) {
		crew->error = error;
		va_start(args, format);
		vsnprintf(crew->text, sizeof(crew->text), format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&lock);
	WRITE_ONCE(crew->stop, 1);
	return error;
}

int crew_pause(struct crew *crew, struct crew_wait *wait)
{
	u64 now;

	if (crew->yields)
		sched_yield();
	else
		cpu_relax();
	if (++wait->polls % POLLS)
		return 0;
	if (READ_ONCE(crew->stop))
		return -ECANCELED;
	now = now_ns();
	if (!wait->until_ns)
		wait->until_ns = now + crew->patience_ms * 1000000ull;
	return now < wait->until_ns ? 0 : -ETIMEDOUT;
}

static int bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static void *work(void *arg)
{
	struct hand *hand = arg;
	struct crew *crew = hand->crew;
	int ret = crew->yields ? 0 : bind_to(hand->cpu);

	if (ret)
		crew_fail(crew, ret, "CPU %d cannot be used", hand->cpu);
	else
		ret = hand->fn(crew, hand->member, hand->arg);
	/* Who was told to stop has nothing to say. */
	if (ret && ret != -ECANCELED)
		crew_fail(crew, ret, "member %u: %s", hand->member, strerror(-ret));
	return NULL;
}

int crew_run(struct crew *crew, const int *cpu, unsigned int nr, crew_fn fn, void *arg)
{
	struct hand *hand = calloc(nr, sizeof(*hand));
	unsigned int i, started;
	int ret = 0;

	crew->stop = 0;
	crew->error = 0;
	crew->text[0] = '\0';
	if (!hand)
		return crew_fail(crew, -ENOMEM, "no memory");
	for (started = 0; started < nr && !ret; started += !ret) {
		hand[started] = (struct hand){
			.crew = crew, .member = started, .fn = fn, .arg = arg,
			.cpu = crew->yields ? -1 : cpu[started],
		};
		ret = -pthread_create(&hand[started].thread, NULL, work, &hand[started]);
	}
	if (ret)
		crew_fail(crew, ret, "a thread: %s", strerror(-ret));
	for (i = 0; i < started; i++)
		pthread_join(hand[i].thread, NULL);
	free(hand);
	return crew->error;
}

u64 crew_overhead(void)
{
	static u64 least;
	u64 start, span;
	int i;

	for (i = 0; !least && i < CLOCK_LOOKS; i++)
		crew_cycles();
	for (i = 0; i < CLOCK_LOOKS; i++) {
		start = crew_cycles();
		span = crew_cycles() - start;
		if (!least || span < least)
			least = span;
	}
	return least;
}
