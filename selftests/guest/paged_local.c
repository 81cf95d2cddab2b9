// SPDX-License-Identifier: GPL-2.0
/*
 * Node-local regions: at one address a frame for each node, in a process that is
 * mirrored. Linux's own page table stays empty there, so what takes such entries
 * away must flush by itself: each way is tried, while threads on all nodes look.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paged_use.h"
#include "region_use.h"
#include "test.h"

#define NODES_MAX	8

FIXTURE(local)
{
	int nodes;
	int mirror;		/* the file that keeps us mirrored */
	int fd;
	char *base;
	struct pager pager[NODES_MAX];
	bool serving;
};

/* Node n has frames n * PAGES and on, and the other half after those of all. */
static volatile uint32_t half;

static bool serve_local(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	serve_same(pager, request, answer);
	if (request->kind == MK_PAGER_FAULT)
		answer->frame = request->node * PAGES + request->page + half;
	return true;
}

static uint64_t word(const char *base, uint32_t page)
{
	return *(volatile uint64_t *)(base + page * PAGE);
}

/* What a word of that node's frame has to be. */
static uint64_t due(int node, uint32_t page)
{
	return 1000 + node * PAGES + page + half;
}

static void make(struct __test_metadata *_metadata, FIXTURE_DATA(local) * self,
		 uint64_t flags)
{
	uint32_t i;
	int node;

	half = 0;
	self->fd = paged_open(PAGES, MK_PAGED_LOCAL | flags, LONG_MS);
	ASSERT_LE(0, self->fd);
	for (node = 0; node < self->nodes; node++)
		ASSERT_EQ(0, pager_join(&self->pager[node], self->fd, node, 0));
	for (node = 0; node < 2 * self->nodes; node++)
		ASSERT_EQ((int)(node * PAGES),
			  frame_get(self->fd, node % self->nodes, PAGES));
	for (i = 0; i < 2 * PAGES * (uint32_t)self->nodes; i++)
		*frame_word(&self->pager[0], i) = 1000 + i;
	for (node = 0; node < self->nodes; node++)
		ASSERT_EQ(0, pager_start(&self->pager[node], serve_local));
	self->serving = true;
	self->base = region_map(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, self->base);
}

static int mirror_on(void)
{
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = mk_ask(fd, MK_IOC_MIRROR, NULL);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

FIXTURE_SETUP(local)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load_hooked());
	self->nodes = nr_nodes();
	if (self->nodes > 4)
		self->nodes = 4;
	self->mirror = mirror_on();
	ASSERT_LE(0, self->mirror)
		TH_LOG("%s", mk_errname(self->mirror));
	self->fd = -1;
}

FIXTURE_TEARDOWN(local)
{
	int node;

	for (node = 0; self->serving && node < self->nodes; node++)
		pager_stop(&self->pager[node]);
	if (self->fd >= 0) {
		munmap(self->base, PAGES * PAGE);
		close(self->fd);
	}
	for (node = 0; self->serving && node < self->nodes; node++)
		pager_leave(&self->pager[node]);
	if (self->mirror >= 0)
		close(self->mirror);
	EXPECT_TRUE(mk_becomes("pagers/regions", 0));
	EXPECT_TRUE(mk_becomes("pagers/bytes", 0));
	EXPECT_NOTHING_LEFT();
}

static unsigned int faults(FIXTURE_DATA(local) * self)
{
	unsigned int sum = 0;
	int node;

	for (node = 0; node < self->nodes; node++)
		sum += self->pager[node].faults;
	return sum;
}

/* --- one address, n frames -------------------------------------------------- */

TEST_F(local, a_frame_for_each_node)
{
	struct mk_paged_info seen;
	struct mk_paged_look look;
	int node, round;
	uint32_t i;

	make(_metadata, self, 0);
	for (round = 0; round < 3; round++) {
		for (node = 0; node < self->nodes; node++) {
			ASSERT_EQ(node, run_on(cpu_of(node)));
			for (i = 0; i < PAGES; i++)
				EXPECT_EQ(due(node, i), word(self->base, i));
		}
		/* n faults for n nodes, once */
		EXPECT_EQ(self->nodes * PAGES, faults(self));
	}
	for (node = 0; node < self->nodes; node++) {
		EXPECT_EQ(PAGES, self->pager[node].faults);
		ASSERT_EQ(0, paged_look(self->fd, 2, node, &look));
		EXPECT_EQ(node * PAGES + 2, look.frame);
	}
	/* what is written on one is seen there, and nowhere else */
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		*(volatile uint64_t *)(self->base + 64) = 70 + node;
	}
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(70 + node, *(volatile uint64_t *)(self->base + 64));
		EXPECT_EQ(70 + node, *(frame_word(&self->pager[0],
						  node * PAGES) + 8));
	}
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(0, seen.sigbus + seen.nonsense + seen.timeouts);
}

TEST_F(local, only_where_there_is_a_mirror)
{
	close(self->mirror);
	self->mirror = -1;
	self->fd = paged_open(PAGES, MK_PAGED_LOCAL, LONG_MS);
	ASSERT_LE(0, self->fd);
	self->base = region_map(self->fd, 0, PAGES);
	EXPECT_EQ(MAP_FAILED, self->base);
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_RET(-EOPNOTSUPP, paged_unmap(self->fd, 0, 1, MK_PROTOCOL_LINUX),
		   "unmap by Linux");
	close(self->fd);
	self->fd = -1;
}

/* --- threads that look ------------------------------------------------------- */

struct looker {
	pthread_t thread;
	char *base;
	int node;
	bool stop;
	unsigned long reads;
	uint64_t last;
};

static void *looker_run(void *arg)
{
	struct looker *looker = arg;

	run_on(cpu_of(looker->node));
	while (!__atomic_load_n(&looker->stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(&looker->last, word(looker->base, 0),
				 __ATOMIC_RELEASE);
		__atomic_add_fetch(&looker->reads, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void lookers_start(FIXTURE_DATA(local) * self, struct looker *looker)
{
	int node;

	memset(looker, 0, sizeof(*looker) * NODES_MAX);
	for (node = 0; node < self->nodes; node++) {
		looker[node].base = self->base;
		looker[node].node = node;
		pthread_create(&looker[node].thread, NULL, looker_run,
			       &looker[node]);
	}
}

static void lookers_stop(FIXTURE_DATA(local) * self, struct looker *looker)
{
	int node;

	for (node = 0; node < self->nodes; node++)
		__atomic_store_n(&looker[node].stop, true, __ATOMIC_RELAXED);
	for (node = 0; node < self->nodes; node++)
		pthread_join(looker[node].thread, NULL);
}

/* What it has read in a whole round that began after now. */
static uint64_t sees(struct looker *looker)
{
	unsigned long from = __atomic_load_n(&looker->reads, __ATOMIC_ACQUIRE);
	double end = mk_seconds() + LONG_MS / 1000.0;

	while (__atomic_load_n(&looker->reads, __ATOMIC_ACQUIRE) < from + 2 &&
	       mk_seconds() < end)
		sched_yield();
	return __atomic_load_n(&looker->last, __ATOMIC_ACQUIRE);
}

TEST_F(local, nobody_reads_what_was_taken_away)
{
	static const int protocols[] = {
		MK_PROTOCOL_IPI, MK_PROTOCOL_NUMA_MULTICAST,
		MK_PROTOCOL_ADAPTIVE, MK_PROTOCOL_ADAPTIVE,
	};
	struct mk_paged_unmap unmap = {
		.pages = 1, .op = MK_OP_UNMAP, .cpu = 0, .node = -1,
	};
	unsigned int i, p, stale = 0, ipis = 0, tries = mk_rounds(100, 20);
	struct looker looker[NODES_MAX];
	struct mk_paged_look look;
	int node;

	make(_metadata, self, 0);
	if (self->nodes < 2)
		SKIP(return, "one node");
	run_on(0);
	lookers_start(self, looker);
	for (p = 0; p < ARRAY_SIZE(protocols); p++) {
		unmap.protocol = protocols[p];
		/* The last time the caller itself sends what interrupts it takes. */
		unmap.cpu = p < ARRAY_SIZE(protocols) - 1 ? 0 : -1;
		for (i = 0; i < tries; i++) {
			half = i % 2 * PAGES * self->nodes;
			ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP,
					    &unmap));
			for (node = 0; node < self->nodes; node++)
				ASSERT_EQ(due(node, 0), sees(&looker[node]))
					TH_LOG("protocol %u node %d",
					       unmap.protocol, node);
			ipis += unmap.cpu < 0 ? unmap.ipis : 0;
		}
	}
	EXPECT_LT(0, ipis);
	/* with a planted fault it sends none, and some are seen to go on */
	ASSERT_EQ(0, mk_put("pagers/broken", "1"));
	for (i = 0; i < 10 * tries && !stale; i++) {
		half = i % 2 * PAGES * self->nodes;
		ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
		for (node = 0; node < self->nodes; node++)
			stale += sees(&looker[node]) != due(node, 0);
	}
	EXPECT_EQ(0, mk_put("pagers/broken", "0"));
	EXPECT_LT(0, stale)
		TH_LOG("a planted fault must be seen");
	/* one node's only: others keep theirs */
	unmap.cpu = 0;
	half = 0;
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	for (node = 0; node < self->nodes; node++)
		EXPECT_EQ(due(node, 0), sees(&looker[node]));
	half = PAGES * self->nodes;
	unmap.node = 1;
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	EXPECT_EQ(due(1, 0), sees(&looker[1]));
	EXPECT_EQ(due(0, 0) - half, sees(&looker[0]));
	ASSERT_EQ(0, paged_look(self->fd, 0, 0, &look));
	EXPECT_EQ(0, look.frame);
	/* a CPU that is not told is seen to go on with the old frame */
	unmap.node = -1;
	unmap.broken = MK_BROKEN_SKIP_TARGET;
	unmap.protocol = MK_PROTOCOL_IPI;
	for (i = 0, stale = 0; i < tries && !stale; i++) {
		half = i % 2 * PAGES * self->nodes;
		ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
		for (node = 0; node < self->nodes; node++)
			stale += sees(&looker[node]) != due(node, 0);
	}
	EXPECT_LT(0, stale)
		TH_LOG("a planted fault must be seen");
	lookers_stop(self, looker);
}

/*
 * What no other CPU has is taken away by the caller alone. It sees what is new at
 * once; and with a planted fault, it goes on with the old frame.
 */
TEST_F(local, nobody_else_has_it)
{
	struct mk_paged_unmap unmap = {
		.pages = 1, .op = MK_OP_UNMAP, .cpu = -1, .node = -1,
		.protocol = MK_PROTOCOL_ADAPTIVE,
	};
	unsigned int i, stale = 0, tries = mk_rounds(200, 40);
	unsigned long long before, after;
	int node;

	make(_metadata, self, 0);
	ASSERT_EQ(0, mk_get_u64("shootdown/choice/alone", &before));
	for (i = 0; i < tries; i++) {
		/* the last to have it is elsewhere now and then */
		node = i / 4 % self->nodes;
		ASSERT_EQ(node, run_on(cpu_of(node)));
		half = i % 2 * PAGES * self->nodes;
		ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
		ASSERT_EQ(due(node, 0), word(self->base, 0));
	}
	ASSERT_EQ(0, mk_get_u64("shootdown/choice/alone", &after));
	EXPECT_LT(before, after);
	ASSERT_EQ(0, mk_put("pagers/broken", "1"));
	for (i = 0; i < 10 * tries && !stale; i++) {
		half = i % 2 * PAGES * self->nodes;
		ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
		stale += due(node, 0) != word(self->base, 0);
	}
	EXPECT_EQ(0, mk_put("pagers/broken", "0"));
	EXPECT_LT(0, stale)
		TH_LOG("a planted fault must be seen");
	/* a flush, for what is left */
	EXPECT_EQ(0, mprotect(self->base, PAGES * PAGE, PROT_READ));
}

/* --- Linux's own ways --------------------------------------------------------- */

/* Every node has it writable in its TLB; then it is not. */
TEST_F(local, mprotect)
{
	struct looker looker[NODES_MAX];
	int node;

	make(_metadata, self, 0);
	lookers_start(self, looker);
	for (node = 0; node < self->nodes; node++) {
		EXPECT_EQ(due(node, 0), sees(&looker[node]));
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(0, mk_touch(self->base + 64, true));
	}
	ASSERT_EQ(0, mprotect(self->base, PAGE, PROT_READ));
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(SIGSEGV, mk_touch(self->base + 64, true));
		EXPECT_EQ(0, mk_touch(self->base + PAGE + 64, true));
		EXPECT_EQ(due(node, 0), sees(&looker[node]));
	}
	ASSERT_EQ(0, mprotect(self->base, PAGE, PROT_READ | PROT_WRITE));
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(0, mk_touch(self->base + 64, true));
	}
	lookers_stop(self, looker);
	ASSERT_EQ(0, mprotect(self->base, PAGE, PROT_NONE));
	EXPECT_EQ(SIGSEGV, mk_touch(self->base, false));
}

/*
 * Where the region was something else is mapped: no CPU reads the old. The threads
 * never stop to look, so their TLBs have it unless they are told.
 */
TEST_F(local, mapped_over)
{
	struct looker looker[NODES_MAX];
	unsigned int i;
	char *over;
	int node;

	make(_metadata, self, 0);
	lookers_start(self, looker);
	for (i = 0; i < mk_rounds(100, 20); i++) {
		for (node = 0; node < self->nodes; node++)
			ASSERT_EQ(due(node, 0), sees(&looker[node]));
		over = mmap(self->base, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_EQ(self->base, over);
		for (node = 0; node < self->nodes; node++)
			ASSERT_EQ(0, sees(&looker[node]));
		over = mmap(self->base, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED, self->fd, 0);
		ASSERT_EQ(self->base, over);
	}
	lookers_stop(self, looker);
}

/* Without the flush of our own, they are seen to: Linux finds nothing to flush. */
TEST_F(local, mapped_over_without_flush)
{
	struct looker looker[NODES_MAX];
	unsigned int i, stale = 0;
	char *over;
	int node;

	make(_metadata, self, 0);
	lookers_start(self, looker);
	ASSERT_EQ(0, mk_put("pagers/broken", "1"));
	for (i = 0; i < 100 && !stale; i++) {
		for (node = 0; node < self->nodes; node++)
			ASSERT_EQ(due(node, 0), sees(&looker[node]));
		over = mmap(self->base, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		for (node = 0; node < self->nodes; node++)
			stale += sees(&looker[node]) != 0;
		over = mmap(self->base, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED, self->fd, 0);
		ASSERT_EQ(self->base, over);
	}
	EXPECT_EQ(0, mk_put("pagers/broken", "0"));
	EXPECT_LT(0, stale)
		TH_LOG("a planted fault must be seen");
	/* a flush again, for what is left */
	EXPECT_EQ(0, mprotect(self->base, PAGES * PAGE, PROT_READ));
	lookers_stop(self, looker);
}

TEST_F(local, split_and_moved)
{
	char *target;
	int node;

	make(_metadata, self, 0);
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(due(node, 3), word(self->base, 3));
		EXPECT_EQ(due(node, 4), word(self->base, 4));
	}
	target = mmap(NULL, 64 * PAGE, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, target);
	EXPECT_EQ(MAP_FAILED, mremap(self->base, PAGES * PAGE, PAGES * PAGE,
				     MREMAP_MAYMOVE | MREMAP_FIXED, target));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, munmap(self->base + 4 * PAGE, PAGE));
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(due(node, 3), word(self->base, 3));
		EXPECT_EQ(SIGSEGV, mk_touch(self->base + 4 * PAGE, false));
		EXPECT_EQ(due(node, 5), word(self->base, 5));
	}
	munmap(target, 64 * PAGE);
}

TEST_F(local, fork_and_exit)
{
	int node, own;
	pid_t pid;

	make(_metadata, self, 0);
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(due(node, 0), word(self->base, 0));
	}
	pid = fork();
	if (!pid) {
		char *base;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* not copied */
		if (mk_touch(self->base, false) != SIGSEGV)
			_exit(1);
		/* a mirror of its own: the same frames */
		own = mirror_on();
		base = region_map(self->fd, 0, PAGES);
		if (own < 0 || base == MAP_FAILED)
			_exit(2);
		for (node = 0; node < self->nodes; node++)
			if (run_on(cpu_of(node)) != node ||
			    word(base, 0) != due(node, 0))
				_exit(3);
		/* and exits with all of it */
		_exit(0);
	}
	EXPECT_EQ(0, mk_exit_code(pid));
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(due(node, 0), word(self->base, 0));
	}
	EXPECT_EQ(self->nodes, faults(self));
}

/* --- the mirror goes ---------------------------------------------------------- */

TEST_F(local, the_mirror_ends)
{
	struct mk_paged_info seen;
	int node;

	make(_metadata, self, 0);
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(due(node, 0), word(self->base, 0));
	}
	close(self->mirror);
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(SIGBUS, mk_touch(self->base, false));
		EXPECT_EQ(SIGBUS, mk_touch(self->base + PAGE, true));
	}
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(2 * self->nodes, seen.sigbus);
	/* another one: all is as before, and nobody is asked */
	self->mirror = mirror_on();
	ASSERT_LE(0, self->mirror);
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(due(node, 0), word(self->base, 0));
	}
	EXPECT_EQ(self->nodes, faults(self));
}

/* With MK_PAGED_ZERO, what was on no node yet is zero on all. */
TEST_F(local, the_mirror_ends_zeroes)
{
	int node;

	make(_metadata, self, MK_PAGED_ZERO);
	EXPECT_EQ(0, mk_touch(self->base, false));
	close(self->mirror);
	EXPECT_EQ(SIGBUS, mk_touch(self->base, false));
	EXPECT_EQ(0, word(self->base, 1));
	*(volatile uint64_t *)(self->base + PAGE) = 5;
	self->mirror = mirror_on();
	ASSERT_LE(0, self->mirror);
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(5, word(self->base, 1));
		EXPECT_EQ(due(node, 0), word(self->base, 0));
	}
	/* until it is taken away */
	ASSERT_EQ(0, paged_unmap(self->fd, 1, 1, MK_PROTOCOL_ADAPTIVE));
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(due(node, 1), word(self->base, 1));
	}
}

/* --- all at once --------------------------------------------------------------- */

static void *wander_run(void *arg)
{
	struct looker *looker = arg;
	uint64_t seed = looker->node + 1, value;
	uint32_t page;

	while (!__atomic_load_n(&looker->stop, __ATOMIC_RELAXED)) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		page = (seed >> 33) % PAGES;
		if (!(seed >> 59))
			run_on((seed >> 40) % mk_cpus_possible());
		value = word(looker->base, page);
		/* of whichever node, but of that page */
		if ((value - 1000) % PAGES != page)
			looker->last = value;
		__atomic_add_fetch(&looker->reads, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(local, storm)
{
	double end = mk_seconds() + mk_rounds(20, 3);
	struct looker looker[4] = {};
	struct mk_paged_info seen;
	unsigned int i;
	char *other;

	make(_metadata, self, 0);
	for (i = 0; i < 4; i++) {
		looker[i].base = self->base;
		looker[i].node = i;
		ASSERT_EQ(0, pthread_create(&looker[i].thread, NULL, wander_run,
					    &looker[i]));
	}
	for (i = 0; mk_seconds() < end; i++) {
		half = i % 2 * PAGES * self->nodes;
		ASSERT_EQ(0, paged_unmap(self->fd, i % PAGES, 1,
					 i % 3 ? MK_PROTOCOL_ADAPTIVE :
						 MK_PROTOCOL_UNICAST));
		ASSERT_EQ(0, mprotect(self->base + i % PAGES * PAGE, PAGE,
				      i % 2 ? PROT_READ :
					      PROT_READ | PROT_WRITE));
		other = region_map(self->fd, 0, PAGES);
		ASSERT_NE(MAP_FAILED, other);
		(void)word(other, i % PAGES);
		munmap(other, PAGES * PAGE);
	}
	for (i = 0; i < 4; i++)
		__atomic_store_n(&looker[i].stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++) {
		pthread_join(looker[i].thread, NULL);
		EXPECT_EQ(0, looker[i].last);
		EXPECT_LT(0, looker[i].reads);
	}
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	TH_LOG("%llu faults, %llu asked, %llu stale, %llu unmaps",
	       (unsigned long long)seen.faults, (unsigned long long)seen.asked,
	       (unsigned long long)seen.stale, (unsigned long long)seen.unmaps);
	EXPECT_EQ(0, seen.sigbus + seen.timeouts + seen.nobody + seen.nonsense);
}

TEST_HARNESS_MAIN
