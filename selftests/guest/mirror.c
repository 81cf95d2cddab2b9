// SPDX-License-Identifier: GPL-2.0
/*
 * Live mirrors: a process does what processes do, and its data is exact,
 * mirrored or not; its page walks stay on their node; and each fault that can
 * be planted is seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "module/uapi.h"

#define PAGE		4096
#define THREADS_MAX	32
#define PAGES		64
#define SHARED_PAGES	32
#define SPOIL_PAGES	512

enum wrong {
	WRONG_DATA, WRONG_ZERO, WRONG_READ_ONLY, WRONG_CHILD,
	WRONG_REMAP, WRONG_SUM, WRONG_CALL, WRONG_STALE, WRONG_HUGE,
	WRONGS
};

/* What a subject and the test that watches it share. */
struct board {
	_Atomic int stop;
	_Atomic uint64_t rounds[THREADS_MAX];
	_Atomic uint64_t wrong;
	_Atomic uint64_t wrong_by[WRONGS];
	_Atomic uint64_t added;
};

static struct board *board;
static int cpus;
static uint64_t *shared;

static void wrong(enum wrong what)
{
	board->wrong_by[what]++;
	board->wrong++;
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *pages_of(size_t n)
{
	void *p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		wrong(WRONG_CALL);
	return p;
}

static uint64_t word_of(size_t page, uint64_t seed)
{
	return (page + 1) * 0x9e3779b97f4a7c15ULL ^ seed;
}

static void write_all(char *p, size_t n, uint64_t seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		*(volatile uint64_t *)(p + i * PAGE + 8 * (i % 500)) =
			word_of(i, seed);
}

static void check_all(const char *p, size_t n, uint64_t seed, enum wrong what)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (*(volatile uint64_t *)(p + i * PAGE + 8 * (i % 500)) !=
		    (seed ? word_of(i, seed) : 0))
			wrong(what);
}

/* --- what a thread of the subject does ------------------------------------- */

static void do_protect(char *p, uint64_t seed)
{
	if (mprotect(p, PAGES * PAGE, PROT_READ))
		wrong(WRONG_CALL);
	check_all(p, PAGES, seed, WRONG_READ_ONLY);
	if (mprotect(p, PAGES * PAGE, PROT_READ | PROT_WRITE))
		wrong(WRONG_CALL);
	write_all(p, PAGES / 2, seed);
	check_all(p, PAGES, seed, WRONG_DATA);
}

static void do_drop(char *p, uint64_t seed)
{
	if (madvise(p, PAGES / 2 * PAGE, MADV_DONTNEED))
		wrong(WRONG_CALL);
	check_all(p, PAGES / 2, 0, WRONG_ZERO);
	write_all(p, PAGES, seed);
}

/* The child has the data, and what it writes stays its own. */
static void do_fork(char *p, uint64_t seed)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		uint64_t before = board->wrong;

		check_all(p, PAGES, seed, WRONG_CHILD);
		write_all(p, PAGES, seed + 1);
		check_all(p, PAGES, seed + 1, WRONG_CHILD);
		_exit(board->wrong != before);
	}
	write_all(p, PAGES / 4, seed + 2);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		wrong(WRONG_CHILD);
	check_all(p, PAGES / 4, seed + 2, WRONG_DATA);
	write_all(p, PAGES, seed);
}

static char *do_remap(char *p, uint64_t seed)
{
	char *to = mremap(p, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);

	if (to == MAP_FAILED) {
		wrong(WRONG_CALL);
		return p;
	}
	check_all(to, PAGES, seed, WRONG_REMAP);
	check_all(to + PAGES * PAGE, PAGES, 0, WRONG_REMAP);
	if (munmap(to + PAGES * PAGE, PAGES * PAGE))
		wrong(WRONG_CALL);
	return to;
}

/* A large page, where there are any: made, split by halves, taken away. */
static void do_huge(uint64_t seed)
{
	size_t n = 3 * 512;
	char *p = pages_of(n), *at;

	if (p == MAP_FAILED)
		return;
	at = (char *)(((uintptr_t)p + (2 << 20) - 1) & ~((2UL << 20) - 1));
	madvise(at, 2 << 20, MADV_HUGEPAGE);
	write_all(at, 512, seed);
	check_all(at, 512, seed, WRONG_HUGE);
	if (mprotect(at, 1 << 20, PROT_READ))
		wrong(WRONG_CALL);
	check_all(at, 512, seed, WRONG_HUGE);
	if (madvise(at + (1 << 20), 1 << 20, MADV_DONTNEED))
		wrong(WRONG_CALL);
	check_all(at, 256, seed, WRONG_HUGE);
	check_all(at + (1 << 20), 256, 0, WRONG_HUGE);
	munmap(p, n * PAGE);
}

static void do_add(int thread)
{
	int i;

	for (i = 0; i < SHARED_PAGES; i++)
		__atomic_fetch_add(&shared[i * PAGE / 8 + thread], 1,
				   __ATOMIC_RELAXED);
}

static void *worker(void *arg)
{
	int thread = (intptr_t)arg;
	uint64_t round = 0, seed;
	char *p = pages_of(PAGES);

	if (p == MAP_FAILED)
		return NULL;
	while (!board->stop) {
		seed = ((uint64_t)thread << 32) + ++round * 4;
		/* Half of them stay where they are, half go round. */
		go_to((thread + (thread & 1 ? round : 0)) % cpus);
		write_all(p, PAGES, seed);
		check_all(p, PAGES, seed, WRONG_DATA);
		do_protect(p, seed);
		do_drop(p, seed);
		if (!(round % 4))
			do_fork(p, seed);
		p = do_remap(p, seed);
		if (!(round % 3))
			do_huge(seed);
		do_add(thread);
		check_all(p, PAGES, seed, WRONG_DATA);
		board->rounds[thread] = round;
	}
	munmap(p, PAGES * PAGE);
	return (void *)(intptr_t)round;
}

/* A subject: two threads per CPU. Ends when it is told to. */
static void subject_works(void)
{
	int i, j, n = 2 * cpus < THREADS_MAX ? 2 * cpus : THREADS_MAX;
	pthread_t threads[THREADS_MAX];
	uint64_t rounds;
	void *ret;

	shared = pages_of(SHARED_PAGES);
	for (i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, worker, (void *)(intptr_t)i);
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], &ret);
		rounds = (intptr_t)ret;
		for (j = 0; j < SHARED_PAGES; j++)
			if (shared[j * PAGE / 8 + i] != rounds)
				wrong(WRONG_SUM);
		board->added += rounds;
	}
}

/* A subject: a thread per CPU that stays in user code. */
static void *spinner(void *arg)
{
	int thread = (intptr_t)arg;

	go_to(thread);
	while (!board->stop)
		board->rounds[thread]++;
	return NULL;
}

static void subject_spins(void)
{
	pthread_t threads[THREADS_MAX];
	int i;

	for (i = 0; i < cpus; i++)
		pthread_create(&threads[i], NULL, spinner, (void *)(intptr_t)i);
	for (i = 0; i < cpus; i++)
		pthread_join(threads[i], NULL);
}

/*
 * A subject: pages are taken away by a thread on the first CPU; a thread on the
 * last, on another node, has read each before and must not find it again.
 */
static char *victim;
static _Atomic int turn;

/*
 * Sleeps, since a CPU that has fallen back to the master goes to its replica with
 * the next switch. Return: false when it is time to stop.
 */
static bool await(int when)
{
	while (turn != when && !board->stop)
		mk_sleep_ms(1);
	return !board->stop;
}

static void *reader(void *arg)
{
	int round;

	go_to(cpus - 1);
	for (round = 0; await(4 * round + 1); round++) {
		check_all(victim, PAGES, round + 1, WRONG_DATA);
		turn++;
		if (!await(4 * round + 3))
			break;
		/* Nobody has written since: it is empty, or it is stale. */
		check_all(victim, PAGES, 0, WRONG_STALE);
		turn++;
	}
	return NULL;
}

static void subject_takes(void)
{
	pthread_t thread;
	int round;

	go_to(0);
	victim = pages_of(PAGES);
	pthread_create(&thread, NULL, reader, NULL);
	for (round = 0; await(4 * round); round++) {
		write_all(victim, PAGES, round + 1);
		turn++;
		if (!await(4 * round + 2))
			break;
		if (madvise(victim, PAGES * PAGE, MADV_DONTNEED))
			wrong(WRONG_CALL);
		turn++;
		board->rounds[0]++;
	}
	pthread_join(thread, NULL);
}

/*
 * A subject: pages are given up (MADV_FREE), written again, and then Linux is to
 * page out what is clean: nothing of it is.
 */
static void subject_spoils(void)
{
	uint64_t seed = 1;
	char *p = pages_of(SPOIL_PAGES);

	madvise(p, SPOIL_PAGES * PAGE, MADV_NOHUGEPAGE);
	while (!board->stop) {
		write_all(p, SPOIL_PAGES, seed++);
		if (madvise(p, SPOIL_PAGES * PAGE, MADV_FREE))
			wrong(WRONG_CALL);
		/* Fills in what is clean now. */
		check_all(p, SPOIL_PAGES, seed - 1, WRONG_DATA);
		write_all(p, SPOIL_PAGES, seed);
		if (madvise(p, SPOIL_PAGES * PAGE, MADV_PAGEOUT))
			wrong(WRONG_CALL);
		check_all(p, SPOIL_PAGES, seed, WRONG_DATA);
		board->rounds[0]++;
	}
}

/* A subject: a page here and there, so that it needs many tables. */
static void subject_spreads(void)
{
	size_t i, n = 256, step = 2 << 20;
	char *p = mmap(NULL, n * step, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		wrong(WRONG_CALL);
		return;
	}
	madvise(p, n * step, MADV_NOHUGEPAGE);
	for (i = 0; i < n; i++)
		*(volatile uint64_t *)(p + i * step) = word_of(i, 1);
	while (!board->stop) {
		for (i = 0; i < n; i++)
			if (*(volatile uint64_t *)(p + i * step) !=
			    word_of(i, 1))
				wrong(WRONG_DATA);
		board->rounds[0]++;
		go_to(board->rounds[0] % cpus);
	}
}

/* --- the tests ------------------------------------------------------------- */

FIXTURE(mirror)
{
	pid_t pid;
};

FIXTURE_SETUP(mirror)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load_hooked());
	cpus = mk_cpus_online();
	if (cpus > THREADS_MAX)
		cpus = THREADS_MAX;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)board);
}

FIXTURE_TEARDOWN(mirror)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	EXPECT_RET(0, mk_unload_soon(), "unload");
	munmap(board, sizeof(*board));
}

static pid_t start(void (*subject)(void))
{
	pid_t pid = fork();

	if (!pid) {
		subject();
		_exit(0);
	}
	return pid;
}

static uint64_t rounds(void)
{
	uint64_t least = UINT64_MAX;
	int i, n = 2 * cpus < THREADS_MAX ? 2 * cpus : THREADS_MAX;

	for (i = 0; i < n; i++)
		if (board->rounds[i] < least)
			least = board->rounds[i];
	return least;
}

/* Until every thread has done @n rounds more, or a minute has passed. */
static bool goes_on(uint64_t n)
{
	uint64_t from = rounds();
	double end = mk_seconds() + 60;

	while (rounds() < from + n && mk_seconds() < end)
		mk_sleep_ms(10);
	return rounds() >= from + n;
}

static bool first_goes_on(uint64_t n)
{
	uint64_t from = board->rounds[0];
	double end = mk_seconds() + 60;

	while (board->rounds[0] < from + n && mk_seconds() < end)
		mk_sleep_ms(10);
	return board->rounds[0] >= from + n;
}

static int end(pid_t pid)
{
	int status;

	board->stop = 1;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* Sum of a counter over the nodes of a mirror. */
static uint64_t sum_of(pid_t pid, const char *name)
{
	unsigned long long value;
	char file[128];
	uint64_t sum = 0;
	int node;

	for (node = 0; node < 64; node++) {
		snprintf(file, sizeof(file), "mirror/%d/node%d/%s", pid, node,
			 name);
		if (mk_exists(file) && !mk_get_u64(file, &value))
			sum += value;
	}
	return sum;
}

/* A sum over all mirrors there have been. */
static uint64_t tally_of(const char *name)
{
	char text[1024] = "", *line;
	size_t len = strlen(name);

	if (mk_read("mirror/total", text, sizeof(text) - 1) < 0)
		return UINT64_MAX;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	return UINT64_MAX;
}

struct locality {
	int cpus, mirrored;
	unsigned int levels, local, master_levels, master_local;
};

static int locality_of(pid_t pid, struct locality *sum)
{
	unsigned int levels, local, master_levels, master_local;
	char file[128], *text, *line;
	int cpu, node, mirrored;

	memset(sum, 0, sizeof(*sum));
	snprintf(file, sizeof(file), "mirror/%d/locality", pid);
	text = calloc(1, MK_TEXT_MAX);
	if (!text || mk_read(file, text, MK_TEXT_MAX - 1) < 0) {
		free(text);
		return -EIO;
	}
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "%d,%d,%d,%u,%u,%u,%u", &cpu, &node,
			   &mirrored, &levels, &local, &master_levels,
			   &master_local) != 7)
			continue;
		sum->cpus++;
		sum->mirrored += mirrored;
		sum->levels += levels;
		sum->local += local;
		sum->master_levels += master_levels;
		sum->master_local += master_local;
	}
	free(text);
	return 0;
}

static void expect_right(struct __test_metadata *_metadata)
{
	static const char *const names[WRONGS] = {
		"data", "zero", "read only", "child", "remap", "sum", "call",
		"stale", "huge",
	};
	int i;

	for (i = 0; i < WRONGS; i++)
		EXPECT_EQ(0, board->wrong_by[i])
			TH_LOG("%s", names[i]);
}

/* A program that works is attached, goes on, is detached, goes on. */
static void works(struct __test_metadata *_metadata,
		  FIXTURE_DATA(mirror) * self, const char *invalidate)
{
	unsigned int i, n = mk_rounds(4, 2);

	ASSERT_EQ(0, mk_put("mirror/invalidate", invalidate));
	self->pid = start(subject_works);
	ASSERT_TRUE(goes_on(1));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
		EXPECT_TRUE(goes_on(3));
		EXPECT_LT(0, sum_of(self->pid, "fills"));
		EXPECT_LT(0, sum_of(self->pid, "zaps"));
		EXPECT_LT(0, sum_of(self->pid, "switches"));
		EXPECT_EQ(0, sum_of(self->pid, "remote"));
		TH_LOG("fills %lu refaults %lu fallbacks %lu zaps %lu tables %lu",
		       sum_of(self->pid, "fills"), sum_of(self->pid, "refaults"),
		       sum_of(self->pid, "fallbacks"), sum_of(self->pid, "zaps"),
		       sum_of(self->pid, "tables"));
		ASSERT_EQ(0, mk_put_u64("mirror/detach", self->pid));
		EXPECT_TRUE(goes_on(1));
	}
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
	EXPECT_LT(0, board->added);
}

TEST_F(mirror, works)
{
	works(_metadata, self, "direct");
	EXPECT_EQ(0, tally_of("messages"));
}

TEST_F(mirror, works_by_message)
{
	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "one node");
	works(_metadata, self, "message");
	EXPECT_LT(0, tally_of("messages"));
	TH_LOG("messages %lu, directs %lu", tally_of("messages"),
	       tally_of("directs"));
}

TEST_F(mirror, is_local)
{
	struct locality seen;

	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "one node");
	self->pid = start(subject_spins);
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	mk_sleep_ms(500);
	ASSERT_EQ(0, locality_of(self->pid, &seen));
	TH_LOG("%d CPUs, %d mirrored, %u of %u levels local; master %u of %u",
	       seen.cpus, seen.mirrored, seen.local, seen.levels,
	       seen.master_local, seen.master_levels);
	EXPECT_LT(0, seen.cpus);
	EXPECT_EQ(seen.cpus, seen.mirrored);
	EXPECT_LT(0, seen.levels);
	EXPECT_EQ(seen.levels, seen.local);
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
}

static void nothing_stale(struct __test_metadata *_metadata,
			  FIXTURE_DATA(mirror) * self, const char *invalidate)
{
	ASSERT_EQ(0, mk_put("mirror/invalidate", invalidate));
	self->pid = start(subject_takes);
	ASSERT_TRUE(first_goes_on(2));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_TRUE(first_goes_on(mk_rounds(100, 10)));
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
}

TEST_F(mirror, nothing_stale)
{
	nothing_stale(_metadata, self, "direct");
}

TEST_F(mirror, nothing_stale_by_message)
{
	nothing_stale(_metadata, self, "message");
}

TEST_F(mirror, nothing_lost)
{
	self->pid = start(subject_spoils);
	ASSERT_TRUE(first_goes_on(2));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_TRUE(first_goes_on(mk_rounds(20, 4)));
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
}

/* rmmod, kill and exit while mirrored; nothing is left. */
TEST_F(mirror, ends)
{
	self->pid = start(subject_works);
	ASSERT_TRUE(goes_on(1));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_RET(-EEXIST, mk_put_u64("mirror/attach", self->pid), "attach");
	EXPECT_TRUE(goes_on(1));
	ASSERT_EQ(0, mk_unload());
	EXPECT_TRUE(goes_on(1));
	kill(self->pid, SIGSTOP);
	ASSERT_EQ(0, mk_load_hooked());
	kill(self->pid, SIGCONT);
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	EXPECT_TRUE(goes_on(1));
	kill(self->pid, SIGKILL);
	waitpid(self->pid, NULL, 0);
	EXPECT_RET(-ESRCH, mk_put_u64("mirror/detach", self->pid), "detach");
	EXPECT_RET(-ESRCH, mk_put_u64("mirror/attach", self->pid), "attach");
	self->pid = 0;
	expect_right(_metadata);
}

/* Children too, if that is wanted, and not otherwise. */
TEST_F(mirror, inherits)
{
	uint64_t before;

	if (mk_put("mirror/inherit", "1") == -EOPNOTSUPP)
		SKIP(return, "not on this kernel");
	ASSERT_EQ(0, mk_put("mirror/inherit", "0"));
	self->pid = start(subject_works);
	ASSERT_TRUE(goes_on(1));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	before = tally_of("attached");
	EXPECT_TRUE(goes_on(5));
	EXPECT_EQ(before, tally_of("attached"));
	ASSERT_EQ(0, mk_put("mirror/inherit", "1"));
	EXPECT_TRUE(goes_on(5));
	EXPECT_LT(before, tally_of("attached"));
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
}

/* At the limit replicas are emptied, and the process goes on. */
TEST_F(mirror, keeps_to_the_limit)
{
	unsigned long long bytes = 0, trims = 0, limit = 100 * PAGE;
	double until = mk_seconds() + 60;

	ASSERT_EQ(0, mk_put_u64("mirror/limit", limit));
	self->pid = start(subject_spreads);
	ASSERT_TRUE(first_goes_on(1));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	while (trims < 2 && mk_seconds() < until) {
		EXPECT_TRUE(first_goes_on(5));
		EXPECT_EQ(0, mk_get_u64("mirror/trims", &trims));
		EXPECT_EQ(0, mk_get_u64("mirror/bytes", &bytes));
		EXPECT_LE(bytes, limit);
	}
	EXPECT_LE(2, trims);
	EXPECT_EQ(0, mk_get_u64("mirror/trimmed", &trims));
	EXPECT_LT(0, trims);
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
	EXPECT_LT(0, tally_of("fallbacks"));
}

static void subject_opens(void)
{
	int fd = open(MK_DEVICE, O_RDWR), again;

	if (fd < 0 || ioctl(fd, MK_IOC_MIRROR) ||
	    ioctl(fd, MK_IOC_MIRROR) != -1 || errno != EEXIST)
		wrong(WRONG_CALL);
	board->rounds[0]++;
	while (!board->stop)
		mk_sleep_ms(1);
	close(fd);
	/* Closed, it is detached. */
	again = open(MK_DEVICE, O_RDWR);
	if (again < 0 || ioctl(again, MK_IOC_MIRROR))
		wrong(WRONG_CALL);
}

/* The device does the same for whoever has it open. */
TEST_F(mirror, device)
{
	uint64_t before = tally_of("attached");
	unsigned long long n = 0;

	self->pid = start(subject_opens);
	ASSERT_TRUE(first_goes_on(1));
	EXPECT_EQ(0, mk_get_u64("mirror/count", &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
	expect_right(_metadata);
	EXPECT_EQ(before + 2, tally_of("attached"));
	EXPECT_EQ(0, mk_get_u64("mirror/count", &n));
	EXPECT_EQ(0, n);
}

TEST_F(mirror, refuses)
{
	/* kthreadd */
	EXPECT_RET(-EINVAL, mk_put_u64("mirror/attach", 2), "attach");
	EXPECT_RET(-ERANGE, mk_put_u64("mirror/attach", 0), "attach");
	EXPECT_RET(-EINVAL, mk_put("mirror/attach", "me"), "attach");
	EXPECT_RET(-ESRCH, mk_put_u64("mirror/detach", getpid()), "detach");
}

/* --- planted faults are seen ----------------------------------------------- */

/*
 * A while at most: after a fall-back the reader's CPU is on the master, where
 * nothing is wrong, until another thread has run there.
 */
static bool goes_wrong(int how)
{
	double end = mk_seconds() + 20;

	while (!board->wrong_by[how] && mk_seconds() < end)
		mk_sleep_ms(10);
	return board->wrong_by[how];
}

/*
 * Does one of three subjects see the planted fault? Where replicas are wrong, so may be
 * the word by which its threads take turns: then they wait for ever.
 */
static bool sees(pid_t *pid, void (*subject)(void), const char *broken, int how)
{
	bool seen = false;
	int i;

	for (i = 0; i < 3 && !seen; i++) {
		*pid = start(subject);
		if (!first_goes_on(2) || mk_put("mirror/broken", broken) ||
		    mk_put_u64("mirror/attach", *pid))
			return false;
		seen = goes_wrong(how);
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
		*pid = 0;
	}
	return seen;
}

/* A page that Linux moves to another node is two pages from then on. */
TEST_F_TIMEOUT(mirror, sees_no_invalidate, 250)
{
	unsigned long long balancing = 0;

	mk_get_u64("/proc/sys/kernel/numa_balancing", &balancing);
	mk_put("/proc/sys/kernel/numa_balancing", "0");
	EXPECT_TRUE(sees(&self->pid, subject_takes, "no_invalidate", WRONG_STALE));
	mk_put_u64("/proc/sys/kernel/numa_balancing", balancing);
}

TEST_F_TIMEOUT(mirror, sees_no_dirty, 250)
{
	EXPECT_TRUE(sees(&self->pid, subject_spoils, "no_dirty", WRONG_DATA));
}

TEST_F(mirror, sees_shared)
{
	struct locality seen;

	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "one node");
	ASSERT_EQ(0, mk_put("mirror/broken", "shared"));
	self->pid = start(subject_spins);
	ASSERT_EQ(0, mk_put_u64("mirror/attach", self->pid));
	mk_sleep_ms(500);
	ASSERT_EQ(0, locality_of(self->pid, &seen));
	EXPECT_LT(seen.local, seen.levels);
	EXPECT_EQ(0, end(self->pid));
	self->pid = 0;
}

TEST_HARNESS_MAIN
