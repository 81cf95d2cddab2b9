/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of liburpc know of each other.
 */
#ifndef URPC_PRIVATE_H
#define URPC_PRIVATE_H

#include <stddef.h>
#include <sys/types.h>

#include "urpc/ring.h"
#include "urpc.h"

#define NS_PER_US	1000ll
#define NS_PER_MS	1000000ll

/**
 * struct urpc_side - a side's words in shared memory
 * @claimed: somebody has this side; set once
 * @asleep: its owner is about to block, or has
 * @pad: the rest of the line, and of the line beside it: caches fetch in pairs
 */
struct urpc_side {
	u32 claimed;
	u32 asleep;
	u32 pad[30];
};

/**
 * struct urpc_area - shared memory, mapped
 * @side: the words of each side; the rings follow
 * @bytes: how much is mapped
 * @slots: of each ring; never read from the memory itself
 * @fd: its file
 * @users: sides in this process
 */
struct urpc_area {
	struct urpc_side *side;
	size_t bytes;
	u32 slots;
	int fd;
	int users;
};

/**
 * struct urpc_channel - one side
 * @end: positions in the rings
 * @area: the memory
 * @side: which side: 0 accepted, 1 connected
 * @valid: 0 in the child of a fork(), where this page is wiped
 * @error: 0, or -EBADMSG from when the peer lied
 * @flags: of the options
 * @tag: of the last call
 * @poll_ns: how long a wait polls
 * @socket: hangs up with the peer
 * @wake: our eventfd
 * @wake_peer: the peer's
 * @held: a message was found by a wait, and not taken yet
 * @view: that message, which lies in the ring until it is
 */
struct urpc_channel {
	struct mk_end end;
	struct urpc_area *area;
	int side;
	int valid;
	int error;
	u32 flags;
	u32 tag;
	int64_t poll_ns;
	int socket;
	int wake;
	int wake_peer;
	bool held;
	struct mk_view view;
};

/* area.c */
int urpc_area_create(const struct urpc_options *options,
		     struct urpc_area **area);
int urpc_area_map(int fd, u32 slots, off_t offset, struct urpc_area **area);
int urpc_area_attach(int fd, u32 slots, struct urpc_area **area);
void urpc_area_put(struct urpc_area *area);

/* channel.c */
int urpc_options_check(const struct urpc_options *in,
		       struct urpc_options *out);
int urpc_channel_new(struct urpc_area *area, int side,
		     const struct urpc_options *options,
		     struct urpc_channel **channel);
int urpc_usable(const struct urpc_channel *channel);
int urpc_fetch(struct urpc_channel *channel);
int urpc_send_flags(struct urpc_channel *channel, u8 flags, u32 tag,
		    const void *data, u32 bytes);

/* wake.c */
void urpc_wake(struct urpc_channel *channel);
int64_t urpc_now_ns(void);

#endif /* URPC_PRIVATE_H */
