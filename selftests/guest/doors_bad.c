// SPDX-License-Identifier: GPL-2.0
/*
 * Doors of processes that lie, die, or let go in every order, and of CPUs that go
 * off line; and what is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"
#include "region_use.h"
#include "test.h"

#define LONG_MS		60000

FIXTURE(bad)
{
	int last;		/* CPU */
};

FIXTURE_SETUP(bad)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	mk_cpus_all_online();
	self->last = mk_cpus_possible() - 1;
}

FIXTURE_TEARDOWN(bad)
{
	mk_cpus_all_online();
	EXPECT_TRUE(mk_becomes("doors/count", 0));
	EXPECT_TRUE(mk_becomes("doors/bytes", 0));
	EXPECT_TRUE(mk_agreed());
}

static int info(const struct urpc_channel *channel, struct mk_door_info *out)
{
	memset(out, 0, sizeof(*out));
	return mk_ask(channel->area->fd, MK_IOC_DOOR_INFO, out);
}

static int echo(struct urpc_channel *channel)
{
	struct mk_service_call call = { .service = MK_SERVICE_ECHO };
	struct urpc_message reply;

	return urpc_call(channel, &call, sizeof(call), &reply, LONG_MS);
}

/* A door without the library. */
static int door_open(int cpu, uint32_t slots, int wake)
{
	struct mk_door_create create = {
		.cpu = cpu, .node = -1, .slots = slots, .wake = wake,
	};
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = mk_ask(fd, MK_IOC_DOOR, &create);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static char *door_map(int fd, uint32_t slots)
{
	return mmap(NULL, MK_DOOR_BYTES(slots), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, MK_DOOR_OFFSET);
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* --- lies ------------------------------------------------------------------ */

/* What each of these lines, the first in the ring, does to its door. */
TEST_F(bad, lines_that_lie)
{
	const struct {
		const char *name;
		uint64_t header;
		int error;
	} lines[] = {
		{ "a message", mk_hdr_pack(0, 0, 1, 0, 0), 0 },
		{ "of no bytes", mk_hdr_pack(56, 0, 1, 0, 0), 0 },
		{ "of less than none", mk_hdr_pack(57, 0, 1, 0, 0), EBADMSG },
		{ "of a line too many", mk_hdr_pack(56, 0, 2, 0, 0), EBADMSG },
		{ "all bits", ~0ull, EBADMSG },
		{ "an answer", mk_hdr_pack(0, MK_MSG_REPLY, 1, 0, 0), EBADMSG },
		{ "unknown flag", mk_hdr_pack(0, 8, 1, 0, 0), EBADMSG },
		{ "an acknowledgment of what was not sent",
		  mk_hdr_pack(0, 0, 1, 1, 0), EBADMSG },
		{ "of nothing", mk_hdr_pack(0, MK_MSG_ACK, 1, 0, 0), EBADMSG },
		{ "and a call", mk_hdr_pack(0, MK_MSG_ACK | MK_MSG_CALL, 1, 0,
					    0), EBADMSG },
	};
	struct pollfd hangs = { .events = POLLRDHUP };
	struct pollfd wakes = { .events = POLLIN };
	struct mk_door_info seen;
	uint64_t count, one = 1;
	struct mk_line *ring;
	double end;
	size_t i;
	int wake;
	char *base;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		wake = eventfd(0, EFD_NONBLOCK);
		hangs.fd = door_open(self->last, 16, wake);
		ASSERT_LE(0, hangs.fd);
		base = door_map(hangs.fd, 16);
		ASSERT_NE(MAP_FAILED, base);
		ring = (struct mk_line *)(base +
					  2 * sizeof(struct mk_door_side)) + 16;
		/* The monitor loads it with acquire. */
		smp_store_release(&ring->header, lines[i].header | MK_HDR_EPOCH);
		ASSERT_EQ(8, write(hangs.fd, &one, 8));
		end = mk_seconds() + WAIT_S;
		do {
			memset(&seen, 0, sizeof(seen));
			ASSERT_EQ(0, mk_ask(hangs.fd, MK_IOC_DOOR_INFO,
					    &seen));
		} while (!seen.error && !seen.received && mk_seconds() < end);
		EXPECT_EQ(lines[i].error, (int)seen.error)
			TH_LOG("%s", lines[i].name);
		if (lines[i].error) {
			EXPECT_EQ(1, poll(&hangs, 1, LONG_MS));
			EXPECT_TRUE(hangs.revents & POLLRDHUP);
			wakes.fd = wake;
			EXPECT_EQ(1, poll(&wakes, 1, LONG_MS));
			EXPECT_EQ(8, read(wake, &count, 8));
			EXPECT_EQ(-1, write(hangs.fd, &one, 8));
			EXPECT_EQ(EBADMSG, errno);
		} else {
			EXPECT_EQ(0, poll(&hangs, 1, 0));
		}
		munmap(base, MK_DOOR_BYTES(16));
		close(hangs.fd);
		close(wake);
	}
}

/* All of the memory changes all the time; a good door of that monitor goes on. */
TEST_F(bad, memory_written_at_random)
{
	double end = mk_seconds() + mk_rounds(10, 2);
	unsigned int shut = 0, rounds = 0, good = 0, i;
	uint64_t seed = 0x646f6f72, one = 1;
	struct urpc_channel *other;
	struct mk_door_info seen;
	struct mk_line *ring;
	uint32_t at = 0;
	char *base;
	int fd;

	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &other));
	while (mk_seconds() < end) {
		fd = door_open(self->last, 64, -1);
		ASSERT_LE(0, fd);
		base = door_map(fd, 64);
		ASSERT_NE(MAP_FAILED, base);
		ring = (struct mk_line *)(base +
					  2 * sizeof(struct mk_door_side)) + 64;
		for (i = 0; i < 400; i++) {
			struct mk_line *line = &ring[at++ % 64];
			uint64_t header = random_next(&seed);

			/* half of them as good as they can be */
			if (rounds % 2)
				header &= 0xffffffff0000004full;
			line->word[0] = random_next(&seed) % 4;
			WRITE_ONCE(line->header, header);
			if (i % 16 == 0)
				((uint64_t *)base)[random_next(&seed) %
					(MK_DOOR_BYTES(64) / 8)] = header;
			if (i % 32 == 0 && write(fd, &one, 8) < 0)
				break;
		}
		if (rounds % 8 == 0) {
			ASSERT_EQ(0, echo(other));
			good++;
		}
		memset(&seen, 0, sizeof(seen));
		EXPECT_EQ(0, mk_ask(fd, MK_IOC_DOOR_INFO, &seen));
		shut += seen.error == EBADMSG;
		EXPECT_TRUE(!seen.error || seen.error == EBADMSG);
		munmap(base, MK_DOOR_BYTES(64));
		close(fd);
		rounds++;
	}
	EXPECT_LT(0, shut) TH_LOG("of %u", rounds);
	EXPECT_LT(0, good);
	urpc_close(other);
}

/* --- death ----------------------------------------------------------------- */

static void flood(int cpu)
{
	const struct urpc_options options = { .slots = 64 };
	struct mk_service_call call = { .service = MK_SERVICE_ECHO };
	struct urpc_channel *channel;
	struct urpc_message message;

	if (urpc_monitor(cpu, &options, &channel))
		_exit(1);
	for (;;) {
		urpc_send_flags(channel, URPC_CALL, 0, &call, sizeof(call));
		if (urpc_wait(channel, URPC_IN | URPC_OUT, LONG_MS) < 0)
			_exit(2);
		urpc_recv(channel, &message);
	}
}

TEST_F(bad, killed_in_mid_flow)
{
	unsigned int round, rounds = mk_rounds(60, 12);
	struct urpc_channel *other;
	pid_t pid;

	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &other));
	for (round = 0; round < rounds; round++) {
		pid = fork();
		if (!pid)
			flood(round % (self->last + 1));
		mk_sleep_ms(round * 37 % 60);
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, mk_exit_code(pid));
		EXPECT_TRUE(mk_becomes("doors/count", 1));
		ASSERT_EQ(0, echo(other));
	}
	urpc_close(other);
}

/* --- letting go ------------------------------------------------------------ */

enum event { CLOSE, UNMAP, EVENTFD, CHILD, EVENTS };

static void one_order(struct __test_metadata *_metadata, const int *order,
		      int cpu, bool busy)
{
	int wake = eventfd(0, EFD_NONBLOCK), fd = door_open(cpu, 16, wake);
	int up[2], i;
	uint64_t one = 1;
	char *base, byte;
	pid_t pid;

	ASSERT_LE(0, fd);
	base = door_map(fd, 16);
	ASSERT_NE(MAP_FAILED, base);
	ASSERT_EQ(0, pipe(up));
	pid = fork();
	if (!pid) {
		/* has the file, and a mapping of its own */
		close(up[1]);
		base = door_map(fd, 16);
		if (base == MAP_FAILED)
			_exit(1);
		base[8] = 1;
		i = read(up[0], &byte, 1);
		_exit(0);
	}
	close(up[0]);
	for (i = 0; i < EVENTS; i++) {
		/* a bell on its way, a message, and nobody there to wake */
		if (busy && fd >= 0)
			EXPECT_EQ(8, write(fd, &one, 8));
		switch (order[i]) {
		case CLOSE:
			EXPECT_EQ(0, close(fd));
			fd = -1;
			break;
		case UNMAP:
			((struct mk_door_side *)base)[1].asleep = 1;
			EXPECT_EQ(0, munmap(base, MK_DOOR_BYTES(16)));
			break;
		case EVENTFD:
			close(wake);
			break;
		case CHILD:
			close(up[1]);
			EXPECT_EQ(0, mk_exit_code(pid));
			break;
		}
	}
	EXPECT_TRUE(mk_becomes("doors/count", 0));
}

TEST_F(bad, every_order)
{
	int order[EVENTS], code, i, j, seen;

	for (code = 0; code < 256; code++) {
		for (i = 0, seen = 0, j = code; i < EVENTS; i++, j /= EVENTS) {
			order[i] = j % EVENTS;
			seen |= 1 << order[i];
		}
		if (seen != (1 << EVENTS) - 1)
			continue;
		one_order(_metadata, order, self->last, false);
		one_order(_metadata, order, self->last, true);
	}
}

TEST_F(bad, the_module_stays_while_one_is_open)
{
	struct urpc_channel *channel;
	void *base;
	int fd;

	ASSERT_EQ(0, urpc_monitor(0, NULL, &channel));
	EXPECT_RET(-EAGAIN, mk_unload(), "unload with a door");
	ASSERT_EQ(0, echo(channel));
	urpc_close(channel);
	fd = door_open(0, 16, -1);
	base = door_map(fd, 16);
	close(fd);
	EXPECT_RET(-EAGAIN, mk_unload(), "unload with a mapping");
	munmap(base, MK_DOOR_BYTES(16));
	EXPECT_RET(0, mk_unload_soon(), "unload");
	ASSERT_EQ(0, mk_load(NULL));
}

/* --- CPUs that go ---------------------------------------------------------- */

static void *wait_for_it(void *arg)
{
	return (void *)(long)urpc_wait(arg, URPC_IN, LONG_MS);
}

TEST_F(bad, the_cpu_goes)
{
	struct urpc_channel *idle, *asleep, *other;
	struct mk_door_info seen;
	pthread_t thread;
	void *ret;

	if (!self->last)
		SKIP(return, "one CPU");
	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &idle));
	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &asleep));
	ASSERT_EQ(0, urpc_monitor(0, NULL, &other));
	ASSERT_EQ(0, echo(idle));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_it, asleep));
	mk_sleep_ms(100);
	ASSERT_EQ(0, mk_cpu_set(self->last, false));
	pthread_join(thread, &ret);
	EXPECT_RET(-EPIPE, (long)ret, "who slept");
	EXPECT_RET(-EPIPE, echo(idle), "who did not");
	EXPECT_EQ(0, info(idle, &seen));
	EXPECT_EQ(ENODEV, (int)seen.error);
	EXPECT_EQ(0, echo(other));
	EXPECT_RET(-ENODEV, door_open(self->last, 16, -1), "off line");

	/* it stays so when the CPU comes back, where there may be another */
	ASSERT_EQ(0, mk_cpu_set(self->last, true));
	EXPECT_RET(-EPIPE, echo(idle), "come back");
	urpc_close(asleep);
	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &asleep));
	EXPECT_EQ(0, echo(asleep));
	/* one closed while its CPU is off line, one after */
	ASSERT_EQ(0, mk_cpu_set(self->last, false));
	urpc_close(asleep);
	ASSERT_EQ(0, mk_cpu_set(self->last, true));
	urpc_close(idle);
	urpc_close(other);
}

/* With calls on their way all the time, and doors made and closed. */
TEST_F(bad, the_cpu_goes_in_mid_flow)
{
	unsigned int round, rounds = mk_rounds(15, 4);
	struct urpc_channel *channel;
	pid_t pid;
	int ret;

	if (!self->last)
		SKIP(return, "one CPU");
	for (round = 0; round < rounds; round++) {
		pid = fork();
		if (!pid) {
			for (;;) {
				ret = urpc_monitor(self->last, NULL, &channel);
				while (!ret)
					ret = echo(channel);
				if (ret == -ENODEV)
					_exit(0);
				if (ret != -EPIPE)
					_exit(1);
				urpc_close(channel);
			}
		}
		mk_sleep_ms(20 + round * 13 % 50);
		ASSERT_EQ(0, mk_cpu_set(self->last, false));
		EXPECT_EQ(0, mk_exit_code(pid));
		ASSERT_EQ(0, mk_cpu_set(self->last, true));
	}
}

/* --- what is refused ------------------------------------------------------- */

TEST_F(bad, arguments)
{
	const struct mk_door_create good = {
		.cpu = 0, .node = -1, .slots = 16, .wake = -1,
	};
	struct mk_door_create bad[] = {
		good, good, good, good, good, good, good, good, good, good,
	};
	int fd = open(MK_DEVICE, O_RDWR), rd = open(MK_DEVICE, O_RDONLY);
	struct mk_door_info seen = { .flags = 1 };
	uint64_t one = 1;
	size_t i;

	bad[0].cpu = -1;
	bad[1].cpu = 100000;
	bad[2].node = -2;
	bad[3].node = 63;
	bad[4].slots = 0;
	bad[5].slots = 17;
	bad[6].slots = 2 * MK_DOOR_SLOTS_MAX;
	bad[7].slots = UINT32_MAX;
	bad[8].wake = -2;
	bad[9].flags = 1;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_RET(-EINVAL, mk_ask(fd, MK_IOC_DOOR, &bad[i]), "door");
	bad[0] = good;
	bad[0].wake = fd;
	EXPECT_RET(-EINVAL, mk_ask(fd, MK_IOC_DOOR, &bad[0]), "no eventfd");
	bad[0].wake = 999;
	EXPECT_RET(-EBADF, mk_ask(fd, MK_IOC_DOOR, &bad[0]), "no file");
	EXPECT_RET(-EFAULT, mk_ask(fd, MK_IOC_DOOR, NULL), "pointer");
	EXPECT_RET(-EBADF, mk_ask(rd, MK_IOC_DOOR, (void *)&good), "read-only");
	EXPECT_EQ(0, mk_total("doors/count"));
	EXPECT_EQ(0, mk_total("doors/bytes"));

	EXPECT_RET(-ENODATA, mk_ask(fd, MK_IOC_DOOR_INFO, &seen), "info");
	EXPECT_EQ(-1, write(fd, &one, 8));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(MAP_FAILED, door_map(fd, 16));
	EXPECT_RET(0, mk_ask(fd, MK_IOC_DOOR, (void *)&good), "good");
	EXPECT_RET(-EEXIST, mk_ask(fd, MK_IOC_DOOR, (void *)&good), "second");
	EXPECT_RET(-EINVAL, mk_ask(fd, MK_IOC_DOOR_INFO, &seen), "flags");
	EXPECT_EQ(-1, write(fd, &one, 7));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, door_map(fd, 64));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd,
				   MK_DOOR_OFFSET));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd,
				   MK_DOOR_OFFSET + PAGE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd,
				   1L << 50));
	close(fd);
	close(rd);
}

/* So many, and no more, and another when one has gone. */
TEST_F(bad, a_thousand)
{
	const struct rlimit files = { 2000, 2000 };
	static int fd[1100];
	unsigned int n, i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (n = 0; n < ARRAY_SIZE(fd) - 1; n++) {
		fd[n] = door_open(0, 16, -1);
		if (fd[n] < 0)
			break;
	}
	EXPECT_EQ(1024, n);
	EXPECT_RET(-ENOSPC, fd[n], "one more");
	EXPECT_EQ(n, mk_total("doors/count"));
	close(fd[0]);
	fd[0] = door_open(0, 16, -1);
	EXPECT_LE(0, fd[0]);
	for (i = 0; i < n; i++)
		close(fd[i]);
}

TEST_HARNESS_MAIN
