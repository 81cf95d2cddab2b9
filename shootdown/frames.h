/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frame table: which slot of the module's memory is what.
 *
 * Every monitor has a replica of its own, on its node, which its own thread
 * alone reads and writes. A slot changes its type in all of them or in none, by
 * agreement between the monitors (agree.h; Baumann et al., SOSP 2009, section
 * 4.7). Here is what the rest of the module calls.
 *
 * A slot stands for a range of memory that the module owns; what range, and how
 * large, is up to whoever claims it. Only the type is agreed on.
 */
#ifndef MK_FRAMES_H
#define MK_FRAMES_H

#include <linux/types.h>

struct mk_port;

/* Slots of the table. */
#define MK_FRAMES		4096

/**
 * enum mk_frame_type - what a slot is
 * @MK_FRAME_FREE: nobody's
 * @MK_FRAME_FRAME: memory that a process can map
 * @MK_FRAME_PAGE_TABLE: a page table; must never be mapped writable
 * @MK_FRAME_TYPES: how many there are
 */
enum mk_frame_type {
	MK_FRAME_FREE,
	MK_FRAME_FRAME,
	MK_FRAME_PAGE_TABLE,
	MK_FRAME_TYPES
};

/*
 * Process context, not a port's thread; each waits for all monitors. When one
 * returns 0, every replica shows the change; otherwise none does.
 */
int mk_frames_claim(u32 count, enum mk_frame_type type, u32 *first);
int mk_frames_release(u32 first, u32 count);
int mk_frames_retype(u32 first, u32 count, enum mk_frame_type from,
		     enum mk_frame_type to);

/* The port's thread: what its own replica has. */
enum mk_frame_type mk_frames_type(const struct mk_port *port, u32 slot);

#endif /* MK_FRAMES_H */
