// SPDX-License-Identifier: GPL-2.0
/*
 * See served.h. Here: what is the same for all servers, and memory that Linux
 * serves, or nobody has to.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "served.h"
#include "served_priv.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

__thread sigjmp_buf served_escape;
__thread int served_escapes;

static struct served *now;
static struct sigaction before;

/* --- memory of Linux ---------------------------------------------------------- */

/* The policy is that of the memory, whoever maps it. */
static int spread(const struct served *served)
{
	unsigned long mask = served->mask;

	if (!(served->how & MK_SERVE_SPREAD) || served->nodes < 2)
		return 0;
	return syscall(SYS_mbind, served->at, served->pages * SERVED_PAGE,
		       MPOL_INTERLEAVE, &mask, sizeof(mask) * 8 + 1, 0) ?
	       -errno : 0;
}

int served_shared(struct served *served)
{
	int fd = memfd_create("served", MFD_CLOEXEC), ret = 0, i;
	size_t bytes = served->pages * SERVED_PAGE;

	if (fd < 0)
		return -errno;
	/* The views lie in a row. */
	served->at = mmap(NULL, bytes * served->nodes, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (served->at == MAP_FAILED) {
		served->at = NULL;
		ret = -errno;
	} else {
		served->views = served->nodes;
		served->stride = bytes;
		ret = ftruncate(fd, bytes) ? -errno : 0;
	}
	for (i = 0; i < served->nodes && !ret; i++)
		if (mmap(served->at + i * bytes, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			ret = -errno;
	close(fd);
	return ret ? ret : spread(served);
}

void served_unshare(struct served *served)
{
	if (served->at)
		munmap(served->at, served->views * served->stride);
	served->at = NULL;
}

static int linux_begin(struct served *served)
{
	int ret = served_shared(served);

	if (!ret && served->who == MK_SERVER_NONE &&
	    madvise(served->at, served->views * served->stride,
		    MADV_POPULATE_READ))
		ret = -errno;
	return ret;
}

static int linux_take(struct served *served, __u32 first, __u32 pages)
{
	char *at = served->at + first * SERVED_PAGE;
	int i;

	if (served->who == MK_SERVER_NONE)
		return 0;
	for (i = 0; i < served->views; i++, at += served->stride)
		if (madvise(at, pages * SERVED_PAGE, MADV_DONTNEED))
			return -errno;
	return 0;
}

static void linux_counts(struct served *served, __u64 *words)
{
	(void)served;
	(void)words;
}

static const struct served_ops by_linux = {
	.begin = linux_begin, .take = linux_take, .counts = linux_counts,
	.end = served_unshare,
};

/* --- any memory ---------------------------------------------------------------- */

static const struct served_ops *const servers[MK_SERVERS] = {
	[MK_SERVER_NONE] = &by_linux,
	[MK_SERVER_KERNEL] = &by_linux,
	[MK_SERVER_USERFAULTFD] = &served_by_uffd,
	[MK_SERVER_SHM] = &served_by_pagers,
	[MK_SERVER_URPC] = &served_by_pagers,
	[MK_SERVER_BOTH] = &served_by_pagers,
};

/* Of a touch: to where it says. Of anything else: as ever. */
static void not_served(int number)
{
	if (served_escapes)
		siglongjmp(served_escape, 1);
	signal(number, SIG_DFL);
}

void served_stop(struct served *served)
{
	const __u64 one = 1;

	if (write(served->stop, &one, sizeof(one)) < 0)
		return;
}

void served_end(void)
{
	if (!now)
		return;
	now->ops->end(now);
	if (now->stop >= 0)
		close(now->stop);
	sigaction(SIGBUS, &before, NULL);
	free(now);
	now = NULL;
}

/* Those that mean something else to who gave the job. */
static int plain(int error)
{
	return error == -ETIMEDOUT || error == -EINTR || error == -ECANCELED ?
	       -EIO : error;
}

int served_begin(const struct mk_agent_job *job, __u64 where[2])
{
	/* It leaves by a jump, and is not to be blocked after that. */
	struct sigaction action = {
		.sa_handler = not_served, .sa_flags = SA_NODEFER,
	};
	int node, ret;

	served_end();
	if (job->count >= MK_SERVERS || !job->cycles || !job->pages)
		return -EINVAL;
	now = calloc(1, sizeof(*now));
	if (!now)
		return -ENOMEM;
	now->who = job->count;
	now->how = job->how;
	now->pages = job->pages;
	now->mask = job->cycles;
	now->ops = servers[now->who];
	for (node = 0; node < MK_SERVE_NODES_MAX; node++)
		if (now->mask & (1ull << node))
			now->node[now->nodes++] = node;
	sigaction(SIGBUS, &action, &before);
	now->stop = eventfd(0, EFD_CLOEXEC);
	ret = now->stop < 0 ? -errno : now->ops->begin(now);
	if (ret) {
		served_end();
		return plain(ret);
	}
	where[0] = (unsigned long)now->at;
	where[1] = now->stride;
	return 0;
}

int served_take(const struct mk_agent_job *job, __u64 *sample)
{
	__u32 first;
	__u64 start;
	int ret;

	if (!now || job->address < (unsigned long)now->at)
		return -EINVAL;
	first = (job->address - (unsigned long)now->at) / SERVED_PAGE;
	start = served_cycles();
	ret = now->ops->take(now, first, job->pages);
	*sample = served_cycles() - start;
	return plain(ret);
}

int served_counts(__u64 *words)
{
	if (!now)
		return -EINVAL;
	memset(words, 0,
	       MK_SERVE_NODES_MAX * MK_SERVED_WORDS * sizeof(*words));
	now->ops->counts(now, words);
	return 0;
}

int served_why(void)
{
	return now && now->ops->refused && now->ops->refused(now) ? -ENOMEM : -EIO;
}
