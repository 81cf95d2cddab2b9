// SPDX-License-Identifier: GPL-2.0
/*
 * Home-node address spaces: where their memory lies, how nodes are brought in
 * line, and that a global unmap reaches all of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "home_use.h"
#include "region_use.h"
#include "test.h"

#define EXPECT_NO_HOME_LEFT() do {					\
	EXPECT_EQ(0, home_total("spaces"));				\
	EXPECT_EQ(0, home_total("records"));				\
	EXPECT_EQ(0, home_total("tables"));				\
	EXPECT_EQ(0, mk_total("agreement/check"));			\
} while (0)

FIXTURE(home)
{
	int node[NODES_MAX], cpu[NODES_MAX];
	int nodes;
	int fd;
};

FIXTURE_SETUP(home)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	self->nodes = home_nodes(self->node, self->cpu);
	ASSERT_LT(0, self->nodes);
	self->fd = home_open(self->node[0]);
	ASSERT_LE(0, self->fd)
		TH_LOG("%s", mk_errname(self->fd));
}

FIXTURE_TEARDOWN(home)
{
	close(self->fd);
	mk_cpus_all_online();
	EXPECT_NO_HOME_LEFT();
}

/* Every page of every node's tables there, every record at home, all typed. */
TEST_F(home, memory_on_its_node)
{
	struct mk_home_info info;
	uint64_t word;
	int home, i, fd;

	for (home = 0; home < self->nodes; home++) {
		fd = home_open(self->node[home]);
		ASSERT_LE(0, fd);
		/* far apart, so that the tables have several pages */
		EXPECT_RET(0, home_map(fd, HOME_AT, 3, MK_HOME_WRITE), "map");
		EXPECT_RET(0, home_map(fd, HOME_AT << 4, 2, MK_HOME_LOCAL), "map");
		EXPECT_RET(0, home_map(fd, HOME_AT << 16, 1, 0), "map");
		for (i = 0; i < self->nodes; i++) {
			EXPECT_RET(0, home_read(fd, self->cpu[i], HOME_AT, &word,
						NULL), "read");
			EXPECT_RET(0, home_read(fd, self->cpu[i], HOME_AT << 4,
						&word, NULL), "read");
			EXPECT_RET(0, home_read(fd, self->cpu[i], HOME_AT << 16,
						&word, NULL), "read");
		}
		for (i = 0; i < self->nodes; i++) {
			ASSERT_EQ(0, home_info(fd, self->node[i], &info));
			EXPECT_EQ(self->node[home], info.home);
			EXPECT_EQ(self->nodes, (int)info.nodes);
			EXPECT_LE(8, info.tables);
			EXPECT_EQ(0, info.tables_off);
			EXPECT_EQ(0, info.untyped);
			EXPECT_EQ(3, info.records);
			EXPECT_EQ(0, info.records_off);
			EXPECT_EQ(3, info.entries);
			EXPECT_EQ(0, info.stale);
		}
		close(fd);
	}
}

/* A node pays for a page once, when it uses it; others do not. */
TEST_F(home, a_fault_for_each_node)
{
	struct mk_home_info info;
	uint64_t word;
	uint32_t faults;
	int i, again;

	ASSERT_EQ(0, home_map(self->fd, HOME_AT, 4, MK_HOME_WRITE));
	for (i = 0; i < self->nodes; i++) {
		for (again = 0; again < 3; again++) {
			EXPECT_RET(0, home_read(self->fd, self->cpu[i],
						HOME_AT + PAGE, &word, &faults),
				   "read");
			EXPECT_EQ(1, word);
			EXPECT_EQ(!again, (int)faults);
		}
		EXPECT_RET(0, home_info(self->fd, self->node[i], &info), "info");
		EXPECT_EQ(1, info.faults);
		EXPECT_EQ(1, info.entries);
		EXPECT_EQ(i + 1, (int)info.nodes);
	}
}

TEST_F(home, global_is_one_frame_and_local_is_many)
{
	uint64_t global = HOME_AT, local = HOME_AT + 16 * PAGE, word;
	int i;

	ASSERT_EQ(0, home_map(self->fd, global, 2, MK_HOME_WRITE));
	ASSERT_EQ(0, home_map(self->fd, local, 2,
			      MK_HOME_WRITE | MK_HOME_LOCAL));
	for (i = 0; i < self->nodes; i++) {
		EXPECT_RET(0, home_read(self->fd, self->cpu[i], local + PAGE,
					&word, NULL), "read");
		EXPECT_EQ((uint64_t)self->node[i] << 32 | 1, word);
		EXPECT_RET(0, home_write(self->fd, self->cpu[i], local + 8,
					 100 + i), "write");
		EXPECT_RET(0, home_write(self->fd, self->cpu[i], global + 8,
					 100 + i), "write");
	}
	for (i = 0; i < self->nodes; i++) {
		EXPECT_RET(0, home_read(self->fd, self->cpu[i], local + 8, &word,
					NULL), "read");
		EXPECT_EQ(100 + i, (int)word);
		/* the control: what one frame for all looks like */
		EXPECT_RET(0, home_read(self->fd, self->cpu[i], global + 8, &word,
					NULL), "read");
		EXPECT_EQ(100 + self->nodes - 1, (int)word);
	}
}

TEST_F(home, rights)
{
	uint64_t word;
	int i;

	ASSERT_EQ(0, home_map(self->fd, HOME_AT, 1, 0));
	for (i = 0; i < self->nodes; i++) {
		EXPECT_RET(-EACCES, home_write(self->fd, self->cpu[i], HOME_AT, 7),
			   "write");
		EXPECT_RET(0, home_read(self->fd, self->cpu[i], HOME_AT, &word,
					NULL), "read");
		EXPECT_EQ(0, word);
		EXPECT_RET(-EACCES, home_write(self->fd, self->cpu[i], HOME_AT, 7),
			   "write");
	}
}

/* --- global unmaps --------------------------------------------------------- */

static const int protocols[] = {
	MK_PROTOCOL_IPI, MK_PROTOCOL_UNICAST, MK_PROTOCOL_BROADCAST,
	MK_PROTOCOL_MULTICAST, MK_PROTOCOL_NUMA_MULTICAST,
	MK_PROTOCOL_ADAPTIVE, MK_PROTOCOL_PLANNED,
};

/* Nodes whose CPU still gets somewhere, and where the look sees an entry. */
static void home_reached(int fd, int nodes, const int *node, const int *cpu,
			 int *reached, int *seen)
{
	struct mk_home_info info;
	uint64_t word;
	int i;

	*reached = 0;
	*seen = 0;
	for (i = 0; i < nodes; i++) {
		*seen += !home_info(fd, node[i], &info) && info.stale;
		*reached += !home_read(fd, cpu[i], HOME_AT, &word, NULL);
	}
}

TEST_F(home, unmap_reaches_every_node)
{
	int reached, seen, i;
	uint64_t word;
	size_t p;

	for (p = 0; p < ARRAY_SIZE(protocols); p++) {
		ASSERT_EQ(0, home_map(self->fd, HOME_AT, 2, 0));
		for (i = 0; i < self->nodes; i++)
			EXPECT_RET(0, home_read(self->fd, self->cpu[i], HOME_AT,
						&word, NULL), "read");
		EXPECT_RET(0, home_unmap(self->fd, HOME_AT, 2, protocols[p], 0),
			   "unmap");
		home_reached(self->fd, self->nodes, self->node, self->cpu,
			     &reached, &seen);
		EXPECT_EQ(0, reached);
		EXPECT_EQ(0, seen);
	}
}

/* The control of the above: one node is not told, and that is seen. */
TEST_F(home, a_node_left_out_is_seen)
{
	int reached, seen, i;
	uint64_t word;
	size_t p;

	if (self->nodes == 1)
		SKIP(return, "there is no other node");
	for (p = 0; p < ARRAY_SIZE(protocols); p++) {
		ASSERT_EQ(0, home_map(self->fd, HOME_AT, 2, 0));
		for (i = 0; i < self->nodes; i++)
			EXPECT_RET(0, home_read(self->fd, self->cpu[i], HOME_AT,
						&word, NULL), "read");
		EXPECT_RET(0, home_unmap(self->fd, HOME_AT, 2, protocols[p],
					 MK_BROKEN_SKIP_TARGET), "unmap");
		home_reached(self->fd, self->nodes, self->node, self->cpu,
			     &reached, &seen);
		EXPECT_EQ(1, reached)
			TH_LOG("protocol %d", protocols[p]);
		EXPECT_EQ(1, seen);
		/* what is mapped there next is no remedy, the next unmap is */
		ASSERT_EQ(0, home_map(self->fd, HOME_AT, 2, 0));
		EXPECT_RET(0, home_unmap(self->fd, HOME_AT, 2, protocols[p], 0),
			   "unmap");
		home_reached(self->fd, self->nodes, self->node, self->cpu,
			     &reached, &seen);
		EXPECT_EQ(0, reached);
		EXPECT_EQ(0, seen);
	}
}

TEST_F(home, unmap_those_mappings_only)
{
	uint64_t word;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, home_map(self->fd, HOME_AT + i * PAGE, 1, 0));
	for (i = 0; i < 4; i++)
		EXPECT_RET(0, home_read(self->fd, self->cpu[0],
					HOME_AT + i * PAGE, &word, NULL), "read");
	EXPECT_RET(0, home_unmap(self->fd, HOME_AT + PAGE, 2, MK_PROTOCOL_IPI, 0),
		   "unmap");
	for (i = 0; i < 4; i++)
		EXPECT_RET(i == 1 || i == 2 ? -EFAULT : 0,
			   home_read(self->fd, self->cpu[0], HOME_AT + i * PAGE,
				     &word, NULL), "read");
}

/* --- others at the same time ----------------------------------------------- */

struct toucher {
	int fd, cpu;
	volatile bool stop;
	unsigned long touched;
};

static void *touch_on(void *arg)
{
	struct toucher *t = arg;
	uint64_t word;

	while (!t->stop)
		t->touched += !home_read(t->fd, t->cpu, HOME_AT, &word, NULL);
	return NULL;
}

TEST_F(home, unmap_under_faults)
{
	struct toucher toucher[NODES_MAX] = {};
	pthread_t thread[NODES_MAX];
	int round, rounds = mk_rounds(200, 30), i;
	struct mk_home_info info;

	for (i = 0; i < self->nodes; i++) {
		toucher[i].fd = self->fd;
		toucher[i].cpu = self->cpu[i];
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, touch_on,
					    &toucher[i]));
	}
	for (round = 0; round < rounds; round++) {
		EXPECT_RET(0, home_map(self->fd, HOME_AT, 1, 0), "map");
		mk_sleep_ms(round % 3);
		EXPECT_RET(0, home_unmap(self->fd, HOME_AT, 1,
					 protocols[round % ARRAY_SIZE(protocols)],
					 0), "unmap");
		for (i = 0; i < self->nodes; i++) {
			EXPECT_RET(0, home_info(self->fd, self->node[i], &info),
				   "info");
			EXPECT_EQ(0, info.entries);
		}
	}
	for (i = 0; i < self->nodes; i++) {
		toucher[i].stop = true;
		pthread_join(thread[i], NULL);
		EXPECT_LT(0, toucher[i].touched);
	}
}

/* A node without CPUs keeps its tables; the initiator changes them itself. */
TEST_F(home, node_off_line)
{
	unsigned long long direct = home_total("direct");
	int last = self->nodes - 1, cpu;
	uint64_t word;
	char file[64];

	if (self->nodes == 1)
		SKIP(return, "there is no other node");
	ASSERT_EQ(0, home_map(self->fd, HOME_AT, 1, 0));
	EXPECT_RET(0, home_read(self->fd, self->cpu[last], HOME_AT, &word, NULL),
		   "read");
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		snprintf(file, sizeof(file), "topology/cpu%d/node", cpu);
		if ((int)mk_total(file) == self->node[last])
			ASSERT_EQ(0, mk_cpu_set(cpu, false));
	}
	EXPECT_RET(-ENODEV, home_read(self->fd, self->cpu[last], HOME_AT, &word,
				      NULL), "off line");
	EXPECT_RET(0, home_unmap(self->fd, HOME_AT, 1, MK_PROTOCOL_MULTICAST, 0),
		   "unmap");
	EXPECT_EQ(direct + 1, home_total("direct"));
	mk_cpus_all_online();
	EXPECT_RET(-EFAULT, home_read(self->fd, self->cpu[last], HOME_AT, &word,
				      NULL), "on line");
}

/* A child has the file, and its space lives until the last one closes it. */
TEST_F(home, fork_and_kill)
{
	uint64_t word;
	pid_t pid;

	ASSERT_EQ(0, home_map(self->fd, HOME_AT, 1, MK_HOME_WRITE));
	pid = fork();
	if (!pid)
		_exit(home_write(self->fd, self->cpu[0], HOME_AT, 5) ? 1 : 0);
	EXPECT_EQ(0, mk_exit_code(pid));
	EXPECT_RET(0, home_read(self->fd, self->cpu[0], HOME_AT, &word, NULL),
		   "read");
	EXPECT_EQ(5, word);

	/* killed in the middle of maps and unmaps of its own */
	pid = fork();
	while (!pid) {
		home_map(self->fd, HOME_AT + PAGE, 64, MK_HOME_LOCAL);
		home_read(self->fd, self->cpu[self->nodes - 1],
			  HOME_AT + PAGE, &word, NULL);
		home_unmap(self->fd, HOME_AT + PAGE, 64, MK_PROTOCOL_UNICAST, 0);
	}
	mk_sleep_ms(300);
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, mk_exit_code(pid));
	EXPECT_RET(0, home_read(self->fd, self->cpu[0], HOME_AT, &word, NULL),
		   "read");
}

/* --- bad input ------------------------------------------------------------- */

TEST_F(home, bad_home)
{
	static const struct mk_home_create bad[] = {
		{ .node = -1 }, { .node = 63 }, { .node = 1 << 20 },
		{ .node = INT32_MIN }, { .node = 0, .flags = 1 },
	};
	struct mk_home_create good = { .node = self->node[0] };
	struct mk_home_info info = {};
	int fd = open(MK_DEVICE, O_RDWR);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_RET(-EINVAL, mk_ask(fd, MK_IOC_HOME, (void *)&bad[i]),
			   "home");
	EXPECT_RET(-ENODATA, mk_ask(fd, MK_IOC_HOME_INFO, &info), "none yet");
	EXPECT_RET(-EFAULT, mk_ask(fd, MK_IOC_HOME, (void *)8), "pointer");
	EXPECT_RET(0, mk_ask(fd, MK_IOC_HOME, &good), "good");
	EXPECT_RET(-EEXIST, mk_ask(fd, MK_IOC_HOME, &good), "second");
	EXPECT_RET(-EFAULT, mk_ask(fd, MK_IOC_HOME_INFO, (void *)8), "pointer");
	close(fd);
}

TEST_F(home, bad_map)
{
	static const struct mk_home_map bad[] = {
		{ .address = HOME_AT, .pages = 0, .node = -1 },
		{ .address = HOME_AT, .pages = MK_HOME_PAGES_MAX + 1, .node = -1 },
		{ .address = HOME_AT, .pages = UINT32_MAX, .node = -1 },
		{ .address = HOME_AT + 8, .pages = 1, .node = -1 },
		{ .address = 0, .pages = 1, .node = -1 },
		{ .address = 1UL << 63, .pages = 1, .node = -1 },
		{ .address = -PAGE, .pages = 2, .node = -1 },
		{ .address = HOME_AT, .pages = 1, .node = -2 },
		{ .address = HOME_AT, .pages = 1, .node = 63 },
		{ .address = HOME_AT, .pages = 1, .node = 0,
		  .flags = MK_HOME_LOCAL },
		{ .address = HOME_AT, .pages = 1, .node = -1, .flags = 4 },
		{ .address = HOME_AT, .pages = 1, .node = -1, .reserved = 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_HOME_MAP,
					   (void *)&bad[i]), "map");
	ASSERT_EQ(0, home_map(self->fd, HOME_AT, 2, 0));
	EXPECT_RET(-EEXIST, home_map(self->fd, HOME_AT + PAGE, 1, 0), "over");
	EXPECT_RET(-EEXIST, home_map(self->fd, HOME_AT - PAGE, 8, 0), "over");
	EXPECT_EQ(1, home_total("records"));
}

TEST_F(home, bad_unmap)
{
	static const struct mk_home_unmap bad[] = {
		{ .address = HOME_AT, .protocol = MK_PROTOCOL_IPI },
		{ .address = HOME_AT, .pages = MK_HOME_PAGES_MAX + 1 },
		{ .address = HOME_AT + 1, .pages = 1 },
		{ .address = HOME_AT, .pages = 1, .protocol = MK_PROTOCOLS },
		{ .address = HOME_AT, .pages = 1, .broken = MK_BROKENS },
		{ .address = HOME_AT, .pages = 1, .cpu = -2 },
		{ .address = HOME_AT, .pages = 1, .cpu = 100000 },
		{ .address = HOME_AT, .pages = 1, .flags = 1 },
	};
	struct mk_home_info info;
	uint64_t word;
	size_t i;

	ASSERT_EQ(0, home_map(self->fd, HOME_AT, 4, 0));
	EXPECT_RET(0, home_read(self->fd, self->cpu[0], HOME_AT, &word, NULL),
		   "read");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_HOME_UNMAP,
					   (void *)&bad[i]), "unmap");
	EXPECT_RET(-EINVAL, home_unmap(self->fd, HOME_AT, 2, MK_PROTOCOL_IPI, 0),
		   "part");
	EXPECT_RET(-EINVAL, home_unmap(self->fd, HOME_AT + PAGE, 3,
				       MK_PROTOCOL_IPI, 0), "part");
	EXPECT_RET(-ENOENT, home_unmap(self->fd, HOME_AT, 5, MK_PROTOCOL_IPI, 0),
		   "more");
	EXPECT_RET(-EOPNOTSUPP, home_unmap(self->fd, HOME_AT, 4,
					   MK_PROTOCOL_LINUX, 0), "linux");
	EXPECT_RET(-EOPNOTSUPP, home_unmap(self->fd, HOME_AT, 4,
					   MK_PROTOCOL_LAZY, 0), "lazy");
	EXPECT_RET(-EOPNOTSUPP, home_unmap(self->fd, HOME_AT, 4, MK_PROTOCOL_IPI,
					   MK_BROKEN_EARLY_ACK), "fault");
	/* nothing has changed */
	EXPECT_RET(0, home_info(self->fd, self->node[0], &info), "info");
	EXPECT_EQ(1, info.records);
	EXPECT_EQ(1, info.entries);
}

TEST_F(home, bad_touch)
{
	static const struct mk_home_touch bad[] = {
		{ .address = HOME_AT + 4 },
		{ .address = 1UL << 63 },
		{ .address = -8UL },
		{ .address = HOME_AT, .cpu = -1 },
		{ .address = HOME_AT, .cpu = 100000 },
		{ .address = HOME_AT, .flags = 2 },
		{ .address = HOME_AT, .reserved = 1 },
	};
	struct mk_home_info info;
	uint64_t word;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_RET(-EINVAL, mk_ask(self->fd, MK_IOC_HOME_TOUCH,
					   (void *)&bad[i]), "touch");
	EXPECT_RET(-EFAULT, home_read(self->fd, self->cpu[0], HOME_AT, &word,
				      NULL), "nothing there");
	EXPECT_RET(-EFAULT, home_read(self->fd, self->cpu[0], 0, &word, NULL),
		   "null");
	EXPECT_RET(-EINVAL, home_info(self->fd, -1, &info), "info");
	EXPECT_RET(-EINVAL, home_info(self->fd, 1000, &info), "info");
}

TEST_HARNESS_MAIN
