// SPDX-License-Identifier: GPL-2.0
/*
 * The page tables of one node.
 *
 * The lower levels of Linux's page tables are folded at build or boot time; a
 * table here has all its levels as arrays of 512 entries and one number says
 * which level it is. So one loop does for four levels and for five.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "module/mirror/pool.h"
#include "module/mirror/table_priv.h"

static u64 mk_upper_entry(struct page *page)
{
	return page_to_phys(page) | _PAGE_TABLE;
}

/* --- walks ----------------------------------------------------------------- */

/**
 * mk_walk_get() - what a page walk finds
 * @root: the topmost page
 * @levels: 4 or 5
 * @addr: of user space
 * @level: at which level; written
 *
 * Context: any; nothing frees a page of the tables meanwhile: they are the
 * caller's own, or an mm's and interrupts are off.
 * Return: the leaf, or whatever entry is not present and ends the walk.
 */
u64 mk_walk_get(const u64 *root, int levels, unsigned long addr, int *level)
{
	const u64 *slot;

	return mk_walk_find(root, levels, addr, level, &slot);
}

/**
 * mk_walk_nodes() - on which nodes a page walk reads
 * @root: the topmost page
 * @levels: 4 or 5
 * @addr: of user space
 * @nodes: room for MK_TABLE_LEVELS_MAX nodes: of each page, the root's first
 *
 * Context: as mk_walk_get().
 * Return: how many pages the walk reads.
 */
int mk_walk_nodes(const u64 *root, int levels, unsigned long addr, int *nodes)
{
	const u64 *table = root;
	int n = 0, l = levels;
	u64 entry;

	for (;;) {
		nodes[n++] = page_to_nid(virt_to_page(table));
		entry = READ_ONCE(table[mk_index(addr, l)]);
		if (!(entry & _PAGE_PRESENT) || mk_is_leaf(entry, l))
			return n;
		table = mk_lower(entry);
		l--;
	}
}

/**
 * mk_table_get() - what a table maps at an address
 * @t: the table
 * @addr: of user space
 * @level: of the leaf; written if there is one
 *
 * Context: any, under the caller's lock.
 * Return: the leaf; 0 if there is none.
 */
u64 mk_table_get(const struct mk_table *t, unsigned long addr, int *level)
{
	u64 entry;
	int l;

	entry = mk_walk_get(mk_root(t), t->levels, addr, &l);
	if (!(entry & _PAGE_PRESENT))
		return 0;
	*level = l;
	return entry;
}

/**
 * mk_table_nodes() - on which nodes a page walk of a table reads
 * @t: the table
 * @addr: of user space
 * @nodes: room for MK_TABLE_LEVELS_MAX nodes: of each page, the root's first
 *
 * Context: any, under the caller's lock.
 * Return: how many pages the walk reads.
 */
int mk_table_nodes(const struct mk_table *t, unsigned long addr, int *nodes)
{
	return mk_walk_nodes(mk_root(t), t->levels, addr, nodes);
}

/**
 * mk_table_count() - how many pages of a table lie on a node
 * @t: the table
 * @node: which
 *
 * Context: any, under the caller's lock.
 * Return: pages, with the root; @t->nr_pages if @node is @t->node.
 */
unsigned long mk_table_count(const struct mk_table *t, int node)
{
	unsigned long n = page_to_nid(t->root) == node;
	struct page *page;

	mk_table_for_each_page(page, t)
		n += page_to_nid(page) == node;
	return n;
}

/* --- changes --------------------------------------------------------------- */

/* What was noted of a page of the lowest level that is no longer to be found. */
static void mk_table_forget(struct mk_table *t, struct page *page)
{
	struct page **recent = mk_recent(t, page->index);

	if (*recent == page)
		WRITE_ONCE(*recent, NULL);
}

/**
 * mk_table_shut() - unmap all that a page of the lowest level maps
 * @t: the table
 * @slot: the entry of level 2 that leads to it
 *
 * Context: any, under the caller's lock.
 */
void mk_table_shut(struct mk_table *t, u64 *slot)
{
	u64 *table = mk_lower(*slot);

	mk_table_forget(t, virt_to_page(table));
	WRITE_ONCE(*slot, mk_shut(*slot));
	mk_use(t, table, 1, -mk_used(table));
}

/* A page that was shut: a CPU that has it cached may be walking it, as ever. */
static void mk_table_wipe(u64 *table)
{
	memset64(table, 0, PTRS_PER_PTE);
}

static u64 *mk_table_open(struct mk_table *t, u64 *slot)
{
	u64 *table = mk_lower(*slot);
	unsigned int i;

	if (likely(!t->keeps))
		mk_table_wipe(table);
	else
		for (i = 0; i < PTRS_PER_PTE; i++)
			mk_use(t, table, 1, table[i] & _PAGE_PRESENT);
	/* What it had is gone before a CPU's walk can reach it again. */
	smp_store_release(slot, mk_shut(*slot));
	return table;
}

/* A table of level @level below @slot, which is empty. It maps @addr. */
static u64 *mk_table_grow(struct mk_table *t, u64 *slot, int level,
			  unsigned long addr)
{
	struct page *page = mk_pool_take(t->node);

	if (!page)
		return NULL;
	list_add(&page->lru, &t->pages);
	t->nr_pages++;
	t->nr_idle += level == 1;
	page->index = level == 1 ? addr & PMD_MASK : 0;
	/* The page is zeroed before a CPU's walk can reach it. */
	smp_store_release(slot, mk_upper_entry(page));
	return page_address(page);
}

/**
 * mk_table_take_out() - collect a page and all below it
 * @t: the table
 * @entry: the entry that led to the page, and does no more
 * @level: the page's level
 * @pages: gets them, by their lru, emptied
 *
 * Context: any, under the caller's lock.
 * Return: how many pages were added.
 */
unsigned long mk_table_take_out(struct mk_table *t, u64 entry, int level,
				struct list_head *pages)
{
	u64 *table = mk_lower(entry);
	struct page *page = virt_to_page(table);
	unsigned long n = 1;
	unsigned int i;

	if (level == 1) {
		t->nr_idle -= !mk_used(table);
		mk_table_forget(t, page);
		/* One that is shut has no leaf to count, and is full of them. */
		if (mk_used(table) || !(entry & _PAGE_PRESENT))
			mk_table_wipe(table);
	}
	for (i = 0; i < PTRS_PER_PTE && level > 1; i++) {
		entry = READ_ONCE(table[i]);
		if (!entry)
			continue;
		WRITE_ONCE(table[i], 0);
		if (!mk_is_leaf(entry, level))
			n += mk_table_take_out(t, entry, level - 1, pages);
	}
	/* For whoever looks without the lock it stays what it stands for. */
	WRITE_ONCE(page->index, page->index & ~MK_USED_MASK);
	list_move(&page->lru, pages);
	t->nr_pages--;
	return n;
}

/* Below @table, which is of level @l. */
static int mk_set(struct mk_table *t, u64 *table, int l, unsigned long addr,
		  int level, u64 entry)
{
	u64 *slot = &table[mk_index(addr, l)], *lower;
	u64 old = READ_ONCE(*slot);
	bool before = old & _PAGE_PRESENT;
	int err = 0;

	if (l == level) {
		WRITE_ONCE(*slot, entry);
		if (old && !mk_is_leaf(old, l))
			t->nr_retired += mk_table_take_out(t, old, l - 1,
							   &t->retired);
	} else {
		if (old && mk_is_leaf(old, l)) {
			WRITE_ONCE(*slot, 0);
			old = 0;
		}
		if (!old)
			lower = mk_table_grow(t, slot, l - 1, addr);
		else
			lower = old & _PAGE_PRESENT ? mk_lower(old) :
						      mk_table_open(t, slot);
		err = lower ? mk_set(t, lower, l - 1, addr, level, entry) :
			      -ENOMEM;
	}
	if (!!(*slot & _PAGE_PRESENT) != before)
		mk_use(t, table, l, before ? -1 : 1);
	return err;
}

/**
 * mk_table_set() - map memory at an address
 * @t: the table
 * @addr: of user space; rounded down to the leaf's size
 * @level: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
 * @entry: the leaf; present, and with the size bit at level 2 and 3
 *
 * What was there is replaced, whatever its size: smaller leaves go with their
 * table pages to @t->retired, a larger leaf goes as a whole. Pages are taken
 * from the node's pool.
 *
 * Context: any but NMI, under the caller's lock, which may be a raw spinlock.
 * Return: 0; -ENOMEM if the pool is dry, then nothing is mapped there or what was
 * there before; -EINVAL if @entry is no leaf of that level.
 */
int mk_table_set(struct mk_table *t, unsigned long addr, int level, u64 entry)
{
	if (level < 1 || level > MK_TABLE_LEAF_MAX ||
	    !(entry & _PAGE_PRESENT) || !mk_is_leaf(entry, level))
		return -EINVAL;
	return mk_set(t, mk_root(t), t->levels, addr, level, entry);
}

/**
 * mk_table_free() - free pages that mk_table_prune() has taken out
 * @pages: the list, empty afterwards
 *
 * Context: process.
 */
void mk_table_free(struct list_head *pages)
{
	mk_pool_give(pages);
}

/* --- life ------------------------------------------------------------------ */

/**
 * mk_table_init() - make an empty table
 * @t: the table
 * @node: an online node
 * @levels: 4 or 5
 * @kernel_half: a root to copy the kernel's entries from, or NULL if no CPU will
 *	load this one
 *
 * It holds the node's pool until mk_table_destroy().
 *
 * Context: process; sleeps.
 * Return: 0; -ENOMEM if the node has no page to give or the limit is reached.
 */
int mk_table_init(struct mk_table *t, int node, int levels,
		  const pgd_t *kernel_half)
{
	int err = mk_pool_get(node);

	if (err)
		return err;
	t->node = node;
	t->levels = levels;
	INIT_LIST_HEAD(&t->pages);
	INIT_LIST_HEAD(&t->retired);
	t->nr_pages = 1;
	t->nr_retired = 0;
	t->nr_idle = 0;
	t->keeps = false;
	memset(t->recent, 0, sizeof(t->recent));
	t->root = mk_pool_take(node);
	if (!t->root) {
		mk_pool_put(node);
		return -ENOMEM;
	}
	t->entries = page_address(t->root);
	t->root->index = 0;
	if (kernel_half)
		memcpy(mk_root(t) + PTRS_PER_PGD / 2,
		       kernel_half + PTRS_PER_PGD / 2, PAGE_SIZE / 2);
	return 0;
}

/**
 * mk_table_destroy() - free a table and all its pages
 * @t: a table that no CPU has loaded, nor any of its entries cached
 *
 * Context: process; sleeps.
 */
void mk_table_destroy(struct mk_table *t)
{
	list_splice_init(&t->retired, &t->pages);
	list_add(&t->root->lru, &t->pages);
	t->root = NULL;
	t->entries = NULL;
	mk_pool_give(&t->pages);
	mk_pool_put(t->node);
}
