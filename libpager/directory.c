// SPDX-License-Identifier: GPL-2.0
/*
 * The directory: what is known of each page, in a memfd that the pagers share.
 *
 * A page has two states, and a word that says which one counts. Whoever has the
 * page writes the other state, and then the word. So a pager may die at any
 * moment, and what is found after it is one state or the next, whole.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

int64_t pager_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* A lock that a pager takes with it when it dies is found and put right. */
static int locks_init(struct pager_directory *directory)
{
	pthread_mutexattr_t attr;
	int ret;
	u32 i;

	ret = pthread_mutexattr_init(&attr);
	if (ret)
		return -ret;
	ret = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (!ret)
		ret = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (i = 0; !ret && i < directory->pages; i++)
		ret = pthread_mutex_init(&directory->entry[i].lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return -ret;
}

int pager_directory_create(struct pager_group *group)
{
	struct pager_directory *directory;
	int ret;

	group->bytes = sizeof(*directory) +
		       group->options.pages * sizeof(struct pager_entry);
	group->memory = memfd_create("pager", MFD_CLOEXEC);
	if (group->memory < 0)
		return -errno;
	if (ftruncate(group->memory, group->bytes))
		return -errno;
	directory = mmap(NULL, group->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			 group->memory, 0);
	if (directory == MAP_FAILED)
		return -errno;
	directory->version = PAGER_VERSION;
	directory->pages = group->options.pages;
	directory->nodes = group->options.nodes;
	directory->policy = group->options.policy;
	directory->sync = group->options.sync;
	group->directory = directory;
	ret = group->options.sync == PAGER_URPC ? 0 : locks_init(directory);
	return ret;
}

struct pager_entry *pager_entry(const struct pager *pager, u32 page)
{
	return &pager->group->directory->entry[page];
}

const struct pager_state *pager_entry_state(const struct pager_entry *entry)
{
	/* Pairs with pager_entry_write(), for who looks without having the page. */
	return &entry->state[smp_load_acquire(&entry->which) & 1];
}

/* The page is the caller's. */
void pager_entry_write(struct pager_entry *entry,
		       const struct pager_state *state)
{
	u32 next = !(READ_ONCE(entry->which) & 1);

	entry->state[next] = *state;
	/* The whole state before the word: the writer may die in between. */
	smp_store_release(&entry->which, next);
}

/*
 * Put right what a pager left that died while it had the page, which is the
 * caller's now. It may have taken the page away from nodes or not, and it may
 * have answered. So no node maps it any more, and frames that do not count go.
 */
void pager_mend(struct pager *pager, u32 page)
{
	const struct pager_policy_ops *policy =
		pager_policy_ops(pager->group->options.policy);
	struct pager_entry *entry = pager_entry(pager, page);
	struct pager_state state = *pager_entry_state(entry);
	u64 drop = 0;
	int node;

	pager_count(&pager->seat->counts.mended, 1);
	/* If this fails the state says still who may map it. */
	if (!pager_take_away(pager, page, &state, ~0ull))
		state.mapped = 0;
	for (node = 0; node < PAGER_NODES_MAX && !state.mapped; node++)
		if ((policy->one(&state) && state.owner != node + 1u) ||
		    state.fresh == node + 1u)
			drop |= node_bit(node);
	state.fresh = 0;
	pager_drop(pager, page, &state, drop);
}
