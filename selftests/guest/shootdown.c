// SPDX-License-Identifier: GPL-2.0
/*
 * Shootdown: after an operation nobody reads the old page, by any protocol, for
 * any number of pages, whatever the CPUs are doing. And the oracle that says so
 * sees each fault that a protocol can have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"
#include "test.h"

/* Around what Linux flushes page by page, and the ends. */
static const uint32_t counts[] = { 1, 8, 32, 33, 34, 512 };

/* Operations for each number of pages and company of readers. */
#define ROUNDS		3

/* How long a planted fault may stay unseen, in seconds. */
#define FAULT_PATIENCE	30.0

#define SHOOTDOWN_TIMEOUT	600

/* Readers, one for each CPU in turn and some more. */
struct cast {
	const char *name;
	enum mk_way way[4];	/* of CPU n: way[n % 4] */
	bool more;		/* who migrates, another process, a monitor */
};

static const struct cast busy = {
	"busy", { MK_WAY_BUSY, MK_WAY_BUSY, MK_WAY_BUSY, MK_WAY_BUSY }, false,
};

static const struct cast mixed = {
	"mixed", { MK_WAY_BUSY, MK_WAY_SLEEP, MK_WAY_SWITCH, MK_WAY_SLEEP },
	true,
};

static const struct cast asleep = {
	"asleep", { MK_WAY_SLEEP, MK_WAY_SLEEP, MK_WAY_SLEEP, MK_WAY_SLEEP },
	false,
};

static const struct cast writers = {
	"writers", { MK_WAY_WRITE, MK_WAY_WRITE, MK_WAY_WRITE, MK_WAY_WRITE },
	false,
};

FIXTURE(protocol)
{
	struct mk_oracle oracle;
	int cpu;		/* of the next initiator */
	unsigned int ops;
};

FIXTURE_VARIANT(protocol)
{
	int number;
	bool frees;		/* only: it cannot protect */
	bool own;		/* ours, so that a fault can be planted */
};

FIXTURE_VARIANT_ADD(protocol, linux) {
	.number = MK_PROTOCOL_LINUX, .frees = true,
};

FIXTURE_VARIANT_ADD(protocol, ipi) {
	.number = MK_PROTOCOL_IPI, .own = true,
};

FIXTURE_VARIANT_ADD(protocol, unicast) {
	.number = MK_PROTOCOL_UNICAST, .own = true,
};

FIXTURE_VARIANT_ADD(protocol, broadcast) {
	.number = MK_PROTOCOL_BROADCAST, .own = true,
};

FIXTURE_VARIANT_ADD(protocol, multicast) {
	.number = MK_PROTOCOL_MULTICAST, .own = true,
};

FIXTURE_VARIANT_ADD(protocol, numa_multicast) {
	.number = MK_PROTOCOL_NUMA_MULTICAST, .own = true,
};

FIXTURE_VARIANT_ADD(protocol, adaptive) {
	.number = MK_PROTOCOL_ADAPTIVE, .own = true,
};

FIXTURE_VARIANT_ADD(protocol, lazy) {
	.number = MK_PROTOCOL_LAZY, .frees = true, .own = true,
};

FIXTURE_VARIANT_ADD(protocol, planned) {
	.number = MK_PROTOCOL_PLANNED, .own = true,
};

/*
 * The module stays: to load it for each of a hundred tests, many of which have nothing
 * to do, would take most of the time. Each has a region of its own.
 */
FIXTURE_SETUP(protocol)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_oracle_open(&self->oracle, MK_ORACLE_PAGES));
}

FIXTURE_TEARDOWN(protocol)
{
	if (self->oracle.board) {
		EXPECT_RET(0, mk_oracle_stop(&self->oracle), "readers end");
		mk_oracle_close(&self->oracle);
	}
	if (!_metadata->passed)
		EXPECT_RET(0, mk_unload_soon(), "unload");
}

static void cast_on(struct __test_metadata *_metadata,
		    struct mk_oracle *oracle, const struct cast *cast)
{
	int cpu;

	for (cpu = 0; cpu < mk_cpus_possible(); cpu++)
		ASSERT_EQ(0, mk_oracle_reader(oracle, cast->way[cpu % 4], cpu));
	if (!cast->more)
		return;
	ASSERT_EQ(0, mk_oracle_reader(oracle, MK_WAY_MIGRATE, -1));
	ASSERT_EQ(0, mk_oracle_reader(oracle, MK_WAY_PROCESS, 0));
	ASSERT_EQ(0, mk_oracle_reader(oracle, MK_WAY_MONITOR,
				      mk_cpus_possible() - 1));
}

/* Each operation begins on another CPU and another page. */
static int operate(struct mk_oracle *oracle, struct mk_region_op *op,
		   uint32_t pages, unsigned int *ops, int *cpu)
{
	op->pages = pages;
	op->first = *ops * 37 % (MK_ORACLE_PAGES - pages + 1);
	op->cpu = *cpu;
	*cpu = (*cpu + 1) % mk_cpus_possible();
	++*ops;
	mk_oracle_range(oracle, op->first, op->pages);
	/* all have the pages in their CPU's TLB before */
	mk_oracle_settle(oracle);
	return mk_oracle_op(oracle, op);
}

/* Every number of pages, with monitors that have adopted the mm and without. */
static void sweep(struct __test_metadata *_metadata, struct mk_oracle *oracle,
		  int protocol, int kind, unsigned int *ops, int *cpu)
{
	int adopted, ret;
	size_t i, n;

	for (adopted = 0; adopted < 2; adopted++) {
		if (adopted)
			ASSERT_EQ(0, mk_adopt(oracle->fd));
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			for (n = 0; n < mk_rounds(ROUNDS, 1); n++) {
				struct mk_region_op op = {
					.op = kind, .protocol = protocol,
				};

				ret = operate(oracle, &op, counts[i], ops, cpu);
				ASSERT_EQ(0, ret)
					TH_LOG("%u pages: %s", counts[i],
					       mk_errname(ret));
				mk_oracle_settle(oracle);
				if (kind != MK_OP_PROTECT)
					continue;
				op.op = MK_OP_UNPROTECT;
				ASSERT_EQ(0, mk_oracle_op(oracle, &op));
			}
		}
		if (adopted)
			ASSERT_EQ(0, mk_leave(oracle->fd));
	}
}

static void judge(struct __test_metadata *_metadata,
		  const struct mk_oracle *oracle, const struct cast *cast)
{
	int way;

	TH_LOG("%s: %s", cast->name, mk_oracle_text(oracle));
	EXPECT_EQ(0, mk_oracle_stale(oracle));
	/* everybody was there, and saw pages change */
	for (way = 0; way < MK_WAYS; way++) {
		const struct mk_tally *tally = &oracle->board->tally[way];

		if (tally->looks)
			EXPECT_LT(0, tally->fresh)
				TH_LOG("%s", mk_way_name[way]);
	}
	EXPECT_LT(0, mk_oracle_looks(oracle));
}

static void renew(struct __test_metadata *_metadata, struct mk_oracle *oracle,
		  const struct cast *cast, int protocol)
{
	unsigned int ops = 0;
	int cpu = 0;

	cast_on(_metadata, oracle, cast);
	sweep(_metadata, oracle, protocol, MK_OP_RENEW, &ops, &cpu);
	ASSERT_EQ(0, mk_oracle_stop(oracle));
	EXPECT_EQ(2 * mk_rounds(ROUNDS, 1) * ARRAY_SIZE(counts), ops);
	judge(_metadata, oracle, cast);
}

TEST_F_TIMEOUT(protocol, renew_busy, SHOOTDOWN_TIMEOUT)
{
	renew(_metadata, &self->oracle, &busy, variant->number);
}

TEST_F_TIMEOUT(protocol, renew_mixed, SHOOTDOWN_TIMEOUT)
{
	renew(_metadata, &self->oracle, &mixed, variant->number);
}

/* The readers' CPUs walk page tables of their node's, which lose the page too. */
TEST_F_TIMEOUT(protocol, renew_mirrored, SHOOTDOWN_TIMEOUT)
{
	unsigned long long fills;
	char file[64];

	/* an interrupt, messages, Linux itself: one of each will do */
	if (!mk_rounds(1, 0) && variant->number != MK_PROTOCOL_LINUX &&
	    variant->number != MK_PROTOCOL_UNICAST &&
	    variant->number != MK_PROTOCOL_LAZY)
		SKIP(return, "brief");
	ASSERT_EQ(0, mk_hook());
	ASSERT_EQ(0, mk_put_u64("mirror/attach", getpid()));
	renew(_metadata, &self->oracle, &mixed, variant->number);
	snprintf(file, sizeof(file), "mirror/%d/node0/fills", getpid());
	ASSERT_EQ(0, mk_get_u64(file, &fills));
	EXPECT_LT(0, fills);
	EXPECT_RET(0, mk_put_u64("mirror/detach", getpid()), "detach");
}

TEST_F_TIMEOUT(protocol, protect, SHOOTDOWN_TIMEOUT)
{
	struct mk_region_op op = {
		.pages = 1, .op = MK_OP_PROTECT, .protocol = variant->number,
		.cpu = -1,
	};

	if (variant->frees) {
		EXPECT_RET(-EOPNOTSUPP, mk_oracle_op(&self->oracle, &op),
			   "protect");
		SKIP(return, "it has no protect");
	}
	cast_on(_metadata, &self->oracle, &writers);
	sweep(_metadata, &self->oracle, variant->number, MK_OP_PROTECT,
	      &self->ops, &self->cpu);
	ASSERT_EQ(0, mk_oracle_stop(&self->oracle));
	judge(_metadata, &self->oracle, &writers);
	/* they did run into the protection */
	EXPECT_LT(0, self->oracle.board->faults);
}

/* --- negative controls -------------------------------------------------------------- */

/* With the fault the same oracle sees a stale page, in bounded time. */
static void fault(struct __test_metadata *_metadata, struct mk_oracle *oracle,
		  int protocol, int broken, const struct cast *cast)
{
	double end = mk_seconds() + FAULT_PATIENCE;
	unsigned int ops = 0;
	int cpu, ret;

	cast_on(_metadata, oracle, cast);
	while (!mk_oracle_stale(oracle) && mk_seconds() < end) {
		struct mk_region_op op = {
			.op = MK_OP_RENEW, .protocol = protocol,
			.broken = broken,
		};

		cpu = 0;
		ret = operate(oracle, &op, 8, &ops, &cpu);
		ASSERT_EQ(0, ret)
			TH_LOG("%s", mk_errname(ret));
		mk_oracle_settle(oracle);
	}
	ASSERT_EQ(0, mk_oracle_stop(oracle));
	TH_LOG("after %u operations: %s", ops, mk_oracle_text(oracle));
	EXPECT_LT(0, mk_oracle_stale(oracle))
		TH_LOG("nobody read a stale page");
}

/* Linux's own path has no place for a fault of ours: asked for, it is refused. */
static void refused(struct __test_metadata *_metadata, struct mk_oracle *oracle,
		    int protocol, int broken)
{
	struct mk_region_op op = {
		.pages = 1, .op = MK_OP_RENEW, .protocol = protocol,
		.broken = broken, .cpu = -1,
	};

	EXPECT_RET(-EOPNOTSUPP, mk_oracle_op(oracle, &op), "a fault in Linux");
}

/* What is lazy is not done when it returns, and the oracle knows. */
TEST_F_TIMEOUT(protocol, hasty_is_seen, SHOOTDOWN_TIMEOUT)
{
	if (variant->number != MK_PROTOCOL_LAZY)
		SKIP(return, "it does not return early");
	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has no targets");
	self->oracle.hasty = true;
	fault(_metadata, &self->oracle, variant->number, MK_BROKEN_NONE, &busy);
}

static void control(struct __test_metadata *_metadata,
		    FIXTURE_DATA(protocol) * self,
		    const FIXTURE_VARIANT(protocol) * variant, int broken,
		    const struct cast *cast)
{
	if (!variant->own)
		refused(_metadata, &self->oracle, variant->number, broken);
	else
		fault(_metadata, &self->oracle, variant->number, broken, cast);
}

/* Page tables of a node's that keep the page. */
TEST_F_TIMEOUT(protocol, kept_by_a_mirror_is_seen, SHOOTDOWN_TIMEOUT)
{
	if (!variant->own)
		SKIP(return, "Linux tells of what it takes away");
	if (!mk_rounds(1, 0) && variant->number != MK_PROTOCOL_UNICAST)
		SKIP(return, "brief");
	ASSERT_EQ(0, mk_hook());
	ASSERT_EQ(0, mk_put("mirror/broken", "no_regions"));
	ASSERT_EQ(0, mk_put_u64("mirror/attach", getpid()));
	fault(_metadata, &self->oracle, variant->number, MK_BROKEN_NONE, &busy);
	EXPECT_RET(0, mk_put_u64("mirror/detach", getpid()), "detach");
	EXPECT_RET(0, mk_put("mirror/broken", "none"), "sound");
}

TEST_F_TIMEOUT(protocol, skip_target_is_seen, SHOOTDOWN_TIMEOUT)
{
	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has no targets");
	control(_metadata, self, variant, MK_BROKEN_SKIP_TARGET, &busy);
}

TEST_F_TIMEOUT(protocol, skip_gen_is_seen, SHOOTDOWN_TIMEOUT)
{
	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has no targets");
	control(_metadata, self, variant, MK_BROKEN_SKIP_GEN, &asleep);
}

TEST_F_TIMEOUT(protocol, early_ack_is_seen, SHOOTDOWN_TIMEOUT)
{
	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has no targets");
	control(_metadata, self, variant, MK_BROKEN_EARLY_ACK, &busy);
}

#include "goes.h"

TEST_HARNESS_MAIN
