// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: set-up and tear-down; endpoint.c has what is in between.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "urpc/channel.h"
#include "urpc/pages.h"

static atomic_t mk_channel_ids;

/* What all channels hold now, as handed out by the allocators. */
static atomic64_t mk_channels_bytes;
static atomic_t mk_channels_count;

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

/**
 * mk_channel_leave() - the creation, or an endpoint, is done with the channel
 * @channel: held; the last one to leave has its death told
 *
 * Context: process.
 */
void mk_channel_leave(struct mk_channel *channel)
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
		channel->end[i]->knock.to = &channel->end[!i]->source;
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
