/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doors: channels between a process and a monitor.
 *
 * The process maps the memory of a door, two rings as in ring.h, and the monitor
 * of one CPU polls it like any other source. A call that comes is served in the
 * monitor's thread and answered on the other ring. What a door is to user space
 * stands in uapi.h.
 *
 * The process is not believed
 *	Positions, sizes and credit are the monitor's own, messages are copied out
 *	before they are looked at, each pass takes a batch at most, and what
 *	cannot be true shuts the door. Who floods a door keeps its monitor's CPU
 *	busy, as any thread could. The memory is the module's: unmapping it, or
 *	dying, changes nothing for the monitor.
 *
 * Sleeping
 *	A door that is silent is parked, and its monitor sleeps, like all sources
 *	(source.h). Its word "asleep" says so, and the process knocks after it has
 *	sent: it writes to the file. What the monitor believes is its own ->parked;
 *	the word only saves system calls. The other way round the monitor signals
 *	an eventfd if it finds the process asleep. These are the barriers (S) of
 *	liburpc/wake.c, and (C) of port.h.
 *
 * Life
 *	A door belongs to an open file, and is freed with it, when nobody maps it
 *	or rings it any more: the monitor's thread is asked to let go first, behind
 *	all bells. Where the CPU goes off line, the monitor shuts its doors; the
 *	process is woken, finds POLLHUP, and closes the file. A door that is shut
 *	stays shut, also if the CPU comes back.
 */
#ifndef MK_DOOR_H
#define MK_DOOR_H

#include <linux/poll.h>
#include <linux/types.h>

#include "module/uapi.h"

struct dentry;
struct mk_door;
struct mk_message;
struct mk_port;
struct vm_area_struct;

/* Process context; sleep. */
struct mk_door *mk_door_create(const struct mk_door_create *create);
void mk_door_destroy(struct mk_door *door);
int mk_door_mmap(struct mk_door *door, struct vm_area_struct *vma);
void mk_door_info(struct mk_door *door, struct mk_door_info *info);

/* Process context. */
int mk_door_knock(struct mk_door *door);
__poll_t mk_door_look(struct mk_door *door, struct file *file,
		      struct poll_table_struct *table);

/* A port's thread, which ends. */
void mk_doors_stop(struct mk_port *port);

/* For main.c. */
void mk_doors_init(void);
void mk_doors_files(struct dentry *root);

/* services.c: @message becomes its own answer. */
u32 mk_service_answer(struct mk_port *port, struct mk_message *message,
		      u32 bytes, u32 doors);

#endif /* MK_DOOR_H */
