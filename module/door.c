// SPDX-License-Identifier: GPL-2.0
/*
 * Doors: see door.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "module/compat.h"
#include "module/control.h"
#include "module/door.h"
#include "urpc/source.h"

/* Messages taken from one door in one pass over its port. */
#define MK_DOOR_BATCH		16

/* Doors of one monitor. */
#define MK_DOORS_MAX		1024

#define MK_DOOR_PGOFF		(MK_DOOR_OFFSET >> PAGE_SHIFT)

/* Whose words are whose. */
#define MK_DOOR_MONITOR		0
#define MK_DOOR_PROCESS		1

/**
 * struct mk_door - see door.h; of the port's thread, unless it says otherwise
 * @source: polled
 * @end: positions in the rings
 * @side: the shared memory; constant
 * @link: in the doors of its port
 * @announced: our word "asleep" may be set
 * @error: anyone may read it: 0 while it is open, then why it is not
 * @wake: eventfd of the process, or NULL; constant
 * @wait: anyone: who polls the file
 * @frame: the pages of the memory; constant
 * @pages: how many; constant
 * @slots: of each ring; constant
 * @node: of the memory, as asked for; constant
 * @received: anyone may read it, and the next ones: messages
 * @sent: answers
 * @lost: answers that found no room
 * @wakes: signals to @wake
 */
struct mk_door {
	struct mk_source source;
	struct mk_end end;
	struct mk_door_side *side;
	struct list_head link;
	bool announced;
	int error;
	struct eventfd_ctx *wake;
	wait_queue_head_t wait;
	struct page **frame;
	u32 pages;
	u32 slots;
	int node;
	u64 received;
	u64 sent;
	u64 lost;
	u64 wakes;
};

/* Of the port's thread. */
struct mk_doors {
	struct list_head list;
	u32 nr;
};

static DEFINE_PER_CPU(struct mk_doors, mk_doors);

static atomic64_t mk_doors_count;
static atomic64_t mk_doors_pages;

static struct mk_door *mk_door_of(const struct mk_source *source)
{
	return container_of(source, struct mk_door, source);
}

/* Others read it meanwhile. */
static void mk_door_tally(u64 *count)
{
	WRITE_ONCE(*count, *count + 1);
}

/* --- the monitor ----------------------------------------------------------- */

/* After something was shown: see door.h. */
static void mk_door_wake(struct mk_door *door)
{
	u32 *asleep = &door->side[MK_DOOR_PROCESS].asleep;

	if (!door->wake)
		return;
	smp_mb();	/* (S): after the header, before the word */
	if (!READ_ONCE(*asleep) || !xchg(asleep, 0))
		return;
	mk_door_tally(&door->wakes);
	mk_eventfd_signal(door->wake);
}

/* No more of it is polled. Where no list is walked, or from ->poll. */
static void mk_door_shut(struct mk_door *door, int err)
{
	if (door->error)
		return;
	mk_source_leave(&door->source);
	list_del(&door->link);
	per_cpu_ptr(&mk_doors, door->source.port->cpu)->nr--;
	/* Who is woken reads it. */
	smp_store_release(&door->error, err);
	if (door->wake)
		mk_eventfd_signal(door->wake);
	wake_up_poll(&door->wait, EPOLLHUP | EPOLLRDHUP);
}

/* Returns the bytes of a message, or -EBADMSG if there is none like it. */
static int mk_door_bytes(const struct mk_message *msg)
{
	u32 unused = msg->type;

	if (msg->flags & ~MK_MSG_CALL || unused > MK_LINE_PAYLOAD ||
	    (unused == MK_LINE_PAYLOAD && msg->lines != 1))
		return -EBADMSG;
	return msg->lines * MK_LINE_PAYLOAD - unused;
}

/* Answer a call of that many bytes in its own place. True if it could be. */
static bool mk_door_serve(struct mk_door *door, struct mk_message *msg,
			  u32 bytes)
{
	struct mk_port *port = door->source.port;
	u32 lines;

	bytes = mk_service_answer(port, msg, bytes,
				  per_cpu_ptr(&mk_doors, port->cpu)->nr);
	lines = DIV_ROUND_UP(bytes, MK_LINE_PAYLOAD);
	/* Nothing of another message goes out. */
	memset((u8 *)msg->word + bytes, 0, lines * MK_LINE_PAYLOAD - bytes);
	if (mk_end_send(&door->end, lines * MK_LINE_PAYLOAD - bytes,
			MK_MSG_REPLY, msg->tag, msg->word, lines)) {
		mk_door_tally(&door->lost);
		return false;
	}
	mk_door_tally(&door->sent);
	return true;
}

/* Returns 1 if an answer was shown, 0, or -EBADMSG. */
static int mk_door_take(struct mk_door *door, struct mk_message *msg, u32 acked)
{
	int bytes;

	/* One that gives nothing is not sent by ring.h, and never ends. */
	if (msg->flags == MK_MSG_ACK)
		return door->end.tx.acked == acked ? -EBADMSG : 0;
	bytes = mk_door_bytes(msg);
	if (bytes < 0)
		return bytes;
	mk_door_tally(&door->received);
	return msg->flags & MK_MSG_CALL ? mk_door_serve(door, msg, bytes) : 0;
}

static unsigned int mk_door_poll(struct mk_source *source)
{
	struct mk_door *door = mk_door_of(source);
	struct mk_message *msg = &source->port->msg;
	bool shown = false;
	unsigned int n;
	int ret = 0;

	if (unlikely(door->announced)) {
		door->announced = false;
		WRITE_ONCE(door->side[MK_DOOR_MONITOR].asleep, 0);
	}
	for (n = 0; n < MK_DOOR_BATCH; n++) {
		u32 acked = door->end.tx.acked;

		ret = mk_end_recv(&door->end, msg);
		if (ret <= 0)
			break;
		ret = mk_door_take(door, msg, acked);
		if (ret < 0)
			break;
		shown |= ret;
	}
	if (unlikely(ret < 0)) {
		pr_notice_ratelimited("door to CPU %d shut: its process wrote what cannot be true\n",
				      source->port->cpu);
		mk_door_shut(door, -EBADMSG);
		return n;
	}
	if (mk_end_ack_due(&door->end) && mk_end_owed(&door->end))
		shown |= !mk_end_ack(&door->end);
	if (shown)
		mk_door_wake(door);
	mk_source_polled(source, n);
	return n;
}

/* The source is about to be parked: say so before the last look. */
static bool mk_door_pending(const struct mk_source *source)
{
	struct mk_door *door = mk_door_of(source);

	door->announced = true;
	WRITE_ONCE(door->side[MK_DOOR_MONITOR].asleep, 1);
	smp_mb();	/* (S): after the word, before the header */
	return mk_end_pending(&door->end);
}

/* No get and put: see "Life" in door.h. */
static const struct mk_source_ops mk_door_source = {
	.poll = mk_door_poll,
	.pending = mk_door_pending,
};

static int mk_door_attach(struct mk_port *port, void *arg)
{
	struct mk_doors *doors = per_cpu_ptr(&mk_doors, port->cpu);
	struct mk_door *door = arg;

	/* From here on nobody would shut it. */
	if (port->closing || kthread_should_stop())
		return -ENODEV;
	if (doors->nr >= MK_DOORS_MAX)
		return -ENOSPC;
	doors->nr++;
	list_add_tail(&door->link, &doors->list);
	mk_source_heat(&door->source);
	return 0;
}

static int mk_door_detach(struct mk_port *port, void *arg)
{
	mk_door_shut(arg, -ENODEV);
	return 0;
}

/**
 * mk_doors_stop() - shut the doors of a monitor that ends
 * @port: its port
 *
 * Context: the port's thread, once it should stop, before mk_port_close().
 */
void mk_doors_stop(struct mk_port *port)
{
	struct mk_doors *doors = per_cpu_ptr(&mk_doors, port->cpu);
	struct mk_door *door, *next;

	list_for_each_entry_safe(door, next, &doors->list, link)
		mk_door_shut(door, -ENODEV);
}

/* --- memory ---------------------------------------------------------------- */

static void mk_door_free(struct mk_door *door)
{
	u32 i;

	vunmap(door->side);
	for (i = 0; door->frame && i < door->pages && door->frame[i]; i++) {
		__free_page(door->frame[i]);
		atomic64_dec(&mk_doors_pages);
	}
	kvfree(door->frame);
	if (door->wake)
		eventfd_ctx_put(door->wake);
	kfree(door);
}

/* On exactly that node where one was asked for. */
static int mk_door_frames(struct mk_door *door)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	int node = door->source.port->node;
	u32 i;

	if (door->node >= 0) {
		node = door->node;
		gfp |= __GFP_THISNODE;
	}
	door->frame = kvcalloc(door->pages, sizeof(*door->frame),
			       GFP_KERNEL_ACCOUNT);
	if (!door->frame)
		return -ENOMEM;
	for (i = 0; i < door->pages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		door->frame[i] = alloc_pages_node(node, gfp, 0);
		if (!door->frame[i])
			return -ENOMEM;
		atomic64_inc(&mk_doors_pages);
	}
	door->side = vmap(door->frame, door->pages, VM_MAP, PAGE_KERNEL);
	return door->side ? 0 : -ENOMEM;
}

static int mk_door_refuse(const struct mk_door_create *create)
{
	if (create->flags || create->slots < MK_DOOR_SLOTS_MIN ||
	    create->slots > MK_DOOR_SLOTS_MAX ||
	    !mk_ring_slots_ok(create->slots) || create->wake < -1 ||
	    create->node < -1 || create->node >= MAX_NUMNODES ||
	    (create->node >= 0 && !node_state(create->node, N_MEMORY)))
		return -EINVAL;
	return mk_port(create->cpu) ? 0 : -EINVAL;
}

static int mk_door_fill(struct mk_door *door, int wake)
{
	struct mk_line *ring;
	int err;

	err = mk_door_frames(door);
	if (err)
		return err;
	ring = (struct mk_line *)(door->side + 2);
	err = mk_end_init(&door->end, ring, door->slots, ring + door->slots,
			  door->slots);
	if (err || wake < 0)
		return err;
	door->wake = eventfd_ctx_fdget(wake);
	if (IS_ERR(door->wake)) {
		err = PTR_ERR(door->wake);
		door->wake = NULL;
	}
	return err;
}

/**
 * mk_door_create() - make a door that nobody maps yet, and have it polled
 * @create: what user space asks for
 *
 * Context: process, not a port's thread; sleeps.
 * Return: the door, for mk_door_destroy(); or an ERR_PTR: -EINVAL for a field
 * that cannot be, -EBADF if there is no such eventfd, -ENODEV if the CPU is off
 * line, -ENOSPC if its monitor has MK_DOORS_MAX, -ENOMEM, -EINTR.
 */
struct mk_door *mk_door_create(const struct mk_door_create *create)
{
	struct mk_door *door;
	int err;

	BUILD_BUG_ON(sizeof(struct mk_door_side) != 2 * MK_LINE_BYTES);
	err = mk_door_refuse(create);
	if (err)
		return ERR_PTR(err);
	door = kzalloc(sizeof(*door), GFP_KERNEL_ACCOUNT);
	if (!door)
		return ERR_PTR(-ENOMEM);
	door->slots = create->slots;
	door->node = create->node;
	door->pages = MK_DOOR_BYTES(create->slots) >> PAGE_SHIFT;
	init_waitqueue_head(&door->wait);
	mk_source_init(&door->source, mk_port(create->cpu), &mk_door_source,
		       MK_POLLED);
	err = mk_door_fill(door, create->wake);
	if (!err)
		err = mk_port_run_soon(create->cpu, mk_door_attach, door);
	if (err) {
		mk_door_free(door);
		return ERR_PTR(err);
	}
	atomic64_inc(&mk_doors_count);
	return door;
}

/**
 * mk_door_destroy() - the file is gone, and with it every mapping
 * @door: from mk_door_create()
 *
 * Context: process, not a port's thread; sleeps.
 */
void mk_door_destroy(struct mk_door *door)
{
	/* A port that is closed has shut it, and run every bell. */
	mk_port_run_soon(door->source.port->cpu, mk_door_detach, door);
	mk_door_free(door);
	atomic64_dec(&mk_doors_count);
}

static vm_fault_t mk_door_fault(struct vm_fault *vmf)
{
	struct mk_door *door = vmf->vma->vm_private_data;
	pgoff_t index = vmf->pgoff - MK_DOOR_PGOFF;

	if (vmf->pgoff < MK_DOOR_PGOFF || index >= door->pages)
		return VM_FAULT_SIGBUS;
	vmf->page = door->frame[index];
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct mk_door_vm_ops = {
	.fault	= mk_door_fault,
};

/**
 * mk_door_mmap() - map it
 * @door: of the file that is mapped
 * @vma: where; shared, and inside of the door
 *
 * Context: process, mmap_lock held for writing.
 * Return: 0, -EINVAL.
 */
int mk_door_mmap(struct mk_door *door, struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_pgoff - MK_DOOR_PGOFF;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff < MK_DOOR_PGOFF ||
	    first >= door->pages || vma_pages(vma) > door->pages - first)
		return -EINVAL;
	mk_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = door;
	vma->vm_ops = &mk_door_vm_ops;
	return 0;
}

/* --- the process ----------------------------------------------------------- */

/**
 * mk_door_knock() - have the monitor look, if it does not anyway
 * @door: the door
 *
 * Context: process; the caller holds the file.
 * Return: 0; or why the door is shut: -ENODEV, -EBADMSG.
 */
int mk_door_knock(struct mk_door *door)
{
	int err = smp_load_acquire(&door->error);	/* mk_door_shut() */

	if (err)
		return err;
	smp_mb();	/* (C): after what the process has written, before ->parked */
	return mk_source_ring(&door->source, NULL);
}

/**
 * mk_door_look() - what poll() says: a door that is shut has hung up
 * @door: the door
 * @file: its file
 * @table: who waits
 *
 * Context: process.
 */
__poll_t mk_door_look(struct mk_door *door, struct file *file,
		      struct poll_table_struct *table)
{
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &door->wait, table);
	if (smp_load_acquire(&door->error))	/* mk_door_shut() */
		mask |= EPOLLHUP | EPOLLRDHUP;
	return mask;
}

/**
 * mk_door_info() - what there is to know of a door
 * @door: the door
 * @info: written
 *
 * Context: any.
 */
void mk_door_info(struct mk_door *door, struct mk_door_info *info)
{
	*info = (struct mk_door_info){
		.received = READ_ONCE(door->received),
		.sent = READ_ONCE(door->sent),
		.lost = READ_ONCE(door->lost),
		.wakes = READ_ONCE(door->wakes),
		.cpu = door->source.port->cpu,
		.node = door->node,
		.slots = door->slots,
		.error = -READ_ONCE(door->error),
	};
}

/* --- files ----------------------------------------------------------------- */

static u64 mk_show_count(void *data)
{
	return atomic64_read(&mk_doors_count);
}

static u64 mk_show_bytes(void *data)
{
	return atomic64_read(&mk_doors_pages) * PAGE_SIZE;
}

static const struct mk_value mk_value_count = { .show = mk_show_count };
static const struct mk_value mk_value_bytes = { .show = mk_show_bytes };

/**
 * mk_doors_files() - make doors/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process.
 */
void mk_doors_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("doors", root);

	mk_control_value("count", dir, NULL, &mk_value_count);
	mk_control_value("bytes", dir, NULL, &mk_value_bytes);
}

/**
 * mk_doors_init() - nobody has a door yet
 *
 * Context: process, before there are monitors.
 */
void mk_doors_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(&per_cpu_ptr(&mk_doors, cpu)->list);
}
