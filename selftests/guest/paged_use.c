// SPDX-License-Identifier: GPL-2.0
/*
 * Pagers without a library: see paged_use.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"
#include "paged_use.h"
#include "region_use.h"

static int open_as(unsigned long request, void *arg)
{
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = mk_ask(fd, request, arg);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int paged_open(uint32_t pages, uint64_t flags, uint32_t timeout_ms)
{
	struct mk_paged_create create = {
		.pages = pages, .flags = flags, .timeout_ms = timeout_ms,
		.frames = PAGER_FRAMES,
	};

	return open_as(MK_IOC_PAGED, &create);
}

int paged_info(int fd, struct mk_paged_info *info)
{
	memset(info, 0, sizeof(*info));
	return mk_ask(fd, MK_IOC_PAGED_INFO, info);
}

int paged_look(int fd, uint32_t page, int node, struct mk_paged_look *look)
{
	memset(look, 0, sizeof(*look));
	look->page = page;
	look->node = node;
	return mk_ask(fd, MK_IOC_PAGED_LOOK, look);
}

int paged_unmap(int fd, uint32_t first, uint32_t pages, int protocol)
{
	struct mk_paged_unmap unmap = {
		.first = first, .pages = pages, .op = MK_OP_UNMAP,
		.protocol = protocol, .cpu = -1, .node = -1,
	};

	return mk_ask(fd, MK_IOC_PAGED_UNMAP, &unmap);
}

int frame_get(int fd, int node, uint32_t count)
{
	struct mk_frame_alloc alloc = { .node = node, .count = count };
	int ret = mk_ask(fd, MK_IOC_FRAME, &alloc);

	return ret ? ret : (int)alloc.first;
}

int frame_free(int fd, uint32_t first, uint32_t count)
{
	struct mk_frame_free range = { .first = first, .count = count };

	return mk_ask(fd, MK_IOC_FRAME_FREE, &range);
}

int pager_join(struct pager *pager, int region, int node, uint64_t flags)
{
	struct mk_pager_create create = {
		.region = region, .node = node, .slots = PAGER_SLOTS,
		.flags = flags,
	};
	char *base;

	memset(pager, 0, sizeof(*pager));
	pager->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pager->region = region;
	pager->node = node;
	pager->next = 1;
	create.wake = pager->wake;
	pager->fd = open_as(MK_IOC_PAGER, &create);
	if (pager->fd < 0) {
		close(pager->wake);
		return pager->fd;
	}
	base = mmap(NULL, MK_PAGER_BYTES(PAGER_SLOTS), PROT_READ | PROT_WRITE,
		    MAP_SHARED, pager->fd, MK_PAGER_OFFSET);
	pager->frames = mmap(NULL, PAGER_FRAMES * PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED, pager->fd, MK_FRAMES_OFFSET);
	if (base == MAP_FAILED || pager->frames == MAP_FAILED)
		return -ENOMEM;
	pager->side = (void *)base;
	pager->request = (void *)(base + MK_PAGER_REQUESTS);
	pager->answer = (void *)(base + MK_PAGER_ANSWERS(PAGER_SLOTS));
	return 0;
}

void pager_leave(struct pager *pager)
{
	munmap(pager->side, MK_PAGER_BYTES(PAGER_SLOTS));
	munmap(pager->frames, PAGER_FRAMES * PAGE);
	close(pager->fd);
	close(pager->wake);
}

bool pager_next(struct pager *pager, struct mk_pager_request *request)
{
	struct mk_pager_request *line;
	uint64_t id;

	for (;;) {
		line = &pager->request[pager->next % PAGER_SLOTS];
		id = __atomic_load_n(&line->id, __ATOMIC_ACQUIRE);
		if (id < pager->next)
			return false;
		memcpy(request, line, sizeof(*request));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		request->id = __atomic_load_n(&line->id, __ATOMIC_RELAXED);
		if (id == pager->next++ && request->id == id)
			return true;
	}
}

bool pager_wait(struct pager *pager, struct mk_pager_request *request)
{
	double end = mk_seconds() + LONG_MS / 1000.0;

	while (!pager_next(pager, request)) {
		if (mk_seconds() > end)
			return false;
		sched_yield();
	}
	return true;
}

void pager_answer(struct pager *pager, const struct mk_pager_answer *answer)
{
	uint32_t line = answer->id % PAGER_SLOTS;
	struct mk_pager_answer *to = &pager->answer[line];

	memcpy(to, answer, offsetof(struct mk_pager_answer, id));
	__atomic_store_n(&to->id, answer->id, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&pager->request[line].asleep, __ATOMIC_RELAXED) &&
	    write(pager->fd, &answer->id, 8) != 8 && errno != EPIPE)
		perror("wake");
}

static void pager_sleep(struct pager *pager)
{
	struct pollfd wakes = { .fd = pager->wake, .events = POLLIN };
	struct mk_pager_request *line;
	uint64_t count;

	__atomic_store_n(&pager->side->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	line = &pager->request[pager->next % PAGER_SLOTS];
	if (__atomic_load_n(&line->id, __ATOMIC_RELAXED) < pager->next &&
	    !__atomic_load_n(&pager->stop, __ATOMIC_RELAXED))
		poll(&wakes, 1, -1);
	__atomic_store_n(&pager->side->asleep, 0, __ATOMIC_RELAXED);
	if (read(pager->wake, &count, 8) != 8 && errno != EAGAIN)
		perror("eventfd");
}

static void *pager_run(void *arg)
{
	struct mk_pager_request request;
	struct mk_pager_answer answer;
	struct pager *pager = arg;

	while (!__atomic_load_n(&pager->stop, __ATOMIC_RELAXED)) {
		if (!pager_next(pager, &request)) {
			pager_sleep(pager);
			continue;
		}
		if (request.kind == MK_PAGER_FAULT)
			__atomic_add_fetch(&pager->faults, 1, __ATOMIC_RELAXED);
		memset(&answer, 0, sizeof(answer));
		answer.seq = request.seq;
		answer.id = request.id;
		if (!pager->serve(pager, &request, &answer))
			continue;
		pager_answer(pager, &answer);
		__atomic_add_fetch(&pager->served, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int pager_start(struct pager *pager, pager_fn serve)
{
	pager->serve = serve;
	pager->stop = false;
	return -pthread_create(&pager->thread, NULL, pager_run, pager);
}

void pager_stop(struct pager *pager)
{
	uint64_t one = 1;

	__atomic_store_n(&pager->stop, true, __ATOMIC_SEQ_CST);
	if (write(pager->wake, &one, 8) != 8)
		perror("eventfd");
	pthread_join(pager->thread, NULL);
}

bool serve_same(struct pager *pager, const struct mk_pager_request *request,
		struct mk_pager_answer *answer)
{
	answer->verdict = request->kind == MK_PAGER_FAULT ? MK_PAGER_MAP :
			  MK_PAGER_ACK;
	if (request->kind != MK_PAGER_FAULT)
		return true;
	answer->frame = request->page;
	answer->rights = MK_PAGER_READ | MK_PAGER_WRITE | MK_PAGER_EXEC;
	return true;
}

volatile uint64_t *frame_word(struct pager *pager, uint32_t frame)
{
	return (uint64_t *)(pager->frames + frame * PAGE);
}

int run_on(int cpu)
{
	unsigned int now, node;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return -errno;
	syscall(SYS_getcpu, &now, &node, NULL);
	return node;
}

int cpu_of(int node)
{
	char path[80];
	int cpu;

	for (cpu = 0; cpu < mk_cpus_possible(); cpu++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%d/cpu%d", node, cpu);
		if (!access(path, F_OK))
			return cpu;
	}
	return -1;
}

int nr_nodes(void)
{
	int node;

	for (node = 0; cpu_of(node) >= 0; node++)
		;
	return node;
}
