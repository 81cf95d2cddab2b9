// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest pager: one thread that serves one region, whose pages say which they
 * are.
 *
 *	first 10		the sum of 0 … 9
 *
 * The process is not mirrored, so the region is PAGER_PLAIN, and one pager serves
 * all nodes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pager.h>

#define PAGE_BYTES	4096ul

static struct pager_group *group;
static int stop;

/* What a page begins with: called when somebody touches it first. */
static int fill(void *arg, uint32_t page, int node, void *frame)
{
	(void)arg;
	(void)node;
	*(unsigned long *)frame = page;
	return 0;
}

static void *serve(void *arg)
{
	struct pager *pager;
	int ret = pager_open(group, 0, 0, &pager);

	if (!ret) {
		ret = pager_run(pager, stop, -1);
		pager_close(pager);
	}
	*(int *)arg = ret;
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long i, sum = 0, pages = argc == 2 ? strtoul(argv[1], NULL, 0) : 0;
	struct pager_options options = {
		.pages = pages, .flags = PAGER_PLAIN, .nodes = 1, .fill = fill,
	};
	const uint64_t one = 1;
	pthread_t thread;
	char *at;
	int ret;

	if (!pages || pages > 4096) {
		fprintf(stderr, "usage: first PAGES, up to 4096\n");
		return EXIT_FAILURE;
	}
	ret = pager_group_create(&options, &group);
	if (ret) {
		fprintf(stderr, "first: %s\n", strerror(-ret));
		return EXIT_FAILURE;
	}
	stop = eventfd(0, EFD_CLOEXEC);
	if (pthread_create(&thread, NULL, serve, &ret))
		return EXIT_FAILURE;
	at = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		  pager_group_region(group), 0);
	if (at == MAP_FAILED)
		return EXIT_FAILURE;
	for (i = 0; i < pages; i++)
		sum += *(unsigned long *)(at + i * PAGE_BYTES);
	printf("%lu\n", sum);

	if (write(stop, &one, sizeof(one)) != sizeof(one))
		return EXIT_FAILURE;
	pthread_join(thread, NULL);
	munmap(at, pages * PAGE_BYTES);
	pager_group_destroy(group);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
