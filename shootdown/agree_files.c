// SPDX-License-Identifier: GPL-2.0
/*
 * agreement/ in debugfs: counters, the check, and handles for tests.
 */
#include <linux/debugfs.h>

#include "module/control.h"
#include "shootdown/agree.h"

#define MK_AGREE_SHOW(name)						\
static u64 mk_show_##name(void *data)					\
{									\
	u64 sum = 0;							\
	int cpu;							\
									\
	for_each_possible_cpu(cpu)					\
		sum += READ_ONCE(mk_agree(cpu)->count.name);		\
	return sum;							\
}									\
									\
static const struct mk_value mk_value_##name = { .show = mk_show_##name };
MK_AGREE_COUNTERS(MK_AGREE_SHOW)

#define MK_EVENT_SHOW(name)						\
static u64 mk_show_##name(void *data)					\
{									\
	return atomic64_read(&mk_agree_events.name);			\
}									\
									\
static const struct mk_value mk_value_##name = { .show = mk_show_##name };
MK_AGREE_EVENTS(MK_EVENT_SHOW)

static u64 mk_show_members(void *data)
{
	u64 n = 0;
	int cpu;

	for_each_online_cpu(cpu)
		n += READ_ONCE(mk_replica(cpu)->joined);
	return n;
}

static u64 mk_show_view(void *data)
{
	u64 view = 0;
	int cpu;

	for_each_online_cpu(cpu)
		if (READ_ONCE(mk_replica(cpu)->joined))
			view = max(view, READ_ONCE(mk_replica(cpu)->view));
	return view;
}

/* A check that could not be made has not found that all is well. */
static u64 mk_show_check(void *data)
{
	u32 faults = 0;
	int err = mk_agree_check(&faults);

	return err ? U32_MAX : faults;
}

static int mk_store_take(void *data, u64 value)
{
	return mk_frames_retype(value, 1, MK_FRAME_FREE, MK_FRAME_FRAME);
}

static int mk_store_give(void *data, u64 value)
{
	return mk_frames_retype(value, 1, MK_FRAME_FRAME, MK_FRAME_FREE);
}

static u64 mk_show_u32(void *data)
{
	return READ_ONCE(*(u32 *)data);
}

static int mk_store_u32(void *data, u64 value)
{
	WRITE_ONCE(*(u32 *)data, value);
	return 0;
}

static u64 mk_show_slots(void *data)
{
	return MK_FRAMES;
}

static const struct mk_value mk_value_members = { .show = mk_show_members };
static const struct mk_value mk_value_view = { .show = mk_show_view };
static const struct mk_value mk_value_check = { .show = mk_show_check };
static const struct mk_value mk_value_take = {
	.show = mk_show_slots, .store = mk_store_take, .max = MK_FRAMES - 1,
};

static const struct mk_value mk_value_give = {
	.show = mk_show_slots, .store = mk_store_give, .max = MK_FRAMES - 1,
};

static const struct mk_value mk_value_fault = {
	.show = mk_show_u32, .store = mk_store_u32, .max = MK_AGREE_FAULTS - 1,
};

static const struct mk_value mk_value_planned = {
	.show = mk_show_u32, .store = mk_store_u32, .max = 1,
};

static const struct mk_value mk_value_pause = {
	.show = mk_show_u32, .store = mk_store_u32, .max = MK_AGREE_PAUSES - 1,
};

/**
 * mk_agree_files() - make agreement/ in the tree
 * @root: root of the tree, which also takes it away again
 *
 * Context: process.
 */
void mk_agree_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("agreement", root);

#define MK_AGREE_FILE(name)						\
	mk_control_value(#name, dir, NULL, &mk_value_##name);
	MK_AGREE_COUNTERS(MK_AGREE_FILE)
	MK_AGREE_EVENTS(MK_AGREE_FILE)
	MK_AGREE_FILE(members)
	MK_AGREE_FILE(view)
	MK_AGREE_FILE(check)
	MK_AGREE_FILE(take)
	MK_AGREE_FILE(give)
#undef MK_AGREE_FILE
	mk_control_value("fault", dir, &mk_agree_fault, &mk_value_fault);
	mk_control_value("pause", dir, &mk_agree_pause, &mk_value_pause);
	mk_control_value("planned", dir, &mk_agree_planned, &mk_value_planned);
}
