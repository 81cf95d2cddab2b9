// SPDX-License-Identifier: GPL-2.0
/*
 * A storm over one paged region: see paged_storm.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>

#include "guest.h"
#include "paged_storm.h"

/* Reads between two moves. */
#define STAY	4096

/* As often all pages are taken away before readers are waited for, and how long. */
#define ROUND		16
#define LET_READ_S	1.0

struct storm storm;

static __thread struct storm_reader *this_reader;

uint32_t storm_frame(int node, uint32_t page, uint32_t which)
{
	return ((storm.local ? node : 0) * 2 + which) * PAGES + page;
}

bool storm_serve(struct pager *pager, const struct mk_pager_request *request,
		 struct mk_pager_answer *answer)
{
	int cpu = cpu_of(pager->node);
	uint32_t which;

	if (cpu >= 0)
		run_on(cpu);
	serve_same(pager, request, answer);
	if (request->kind != MK_PAGER_FAULT)
		return true;
	which = __atomic_load_n(&storm.which[request->page], __ATOMIC_ACQUIRE);
	answer->frame = storm_frame(request->node, request->page, which);
	return true;
}

static void on_bus(int signal)
{
	siglongjmp(this_reader->jump, 1);
}

static bool is_over(void)
{
	return __atomic_load_n(&storm.stop, __ATOMIC_RELAXED);
}

static void look_at(uint32_t page)
{
	volatile uint64_t *word = (uint64_t *)(storm.base + page * PAGE);
	uint64_t least;

	least = __atomic_load_n(&storm.published[page], __ATOMIC_ACQUIRE);
	if (*word < least)
		__atomic_add_fetch(&storm.stale, 1, __ATOMIC_RELAXED);
}

/* A CPU that is off line is passed over. */
static void *storm_read(void *arg)
{
	struct storm_reader *reader = arg;
	uint64_t n;

	this_reader = reader;
	if (sigsetjmp(reader->jump, 1))
		__atomic_add_fetch(&reader->signals, 1, __ATOMIC_RELAXED);
	while (!is_over()) {
		n = __atomic_fetch_add(&reader->reads, 1, __ATOMIC_RELAXED);
		if (!(n % STAY))
			run_on((reader->number + n / STAY) % storm.cpus);
		look_at(n % PAGES);
	}
	return NULL;
}

/* Linux finds nothing to take away where frames are local: it is the last. */
static const int storm_protocols[] = {
	MK_PROTOCOL_IPI, MK_PROTOCOL_UNICAST, MK_PROTOCOL_BROADCAST,
	MK_PROTOCOL_MULTICAST, MK_PROTOCOL_ADAPTIVE, MK_PROTOCOL_LINUX,
};

static int storm_protocol(uint32_t n)
{
	uint32_t nr = sizeof(storm_protocols) / sizeof(storm_protocols[0]);

	if (storm.broken)
		return MK_PROTOCOL_IPI;
	return storm_protocols[n / PAGES % (nr - storm.local)];
}

static int renew(uint32_t page, int protocol)
{
	struct mk_paged_unmap unmap = {
		.first = page, .pages = 1, .op = MK_OP_UNMAP, .node = -1,
		.cpu = -1, .protocol = protocol, .broken = storm.broken,
	};
	uint64_t next = storm.published[page] + 1;
	uint32_t to = !storm.which[page];
	int ret, n;

	for (n = 0; n < (storm.local ? storm.nodes : 1); n++)
		*frame_word(storm.pager, storm_frame(n, page, to)) = next;
	__atomic_store_n(&storm.which[page], to, __ATOMIC_RELEASE);
	/* the CPU may have gone that was to do it: then another one does */
	do {
		ret = mk_ask(storm.fd, MK_IOC_PAGED_UNMAP, &unmap);
		storm.gone += ret == -ENODEV;
	} while (ret == -ENODEV && !is_over());
	if (!ret)
		__atomic_store_n(&storm.published[page], next,
				 __ATOMIC_RELEASE);
	return ret == -ENODEV ? 0 : ret;
}

static uint64_t now_at(const uint64_t *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/*
 * Pages that are taken away faster than pagers answer are read by nobody, and where
 * all is slow that is always so: after a round, each reader is let read all of them.
 */
static void let_read(void)
{
	double end = mk_seconds() + LET_READ_S;
	uint64_t from[CPUS_MAX];
	int i;

	for (i = 0; i < storm.cpus; i++)
		from[i] = now_at(&storm.reader[i].reads);
	for (i = 0; i < storm.cpus && !is_over() && mk_seconds() < end;)
		if (now_at(&storm.reader[i].reads) < from[i] + PAGES)
			mk_sleep_ms(1);
		else
			i++;
}

static void *storm_renew(void *arg)
{
	uint32_t i;
	int ret;

	for (i = 0; !is_over(); i++) {
		/* what a reader is not told of is seen by one that reads */
		if (i && !(i % (storm.broken ? PAGES : ROUND * PAGES)))
			let_read();
		/* the caller's CPU does it: one that may go any moment */
		if (!storm.broken && !(i % PAGES))
			run_on(i / PAGES % storm.cpus);
		ret = renew(i % PAGES, storm_protocol(i));
		if (ret)
			storm.error = ret;
		else
			__atomic_add_fetch(&storm.unmaps, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int storm_begin(void)
{
	struct sigaction action = { .sa_handler = on_bus };
	int i, ret = 0;

	for (i = 0; i < (int)PAGES; i++)
		storm.published[i] = 1;
	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < storm.cpus && !ret; i++) {
		storm.reader[i].number = i;
		ret = -pthread_create(&storm.reader[i].thread, NULL,
				      storm_read, &storm.reader[i]);
	}
	return ret ?: -pthread_create(&storm.renewer, NULL, storm_renew, NULL);
}

void storm_end(void)
{
	int i;

	__atomic_store_n(&storm.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < storm.cpus; i++)
		pthread_join(storm.reader[i].thread, NULL);
	pthread_join(storm.renewer, NULL);
}

bool storm_goes_on(double seconds)
{
	uint64_t from[CPUS_MAX], unmaps = now_at(&storm.unmaps);
	double end = mk_seconds() + seconds;
	int i, slow;

	for (i = 0; i < storm.cpus; i++)
		from[i] = now_at(&storm.reader[i].reads);
	do {
		mk_sleep_ms(1);
		slow = now_at(&storm.unmaps) < unmaps + PAGES;
		for (i = 0; i < storm.cpus; i++)
			slow += now_at(&storm.reader[i].reads) <
				from[i] + PAGES;
	} while (slow && mk_seconds() < end);
	return !slow;
}
