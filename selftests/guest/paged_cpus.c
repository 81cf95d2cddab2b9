// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that go and come while faults of paged regions wait for pagers: each fault is
 * served, or fails as was agreed, and nobody reads what was taken away; nodes all of
 * whose CPUs go keep their pagers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "paged_storm.h"
#include "paged_use.h"
#include "region_use.h"
#include "test.h"

#define NODES_MAX	8

/* What has to go on does so in this time, on the slowest machine. */
#define PATIENCE_S	60

FIXTURE(cpus)
{
	int fd, mirror;
	char *base;
	int nodes, cpus;
	int node[CPUS_MAX];	/* of each CPU */
	struct pager pager[NODES_MAX];
};

static void open_all(struct __test_metadata *_metadata,
		     FIXTURE_DATA(cpus) * self)
{
	uint64_t flags = MK_PAGED_AWAIT | (storm.local ? MK_PAGED_LOCAL : 0);
	uint32_t i;
	int n;

	self->fd = paged_open(PAGES, flags, LONG_MS);
	ASSERT_LE(0, self->fd);
	for (n = 0; n < self->nodes; n++)
		ASSERT_EQ(0, pager_join(&self->pager[n], self->fd, n, 0));
	for (n = 0; n < (storm.local ? self->nodes : 1); n++) {
		ASSERT_EQ(2 * n * PAGES, frame_get(self->fd, n, 2 * PAGES));
		for (i = 0; i < PAGES; i++)
			*frame_word(&self->pager[0], storm_frame(n, i, 0)) = 1;
	}
	self->base = region_map(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, self->base);
}

static void close_all(FIXTURE_DATA(cpus) * self)
{
	int n;

	for (n = 0; n < self->nodes; n++)
		pager_leave(&self->pager[n]);
	munmap(self->base, PAGES * PAGE);
	close(self->fd);
	self->fd = -1;
}

FIXTURE_SETUP(cpus)
{
	int n;

	self->fd = -1;
	self->mirror = -1;
	self->cpus = mk_cpus_possible();
	if (self->cpus > CPUS_MAX)
		self->cpus = CPUS_MAX;
	self->nodes = nr_nodes();
	if (self->nodes < 2 || self->nodes > NODES_MAX)
		SKIP(return, "one node, or too many");
	for (n = 0; n < self->cpus; n++)
		self->node[n] = run_on(n);
	ASSERT_EQ(0, run_on(0));
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	open_all(_metadata, self);
}

FIXTURE_TEARDOWN(cpus)
{
	mk_cpus_all_online();
	if (self->fd >= 0)
		close_all(self);
	if (self->mirror >= 0)
		close(self->mirror);
	EXPECT_TRUE(mk_monitors_become(mk_cpus_online()));
	EXPECT_TRUE(mk_becomes("pagers/regions", 0));
	EXPECT_TRUE(mk_becomes("pagers/count", 0));
	EXPECT_TRUE(mk_becomes("pagers/bytes", 0));
	EXPECT_NOTHING_LEFT();
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

static uint64_t word(const char *base, uint32_t page)
{
	return *(volatile uint64_t *)(base + page * PAGE);
}

static void start_pagers(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cpus) * self)
{
	int n;

	for (n = 0; n < self->nodes; n++)
		ASSERT_EQ(0, pager_start(&self->pager[n], storm_serve));
}

static void stop_pagers(FIXTURE_DATA(cpus) * self)
{
	int n;

	for (n = 0; n < self->nodes; n++)
		pager_stop(&self->pager[n]);
}

/* All CPUs of a node that is not the first. Return: 0 or a negative errno. */
static int node_set(const FIXTURE_DATA(cpus) * self, int node, bool online)
{
	int cpu, ret = 0;

	for (cpu = 0; cpu < self->cpus && !ret; cpu++)
		if (self->node[cpu] == node)
			ret = mk_cpu_set(cpu, online);
	return ret;
}

/* --- one fault ------------------------------------------------------------------ */

struct toucher {
	pthread_t thread;
	char *at;
	int cpu;
};

static void *touch_run(void *arg)
{
	struct toucher *toucher = arg;

	run_on(toucher->cpu);
	return (void *)(long)mk_touch(toucher->at, false);
}

static int signal_of(struct toucher *toucher)
{
	void *signal;

	pthread_join(toucher->thread, &signal);
	return (long)signal;
}

static void answer_one(struct pager *pager,
		       const struct mk_pager_request *request)
{
	struct mk_pager_answer answer = {
		.id = request->id, .seq = request->seq,
	};

	serve_same(pager, request, &answer);
	pager_answer(pager, &answer);
}

/* The CPU on which it came goes while a fault waits; and comes back before the next. */
TEST_F(cpus, its_cpu_goes)
{
	struct toucher toucher = { .at = self->base, .cpu = self->cpus - 1 };
	struct pager *pager = &self->pager[self->node[toucher.cpu]];
	struct mk_pager_request request;
	struct mk_paged_info seen;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		toucher.at = self->base + i * PAGE;
		ASSERT_EQ(0, pthread_create(&toucher.thread, NULL, touch_run,
					    &toucher));
		ASSERT_TRUE(pager_wait(pager, &request));
		EXPECT_EQ(i, request.page);
		EXPECT_EQ(toucher.cpu, request.cpu);
		EXPECT_EQ(0, mk_cpu_set(toucher.cpu, false));
		/* once it is off line, and once it is back */
		if (i % 2)
			EXPECT_EQ(0, mk_cpu_set(toucher.cpu, true));
		answer_one(pager, &request);
		EXPECT_EQ(0, signal_of(&toucher));
		EXPECT_EQ(1, word(self->base, i));
		mk_cpus_all_online();
	}
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(3, seen.served);
	EXPECT_EQ(0, seen.sigbus + seen.timeouts + seen.stale + seen.nonsense);
}

/* What waits at a node's pager when its last CPU goes is answered. */
TEST_F(cpus, its_node_goes)
{
	int node = self->nodes - 1;
	struct toucher toucher = { .at = self->base, .cpu = cpu_of(node) };
	struct mk_paged_unmap unmap = {
		.pages = PAGES, .op = MK_OP_UNMAP, .cpu = -1, .node = -1,
		.protocol = MK_PROTOCOL_ADAPTIVE,
		.flags = MK_PAGED_TELL | MK_PAGED_WAIT,
	};
	struct pager *pager = &self->pager[node], next;
	struct mk_pager_request request;
	unsigned int before;

	ASSERT_EQ(0, pthread_create(&toucher.thread, NULL, touch_run,
				    &toucher));
	ASSERT_TRUE(pager_wait(pager, &request));
	ASSERT_EQ(0, node_set(self, node, false));
	answer_one(pager, &request);
	EXPECT_EQ(0, signal_of(&toucher));

	/* the pager is told as before, wherever it runs */
	start_pagers(_metadata, self);
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	EXPECT_EQ(self->nodes, unmap.told);
	EXPECT_EQ(0, unmap.late);
	/* but there is no CPU there that could do it */
	unmap.cpu = toucher.cpu;
	EXPECT_RET(-ENODEV, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap),
		   "unmap");
	EXPECT_EQ(1, word(self->base, 0));

	/* it can be followed by another while its CPUs are away */
	ASSERT_EQ(0, pager_join(&next, self->fd, node, MK_PAGER_TAKE_OVER));
	pager_stop(pager);
	pager_leave(pager);
	*pager = next;
	ASSERT_EQ(0, pager_start(pager, storm_serve));
	ASSERT_EQ(0, node_set(self, node, true));
	EXPECT_TRUE(mk_monitors_become(mk_cpus_online()));
	before = pager->faults;
	ASSERT_EQ(0, pthread_create(&toucher.thread, NULL, touch_run,
				    &toucher));
	EXPECT_EQ(0, signal_of(&toucher));
	EXPECT_EQ(before, pager->faults);
	/* what is not known is asked for there again */
	unmap.cpu = -1;
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	ASSERT_EQ(0, pthread_create(&toucher.thread, NULL, touch_run,
				    &toucher));
	EXPECT_EQ(0, signal_of(&toucher));
	EXPECT_EQ(before + 1, pager->faults);
	stop_pagers(self);
}

/* --- many ------------------------------------------------------------------------ */

/* From the last to the second, so that whole nodes go; and back. */
static void all_go_and_come(struct __test_metadata *_metadata)
{
	int cpu;

	for (cpu = storm.cpus - 1; cpu > 0; cpu--) {
		EXPECT_RET(0, mk_cpu_set(cpu, false), "off line");
		EXPECT_TRUE(storm_goes_on(PATIENCE_S))
			TH_LOG("without CPU %d", cpu);
	}
	for (cpu = 1; cpu < storm.cpus; cpu++) {
		EXPECT_RET(0, mk_cpu_set(cpu, true), "on line");
		EXPECT_TRUE(storm_goes_on(PATIENCE_S))
			TH_LOG("with CPU %d", cpu);
	}
}

static void begin(struct __test_metadata *_metadata, FIXTURE_DATA(cpus) * self)
{
	storm.base = self->base;
	storm.pager = &self->pager[0];
	storm.fd = self->fd;
	storm.cpus = self->cpus;
	storm.nodes = self->nodes;
	start_pagers(_metadata, self);
	ASSERT_EQ(0, storm_begin());
}

static void storms(struct __test_metadata *_metadata,
		   FIXTURE_DATA(cpus) * self)
{
	unsigned int i, rounds = mk_rounds(6, 1);
	uint64_t reads = 0, signals = 0;
	struct mk_paged_info seen;
	int n;

	begin(_metadata, self);
	EXPECT_TRUE(storm_goes_on(PATIENCE_S));
	for (i = 0; i < rounds; i++)
		all_go_and_come(_metadata);
	storm_end();
	stop_pagers(self);
	for (n = 0; n < self->cpus; n++) {
		reads += storm.reader[n].reads;
		signals += storm.reader[n].signals;
	}
	for (n = 0; n < self->nodes; n++)
		EXPECT_LT(0, self->pager[n].faults);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	TH_LOG("%lu reads, %lu faults, %lu asked, %lu answers too late", reads,
	       (unsigned long)seen.faults, (unsigned long)seen.asked,
	       (unsigned long)(seen.stale + seen.timeouts));
	TH_LOG("%lu unmaps, %lu times the CPU was gone", storm.unmaps,
	       storm.gone);
	EXPECT_EQ(0, storm.stale);
	EXPECT_EQ(0, storm.error)
		TH_LOG("unmap: %s", mk_errname(storm.error));
	/* what fails, fails since the time that was agreed is over */
	EXPECT_EQ(seen.sigbus, signals);
	EXPECT_LE(seen.sigbus, seen.timeouts);
	EXPECT_EQ(0, seen.nobody + seen.nonsense + seen.refused);
}

TEST_F(cpus, storm)
{
	storms(_metadata, self);
}

/* With another frame on each node: which a thread that moves finds there. */
TEST_F(cpus, storm_of_local_frames)
{
	close_all(self);
	ASSERT_TRUE(mk_becomes("pagers/regions", 0));
	ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load_hooked());
	self->mirror = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->mirror);
	ASSERT_EQ(0, mk_ask(self->mirror, MK_IOC_MIRROR, NULL));
	storm.local = true;
	open_all(_metadata, self);
	storms(_metadata, self);
}

/* The same where one CPU is never told: that is seen. */
TEST_F(cpus, storm_sees_a_stale_page)
{
	double end = mk_seconds() + PATIENCE_S;
	bool online = true;

	storm.broken = MK_BROKEN_SKIP_TARGET;
	begin(_metadata, self);
	while (!__atomic_load_n(&storm.stale, __ATOMIC_RELAXED) &&
	       mk_seconds() < end) {
		online = !online;
		EXPECT_RET(0, mk_cpu_set(1, online), "CPU 1");
		mk_sleep_ms(200);
	}
	storm_end();
	stop_pagers(self);
	EXPECT_LT(0, storm.stale);
}

TEST_HARNESS_MAIN
