/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ring.h and inplace.h take from the kernel, for user space.
 *
 * The accessors have the meaning of the kernel's memory model: READ_ONCE and
 * WRITE_ONCE are relaxed atomics, the acquire and release forms are theirs.
 */
#ifndef MK_URPC_USER_H
#define MK_URPC_USER_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;

#ifndef likely
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#endif

/* For who counts branches: a function once, not once for each place it is used at. */
#ifdef MK_URPC_OUTLINE
#undef __always_inline
#define __always_inline	inline
#endif

#ifndef __aligned
#define __aligned(n)	__attribute((aligned(n)))
#endif

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
/* Who pairs with whom is said where they are used. */
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
/* Likewise. */
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

static inline void barrier(void)
{
	__asm__ __volatile__("" : : : "memory");
}

/*
 * Hints: they may be dropped, and never fault. PREFETCHW is spelt out because
 * compilers replace it by a prefetch for reading unless they are told the CPU.
 */
#if __has_builtin(__builtin_ia32_pause)
static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

static inline void mk_user_fetch_owned(const void *p)
{
	__asm__ __volatile__("prefetchw %0" : : "m" (*(const char *)p));
}
#else
static inline void cpu_relax(void)
{
	barrier();
}

static inline void mk_user_fetch_owned(const void *p)
{
	__builtin_prefetch(p, 1, 3);
}
#endif

#define prefetch(p)	__builtin_prefetch((p), 0, 3)
#define prefetchw(p)	mk_user_fetch_owned(p)

#endif /* MK_URPC_USER_H */
