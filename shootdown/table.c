// SPDX-License-Identifier: GPL-2.0
/*
 * The frame table, as the rest of the module sees it.
 */
#include <linux/errno.h>

#include "shootdown/frames.h"

/**
 * mk_frames_claim() - take free slots that follow each other
 * @count: how many, 1 to MK_FRAMES
 * @type: what they become
 * @first: written: number of the first
 *
 * Context: process, not a port's thread; sleeps, bounded. A signal ends it.
 * Return: 0; -EINVAL for a count or type that cannot be, -ENOSPC if no @count
 * slots in a row are free, -EBUSY if others were faster every time, -EINTR if a
 * signal came, -ETIMEDOUT if a monitor does not answer, -ENOMEM.
 */
int mk_frames_claim(u32 count, enum mk_frame_type type, u32 *first)
{
	return -EOPNOTSUPP;
}

/**
 * mk_frames_release() - give claimed slots back
 * @first: number of the first
 * @count: how many; all of one type
 *
 * Context: process, not a port's thread; sleeps, bounded. Signals do not
 * matter, so that it can be called where a process dies.
 * Return: 0; -EINVAL for slots that cannot be, -ENOENT if they are free already
 * or of several types, -EBUSY if others had them locked every time, -ETIMEDOUT
 * if a monitor does not answer, -ENOMEM. After the last three the slots are
 * still claimed.
 */
int mk_frames_release(u32 first, u32 count)
{
	return -EOPNOTSUPP;
}

/**
 * mk_frames_retype() - change the type of slots
 * @first: number of the first
 * @count: how many
 * @from: the type that they have
 * @to: the type that they get
 *
 * Context and return: as mk_frames_claim(), and -ENOENT if one is not @from.
 */
int mk_frames_retype(u32 first, u32 count, enum mk_frame_type from,
		     enum mk_frame_type to)
{
	return -EOPNOTSUPP;
}
