// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: set-up, tear-down, and the endpoints in between.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "module/trace.h"
#include "urpc/channel.h"
#include "urpc/pages.h"

/* Messages taken from one endpoint in one pass over its port. */
#define MK_ENDPOINT_BATCH	16

/* Silent polls before an endpoint is parked. */
#define MK_ENDPOINT_IDLE	4096

/* How long a port may take to attach, a peer to say BYE, a call to return. */
#define MK_CHANNEL_JIFFIES	(5 * HZ)

/* Polls between two looks at the clock, while waiting. */
#define MK_WAIT_POLLS		64

/* An attach that came too late is not carried out. */
enum mk_attach {
	MK_ATTACH_WAITS,
	MK_ATTACH_RUNS,
	MK_ATTACH_CANCELLED,
};

static mk_handler_t mk_handlers[MK_TYPES];
static atomic_t mk_channel_ids;

/* What all channels hold now, as handed out by the allocators. */
static atomic64_t mk_channels_bytes;
static atomic_t mk_channels_count;

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

/**
 * mk_channel_get() - take a reference
 * @channel: the channel
 *
 * Context: any.
 */
void mk_channel_get(struct mk_channel *channel)
{
	refcount_inc(&channel->ref);
}

/**
 * mk_channel_bytes() - memory of all channels, rings included
 *
 * Context: any.
 */
s64 mk_channel_bytes(void)
{
	return atomic64_read(&mk_channels_bytes);
}

/**
 * mk_channel_count() - how many channels there are
 *
 * Context: any.
 */
int mk_channel_count(void)
{
	return atomic_read(&mk_channels_count);
}

/* Count a complete channel, or with a @sign of -1 forget it. */
static void mk_channel_account(struct mk_channel *channel, int sign)
{
	s64 bytes = ksize(channel);
	int i;

	for (i = 0; i < 2; i++)
		bytes += ksize(channel->end[i]) +
			 page_size(channel->ring[i]);
	atomic64_add(sign * bytes, &mk_channels_bytes);
	atomic_add(sign, &mk_channels_count);
}

static unsigned int mk_ring_order(u32 slots)
{
	return get_order(slots * sizeof(struct mk_line));
}

static void mk_channel_free(struct mk_channel *channel)
{
	int i;

	for (i = 0; i < 2; i++) {
		mk_ring_page_free(channel->ring[i],
				  mk_ring_order(channel->slots));
		kfree(channel->end[i]);
	}
	kfree(channel);
}

/**
 * mk_channel_put() - drop a reference; the last one frees the channel
 * @channel: the channel
 *
 * Context: any that may free pages.
 */
void mk_channel_put(struct mk_channel *channel)
{
	if (!refcount_dec_and_test(&channel->ref))
		return;
	mk_channel_account(channel, -1);
	mk_channel_free(channel);
}

/* The creation, or an attached endpoint, is done with the channel. */
static void mk_channel_leave(struct mk_channel *channel)
{
	if (!atomic_dec_and_test(&channel->attached))
		return;
	if (channel->ops && channel->ops->dead)
		channel->ops->dead(channel);
	complete_all(&channel->dead);
}

static struct mk_line *mk_ring_lines(struct mk_channel *channel, int i)
{
	return page_address(channel->ring[i]);
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

/* Something was published: the peer's bell has to be looked at. */
static void mk_endpoint_mark(struct mk_endpoint *ep)
{
	if (ep->is_dirty)
		return;
	ep->is_dirty = true;
	list_add_tail(&ep->dirty, &ep->port->dirty);
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
	mk_endpoint_mark(ep);
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
	list_del_init(&ep->hot);
	list_del(&ep->all);
	/* Nobody needs to ring any more; a bell on its way has a reference. */
	xchg(&ep->parked, MK_POLLED);
	if (ep->is_dirty) {
		ep->is_dirty = false;
		list_del(&ep->dirty);
		smp_mb();	/* (C) */
		mk_endpoint_ring(ep);
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

/**
 * mk_endpoint_park() - stop to poll an endpoint
 * @ep: a polled endpoint
 *
 * Context: the port's thread.
 * Return: true if it is parked, false if something has come meanwhile.
 */
bool mk_endpoint_park(struct mk_endpoint *ep)
{
	WRITE_ONCE(ep->parked, MK_PARKED);
	smp_mb();	/* (C): after ->parked, before the ring */
	if (mk_end_pending(&ep->end) &&
	    cmpxchg(&ep->parked, MK_PARKED, MK_POLLED) == MK_PARKED)
		return false;
	mk_count(ep->port, parks);
	list_del_init(&ep->hot);
	return true;
}

/**
 * mk_endpoint_ring() - if the peer is parked, have it polled
 * @ep: the caller's endpoint
 *
 * Context: the port's thread, after a full barrier after the last publish.
 */
void mk_endpoint_ring(struct mk_endpoint *ep)
{
	struct mk_endpoint *peer = ep->peer;

	if (READ_ONCE(peer->parked) != MK_PARKED ||
	    cmpxchg(&peer->parked, MK_PARKED, MK_RUNG) != MK_PARKED)
		return;
	mk_count(ep->port, bells);
	mk_channel_get(ep->channel);
	if (mk_port_push(peer->port, &peer->bell, ep->port))
		mk_channel_put(ep->channel);
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
	mk_endpoint_mark(ep);
}

/**
 * mk_endpoint_poll() - receive and dispatch a batch, and do what is due
 * @ep: a polled endpoint
 *
 * Context: the port's thread. May park or detach @ep.
 * Return: how many messages came.
 */
unsigned int mk_endpoint_poll(struct mk_endpoint *ep)
{
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
	if (n) {
		ep->idle = 0;
	} else if (++ep->idle >= MK_ENDPOINT_IDLE) {
		ep->idle = 0;
		mk_endpoint_park(ep);
	}
	if (unlikely(ep->closing))
		mk_endpoint_try_bye(ep);
	return n;
}

/* Work: a sender found the endpoint parked. */
static void mk_endpoint_bell(struct mk_port *port, struct mk_work *work)
{
	struct mk_endpoint *ep = container_of(work, struct mk_endpoint, bell);

	if (ep->attached) {
		WRITE_ONCE(ep->parked, MK_POLLED);
		list_add_tail(&ep->hot, &port->hot);
	}
	mk_channel_put(ep->channel);
}

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
		list_add_tail(&ep->hot, &port->hot);
		if (channel->ops && channel->ops->attach)
			channel->ops->attach(ep);
	}
	complete(&ep->attach_done);
out:
	mk_channel_put(channel);
}

/* Have the port of @ep attach it, and wait until it has. */
static int mk_endpoint_attach(struct mk_endpoint *ep)
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

static struct mk_endpoint *mk_endpoint_alloc(struct mk_channel *channel,
					     struct mk_port *port,
					     unsigned int dir)
{
	struct mk_endpoint *ep;

	ep = kzalloc_node(sizeof(*ep), GFP_KERNEL, port->node);
	if (!ep)
		return NULL;
	ep->port = port;
	ep->channel = channel;
	ep->dir = dir;
	INIT_LIST_HEAD(&ep->hot);
	INIT_LIST_HEAD(&ep->posts);
	init_completion(&ep->attach_done);
	ep->bell.fn = mk_endpoint_bell;
	ep->attach.fn = mk_endpoint_do_attach;
	ep->close.fn = mk_endpoint_do_close;
	ep->abandon.fn = mk_endpoint_do_abandon;
	return ep;
}

/* Everything but the attaching; on failure nothing is left. */
static struct mk_channel *
mk_channel_alloc(struct mk_port *const port[2],
		 const struct mk_channel_options *options)
{
	u32 slots = options->slots ?: MK_CHANNEL_SLOTS;
	const int cpu[2] = { port[0]->cpu, port[1]->cpu };
	struct mk_channel *channel;
	int i, node;

	channel = kzalloc_node(sizeof(*channel), GFP_KERNEL, port[0]->node);
	if (!channel)
		return NULL;
	channel->id = atomic_inc_return(&mk_channel_ids);
	channel->slots = slots;
	channel->ops = options->ops;
	channel->data = options->data;
	refcount_set(&channel->ref, 1);
	atomic_set(&channel->attached, 1);
	init_completion(&channel->dead);

	for (i = 0; i < 2; i++) {
		node = options->node[i];
		if (node == NUMA_NO_NODE)
			node = port[!i]->node;
		channel->ring[i] =
			options->candidates > 1 && port[0] != port[1] ?
			mk_ring_page_best(cpu, node, mk_ring_order(slots),
					  options->candidates) :
			mk_ring_page(node, mk_ring_order(slots));
		channel->end[i] = mk_endpoint_alloc(channel, port[i], i);
		if (!channel->ring[i] || !channel->end[i])
			goto err_free;
		channel->ring_node[i] = page_to_nid(channel->ring[i]);
	}
	for (i = 0; i < 2; i++) {
		channel->end[i]->peer = channel->end[!i];
		if (mk_end_init(&channel->end[i]->end,
				mk_ring_lines(channel, i), slots,
				mk_ring_lines(channel, !i), slots))
			goto err_free;
		channel->end[i]->ack_every = options->ack_every ?: slots / 4;
	}
	mk_channel_account(channel, 1);
	return channel;

err_free:
	mk_channel_free(channel);
	return NULL;
}

/* Ask for a work of an endpoint that is taken once. */
static void mk_endpoint_ask(struct mk_endpoint *ep, struct mk_work *work,
			    atomic_t *pushed)
{
	if (atomic_xchg(pushed, 1))
		return;
	mk_channel_get(ep->channel);
	if (mk_port_push(ep->port, work, NULL))
		mk_channel_put(ep->channel);
}

/**
 * mk_channel_create() - make a channel and attach it to both its ports
 * @cpu_a: CPU of end[0]
 * @cpu_b: CPU of end[1]; may be the same
 * @options: see struct mk_channel_options
 *
 * The channel can be used when this returns, or from ->attach of @cpu_a.
 *
 * Context: process, not the thread of either port; sleeps.
 * Return: the channel with a reference for the caller. -EINVAL if a CPU or an
 * option is not possible, or -ENOMEM: no channel came to be. -ENODEV if a CPU
 * is off line, or -ETIMEDOUT if a port did not answer: the channel dies, and
 * @options->ops->dead is called, now or when that port has let go of it.
 */
struct mk_channel *mk_channel_create(int cpu_a, int cpu_b,
				     const struct mk_channel_options *options)
{
	struct mk_port *port[2] = { mk_port(cpu_a), mk_port(cpu_b) };
	u32 slots = options->slots ?: MK_CHANNEL_SLOTS;
	struct mk_channel *channel;
	int err;

	if (!port[0] || !port[1] || slots < MK_RING_SLOTS_MIN ||
	    slots > MK_RING_SLOTS_MAX || !is_power_of_2(slots))
		return ERR_PTR(-EINVAL);

	channel = mk_channel_alloc(port, options);
	if (!channel)
		return ERR_PTR(-ENOMEM);

	/* B first: who can send has a receiver. */
	err = mk_endpoint_attach(channel->end[1]);
	if (err)
		goto err_leave;
	err = mk_endpoint_attach(channel->end[0]);
	if (err)
		goto err_abandon;
	mk_channel_leave(channel);
	return channel;

err_abandon:
	mk_endpoint_ask(channel->end[1], &channel->end[1]->abandon,
			&channel->end[1]->abandon_pushed);
err_leave:
	mk_channel_leave(channel);
	mk_channel_put(channel);
	return ERR_PTR(err);
}

/**
 * mk_channel_close() - close a channel in order, and drop the caller's reference
 * @channel: the channel
 *
 * Everything that was sent or posted before is delivered.
 *
 * Context: process, not the thread of either port; sleeps.
 * Return: 0, or -ETIMEDOUT if a port did not answer in time and the channel was
 * abandoned; its memory goes when that port runs again, or closes.
 */
int mk_channel_close(struct mk_channel *channel)
{
	int err = 0, i;

	for (i = 0; i < 2; i++)
		mk_endpoint_ask(channel->end[i], &channel->end[i]->close,
				&channel->end[i]->close_pushed);
	if (!wait_for_completion_timeout(&channel->dead, MK_CHANNEL_JIFFIES)) {
		err = -ETIMEDOUT;
		for (i = 0; i < 2; i++)
			mk_endpoint_ask(channel->end[i],
					&channel->end[i]->abandon,
					&channel->end[i]->abandon_pushed);
	}
	mk_channel_put(channel);
	return err;
}
