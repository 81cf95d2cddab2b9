// SPDX-License-Identifier: GPL-2.0
/*
 * What the messaging experiments share: CPU pairs, placement, busy CPUs.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "module/clock.h"
#include "module/topology.h"
#include "urpc/bench.h"

const char *const mk_placement_choices[] = { "receiver", "sender", "both",
					     NULL };
const char *const mk_pairs_choices[] = { "tiers", "all", NULL };

/* Is a pair that is as far apart already in the set? */
static bool mk_pairs_have(const struct mk_pair_set *set, int a, int b)
{
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		int x = set->cpu[i][0], y = set->cpu[i][1];

		if (mk_tier(x, y) == mk_tier(a, b) &&
		    node_distance(cpu_to_node(x), cpu_to_node(y)) ==
		    node_distance(cpu_to_node(a), cpu_to_node(b)))
			return true;
	}
	return false;
}

/**
 * mk_bench_pairs() - choose the CPU pairs of an experiment
 * @set: written; freed with mk_bench_pairs_free()
 * @cpus: to choose from
 * @all: every ordered pair, a CPU with itself included; otherwise one pair for
 *	each tier and node distance that @cpus has
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int mk_bench_pairs(struct mk_pair_set *set, const struct cpumask *cpus,
		   bool all)
{
	unsigned int n = cpumask_weight(cpus);
	int a, b;

	set->nr = 0;
	set->cpu = kvmalloc_array(n * n, sizeof(*set->cpu), GFP_KERNEL);
	if (!set->cpu)
		return -ENOMEM;
	for_each_cpu(a, cpus) {
		for_each_cpu(b, cpus) {
			if (!all && mk_pairs_have(set, a, b))
				continue;
			set->cpu[set->nr][0] = a;
			set->cpu[set->nr][1] = b;
			set->nr++;
		}
		cond_resched();
	}
	return 0;
}

/**
 * mk_bench_pairs_free() - free a set of pairs
 * @set: the set
 */
void mk_bench_pairs_free(struct mk_pair_set *set)
{
	kvfree(set->cpu);
}

/**
 * mk_place_chosen() - does a choice include a placement?
 * @choice: index into mk_placement_choices
 * @placement: the placement
 * @cpu: the pair it is for
 *
 * Context: any.
 * Return: true if it does; on one node there is only one.
 */
bool mk_place_chosen(u32 choice, enum mk_placement placement, const int cpu[2])
{
	if (cpu_to_node(cpu[0]) == cpu_to_node(cpu[1]))
		return placement == MK_PLACE_RECEIVER;
	return choice == MK_PLACEMENTS || choice == placement;
}

/**
 * mk_bench_channel() - a channel of an experiment's own
 * @cpu: its two CPUs
 * @placement: of both its rings
 * @slots: see struct mk_channel_options
 * @ack_every: see struct mk_channel_options
 *
 * Context: process.
 * Return: as mk_channel_create().
 */
struct mk_channel *mk_bench_channel(const int cpu[2],
				    enum mk_placement placement, u32 slots,
				    u32 ack_every)
{
	struct mk_channel_options options = {
		.slots = slots,
		.ack_every = ack_every,
	};
	int i;

	for (i = 0; i < 2; i++)
		options.node[i] = cpu_to_node(placement == MK_PLACE_SENDER ?
					      cpu[i] : cpu[!i]);
	return mk_channel_create(cpu[0], cpu[1], &options);
}

/**
 * mk_bench_rate() - throughput
 * @messages: so many
 * @cycles: in so many cycles
 *
 * Context: any.
 * Return: messages per million cycles.
 */
u64 mk_bench_rate(u64 messages, u64 cycles)
{
	return div64_u64(messages * 1000000, max(cycles, 1ull));
}

/**
 * mk_bench_step() - between two samples: give way, and see whether to stop
 * @run: the run
 *
 * Context: a port's thread.
 * Return: 0 to go on, or why not.
 */
int mk_bench_step(const struct mk_run *run)
{
	cond_resched();
	if (kthread_should_stop())
		return -ENODEV;
	return mk_run_stopped(run);
}

/* Spins between two passes over the port: busy, but not deaf. */
#define MK_SPIN_POLLS	1024

static int mk_bench_spin(struct mk_port *port, void *arg)
{
	struct mk_spin *spin = arg;
	unsigned int spins = 0;

	while (!READ_ONCE(spin->stop) && !kthread_should_stop()) {
		if (++spins % MK_SPIN_POLLS == 0)
			mk_port_poll(port);
		cpu_relax();
		cond_resched();
	}
	return 0;
}

/**
 * mk_bench_spin_start() - keep a CPU busy, hardly polling
 * @spin: state; stays until mk_bench_spin_stop()
 * @cpu: which
 *
 * Context: process, or another port's thread.
 * Return: 0, or as mk_port_start(); then there is nothing to stop.
 */
int mk_bench_spin_start(struct mk_spin *spin, int cpu)
{
	spin->stop = 0;
	return mk_port_start(cpu, &spin->call, mk_bench_spin, spin);
}

/**
 * mk_bench_spin_stop() - let the CPU go
 * @spin: started
 *
 * Context: process.
 */
void mk_bench_spin_stop(struct mk_spin *spin)
{
	WRITE_ONCE(spin->stop, 1);
	mk_port_wait(&spin->call);
}

/*
 * PING is answered with the time at which it was dispatched, and all the cycles
 * that the port has polled in vain until then.
 */
static void mk_handle_ping(struct mk_endpoint *ep,
			   const struct mk_message *msg)
{
	u64 now = mk_cycles();
	u64 word[MK_LINE_WORDS] = {
		now,
		ep->port->count.idle_cycles + now - ep->port->quiet_since,
	};

	if (msg->flags & MK_MSG_CALL)
		mk_endpoint_reply(ep, msg, word, 1);
}

/**
 * mk_bench_handlers() - set the handlers that experiments share
 *
 * Context: process.
 */
void mk_bench_handlers(void)
{
	mk_handler_set(MK_TYPE_PING, mk_handle_ping);
}
