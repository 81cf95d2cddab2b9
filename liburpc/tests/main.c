// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests of liburpc: all, or those whose names contain the argument.
 */
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests.h"

/* None takes long. */
#define DEADLINE_S	100

static const struct tap_test *const lists[] = {
	channel_tests, thread_tests, process_tests, hello_tests, hostile_tests,
	loop_tests,
};

u64 test_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void test_fill(unsigned char *data, u32 bytes, u32 tag)
{
	u64 state = tag * 0x9e3779b97f4a7c15ull + 1;
	u32 i;

	for (i = 0; i < bytes; i++)
		data[i] = test_random(&state) >> 24;
}

bool test_filled(const struct urpc_message *message)
{
	unsigned char want[URPC_BYTES_MAX];

	test_fill(want, message->bytes, message->tag);
	return !memcmp(want, message->data, message->bytes);
}

int test_send(struct urpc_channel *channel, u32 tag, u32 bytes)
{
	unsigned char data[URPC_BYTES_MAX];

	test_fill(data, bytes, tag);
	return urpc_send(channel, tag, data, bytes);
}

/* How many files this process has open. */
int test_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* A child that runs @child on the other side of @channel, and exits with it. */
int test_fork(struct urpc_channel **channel,
	      const struct urpc_options *options,
	      int (*child)(struct urpc_channel *channel), pid_t *pid)
{
	int ret, socket[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		return -errno;
	*pid = fork();
	if (!*pid) {
		struct urpc_channel *side;

		/* It does not outlive a test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(socket[0]);
		ret = urpc_connect(socket[1], options, LONG_MS, &side);
		_exit(ret ? 99 : child(side));
	}
	close(socket[1]);
	if (*pid < 0)
		return -errno;
	return urpc_accept(socket[0], options, LONG_MS, channel);
}

/* How a child ended: its exit status, or minus its signal. */
int test_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int main(int argc, char **argv)
{
	return tap_main(argc > 1 ? argv[1] : NULL, lists, NR_OF(lists),
			DEADLINE_S);
}
