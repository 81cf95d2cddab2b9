/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages for rings, chosen by measurement.
 *
 * Where a line travels between two cores depends on its address, even on one
 * node: caches are sliced, and some slices are nearer. A ring's page therefore
 * can be the best of a few, as measured between the two CPUs that will use it.
 */
#ifndef MK_URPC_PAGES_H
#define MK_URPC_PAGES_H

#include <linux/types.h>

struct page;

/* Candidates at most, and with them the time that choosing takes. */
#define MK_PAGES_MAX		16

struct page *mk_ring_page(int node, unsigned int order);
struct page *mk_ring_page_best(const int cpu[2], int node, unsigned int order,
			       unsigned int candidates);
void mk_ring_page_free(struct page *page, unsigned int order);

#endif /* MK_URPC_PAGES_H */
