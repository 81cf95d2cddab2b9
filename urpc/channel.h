/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel joins two ports by a pair of rings.
 *
 * Life
 *	mk_channel_create() allocates and zeroes everything, rings included,
 *	before either port hears of it. It then has port B attach its endpoint,
 *	and when B has, port A: nobody can send into a channel that has no
 *	receiver. Either side closes: it sends what is queued, then BYE, and
 *	keeps receiving until the peer's BYE, which the peer sends in its turn
 *	when it sees the first. Everything accepted before the close is
 *	delivered. An endpoint that has sent and received BYE detaches from its
 *	port; when both have, the channel is dead. A peer that does not answer, or
 *	that breaks the protocol, is abandoned: both endpoints detach, each in
 *	its own thread.
 *
 * References
 *	Each attached endpoint, each bell in flight and the creator hold one. An
 *	attached endpoint therefore may look at its peer's shared words at any
 *	time, even after the peer has detached.
 *
 * Contexts
 *	Sends and posts belong to the thread of the endpoint's port. None blocks:
 *	a send that finds no room fails, a post waits in line for it.
 */
#ifndef MK_URPC_CHANNEL_H
#define MK_URPC_CHANNEL_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>

#include "urpc/port.h"
#include "urpc/ring.h"
#include "urpc/source.h"
#include "urpc/types.h"

struct mk_channel;
struct mk_endpoint;
struct page;

/* Slots of a ring unless asked otherwise: one page. */
#define MK_CHANNEL_SLOTS	64

/* How long a port may take to attach, a peer to say BYE, a call to return. */
#define MK_CHANNEL_JIFFIES	(5 * HZ)

/* Calls in flight on one endpoint. */
#define MK_CHANNEL_CALLS	8

/**
 * struct mk_post - a message that may wait for room
 * @node: link in the endpoint's queue
 * @type: enum mk_type
 * @flags: MK_MSG_CALL, MK_MSG_REPLY
 * @lines: 1 to MK_MESSAGE_LINES
 * @tag: returned as sent
 * @word: payload; not copied, so it stays until @done
 * @done: it is in the ring (0), or never will be (-EPIPE, -ENODEV); the post is
 *	the caller's again. Owner's thread; must not block.
 */
struct mk_post {
	struct list_head node;
	u8 type;
	u8 flags;
	u8 lines;
	u32 tag;
	const u64 *word;
	void (*done)(struct mk_post *post, int err);
};

/**
 * struct mk_rpc - a call in flight
 * @tag: what its reply carries; 0 when free
 * @reply: where the reply goes
 * @ret: -EINPROGRESS, then 0 or an error
 */
struct mk_rpc {
	u32 tag;
	struct mk_message *reply;
	int ret;
};

/**
 * struct mk_endpoint - one side of a channel, owned by one port
 * @end: the rings
 * @port: owner
 * @peer: the other side
 * @channel: both
 * @dir: index of this side in the channel
 * @ack_every: return credit by itself once so many lines are owed
 * @owed: lines of messages received since the peer was last told. Bare
 *	acknowledgments do not count here, or two ends with a small @ack_every
 *	would answer them forever; a quarter ring of anything is always due
 * @attached: on @port
 * @closing: no more sends
 * @bye_sent: BYE is in the ring
 * @bye_received: the peer's BYE has come
 * @knock: at the peer's @source
 * @all: link in the port's list of endpoints
 * @posts: posts that wait for room
 * @rpc: calls in flight
 * @next_tag: generation of the next call
 * @data: for handlers, of whoever created the channel
 * @source: what the port polls
 * @attach: work that attaches it
 * @close: work that starts to close it
 * @abandon: work that detaches it at once
 * @close_pushed: @close is taken
 * @abandon_pushed: @abandon is taken
 * @attach_state: enum mk_attach
 * @attach_done: @attach has run
 * @attach_ret: its result
 */
struct mk_endpoint {
	struct mk_end end;
	struct mk_port *port;
	struct mk_endpoint *peer;
	struct mk_channel *channel;
	unsigned int dir;
	u32 ack_every;
	u32 owed;
	bool attached;
	bool closing;
	bool bye_sent;
	bool bye_received;
	struct mk_knock knock;
	struct list_head all;
	struct list_head posts;
	struct mk_rpc rpc[MK_CHANNEL_CALLS];
	u32 next_tag;
	void *data;

	struct mk_source source;

	struct mk_work attach;
	struct mk_work close;
	struct mk_work abandon;
	atomic_t close_pushed;
	atomic_t abandon_pushed;
	atomic_t attach_state;
	struct completion attach_done;
	int attach_ret;
};

/**
 * struct mk_channel_ops - what the creator of a channel wants to hear of
 * @attach: an endpoint is ready; its port's thread
 * @detach: an endpoint is gone from its port; its port's thread
 * @dead: both are; the thread that detached last, once
 */
struct mk_channel_ops {
	void (*attach)(struct mk_endpoint *ep);
	void (*detach)(struct mk_endpoint *ep);
	void (*dead)(struct mk_channel *channel);
};

/**
 * struct mk_channel - two endpoints and their rings
 * @id: number in traces
 * @ref: references
 * @attached: endpoints attached, and one for the creation
 * @end: the endpoints; end[i] writes ring[i]
 * @ring: pages of the rings
 * @slots: slots of each
 * @ring_node: node each ring really lies on
 * @dead: both endpoints have detached
 * @ops: what its creator wants to hear of, may be NULL
 * @data: the creator's
 */
struct mk_channel {
	u32 id;
	refcount_t ref;
	atomic_t attached;
	struct mk_endpoint *end[2];
	struct page *ring[2];
	u32 slots;
	int ring_node[2];
	struct completion dead;
	const struct mk_channel_ops *ops;
	unsigned long data;
};

/**
 * struct mk_channel_options - what may be chosen about a channel
 * @slots: of each ring, a power of two; 0 for MK_CHANNEL_SLOTS
 * @ack_every: lines owed before credit returns by itself; 0 for a quarter ring
 * @node: of the ring that end[i] writes; NUMA_NO_NODE for the receiver's
 * @candidates: choose the pages of each ring among so many by measurement
 *	(pages.h); 0 or 1 to take what comes
 * @ops: see struct mk_channel
 * @data: see struct mk_channel
 */
struct mk_channel_options {
	u32 slots;
	u32 ack_every;
	int node[2];
	unsigned int candidates;
	const struct mk_channel_ops *ops;
	unsigned long data;
};

#define MK_CHANNEL_DEFAULTS	{ .node = { NUMA_NO_NODE, NUMA_NO_NODE } }

typedef void (*mk_handler_t)(struct mk_endpoint *ep,
			     const struct mk_message *msg);

/* Process context, any thread but a port's own. */
struct mk_channel *mk_channel_create(int cpu_a, int cpu_b,
				     const struct mk_channel_options *options);
int mk_channel_close(struct mk_channel *channel);

/* Any context. */
void mk_channel_get(struct mk_channel *channel);
void mk_channel_put(struct mk_channel *channel);
s64 mk_channel_bytes(void);
int mk_channel_count(void);
void mk_handler_set(enum mk_type type, mk_handler_t handler);

/* The thread of the endpoint's port. */
int mk_endpoint_send(struct mk_endpoint *ep, enum mk_type type, u8 flags,
		     u32 tag, const u64 *word, u32 lines);
int mk_endpoint_post(struct mk_endpoint *ep, struct mk_post *post);
int mk_endpoint_reply(struct mk_endpoint *ep, const struct mk_message *request,
		      const u64 *word, u32 lines);
int mk_endpoint_rpc(struct mk_endpoint *ep, enum mk_type type, const u64 *word,
		    u32 lines, struct mk_message *reply);

/* For port.c. */
unsigned int mk_endpoint_poll(struct mk_source *source);
void mk_endpoint_begin_close(struct mk_endpoint *ep);
void mk_endpoint_abandon(struct mk_endpoint *ep);

/* Between channel.c and endpoint.c. */
void mk_channel_leave(struct mk_channel *channel);
struct mk_endpoint *mk_endpoint_alloc(struct mk_channel *channel,
				      struct mk_port *port, unsigned int dir);
int mk_endpoint_attach(struct mk_endpoint *ep);
void mk_endpoint_ask(struct mk_endpoint *ep, struct mk_work *work,
		     atomic_t *pushed);

#endif /* MK_URPC_CHANNEL_H */
