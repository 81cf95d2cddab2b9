// SPDX-License-Identifier: GPL-2.0
/*
 * The machine of the tests: see fake.h.
 */
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fake.h"

struct fake *fake;

struct side {
	struct pager_kernel kernel;
	int node;
};

static int node_of(struct pager_kernel *kernel)
{
	return ((struct side *)kernel)->node;
}

static void lock(void)
{
	int ret = pthread_mutex_lock(&fake->lock);

	/* Whoever died there had changed nothing: see enter(). */
	if (ret == EOWNERDEAD)
		ret = pthread_mutex_consistent(&fake->lock);
	if (ret)
		abort();
}

static void unlock(void)
{
	pthread_mutex_unlock(&fake->lock);
}

static void wrong(const char *what)
{
	if (fake->wrong++ < 5)
		printf("# %s\n", what);
}

/* Where pagers die: between operations of the kernel, as any process does. */
static void enter(struct pager_kernel *kernel)
{
	struct fake_node *node = &fake->node[node_of(kernel)];
	u32 n = __atomic_add_fetch(&node->operations, 1, __ATOMIC_RELAXED);

	lock();
	if (node->die_at != n)
		return;
	node->die_at = 0;
	node->deaths++;
	raise(SIGKILL);
}

/* Nobody dies any more: who was to is dead when this returns, or will not be. */
void fake_spare(int node)
{
	lock();
	fake->node[node].die_at = 0;
	unlock();
}

static struct fake_request *find(struct fake_node *node, u64 id)
{
	int i;

	for (i = 0; i < DEPTH; i++)
		if (node->request[i].id == id)
			return &node->request[i];
	return NULL;
}

static bool posted(struct fake_node *node)
{
	int i;

	for (i = 0; i < DEPTH; i++)
		if (node->request[i].state == REQUEST_POSTED)
			return true;
	return false;
}

/* Nobody else takes pages away. */
static int next(struct pager_kernel *kernel, struct pager_want *want,
		uint64_t *notices)
{
	struct fake_node *node = &fake->node[node_of(kernel)];
	int i, ret = 0;

	(void)notices;
	/* Not counted: how often it looks is chance. */
	lock();
	for (i = 0; i < DEPTH && !ret; i++) {
		struct fake_request *request = &node->request[i];

		if (request->state != REQUEST_POSTED)
			continue;
		request->state = REQUEST_TAKEN;
		request->seq = fake->seq[request->page];
		*want = (struct pager_want){
			.id = request->id, .seq = request->seq,
			.page = request->page, .node = node_of(kernel),
			.rights = request->rights,
		};
		ret = 1;
	}
	unlock();
	return ret;
}

static void install(struct fake_request *request, int node, u32 frame, u32 rights)
{
	struct fake_record *record = &fake->record[request->page][node];

	if (frame >= FRAMES || !fake->frame_node[frame])
		wrong("an answer with a frame that there is not");
	else if (record->frame && record->frame != frame + 1)
		wrong("an answer with another frame than there is");
	else if (request->rights & ~rights)
		wrong("an answer with fewer rights than are needed");
	record->frame = frame + 1;
	record->rights |= rights;
}

static int answer(struct pager_kernel *kernel, const struct pager_want *want,
		  u32 frame, u32 rights)
{
	struct fake_node *node = &fake->node[node_of(kernel)];
	struct fake_request *request;

	enter(kernel);
	request = find(node, want->id);
	if (!request || request->state != REQUEST_TAKEN) {
		unlock();
		return 0;
	}
	request->state = rights ? REQUEST_ANSWERED : REQUEST_REFUSED;
	if (!rights)
		;
	else if (want->seq != fake->seq[want->page])
		request->state = REQUEST_POSTED;
	else
		install(request, node_of(kernel), frame, rights);
	unlock();
	return 0;
}

/* How many from one on are free, of so many that are wanted. */
static u32 free_from(u32 first, u32 count)
{
	u32 n = 0;

	while (n < count && first + n < FRAMES && !fake->frame_node[first + n])
		n++;
	return n;
}

static int get(struct pager_kernel *kernel, int node, u32 count, u32 *first)
{
	int ret = -ENOMEM;
	u32 i, at = 0;

	enter(kernel);
	while (at < FRAMES && free_from(at, count) < count)
		at++;
	if (at < FRAMES && !fake->node[node].no_memory) {
		for (i = at; i < at + count; i++) {
			fake->frame_node[i] = node + 1;
			memset(fake->frame[i], 0, PAGE_BYTES);
		}
		*first = at;
		ret = 0;
	}
	unlock();
	return ret;
}

static bool in_use(u32 frame)
{
	int node;
	u32 page;

	for (page = 0; page < PAGES; page++)
		for (node = 0; node < NODES; node++)
			if (fake->record[page][node].frame == frame + 1)
				return true;
	return false;
}

static int put(struct pager_kernel *kernel, u32 frame)
{
	int ret = 0;

	enter(kernel);
	if (frame >= FRAMES || !fake->frame_node[frame]) {
		wrong("a frame given back that there is not");
		ret = -EINVAL;
	} else if (in_use(frame)) {
		wrong("a frame given back that is mapped");
		ret = -EBUSY;
	} else {
		fake->frame_node[frame] = 0;
	}
	unlock();
	return ret;
}

/* Not under the lock, which would order what nothing else does. */
static void *data(struct pager_kernel *kernel, u32 frame)
{
	if (READ_ONCE(fake->node[node_of(kernel)].die_at)) {
		enter(kernel);
		unlock();
	}
	/* Others come now, if they can. */
	sched_yield();
	return frame < FRAMES ? fake->frame[frame] : NULL;
}

static void take_away(u32 first, u32 pages, u64 nodes, u64 *seq)
{
	int node;
	u32 page;

	fake->next_seq++;
	fake->unmaps++;
	for (page = first; page < first + pages; page++) {
		fake->seq[page] = fake->next_seq;
		for (node = 0; node < NODES; node++)
			if (!nodes || (nodes & node_bit(node)))
				fake->record[page][node] =
					(struct fake_record){ 0 };
	}
	*seq = fake->next_seq;
}

static int unmap(struct pager_kernel *kernel, u32 first, u32 pages, u64 nodes,
		 u64 *seq)
{
	enter(kernel);
	take_away(first, pages, nodes, seq);
	unlock();
	return 0;
}

static void disarm(struct pager_kernel *kernel)
{
	struct fake_node *node = &fake->node[node_of(kernel)];
	u64 count;

	lock();
	node->asleep = 0;
	unlock();
	if (read(kernel->wake, &count, sizeof(count)) < 0)
		return;
}

static int arm(struct pager_kernel *kernel)
{
	struct fake_node *node = &fake->node[node_of(kernel)];
	bool there;

	lock();
	node->asleep = 1;
	there = posted(node);
	unlock();
	if (there)
		disarm(kernel);
	return there;
}

static void close_side(struct pager_kernel *kernel)
{
	free(kernel);
}

static const struct pager_kernel_ops ops = {
	.next = next, .answer = answer, .get = get, .put = put, .data = data,
	.unmap = unmap, .arm = arm, .disarm = disarm, .close = close_side,
};

static u64 nodes(void)
{
	return (1 << NODES) - 1;
}

static int create(const struct pager_options *options, int *region)
{
	(void)options;
	*region = -1;
	return 0;
}

/* What a predecessor took and did not answer is asked again. */
static int open_side(int region, const struct pager_options *options, int node,
		     u32 flags, struct pager_kernel **kernel)
{
	struct side *side = calloc(1, sizeof(*side));
	int i;

	(void)region;
	(void)options;
	(void)flags;
	if (!side)
		return -ENOMEM;
	side->node = node;
	side->kernel.ops = &ops;
	side->kernel.wake = fake->node[node].wake;
	side->kernel.file = -1;
	side->kernel.depth = DEPTH;
	lock();
	for (i = 0; i < DEPTH; i++)
		if (fake->node[node].request[i].state == REQUEST_TAKEN)
			fake->node[node].request[i].state = REQUEST_POSTED;
	unlock();
	*kernel = &side->kernel;
	return 0;
}

static int unmap_region(int region, const struct pager_options *options,
			u32 first, u32 pages, uint64_t *told)
{
	u64 seq;

	(void)region;
	(void)options;
	lock();
	take_away(first, pages, 0, &seq);
	unlock();
	if (told)
		*told = 0;
	return 0;
}

static int look(int region, u32 page, int node, u32 *frame)
{
	u32 rights;

	(void)region;
	*frame = fake_frame_of(page, node, &rights);
	return rights;
}

const struct pager_region_ops fake_device = {
	.nodes = nodes, .create = create, .open = open_side,
	.unmap = unmap_region, .look = look,
};

/* --- who touches pages ------------------------------------------------------- */

static bool allowed(const struct fake_record *record, u32 rights)
{
	return record->frame && !(rights & ~record->rights);
}

static void use(u32 page, int node, u64 add)
{
	u64 *word = (u64 *)fake->frame[fake->record[page][node].frame - 1];
	u64 *want = &fake->want[page][fake->local ? node : 0];

	if (*word != *want)
		wrong("a word that is not what was written");
	/* Who reads does not write what was there, either. */
	if (!add)
		return;
	*word += add;
	*want += add;
}

static struct fake_request *post(struct fake_node *node, u32 page, u32 rights)
{
	int i;

	for (i = 0; i < DEPTH; i++) {
		struct fake_request *request = &node->request[i];
		const u64 one = 1;

		if (request->state != REQUEST_FREE)
			continue;
		*request = (struct fake_request){
			.id = ++fake->next_id, .page = page, .rights = rights,
			.state = REQUEST_POSTED,
		};
		fake->faults++;
		if (node->asleep) {
			node->asleep = 0;
			if (write(node->wake, &one, sizeof(one)) < 0)
				wrong("nobody can be woken");
		}
		return request;
	}
	return NULL;
}

int fake_access(int at, u32 page, u64 add)
{
	struct fake_node *node = &fake->node[at];
	u32 rights = PAGER_READ | (add ? PAGER_WRITE : 0);
	const int64_t until = pager_now_ns() + LONG_MS * NS_PER_MS;
	const struct timespec moment = { .tv_nsec = 20000 };
	struct fake_request *request = NULL;
	int ret = -EAGAIN;

	while (ret == -EAGAIN) {
		lock();
		if (request && request->state >= REQUEST_ANSWERED) {
			if (request->state == REQUEST_REFUSED)
				ret = -EFAULT;
			request->state = REQUEST_FREE;
			request = NULL;
		}
		if (ret == -EAGAIN && !request) {
			if (allowed(&fake->record[page][at], rights)) {
				use(page, at, add);
				ret = 0;
			} else {
				request = post(node, page, rights);
			}
		}
		if (ret == -EAGAIN && pager_now_ns() > until)
			ret = -ETIMEDOUT;
		unlock();
		if (ret == -EAGAIN)
			nanosleep(&moment, NULL);
	}
	return ret;
}

u32 fake_frames(void)
{
	u32 i, n = 0;

	lock();
	for (i = 0; i < FRAMES; i++)
		n += fake->frame_node[i] != 0;
	unlock();
	return n;
}

u32 fake_frame_of(u32 page, int node, u32 *rights)
{
	u32 frame;

	lock();
	frame = fake->record[page][node].frame - 1;
	*rights = fake->record[page][node].rights;
	unlock();
	return frame;
}

struct fake *fake_new(bool local)
{
	pthread_mutexattr_t attr;
	int node;

	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fake == MAP_FAILED)
		abort();
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&fake->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	fake->local = local;
	for (node = 0; node < NODES; node++)
		fake->node[node].wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fake;
}

void fake_free(void)
{
	int node;

	for (node = 0; node < NODES; node++)
		close(fake->node[node].wake);
	munmap(fake, sizeof(*fake));
}
