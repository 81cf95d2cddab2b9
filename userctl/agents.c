// SPDX-License-Identifier: GPL-2.0
/*
 * See agents.h. What each job is stands in module/uapi.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../module/uapi.h"
#include "agents.h"
#include "served.h"

#define PAGE 4096ul

/* Looks, a millisecond apart, until all of them are about to wait. */
#define PATIENCE 2000

/* From there to where they do. */
#define SETTLE_MS 20

static atomic_int ready;

/* Why the first one ended that should not have: an errno. */
static atomic_int trouble;

struct agent {
	int fd;
	struct mk_agent_job job;
	__u64 samples[MK_AGENT_SAMPLES_MAX];
};

static volatile char *page_of(const struct agent *agent, __u32 page)
{
	return (volatile char *)(agent->job.address + page * PAGE);
}

static void touch(const struct agent *agent)
{
	__u32 i;

	for (i = 0; i < agent->job.pages; i++)
		*page_of(agent, i);
}

/* If it is memory that somebody serves, and that one does not, it says so. */
static int touched(struct agent *agent, __u64 *sample)
{
	__u64 start;

	if (sigsetjmp(served_escape, 0)) {
		served_escapes = 0;
		return -served_why();
	}
	served_escapes = 1;
	start = served_cycles();
	touch(agent);
	*sample = served_cycles() - start;
	served_escapes = 0;
	return 0;
}

static void dirty(const struct agent *agent)
{
	__u32 i;

	for (i = 0; i < agent->job.pages; i++)
		*page_of(agent, i) = 1;
}

/* At once, and never over what somebody else has put there. */
static int map(const struct agent *agent, int flags)
{
	void *address = (void *)agent->job.address;

	return mmap(address, agent->job.pages * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | flags,
		    -1, 0) == address ? 0 : -1;
}

static void spin(struct agent *agent)
{
	__u64 start = __rdtsc();

	while (__rdtsc() - start < agent->job.cycles) {
		touch(agent);
		agent->job.loops++;
	}
}

static int protect(struct agent *agent, __u64 *sample)
{
	void *address = (void *)agent->job.address;
	size_t len = agent->job.pages * PAGE;
	__u64 start;
	int ret;

	dirty(agent);
	start = served_cycles();
	ret = mprotect(address, len, PROT_READ);
	*sample = served_cycles() - start;
	if (!ret)
		ret = mprotect(address, len, PROT_READ | PROT_WRITE);
	return ret ? errno : 0;
}

static int unmap(struct agent *agent, __u64 *sample)
{
	void *address = (void *)agent->job.address;
	size_t len = agent->job.pages * PAGE;
	__u64 start;
	int ret;

	dirty(agent);
	start = served_cycles();
	ret = munmap(address, len);
	*sample = served_cycles() - start;
	if (!ret)
		ret = map(agent, 0);
	if (ret)
		return errno;
	dirty(agent);
	return 0;
}

static int populate(struct agent *agent, __u64 *sample)
{
	__u64 start;

	if (munmap((void *)agent->job.address, agent->job.pages * PAGE))
		return errno;
	start = served_cycles();
	if (map(agent, MAP_POPULATE))
		return errno;
	*sample = served_cycles() - start;
	return 0;
}

static int fault(struct agent *agent, __u64 *sample)
{
	__u64 start;

	if (madvise((void *)agent->job.address, agent->job.pages * PAGE,
		    MADV_DONTNEED))
		return errno;
	start = served_cycles();
	dirty(agent);
	*sample = served_cycles() - start;
	return 0;
}

/* Jobs that bring something else than a sample each time. */
static int work_once(struct agent *agent)
{
	struct mk_agent_job *job = &agent->job;

	switch (job->kind) {
	case MK_JOB_SPIN:
		spin(agent);
		break;
	case MK_JOB_SERVE:
		job->nr_samples = 2;
		return -served_begin(job, agent->samples);
	case MK_JOB_SERVED:
		job->nr_samples = MK_SERVE_NODES_MAX * MK_SERVED_WORDS;
		return -served_counts(agent->samples);
	case MK_JOB_UNSERVE:
		served_end();
		break;
	}
	return 0;
}

static int is_once(__u32 kind)
{
	return kind == MK_JOB_SPIN || kind == MK_JOB_SERVE ||
	       kind == MK_JOB_SERVED || kind == MK_JOB_UNSERVE;
}

static void work(struct agent *agent)
{
	struct mk_agent_job *job = &agent->job;
	__u32 i;

	job->nr_samples = 0;
	job->error = 0;
	job->loops = 0;
	if (is_once(job->kind))
		job->error = work_once(agent);
	for (i = 0; !is_once(job->kind) && i < job->count && !job->error; i++) {
		__u64 *sample = &agent->samples[job->nr_samples];

		switch (job->kind) {
		case MK_JOB_TOUCH:
			job->error = touched(agent, sample);
			break;
		case MK_JOB_MPROTECT:
			job->error = protect(agent, sample);
			break;
		case MK_JOB_MUNMAP:
			job->error = unmap(agent, sample);
			break;
		case MK_JOB_MMAP:
			job->error = populate(agent, sample);
			break;
		case MK_JOB_FAULT:
			job->error = fault(agent, sample);
			break;
		case MK_JOB_TAKE:
			job->error = -served_take(job, sample);
			break;
		default:
			job->error = EINVAL;
		}
		if (++job->nr_samples == MK_AGENT_SAMPLES_MAX)
			break;
	}
	job->done = job->id;
}

static void in_trouble(void)
{
	int none = 0;

	atomic_compare_exchange_strong(&trouble, &none, errno);
}

/* A result that cannot be taken is brought as that error, so that nobody waits for it. */
static int wait_for_job(const struct agent *agent, struct mk_agent_job *job)
{
	for (;;) {
		if (!ioctl(agent->fd, MK_IOC_AGENT, job))
			return 0;
		if (errno == EINTR)
			continue;
		if (!job->nr_samples)
			return -1;
		job->nr_samples = 0;
		job->error = errno;
	}
}

static void *agent_thread(void *arg)
{
	struct agent *agent = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(agent->job.cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		in_trouble();
		return NULL;
	}
	agent->job.samples = (__u64)(unsigned long)agent->samples;
	ready++;
	for (;;) {
		if (wait_for_job(agent, &agent->job)) {
			in_trouble();
			return NULL;
		}
		if (agent->job.kind == MK_JOB_END)
			return NULL;
		work(agent);
	}
}

static void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

int agents_start(void)
{
	int fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	int cpu, looks, started = 0;
	pthread_t thread;
	cpu_set_t online;

	if (fd < 0 || sched_getaffinity(0, sizeof(online), &online)) {
		in_trouble();
		return 0;
	}
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		struct agent *agent;

		if (!CPU_ISSET(cpu, &online))
			continue;
		agent = calloc(1, sizeof(*agent));
		if (!agent) {
			in_trouble();
			break;
		}
		agent->fd = fd;
		agent->job.cpu = cpu;
		if (pthread_create(&thread, NULL, agent_thread, agent)) {
			free(agent);
			break;
		}
		pthread_detach(thread);
		started++;
	}
	for (looks = 0; ready < started && looks < PATIENCE; looks++)
		sleep_ms(1);
	sleep_ms(SETTLE_MS);
	return ready;
}

int agents_error(int error)
{
	return error == -ENODEV && trouble ? -trouble : error;
}
