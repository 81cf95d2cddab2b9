// SPDX-License-Identifier: GPL-2.0
/*
 * Series of measured values: percentiles, ratios, classes of rounds, CSV.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "bench_run.h"
#include "bench_stats.h"

/* Of get_mempolicy(2): the node of the page at an address. */
#define NODE_OF_ADDRESS	3

/* A range that is wider than this has two classes. */
#define WIDE		1.8

static struct series *first;
static struct series **last = &first;

static const struct series *classes;
static double middle;
static int chosen = -1;

struct series *series_new(const char *test, const char *variant,
			  const char *metric, const char *unit, u32 size)
{
	struct series *s = calloc(1, sizeof(*s));

	if (!s)
		bench_die("calloc");
	snprintf(s->test, sizeof(s->test), "%s", test);
	snprintf(s->variant, sizeof(s->variant), "%s", variant);
	s->metric = metric;
	s->unit = unit;
	s->size = size;
	*last = s;
	last = &s->next;
	return s;
}

void series_add(struct series *s, int round, double value)
{
	int n = round < 32 ? 64 : 2 * round;

	if (round >= s->n) {
		s->value = realloc(s->value, n * sizeof(*s->value));
		if (!s->value)
			bench_die("realloc");
		while (s->n < n)
			s->value[s->n++] = -1;
	}
	s->value[round] = value || strcmp(s->unit, "ns") ? value : -1;
}

static bool counts(int round)
{
	if (chosen < 0)
		return true;
	if (round >= classes->n || classes->value[round] < 0)
		return false;
	return (classes->value[round] > middle) == chosen;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The values that count, divided by those of @to if given, in order. */
static double *collect(const struct series *s, const struct series *to, int *n)
{
	double *value = malloc((s->n + 1) * sizeof(*value));
	int i;

	if (!value)
		bench_die("malloc");
	*n = 0;
	for (i = 0; i < s->n; i++) {
		if (s->value[i] < 0 || !counts(i))
			continue;
		if (!to)
			value[(*n)++] = s->value[i];
		else if (i < to->n && to->value[i] > 0)
			value[(*n)++] = s->value[i] / to->value[i];
	}
	qsort(value, *n, sizeof(*value), compare);
	return value;
}

static double percentile(const struct series *s, const struct series *to,
			 int percent)
{
	int n;
	double *value = collect(s, to, &n);
	double result = n ? value[(n - 1) * percent / 100] : 0;

	free(value);
	return result;
}

int series_count(const struct series *s)
{
	int n;

	free(collect(s, NULL, &n));
	return n;
}

double series_percentile(const struct series *s, int percent)
{
	return percentile(s, NULL, percent);
}

double series_ratio(const struct series *s, const struct series *to)
{
	return percentile(s, to, 50);
}

int series_classify(const struct series *s)
{
	double low, high;

	series_choose(-1);
	low = series_percentile(s, 5);
	high = series_percentile(s, 95);
	classes = s;
	middle = low < high / WIDE ? (low + high) / 2 : high * WIDE;
	return low < high / WIDE ? 2 : 1;
}

void series_choose(int class)
{
	chosen = class;
}

static int node_of(void *memory)
{
	int node = 0;

	if (syscall(SYS_get_mempolicy, &node, NULL, 0, memory, NODE_OF_ADDRESS))
		return 0;
	return node;
}

static int node_of_cpu(int cpu)
{
	char path[64];
	int node;

	for (node = 0; node < 1024; node++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/node%d", cpu, node);
		if (!access(path, F_OK))
			return node;
	}
	return 0;
}

static bool siblings(int a, int b)
{
	char path[96];
	unsigned int from, to;
	bool found = false;
	FILE *f;
	int n;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
		 a);
	f = fopen(path, "r");
	if (!f)
		return false;
	while ((n = fscanf(f, "%u-%u", &from, &to)) > 0) {
		found |= (int)from == b ||
			 (n == 2 && (int)from <= b && b <= (int)to);
		if (fgetc(f) != ',')
			break;
	}
	fclose(f);
	return found;
}

static const char *tier(int a, int b)
{
	if (node_of_cpu(a) != node_of_cpu(b))
		return "T3";
	return siblings(a, b) ? "T1" : "T2";
}

int series_write(const char *path, int cpu_a, int cpu_b, void *memory)
{
	const char *which = tier(cpu_a, cpu_b);
	int i, node = node_of(memory);
	struct series *s;
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		return -1;
	}
	fprintf(f, "test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit\n");
	for (s = first; s; s = s->next)
		for (i = 0; i < s->n; i++)
			if (s->value[i] >= 0)
				fprintf(f, "%s,%s,%s,%d,%d,%d,%u,%d,%s,%.2f,%s\n",
					s->test, s->variant, which, cpu_a,
					cpu_b, node, s->size, i, s->metric,
					s->value[i], s->unit);
	if (fclose(f)) {
		perror(path);
		return -1;
	}
	return 0;
}
