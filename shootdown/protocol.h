/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a protocol is to the common path, and what that does for protocols.
 */
#ifndef MK_SHOOTDOWN_PROTOCOL_H
#define MK_SHOOTDOWN_PROTOCOL_H

#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/types.h>

#include "shootdown/protocols.h"
#include "shootdown/shootdown.h"

/* Payload of a request: what a target has to know. Numbers only. */
enum {
	MK_REQUEST_ID,
	MK_REQUEST_SPACE,	/* 0: raw, nobody flushes */
	MK_REQUEST_START,
	MK_REQUEST_END,
	MK_REQUEST_FAULT,	/* planted: see mk_request_fault() */
	MK_REQUEST_WORDS
};

/**
 * struct mk_party - who takes part in operations of one protocol
 * @ops: the protocol
 * @protocol: its number
 * @cpu: the initiator's
 * @members: CPUs that it has messages for; never @cpu
 * @state: the protocol's, made by its prepare()
 * @route: of a protocol that has one, likewise; NULL if nobody is to be called
 * @ports: version of the ports that it was made for
 * @costs: version of the costs that it was planned from
 * @way: adaptive: what the next operation does
 * @link: in the list of all parties
 * @users: who has it from mk_party_get()
 *
 * One operation at a time uses it, since all of one initiator run in the thread
 * of its port, one after the other.
 */
struct mk_party {
	const struct mk_protocol_ops *ops;
	enum mk_protocol protocol;
	int cpu;
	cpumask_var_t members;
	void *state;
	struct mk_route *route;
	u32 ports, costs;
	u32 way;
	struct list_head link;
	unsigned int users;
};

/**
 * struct mk_protocol_ops - a protocol
 * @zaps: changes the page table entries itself
 * @frees: only for what frees memory
 * @native: needs no flush of ours
 * @routed: what @prepare made does not last when ports close or open
 * @planned: nor when costs are others
 * @broken: faults that can be planted, BIT(enum mk_broken)
 * @prepare: make what operations between @party->cpu and @party->members need.
 *	Process context, sleeps. 0 or an errno. May be NULL.
 * @unprepare: unmake it. Process context, sleeps; no operation is under way.
 *	May be NULL.
 * @start: tell CPUs of @sd->need that they have to flush and take each that was
 *	told, or is done, from there; what is left gets an IPI. The port's
 *	thread. 0, or an errno and nobody has been told.
 * @done: has everybody answered who was told? Polled, in the port's thread;
 *	may return true only once. NULL if that is so when @start returns.
 * @stuck: whoever has not answered cannot be reached now, so that it is no use to
 *	wait on. May be NULL.
 * @missing: add to a mask who has not answered. After it the operation is given
 *	up; answers may come late, at any time.
 * @finished: everybody has flushed; the port's thread. May be NULL.
 */
struct mk_protocol_ops {
	bool zaps, frees, native, routed, planned;
	u32 broken;
	int (*prepare)(struct mk_party *party);
	void (*unprepare)(struct mk_party *party);
	int (*start)(struct mk_shootdown *sd);
	bool (*done)(struct mk_shootdown *sd);
	bool (*stuck)(struct mk_shootdown *sd);
	void (*missing)(struct mk_shootdown *sd, struct cpumask *mask);
	void (*finished)(struct mk_shootdown *sd);
};

#define MK_BROKEN_ALL	(BIT(MK_BROKEN_SKIP_TARGET) |	\
			 BIT(MK_BROKEN_SKIP_GEN) |	\
			 BIT(MK_BROKEN_EARLY_ACK))

extern const struct mk_protocol_ops mk_linux_ops, mk_ipi_ops, mk_unicast_ops,
	mk_broadcast_ops, mk_multicast_ops, mk_numa_multicast_ops,
	mk_adaptive_ops, mk_lazy_ops, mk_planned_ops;

/* What the requests of an operation are sent as. */
static inline enum mk_type mk_request_type(const struct mk_shootdown *sd)
{
	return sd->type ?: MK_TYPE_SHOOTDOWN;
}

/* A target: does the planted fault leave it out? */
static inline bool mk_request_skips(const u64 *word, int cpu)
{
	return word[MK_REQUEST_FAULT] >> 1 == cpu + 1;
}

/* The initiator. */
void mk_shootdown_ipi(struct mk_shootdown *sd, const struct cpumask *mask);
void mk_request_fill(const struct mk_shootdown *sd, u64 *word);

/* A target: its port's thread. */
void mk_request_serve(struct mk_port *port, const u64 *word);

/* party.c */
void mk_protocols_limit(void);
void mk_parties_exit(void);

/* lazy.c */
void mk_lazy_init(void);
void mk_lazy_files(struct dentry *dir);
void mk_lazy_exit(void);

/* adaptive.c */
int mk_adaptive_init(void);
void mk_adaptive_exit(void);
void mk_adaptive_files(struct dentry *dir);
u64 mk_adaptive_bytes(void);
u64 mk_adaptive_size(unsigned int cpus);

#endif /* MK_SHOOTDOWN_PROTOCOL_H */
