/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names and numbers of the shootdown protocols and of the faults that can be
 * planted in them. Compiles in the kernel and in user space.
 */
#ifndef MK_SHOOTDOWN_PROTOCOLS_H
#define MK_SHOOTDOWN_PROTOCOLS_H

/*
 * MK_PROTOCOL_LIST(X) - every protocol, X(symbol, name); one file each
 *
 * The numbers are part of the device's ABI: new ones go to the end.
 */
#define MK_PROTOCOL_LIST(X)			\
	X(LINUX, "linux")			\
	X(IPI, "ipi")				\
	X(UNICAST, "unicast")			\
	X(BROADCAST, "broadcast")		\
	X(MULTICAST, "multicast")		\
	X(NUMA_MULTICAST, "numa_multicast")	\
	X(ADAPTIVE, "adaptive")			\
	X(LAZY, "lazy")				\
	X(PLANNED, "planned")

enum mk_protocol {
#define MK_PROTOCOL_ENUM(symbol, name)	MK_PROTOCOL_##symbol,
	MK_PROTOCOL_LIST(MK_PROTOCOL_ENUM)
#undef MK_PROTOCOL_ENUM
	MK_PROTOCOLS
};

/*
 * MK_BROKEN_LIST(X) - faults to plant, X(symbol, name)
 *
 * SKIP_TARGET: one CPU is not asked, and counts as done. SKIP_GEN: Linux is not
 * told that the mm's translations are out of date. EARLY_ACK: targets answer
 * first and flush MK_FLUSH_LATE_MS later.
 */
#define MK_BROKEN_LIST(X)			\
	X(NONE, "none")				\
	X(SKIP_TARGET, "skip_target")		\
	X(SKIP_GEN, "skip_gen")			\
	X(EARLY_ACK, "early_ack")

enum mk_broken {
#define MK_BROKEN_ENUM(symbol, name)	MK_BROKEN_##symbol,
	MK_BROKEN_LIST(MK_BROKEN_ENUM)
#undef MK_BROKEN_ENUM
	MK_BROKENS
};

#endif /* MK_SHOOTDOWN_PROTOCOLS_H */
