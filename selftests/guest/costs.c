// SPDX-License-Identifier: GPL-2.0
/*
 * topology/costs/: nothing before a run of the experiment costs, then one line for
 * each pair, which say what the results of that run say. And what is written there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define CPUS	64
/* Pairs of all of a wide guest would take minutes. */
#define SOME_CPUS	3

static const char *const files[] = { "send", "receive", "rtt" };

/* One file: for each pair how many lines, and the cost in thousandths. */
struct matrix {
	int lines[CPUS][CPUS];
	unsigned long long milli[CPUS][CPUS];
};

static const char *path_of(const char *file)
{
	static char path[64];

	snprintf(path, sizeof(path), "topology/costs/%s", file);
	return path;
}

/* 0, or the number of the first line that is not as it should be. */
static int parse(char *text, struct matrix *matrix)
{
	unsigned int from, to, rest, error, error_rest;
	unsigned long long cycles;
	char *line, *save;
	int number = 0, used;

	memset(matrix, 0, sizeof(*matrix));
	if (!*text || text[strlen(text) - 1] != '\n')
		return -1;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!number++) {
			if (strcmp(line, "# src dst cycles stderr"))
				return number;
			continue;
		}
		used = 0;
		if (sscanf(line, "%u %u %llu.%3u %u.%3u%n", &from, &to, &cycles,
			   &rest, &error, &error_rest, &used) != 6 ||
		    line[used] || from >= CPUS || to >= CPUS || from == to)
			return number;
		matrix->lines[from][to]++;
		matrix->milli[from][to] = cycles * 1000 + rest;
	}
	return 0;
}

static int load(const char *file, struct matrix *matrix)
{
	static char text[MK_TEXT_MAX];
	ssize_t len = mk_read(path_of(file), text, sizeof(text));

	return len < 0 ? len : parse(text, matrix);
}

static int lines_of(const struct matrix *matrix)
{
	int from, to, nr = 0;

	for (from = 0; from < CPUS; from++)
		for (to = 0; to < CPUS; to++)
			nr += matrix->lines[from][to];
	return nr;
}

FIXTURE(costs)
{
	int cpus;		/* the first so many take part */
	struct matrix matrix[3];
	struct mk_table table;
};

FIXTURE_SETUP(costs)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load(NULL));
	ASSERT_EQ(0, mk_exp_small("costs"));
	ASSERT_EQ(0, mk_put(mk_exp_file("costs", "pairs"), "all"));
	ASSERT_GE(CPUS, mk_cpus_possible());
	self->cpus = mk_cpus_possible();
	if (self->cpus <= SOME_CPUS)
		return;
	self->cpus = SOME_CPUS;
	ASSERT_EQ(0, mk_put(mk_exp_file("costs", "cpus"), "0-2"));
}

FIXTURE_TEARDOWN(costs)
{
	mk_table_free(&self->table);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_F(costs, nothing_before_a_run)
{
	unsigned long long bytes;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, load(files[i], &self->matrix[i]));
		EXPECT_EQ(0, lines_of(&self->matrix[i]));
	}
	ASSERT_EQ(0, mk_get_u64("memory/costs", &bytes));
	EXPECT_EQ(0, bytes);
}

/* The value of the row of a pair, -1 if it is not there. */
static long long result(const struct mk_table *table, int from, int to, int size,
			const char *metric)
{
	const struct mk_row *row;

	for (row = table->row; row < table->row + table->rows; row++)
		if (!strcmp(row->field[MK_VARIANT], "ring") &&
		    !strcmp(row->field[MK_METRIC], metric) &&
		    atoi(row->field[MK_CPU_A]) == from &&
		    atoi(row->field[MK_CPU_B]) == to &&
		    atoi(row->field[MK_SIZE]) == size)
			return strtoll(row->field[MK_VALUE], NULL, 10);
	return -1;
}

/*
 * What a file has lies between two percentiles of the results: its median is one of
 * the samples, by another rule for even numbers.
 */
static bool agrees(const struct mk_table *table, const struct matrix *matrix,
		   int from, int to, int size, const char *metric)
{
	long long low, high, milli = matrix->milli[from][to];
	char name[32];

	snprintf(name, sizeof(name), "%s_p10", metric);
	low = result(table, from, to, size, name);
	snprintf(name, sizeof(name), "%s_p90", metric);
	high = result(table, from, to, size, name);
	return low >= 0 && high >= 0 && milli >= low * 1000 / size &&
	       milli <= high * 1000 / size;
}

TEST_F(costs, a_line_for_each_pair)
{
	int cpus = self->cpus, from, to, i;
	unsigned long long bytes;

	ASSERT_EQ(0, mk_exp_run("costs"));
	ASSERT_EQ(0, mk_exp_results("costs", &self->table));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, load(files[i], &self->matrix[i]));
		EXPECT_EQ(cpus * (cpus - 1), lines_of(&self->matrix[i]));
	}
	for (from = 0; from < cpus; from++) {
		for (to = 0; to < cpus; to++) {
			if (from == to)
				continue;
			for (i = 0; i < 3; i++)
				EXPECT_EQ(1, self->matrix[i].lines[from][to]);
			EXPECT_TRUE(agrees(&self->table, &self->matrix[0], from,
					   to, 8, "send"));
			EXPECT_TRUE(agrees(&self->table, &self->matrix[1], from,
					   to, 1, "receive"));
			EXPECT_TRUE(agrees(&self->table, &self->matrix[2], from,
					   to, 1, "round_trip"));
			/* a matrix of another pair would not */
			EXPECT_FALSE(agrees(&self->table, &self->matrix[2], from,
					    from, 1, "round_trip"));
		}
	}
	ASSERT_EQ(0, mk_get_u64("memory/costs", &bytes));
	EXPECT_EQ(cpus > 1, bytes > 0);
}

/* What is known of a CPU that is off line stays; the others can be measured anew. */
TEST_F(costs, while_a_cpu_is_off_line)
{
	int cpus = self->cpus, last = cpus - 1;

	if (cpus < SOME_CPUS)
		SKIP(return, "needs three CPUs");
	ASSERT_EQ(0, mk_exp_run("costs"));
	ASSERT_EQ(0, mk_cpu_set(last, false));
	EXPECT_EQ(0, mk_exp_run("costs"));
	ASSERT_EQ(0, load("rtt", &self->matrix[0]));
	EXPECT_EQ(cpus * (cpus - 1), lines_of(&self->matrix[0]));
	EXPECT_EQ(1, self->matrix[0].lines[0][last]);
	ASSERT_EQ(0, mk_cpu_set(last, true));
}

/* A run that is cancelled leaves whole pairs, and no half of one. */
TEST_F(costs, of_a_run_that_was_cancelled)
{
	struct mk_range range;
	pid_t pid;
	int i;

	ASSERT_EQ(0, mk_exp_range("costs", "samples", &range));
	ASSERT_EQ(0, mk_put_u64(mk_exp_file("costs", "samples"), range.max));
	pid = mk_exp_start("costs");
	ASSERT_LT(0, pid);
	mk_sleep_ms(100);
	EXPECT_EQ(0, mk_put(mk_exp_file("costs", "run"), "0"));
	EXPECT_EQ(-ECANCELED, mk_exp_wait(pid));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, load(files[i], &self->matrix[i]));
	EXPECT_EQ(0, memcmp(self->matrix[0].lines, self->matrix[1].lines,
			    sizeof(self->matrix[0].lines)));
	EXPECT_EQ(0, memcmp(self->matrix[0].lines, self->matrix[2].lines,
			    sizeof(self->matrix[0].lines)));
}

/* What is written is what is known, of that file alone; a later line is better. */
TEST_F(costs, can_be_written)
{
	static char cut[5000];
	char line[40];

	if (mk_cpus_possible() < 2)
		SKIP(return, "needs two CPUs");
	ASSERT_EQ(0, mk_put(path_of("send"),
			    "# src dst cycles stderr\n0 0 -1 0\n\n0 1 82.4313 0.5\n"));
	ASSERT_EQ(0, load("send", &self->matrix[0]));
	EXPECT_EQ(1, lines_of(&self->matrix[0]));
	EXPECT_EQ(82431, self->matrix[0].milli[0][1]);
	ASSERT_EQ(0, load("receive", &self->matrix[1]));
	EXPECT_EQ(0, lines_of(&self->matrix[1]));
	ASSERT_EQ(0, mk_put(path_of("send"), "0 1 7\n1 0 1000000000 3\n"));
	ASSERT_EQ(0, load("send", &self->matrix[0]));
	EXPECT_EQ(2, lines_of(&self->matrix[0]));
	EXPECT_EQ(7000, self->matrix[0].milli[0][1]);
	/* all lines of a write, or none */
	EXPECT_EQ(-EINVAL, mk_put(path_of("send"), "0 1 8\n0 1 x\n"));
	EXPECT_EQ(-EINVAL, mk_put(path_of("send"), "0 1 8\n0 1\n"));
	EXPECT_EQ(-EINVAL, mk_put(path_of("send"), "0 1 8 0 0\n"));
	EXPECT_EQ(-EINVAL, mk_put(path_of("send"), "0 1 -8\n"));
	memset(cut, '\n', sizeof(cut));
	memcpy(cut + sizeof(cut) - 6, "0 1 8", 6);
	EXPECT_EQ(-EINVAL, mk_put(path_of("send"), cut));
	EXPECT_EQ(-ERANGE, mk_put(path_of("send"), "0 1 1000000001\n"));
	snprintf(line, sizeof(line), "0 1 8\n%d 0 8\n", mk_cpus_possible());
	EXPECT_EQ(-ERANGE, mk_put(path_of("send"), line));
	ASSERT_EQ(0, load("send", &self->matrix[0]));
	EXPECT_EQ(7000, self->matrix[0].milli[0][1]);
}

/* Lines of topology/costs/distances, below the comment; -1 if it is another file. */
static int distances(void)
{
	unsigned int distance, send, receive;
	char text[MK_TEXT_MAX], *line, *save;
	int nr = 0;

	if (mk_read(path_of("distances"), text, sizeof(text)) < 0)
		return -1;
	line = strtok_r(text, "\n", &save);
	if (!line || strcmp(line, "# distance send receive"))
		return -1;
	while ((line = strtok_r(NULL, "\n", &save))) {
		if (sscanf(line, "%u %u %u", &distance, &send, &receive) != 3)
			return -1;
		nr++;
	}
	return nr;
}

/* At load there is time for something; or, if there shall be none, for nothing. */
TEST_F(costs, sampled_at_load)
{
	int tries, nr = 0;

	for (tries = 0; tries < 10 && !nr; tries++) {
		ASSERT_EQ(0, mk_unload_soon());
		ASSERT_EQ(0, mk_load("costs_ms=1000"));
		nr = distances();
	}
	EXPECT_EQ(mk_cpus_online() > 1, nr > 0);
	/* which are no costs of a pair */
	ASSERT_EQ(0, load("send", &self->matrix[0]));
	EXPECT_EQ(0, lines_of(&self->matrix[0]));
	ASSERT_EQ(0, mk_unload_soon());
	ASSERT_EQ(0, mk_load("costs_ms=0"));
	EXPECT_EQ(0, distances());
}

/* What a message of 10 + 20 cycles to @members, and back, takes by the model. */
static long long in_turn(int members)
{
	/* All answers but the last are there, or on their way, when it is. */
	long long sent = 10 * members, last = sent + 20 + 10, free_at = 0, at;
	int i;

	for (i = 1; i <= members; i++) {
		at = 10 * i + 20 + 10;
		if (at < sent)
			at = sent;
		free_at = (at > free_at ? at : free_at) + 20;
	}
	return free_at > last + 20 ? free_at : last + 20;
}

static void predicted(struct __test_metadata *_metadata, struct _test_data_costs *self,
		      int times)
{
	long long sequential, planned, cost;
	const struct mk_row *row;
	int errors = 0;

	mk_table_free(&self->table);
	ASSERT_EQ(0, mk_exp_run("trees"));
	ASSERT_EQ(0, mk_exp_results("trees", &self->table));
	EXPECT_EQ(NULL, mk_table_find(&self->table, "control", "predicted"));
	for (row = self->table.row; row < self->table.row + self->table.rows; row++) {
		if (strcmp(row->field[MK_METRIC], "predicted"))
			continue;
		if (!strcmp(row->field[MK_VARIANT], "sequential"))
			sequential = strtoll(row->field[MK_VALUE], NULL, 10);
		if (strcmp(row->field[MK_VARIANT], "planned"))
			continue;
		/* the strategies come before, for as many cores */
		planned = strtoll(row->field[MK_VALUE], NULL, 10);
		EXPECT_EQ(times * in_turn(atoi(row->field[MK_SIZE]) - 1), sequential);
		EXPECT_LE(planned, sequential);
		EXPECT_LT(0, planned);
	}
	for (row = self->table.row; row < self->table.row + self->table.rows; row++) {
		errors += !strcmp(row->field[MK_METRIC], "error");
		if (!strcmp(row->field[MK_METRIC], "cost_p50")) {
			cost = strtoll(row->field[MK_VALUE], NULL, 10);
			EXPECT_LT(0, cost);
		}
	}
	EXPECT_EQ(8 * (self->cpus - 1), errors);
}

static int all_pairs(const char *file, int cpus, int cycles)
{
	char text[4096] = "";
	int from, to, len = 0;

	for (from = 0; from < cpus; from++)
		for (to = 0; to < cpus; to++)
			len += snprintf(text + len, sizeof(text) - len, "%d %d %d\n",
					from, to, cycles);
	return mk_put(path_of(file), text);
}

/* Trees are scored by what costs are written, and by others when those are others. */
TEST_F(costs, trees_are_predicted_from_them)
{
	if (self->cpus < SOME_CPUS)
		SKIP(return, "needs three CPUs");
	ASSERT_EQ(0, mk_exp_small("trees"));
	ASSERT_EQ(0, mk_put(mk_exp_file("trees", "cpus"), "0-2"));
	self->cpus = SOME_CPUS;
	ASSERT_EQ(0, all_pairs("send", SOME_CPUS, 10));
	ASSERT_EQ(0, all_pairs("receive", SOME_CPUS, 20));
	predicted(_metadata, self, 1);
	ASSERT_EQ(0, all_pairs("send", SOME_CPUS, 30));
	ASSERT_EQ(0, all_pairs("receive", SOME_CPUS, 60));
	predicted(_metadata, self, 3);
}

/* The negative control of parse(). */
TEST(broken_files_are_noticed)
{
	char good[] = "# src dst cycles stderr\n0 1 12.500 0.031\n";
	char header[] = "# src dst cycles\n0 1 12.500 0.031\n";
	char cut[] = "# src dst cycles stderr\n0 1 12.500 0.0";
	char self_pair[] = "# src dst cycles stderr\n1 1 12.500 0.031\n";
	char more[] = "# src dst cycles stderr\n0 1 12.500 0.031 7\n";
	struct matrix matrix;

	EXPECT_EQ(0, parse(good, &matrix));
	EXPECT_EQ(12500, matrix.milli[0][1]);
	EXPECT_EQ(1, parse(header, &matrix));
	EXPECT_EQ(-1, parse(cut, &matrix));
	EXPECT_EQ(2, parse(self_pair, &matrix));
	EXPECT_EQ(2, parse(more, &matrix));
}

TEST_HARNESS_MAIN
