/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TLB shootdown: page table entries of an mm have been changed, and when
 * mk_shootdown() returns no CPU can use the old ones any more.
 *
 * One operation is one range of one mm, run by one initiator, a port's thread
 * in a slow work. What differs between protocols is how the other CPUs learn
 * of it, and is behind struct mk_protocol_ops. What does not differ, and why it
 * is correct, is in shootdown.c and in Documentation/shootdown.rst.
 *
 * Order of calls
 *	party = mk_party_get(protocol, cpu, members)	process context
 *	in the thread of @cpu's port, once for every range:
 *		change the entries (unless mk_protocol_zaps())
 *		mk_shootdown(&sd)
 *	mk_party_put(party)				process context
 *	release what was mapped (lazy does it itself: struct mk_frees)
 *
 * The caller of the whole, in process context, holds what keeps the mm and its
 * VMAs: the port's thread takes no lock of the mm.
 *
 * Two initiators on each other's CPUs serve each other: the wait polls the port.
 * Who does not answer in ipi_after_us gets an IPI, so no wait is unbounded.
 */
#ifndef MK_SHOOTDOWN_H
#define MK_SHOOTDOWN_H

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/types.h>

#include "shootdown/protocols.h"
#include "urpc/types.h"

struct dentry;
struct mk_party;
struct mk_port;
struct mm_struct;
struct vm_area_struct;

/**
 * struct mk_frees - memory that a lazy operation will free
 * @pages: how many, counted against lazy_pages_max; may be 0
 * @release: frees it and this; process context, may sleep
 * @link: internal
 * @seq: internal: number in the quarantine
 * @deadline: internal: when whoever has not swept gets an IPI, in jiffies
 * @waiting: internal: CPUs that may still use the old translations
 */
struct mk_frees {
	u32 pages;
	void (*release)(struct mk_frees *frees);

	struct list_head link;
	u64 seq;
	unsigned long deadline;
	cpumask_var_t waiting;
};

/**
 * struct mk_choice - how adaptive reached the targets of an operation
 * @way: what was to be done with those that listen
 * @listeners: members whose monitor was running
 * @told: of them, those that got a message
 * @deaf: of them, those that could not
 * @asleep: members whose monitor was not running
 * @strangers: targets that are not members
 */
struct mk_choice {
	u32 way, listeners, told, deaf, asleep, strangers;
};

/**
 * struct mk_shootdown - one operation
 *
 * Given:
 * @port: the initiator; the caller is its thread
 * @party: from mk_party_get(), of @port's CPU
 * @mm: whose entries were changed; NULL for a raw operation, in which the
 *	protocol runs and nobody flushes anything
 * @space: the mm's number for monitors: port->space_id of those that have
 *	adopted it; 0 if none has. With @type, whatever that takes it for
 * @vma: the mapping, only needed if mk_protocol_zaps()
 * @start: first byte
 * @end: first byte after the range; whole pages
 * @targets: raw: who has to answer; the initiator is left out
 * @type: raw: what the requests are, if not MK_TYPE_SHOOTDOWN; its leaf function
 *	finds @space, @start and @end in them (protocol.h)
 * @interrupt: raw, with @type: the same for whoever gets an interrupt instead
 * @protect: access was restricted and nothing is freed
 * @frees: lazy: what is freed; consumed if mk_shootdown() leaves it NULL
 * @broken: enum mk_broken
 *
 * Found, valid when mk_shootdown() has returned 0:
 * @started: when it began, in cycles
 * @sent: when everything was sent
 * @gathered: when everybody was done
 * @messages: cache lines of requests and of replies
 * @ipis: interrupts that the initiator caused
 * @lazies: CPUs that were left alone since they look at the mm's tlb_gen before
 *	they use it again
 * @strangers: CPUs that are not in the party, or cannot be reached now, and got an
 *	IPI
 * @timeouts: CPUs that did not answer in time and got an IPI
 *
 * For the protocols:
 * @id: number of the operation, never 0
 * @need: CPUs that have to flush and do not know it yet; the common path's
 *	result, from which a protocol takes whom it has told
 * @skip: CPU that the planted fault leaves out, -1 for none
 * @told: the request is out
 * @quarantine: lazy: what goes there when this CPU has flushed
 * @choice: adaptive: what it did, and why
 */
struct mk_shootdown {
	struct mk_port *port;
	struct mk_party *party;
	struct mm_struct *mm;
	u64 space;
	struct vm_area_struct *vma;
	unsigned long start, end;
	const struct cpumask *targets;
	enum mk_type type;
	void (*interrupt)(const struct mk_shootdown *sd);
	bool protect;
	struct mk_frees *frees;
	enum mk_broken broken;

	u64 started, sent, gathered;
	u32 messages, ipis, lazies, strangers, timeouts;

	u64 id;
	struct cpumask *need;
	int skip;
	bool told;
	struct mk_frees *quarantine;
	struct mk_choice choice;
};

/* Process context; may sleep. */
struct mk_party *mk_party_get(enum mk_protocol protocol, int cpu,
			      const struct cpumask *members);
void mk_party_put(struct mk_party *party);
int mk_frees_init(struct mk_frees *frees, u32 pages,
		  void (*release)(struct mk_frees *frees));
void mk_frees_destroy(struct mk_frees *frees);
int mk_lazy_settle(u32 timeout_ms);
void mk_lazy_drain(void);

/* The initiator: a port's thread, in a slow work. */
int mk_shootdown(struct mk_shootdown *sd);

/* Any context. */
const char *mk_protocol_name(enum mk_protocol protocol);
int mk_protocol_refuses(enum mk_protocol protocol, bool protect,
			enum mk_broken broken);
bool mk_protocol_zaps(enum mk_protocol protocol);

int mk_shootdown_init(void);
void mk_shootdown_files(struct dentry *root);
void mk_shootdown_exit(void);
u64 mk_shootdown_bytes(void);
u64 mk_shootdown_size(unsigned int cpus);

#endif /* MK_SHOOTDOWN_H */
