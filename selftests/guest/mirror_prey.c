// SPDX-License-Identifier: GPL-2.0
/*
 * See mirror_prey.h.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "mirror_prey.h"

#define PAGE		4096UL
#define PAGES		96	/* of an owner */
#define OWNERS		2
#define FILE_PAGES	16	/* that are replaced */

const char *const mk_deed_name[MK_DEEDS] = {
	"write", "remap", "protect", "give up", "page out", "drop", "fork",
	"move", "cpu",
};

static struct mk_prey_board *board;

/* --- owners ------------------------------------------------------------------- */

struct owner {
	unsigned int seed;
	char *base;
	uint64_t version[PAGES];	/* 0: an empty page */
};

static volatile uint64_t *word(const struct owner *owner, int page, int which)
{
	return (uint64_t *)(owner->base + page * PAGE) + (which ? 511 : 0);
}

static bool right(const struct owner *owner, int page)
{
	uint64_t version = owner->version[page];

	return *word(owner, page, 0) == version &&
	       *word(owner, page, 1) == (version ? version + page : 0);
}

static unsigned int wrong_pages(const struct owner *owner)
{
	unsigned int wrong = 0;
	int page;

	for (page = 0; page < PAGES; page++)
		wrong += !right(owner, page);
	return wrong;
}

static void write_page(struct owner *owner, int page)
{
	uint64_t version = ++owner->version[page];

	*word(owner, page, 0) = version;
	*word(owner, page, 1) = version + page;
}

static void write_pages(struct owner *owner, int first, int n)
{
	while (n--)
		write_page(owner, first++);
}

/* Versions go on: an old page would be seen. */
static void drop(struct owner *owner, int first, int n)
{
	int page;

	for (page = first; page < first + n; page++)
		if (*word(owner, page, 0) || *word(owner, page, 1))
			board->wrong[MK_DROP]++;
	write_pages(owner, first, n);
}

/* The child sees what there is, and keeps what it writes to itself. */
static void fork_one(struct owner *owner)
{
	pid_t pid = fork();

	if (!pid) {
		unsigned int wrong = wrong_pages(owner);

		write_pages(owner, 0, PAGES / 2);
		wrong += wrong_pages(owner);
		board->wrong[MK_FORK] += wrong;
		_exit(0);
	}
	write_pages(owner, PAGES / 4, PAGES / 4);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void move_pages_of(struct owner *owner, int first, int n)
{
	int node = rand_r(&owner->seed) % 4, nodes[PAGES], status[PAGES], i;
	void *pages[PAGES];

	for (i = 0; i < n; i++) {
		pages[i] = owner->base + (first + i) * PAGE;
		nodes[i] = node;
	}
	/* A node that is not there is an error, and nothing more. */
	syscall(SYS_move_pages, 0, n, pages, nodes, status, 2);
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void act(struct owner *owner, enum mk_deed deed)
{
	int n = 1 + rand_r(&owner->seed) % PAGES;
	int first = rand_r(&owner->seed) % (PAGES - n + 1);
	char *at = owner->base + first * PAGE;
	void *to;

	switch (deed) {
	case MK_WRITE:
		write_pages(owner, first, n);
		break;
	case MK_REMAP:
		to = mremap(owner->base, PAGES * PAGE, PAGES * PAGE + PAGE,
			    MREMAP_MAYMOVE);
		if (to == MAP_FAILED)
			break;
		owner->base = to;
		munmap(owner->base + PAGES * PAGE, PAGE);
		break;
	case MK_PROTECT:
		mprotect(at, n * PAGE, PROT_READ);
		board->wrong[MK_PROTECT] += wrong_pages(owner);
		mprotect(at, n * PAGE, PROT_READ | PROT_WRITE);
		write_pages(owner, first, n);
		break;
	case MK_GIVE_UP:
		/* What is written after it may not be lost. */
		madvise(at, n * PAGE, MADV_FREE);
		for (to = at; to < (void *)(at + n * PAGE); to += PAGE)
			(void)*(volatile char *)to;
		write_pages(owner, first, n);
		madvise(at, n * PAGE, MADV_PAGEOUT);
		break;
	case MK_PAGE_OUT:
		madvise(at, n * PAGE, MADV_PAGEOUT);
		break;
	case MK_DROP:
		madvise(at, n * PAGE, MADV_DONTNEED);
		drop(owner, first, n);
		break;
	case MK_FORK:
		fork_one(owner);
		break;
	case MK_MOVE:
		move_pages_of(owner, first, n);
		break;
	default:
		go_to(rand_r(&owner->seed) % mk_cpus_possible());
	}
	board->wrong[deed] += wrong_pages(owner);
	board->done[deed]++;
}

static void *own(void *arg)
{
	struct owner owner = { .seed = (uintptr_t)arg };
	int deed;

	owner.base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	while (owner.base != MAP_FAILED && !board->stop) {
		deed = board->only;
		if (deed == MK_DEEDS)
			deed = rand_r(&owner.seed) % MK_DEEDS;
		act(&owner, deed);
	}
	return NULL;
}

/* --- the replacer and the reader ------------------------------------------------ */

static struct {
	int fd;
	char *base;
	atomic_ullong published[FILE_PAGES];
} file;

/* Each page has two places in the file, which it takes in turn. */
static void replace(int page, uint64_t version)
{
	off_t at = (2 * page + version % 2) * PAGE;

	if (pwrite(file.fd, &version, sizeof(version), at) != sizeof(version) ||
	    mmap(file.base + page * PAGE, PAGE, PROT_READ,
		 MAP_SHARED | MAP_FIXED, file.fd, at) == MAP_FAILED)
		return;
	atomic_store(&file.published[page], version);
	board->replaced++;
}

static void *read_file(void *unused)
{
	unsigned int seed = getpid();
	int page = 0;

	while (!board->stop) {
		uint64_t published = atomic_load(&file.published[page]);
		uint64_t seen = *(volatile uint64_t *)(file.base + page * PAGE);

		if (seen < published)
			board->stale++;
		else if (seen)
			board->fresh++;
		page = (page + 1) % FILE_PAGES;
		if (!(rand_r(&seed) % 512))
			go_to(rand_r(&seed) % mk_cpus_possible());
	}
	return NULL;
}

static void live(unsigned int seed)
{
	uint64_t version = 0;
	pthread_t thread;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	file.fd = memfd_create("pages", 0);
	if (file.fd < 0 || ftruncate(file.fd, 2 * FILE_PAGES * PAGE))
		_exit(1);
	file.base = mmap(NULL, FILE_PAGES * PAGE, PROT_READ, MAP_SHARED,
			 file.fd, 0);
	if (file.base == MAP_FAILED ||
	    pthread_create(&thread, NULL, read_file, NULL))
		_exit(1);
	for (i = 0; i < OWNERS && board->only >= 0; i++)
		pthread_create(&thread, NULL, own,
			       (void *)(uintptr_t)(seed + i));
	while (!board->stop) {
		replace(version % FILE_PAGES, version / FILE_PAGES + 1);
		version++;
		if (!(version % 64))
			usleep(1000);
	}
	_exit(0);
}

pid_t mk_prey_start(struct mk_prey_board *shared, unsigned int seed)
{
	pid_t pid;

	board = shared;
	pid = fork();
	if (!pid)
		live(seed);
	return pid;
}
