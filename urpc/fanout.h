/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fanout: a request to many CPUs in one line that all of them poll.
 *
 * Each root has one board, a line which it alone writes. Every member polls
 * it as a source of its port, and acknowledges in a line of its own, which only
 * the root reads. This is Broadcast of Baumann et al. (SOSP 2009, section 5.1):
 * one store by the root, but then every member fetches the same line from
 * the same place, one after the other.
 *
 * Life
 *	A board and the places of its members are made on demand and stay until
 *	the module goes, like cells. A fanout is just a list of members.
 *
 * Whoever has ever been a member of a root's fanout may serve messages of all
 * of that root's fanouts. Leaf functions are those of route.h, and messages may
 * be served late or, if another has overwritten them, never; only who has run
 * the leaf function acknowledges.
 *
 * One operation at a time on all fanouts of a root.
 *
 * Ordering
 *	(F) Root: write @tail, full write barrier, words, release @header. Member:
 *	    acquire @header, words, read barrier, read @tail. If both carry the
 *	    same number, all words are of that message; otherwise the
 *	    root is writing the next one, and the member looks again later.
 *	(G) Member: leaf function, release its acknowledgment. Root: acquire it.
 */
#ifndef MK_URPC_FANOUT_H
#define MK_URPC_FANOUT_H

#include "urpc/route.h"

struct mk_fanout;

/* Process context; sleep. */
struct mk_fanout *mk_fanout_make(int root, const struct cpumask *members);
void mk_fanout_free(struct mk_fanout *fanout);
void mk_boards_exit(void);

/* Any context. */
s64 mk_boards_bytes(void);

/* The root's thread; as for routes. */
void mk_fanout_start(struct mk_fanout *fanout, enum mk_type type,
		     const u64 *word);
bool mk_fanout_gathered(struct mk_fanout *fanout);
bool mk_fanout_stuck(const struct mk_fanout *fanout);
void mk_fanout_missing(struct mk_fanout *fanout, struct cpumask *mask);

#endif /* MK_URPC_FANOUT_H */
