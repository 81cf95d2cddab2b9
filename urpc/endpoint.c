// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints: sending, receiving, and how one comes to its port and leaves it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/slab.h>

#include "module/trace.h"
#include "urpc/channel.h"

/* Messages taken from one endpoint in one pass over its port. */
#define MK_ENDPOINT_BATCH	16

/* Polls between two looks at the clock, while waiting. */
#define MK_WAIT_POLLS		64

/* An attach that came too late is not carried out. */
enum mk_attach {
	MK_ATTACH_WAITS,
	MK_ATTACH_RUNS,
	MK_ATTACH_CANCELLED,
};

static mk_handler_t mk_handlers[MK_TYPES];

static struct mk_endpoint *mk_endpoint_of(const struct mk_source *source)
{
	return container_of(source, struct mk_endpoint, source);
}

/**
 * mk_handler_set() - say who handles a type of message
 * @type: the type
 * @handler: called in the receiving port's thread; must not block, and may
 *	send, post and reply. NULL to have the type ignored.
 *
 * Context: any; handlers are set before messages of the type are sent.
 */
void mk_handler_set(enum mk_type type, mk_handler_t handler)
{
	WRITE_ONCE(mk_handlers[type], handler);
}

/* The number of a one-way ring in traces: the same at both ends. */
static u32 mk_tx_ring(const struct mk_endpoint *ep)
{
	return ep->channel->id * 2 + ep->dir;
}

static u32 mk_rx_ring(const struct mk_endpoint *ep)
{
	return ep->channel->id * 2 + !ep->dir;
}

static int mk_endpoint_write(struct mk_endpoint *ep, enum mk_type type,
			     u8 flags, u32 tag, const u64 *word, u32 lines)
{
	u32 seq = ep->end.tx.head;
	int err;

	err = mk_end_send(&ep->end, type, flags, tag, word, lines);
	if (unlikely(err)) {
		if (err == -EAGAIN)
			mk_count(ep->port, credit_stalls);
		return err;
	}
	ep->owed = 0;
	mk_count(ep->port, messages_sent);
	trace_mk_send(mk_tx_ring(ep), seq, type, lines, ep->port->cpu,
		      ep->peer->port->cpu);
	mk_knock(&ep->knock, ep->port);
	return 0;
}

/**
 * mk_endpoint_send() - send now, or not at all
 * @ep: endpoint of the caller's port
 * @type: enum mk_type
 * @flags: MK_MSG_CALL, MK_MSG_REPLY
 * @tag: returned as sent
 * @word: payload, @lines * MK_LINE_WORDS words, copied
 * @lines: 1 to MK_MESSAGE_LINES
 *
 * Context: the port's thread.
 * Return: 0, -EAGAIN if there is no room, or posts wait for it, -EPIPE if the
 * channel is closing, -EINVAL if no message has that many lines.
 */
int mk_endpoint_send(struct mk_endpoint *ep, enum mk_type type, u8 flags,
		     u32 tag, const u64 *word, u32 lines)
{
	if (unlikely(ep->closing || !ep->attached))
		return -EPIPE;
	if (unlikely(!list_empty(&ep->posts)))
		return -EAGAIN;
	return mk_endpoint_write(ep, type, flags, tag, word, lines);
}

/**
 * mk_endpoint_post() - send now, or as soon as there is room
 * @ep: endpoint of the caller's port
 * @post: the message; the caller's again on any return but -EINPROGRESS
 *
 * Context: the port's thread.
 * Return: 0 if it is sent, -EINPROGRESS if it waits and @post->done will be
 * called, -EPIPE if the channel is closing.
 */
int mk_endpoint_post(struct mk_endpoint *ep, struct mk_post *post)
{
	int err;

	err = mk_endpoint_send(ep, post->type, post->flags, post->tag,
			       post->word, post->lines);
	if (err != -EAGAIN)
		return err;
	list_add_tail(&post->node, &ep->posts);
	return -EINPROGRESS;
}

/**
 * mk_endpoint_reply() - answer a call
 * @ep: the endpoint it came on
 * @request: the call
 * @word: payload, copied
 * @lines: 1 to MK_MESSAGE_LINES
 *
 * Context: the port's thread, from the handler.
 * Return: as mk_endpoint_send(). There is room unless the peer breaks the
 * rules: a caller has MK_CHANNEL_CALLS calls in flight at most, and a ring has
 * at least twice as many slots.
 */
int mk_endpoint_reply(struct mk_endpoint *ep, const struct mk_message *request,
		      const u64 *word, u32 lines)
{
	return mk_endpoint_send(ep, request->type, MK_MSG_REPLY, request->tag,
				word, lines);
}

static void mk_endpoint_answer(struct mk_endpoint *ep,
			       const struct mk_message *msg)
{
	struct mk_rpc *rpc = &ep->rpc[msg->tag % MK_CHANNEL_CALLS];

	if (!msg->tag || rpc->tag != msg->tag)
		return;		/* its caller gave up */
	rpc->tag = 0;
	if (rpc->reply) {
		memcpy(rpc->reply, msg,
		       offsetof(struct mk_message, word) +
		       msg->lines * MK_LINE_PAYLOAD);
	}
	rpc->ret = 0;
}

/* A wait inside a work: give way, and say when it has to end. */
static int mk_wait_check(struct mk_endpoint *ep, unsigned long deadline)
{
	if (!ep->attached || ep->bye_received)
		return -EPIPE;
	if (kthread_should_stop())
		return -ENODEV;
	if (time_after(jiffies, deadline))
		return -ETIMEDOUT;
	cond_resched();
	return 0;
}

static struct mk_rpc *mk_rpc_start(struct mk_endpoint *ep,
				   struct mk_message *reply)
{
	u32 i;

	for (i = 0; i < MK_CHANNEL_CALLS; i++) {
		struct mk_rpc *rpc = &ep->rpc[i];

		if (rpc->tag)
			continue;
		ep->next_tag += MK_CHANNEL_CALLS;
		if (!ep->next_tag)
			ep->next_tag += MK_CHANNEL_CALLS;
		rpc->tag = ep->next_tag + i;
		rpc->reply = reply;
		rpc->ret = -EINPROGRESS;
		return rpc;
	}
	return NULL;
}

/**
 * mk_endpoint_rpc() - call the peer's handler and wait for its reply
 * @ep: endpoint of the caller's port; the caller holds its channel
 * @type: enum mk_type
 * @word: payload, copied
 * @lines: 1 to MK_MESSAGE_LINES
 * @reply: where the reply goes, may be NULL
 *
 * Polls the caller's own port while it waits.
 *
 * Context: the port's thread, from a slow work; never from a handler.
 * Return: 0, -EBUSY if MK_CHANNEL_CALLS calls are in flight, -EPIPE if the
 * channel closes, -ENODEV if the port does, -ETIMEDOUT if no reply came in
 * MK_CHANNEL_JIFFIES.
 */
int mk_endpoint_rpc(struct mk_endpoint *ep, enum mk_type type, const u64 *word,
		    u32 lines, struct mk_message *reply)
{
	unsigned long deadline = jiffies + MK_CHANNEL_JIFFIES;
	struct mk_rpc *rpc = mk_rpc_start(ep, reply);
	unsigned int polls = 0;
	int err;

	if (!rpc)
		return -EBUSY;

	while ((err = mk_endpoint_send(ep, type, MK_MSG_CALL, rpc->tag, word,
				       lines)) == -EAGAIN) {
		mk_port_poll(ep->port);
		err = mk_wait_check(ep, deadline);
		if (err)
			break;
	}

	while (!err && rpc->ret == -EINPROGRESS) {
		if (!mk_port_poll(ep->port))
			cpu_relax();
		if (++polls % MK_WAIT_POLLS == 0)
			err = mk_wait_check(ep, deadline);
	}
	rpc->tag = 0;
	return rpc->ret == -EINPROGRESS ? err : rpc->ret;
}

/* Give everything that still waits here back to its owner. */
static void mk_endpoint_fail(struct mk_endpoint *ep)
{
	struct mk_post *post;
	u32 i;

	while ((post = list_first_entry_or_null(&ep->posts, struct mk_post,
						node))) {
		list_del(&post->node);
		post->done(post, -EPIPE);
	}
	for (i = 0; i < MK_CHANNEL_CALLS; i++) {
		if (!ep->rpc[i].tag)
			continue;
		ep->rpc[i].tag = 0;
		ep->rpc[i].ret = -EPIPE;
	}
}

static void mk_endpoint_detach(struct mk_endpoint *ep)
{
	struct mk_channel *channel = ep->channel;

	if (!ep->attached)
		return;
	ep->attached = false;
	ep->closing = true;
	WRITE_ONCE(ep->port->nr_endpoints, ep->port->nr_endpoints - 1);
	list_del(&ep->all);
	/* A bell on its way has a reference. */
	mk_source_leave(&ep->source);
	if (ep->knock.is_dirty) {
		ep->knock.is_dirty = false;
		list_del(&ep->knock.dirty);
		smp_mb();	/* (C) */
		mk_source_ring(&ep->peer->source, ep->port);
	}
	mk_endpoint_fail(ep);
	if (channel->ops && channel->ops->detach)
		channel->ops->detach(ep);
	mk_channel_leave(channel);
	mk_channel_put(channel);
}

/* Say BYE once all posts are out; detach once both sides have said it. */
static void mk_endpoint_try_bye(struct mk_endpoint *ep)
{
	static const u64 none[MK_LINE_WORDS];

	if (!ep->bye_sent && list_empty(&ep->posts))
		ep->bye_sent = !mk_endpoint_write(ep, MK_TYPE_BYE, 0, 0, none,
						  1);
	if (ep->bye_sent && ep->bye_received)
		mk_endpoint_detach(ep);
}

/**
 * mk_endpoint_begin_close() - send nothing new, and BYE as soon as possible
 * @ep: the endpoint
 *
 * Context: the port's thread. May detach @ep.
 */
void mk_endpoint_begin_close(struct mk_endpoint *ep)
{
	if (ep->closing)
		return;
	ep->closing = true;
	mk_endpoint_try_bye(ep);
}

/**
 * mk_endpoint_abandon() - detach without waiting for the peer
 * @ep: the endpoint
 *
 * The peer is told to detach as well, when it next runs.
 *
 * Context: the port's thread.
 */
void mk_endpoint_abandon(struct mk_endpoint *ep)
{
	struct mk_endpoint *peer = ep->peer;

	if (!ep->attached)
		return;
	if (!atomic_xchg(&peer->abandon_pushed, 1)) {
		mk_channel_get(ep->channel);
		if (mk_port_push(peer->port, &peer->abandon, ep->port))
			mk_channel_put(ep->channel);
	}
	mk_endpoint_detach(ep);
}

static void mk_endpoint_take(struct mk_endpoint *ep,
			     const struct mk_message *msg)
{
	struct mk_port *port = ep->port;
	mk_handler_t handler;

	if (msg->flags & MK_MSG_ACK) {
		mk_count(port, acks_received);
		trace_mk_ack(mk_rx_ring(ep), msg->seq, ep->end.tx.acked,
			     port->cpu, MK_EDGE_TAKEN);
		return;
	}
	ep->owed += msg->lines;
	mk_count(port, messages_received);
	trace_mk_receive(mk_rx_ring(ep), msg->seq, msg->type, msg->lines,
			 ep->peer->port->cpu, port->cpu);

	if (msg->flags & MK_MSG_REPLY) {
		mk_endpoint_answer(ep, msg);
	} else if (msg->type == MK_TYPE_BYE) {
		ep->bye_received = true;
		ep->closing = true;
	} else {
		handler = msg->type < MK_TYPES ?
			  READ_ONCE(mk_handlers[msg->type]) : NULL;
		if (handler)
			handler(ep, msg);
	}
	trace_mk_dispatch(mk_rx_ring(ep), msg->seq, msg->type, port->cpu);
}

/* Send the posts that there is room for now. */
static void mk_endpoint_flush_posts(struct mk_endpoint *ep)
{
	struct mk_post *post;

	while ((post = list_first_entry_or_null(&ep->posts, struct mk_post,
						node))) {
		if (mk_end_room(&ep->end) < post->lines ||
		    mk_endpoint_write(ep, post->type, post->flags, post->tag,
				      post->word, post->lines))
			return;
		list_del(&post->node);
		post->done(post, 0);
	}
}

static void mk_endpoint_give_credit(struct mk_endpoint *ep)
{
	u32 seq = ep->end.tx.head;

	if ((ep->owed < ep->ack_every && !mk_end_ack_due(&ep->end)) ||
	    !mk_end_owed(&ep->end) || mk_end_ack(&ep->end))
		return;
	ep->owed = 0;
	mk_count(ep->port, acks_sent);
	trace_mk_ack(mk_tx_ring(ep), seq, ep->end.rx.told, ep->port->cpu,
		     MK_EDGE_SENT);
	mk_knock(&ep->knock, ep->port);
}

/**
 * mk_endpoint_poll() - receive and dispatch a batch, and do what is due
 * @source: of an endpoint, hot
 *
 * Context: the port's thread. May park or detach the endpoint.
 * Return: how many messages came.
 */
unsigned int mk_endpoint_poll(struct mk_source *source)
{
	struct mk_endpoint *ep = mk_endpoint_of(source);
	struct mk_message *msg = &ep->port->msg;
	unsigned int n;
	int ret = 0;

	for (n = 0; n < MK_ENDPOINT_BATCH; n++) {
		/* Whoever sent two has probably sent three. */
		ret = n ? mk_end_recv_stream(&ep->end, msg) :
			  mk_end_recv(&ep->end, msg);
		if (ret <= 0)
			break;
		mk_endpoint_take(ep, msg);
	}
	if (unlikely(ret < 0)) {
		pr_warn_ratelimited("CPU %d acknowledges what CPU %d never sent: channel %u abandoned\n",
				    ep->peer->port->cpu, ep->port->cpu,
				    ep->channel->id);
		mk_endpoint_abandon(ep);
		return n;
	}

	if (unlikely(!list_empty(&ep->posts)))
		mk_endpoint_flush_posts(ep);
	mk_endpoint_give_credit(ep);
	mk_source_polled(source, n);
	if (unlikely(ep->closing))
		mk_endpoint_try_bye(ep);
	return n;
}

static bool mk_endpoint_pending(const struct mk_source *source)
{
	return mk_end_pending(&mk_endpoint_of(source)->end);
}

static void mk_endpoint_get(struct mk_source *source)
{
	mk_channel_get(mk_endpoint_of(source)->channel);
}

static void mk_endpoint_put(struct mk_source *source)
{
	mk_channel_put(mk_endpoint_of(source)->channel);
}

static const struct mk_source_ops mk_endpoint_source = {
	.poll = mk_endpoint_poll,
	.pending = mk_endpoint_pending,
	.get = mk_endpoint_get,
	.put = mk_endpoint_put,
};

static void mk_endpoint_do_close(struct mk_port *port, struct mk_work *work)
{
	struct mk_endpoint *ep = container_of(work, struct mk_endpoint, close);
	struct mk_channel *channel = ep->channel;

	if (ep->attached)
		mk_endpoint_begin_close(ep);
	mk_channel_put(channel);
}

static void mk_endpoint_do_abandon(struct mk_port *port, struct mk_work *work)
{
	struct mk_endpoint *ep = container_of(work, struct mk_endpoint,
					      abandon);
	struct mk_channel *channel = ep->channel;

	mk_endpoint_abandon(ep);
	mk_channel_put(channel);
}

static void mk_endpoint_do_attach(struct mk_port *port, struct mk_work *work)
{
	struct mk_endpoint *ep = container_of(work, struct mk_endpoint,
					      attach);
	struct mk_channel *channel = ep->channel;

	if (atomic_cmpxchg(&ep->attach_state, MK_ATTACH_WAITS,
			   MK_ATTACH_RUNS) != MK_ATTACH_WAITS)
		goto out;
	if (port->closing) {
		ep->attach_ret = -ENODEV;
	} else {
		mk_channel_get(channel);
		atomic_inc(&channel->attached);
		ep->attached = true;
		WRITE_ONCE(port->nr_endpoints, port->nr_endpoints + 1);
		list_add_tail(&ep->all, &port->endpoints);
		mk_source_heat(&ep->source);
		if (channel->ops && channel->ops->attach)
			channel->ops->attach(ep);
	}
	complete(&ep->attach_done);
out:
	mk_channel_put(channel);
}

/**
 * mk_endpoint_attach() - have the port of an endpoint attach it, and wait
 * @ep: new
 *
 * Context: process, not the port's thread; sleeps.
 * Return: 0, -ENODEV if the port is closed, -ETIMEDOUT if it did not answer.
 */
int mk_endpoint_attach(struct mk_endpoint *ep)
{
	int err;

	mk_channel_get(ep->channel);
	err = mk_port_push(ep->port, &ep->attach, NULL);
	if (err) {
		mk_channel_put(ep->channel);
		return err;
	}
	if (!wait_for_completion_timeout(&ep->attach_done,
					 MK_CHANNEL_JIFFIES)) {
		if (atomic_cmpxchg(&ep->attach_state, MK_ATTACH_WAITS,
				   MK_ATTACH_CANCELLED) == MK_ATTACH_WAITS)
			return -ETIMEDOUT;
		wait_for_completion(&ep->attach_done);	/* it runs now */
	}
	return ep->attach_ret;
}

/**
 * mk_endpoint_alloc() - an endpoint that is on no port yet
 * @channel: its channel
 * @port: the port it is for
 * @dir: its index in @channel
 *
 * Context: process.
 * Return: the endpoint, freed by kfree(); NULL without memory.
 */
struct mk_endpoint *mk_endpoint_alloc(struct mk_channel *channel,
				      struct mk_port *port, unsigned int dir)
{
	struct mk_endpoint *ep;

	ep = kzalloc_node(sizeof(*ep), GFP_KERNEL, port->node);
	if (!ep)
		return NULL;
	ep->port = port;
	ep->channel = channel;
	ep->dir = dir;
	mk_source_init(&ep->source, port, &mk_endpoint_source, MK_POLLED);
	INIT_LIST_HEAD(&ep->posts);
	init_completion(&ep->attach_done);
	ep->attach.fn = mk_endpoint_do_attach;
	ep->close.fn = mk_endpoint_do_close;
	ep->abandon.fn = mk_endpoint_do_abandon;
	return ep;
}

/**
 * mk_endpoint_ask() - have a port run a work of its endpoint, once
 * @ep: the endpoint
 * @work: &ep->close or &ep->abandon
 * @pushed: whether that was asked for before
 *
 * Context: any; the caller holds the channel.
 */
void mk_endpoint_ask(struct mk_endpoint *ep, struct mk_work *work,
		     atomic_t *pushed)
{
	if (atomic_xchg(pushed, 1))
		return;
	mk_channel_get(ep->channel);
	if (mk_port_push(ep->port, work, NULL))
		mk_channel_put(ep->channel);
}
