// SPDX-License-Identifier: GPL-2.0
/*
 * A program that runs from a copy of its own text on each NUMA node.
 *
 *	replicated		on each node: the frame of its code, and a checksum
 *	replicated --stamp	and a constant in the code is another on each node
 *	replicated --data	read-only data instead of text, stamped likewise
 *	replicated --broken	one copy for all nodes, which must be found out
 *
 * Ends with 0 if each node ran from a copy of its own, 1 if not, 2 if that cannot be
 * done here (no module, no second node).
 *
 * The pagers are processes, made by fork() before anything is replaced: their own
 * text stays what it was.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pager.h>

#define PAGE_BYTES	4096ul
#define NODES_MAX	64
#define CPUS_MAX	1024
#define TIMEOUT_MS	10000
#define STAMP		0x6e6f6465u
#define STAMP_ASM	"0x6e6f6465"

/* Ends with the constant, which is not part of any other instruction. */
__attribute__((noinline, noclone)) static unsigned int stamp_of_code(void)
{
	unsigned int stamp;

	__asm__ __volatile__("movl $" STAMP_ASM ", %%eax\n"
			     ".globl stamp_end\n"
			     "stamp_end:\n\t"
			     "movl %%eax, %0" : "=r" (stamp) : : "eax");
	return stamp;
}

/* In the middle of stamp_of_code(). */
extern unsigned char stamp_end[];

static const unsigned int stamp_of_data = STAMP;

/* The compiler thinks that it knows what is there. */
static unsigned int data_stamp(void)
{
	const unsigned int *at = &stamp_of_data;

	__asm__ __volatile__("" : "+r" (at) : : "memory");
	return *at;
}

/**
 * struct range - what is replicated
 * @start: first byte
 * @bytes: whole pages
 * @copy: what is there, before
 * @stamp: where the constant is, from the start; -1: left as it is
 */
static struct range {
	char *start;
	unsigned long bytes;
	char *copy;
	long stamp;
} range;

/* What a node's copy of a page begins with. Called in the pagers. */
static int fill(void *arg, uint32_t page, int node, void *frame)
{
	unsigned int stamp = STAMP + 1 + node;
	long at = range.stamp - (long)(page * PAGE_BYTES);

	(void)arg;
	memcpy(frame, range.copy + page * PAGE_BYTES, PAGE_BYTES);
	if (range.stamp >= 0 && at >= 0 &&
	    at <= (long)(PAGE_BYTES - sizeof(stamp)))
		memcpy((char *)frame + at, &stamp, sizeof(stamp));
	return 0;
}

/* The mapping that has @address in it, by /proc/self/maps. */
static int mapping_at(unsigned long address)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	int found = 0;

	while (maps && !found &&
	       fscanf(maps, "%lx-%lx%*[^\n]", &start, &end) == 2) {
		found = address >= start && address < end;
		range.start = (char *)start;
		range.bytes = end - start;
	}
	if (maps)
		fclose(maps);
	return found ? 0 : -ENOENT;
}

static int find_range(void *address)
{
	int ret = mapping_at((unsigned long)address);

	if (ret)
		return ret;
	range.copy = mmap(NULL, range.bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (range.copy == MAP_FAILED)
		return -errno;
	memcpy(range.copy, range.start, range.bytes);
	return 0;
}

static int start_pagers(struct pager_group *group, int stop)
{
	struct pager *pager;
	int node;
	pid_t pid;

	for (node = 0; node < NODES_MAX; node++) {
		if (!(pager_group_nodes(group) >> node & 1))
			continue;
		pid = fork();
		if (pid < 0)
			return -errno;
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pager_bind(node);
		if (pager_open(group, node, 0, &pager))
			_exit(1);
		_exit(pager_run(pager, stop, -1) ? 1 : 0);
	}
	return 0;
}

static uint64_t checksum(void)
{
	uint64_t sum = 0xcbf29ce484222325;
	unsigned long i;

	for (i = 0; i < range.bytes; i++)
		sum = (sum ^ (unsigned char)range.start[i]) *
		      0x100000001b3;
	return sum;
}

/* The first CPU of each node is used; the result for a node that was seen. */
static int go_to_node_of(int cpu, unsigned int *node)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return -errno;
	return syscall(SYS_getcpu, NULL, node, NULL) ? -errno : 0;
}

/**
 * struct seen - what it looked like on a node
 * @there: it was looked at
 * @stamp: the constant
 * @frame: of the page that has the constant
 * @sum: of everything
 */
static struct seen {
	int there;
	unsigned int stamp;
	uint32_t frame;
	uint64_t sum;
} seen[NODES_MAX];

static int look(struct pager_group *group, int data, unsigned int node,
		uint32_t page)
{
	struct seen *s = &seen[node];

	s->stamp = data ? data_stamp() : stamp_of_code();
	s->sum = checksum();
	s->there = pager_group_look(group, page, node, &s->frame) > 0;
	if (!s->there)
		return -ENODATA;
	printf("node %u: frame %u, constant %#x, checksum %016llx\n", node,
	       s->frame, s->stamp, (unsigned long long)s->sum);
	return 0;
}

/* Has each node another frame, and if stamped, its own constant? */
static int judge(int stamped)
{
	int a, b, same, nodes = 0, bad = 0;

	for (a = 0; a < NODES_MAX; a++) {
		if (!seen[a].there)
			continue;
		nodes++;
		if (stamped && seen[a].stamp != STAMP + 1 + a)
			bad++;
		for (b = 0; b < a; b++) {
			if (!seen[b].there)
				continue;
			same = seen[a].sum == seen[b].sum;
			bad += seen[a].frame == seen[b].frame || same == stamped;
		}
	}
	if (nodes < 2)
		return 2;
	puts(bad ? "not a copy on each node" : "each node has a copy of its own");
	return bad ? 1 : 0;
}

static int failed(const char *what, int error)
{
	fprintf(stderr, "replicated: %s: %s\n", what, strerror(-error));
	return 2;
}

static int run(const char *how)
{
	int data = !strcmp(how, "--data"), broken = !strcmp(how, "--broken");
	int stamped = *how != 0, mirror, ret, cpu, stop = eventfd(0, EFD_CLOEXEC);
	void *at = data ? (void *)&stamp_of_data : (void *)(stamp_end - 4);
	struct pager_options options = {
		.policy = broken ? PAGER_GLOBAL : PAGER_LOCAL,
		.timeout_ms = TIMEOUT_MS, .fill = fill,
	};
	struct pager_group *group;
	unsigned int node;

	ret = find_range(at);
	if (ret)
		return failed("the segment", ret);
	range.stamp = stamped ? (char *)at - range.start : -1;
	options.pages = range.bytes / PAGE_BYTES;
	ret = pager_group_create(&options, &group);
	if (ret)
		return failed("a region", ret);
	ret = start_pagers(group, stop);
	if (!ret)
		ret = pager_replicate(pager_group_region(group), range.start,
				      range.bytes, !data, &mirror);
	if (ret)
		return failed("replicating", ret);
	for (cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (go_to_node_of(cpu, &node) || node >= NODES_MAX ||
		    seen[node].there)
			continue;
		ret = look(group, data, node,
			   ((char *)at - range.start) / PAGE_BYTES);
		if (ret)
			return failed("looking", ret);
	}
	/* The pagers stay until this process has gone: it may run there still. */
	return judge(stamped);
}

int main(int argc, char **argv)
{
	static const char *const known[] = { "--stamp", "--data", "--broken" };
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 1)
		return run("");
	for (i = 0; argc == 2 && i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(argv[1], known[i]))
			return run(known[i]);
	fprintf(stderr, "usage: replicated [--stamp | --data | --broken]\n");
	return 2;
}
