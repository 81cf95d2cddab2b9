// SPDX-License-Identifier: GPL-2.0
/*
 * Pagers that are silent, late, dead or lie; none at all; who takes over; and what
 * is refused. Whoever faults goes on within bounds, and nobody else is harmed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* A timeout is over when it is over; a machine under emulation may take longer. */
#define PATIENCE_S	60

FIXTURE(bad)
{
	int fd;
	char *base;
};

FIXTURE_SETUP(bad)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	self->fd = -1;
}

FIXTURE_TEARDOWN(bad)
{
	if (self->fd >= 0) {
		munmap(self->base, PAGES * PAGE);
		close(self->fd);
	}
	EXPECT_TRUE(mk_becomes("pagers/regions", 0));
	EXPECT_TRUE(mk_becomes("pagers/count", 0));
	EXPECT_TRUE(mk_becomes("pagers/bytes", 0));
	EXPECT_NOTHING_LEFT();
}

static void make(struct __test_metadata *_metadata, FIXTURE_DATA(bad) * self,
		 uint64_t flags, uint32_t timeout_ms)
{
	self->fd = paged_open(PAGES, flags, timeout_ms);
	ASSERT_LE(0, self->fd);
	self->base = region_map(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, self->base);
}

static uint64_t word(const char *base, uint32_t page)
{
	return *(volatile uint64_t *)(base + page * PAGE);
}

static void *touch_run(void *arg)
{
	return (void *)(long)mk_touch(arg, true);
}

static bool serve_never(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	return false;
}

/* --- nobody ---------------------------------------------------------------- */

TEST_F(bad, no_pager)
{
	struct mk_paged_info seen;

	make(_metadata, self, 0, LONG_MS);
	EXPECT_EQ(SIGBUS, mk_touch(self->base, false));
	EXPECT_EQ(SIGBUS, mk_touch(self->base, true));
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(2, seen.nobody);
	EXPECT_EQ(2, seen.sigbus);
	EXPECT_EQ(0, seen.timeouts);
	/* the kernel's own access: an error, no signal */
	EXPECT_EQ(-1, write(self->fd, self->base, 8));
}

TEST_F(bad, no_pager_zeroes)
{
	struct mk_paged_info seen;
	struct mk_paged_look look;
	uint32_t i;

	make(_metadata, self, MK_PAGED_ZERO, LONG_MS);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(0, word(self->base, i));
	EXPECT_EQ(0, mk_touch(self->base, true));
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(PAGES, seen.fallbacks);
	EXPECT_EQ(PAGES, seen.frames);
	EXPECT_EQ(0, seen.sigbus);
	/* it has a record as any other */
	ASSERT_EQ(0, paged_look(self->fd, 3, 0, &look));
	EXPECT_EQ(7, look.rights);
	EXPECT_RET(-EBUSY, frame_free(self->fd, look.frame, 1), "free");
	EXPECT_EQ(0, paged_unmap(self->fd, 0, PAGES, MK_PROTOCOL_IPI));
	EXPECT_RET(0, frame_free(self->fd, look.frame, 1), "free");
}

TEST_F(bad, a_pager_that_comes_later)
{
	pthread_t thread;
	struct pager pager;
	void *signal;

	make(_metadata, self, MK_PAGED_AWAIT, LONG_MS);
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run, self->base));
	while (!mk_total("pagers/faults"))
		sched_yield();
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	ASSERT_EQ(0, pager_start(&pager, serve_same));
	pthread_join(thread, &signal);
	EXPECT_EQ(0, (long)signal);
	pager_stop(&pager);
	pager_leave(&pager);
}

/*
 * Seconds of the clock that goes with ticks, as timeouts do: where a tick comes late
 * it is late for both.
 */
static double tick_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* SHORT_MS, but for the tick that had begun; and an end. */
static void expect_waited(struct __test_metadata *_metadata, double waited)
{
	EXPECT_LE(0.85 * SHORT_MS / 1000, waited)
		TH_LOG("it waited %.1f ms", waited * 1000);
	EXPECT_GT(PATIENCE_S, waited);
}

TEST_F(bad, a_pager_that_never_comes)
{
	double start = tick_seconds();

	make(_metadata, self, MK_PAGED_AWAIT, SHORT_MS);
	EXPECT_EQ(SIGBUS, mk_touch(self->base, false));
	expect_waited(_metadata, tick_seconds() - start);
}

/* --- silence --------------------------------------------------------------- */

static void silent(struct __test_metadata *_metadata, FIXTURE_DATA(bad) * self,
		   uint64_t flags)
{
	struct mk_paged_info seen;
	double start;
	struct pager pager;

	make(_metadata, self, flags, SHORT_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, pager_start(&pager, serve_never));
	start = tick_seconds();
	EXPECT_EQ(flags & MK_PAGED_ZERO ? 0 : SIGBUS,
		  mk_touch(self->base, true));
	expect_waited(_metadata, tick_seconds() - start);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(1, seen.timeouts);
	pager_stop(&pager);
	pager_leave(&pager);
}

TEST_F(bad, silence)
{
	silent(_metadata, self, 0);
}

TEST_F(bad, silence_zeroes)
{
	silent(_metadata, self, MK_PAGED_ZERO);
}

/* Of a process, since signals of threads share their actions. */
struct late {
	double waited;
	int signal;
};

static void late_run(struct late *late, int fd, uint32_t page)
{
	char *at = region_map(fd, page, 1);
	double start = tick_seconds();

	if (at == MAP_FAILED)
		_exit(1);
	late->signal = mk_touch(at, true);
	late->waited = tick_seconds() - start;
	_exit(0);
}

static bool serve_first(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	return !request->page && serve_same(pager, request, answer);
}

/*
 * A pager has one alarm for all who wait for it. It is set for a fault that is answered,
 * and for each of two that are not, the second one when it has come for the first.
 */
TEST_F(bad, each_has_its_own_deadline)
{
	struct mk_paged_info seen;
	struct pager pager;
	struct late *late;
	pid_t pid[2];
	int i;

	late = mmap(NULL, 2 * sizeof(*late), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)late);
	make(_metadata, self, 0, SHORT_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	ASSERT_EQ(0, pager_start(&pager, serve_first));
	EXPECT_EQ(0, mk_touch(self->base, true));
	for (i = 0; i < 2; i++) {
		mk_sleep_ms(SHORT_MS / 2);
		pid[i] = fork();
		if (!pid[i])
			late_run(&late[i], self->fd, i + 1);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, mk_exit_code(pid[i]));
		EXPECT_EQ(SIGBUS, late[i].signal);
		expect_waited(_metadata, late[i].waited);
	}
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(2, seen.timeouts);
	munmap(late, 2 * sizeof(*late));
	pager_stop(&pager);
	pager_leave(&pager);
}

/* More faults than lines: each gets its turn, or its timeout. */
TEST_F(bad, more_than_there_are_lines)
{
	pthread_t thread[PAGER_SLOTS + 8];
	struct mk_pager_request request;
	struct mk_pager_answer answer;
	struct mk_paged_info seen;
	struct pager pager;
	unsigned int i;
	void *signal;

	make(_metadata, self, 0, LONG_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	for (i = 0; i < PAGER_SLOTS + 8; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, touch_run,
					    self->base + i % PAGES * PAGE));
	for (i = 0; i < PAGER_SLOTS + 8; i++) {
		memset(&answer, 0, sizeof(answer));
		ASSERT_TRUE(pager_wait(&pager, &request));
		EXPECT_EQ(i + 1, request.id);
		answer.id = request.id;
		answer.seq = request.seq;
		serve_same(&pager, &request, &answer);
		pager_answer(&pager, &answer);
		ASSERT_EQ(0, paged_info(self->fd, &seen));
		if (seen.installs >= PAGES)
			break;
	}
	/* who has waited for a line finds its page there, or asks */
	ASSERT_EQ(0, pager_start(&pager, serve_same));
	for (i = 0; i < PAGER_SLOTS + 8; i++) {
		pthread_join(thread[i], &signal);
		EXPECT_EQ(0, (long)signal);
	}
	pager_stop(&pager);
	pager_leave(&pager);
}

/* --- lies ------------------------------------------------------------------ */

struct lie {
	const char *name;
	uint32_t verdict, frame, rights, reserved;
	uint64_t pad;
	int signal;
	bool nonsense;
};

static const struct lie lies[] = {
	{ "the truth", MK_PAGER_MAP, 0, 7, 0, 0, 0, false },
	{ "nothing", 0, 0, 0, 0, 0, SIGBUS, true },
	{ "an acknowledgment", MK_PAGER_ACK, 0, 7, 0, 0, SIGBUS, true },
	{ "no such verdict", 5, 0, 7, 0, 0, SIGBUS, true },
	{ "all bits", ~0u, ~0u, ~0u, ~0u, ~0ull, SIGBUS, true },
	{ "no such frame", MK_PAGER_MAP, 8, 7, 0, 0, SIGBUS, true },
	{ "no number of a frame", MK_PAGER_MAP, PAGER_FRAMES, 7, 0, 0, SIGBUS,
	  true },
	{ "a large one", MK_PAGER_MAP, ~0u, 7, 0, 0, SIGBUS, true },
	{ "one that is too large by a bit", MK_PAGER_MAP, 1u << 29, 7, 0, 0,
	  SIGBUS, true },
	{ "no rights", MK_PAGER_MAP, 0, 0, 0, 0, SIGBUS, true },
	{ "fewer than are needed", MK_PAGER_MAP, 0, MK_PAGER_READ, 0, 0, SIGBUS,
	  true },
	{ "writing without reading", MK_PAGER_MAP, 0, MK_PAGER_WRITE, 0, 0,
	  SIGBUS, true },
	{ "unknown rights", MK_PAGER_MAP, 0, 15, 0, 0, SIGBUS, true },
	{ "not zero", MK_PAGER_MAP, 0, 7, 1, 0, SIGBUS, true },
	{ "not zero either", MK_PAGER_MAP, 0, 7, 0, 1, SIGBUS, true },
	{ "a refusal", MK_PAGER_REFUSE, 0, 0, 0, 0, SIGBUS, false },
};

static const struct lie *lie;

static bool serve_lie(struct pager *pager,
		      const struct mk_pager_request *request,
		      struct mk_pager_answer *answer)
{
	const struct lie *now = __atomic_load_n(&lie, __ATOMIC_ACQUIRE);

	answer->verdict = now->verdict;
	answer->frame = now->frame;
	answer->rights = now->rights;
	answer->reserved = now->reserved;
	answer->pad[3] = now->pad;
	return true;
}

TEST_F(bad, answers_that_lie)
{
	struct mk_paged_info before, after;
	struct pager pager;
	size_t i;

	make(_metadata, self, 0, LONG_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	ASSERT_EQ(0, pager_start(&pager, serve_lie));
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		__atomic_store_n(&lie, &lies[i], __ATOMIC_RELEASE);
		ASSERT_EQ(0, paged_info(self->fd, &before));
		EXPECT_EQ(lies[i].signal, mk_touch(self->base, true))
			TH_LOG("%s", lies[i].name);
		ASSERT_EQ(0, paged_info(self->fd, &after));
		EXPECT_EQ(lies[i].nonsense, after.nonsense - before.nonsense)
			TH_LOG("%s", lies[i].name);
		EXPECT_EQ(0, paged_unmap(self->fd, 0, 1, MK_PROTOCOL_IPI));
	}
	pager_stop(&pager);
	pager_leave(&pager);
}

/* Another frame for a page that has one, without taking it away first. */
static bool serve_other(struct pager *pager,
			const struct mk_pager_request *request,
			struct mk_pager_answer *answer)
{
	bool write = request->rights & MK_PAGER_WRITE;

	serve_same(pager, request, answer);
	answer->frame = write;
	answer->rights = request->rights;
	return true;
}

TEST_F(bad, another_frame)
{
	struct mk_paged_info seen;
	struct pager pager;

	make(_metadata, self, 0, LONG_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	ASSERT_EQ(0, pager_start(&pager, serve_other));
	EXPECT_EQ(0, mk_touch(self->base, false));
	EXPECT_EQ(SIGBUS, mk_touch(self->base, true));
	EXPECT_EQ(0, mk_touch(self->base, false));
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(1, seen.nonsense);
	pager_stop(&pager);
	pager_leave(&pager);
}

/* A second answer does nothing, nor one that is late, nor a wake-up for nobody. */
TEST_F(bad, twice_and_late)
{
	struct mk_pager_request request;
	struct mk_pager_answer answer = {};
	struct mk_paged_info seen;
	struct pager pager;
	pthread_t thread;
	void *signal;
	uint64_t id;

	make(_metadata, self, 0, SHORT_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run, self->base));
	ASSERT_TRUE(pager_wait(&pager, &request));
	pthread_join(thread, &signal);
	EXPECT_EQ(SIGBUS, (long)signal);
	answer.id = request.id;
	serve_same(&pager, &request, &answer);
	pager_answer(&pager, &answer);
	pager_answer(&pager, &answer);
	for (id = 0; id < 2 * PAGER_SLOTS; id++)
		EXPECT_EQ(8, write(pager.fd, &id, 8));
	EXPECT_EQ(-1, write(pager.fd, &id, 4));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(0, seen.served);
	EXPECT_EQ(1, seen.timeouts);
	pager_leave(&pager);
}

/* An answer that another one's unmap has overtaken is asked for again. */
TEST_F(bad, an_old_answer)
{
	struct mk_pager_request request, again;
	struct mk_pager_answer answer = {};
	struct mk_paged_info seen;
	struct pager pager;
	pthread_t thread;
	void *signal;

	make(_metadata, self, 0, LONG_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run, self->base));
	ASSERT_TRUE(pager_wait(&pager, &request));
	EXPECT_EQ(0, request.seq);
	ASSERT_EQ(0, paged_unmap(self->fd, 0, 1, MK_PROTOCOL_IPI));
	answer.id = request.id;
	answer.seq = request.seq;
	serve_same(&pager, &request, &answer);
	pager_answer(&pager, &answer);
	ASSERT_TRUE(pager_wait(&pager, &again));
	EXPECT_EQ(1, again.seq);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(1, seen.stale);
	answer.id = again.id;
	answer.seq = again.seq;
	pager_answer(&pager, &answer);
	pthread_join(thread, &signal);
	EXPECT_EQ(0, (long)signal);
	pager_leave(&pager);
}

/* A pager that writes anything anywhere hurts nobody but those it serves. */
TEST_F(bad, garbage_everywhere)
{
	double end = mk_seconds() + mk_rounds(10, 2);
	uint64_t seed = 1, *memory;
	struct pager pager, good;
	pthread_t thread;
	int other;
	char *base;
	void *signal;
	size_t i;

	make(_metadata, self, 0, SHORT_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(pager.fd, 0, PAGES));
	other = paged_open(PAGES, 0, LONG_MS);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, pager_join(&good, other, 0, 0));
	ASSERT_EQ(0, frame_get(good.fd, 0, PAGES));
	ASSERT_EQ(0, pager_start(&good, serve_same));
	base = region_map(other, 0, PAGES);
	ASSERT_NE(MAP_FAILED, base);
	memory = (uint64_t *)pager.side;
	while (mk_seconds() < end) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run,
					    self->base));
		for (i = 0; i < 20000; i++) {
			seed = seed * 6364136223846793005ull + 1;
			__atomic_store_n(&memory[(seed >> 33) %
					 (MK_PAGER_BYTES(PAGER_SLOTS) / 8)],
					 i % 4 ? (seed >> 40) % 9 : seed,
					 __ATOMIC_RELAXED);
		}
		pthread_join(thread, &signal);
		ASSERT_EQ(0, mk_touch(base, true));
		ASSERT_EQ(0, paged_unmap(other, 0, 1, MK_PROTOCOL_IPI));
		ASSERT_EQ(0, paged_unmap(self->fd, 0, 1, MK_PROTOCOL_IPI));
	}
	pager_stop(&good);
	munmap(base, PAGES * PAGE);
	close(other);
	pager_leave(&good);
	pager_leave(&pager);
}

/* --- death ----------------------------------------------------------------- */

/* A process with a pager that looks at its requests but does not answer. */
static pid_t pager_child(int region, int node, int *ready)
{
	struct mk_pager_request request;
	struct pager pager;
	int up[2];
	pid_t pid;

	if (pipe(up))
		return -1;
	pid = fork();
	if (pid) {
		close(up[1]);
		*ready = up[0];
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pager_join(&pager, region, node, 0) || write(up[1], "", 1) != 1 ||
	    !pager_wait(&pager, &request) || write(up[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void killed(struct __test_metadata *_metadata, FIXTURE_DATA(bad) * self,
		   bool another)
{
	double start = mk_seconds();
	struct pager next;
	pthread_t thread;
	void *signal;
	int ready = -1;
	pid_t pid;
	char byte;

	/* with another pager, it is waited for; without, that is known at once */
	make(_metadata, self, another ? MK_PAGED_AWAIT : 0, LONG_MS);
	pid = pager_child(self->fd, 0, &ready);
	ASSERT_EQ(1, read(ready, &byte, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run, self->base));
	ASSERT_EQ(1, read(ready, &byte, 1));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, mk_exit_code(pid));
	if (another) {
		ASSERT_EQ(0, pager_join(&next, self->fd, 0, 0));
		ASSERT_EQ(0, frame_get(next.fd, 0, PAGES));
		ASSERT_EQ(0, pager_start(&next, serve_same));
	}
	pthread_join(thread, &signal);
	EXPECT_EQ(another ? 0 : SIGBUS, (long)signal);
	EXPECT_GT(LONG_MS / 1000.0, mk_seconds() - start);
	if (another) {
		pager_stop(&next);
		pager_leave(&next);
	}
	close(ready);
}

TEST_F(bad, killed)
{
	killed(_metadata, self, false);
}

TEST_F(bad, killed_and_another_comes)
{
	killed(_metadata, self, true);
}

/* Who waited for the old one is served by the new one. */
TEST_F(bad, takeover)
{
	struct pollfd hangs = { .events = POLLRDHUP };
	struct mk_pager_info was = {};
	struct mk_pager_request request;
	struct mk_paged_info seen;
	struct pager old, new;
	pthread_t thread;
	void *signal;
	uint64_t one = 1;

	make(_metadata, self, 0, LONG_MS);
	ASSERT_EQ(0, pager_join(&old, self->fd, 0, 0));
	ASSERT_EQ(0, frame_get(old.fd, 0, PAGES));
	*frame_word(&old, 0) = 77;
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_run,
				    self->base + 64));
	ASSERT_TRUE(pager_wait(&old, &request));
	EXPECT_RET(-EEXIST, pager_join(&new, self->fd, 0, 0), "second");
	hangs.fd = old.fd;
	EXPECT_EQ(0, poll(&hangs, 1, 0));
	ASSERT_EQ(0, pager_join(&new, self->fd, 0, MK_PAGER_TAKE_OVER));
	ASSERT_EQ(0, pager_start(&new, serve_same));
	pthread_join(thread, &signal);
	EXPECT_EQ(0, (long)signal);
	EXPECT_EQ(77, word(self->base, 0));
	/* it sees the frames that are there */
	EXPECT_EQ(77, *frame_word(&new, 0));
	EXPECT_EQ(1, poll(&hangs, 1, PATIENCE_S * 1000));
	EXPECT_TRUE(hangs.revents & POLLRDHUP);
	EXPECT_EQ(0, mk_ask(old.fd, MK_IOC_PAGER_INFO, &was));
	EXPECT_EQ(1, was.over);
	EXPECT_EQ(0, was.waiting);
	EXPECT_EQ(-1, write(old.fd, &one, 8));
	EXPECT_EQ(EPIPE, errno);
	ASSERT_EQ(0, paged_info(self->fd, &seen));
	EXPECT_EQ(1, seen.takeovers);
	EXPECT_EQ(1, seen.pagers);
	/* the old one goes, and nothing changes */
	pager_leave(&old);
	EXPECT_EQ(0, mk_touch(self->base + PAGE, true));
	pager_stop(&new);
	pager_leave(&new);
}

/* The module cannot be unloaded under a pager; and a pager keeps its region. */
TEST_F(bad, a_pager_keeps_the_region)
{
	struct pager pager;

	make(_metadata, self, 0, LONG_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
	munmap(self->base, PAGES * PAGE);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(1, mk_total("pagers/regions"));
	EXPECT_RET(-EAGAIN, mk_unload(), "unload");
	EXPECT_EQ(0, frame_get(pager.fd, 0, 1));
	*frame_word(&pager, 0) = 1;
	EXPECT_EQ(0, frame_free(pager.fd, 0, 1));
	pager_leave(&pager);
}

/* --- refused --------------------------------------------------------------- */

static int ask_new(unsigned long request, const void *from, size_t size)
{
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC), ret;
	char copy[256];

	if (fd < 0)
		return -errno;
	memcpy(copy, from, size);
	ret = mk_ask(fd, request, copy);
	close(fd);
	return ret;
}

/* The same but for one field. */
#define REFUSED(request, good, member, value) do {			\
	__typeof__(good) bad_ = good;					\
									\
	bad_.member = value;						\
	EXPECT_RET(-EINVAL, ask_new(request, &bad_, sizeof(bad_)),	\
		   #member);						\
} while (0)

TEST_F(bad, refused_regions)
{
	struct mk_paged_create good = {
		.pages = 1, .timeout_ms = 1, .frames = 1,
	};

	EXPECT_RET(0, ask_new(MK_IOC_PAGED, &good, sizeof(good)), "good");
	REFUSED(MK_IOC_PAGED, good, pages, 0);
	REFUSED(MK_IOC_PAGED, good, pages, MK_REGION_PAGES_MAX + 1);
	REFUSED(MK_IOC_PAGED, good, node, -1);
	REFUSED(MK_IOC_PAGED, good, node, 4096);
	REFUSED(MK_IOC_PAGED, good, timeout_ms, 0);
	REFUSED(MK_IOC_PAGED, good, timeout_ms, MK_PAGED_TIMEOUT_MAX + 1);
	REFUSED(MK_IOC_PAGED, good, frames, 0);
	REFUSED(MK_IOC_PAGED, good, frames, MK_PAGED_FRAMES_MAX + 1);
	REFUSED(MK_IOC_PAGED, good, flags, 8);
}

TEST_F(bad, refused_pagers)
{
	struct mk_pager_create good = { .slots = 16, .wake = -1 };
	struct mk_home_create home = {};
	int plain, fd;

	make(_metadata, self, 0, LONG_MS);
	good.region = self->fd;
	EXPECT_RET(0, ask_new(MK_IOC_PAGER, &good, sizeof(good)), "good");
	REFUSED(MK_IOC_PAGER, good, slots, 8);
	REFUSED(MK_IOC_PAGER, good, slots, 24);
	REFUSED(MK_IOC_PAGER, good, slots, 2048);
	REFUSED(MK_IOC_PAGER, good, node, -1);
	REFUSED(MK_IOC_PAGER, good, node, 4096);
	REFUSED(MK_IOC_PAGER, good, wake, -2);
	REFUSED(MK_IOC_PAGER, good, flags, 2);
	/* no eventfd */
	REFUSED(MK_IOC_PAGER, good, wake, self->fd);
	good.region = -1;
	EXPECT_RET(-EBADF, ask_new(MK_IOC_PAGER, &good, sizeof(good)), "fd");
	good.region = self->fd;
	/* a region of another kind, and a file without one */
	plain = region_open(1);
	ASSERT_LE(0, plain);
	REFUSED(MK_IOC_PAGER, good, region, plain);
	close(plain);
	REFUSED(MK_IOC_PAGER, good, region, 0);
	/* a region's own file */
	EXPECT_RET(-EEXIST, mk_ask(self->fd, MK_IOC_PAGER, &good), "own");
	/* a file that has nothing of the kind */
	fd = open(MK_DEVICE, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, mk_ask(fd, MK_IOC_HOME, &home));
	EXPECT_RET(-ENODATA, frame_free(fd, 0, 1), "free");
	close(fd);
}

TEST_F(bad, refused_operations)
{
	struct mk_region_op op = {
		.pages = 1, .op = MK_OP_UNMAP, .protocol = MK_PROTOCOL_IPI,
		.cpu = -1,
	};
	struct mk_paged_unmap good = {
		.pages = 1, .op = MK_OP_UNMAP, .protocol = MK_PROTOCOL_IPI,
		.cpu = -1, .node = -1,
	}, unmap;
	struct mk_paged_look look;
	size_t i;

	make(_metadata, self, 0, LONG_MS);
	/* those of plain regions */
	EXPECT_RET(-EPERM, mk_ask(self->fd, MK_IOC_OP, &op), "operation");
	unmap = good;
	EXPECT_RET(0, mk_ask(self->fd, MK_IOC_PAGED_UNMAP, &unmap), "good");
#define REFUSED_UNMAP(errno_, member, value) do {			\
	unmap = good;							\
	unmap.member = value;						\
	EXPECT_RET(-(errno_), mk_ask(self->fd, MK_IOC_PAGED_UNMAP,	\
				     &unmap), #member);			\
} while (0)
	REFUSED_UNMAP(EINVAL, pages, 0);
	REFUSED_UNMAP(EINVAL, pages, PAGES + 1);
	REFUSED_UNMAP(EINVAL, first, PAGES);
	REFUSED_UNMAP(EINVAL, op, MK_OP_RENEW);
	REFUSED_UNMAP(EINVAL, op, MK_OP_UNPROTECT);
	REFUSED_UNMAP(EINVAL, protocol, MK_PROTOCOLS);
	REFUSED_UNMAP(EOPNOTSUPP, protocol, MK_PROTOCOL_LAZY);
	REFUSED_UNMAP(EINVAL, broken, MK_BROKENS);
	REFUSED_UNMAP(EINVAL, cpu, -2);
	REFUSED_UNMAP(EINVAL, cpu, 4096);
	REFUSED_UNMAP(EINVAL, node, 0);
	REFUSED_UNMAP(EINVAL, node, -2);
	REFUSED_UNMAP(EINVAL, flags, 4);
	REFUSED_UNMAP(EINVAL, flags, MK_PAGED_WAIT);
	EXPECT_RET(-EINVAL, paged_look(self->fd, PAGES, 0, &look), "look");
	EXPECT_RET(-EINVAL, paged_look(self->fd, 0, -1, &look), "look");
	EXPECT_RET(-EINVAL, paged_look(self->fd, 0, 4096, &look), "look");
	for (i = 50; i < 58; i++)
		if (i != 50 && i != 51)
			EXPECT_NE(0, mk_ask(self->fd, _IOWR(MK_IOC_MAGIC, i,
							    char[4000]), NULL));
}

/* What may be mapped, and how. */
TEST_F(bad, refused_mappings)
{
	struct pager pager;

	make(_metadata, self, 0, LONG_MS);
	ASSERT_EQ(0, pager_join(&pager, self->fd, 0, 0));
#define REFUSED_MAP(bytes, how, fd, at) do {				\
	EXPECT_EQ(MAP_FAILED, mmap(NULL, bytes, PROT_READ, how, fd, at)); \
	EXPECT_EQ(EINVAL, errno);					\
} while (0)
	REFUSED_MAP(PAGE, MAP_PRIVATE, self->fd, 0);
	REFUSED_MAP((PAGES + 1) * PAGE, MAP_SHARED, self->fd, 0);
	REFUSED_MAP(PAGE, MAP_SHARED, self->fd, PAGES * PAGE);
	REFUSED_MAP(PAGE, MAP_PRIVATE, pager.fd, MK_PAGER_OFFSET);
	REFUSED_MAP(MK_PAGER_BYTES(PAGER_SLOTS) + PAGE, MAP_SHARED, pager.fd,
		    MK_PAGER_OFFSET);
	REFUSED_MAP((PAGER_FRAMES + 1) * PAGE, MAP_SHARED, pager.fd,
		    MK_FRAMES_OFFSET);
	REFUSED_MAP(PAGE, MAP_SHARED, pager.fd,
		    MK_FRAMES_OFFSET + PAGER_FRAMES * PAGE);
	/* a frame that there is not */
	EXPECT_EQ(SIGBUS, mk_touch(pager.frames, false));
	pager_leave(&pager);
}

TEST_HARNESS_MAIN
