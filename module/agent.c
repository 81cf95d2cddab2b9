// SPDX-License-Identifier: GPL-2.0
/*
 * Agents: user threads that do jobs for an experiment.
 *
 * An agent waits, has a job, or has a result:
 *
 *	away	the thread has not called yet, or is gone
 *	waits	it sleeps in the ioctl
 *	given	a job is there for it
 *	works	it has returned to user space with the job
 *	done	it has come back and left the result
 *
 * All of it is under one mutex: jobs take milliseconds.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "module/agent.h"
#include "module/experiment.h"

/* How long mk_agent_do() waits, and how often it looks at the run meanwhile. */
#define MK_AGENT_PATIENCE_MS	20000
#define MK_AGENT_LOOK_MS	50

enum mk_agent_state {
	MK_AGENT_AWAY,
	MK_AGENT_WAITS,
	MK_AGENT_GIVEN,
	MK_AGENT_WORKS,
	MK_AGENT_DONE,
};

/**
 * struct mk_agent - one agent
 * @link: in the list of all
 * @file: to which it belongs
 * @mm: whose thread it is; held by mm_count, so that no other has its address
 * @cpu: where it is bound
 * @inside: its thread sleeps in the ioctl
 * @state: enum mk_agent_state
 * @id: of the latest job
 * @order: the job
 * @samples: the result's, MK_AGENT_SAMPLES_MAX; NULL before the first result
 * @nr_samples: how many
 * @error: the result's, a positive errno
 * @loops: the result's
 */
struct mk_agent {
	struct list_head link;
	struct file *file;
	struct mm_struct *mm;
	int cpu;
	bool inside;
	enum mk_agent_state state;
	u64 id;
	struct mk_agent_order order;
	u64 *samples;
	u32 nr_samples;
	u32 error;
	u64 loops;
};

static LIST_HEAD(mk_agents);
static DEFINE_MUTEX(mk_agents_lock);	/* protects all of it */
static DECLARE_WAIT_QUEUE_HEAD(mk_agents_wait);
static u64 mk_agent_last_id;

static struct mk_agent *mk_agent_find(int cpu)
{
	struct mk_agent *agent;

	lockdep_assert_held(&mk_agents_lock);
	list_for_each_entry(agent, &mk_agents, link)
		if (agent->mm == current->mm && agent->cpu == cpu)
			return agent;
	return NULL;
}

/* --- an experiment --------------------------------------------------------- */

/**
 * mk_agents_waiting() - where agents of this process wait for a job
 * @cpus: written
 *
 * Context: process.
 */
void mk_agents_waiting(struct cpumask *cpus)
{
	struct mk_agent *agent;

	cpumask_clear(cpus);
	mutex_lock(&mk_agents_lock);
	list_for_each_entry(agent, &mk_agents, link)
		if (agent->mm == current->mm && agent->inside &&
		    agent->state != MK_AGENT_GIVEN)
			cpumask_set_cpu(agent->cpu, cpus);
	mutex_unlock(&mk_agents_lock);
}

/**
 * mk_agents_needed() - the same, for an experiment that is nothing without them
 * @cpus: written
 * @among: CPUs that may take part
 * @what: name of the experiment
 *
 * Context: process.
 * Return: 0; -ENODEV if there is none among these CPUs, and a line in the log.
 */
int mk_agents_needed(struct cpumask *cpus, const struct cpumask *among,
		     const char *what)
{
	mk_agents_waiting(cpus);
	if (cpumask_and(cpus, cpus, among))
		return 0;
	pr_notice_ratelimited("experiments/%s: needs agents on CPUs %*pbl; mkctl run brings them\n",
			      what, cpumask_pr_args(among));
	return -ENODEV;
}

/**
 * mk_agent_give() - give the agent of a CPU a job
 * @cpu: which
 * @order: the job
 *
 * A result that nobody has taken is forgotten.
 *
 * Context: process.
 * Return: 0; -ENOENT if there is none, -EBUSY if it is at work.
 */
int mk_agent_give(int cpu, const struct mk_agent_order *order)
{
	struct mk_agent *agent;
	int err = 0;

	mutex_lock(&mk_agents_lock);
	agent = mk_agent_find(cpu);
	if (!agent) {
		err = -ENOENT;
	} else if (!agent->inside || agent->state == MK_AGENT_GIVEN) {
		err = -EBUSY;
	} else {
		agent->order = *order;
		agent->id = ++mk_agent_last_id;
		agent->state = MK_AGENT_GIVEN;
	}
	mutex_unlock(&mk_agents_lock);
	if (!err)
		wake_up_all(&mk_agents_wait);
	return err;
}

/* 1 with the result, 0 while there is none, -ENOENT. */
static int mk_agent_try(int cpu, struct mk_agent_result *result)
{
	struct mk_agent *agent;
	int ret = 0;

	mutex_lock(&mk_agents_lock);
	agent = mk_agent_find(cpu);
	if (!agent) {
		ret = -ENOENT;
	} else if (agent->state == MK_AGENT_DONE) {
		result->nr = min(agent->nr_samples, result->room);
		if (result->nr)
			memcpy(result->samples, agent->samples,
			       array_size(result->nr, sizeof(u64)));
		result->error = -(int)agent->error;
		result->loops = agent->loops;
		agent->state = MK_AGENT_WAITS;
		ret = 1;
	}
	mutex_unlock(&mk_agents_lock);
	return ret;
}

/**
 * mk_agent_take() - wait for the result of the job that was given
 * @cpu: whose agent
 * @result: written
 * @timeout_ms: how long at most
 *
 * Context: process; sleeps.
 * Return: 0; -ENOENT if the agent is gone, -ETIMEDOUT if it does not come back,
 * -EINTR if a signal came.
 */
int mk_agent_take(int cpu, struct mk_agent_result *result,
		  unsigned int timeout_ms)
{
	long left = msecs_to_jiffies(timeout_ms);
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int ret;

	/* Not wait_event(): to look takes a mutex. */
	add_wait_queue(&mk_agents_wait, &wait);
	while (!(ret = mk_agent_try(cpu, result))) {
		if (signal_pending(current))
			ret = -EINTR;
		else if (!left)
			ret = -ETIMEDOUT;
		if (ret)
			break;
		left = wait_woken(&wait, TASK_INTERRUPTIBLE, left);
	}
	remove_wait_queue(&mk_agents_wait, &wait);
	return min(ret, 0);
}

/**
 * mk_agent_do() - give a job and wait for its result
 * @run: for which; once it is stopped, nothing is waited for any more
 * @cpu: whose agent
 * @order: the job
 * @result: written
 *
 * Context: process; sleeps.
 * Return: 0; what the agent met; as mk_agent_give(), mk_agent_take() or
 * mk_run_stopped(). The agent is still at work after -ETIMEDOUT, -EINTR and
 * -ECANCELED, and what it works on must stay.
 */
int mk_agent_do(const struct mk_run *run, int cpu,
		const struct mk_agent_order *order,
		struct mk_agent_result *result)
{
	int looks = MK_AGENT_PATIENCE_MS / MK_AGENT_LOOK_MS;
	int err;

	err = mk_agent_give(cpu, order);
	if (err)
		return err;
	do {
		err = mk_agent_take(cpu, result, MK_AGENT_LOOK_MS);
	} while (err == -ETIMEDOUT && !mk_run_stopped(run) && --looks);
	if (err)
		return mk_run_stopped(run) ?: err;
	return result->error;
}

/* --- the thread ------------------------------------------------------------ */

/* Its own, found or made, and marked as inside. */
static struct mk_agent *mk_agent_enter(struct file *file, int cpu)
{
	struct mk_agent *agent = mk_agent_find(cpu);

	if (agent)
		return agent->inside || agent->file != file ?
			ERR_PTR(-EBUSY) : agent;
	agent = kzalloc(sizeof(*agent), GFP_KERNEL_ACCOUNT);
	if (!agent)
		return ERR_PTR(-ENOMEM);
	mmgrab(current->mm);
	agent->mm = current->mm;
	agent->cpu = cpu;
	agent->file = file;
	list_add_tail(&agent->link, &mk_agents);
	return agent;
}

/* What it brings; of another job than the latest it is forgotten. */
static void mk_agent_bring(struct mk_agent *agent,
			   const struct mk_agent_job *job, u64 *samples)
{
	if (agent->state != MK_AGENT_WORKS || job->done != agent->id) {
		kvfree(samples);
		agent->state = MK_AGENT_WAITS;
		return;
	}
	kvfree(agent->samples);
	agent->samples = samples;
	agent->nr_samples = job->nr_samples;
	agent->error = job->error;
	agent->loops = job->loops;
	agent->state = MK_AGENT_DONE;
}

static bool mk_agent_given(const struct mk_agent *agent)
{
	bool given;

	mutex_lock(&mk_agents_lock);
	given = agent->state == MK_AGENT_GIVEN;
	mutex_unlock(&mk_agents_lock);
	return given;
}

static void mk_agent_job_fill(struct mk_agent_job *job,
			      const struct mk_agent *agent)
{
	job->id = agent->id;
	job->kind = agent->order.kind;
	job->pages = agent->order.pages;
	job->address = agent->order.address;
	job->count = agent->order.count;
	job->how = agent->order.how;
	job->cycles = agent->order.cycles;
}

static u64 *mk_agent_samples(const struct mk_agent_job *job)
{
	u64 *samples;

	if (!job->nr_samples)
		return NULL;
	samples = kvmalloc_array(job->nr_samples, sizeof(*samples),
				 GFP_KERNEL_ACCOUNT);
	if (!samples)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(samples, u64_to_user_ptr(job->samples),
			   array_size(job->nr_samples, sizeof(*samples)))) {
		kvfree(samples);
		return ERR_PTR(-EFAULT);
	}
	return samples;
}

/**
 * mk_agent_ioctl() - MK_IOC_AGENT: bring a result and wait for a job
 * @file: the device's
 * @arg: struct mk_agent_job, in and out
 *
 * Context: process with an mm; sleeps until there is a job, or a signal.
 * Return: 0; -EINVAL for a field that cannot be, -EBUSY if there is another agent
 * of this CPU in this process, -EINTR, -EFAULT, -ENOMEM.
 */
long mk_agent_ioctl(struct file *file, struct mk_agent_job __user *arg)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct mk_agent_job job;
	struct mk_agent *agent;
	u64 *samples;
	int err = -EINTR;

	if (copy_from_user(&job, arg, sizeof(job)))
		return -EFAULT;
	if (job.cpu < 0 || job.cpu >= nr_cpu_ids || !cpu_possible(job.cpu) ||
	    job.flags || job.nr_samples > MK_AGENT_SAMPLES_MAX ||
	    job.error > MAX_ERRNO)
		return -EINVAL;
	samples = mk_agent_samples(&job);
	if (IS_ERR(samples))
		return PTR_ERR(samples);

	mutex_lock(&mk_agents_lock);
	agent = mk_agent_enter(file, job.cpu);
	if (IS_ERR(agent)) {
		mutex_unlock(&mk_agents_lock);
		kvfree(samples);
		return PTR_ERR(agent);
	}
	agent->inside = true;
	mk_agent_bring(agent, &job, samples);
	mutex_unlock(&mk_agents_lock);
	wake_up_all(&mk_agents_wait);

	/* The file is open as long as we are in here, and keeps the agent. */
	add_wait_queue(&mk_agents_wait, &wait);
	while (!mk_agent_given(agent) && !signal_pending(current))
		wait_woken(&wait, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	remove_wait_queue(&mk_agents_wait, &wait);

	mutex_lock(&mk_agents_lock);
	agent->inside = false;
	if (agent->state == MK_AGENT_GIVEN) {
		mk_agent_job_fill(&job, agent);
		agent->state = MK_AGENT_WORKS;
		err = 0;
	} else if (agent->state == MK_AGENT_WAITS) {
		agent->state = MK_AGENT_AWAY;
	}
	mutex_unlock(&mk_agents_lock);
	if (err)
		return err;
	return copy_to_user(arg, &job, sizeof(job)) ? -EFAULT : 0;
}

/**
 * mk_agents_release() - forget the agents of a file that is closed
 * @file: the device's
 *
 * Context: process.
 */
void mk_agents_release(struct file *file)
{
	struct mk_agent *agent, *next;

	mutex_lock(&mk_agents_lock);
	list_for_each_entry_safe(agent, next, &mk_agents, link) {
		if (agent->file != file)
			continue;
		list_del(&agent->link);
		mmdrop(agent->mm);
		kvfree(agent->samples);
		kfree(agent);
	}
	mutex_unlock(&mk_agents_lock);
	wake_up_all(&mk_agents_wait);
}
