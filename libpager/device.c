// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's side of a pager, by /dev/multikernel: Documentation/pager.rst has
 * the protocol.
 *
 * Barriers
 *	A request's line is copied between two looks at its number, which the
 *	kernel writes last, and clears first when it uses the line again. So the
 *	copy is whole, or it is not taken.
 *	An answer's number is stored after the rest, and a full barrier stands
 *	between that and the look at whether who asked sleeps; likewise between
 *	our word "asleep" and the last look for a request. Of two sides that each
 *	store and then load what the other stores, at least one sees the other's.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "module/uapi.h"
#include "private.h"

#define SLOTS			64
#define TIMEOUT_MS_DEFAULT	2000
/* More frames than a page for each node has, for those that are being replaced. */
#define SPARE_FRAMES		1024

/**
 * struct device - a pager's file
 * @kernel: for the others
 * @expected: number of the next request
 * @pages: of the region
 * @nr_frames: of the region, at most
 * @protocol: by which pages are taken away
 * @look: something else than a request has ended a sleep
 * @memory: its words and lines
 * @frames: of the region, each at its number
 */
struct device {
	struct pager_kernel kernel;
	u64 expected;
	u32 pages;
	u32 nr_frames;
	u32 protocol;
	bool look;
	void *memory;
	char *frames;
};

#if (PAGER_READ) != (MK_PAGER_READ) || (PAGER_WRITE) != (MK_PAGER_WRITE) || \
	(PAGER_EXEC) != (MK_PAGER_EXEC)
#error pager.h and uapi.h differ
#endif

static struct device *device_of(struct pager_kernel *kernel)
{
	return (struct device *)kernel;
}

static struct mk_pager_request *request_line(struct device *d, u64 id)
{
	struct mk_pager_request *line =
		(void *)((char *)d->memory + MK_PAGER_REQUESTS);

	return &line[id % SLOTS];
}

static struct mk_pager_answer *answer_line(struct device *d, u64 id)
{
	struct mk_pager_answer *line =
		(void *)((char *)d->memory + MK_PAGER_ANSWERS(SLOTS));

	return &line[id % SLOTS];
}

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static void give(struct device *d, u64 id, const struct mk_pager_answer *answer)
{
	struct mk_pager_answer *line = answer_line(d, id);
	struct mk_pager_request *request = request_line(d, id);

	WRITE_ONCE(line->verdict, answer->verdict);
	WRITE_ONCE(line->frame, answer->frame);
	WRITE_ONCE(line->rights, answer->rights);
	WRITE_ONCE(line->reserved, 0);
	WRITE_ONCE(line->seq, answer->seq);
	/* See above. */
	smp_store_release(&line->id, id);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* If it fails, who asked has gone. */
	if (READ_ONCE(request->asleep) == 1 &&
	    write(d->kernel.file, &id, sizeof(id)) < 0)
		return;
}

/* 1: a request, 0: none yet, -EAGAIN: one that is asked no more */
static int copy(struct device *d, struct mk_pager_request *request)
{
	const struct mk_pager_request *line = request_line(d, d->expected);
	/* Before the rest is read. */
	u64 id = smp_load_acquire(&line->id);

	if (id < d->expected)
		return 0;
	request->kind = READ_ONCE(line->kind);
	request->page = READ_ONCE(line->page);
	request->rights = READ_ONCE(line->rights);
	request->node = READ_ONCE(line->node);
	request->seq = READ_ONCE(line->seq);
	request->id = id;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (id != d->expected || READ_ONCE(line->id) != id)
		return -EAGAIN;
	return 1;
}

static int next(struct pager_kernel *kernel, struct pager_want *want,
		uint64_t *notices)
{
	const struct mk_pager_answer ack = { .verdict = MK_PAGER_ACK };
	struct device *d = device_of(kernel);
	struct mk_pager_request request;
	int ret, i;

	for (i = 0; i < SLOTS; i++) {
		ret = copy(d, &request);
		if (!ret)
			return 0;
		d->expected++;
		if (ret < 0)
			continue;
		if (request.kind == MK_PAGER_FAULT && request.page < d->pages)
			break;
		if (request.kind == MK_PAGER_UNMAPPED) {
			/* Who gets the acknowledgment finds it counted. */
			pager_count(notices, 1);
			give(d, request.id, &ack);
		}
	}
	if (i == SLOTS)
		return 0;
	*want = (struct pager_want){
		.id = request.id, .seq = request.seq, .page = request.page,
		.node = request.node, .rights = request.rights,
	};
	return 1;
}

static int answer(struct pager_kernel *kernel, const struct pager_want *want,
		  u32 frame, u32 rights)
{
	const struct mk_pager_answer line = {
		.verdict = rights ? MK_PAGER_MAP : MK_PAGER_REFUSE,
		.frame = rights ? frame : 0,
		.rights = rights,
		.seq = want->seq,
	};

	give(device_of(kernel), want->id, &line);
	return 0;
}

static int get(struct pager_kernel *kernel, int node, u32 count, u32 *first)
{
	struct mk_frame_alloc alloc = { .node = node, .count = count };
	int ret = call(kernel->file, MK_IOC_FRAME, &alloc);

	*first = alloc.first;
	return ret;
}

static int put(struct pager_kernel *kernel, u32 frame)
{
	struct mk_frame_free give_back = { .first = frame, .count = 1 };

	return call(kernel->file, MK_IOC_FRAME_FREE, &give_back);
}

static void *data(struct pager_kernel *kernel, u32 frame)
{
	struct device *d = device_of(kernel);

	return frame < d->nr_frames ? d->frames + (size_t)frame * PAGE_BYTES :
	       NULL;
}

static int unmap_some(int fd, u32 protocol, u32 first, u32 pages, int node,
		      u32 flags, struct mk_paged_unmap *op)
{
	int ret = 0;

	while (pages) {
		u32 n = pages < MK_OP_PAGES_MAX ? pages : MK_OP_PAGES_MAX;

		*op = (struct mk_paged_unmap){
			.first = first, .pages = n, .op = MK_OP_UNMAP,
			.protocol = protocol, .cpu = -1, .node = node,
			.flags = flags,
		};
		ret = call(fd, MK_IOC_PAGED_UNMAP, op);
		if (ret)
			break;
		first += n;
		pages -= n;
	}
	return ret;
}

static int unmap(struct pager_kernel *kernel, u32 first, u32 pages, u64 nodes,
		 u64 *seq)
{
	struct device *d = device_of(kernel);
	struct mk_paged_unmap op;
	int node, ret = 0;

	if (!nodes) {
		ret = unmap_some(kernel->file, d->protocol, first, pages, -1, 0,
				 &op);
		*seq = op.seq;
		return ret;
	}
	for (node = 0; !ret && node < PAGER_NODES_MAX; node++) {
		if (!(nodes & node_bit(node)))
			continue;
		ret = unmap_some(kernel->file, d->protocol, first, pages, node,
				 0, &op);
		*seq = op.seq;
	}
	return ret;
}

static bool taken_over(const struct device *d)
{
	struct pollfd fd = { .fd = d->kernel.file };

	return poll(&fd, 1, 0) > 0 && (fd.revents & POLLHUP);
}

static bool shown(struct device *d)
{
	return READ_ONCE(request_line(d, d->expected)->id) >= d->expected;
}

static void disarm(struct pager_kernel *kernel)
{
	struct device *d = device_of(kernel);
	struct mk_pager_side *side = d->memory;

	/*
	 * Whoever wants to wake the pager clears the word. If that has not happened,
	 * it was something else, such as a file that hangs up. What the eventfd has
	 * counted is left there: who watches it is told of each signal.
	 */
	if (__atomic_exchange_n(&side->asleep, 0, __ATOMIC_SEQ_CST))
		d->look = true;
}

static int arm(struct pager_kernel *kernel)
{
	struct device *d = device_of(kernel);
	struct mk_pager_side *side = d->memory;

	/* Being taken over ends a sleep. */
	if (d->look && taken_over(d))
		return -ESHUTDOWN;
	d->look = false;
	WRITE_ONCE(side->asleep, 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!shown(d))
		return 0;
	disarm(kernel);
	/* Nothing has ended a sleep: there was none. */
	d->look = false;
	return 1;
}

static void close_device(struct pager_kernel *kernel)
{
	struct device *d = device_of(kernel);

	if (d->memory)
		munmap(d->memory, MK_PAGER_BYTES(SLOTS));
	if (d->frames)
		munmap(d->frames, (size_t)d->nr_frames * PAGE_BYTES);
	if (kernel->wake >= 0)
		close(kernel->wake);
	if (kernel->file >= 0)
		close(kernel->file);
	free(d);
}

static const struct pager_kernel_ops ops = {
	.next = next, .answer = answer, .get = get, .put = put, .data = data,
	.unmap = unmap, .arm = arm, .disarm = disarm, .close = close_device,
};

static u32 frames_max(const struct pager_options *options)
{
	u32 nodes = __builtin_popcountll(options->nodes);
	u32 frames = options->flags & PAGER_PLAIN ? options->pages :
		     options->pages * nodes;

	frames += SPARE_FRAMES;
	return frames < MK_PAGED_FRAMES_MAX ? frames : MK_PAGED_FRAMES_MAX;
}

static u32 protocol_of(const struct pager_options *options)
{
	return options->protocol ? options->protocol - 1 : MK_PROTOCOL_ADAPTIVE;
}

static int create(const struct pager_options *options, int *region)
{
	struct mk_paged_create paged = {
		.pages = options->pages,
		.node = __builtin_ctzll(options->nodes),
		.timeout_ms = options->timeout_ms ? options->timeout_ms :
			      TIMEOUT_MS_DEFAULT,
		.frames = frames_max(options),
		.flags = MK_PAGED_AWAIT,
	};
	int fd, ret;

	if (options->flags & PAGER_ZERO)
		paged.flags |= MK_PAGED_ZERO;
	if (!(options->flags & PAGER_PLAIN))
		paged.flags |= MK_PAGED_LOCAL;
	fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = call(fd, MK_IOC_PAGED, &paged);
	if (ret) {
		close(fd);
		return ret == -ENOTTY ? -EOPNOTSUPP : ret;
	}
	*region = fd;
	return 0;
}

static void *map(int fd, size_t bytes, off_t offset)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       offset);

	return p == MAP_FAILED ? NULL : p;
}

static int open_device(int region, const struct pager_options *options,
		       int node, u32 flags, struct pager_kernel **kernel)
{
	struct mk_pager_create pager = {
		.region = region, .node = node, .slots = SLOTS,
		.flags = flags & PAGER_TAKE_OVER ? MK_PAGER_TAKE_OVER : 0,
	};
	struct device *d = calloc(1, sizeof(*d));
	int ret;

	if (!d)
		return -ENOMEM;
	d->kernel.ops = &ops;
	d->kernel.depth = SLOTS;
	d->kernel.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->kernel.file = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	d->expected = 1;
	d->pages = options->pages;
	d->nr_frames = frames_max(options);
	d->protocol = protocol_of(options);
	if (d->kernel.wake < 0 || d->kernel.file < 0) {
		ret = -errno;
		goto fail;
	}
	pager.wake = d->kernel.wake;
	ret = call(d->kernel.file, MK_IOC_PAGER, &pager);
	if (ret)
		goto fail;
	d->memory = map(d->kernel.file, MK_PAGER_BYTES(SLOTS), MK_PAGER_OFFSET);
	if (d->memory)
		d->frames = map(d->kernel.file,
				(size_t)d->nr_frames * PAGE_BYTES,
				MK_FRAMES_OFFSET);
	if (!d->frames) {
		ret = -errno;
		goto fail;
	}
	*kernel = &d->kernel;
	return 0;
fail:
	close_device(&d->kernel);
	return ret;
}

static int unmap_region(int region, const struct pager_options *options,
			u32 first, u32 pages, uint64_t *told)
{
	struct mk_paged_unmap op;
	int ret;

	ret = unmap_some(region, protocol_of(options), first, pages, -1,
			 MK_PAGED_TELL | MK_PAGED_WAIT, &op);
	if (ret)
		return ret;
	if (told)
		*told = op.told - op.late;
	return op.late ? -ETIMEDOUT : 0;
}

static int look(int region, u32 page, int node, u32 *frame)
{
	struct mk_paged_look seen = { .page = page, .node = node };
	int ret = call(region, MK_IOC_PAGED_LOOK, &seen);

	*frame = seen.frame;
	return ret ? ret : (int)seen.rights;
}

const struct pager_region_ops pager_device = {
	.nodes = pager_nodes, .create = create, .open = open_device,
	.unmap = unmap_region, .look = look,
};
