// SPDX-License-Identifier: GPL-2.0
/*
 * A storm over one region, for as many seconds as $MK_SOAK_SECONDS says: several
 * initiators with every protocol, readers of every kind, processes that map the
 * region and end or are killed, signals, monitors that adopt the mm and give it
 * back, CPUs that go and come. Nobody reads an old page, and everything ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle.h"
#include "test.h"
#include "watch.h"

#define SECONDS		15.0
/* For the longest: half an hour, and what it takes to end. */
#define SOAK_TIMEOUT	2400

#define INITIATORS	3
#define PAGES		128	/* of each initiator */

static atomic_bool stop;

/* What kept everybody busy; each is to be more than 0 at the end. */
static struct {
	atomic_uint done[MK_PROTOCOLS], failed, interrupted, adopted, toggles,
		    forks, killed, signals;
	atomic_int error;	/* of the last one that failed */
} count;

static const uint32_t sizes[] = { 1, 1, 2, 8, 32, 33, 34, 128 };

struct initiator {
	struct mk_oracle *oracle;
	pthread_t thread;
	uint32_t first;		/* of its pages */
	unsigned int seed;
};

/* --- initiators ------------------------------------------------------------------- */

static void operate(struct initiator *initiator)
{
	unsigned int *seed = &initiator->seed;
	uint32_t pages = sizes[rand_r(seed) % ARRAY_SIZE(sizes)];
	struct mk_region_op op = {
		.pages = pages,
		.first = initiator->first + rand_r(seed) % (PAGES - pages + 1),
		.protocol = rand_r(seed) % MK_PROTOCOLS,
		.op = rand_r(seed) % 8 ? MK_OP_RENEW : MK_OP_UNMAP,
		.cpu = rand_r(seed) % 2 ? -1 :
			rand_r(seed) % mk_cpus_possible(),
	};
	int protocol = op.protocol;
	int ret = mk_oracle_op(initiator->oracle, &op);

	switch (ret) {
	case 0:
		count.done[protocol]++;
		break;
	case -EINTR:
		count.interrupted++;
		break;
	case -ENODEV:		/* that CPU has just gone */
		break;
	default:
		count.failed++;
		count.error = ret;
	}
}

static void *initiate(void *arg)
{
	while (!stop)
		operate(arg);
	return NULL;
}

/* --- company ---------------------------------------------------------------------- */

static void *toggle_cpus(void *arg)
{
	unsigned int seed = 2;

	while (!stop) {
		int cpu = 1 + rand_r(&seed) % (mk_cpus_possible() - 1);

		if (!mk_cpu_set(cpu, !mk_cpu_online(cpu)))
			count.toggles++;
		mk_sleep_ms(50 + rand_r(&seed) % 200);
	}
	mk_cpus_all_online();
	return NULL;
}

static void *adopt(void *arg)
{
	struct mk_oracle *oracle = arg;
	unsigned int seed = 3;

	while (!stop) {
		if (!mk_adopt(oracle->fd))
			count.adopted++;
		mk_sleep_ms(20 + rand_r(&seed) % 100);
		mk_leave(oracle->fd);
		mk_sleep_ms(rand_r(&seed) % 50);
	}
	return NULL;
}

/* A process that maps the region, reads for a while, and ends in some way. */
static void child(struct mk_oracle *oracle, unsigned int way)
{
	struct mk_oracle own;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mk_oracle_join(&own, oracle->fd, oracle->board_fd, oracle->pages))
		_exit(1);
	if (way & 1)
		close(own.fd);
	mk_oracle_look(&own, MK_WAY_PROCESS, 5 + way % 40);
	if (way & 2)
		munmap(own.base, (size_t)own.pages * 4096);
	if (way & 4)
		execl("/bin/true", "true", NULL);
	_exit(0);
}

static void *fork_children(void *arg)
{
	struct mk_oracle *oracle = arg;
	unsigned int seed = 4;

	while (!stop) {
		unsigned int way = rand_r(&seed);
		pid_t pid = fork();

		if (!pid)
			child(oracle, way);
		if (pid < 0) {
			mk_sleep_ms(50);
			continue;
		}
		count.forks++;
		if (way & 8) {
			mk_sleep_ms(way / 16 % 8);
			kill(pid, SIGKILL);
			count.killed++;
		}
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

static void nothing(int signal)
{
}

/* Interrupts whatever the initiators wait in. */
static void *interrupt(void *arg)
{
	struct initiator *initiator = arg;
	unsigned int seed = 5;

	while (!stop) {
		pthread_kill(initiator[rand_r(&seed) % INITIATORS].thread,
			     SIGUSR1);
		count.signals++;
		mk_sleep_ms(1 + rand_r(&seed) % 20);
	}
	return NULL;
}

/* --- the region, handed to a process that has never seen it ------------------------- */

struct hand {
	int fd[2];		/* of the region and the board */
};

static int hand_over(int via, const struct mk_oracle *oracle)
{
	char byte = 0, control[CMSG_SPACE(sizeof(struct hand))] = "";
	struct hand hand = { { oracle->fd, oracle->board_fd } };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(hand));
	memcpy(CMSG_DATA(head), &hand, sizeof(hand));
	return sendmsg(via, &msg, 0) == 1 ? 0 : -errno;
}

static bool hand_take(int via, struct hand *hand)
{
	char byte, control[CMSG_SPACE(sizeof(*hand))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;

	if (recvmsg(via, &msg, 0) != 1)
		return false;
	head = CMSG_FIRSTHDR(&msg);
	if (!head || head->cmsg_type != SCM_RIGHTS)
		return false;
	memcpy(hand, CMSG_DATA(head), sizeof(*hand));
	return true;
}

/* Forked before the region is made; reads until the storm ends. */
static void stranger(int via)
{
	struct mk_oracle own;
	struct hand hand;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!hand_take(via, &hand) ||
	    mk_oracle_join(&own, hand.fd[0], hand.fd[1], INITIATORS * PAGES))
		_exit(1);
	while (!atomic_load(&own.board->stop))
		mk_oracle_look(&own, MK_WAY_PROCESS, 100);
	_exit(0);
}

/* --- the storm ---------------------------------------------------------------------- */

FIXTURE(soak)
{
	struct mk_oracle oracle;
	struct initiator initiator[INITIATORS];
	pthread_t company[4];
	int threads;
	pid_t stranger;
};

FIXTURE_SETUP(soak)
{
	int via[2];

	mk_cpus_all_online();
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, via));
	self->stranger = fork();
	if (!self->stranger)
		stranger(via[1]);
	ASSERT_LT(0, self->stranger);
	ASSERT_EQ(0, mk_oracle_open(&self->oracle, INITIATORS * PAGES));
	ASSERT_EQ(0, hand_over(via[0], &self->oracle));
	close(via[0]);
	close(via[1]);
}

FIXTURE_TEARDOWN(soak)
{
	mk_cpus_all_online();
	if (self->oracle.board)
		mk_oracle_close(&self->oracle);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

static void company(struct __test_metadata *_metadata,
		    FIXTURE_DATA(soak) * self, void *(*fn)(void *), void *arg)
{
	ASSERT_EQ(0, pthread_create(&self->company[self->threads++], NULL, fn,
				    arg));
}

static void begin(struct __test_metadata *_metadata, FIXTURE_DATA(soak) * self)
{
	static const enum mk_way way[] = {
		MK_WAY_BUSY, MK_WAY_SLEEP, MK_WAY_SWITCH, MK_WAY_MONITOR,
	};
	struct sigaction action = { .sa_handler = nothing };
	int cpu, i;

	sigaction(SIGUSR1, &action, NULL);
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++)
		ASSERT_EQ(0, mk_oracle_reader(&self->oracle, way[cpu % 4],
					      cpu));
	ASSERT_EQ(0, mk_oracle_reader(&self->oracle, MK_WAY_MIGRATE, -1));
	ASSERT_EQ(0, mk_oracle_reader(&self->oracle, MK_WAY_MIGRATE, -1));
	ASSERT_EQ(0, mk_oracle_reader(&self->oracle, MK_WAY_PROCESS, -1));
	for (i = 0; i < INITIATORS; i++) {
		struct initiator *initiator = &self->initiator[i];

		initiator->oracle = &self->oracle;
		initiator->first = i * PAGES;
		initiator->seed = i;
		ASSERT_EQ(0, pthread_create(&initiator->thread, NULL, initiate,
					    initiator));
	}
	company(_metadata, self, adopt, &self->oracle);
	company(_metadata, self, fork_children, &self->oracle);
	company(_metadata, self, interrupt, self->initiator);
	if (mk_cpus_possible() > 1)
		company(_metadata, self, toggle_cpus, NULL);
}

static unsigned int operations(void)
{
	unsigned int sum = 0, i;

	for (i = 0; i < MK_PROTOCOLS; i++)
		sum += count.done[i];
	return sum;
}

static bool is_stale(void *oracle)
{
	return mk_oracle_stale(oracle);
}

TEST_F_TIMEOUT(soak, storm, SOAK_TIMEOUT)
{
	const char *text = getenv("MK_SOAK_SECONDS");
	double seconds = text ? atof(text) : SECONDS;
	unsigned long long kept = ~0ULL;
	int i;

	begin(_metadata, self);
	EXPECT_TRUE(mk_watch(seconds, operations, is_stale, &self->oracle))
		TH_LOG("no operation ended in a minute");
	stop = true;
	for (i = 0; i < INITIATORS; i++)
		pthread_join(self->initiator[i].thread, NULL);
	for (i = 0; i < self->threads; i++)
		pthread_join(self->company[i], NULL);
	EXPECT_EQ(0, mk_oracle_stop(&self->oracle));
	atomic_store(&self->oracle.board->stop, true);
	waitpid(self->stranger, NULL, 0);

	TH_LOG("%s", mk_oracle_text(&self->oracle));
	TH_LOG("%u operations, %u interrupted, %u failed, %u signals",
	       operations(), count.interrupted, count.failed, count.signals);
	TH_LOG("%u times adopted, %u CPUs off or on, %u forks, %u killed",
	       count.adopted, count.toggles, count.forks, count.killed);
	EXPECT_EQ(0, mk_oracle_stale(&self->oracle));
	EXPECT_TRUE(mk_agreed());
	/* what somebody could still reach, after an operation that was cut short */
	for (i = 0; i < INITIATORS; i++) {
		struct mk_region_op op = {
			.op = MK_OP_UNMAP, .protocol = MK_PROTOCOL_IPI,
			.first = self->initiator[i].first, .pages = PAGES,
			.cpu = -1,
		};

		EXPECT_RET(0, mk_oracle_op(&self->oracle, &op), "unmap");
	}
	mk_get_u64("regions/kept", &kept);
	EXPECT_EQ(0, kept);
	EXPECT_EQ(0, count.failed)
		TH_LOG("the last with %s", mk_errname(count.error));
	/* the company was there */
	for (i = 0; i < MK_PROTOCOLS; i++)
		EXPECT_LT(0, count.done[i])
			TH_LOG("protocol %d", i);
	for (i = 0; i < MK_WAY_WRITE; i++)
		EXPECT_LT(0, self->oracle.board->tally[i].fresh +
			     (mk_cpus_possible() < 4))
			TH_LOG("%s", mk_way_name[i]);
	EXPECT_LT(0, count.adopted);
	EXPECT_LT(0, count.forks);
	EXPECT_LT(0, count.killed);
	EXPECT_LT(0, count.signals);
	if (mk_cpus_possible() > 1)
		EXPECT_LT(0, count.toggles);
}

TEST_HARNESS_MAIN
