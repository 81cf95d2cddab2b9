/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/multikernel: an open file is a region, or about to become one.
 *
 * The module stays loaded while one is open. The ABI is uapi.h.
 */
#ifndef MK_DEVICE_H
#define MK_DEVICE_H

#include <linux/types.h>

struct file;
struct mk_region;

int mk_device_init(void);
void mk_device_exit(void);

/*
 * For experiments that map a region into the mm of whoever runs them:
 * vm_mmap(file, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0),
 * mk_region_operate() with any CPU as the initiator, vm_munmap(), fput().
 */
struct file *mk_region_file(u32 pages, int node);
struct mk_region *mk_region_of(struct file *file);

#endif /* MK_DEVICE_H */
