// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/multikernel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "module/agent.h"
#include "module/control.h"
#include "module/device.h"
#include "module/door.h"
#include "module/mirror/home.h"
#include "module/mirror/mirror.h"
#include "module/pager/paged.h"
#include "module/uapi.h"
#include "shootdown/region.h"
#include "shootdown/space.h"

#define MK_SETTLE_MS_MAX	60000

/* An mm that was adopted on behalf of a file. */
struct mk_adoption {
	struct list_head link;
	struct mk_space *space;
};

/**
 * struct mk_open - an open file
 * @lock: protects @adoptions and @mirror, and the making of @region and @door
 * @region: NULL before MK_IOC_REGION; then the same until the file is closed
 * @adoptions: struct mk_adoption
 * @mirror: that was made on behalf of the file, or NULL
 * @home: NULL before MK_IOC_HOME; then the same until the file is closed
 * @door: NULL before MK_IOC_DOOR; then the same until the file is closed
 * @pager: NULL before MK_IOC_PAGER; then the same until the file is closed, and
 *	there is no @region
 */
struct mk_open {
	struct mutex lock;	/* adoptions, mirror, making of region and door */
	struct mk_region *region;
	struct list_head adoptions;
	struct mk_mirror *mirror;
	struct mk_home *home;
	struct mk_door *door;
	struct mk_pager *pager;
};

static const struct file_operations mk_device_fops;

/* --- files ----------------------------------------------------------------- */

static struct mk_open *mk_open_alloc(void)
{
	struct mk_open *open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);

	if (open) {
		mutex_init(&open->lock);
		INIT_LIST_HEAD(&open->adoptions);
	}
	return open;
}

static void mk_open_free(struct mk_open *open)
{
	struct mk_adoption *adoption, *next;

	list_for_each_entry_safe(adoption, next, &open->adoptions, link) {
		mk_space_put(adoption->space);
		kfree(adoption);
	}
	if (open->mirror) {
		mk_mirror_detach(open->mirror);
		mk_mirror_put(open->mirror);
	}
	if (open->region)
		mk_region_destroy(open->region);
	if (open->home)
		mk_home_destroy(open->home);
	if (open->door)
		mk_door_destroy(open->door);
	if (open->pager)
		mk_pager_destroy(open->pager);
	kfree(open);
}

/* A file has one region, or a pager of another file's. */
static int mk_open_region(struct mk_open *open, struct mk_region *region)
{
	if (IS_ERR(region))
		return PTR_ERR(region);
	/* Whoever wonders why rmmod is refused finds this. */
	pr_info_once("%s[%d] has made a region: the module cannot be unloaded while a process has one\n",
		     current->comm, task_tgid_nr(current));
	/* Pairs with mk_open_get(). */
	smp_store_release(&open->region, region);
	return 0;
}

static struct mk_region *mk_open_get(struct file *file)
{
	struct mk_open *open = file->private_data;

	/* Pairs with mk_open_region(). */
	return smp_load_acquire(&open->region);
}

static struct mk_door *mk_open_door(struct file *file)
{
	struct mk_open *open = file->private_data;

	/* Pairs with mk_ioc_door(). */
	return smp_load_acquire(&open->door);
}

static struct mk_pager *mk_open_pager(struct file *file)
{
	struct mk_open *open = file->private_data;

	/* Pairs with mk_ioc_pager(). */
	return smp_load_acquire(&open->pager);
}

static int mk_device_open(struct inode *inode, struct file *file)
{
	file->private_data = mk_open_alloc();
	return file->private_data ? 0 : -ENOMEM;
}

static int mk_device_release(struct inode *inode, struct file *file)
{
	mk_agents_release(file);
	mk_open_free(file->private_data);
	return 0;
}

static int mk_device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mk_region *region = mk_open_get(file);
	struct mk_pager *pager = mk_open_pager(file);
	struct mk_door *door = mk_open_door(file);

	if (vma->vm_pgoff >= MK_PAGER_OFFSET >> PAGE_SHIFT && pager)
		return mk_pager_mmap(pager, vma);
	if (vma->vm_pgoff >= MK_DOOR_OFFSET >> PAGE_SHIFT && door)
		return mk_door_mmap(door, vma);
	if (!region)
		return -ENODATA;
	return mk_paged_is(region) ? mk_paged_mmap(region, vma) :
	       mk_region_mmap(region, vma);
}

/*
 * Who would write to an eventfd writes eight bytes; which does not matter for a
 * door. A pager writes the number of a request.
 */
static ssize_t mk_device_write(struct file *file, const char __user *ubuf,
			       size_t len, loff_t *ppos)
{
	struct mk_pager *pager = mk_open_pager(file);
	struct mk_door *door = mk_open_door(file);
	int err;
	u64 id;

	if (!door && !pager)
		return -ENODATA;
	if (len != sizeof(u64))
		return -EINVAL;
	if (pager && copy_from_user(&id, ubuf, sizeof(id)))
		return -EFAULT;
	err = pager ? mk_pager_knock(pager, id) : mk_door_knock(door);
	return err ? err : (ssize_t)len;
}

static __poll_t mk_device_poll(struct file *file,
			       struct poll_table_struct *table)
{
	struct mk_pager *pager = mk_open_pager(file);
	struct mk_door *door = mk_open_door(file);

	if (pager)
		return mk_pager_look(pager, file, table);
	return door ? mk_door_look(door, file, table) : DEFAULT_POLLMASK;
}

/**
 * mk_region_file() - a region of the kernel's own
 * @pages: how many
 * @node: where, or -1
 *
 * Context: process, not a port's thread; sleeps.
 * Return: a file to vm_mmap() and fput(); or an ERR_PTR as mk_region_create().
 */
struct file *mk_region_file(u32 pages, int node)
{
	struct mk_open *open = mk_open_alloc();
	struct file *file;
	int err;

	if (!open)
		return ERR_PTR(-ENOMEM);
	err = mk_open_region(open, mk_region_create(pages, node, 0));
	if (err) {
		kfree(open);
		return ERR_PTR(err);
	}
	file = anon_inode_getfile("[multikernel]", &mk_device_fops, open,
				  O_RDWR);
	if (IS_ERR(file))
		mk_open_free(open);
	return file;
}

/**
 * mk_region_of() - the region of a file
 * @file: any file
 *
 * Context: any.
 * Return: the region, valid as long as @file; NULL if there is none.
 */
struct mk_region *mk_region_of(struct file *file)
{
	return file->f_op == &mk_device_fops ? mk_open_get(file) : NULL;
}

/* --- ioctl ----------------------------------------------------------------- */

static int mk_refuse(const char *what, int err)
{
	if (err == -EINVAL || err == -EOPNOTSUPP || err == -EEXIST ||
	    err == -EPERM)
		mk_control_refuse("device", "%s: refused with error %d", what,
				  err);
	return err;
}

/* The file gets its region, of either kind. */
static long mk_ioc_region(struct mk_open *open, unsigned int cmd,
			  const void __user *arg)
{
	union {
		struct mk_region_create plain;
		struct mk_paged_create paged;
	} create;
	bool paged = cmd == MK_IOC_PAGED;
	int err;

	if (copy_from_user(&create, arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	err = -EEXIST;
	if (!open->region && !open->pager)
		err = mk_open_region(open, paged ?
				     mk_paged_create(&create.paged) :
				     mk_region_create(create.plain.pages,
						      create.plain.node,
						      create.plain.flags));
	mutex_unlock(&open->lock);
	return err;
}

static long mk_ioc_pager(struct file *file,
			 const struct mk_pager_create __user *arg)
{
	struct mk_open *open = file->private_data;
	struct mk_pager_create create;
	struct mk_pager *pager;

	if (copy_from_user(&create, arg, sizeof(create)))
		return -EFAULT;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	pager = open->pager || open->region ? ERR_PTR(-EEXIST) :
		mk_pager_create(&create, file);
	if (!IS_ERR(pager))
		/* Pairs with mk_open_pager(). */
		smp_store_release(&open->pager, pager);
	mutex_unlock(&open->lock);
	return PTR_ERR_OR_ZERO(pager);
}

static long mk_ioc_info(struct mk_region *region,
			struct mk_region_info __user *arg)
{
	struct mk_region_info info;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.flags)
		return -EINVAL;
	mk_region_info(region, &info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long mk_ioc_op(struct mk_region *region, struct mk_region_op __user *arg)
{
	struct mk_region_op op;
	s32 cpu;
	int err;

	if (copy_from_user(&op, arg, sizeof(op)))
		return -EFAULT;
	cpu = op.cpu;
	err = mk_region_operate(region, &op);
	op.cpu = cpu;
	if (!err && copy_to_user(arg, &op, sizeof(op)))
		err = -EFAULT;
	return err;
}

static long mk_ioc_settle(struct mk_region *region,
			  const struct mk_region_settle __user *arg)
{
	struct mk_region_settle settle;

	if (copy_from_user(&settle, arg, sizeof(settle)))
		return -EFAULT;
	if (settle.flags || !settle.timeout_ms ||
	    settle.timeout_ms > MK_SETTLE_MS_MAX)
		return -EINVAL;
	return mk_region_settle(region, settle.timeout_ms);
}

static long mk_ioc_check(struct mk_region *region,
			 struct mk_region_check __user *arg)
{
	struct mk_region_check check;
	int err;

	if (copy_from_user(&check, arg, sizeof(check)))
		return -EFAULT;
	err = mk_region_check(region, &check);
	if (!err && copy_to_user(arg, &check, sizeof(check)))
		err = -EFAULT;
	return err;
}

/* Bits beyond the last CPU there can be are refused. */
static int mk_take_cpus(const struct mk_space_cpus *from, struct cpumask *cpus)
{
	const u64 __user *user = u64_to_user_ptr(from->cpus);
	unsigned int i, bit;
	u64 word;

	if (from->flags || from->bytes % sizeof(u64) ||
	    from->bytes > MK_CPUS_BYTES_MAX || !from->bytes != !from->cpus)
		return -EINVAL;
	if (!from->cpus) {
		cpumask_copy(cpus, cpu_online_mask);
		return 0;
	}
	for (i = 0; i < from->bytes / sizeof(u64); i++) {
		if (get_user(word, user + i))
			return -EFAULT;
		for (; word; word &= word - 1) {
			bit = i * 64 + __ffs64(word);
			if (bit >= nr_cpu_ids || !cpu_possible(bit))
				return -EINVAL;
			cpumask_set_cpu(bit, cpus);
		}
	}
	return cpumask_empty(cpus) ? -EINVAL : 0;
}

/* The file uses the caller's space from now on. */
static struct mk_space *mk_open_space(struct mk_open *open, bool make)
{
	struct mk_adoption *adoption;
	struct mk_space *space = ERR_PTR(-ESRCH);

	if (mutex_lock_killable(&open->lock))
		return ERR_PTR(-EINTR);
	list_for_each_entry(adoption, &open->adoptions, link) {
		if (mk_space_mm(adoption->space) == current->mm) {
			space = adoption->space;
			goto out;
		}
	}
	if (!make)
		goto out;
	adoption = kzalloc(sizeof(*adoption), GFP_KERNEL_ACCOUNT);
	if (!adoption) {
		space = ERR_PTR(-ENOMEM);
		goto out;
	}
	space = mk_space_get(current->mm);
	if (IS_ERR(space)) {
		kfree(adoption);
		goto out;
	}
	adoption->space = space;
	list_add(&adoption->link, &open->adoptions);
out:
	mutex_unlock(&open->lock);
	return space;
}

/* The space stays in the list, and so good, until the file is closed. */
static long mk_ioc_adopt(struct file *file,
			 const struct mk_space_cpus __user *arg, bool adopt)
{
	struct mk_space_cpus from;
	struct mk_space *space;
	cpumask_var_t cpus;
	int err;

	if (copy_from_user(&from, arg, sizeof(from)))
		return -EFAULT;
	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	err = mk_take_cpus(&from, cpus);
	if (err)
		goto out;
	space = mk_open_space(file->private_data, adopt);
	if (IS_ERR(space))
		err = PTR_ERR(space);
	else
		err = adopt ? mk_space_adopt(space, cpus) :
			      mk_space_leave(space, cpus);
out:
	free_cpumask_var(cpus);
	return err;
}

/* A file may outlive its mirror, and then have another. */
static long mk_ioc_mirror(struct file *file)
{
	struct mk_open *open = file->private_data;
	struct mk_mirror *m;

	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	if (open->mirror && !mk_mirror_has_ended(open->mirror)) {
		mutex_unlock(&open->lock);
		return -EEXIST;
	}
	m = mk_mirror_attach(task_tgid(current), "device");
	if (!IS_ERR(m)) {
		if (open->mirror)
			mk_mirror_put(open->mirror);
		open->mirror = m;
	}
	mutex_unlock(&open->lock);
	return PTR_ERR_OR_ZERO(m);
}

static long mk_ioc_door(struct mk_open *open,
			const struct mk_door_create __user *arg)
{
	struct mk_door_create create;
	struct mk_door *door;

	if (copy_from_user(&create, arg, sizeof(create)))
		return -EFAULT;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	door = open->door ? ERR_PTR(-EEXIST) : mk_door_create(&create);
	if (!IS_ERR(door))
		/* Pairs with mk_open_door(). */
		smp_store_release(&open->door, door);
	mutex_unlock(&open->lock);
	return PTR_ERR_OR_ZERO(door);
}

static long mk_ioc_door_info(struct file *file,
			     struct mk_door_info __user *arg)
{
	struct mk_door *door = mk_open_door(file);
	struct mk_door_info info;

	if (!door)
		return -ENODATA;
	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.flags)
		return -EINVAL;
	mk_door_info(door, &info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* What needs a paged region: the file's own, or that of its pager. */
static long mk_ioctl_paged(struct file *file, unsigned int cmd,
			   void __user *arg)
{
	struct mk_pager *pager = mk_open_pager(file);
	struct mk_region *region = pager ? mk_pager_region(pager) :
				   mk_open_get(file);

	return mk_paged_ioctl(region, pager, cmd, arg);
}

/* What needs a region. */
static long mk_ioctl_region(struct file *file, unsigned int cmd,
			    void __user *arg)
{
	struct mk_region *region = mk_open_get(file);

	if (!region)
		return -ENODATA;
	if (!mk_region_is_plain(region) && cmd != MK_IOC_INFO)
		return mk_refuse("region", -EPERM);
	switch (cmd) {
	case MK_IOC_INFO:
		return mk_refuse("info", mk_ioc_info(region, arg));
	case MK_IOC_OP:
		return mk_refuse("operation", mk_ioc_op(region, arg));
	case MK_IOC_SETTLE:
		return mk_refuse("settle", mk_ioc_settle(region, arg));
	default:
		return mk_refuse("check", mk_ioc_check(region, arg));
	}
}

static long mk_device_ioctl(struct file *file, unsigned int cmd,
			    unsigned long number)
{
	struct mk_open *open = file->private_data;
	void __user *arg = (void __user *)number;

	/* Everything here changes something. */
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) !=
	    (FMODE_READ | FMODE_WRITE))
		return -EBADF;
	switch (cmd) {
	case MK_IOC_REGION:
		return mk_refuse("region", mk_ioc_region(open, cmd, arg));
	case MK_IOC_ADOPT:
		return mk_refuse("adopt", mk_ioc_adopt(file, arg, true));
	case MK_IOC_LEAVE:
		return mk_refuse("leave", mk_ioc_adopt(file, arg, false));
	case MK_IOC_AGENT:
		return mk_refuse("agent", mk_agent_ioctl(file, arg));
	case MK_IOC_MIRROR:
		return mk_ioc_mirror(file);
	case MK_IOC_INFO:
	case MK_IOC_OP:
	case MK_IOC_SETTLE:
	case MK_IOC_CHECK:
		return mk_ioctl_region(file, cmd, arg);
	case MK_IOC_DOOR:
		return mk_refuse("door", mk_ioc_door(open, arg));
	case MK_IOC_DOOR_INFO:
		return mk_refuse("door", mk_ioc_door_info(file, arg));
	case MK_IOC_PAGED:
		return mk_refuse("paged region", mk_ioc_region(open, cmd, arg));
	case MK_IOC_PAGER:
		return mk_refuse("pager", mk_ioc_pager(file, arg));
	case MK_IOC_FRAME:
	case MK_IOC_FRAME_FREE:
	case MK_IOC_PAGED_UNMAP:
	case MK_IOC_PAGED_LOOK:
	case MK_IOC_PAGED_INFO:
	case MK_IOC_PAGER_INFO:
		return mk_refuse("pager", mk_ioctl_paged(file, cmd, arg));
	case MK_IOC_HOME:
	case MK_IOC_HOME_MAP:
	case MK_IOC_HOME_UNMAP:
	case MK_IOC_HOME_TOUCH:
	case MK_IOC_HOME_INFO:
		return mk_refuse("home", mk_home_ioctl(&open->home, cmd, arg));
	default:
		return -ENOTTY;
	}
}

static const struct file_operations mk_device_fops = {
	.owner		= THIS_MODULE,
	.open		= mk_device_open,
	.release	= mk_device_release,
	.mmap		= mk_device_mmap,
	.write		= mk_device_write,
	.poll		= mk_device_poll,
	.unlocked_ioctl	= mk_device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice mk_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= KBUILD_MODNAME,
	.fops	= &mk_device_fops,
	.mode	= 0600,
};

/**
 * mk_device_init() - make /dev/multikernel
 *
 * Context: process; once all that it needs is there.
 * Return: 0 or a negative errno.
 */
int mk_device_init(void)
{
	return misc_register(&mk_device);
}

/**
 * mk_device_exit() - take it away; no file of it is open
 *
 * Context: process.
 */
void mk_device_exit(void)
{
	misc_deregister(&mk_device);
}
