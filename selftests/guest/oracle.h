/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: does anybody still read a page that was taken away?
 *
 * Each page of a region begins with a version, which the operation renew raises:
 * it puts a new frame there. Who operates publishes the version when the
 * operation has returned. A reader takes the published version first and looks
 * at the page afterwards: what it finds is at least as new, or its CPU has used
 * a translation that should be gone. For protect, writers add to words of their
 * own in each page: after the operation returned no word changes.
 *
 * Readers differ in what their CPU does in between, see enum mk_way. What they
 * did is counted, since an oracle that nobody asked has nothing to say: looks,
 * and looks that found a page changed since the reader's last.
 */
#ifndef MK_SELFTEST_ORACLE_H
#define MK_SELFTEST_ORACLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "module/uapi.h"

#define MK_ORACLE_PAGES		512
#define MK_ORACLE_READERS	64
#define MK_ORACLE_CPUS		64

/**
 * enum mk_way - how a reader spends the time between two looks
 * @MK_WAY_BUSY: on one CPU, in user code
 * @MK_WAY_MIGRATE: it goes to another CPU
 * @MK_WAY_SLEEP: it sleeps, so that an idle CPU keeps its mm, lazily
 * @MK_WAY_SWITCH: another process runs on its CPU
 * @MK_WAY_MONITOR: it has a monitor look, through the mm that it adopted
 * @MK_WAY_PROCESS: in user code, in a process of its own with the region's fd
 * @MK_WAY_WRITE: in user code, and it writes
 * @MK_WAYS: how many
 */
enum mk_way {
	MK_WAY_BUSY,
	MK_WAY_MIGRATE,
	MK_WAY_SLEEP,
	MK_WAY_SWITCH,
	MK_WAY_MONITOR,
	MK_WAY_PROCESS,
	MK_WAY_WRITE,
	MK_WAYS
};

extern const char *const mk_way_name[MK_WAYS];

/* What all readers of one way did. */
struct mk_tally {
	_Atomic uint64_t looks, fresh, stale;
};

/*
 * What is shared between all processes that take part. @pass of a reader counts
 * its passes over the pages of @range.
 */
struct mk_board {
	_Atomic bool stop;
	_Atomic uint64_t range;		/* first page << 32 | pages */
	_Atomic uint64_t min[MK_ORACLE_PAGES];
	struct mk_tally tally[MK_WAYS];
	_Atomic uint64_t pass[MK_ORACLE_READERS];
	_Atomic uint64_t faults;	/* SIGBUS of writers */
	/* the first stale look, complete when @told is 2 */
	_Atomic int told;
	int way, cpu;
	uint32_t page;
	uint64_t want, seen;
};

struct mk_oracle;

struct mk_reader {
	struct mk_oracle *oracle;
	enum mk_way way;
	int cpu, slot;
	pthread_t thread;
	pid_t pid;
	int partner[2];		/* of MK_WAY_SWITCH: pipes to and from it */
	pid_t partner_pid;
	uint64_t last[MK_ORACLE_PAGES];
};

struct mk_oracle {
	int fd, board_fd;
	uint32_t pages;
	char *base;
	struct mk_board *board;
	struct mk_reader *reader;
	int readers;
	bool hasty;	/* publish what is lazy before it has settled */
};

/* Each returns 0 or a negative errno. */
int mk_oracle_open(struct mk_oracle *oracle, uint32_t pages);
/* In another process: by the two fds of an oracle that it was handed. */
int mk_oracle_join(struct mk_oracle *oracle, int fd, int board_fd,
		   uint32_t pages);
void mk_oracle_close(struct mk_oracle *oracle);
int mk_oracle_reader(struct mk_oracle *oracle, enum mk_way way, int cpu);
/* Ends the readers; the tally stays. -ETIMEDOUT when one does not end. */
int mk_oracle_stop(struct mk_oracle *oracle);

/* The caller looks at all pages, so many times. */
void mk_oracle_look(struct mk_oracle *oracle, enum mk_way way, int passes);

/* Have readers look at these pages from now on. */
void mk_oracle_range(struct mk_oracle *oracle, uint32_t first, uint32_t pages);

/*
 * One operation, and what it obliges readers to see. @op is given and returned
 * as for MK_IOC_OP. A renew is published unless it failed, a protect is watched:
 * words that changed are stale looks of MK_WAY_WRITE.
 */
int mk_oracle_op(struct mk_oracle *oracle, struct mk_region_op *op);

/*
 * Waits until every reader has begun and ended a pass since, half a second at
 * most. How many did.
 */
int mk_oracle_settle(struct mk_oracle *oracle);

uint64_t mk_oracle_looks(const struct mk_oracle *oracle);
uint64_t mk_oracle_stale(const struct mk_oracle *oracle);
/* One line: what was counted, and the first stale look. */
const char *mk_oracle_text(const struct mk_oracle *oracle);

/* Adopt the mm in all monitors, or have them give it back. */
int mk_adopt(int fd);
int mk_leave(int fd);

void mk_pin(int cpu);

#endif /* MK_SELFTEST_ORACLE_H */
