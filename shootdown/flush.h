/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one CPU does to its own TLB, and what it can know about another's.
 */
#ifndef MK_SHOOTDOWN_FLUSH_H
#define MK_SHOOTDOWN_FLUSH_H

#include <linux/types.h>

struct mm_struct;

/* Pages beyond which the whole address space goes: Linux's own ceiling. */
#define MK_FLUSH_CEILING	33

/* How late a planted early acknowledgment really flushes. */
#define MK_FLUSH_LATE_MS	50

/* Any context; of this CPU. */
void mk_flush_range(unsigned long start, unsigned long end);
void mk_flush_all(void);
void mk_flush_late(void);

/* Any context. */
void mk_flush_announce(struct mm_struct *mm);
bool mk_flush_is_lazy(int cpu);

int mk_flush_init(void);
void mk_flush_exit(void);

#endif /* MK_SHOOTDOWN_FLUSH_H */
