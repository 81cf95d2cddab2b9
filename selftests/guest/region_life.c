// SPDX-License-Identifier: GPL-2.0
/*
 * The life of regions and spaces, in whatever order processes map, close, hand
 * over, fork, exec and die, also in the middle of everything else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "region_use.h"
#include "test.h"

FIXTURE(life)
{
};

FIXTURE_SETUP(life)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
}

FIXTURE_TEARDOWN(life)
{
	EXPECT_TRUE(mk_agreed());
	EXPECT_NOTHING_LEFT();
}

/* --- handed over ------------------------------------------------------------ */

static int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

/* Handed to a stranger, who has it alone in the end. */
TEST_F(life, passed_by_a_socket)
{
	int pair[2], fd = region_open(PAGES);
	char *base, byte;
	pid_t pid;

	ASSERT_LE(0, fd);
	base = region_map(fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, base);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		char *own;

		close(fd);
		fd = receive_fd(pair[1]);
		own = region_map(fd, 0, PAGES);
		close(fd);
		if (own == MAP_FAILED || own[400] != 9)
			_exit(1);
		if (write(pair[1], "", 1) != 1 || read(pair[1], &byte, 1) != 1)
			_exit(2);
		_exit(own[400] == 9 && region_version(own) == 2 ? 0 : 3);
	}
	base[PAGE + 400] = 1;
	base[400] = 9;
	ASSERT_EQ(0, send_fd(pair[0], fd));
	ASSERT_EQ(1, read(pair[0], &byte, 1));
	/* both lose page 0 and get the same new one */
	EXPECT_RET(0, region_operate(fd, MK_OP_RENEW, 0, 1), "renew");
	base[400] = 9;
	munmap(base, PAGES * PAGE);
	close(fd);
	EXPECT_EQ(1, mk_total("regions/count"));
	ASSERT_EQ(1, write(pair[0], "", 1));
	EXPECT_EQ(0, mk_exit_code(pid));
	EXPECT_EQ(0, mk_total("regions/count"));
	close(pair[0]);
	close(pair[1]);
}

/* --- every order ------------------------------------------------------------ */

enum event { CLOSE, UNMAP, LEAVE, CHILD, EVENTS };

/* One order of the events; @order has each once. */
static void one_order(struct __test_metadata *_metadata, const int *order,
		      enum region_end end, bool adopted)
{
	int fd = region_open(PAGES), wake, ready, i;
	char *base, byte;
	pid_t pid;

	ASSERT_LE(0, fd);
	base = region_map(fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, base);
	base[0] = 1;
	if (adopted)
		ASSERT_EQ(0, region_adopt(fd));
	pid = region_child(fd, end, adopted, &wake, &ready);
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &byte, 1));
	for (i = 0; i < EVENTS; i++) {
		switch (order[i]) {
		case CLOSE:
			EXPECT_EQ(0, close(fd));
			fd = -1;
			break;
		case UNMAP:
			EXPECT_EQ(0, munmap(base, PAGES * PAGE));
			break;
		case LEAVE:
			if (fd >= 0 && adopted)
				EXPECT_RET(0, region_leave(fd), "leave");
			break;
		case CHILD:
			EXPECT_EQ(1, write(wake, "", 1));
			EXPECT_EQ(end == REGION_KILL ? 128 + SIGKILL : 0,
				  mk_exit_code(pid));
			break;
		}
	}
	close(wake);
	close(ready);
	EXPECT_EQ(0, mk_total("regions/count"));
	EXPECT_TRUE(mk_becomes("spaces/adopted", 0));
}

static void orders(struct __test_metadata *_metadata, enum region_end end)
{
	int order[EVENTS], code, i, j, seen;

	/* numbers of four digits below four, of which those without doubles */
	for (code = 0; code < 256; code++) {
		for (i = 0, seen = 0, j = code; i < EVENTS; i++, j /= EVENTS) {
			order[i] = j % EVENTS;
			seen |= 1 << order[i];
		}
		if (seen != (1 << EVENTS) - 1)
			continue;
		one_order(_metadata, order, end, false);
		one_order(_metadata, order, end, true);
	}
}

TEST_F(life, every_order_with_exit)
{
	orders(_metadata, REGION_EXIT);
}

TEST_F(life, every_order_with_kill)
{
	orders(_metadata, REGION_KILL);
}

TEST_F(life, every_order_with_exec)
{
	orders(_metadata, REGION_EXEC);
}

TEST_F(life, a_thousand)
{
	static int fd[1000];
	int i, n;

	for (n = 0; n < 1000; n++) {
		fd[n] = region_open(2);
		if (fd[n] < 0)
			break;
	}
	EXPECT_EQ(1000, n)
		TH_LOG("%s", mk_errname(fd[n]));
	EXPECT_EQ(n, mk_total("regions/count"));
	EXPECT_EQ(2 * n, mk_total("regions/frames"));
	for (i = 0; i < n; i++)
		close(fd[i]);
}

TEST_F(life, the_module_stays_while_one_is_open)
{
	int fd = open(MK_DEVICE, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_RET(-EAGAIN, mk_unload(), "unload with a file");
	close(fd);
	fd = region_open(1);
	ASSERT_LE(0, fd);
	EXPECT_RET(-EAGAIN, mk_unload(), "unload with a region");
	close(fd);
	EXPECT_RET(0, mk_unload_soon(), "unload");
	ASSERT_EQ(0, mk_load(NULL));
}

/* --- all at once ----------------------------------------------------------- */

static atomic_bool racing;

struct racer {
	int fd, kind;
	unsigned long done, wrong;
	pthread_t thread;
};

static void race_once(struct racer *racer)
{
	uint64_t lowest;
	char *other;
	pid_t pid;
	int ret;

	switch (racer->kind) {
	case 0:
	case 1:
		ret = region_operate(racer->fd, racer->kind ? MK_OP_UNMAP :
			      MK_OP_RENEW, racer->done % PAGES, 1);
		racer->wrong += ret && ret != -EINTR;
		break;
	case 2:		/* mappings come and go, in pieces */
		other = region_map(racer->fd, 0, PAGES);
		(void)region_version(other);
		munmap(other + 3 * PAGE, PAGE);
		(void)region_version(other + 5 * PAGE);
		munmap(other, PAGES * PAGE);
		break;
	case 3:		/* so do processes */
		pid = fork();
		if (!pid) {
			other = region_map(racer->fd, 0, PAGES);
			_exit(region_version(other) == 0);
		}
		racer->wrong += mk_exit_code(pid) != 0;
		break;
	case 4:
		ret = racer->done % 4 ? region_check(racer->fd, 0, PAGES, &lowest) :
		      region_adopt(racer->fd);
		racer->wrong += ret && ret != -ESRCH && ret != -EFAULT;
		break;
	}
	racer->done++;
}

static void *race(void *arg)
{
	struct racer *racer = arg;

	while (racing)
		race_once(racer);
	return NULL;
}

TEST_F(life, operations_among_everything_else)
{
	struct racer racer[5];
	uint64_t last = 0, now;
	int fd = region_open(PAGES), i;
	double end;
	char *base;

	ASSERT_LE(0, fd);
	base = region_map(fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, base);
	racing = true;
	for (i = 0; i < 5; i++) {
		racer[i] = (struct racer){ .fd = fd, .kind = i };
		ASSERT_EQ(0, pthread_create(&racer[i].thread, NULL, race,
					    &racer[i]));
	}
	for (end = mk_seconds() + 5; mk_seconds() < end; last = now) {
		now = region_version(base);
		EXPECT_LE(last, now);
	}
	racing = false;
	for (i = 0; i < 5; i++) {
		pthread_join(racer[i].thread, NULL);
		EXPECT_LT(0, racer[i].done) TH_LOG("racer %d", i);
		EXPECT_EQ(0, racer[i].wrong) TH_LOG("racer %d", i);
	}
	EXPECT_LT(1, last);
	munmap(base, PAGES * PAGE);
	close(fd);
}

/* Killed anywhere, with everything going on. */
TEST_F(life, killed_in_the_middle)
{
	int i, n;

	for (n = 0; n < 20; n++) {
		pid_t pid = fork();

		if (!pid) {
			static struct racer racer[5];
			int fd = region_open(PAGES);

			racing = true;
			for (i = 0; i < 5; i++) {
				racer[i].fd = fd;
				racer[i].kind = i == 3 ? 0 : i;
				pthread_create(&racer[i].thread, NULL, race,
					       &racer[i]);
			}
			pause();
		}
		mk_sleep_ms(20 + n * 7);
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, mk_exit_code(pid));
		EXPECT_TRUE(mk_becomes("regions/count", 0));
	}
}

TEST_HARNESS_MAIN
