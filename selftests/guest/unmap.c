// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment unmap against the kernel's own evidence: what it says of interrupts
 * and flushes is what /proc/interrupts and the tracepoint tlb:tlb_flush say. And
 * with agents it has the rows that only user threads can measure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define TRACEFS		"/sys/kernel/tracing"
#define EXP		"unmap"
#define SAMPLES		500
#define UNMAP_TIMEOUT	300

/* What the kernel has counted. */
struct evidence {
	unsigned long long calls;	/* CAL: function call interrupts */
	unsigned long long shootdowns;	/* TLB: flushes that others asked for */
	unsigned long long flushes;	/* tlb_flush, remote shootdown */
};

/* The sum over all CPUs of a line of /proc/interrupts. */
static unsigned long long interrupts(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	unsigned long long sum = 0, value;
	int len;

	if (!line)
		return 0;
	line += strlen(name);
	while (sscanf(line, " %llu%n", &value, &len) == 1) {
		sum += value;
		line += len;
	}
	return sum;
}

static unsigned long long flushes(void)
{
	FILE *trace = fopen(TRACEFS "/trace", "r");
	unsigned long long n = 0;
	char line[512];

	if (!trace)
		return 0;
	while (fgets(line, sizeof(line), trace))
		n += strstr(line, "tlb_flush:") &&
		     strstr(line, "reason:remote shootdown");
	fclose(trace);
	return n;
}

static void evidence_take(struct evidence *evidence)
{
	char text[MK_TEXT_MAX];

	if (mk_read("/proc/interrupts", text, sizeof(text)) < 0)
		text[0] = '\0';
	evidence->calls = interrupts(text, "CAL:");
	evidence->shootdowns = interrupts(text, "TLB:");
	evidence->flushes = flushes();
}

static double value(const struct mk_table *table, const char *variant,
		    const char *metric)
{
	const struct mk_row *row = mk_table_find(table, variant, metric);

	return row ? atof(row->field[MK_VALUE]) : -1;
}

static void set(struct __test_metadata *_metadata, const char *param,
		const char *text)
{
	ASSERT_EQ(0, mk_put(mk_exp_file(EXP, param), text))
		TH_LOG("%s: %s", param, text);
}

/* As echo 1 > run does it. */
static int run_without_agents(void)
{
	return mk_put(mk_exp_file(EXP, "run"), "1");
}

static void setup(struct __test_metadata *_metadata)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_exp_small(EXP));
	ASSERT_EQ(0, mk_put(TRACEFS "/tracing_on", "1"));
	ASSERT_EQ(0, mk_put(TRACEFS "/buffer_size_kb", "4096"));
	ASSERT_EQ(0, mk_put(TRACEFS "/trace", "0"));
	ASSERT_EQ(0, mk_put(TRACEFS "/events/tlb/tlb_flush/enable", "1"));
}

static void teardown(struct __test_metadata *_metadata)
{
	mk_put(TRACEFS "/events/tlb/tlb_flush/enable", "0");
	mk_put(TRACEFS "/trace", "0");
	mk_put(TRACEFS "/buffer_size_kb", "64");
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

/* --- one protocol, one target that polls -------------------------------------------- */

FIXTURE(polling)
{
	struct evidence before, after;
	struct mk_table table;
};

FIXTURE_VARIANT(polling)
{
	const char *protocol;
	bool interrupts;	/* each operation is one */
	bool flushes;		/* which Linux itself counts as a flush */
	bool chooses;		/* by what it has measured: either may be */
};

FIXTURE_VARIANT_ADD(polling, linux) {
	.protocol = "linux", .interrupts = true, .flushes = true,
};

FIXTURE_VARIANT_ADD(polling, ipi) {
	.protocol = "ipi", .interrupts = true,
};

FIXTURE_VARIANT_ADD(polling, unicast) {
	.protocol = "unicast",
};

FIXTURE_VARIANT_ADD(polling, broadcast) {
	.protocol = "broadcast",
};

FIXTURE_VARIANT_ADD(polling, multicast) {
	.protocol = "multicast",
};

FIXTURE_VARIANT_ADD(polling, numa_multicast) {
	.protocol = "numa_multicast",
};

FIXTURE_VARIANT_ADD(polling, adaptive) {
	.protocol = "adaptive", .chooses = true,
};

FIXTURE_VARIANT_ADD(polling, lazy) {
	.protocol = "lazy",
};

FIXTURE_VARIANT_ADD(polling, planned) {
	.protocol = "planned",
};

FIXTURE_SETUP(polling)
{
	setup(_metadata);
	set(_metadata, "protocol", variant->protocol);
	set(_metadata, "targets", "polling");
	set(_metadata, "pages", "1");
	set(_metadata, "cores", "2");
	ASSERT_EQ(0, mk_put_u64(mk_exp_file(EXP, "samples"), SAMPLES));
}

FIXTURE_TEARDOWN(polling)
{
	mk_table_free(&self->table);
	teardown(_metadata);
}

TEST_F_TIMEOUT(polling, evidence, UNMAP_TIMEOUT)
{
	unsigned long long calls, shootdowns, flushed;
	double said, late;

	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has no targets");
	set(_metadata, "cpus", "0-1");
	set(_metadata, "turn", "1");
	evidence_take(&self->before);
	ASSERT_EQ(0, run_without_agents());
	evidence_take(&self->after);
	ASSERT_EQ(0, mk_exp_results(EXP, &self->table));

	said = value(&self->table, variant->protocol, "ipis");
	calls = self->after.calls - self->before.calls;
	shootdowns = self->after.shootdowns - self->before.shootdowns;
	flushed = self->after.flushes - self->before.flushes;
	TH_LOG("%.3f ipis per operation; CAL %llu, TLB %llu, tlb_flush %llu",
	       said, calls, shootdowns, flushed);
	ASSERT_LE(0, said);
	if (variant->interrupts) {
		EXPECT_LE(0.95, said);
		/* more: idle CPUs elsewhere are woken by such interrupts too */
		EXPECT_LE(SAMPLES, calls);
	} else {
		/* who did not answer in time, since the host was busy */
		late = value(&self->table, variant->protocol, "timeouts");
		EXPECT_LE(0, late);
		if (!variant->chooses)
			EXPECT_GE(late + 0.05, said);
	}
	if (variant->flushes) {
		EXPECT_LE(SAMPLES, shootdowns);
		EXPECT_LE(SAMPLES, flushed);
	} else {
		EXPECT_GE(SAMPLES / 2, shootdowns);
		EXPECT_GE(SAMPLES / 2, flushed);
	}
}

/* --- agents ---------------------------------------------------------------------------- */

FIXTURE(agents)
{
	struct mk_table table;
};

FIXTURE_SETUP(agents)
{
	setup(_metadata);
}

FIXTURE_TEARDOWN(agents)
{
	mk_table_free(&self->table);
	teardown(_metadata);
}

TEST_F_TIMEOUT(agents, rows, UNMAP_TIMEOUT)
{
	if (mk_cpus_online() > 1)
		set(_metadata, "cpus", "0-1");
	set(_metadata, "turn", "0");
	ASSERT_EQ(0, mk_exp_run(EXP));
	ASSERT_EQ(0, mk_exp_results(EXP, &self->table));
	EXPECT_EQ(mk_cpus_online(), value(&self->table, "agents", "agents"));
	EXPECT_LT(0, value(&self->table, "linux-mprotect", "cost_p50"));
	EXPECT_LT(0, value(&self->table, "linux-munmap", "cost_p50"));
	if (mk_cpus_online() == 1)
		return;
	EXPECT_LT(0, value(&self->table, "ipi", "cost_busy_p50"));
	EXPECT_LT(0, value(&self->table, "ipi", "cost_mix_p50"));
	EXPECT_LT(0, value(&self->table, "ipi", "cost_warm_p50"));
	EXPECT_LT(0, value(&self->table, "ipi", "cost_busy_warm_p50"));
	EXPECT_LT(0, value(&self->table, "quiet", "loops_p50"));
	EXPECT_LT(0, value(&self->table, "ipi", "loops_p50"));
	EXPECT_LT(0, value(&self->table, "control", "loops_p50"));
}

/* Without them those rows are not there, and it says so. */
TEST_F_TIMEOUT(agents, none, UNMAP_TIMEOUT)
{
	if (mk_cpus_online() > 1)
		set(_metadata, "cpus", "0-1");
	EXPECT_RET(0, run_without_agents(), "run without agents");
	ASSERT_EQ(0, mk_exp_results(EXP, &self->table));
	EXPECT_EQ(0, value(&self->table, "agents", "agents"));
	EXPECT_EQ(NULL, mk_table_find(&self->table, "linux-munmap", NULL));
	EXPECT_EQ(NULL, mk_table_find(&self->table, "quiet", NULL));
}

TEST_HARNESS_MAIN
