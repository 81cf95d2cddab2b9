// SPDX-License-Identifier: GPL-2.0
/*
 * An RPC server and its client, in two processes.
 *
 *	echo server /tmp/echo &
 *	echo client /tmp/echo hello
 *
 * The server answers each call with its text in capitals, for one client at a
 * time, until that client has gone.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <urpc.h>

#define TIMEOUT_MS	5000

static int failed(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return EXIT_FAILURE;
}

/* Every call of one client. Ends when it has gone, or has lied. */
static int serve(struct urpc_channel *client)
{
	struct urpc_message call;
	int i, ret;

	for (;;) {
		/* No call for so long is no error here. */
		ret = urpc_wait(client, URPC_IN, TIMEOUT_MS);
		if (ret == -ETIMEDOUT)
			continue;
		if (ret < 0)
			return ret;
		while ((ret = urpc_recv(client, &call)) == 1) {
			for (i = 0; i < call.bytes; i++)
				call.data[i] = toupper(call.data[i]);
			/* There is room: this client has one call at a time. */
			ret = urpc_reply(client, &call, call.data, call.bytes);
			if (ret)
				return ret;
		}
		if (ret)
			return ret;
	}
}

static int server(const char *path)
{
	/* Poll for so long before blocking: about what a wake-up costs. */
	const struct urpc_options options = { .poll_us = 20 };
	int listener = urpc_listen(path);

	if (listener < 0)
		return failed(path, listener);
	for (;;) {
		struct urpc_channel *client;
		int ret, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return failed("accept", -errno);
		ret = urpc_accept(fd, &options, TIMEOUT_MS, &client);
		if (ret) {
			failed("client refused", ret);
			close(fd);
			continue;
		}
		ret = serve(client);
		if (ret != -EPIPE)
			failed("client dropped", ret);
		urpc_close(client);
	}
}

static int client(const char *path, const char *text)
{
	struct urpc_message reply;
	struct urpc_channel *channel;
	int ret, fd = urpc_dial(path);

	if (fd < 0)
		return failed(path, fd);
	ret = urpc_connect(fd, NULL, TIMEOUT_MS, &channel);
	if (ret) {
		close(fd);
		return failed("connect", ret);
	}
	ret = urpc_call(channel, text, strlen(text), &reply, TIMEOUT_MS);
	if (!ret)
		printf("%.*s\n", (int)reply.bytes, (char *)reply.data);
	urpc_close(channel);
	return ret ? failed("call", ret) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server"))
		return server(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "client"))
		return client(argv[2], argv[3]);
	fprintf(stderr, "usage: echo server PATH | echo client PATH TEXT\n");
	return EXIT_FAILURE;
}
