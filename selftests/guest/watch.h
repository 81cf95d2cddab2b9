/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching a storm: it ends when the time is over, when something is wrong, or when
 * nothing moves any more.
 */
#ifndef MK_WATCH_H
#define MK_WATCH_H

#include <stdbool.h>

#include "guest.h"

/* Nothing has moved for so many seconds: it hangs. */
#define MK_WATCH_STILL	60

/* @moves counts what was done. Returns false if it hangs. */
static inline bool mk_watch(double seconds, unsigned int (*moves)(void),
			    bool (*wrong)(void *arg), void *arg)
{
	double end = mk_seconds() + seconds, moved = mk_seconds();
	unsigned int last = 0;

	while (mk_seconds() < end && !wrong(arg)) {
		mk_sleep_ms(100);
		if (moves() != last)
			moved = mk_seconds();
		if (mk_seconds() > moved + MK_WATCH_STILL)
			return false;
		last = moves();
	}
	return true;
}

#endif /* MK_WATCH_H */
