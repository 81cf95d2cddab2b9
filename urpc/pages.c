// SPDX-License-Identifier: GPL-2.0
/*
 * Pages for rings, chosen by measurement.
 */
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "urpc/pages.h"
#include "urpc/port.h"
#include "urpc/ring.h"

/* Round trips per candidate; the fastest of them counts. */
#define MK_PAGES_ROUNDS		64

/* A candidate that takes longer than this is as slow as it was measured. */
#define MK_PAGES_US		1000

/**
 * struct mk_pingpong - two CPUs that write one line in turn
 * @line: the line; its header counts the turns
 * @stop: one side has given up
 * @best: the fastest round trip, in cycles, of side 0
 * @call: of side 1
 */
struct mk_pingpong {
	struct mk_line *line;
	int stop;
	u64 best;
	struct mk_call call;
};

/* Wait for turn @turn, not beyond @until. */
static bool mk_pingpong_wait(struct mk_pingpong *game, u64 turn, u64 until)
{
	/* Pairs with the release of mk_pingpong_play(). */
	while (smp_load_acquire(&game->line->header) != turn) {
		if (READ_ONCE(game->stop) || mk_cycles() > until ||
		    kthread_should_stop())
			return false;
		cpu_relax();
	}
	return true;
}

static int mk_pingpong_play(struct mk_pingpong *game, int side)
{
	u64 until = mk_cycles() + mk_clock_us(MK_PAGES_US);
	u64 last = 0, now;
	u32 i;

	for (i = 0; i < MK_PAGES_ROUNDS; i++) {
		if (!mk_pingpong_wait(game, 2 * i + side, until))
			break;
		now = mk_cycles();
		if (!side && i && now - last < game->best)
			game->best = now - last;
		last = now;
		/* Pairs with the acquire of mk_pingpong_wait(). */
		smp_store_release(&game->line->header, 2 * i + side + 1);
	}
	WRITE_ONCE(game->stop, 1);
	cond_resched();
	return 0;
}

static int mk_pingpong_first(struct mk_port *port, void *arg)
{
	return mk_pingpong_play(arg, 0);
}

static int mk_pingpong_second(struct mk_port *port, void *arg)
{
	return mk_pingpong_play(arg, 1);
}

/* The fastest round trip on a page, U64_MAX if it could not be measured. */
static u64 mk_page_trip(const int cpu[2], struct page *page)
{
	struct mk_pingpong *game;
	u64 best = U64_MAX;

	game = kzalloc(sizeof(*game), GFP_KERNEL);
	if (!game)
		return best;
	game->line = page_address(page);
	game->best = U64_MAX;
	if (!mk_port_start(cpu[1], &game->call, mk_pingpong_second, game)) {
		if (mk_port_run(cpu[0], mk_pingpong_first, game))
			WRITE_ONCE(game->stop, 1);
		mk_port_wait(&game->call);
		best = game->best;
	}
	kfree(game);
	return best;
}

/**
 * mk_ring_page() - zeroed memory for a ring
 * @node: where; elsewhere if there is none
 * @order: how much
 *
 * Context: process.
 * Return: the page, or NULL.
 */
struct page *mk_ring_page(int node, unsigned int order)
{
	return alloc_pages_node(node, GFP_KERNEL | __GFP_ZERO | __GFP_COMP,
				order);
}

/**
 * mk_ring_page_free() - free it
 * @page: of mk_ring_page() or mk_ring_page_best(); may be NULL
 * @order: as it was given
 *
 * Context: any that may free pages.
 */
void mk_ring_page_free(struct page *page, unsigned int order)
{
	if (page)
		__free_pages(page, order);
}

/**
 * mk_ring_page_best() - the best of some pages for a ring between two CPUs
 * @cpu: the CPUs, not the same
 * @node: where; elsewhere if there is none
 * @order: how much
 * @candidates: how many to try, MK_PAGES_MAX at most
 *
 * Takes about a millisecond for each candidate at most. Pages that are kept
 * until the choice is made are different ones; a node that is short of memory
 * has fewer to offer.
 *
 * Context: process, not the thread of either port; sleeps.
 * Return: the page, zeroed, or NULL.
 */
struct page *mk_ring_page_best(const int cpu[2], int node, unsigned int order,
			       unsigned int candidates)
{
	struct page *page[MK_PAGES_MAX];
	u64 trip, best = U64_MAX;
	unsigned int i, n, chosen = 0;

	candidates = clamp_t(unsigned int, candidates, 1, MK_PAGES_MAX);
	for (n = 0; n < candidates; n++) {
		page[n] = mk_ring_page(node, order);
		if (!page[n])
			break;
	}
	for (i = 0; i < n; i++) {
		trip = mk_page_trip(cpu, page[i]);
		if (trip < best) {
			best = trip;
			chosen = i;
		}
	}
	for (i = 0; i < n; i++)
		if (i != chosen)
			mk_ring_page_free(page[i], order);
	if (!n)
		return NULL;
	memset(page_address(page[chosen]), 0, MK_LINE_BYTES);
	return page[chosen];
}
