// SPDX-License-Identifier: GPL-2.0
/*
 * Agreement: whatever monitors and processes do in whatever phase, all replicas
 * end equal, a slot has one owner, and what was reported is what happened. And
 * replicas that are made unequal on purpose are found out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum {
	FAULT_NONE,
	FAULT_DROP_COMMIT,
	FAULT_VOTE_TWICE,
	FAULT_PRIVATE,
	FAULT_NO_JOIN,
	FAULT_PASS_OVER,
};

enum { PAUSE_NONE, PAUSE_VOTED, PAUSE_DECIDED, PAUSE_HALF };

static unsigned long long get(const char *name)
{
	unsigned long long value = ~0ULL;
	char file[64];

	snprintf(file, sizeof(file), "agreement/%s", name);
	mk_get_u64(file, &value);
	return value;
}

static int put(const char *name, unsigned long long value)
{
	char file[64];

	snprintf(file, sizeof(file), "agreement/%s", name);
	return mk_put_u64(file, value);
}

static void be_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void be_anywhere(void)
{
	cpu_set_t set;
	int cpu;

	CPU_ZERO(&set);
	for (cpu = 0; cpu < mk_cpus_possible(); cpu++)
		CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void nothing(int signal)
{
}

/* Takes or gives a slot in a child bound to a CPU; finish() has the result. */
static pid_t start(const char *what, int slot, int cpu)
{
	struct sigaction action = { .sa_handler = nothing };
	pid_t pid = fork();

	if (pid)
		return pid;
	sigaction(SIGUSR1, &action, NULL);
	be_on(cpu);
	_exit(-put(what, slot));
}

static int finish(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

/* A monitor that came back may take a while to join. */
FIXTURE(agreement)
{
	int cpus, last;
};

FIXTURE_SETUP(agreement)
{
	if (mk_loaded())
		ASSERT_EQ(0, mk_unload_soon());
	mk_cpus_all_online();
	ASSERT_EQ(0, mk_load(NULL));
	self->cpus = mk_cpus_online();
	self->last = self->cpus - 1;
}

/* Whatever happened, in the end all are equal. */
static void all_is_well(struct __test_metadata *_metadata)
{
	put("pause", PAUSE_NONE);
	be_anywhere();
	mk_cpus_all_online();
	EXPECT_TRUE(mk_agreed())
		TH_LOG("%llu members", get("members"));
}

FIXTURE_TEARDOWN(agreement)
{
	put("pause", PAUSE_NONE);
	be_anywhere();
	mk_cpus_all_online();
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

TEST_F(agreement, all_are_members_at_load)
{
	EXPECT_EQ(self->cpus, get("members"));
	EXPECT_EQ(1, get("view"));
	all_is_well(_metadata);
}

TEST_F(agreement, one_owner)
{
	EXPECT_RET(0, put("take", 7), "take");
	EXPECT_RET(-ENOENT, put("take", 7), "take what is taken");
	EXPECT_RET(0, put("give", 7), "give");
	EXPECT_RET(-ENOENT, put("give", 7), "give what is free");
	EXPECT_RET(-ERANGE, put("take", 4096), "take what is not there");
	all_is_well(_metadata);
}

/* Four messages for each other member: Documentation/agreement.rst. */
TEST_F(agreement, messages_of_a_change)
{
	unsigned long long messages, commits;
	int i;

	ASSERT_EQ(0, put("take", 0));
	messages = get("messages");
	commits = get("commits");
	for (i = 1; i <= 50; i++)
		ASSERT_EQ(0, put("take", i));
	EXPECT_EQ(commits + 50, get("commits"));
	EXPECT_EQ(messages + 50 * 4 * (self->cpus - 1), get("messages"));
	/* what is refused by the coordinator itself costs none */
	messages = get("messages");
	EXPECT_RET(-ENOENT, put("take", 1), "take what is taken");
	EXPECT_EQ(messages, get("messages"));
	all_is_well(_metadata);
}

TEST_F(agreement, messages_of_the_experiment)
{
	struct mk_table table;
	size_t i;

	ASSERT_EQ(0, mk_exp_small("two_phase_commit"));
	ASSERT_EQ(0, mk_exp_run("two_phase_commit"));
	ASSERT_EQ(0, mk_exp_results("two_phase_commit", &table));
	for (i = 0; i < table.rows; i++) {
		const struct mk_row *row = &table.row[i];

		if (strcmp(row->field[MK_METRIC], "messages"))
			continue;
		EXPECT_EQ(4.0 * (atoi(row->field[MK_SIZE]) - 1),
			  atof(row->field[MK_VALUE]))
			TH_LOG("%s, %s cores", row->field[MK_VARIANT],
			       row->field[MK_SIZE]);
	}
	mk_table_free(&table);
	all_is_well(_metadata);
}

/* Who comes has what was agreed on while it was away. */
TEST_F(agreement, come_and_go)
{
	int cpu;

	if (self->cpus == 1)
		SKIP(return, "one CPU");
	for (cpu = 1; cpu < self->cpus; cpu++) {
		ASSERT_EQ(0, mk_cpu_set(cpu, false));
		EXPECT_RET(0, put("take", cpu), "take");
		EXPECT_EQ(0, get("check"));
		ASSERT_EQ(0, mk_cpu_set(cpu, true));
		ASSERT_TRUE(mk_members_become(self->cpus));
		EXPECT_RET(-ENOENT, finish(start("take", cpu, cpu)),
			   "take what was taken");
		EXPECT_RET(0, finish(start("give", cpu, cpu)), "give");
	}
	EXPECT_EQ(self->cpus - 1, get("joins"));
	EXPECT_LT(self->cpus, get("view"));
	all_is_well(_metadata);
}

/*
 * The table is not lost with its last member: another monitor joins first, and if
 * none can the CPU stays. Guests whose CPU 0 can go need the kernel's parameter
 * cpu0_hotplug.
 */
TEST_F(agreement, last_member_stays)
{
	int cpu;

	if (self->cpus == 1)
		SKIP(return, "one CPU");
	if (access("/sys/devices/system/cpu/cpu0/online", W_OK))
		SKIP(return, "CPU 0 cannot go off line");
	ASSERT_EQ(0, finish(start("take", 5, 1)));
	for (cpu = 1; cpu < self->cpus; cpu++)
		ASSERT_EQ(0, mk_cpu_set(cpu, false));
	ASSERT_EQ(0, put("fault", FAULT_NO_JOIN));
	ASSERT_EQ(0, mk_cpu_set(1, true));
	EXPECT_EQ(1, get("members"));
	EXPECT_RET(-EBUSY, mk_cpu_set(0, false), "the last member goes");

	ASSERT_EQ(0, put("fault", FAULT_NONE));
	ASSERT_EQ(0, mk_cpu_set(0, false));
	EXPECT_RET(-ENOENT, finish(start("take", 5, 1)), "take again");
	EXPECT_RET(0, finish(start("give", 5, 1)), "give");
	ASSERT_EQ(0, mk_cpu_set(0, true));
	all_is_well(_metadata);
}

TEST_F(agreement, memory_is_counted)
{
	unsigned long long bytes;

	ASSERT_EQ(0, mk_get_u64("memory/agreement", &bytes));
	/* a table of 16 KiB, and what is around it */
	EXPECT_LT(16384ULL * mk_cpus_possible(), bytes);
	EXPECT_GT(65536ULL * mk_cpus_possible(), bytes);
}

/* --- along a tree ---------------------------------------------------------------- */

/* CPUs are in a row, each near to the next one alone: so is the tree from CPU 0. */
static void use_a_row(struct __test_metadata *_metadata, int cpus)
{
	size_t len = 0;
	char text[8192];
	int i, j;

	for (i = 0; i < cpus; i++)
		for (j = 0; j < cpus; j++)
			if (i != j && len < sizeof(text))
				len += snprintf(text + len, sizeof(text) - len,
						"%d %d %d 1\n", i, j,
						abs(i - j) == 1 ? 100 : 100000);
	ASSERT_GT(sizeof(text), len);
	ASSERT_EQ(0, mk_put("topology/costs/send", text));
	ASSERT_EQ(0, mk_put("topology/costs/receive", text));
	ASSERT_EQ(0, put("planned", 1));
	be_on(0);
}

/* As many messages as without a tree, unless one was late. */
TEST_F(agreement, messages_along_a_tree)
{
	unsigned long long messages, passed;
	int i, exact = 0;

	if (self->cpus < 3)
		SKIP(return, "two CPUs have one tree");
	use_a_row(_metadata, self->cpus);
	for (i = 0; i < 50; i++) {
		messages = get("messages");
		passed = get("passed");
		ASSERT_EQ(0, put("take", i));
		exact += get("messages") == messages + 4 * (self->cpus - 1) &&
			 get("passed") == passed + 2 * (self->cpus - 2);
	}
	TH_LOG("%d of 50 changes by the formula", exact);
	EXPECT_LE(25, exact);
	EXPECT_RET(-ENOENT, put("take", 1), "take what is taken");
	all_is_well(_metadata);
}

/* The last one in the row is against it: nobody has it, and nothing stays locked. */
TEST_F(agreement, no_along_a_tree)
{
	unsigned long long conflicts, aborts;

	if (self->cpus < 3)
		SKIP(return, "two CPUs have one tree");
	use_a_row(_metadata, self->cpus);
	ASSERT_EQ(0, put("take", 1));
	ASSERT_EQ(0, put("fault", FAULT_PRIVATE));
	ASSERT_EQ(1, get("check"));
	conflicts = get("conflicts");
	aborts = get("aborts");
	EXPECT_RET(-ENOENT, put("take", 4095), "take what one has otherwise");
	EXPECT_LT(conflicts, get("conflicts"));
	EXPECT_LT(aborts, get("aborts"));
	/* words that differ, and no locks */
	EXPECT_EQ(1, get("check"));
	EXPECT_RET(0, put("take", 2), "take");
}

/* Those who pass on come and go. */
TEST_F(agreement, tree_come_and_go)
{
	int cpu;

	if (self->cpus < 3)
		SKIP(return, "two CPUs have one tree");
	use_a_row(_metadata, self->cpus);
	for (cpu = 1; cpu < self->cpus; cpu++) {
		ASSERT_EQ(0, put("take", 2 * cpu));
		ASSERT_EQ(0, mk_cpu_set(cpu, false));
		EXPECT_RET(0, put("take", 2 * cpu + 1), "take");
		EXPECT_RET(0, put("give", 2 * cpu), "give");
		ASSERT_EQ(0, mk_cpu_set(cpu, true));
		ASSERT_TRUE(mk_members_become(self->cpus));
		EXPECT_RET(0, put("give", 2 * cpu + 1), "give");
	}
	EXPECT_LT(0, get("passed"));
	all_is_well(_metadata);
}

/* --- in each phase -------------------------------------------------------------- */

FIXTURE(phase)
{
	int cpus, last;
	pid_t pid;
	unsigned long long adopted;
};

FIXTURE_VARIANT(phase)
{
	int pause;
	bool decided;	/* it cannot be called off any more */
};

FIXTURE_VARIANT_ADD(phase, voted) {
	.pause = PAUSE_VOTED,
};

FIXTURE_VARIANT_ADD(phase, decided) {
	.pause = PAUSE_DECIDED, .decided = true,
};

FIXTURE_VARIANT_ADD(phase, half_told) {
	.pause = PAUSE_HALF, .decided = true,
};

/*
 * A change of slot 5 that the last CPU coordinates stands still in a phase. The module
 * stays for all of these: in the end all replicas are equal, which is what each begins
 * with, and both slots are given back.
 */
FIXTURE_SETUP(phase)
{
	mk_cpus_all_online();
	self->cpus = mk_cpus_online();
	self->last = self->cpus - 1;
	/* before the module is loaded, which takes longer */
	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	self->adopted = get("adopted");
	be_on(0);
}

static void stand_still(struct __test_metadata *_metadata, int pause, int cpu,
			pid_t *pid)
{
	/* the channels are there */
	ASSERT_EQ(0, finish(start("take", 4, cpu)));
	ASSERT_EQ(0, put("pause", pause));
	*pid = start("take", 5, cpu);
	mk_sleep_ms(400);
}

FIXTURE_TEARDOWN(phase)
{
	if (self->cpus < 3)
		return;
	put("pause", PAUSE_NONE);
	be_anywhere();
	mk_cpus_all_online();
	EXPECT_RET(0, put("give", 4), "give");
	EXPECT_RET(0, put("give", 5), "give");
	if (!_metadata->passed)
		EXPECT_RET(0, mk_unload_soon(), "unload");
}

/* A signal calls off what is not decided yet, and nothing else. */
static void signalled(struct __test_metadata *_metadata,
		      FIXTURE_DATA(phase) * self,
		      const FIXTURE_VARIANT(phase) * variant, int signal, int want)
{
	stand_still(_metadata, variant->pause, self->last, &self->pid);
	kill(self->pid, signal);
	EXPECT_RET(want, finish(self->pid), "take");
	put("pause", PAUSE_NONE);
	EXPECT_RET(variant->decided ? -ENOENT : 0, put("take", 5), "take again");
	all_is_well(_metadata);
}

TEST_F(phase, signal)
{
	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	signalled(_metadata, self, variant, SIGUSR1,
		  variant->decided ? 0 : -EINTR);
}

TEST_F(phase, killed)
{
	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	signalled(_metadata, self, variant, SIGKILL, -ECHILD);
}

/* Refused: a file of the module's is in use, by who waits. */
TEST_F(phase, no_unload)
{
	int ret;

	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	stand_still(_metadata, variant->pause, self->last, &self->pid);
	ret = mk_unload();
	EXPECT_TRUE(ret == -EBUSY || ret == -EAGAIN)
		TH_LOG("%s", mk_errname(ret));
	if (!ret)
		ASSERT_EQ(0, mk_load(NULL));
	put("pause", PAUSE_NONE);
	EXPECT_RET(0, finish(self->pid), "take");
	EXPECT_RET(-ENOENT, put("take", 5), "take again");
	all_is_well(_metadata);
}

TEST_F(phase, coordinator_goes)
{
	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	stand_still(_metadata, variant->pause, self->last, &self->pid);
	ASSERT_EQ(0, mk_cpu_set(self->last, false));
	put("pause", PAUSE_NONE);
	EXPECT_RET(0, finish(self->pid), "take");
	EXPECT_RET(-ENOENT, put("take", 5), "take again");
	EXPECT_LT(self->adopted, get("adopted"));
	EXPECT_EQ(0, get("check"));
	all_is_well(_metadata);
}

TEST_F(phase, voter_goes)
{
	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	stand_still(_metadata, variant->pause, self->last, &self->pid);
	ASSERT_EQ(0, mk_cpu_set(1, false));
	put("pause", PAUSE_NONE);
	EXPECT_RET(0, finish(self->pid), "take");
	EXPECT_EQ(0, get("check"));
	all_is_well(_metadata);
	EXPECT_RET(-ENOENT, finish(start("take", 5, 1)), "take again");
}

TEST_F(phase, voter_goes_and_comes)
{
	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	stand_still(_metadata, variant->pause, self->last, &self->pid);
	ASSERT_EQ(0, mk_cpu_set(1, false));
	/* it cannot join before the change has ended, and comes all the same */
	if (!fork())
		_exit(mk_cpu_set(1, true) ? 1 : 0);
	mk_sleep_ms(300);
	put("pause", PAUSE_NONE);
	EXPECT_RET(0, finish(self->pid), "take");
	while (wait(NULL) > 0)
		;
	all_is_well(_metadata);
	EXPECT_RET(-ENOENT, finish(start("take", 5, 1)), "take again");
}

TEST_F(phase, another_joins)
{
	pid_t pid;

	if (self->cpus < 3)
		SKIP(return, "needs three CPUs");
	ASSERT_EQ(0, mk_cpu_set(1, false));
	stand_still(_metadata, variant->pause, self->last, &self->pid);
	pid = fork();
	if (!pid)
		_exit(mk_cpu_set(1, true) ? 1 : 0);
	mk_sleep_ms(300);
	put("pause", PAUSE_NONE);
	EXPECT_RET(0, finish(self->pid), "take");
	EXPECT_RET(0, finish(pid), "on line");
	all_is_well(_metadata);
	EXPECT_RET(-ENOENT, finish(start("take", 5, 1)), "take again");
}

/* --- storm ---------------------------------------------------------------------- */

#define SLOTS		6
#define SECONDS		12
#define TREE_SECONDS	6
#define PER_CPU		2

struct storm {
	atomic_int stop;
	atomic_int owner[SLOTS];
	atomic_int taken, shared, interrupted, refused, wrong;
};

/* Take and give slots that others want too; an owner must be alone. */
static void storm_child(struct storm *storm, int id)
{
	unsigned int seed = id;
	int ret, slot, none;

	while (!atomic_load(&storm->stop)) {
		slot = rand_r(&seed) % SLOTS;
		ret = put("take", slot);
		if (ret) {
			if (ret == -EINTR)
				atomic_fetch_add(&storm->interrupted, 1);
			else if (ret == -ENOENT || ret == -EBUSY)
				atomic_fetch_add(&storm->refused, 1);
			else
				atomic_store(&storm->wrong, ret);
			continue;
		}
		none = 0;
		if (!atomic_compare_exchange_strong(&storm->owner[slot], &none,
						    id))
			atomic_fetch_add(&storm->shared, 1);
		atomic_fetch_add(&storm->taken, 1);
		atomic_store(&storm->owner[slot], 0);
		do
			ret = put("give", slot);
		while (ret == -EINTR || ret == -EBUSY);
		if (ret)
			atomic_store(&storm->wrong, ret);
	}
	_exit(0);
}

static void run_storm(struct __test_metadata *_metadata,
		      FIXTURE_DATA(agreement) * self, int seconds)
{
	struct sigaction action = { .sa_handler = nothing };
	int n = self->cpus * PER_CPU, i, cpu = 1;
	struct storm *storm;
	double end;
	pid_t *pid;

	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, storm);
	pid = calloc(n, sizeof(*pid));
	ASSERT_NE(NULL, pid);
	/* before there is anybody to be killed by it */
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < n; i++) {
		pid[i] = fork();
		if (!pid[i])
			storm_child(storm, i + 1);
	}
	end = mk_seconds() + seconds;
	for (i = 0; mk_seconds() < end; i++) {
		kill(pid[i % n], SIGUSR1);
		if (self->cpus > 1 && i % 4 == 0) {
			EXPECT_EQ(0, mk_cpu_set(cpu, false));
			EXPECT_EQ(0, mk_cpu_set(cpu, true));
			cpu = cpu % self->last + 1;
		}
		mk_sleep_ms(20);
	}
	atomic_store(&storm->stop, 1);
	for (i = 0; i < n; i++)
		EXPECT_RET(0, finish(pid[i]), "child");
	TH_LOG("%d taken, %d refused, %d interrupted", storm->taken,
	       storm->refused, storm->interrupted);
	TH_LOG("%llu adopted, %llu joins, %llu excluded, %llu retries",
	       get("adopted"), get("joins"), get("excludes"), get("retries"));
	EXPECT_LT(0, storm->taken);
	EXPECT_EQ(0, storm->shared);
	EXPECT_EQ(0, storm->wrong) TH_LOG("%s", mk_errname(storm->wrong));
	EXPECT_EQ(0, get("timeouts"));
	all_is_well(_metadata);
	for (i = 0; i < SLOTS; i++)
		EXPECT_RET(0, put("take", i), "take");
	free(pid);
	munmap(storm, sizeof(*storm));
}

TEST_F(agreement, storm)
{
	run_storm(_metadata, self, SECONDS);
}

TEST_F(agreement, storm_along_trees)
{
	if (self->cpus < 3)
		SKIP(return, "two CPUs have one tree");
	use_a_row(_metadata, self->cpus);
	be_anywhere();
	run_storm(_metadata, self, TREE_SECONDS);
	EXPECT_LT(0, get("passed"));
	TH_LOG("%llu passed on", get("passed"));
}

/* --- negative controls ------------------------------------------------------------ */

TEST_F(agreement, dropped_commit_is_noticed)
{
	if (self->cpus == 1)
		SKIP(return, "one replica is equal to itself");
	ASSERT_EQ(0, get("check"));
	ASSERT_EQ(0, put("fault", FAULT_DROP_COMMIT));
	EXPECT_RET(0, finish(start("take", 9, 0)), "take");
	EXPECT_EQ(1, get("check"));
}

TEST_F(agreement, passed_over_is_noticed)
{
	if (self->cpus < 3)
		SKIP(return, "nobody passes anything on");
	use_a_row(_metadata, self->cpus);
	ASSERT_EQ(0, put("take", 8));
	ASSERT_EQ(0, get("check"));
	ASSERT_EQ(0, put("fault", FAULT_PASS_OVER));
	EXPECT_RET(0, put("take", 9), "take");
	EXPECT_LE(1, get("check"));
}

TEST_F(agreement, private_change_is_noticed)
{
	if (self->cpus == 1)
		SKIP(return, "one replica is equal to itself");
	ASSERT_EQ(0, get("check"));
	ASSERT_EQ(0, put("fault", FAULT_PRIVATE));
	EXPECT_EQ(1, get("check"));
}

/* It is seen, and counts once: a change that one voter is against fails. */
TEST_F(agreement, second_vote_is_noticed)
{
	unsigned long long before = get("duplicates");
	int i;

	if (self->cpus == 1)
		SKIP(return, "nobody votes");
	ASSERT_EQ(0, put("fault", FAULT_VOTE_TWICE));
	for (i = 0; i < 20; i++)
		EXPECT_RET(0, put("take", i), "take");
	EXPECT_EQ(before + 20 * (self->cpus - 1), get("duplicates"));
	all_is_well(_metadata);
}

#include "goes.h"

TEST_HARNESS_MAIN
