// SPDX-License-Identifier: GPL-2.0
/*
 * A pager: opening it, and its loop.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "urpc/ring.h"
#include "private.h"

/* Requests that are taken before those that are there go on. */
#define BATCH	16
/* A look at the clock costs more than one for requests. */
#define LOOKS	16
/* How often it goes on at once, before it asks whether it is to stop. */
#define BUSY	64
/* That one look of epoll can bring. */
#define EVENTS	8

/* @what: EPOLLIN, with EPOLLET or not; EPOLLRDHUP; or 0: whether it hangs up */
int pager_watch(struct pager *pager, int fd, u32 what, u32 why)
{
	struct epoll_event event = { .events = what, .data.u32 = why };

	return epoll_ctl(pager->fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_parts(struct pager *pager, u32 flags)
{
	const struct pager_group *group = pager->group;
	int ret;

	pager->fd = epoll_create1(EPOLL_CLOEXEC);
	if (pager->fd < 0)
		return -errno;
	ret = pager_watch(pager, pager->kernel->wake, EPOLLIN | EPOLLET,
			  WHY_KERNEL);
	if (!ret && pager->kernel->file >= 0)
		ret = pager_watch(pager, pager->kernel->file, 0, WHY_OTHER);
	if (ret)
		return ret;
	/* From here on a predecessor that lives finds itself out of office. */
	pager->turn = __atomic_add_fetch(&pager->seat->turn, 1, __ATOMIC_SEQ_CST);
	pager_count(&pager->seat->counts.opens, 1);
	if (!group->meeting[0])
		return 0;
	if (group->options.sync == PAGER_URPC) {
		ret = pager_homes_open(pager);
		if (ret)
			return ret;
	}
	return pager_talk_open(pager, flags);
}

int pager_open(struct pager_group *group, int node, uint32_t flags,
	       struct pager **out)
{
	struct pager_kernel *kernel;
	struct pager *pager;
	int ret;

	if (node < 0 || node >= PAGER_NODES_MAX || (flags & ~PAGER_TAKE_OVER) ||
	    !(group->options.nodes & node_bit(node)))
		return -EINVAL;
	ret = group->device->open(group->region, &group->options, node, flags,
				  &kernel);
	if (ret)
		return ret;
	pager = calloc(1, sizeof(*pager) +
		       kernel->depth * sizeof(struct pager_work));
	if (!pager) {
		kernel->ops->close(kernel);
		return -ENOMEM;
	}
	pager->group = group;
	pager->kernel = kernel;
	pager->node = node;
	pager->sync = pager_sync_ops(group->options.sync);
	pager->seat = &group->directory->seat[node];
	ret = open_parts(pager, flags);
	if (ret) {
		pager_close(pager);
		return ret;
	}
	*out = pager;
	return 0;
}

void pager_close(struct pager *pager)
{
	if (!pager)
		return;
	pager_talk_close(pager);
	free(pager->homes);
	if (pager->fd >= 0)
		close(pager->fd);
	pager->kernel->ops->close(pager->kernel);
	free(pager);
}

static int take_some(struct pager *pager)
{
	uint64_t *notices = &pager->seat->counts.notices;
	struct pager_want want;
	int n, ret;

	for (n = 0; n < BATCH && pager->works < pager->kernel->depth; n++) {
		ret = pager->kernel->ops->next(pager->kernel, &want, notices);
		if (ret <= 0)
			return ret ? ret : n;
		pager_take(pager, &want);
	}
	return n;
}

int pager_step(struct pager *pager)
{
	const uint64_t *notices = &pager->seat->counts.notices;
	uint64_t before;
	int done = 0, ret;

	if (READ_ONCE(pager->seat->turn) != pager->turn)
		return -ESHUTDOWN;
	if (pager->talk)
		done = pager_talk_step(pager);
	before = READ_ONCE(*notices);
	ret = take_some(pager);
	if (ret < 0)
		return ret;
	return done + ret + (READ_ONCE(*notices) != before) +
	       pager_serve_all(pager);
}

int pager_fd(const struct pager *pager)
{
	return pager->fd;
}

static void disarm(struct pager *pager, u32 why)
{
	pager->kernel->ops->disarm(pager->kernel);
	if (pager->talk)
		pager_talk_disarm(pager, why);
}

int pager_arm(struct pager *pager, int *timeout_ms)
{
	int ret;

	/* It has nothing else to do. What comes meanwhile is seen below. */
	pager_stock_fill(pager);
	ret = pager->kernel->ops->arm(pager->kernel);
	if (ret)
		return ret;
	*timeout_ms = pager->works ? pager->sync->retry_ms : -1;
	ret = pager->talk ? pager_talk_arm(pager, timeout_ms) : 0;
	if (ret)
		disarm(pager, ret < 0 ? WHY_OTHER : WHY_PEER);
	return ret;
}

/* Whoever waits by himself has not taken what was signalled. */
void pager_disarm(struct pager *pager)
{
	struct epoll_event event[EVENTS];

	epoll_wait(pager->fd, event, EVENTS, 0);
	disarm(pager, WHY_OTHER);
}

/* What has ended it: enum pager_why; or a negative errno. */
static int block(struct pager *pager, int timeout_ms)
{
	struct epoll_event event[EVENTS];
	int i, n, why = 0;

	pager_count(&pager->seat->counts.sleeps, 1);
	n = epoll_wait(pager->fd, event, EVENTS, timeout_ms);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++)
		why |= event[i].data.u32;
	/* Time has passed; or there may be more. */
	return n && n < EVENTS ? why : why | WHY_OTHER;
}

/* For a pager that never comes to block. */
static int said(int stop)
{
	struct pollfd fd = { .fd = stop, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static int nearer(int timeout_ms, int64_t left_ns)
{
	int64_t left_ms = (left_ns + NS_PER_MS - 1) / NS_PER_MS;

	return timeout_ms < 0 || left_ms < timeout_ms ? left_ms : timeout_ms;
}

/* Until something happens, @until, or nothing has for long: 0 then. */
static int spin(struct pager *pager, int64_t until)
{
	int i, ret;

	do {
		for (i = 0; i < LOOKS; i++) {
			ret = pager_step(pager);
			if (ret)
				return ret;
			if (!pager_stock_fill(pager))
				mk_poll_pause(4);
		}
	} while (pager_now_ns() < until);
	return 0;
}

/* 0: go on, 1: stop, or an error */
static int sleep_once(struct pager *pager, int64_t deadline)
{
	int timeout_ms, ret = pager_arm(pager, &timeout_ms);

	if (ret)
		return ret < 0 ? ret : 0;
	if (deadline)
		timeout_ms = nearer(timeout_ms, deadline - pager_now_ns());
	ret = block(pager, timeout_ms);
	disarm(pager, ret < 0 ? WHY_OTHER : ret);
	return ret < 0 ? ret : !!(ret & WHY_STOP);
}

static int run(struct pager *pager, int stop, int timeout_ms)
{
	int64_t poll_ns = pager->group->options.poll_us * NS_PER_US;
	int64_t deadline = 0;
	u32 busy = 0;
	int ret;

	if (timeout_ms >= 0)
		deadline = pager_now_ns() + timeout_ms * NS_PER_MS;
	for (;;) {
		ret = poll_ns ? spin(pager, pager_now_ns() + poll_ns) :
				pager_step(pager);
		if (!ret)
			ret = sleep_once(pager, deadline);
		else if (ret > 0)
			ret = ++busy % BUSY ? 0 : said(stop);
		if (ret)
			return ret > 0 ? 0 : ret;
		if (deadline && pager_now_ns() >= deadline)
			return -ETIMEDOUT;
	}
}

int pager_run(struct pager *pager, int stop, int timeout_ms)
{
	int ret;

	if (timeout_ms > PAGER_TIMEOUT_MS_MAX)
		return -EINVAL;
	if (stop < 0)
		return run(pager, stop, timeout_ms);
	ret = pager_watch(pager, stop, EPOLLIN, WHY_STOP);
	/* Such as can be read at any time. */
	if (ret == -EPERM)
		return 0;
	if (ret)
		return ret;
	ret = run(pager, stop, timeout_ms);
	epoll_ctl(pager->fd, EPOLL_CTL_DEL, stop, NULL);
	return ret;
}

/* Frames from the kernel, with numbers in a row. */
int pager_frames_get(struct pager *pager, int node, u32 count, u32 *first)
{
	int ret = pager->kernel->ops->get(pager->kernel, node, count, first);

	if (!ret)
		pager_count(&pager->seat->counts.frames, count);
	return ret;
}

int pager_frame_get(struct pager *pager, int node, uint32_t *frame)
{
	if (node == pager->node && pager_stock_take(pager, frame))
		return 0;
	return pager_frames_get(pager, node, 1, frame);
}

int pager_frame_put(struct pager *pager, uint32_t frame)
{
	int ret = pager->kernel->ops->put(pager->kernel, frame);

	if (!ret)
		pager_count(&pager->seat->counts.freed, 1);
	return ret;
}

void *pager_frame_data(struct pager *pager, uint32_t frame)
{
	return pager->kernel->ops->data(pager->kernel, frame);
}
