// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: are all replicas equal?
 *
 * All members vote on a change of membership that never comes, which holds the
 * table still; then each monitor copies its replica for the checker. Nobody
 * reads another's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/slab.h>

#include "shootdown/agree.h"
#include "urpc/port.h"

/* How long a monitor may take to copy its replica. */
#define MK_CHECK_JIFFIES	(5 * HZ)

#define MK_CHECK_TRIES		50

/**
 * struct mk_probe - a copy of a replica
 * @work: makes it
 * @done: has run
 * @joined: a member
 * @open: changes that are locked
 * @view: see struct mk_replica
 * @words: mk_replica_words() of them
 */
struct mk_probe {
	struct mk_work work;
	struct completion done;
	bool joined;
	unsigned int open;
	u64 view;
	u64 words[];
};

static void mk_probe_work(struct mk_port *port, struct mk_work *work)
{
	struct mk_probe *probe = container_of(work, struct mk_probe, work);
	struct mk_replica *replica = mk_replica(port->cpu);
	u32 i;

	if (READ_ONCE(mk_agree_fault) == MK_AGREE_PRIVATE &&
	    port->cpu == cpumask_last(cpu_online_mask)) {
		WRITE_ONCE(mk_agree_fault, MK_AGREE_NO_FAULT);
		replica->frame[MK_FRAMES - 1] ^= MK_FRAME_PAGE_TABLE;
	}
	probe->joined = replica->joined;
	probe->view = replica->view;
	probe->open = replica->nr_open;
	for (i = 0; i < mk_replica_words(); i++)
		probe->words[i] = mk_replica_word(replica, i);
	complete(&probe->done);
}

/* NULL if the CPU has no monitor. */
static struct mk_probe *mk_probe(int cpu)
{
	struct mk_probe *probe;

	probe = kvzalloc(struct_size(probe, words, mk_replica_words()),
			 GFP_KERNEL);
	if (!probe)
		return ERR_PTR(-ENOMEM);
	probe->work.fn = mk_probe_work;
	init_completion(&probe->done);
	if (mk_port_push(mk_port(cpu), &probe->work, NULL)) {
		kvfree(probe);
		return NULL;
	}
	/* Each port runs its works, or closes and runs them then. */
	wait_for_completion(&probe->done);
	return probe;
}

static u32 mk_probe_compare(int cpu, const struct mk_probe *probe, int other,
			    const struct mk_probe *first)
{
	u32 faults = 0, i;

	if (probe->open) {
		pr_err("check: CPU %d has %u changes locked that nobody makes\n",
		       cpu, probe->open);
		faults++;
	}
	if (probe->view != first->view) {
		pr_err("check: CPU %d is in view %llu, CPU %d in view %llu\n",
		       cpu, probe->view, other, first->view);
		faults++;
	}
	for (i = 0; i < mk_replica_words(); i++) {
		if (probe->words[i] == first->words[i])
			continue;
		if (!faults++)
			pr_err("check: CPU %d and CPU %d differ from word %u on: %016llx, %016llx\n",
			       cpu, other, i, probe->words[i],
			       first->words[i]);
	}
	return faults;
}

static int mk_check_all(u32 *faults)
{
	struct mk_probe *probe, *first = NULL;
	int cpu, other = -1, err = 0;

	for_each_online_cpu(cpu) {
		probe = mk_probe(cpu);
		if (IS_ERR(probe)) {
			err = PTR_ERR(probe);
			break;
		}
		if (!probe)
			continue;
		if (!probe->joined) {
			kvfree(probe);
			continue;
		}
		if (!first) {
			first = probe;
			other = cpu;
		}
		*faults += mk_probe_compare(cpu, probe, other, first);
		if (probe != first)
			kvfree(probe);
	}
	kvfree(first);
	return err;
}

/* Hold the table still, look, let it go. */
static int mk_check_try(struct mk_txn *txn, int cpu, u32 *faults)
{
	unsigned long deadline = jiffies + MK_CHECK_JIFFIES;
	int err;

	err = mk_txn_hand(txn, cpu);
	if (err)
		return err;
	while (!wait_for_completion_timeout(&txn->frozen, HZ / 50 ?: 1) &&
	       !completion_done(&txn->done) && time_before(jiffies, deadline))
		mk_txn_nudge(txn, cpu);
	err = -EAGAIN;
	if (completion_done(&txn->frozen))
		err = mk_check_all(faults);
	WRITE_ONCE(txn->cancelled, -ECANCELED);
	mk_txn_nudge(txn, READ_ONCE(txn->cpu));
	mk_txn_wait(txn, false);
	return err;
}

/**
 * mk_agree_check() - compare all replicas
 * @faults: written: how many faults there are; each kind has a line in the log
 *
 * Holds up all changes for as long as it takes.
 *
 * Context: process, not a port's thread; sleeps, bounded.
 * Return: 0; -EBUSY if the table could not be held still, -ENOMEM.
 */
int mk_agree_check(u32 *faults)
{
	struct mk_txn *txn;
	unsigned int try;
	int err = -EAGAIN, cpu;

	for (try = 0; try < MK_CHECK_TRIES && err == -EAGAIN; try++) {
		for_each_online_cpu(cpu) {
			txn = mk_txn_alloc(GFP_KERNEL);
			if (!txn)
				return -ENOMEM;
			txn->change.kind = MK_CHANGE_CHECK;
			*faults = 0;
			err = mk_check_try(txn, cpu, faults);
			mk_txn_put(txn);
			if (err != -ENODEV)
				break;
		}
		if (err == -EAGAIN)
			schedule_timeout_idle(1 + try % 4);
	}
	return err == -EAGAIN ? -EBUSY : err;
}
