// SPDX-License-Identifier: GPL-2.0
/*
 * Paged regions: life, and what there is to know of one.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "module/control.h"
#include "module/pager/paged_priv.h"

DEFINE_PER_CPU(struct mk_paged_stats, mk_paged_totals);
atomic64_t mk_paged_regions;
atomic64_t mk_paged_pagers;
atomic64_t mk_paged_frames;
atomic64_t mk_paged_memory;
bool mk_paged_broken;

/* --- memory ---------------------------------------------------------------- */

/**
 * mk_paged_alloc() - zeroed memory that is counted
 * @n: how many
 * @size: of each
 * @node: near which node, or NUMA_NO_NODE
 *
 * Context: process; sleeps.
 * Return: for mk_paged_free(); NULL.
 */
void *mk_paged_alloc(size_t n, size_t size, int node)
{
	void *p = kvzalloc_node(n * size, GFP_KERNEL_ACCOUNT, node);

	if (p)
		atomic64_add(n * size, &mk_paged_memory);
	return p;
}

/**
 * mk_paged_free() - free it
 * @p: from mk_paged_alloc(), or NULL
 * @n: how many
 * @size: of each
 *
 * Context: process; sleeps.
 */
void mk_paged_free(void *p, size_t n, size_t size)
{
	if (!p)
		return;
	kvfree(p);
	atomic64_sub(n * size, &mk_paged_memory);
}

/* --- life ------------------------------------------------------------------ */

static void mk_paged_release(struct mk_paged *paged, u32 pages)
{
	u32 max = paged->frames_max;
	int table;

	for (table = 0; paged->record && table <= mk_paged_master(); table++)
		mk_paged_free(paged->record[table], pages, sizeof(u32));
	mk_paged_free(paged->record, nr_node_ids + 1, sizeof(u32 *));
	mk_paged_free(paged->pager, nr_node_ids, sizeof(*paged->pager));
	mk_paged_free(paged->seq, pages, sizeof(*paged->seq));
	mk_paged_free(paged->frame, max, sizeof(*paged->frame));
	mk_paged_free(paged->uses, max, sizeof(*paged->uses));
	mk_paged_free(paged->used, BITS_TO_LONGS(max), sizeof(long));
	mk_paged_free(paged->pinned, BITS_TO_LONGS(max), sizeof(long));
	free_percpu(paged->stats);
	mk_paged_free(paged, 1, sizeof(*paged));
}

/* Nobody maps it, and no pager has its file. */
static void mk_paged_destroy(struct mk_region *region)
{
	struct mk_paged *paged = mk_paged_of(region);

	WARN_ON(!list_empty(&paged->pagers));
	mk_frames_destroy(paged);
	mk_paged_release(paged, region->pages);
	atomic64_dec(&mk_paged_regions);
}

static const struct mk_region_kind mk_paged_kind = {
	.vm_ops		= &mk_paged_vm_ops,
	.operated	= mk_paged_operated,
	.reach		= mk_paged_reach,
	.destroy	= mk_paged_destroy,
	.broken		= &mk_paged_broken,
};

/**
 * mk_paged_of() - what makes a region a paged one
 * @region: any
 *
 * Context: any.
 * Return: NULL if it is none.
 */
struct mk_paged *mk_paged_of(const struct mk_region *region)
{
	return mk_region_own(region, &mk_paged_kind);
}

/**
 * mk_paged_is() - is a region a paged one
 * @region: any
 *
 * Context: any.
 */
bool mk_paged_is(const struct mk_region *region)
{
	return mk_paged_of(region);
}

static int mk_paged_records(struct mk_paged *paged, u32 pages)
{
	bool local = mk_paged_is_local(paged);
	int table;

	for (table = 0; table <= mk_paged_master(); table++) {
		bool master = table == mk_paged_master();

		/* Where there is no mirror, a zeroed frame is everybody's. */
		if (master ? local && !(paged->flags & MK_PAGED_ZERO) :
			     !local || !node_state(table, N_MEMORY))
			continue;
		paged->record[table] =
			mk_paged_alloc(pages, sizeof(u32),
				       master ? NUMA_NO_NODE : table);
		if (!paged->record[table])
			return -ENOMEM;
	}
	return 0;
}

static int mk_paged_fill(struct mk_paged *paged, u32 pages)
{
	u32 max = paged->frames_max;

	paged->frame = mk_paged_alloc(max, sizeof(*paged->frame), NUMA_NO_NODE);
	paged->uses = mk_paged_alloc(max, sizeof(*paged->uses), NUMA_NO_NODE);
	paged->used = mk_paged_alloc(BITS_TO_LONGS(max), sizeof(long),
				     NUMA_NO_NODE);
	paged->pinned = mk_paged_alloc(BITS_TO_LONGS(max), sizeof(long),
				       NUMA_NO_NODE);
	paged->seq = mk_paged_alloc(pages, sizeof(*paged->seq), NUMA_NO_NODE);
	paged->pager = mk_paged_alloc(nr_node_ids, sizeof(*paged->pager),
				      NUMA_NO_NODE);
	paged->record = mk_paged_alloc(nr_node_ids + 1, sizeof(u32 *),
				       NUMA_NO_NODE);
	paged->stats = alloc_percpu_gfp(struct mk_paged_stats,
					GFP_KERNEL_ACCOUNT);
	if (!paged->frame || !paged->uses || !paged->used || !paged->pinned ||
	    !paged->seq || !paged->pager || !paged->record || !paged->stats)
		return -ENOMEM;
	return mk_paged_records(paged, pages);
}

/**
 * mk_paged_create() - make a paged region that nobody maps yet
 * @create: what user space asks for
 *
 * Context: process, not a port's thread; sleeps.
 * Return: the region, for mk_region_destroy(); or an ERR_PTR: -EINVAL for a field
 * that cannot be, -ENOMEM, -EINTR, or the error of mk_frames_claim().
 */
struct mk_region *mk_paged_create(const struct mk_paged_create *create)
{
	struct mk_region *region;
	struct mk_paged *paged;
	int err;

	if (create->flags & ~(u64)(MK_PAGED_LOCAL | MK_PAGED_ZERO |
				   MK_PAGED_AWAIT) ||
	    !create->timeout_ms || create->timeout_ms > MK_PAGED_TIMEOUT_MAX ||
	    !create->frames || create->frames > MK_PAGED_FRAMES_MAX ||
	    !create->pages || create->pages > MK_REGION_PAGES_MAX ||
	    !mk_paged_node_ok(create->node))
		return ERR_PTR(-EINVAL);

	paged = mk_paged_alloc(1, sizeof(*paged), NUMA_NO_NODE);
	if (!paged)
		return ERR_PTR(-ENOMEM);
	paged->flags = create->flags;
	paged->timeout = msecs_to_jiffies(create->timeout_ms);
	paged->frames_max = create->frames;
	spin_lock_init(&paged->serving);
	init_waitqueue_head(&paged->arrival);
	INIT_LIST_HEAD(&paged->pagers);
	err = mk_paged_fill(paged, create->pages);
	if (err)
		goto err_release;
	region = mk_region_create_kind(create->pages, create->node,
				       &mk_paged_kind, paged);
	if (IS_ERR(region)) {
		err = PTR_ERR(region);
		goto err_release;
	}
	paged->region = region;
	atomic64_inc(&mk_paged_regions);
	return region;

err_release:
	mk_paged_release(paged, create->pages);
	return ERR_PTR(err);
}

/* --- to know of one -------------------------------------------------------- */

/**
 * mk_paged_sum() - add up what CPUs have counted
 * @stats: per CPU
 * @sum: written
 *
 * Context: any.
 */
void mk_paged_sum(const struct mk_paged_stats __percpu *stats,
		  struct mk_paged_stats *sum)
{
	const struct mk_paged_stats *one;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		one = per_cpu_ptr(stats, cpu);
#define MK_PAGED_STAT_ADD(name)	sum->name += READ_ONCE(one->name);
		MK_PAGED_STATS(MK_PAGED_STAT_ADD)
	}
}

/**
 * mk_paged_info() - what there is to know of a paged region
 * @paged: it
 * @info: written
 *
 * Context: process; sleeps.
 */
void mk_paged_info(struct mk_paged *paged, struct mk_paged_info *info)
{
	struct mk_region *region = paged->region;
	struct mk_paged_stats sum;
	struct mk_mapping *mapping;
	int node;

	mk_paged_sum(paged->stats, &sum);
	memset(info, 0, sizeof(*info));
#define MK_PAGED_STAT_COPY(name)	info->name = sum.name;
	MK_PAGED_STATS(MK_PAGED_STAT_COPY)
	info->flags = paged->flags;
	info->pages = region->pages;
	info->node = region->node;
	info->timeout_ms = jiffies_to_msecs(paged->timeout);
	info->frames_max = paged->frames_max;
	mutex_lock(&region->lock);
	info->frames = paged->frames;
	info->pinned = paged->nr_pinned;
	list_for_each_entry(mapping, &region->mappings, link)
		info->mappings += mapping->vmas;
	mutex_unlock(&region->lock);
	spin_lock(&paged->serving);
	for (node = 0; node < nr_node_ids; node++)
		info->pagers += !!paged->pager[node];
	spin_unlock(&paged->serving);
}

/**
 * mk_paged_look() - what a page is on a node
 * @paged: the region
 * @look: which; gets the rest
 *
 * Context: process; sleeps.
 * Return: 0 or -EINVAL.
 */
int mk_paged_look(struct mk_paged *paged, struct mk_paged_look *look)
{
	u32 *master = paged->record[mk_paged_master()], record = 0;

	if (look->page >= paged->region->pages || !mk_paged_node_ok(look->node))
		return -EINVAL;
	mutex_lock(&paged->region->lock);
	if (master)
		record = master[look->page];
	/* A node that had no memory when the region was made has none. */
	if (!record && mk_paged_is_local(paged) && paged->record[look->node])
		record = paged->record[look->node][look->page];
	look->seq = paged->seq[look->page];
	mutex_unlock(&paged->region->lock);
	look->frame = mk_record_frame(record);
	look->rights = record & MK_RECORD_RIGHTS;
	return 0;
}

/* --- files ----------------------------------------------------------------- */

static u64 mk_show_atomic(void *data)
{
	return atomic64_read(data);
}

/* data: where it is in struct mk_paged_stats. */
static u64 mk_show_stat(void *data)
{
	size_t offset = (unsigned long)data;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*(u64 *)((void *)per_cpu_ptr(&mk_paged_totals,
							      cpu) + offset));
	return sum;
}

static u64 mk_show_bytes(void *data)
{
	return mk_paged_bytes();
}

static u64 mk_show_broken(void *data)
{
	return READ_ONCE(mk_paged_broken);
}

static int mk_store_broken(void *data, u64 value)
{
	WRITE_ONCE(mk_paged_broken, value);
	return 0;
}

static const struct mk_value mk_value_broken = {
	.show	= mk_show_broken,
	.store	= mk_store_broken,
	.max	= 1,
};

static const struct mk_value mk_value_atomic = { .show = mk_show_atomic };
static const struct mk_value mk_value_stat = { .show = mk_show_stat };
static const struct mk_value mk_value_bytes = { .show = mk_show_bytes };

/**
 * mk_paged_bytes() - memory of all paged regions and pagers
 *
 * Context: any.
 * Return: bytes, frames included.
 */
u64 mk_paged_bytes(void)
{
	return atomic64_read(&mk_paged_frames) * PAGE_SIZE +
	       atomic64_read(&mk_paged_memory);
}

/**
 * mk_paged_files() - make pagers/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process.
 */
void mk_paged_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("pagers", root);

	mk_control_value("regions", dir, &mk_paged_regions, &mk_value_atomic);
	mk_control_value("count", dir, &mk_paged_pagers, &mk_value_atomic);
	mk_control_value("frames", dir, &mk_paged_frames, &mk_value_atomic);
	mk_control_value("bytes", dir, NULL, &mk_value_bytes);
	mk_control_value("broken", dir, NULL, &mk_value_broken);
#define MK_PAGED_STAT_FILE(name)					\
	mk_control_value(#name, dir,					\
			 (void *)offsetof(struct mk_paged_stats, name),	\
			 &mk_value_stat);
	MK_PAGED_STATS(MK_PAGED_STAT_FILE)
}
