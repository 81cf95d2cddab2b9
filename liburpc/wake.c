// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeping and waking.
 *
 * A side that has nothing to do sets its word "asleep" in shared memory, looks
 * once more, and blocks on its eventfd. Who has sent looks at that word, and if
 * it is set clears it and writes the eventfd: one system call a sleep, none to a
 * side that polls.
 *
 * Barriers
 *	(S) sleeper_barrier() stands between the store of "asleep" and the look
 *	    at the ring; sender_barrier() between the store of the header and
 *	    the look at "asleep". Both are full. Of two sides that each store and
 *	    then load what the other stores, at least one then sees the other's
 *	    store. So either the sleeper finds the message and does not block, or
 *	    the sender finds the sleeper and writes.
 *	(T) The sender's header is stored before it writes the eventfd, and the
 *	    sleeper looks at the ring after it has read the eventfd; the kernel
 *	    orders a write and the read that finds it. So what is counted is
 *	    taken before a look, never after: urpc_disarm() before urpc_fetch().
 *
 *	A sender that found "asleep" may write when the sleeper has long woken
 *	for another reason: the next sleep ends at once, and is begun again. It
 *	may also clear the next sleep's announcement, and then writes for that
 *	one. One that dies between clearing and writing hangs up its socket.
 *
 * selftests/models/sleep.pml searches this exhaustively with store buffers.
 */
#include <poll.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

static void sleeper_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* (S) */
}

static void sender_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* (S) */
}

static u32 *asleep(const struct urpc_channel *channel, int side)
{
	return &channel->area->side[side].asleep;
}

/*
 * After a message has been shown. A counter that is full is readable already,
 * so that there is nothing to write, and a write could block.
 */
void urpc_wake(struct urpc_channel *channel)
{
	struct pollfd fd = { .fd = channel->wake_peer, .events = POLLOUT };
	u32 *word = asleep(channel, !channel->side);
	const u64 one = 1;
	ssize_t ret;

	if (channel->flags & URPC_NEVER_WAKE)
		return;
	sender_barrier();
	if (!READ_ONCE(*word) ||
	    !__atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL))
		return;
	do {
		if (poll(&fd, 1, 0) == 0)
			return;
		ret = write(channel->wake_peer, &one, sizeof(one));
	} while (ret < 0 && errno == EINTR);
}

static void drain(int fd)
{
	u64 count;
	struct iovec iov = { .iov_base = &count, .iov_len = sizeof(count) };

	/* Whether the file blocks is the peer's choice too; this never does. */
	if (preadv2(fd, &iov, 1, -1, RWF_NOWAIT) < 0)
		return;
}

static bool peer_gone(const struct urpc_channel *channel)
{
	struct pollfd fd = { .fd = channel->socket, .events = POLLRDHUP };

	return poll(&fd, 1, 0) > 0;
}

/* What can be done now, of @events and of what ends a wait anyway. */
static int ready(struct urpc_channel *channel, unsigned int events)
{
	int found = urpc_fetch(channel);

	if (found > 0)
		found = URPC_IN;
	if (found >= 0 && (events & URPC_OUT) &&
	    mk_end_room(&channel->end) >= MK_MESSAGE_LINES)
		found |= URPC_OUT;
	return found;
}

static void forget(struct urpc_channel *channel)
{
	WRITE_ONCE(*asleep(channel, channel->side), 0);
	drain(channel->wake);
}

static int arm(struct urpc_channel *channel, unsigned int events)
{
	int found = ready(channel, events);

	if (found)
		return found;
	WRITE_ONCE(*asleep(channel, channel->side), 1);
	sleeper_barrier();
	found = ready(channel, events);
	if (found)
		forget(channel);
	return found;
}

static int check(const struct urpc_channel *channel, unsigned int events)
{
	int ret = urpc_usable(channel);

	if (ret)
		return ret;
	return events && !(events & ~(URPC_IN | URPC_OUT)) ? 0 : -EINVAL;
}

int urpc_arm(struct urpc_channel *channel, unsigned int events)
{
	int ret = check(channel, events);

	return ret ? ret : arm(channel, events);
}

int urpc_disarm(struct urpc_channel *channel)
{
	int ret = urpc_usable(channel);

	if (ret)
		return ret;
	forget(channel);
	return peer_gone(channel) ? -EPIPE : 0;
}

int urpc_fd(const struct urpc_channel *channel)
{
	return channel->valid ? channel->wake : -EBADF;
}

int urpc_peer_fd(const struct urpc_channel *channel)
{
	return channel->valid ? channel->socket : -EBADF;
}

int64_t urpc_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Polls until @until; a look at the clock costs more than one at the ring. */
static int spin(struct urpc_channel *channel, unsigned int events, int64_t until)
{
	int found, i;

	do {
		for (i = 0; i < 16; i++) {
			found = ready(channel, events);
			if (found)
				return found;
			mk_poll_pause(4);
		}
	} while (urpc_now_ns() < until);
	return 0;
}

/* 0 when something has happened, or the time is over. */
static int block(struct urpc_channel *channel, int64_t ns)
{
	struct timespec left = {
		.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000,
	};
	struct pollfd fd[2] = {
		{ .fd = channel->wake, .events = POLLIN },
		{ .fd = channel->socket, .events = POLLRDHUP },
	};

	return ppoll(fd, 2, &left, NULL) < 0 ? -errno : 0;
}

int urpc_wait(struct urpc_channel *channel, unsigned int events,
	      int timeout_ms)
{
	int found = check(channel, events), ret;
	int64_t now, deadline;

	if (found)
		return found;
	if (timeout_ms < 0 || timeout_ms > URPC_TIMEOUT_MS_MAX)
		return -EINVAL;
	/* Without a look at the clock, where it is there already. */
	found = ready(channel, events);
	if (found)
		return found;

	now = urpc_now_ns();
	deadline = now + timeout_ms * NS_PER_MS;
	do {
		int64_t until = now + channel->poll_ns;

		if (channel->poll_ns) {
			found = spin(channel, events,
				     until < deadline ? until : deadline);
			if (found)
				return found;
		}
		found = arm(channel, events);
		if (found)
			return found;
		now = urpc_now_ns();
		ret = block(channel, now < deadline ? deadline - now : 0);
		forget(channel);
		found = ready(channel, events);
		if (found < 0 || (found & URPC_IN))
			return found;
		/* What it sent before it went has been seen by now. */
		if (peer_gone(channel)) {
			found = ready(channel, URPC_IN);
			return found ? found : -EPIPE;
		}
		if (found || ret)
			return found ? found : ret;
		now = urpc_now_ns();
	} while (now < deadline);
	return -ETIMEDOUT;
}
