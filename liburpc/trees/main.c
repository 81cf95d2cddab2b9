// SPDX-License-Identifier: GPL-2.0
/*
 * Are trees as fast as the planner says? Measures what messages over liburpc cost
 * between the CPUs of this machine, has the planner make the trees of all strategies
 * from that, runs each of them among threads on these CPUs, and sets what was
 * predicted beside what was measured.
 *
 * The trees of one size take turns, operation by operation, so that what disturbs the
 * machine disturbs all of them. The control is a root that is alone.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "report.h"

#define SAMPLES		2000
#define SAMPLES_SHORT	100
#define SAMPLES_MOST	1000000
#define MEMBERS_MOST	1024
#define PATIENCE_MS	5000

/* Made-up nodes have so many members. */
#define PER_NODE	4

/**
 * struct args - the command line
 * @cpu: CPUs, the first @nr
 * @nr: how many
 * @yields: members without CPUs of their own instead; 0: none
 * @samples: of each tree
 * @trips: what a receive costs is taken from round trips
 * @op: both, or 2pc
 * @report: how it is printed
 * @dir: where costs go; or NULL
 * @fault: to be planted
 * @patience_ms: how long anybody waits
 */
struct args {
	int cpu[MEMBERS_MOST];
	unsigned int nr, yields;
	unsigned int samples;
	bool trips;
	enum mk_plan_op op;
	const struct report *report;
	const char *dir;
	enum fault fault;
	unsigned int patience_ms;
};

static int wrong(void)
{
	fputs("usage: trees [-sr] [-c LIST] [-n SAMPLES] [-o OP] [-f FORMAT] [-d DIR]\n"
	      "             [-y MEMBERS] [-F FAULT] [-t MS]\n"
	      "  -s  short: for tests, not for figures\n"
	      "  -r  takes what a receive costs from round trips, which have the way in them too\n"
	      "  -c  CPUs such as 0-3,8, the first is the root; all that are allowed otherwise\n"
	      "  -n  samples of each tree and size, 2000 otherwise\n"
	      "  -o  both, a broadcast and its acknowledgments, or 2pc, the same twice\n"
	      "  -f  text, csv or json\n"
	      "  -d  writes what messages cost there, for mkctl plan\n"
	      "  -y  so many members with made-up costs, who give way: measures nothing\n"
	      "  -F  plants a fault: skip, twice or early; has to fail\n"
	      "  -t  how long anybody waits for the others, 5000 otherwise\n",
	      stderr);
	return 2;
}

static int failed(const char *what, int error)
{
	fprintf(stderr, "trees: %s: %s\n", what, strerror(-error));
	return EXIT_FAILURE;
}

/* --- options --------------------------------------------------------------------------- */

/* A number of @least to @most, 0 if it is none. */
static unsigned int number(const char *text, unsigned int least, unsigned int most)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || value < least ||
	       value > most ? 0 : (unsigned int)value;
}

static bool has_cpu(const struct args *args, int cpu)
{
	unsigned int i;

	for (i = 0; i < args->nr; i++)
		if (args->cpu[i] == cpu)
			return true;
	return false;
}

static bool parse_cpus(struct args *args, const char *list)
{
	const char *at = list;
	long first, last;
	char *end;

	for (args->nr = 0;; at = end + 1) {
		if (*at < '0' || *at > '9')
			return false;
		first = strtol(at, &end, 10);
		last = first;
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtol(end + 1, &end, 10);
		if (first > last || last >= CPU_SETSIZE)
			return false;
		for (; first <= last; first++) {
			if (has_cpu(args, (int)first) || args->nr == MEMBERS_MOST)
				return false;
			args->cpu[args->nr++] = (int)first;
		}
		if (!*end)
			return true;
		if (*end != ',')
			return false;
	}
}

static void all_cpus(struct args *args)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (cpu = 0; cpu < CPU_SETSIZE && args->nr < MEMBERS_MOST; cpu++)
		if (CPU_ISSET(cpu, &set))
			args->cpu[args->nr++] = cpu;
}

static bool parse_fault(struct args *args, const char *name)
{
	static const char *const names[FAULTS] = {
		[FAULT_SKIP] = "skip", [FAULT_TWICE] = "twice", [FAULT_EARLY] = "early",
	};
	unsigned int i;

	for (i = FAULT_NONE + 1; i < FAULTS; i++)
		if (!strcmp(names[i], name))
			args->fault = i;
	return args->fault;
}

static bool parse_op(struct args *args, const char *name)
{
	args->op = strcmp(name, "2pc") ? MK_PLAN_BOTH : MK_PLAN_2PC;
	return args->op == MK_PLAN_2PC || !strcmp(name, "both");
}

static int options(struct args *args, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "src:n:o:f:d:y:F:t:")) != -1) {
		bool ok = true;

		switch (option) {
		case 's':
			args->samples = SAMPLES_SHORT;
			break;
		case 'r':
			args->trips = true;
			break;
		case 'c':
			ok = parse_cpus(args, optarg);
			break;
		case 'n':
			args->samples = number(optarg, 1, SAMPLES_MOST);
			ok = args->samples;
			break;
		case 'o':
			ok = parse_op(args, optarg);
			break;
		case 'f':
			args->report = report_find(optarg);
			ok = args->report;
			break;
		case 'd':
			args->dir = optarg;
			break;
		case 'y':
			args->yields = number(optarg, 1, MEMBERS_MOST);
			ok = args->yields;
			break;
		case 'F':
			ok = parse_fault(args, optarg);
			break;
		case 't':
			args->patience_ms = number(optarg, 1, 3600000);
			ok = args->patience_ms;
			break;
		default:
			ok = false;
		}
		if (!ok)
			return wrong();
	}
	/* Nothing is measured of made-up members. */
	if (args->yields && (args->nr || args->dir || args->trips))
		return wrong();
	return optind == argc ? 0 : wrong();
}

/* --- the machine -------------------------------------------------------------------------- */

/* 0 where the system does not say. */
static u16 node_of(int cpu)
{
	struct dirent *entry;
	unsigned int node = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", cpu);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "node%u", &node) == 1)
			break;
	if (dir)
		closedir(dir);
	return node;
}

/* A channel has seven files, and there is one for each edge of each tree. */
static void allow_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int learn_costs(const struct args *args, struct crew *crew, struct costs *costs)
{
	unsigned int i;
	int ret;

	ret = costs_alloc(costs, args->yields ? args->yields : args->nr);
	if (ret)
		return crew_fail(crew, ret, "no memory");
	if (args->yields) {
		costs_make_up(costs, PER_NODE);
		return 0;
	}
	for (i = 0; i < costs->nr; i++) {
		costs->cpu[i] = args->cpu[i];
		costs->node[i] = node_of(args->cpu[i]);
	}
	ret = costs_measure(costs, crew, args->samples, args->trips);
	if (ret || !args->dir)
		return ret;
	ret = costs_write(costs, args->dir);
	return ret ? crew_fail(crew, ret, "costs in %s: %s", args->dir, strerror(-ret)) : 0;
}

/* --- trees ----------------------------------------------------------------------------------- */

static int plan(struct trees *trees, const struct costs *costs, enum mk_plan_op op)
{
	const struct mk_plan_machine machine = {
		.cores = costs->nr, .send = costs->send, .receive = costs->receive,
		.node = costs->node, .burst = costs->burst,
	};
	struct mk_plan_task task = { .machine = &machine, .op = op, .nr = trees->nr };
	u16 *member = calloc(trees->nr, sizeof(*member));
	void *memory = malloc(mk_plan_bytes(trees->nr));
	unsigned int i;
	int ret = member && memory ? 0 : -ENOMEM;

	for (i = 0; member && i < trees->nr; i++)
		member[i] = i;
	task.member = member;
	for (i = 0; i < TREES && !ret; i++) {
		task.one_tree = i == TREE_ONE;
		ret = i < MK_PLAN_STRATEGIES ?
		      mk_plan_by(&task, i, memory, &trees->tree[i].plan) :
		      mk_plan_make(&task, memory, &trees->tree[i].plan);
	}
	free(memory);
	free(member);
	return ret;
}

static int one_size(const struct args *args, struct crew *crew, struct outcome *outcome,
		    unsigned int nr)
{
	const struct costs *costs = outcome->costs;
	struct trees trees = {
		.nr = nr, .rounds = args->op == MK_PLAN_2PC ? 2 : 1,
		.samples = args->samples, .warm_up = args->samples / 10 + 1,
		.fault = args->fault,
	};
	unsigned int i;
	int ret = trees_alloc(&trees);

	if (!ret)
		ret = plan(&trees, costs, args->op);
	if (ret)
		crew_fail(crew, ret, "planning: %s", strerror(-ret));
	else
		ret = trees_run(&trees, crew, costs->cpu);
	for (i = 0; i < TREES && !ret; i++)
		costs_sort(trees.tree[i].cycles, trees.samples);
	if (!ret && nr == 2) {
		outcome->pair_predicted = trees.tree[TREE_PLANNED].plan.cycles;
		outcome->pair_cycles = costs_rank(trees.tree[TREE_PLANNED].cycles,
						  trees.samples, 50);
	}
	if (!ret)
		args->report->size(stdout, outcome, &trees);
	trees_free(&trees);
	return ret;
}

/* 1, 2, 3 ... members of a few; of many about 16 sizes, and all. */
static int all_sizes(const struct args *args, struct crew *crew, struct outcome *outcome)
{
	unsigned int most = outcome->costs->nr, step = most / 16 ? most / 16 : 1, n;
	int ret = one_size(args, crew, outcome, 1);

	for (n = 2; n <= most && !ret; n++)
		if ((n - 2) % step == 0 || n == most)
			ret = one_size(args, crew, outcome, n);
	return ret;
}

int main(int argc, char **argv)
{
	struct args args = {
		.samples = SAMPLES, .op = MK_PLAN_BOTH, .report = report_find("text"),
		.patience_ms = PATIENCE_MS,
	};
	struct crew crew = { 0 };
	struct costs costs = { 0 };
	struct outcome outcome = { .costs = &costs, .load = -1 };
	int ret = options(&args, argc, argv);

	if (ret)
		return ret;
	if (!args.yields && !args.nr)
		all_cpus(&args);
	if (!args.yields && args.nr < 2) {
		fputs("trees: one CPU: there is nobody to send to; -y does it without measuring\n",
		      stderr);
		return EXIT_FAILURE;
	}
	allow_files();
	crew.yields = args.yields;
	crew.patience_ms = args.patience_ms;
	outcome.op = args.op;
	outcome.samples = args.samples;
	outcome.measured = !args.yields;
	outcome.trips = args.trips;
	if (getloadavg(&outcome.load, 1) < 1)
		outcome.load = -1;
	ret = learn_costs(&args, &crew, &costs);
	if (!ret) {
		args.report->begin(stdout, &outcome);
		ret = all_sizes(&args, &crew, &outcome);
	}
	if (!ret)
		args.report->end(stdout, &outcome);
	costs_free(&costs);
	if (ret) {
		fflush(stdout);
		fprintf(stderr, "trees: %s\n", crew.text);
		return EXIT_FAILURE;
	}
	return fflush(stdout) ? failed("standard output", -errno) : EXIT_SUCCESS;
}
