// SPDX-License-Identifier: GPL-2.0
/*
 * Makes every allocation of a module fail once, in whichever thread it happens: one
 * in each walk of a path, or several that are far enough apart.
 *
 * The kernel's own fault injection cannot: its fail-nth counts one task, and
 * monitors, CPU hotplug threads and workers allocate as well; and its stack
 * filter, which would pick one module's allocations out of everybody's, is not
 * to be had on x86-64. So this hooks the two functions that every allocation
 * asks whether it shall fail, and looks at the stack itself.
 *
 * /sys/kernel/debug/mk_failnth/
 *	sweep	write 1: none has failed yet
 *	walk	write 1: count from now on, and fail the first that has not failed
 *		yet; 0: stop counting
 *	burst	how many fail from there on (1)
 *	apart	how many do not fail then, before another does that has not failed
 *		yet; 0 (the default): none does in this walk. For paths that go
 *		on after most of what fails
 *	alike	allocations from one place that count, 0 for all (2): the rest of
 *		a long loop is no news. A place is the module's innermost line on
 *		the stack, and from there on its functions: what the kernel
 *		allocates below, to fail in one and the same way, is one place.
 *	seen	allocations counted in this walk
 *	failed	of those, made to fail
 *	begun	of those, that had not failed yet
 *	where	stacks of the latter
 *
 * To fail the first that has not failed yet, rather than the n-th for every n, comes
 * to the same where a path always allocates the same in the same order. Where it does
 * not, since what it made for good is there the next time or other threads allocate
 * as well, none is left out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/jhash.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/objtool.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#define MK_DEPTH	48
#define MK_STACKS	8192
#define MK_PLACES	2048

static char *target = "multikernel";
module_param(target, charp, 0444);
MODULE_PARM_DESC(target, "name of the module whose allocations fail");

/* A place, and the distinct stacks that lead there. */
struct mk_place {
	u32 hash;
	u32 walk;		/* in which it was counted last */
	u32 count;		/* in that walk */
	u32 failed;		/* in this sweep: so many, in order */
	bool known;
};

struct mk_stack {
	u32 hash;
	bool known, ignored;
	struct mk_place *place;
};

static DEFINE_RAW_SPINLOCK(mk_lock);	/* protects all that follows */
static struct mk_stack mk_stacks[MK_STACKS];
static struct mk_place mk_places[MK_PLACES];
static u32 mk_nr_walks;
static u64 mk_sweep, mk_walk, mk_burst = 1, mk_apart, mk_alike = 2;
static u64 mk_seen, mk_failed, mk_begun;
static u64 mk_last;	/* what mk_seen was when the last burst began, or 0 */
static char mk_where[1 << 14];
static size_t mk_where_len;
static char mk_symbol[KSYM_SYMBOL_LEN];

/* The module's code: constant while it is there. */
static struct {
	unsigned long start, end;
} mk_text[2];

static bool mk_in_target(unsigned long ip)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mk_text); i++)
		if (ip >= READ_ONCE(mk_text[i].start) &&
		    ip < READ_ONCE(mk_text[i].end))
			return true;
	return false;
}

/* The same for the same stack, wherever the module was loaded this time. */
static u32 mk_stack_hash(const unsigned long *frame, unsigned int n)
{
	unsigned int i, k;
	u32 hash = 0;

	for (i = 0; i < n; i++) {
		unsigned long ip = frame[i];

		for (k = 0; k < ARRAY_SIZE(mk_text); k++)
			if (ip >= mk_text[k].start && ip < mk_text[k].end)
				ip -= mk_text[k].start - k;
		hash = jhash_2words(lower_32_bits(ip), upper_32_bits(ip), hash);
	}
	return hash;
}

static u32 mk_place_hash(const unsigned long *frame, unsigned int n)
{
	unsigned int i = 0;
	u32 hash;

	while (i < n && !mk_in_target(frame[i]))
		i++;
	hash = mk_stack_hash(&frame[i], 1);
	while (++i < n) {
		sprint_symbol_no_offset(mk_symbol, frame[i]);
		hash = jhash(mk_symbol, strlen(mk_symbol), hash);
	}
	return hash;
}

/*
 * Allocations of the debugging itself, and those that happen once in a while
 * below an allocation that has been counted already.
 */
static bool mk_ignore(const unsigned long *frame, unsigned int n)
{
	static const char *const names[] = {
		"allocate_slab", "__stack_depot_save", "create_object",
		"kasan_", "__kasan_", "kmemleak_", "fill_pool",
		"debug_object", "__debug_object",
	};
	unsigned int i, k;

	for (i = 0; i < n && !mk_in_target(frame[i]); i++) {
		sprint_symbol_no_offset(mk_symbol, frame[i]);
		for (k = 0; k < ARRAY_SIZE(names); k++)
			if (!strncmp(mk_symbol, names[k], strlen(names[k])))
				return true;
	}
	return false;
}

static struct mk_place *mk_place_find(const unsigned long *frame,
				      unsigned int n)
{
	u32 hash = mk_place_hash(frame, n);
	struct mk_place *place;
	unsigned int i;

	for (i = 0; i < MK_PLACES; i++) {
		place = &mk_places[(hash + i) % MK_PLACES];
		if (!place->known) {
			place->known = true;
			place->hash = hash;
			return place;
		}
		if (place->hash == hash)
			return place;
	}
	return NULL;
}

/* Names of functions take long to find out: once for each stack. */
static struct mk_place *mk_stack_place(const unsigned long *frame,
				       unsigned int n)
{
	u32 hash = mk_stack_hash(frame, n);
	struct mk_stack *stack;
	unsigned int i;

	for (i = 0; i < MK_STACKS; i++) {
		stack = &mk_stacks[(hash + i) % MK_STACKS];
		if (!stack->known) {
			stack->known = true;
			stack->hash = hash;
			stack->ignored = mk_ignore(frame, n);
			stack->place = mk_place_find(frame, n);
		}
		if (stack->hash == hash)
			return stack->ignored ? NULL : stack->place;
	}
	return NULL;
}

/* Now, for a module that fails to load takes its symbols with it. */
static void mk_remember(const unsigned long *frame, unsigned int n)
{
	size_t size = sizeof(mk_where);
	unsigned int i;

	for (i = 0; i < n; i++) {
		sprint_symbol(mk_symbol, frame[i]);
		mk_where_len += scnprintf(mk_where + mk_where_len,
					  size - mk_where_len, "%s%s\n",
					  i ? "  " : "", mk_symbol);
	}
}

/* Under the lock: does this one fail, the place's latest? */
static bool mk_pick(struct mk_place *place, const unsigned long *frame,
		    unsigned int n)
{
	u64 since = mk_seen - mk_last;

	if (mk_last && since < mk_burst)
		return true;
	if (mk_last && (!mk_apart || since - mk_burst < mk_apart))
		return false;
	if (place->count != place->failed + 1)
		return false;
	place->failed++;
	mk_last = mk_seen;
	mk_begun++;
	mk_remember(frame, n);
	return true;
}

static bool mk_count(const unsigned long *frame, unsigned int n)
{
	struct mk_place *place;

	if (!mk_walk)
		return false;
	place = mk_stack_place(frame, n);
	if (!place)
		return false;
	if (place->walk != mk_nr_walks) {
		place->walk = mk_nr_walks;
		place->count = 0;
	}
	if (mk_alike && place->count >= mk_alike)
		return false;
	place->count++;
	mk_seen++;
	if (!mk_pick(place, frame, n))
		return false;
	mk_failed++;
	return true;
}

static bool mk_shall_fail(gfp_t gfp)
{
	unsigned long frame[MK_DEPTH], flags;
	unsigned int n, i, outermost = 0;
	bool fail;

	/* an interrupt that came upon the module is not the module */
	if (!READ_ONCE(mk_walk) || (gfp & __GFP_NOFAIL) || !in_task())
		return false;
	n = stack_trace_save(frame, MK_DEPTH, 2);
	for (i = 0; i < n; i++)
		if (mk_in_target(frame[i]))
			outermost = i + 1;
	if (!outermost)
		return false;
	raw_spin_lock_irqsave(&mk_lock, flags);
	fail = mk_count(frame, outermost);
	raw_spin_unlock_irqrestore(&mk_lock, flags);
	return fail;
}

asmlinkage void mk_just_return(void);

asm(".pushsection .text\n"
	".type mk_just_return, @function\n"
	"mk_just_return:\n"
	ANNOTATE_NOENDBR
	ASM_RET
	".size mk_just_return, .-mk_just_return\n"
	".popsection\n");

static int mk_return(struct pt_regs *regs, unsigned long value)
{
	regs->ax = value;
	regs->ip = (unsigned long)mk_just_return;
	return 1;
}

/* int should_failslab(struct kmem_cache *s, gfp_t gfp) */
static int mk_at_slab(struct kprobe *probe, struct pt_regs *regs)
{
	return mk_shall_fail(regs->si) ? mk_return(regs, -ENOMEM) : 0;
}

/* bool should_fail_alloc_page(gfp_t gfp, unsigned int order) */
static int mk_at_page(struct kprobe *probe, struct pt_regs *regs)
{
	return mk_shall_fail(regs->di) ? mk_return(regs, true) : 0;
}

/* vmalloc() complains with a stack when it fails; it is meant to. */
static int mk_at_warning(struct kprobe *probe, struct pt_regs *regs)
{
	return READ_ONCE(mk_walk) ? mk_return(regs, 0) : 0;
}

/*
 * So does alloc_cpumask_var(), where DEBUG_PER_CPU_MAPS is set. Its probe is a
 * breakpoint, and counts as an NMI: no lock here.
 */
static int mk_at_dump(struct kprobe *probe, struct pt_regs *regs)
{
	static const char name[] = "alloc_cpumask_var_node";
	char symbol[KSYM_SYMBOL_LEN];

	if (!READ_ONCE(mk_walk))
		return 0;
	sprint_symbol_no_offset(symbol, *(unsigned long *)regs->sp);
	return strncmp(symbol, name, strlen(name)) ? 0 : mk_return(regs, 0);
}

/*
 * lib/ is built without the calls that ftrace hooks into, and a probe that was
 * turned into a jump does not heed what its handler returns. One that has to be
 * called after the instruction as well never is.
 */
static void mk_no_jump(struct kprobe *probe, struct pt_regs *regs,
		       unsigned long flags)
{
}

static struct kprobe mk_probe[] = {
	{ .symbol_name = "should_failslab", .pre_handler = mk_at_slab },
	{ .symbol_name = "should_fail_alloc_page", .pre_handler = mk_at_page },
	{ .symbol_name = "warn_alloc", .pre_handler = mk_at_warning },
	{ .symbol_name = "dump_stack", .pre_handler = mk_at_dump,
	  .post_handler = mk_no_jump },
};

/* ---- the module whose allocations fail ---- */

static void mk_text_set(int i, const struct module_layout *layout)
{
	WRITE_ONCE(mk_text[i].end, 0);
	WRITE_ONCE(mk_text[i].start, (unsigned long)layout->base);
	WRITE_ONCE(mk_text[i].end,
		   (unsigned long)layout->base + layout->text_size);
}

static void mk_text_clear(int i)
{
	WRITE_ONCE(mk_text[i].end, 0);
}

static int mk_module_event(struct notifier_block *block, unsigned long event,
			   void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, target))
		return NOTIFY_DONE;
	switch (event) {
	case MODULE_STATE_COMING:
		mk_text_set(0, &module->core_layout);
		mk_text_set(1, &module->init_layout);
		break;
	case MODULE_STATE_LIVE:
		mk_text_clear(1);
		break;
	case MODULE_STATE_GOING:
		mk_text_clear(0);
		mk_text_clear(1);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block mk_modules = { .notifier_call = mk_module_event };

/* ---- files ---- */

static int mk_get(void *data, u64 *value)
{
	*value = *(u64 *)data;
	return 0;
}

static void mk_walk_begins(void)
{
	mk_nr_walks++;
	mk_seen = 0;
	mk_failed = 0;
	mk_begun = 0;
	mk_last = 0;
	mk_where[0] = '\0';
	mk_where_len = 0;
}

static void mk_sweep_begins(void)
{
	unsigned int i;

	for (i = 0; i < MK_PLACES; i++)
		mk_places[i].failed = 0;
}

static int mk_set(void *data, u64 value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&mk_lock, flags);
	*(u64 *)data = value;
	if (data == &mk_walk && value)
		mk_walk_begins();
	if (data == &mk_sweep)
		mk_sweep_begins();
	raw_spin_unlock_irqrestore(&mk_lock, flags);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(mk_rw_fops, mk_get, mk_set, "%llu\n");
DEFINE_DEBUGFS_ATTRIBUTE(mk_ro_fops, mk_get, NULL, "%llu\n");

static int mk_where_show(struct seq_file *m, void *unused)
{
	seq_puts(m, mk_where);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mk_where);

static struct dentry *mk_dir;

static int __init mk_failnth_init(void)
{
	struct kprobe *probes[ARRAY_SIZE(mk_probe)];
	int i, err;

	for (i = 0; i < ARRAY_SIZE(mk_probe); i++)
		probes[i] = &mk_probe[i];
	err = register_module_notifier(&mk_modules);
	if (err)
		return err;
	err = register_kprobes(probes, ARRAY_SIZE(probes));
	if (err) {
		unregister_module_notifier(&mk_modules);
		return err;
	}
	mk_dir = debugfs_create_dir("mk_failnth", NULL);
	debugfs_create_file("sweep", 0600, mk_dir, &mk_sweep, &mk_rw_fops);
	debugfs_create_file("walk", 0600, mk_dir, &mk_walk, &mk_rw_fops);
	debugfs_create_file("burst", 0600, mk_dir, &mk_burst, &mk_rw_fops);
	debugfs_create_file("apart", 0600, mk_dir, &mk_apart, &mk_rw_fops);
	debugfs_create_file("alike", 0600, mk_dir, &mk_alike, &mk_rw_fops);
	debugfs_create_file("seen", 0400, mk_dir, &mk_seen, &mk_ro_fops);
	debugfs_create_file("failed", 0400, mk_dir, &mk_failed, &mk_ro_fops);
	debugfs_create_file("begun", 0400, mk_dir, &mk_begun, &mk_ro_fops);
	debugfs_create_file("where", 0400, mk_dir, NULL, &mk_where_fops);
	return 0;
}

static void __exit mk_failnth_exit(void)
{
	int i;

	debugfs_remove(mk_dir);
	for (i = 0; i < ARRAY_SIZE(mk_probe); i++)
		unregister_kprobe(&mk_probe[i]);
	unregister_module_notifier(&mk_modules);
}

module_init(mk_failnth_init);
module_exit(mk_failnth_exit);

MODULE_DESCRIPTION("Makes every allocation of a module fail once");
MODULE_AUTHOR("The multikernel project");
MODULE_LICENSE("GPL");
