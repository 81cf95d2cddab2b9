// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that threads serve by userfaultfd(2), as its manual page does it: one for
 * each node, each with a file of its own, which polls it, reads it, and answers.
 *
 * A process has one page table. For each node to have a mapping of its own, and a
 * fault of its own, the memory is mapped once for each; so the first fault on a
 * page is UFFDIO_ZEROPAGE, and those of other nodes UFFDIO_CONTINUE. When pages are
 * taken away each node's mapping loses them, and its server is told by Linux
 * (UFFD_EVENT_REMOVE), which waits until that one has read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../libpager/pager.h"
#include "served_priv.h"

/* For another server; it is there, or the run has failed. */
#define PATIENCE_MS	1000

#define FEATURES	(UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_MISSING_SHMEM | \
			 UFFD_FEATURE_MINOR_SHMEM)

struct crew;

/**
 * struct handler - a thread that serves a node
 * @crew: whose
 * @thread: it
 * @started: there is one
 * @number: which one it is
 * @uffd: its file
 * @asks: a pipe: numbers of handlers that ask for a page at home here
 * @granted: an eventfd: what it asked for it may have
 * @words: what it has done; it alone writes them
 */
struct handler {
	struct crew *crew;
	pthread_t thread;
	int started;
	int number;
	int uffd;
	int asks[2];
	int granted;
	__u64 words[MK_SERVED_WORDS];
};

/**
 * struct crew - what serves the memory
 * @served: it
 * @handler: one for each of its nodes
 */
struct crew {
	struct served *served;
	struct handler handler[MK_SERVE_NODES_MAX];
};

static void count(struct handler *h, enum mk_served word)
{
	__atomic_store_n(&h->words[word], h->words[word] + 1, __ATOMIC_RELAXED);
}

/* --- a fault -------------------------------------------------------------------- */

/* May it have the page? Its home says. */
static int ask(struct handler *h, __u64 address)
{
	const struct served *served = h->crew->served;
	__u32 page = (address - (unsigned long)served->at) %
		     served->stride / SERVED_PAGE;
	int home = page % served->nodes;
	struct pollfd wait = { .fd = h->granted, .events = POLLIN };
	__u64 granted;

	if (!(served->how & MK_SERVE_ASK) || home == h->number)
		return 0;
	if (write(h->crew->handler[home].asks[1], &h->number,
		  sizeof(h->number)) != sizeof(h->number))
		return -1;
	count(h, MK_SERVED_MESSAGES);
	if (poll(&wait, 1, PATIENCE_MS) != 1)
		return -1;
	return read(h->granted, &granted, sizeof(granted)) == sizeof(granted) ?
	       0 : -1;
}

static void grant(struct handler *h)
{
	const __u64 one = 1;
	int who;

	if (read(h->asks[0], &who, sizeof(who)) != sizeof(who))
		return;
	if (write(h->crew->handler[who].granted, &one, sizeof(one)) > 0)
		count(h, MK_SERVED_MESSAGES);
}

static int answer(struct handler *h, const struct uffd_msg *message)
{
	__u64 address = message->arg.pagefault.address & ~(SERVED_PAGE - 1);
	struct uffdio_zeropage zero = {
		.range = { .start = address, .len = SERVED_PAGE },
	};
	struct uffdio_continue next = {
		.range = { .start = address, .len = SERVED_PAGE },
	};

	if (ask(h, address))
		return -1;
	if (message->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_MINOR)
		return ioctl(h->uffd, UFFDIO_CONTINUE, &next);
	return ioctl(h->uffd, UFFDIO_ZEROPAGE, &zero);
}

/* 1 if there was something, 0, or -1: it cannot go on */
static int serve(struct handler *h)
{
	struct uffd_msg message;

	if (read(h->uffd, &message, sizeof(message)) != sizeof(message))
		return errno == EAGAIN ? 0 : -1;
	if (message.event == UFFD_EVENT_REMOVE)
		count(h, MK_SERVED_NOTICES);
	if (message.event != UFFD_EVENT_PAGEFAULT)
		return 1;
	if (answer(h, &message))
		return -1;
	count(h, MK_SERVED_FAULTS);
	return 1;
}

/* --- a thread --------------------------------------------------------------------- */

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

/* Until something has come, or nothing has for long. */
static int spin(struct handler *h)
{
	long long until = now_us() + SERVED_POLL_US;
	int ret;

	do {
		ret = serve(h);
	} while (!ret && now_us() < until);
	return ret;
}

/* 0: go on */
static int block(struct handler *h)
{
	struct pollfd wait[] = {
		{ .fd = h->uffd, .events = POLLIN },
		{ .fd = h->asks[0], .events = POLLIN },
		{ .fd = h->crew->served->stop, .events = POLLIN },
	};

	count(h, MK_SERVED_SLEEPS);
	if (poll(wait, 3, -1) < 0 && errno != EINTR)
		return -1;
	if (wait[1].revents & POLLIN)
		grant(h);
	if (wait[2].revents)
		return -1;
	return wait[0].revents & POLLIN && serve(h) < 0 ? -1 : 0;
}

static void *handle(void *arg)
{
	struct handler *h = arg;
	int poll_first = h->crew->served->how & MK_SERVE_POLL, ret = 0;

	pager_bind(h->crew->served->node[h->number]);
	while (ret >= 0) {
		ret = poll_first ? spin(h) : 0;
		if (!ret)
			ret = block(h);
	}
	/* Whoever waits is Linux's from now on; the count tells. */
	close(h->uffd);
	h->uffd = -1;
	return NULL;
}

/* --- all of it ---------------------------------------------------------------------- */

static int open_uffd(struct handler *h, char *at, size_t bytes)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	struct uffdio_register range = {
		.range = { .start = (unsigned long)at, .len = bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING |
			UFFDIO_REGISTER_MODE_MINOR,
	};

	h->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (h->uffd < 0)
		return errno == ENOMEM || errno == EMFILE ? -errno : -EOPNOTSUPP;
	if (ioctl(h->uffd, UFFDIO_API, &api))
		return -EOPNOTSUPP;
	return ioctl(h->uffd, UFFDIO_REGISTER, &range) ? -errno : 0;
}

static int start(struct crew *crew, int number)
{
	struct served *served = crew->served;
	struct handler *h = &crew->handler[number];
	int ret;

	h->crew = crew;
	h->number = number;
	h->granted = eventfd(0, EFD_CLOEXEC);
	if (h->granted < 0 || pipe2(h->asks, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	ret = open_uffd(h, served->at + number * served->stride,
			served->stride);
	if (!ret)
		ret = -pthread_create(&h->thread, NULL, handle, h);
	h->started = !ret;
	return ret;
}

static int begin(struct served *served)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	int i, ret;

	if (!crew)
		return -ENOMEM;
	served->inside = crew;
	crew->served = served;
	for (i = 0; i < served->nodes; i++)
		crew->handler[i] = (struct handler){
			.uffd = -1, .granted = -1, .asks = { -1, -1 },
		};
	ret = served_shared(served);
	for (i = 0; i < served->nodes && !ret; i++)
		ret = start(crew, i);
	return ret;
}

static int take(struct served *served, __u32 first, __u32 pages)
{
	char *at = served->at + first * SERVED_PAGE;
	int i;

	for (i = 0; i < served->views; i++, at += served->stride)
		if (madvise(at, pages * SERVED_PAGE, MADV_DONTNEED))
			return -errno;
	return 0;
}

static void counts(struct served *served, __u64 *words)
{
	const struct crew *crew = served->inside;
	int i, word;

	for (i = 0; i < served->nodes; i++)
		for (word = 0; word < MK_SERVED_WORDS; word++)
			words[served->node[i] * MK_SERVED_WORDS + word] =
				__atomic_load_n(&crew->handler[i].words[word],
						__ATOMIC_RELAXED);
}

static void end(struct served *served)
{
	struct crew *crew = served->inside;
	int i;

	if (!crew)
		return;
	served_stop(served);
	for (i = 0; i < served->nodes; i++) {
		struct handler *h = &crew->handler[i];

		if (h->started)
			pthread_join(h->thread, NULL);
		if (h->uffd >= 0)
			close(h->uffd);
		if (h->granted >= 0)
			close(h->granted);
		if (h->asks[0] >= 0) {
			close(h->asks[0]);
			close(h->asks[1]);
		}
	}
	served_unshare(served);
	free(crew);
}

const struct served_ops served_by_uffd = {
	.begin = begin, .take = take, .counts = counts, .end = end,
};
