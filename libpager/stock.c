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

/**
 * pager_stock_fill() - one frame more, if there is room for it
 * @pager: this thread's
 *
 * What cannot be had is got when it is needed, and fails then.
 *
 * Return: whether there may be room for another one.
 */
bool pager_stock_fill(struct pager *pager)
{
	u32 i, frame, none = 0;

	for (i = 0; i < pager->group->options.stock; i++) {
		u32 *place = &pager->seat->stock[i];

		if (READ_ONCE(*place))
			continue;
		if (pager_frame_get(pager, pager->node, &frame))
			return false;
		if (__atomic_compare_exchange_n(place, &none, frame + 1, false,
						__ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return true;
		pager_frame_put(pager, frame);
		return false;
	}
	return false;
}
