// SPDX-License-Identifier: GPL-2.0
/*
 * Paged regions: faults that a pager at user level serves, pages that are taken
 * away, frames, rights, processes that come and go. What pagers do wrong:
 * paged_bad.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paged_use.h"
#include "region_use.h"
#include "test.h"

FIXTURE(pager)
{
	int fd;
	struct pager pager;
	char *base;
	int nodes;
};

FIXTURE_SETUP(pager)
{
	uint32_t i;

	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	self->nodes = nr_nodes();
	self->fd = paged_open(PAGES, 0, LONG_MS);
	ASSERT_LE(0, self->fd)
		TH_LOG("%s", mk_errname(self->fd));
	ASSERT_EQ(0, pager_join(&self->pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(self->pager.fd, 0, 2 * PAGES));
	for (i = 0; i < 2 * PAGES; i++)
		*frame_word(&self->pager, i) = 1000 + i;
	self->base = region_map(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, self->base);
}

FIXTURE_TEARDOWN(pager)
{
	munmap(self->base, PAGES * PAGE);
	close(self->fd);
	pager_leave(&self->pager);
	EXPECT_TRUE(mk_becomes("pagers/regions", 0));
	EXPECT_TRUE(mk_becomes("pagers/count", 0));
	EXPECT_TRUE(mk_becomes("pagers/bytes", 0));
	EXPECT_NOTHING_LEFT();
}

static uint64_t word(const char *base, uint32_t page)
{
	return *(volatile uint64_t *)(base + page * PAGE);
}

static void set_word(char *base, uint32_t page, uint64_t value)
{
	*(volatile uint64_t *)(base + page * PAGE) = value;
}

/* --- served ---------------------------------------------------------------- */

TEST_F(pager, read_and_write)
{
	struct mk_paged_info seen;
	struct mk_paged_look look;
	uint32_t i;

	ASSERT_EQ(0, pager_start(&self->pager, serve_same));
	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(1000 + i, word(self->base, i));
		set_word(self->base, i, 2000 + i);
		EXPECT_EQ(2000 + i, *frame_word(&self->pager, i));
	}
	pager_stop(&self->pager);
	/* one fault for each page: a second touch is none */
	EXPECT_EQ(PAGES, self->pager.faults);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(PAGES, seen.asked);
	EXPECT_EQ(PAGES, seen.served);
	EXPECT_EQ(PAGES, seen.installs);
	EXPECT_EQ(0, seen.stale + seen.nonsense + seen.timeouts + seen.sigbus);
	EXPECT_EQ(1, seen.pagers);
	EXPECT_EQ(2 * PAGES, seen.frames);
	ASSERT_EQ(0, paged_look(self->fd, 3, 0, &look));
	EXPECT_EQ(3, look.frame);
	EXPECT_EQ(0x7, look.rights);
	EXPECT_EQ(0, look.seq);
}

static volatile uint32_t given;

/* What is needed, and no more. */
static bool serve_least(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	serve_same(pager, request, answer);
	answer->rights = request->rights;
	given = request->rights;
	return true;
}

TEST_F(pager, rights_grow_with_need)
{
	struct mk_paged_look look;

	ASSERT_EQ(0, pager_start(&self->pager, serve_least));
	EXPECT_EQ(1001, word(self->base, 1));
	EXPECT_EQ(MK_PAGER_READ, given);
	set_word(self->base, 1, 7);
	EXPECT_EQ(MK_PAGER_READ | MK_PAGER_WRITE, given);
	EXPECT_EQ(7, *frame_word(&self->pager, 1));
	ASSERT_EQ(0, paged_look(self->fd, 1, 0, &look));
	EXPECT_EQ(MK_PAGER_READ | MK_PAGER_WRITE, look.rights);
	/* a write at once */
	set_word(self->base, 2, 8);
	EXPECT_EQ(8, *frame_word(&self->pager, 2));
	EXPECT_EQ(3, self->pager.faults);
	/* the kernel's own access */
	ASSERT_EQ(4, getrandom(self->base + 3 * PAGE, 4, 0));
	EXPECT_EQ(4, self->pager.faults);
	pager_stop(&self->pager);
}

/* What a mapping may do is what it allows, whatever the pager gives. */
TEST_F(pager, a_mapping_that_may_not)
{
	char *base = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, base);
	ASSERT_EQ(0, pager_start(&self->pager, serve_same));
	EXPECT_EQ(1000, word(base, 0));
	EXPECT_EQ(SIGSEGV, mk_touch(base, true));
	EXPECT_EQ(0, mprotect(base, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, mk_touch(base, true));
	EXPECT_EQ(0, mprotect(base, PAGE, PROT_READ));
	EXPECT_EQ(SIGSEGV, mk_touch(base, true));
	EXPECT_EQ(0, mk_touch(base, false));
	EXPECT_EQ(1, self->pager.faults);
	pager_stop(&self->pager);
	munmap(base, PAGE);
}

TEST_F(pager, execute)
{
	static const uint8_t code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	int (*run)(void);
	char *base;

	memcpy(self->pager.frames + PAGE, code, sizeof(code));
	base = mmap(NULL, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, self->fd,
		    0);
	if (base == MAP_FAILED && errno == EPERM)
		SKIP(return, "/dev is noexec");
	ASSERT_NE(MAP_FAILED, base);
	ASSERT_EQ(0, pager_start(&self->pager, serve_least));
	run = (void *)(base + PAGE);
	EXPECT_EQ(42, run());
	EXPECT_EQ(MK_PAGER_READ | MK_PAGER_EXEC, given);
	EXPECT_EQ(42, run());
	EXPECT_EQ(1, self->pager.faults);
	pager_stop(&self->pager);
	munmap(base, 2 * PAGE);
}

static volatile int node_seen;

static bool serve_where(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	node_seen = request->node;
	return serve_same(pager, request, answer);
}

/* Each node's faults go to its pager; without one, to the home's. */
TEST_F(pager, each_node_its_own)
{
	struct pager other;
	int node;

	if (self->nodes < 2)
		SKIP(return, "one node");
	ASSERT_EQ(0, pager_start(&self->pager, serve_where));
	for (node = 0; node < self->nodes; node++) {
		ASSERT_EQ(node, run_on(cpu_of(node)));
		EXPECT_EQ(1000 + node, word(self->base, node));
		EXPECT_EQ(node, node_seen);
	}
	EXPECT_EQ(self->nodes, self->pager.faults);
	ASSERT_EQ(0, pager_join(&other, self->fd, 1, 0));
	ASSERT_EQ(0, pager_start(&other, serve_same));
	ASSERT_EQ(1, run_on(cpu_of(1)));
	EXPECT_EQ(1005, word(self->base, 5));
	EXPECT_EQ(1, other.faults);
	ASSERT_EQ(0, run_on(cpu_of(0)));
	EXPECT_EQ(1006, word(self->base, 6));
	EXPECT_EQ(1, other.faults);
	/* what one has served, all nodes have: a fault, but nobody is asked */
	EXPECT_EQ(1005, word(self->base, 5));
	EXPECT_EQ(1, other.faults);
	pager_stop(&other);
	pager_leave(&other);
	ASSERT_EQ(1, run_on(cpu_of(1)));
	EXPECT_EQ(1007, word(self->base, 7));
	EXPECT_EQ(self->nodes + 2, self->pager.faults);
	pager_stop(&self->pager);
}

/* --- taken away ------------------------------------------------------------ */

static volatile uint32_t offset;

static bool serve_moved(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	bool ret = serve_same(pager, request, answer);

	answer->frame += offset;
	return ret;
}

TEST_F(pager, unmap_by_each_protocol)
{
	struct mk_paged_look look;
	int protocol, ret;
	uint64_t seq = 0;
	uint32_t i;

	ASSERT_EQ(0, pager_start(&self->pager, serve_moved));
	for (protocol = 0; protocol < MK_PROTOCOLS; protocol++) {
		offset = 0;
		for (i = 0; i < PAGES; i++)
			EXPECT_EQ(1000 + i, word(self->base, i));
		ret = paged_unmap(self->fd, 0, PAGES, protocol);
		if (protocol == MK_PROTOCOL_LAZY) {
			EXPECT_RET(-EOPNOTSUPP, ret, "lazy");
			continue;
		}
		ASSERT_EQ(0, ret)
			TH_LOG("protocol %d: %s", protocol, mk_errname(ret));
		ASSERT_EQ(0, paged_look(self->fd, 1, 0, &look));
		EXPECT_EQ(0, look.rights);
		EXPECT_EQ(++seq, look.seq);
		offset = PAGES;
		for (i = 0; i < PAGES; i++)
			EXPECT_EQ(1000 + PAGES + i, word(self->base, i));
		ASSERT_EQ(0, paged_unmap(self->pager.fd, 0, PAGES, protocol));
		seq++;
	}
	pager_stop(&self->pager);
}

TEST_F(pager, downgrade)
{
	struct mk_paged_unmap unmap = {
		.first = 1, .pages = 1, .op = MK_OP_PROTECT,
		.protocol = MK_PROTOCOL_IPI, .cpu = -1, .node = -1,
	};
	struct mk_paged_look look;

	ASSERT_EQ(0, pager_start(&self->pager, serve_least));
	set_word(self->base, 1, 7);
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	ASSERT_EQ(0, paged_look(self->fd, 1, 0, &look));
	EXPECT_EQ(MK_PAGER_READ, look.rights);
	EXPECT_EQ(unmap.seq, look.seq);
	EXPECT_EQ(7, word(self->base, 1));
	EXPECT_EQ(1, self->pager.faults);
	set_word(self->base, 1, 8);
	EXPECT_EQ(2, self->pager.faults);
	pager_stop(&self->pager);
}

TEST_F(pager, frames)
{
	struct mk_frame_alloc alloc = { .count = 1 };
	struct mk_paged_info seen;

	ASSERT_EQ(0, pager_start(&self->pager, serve_same));
	EXPECT_EQ(1001, word(self->base, 1));
	/* in use, alone and among others */
	EXPECT_RET(-EBUSY, frame_free(self->fd, 1, 1), "free");
	EXPECT_RET(-EBUSY, frame_free(self->fd, 0, 4), "free");
	EXPECT_RET(0, frame_free(self->fd, 2, 2), "free");
	EXPECT_RET(-EINVAL, frame_free(self->fd, 2, 1), "free");
	EXPECT_RET(-EINVAL, frame_free(self->fd, PAGER_FRAMES, 1), "free");
	EXPECT_RET(-EINVAL, frame_free(self->fd, 0, 0), "free");
	EXPECT_RET(-EINVAL, frame_free(self->fd, 1, ~0u), "free");
	EXPECT_EQ(SIGBUS, mk_touch(self->pager.frames + 2 * PAGE, true));
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(2 * PAGES - 2, seen.frames);
	/* the same number, another page: zeroed, for the pager as well */
	EXPECT_EQ(2, frame_get(self->pager.fd, 0, 2));
	EXPECT_EQ(0, *frame_word(&self->pager, 2));
	EXPECT_EQ(0, word(self->base, 2));
	EXPECT_RET(0, paged_unmap(self->fd, 0, PAGES, MK_PROTOCOL_IPI),
		   "unmap");
	EXPECT_RET(0, frame_free(self->fd, 0, 4), "free");
	EXPECT_RET(-ENOSPC, frame_get(self->fd, 0, PAGER_FRAMES), "get");
	EXPECT_RET(-EINVAL, frame_get(self->fd, 0, 0), "get");
	EXPECT_RET(-EINVAL, frame_get(self->fd, 0, MK_FRAME_COUNT_MAX + 1),
		   "get");
	EXPECT_RET(-EINVAL, frame_get(self->fd, -2, 1), "get");
	EXPECT_RET(-EINVAL, frame_get(self->fd, 4096, 1), "get");
	alloc.flags = 1;
	EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_FRAME, &alloc), "get");
	pager_stop(&self->pager);
}

struct reader {
	pthread_t thread;
	char *base;
	int cpu;
	bool stop;
	unsigned long reads;
	uint64_t last;
};

static void *reader_run(void *arg)
{
	struct reader *reader = arg;

	run_on(reader->cpu);
	while (!__atomic_load_n(&reader->stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(&reader->last, word(reader->base, 0),
				 __ATOMIC_RELEASE);
		__atomic_add_fetch(&reader->reads, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* What it has read in a whole round that began after now. */
static uint64_t reader_sees(struct reader *reader)
{
	unsigned long from = __atomic_load_n(&reader->reads, __ATOMIC_ACQUIRE);
	double end = mk_seconds() + LONG_MS / 1000.0;

	while (__atomic_load_n(&reader->reads, __ATOMIC_ACQUIRE) < from + 2 &&
	       mk_seconds() < end)
		sched_yield();
	return __atomic_load_n(&reader->last, __ATOMIC_ACQUIRE);
}

/*
 * A thread that goes on reading sees the new frame once the unmap has returned,
 * always; and with a planted fault, it is seen to go on with the old one.
 */
TEST_F(pager, nobody_reads_what_was_taken_away)
{
	static const int protocols[] = {
		MK_PROTOCOL_IPI, MK_PROTOCOL_UNICAST, MK_PROTOCOL_ADAPTIVE,
	};
	struct mk_paged_unmap unmap = {
		.pages = 1, .op = MK_OP_UNMAP, .cpu = 0, .node = -1,
	};
	struct reader reader = {
		.base = self->base, .cpu = mk_cpus_possible() - 1,
	};
	unsigned int i, p, stale = 0, tries = mk_rounds(200, 40);
	struct mk_paged_info seen;

	if (!reader.cpu)
		SKIP(return, "one CPU");
	run_on(0);
	offset = 0;
	ASSERT_EQ(0, pager_start(&self->pager, serve_moved));
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, reader_run,
				    &reader));
	for (p = 0; p < ARRAY_SIZE(protocols); p++) {
		unmap.protocol = protocols[p];
		for (i = 0; i < tries; i++) {
			offset = i % 2;
			ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP,
					    &unmap));
			ASSERT_EQ(1000 + offset, reader_sees(&reader))
				TH_LOG("protocol %u", unmap.protocol);
		}
	}
	unmap.broken = MK_BROKEN_SKIP_TARGET;
	unmap.protocol = MK_PROTOCOL_IPI;
	for (i = 0; i < tries && !stale; i++) {
		offset = 2 + i % 2;
		ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
		stale += reader_sees(&reader) != 1000 + offset;
	}
	EXPECT_LT(0, stale)
		TH_LOG("a CPU that is not told must be seen to read on");
	/* what somebody may still read is not given back */
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_LT(0, seen.pinned);
	unmap.broken = MK_BROKEN_NONE;
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	EXPECT_RET(-EBUSY, frame_free(self->fd, 0, 4), "free");
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(0, munmap(self->base, PAGES * PAGE));
	EXPECT_RET(-EBUSY, frame_free(self->fd, 0, 4), "free");
	ASSERT_EQ(0, paged_unmap(self->fd, 0, PAGES, MK_PROTOCOL_IPI));
	EXPECT_RET(0, frame_free(self->fd, 0, 4), "free");
	pager_stop(&self->pager);
}

static volatile unsigned int told_pages, told_rights;

static bool serve_told(struct pager *pager,
		       const struct mk_pager_request *request,
		       struct mk_pager_answer *answer)
{
	if (request->kind == MK_PAGER_UNMAPPED) {
		told_pages = request->pages;
		told_rights = request->rights;
	}
	return serve_same(pager, request, answer);
}

static bool serve_never(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	return false;
}

TEST_F(pager, pagers_are_told)
{
	struct mk_paged_unmap unmap = {
		.pages = 2, .op = MK_OP_UNMAP, .protocol = MK_PROTOCOL_IPI,
		.cpu = -1, .node = -1, .flags = MK_PAGED_TELL | MK_PAGED_WAIT,
	};

	ASSERT_EQ(0, pager_start(&self->pager, serve_told));
	EXPECT_EQ(1001, word(self->base, 1));
	told_rights = 7;
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	EXPECT_EQ(1, unmap.told);
	EXPECT_EQ(0, unmap.late);
	EXPECT_EQ(2, told_pages);
	EXPECT_EQ(0, told_rights);
	unmap.op = MK_OP_PROTECT;
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	EXPECT_EQ(MK_PAGER_READ, told_rights);
	/* not who does it */
	ASSERT_EQ(0, mk_ask(self->pager.fd, MK_IOC_PAGED_UNMAP, &unmap));
	EXPECT_EQ(0, unmap.told);
	pager_stop(&self->pager);
	/* nor is it waited for, unless that is wanted */
	ASSERT_EQ(0, pager_start(&self->pager, serve_never));
	unmap.flags = MK_PAGED_TELL;
	ASSERT_EQ(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap));
	EXPECT_EQ(1, unmap.told);
	EXPECT_EQ(0, unmap.late);
	pager_stop(&self->pager);
}

/* --- processes ------------------------------------------------------------- */

/* Two processes see the same, and lose it together. */
TEST_F(pager, two_clients)
{
	int go[2], up[2];
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(up));
	offset = 0;
	ASSERT_EQ(0, pager_start(&self->pager, serve_moved));
	EXPECT_EQ(1001, word(self->base, 1));
	pid = fork();
	if (!pid) {
		char *base = region_map(self->fd, 0, PAGES);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* the parent's mapping was not copied */
		if (mk_touch(self->base, false) != SIGSEGV)
			_exit(1);
		if (word(base, 1) != 1001)
			_exit(2);
		set_word(base, 1, 5);
		if (write(up[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(3);
		_exit(word(base, 1) != 1009);
	}
	ASSERT_EQ(1, read(up[0], &byte, 1));
	EXPECT_EQ(5, word(self->base, 1));
	/* it is known: nobody was asked */
	EXPECT_EQ(1, self->pager.faults);
	offset = 8;
	ASSERT_EQ(0, paged_unmap(self->fd, 0, PAGES, MK_PROTOCOL_ADAPTIVE));
	EXPECT_EQ(1009, word(self->base, 1));
	ASSERT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(0, mk_exit_code(pid));
	EXPECT_EQ(2, self->pager.faults);
	pager_stop(&self->pager);
	close(go[0]);
	close(go[1]);
	close(up[0]);
	close(up[1]);
}

static void *touch_run(void *arg)
{
	return (void *)(long)mk_touch(arg, false);
}

/* Nothing else in the process waits for a fault that waits. */
TEST_F(pager, nothing_else_waits)
{
	struct mk_pager_request request;
	struct mk_pager_answer answer = {};
	pthread_t thread;
	void *signal;
	char *other;

	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run,
				    self->base + PAGE));
	ASSERT_TRUE(pager_wait(&self->pager, &request));
	/* each of these takes mmap_lock for writing */
	other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, other);
	other[0] = 1;
	EXPECT_EQ(0, mprotect(other, PAGE, PROT_READ));
	EXPECT_EQ(0, munmap(other, PAGE));
	/* even its own page goes */
	EXPECT_EQ(0, munmap(self->base, PAGES * PAGE));
	answer.id = request.id;
	serve_same(&self->pager, &request, &answer);
	pager_answer(&self->pager, &answer);
	pthread_join(thread, &signal);
	EXPECT_EQ(SIGSEGV, (long)signal);
}

/* A process is killed while it waits; it does not have to wait for the answer. */
TEST_F(pager, killed_while_it_waits)
{
	struct mk_pager_request request;
	struct mk_paged_info seen;
	double start;
	pid_t pid;

	pid = fork();
	if (!pid) {
		char *base = region_map(self->fd, 0, PAGES);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(word(base, 1));
	}
	ASSERT_TRUE(pager_wait(&self->pager, &request));
	start = mk_seconds();
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, mk_exit_code(pid));
	EXPECT_GT(LONG_MS / 1000.0, mk_seconds() - start);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(0, seen.timeouts);
}

static void on_alarm(int signal)
{
}

/* A signal is handled while a fault waits, and then it goes on. */
TEST_F(pager, signals_are_handled)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct mk_pager_request request, again;
	struct mk_pager_answer answer = {};
	pthread_t thread;
	void *signal;

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run,
				    self->base + PAGE));
	ASSERT_TRUE(pager_wait(&self->pager, &request));
	pthread_kill(thread, SIGUSR1);
	ASSERT_TRUE(pager_wait(&self->pager, &again));
	EXPECT_EQ(request.page, again.page);
	EXPECT_LT(request.id, again.id);
	answer.id = again.id;
	serve_same(&self->pager, &again, &answer);
	pager_answer(&self->pager, &answer);
	pthread_join(thread, &signal);
	EXPECT_EQ(0, (long)signal);
}

/* --- many ------------------------------------------------------------------ */

#define STORM_THREADS	6

struct storm {
	struct reader reader[STORM_THREADS];
	bool wrong;
};

static void *storm_run(void *arg)
{
	struct reader *reader = arg;
	uint64_t seed = reader->cpu + 1, value;
	uint32_t page;

	run_on(reader->cpu % mk_cpus_possible());
	while (!__atomic_load_n(&reader->stop, __ATOMIC_RELAXED)) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		page = (seed >> 33) % PAGES;
		if (seed >> 62) {
			value = word(reader->base, page);
			if (value != 1000 + page && value != 1008 + page)
				reader->last = value;
		} else {
			/* a word that nobody looks at */
			reader->base[page * PAGE + 64] = seed;
		}
		__atomic_add_fetch(&reader->reads, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool serve_random(struct pager *pager,
			 const struct mk_pager_request *request,
			 struct mk_pager_answer *answer)
{
	serve_least(pager, request, answer);
	/* another frame whenever it was taken away */
	answer->frame += request->seq % 2 * PAGES;
	return true;
}

/* More threads than lines, pages that come and go, pagers that do so as well. */
TEST_F(pager, storm)
{
	double end = mk_seconds() + mk_rounds(20, 3);
	struct mk_paged_info seen;
	struct pager *pager = &self->pager, old;
	struct storm storm = {};
	unsigned int i = 0;

	ASSERT_EQ(0, pager_start(pager, serve_random));
	for (i = 0; i < STORM_THREADS; i++) {
		storm.reader[i].base = self->base;
		storm.reader[i].cpu = i;
		ASSERT_EQ(0, pthread_create(&storm.reader[i].thread, NULL,
					    storm_run, &storm.reader[i]));
	}
	for (i = 0; mk_seconds() < end; i++) {
		ASSERT_EQ(0, paged_unmap(self->fd, i % PAGES, 1,
					 MK_PROTOCOL_ADAPTIVE));
		if (i % 16)
			continue;
		old = *pager;
		pager_stop(pager);
		old.thread = pager->thread;
		ASSERT_EQ(0, pager_join(pager, self->fd, 0,
					MK_PAGER_TAKE_OVER));
		ASSERT_EQ(0, pager_start(pager, serve_random));
		pager_leave(&old);
	}
	for (i = 0; i < STORM_THREADS; i++)
		__atomic_store_n(&storm.reader[i].stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < STORM_THREADS; i++) {
		pthread_join(storm.reader[i].thread, NULL);
		EXPECT_EQ(0, storm.reader[i].last);
		EXPECT_LT(0, storm.reader[i].reads);
	}
	pager_stop(pager);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	TH_LOG("%llu faults, %llu asked, %llu stale, %llu unmaps, %llu takeovers",
	       (unsigned long long)seen.faults, (unsigned long long)seen.asked,
	       (unsigned long long)seen.stale, (unsigned long long)seen.unmaps,
	       (unsigned long long)seen.takeovers);
	EXPECT_EQ(0, seen.sigbus + seen.timeouts + seen.nobody);
}

TEST_HARNESS_MAIN
