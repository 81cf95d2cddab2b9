// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that are mirrored: see mirror_subject.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "mirror_subject.h"
#include "module/uapi.h"

#define PAGES		64
#define SHARED_PAGES	32
#define SPOIL_PAGES	512

struct board *board;
int cpus;
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
void subject_works(void)
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

void subject_spins(void)
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

void subject_takes(void)
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
void subject_spoils(void)
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
void subject_spreads(void)
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

/* A subject: has itself mirrored through the device. */
void subject_opens(void)
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

/* --- who watches it -------------------------------------------------------------- */

pid_t subject_start(void (*subject)(void))
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
bool subject_goes_on(uint64_t n)
{
	uint64_t from = rounds();
	double end = mk_seconds() + 60;

	while (rounds() < from + n && mk_seconds() < end)
		mk_sleep_ms(10);
	return rounds() >= from + n;
}

bool subject_first_goes_on(uint64_t n)
{
	uint64_t from = board->rounds[0];
	double end = mk_seconds() + 60;

	while (board->rounds[0] < from + n && mk_seconds() < end)
		mk_sleep_ms(10);
	return board->rounds[0] >= from + n;
}

int subject_end(pid_t pid)
{
	int status;

	board->stop = 1;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
