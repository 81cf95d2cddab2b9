// SPDX-License-Identifier: GPL-2.0
/*
 * Home-node spaces as the device and debugfs show them; and what a look at one
 * finds.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "module/control.h"
#include "module/mirror/home.h"
#include "shootdown/errand.h"
#include "shootdown/frames.h"

/* --- a look ---------------------------------------------------------------- */

/**
 * struct mk_look_home - a look at a space on one node
 * @errand: has a monitor look into its replica of the frame table
 * @home: the space; under its @change, so that nothing is unmapped
 * @on: its page tables there
 * @info: what is found
 */
struct mk_look_home {
	struct mk_errand errand;
	struct mk_home *home;
	struct mk_home_node *on;
	struct mk_home_info *info;
};

static void mk_look_leaf(struct mk_look_home *look, unsigned long address,
			 u64 entry)
{
	struct mk_home_record *record;
	bool stale;

	raw_spin_lock_irq(&look->home->lock);
	record = mk_home_at(look->home, address);
	stale = !record || pte_pfn(__pte(entry)) !=
		page_to_pfn(mk_home_frame(record, address,
					  look->on->table.node));
	raw_spin_unlock_irq(&look->home->lock);
	look->info->entries++;
	look->info->stale += stale;
}

/* Pages of the tables stay as long as the space: no lock of theirs is needed. */
static void mk_look_table(struct mk_look_home *look, const u64 *table,
			  int level, unsigned long address)
{
	u32 i, nr = level == look->home->levels ? PTRS_PER_PGD / 2 :
						  PTRS_PER_PTE;
	u64 entry;

	for (i = 0; i < nr; i++, address += mk_table_span(level)) {
		entry = READ_ONCE(table[i]);
		if (!(entry & _PAGE_PRESENT))
			continue;
		if (level == 1)
			mk_look_leaf(look, address, entry);
		else
			mk_look_table(look,
				      __va((u64)pte_pfn(__pte(entry)) <<
					   PAGE_SHIFT), level - 1, address);
	}
	cond_resched();
}

static int mk_look_typed(struct mk_port *port, struct mk_errand *errand)
{
	struct mk_look_home *look = container_of(errand, struct mk_look_home,
						 errand);
	struct mk_table *table = &look->on->table;
	struct page *page;

	raw_spin_lock_irq(&look->on->lock);
	look->info->tables = table->nr_pages;
	look->info->tables_off = table->nr_pages -
				 mk_table_count(table, table->node);
	look->info->untyped = mk_frames_type(port, page_private(table->root)) !=
			      MK_FRAME_PAGE_TABLE;
	mk_table_for_each_page(page, table)
		look->info->untyped +=
			mk_frames_type(port, page_private(page)) !=
			MK_FRAME_PAGE_TABLE;
	raw_spin_unlock_irq(&look->on->lock);
	return 0;
}

static void mk_look_records(struct mk_home *home, struct mk_home_info *info)
{
	struct mk_home_record *record;
	struct page *page;
	struct rb_node *rb;

	raw_spin_lock_irq(&home->lock);
	for (rb = rb_first(&home->records); rb; rb = rb_next(rb)) {
		record = rb_entry(rb, struct mk_home_record, rb);
		page = is_vmalloc_addr(record) ? vmalloc_to_page(record) :
						 virt_to_page(record);
		info->records++;
		info->records_off += page_to_nid(page) != home->node;
	}
	info->nodes = nodes_weight(home->joined);
	raw_spin_unlock_irq(&home->lock);
}

static int mk_look(struct mk_home *home, struct mk_home_info *info)
{
	struct mk_look_home *look;
	int err;

	look = kvzalloc(sizeof(*look), GFP_KERNEL);
	if (!look)
		return -ENOMEM;
	mk_errand_init(&look->errand, false, mk_look_typed);
	look->home = home;
	look->on = home->on[info->node];
	look->info = info;
	mk_look_table(look, page_address(look->on->table.root), home->levels,
		      0);
	info->faults = READ_ONCE(look->on->faults);
	err = mk_errand_run(raw_smp_processor_id(), &look->errand);
	mk_errand_put(&look->errand);
	return err;
}

/**
 * mk_home_info() - look at one node's part of a space
 * @home: the space
 * @info: which node; written
 *
 * Context: process, not a port's thread; sleeps.
 * Return: 0; -EINVAL for a field that cannot be; -ENOMEM, -EINTR, -ENODEV.
 */
int mk_home_info(struct mk_home *home, struct mk_home_info *info)
{
	int node = info->node, err = 0;

	if (node < 0 || node >= nr_node_ids || info->flags)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	info->node = node;
	info->home = home->node;
	if (mutex_lock_killable(&home->change))
		return -EINTR;
	mk_look_records(home, info);
	if (home->on[node])
		err = mk_look(home, info);
	mutex_unlock(&home->change);
	return err;
}

/* --- the device ------------------------------------------------------------ */

static long mk_ioc_home(struct mk_home **home,
			const struct mk_home_create __user *arg)
{
	struct mk_home_create create;
	struct mk_home *made;

	if (copy_from_user(&create, arg, sizeof(create)))
		return -EFAULT;
	if (create.flags)
		return -EINVAL;
	if (READ_ONCE(*home))
		return -EEXIST;
	made = mk_home_create(create.node);
	if (IS_ERR(made))
		return PTR_ERR(made);
	/* Fully ordered: whoever finds it finds it made. */
	if (cmpxchg(home, NULL, made)) {
		mk_home_destroy(made);
		return -EEXIST;
	}
	return 0;
}

static long mk_ioc_home_map(struct mk_home *home,
			    const struct mk_home_map __user *arg)
{
	struct mk_home_map map;

	if (copy_from_user(&map, arg, sizeof(map)))
		return -EFAULT;
	return mk_home_map(home, &map);
}

static long mk_ioc_home_unmap(struct mk_home *home,
			      struct mk_home_unmap __user *arg)
{
	struct mk_home_unmap op;
	s32 cpu;
	int err;

	if (copy_from_user(&op, arg, sizeof(op)))
		return -EFAULT;
	cpu = op.cpu;
	err = mk_home_unmap(home, &op);
	op.cpu = cpu;
	if (!err && copy_to_user(arg, &op, sizeof(op)))
		err = -EFAULT;
	return err;
}

static long mk_ioc_home_touch(struct mk_home *home,
			      struct mk_home_touch __user *arg)
{
	struct mk_home_touch touch;
	int err;

	if (copy_from_user(&touch, arg, sizeof(touch)))
		return -EFAULT;
	err = mk_home_touch(home, &touch);
	if (!err && copy_to_user(arg, &touch, sizeof(touch)))
		err = -EFAULT;
	return err;
}

static long mk_ioc_home_info(struct mk_home *home,
			     struct mk_home_info __user *arg)
{
	struct mk_home_info info;
	int err;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	err = mk_home_info(home, &info);
	if (!err && copy_to_user(arg, &info, sizeof(info)))
		err = -EFAULT;
	return err;
}

/**
 * mk_home_ioctl() - what a file of the device does with its space
 * @home: the file's, NULL before MK_IOC_HOME, then the same until it is closed
 * @cmd: MK_IOC_HOME and what follows it
 * @arg: as uapi.h says
 *
 * Context: process; sleeps.
 * Return: 0 or a negative errno; -ENODATA if there is no space yet.
 */
long mk_home_ioctl(struct mk_home **home, unsigned int cmd, void __user *arg)
{
	struct mk_home *made = READ_ONCE(*home);

	if (cmd == MK_IOC_HOME)
		return mk_ioc_home(home, arg);
	if (!made)
		return -ENODATA;
	switch (cmd) {
	case MK_IOC_HOME_MAP:
		return mk_ioc_home_map(made, arg);
	case MK_IOC_HOME_UNMAP:
		return mk_ioc_home_unmap(made, arg);
	case MK_IOC_HOME_TOUCH:
		return mk_ioc_home_touch(made, arg);
	default:
		return mk_ioc_home_info(made, arg);
	}
}

/* --- debugfs --------------------------------------------------------------- */

static u64 mk_show_home(void *data)
{
	return atomic64_read(data);
}

static const struct mk_value mk_value_home = { .show = mk_show_home };

/**
 * mk_homes_files() - make home/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process.
 */
void mk_homes_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("home", root), *sub;
	struct mk_home_totals *totals;
	char name[16];
	int node;

	for_each_node(node) {
		totals = &mk_home_totals[node];
		snprintf(name, sizeof(name), "node%d", node);
		sub = debugfs_create_dir(name, dir);
		mk_control_value("spaces", sub, &totals->spaces,
				 &mk_value_home);
		mk_control_value("records", sub, &totals->records,
				 &mk_value_home);
		mk_control_value("tables", sub, &totals->tables,
				 &mk_value_home);
		mk_control_value("faults", sub, &totals->faults,
				 &mk_value_home);
		mk_control_value("told", sub, &totals->told, &mk_value_home);
		mk_control_value("direct", sub, &totals->direct,
				 &mk_value_home);
	}
}

/**
 * mk_homes_init() - get ready for spaces
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int mk_homes_init(void)
{
	mk_home_totals = kcalloc(nr_node_ids, sizeof(*mk_home_totals),
				 GFP_KERNEL);
	if (!mk_home_totals)
		return -ENOMEM;
	mk_home_unmap_init();
	return 0;
}

/**
 * mk_homes_exit() - free what is left; there are no spaces
 *
 * Context: process, when no monitor runs, that could serve a late message.
 */
void mk_homes_exit(void)
{
	kfree(mk_home_totals);
}
