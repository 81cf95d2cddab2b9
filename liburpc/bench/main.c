// SPDX-License-Identifier: GPL-2.0
/*
 * What liburpc costs between threads and between processes, beside a pipe, a
 * socketpair and an eventfd, on two CPUs of this machine. Of each row: round trips
 * (one message there, one back), and where messages can follow each other the
 * rate of a stream. All rows take turns, so that what disturbs the machine
 * disturbs all of them.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ways.h"

#define WARM_UP		200
#define DEADLINE_S	600

/* How much: turns of all rows, and in each so many of both. */
static unsigned int turns = 9, trips = 500, stream = 5000;
static int cpu[2] = { -1, -1 };

/**
 * struct row - a line of the table
 * @way: what
 * @processes: two of them; otherwise two threads of one
 * @polled: nobody blocks
 * @bytes: of each message
 * @ns: round trips, @n of them
 * @n: how many
 * @rate: of each turn, messages in a second
 */
struct row {
	const struct way *way;
	bool processes, polled;
	size_t bytes;
	double *ns;
	size_t n;
	double *rate;
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static void pin(int side)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu[side], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(const double *sorted, size_t n, unsigned int percent)
{
	return sorted[(n - 1) * percent / 100];
}

/* --- the two sides --------------------------------------------------------- */

struct peer {
	struct row *row;
	struct way_end end;
	int error;
};

/* Sends back each of the round trips, then takes the stream and says so. */
static int peer_run(struct peer *peer)
{
	unsigned char data[WAY_BYTES_MAX];
	const struct way *way = peer->row->way;
	size_t bytes = peer->row->bytes;
	unsigned int i;
	int ret = 0;

	pin(1);
	if (way->join && peer->row->processes)
		ret = way->join(&peer->end, 1);
	for (i = 0; !ret && i < WARM_UP + trips; i++) {
		ret = way->get(&peer->end, data, bytes);
		if (!ret)
			ret = way->put(&peer->end, data, bytes);
	}
	if (!way->streams)
		return ret;
	for (i = 0; !ret && i < stream; i++)
		ret = way->get(&peer->end, data, bytes);
	return ret ? ret : way->put(&peer->end, data, bytes);
}

static void *peer_thread(void *arg)
{
	struct peer *peer = arg;

	peer->error = peer_run(peer);
	return NULL;
}

static int measure(struct row *row, struct way_end *end, unsigned int turn)
{
	unsigned char data[WAY_BYTES_MAX] = { 0 };
	const struct way *way = row->way;
	double begin, last = 0;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < WARM_UP + trips; i++) {
		begin = now_ns();
		ret = way->put(end, data, row->bytes);
		if (!ret)
			ret = way->get(end, data, row->bytes);
		last = now_ns() - begin;
		if (i >= WARM_UP)
			row->ns[row->n++] = last;
	}
	if (ret || !way->streams)
		return ret;
	begin = now_ns();
	for (i = 0; !ret && i < stream; i++)
		ret = way->put(end, data, row->bytes);
	if (!ret)
		ret = way->get(end, data, row->bytes);
	row->rate[turn] = stream / ((now_ns() - begin) / 1e9);
	return ret;
}

static int turn_threads(struct row *row, struct way_end end[2],
			unsigned int turn)
{
	struct peer peer = { .row = row, .end = end[1] };
	pthread_t thread;
	int ret;

	ret = pthread_create(&thread, NULL, peer_thread, &peer);
	if (ret)
		return -ret;
	ret = measure(row, &end[0], turn);
	pthread_join(thread, NULL);
	row->way->close(&peer.end);
	return ret ? ret : peer.error;
}

static int turn_processes(struct row *row, struct way_end end[2],
			  unsigned int turn)
{
	struct peer peer = { .row = row, .end = end[1] };
	pid_t pid = fork();
	int ret = 0, status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(DEADLINE_S);
		row->way->close(&end[0]);
		_exit(peer_run(&peer) ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	row->way->close(&end[1]);
	if (row->way->join)
		ret = row->way->join(&end[0], 0);
	if (!ret)
		ret = measure(row, &end[0], turn);
	if (ret)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || status)
		ret = ret ? ret : -ECHILD;
	return ret;
}

static int row_turn(struct row *row, unsigned int turn)
{
	struct way_end end[2];
	int ret;

	ret = row->way->open(end, row->polled, row->processes);
	if (ret)
		return ret;
	ret = row->processes ? turn_processes(row, end, turn) :
			       turn_threads(row, end, turn);
	row->way->close(&end[0]);
	return ret;
}

/* --- the table ------------------------------------------------------------- */

static void print_row(struct row *row)
{
	char label[64];

	qsort(row->ns, row->n, sizeof(*row->ns), compare);
	snprintf(label, sizeof(label), "%s, %s", row->way->name,
		 row->polled ? "polled" : "blocking");
	printf("%-22s %-9s %5zu %9.0f %9.0f %9.0f %9.0f %9.0f %8zu", label,
	       row->processes ? "processes" : "threads", row->bytes,
	       percentile(row->ns, row->n, 1), percentile(row->ns, row->n, 10),
	       percentile(row->ns, row->n, 50), percentile(row->ns, row->n, 90),
	       percentile(row->ns, row->n, 99), row->n);
	if (row->way->streams) {
		qsort(row->rate, turns, sizeof(*row->rate), compare);
		printf(" %9.0f %9.0f %9.0f", row->rate[0] / 1000,
		       percentile(row->rate, turns, 50) / 1000,
		       row->rate[turns - 1] / 1000);
	}
	printf("\n");
}

/* What the clock costs is part of every round trip. */
static void print_control(void)
{
	size_t n = (size_t)turns * trips, i;
	double *ns = calloc(n, sizeof(*ns));

	if (!ns)
		return;
	for (i = 0; i < n; i++) {
		double begin = now_ns();

		ns[i] = now_ns() - begin;
	}
	qsort(ns, n, sizeof(*ns), compare);
	printf("%-22s %-9s %5s %9.0f %9.0f %9.0f %9.0f %9.0f %8zu\n",
	       "control: the clock", "", "", percentile(ns, n, 1),
	       percentile(ns, n, 10), percentile(ns, n, 50),
	       percentile(ns, n, 90), percentile(ns, n, 99), n);
	free(ns);
}

static void print_head(void)
{
	double load[3] = { 0 };

	if (getloadavg(load, 3) < 1)
		load[0] = -1;
	printf("CPUs %d and %d of %ld; load when it began %.1f (a machine at rest: 0)\n",
	       cpu[0], cpu[1], sysconf(_SC_NPROCESSORS_ONLN), load[0]);
	puts("Round trips in ns: p1, p10, p50, p90, p99, samples.");
	printf("Streams in 1000 messages/s: least, median and most of %u turns of %u.\n\n",
	       turns, stream);
	printf("%-22s %-9s %5s %9s %9s %9s %9s %9s %8s %9s %9s %9s\n", "way",
	       "between", "bytes", "p1", "p10", "p50", "p90", "p99", "n",
	       "least", "median", "most");
}

/* --- options --------------------------------------------------------------- */

static int wrong(void)
{
	fputs("usage: bench [-s] [-c CPU,CPU]\n"
	      "  -s  short: for tests, not for figures\n"
	      "  -c  which two CPUs; the first two that are allowed otherwise\n",
	      stderr);
	return 2;
}

/* Two that we may run on, the same one if there is no other. */
static void choose_cpus(void)
{
	cpu_set_t set;
	int i, n = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		CPU_SET(0, &set);
	for (i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	if (n == 1)
		cpu[1] = cpu[0];
}

static int options(int argc, char **argv)
{
	int option;
	char rest;

	while ((option = getopt(argc, argv, "sc:")) != -1) {
		switch (option) {
		case 's':
			turns = 2;
			trips = 50;
			stream = 500;
			break;
		case 'c':
			if (sscanf(optarg, "%d,%d%c", &cpu[0], &cpu[1],
				   &rest) != 2 || cpu[0] < 0 || cpu[1] < 0 ||
			    cpu[0] >= CPU_SETSIZE || cpu[1] >= CPU_SETSIZE)
				return wrong();
			break;
		default:
			return wrong();
		}
	}
	if (optind != argc)
		return wrong();
	if (cpu[0] < 0)
		choose_cpus();
	return 0;
}

/* Rows of one size; who polls while the peer wants the CPU measures nothing. */
static size_t make_rows(struct row *row, size_t bytes)
{
	static const struct way *const ways[] = {
		&way_urpc, &way_pipe, &way_socketpair, &way_eventfd,
	};
	size_t n = 0, i;
	int kind;

	for (kind = 0; kind < 4; kind++) {
		bool polled = kind % 2 == 0;

		if (polled && cpu[0] == cpu[1])
			continue;
		for (i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
			if (ways[i]->fixed && ways[i]->fixed != bytes)
				continue;
			row[n++] = (struct row){
				.way = ways[i], .bytes = bytes,
				.processes = kind / 2, .polled = polled,
				.ns = calloc(turns * trips, sizeof(double)),
				.rate = calloc(turns, sizeof(double)),
			};
			if (!row[n - 1].ns || !row[n - 1].rate)
				return 0;
		}
	}
	return n;
}

int main(int argc, char **argv)
{
	struct row row[64];
	unsigned int turn;
	size_t n, more, i;
	int ret;

	ret = options(argc, argv);
	if (ret)
		return ret;
	signal(SIGPIPE, SIG_IGN);
	alarm(DEADLINE_S);
	n = make_rows(row, 8);
	more = make_rows(row + n, WAY_BYTES_MAX);
	if (!n || !more) {
		fputs("bench: no memory\n", stderr);
		return EXIT_FAILURE;
	}
	n += more;
	pin(0);
	print_head();
	for (turn = 0; turn < turns; turn++) {
		for (i = 0; i < n; i++) {
			ret = row_turn(&row[i], turn);
			if (!ret)
				continue;
			fprintf(stderr, "bench: %s: %s\n", row[i].way->name,
				strerror(-ret));
			return EXIT_FAILURE;
		}
	}
	for (i = 0; i < n; i++)
		print_row(&row[i]);
	print_control();
	return EXIT_SUCCESS;
}
