// SPDX-License-Identifier: GPL-2.0
/*
 * A Redis server is attached and detached while clients write keys, read them
 * back and delete them, and while it saves, which forks. Every answer is compared
 * with what was written, and in the end every key.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mirrors.h"
#include "test.h"

#define DIRECTORY	"/tmp/mk_redis"
#define SOCKET		DIRECTORY "/socket"

#define CLIENTS		3
#define KEYS		400	/* of each client */
#define VALUE_MAX	6000
#define ROUNDS		10
/* Answers that each half of a round waits for, and for how long at most. */
#define ANSWERS		400
#define PATIENCE	60.0
#define REDIS_TIMEOUT	800

/* --- the server -------------------------------------------------------------- */

static pid_t server_start(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* One binary is both; the package of the other name starts a service. */
	execlp("redis-check-rdb", "redis-server", "--port", "0", "--unixsocket",
	       SOCKET, "--dir", DIRECTORY, "--save", "", "--logfile",
	       DIRECTORY "/log", "--activedefrag", "no", NULL);
	_exit(127);
}

static FILE *dial(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	double end = mk_seconds() + PATIENCE;
	int fd;

	for (;;) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return NULL;
		if (!connect(fd, (struct sockaddr *)&name, sizeof(name)))
			return fdopen(fd, "r+");
		close(fd);
		if (mk_seconds() > end)
			return NULL;
		mk_sleep_ms(20);
	}
}

/* --- its protocol -------------------------------------------------------------- */

/* A command of words; NULL ends them. */
static void say(FILE *via, ...)
{
	const char *word;
	va_list words;
	int n = 0;

	va_start(words, via);
	while (va_arg(words, const char *))
		n++;
	va_end(words);
	fprintf(via, "*%d\r\n", n);
	va_start(words, via);
	while ((word = va_arg(words, const char *)))
		fprintf(via, "$%zu\r\n%s\r\n", strlen(word), word);
	va_end(words);
	fflush(via);
}

/* The text of an answer; "" of a key that is not there; NULL if it broke off. */
static const char *hear(FILE *via, char *buf, size_t size)
{
	size_t len;

	if (!fgets(buf, size, via))
		return NULL;
	if (buf[0] != '$') {
		buf[strcspn(buf, "\r\n")] = '\0';
		return buf;
	}
	if (buf[1] == '-')
		return "";
	len = strtoul(buf + 1, NULL, 10);
	if (len + 2 > size || fread(buf, 1, len + 2, via) != len + 2)
		return NULL;
	buf[len] = '\0';
	return buf;
}

/* --- a client -------------------------------------------------------------------- */

struct client {
	int number;
	pthread_t thread;
	unsigned int version[KEYS];	/* 0: not there */
	atomic_uint answers, wrong;
	atomic_bool broken;		/* the connection */
};

static atomic_bool stop;

static void key_of(const struct client *client, int key, char *text)
{
	sprintf(text, "key:%d:%d", client->number, key);
}

/* What belongs there: its length and its text are made of all three. */
static void value_of(const struct client *client, int key, unsigned int version,
		     char *text)
{
	unsigned int x = client->number * 7919 + key * 104729 + version;
	unsigned int len = 32 + rand_r(&x) % (VALUE_MAX - 32), at;

	if (!version) {
		text[0] = '\0';
		return;
	}
	at = sprintf(text, "%d:%d:%u:", client->number, key, version);
	while (at < len)
		text[at++] = 'a' + (x = x * 1103515245 + 12345) / 65536 % 26;
	text[at] = '\0';
}

static void look(struct client *client, FILE *via, int key)
{
	char name[64], want[VALUE_MAX + 64], buf[VALUE_MAX + 64];
	const char *got;

	key_of(client, key, name);
	value_of(client, key, client->version[key], want);
	say(via, "GET", name, NULL);
	got = hear(via, buf, sizeof(buf));
	if (!got)
		client->broken = true;
	else if (strcmp(got, want))
		client->wrong++;
	client->answers++;
}

static void change(struct client *client, FILE *via, int key, bool delete)
{
	char name[64], value[VALUE_MAX + 64], buf[VALUE_MAX + 64];
	unsigned int version = delete ? 0 : client->version[key] + 1;
	const char *got;

	key_of(client, key, name);
	value_of(client, key, version, value);
	if (delete)
		say(via, "DEL", name, NULL);
	else
		say(via, "SET", name, value, NULL);
	got = hear(via, buf, sizeof(buf));
	if (!got)
		client->broken = true;
	else if (strcmp(got, !delete ? "+OK" :
			     client->version[key] ? ":1" : ":0"))
		client->wrong++;
	client->version[key] = version;
	client->answers++;
}

static void *client_thread(void *arg)
{
	struct client *client = arg;
	unsigned int seed = client->number;
	FILE *via = dial();

	client->broken = !via;
	while (!stop && !client->broken) {
		int key = rand_r(&seed) % KEYS, what = rand_r(&seed) % 16;

		if (what < 8)
			look(client, via, key);
		else
			change(client, via, key, what == 8);
	}
	if (via)
		fclose(via);
	return NULL;
}

/* --- the test -------------------------------------------------------------------- */

FIXTURE(redis)
{
	pid_t server;
	FILE *via;
	struct client client[CLIENTS];
	unsigned int saves;
};

FIXTURE_SETUP(redis)
{
	int i;

	ASSERT_EQ(0, system("rm -rf " DIRECTORY "; mkdir " DIRECTORY));
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load_hooked());
	ASSERT_EQ(0, mk_put_u64("mirror/inherit", 1));
	self->server = server_start();
	ASSERT_LT(0, self->server);
	self->via = dial();
	ASSERT_NE(NULL, self->via)
		TH_LOG("no Redis");
	for (i = 0; i < CLIENTS; i++) {
		self->client[i].number = i;
		ASSERT_EQ(0, pthread_create(&self->client[i].thread, NULL,
					    client_thread, &self->client[i]));
	}
}

FIXTURE_TEARDOWN(redis)
{
	if (self->via)
		fclose(self->via);
	kill(self->server, SIGKILL);
	waitpid(self->server, NULL, 0);
	EXPECT_RET(0, mk_unload_soon(), "unload");
}

static unsigned int answers(FIXTURE_DATA(redis) * self)
{
	unsigned int sum = 0;
	int i;

	for (i = 0; i < CLIENTS; i++)
		sum += self->client[i].answers;
	return sum;
}

static unsigned int wrong(FIXTURE_DATA(redis) * self)
{
	unsigned int sum = 0;
	int i;

	for (i = 0; i < CLIENTS; i++)
		sum += self->client[i].wrong + self->client[i].broken;
	return sum;
}

/* The clients go on, and the server saves what they write. */
static bool go_on(FIXTURE_DATA(redis) * self)
{
	unsigned int start = answers(self);
	double end = mk_seconds() + PATIENCE;
	char buf[256];

	say(self->via, "BGSAVE", NULL);
	if (!hear(self->via, buf, sizeof(buf)))
		return false;
	self->saves += !strcmp(buf, "+Background saving started");
	while (answers(self) - start < ANSWERS && !wrong(self)) {
		if (mk_seconds() > end)
			return false;
		mk_sleep_ms(5);
	}
	return !wrong(self);
}

static void end(FIXTURE_DATA(redis) * self)
{
	int i;

	stop = true;
	for (i = 0; i < CLIENTS; i++)
		pthread_join(self->client[i].thread, NULL);
	stop = false;
}

/* Each key of every client. */
static void compare(FIXTURE_DATA(redis) * self)
{
	int i, key;

	for (i = 0; i < CLIENTS; i++)
		for (key = 0; key < KEYS; key++)
			look(&self->client[i], self->via, key);
}

TEST_F_TIMEOUT(redis, attached_and_detached, REDIS_TIMEOUT)
{
	struct mirror_figures figures, sum = { 0 };
	unsigned int before;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, mk_put("mirror/invalidate",
				    i % 2 ? "message" : "direct"));
		ASSERT_EQ(0, mirror_attach(self->server));
		ASSERT_TRUE(go_on(self))
			TH_LOG("round %d, attached: %u answers, %u wrong", i,
			       answers(self), wrong(self));
		ASSERT_EQ(0, mirror_figures(self->server, &figures));
		EXPECT_LT(0, figures.fills);
		EXPECT_LT(0, figures.switches);
		sum.fills += figures.fills;
		sum.zaps += figures.zaps;
		ASSERT_EQ(0, mirror_detach(self->server));
		EXPECT_EQ(-ENOENT, mirror_figures(self->server, &figures));
		ASSERT_TRUE(go_on(self))
			TH_LOG("round %d, detached: %u answers, %u wrong", i,
			       answers(self), wrong(self));
	}
	end(self);
	TH_LOG("%u answers, %u saves, %llu fills, %llu zaps", answers(self),
	       self->saves, sum.fills, sum.zaps);
	EXPECT_LT(0, self->saves);
	EXPECT_LT(0, sum.zaps);
	before = answers(self);
	compare(self);
	EXPECT_EQ(CLIENTS * KEYS, answers(self) - before);
	EXPECT_EQ(0, wrong(self));
}

/* The negative control: a key that somebody else has changed. */
TEST_F(redis, wrong_value_is_noticed)
{
	char name[64], buf[256];

	EXPECT_TRUE(go_on(self));
	end(self);
	compare(self);
	EXPECT_EQ(0, wrong(self));
	key_of(&self->client[1], 7, name);
	say(self->via, "SET", name, "1:7:0:other", NULL);
	EXPECT_NE(NULL, hear(self->via, buf, sizeof(buf)));
	compare(self);
	EXPECT_EQ(1, wrong(self));
}

TEST_HARNESS_MAIN
