// SPDX-License-Identifier: GPL-2.0
/*
 * The planner as its callers see it: what it refuses, and the memory it is lent.
 * Says what does not hold on stdout, and exits with 1 if anything does not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "urpc/plan.h"

#define CORES	8
#define MARK	0x5a

static int failed;

static void check(int good, const char *what)
{
	if (good)
		return;
	printf("does not hold: %s\n", what);
	failed = 1;
}

#define CHECK(condition) check(condition, #condition)

static u32 costs[CORES * CORES];
static u16 nodes[CORES], members[CORES];
static struct mk_plan_machine machine;
static struct mk_plan_task task;
static struct mk_plan_hop broadcast[CORES], gather[CORES];
static struct mk_plan plan;
static char *memory;

/* A machine on which all cost the same, the task both, and a star for a tree. */
static void reset(void)
{
	unsigned int i;

	for (i = 0; i < CORES * CORES; i++)
		costs[i] = 10;
	for (i = 0; i < CORES; i++) {
		nodes[i] = i / 4;
		members[i] = i;
		broadcast[i] = (struct mk_plan_hop){ .core = i };
		gather[i] = broadcast[i];
	}
	machine = (struct mk_plan_machine){
		.cores = CORES, .send = costs, .receive = costs, .node = nodes,
	};
	task = (struct mk_plan_task){
		.machine = &machine, .op = MK_PLAN_BOTH, .nr = CORES, .member = members,
	};
	plan = (struct mk_plan){ .broadcast = broadcast, .gather = gather };
}

static int score(void)
{
	int ret = mk_plan_score(&task, memory, &plan);

	reset();
	return ret;
}

static int make(void)
{
	int ret = mk_plan_make(&task, memory, &plan);

	reset();
	return ret;
}

static void trees(void)
{
	reset();
	CHECK(!mk_plan_score(&task, memory, &plan));
	/* seven sends, and what then waits for the root: seven receives */
	CHECK(plan.cycles == 70 + 70);
	broadcast[0].core = 1;
	CHECK(score() == -EINVAL);
	broadcast[0].core = MK_PLAN_CORES;
	CHECK(score() == -EINVAL);
	broadcast[3].core = 2;
	CHECK(score() == -EINVAL);
	broadcast[3].core = 0;
	CHECK(score() == -EINVAL);
	gather[3].core = CORES;
	CHECK(score() == -EINVAL);
	gather[3].core = 0xffff;
	CHECK(score() == -EINVAL);
	gather[3].parent = 3;
	CHECK(score() == -EINVAL);
	gather[3].parent = 0xffff;
	CHECK(score() == -EINVAL);
	plan.gather = NULL;
	CHECK(score() == -EINVAL);
	plan.gather = NULL;
	task.op = MK_PLAN_BROADCAST;
	CHECK(!score());
	costs[3] = MK_PLAN_NO_LINK;
	CHECK(score() == -ENETUNREACH);
}

static void tasks(void)
{
	static const u16 burst[MK_PLAN_BURST] = { [7] = 4097 };

	reset();
	task.nr = 0;
	CHECK(make() == -EINVAL);
	task.nr = CORES + 1;
	CHECK(make() == -EINVAL);
	task.op = MK_PLAN_OPS;
	CHECK(make() == -EINVAL);
	members[3] = 4;
	CHECK(make() == -EINVAL);
	members[3] = CORES;
	CHECK(make() == -EINVAL);
	machine.cores = MK_PLAN_CORES + 1;
	CHECK(make() == -EINVAL);
	costs[3] = MK_PLAN_COST + 1;
	CHECK(make() == -ERANGE);
	costs[3] = MK_PLAN_COST;
	CHECK(!make());
	machine.burst = burst;
	CHECK(make() == -ERANGE);
	task.hurry = MK_PLAN_HURRY + 1;
	CHECK(make() == -EINVAL);
	task.hurry = MK_PLAN_HURRY;
	CHECK(!make());
	CHECK(mk_plan_by(&task, MK_PLAN_STRATEGIES, memory, &plan) == -EINVAL);
}

/* What is not planned for is not looked at, and nothing is written outside. */
static void bounds(void)
{
	size_t bytes = mk_plan_bytes(CORES), i;
	u64 cycles;
	char *lent;

	reset();
	CHECK(!mk_plan_make(&task, memory, &plan));
	cycles = plan.cycles;
	lent = malloc(bytes + 64);
	for (i = 0; i < bytes + 64; i++)
		lent[i] = MARK;
	CHECK(!mk_plan_make(&task, lent, &plan));
	CHECK(plan.cycles == cycles);
	for (i = bytes; i < bytes + 64; i++)
		CHECK(lent[i] == MARK);
	free(lent);
}

int main(void)
{
	memory = malloc(mk_plan_bytes(CORES));
	trees();
	tasks();
	bounds();
	free(memory);
	return failed;
}
