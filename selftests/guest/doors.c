// SPDX-License-Identifier: GPL-2.0
/*
 * Doors: channels between a process and a monitor. Round trips, full rings, idle
 * ones, processes that lie or die, CPUs that go, and every order of letting go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "private.h"
#include "region_use.h"
#include "test.h"

#define LONG_MS		60000

FIXTURE(doors)
{
	int last;		/* CPU */
};

FIXTURE_SETUP(doors)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	mk_cpus_all_online();
	self->last = mk_cpus_possible() - 1;
}

FIXTURE_TEARDOWN(doors)
{
	mk_cpus_all_online();
	EXPECT_EQ(0, mk_total("doors/count"));
	EXPECT_EQ(0, mk_total("doors/bytes"));
	EXPECT_TRUE(mk_agreed());
}

static int info(const struct urpc_channel *channel, struct mk_door_info *out)
{
	memset(out, 0, sizeof(*out));
	return mk_ask(channel->area->fd, MK_IOC_DOOR_INFO, out);
}

static void fill(struct mk_service_call *call, unsigned int bytes, int seed)
{
	memset(call, seed, bytes);
	call->service = MK_SERVICE_ECHO;
	call->reserved = 0;
}

/* A call comes back, with that many bytes in all. */
static int echo(struct urpc_channel *channel, unsigned int bytes)
{
	unsigned char data[URPC_BYTES_MAX] __attribute__((aligned(8)));
	struct mk_service_answer *answer;
	struct urpc_message reply;
	int ret;

	fill((void *)data, bytes, bytes);
	ret = urpc_call(channel, data, bytes, &reply, LONG_MS);
	if (ret)
		return ret;
	answer = (void *)reply.data;
	if (reply.bytes != bytes || answer->error ||
	    answer->service != MK_SERVICE_ECHO ||
	    memcmp(reply.data + 8, data + 8, bytes - 8))
		return -EIO;
	return 0;
}

/* --- calls ----------------------------------------------------------------- */

TEST_F(doors, each_size_from_each_cpu)
{
	unsigned int bytes, step = mk_rounds(1, 23);
	struct urpc_channel *channel;
	struct mk_door_info seen;
	int cpu, calls;

	for (cpu = 0; cpu <= self->last; cpu++) {
		ASSERT_EQ(0, urpc_monitor(cpu, NULL, &channel));
		calls = 0;
		for (bytes = 8; bytes <= URPC_BYTES_MAX; bytes += step) {
			ASSERT_EQ(0, echo(channel, bytes))
				TH_LOG("CPU %d, %u bytes", cpu, bytes);
			calls++;
		}
		EXPECT_EQ(0, info(channel, &seen));
		EXPECT_EQ(calls, seen.received);
		EXPECT_EQ(calls, seen.sent);
		EXPECT_EQ(0, seen.lost);
		EXPECT_EQ(0, seen.error);
		EXPECT_EQ(cpu, seen.cpu);
		urpc_close(channel);
	}
}

TEST_F(doors, services)
{
	struct mk_service_call call = { .service = MK_SERVICE_TIME };
	const struct mk_service_time *time;
	const struct mk_service_look *look;
	struct urpc_channel *channel;
	struct urpc_message reply;
	uint64_t last = 0, polls = 0;
	int i;

	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &channel));
	time = (void *)reply.data;
	look = (void *)reply.data;
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, urpc_call(channel, &call, sizeof(call), &reply,
				       LONG_MS));
		ASSERT_EQ(sizeof(*time), reply.bytes);
		EXPECT_EQ(0, time->head.error);
		EXPECT_EQ(MK_SERVICE_TIME, time->head.service);
		EXPECT_EQ(self->last, time->cpu);
		EXPECT_LT(last, time->cycles);
		last = time->cycles;
	}
	call.service = MK_SERVICE_LOOK;
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, urpc_call(channel, &call, sizeof(call), &reply,
				       LONG_MS));
		ASSERT_EQ(sizeof(*look), reply.bytes);
		EXPECT_EQ(self->last, look->cpu);
		EXPECT_EQ(1, look->doors);
		EXPECT_EQ(mk_total("monitors/poll_cycles"), look->poll_cycles);
		EXPECT_LT(polls, look->polls);
		polls = look->polls;
	}
	/* what there is not */
	call.service = MK_SERVICES;
	ASSERT_EQ(0, urpc_call(channel, &call, 8, &reply, LONG_MS));
	EXPECT_RET(-EINVAL, time->head.error, "service");
	EXPECT_EQ(8, reply.bytes);
	call.service = MK_SERVICE_ECHO;
	call.reserved = 1;
	ASSERT_EQ(0, urpc_call(channel, &call, 8, &reply, LONG_MS));
	EXPECT_RET(-EINVAL, time->head.error, "reserved");
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, urpc_call(channel, &call, i, &reply, LONG_MS));
		EXPECT_RET(-EINVAL, time->head.error, "too short");
		EXPECT_EQ(MK_SERVICES, time->head.service);
	}
	urpc_close(channel);
}

/* As many on their way as are allowed, in whatever order it sleeps and polls. */
static void stream(struct __test_metadata *_metadata, uint32_t slots,
		   uint32_t poll_us, unsigned int calls)
{
	const struct urpc_options options = {
		.slots = slots, .poll_us = poll_us,
	};
	unsigned char data[URPC_BYTES_MAX] __attribute__((aligned(8)));
	struct urpc_channel *channel;
	struct urpc_message message;
	struct mk_door_info seen;
	unsigned int sent = 0, got = 0;
	int ret;

	ASSERT_EQ(0, urpc_monitor(0, &options, &channel));
	while (got < calls) {
		while (sent < calls && sent - got < slots / 16) {
			unsigned int bytes = 8 + sent * 89 % 441;

			fill((void *)data, bytes, sent);
			ret = urpc_send_flags(channel, URPC_CALL, sent, data,
					      bytes);
			if (ret == -EAGAIN)
				break;
			ASSERT_EQ(0, ret);
			sent++;
		}
		ASSERT_LT(0, urpc_wait(channel, URPC_IN, LONG_MS));
		while (urpc_recv(channel, &message) == 1) {
			ASSERT_EQ(got, message.tag);
			ASSERT_EQ(8 + got * 89 % 441, message.bytes);
			ASSERT_EQ((unsigned char)got,
				  message.bytes > 8 ? message.data[8] :
						      (unsigned char)got);
			got++;
		}
	}
	EXPECT_EQ(0, info(channel, &seen));
	EXPECT_EQ(0, seen.lost);
	EXPECT_EQ(calls, seen.sent);
	urpc_close(channel);
}

TEST_F(doors, streams)
{
	unsigned int calls = mk_rounds(5000, 500);

	stream(_metadata, 16, 0, calls);
	stream(_metadata, 16, 1000, calls);
	stream(_metadata, 256, 0, calls);
	stream(_metadata, 4096, 50, calls);
}

/* One way only: credit comes back though nothing is answered. */
TEST_F(doors, messages_without_answer)
{
	unsigned int messages = mk_rounds(20000, 2000), sent = 0;
	const struct urpc_options options = { .slots = 64 };
	struct urpc_channel *channel;
	struct mk_door_info seen;
	int ret;

	ASSERT_EQ(0, urpc_monitor(self->last, &options, &channel));
	while (sent < messages) {
		ret = urpc_send(channel, sent, "12345678", 8);
		if (ret == -EAGAIN) {
			ASSERT_LT(0, urpc_wait(channel, URPC_OUT, LONG_MS));
			continue;
		}
		ASSERT_EQ(0, ret);
		sent++;
	}
	ASSERT_EQ(0, echo(channel, 100));
	EXPECT_EQ(0, info(channel, &seen));
	EXPECT_EQ(messages + 1, seen.received);
	EXPECT_EQ(1, seen.sent);
	urpc_close(channel);
}

/* More calls than there is room for answers: those are lost, and counted. */
TEST_F(doors, full_ring)
{
	const struct urpc_options options = { .slots = 16 };
	struct mk_service_call call = { .service = MK_SERVICE_LOOK };
	double end = mk_seconds() + WAIT_S;
	struct urpc_channel *channel;
	struct urpc_message message;
	struct mk_door_info seen;
	unsigned int sent = 0, got = 0;

	ASSERT_EQ(0, urpc_monitor(self->last, &options, &channel));
	while (!urpc_send_flags(channel, URPC_CALL, sent, &call, sizeof(call)))
		sent++;
	EXPECT_EQ(15, sent);
	do {
		EXPECT_EQ(0, info(channel, &seen));
		mk_sleep_ms(1);
	} while (seen.received < sent && mk_seconds() < end);
	EXPECT_EQ(sent, seen.received);
	EXPECT_LT(0, seen.lost);
	EXPECT_EQ(sent, seen.sent + seen.lost);
	while (urpc_recv(channel, &message) == 1)
		got++;
	EXPECT_EQ(seen.sent, got);
	/* and everything works as before */
	EXPECT_RET(0, echo(channel, URPC_BYTES_MAX), "echo");
	urpc_close(channel);
}

/* --- memory ---------------------------------------------------------------- */

TEST_F(doors, memory_is_on_the_node)
{
	struct urpc_options options = { .slots = 256, .flags = URPC_ON_NODE };
	struct urpc_channel *channel;
	void *page[16];
	int status[16], nodes, pages, i;
	char path[64];

	for (nodes = 0;; nodes++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d",
			 nodes);
		if (access(path, F_OK))
			break;
		options.node = nodes;
		ASSERT_EQ(0, urpc_monitor(0, &options, &channel));
		pages = channel->area->bytes / PAGE;
		ASSERT_GE(16, pages);
		for (i = 0; i < pages; i++) {
			page[i] = (char *)channel->area->side + i * PAGE;
			*(volatile char *)page[i];
		}
		ASSERT_EQ(0, syscall(SYS_move_pages, 0, (long)pages, page,
				     NULL, status, 0));
		for (i = 0; i < pages; i++)
			EXPECT_EQ(nodes, status[i]);
		EXPECT_EQ(pages * PAGE, mk_total("doors/bytes"));
		EXPECT_RET(0, echo(channel, 100), "echo");
		urpc_close(channel);
	}
	ASSERT_LT(0, nodes);
}

/* What a process does to its own mapping is nobody else's. */
TEST_F(doors, mapping_played_with)
{
	struct urpc_channel *channel;
	char *base;
	int i;

	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &channel));
	base = (char *)channel->area->side;
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, echo(channel, 8 + i * 20));
		EXPECT_EQ(0, madvise(base, channel->area->bytes,
				     MADV_DONTNEED));
		mprotect(base, PAGE, PROT_READ);
		mprotect(base, PAGE, PROT_READ | PROT_WRITE);
	}
	/* gone in the middle of it, and mapped again elsewhere */
	EXPECT_EQ(0, urpc_send(channel, 1, "12345678", 8));
	EXPECT_EQ(0, munmap(base, channel->area->bytes));
	mk_sleep_ms(10);
	ASSERT_EQ(base, mmap(base, channel->area->bytes, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED, channel->area->fd,
			     MK_DOOR_OFFSET));
	EXPECT_RET(0, echo(channel, 300), "echo");
	EXPECT_EQ(MAP_FAILED, mremap(base, channel->area->bytes,
				     2 * channel->area->bytes, MREMAP_MAYMOVE));
	urpc_close(channel);
}

/* --- sleeping -------------------------------------------------------------- */

/* A door that is silent costs its monitor nothing, and both sleep. */
TEST_F(doors, idle_ones_cost_nothing)
{
	struct urpc_channel *channel[32];
	unsigned long long polls, after;
	struct mk_door_info seen;
	uint64_t wakes;
	char file[64];
	int i;

	snprintf(file, sizeof(file), "counters/cpu%d/polls", self->last);
	for (i = 0; i < 32; i++) {
		ASSERT_EQ(0, urpc_monitor(self->last, NULL, &channel[i]));
		ASSERT_EQ(0, echo(channel[i], 64));
	}
	mk_sleep_ms(500);
	polls = mk_total(file);
	mk_sleep_ms(1000);
	after = mk_total(file);
	/* others may have something to say to it */
	EXPECT_LT(after - polls, 2000) TH_LOG("%llu polls", after - polls);
	snprintf(file, sizeof(file), "monitors/cpu%d/blocked", self->last);
	EXPECT_TRUE(mk_becomes(file, 1));
	for (i = 0; i < 32; i++) {
		EXPECT_EQ(1, channel[i]->area->side[0].asleep);
		EXPECT_EQ(0, info(channel[i], &seen));
		wakes = seen.wakes;
		ASSERT_EQ(0, echo(channel[i], 64));
		EXPECT_EQ(0, info(channel[i], &seen));
		EXPECT_GE(wakes + 1, seen.wakes);
		urpc_close(channel[i]);
	}
}

/* In an event loop of somebody else. */
TEST_F(doors, poll_loop)
{
	struct mk_service_call call = { .service = MK_SERVICE_ECHO };
	struct urpc_channel *channel;
	struct urpc_message message;
	unsigned int i;

	ASSERT_EQ(0, urpc_monitor(self->last, NULL, &channel));
	for (i = 0; i < mk_rounds(500, 50); i++) {
		struct pollfd fd[2] = {
			{ .fd = urpc_fd(channel), .events = POLLIN },
			{ .fd = urpc_peer_fd(channel), .events = POLLRDHUP },
		};
		int ret;

		ASSERT_EQ(0, urpc_send_flags(channel, URPC_CALL, i, &call, 8));
		ret = urpc_arm(channel, URPC_IN);
		ASSERT_LE(0, ret);
		if (!ret) {
			ASSERT_EQ(1, poll(fd, 2, LONG_MS));
			EXPECT_EQ(POLLIN, fd[0].revents);
		}
		ASSERT_EQ(0, urpc_disarm(channel));
		do
			ret = urpc_recv(channel, &message);
		while (!ret);
		ASSERT_EQ(1, ret);
		ASSERT_EQ(i, message.tag);
	}
	urpc_close(channel);
}

TEST_HARNESS_MAIN
