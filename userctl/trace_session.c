// SPDX-License-Identifier: GPL-2.0
/*
 * Recording.
 *
 * The events go to a ring buffer of an instance of our own, so that traces of
 * others are not disturbed; trace-cmd, which knows its format best, makes the
 * file from it. When the buffer is full the oldest events go, and are counted.
 * The notes are written last, after that count: so that no event goes for them,
 * the buffer is made larger first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tracefs.h>

#include "mkctl.h"
#include "trace_event.h"
#include "trace_session.h"
#include "tree.h"

#define NAME_PREFIX	"mkctl-"

/* Room for notes. They are written by one CPU, nobody knows which. */
#define NOTES_KB	1024

struct trace_session {
	struct tracefs_instance *instance;
	char *name;
	unsigned long buffer_kb;
	pid_t owner;
};

/* The one that is there, for exit(). */
static struct trace_session *current;

static void at_exit(void)
{
	if (current && current->owner == getpid())
		trace_session_end(current);
}

/* Instances of those that were killed before they could clean up. */
static void remove_stale(const char *tracing)
{
	char *path = mkctl_printf("%s/instances", tracing), *left;
	struct dirent *entry;
	DIR *dir = opendir(path);
	int pid;

	while (dir && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, NAME_PREFIX "%d", &pid) != 1 ||
		    pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		left = mkctl_printf("%s/%s", path, entry->d_name);
		rmdir(left);
		free(left);
	}
	if (dir)
		closedir(dir);
	free(path);
}

static void explain(int reason)
{
	if (reason == EACCES || reason == EPERM || geteuid())
		mkctl_error("tracing needs root; say: sudo mkctl trace");
	else
		mkctl_error("no trace instance: %s; is tracefs mounted on /sys/kernel/tracing?",
			    strerror(reason));
}

static int enable(struct trace_session *session)
{
	const struct trace_format *format;
	size_t kind, nr = 0;

	for (kind = 0; kind < TRACE_KINDS; kind++) {
		format = &trace_formats[kind];
		/* Without the module there is only Linux's side. */
		if (!tracefs_event_file_exists(session->instance, format->system,
					       format->name, "enable"))
			continue;
		if (tracefs_event_enable(session->instance, format->system,
					 format->name)) {
			mkctl_error("the event %s:%s cannot be recorded: %s", format->system,
				    format->name, strerror(errno));
			return -1;
		}
		nr++;
	}
	if (!nr)
		mkctl_error("this kernel has none of the events: it lacks CONFIG_TRACING");
	return nr ? 0 : -1;
}

/* For each CPU; what is recorded stays. */
static int resize(struct trace_session *session, unsigned long kb)
{
	char *text = mkctl_printf("%lu", kb);
	int ret = tracefs_instance_file_write(session->instance, "buffer_size_kb", text);

	free(text);
	return ret < 0 ? -1 : 0;
}

struct trace_session *trace_session_begin(unsigned long buffer_kb, const char *clock)
{
	const char *tracing = tracefs_tracing_dir();
	struct trace_session *session;
	int failed;

	if (!tracing || access(tracing, W_OK)) {
		explain(tracing ? errno : ENOENT);
		return NULL;
	}
	remove_stale(tracing);
	session = mkctl_alloc(sizeof(*session));
	session->name = mkctl_printf(NAME_PREFIX "%d", getpid());
	session->owner = getpid();
	session->instance = tracefs_instance_create(session->name);
	if (!session->instance) {
		explain(errno);
		free(session->name);
		free(session);
		return NULL;
	}
	current = session;
	atexit(at_exit);

	session->buffer_kb = buffer_kb;
	failed = resize(session, buffer_kb);
	if (failed)
		mkctl_error("no memory for %lu KiB of trace on each CPU; give a smaller --buffer",
			    buffer_kb);
	if (!failed && tracefs_instance_file_write(session->instance, "trace_clock", clock) < 0) {
		mkctl_error("no trace clock '%s'; see /sys/kernel/tracing/trace_clock",
			    clock);
		failed = 1;
	}
	if (failed || enable(session)) {
		trace_session_end(session);
		return NULL;
	}
	return session;
}

static uint64_t stat_of(const char *stats, const char *name)
{
	const char *line = strstr(stats, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

uint64_t trace_session_stop(struct trace_session *session)
{
	uint64_t lost = 0;
	char *path, *stats;
	int cpu, nr = sysconf(_SC_NPROCESSORS_CONF);

	tracefs_event_disable(session->instance, NULL, NULL);
	for (cpu = 0; cpu < nr; cpu++) {
		path = mkctl_printf("per_cpu/cpu%d/stats", cpu);
		stats = tracefs_instance_file_read(session->instance, path, NULL);
		if (stats)
			lost += stat_of(stats, "\noverrun: ") +
				stat_of(stats, "\ncommit overrun: ") +
				stat_of(stats, "\ndropped events: ");
		free(stats);
		free(path);
	}
	/* Without memory for it the file says what is missing. */
	resize(session, session->buffer_kb + NOTES_KB);
	return lost;
}

void trace_session_note(struct trace_session *session, const char *fmt, ...)
{
	char *text, *line;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	line = mkctl_printf("mkctl: %s", text ? text : "");
	tracefs_instance_file_write(session->instance, "trace_marker", line);
	free(line);
	free(text);
}

/* What trace-cmd says goes to @log, a file that is gone already. */
static int run_trace_cmd(struct trace_session *session, const char *path, int log)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		/* Ctrl-C is for us: the file is finished all the same. */
		setpgid(0, 0);
		execlp("trace-cmd", "trace-cmd", "extract", "-B", session->name,
		       "-o", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int trace_session_save(struct trace_session *session, const char *path)
{
	int log = memfd_create("trace-cmd", MFD_CLOEXEC), status;
	char said[256] = "";
	struct stat st;

	tracefs_trace_off(session->instance);
	status = run_trace_cmd(session, path, log);
	if (!status && (stat(path, &st) || !st.st_size))
		status = -1;
	if (status == 127) {
		mkctl_error("no trace-cmd, which writes the file: install trace-cmd");
	} else if (status) {
		if (pread(log, said, sizeof(said) - 1, 0) < 0)
			said[0] = '\0';
		said[strcspn(said, "\n")] = '\0';
		mkctl_error("trace-cmd could not write %s: %s; is there room?", path, said);
	}
	if (log >= 0)
		close(log);
	return status ? MKCTL_FAILED : MKCTL_OK;
}

void trace_session_end(struct trace_session *session)
{
	if (current == session)
		current = NULL;
	/* With an event of the module enabled, rmmod would say that it is busy. */
	tracefs_event_disable(session->instance, NULL, NULL);
	tracefs_instance_destroy(session->instance);
	tracefs_instance_free(session->instance);
	free(session->name);
	free(session);
}
