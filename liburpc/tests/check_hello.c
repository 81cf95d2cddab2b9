// SPDX-License-Identifier: GPL-2.0
/*
 * The set-up of a connection, with peers that say what they should not. The peer
 * is written by hand here, from the description in hello.c.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <pthread.h>

#include "tests.h"

#define MAGIC	0x63707275
#define SLOTS	16
#define BYTES	4096
#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The hello of such a peer: eight words. */
static void put(int socket, u32 magic, u32 version, u32 kind, u32 slots,
		const int *file, int files)
{
	u32 word[8] = { magic, version, kind, 0, slots };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = word, .iov_len = sizeof(word) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (files) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(files * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(files * sizeof(int));
		memcpy(CMSG_DATA(&control.header), file, files * sizeof(int));
	}
	if (sendmsg(socket, &msg, 0) < 0)
		abort();
}

static int memory(size_t bytes, int seals, unsigned int flags)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);

	if (fd >= 0 && (ftruncate(fd, bytes) ||
			(seals && fcntl(fd, F_ADD_SEALS, seals)))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What urpc_connect() says to that offer; the files are closed. */
static int offered(u32 version, u32 slots, int *file, int files)
{
	struct urpc_channel *channel;
	int i, ret, socket[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		return -1;
	put(socket[0], MAGIC, version, 2, slots, file, files);
	ret = urpc_connect(socket[1], NULL, 100, &channel);
	if (ret)
		close(socket[1]);
	else
		urpc_close(channel);
	close(socket[0]);
	for (i = 0; i < files; i++)
		close(file[i]);
	return ret;
}

static int offer_memory(int memfd, u32 slots)
{
	int file[3] = { memfd, eventfd(0, 0), eventfd(0, 0) };

	return offered(URPC_VERSION, slots, file, 3);
}

static enum tap_result bad_memory(void)
{
	int files = test_files(), huge;
	int file[2];

	CHECK(offer_memory(memory(BYTES, SEALS, 0), SLOTS) == 0);
	CHECK(offer_memory(memory(BYTES, 0, 0), SLOTS) == -EPERM);
	CHECK(offer_memory(memory(BYTES, F_SEAL_SHRINK, 0), SLOTS) == -EPERM);
	CHECK(offer_memory(memory(BYTES, SEALS & ~F_SEAL_SHRINK, 0), SLOTS) ==
	      -EPERM);
	CHECK(offer_memory(memory(BYTES, SEALS | F_SEAL_WRITE, 0), SLOTS) ==
	      -EPERM);
	CHECK(offer_memory(memory(0, SEALS, 0), SLOTS) == -ERANGE);
	CHECK(offer_memory(memory(BYTES - 1, SEALS, 0), SLOTS) == -ERANGE);
	CHECK(offer_memory(memory(BYTES, SEALS, 0), 64) == -ERANGE);
	CHECK(offer_memory(open("/dev/zero", O_RDWR), SLOTS) == -EPERM);
	CHECK(!pipe(file));
	close(file[1]);
	CHECK(offer_memory(file[0], SLOTS) == -EPERM);
	/* Huge pages can be sealed, and run out. */
	huge = memory(2 << 20, SEALS, MFD_HUGETLB);
	if (huge >= 0)
		CHECK(offer_memory(huge, 16384) == -EPERM);
	CHECK(offer_memory(memory(BYTES, SEALS, 0), 0) == -EPROTO);
	CHECK(offer_memory(memory(BYTES, SEALS, 0), 17) == -EPROTO);
	CHECK(offer_memory(memory(BYTES, SEALS, 0), -1u) == -EPROTO);
	CHECK(test_files() == files);
	return TAP_OK;
}

static enum tap_result bad_offers(void)
{
	int files = test_files(), file[8], i;

	file[0] = memory(BYTES, SEALS, 0);
	file[1] = eventfd(0, 0);
	file[2] = memory(BYTES, SEALS, 0);
	CHECK(offered(URPC_VERSION, SLOTS, file, 3) == -EPROTO);
	file[0] = memory(BYTES, SEALS, 0);
	file[1] = eventfd(0, 0);
	CHECK(offered(URPC_VERSION, SLOTS, file, 2) == -EPROTO);
	CHECK(offered(URPC_VERSION, SLOTS, NULL, 0) == -EPROTO);
	for (i = 0; i < 8; i++)
		file[i] = i ? eventfd(0, 0) : memory(BYTES, SEALS, 0);
	CHECK(offered(URPC_VERSION, SLOTS, file, 8) == -EPROTO);
	file[0] = memory(BYTES, SEALS, 0);
	file[1] = eventfd(0, 0);
	file[2] = eventfd(0, 0);
	CHECK(offered(URPC_VERSION + 1, SLOTS, file, 3) == -EPROTONOSUPPORT);
	CHECK(test_files() == files);
	return TAP_OK;
}

/* What urpc_accept() says to that hello. */
static int greeted(u32 magic, u32 version, u32 kind, const int *file, int files,
		   int next)
{
	struct urpc_channel *channel;
	int ret, socket[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		return -1;
	put(socket[1], magic, version, kind, 0, file, files);
	if (next)
		put(socket[1], magic, version, next, 0, NULL, 0);
	ret = urpc_accept(socket[0], NULL, 20, &channel);
	if (ret)
		close(socket[0]);
	else
		urpc_close(channel);
	close(socket[1]);
	return ret;
}

static enum tap_result bad_hellos(void)
{
	struct urpc_channel *channel;
	int files = test_files(), socket[2], file;

	CHECK(greeted(MAGIC, URPC_VERSION, 1, NULL, 0, 3) == 0);
	CHECK(greeted(MAGIC, URPC_VERSION + 1, 1, NULL, 0, 3) ==
	      -EPROTONOSUPPORT);
	CHECK(greeted(MAGIC + 1, URPC_VERSION, 1, NULL, 0, 3) == -EPROTO);
	CHECK(greeted(MAGIC, URPC_VERSION, 2, NULL, 0, 3) == -EPROTO);
	CHECK(greeted(MAGIC, URPC_VERSION, 1, NULL, 0, 1) == -EPROTO);
	/* One that falls silent, and files that nobody asked for. */
	CHECK(greeted(MAGIC, URPC_VERSION, 1, NULL, 0, 0) == -ETIMEDOUT);
	file = eventfd(0, 0);
	CHECK(greeted(MAGIC, URPC_VERSION, 1, &file, 1, 3) == -EPROTO);
	close(file);

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socket));
	CHECK(urpc_accept(socket[0], NULL, 10, &channel) == -ETIMEDOUT);
	CHECK(urpc_accept(socket[0], NULL, -1, &channel) == -EINVAL);
	CHECK(write(socket[1], "short", 5) == 5);
	CHECK(urpc_accept(socket[0], NULL, 10, &channel) == -EPROTO);
	close(socket[1]);
	CHECK(urpc_accept(socket[0], NULL, 10, &channel) == -EPIPE);
	CHECK(urpc_connect(socket[0], NULL, 10, &channel) == -EPIPE);
	close(socket[0]);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, socket));
	CHECK(urpc_accept(socket[0], NULL, 10, &channel) == -EINVAL);
	close(socket[0]);
	close(socket[1]);
	CHECK(test_files() == files);
	return TAP_OK;
}

/* The same memory for two peers: the second is told. */
static enum tap_result second_reader(void)
{
	int memfd = memory(BYTES, SEALS, 0), again = dup(memfd);

	CHECK(offer_memory(memfd, SLOTS) == 0);
	CHECK(offer_memory(again, SLOTS) == -EBUSY);
	return TAP_OK;
}

static void *serve(void *arg)
{
	int fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);
	struct urpc_channel *channel = NULL;

	if (fd < 0 || urpc_accept(fd, NULL, LONG_MS, &channel))
		return NULL;
	return channel;
}

static enum tap_result by_name(void)
{
	char path[] = "/tmp/urpc_testXXXXXX", name[64];
	struct urpc_channel *side[2];
	struct urpc_message message;
	pthread_t thread;
	int listener, fd, i;

	CHECK(mkdtemp(path));
	snprintf(name, sizeof(name), "%s/socket", path);
	CHECK(urpc_dial(name) == -ENOENT);
	CHECK(urpc_listen("") == -EINVAL);
	/* The second time what the first left behind is there. */
	for (i = 0; i < 2; i++) {
		listener = urpc_listen(name);
		CHECK(listener >= 0);
		CHECK(urpc_listen(name) == -EADDRINUSE);
		/* Those that only looked whether somebody is there. */
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		CHECK(fd >= 0);
		close(fd);
		CHECK(!pthread_create(&thread, NULL, serve, &listener));
		fd = urpc_dial(name);
		CHECK(fd >= 0);
		CHECK(!urpc_connect(fd, NULL, LONG_MS, &side[1]));
		CHECK(!pthread_join(thread, (void **)&side[0]) && side[0]);
		CHECK(!test_send(side[0], 3, 200));
		CHECK(urpc_recv(side[1], &message) == 1);
		CHECK(test_filled(&message));
		urpc_close(side[0]);
		urpc_close(side[1]);
		close(listener);
	}
	CHECK(!unlink(name) && !rmdir(path));
	return TAP_OK;
}

const struct tap_test hello_tests[] = {
	{ "hello: memory that is not sealed, too small, of another kind",
	  bad_memory },
	{ "hello: offers with wrong files or version", bad_offers },
	{ "hello: connecting peers that lie or are silent", bad_hellos },
	{ "hello: no second reader of a side", second_reader },
	{ "hello: sockets by name", by_name },
	{ NULL, NULL }
};
