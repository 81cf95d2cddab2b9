/* SPDX-License-Identifier: GPL-2.0 */
/*
 * liburpc: messages through shared cache lines, between threads, processes, and
 * the monitors of the module multikernel.
 *
 * A channel has two sides and carries messages of 0 to URPC_BYTES_MAX bytes both
 * ways, in order, each whole or not at all. While both sides poll, no system
 * call is made. A side that has nothing to do announces that it sleeps, and
 * blocks on an eventfd; the peer writes that eventfd only if it finds the
 * announcement.
 *
 * Whose is what
 *	A side, &struct urpc_channel, belongs to one thread at a time; who passes
 *	it on orders the hand-over. Both directions of a side go together: who
 *	sends must go on receiving, since room comes back with what is received.
 *	A side does not survive fork(): in the child every call is -EBADF. Hand
 *	the child a socket and let it connect.
 *
 * What a peer can do
 *	Garble its own messages, and no more. Lengths, positions and credit are
 *	private to each side and checked; the memory is a memfd whose size is
 *	sealed, or a region of /dev/multikernel whose pages cannot be replaced or
 *	protected, so that there is no SIGBUS. What cannot be true is -EBADMSG, from
 *	then on and from every call. A peer that has gone is -EPIPE, after its
 *	last messages have been received. A peer that stops is -ETIMEDOUT: every
 *	wait has a limit.
 *
 *	The eventfds are shared too. A peer that fills a counter and makes it
 *	blocking between two system calls of a sender can hold up that one write
 *	until it reads the counter or dies, or a signal comes. A side that never
 *	waits for such a peer polls, and sets URPC_NEVER_WAKE.
 *
 * Return values
 *	0 or more, or a negative errno. Nothing is sent or taken where one is
 *	returned. errno itself means nothing.
 */
#ifndef URPC_H
#define URPC_H

#include <stdint.h>

#define URPC_VERSION		1	/* of the hello and the memory's layout */
#define URPC_BYTES_MAX		448	/* longest message */
#define URPC_SLOTS_MIN		16	/* lines of 64 bytes each way */
#define URPC_SLOTS_MAX		16384
#define URPC_SLOTS_DEFAULT	256
#define URPC_TIMEOUT_MS_MAX	3600000

/* Options. */
#define URPC_ON_NODE		0x1	/* memory from /dev/multikernel, on @node */
#define URPC_NEVER_WAKE		0x2	/* the peer polls: no fence, no eventfd */

/* What a wait is for, and what it found. */
#define URPC_IN			0x1	/* a message can be received */
#define URPC_OUT		0x2	/* the longest message can be sent */

/* Flags of a message. */
#define URPC_REPLY		0x2	/* the answer to the call of that tag */
#define URPC_CALL		0x4	/* wants an answer with its tag */

struct urpc_channel;

/**
 * struct urpc_options - how a channel is set up; all zeroes is a good choice
 * @slots: lines each way, a power of two, URPC_SLOTS_MIN to URPC_SLOTS_MAX; 0:
 *	URPC_SLOTS_DEFAULT. The accepting side decides.
 * @poll_us: how long a wait polls before it blocks, in microseconds
 * @flags: URPC_ON_NODE, URPC_NEVER_WAKE
 * @node: NUMA node of the memory, with URPC_ON_NODE
 */
struct urpc_options {
	uint32_t slots;
	uint32_t poll_us;
	uint32_t flags;
	int32_t node;
};

/**
 * struct urpc_message - a message received
 * @tag: as sent
 * @bytes: length of @data
 * @flags: URPC_CALL, URPC_REPLY or 0
 * @data: @bytes of it are written, the rest is left as it was
 */
struct urpc_message {
	uint32_t tag;
	uint16_t bytes;
	uint16_t flags;
	unsigned char data[URPC_BYTES_MAX] __attribute__((aligned(8)));
};

/**
 * urpc_pair() - a channel between two threads
 * @options: or NULL
 * @side: out: both sides, for one thread each
 *
 * Return: 0, -EINVAL for options that cannot be, -ENOMEM or what making the
 * memory and the files gave.
 */
int urpc_pair(const struct urpc_options *options,
	      struct urpc_channel *side[2]);

/**
 * urpc_accept() - the side that makes the memory
 * @socket: a connected Unix socket of type SOCK_SEQPACKET; its own file
 * @options: or NULL
 * @timeout_ms: for the whole set-up
 * @channel: out
 *
 * Waits for the peer's hello, sends ours with the memory and two eventfds, and
 * waits until the peer has checked them. The channel takes @socket if 0 is
 * returned: its end is how the death of a peer is seen. It stays the caller's
 * otherwise. Who is at the other end is the caller's business (SO_PEERCRED).
 *
 * Return: 0; -EPROTO if what came is not a hello, -EPROTONOSUPPORT if it is of
 * another version, -ECONNREFUSED if the peer did not take what it got, -EPIPE if
 * it went away, -ETIMEDOUT, -EINVAL, or what making the memory gave.
 */
int urpc_accept(int socket, const struct urpc_options *options,
		int timeout_ms, struct urpc_channel **channel);

/**
 * urpc_connect() - the side that gets the memory
 * @socket: as for urpc_accept()
 * @options: or NULL; @slots and @node are the peer's choice
 * @timeout_ms: for the whole set-up
 * @channel: out
 *
 * Return: as urpc_accept(), and -EPERM if the memory is not sealed, not of the
 * right kind, or a region that is not MK_REGION_FIXED; -ERANGE if its size is not
 * what was said; -EBUSY if this side of it is in use already.
 */
int urpc_connect(int socket, const struct urpc_options *options,
		 int timeout_ms, struct urpc_channel **channel);

/**
 * urpc_listen() - a listening socket for urpc_accept()
 * @path: in the file system; a socket that nobody listens on is replaced
 *
 * Return: the socket, for accept4(), or a negative errno.
 */
int urpc_listen(const char *path);

/**
 * urpc_dial() - a socket for urpc_connect()
 * @path: as for urpc_listen()
 *
 * Return: the connected socket or a negative errno.
 */
int urpc_dial(const char *path);

/**
 * urpc_monitor() - a channel to a monitor of the module multikernel
 * @cpu: whose monitor
 * @options: or NULL; the memory is on the monitor's node unless URPC_ON_NODE says
 *	another
 * @channel: out
 *
 * The monitor answers calls (urpc_call()): what it can do is enum mk_service of
 * module/uapi.h. No more than slots / 16 calls are on their way at a time. When
 * the CPU goes off line or the monitor has found something that cannot be true,
 * waits are -EPIPE.
 *
 * Return: 0; -ENOENT without the module, -EACCES, -ENODEV if the CPU is off line,
 * -EINVAL, -ENOSPC, -ENOMEM.
 */
int urpc_monitor(int cpu, const struct urpc_options *options,
		 struct urpc_channel **channel);

/**
 * urpc_close() - let go of a side
 * @channel: or NULL; gone afterwards
 *
 * The peer receives what was sent, and then -EPIPE.
 */
void urpc_close(struct urpc_channel *channel);

/**
 * urpc_send() - send a message; never waits
 * @channel: this side
 * @tag: for the caller
 * @data: what is sent
 * @bytes: 0 to URPC_BYTES_MAX
 *
 * Return: 0; -EAGAIN if there is no room, -EMSGSIZE if it is too long, -EBADMSG
 * if the peer has lied, -EBADF after fork().
 */
int urpc_send(struct urpc_channel *channel, uint32_t tag, const void *data,
	      uint32_t bytes);

/**
 * urpc_hint() - send a message that may come late, or not at all; never waits
 * @channel: this side
 * @tag: for the caller
 * @data: what is sent
 * @bytes: 0 to URPC_BYTES_MAX
 *
 * Nobody is woken: a peer that sleeps finds it when it has woken for something else. It
 * leaves half of the lines free for what has to be said.
 *
 * Return: as urpc_send(); -EAGAIN also if it would leave fewer.
 */
int urpc_hint(struct urpc_channel *channel, uint32_t tag, const void *data,
	      uint32_t bytes);

/**
 * urpc_recv() - receive a message; never waits
 * @channel: this side
 * @message: out
 *
 * Return: 1 and the message; 0 if there is none; -EBADMSG, -EBADF.
 */
int urpc_recv(struct urpc_channel *channel, struct urpc_message *message);

/**
 * urpc_wait() - wait until something can be done
 * @channel: this side
 * @events: URPC_IN, URPC_OUT
 * @timeout_ms: 0 to URPC_TIMEOUT_MS_MAX
 *
 * Polls for @poll_us, then blocks. A message that has come ends the wait also
 * where only URPC_OUT was asked for, since room may be behind it.
 *
 * Return: URPC_IN, URPC_OUT or both; -ETIMEDOUT; -EPIPE if the peer has gone and
 * there is nothing left to receive; -EINTR after a signal; -EBADMSG, -EBADF,
 * -EINVAL.
 */
int urpc_wait(struct urpc_channel *channel, unsigned int events,
	      int timeout_ms);

/**
 * urpc_call() - send a call and wait for its reply
 * @channel: this side; nothing but replies may come in on it
 * @data: the call
 * @bytes: its length
 * @reply: out
 * @timeout_ms: for both
 *
 * Replies to calls that timed out before are dropped.
 *
 * Return: 0, -EPROTO if what came was no reply, or as urpc_send() and
 * urpc_wait().
 */
int urpc_call(struct urpc_channel *channel, const void *data, uint32_t bytes,
	      struct urpc_message *reply, int timeout_ms);

/**
 * urpc_reply() - answer a call; never waits
 * @channel: this side
 * @call: what is answered
 * @data: the reply
 * @bytes: its length
 *
 * Return: as urpc_send(), or -EINVAL if @call wants no answer.
 */
int urpc_reply(struct urpc_channel *channel, const struct urpc_message *call,
	       const void *data, uint32_t bytes);

/**
 * urpc_fd() - what becomes readable when a sleeping side is to wake
 * @channel: this side
 *
 * An eventfd for poll(), epoll and io_uring. It says something only between
 * urpc_arm() and urpc_disarm(), which also takes what it has counted.
 *
 * Return: the file, the channel's; or -EBADF.
 */
int urpc_fd(const struct urpc_channel *channel);

/**
 * urpc_peer_fd() - what hangs up when the peer has gone
 * @channel: this side
 *
 * Wait for POLLRDHUP on it, not for POLLIN.
 *
 * Return: the socket, the channel's; or -EBADF.
 */
int urpc_peer_fd(const struct urpc_channel *channel);

/**
 * urpc_arm() - announce that this side is about to block
 * @channel: this side
 * @events: URPC_IN, URPC_OUT
 *
 * Return: 0: block on urpc_fd() and urpc_peer_fd(); more than 0: what can be
 * done now, and nothing was announced; -EBADMSG, -EBADF, -EINVAL.
 */
int urpc_arm(struct urpc_channel *channel, unsigned int events);

/**
 * urpc_disarm() - take the announcement back
 * @channel: this side
 *
 * To be called after the event loop has woken, for whatever reason.
 *
 * Return: 0, -EPIPE if the peer has gone (what it sent can be received still),
 * -EBADMSG, -EBADF.
 */
int urpc_disarm(struct urpc_channel *channel);

#endif /* URPC_H */
