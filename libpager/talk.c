// SPDX-License-Identifier: GPL-2.0
/*
 * Channels between the pagers of a group, by liburpc.
 *
 * Each pager has a socket in the group's directory, with its node as the name. A
 * pager dials those of lower nodes, and is dialed by those of higher ones: so of
 * two that begin at the same time, one accepts, and nobody waits in a circle.
 * When a peer has gone its channel hangs up, and whoever is to dial tries again,
 * ever more seldom.
 *
 * Channels have room for all that may be on its way, so that nothing waits for
 * room. A peer that lets it fill up is treated as one that has gone.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private.h"

/* Steps between two looks at what takes system calls. */
#define SELDOM		256
#define HELLO_MS	20
#define PATIENCE_MS	200
#define PATIENCE_MS_MAX	2000

/**
 * struct pager_peer - the pager of another node
 * @channel: to it, or NULL
 * @broken: nothing more is sent; it goes with the next step
 * @again: when to dial again, in ms
 * @patience_ms: how long to wait the next time
 */
struct pager_peer {
	struct urpc_channel *channel;
	bool broken;
	int64_t again;
	int patience_ms;
};

/**
 * struct pager_talk - a pager's channels
 * @socket: where it listens
 * @seldom: see SELDOM
 * @channels: a bit for each node to whose pager there is one: they are looked through
 *	with every step
 * @peer: by node
 */
struct pager_talk {
	int socket;
	u32 seldom;
	u64 channels;
	struct pager_peer peer[PAGER_NODES_MAX];
};

/*
 * Lines for all that requests of a pager can have on their way, one line each:
 * asked, done, and what the other side answers; and pages that are free. As many
 * again for hints.
 */
static u32 slots(const struct pager *pager)
{
	u32 n = URPC_SLOTS_MIN;

	while (n < pager->kernel->depth * 10 && n < URPC_SLOTS_MAX)
		n *= 2;
	return n;
}

int pager_say(struct pager *pager, int node, enum pager_saying what, u32 page,
	      u32 work)
{
	const struct pager_said said = { .page = page, .work = work };
	struct pager_peer *peer;

	if (!pager->talk)
		return -ENOTCONN;
	peer = &pager->talk->peer[node];
	if (!peer->channel || peer->broken)
		return -ENOTCONN;
	if (urpc_send(peer->channel, what, &said, sizeof(said))) {
		peer->broken = true;
		pager->talk->seldom = 0;
		return -ENOTCONN;
	}
	pager_count(&pager->seat->counts.messages, 1);
	return 0;
}

/* To all that can be told, at once or later; who does not hear it asks. */
void pager_hint(struct pager *pager, enum pager_saying what, u32 page,
		u32 frame)
{
	const struct pager_said said = { .page = page, .work = frame };
	u64 channels = pager->talk->channels;

	while (channels) {
		struct pager_peer *peer =
			&pager->talk->peer[node_take(&channels)];

		if (!peer->broken &&
		    !urpc_hint(peer->channel, what, &said, sizeof(said)))
			pager_count(&pager->seat->counts.messages, 1);
	}
}

/* Everything that has come from a peer; it may be going already. */
static int hear(struct pager *pager, int node)
{
	struct pager_peer *peer = &pager->talk->peer[node];
	struct urpc_message message;
	struct pager_said said;
	int ret, done = 0;

	while ((ret = urpc_recv(peer->channel, &message)) == 1) {
		done++;
		if (message.bytes != sizeof(said))
			continue;
		memcpy(&said, message.data, sizeof(said));
		pager_heard(pager, node, message.tag, &said);
	}
	if (ret < 0)
		peer->broken = true;
	return done;
}

static void drop(struct pager *pager, int node)
{
	struct pager_peer *peer = &pager->talk->peer[node];

	urpc_close(peer->channel);
	peer->channel = NULL;
	pager->talk->channels &= ~node_bit(node);
	peer->broken = false;
	peer->again = 0;
	peer->patience_ms = PATIENCE_MS;
	pager_peer_went(pager, node);
}

static int keep(struct pager *pager, int node, struct urpc_channel *channel)
{
	struct pager_peer *peer = &pager->talk->peer[node];
	int ret;

	/* Its predecessor has gone, though it was not seen yet. */
	if (peer->channel) {
		hear(pager, node);
		drop(pager, node);
	}
	peer->channel = channel;
	pager->talk->channels |= node_bit(node);
	ret = pager_watch(pager, urpc_fd(channel), EPOLLIN, WHY_PEER);
	if (!ret)
		ret = pager_watch(pager, urpc_peer_fd(channel), EPOLLRDHUP,
				  WHY_OTHER);
	if (ret) {
		drop(pager, node);
		return ret;
	}
	pager_peer_came(pager, node);
	return 0;
}

static struct urpc_options channel_options(const struct pager *pager)
{
	return (struct urpc_options){ .slots = slots(pager) };
}

/* Who dials says its node first. Only the same user is one of us. */
static int greet(struct pager *pager, int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	socklen_t length = sizeof(struct ucred);
	struct ucred who;
	int32_t node;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length))
		return -errno;
	if (who.uid != geteuid())
		return -EPERM;
	if (poll(&poll_fd, 1, PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	if (recv(fd, &node, sizeof(node), MSG_DONTWAIT) != sizeof(node) ||
	    node <= pager->node || node >= PAGER_NODES_MAX)
		return -EPROTO;
	return node;
}

static int accept_one(struct pager *pager, int fd)
{
	struct urpc_options options = channel_options(pager);
	struct urpc_channel *channel;
	int ret, node = greet(pager, fd);

	if (node < 0)
		return node;
	ret = urpc_accept(fd, &options, PATIENCE_MS, &channel);
	if (ret)
		return ret;
	/* The socket is the channel's. */
	if (keep(pager, node, channel))
		return 0;
	return 1;
}

static int accept_all(struct pager *pager)
{
	int i, fd, ret, done = 0;

	for (i = 0; i < PAGER_NODES_MAX; i++) {
		fd = accept4(pager->talk->socket, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			break;
		ret = accept_one(pager, fd);
		if (ret < 0)
			close(fd);
		else
			done++;
	}
	return done;
}

static void socket_path(const struct pager *pager, int node, char *path,
			size_t size)
{
	snprintf(path, size, "%s/%d", pager->group->meeting, node);
}

static int dial(struct pager *pager, int node)
{
	struct urpc_options options = channel_options(pager);
	struct pager_peer *peer = &pager->talk->peer[node];
	const int32_t self = pager->node;
	struct urpc_channel *channel;
	char path[96];
	int fd, ret;

	socket_path(pager, node, path, sizeof(path));
	fd = urpc_dial(path);
	if (fd < 0)
		return fd;
	ret = -EPIPE;
	if (send(fd, &self, sizeof(self), MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    sizeof(self))
		ret = urpc_connect(fd, &options, peer->patience_ms, &channel);
	if (ret) {
		close(fd);
		if (peer->patience_ms < PATIENCE_MS_MAX)
			peer->patience_ms *= 2;
		return ret;
	}
	return keep(pager, node, channel);
}

static int dial_all(struct pager *pager, int64_t now)
{
	int node, done = 0;

	for (node = 0; node < pager->node; node++) {
		struct pager_peer *peer = &pager->talk->peer[node];

		if (!(pager->group->options.nodes & node_bit(node)) ||
		    peer->channel || now < peer->again)
			continue;
		if (!dial(pager, node)) {
			done++;
			continue;
		}
		/* From its end on: it may have taken long. */
		peer->again = pager_now_ns() / NS_PER_MS + HELLO_MS;
	}
	return done;
}

/* What takes system calls: who has gone, who has come. */
static int look_around(struct pager *pager)
{
	struct pager_talk *talk = pager->talk;
	u64 channels = talk->channels;
	int done = 0;

	while (channels) {
		int node = node_take(&channels);
		struct pager_peer *peer = &talk->peer[node];

		if (urpc_disarm(peer->channel) || peer->broken) {
			/* What it said before it went. */
			hear(pager, node);
			drop(pager, node);
			done++;
		}
	}
	done += accept_all(pager);
	return done + dial_all(pager, pager_now_ns() / NS_PER_MS);
}

int pager_talk_step(struct pager *pager)
{
	struct pager_talk *talk = pager->talk;
	u64 channels = talk->channels;
	int done = 0;

	while (channels)
		done += hear(pager, node_take(&channels));
	if (talk->seldom)
		talk->seldom--;
	else
		done += look_around(pager);
	if (!talk->seldom)
		talk->seldom = SELDOM;
	return done;
}

int pager_talk_arm(struct pager *pager, int *timeout_ms)
{
	const struct pager_talk *talk = pager->talk;
	u64 lower = pager->group->options.nodes & (node_bit(pager->node) - 1);
	u64 channels = talk->channels;

	while (channels)
		if (urpc_arm(talk->peer[node_take(&channels)].channel, URPC_IN))
			return 1;
	/* Some are to be dialed. */
	if (lower & ~talk->channels &&
	    (*timeout_ms < 0 || *timeout_ms > HELLO_MS))
		*timeout_ms = HELLO_MS;
	return 0;
}

/*
 * @why: enum pager_why. If it was the kernel alone, channels stay as they are: a message
 * that comes meanwhile ends the next sleep, and peers that have gone, or come, do too.
 */
void pager_talk_disarm(struct pager *pager, u32 why)
{
	u64 channels = pager->talk->channels;

	if (!(why & ~WHY_KERNEL))
		return;
	while (channels) {
		struct pager_peer *peer =
			&pager->talk->peer[node_take(&channels)];

		if (urpc_disarm(peer->channel))
			peer->broken = true;
	}
	if (why & WHY_OTHER)
		pager->talk->seldom = 0;
}

int pager_talk_open(struct pager *pager, u32 flags)
{
	struct pager_talk *talk = calloc(1, sizeof(*talk));
	char path[96];
	int node, ret;

	if (!talk)
		return -ENOMEM;
	talk->socket = -1;
	pager->talk = talk;
	for (node = 0; node < PAGER_NODES_MAX; node++)
		talk->peer[node].patience_ms = PATIENCE_MS;
	socket_path(pager, pager->node, path, sizeof(path));
	if (flags & PAGER_TAKE_OVER)
		unlink(path);
	talk->socket = urpc_listen(path);
	if (talk->socket < 0)
		return talk->socket;
	if (fcntl(talk->socket, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	ret = pager_watch(pager, talk->socket, EPOLLIN, WHY_OTHER);
	return ret;
}

void pager_talk_close(struct pager *pager)
{
	struct pager_talk *talk = pager->talk;
	int node;

	if (!talk)
		return;
	for (node = 0; node < PAGER_NODES_MAX; node++)
		urpc_close(talk->peer[node].channel);
	if (talk->socket >= 0)
		close(talk->socket);
	free(talk);
	pager->talk = NULL;
}
