// SPDX-License-Identifier: GPL-2.0
/*
 * Live mirrors and kinds of pages: large ones of hugetlbfs, of 2 MiB and of 1 GiB
 * where the machine has some, transparent ones that are split and put together,
 * pages that are written back, paged out, watched for writes (soft-dirty); and tables
 * that map none any more. The process is this one. A thread uses each page on the
 * first CPU and on the last, which is on another node where there is one, so that
 * both have it in their replica; what one node has changed or Linux has taken away
 * the other must see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define PAGE		4096UL
#define HUGE		(2UL << 20)
#define HUGE_PAGES	4
#define GIB		(1024UL * 1024 * 1024)
#define PAGES		256UL
#define DEVICE		"/dev/zram0"

#ifndef MAP_HUGE_1GB
#define MAP_HUGE_1GB	(30 << 26)
#endif

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* Bits of /proc/self/pagemap. */
#define SOFT_DIRTY	55
#define SWAPPED		62
#define PRESENT		63

static int last;	/* CPU */

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static volatile uint64_t *word(char *p, size_t page)
{
	return (uint64_t *)(p + page * PAGE + 8 * (page % 500));
}

/* A seed of 0 is a page that nobody has written. */
static uint64_t word_of(size_t page, uint64_t seed)
{
	return seed ? (page + 1) * 0x9e3779b97f4a7c15ULL ^ seed : 0;
}

static void write_on(int cpu, char *p, size_t n, uint64_t seed)
{
	size_t i;

	go_to(cpu);
	for (i = 0; i < n; i++)
		*word(p, i) = word_of(i, seed);
}

/* Return: how many are not what they should be. */
static size_t wrong_on(int cpu, char *p, size_t from, size_t to, uint64_t seed)
{
	size_t i, wrong = 0;

	go_to(cpu);
	for (i = from; i < to; i++)
		wrong += *word(p, i) != word_of(i, seed);
	return wrong;
}

static size_t wrong_in(char *p, size_t from, size_t to, uint64_t seed)
{
	return wrong_on(0, p, from, to, seed) +
	       wrong_on(last, p, from, to, seed);
}

/* Both nodes have it, writable. */
static void fill(char *p, size_t n, uint64_t seed)
{
	write_on(0, p, n, seed);
	write_on(last, p, n, seed);
}

static char *pages_of(size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* How many of the pages have that bit. */
static size_t count_bit(char *p, size_t n, int bit)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	size_t i, found = 0;
	uint64_t entry;

	for (i = 0; i < n; i++)
		if (pread(fd, &entry, 8, ((uintptr_t)p / PAGE + i) * 8) == 8)
			found += entry >> bit & 1;
	close(fd);
	return found;
}

/* A number of the mapping that @p is in, from /proc/self/smaps, in KiB. */
static size_t smaps_kb(char *p, const char *name)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	size_t kb = 0, len = strlen(name);
	bool here = false;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= (uintptr_t)p && (uintptr_t)p < to;
		else if (here && !strncmp(line, name, len))
			kb = strtoul(line + len + 1, NULL, 10);
	}
	if (file)
		fclose(file);
	return kb;
}

/* Sum of a counter over the nodes of our mirror. */
static uint64_t sum_of(const char *name)
{
	unsigned long long value;
	uint64_t sum = 0;
	char file[128];
	int node;

	for (node = 0; node < 64; node++) {
		snprintf(file, sizeof(file), "mirror/%d/node%d/%s", getpid(),
			 node, name);
		if (mk_exists(file) && !mk_get_u64(file, &value))
			sum += value;
	}
	return sum;
}

/* --- what a child does with what it got ------------------------------------ */

/* Return: how many pages were wrong there, or here afterwards. */
static size_t wrong_after_fork(char *p, size_t n, uint64_t seed)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (wrong_in(p, 0, n, seed))
			_exit(1);
		write_on(0, p, n, seed + 1);
		_exit(wrong_on(last, p, 0, n, seed + 1) != 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return n;
	return wrong_in(p, 0, n, seed);
}

/* --- the tests -------------------------------------------------------------- */

FIXTURE(pages)
{
	bool device, swap;
	unsigned long long reserved;
	bool reserves;
};

#define RESERVED	"/proc/sys/vm/nr_hugepages"
#define GIGANTIC	"/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages"

FIXTURE_SETUP(pages)
{
	/* Loaded once for all: hooks are set by patching what all CPUs run. */
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load_hooked());
	last = mk_cpus_online() - 1;
	ASSERT_EQ(0, mk_put("mirror/broken", "none"));
	ASSERT_EQ(0, mk_put("mirror/invalidate", "direct"));
}

FIXTURE_TEARDOWN(pages)
{
	mk_put("mirror/broken", "none");
	if (mk_exists("mirror/count"))
		mk_put_u64("mirror/detach", getpid());
	if (self->reserves)
		EXPECT_EQ(0, mk_put_u64(RESERVED, self->reserved));
	if (self->swap)
		EXPECT_EQ(0, system("swapoff " DEVICE));
	if (self->device)
		EXPECT_EQ(0, mk_put("/sys/block/zram0/reset", "1"));
}

#define attach(broken) do {						\
	ASSERT_EQ(0, mk_put("mirror/broken", broken));			\
	ASSERT_EQ(0, mk_put_u64("mirror/attach", getpid()));		\
} while (0)

/* A block device of memory. */
static bool device_on(FIXTURE_DATA(pages) * self)
{
	self->device = !system("modprobe -q zram") &&
		       !mk_put("/sys/block/zram0/disksize", "32M");
	return self->device;
}

static bool swap_on(FIXTURE_DATA(pages) * self)
{
	self->swap = device_on(self) &&
		     !system("mkswap " DEVICE " > /dev/null") &&
		     !system("swapon " DEVICE);
	return self->swap;
}

static bool reserve(FIXTURE_DATA(pages) * self)
{
	unsigned long long n = 0;

	if (mk_get_u64(RESERVED, &self->reserved) ||
	    mk_put_u64(RESERVED, self->reserved + 2 * HUGE_PAGES))
		return false;
	self->reserves = true;
	return !mk_get_u64(RESERVED, &n) &&
	       n == self->reserved + 2 * HUGE_PAGES;
}

TEST_F(pages, hugetlb)
{
	size_t n = HUGE_PAGES * HUGE / PAGE, half = n / 2;
	uint64_t fills;
	char *p;

	if (!reserve(self))
		SKIP(return, "no memory for %d pages of 2 MiB", 2 * HUGE_PAGES);
	attach("none");
	p = pages_of(n * PAGE, MAP_HUGETLB);
	ASSERT_NE(NULL, p);
	fills = sum_of("fills");
	fill(p, n, 1);
	EXPECT_EQ(0, wrong_in(p, 0, n, 1));
	/* As large as the master's: some each, not 512. Code and stack beside. */
	EXPECT_GT(n / 2, sum_of("fills") - fills);
	EXPECT_EQ(0, mprotect(p, n * PAGE, PROT_READ));
	EXPECT_EQ(0, wrong_in(p, 0, n, 1));
	EXPECT_EQ(0, mprotect(p, n * PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, wrong_after_fork(p, n, 1));
	fill(p, n, 2);
	EXPECT_EQ(0, wrong_in(p, 0, n, 2));
	EXPECT_EQ(0, madvise(p, half * PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, wrong_in(p, 0, half, 0));
	EXPECT_EQ(0, wrong_in(p, half, n, 2));
	EXPECT_EQ(0, munmap(p, n * PAGE));
}

TEST_F(pages, sees_hugetlb_stale)
{
	size_t n = HUGE / PAGE;
	char *p;

	if (!reserve(self))
		SKIP(return, "no memory for %d pages of 2 MiB", 2 * HUGE_PAGES);
	attach("no_invalidate");
	p = pages_of(n * PAGE, MAP_HUGETLB);
	ASSERT_NE(NULL, p);
	fill(p, n, 1);
	EXPECT_EQ(0, madvise(p, n * PAGE, MADV_DONTNEED));
	EXPECT_LT(0, wrong_in(p, 0, n, 0));
}

/*
 * One page of 1 GiB, or NULL: where the processor has them, and one was set aside
 * at boot.
 */
static char *gigantic_of(void)
{
	unsigned long long n;
	char *p;

	if (mk_get_u64(GIGANTIC, &n) || !n)
		return NULL;
	p = pages_of(GIB, MAP_HUGETLB | MAP_HUGE_1GB);
	if (!p)
		return NULL;
	write_on(0, p, 1, 1);
	return p;
}

TEST_F(pages, gigantic)
{
	const size_t n = GIB / PAGE, half = n / 2;
	uint64_t fills, tables;
	char *p;

	attach("none");
	p = gigantic_of();
	if (!p)
		SKIP(return, "no page of 1 GiB set aside");
	fills = sum_of("fills");
	tables = sum_of("tables");
	fill(p, n, 1);
	/* As large as the master's: one each. Code and stack beside. */
	EXPECT_GT(GIB / HUGE / 2, sum_of("fills") - fills);
	EXPECT_GT(GIB / HUGE / 2, sum_of("tables") - tables);
	EXPECT_EQ(0, wrong_in(p, 0, n, 1));
	EXPECT_EQ(0, mprotect(p, GIB, PROT_READ));
	EXPECT_EQ(0, wrong_in(p, 0, half, 1));
	EXPECT_EQ(0, mprotect(p, GIB, PROT_READ | PROT_WRITE));
	write_on(last, p, half, 2);
	EXPECT_EQ(0, wrong_in(p, 0, half, 2));
	EXPECT_EQ(0, wrong_in(p, half, n, 1));
	EXPECT_EQ(0, madvise(p, GIB, MADV_DONTNEED));
	EXPECT_EQ(0, wrong_in(p, 0, n, 0));
	write_on(last, p, half, 3);
	/* On the master it is the same page. */
	EXPECT_EQ(0, mk_put_u64("mirror/detach", getpid()));
	EXPECT_EQ(0, wrong_in(p, 0, half, 3));
	EXPECT_EQ(0, mk_put_u64("mirror/attach", getpid()));
	EXPECT_EQ(0, wrong_in(p, 0, half, 3));
	EXPECT_EQ(0, munmap(p, GIB));
}

TEST_F(pages, sees_gigantic_stale)
{
	char *p;

	attach("no_invalidate");
	p = gigantic_of();
	if (!p)
		SKIP(return, "no page of 1 GiB set aside");
	fill(p, PAGES, 1);
	EXPECT_EQ(0, madvise(p, GIB, MADV_DONTNEED));
	EXPECT_LT(0, wrong_in(p, 0, PAGES, 0));
	munmap(p, GIB);
}

/* Small pages that fill whole tables of the lowest level, or NULL. */
static char *tables_of(size_t n)
{
	char *p = pages_of((n + 1) * HUGE, 0);

	if (!p)
		return NULL;
	p = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	return madvise(p, n * HUGE, MADV_NOHUGEPAGE) ? NULL : p;
}

/*
 * A table that loses all is shut. Its first page that comes back opens it: the others
 * are as Linux has them, on the node that opened it and on the other.
 */
TEST_F(pages, shut)
{
	size_t n = 3 * HUGE / PAGE, per = HUGE / PAGE, i;
	uint64_t zaps;
	char *p;

	attach("none");
	p = tables_of(3);
	ASSERT_NE(NULL, p);
	fill(p, n, 1);
	zaps = sum_of("zaps");
	EXPECT_EQ(0, madvise(p, n * PAGE, MADV_DONTNEED));
	/* Of each node, where there are two. */
	EXPECT_LE(n, sum_of("zaps") - zaps);
	for (i = 0; i < 3; i++)
		write_on(i % 2 ? last : 0, p + i * HUGE, 1, 2);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, wrong_in(p + i * HUGE, 0, 1, 2));
		EXPECT_EQ(0, wrong_in(p + i * HUGE, 1, per, 0));
	}
	/* Only restricted, in part and as a whole. */
	fill(p, n, 3);
	EXPECT_EQ(0, mprotect(p, n * PAGE, PROT_READ));
	EXPECT_EQ(0, wrong_in(p, 0, n, 3));
	EXPECT_EQ(0, mprotect(p, n * PAGE, PROT_READ | PROT_WRITE));
	fill(p, n, 4);
	EXPECT_EQ(0, mprotect(p + 8 * PAGE, HUGE, PROT_READ));
	EXPECT_EQ(0, wrong_in(p, 0, n, 4));
	EXPECT_EQ(0, mprotect(p + 8 * PAGE, HUGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, wrong_after_fork(p, n, 4));
	/* Taken away while they are shut, and by a larger page. */
	EXPECT_EQ(0, madvise(p, n * PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, munmap(p, 4 * PAGE));
	EXPECT_EQ(0, munmap(p + HUGE, HUGE));
	EXPECT_EQ(0, wrong_in(p, 4, per, 0));
	EXPECT_EQ(0, madvise(p + 2 * HUGE, HUGE, MADV_HUGEPAGE));
	EXPECT_EQ(0, wrong_in(p + 2 * HUGE, 0, per, 0));
	fill(p + 2 * HUGE, per, 5);
	EXPECT_EQ(0, wrong_in(p + 2 * HUGE, 0, per, 5));
}

TEST_F(pages, sees_shut_stale)
{
	size_t n = HUGE / PAGE;
	char *p;

	attach("no_wipe");
	p = tables_of(1);
	ASSERT_NE(NULL, p);
	fill(p, n, 1);
	EXPECT_EQ(0, madvise(p, n * PAGE, MADV_DONTNEED));
	write_on(last, p, 1, 2);
	EXPECT_LT(0, wrong_on(last, p, 1, n, 0));
}

/* Two large pages, or NULL. */
static char *huge_of(void)
{
	char *p = pages_of(3 * HUGE, 0);

	if (!p)
		return NULL;
	p = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	madvise(p, 2 * HUGE, MADV_HUGEPAGE);
	write_on(0, p, 2 * HUGE / PAGE, 1);
	return smaps_kb(p, "AnonHugePages:") == 2 * HUGE / 1024 ? p : NULL;
}

TEST_F(pages, split)
{
	size_t n = 2 * HUGE / PAGE, half = n / 2;
	uint64_t fills;
	char *p;

	attach("none");
	p = huge_of();
	if (!p)
		SKIP(return, "no transparent large pages to be had");
	fills = sum_of("fills");
	fill(p, n, 1);
	/* Small ones were as many for the last CPU's node; the rest of us is some 250. */
	fills = sum_of("fills") - fills;
	EXPECT_GT(half, fills);
	/* Of the first page the entry is split, of the second the page, too. */
	EXPECT_EQ(0, mprotect(p + 3 * PAGE, PAGE, PROT_READ));
	EXPECT_EQ(0, wrong_in(p, 0, n, 1));
	EXPECT_EQ(0, munmap(p + HUGE, 16 * PAGE));
	EXPECT_EQ(0, wrong_in(p, 0, half, 1));
	EXPECT_EQ(0, wrong_in(p, half + 16, n, 1));
	EXPECT_EQ(0, mprotect(p, HUGE, PROT_READ | PROT_WRITE));
	write_on(last, p, half, 2);
	EXPECT_EQ(0, wrong_in(p, 0, half, 2));
	EXPECT_EQ(0, wrong_after_fork(p, half, 2));
	EXPECT_EQ(0, madvise(p + HUGE / 2, HUGE / 2, MADV_DONTNEED));
	EXPECT_EQ(0, wrong_in(p, 0, half / 2, 2));
	EXPECT_EQ(0, wrong_in(p, half / 2, half, 0));
}

TEST_F(pages, sees_split_stale)
{
	size_t n = 2 * HUGE / PAGE;
	char *p;

	attach("no_invalidate");
	p = huge_of();
	if (!p)
		SKIP(return, "no transparent large pages to be had");
	EXPECT_EQ(0, wrong_in(p, 0, n, 1));
	EXPECT_EQ(0, madvise(p + HUGE / 2, HUGE / 2, MADV_DONTNEED));
	EXPECT_LT(0, wrong_in(p, n / 4, n / 2, 0));
}

/* Small pages become a large one, under two nodes that have the small ones. */
TEST_F(pages, collapse)
{
	size_t n = HUGE / PAGE;
	uint64_t fills;
	char *p;

	attach("none");
	p = pages_of(2 * HUGE, 0);
	ASSERT_NE(NULL, p);
	p = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	EXPECT_EQ(0, madvise(p, HUGE, MADV_NOHUGEPAGE));
	fill(p, n, 1);
	EXPECT_EQ(0, madvise(p, HUGE, MADV_HUGEPAGE));
	if (madvise(p, HUGE, MADV_COLLAPSE) && errno == EINVAL)
		SKIP(return, "no MADV_COLLAPSE");
	if (smaps_kb(p, "AnonHugePages:") != HUGE / 1024)
		SKIP(return, "no large page to be had");
	fills = sum_of("fills");
	EXPECT_EQ(0, wrong_in(p, 0, n, 1));
	EXPECT_GT(n / 2, sum_of("fills") - fills);
	fill(p, n, 2);
	EXPECT_EQ(0, wrong_in(p, 0, n, 2));
	EXPECT_EQ(0, munmap(p + HUGE / 2, HUGE / 2));
	EXPECT_EQ(0, wrong_in(p, 0, n / 2, 2));
}

/* Return: how many of the pages that were written, and of others, are marked. */
static void soft_dirty(struct __test_metadata *_metadata, size_t *written,
		       size_t *others)
{
	char *p = pages_of(PAGES * PAGE, MAP_NORESERVE);

	ASSERT_NE(NULL, p);
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	fill(p, PAGES, 1);
	ASSERT_EQ(0, mk_put("/proc/self/clear_refs", "4"));
	EXPECT_EQ(0, count_bit(p, PAGES, SOFT_DIRTY));
	EXPECT_EQ(0, wrong_in(p, 0, PAGES, 1));
	write_on(last, p, PAGES / 2, 2);
	*written = count_bit(p, PAGES / 2, SOFT_DIRTY);
	*others = count_bit(p + PAGES / 2 * PAGE, PAGES / 2, SOFT_DIRTY);
	EXPECT_EQ(0, wrong_in(p, 0, PAGES / 2, 2));
}

/* Does this kernel mark pages at all? */
static bool marks(void)
{
	char *p = pages_of(PAGE, 0);
	bool marked;

	*p = 1;
	marked = count_bit(p, 1, SOFT_DIRTY);
	munmap(p, PAGE);
	return marked;
}

TEST_F(pages, soft_dirty)
{
	size_t written, others;

	if (!marks())
		SKIP(return, "no soft-dirty bit");
	attach("none");
	soft_dirty(_metadata, &written, &others);
	EXPECT_EQ(PAGES / 2, written);
	EXPECT_EQ(0, others);
}

TEST_F(pages, sees_no_soft_dirty)
{
	size_t written, others;

	if (!marks())
		SKIP(return, "no soft-dirty bit");
	attach("no_invalidate");
	soft_dirty(_metadata, &written, &others);
	EXPECT_GT(PAGES / 2, written);
}

/* Pages of the device that do not have what was written last, on the device. */
static size_t lost(struct __test_metadata *_metadata)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	size_t i, n = 0;
	char *p, *is;

	ASSERT_LE(0, fd);
	p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	fill(p, PAGES, 1);
	ASSERT_EQ(0, msync(p, PAGES * PAGE, MS_SYNC));
	/* They are clean now, and both nodes have them. */
	EXPECT_EQ(0, wrong_in(p, 0, PAGES, 1));
	write_on(last, p, PAGES, 2);
	ASSERT_EQ(0, msync(p, PAGES * PAGE, MS_SYNC));
	munmap(p, PAGES * PAGE);
	/* What is clean leaves memory: it is read from the device again. */
	EXPECT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	is = malloc(PAGES * PAGE);
	ASSERT_NE(NULL, is);
	EXPECT_EQ(PAGES * PAGE, pread(fd, is, PAGES * PAGE, 0));
	for (i = 0; i < PAGES; i++)
		n += *word(is, i) != word_of(i, 2);
	free(is);
	close(fd);
	return n;
}

TEST_F(pages, writeback)
{
	if (!device_on(self))
		SKIP(return, "no zram");
	attach("none");
	EXPECT_EQ(0, lost(_metadata));
}

TEST_F(pages, sees_no_writeback)
{
	if (!device_on(self))
		SKIP(return, "no zram");
	attach("no_invalidate");
	EXPECT_LT(0, lost(_metadata));
}

/**
 * struct out - what became of pages that were to be paged out, twice
 * @first: were, the first time
 * @second: were, after the second
 * @back: were there after the other node had read them
 */
struct out {
	size_t first, second, back;
};

static void page_out(struct __test_metadata *_metadata, struct out *out)
{
	char *p = pages_of(PAGES * PAGE, 0);

	ASSERT_NE(NULL, p);
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	fill(p, PAGES, 1);
	ASSERT_EQ(0, madvise(p, PAGES * PAGE, MADV_PAGEOUT));
	out->first = count_bit(p, PAGES, SWAPPED);
	ASSERT_EQ(0, madvise(p, PAGES * PAGE, MADV_PAGEOUT));
	out->second = count_bit(p, PAGES, SWAPPED);
	EXPECT_EQ(0, wrong_on(last, p, 0, PAGES, 1));
	out->back = count_bit(p, PAGES, PRESENT);
	munmap(p, PAGES * PAGE);
}

/*
 * Linux takes the accessed bit away from its own entries, and then asks whether
 * the pages were used. Replicas say yes once, and so they stay that time.
 */
TEST_F(pages, pageout)
{
	struct out out;

	if (!swap_on(self))
		SKIP(return, "no swap on zram");
	attach("none");
	page_out(_metadata, &out);
	EXPECT_GT(PAGES / 2, out.first);
	EXPECT_LT(0, sum_of("young"));
	EXPECT_LT(PAGES / 2, out.second);
	EXPECT_EQ(PAGES, out.back);
}

/* Without replicas nobody says so. */
TEST_F(pages, pageout_unmirrored)
{
	struct out out;

	if (!swap_on(self))
		SKIP(return, "no swap on zram");
	page_out(_metadata, &out);
	EXPECT_LT(PAGES / 2, out.first);
	EXPECT_EQ(PAGES, out.back);
}

/* They are read, but from where they were. */
TEST_F(pages, sees_no_pageout)
{
	struct out out;

	if (!swap_on(self))
		SKIP(return, "no swap on zram");
	attach("no_invalidate");
	page_out(_metadata, &out);
	EXPECT_LT(PAGES / 2, out.second);
	EXPECT_GT(PAGES, out.back);
}

/* Tables that map nothing any more; Return: how many the replicas have in all. */
static uint64_t leave_tables(char *p, size_t step, size_t n)
{
	uint64_t tables;
	size_t i;
	int cpu;

	for (cpu = 0; cpu <= last; cpu += last ? last : 1) {
		go_to(cpu);
		for (i = 0; i < n; i++)
			*(volatile uint64_t *)(p + i * step) = word_of(i, 1);
	}
	tables = sum_of("tables");
	madvise(p, n * step, MADV_DONTNEED);
	return tables;
}

/* Asked for memory, Linux asks us, and gets them. */
TEST_F(pages, shrinks)
{
	double until = mk_seconds() + 30;
	unsigned long long before, shrunk;
	char *p, *used = pages_of(PAGES * PAGE, 0);
	const size_t n = 64;
	uint64_t tables;

	attach("none");
	ASSERT_NE(NULL, used);
	fill(used, PAGES, 1);
	p = pages_of(n * HUGE, MAP_NORESERVE);
	ASSERT_NE(NULL, p);
	madvise(p, n * HUGE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, mk_get_u64("mirror/shrunk", &before));
	tables = leave_tables(p, HUGE, n);
	/* Nobody has asked: they stay. */
	EXPECT_LE(tables, sum_of("tables"));
	do {
		ASSERT_EQ(0, mk_put("/proc/sys/vm/drop_caches", "2"));
		mk_sleep_ms(200);
		ASSERT_EQ(0, mk_get_u64("mirror/shrunk", &shrunk));
	} while (shrunk < before + n && mk_seconds() < until);
	EXPECT_LE(before + n, shrunk);
	EXPECT_GT(tables, sum_of("tables"));
	EXPECT_EQ(0, wrong_in(used, 0, PAGES, 1));
	leave_tables(p, HUGE, n);
	EXPECT_EQ(0, wrong_in(used, 0, PAGES, 1));
}

TEST_F(pages, unloads)
{
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_HARNESS_MAIN
