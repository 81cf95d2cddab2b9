/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Links: the channel between two ports, made when it is first used.
 *
 * n² channels are never made up front. A post to a CPU that has none yet waits
 * in the link while a worker makes the channel; one channel serves both ways.
 * When a channel dies, because a CPU went off line, the next post makes
 * another.
 */
#ifndef MK_URPC_LINK_H
#define MK_URPC_LINK_H

#include "urpc/channel.h"

/* Process context. */
int mk_links_start(void);
void mk_links_stop(void);
int mk_links_init(struct mk_port *port);
void mk_links_exit(struct mk_port *port);
size_t mk_links_size(unsigned int cpus);
size_t mk_links_bytes(const struct mk_port *port);

/* The port's thread. */
int mk_link_post(struct mk_port *port, int cpu, struct mk_post *post);
int mk_link_send(struct mk_port *port, int cpu, enum mk_type type,
		 const u64 *word, u32 lines);
void mk_links_close(struct mk_port *port);

#endif /* MK_URPC_LINK_H */
