// SPDX-License-Identifier: GPL-2.0
/*
 * Using regions: see region_use.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "region_use.h"

int mk_ask(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int region_open(uint32_t pages)
{
	struct mk_region_create create = { .pages = pages, .node = -1 };
	int fd = open(MK_DEVICE, O_RDWR), ret;

	if (fd < 0)
		return -errno;
	ret = mk_ask(fd, MK_IOC_REGION, &create);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

char *region_map(int fd, uint32_t first, uint32_t pages)
{
	return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    first * PAGE);
}

int region_operate(int fd, int op, uint32_t first, uint32_t pages)
{
	struct mk_region_op arg = {
		.first = first, .pages = pages, .op = op,
		.protocol = MK_PROTOCOL_IPI, .cpu = -1,
	};

	return mk_ask(fd, MK_IOC_OP, &arg);
}

int region_adopt(int fd)
{
	struct mk_space_cpus all = {};

	return mk_ask(fd, MK_IOC_ADOPT, &all);
}

int region_leave(int fd)
{
	struct mk_space_cpus all = {};

	return mk_ask(fd, MK_IOC_LEAVE, &all);
}

uint64_t region_version(const char *page)
{
	return *(volatile uint64_t *)page;
}

unsigned long long mk_total(const char *file)
{
	unsigned long long value = ~0ULL;

	mk_get_u64(file, &value);
	return value;
}

/* Frames of a quarantine and spaces take a moment to go. */
bool mk_becomes(const char *file, unsigned long long value)
{
	double end = mk_seconds() + WAIT_S;

	while (mk_total(file) != value && mk_seconds() < end)
		mk_sleep_ms(1);
	return mk_total(file) == value;
}

static sigjmp_buf fault_jump;
static volatile sig_atomic_t fault_signal;

static void on_fault(int signal)
{
	fault_signal = signal;
	siglongjmp(fault_jump, 1);
}

/* The signal that touching it raises, or 0. */
int mk_touch(volatile char *at, bool write)
{
	struct sigaction action = { .sa_handler = on_fault }, bus, segv;

	fault_signal = 0;
	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	if (!sigsetjmp(fault_jump, 1)) {
		if (write)
			*at = 1;
		else
			(void)*at;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return fault_signal;
}

int mk_exit_code(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

int region_check(int fd, int cpu, uint32_t pages, uint64_t *lowest)
{
	struct mk_region_check arg = { .pages = pages, .cpu = cpu };
	int ret = mk_ask(fd, MK_IOC_CHECK, &arg);

	*lowest = arg.version;
	return ret;
}

pid_t region_child(int fd, enum region_end end, bool adopted, int *wake,
		   int *ready)
{
	int go[2], up[2];
	pid_t pid;
	char byte;

	if (pipe(go) || pipe(up))
		return -1;
	pid = fork();
	if (pid) {
		close(go[0]);
		close(up[1]);
		*wake = go[1];
		*ready = up[0];
		return pid;
	}
	close(go[1]);
	close(up[0]);
	if (region_map(fd, 0, PAGES) == MAP_FAILED || (adopted && region_adopt(fd)))
		_exit(1);
	if (write(up[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
		_exit(2);
	if (end == REGION_KILL)
		kill(getpid(), SIGKILL);
	if (end == REGION_EXEC)
		execl("/bin/true", "true", NULL);
	_exit(0);
}
