// SPDX-License-Identifier: GPL-2.0
/*
 * Plays the module for the tests of mkctl, in a tree of ordinary files.
 *
 * To be preloaded: takes over write(), and gives the files of a tree below
 * $STANDIN_TREE the manners that Documentation describes for debugfs. An
 * experiment's directory may hold
 *
 *	.params		"name min max" or "name word other ...", one per line:
 *			what is written elsewhere is EINVAL or ERANGE
 *	.recorded	what results holds after a run; its last line only when
 *			the run came to its end
 *	.ms		how long a run takes
 *	.errno		what a run fails with
 *
 * A counter counters/total/sent gains 100 with every run.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STEPS 20

static void join(char *path, const char *dir, const char *name)
{
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		abort();
}

static size_t get(const char *dir, const char *name, char *text, size_t room)
{
	char path[PATH_MAX];
	ssize_t len = 0;
	int fd;

	join(path, dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, room - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = '\0';
	return len > 0 ? len : 0;
}

static void put(const char *dir, const char *name, const char *text, size_t len)
{
	char path[PATH_MAX];
	int fd;

	join(path, dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		syscall(SYS_write, fd, text, len);
		close(fd);
	}
}

static long number(const char *dir, const char *name)
{
	char text[32];

	get(dir, name, text, sizeof(text));
	return atol(text);
}

static int there(const char *dir, const char *name)
{
	char path[PATH_MAX];

	join(path, dir, name);
	return !access(path, F_OK);
}

static void take_away(const char *dir, const char *name)
{
	char path[PATH_MAX];

	join(path, dir, name);
	unlink(path);
}

/* All of .recorded, or for a run that was ended half of its lines. */
static void leave_results(const char *dir, int ended)
{
	static char text[1 << 20];
	size_t len = get(dir, ".recorded", text, sizeof(text));

	if (ended) {
		for (len /= 2; len && text[len - 1] != '\n'; len--)
			;
	}
	put(dir, "results", text, len);
}

static int run(const char *dir)
{
	char counters[PATH_MAX], text[32];
	long ms = number(dir, ".ms"), step;
	struct timespec nap = { ms / STEPS / 1000, ms / STEPS % 1000 * 1000000 };
	int reason = -number(dir, ".errno");

	if (there(dir, ".running"))
		return -EBUSY;
	put(dir, ".running", "", 0);
	take_away(dir, ".cancel");
	for (step = 0; step < STEPS && !reason; step++) {
		snprintf(text, sizeof(text), "%ld\n", step * 100 / STEPS);
		put(dir, "progress", text, strlen(text));
		if (ms && nanosleep(&nap, NULL))
			reason = -EINTR;
		else if (there(dir, ".cancel"))
			reason = -ECANCELED;
	}
	join(counters, dir, "../../counters/total");
	snprintf(text, sizeof(text), "%ld\n", number(counters, "sent") + 100);
	put(counters, "sent", text, strlen(text));
	leave_results(dir, reason != 0);
	take_away(dir, ".running");
	return reason;
}

/* Does the line of .params for @name allow @value? */
static int judge(const char *dir, const char *name, const char *value)
{
	char text[4096], *line, *words, *save, *word, *end;
	long min, max, given;

	get(dir, ".params", text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		words = line + strlen(name);
		if (strncmp(line, name, strlen(name)) || *words != ' ')
			continue;
		if (sscanf(words, "%ld %ld", &min, &max) == 2) {
			given = strtol(value, &end, 10);
			if (end == value || *end)
				return -EINVAL;
			return given < min || given > max ? -ERANGE : 0;
		}
		for (word = strtok(words, " "); word; word = strtok(NULL, " "))
			if (!strcmp(word, value))
				return 0;
		return -EINVAL;
	}
	return 0;
}

static int handle(const char *dir, const char *name, const char *value)
{
	if (!strcmp(name, "run")) {
		if (!strcmp(value, "1"))
			return run(dir);
		if (there(dir, ".running"))
			put(dir, ".cancel", "", 0);
		return 0;
	}
	return judge(dir, name, value);
}

ssize_t write(int fd, const void *data, size_t len)
{
	const char *tree = getenv("STANDIN_TREE");
	char path[PATH_MAX], link[64], value[256], *name;
	ssize_t got;
	int reason;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	got = readlink(link, path, sizeof(path) - 1);
	if (got <= 0 || !tree || len >= sizeof(value))
		return syscall(SYS_write, fd, data, len);
	path[got] = '\0';
	if (strncmp(path, tree, strlen(tree)) || !strstr(path, "/experiments/"))
		return syscall(SYS_write, fd, data, len);

	memcpy(value, data, len);
	value[len] = '\0';
	value[strcspn(value, "\n")] = '\0';
	name = strrchr(path, '/');
	*name++ = '\0';
	reason = handle(path, name, value);
	if (reason) {
		errno = -reason;
		return -1;
	}
	if (strcmp(name, "run"))
		put(path, name, data, len);
	return len;
}
