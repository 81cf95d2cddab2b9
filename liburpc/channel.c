// SPDX-License-Identifier: GPL-2.0
/*
 * A side of a channel: sending and receiving, without waiting.
 *
 * The ring carries lines; how many bytes of the last one are not used rides in
 * the header's type. A received message is a copy before it is looked at.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "private.h"

#define FLAGS_KNOWN	(URPC_ON_NODE | URPC_NEVER_WAKE)
#define POLL_US_MAX	1000000

#if (URPC_SLOTS_MIN) != (MK_RING_SLOTS_MIN) || \
	(URPC_SLOTS_MAX) != (MK_RING_SLOTS_MAX) || \
	(URPC_BYTES_MAX) != (MK_MESSAGE_LINES * MK_LINE_PAYLOAD) || \
	(URPC_CALL) != (MK_MSG_CALL) || (URPC_REPLY) != (MK_MSG_REPLY)
#error urpc.h and ring.h differ
#endif

int urpc_options_check(const struct urpc_options *in,
		       struct urpc_options *out)
{
	*out = in ? *in : (struct urpc_options){ 0 };
	if (!out->slots)
		out->slots = URPC_SLOTS_DEFAULT;
	if (!mk_ring_slots_ok(out->slots) || (out->flags & ~FLAGS_KNOWN) ||
	    out->poll_us > POLL_US_MAX)
		return -EINVAL;
	return 0;
}

/*
 * One side on @area, whose reference becomes the channel's if 0 is returned.
 * Its files are for the caller to fill in.
 */
int urpc_channel_new(struct urpc_area *area, int side,
		     const struct urpc_options *options,
		     struct urpc_channel **out)
{
	struct mk_line *ring = (struct mk_line *)(area->side + 2);
	struct urpc_channel *channel;
	int ret;

	/* No second reader, whoever handed the memory out twice. */
	if (__atomic_exchange_n(&area->side[side].claimed, 1,
				__ATOMIC_ACQ_REL))
		return -EBUSY;

	/* A page of its own, which a child sees wiped. */
	channel = mmap(NULL, sizeof(*channel), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (channel == MAP_FAILED)
		return -ENOMEM;
	if (madvise(channel, sizeof(*channel), MADV_WIPEONFORK)) {
		ret = -errno;
		goto fail;
	}
	ret = mk_end_init(&channel->end,
			  ring + (side ? area->slots : 0), area->slots,
			  ring + (side ? 0 : area->slots), area->slots);
	if (ret)
		goto fail;
	channel->area = area;
	channel->side = side;
	channel->valid = 1;
	channel->flags = options->flags;
	channel->poll_ns = options->poll_us * NS_PER_US;
	channel->socket = -1;
	channel->wake = -1;
	channel->wake_peer = -1;
	*out = channel;
	return 0;
fail:
	munmap(channel, sizeof(*channel));
	return ret;
}

void urpc_close(struct urpc_channel *channel)
{
	if (!channel)
		return;
	if (channel->valid) {
		if (channel->socket >= 0)
			close(channel->socket);
		if (channel->wake >= 0)
			close(channel->wake);
		if (channel->wake_peer >= 0)
			close(channel->wake_peer);
		urpc_area_put(channel->area);
	}
	munmap(channel, sizeof(*channel));
}

static int pair_files(struct urpc_channel *side[2])
{
	int i, socket[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		return -errno;
	for (i = 0; i < 2; i++)
		side[i]->socket = socket[i];
	for (i = 0; i < 2; i++) {
		side[i]->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (side[i]->wake < 0)
			return -errno;
	}
	/* A file each, so that either side can be closed first. */
	for (i = 0; i < 2; i++) {
		side[i]->wake_peer = dup(side[!i]->wake);
		if (side[i]->wake_peer < 0)
			return -errno;
	}
	return 0;
}

int urpc_pair(const struct urpc_options *in, struct urpc_channel *side[2])
{
	struct urpc_options options;
	struct urpc_area *area;
	int ret;

	ret = urpc_options_check(in, &options);
	if (ret)
		return ret;
	ret = urpc_area_create(&options, &area);
	if (ret)
		return ret;
	ret = urpc_channel_new(area, 0, &options, &side[0]);
	if (ret) {
		urpc_area_put(area);
		return ret;
	}
	ret = urpc_channel_new(area, 1, &options, &side[1]);
	if (ret)
		goto close_0;
	area->users = 2;
	ret = pair_files(side);
	if (!ret)
		return 0;
	urpc_close(side[1]);
close_0:
	urpc_close(side[0]);
	return ret;
}

/* 0, or why nothing more can be done with this side. */
int urpc_usable(const struct urpc_channel *channel)
{
	if (unlikely(!channel->valid))
		return -EBADF;
	return channel->error;
}

/* The bytes of a message, or -EBADMSG if it cannot have so many. */
static int message_bytes(const struct mk_view *view)
{
	u32 unused = view->type;

	if (unused > MK_LINE_PAYLOAD ||
	    (unused == MK_LINE_PAYLOAD && view->lines != 1))
		return -EBADMSG;
	return view->lines * MK_LINE_PAYLOAD - unused;
}

static int message_check(const struct mk_view *view)
{
	if (view->flags & ~(MK_MSG_CALL | MK_MSG_REPLY) ||
	    view->flags == (MK_MSG_CALL | MK_MSG_REPLY))
		return -EBADMSG;
	return message_bytes(view) < 0 ? -EBADMSG : 0;
}

static void give_credit(struct urpc_channel *channel)
{
	if (mk_end_ack_due(&channel->end) && !mk_end_ack(&channel->end))
		urpc_wake(channel);
}

/*
 * Have the next message in channel->view. Returns 1, or 0 if there is none.
 *
 * A bare acknowledgment that gives nothing is not one that ring.h sends; it is
 * refused, so that there are never more of them than lines were sent.
 */
int urpc_fetch(struct urpc_channel *channel)
{
	struct mk_end *end = &channel->end;
	u32 acked;
	int ret = 0;

	while (!channel->held) {
		acked = end->tx.acked;
		ret = mk_end_look_stream(end, &channel->view);
		if (ret <= 0)
			break;
		if (channel->view.flags == MK_MSG_ACK) {
			ret = end->tx.acked == acked ? -EBADMSG : 0;
			mk_end_done(end, &channel->view);
		} else {
			ret = message_check(&channel->view);
			channel->held = !ret;
		}
		if (ret)
			break;
	}
	/* Also where it found no room before. */
	if (ret >= 0)
		give_credit(channel);
	else
		channel->error = ret;
	return ret < 0 ? ret : channel->held;
}

/* Out of the ring, once: the peer may write there at any time. */
static void take(const struct urpc_channel *channel, unsigned char *data,
		 u32 bytes)
{
	u32 line;

	for (line = 0; bytes > MK_LINE_PAYLOAD; line++) {
		memcpy(data, mk_end_words(&channel->end, line), MK_LINE_PAYLOAD);
		data += MK_LINE_PAYLOAD;
		bytes -= MK_LINE_PAYLOAD;
	}
	memcpy(data, mk_end_words(&channel->end, line), bytes);
}

int urpc_recv(struct urpc_channel *channel, struct urpc_message *message)
{
	const struct mk_view *from = &channel->view;
	int ret = urpc_usable(channel);

	if (!ret)
		ret = urpc_fetch(channel);
	if (ret <= 0)
		return ret;
	message->tag = from->tag;
	message->flags = from->flags;
	message->bytes = message_bytes(from);
	take(channel, message->data, message->bytes);
	mk_end_done(&channel->end, from);
	channel->held = false;
	give_credit(channel);
	return 1;
}

static u32 lines_of(u32 bytes)
{
	return bytes ? (bytes + MK_LINE_PAYLOAD - 1) / MK_LINE_PAYLOAD : 1;
}

/* Show a message to the peer, which may sleep. */
static int show(struct urpc_channel *channel, u8 flags, u32 tag,
		const void *data, u32 bytes)
{
	u32 lines = lines_of(bytes), unused = lines * MK_LINE_PAYLOAD - bytes;
	u64 word[MK_MESSAGE_WORDS];
	int ret = urpc_usable(channel);

	if (ret)
		return ret;
	if (bytes > URPC_BYTES_MAX)
		return -EMSGSIZE;
	/* The peer sees what was sent, and nothing of this stack. */
	if (bytes)
		memcpy(word, data, bytes);
	memset((char *)word + bytes, 0, unused);
	return mk_end_send(&channel->end, unused, flags, tag, word, lines);
}

int urpc_send_flags(struct urpc_channel *channel, u8 flags, u32 tag,
		    const void *data, u32 bytes)
{
	int ret = show(channel, flags, tag, data, bytes);

	if (!ret)
		urpc_wake(channel);
	return ret;
}

int urpc_send(struct urpc_channel *channel, uint32_t tag, const void *data,
	      uint32_t bytes)
{
	return urpc_send_flags(channel, 0, tag, data, bytes);
}

/* A peer that sleeps looks at the ring whenever it wakes: no (S) is needed. */
int urpc_hint(struct urpc_channel *channel, uint32_t tag, const void *data,
	      uint32_t bytes)
{
	const struct mk_end *end = &channel->end;

	if (!urpc_usable(channel) && bytes <= URPC_BYTES_MAX &&
	    mk_end_room(end) < lines_of(bytes) + end->tx.slots / 2)
		return -EAGAIN;
	return show(channel, 0, tag, data, bytes);
}
