// SPDX-License-Identifier: GPL-2.0
/*
 * Pagers at user level by libpager, on the module: this process is mirrored and
 * maps a paged region, a process for each node serves its faults. Each policy
 * gives the frames that it says, with each way to synchronise; what is written is
 * never lost, also where pagers are killed all the time; code that is replicated runs
 * from the node's own copy.
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
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libpager/pager.h"
#include "module/uapi.h"
#include "test.h"

#define PAGE		4096UL
#define PAGES		8
#define NODES_MAX	8
/* Of a fault. No pager of a test that passes takes as long. */
#define TIMEOUT_MS	10000
/* From where the tests are. */
#define REPLICATED	"../../libpager/replicated"
#define MKPAGER		"../../libpager/mkpager"

/* Words of a page: the node it was filled for, and what the test writes. */
#define FILLED_FOR	8
#define COUNTER		16

static int node_of[256];	/* by CPU */
static int cpu_of[NODES_MAX];	/* first of each node */
static int nodes;

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void find_nodes(void)
{
	unsigned int cpu, at, node;

	nodes = 0;
	for (cpu = 0; cpu < (unsigned int)mk_cpus_possible(); cpu++) {
		go_to(cpu);
		if (syscall(SYS_getcpu, &at, &node, NULL) || at != cpu)
			continue;
		node_of[cpu] = node;
		if ((int)node == nodes)
			cpu_of[nodes++] = cpu;
	}
	go_to(0);
}

/**
 * struct site - a region that this process maps, and its pagers
 * @group: theirs
 * @pager: the process of each node's
 * @stop: tells them to end
 * @mirror: the file that mirrors this process
 * @at: where the region is
 */
struct site {
	struct pager_group *group;
	pid_t pager[NODES_MAX];
	int stop;
	int mirror;
	char *at;
};

FIXTURE(pagers)
{
	struct site site;
};

FIXTURE_VARIANT(pagers)
{
	int policy;
	int sync;
};

FIXTURE_VARIANT_ADD(pagers, global_shm) {
	.policy = PAGER_GLOBAL, .sync = PAGER_SHM,
};

FIXTURE_VARIANT_ADD(pagers, global_urpc) {
	.policy = PAGER_GLOBAL, .sync = PAGER_URPC,
};

FIXTURE_VARIANT_ADD(pagers, global_both) {
	.policy = PAGER_GLOBAL, .sync = PAGER_BOTH,
};

FIXTURE_VARIANT_ADD(pagers, local_shm) {
	.policy = PAGER_LOCAL, .sync = PAGER_SHM,
};

FIXTURE_VARIANT_ADD(pagers, local_urpc) {
	.policy = PAGER_LOCAL, .sync = PAGER_URPC,
};

FIXTURE_VARIANT_ADD(pagers, local_both) {
	.policy = PAGER_LOCAL, .sync = PAGER_BOTH,
};

FIXTURE_VARIANT_ADD(pagers, replicate_shm) {
	.policy = PAGER_REPLICATE, .sync = PAGER_SHM,
};

FIXTURE_VARIANT_ADD(pagers, replicate_urpc) {
	.policy = PAGER_REPLICATE, .sync = PAGER_URPC,
};

FIXTURE_VARIANT_ADD(pagers, replicate_both) {
	.policy = PAGER_REPLICATE, .sync = PAGER_BOTH,
};

FIXTURE_VARIANT_ADD(pagers, migrate_shm) {
	.policy = PAGER_MIGRATE, .sync = PAGER_SHM,
};

FIXTURE_VARIANT_ADD(pagers, migrate_urpc) {
	.policy = PAGER_MIGRATE, .sync = PAGER_URPC,
};

FIXTURE_VARIANT_ADD(pagers, migrate_both) {
	.policy = PAGER_MIGRATE, .sync = PAGER_BOTH,
};

static int fill(void *arg, uint32_t page, int node, void *frame)
{
	*(uint64_t *)(frame + FILLED_FOR) = node + 1;
	return 0;
}

/*
 * What a broken policy would do: a copy for whoever has a fault, of what was there,
 * which others go on using.
 */
static int keep_others(void *arg, struct pager *pager,
		       const struct pager_request *request, uint32_t *frame)
{
	int ret = pager_frame_get(pager, request->node, frame);

	return ret ? ret : PAGER_READ | PAGER_WRITE;
}

static void begin_loaded(struct __test_metadata *_metadata)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load_hooked());
}

static pid_t serve(struct pager_group *group, int node, int stop)
{
	struct pager *pager;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pager_bind(node) || pager_open(group, node, 0, &pager))
		_exit(1);
	_exit(pager_run(pager, stop, -1) ? 2 : 0);
}

static uint64_t counted(struct site *s, size_t which)
{
	struct pager_counts counts;
	uint64_t sum = 0;
	int node;

	for (node = 0; node < nodes; node++) {
		pager_group_counts(s->group, node, &counts);
		sum += *(uint64_t *)((char *)&counts + which);
	}
	return sum;
}

#define COUNTED(name)	counted(s, offsetof(struct pager_counts, name))

/* Until then another node's pager serves this one's. */
static bool all_open(struct site *s)
{
	int i;

	for (i = 0; i < 3000 && COUNTED(opens) < (uint64_t)nodes; i++)
		mk_sleep_ms(10);
	return COUNTED(opens) == (uint64_t)nodes;
}

static int begin(struct __test_metadata *_metadata, struct site *s,
		 const struct pager_options *options)
{
	int node;

	ASSERT_EQ(0, pager_group_create(options, &s->group));
	s->stop = eventfd(0, EFD_CLOEXEC);
	/* Before this process is mirrored: they need not be. */
	for (node = 0; node < nodes; node++)
		s->pager[node] = serve(s->group, node, s->stop);
	ASSERT_TRUE(all_open(s));
	s->mirror = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, s->mirror);
	ASSERT_EQ(0, ioctl(s->mirror, MK_IOC_MIRROR));
	s->at = mmap(NULL, options->pages * PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED, pager_group_region(s->group), 0);
	ASSERT_NE(MAP_FAILED, s->at);
	return 0;
}

FIXTURE_SETUP(pagers)
{
	begin_loaded(_metadata);
	find_nodes();
	ASSERT_LE(2, nodes);
	self->site.at = MAP_FAILED;
}

/* Each pager ends when it is told to, and not before. */
FIXTURE_TEARDOWN(pagers)
{
	struct site *s = &self->site;
	const uint64_t one = 1;
	int node, status;

	if (s->at != MAP_FAILED)
		munmap(s->at, PAGES * PAGE);
	if (!s->group)
		return;
	EXPECT_EQ(sizeof(one), write(s->stop, &one, sizeof(one)));
	for (node = 0; node < nodes; node++) {
		EXPECT_EQ(s->pager[node],
			  waitpid(s->pager[node], &status, 0));
		EXPECT_EQ(0, status) TH_LOG("pager %d", node);
	}
	close(s->mirror);
	pager_group_destroy(s->group);
}

static uint64_t *word(char *at, int page, int offset)
{
	return (uint64_t *)(at + page * PAGE + offset);
}

static uint64_t load(struct site *s, int node, int page, int offset)
{
	go_to(cpu_of[node]);
	return __atomic_load_n(word(s->at, page, offset), __ATOMIC_SEQ_CST);
}

static void add(struct site *s, int node, int page, uint64_t n)
{
	go_to(cpu_of[node]);
	__atomic_add_fetch(word(s->at, page, COUNTER), n, __ATOMIC_SEQ_CST);
}

/* 1 + the frame that a node has; 0 if it has none. */
static int64_t frame(struct site *s, int node, int page,
		     int *rights)
{
	uint32_t number;
	int ret = pager_group_look(s->group, page, node, &number);

	*rights = ret < 0 ? 0 : ret & ~PAGER_EXEC;
	return ret <= 0 ? ret : (int64_t)number + 1;
}

/* --- each policy gives the frames that it says ------------------------------- */

static void global(struct __test_metadata *_metadata, struct site *s)
{
	int64_t first = 0, now;
	int node, rights;

	for (node = nodes - 1; node >= 0; node--) {
		add(s, node, 0, 1);
		now = frame(s, node, 0, &rights);
		EXPECT_LT(0, now);
		if (!first)
			first = now;
		EXPECT_EQ(first, now);
	}
	/* Filled for who came first; a fault for each node. */
	EXPECT_EQ(nodes, load(s, 0, 0, FILLED_FOR));
	EXPECT_EQ(nodes, load(s, 0, 0, COUNTER));
	EXPECT_EQ(nodes, COUNTED(requests));
	EXPECT_EQ(1, COUNTED(frames));
}

static void local(struct __test_metadata *_metadata, struct site *s)
{
	int node, other, rights;

	for (node = 0; node < nodes; node++)
		add(s, node, 0, 10 + node);
	for (node = 0; node < nodes; node++) {
		EXPECT_EQ(node + 1, load(s, node, 0, FILLED_FOR));
		EXPECT_EQ(10 + node, load(s, node, 0, COUNTER));
		for (other = 0; other < node; other++)
			EXPECT_NE(frame(s, node, 0, &rights),
				  frame(s, other, 0, &rights));
	}
	EXPECT_EQ(nodes, COUNTED(frames));
	EXPECT_EQ(nodes, COUNTED(requests));
}

static void replicate(struct __test_metadata *_metadata,
		      struct site *s)
{
	int64_t one;
	int node, other, rights;

	for (node = 0; node < nodes; node++)
		EXPECT_EQ(1, load(s, node, 0, FILLED_FOR));
	for (node = 0; node < nodes; node++) {
		for (other = 0; other < node; other++)
			EXPECT_NE(frame(s, node, 0, &rights),
				  frame(s, other, 0, &rights));
		frame(s, node, 0, &rights);
		EXPECT_EQ(PAGER_READ, rights);
	}
	EXPECT_EQ(nodes - 1, COUNTED(copies));
	one = frame(s, 1, 0, &rights);
	add(s, 1, 0, 5);
	EXPECT_EQ(1, COUNTED(unmaps));
	for (node = 0; node < nodes; node++) {
		EXPECT_EQ(5, load(s, node, 0, COUNTER));
		EXPECT_EQ(one, frame(s, node, 0, &rights));
	}
	add(s, 0, 0, 5);
	EXPECT_EQ(10, load(s, 1, 0, COUNTER));
	EXPECT_EQ(1, COUNTED(unmaps));
}

static void migrate(struct __test_metadata *_metadata,
		    struct site *s)
{
	int64_t now, before = 0;
	int i, rights;

	for (i = 0; i < 2 * nodes; i++) {
		add(s, i % nodes, 0, 1);
		now = frame(s, i % nodes, 0, &rights);
		EXPECT_LT(0, now);
		EXPECT_NE(before, now);
		/* Nobody else has it. */
		EXPECT_EQ(0, frame(s, (i + 1) % nodes, 0, &rights));
		before = now;
	}
	EXPECT_EQ(2 * nodes, load(s, nodes - 1, 0, COUNTER));
	EXPECT_EQ(2 * nodes - 1, COUNTED(copies));
}

typedef void (*check_fn)(struct __test_metadata *, struct site *);

static const check_fn check[PAGER_POLICIES] = {
	[PAGER_GLOBAL] = global,
	[PAGER_LOCAL] = local,
	[PAGER_REPLICATE] = replicate,
	[PAGER_MIGRATE] = migrate,
};

TEST_F(pagers, frames)
{
	struct site *s = &self->site;
	const struct pager_options options = {
		.pages = PAGES, .policy = variant->policy,
		.sync = variant->sync, .timeout_ms = TIMEOUT_MS, .fill = fill,
	};
	uint64_t told = 0;

	begin(_metadata, s, &options);
	check[variant->policy](_metadata, s);
	EXPECT_EQ(0, COUNTED(refusals));
	/* All pagers are told of an unmap; what was there stays. */
	EXPECT_EQ(0, pager_group_unmap(s->group, 0, 1, &told));
	EXPECT_EQ(nodes, told);
	EXPECT_EQ(nodes, COUNTED(notices));
	load(s, 0, 0, COUNTER);
}

/* --- nothing is lost ----------------------------------------------------------- */

struct toucher {
	pthread_t thread;
	struct site *s;
	int node;
	unsigned int rounds;
	atomic_int *busy;
};

/* Adds 1 to the counter of each page in turn. */
static void *touch(void *arg)
{
	struct toucher *t = arg;
	unsigned int i;

	for (i = 0; i < t->rounds; i++)
		add(t->s, t->node, i % PAGES, 1);
	atomic_fetch_sub(t->busy, 1);
	return NULL;
}

/* One pager after the other, and whoever is dead gets a successor. */
static void kill_one(struct site *s, int node)
{
	kill(s->pager[node], SIGKILL);
	waitpid(s->pager[node], NULL, 0);
	s->pager[node] = serve(s->group, node, s->stop);
}

static uint64_t storm(struct site *s, unsigned int rounds, int kills)
{
	struct toucher toucher[NODES_MAX];
	atomic_int busy = nodes;
	uint64_t sum = 0;
	int i, page;

	for (i = 0; i < nodes; i++) {
		toucher[i] = (struct toucher){
			.s = s, .node = i, .rounds = rounds, .busy = &busy,
		};
		pthread_create(&toucher[i].thread, NULL, touch, &toucher[i]);
	}
	for (i = 0; i < kills && atomic_load(&busy); i++) {
		mk_sleep_ms(20);
		kill_one(s, i % nodes);
	}
	for (i = 0; i < nodes; i++)
		pthread_join(toucher[i].thread, NULL);
	for (i = 0; i < nodes; i++)
		for (page = 0; page < PAGES; page++)
			sum += load(s, i, page, COUNTER);
	return sum;
}

/* Of a region whose nodes have one word, each node sees all of it. */
static uint64_t expected(int policy, unsigned int rounds)
{
	return (uint64_t)rounds * nodes * (policy == PAGER_LOCAL ? 1 : nodes);
}

TEST_F(pagers, storm)
{
	struct site *s = &self->site;
	const struct pager_options options = {
		.pages = PAGES, .policy = variant->policy,
		.sync = variant->sync, .timeout_ms = TIMEOUT_MS,
	};
	unsigned int rounds = mk_rounds(400, 40);

	begin(_metadata, s, &options);
	EXPECT_EQ(expected(variant->policy, rounds), storm(s, rounds, 0));
	EXPECT_EQ(0, COUNTED(refusals));
}

TEST_F(pagers, killed)
{
	struct site *s = &self->site;
	const struct pager_options options = {
		.pages = PAGES, .policy = variant->policy,
		.sync = variant->sync, .timeout_ms = TIMEOUT_MS,
	};
	unsigned int rounds = mk_rounds(400, 60);

	begin(_metadata, s, &options);
	EXPECT_EQ(expected(variant->policy, rounds),
		  storm(s, rounds, mk_rounds(20, 4)));
}

/* --- is the storm able to see anything? ---------------------------------------- */

TEST_F(pagers, broken)
{
	struct site *s = &self->site;
	const struct pager_options options = {
		.pages = PAGES, .policy = variant->policy,
		.sync = variant->sync, .timeout_ms = TIMEOUT_MS,
		.serve = keep_others,
	};
	unsigned int rounds = mk_rounds(100, 20);

	if (variant->policy == PAGER_LOCAL || variant->sync != PAGER_SHM)
		SKIP(return, "once is enough");
	begin(_metadata, s, &options);
	EXPECT_NE(expected(variant->policy, rounds), storm(s, rounds, 0));
}

/* --- programs -------------------------------------------------------------------- */

TEST(plain)
{
	const struct pager_options options = {
		.pages = PAGES, .flags = PAGER_PLAIN, .timeout_ms = TIMEOUT_MS,
		.nodes = 1,
	};
	struct pager_group *group;
	int i, status, stop;
	uint64_t one = 1;
	pid_t pid;
	char *at;

	begin_loaded(_metadata);
	ASSERT_EQ(0, pager_group_create(&options, &group));
	stop = eventfd(0, EFD_CLOEXEC);
	pid = serve(group, 0, stop);
	/* Not mirrored: one page table, and the pager of one node for all. */
	at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		  pager_group_region(group), 0);
	ASSERT_NE(MAP_FAILED, at);
	for (i = 0; i < PAGES; i++)
		*word(at, i, COUNTER) = i;
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i, *word(at, i, COUNTER));
	munmap(at, PAGES * PAGE);
	EXPECT_EQ(sizeof(one), write(stop, &one, sizeof(one)));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	pager_group_destroy(group);
}

static int run(const char *program, const char *option)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl(program, program, option, NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	       WEXITSTATUS(status) : -1;
}

/* mkpager: its region by its socket, a pager of it that is killed, its end. */
TEST(served_by_mkpager)
{
	static const char path[] = "/tmp/mkpager.test";
	int i, region, status;
	uint32_t pages;
	char file[64], children[64];
	pid_t pid, child;
	char *at;

	begin_loaded(_metadata);
	unlink(path);
	pid = fork();
	if (!pid) {
		execl(MKPAGER, MKPAGER, "--plain", "--pages=8", "--nodes=0",
		      "--timeout=10000", "--stats", "--socket", path, NULL);
		_exit(127);
	}
	for (i = 0; i < 1000; i++) {
		region = pager_fetch(path, &pages);
		if (region != -ENOENT && region != -ECONNREFUSED)
			break;
		mk_sleep_ms(10);
	}
	ASSERT_LE(0, region) TH_LOG("%s", mk_errname(region));
	EXPECT_EQ(PAGES, pages);
	at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		  region, 0);
	ASSERT_NE(MAP_FAILED, at);
	*word(at, 0, COUNTER) = 1;
	/* It has one child, the pager of node 0. Another one takes over. */
	snprintf(file, sizeof(file), "/proc/%d/task/%d/children", pid, pid);
	ASSERT_LT(0, mk_read(file, children, sizeof(children)));
	child = atoi(children);
	ASSERT_LT(1, child);
	EXPECT_EQ(0, kill(child, SIGKILL));
	for (i = 1; i < PAGES; i++)
		*word(at, i, COUNTER) = i + 1;
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i + 1, *word(at, i, COUNTER));
	munmap(at, PAGES * PAGE);
	close(region);
	EXPECT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_EQ(0, kill(pid, SIGTERM));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_RET(-ENOENT, pager_fetch(path, &pages), "after its end");
}

/* A program on whose nodes its own text differs; and one where it must not. */
TEST(code)
{
		begin_loaded(_metadata);
	EXPECT_EQ(0, run(REPLICATED, "--stamp"));
	EXPECT_EQ(0, run(REPLICATED, "--data"));
	EXPECT_EQ(1, run(REPLICATED, "--broken"));
}

TEST_HARNESS_MAIN
