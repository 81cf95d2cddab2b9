// SPDX-License-Identifier: GPL-2.0
/*
 * Calls and replies.
 */
#include "private.h"

/* What is left until @deadline in whole milliseconds, rounded up. */
static int left_ms(int64_t deadline)
{
	int64_t left = deadline - urpc_now_ns();

	return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

int urpc_call(struct urpc_channel *channel, const void *data, uint32_t bytes,
	      struct urpc_message *reply, int timeout_ms)
{
	bool sent = false;
	int64_t deadline;
	int left, ret;

	if (timeout_ms < 0 || timeout_ms > URPC_TIMEOUT_MS_MAX)
		return -EINVAL;
	ret = urpc_usable(channel);
	if (ret)
		return ret;
	deadline = urpc_now_ns() + timeout_ms * NS_PER_MS;
	channel->tag++;
	/* A peer that sends one late reply after another gets no more time. */
	do {
		if (!sent) {
			ret = urpc_send_flags(channel, URPC_CALL, channel->tag,
					      data, bytes);
			if (ret && ret != -EAGAIN)
				return ret;
			sent = !ret;
		}
		left = left_ms(deadline);
		ret = urpc_wait(channel, sent ? URPC_IN : URPC_OUT, left);
		if (ret < 0)
			return ret;
		ret = urpc_recv(channel, reply);
		if (ret < 0)
			return ret;
		if (ret && reply->flags != URPC_REPLY)
			return -EPROTO;
		if (ret && sent && reply->tag == channel->tag)
			return 0;
	} while (left);
	return -ETIMEDOUT;
}

int urpc_reply(struct urpc_channel *channel, const struct urpc_message *call,
	       const void *data, uint32_t bytes)
{
	if (call->flags != URPC_CALL)
		return -EINVAL;
	return urpc_send_flags(channel, URPC_REPLY, call->tag, data, bytes);
}
