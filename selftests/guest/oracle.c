// SPDX-License-Identifier: GPL-2.0
/*
 * See oracle.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest.h"
#include "oracle.h"

#define PAGE		4096
#define MK_SETTLE_MS	20000
#define WORDS_AT	64	/* of writers: one for each reader's slot */

const char *const mk_way_name[MK_WAYS] = {
	[MK_WAY_BUSY] = "busy",
	[MK_WAY_MIGRATE] = "migrate",
	[MK_WAY_SLEEP] = "sleep",
	[MK_WAY_SWITCH] = "switch",
	[MK_WAY_MONITOR] = "monitor",
	[MK_WAY_PROCESS] = "process",
	[MK_WAY_WRITE] = "write",
};

int mk_adopt(int fd)
{
	struct mk_space_cpus all = { };

	return ioctl(fd, MK_IOC_ADOPT, &all) ? -errno : 0;
}

int mk_leave(int fd)
{
	struct mk_space_cpus all = { };

	return ioctl(fd, MK_IOC_LEAVE, &all) ? -errno : 0;
}

void mk_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* A CPU that has just gone: then anywhere. */
	sched_setaffinity(0, sizeof(set), &set);
}

/* --- looks ------------------------------------------------------------------- */

static void mk_tell(struct mk_board *board, enum mk_way way, uint32_t page,
		    uint64_t want, uint64_t seen)
{
	int none = 0;

	atomic_fetch_add(&board->tally[way].stale, 1);
	if (!atomic_compare_exchange_strong(&board->told, &none, 1))
		return;
	board->way = way;
	board->cpu = sched_getcpu();
	board->page = page;
	board->want = want;
	board->seen = seen;
	atomic_store(&board->told, 2);
}

static void mk_judge(struct mk_reader *reader, uint32_t page, uint64_t want,
		     uint64_t seen, uint64_t *fresh)
{
	*fresh += seen != reader->last[page];
	reader->last[page] = seen;
	if (seen < want)
		mk_tell(reader->oracle->board, reader->way, page, want, seen);
}

static volatile uint64_t *mk_word(const struct mk_oracle *oracle, uint32_t page,
				  size_t at)
{
	return (volatile uint64_t *)(oracle->base + (size_t)page * PAGE + at);
}

/* The first page that is operated on, and how many. */
static uint32_t mk_range(const struct mk_board *board, uint32_t *pages)
{
	uint64_t range = atomic_load(&board->range);

	*pages = range;
	return range >> 32;
}

void mk_oracle_range(struct mk_oracle *oracle, uint32_t first, uint32_t pages)
{
	atomic_store(&oracle->board->range, (uint64_t)first << 32 | pages);
}

/* Once over the pages that are operated on, in an order that varies. */
static void mk_pass(struct mk_reader *reader)
{
	struct mk_oracle *oracle = reader->oracle;
	struct mk_board *board = oracle->board;
	uint32_t pages, first = mk_range(board, &pages);
	uint64_t fresh = 0;
	uint32_t i;

	for (i = 0; i < pages; i++) {
		uint32_t page = first + (i + reader->slot * 7) % pages;
		uint64_t want = atomic_load(&board->min[page]);

		mk_judge(reader, page, want, *mk_word(oracle, page, 0), &fresh);
	}
	atomic_fetch_add(&board->tally[reader->way].looks, pages);
	atomic_fetch_add(&board->tally[reader->way].fresh, fresh);
}

/* As mk_pass(), by the monitor of a CPU; where it has not adopted, nothing. */
static void mk_pass_monitor(struct mk_reader *reader)
{
	struct mk_oracle *oracle = reader->oracle;
	struct mk_board *board = oracle->board;
	uint32_t pages, first = mk_range(board, &pages);
	uint64_t fresh = 0, looks = 0;
	uint32_t i;

	for (i = 0; i < pages; i++) {
		struct mk_region_check check = {
			.first = first + i, .pages = 1, .cpu = reader->cpu,
		};
		uint64_t want = atomic_load(&board->min[first + i]);

		if (ioctl(oracle->fd, MK_IOC_CHECK, &check)) {
			mk_sleep_ms(2);
			break;
		}
		mk_judge(reader, first + i, want, check.version, &fresh);
		looks++;
	}
	atomic_fetch_add(&board->tally[reader->way].looks, looks);
	atomic_fetch_add(&board->tally[reader->way].fresh, fresh);
}

/* --- writers ------------------------------------------------------------------ */

static __thread sigjmp_buf mk_bus_jump;
static __thread volatile sig_atomic_t mk_bus_armed;

static void mk_bus(int signal)
{
	if (mk_bus_armed)
		siglongjmp(mk_bus_jump, 1);
	/* nobody expects one here: let it be fatal */
	sigaction(SIGBUS, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
}

static void mk_bus_catch(void)
{
	/* without a mask to restore, so that a jump costs no system call */
	struct sigaction action = {
		.sa_handler = mk_bus, .sa_flags = SA_NODEFER,
	};

	sigaction(SIGBUS, &action, NULL);
}

static void mk_pass_write(struct mk_reader *reader)
{
	struct mk_oracle *oracle = reader->oracle;
	struct mk_board *board = oracle->board;
	uint32_t pages, first = mk_range(board, &pages);
	volatile uint32_t i = 0;

	/* Each fault ends one page's turn, never a pass. */
	if (sigsetjmp(mk_bus_jump, 0)) {
		atomic_fetch_add(&board->faults, 1);
		i++;
	}
	mk_bus_armed = 1;
	for (; i < pages; i++)
		++*mk_word(oracle, first + i, WORDS_AT + 8 * reader->slot);
	mk_bus_armed = 0;
	atomic_fetch_add(&board->tally[reader->way].looks, pages);
}

/* The sum of all writers' words of the pages operated on. */
static uint64_t mk_written(const struct mk_oracle *oracle)
{
	uint32_t pages, first = mk_range(oracle->board, &pages);
	uint64_t sum = 0;
	uint32_t page;
	int slot;

	for (page = first; page < first + pages; page++)
		for (slot = 0; slot < MK_ORACLE_READERS; slot++)
			sum += *mk_word(oracle, page, WORDS_AT + 8 * slot);
	return sum;
}

/* --- readers ------------------------------------------------------------------- */

static void mk_migrate(void)
{
	static __thread unsigned int seed;
	int cpu = rand_r(&seed) % mk_cpus_possible();

	mk_pin(cpu);
}

/* The process that MK_WAY_SWITCH gives the CPU to: one byte there and back. */
static void mk_partner(int cpu, int in, int out)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mk_pin(cpu);
	while (read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1)
		;
	_exit(0);
}

static int mk_partner_start(struct mk_reader *reader)
{
	int there[2], back[2];

	if (pipe2(there, O_CLOEXEC))
		return -errno;
	if (pipe2(back, O_CLOEXEC)) {
		close(there[0]);
		close(there[1]);
		return -EMFILE;
	}
	reader->partner_pid = fork();
	if (!reader->partner_pid) {
		close(there[1]);
		close(back[0]);
		mk_partner(reader->cpu, there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	reader->partner[0] = back[0];
	reader->partner[1] = there[1];
	return reader->partner_pid < 0 ? -EAGAIN : 0;
}

static void mk_partner_stop(struct mk_reader *reader)
{
	if (reader->partner_pid <= 0)
		return;
	close(reader->partner[0]);
	close(reader->partner[1]);
	kill(reader->partner_pid, SIGKILL);
	waitpid(reader->partner_pid, NULL, 0);
}

/* Give the CPU to the partner, and get it back. */
static void mk_switch(struct mk_reader *reader)
{
	char byte = 0;
	ssize_t n;

	n = write(reader->partner[1], &byte, 1);
	if (n == 1)
		n = read(reader->partner[0], &byte, 1);
	if (n != 1)
		mk_sleep_ms(1);
}

static void *mk_reader_run(void *arg)
{
	struct mk_reader *reader = arg;
	struct mk_board *board = reader->oracle->board;

	if (reader->cpu >= 0 && reader->way != MK_WAY_MONITOR)
		mk_pin(reader->cpu);
	while (!atomic_load(&board->stop)) {
		switch (reader->way) {
		case MK_WAY_MONITOR:
			mk_pass_monitor(reader);
			break;
		case MK_WAY_WRITE:
			mk_pass_write(reader);
			break;
		default:
			mk_pass(reader);
		}
		atomic_fetch_add(&board->pass[reader->slot], 1);
		switch (reader->way) {
		case MK_WAY_MIGRATE:
			mk_migrate();
			break;
		case MK_WAY_SLEEP:
			mk_sleep_ms(1);
			break;
		case MK_WAY_SWITCH:
			mk_switch(reader);
			break;
		default:
			break;
		}
	}
	return NULL;
}

/* A reader in a process of its own: it maps the region by the fd it was given. */
static void mk_read_apart(struct mk_reader *reader)
{
	struct mk_oracle *oracle = reader->oracle, own;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mk_oracle_join(&own, oracle->fd, oracle->board_fd, oracle->pages))
		_exit(1);
	reader->oracle = &own;
	mk_reader_run(reader);
	_exit(0);
}

void mk_oracle_look(struct mk_oracle *oracle, enum mk_way way, int passes)
{
	struct mk_reader reader = { .oracle = oracle, .way = way };

	while (passes-- > 0 && !atomic_load(&oracle->board->stop))
		mk_pass(&reader);
}

int mk_oracle_reader(struct mk_oracle *oracle, enum mk_way way, int cpu)
{
	struct mk_reader *reader = &oracle->reader[oracle->readers];
	int ret = 0;

	if (oracle->readers == MK_ORACLE_READERS)
		return -ENOSPC;
	memset(reader, 0, sizeof(*reader));
	reader->oracle = oracle;
	reader->way = way;
	reader->cpu = cpu;
	reader->slot = oracle->readers;
	if (way == MK_WAY_SWITCH)
		ret = mk_partner_start(reader);
	if (ret)
		return ret;
	if (way == MK_WAY_PROCESS) {
		reader->pid = fork();
		if (!reader->pid)
			mk_read_apart(reader);
		if (reader->pid < 0)
			return -errno;
	} else {
		ret = -pthread_create(&reader->thread, NULL, mk_reader_run,
				      reader);
		if (ret) {
			mk_partner_stop(reader);
			return ret;
		}
	}
	oracle->readers++;
	return 0;
}

static int mk_reader_stop(struct mk_reader *reader)
{
	struct timespec end;
	int i;

	if (reader->way == MK_WAY_PROCESS) {
		for (i = 0; i < 200; i++) {
			if (waitpid(reader->pid, NULL, WNOHANG) == reader->pid)
				return 0;
			mk_sleep_ms(50);
		}
		kill(reader->pid, SIGKILL);
		waitpid(reader->pid, NULL, 0);
		return -ETIMEDOUT;
	}
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	if (pthread_timedjoin_np(reader->thread, NULL, &end))
		return -ETIMEDOUT;
	mk_partner_stop(reader);
	return 0;
}

int mk_oracle_stop(struct mk_oracle *oracle)
{
	int ret = 0, err;

	atomic_store(&oracle->board->stop, true);
	while (oracle->readers) {
		err = mk_reader_stop(&oracle->reader[--oracle->readers]);
		ret = ret ? ret : err;
	}
	atomic_store(&oracle->board->stop, false);
	return ret;
}

int mk_oracle_settle(struct mk_oracle *oracle)
{
	struct mk_board *board = oracle->board;
	double end = mk_seconds() + 0.5;
	uint64_t pass[MK_ORACLE_READERS];
	int i, done = 0;

	for (i = 0; i < oracle->readers; i++)
		pass[i] = atomic_load(&board->pass[i]);
	for (i = 0; i < oracle->readers; i++) {
		while (atomic_load(&board->pass[i]) < pass[i] + 2 &&
		       mk_seconds() < end)
			sched_yield();
		done += atomic_load(&board->pass[i]) >= pass[i] + 2;
	}
	return done;
}

/* --- operations ----------------------------------------------------------------- */

static void mk_publish(struct mk_board *board, const struct mk_region_op *op)
{
	uint32_t page;

	for (page = op->first; page < op->first + op->pages; page++) {
		uint64_t min = atomic_load(&board->min[page]);

		while (min < op->version &&
		       !atomic_compare_exchange_weak(&board->min[page], &min,
						     op->version))
			;
	}
}

/* After protect: the words stand still, though everybody tries. */
static void mk_watch(struct mk_oracle *oracle, const struct mk_region_op *op)
{
	uint64_t before = mk_written(oracle), after;

	mk_oracle_settle(oracle);
	after = mk_written(oracle);
	atomic_fetch_add(&oracle->board->tally[MK_WAY_WRITE].fresh, 1);
	if (after != before)
		mk_tell(oracle->board, MK_WAY_WRITE, op->first, before, after);
}

int mk_oracle_op(struct mk_oracle *oracle, struct mk_region_op *op)
{
	struct mk_region_settle settle = { .timeout_ms = MK_SETTLE_MS };

	if (ioctl(oracle->fd, MK_IOC_OP, op))
		return -errno;
	/* a lazy one has only begun: it obliges nobody until it has settled */
	while (op->protocol == MK_PROTOCOL_LAZY && op->op != MK_OP_UNPROTECT &&
	       !oracle->hasty && ioctl(oracle->fd, MK_IOC_SETTLE, &settle))
		if (errno != EINTR)
			return -errno;
	if (op->op == MK_OP_RENEW)
		mk_publish(oracle->board, op);
	else if (op->op == MK_OP_PROTECT)
		mk_watch(oracle, op);
	return 0;
}

int mk_oracle_join(struct mk_oracle *oracle, int fd, int board_fd,
		   uint32_t pages)
{
	memset(oracle, 0, sizeof(*oracle));
	oracle->fd = fd;
	oracle->board_fd = board_fd;
	oracle->pages = pages;
	oracle->base = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
	if (oracle->base == MAP_FAILED)
		return -errno;
	oracle->board = mmap(NULL, sizeof(*oracle->board),
			     PROT_READ | PROT_WRITE, MAP_SHARED, board_fd, 0);
	return oracle->board == MAP_FAILED ? -errno : 0;
}

int mk_oracle_open(struct mk_oracle *oracle, uint32_t pages)
{
	struct mk_region_create create = { .pages = pages, .node = -1 };
	int fd, board_fd, ret;

	memset(oracle, 0, sizeof(*oracle));
	fd = open(MK_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, MK_IOC_REGION, &create)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	board_fd = memfd_create("board", MFD_CLOEXEC);
	if (board_fd < 0 || ftruncate(board_fd, sizeof(*oracle->board)))
		return -errno;
	ret = mk_oracle_join(oracle, fd, board_fd, pages);
	if (ret)
		return ret;
	oracle->reader = calloc(MK_ORACLE_READERS, sizeof(*oracle->reader));
	if (!oracle->reader)
		return -ENOMEM;
	mk_oracle_range(oracle, 0, pages);
	mk_bus_catch();
	return 0;
}

void mk_oracle_close(struct mk_oracle *oracle)
{
	free(oracle->reader);
	munmap(oracle->board, sizeof(*oracle->board));
	munmap(oracle->base, (size_t)oracle->pages * PAGE);
	close(oracle->board_fd);
	close(oracle->fd);
	memset(oracle, 0, sizeof(*oracle));
}

uint64_t mk_oracle_looks(const struct mk_oracle *oracle)
{
	uint64_t sum = 0;
	int way;

	for (way = 0; way < MK_WAYS; way++)
		sum += atomic_load(&oracle->board->tally[way].looks);
	return sum;
}

uint64_t mk_oracle_stale(const struct mk_oracle *oracle)
{
	uint64_t sum = 0;
	int way;

	for (way = 0; way < MK_WAYS; way++)
		sum += atomic_load(&oracle->board->tally[way].stale);
	return sum;
}

const char *mk_oracle_text(const struct mk_oracle *oracle)
{
	static __thread char text[1024];
	const struct mk_board *board = oracle->board;
	size_t len = 0;
	int way;

	text[0] = '\0';
	for (way = 0; way < MK_WAYS; way++) {
		const struct mk_tally *tally = &board->tally[way];

		if (!atomic_load(&tally->looks))
			continue;
		len += snprintf(text + len, sizeof(text) - len,
				"%s%s: %llu looks, %llu fresh, %llu stale",
				len ? "; " : "", mk_way_name[way],
				(unsigned long long)atomic_load(&tally->looks),
				(unsigned long long)atomic_load(&tally->fresh),
				(unsigned long long)atomic_load(&tally->stale));
	}
	if (atomic_load(&board->told) == 2)
		snprintf(text + len, sizeof(text) - len,
			 "; first: %s on CPU %d, page %u: %llu where %llu was due",
			 mk_way_name[board->way], board->cpu, board->page,
			 (unsigned long long)board->seen,
			 (unsigned long long)board->want);
	return text;
}
