// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: every message that is sent is seen at both ends, and a tool can
 * pair the two by ring and sequence number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define TRACEFS	"/sys/kernel/tracing"
#define EVENTS	TRACEFS "/events/multikernel"
#define TRAFFIC	"storm"
#define DATA	"/tmp/multikernel.dat"

/* A message as one end saw it. */
struct seen {
	unsigned int ring, seq, lines;
	int src, dst;
	char type[24];
	bool sent, matched;
};

struct record {
	struct seen *seen;
	size_t n, max;
	size_t sent, received, dispatched, strange;
};

static const char *const events[] = {
	"mk_send", "mk_receive", "mk_dispatch", "mk_ack", "mk_block",
	"mk_wake",
};

FIXTURE(trace)
{
	struct record record;
};

FIXTURE_SETUP(trace)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_steady(true));
	ASSERT_EQ(0, mk_put(TRACEFS "/tracing_on", "1"));
	ASSERT_EQ(0, mk_put(TRACEFS "/buffer_size_kb", "8192"));
	ASSERT_EQ(0, mk_put(TRACEFS "/trace", "0"));
	ASSERT_EQ(0, mk_exp_small(TRAFFIC));
}

FIXTURE_TEARDOWN(trace)
{
	if (mk_exists(EVENTS "/enable"))
		mk_put(EVENTS "/enable", "0");
	mk_put(TRACEFS "/trace", "0");
	mk_put(TRACEFS "/buffer_size_kb", "64");
	free(self->record.seen);
	EXPECT_RET(0, mk_steady(false), "steady");
	EXPECT_RET(0, mk_unload_soon(), "unload");
	EXPECT_FALSE(mk_exists(EVENTS));
}

static void record_add(struct record *record, const char *line)
{
	/* behind the time; the name of a monitor begins alike */
	const char *event = strstr(line, ": mk_");
	struct seen *seen;
	char name[24];

	if (!event || sscanf(event, ": %23[a-z_]:", name) != 1)
		return;
	event += 2;
	if (!strcmp(name, "mk_dispatch"))
		record->dispatched++;
	if (strcmp(name, "mk_send") && strcmp(name, "mk_receive"))
		return;
	if (record->n == record->max) {
		record->max = record->max ? 2 * record->max : 4096;
		record->seen = realloc(record->seen,
				       record->max * sizeof(*seen));
	}
	seen = &record->seen[record->n];
	memset(seen, 0, sizeof(*seen));
	if (!record->seen ||
	    sscanf(event + strlen(name),
		   ": ring=%u seq=%u type=%23s lines=%u src=%d dst=%d",
		   &seen->ring, &seen->seq, seen->type, &seen->lines,
		   &seen->src, &seen->dst) != 6) {
		record->strange++;
		return;
	}
	seen->sent = !strcmp(name, "mk_send");
	record->sent += seen->sent;
	record->received += !seen->sent;
	record->n++;
}

static int record_read(struct record *record, const char *file)
{
	FILE *stream = fopen(file, "r");
	char line[512];

	if (!stream)
		return -errno;
	while (fgets(line, sizeof(line), stream))
		if (line[0] != '#')
			record_add(record, line);
	fclose(stream);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->ring != y->ring)
		return x->ring < y->ring ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return y->sent - x->sent;
}

/*
 * Pairs them: after sorting, each send is followed by its receive. Returns how
 * many have no partner, or one that differs.
 */
static size_t record_pair(struct record *record)
{
	size_t i, alone = 0;

	qsort(record->seen, record->n, sizeof(*record->seen), compare);
	for (i = 0; i < record->n; i++) {
		const struct seen *a = &record->seen[i], *b = a + 1;

		if (i + 1 < record->n && a->sent && !b->sent &&
		    a->ring == b->ring && a->seq == b->seq &&
		    a->lines == b->lines && a->src == b->src &&
		    a->dst == b->dst && !strcmp(a->type, b->type))
			i++;
		else
			alone++;
	}
	return alone;
}

/* Events that the ring buffer had no room for, over all CPUs. */
static unsigned long lost_events(void)
{
	unsigned long lost = 0, value;
	char file[96], text[1024], *line;
	int cpu;

	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		snprintf(file, sizeof(file), TRACEFS "/per_cpu/cpu%d/stats",
			 cpu);
		if (mk_read(file, text, sizeof(text)) < 0)
			continue;
		line = strstr(text, "overrun: ");
		if (line && sscanf(line, "overrun: %lu", &value) == 1)
			lost += value;
		line = strstr(text, "dropped events: ");
		if (line && sscanf(line, "dropped events: %lu", &value) == 1)
			lost += value;
	}
	return lost;
}

/* Who filled the buffer: what is on beside our own, and what each CPU saw last. */
static void log_lost(struct __test_metadata *_metadata)
{
	char file[96], text[2048];
	int cpu;

	if (mk_read(TRACEFS "/set_event", text, sizeof(text)) >= 0)
		TH_LOG("events that are on: %s", text);
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		snprintf(file, sizeof(file), TRACEFS "/per_cpu/cpu%d/trace",
			 cpu);
		if (mk_read(file, text, sizeof(text)) >= 0)
			TH_LOG("CPU %d: %s", cpu, text);
	}
}

static void trace_run(struct __test_metadata *_metadata, struct record *record)
{
	unsigned long lost;

	ASSERT_EQ(0, mk_put(EVENTS "/enable", "1"));
	EXPECT_RET(0, mk_exp_run(TRAFFIC), TRAFFIC);
	/* the last acknowledgements, and the monitors go to sleep */
	mk_sleep_ms(500);
	ASSERT_EQ(0, mk_put(EVENTS "/enable", "0"));
	lost = lost_events();
	if (lost)
		log_lost(_metadata);
	ASSERT_EQ(0, lost);
	ASSERT_EQ(0, record_read(record, TRACEFS "/trace"));
}

TEST_F(trace, events_exist)
{
	char file[128], text[8192];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(file, sizeof(file), EVENTS "/%s/format", events[i]);
		EXPECT_LT(0, mk_read(file, text, sizeof(text)))
			TH_LOG("no event %s", events[i]);
	}
	/* enums have become numbers, so that tools can decode them */
	EXPECT_LT(0, mk_read(EVENTS "/mk_send/format", text, sizeof(text)));
	EXPECT_EQ(NULL, strstr(text, "MK_TYPE_"));
}

TEST_F(trace, sends_pair_with_receives)
{
	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has nobody to send to");
	trace_run(_metadata, &self->record);
	EXPECT_EQ(0, self->record.strange);
	EXPECT_LT(0, self->record.sent);
	EXPECT_EQ(self->record.sent, self->record.received);
	EXPECT_EQ(0, record_pair(&self->record));
	EXPECT_EQ(self->record.received, self->record.dispatched);
}

/* The negative control: a receive that is missing is noticed. */
TEST_F(trace, missing_receive_is_noticed)
{
	static const char *const lines[] = {
		" a-1 [000] d..1 1.0: mk_send: ring=1 seq=7 type=storm lines=1 src=0 dst=1",
		" a-1 [001] d..1 1.1: mk_receive: ring=1 seq=7 type=storm lines=1 src=0 dst=1",
		" a-1 [000] d..1 1.2: mk_send: ring=1 seq=8 type=storm lines=1 src=0 dst=1",
	};

	record_add(&self->record, lines[0]);
	record_add(&self->record, lines[1]);
	EXPECT_EQ(0, record_pair(&self->record));
	record_add(&self->record, lines[2]);
	EXPECT_EQ(1, record_pair(&self->record));
}

/* As many messages in the trace as in the counters. */
TEST_F(trace, counters_agree)
{
	unsigned long long before, after;
	const char *counter = "counters/total/messages_sent";

	ASSERT_EQ(0, mk_get_u64(counter, &before));
	trace_run(_metadata, &self->record);
	ASSERT_EQ(0, mk_get_u64(counter, &after));
	EXPECT_EQ(after - before, self->record.sent);
}

TEST_F(trace, nothing_when_off)
{
	EXPECT_RET(0, mk_exp_run(TRAFFIC), TRAFFIC);
	ASSERT_EQ(0, record_read(&self->record, TRACEFS "/trace"));
	EXPECT_EQ(0, self->record.n);
}

/* What the traffic is recorded with, behind the options of a tool. */
#define RUN_TRAFFIC							\
	" sh -c 'echo 1 > " MK_ROOT "/experiments/" TRAFFIC		\
	"/run; sleep 0.5' > /dev/null"

/* A tool records, and another command prints lines as those of tracefs. */
static void tool_reads(struct __test_metadata *_metadata,
		       struct record *record, const char *records,
		       const char *prints)
{
	size_t i, words = 0;
	char line[512];
	FILE *pipe;

	ASSERT_EQ(0, system(records));
	pipe = popen(prints, "r");
	ASSERT_NE(NULL, pipe);
	while (fgets(line, sizeof(line), pipe))
		record_add(record, line);
	EXPECT_EQ(0, pclose(pipe));
	EXPECT_LT(0, record->sent);
	EXPECT_EQ(0, record->strange);
	EXPECT_EQ(0, record_pair(record));
	for (i = 0; i < record->n; i++)
		words += !strcmp(record->seen[i].type, "storm");
	EXPECT_LT(0, words);
}

/* trace-cmd reads the same, with types as words. */
TEST_F(trace, trace_cmd)
{
	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has nobody to send to");
	if (system("command -v trace-cmd > /dev/null"))
		SKIP(return, "no trace-cmd");
	tool_reads(_metadata, &self->record,
		   "trace-cmd record -q -b 8192 -e multikernel -o " DATA
		   RUN_TRAFFIC,
		   "trace-cmd report -i " DATA " 2> /dev/null");
}

/*
 * perf keeps a copy of the kernel's symbols and looks for the build id of all that ran, of
 * which nothing is asked here. Beside other guests that took a minute.
 */
#define WITHOUT_SYMBOLS							\
	"unshare -m sh -c 'mount -o bind /dev/null /proc/kallsyms && exec \"$@\"' sh "

/* So does perf: its "system:event:" is ": event:" in tracefs. */
TEST_F(trace, perf)
{
	if (mk_cpus_online() == 1)
		SKIP(return, "one CPU has nobody to send to");
	if (system("perf --version > /dev/null 2>&1"))
		SKIP(return, "no perf");
	tool_reads(_metadata, &self->record,
		   WITHOUT_SYMBOLS
		   "perf record -q -B -N -a -m 8M -e 'multikernel:mk_*' -o " DATA
		   RUN_TRAFFIC,
		   "perf script -i " DATA
		   " -F event,trace 2> /dev/null | sed 's/[^ ]*:mk/: mk/'");
}

TEST_HARNESS_MAIN
