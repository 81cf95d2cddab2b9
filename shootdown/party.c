// SPDX-License-Identifier: GPL-2.0
/*
 * Parties: who takes part, and what is made once for many operations.
 *
 * A route or a line takes longer to make than many operations take, so parties
 * that nobody uses are kept, up to a limit, and found again by who they are. Those
 * with routes are made anew when a monitor has come or gone since, for it has
 * forgotten them, and planned ones when costs are others.
 */
#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/costs.h"
#include "shootdown/protocol.h"
#include "urpc/port.h"

/* Parties without users, for each possible initiator. */
#define MK_PARTIES_IDLE	8

static const struct mk_protocol_ops *const mk_protocol_ops[MK_PROTOCOLS] = {
	[MK_PROTOCOL_LINUX] = &mk_linux_ops,
	[MK_PROTOCOL_IPI] = &mk_ipi_ops,
	[MK_PROTOCOL_UNICAST] = &mk_unicast_ops,
	[MK_PROTOCOL_BROADCAST] = &mk_broadcast_ops,
	[MK_PROTOCOL_MULTICAST] = &mk_multicast_ops,
	[MK_PROTOCOL_NUMA_MULTICAST] = &mk_numa_multicast_ops,
	[MK_PROTOCOL_ADAPTIVE] = &mk_adaptive_ops,
	[MK_PROTOCOL_LAZY] = &mk_lazy_ops,
	[MK_PROTOCOL_PLANNED] = &mk_planned_ops,
};

static const char *const mk_protocol_names[MK_PROTOCOLS] = {
#define MK_PROTOCOL_NAME(symbol, name)	name,
	MK_PROTOCOL_LIST(MK_PROTOCOL_NAME)
#undef MK_PROTOCOL_NAME
};

/* Most recently used first; protected, with users and idle, by the mutex. */
static LIST_HEAD(mk_parties);
static unsigned int mk_parties_idle;
static DEFINE_MUTEX(mk_parties_lock);

/* No flush of ours is possible on this machine; set once at load. */
static bool mk_protocols_native;

/**
 * mk_protocol_name() - a protocol's name
 * @protocol: any number
 *
 * Context: any.
 */
const char *mk_protocol_name(enum mk_protocol protocol)
{
	return protocol < MK_PROTOCOLS ? mk_protocol_names[protocol] : "?";
}

/**
 * mk_protocol_zaps() - does a protocol change the page table entries itself
 * @protocol: a valid number
 *
 * Context: any.
 */
bool mk_protocol_zaps(enum mk_protocol protocol)
{
	return mk_protocol_ops[protocol]->zaps;
}

/**
 * mk_protocols_limit() - from now on only those that need no flush of ours
 *
 * Context: at load.
 */
void mk_protocols_limit(void)
{
	mk_protocols_native = true;
}

/**
 * mk_protocol_refuses() - can a protocol do this
 * @protocol: any number
 * @protect: restrict access, free nothing
 * @broken: any number; the fault to plant
 *
 * Context: any.
 * Return: 0; -EINVAL if there is no such protocol or fault; -EOPNOTSUPP if it
 * cannot, or not on this machine.
 */
int mk_protocol_refuses(enum mk_protocol protocol, bool protect,
			enum mk_broken broken)
{
	const struct mk_protocol_ops *ops;

	if (protocol >= MK_PROTOCOLS || broken >= MK_BROKENS)
		return -EINVAL;
	ops = mk_protocol_ops[protocol];
	if (mk_protocols_native && !ops->native)
		return -EOPNOTSUPP;
	if (protect && ops->frees)
		return -EOPNOTSUPP;
	if (broken != MK_BROKEN_NONE && !(ops->broken & BIT(broken)))
		return -EOPNOTSUPP;
	return 0;
}

static void mk_party_free(struct mk_party *party)
{
	if (party->ops->unprepare)
		party->ops->unprepare(party);
	free_cpumask_var(party->members);
	kfree(party);
}

static struct mk_party *mk_party_make(enum mk_protocol protocol, int cpu,
				      const struct cpumask *members)
{
	struct mk_party *party;
	int err;

	party = kzalloc_node(sizeof(*party), GFP_KERNEL, cpu_to_node(cpu));
	if (!party)
		return ERR_PTR(-ENOMEM);
	if (!zalloc_cpumask_var(&party->members, GFP_KERNEL)) {
		kfree(party);
		return ERR_PTR(-ENOMEM);
	}
	party->ops = mk_protocol_ops[protocol];
	party->protocol = protocol;
	party->cpu = cpu;
	/* Before what it is made from is looked at. */
	party->ports = mk_ports_version();
	party->costs = mk_costs_version();
	cpumask_copy(party->members, members);

	err = party->ops->prepare ? party->ops->prepare(party) : 0;
	if (err) {
		free_cpumask_var(party->members);
		kfree(party);
		return ERR_PTR(err);
	}
	return party;
}

/* Would one that is made now serve better? */
static bool mk_party_is_stale(const struct mk_party *party)
{
	return (party->ops->routed && party->ports != mk_ports_version()) ||
	       (party->ops->planned && party->costs != mk_costs_version());
}

/* One without users. */
static void mk_party_drop(struct mk_party *party)
{
	list_del(&party->link);
	mk_parties_idle--;
	mk_party_free(party);
}

/* One that is stale goes now, or when its users have gone and room is needed. */
static struct mk_party *mk_party_find(enum mk_protocol protocol, int cpu,
				      const struct cpumask *members)
{
	struct mk_party *party, *next;

	list_for_each_entry_safe(party, next, &mk_parties, link) {
		if (party->protocol != protocol || party->cpu != cpu ||
		    !cpumask_equal(party->members, members))
			continue;
		if (!mk_party_is_stale(party))
			return party;
		if (!party->users)
			mk_party_drop(party);
	}
	return NULL;
}

/* Free those that have been idle longest, until at most @keep are. */
static void mk_parties_trim(unsigned int keep)
{
	struct mk_party *party, *next;

	list_for_each_entry_safe_reverse(party, next, &mk_parties, link) {
		if (mk_parties_idle <= keep)
			break;
		if (!party->users)
			mk_party_drop(party);
	}
}

/**
 * mk_party_get() - prepare for operations
 * @protocol: a valid number
 * @cpu: the initiator's
 * @members: CPUs whose monitors can be asked, which are those that have adopted
 *	the mm. @cpu and CPUs that are off line do not count. Others that have to
 *	flush get an IPI.
 *
 * Context: process, not a port's thread; sleeps.
 * Return: the party, to be given back with mk_party_put(); or an ERR_PTR:
 * -EINVAL for numbers that cannot be, -ENODEV if @cpu is off line, -ENOMEM, or
 * what the protocol found.
 */
struct mk_party *mk_party_get(enum mk_protocol protocol, int cpu,
			      const struct cpumask *members)
{
	struct mk_party *party;
	cpumask_var_t mask;

	if (protocol >= MK_PROTOCOLS || cpu < 0 || cpu >= nr_cpu_ids)
		return ERR_PTR(-EINVAL);
	if (!cpu_online(cpu))
		return ERR_PTR(-ENODEV);
	if (!alloc_cpumask_var(&mask, GFP_KERNEL))
		return ERR_PTR(-ENOMEM);
	cpumask_and(mask, members, cpu_online_mask);
	cpumask_clear_cpu(cpu, mask);

	mutex_lock(&mk_parties_lock);
	party = mk_party_find(protocol, cpu, mask);
	if (party) {
		list_move(&party->link, &mk_parties);
		if (!party->users++)
			mk_parties_idle--;
	} else {
		party = mk_party_make(protocol, cpu, mask);
		if (!IS_ERR(party)) {
			party->users = 1;
			list_add(&party->link, &mk_parties);
		}
	}
	mutex_unlock(&mk_parties_lock);
	free_cpumask_var(mask);
	return party;
}

/**
 * mk_party_put() - no more operations
 * @party: from mk_party_get()
 *
 * Context: process, not a port's thread; sleeps.
 */
void mk_party_put(struct mk_party *party)
{
	mutex_lock(&mk_parties_lock);
	if (!--party->users) {
		mk_parties_idle++;
		mk_parties_trim(MK_PARTIES_IDLE * num_possible_cpus());
	}
	mutex_unlock(&mk_parties_lock);
}

/**
 * mk_parties_exit() - free all parties; none has users
 *
 * Context: process, while the monitors still run; sleeps.
 */
void mk_parties_exit(void)
{
	mutex_lock(&mk_parties_lock);
	mk_parties_trim(0);
	mutex_unlock(&mk_parties_lock);
}
