// SPDX-License-Identifier: GPL-2.0
/*
 * Links: the channel between two ports, made when it is first used.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "urpc/link.h"

/**
 * struct mk_link - what a port knows about its way to one CPU
 * @ep: endpoint of the channel; NULL while there is none
 * @posts: posts that wait for one
 * @waits: the worker is asked for one; read by the worker
 * @failed: work that tells the port that there will be none
 * @failed_pushed: @failed is taken
 * @err: why
 * @links: the table it is in
 */
struct mk_link {
	struct mk_endpoint *ep;
	struct list_head posts;
	int waits;
	struct mk_work failed;
	atomic_t failed_pushed;
	int err;
	struct mk_links *links;
};

/**
 * struct mk_links - all of a port's links
 * @port: the port
 * @connect: makes the channels in @wanted
 * @wanted: by CPU; anyone
 * @link: by CPU
 */
struct mk_links {
	struct mk_port *port;
	struct work_struct connect;
	unsigned long *wanted;
	struct mk_link link[];
};

/*
 * Which pairs of CPUs have a channel, or are getting one, or are getting rid
 * of one. The mutex is for making one; a channel that dies leaves without it.
 */
static DEFINE_XARRAY(mk_pairs);
static DEFINE_MUTEX(mk_pairs_lock);
static struct workqueue_struct *mk_links_wq;

static unsigned long mk_pair(int cpu_a, int cpu_b)
{
	return (unsigned long)min(cpu_a, cpu_b) * nr_cpu_ids +
	       max(cpu_a, cpu_b);
}

static void mk_link_want(struct mk_links *links, int cpu)
{
	set_bit(cpu, links->wanted);
	queue_work(mk_links_wq, &links->connect);
}

/* A channel of a link is there: out with what waited for it. */
static void mk_link_attach(struct mk_endpoint *ep)
{
	int cpu = ep->peer->port->cpu;
	struct mk_link *link = &ep->port->links->link[cpu];
	struct mk_post *post, *next;
	int err;

	if (link->ep)
		return;		/* the other end of a channel to oneself */
	link->ep = ep;
	WRITE_ONCE(link->waits, 0);
	list_for_each_entry_safe(post, next, &link->posts, node) {
		list_del(&post->node);
		err = mk_endpoint_post(ep, post);
		if (err != -EINPROGRESS)
			post->done(post, err);
	}
}

static void mk_link_detach(struct mk_endpoint *ep)
{
	struct mk_link *link = &ep->port->links->link[ep->peer->port->cpu];

	if (link->ep == ep)
		link->ep = NULL;
}

/* Either side may have posts that came while the old channel was closing. */
static void mk_link_dead(struct mk_channel *channel)
{
	struct mk_port *a = channel->end[0]->port;
	struct mk_port *b = channel->end[1]->port;

	xa_erase(&mk_pairs, mk_pair(a->cpu, b->cpu));
	mk_link_want(a->links, b->cpu);
	mk_link_want(b->links, a->cpu);
}

static const struct mk_channel_ops mk_link_ops = {
	.attach = mk_link_attach,
	.detach = mk_link_detach,
	.dead = mk_link_dead,
};

static void mk_link_fail_posts(struct mk_link *link, int err)
{
	struct mk_post *post;

	WRITE_ONCE(link->waits, 0);
	while ((post = list_first_entry_or_null(&link->posts, struct mk_post,
						node))) {
		list_del(&post->node);
		post->done(post, err);
	}
}

/* Work: the worker could not make the channel. */
static void mk_link_failed(struct mk_port *port, struct mk_work *work)
{
	struct mk_link *link = container_of(work, struct mk_link, failed);
	int err = link->err;

	atomic_set_release(&link->failed_pushed, 0);
	if (!link->ep)
		mk_link_fail_posts(link, err);
}

static int mk_link_connect(int cpu_a, int cpu_b)
{
	struct mk_channel_options options = MK_CHANNEL_DEFAULTS;
	unsigned long pair = mk_pair(cpu_a, cpu_b);
	struct mk_channel *channel;
	int err = 0;

	options.ops = &mk_link_ops;
	mutex_lock(&mk_pairs_lock);
	if (xa_load(&mk_pairs, pair))
		goto out;	/* there, or asked for again when it dies */
	err = xa_err(xa_store(&mk_pairs, pair, xa_mk_value(1), GFP_KERNEL));
	if (err)
		goto out;
	channel = mk_channel_create(cpu_a, cpu_b, &options);
	if (IS_ERR(channel)) {
		err = PTR_ERR(channel);
		/* Otherwise mk_link_dead() does, when it is dead. */
		if (err == -ENOMEM || err == -EINVAL)
			xa_erase(&mk_pairs, pair);
	} else {
		mk_channel_put(channel);
	}
out:
	mutex_unlock(&mk_pairs_lock);
	return err;
}

static void mk_links_connect(struct work_struct *work)
{
	struct mk_links *links = container_of(work, struct mk_links, connect);
	struct mk_link *link;
	unsigned int cpu;
	int err;

	/* Bits come meanwhile: each is read by itself, and marked. */
	for_each_possible_cpu(cpu) {
		if (!test_bit(cpu, links->wanted))
			continue;
		clear_bit(cpu, links->wanted);
		smp_mb__after_atomic();	/* ->waits was set before the bit */
		link = &links->link[cpu];
		if (!READ_ONCE(link->waits))
			continue;
		err = mk_link_connect(links->port->cpu, cpu);
		if (!err || atomic_cmpxchg(&link->failed_pushed, 0, 1))
			continue;
		link->err = err;
		/* A closed port has failed its posts itself. */
		if (mk_port_push(links->port, &link->failed, NULL))
			atomic_set(&link->failed_pushed, 0);
	}
}

/* Have a channel made, unless that is under way. */
static void mk_link_ask(struct mk_port *port, int cpu)
{
	struct mk_link *link = &port->links->link[cpu];

	if (link->waits)
		return;
	WRITE_ONCE(link->waits, 1);
	smp_mb__before_atomic();	/* the worker clears, then looks */
	mk_link_want(port->links, cpu);
}

/* The link to a CPU that may be sent to. */
static struct mk_link *mk_link_to(struct mk_port *port, int cpu)
{
	if (!mk_port(cpu))
		return ERR_PTR(-EINVAL);
	if (port->closing)
		return ERR_PTR(-ENODEV);
	return &port->links->link[cpu];
}

/**
 * mk_link_send() - send to a CPU now, or not at all
 * @port: the caller's own
 * @cpu: the receiver's CPU
 * @type: enum mk_type
 * @word: payload, @lines * MK_LINE_WORDS words, copied
 * @lines: 1 to MK_MESSAGE_LINES
 *
 * Context: the port's thread; does not block.
 * Return: 0; -EAGAIN if there is no room or no channel, which is being made then;
 * -EINVAL if there is no such CPU, -EPIPE or -ENODEV if one of the two is closing.
 */
int mk_link_send(struct mk_port *port, int cpu, enum mk_type type,
		 const u64 *word, u32 lines)
{
	struct mk_link *link = mk_link_to(port, cpu);

	if (IS_ERR(link))
		return PTR_ERR(link);
	if (link->ep)
		return mk_endpoint_send(link->ep, type, 0, 0, word, lines);
	mk_link_ask(port, cpu);
	return -EAGAIN;
}

/**
 * mk_link_post() - send to a CPU, now or as soon as it can be
 * @port: the caller's own
 * @cpu: the receiver's CPU
 * @post: the message; the caller's again on any return but -EINPROGRESS
 *
 * Context: the port's thread; does not block.
 * Return: 0 if it is sent, -EINPROGRESS if @post->done will be called, -EINVAL
 * if there is no such CPU, -EPIPE or -ENODEV if one of the two is closing.
 */
int mk_link_post(struct mk_port *port, int cpu, struct mk_post *post)
{
	struct mk_link *link = mk_link_to(port, cpu);

	if (IS_ERR(link))
		return PTR_ERR(link);
	if (link->ep)
		return mk_endpoint_post(link->ep, post);

	list_add_tail(&post->node, &link->posts);
	mk_link_ask(port, cpu);
	return -EINPROGRESS;
}

/**
 * mk_links_close() - fail what still waits for a channel
 * @port: the caller's own; it is closing
 *
 * Context: the port's thread.
 */
void mk_links_close(struct mk_port *port)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		mk_link_fail_posts(&port->links->link[cpu], -ENODEV);
}

/**
 * mk_links_size() - size of a port's links, without the bitmap
 * @cpus: of the machine
 *
 * Context: any.
 */
size_t mk_links_size(unsigned int cpus)
{
	struct mk_links *links;

	return struct_size(links, link, cpus);
}

/**
 * mk_links_bytes() - memory that a port's links take, as handed out
 * @port: the port
 *
 * Context: any.
 */
size_t mk_links_bytes(const struct mk_port *port)
{
	const struct mk_links *links = port->links;
	size_t bytes = is_vmalloc_addr(links) ?
		       PAGE_ALIGN(mk_links_size(nr_cpu_ids)) : ksize(links);

	return bytes + ksize(links->wanted);
}

/**
 * mk_links_init() - allocate a port's links
 * @port: a closed port
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int mk_links_init(struct mk_port *port)
{
	struct mk_links *links;
	unsigned int cpu;

	links = kvzalloc_node(mk_links_size(nr_cpu_ids), GFP_KERNEL,
			      port->node);
	if (!links)
		return -ENOMEM;
	links->wanted = bitmap_zalloc(nr_cpu_ids, GFP_KERNEL);
	if (!links->wanted) {
		kvfree(links);
		return -ENOMEM;
	}
	links->port = port;
	INIT_WORK(&links->connect, mk_links_connect);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		INIT_LIST_HEAD(&links->link[cpu].posts);
		links->link[cpu].failed.fn = mk_link_failed;
		links->link[cpu].links = links;
	}
	port->links = links;
	return 0;
}

/**
 * mk_links_exit() - free a port's links
 * @port: a closed port, after mk_links_stop()
 *
 * Context: process.
 */
void mk_links_exit(struct mk_port *port)
{
	if (!port->links)
		return;
	bitmap_free(port->links->wanted);
	kvfree(port->links);
	port->links = NULL;
}

/**
 * mk_links_start() - start the worker
 *
 * Context: process, before the first port opens.
 * Return: 0 or -ENOMEM.
 */
int mk_links_start(void)
{
	mk_links_wq = alloc_workqueue("mk_links", WQ_UNBOUND, 0);
	return mk_links_wq ? 0 : -ENOMEM;
}

/**
 * mk_links_stop() - stop the worker
 *
 * Context: process, after the last port has closed and all channels died.
 */
void mk_links_stop(void)
{
	destroy_workqueue(mk_links_wq);
	xa_destroy(&mk_pairs);
}
