// SPDX-License-Identifier: GPL-2.0
/*
 * What the files of a paged region and its pagers are asked for.
 */
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "module/pager/paged_priv.h"

static long mk_ioc_frame(struct mk_paged *paged,
			 struct mk_frame_alloc __user *arg)
{
	struct mk_frame_alloc alloc;
	struct mk_frame_free range;
	int err;

	if (copy_from_user(&alloc, arg, sizeof(alloc)))
		return -EFAULT;
	err = mk_frames_get(paged, &alloc);
	if (err || !copy_to_user(arg, &alloc, sizeof(alloc)))
		return err;
	/* Nobody knows them, so nobody uses them. */
	range = (struct mk_frame_free){
		.first = alloc.first,
		.count = alloc.count,
	};
	mk_frames_free(paged, &range);
	return -EFAULT;
}

static long mk_ioc_frame_free(struct mk_paged *paged,
			      const struct mk_frame_free __user *arg)
{
	struct mk_frame_free range;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	return mk_frames_free(paged, &range);
}

static long mk_ioc_paged_unmap(struct mk_paged *paged, struct mk_pager *pager,
			       struct mk_paged_unmap __user *arg)
{
	struct mk_paged_unmap unmap;
	int err;

	if (copy_from_user(&unmap, arg, sizeof(unmap)))
		return -EFAULT;
	err = mk_paged_unmap(paged, pager, &unmap);
	if (!err && copy_to_user(arg, &unmap, sizeof(unmap)))
		err = -EFAULT;
	return err;
}

static long mk_ioc_paged_look(struct mk_paged *paged,
			      struct mk_paged_look __user *arg)
{
	struct mk_paged_look look;
	int err;

	if (copy_from_user(&look, arg, sizeof(look)))
		return -EFAULT;
	err = mk_paged_look(paged, &look);
	if (!err && copy_to_user(arg, &look, sizeof(look)))
		err = -EFAULT;
	return err;
}

static long mk_ioc_paged_info(struct mk_paged *paged,
			      struct mk_paged_info __user *arg)
{
	struct mk_paged_info info;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.flags)
		return -EINVAL;
	mk_paged_info(paged, &info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long mk_ioc_pager_info(struct mk_pager *pager,
			      struct mk_pager_info __user *arg)
{
	struct mk_pager_info info;

	if (!pager)
		return -ENODATA;
	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.flags)
		return -EINVAL;
	mk_pager_info(pager, &info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/**
 * mk_paged_ioctl() - what needs a paged region
 * @region: of the file, or of the pager's
 * @pager: whose file it is, or NULL
 * @cmd: which
 * @arg: its argument
 *
 * Context: process; sleeps.
 * Return: 0 or a negative errno.
 */
long mk_paged_ioctl(struct mk_region *region, struct mk_pager *pager,
		    unsigned int cmd, void __user *arg)
{
	struct mk_paged *paged = region ? mk_paged_of(region) : NULL;

	if (!paged)
		return -ENODATA;
	switch (cmd) {
	case MK_IOC_FRAME:
		return mk_ioc_frame(paged, arg);
	case MK_IOC_FRAME_FREE:
		return mk_ioc_frame_free(paged, arg);
	case MK_IOC_PAGED_UNMAP:
		return mk_ioc_paged_unmap(paged, pager, arg);
	case MK_IOC_PAGED_LOOK:
		return mk_ioc_paged_look(paged, arg);
	case MK_IOC_PAGED_INFO:
		return mk_ioc_paged_info(paged, arg);
	case MK_IOC_PAGER_INFO:
		return mk_ioc_pager_info(pager, arg);
	default:
		return -ENOTTY;
	}
}
