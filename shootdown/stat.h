/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What shootdown counts: per CPU, written there, summed when it is read. Each
 * is a file, shootdown/<group>/<name>.
 */
#ifndef MK_SHOOTDOWN_STAT_H
#define MK_SHOOTDOWN_STAT_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "shootdown/protocols.h"

struct dentry;

/* Of every protocol; see struct mk_shootdown. */
#define MK_STAT_PROTOCOL(X, group)	\
	X(group, operations)		\
	X(group, messages)		\
	X(group, ipis)			\
	X(group, lazies)		\
	X(group, strangers)		\
	X(group, timeouts)

/* pages, all: flushes of ours on any CPU. late: planted ones. */
#define MK_STAT_FLUSH(X)		\
	X(flush, pages)			\
	X(flush, all)			\
	X(flush, late)

/*
 * message, ipi, nothing: targets by what was chosen for them. Why an IPI: asleep,
 * its monitor was not on the CPU; deaf, it had not answered the last message;
 * stranger, it is not in the party; cheaper, by measured cost all targets got
 * IPIs. planned: those of message that went down the planned tree. alone: operations
 * of which no monitor had to hear, done by the caller. probes: how often some
 * operations were to measure another way.
 */
#define MK_STAT_CHOICE(X)		\
	X(choice, message)		\
	X(choice, ipi)			\
	X(choice, nothing)		\
	X(choice, asleep)		\
	X(choice, deaf)			\
	X(choice, stranger)		\
	X(choice, cheaper)		\
	X(choice, planned)		\
	X(choice, alone)		\
	X(choice, probes)

/*
 * Lazy. sweeps: CPUs that flushed, in a tick or in a context switch. released:
 * quarantined operations whose memory was freed. late: of those, after an IPI,
 * since a CPU had not swept in time. full: operations that found no room and
 * sent IPIs at once.
 */
#define MK_STAT_QUARANTINE(X)		\
	X(quarantine, tick_sweeps)	\
	X(quarantine, switch_sweeps)	\
	X(quarantine, released)		\
	X(quarantine, late)		\
	X(quarantine, full)

struct mk_stat {
#define MK_STAT_FIELD(group, name)	u64 name;
	struct {
		MK_STAT_PROTOCOL(MK_STAT_FIELD, protocol)
	} protocol[MK_PROTOCOLS];
	struct {
		MK_STAT_FLUSH(MK_STAT_FIELD)
	} flush;
	struct {
		MK_STAT_CHOICE(MK_STAT_FIELD)
	} choice;
	struct {
		MK_STAT_QUARANTINE(MK_STAT_FIELD)
	} quarantine;
#undef MK_STAT_FIELD
};

DECLARE_PER_CPU(struct mk_stat, mk_stat);

/* Any context. */
#define mk_stat_add(what, n)	this_cpu_add(mk_stat.what, n)
#define mk_stat_inc(what)	mk_stat_add(what, 1)

void mk_stat_files(struct dentry *dir);

#endif /* MK_SHOOTDOWN_STAT_H */
