/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crew: threads that do one thing together, each on a CPU of its own, and waits
 * among them that end.
 *
 * They poll, so there are never more of them than CPUs. But for tests of what they
 * do, not of how long it takes, there may be: then nobody is bound, and who waits
 * gives way.
 */
#ifndef URPC_TREES_CREW_H
#define URPC_TREES_CREW_H

#include <stdbool.h>

#include "urpc/user.h"

/**
 * struct crew - who does it, and how it went
 * @yields: there may be more of them than CPUs
 * @patience_ms: who waits longer for the others gives up
 * @stop: somebody has given up: nobody goes on
 * @error: of who was the first to
 * @text: what it was about
 */
struct crew {
	bool yields;
	unsigned int patience_ms;
	int stop;
	int error;
	char text[160];
};

/**
 * struct crew_wait - one wait; all zeroes when it begins
 * @polls: looks so far
 * @until_ns: when it has been too long; 0 until somebody has looked at the clock
 */
struct crew_wait {
	unsigned int polls;
	u64 until_ns;
};

typedef int (*crew_fn)(struct crew *crew, unsigned int member, void *arg);

/**
 * crew_run() - have some threads do something
 * @crew: its error is that of this run
 * @cpu: of each of them; not looked at if the crew yields
 * @nr: how many
 * @fn: what each does, with its number; 0 or a negative errno
 * @arg: for @fn
 *
 * Return: when all have returned, 0 or the error of the first that failed.
 */
int crew_run(struct crew *crew, const int *cpu, unsigned int nr, crew_fn fn, void *arg);

/**
 * crew_pause() - what has to be between two looks at something
 * @crew: the caller's
 * @wait: its wait
 *
 * Return: 0 to look again; -ETIMEDOUT if that has been done for too long, -ECANCELED
 * if another one has given up.
 */
int crew_pause(struct crew *crew, struct crew_wait *wait);

/**
 * crew_fail() - give up, and say why
 * @crew: the caller's
 * @error: a negative errno
 * @format: for people; kept if nobody has said anything before
 *
 * Return: @error.
 */
int crew_fail(struct crew *crew, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* In the order in which it stands in the program; cycles of one CPU's clock. */
static inline u64 crew_cycles(void)
{
	u64 cycles;

	__builtin_ia32_lfence();
	cycles = __builtin_ia32_rdtsc();
	__builtin_ia32_lfence();
	return cycles;
}

/* What a look at the clock costs, at least; measured by the first to ask. */
u64 crew_overhead(void);

/* Cycles from one look at the clock to another, without what that costs. */
static inline u64 crew_span(u64 start, u64 end, u64 overhead)
{
	return end - start > overhead ? end - start - overhead : 0;
}

#endif /* URPC_TREES_CREW_H */
