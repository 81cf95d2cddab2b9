// SPDX-License-Identifier: GPL-2.0
/*
 * What a monitor sees in a region, through the mm that it has adopted.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "shootdown/errand.h"
#include "shootdown/region_priv.h"

/* How often a monitor is asked again when a page was taken from under it. */
#define MK_CHECK_TRIES		100

struct mk_inspection {
	struct mk_errand errand;
	struct mk_space *space;
	unsigned long address;
	u32 pages;
	u32 done;
	u64 version;
};

static int mk_inspect(struct mk_port *port, struct mk_errand *errand)
{
	struct mk_inspection *inspection =
		container_of(errand, struct mk_inspection, errand);
	u64 version;
	int err;

	while (inspection->done < inspection->pages) {
		err = mk_space_read(port, inspection->space,
				    inspection->address + MK_PAGE_VERSION +
				    inspection->done * PAGE_SIZE, &version);
		if (err)
			return err;
		inspection->version = min(inspection->version, version);
		inspection->done++;
	}
	return 0;
}

/* Where the caller has these pages in one piece; 0 if nowhere. */
static unsigned long mk_region_address(struct mk_region *region,
				       const struct mk_region_check *check)
{
	VMA_ITERATOR(vmi, current->mm, 0);
	struct vm_area_struct *vma;
	unsigned long address = 0;

	if (mmap_read_lock_killable(current->mm))
		return 0;
	for_each_vma(vmi, vma) {
		if (!mk_region_maps(region, vma) ||
		    vma->vm_pgoff > check->first ||
		    vma->vm_pgoff + vma_pages(vma) <
		    check->first + (unsigned long)check->pages)
			continue;
		address = vma->vm_start +
			  ((check->first - vma->vm_pgoff) << PAGE_SHIFT);
		break;
	}
	mmap_read_unlock(current->mm);
	return address;
}

/**
 * mk_region_check() - have a monitor read pages through the mm it has adopted
 * @region: a region that the caller has mapped
 * @check: which; gets the lowest version that the monitor has read
 *
 * Context: process with an mm; sleeps.
 * Return: 0; -EINVAL for a field that cannot be; -ENXIO if the caller has not
 * mapped the pages in one piece; -ESRCH if the monitor has not adopted the
 * caller's mm; -ENODEV if its CPU is off line; -EFAULT if the pages went away all
 * the time; -ENOMEM, -EINTR.
 */
int mk_region_check(struct mk_region *region, struct mk_region_check *check)
{
	struct mk_inspection *inspection;
	unsigned int tries = 0;
	struct mk_space *space;
	unsigned long address;
	u8 byte;
	int err;

	if (!check->pages || check->pages > MK_OP_PAGES_MAX ||
	    check->first >= region->pages ||
	    check->pages > region->pages - check->first || check->flags ||
	    !mk_port(check->cpu))
		return -EINVAL;
	address = mk_region_address(region, check);
	if (!address)
		return fatal_signal_pending(current) ? -EINTR : -ENXIO;
	space = mk_space_get(current->mm);
	if (IS_ERR(space))
		return PTR_ERR(space);
	inspection = kvzalloc(sizeof(*inspection), GFP_KERNEL);
	if (!inspection) {
		mk_space_put(space);
		return -ENOMEM;
	}
	mk_errand_init(&inspection->errand, false, mk_inspect);
	inspection->space = space;
	inspection->address = address;
	inspection->pages = check->pages;
	inspection->version = U64_MAX;

	do {
		/* A monitor does not fault: have the page there. */
		err = copy_from_user(&byte, (const void __user *)
				     (address + inspection->done * PAGE_SIZE),
				     sizeof(byte)) ? -EFAULT :
		      mk_errand_run(check->cpu, &inspection->errand);
	} while (err == -EFAULT && ++tries < MK_CHECK_TRIES);
	if (!err)
		check->version = inspection->version;
	mk_errand_put(&inspection->errand);
	mk_space_put(space);
	return err;
}
