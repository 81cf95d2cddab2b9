// SPDX-License-Identifier: GPL-2.0
/*
 * liburpc between processes, on memory of a node: where it lies, that whatever is
 * done to the region hurts nobody, and what is refused.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private.h"
#include "region_use.h"
#include "test.h"

#define LONG_MS		60000
#define NOBODY		65534

/*
 * Channels whose memory shows in what a node has free, also if some of it comes
 * from the thousands of pages that its CPUs keep for themselves.
 */
#define BIG		40
#define BIG_SLOTS	16384
#define BIG_PAGES	513

FIXTURE(channels)
{
	int nodes;
};

FIXTURE_SETUP(channels)
{
	char path[64];

	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	for (self->nodes = 0;; self->nodes++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d",
			 self->nodes);
		if (access(path, F_OK))
			break;
	}
	ASSERT_LT(0, self->nodes);
}

FIXTURE_TEARDOWN(channels)
{
	EXPECT_NOTHING_LEFT();
}

/* Pages that are free on a node; -1. */
static long free_pages(int node)
{
	char path[64], text[8192], *at;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo",
		 node);
	if (mk_read(path, text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, "MemFree:");
	return at ? atol(at + strlen("MemFree:")) / 4 : -1;
}

static int info(const struct urpc_channel *channel, struct mk_region_info *out)
{
	memset(out, 0, sizeof(*out));
	return mk_ask(channel->area->fd, MK_IOC_INFO, out);
}

static int operate(const struct urpc_channel *channel, int op, int protocol)
{
	struct mk_region_op arg = {
		.pages = channel->area->bytes / PAGE, .op = op,
		.protocol = protocol, .cpu = -1,
	};

	return mk_ask(channel->area->fd, MK_IOC_OP, &arg);
}

/* Both what the device says and what the node has less of. */
TEST_F(channels, memory_is_on_the_node)
{
	struct urpc_options options = {
		.slots = BIG_SLOTS, .flags = URPC_ON_NODE,
	};
	struct urpc_channel *side[BIG][2];
	struct mk_region_info seen;
	long before[64];
	int node, other, i;

	for (node = 0; node < self->nodes; node++) {
		for (other = 0; other < self->nodes; other++)
			before[other] = free_pages(other);
		options.node = node;
		for (i = 0; i < BIG; i++) {
			ASSERT_EQ(0, urpc_pair(&options, side[i]));
			EXPECT_EQ(0, info(side[i][0], &seen));
			EXPECT_EQ(BIG_PAGES, seen.pages);
			EXPECT_EQ(node, seen.node);
			EXPECT_EQ(0, seen.off);
			EXPECT_EQ(MK_REGION_FIXED, seen.flags);
		}
		for (other = 0; other < self->nodes; other++) {
			long less = before[other] - free_pages(other);

			if (other != node)
				EXPECT_GT(BIG * BIG_PAGES / 4, less);
			if (other == node)
				EXPECT_LT(BIG * BIG_PAGES / 2, less)
					TH_LOG("node %d of %d: %ld free, %ld before",
					       other, self->nodes,
					       free_pages(other), before[other]);
		}
		for (i = 0; i < BIG; i++) {
			urpc_close(side[i][0]);
			urpc_close(side[i][1]);
		}
	}
}

/* Somebody who may not open the device sends back what comes. */
static int echo(int socket)
{
	struct urpc_channel *channel;
	struct urpc_message message;
	int ret;

	if (setgid(NOBODY) || setuid(NOBODY) || open(MK_DEVICE, O_RDWR) >= 0)
		return 1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (urpc_connect(socket, NULL, LONG_MS, &channel))
		return 2;
	while ((ret = urpc_wait(channel, URPC_IN, LONG_MS)) > 0) {
		while (urpc_recv(channel, &message) == 1) {
			if (urpc_send(channel, message.tag, message.data,
				      message.bytes))
				return 3;
		}
	}
	if (operate(channel, MK_OP_RENEW, MK_PROTOCOL_IPI) != -EPERM)
		return 4;
	return ret == -EPIPE ? 0 : 5;
}

static pid_t start_echo(const struct urpc_options *options,
			struct urpc_channel **channel)
{
	int socket[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		return -1;
	pid = fork();
	if (!pid) {
		close(socket[0]);
		_exit(echo(socket[1]));
	}
	close(socket[1]);
	return urpc_accept(socket[0], options, LONG_MS, channel) ? -1 : pid;
}

/* Each message comes back as it was. @protocol: of unmaps meanwhile, or -1 */
static void exchange(struct __test_metadata *_metadata,
		     struct urpc_channel *channel, unsigned int messages,
		     int protocol)
{
	unsigned char data[URPC_BYTES_MAX];
	struct urpc_message message;
	unsigned int sent = 0, got = 0, i;

	while (got < messages) {
		for (; sent < messages && sent - got < 6; sent++) {
			unsigned int bytes = sent * 89 % (URPC_BYTES_MAX + 1);

			memset(data, sent, bytes);
			ASSERT_EQ(0, urpc_send(channel, sent, data, bytes));
		}
		if (protocol >= 0)
			ASSERT_EQ(0, operate(channel, MK_OP_UNMAP, protocol));
		ASSERT_LT(0, urpc_wait(channel, URPC_IN, LONG_MS));
		while (urpc_recv(channel, &message) == 1) {
			ASSERT_EQ(got, message.tag);
			ASSERT_EQ(got * 89 % (URPC_BYTES_MAX + 1),
				  message.bytes);
			for (i = 0; i < message.bytes; i++)
				ASSERT_EQ((unsigned char)got, message.data[i]);
			got++;
		}
	}
}

TEST_F(channels, two_processes)
{
	struct urpc_options options = { .flags = URPC_ON_NODE };
	struct urpc_channel *channel;
	struct mk_region_info seen;
	pid_t pid;

	for (options.node = 0; options.node < self->nodes; options.node++) {
		pid = start_echo(&options, &channel);
		ASSERT_LT(0, pid);
		exchange(_metadata, channel, mk_rounds(2000, 300), -1);
		EXPECT_EQ(0, info(channel, &seen));
		EXPECT_EQ(2, seen.mappings);
		EXPECT_EQ(0, seen.off);
		urpc_close(channel);
		EXPECT_EQ(0, mk_exit_code(pid));
	}
}

/* All pages are taken away every few messages at most, by every protocol. */
TEST_F(channels, pages_taken_away_in_mid_flow)
{
	const struct urpc_options options = { .flags = URPC_ON_NODE };
	unsigned long long faults = mk_total("regions/faults");
	struct urpc_channel *channel;
	int protocol;
	pid_t pid;

	pid = start_echo(&options, &channel);
	ASSERT_LT(0, pid);
	for (protocol = 0; protocol < MK_PROTOCOLS; protocol++)
		exchange(_metadata, channel, mk_rounds(400, 80), protocol);
	/* they were: each time at least the words of both sides came back */
	EXPECT_LT(faults + MK_PROTOCOLS * mk_rounds(400, 80) / 16,
		  mk_total("regions/faults"));
	urpc_close(channel);
	EXPECT_EQ(0, mk_exit_code(pid));
}

/* What would be SIGBUS, or zeroes, is refused; elsewhere it is not. */
TEST_F(channels, pages_stay_as_they_are)
{
	const struct urpc_options options = { .flags = URPC_ON_NODE };
	static const int ops[] = {
		MK_OP_RENEW, MK_OP_PROTECT, MK_OP_UNPROTECT,
	};
	struct mk_region_op broken = {
		.pages = 1, .op = MK_OP_UNMAP, .protocol = MK_PROTOCOL_IPI,
		.broken = MK_BROKEN_SKIP_TARGET, .cpu = -1,
	};
	struct urpc_channel *side[2];
	int protocol, fd;
	char *base;
	size_t i;

	ASSERT_EQ(0, urpc_pair(&options, side));
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		for (protocol = 0; protocol < MK_PROTOCOLS; protocol++)
			EXPECT_RET(-EPERM, operate(side[0], ops[i], protocol),
				   "operation");
	EXPECT_RET(-EPERM, mk_ask(side[0]->area->fd, MK_IOC_OP, &broken),
		   "planted fault");
	base = (char *)side[0]->area->side;
	EXPECT_EQ(0, mk_touch(base + PAGE + 63, true));
	urpc_close(side[0]);
	urpc_close(side[1]);

	/* the control: a region like any other */
	fd = region_open(PAGES);
	ASSERT_LE(0, fd);
	base = region_map(fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, base);
	EXPECT_EQ(0, mk_touch(base + PAGE + 63, true));
	EXPECT_RET(0, region_operate(fd, MK_OP_PROTECT, 0, PAGES), "protect");
	EXPECT_EQ(SIGBUS, mk_touch(base + PAGE + 63, true));
	munmap(base, PAGES * PAGE);
	close(fd);
}

static int attach(uint64_t flags, uint32_t pages)
{
	struct mk_region_create create = {
		.pages = pages, .node = -1, .flags = flags,
	};
	int fd = open(MK_DEVICE, O_RDWR), ret;
	struct urpc_area *area;

	ret = mk_ask(fd, MK_IOC_REGION, &create);
	ret = ret ? 1 : urpc_area_attach(fd, 16, &area);
	if (ret)
		close(fd);
	else
		urpc_area_put(area);
	return ret;
}

TEST_F(channels, other_regions_are_refused)
{
	struct urpc_options options = { .flags = URPC_ON_NODE, .node = 63 };
	struct urpc_channel *side[2];
	struct urpc_area *area;
	int fd;

	EXPECT_RET(0, attach(MK_REGION_FIXED, 1), "fixed");
	EXPECT_RET(-EPERM, attach(0, 1), "not fixed");
	EXPECT_RET(-ERANGE, attach(MK_REGION_FIXED, 2), "too long");
	fd = open(MK_DEVICE, O_RDWR);
	EXPECT_RET(-EPERM, urpc_area_attach(fd, 16, &area), "no region");
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	EXPECT_RET(-EPERM, urpc_area_attach(fd, 16, &area), "zero");
	close(fd);
	EXPECT_RET(-EINVAL, urpc_pair(&options, side), "node 63");
}

/* Killed, with the region mapped and a message on its way. */
TEST_F(channels, killed_in_mid_flow)
{
	const struct urpc_options options = { .flags = URPC_ON_NODE };
	struct urpc_channel *channel;
	struct urpc_message message;
	unsigned int round, i;
	pid_t pid;
	int ret;

	for (round = 0; round < mk_rounds(30, 6); round++) {
		pid = start_echo(&options, &channel);
		ASSERT_LT(0, pid);
		for (i = 0; i < 20; i++) {
			ASSERT_EQ(0, urpc_send(channel, i, &i, sizeof(i)));
			if (i == round % 20)
				kill(pid, SIGKILL);
			do
				ret = urpc_wait(channel, URPC_IN, LONG_MS);
			while (ret > 0 && urpc_recv(channel, &message) != 1);
			if (ret < 0)
				break;
		}
		/* it may have answered all before it noticed */
		if (ret >= 0)
			ret = urpc_wait(channel, URPC_IN, LONG_MS);
		EXPECT_RET(-EPIPE, ret, "wait");
		urpc_close(channel);
		EXPECT_EQ(128 + SIGKILL, mk_exit_code(pid));
	}
}

TEST_HARNESS_MAIN
