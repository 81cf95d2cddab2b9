// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that a pager has ready: getting one, zeroed, takes the longest of all that
 * a thread with a fault waits for. A pager gets them when it has nothing else to do.
 *
 * The stock of a node is in the directory, where a successor finds it. A frame is
 * out of the stock before it is anything else: who dies in between loses it, but it
 * is never two things. Since a pager and the one that takes over from it may live at
 * the same time, each place is emptied and filled by an atomic operation.
 */
#include "private.h"

/**
 * pager_stock_take() - a zeroed frame on the pager's node
 * @pager: this thread's
 * @frame: out: its index
 *
 * Return: whether there was one.
 */
bool pager_stock_take(struct pager *pager, u32 *frame)
{
	u32 i, found;

	for (i = 0; i < pager->group->options.stock; i++) {
		u32 *place = &pager->seat->stock[i];

		if (!READ_ONCE(*place))
			continue;
		found = __atomic_exchange_n(place, 0, __ATOMIC_ACQ_REL);
		if (!found)
			continue;
		*frame = found - 1;
		return true;
	}
	return false;
}

/* Each frame to an empty place; a successor may have filled some meanwhile. */
static void put_in(struct pager *pager, u32 frame, u32 n)
{
	u32 i, none;

	for (i = 0; n && i < pager->group->options.stock; i++) {
		u32 *place = &pager->seat->stock[i];

		none = 0;
		if (READ_ONCE(*place) ||
		    !__atomic_compare_exchange_n(place, &none, frame + 1, false,
						 __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		frame++;
		n--;
	}
	while (n--)
		pager_frame_put(pager, frame++);
}

/**
 * pager_stock_fill() - fill the stock, if half of it is gone
 * @pager: this thread's
 *
 * One call for several costs little more than for one. What cannot be had is got
 * when it is needed, and fails then.
 *
 * Return: whether there was something to do.
 */
bool pager_stock_fill(struct pager *pager)
{
	u32 size = pager->group->options.stock, i, n = 0, frame;

	for (i = 0; i < size; i++)
		n += !READ_ONCE(pager->seat->stock[i]);
	if (!n || n < size / 2)
		return false;
	/* There may be no numbers in a row. */
	if (pager_frames_get(pager, pager->node, n, &frame)) {
		n = 1;
		if (pager_frames_get(pager, pager->node, n, &frame))
			return false;
	}
	put_in(pager, frame, n);
	return true;
}
