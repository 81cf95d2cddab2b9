// SPDX-License-Identifier: GPL-2.0
/*
 * What each protocol costs in messages and interrupts, as a function of the
 * number of CPUs: the formulas of Documentation/shootdown.rst against what the
 * operations report and what the counters say.
 *
 * The monitors that have adopted the mm poll all the time, so each of them has
 * to flush and none needs an interrupt. On a machine that is shared this does not
 * hold for each operation: some monitor may have slept, or lost its CPU, and a
 * round of operations is over before it has it back. So half of the operations
 * of one round among several have to follow the formula exactly, none of any round
 * may send more, and the counters have to agree with all of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "module/uapi.h"

#include "test.h"

#define PAGES		64
#define PAGE		4096

/* Operations for each protocol and number of CPUs. */
#define ROUNDS		20

/* How often a round may meet a monitor that has lost its CPU. */
#define TRIES		8

/* How long a monitor polls after the last thing that happened. */
#define POLL_SECONDS	5

static const char *const names[] = {
#define NAME(symbol, name)	name,
	MK_PROTOCOL_LIST(NAME)
#undef NAME
};

/* What is counted of each protocol. */
enum {
	OPERATIONS, MESSAGES, IPIS, LAZIES, TIMEOUTS, COUNTERS
};

static const char *const counters[COUNTERS] = {
	"operations", "messages", "ipis", "lazies", "timeouts",
};

FIXTURE(cost)
{
	int fd;
	char *base;
};

FIXTURE_SETUP(cost)
{
	struct mk_region_create create = { .pages = PAGES, .node = -1 };
	unsigned long long khz;
	cpu_set_t set;

	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_get_u64("clock/khz", &khz));
	ASSERT_EQ(0, mk_put_u64("monitors/poll_cycles",
				khz * 1000 * POLL_SECONDS));
	/* Long enough for any monitor on this machine to get its turn. */
	ASSERT_EQ(0, mk_put_u64("shootdown/ipi_after_us", 2000000));
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
	self->fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ioctl(self->fd, MK_IOC_REGION, &create));
	self->base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->base);
}

FIXTURE_TEARDOWN(cost)
{
	munmap(self->base, PAGES * PAGE);
	close(self->fd);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

static void read_counts(struct __test_metadata *_metadata, int protocol,
			unsigned long long *counts)
{
	char file[128];
	int i;

	for (i = 0; i < COUNTERS; i++) {
		snprintf(file, sizeof(file), "shootdown/%s/%s",
			 names[protocol], counters[i]);
		ASSERT_EQ(0, mk_get_u64(file, &counts[i]));
	}
}

/* The first @cpus CPUs' monitors adopt the mm, or give it back. */
static int adoption(int fd, unsigned long request, int cpus)
{
	uint64_t mask[MK_CPUS_BYTES_MAX / 8] = { 0 };
	struct mk_space_cpus who = {
		.cpus = (uintptr_t)mask, .bytes = sizeof(mask),
	};
	int cpu;

	for (cpu = 0; cpu < cpus; cpu++)
		mask[cpu / 64] |= 1ull << cpu % 64;
	return ioctl(fd, request, &who) ? -errno : 0;
}

/*
 * What an operation sends if all @n other members have to flush. Those that need
 * not make it less, never more.
 */
static uint32_t full_messages(int protocol, uint32_t n)
{
	switch (protocol) {
	case MK_PROTOCOL_UNICAST:
	case MK_PROTOCOL_MULTICAST:
	case MK_PROTOCOL_NUMA_MULTICAST:
	case MK_PROTOCOL_ADAPTIVE:
	case MK_PROTOCOL_PLANNED:
		return 2 * n;
	case MK_PROTOCOL_BROADCAST:
		return n ? 1 + n : 0;
	}
	return 0;
}

/*
 * It cost exactly that. Lazy CPUs do not matter: a member that was lazy is seen by
 * what was not sent to it, and any other, such as one this thread came from, is
 * no target.
 */
static bool is_exact(int protocol, const struct mk_region_op *op, uint32_t n)
{
	if (op->timeouts)
		return false;
	switch (protocol) {
	case MK_PROTOCOL_LINUX:
	case MK_PROTOCOL_IPI:
		return !op->messages && op->ipis == n;
	case MK_PROTOCOL_ADAPTIVE:
		return op->messages / 2 + op->ipis == n;
	}
	return op->messages == full_messages(protocol, n) && !op->ipis;
}

/* One round; returns how many of its operations went by the formula. */
static uint32_t run_protocol(struct __test_metadata *_metadata, int fd,
			     char *base, int protocol, int cpus)
{
	struct mk_region_op op, sum = { 0 };
	unsigned long long before[COUNTERS], after[COUNTERS];
	uint32_t exact = 0, i;

	read_counts(_metadata, protocol, before);
	for (i = 0; i < ROUNDS; i++) {
		*(volatile char *)(base + 64);
		op = (struct mk_region_op){
			.pages = 1, .op = MK_OP_RENEW, .protocol = protocol,
			.cpu = 0,
		};
		ASSERT_EQ(0, ioctl(fd, MK_IOC_OP, &op))
			TH_LOG("%s: %s", names[protocol], strerror(errno));
		EXPECT_LE(op.messages, full_messages(protocol, cpus - 1))
			TH_LOG("%s, %d CPUs: too many messages",
			       names[protocol], cpus);
		if (is_exact(protocol, &op, cpus - 1))
			exact++;
		sum.messages += op.messages;
		sum.ipis += op.ipis;
		sum.lazies += op.lazies;
		sum.timeouts += op.timeouts;
	}
	read_counts(_metadata, protocol, after);
	EXPECT_EQ(ROUNDS, after[OPERATIONS] - before[OPERATIONS]);
	EXPECT_EQ(sum.messages, after[MESSAGES] - before[MESSAGES]);
	EXPECT_EQ(sum.ipis, after[IPIS] - before[IPIS]);
	EXPECT_EQ(sum.lazies, after[LAZIES] - before[LAZIES]);
	EXPECT_EQ(sum.timeouts, after[TIMEOUTS] - before[TIMEOUTS]);
	TH_LOG("%s, %d CPUs: %u exact of %u; %u messages, %u IPIs, %u lazy, %u late",
	       names[protocol], cpus, exact, ROUNDS, sum.messages, sum.ipis,
	       sum.lazies, sum.timeouts);
	return exact;
}

TEST_F_TIMEOUT(cost, of_every_protocol, 600)
{
	int protocol, cpus, tries, all = mk_cpus_online();
	uint32_t exact;

	for (cpus = 1; cpus <= all; cpus *= 2) {
		for (protocol = 0; protocol < MK_PROTOCOLS; protocol++) {
			exact = 0;
			for (tries = 0; exact < ROUNDS / 2 && tries < TRIES;
			     tries++) {
				usleep(tries * 10000);
				/* Whoever adopts wakes, and polls for a while. */
				adoption(self->fd, MK_IOC_LEAVE, all);
				ASSERT_EQ(0, adoption(self->fd, MK_IOC_ADOPT,
						      cpus));
				exact = run_protocol(_metadata, self->fd,
						     self->base, protocol,
						     cpus);
			}
			EXPECT_LE(ROUNDS / 2, exact)
				TH_LOG("%s, %d CPUs: no round by the formula",
				       names[protocol], cpus);
		}
	}
}

/* What is quarantined is released, all of it. */
TEST_F_TIMEOUT(cost, lazy_ends_in_time, 120)
{
	struct mk_region_settle settle = { .timeout_ms = 10000 };
	unsigned long long released, pages;
	struct mk_region_op op = {
		.pages = PAGES, .op = MK_OP_RENEW,
		.protocol = MK_PROTOCOL_LAZY,
	};
	int i;

	ASSERT_EQ(0, adoption(self->fd, MK_IOC_ADOPT, mk_cpus_online()));
	for (i = 0; i < ROUNDS; i++)
		ASSERT_EQ(0, ioctl(self->fd, MK_IOC_OP, &op));
	ASSERT_EQ(0, ioctl(self->fd, MK_IOC_SETTLE, &settle));
	ASSERT_EQ(0, mk_get_u64("shootdown/lazy_pages", &pages));
	EXPECT_EQ(0, pages);
	ASSERT_EQ(0, mk_get_u64("shootdown/quarantine/released", &released));
	EXPECT_EQ(ROUNDS, released);
}

/* Without room nothing is quarantined, and interrupts are sent at once. */
TEST_F_TIMEOUT(cost, lazy_without_room, 120)
{
	struct mk_region_op op = {
		.pages = 1, .op = MK_OP_RENEW, .protocol = MK_PROTOCOL_LAZY,
	};
	unsigned long long full, pages;

	ASSERT_EQ(0, adoption(self->fd, MK_IOC_ADOPT, mk_cpus_online()));
	ASSERT_EQ(0, mk_put_u64("shootdown/lazy_pages_max", 0));
	ASSERT_EQ(0, ioctl(self->fd, MK_IOC_OP, &op));
	ASSERT_EQ(0, mk_get_u64("shootdown/quarantine/full", &full));
	EXPECT_EQ(1, full);
	ASSERT_EQ(0, mk_get_u64("shootdown/lazy_pages", &pages));
	EXPECT_EQ(0, pages);
}

/* --- which way adaptive settles on ---------------------------------------------- */

/* Bits of shootdown/slow_ways. */
#define SLOW_MESSAGE	1
#define SLOW_IPI	2
#define SLOW_PLANNED	4

/* The initiator, and two others: so there are two trees. */
#define TREE_CPUS	3

/* Operations that are looked at together, and how long it may take to settle. */
#define BATCH		32
#define SETTLE_SECONDS	120

struct chosen {
	unsigned long long message, ipi, planned;
};

/* What a message costs between CPU 0 and CPU 2; all others are near each other. */
static void plant_costs(struct __test_metadata *_metadata, int far)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "0 1 100 1\n1 0 100 1\n1 2 100 1\n2 1 100 1\n0 2 %d 1\n2 0 %d 1\n",
		 far, far);
	ASSERT_EQ(0, mk_put("topology/costs/send", text));
	ASSERT_EQ(0, mk_put("topology/costs/receive", text));
}

static void read_chosen(struct __test_metadata *_metadata, struct chosen *chosen)
{
	ASSERT_EQ(0, mk_get_u64("shootdown/choice/message", &chosen->message));
	ASSERT_EQ(0, mk_get_u64("shootdown/choice/ipi", &chosen->ipi));
	ASSERT_EQ(0, mk_get_u64("shootdown/choice/planned", &chosen->planned));
}

/* How @BATCH operations reach their targets. */
static void run_batch(struct __test_metadata *_metadata, int fd, char *base,
		      struct chosen *chosen)
{
	struct chosen before;
	struct mk_region_op op;
	int i;

	read_chosen(_metadata, &before);
	for (i = 0; i < BATCH; i++) {
		*(volatile char *)(base + 64);
		op = (struct mk_region_op){
			.pages = 1, .op = MK_OP_RENEW,
			.protocol = MK_PROTOCOL_ADAPTIVE, .cpu = 0,
		};
		ASSERT_EQ(0, ioctl(fd, MK_IOC_OP, &op)) TH_LOG("%s", strerror(errno));
	}
	read_chosen(_metadata, chosen);
	chosen->message -= before.message;
	chosen->ipi -= before.ipi;
	chosen->planned -= before.planned;
	TH_LOG("%llu by message, of them %llu down the tree, %llu by interrupt",
	       chosen->message, chosen->planned, chosen->ipi);
}

/*
 * Until nearly all of a batch go down the tree, or nearly none though some have
 * before, whichever is wanted.
 */
static bool settles(struct __test_metadata *_metadata, int fd, char *base, bool planned)
{
	double end = mk_seconds() + SETTLE_SECONDS;
	unsigned long long tried = 0, all;
	struct chosen chosen;

	do {
		run_batch(_metadata, fd, base, &chosen);
		all = chosen.message + chosen.ipi;
		if (planned ? all && chosen.planned * 4 >= all * 3 :
			      tried && all && chosen.planned * 4 < all)
			return true;
		tried += chosen.planned;
	} while (mk_seconds() < end);
	return false;
}

static void adaptive_with(struct __test_metadata *_metadata, int fd, int far, int slow)
{
	plant_costs(_metadata, far);
	ASSERT_EQ(0, mk_put_u64("shootdown/slow_ways", slow));
	ASSERT_EQ(0, adoption(fd, MK_IOC_ADOPT, TREE_CPUS));
}

TEST_F_TIMEOUT(cost, adaptive_settles_on_planned, 300)
{
	if (mk_cpus_online() < TREE_CPUS)
		SKIP(return, "two CPUs have one tree");
	adaptive_with(_metadata, self->fd, 100000, SLOW_MESSAGE | SLOW_IPI);
	EXPECT_TRUE(settles(_metadata, self->fd, self->base, true));
}

/* Negative control: where the tree measures worse it is tried, and left. */
TEST_F_TIMEOUT(cost, adaptive_leaves_planned, 300)
{
	if (mk_cpus_online() < TREE_CPUS)
		SKIP(return, "two CPUs have one tree");
	adaptive_with(_metadata, self->fd, 100000, SLOW_PLANNED);
	EXPECT_TRUE(settles(_metadata, self->fd, self->base, false));
}

/* And where the best tree has nobody who passes anything on, it is no other way. */
TEST_F_TIMEOUT(cost, adaptive_without_a_tree, 300)
{
	struct chosen chosen;

	if (mk_cpus_online() < TREE_CPUS)
		SKIP(return, "two CPUs have one tree");
	adaptive_with(_metadata, self->fd, 100, SLOW_MESSAGE);
	run_batch(_metadata, self->fd, self->base, &chosen);
	EXPECT_EQ(0, chosen.planned);
	EXPECT_LT(0, chosen.message + chosen.ipi);
}

TEST_HARNESS_MAIN
