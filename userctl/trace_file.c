// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a trace.dat.
 *
 * libtracecmd does the decoding. It was written for files that trace-cmd has
 * just made, and a damaged one can have it crash, loop or take all memory: so a
 * child does it, with limits, and passes the events on through a pipe. What it
 * passes on is checked here once more.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <trace-cmd.h>

#include "mkctl.h"
#include "trace_event.h"

/* Seconds of computing, and bytes of memory above the file's own size. */
#define CPU_LIMIT	120
#define MEMORY_LIMIT	0x40000000UL

#define MAX_CPUS	8192
#define MAX_NOTE	4096
#define NOTE_PREFIX	"mkctl: "

/* Records of the pipe that are no events: a note's text follows one. */
enum {
	PIPE_NOTE = TRACE_KINDS,
	PIPE_GAP,
	PIPE_SEEN,
	PIPE_END,
};

/* How the child ends. */
enum {
	CHILD_OK,
	CHILD_NOT_TRACE,
	CHILD_BROKEN,
	CHILD_NO_PIPE,
};

const struct trace_format trace_formats[TRACE_KINDS] = {
	[TRACE_SEND] = { "multikernel", "mk_send",
		{ "ring", "seq", "type", "lines", "src", "dst" } },
	[TRACE_RECEIVE] = { "multikernel", "mk_receive",
		{ "ring", "seq", "type", "lines", "src", "dst" } },
	[TRACE_DISPATCH] = { "multikernel", "mk_dispatch",
		{ "ring", "seq", "type", "cpu" } },
	[TRACE_ACK] = { "multikernel", "mk_ack",
		{ "ring", "seq", "edge", "cpu" } },
	[TRACE_BLOCK] = { "multikernel", "mk_block",
		{ "cpu" } },
	[TRACE_WAKE] = { "multikernel", "mk_wake",
		{ "cpu", "by" } },
	[TRACE_START] = { "multikernel", "mk_shootdown_start",
		{ "op", "protocol", "targets", "lazies", "space" } },
	[TRACE_SENT] = { "multikernel", "mk_shootdown_sent",
		{ "op", "count" } },
	[TRACE_INTERRUPT] = { "multikernel", "mk_shootdown_ipi",
		{ "op", "count" } },
	[TRACE_SERVE] = { "multikernel", "mk_shootdown_serve",
		{ "op", "cpu" } },
	[TRACE_GATHERED] = { "multikernel", "mk_shootdown_gathered",
		{ "op", "count" } },
	[TRACE_END] = { "multikernel", "mk_shootdown_end",
		{ "op", "ipis", "timeouts" } },
	[TRACE_FLUSH] = { "tlb", "tlb_flush",
		{ "reason", "pages" } },
	[TRACE_CALL_ENTRY] = { "irq_vectors", "call_function_entry",
		{ "vector" } },
	[TRACE_CALL_EXIT] = { "irq_vectors", "call_function_exit",
		{ "vector" } },
	[TRACE_SINGLE_ENTRY] = { "irq_vectors", "call_function_single_entry",
		{ "vector" } },
	[TRACE_SINGLE_EXIT] = { "irq_vectors", "call_function_single_exit",
		{ "vector" } },
	[TRACE_RESCHEDULE_ENTRY] = { "irq_vectors", "reschedule_entry",
		{ "vector" } },
	[TRACE_RESCHEDULE_EXIT] = { "irq_vectors", "reschedule_exit",
		{ "vector" } },
	[TRACE_WAKING] = { "sched", "sched_waking",
		{ "pid", "target_cpu" } },
	[TRACE_WAKEUP] = { "sched", "sched_wakeup",
		{ "pid", "target_cpu" } },
	[TRACE_FORK] = { "sched", "sched_process_fork",
		{ "parent_pid", "child_pid" } },
};

/* --- in the child ----------------------------------------------------------- */

struct decoder {
	FILE *out;
	struct tracecmd_input *handle;
	/* by the number of the event in this file */
	struct wanted {
		int id;
		struct tep_format_field *field[TRACE_FIELDS];
	} wanted[TRACE_KINDS];
	int print_id;
	struct tep_format_field *print_text;
	uint64_t gaps;
};

static void pass_on(struct decoder *decoder, const struct trace_event *event)
{
	if (fwrite(event, sizeof(*event), 1, decoder->out) != 1)
		_exit(CHILD_NO_PIPE);
}

/* Zero-terminated, or to the end of the record. */
static void pass_note(struct decoder *decoder, const struct tep_record *record)
{
	struct trace_event event = { .kind = PIPE_NOTE, .time = record->ts };
	unsigned int offset = decoder->print_text->offset;
	const char *text = (const char *)record->data + offset;
	size_t len;

	if (record->size <= (int)offset)
		return;
	len = strnlen(text, record->size - offset);
	len = strcspn(text, "\n") < len ? strcspn(text, "\n") : len;
	if (len <= strlen(NOTE_PREFIX) || len > MAX_NOTE ||
	    strncmp(text, NOTE_PREFIX, strlen(NOTE_PREFIX)))
		return;
	event.value[0] = len - strlen(NOTE_PREFIX);
	pass_on(decoder, &event);
	if (fwrite(text + strlen(NOTE_PREFIX), event.value[0], 1, decoder->out) != 1)
		_exit(CHILD_NO_PIPE);
}

static int decode(struct tracecmd_input *handle, struct tep_record *record,
		  int cpu, void *data)
{
	struct tep_handle *tep = tracecmd_get_tep(handle);
	struct trace_event event = { .time = record->ts, .cpu = cpu };
	struct decoder *decoder = data;
	int id = tep_data_type(tep, record);
	unsigned long long value;
	size_t i;

	if (record->missed_events) {
		event.kind = PIPE_GAP;
		event.value[0] = record->missed_events;
		pass_on(decoder, &event);
		event.value[0] = 0;
	}
	if (id == decoder->print_id) {
		pass_note(decoder, record);
		return 0;
	}
	for (event.kind = 0; event.kind < TRACE_KINDS; event.kind++)
		if (decoder->wanted[event.kind].id == id)
			break;
	if (event.kind == TRACE_KINDS)
		return 0;
	event.pid = tep_data_pid(tep, record);
	for (i = 0; i < TRACE_FIELDS; i++) {
		struct tep_format_field *field = decoder->wanted[event.kind].field[i];

		if (!field)
			continue;
		if (field->offset + field->size > record->size ||
		    tep_read_number_field(field, record->data, &value))
			_exit(CHILD_BROKEN);
		event.value[i] = value;
		if (field->size == 4 && (field->flags & TEP_FIELD_IS_SIGNED))
			event.value[i] = (int32_t)value;
	}
	pass_on(decoder, &event);
	return 0;
}

/* Which events of this file are wanted, and where their fields are. */
static void find_formats(struct decoder *decoder)
{
	struct tep_handle *tep = tracecmd_get_tep(decoder->handle);
	const struct trace_format *format;
	struct tep_event *event;
	struct wanted *wanted;
	size_t kind, i;

	decoder->print_id = -1;
	event = tep_find_event_by_name(tep, "ftrace", "print");
	if (event) {
		decoder->print_text = tep_find_field(event, "buf");
		if (decoder->print_text)
			decoder->print_id = event->id;
	}
	for (kind = 0; kind < TRACE_KINDS; kind++) {
		struct trace_event seen = { .kind = PIPE_SEEN, .value[0] = kind };

		format = &trace_formats[kind];
		wanted = &decoder->wanted[kind];
		wanted->id = -1;
		event = tep_find_event_by_name(tep, format->system, format->name);
		if (!event)
			continue;
		for (i = 0; i < TRACE_FIELDS && format->field[i]; i++) {
			wanted->field[i] = tep_find_field(event, format->field[i]);
			if (!wanted->field[i])
				_exit(CHILD_BROKEN);
		}
		wanted->id = event->id;
		pass_on(decoder, &seen);
	}
}

static void decode_buffer(struct decoder *decoder, struct tracecmd_input *handle)
{
	if (handle)
		tracecmd_iterate_events(handle, NULL, 0, decode, decoder);
}

static void child(const char *path, int out, size_t size)
{
	struct rlimit memory = { MEMORY_LIMIT + 4 * size, MEMORY_LIMIT + 4 * size };
	struct rlimit seconds = { CPU_LIMIT, CPU_LIMIT };
	struct rlimit core = { 0, 0 };
	struct trace_event end = { .kind = PIPE_END };
	struct decoder decoder = { 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), i, nr;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CPU, &seconds);
	setrlimit(RLIMIT_CORE, &core);
#ifndef __SANITIZE_ADDRESS__
	/* ASan reserves address space without end. */
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	/* What the library says of a bad file is not for the user. */
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	tracecmd_set_loglevel(TEP_LOG_NONE);
	decoder.out = fdopen(out, "w");
	if (!decoder.out)
		_exit(CHILD_NO_PIPE);
	/* Plugins only make texts, and are foreign code besides. */
	decoder.handle = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!decoder.handle)
		_exit(CHILD_NOT_TRACE);
	find_formats(&decoder);
	decode_buffer(&decoder, decoder.handle);
	nr = tracecmd_buffer_instances(decoder.handle);
	for (i = 0; i < nr; i++)
		decode_buffer(&decoder,
			      tracecmd_buffer_instance_handle(decoder.handle, i));
	pass_on(&decoder, &end);
	_exit(fflush(decoder.out) ? CHILD_NO_PIPE : CHILD_OK);
}

/* --- in mkctl ---------------------------------------------------------------- */

static void add_note(struct trace *trace, FILE *in, size_t len)
{
	trace->notes = mkctl_grow(trace->notes, trace->notes_len + len + 2, 1);
	if (fread(trace->notes + trace->notes_len, len, 1, in) == 1) {
		trace->notes_len += len;
		trace->notes[trace->notes_len++] = '\n';
	}
	trace->notes[trace->notes_len] = '\0';
}

/* Until the end; 0 if it came. */
static int take_events(struct trace *trace, FILE *in)
{
	struct trace_event event;
	size_t room = 0;

	while (fread(&event, sizeof(event), 1, in) == 1) {
		switch (event.kind) {
		case PIPE_END:
			return 0;
		case PIPE_GAP:
			trace->gaps++;
			/* negative where the page had no room for the number */
			if (event.value[0] > 0)
				trace->missed += event.value[0];
			break;
		case PIPE_SEEN:
			trace->seen[event.value[0]] = 1;
			break;
		case PIPE_NOTE:
			add_note(trace, in, event.value[0]);
			break;
		default:
			if (event.cpu < 0 || event.cpu >= MAX_CPUS)
				return -1;
			if (trace->nr == room) {
				room = room ? 2 * room : 4096;
				trace->events = mkctl_grow(trace->events, room,
							   sizeof(event));
			}
			trace->events[trace->nr++] = event;
		}
	}
	return -1;
}

static int by_time(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	/* what was passed on first came first */
	return x->pad < y->pad ? -1 : x->pad > y->pad;
}

static void sort(struct trace *trace)
{
	size_t i;

	for (i = 0; i < trace->nr; i++)
		trace->events[i].pad = i;
	if (trace->nr)
		qsort(trace->events, trace->nr, sizeof(*trace->events), by_time);
}

static int explain(const char *path, int status, int ended, char *error, size_t len)
{
	const char *why = "it is damaged or cut short";

	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_OK && ended)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NOT_TRACE)
		why = "it is no trace of trace-cmd, or cut short";
	else if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_BROKEN)
		why = "its events have not the fields that they should have";
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		why = "it takes too long to decode, so it is damaged";
	snprintf(error, len, "cannot read %s: %s; record it again", path, why);
	return -1;
}

int trace_read(struct trace *trace, const char *path, char *error, size_t error_len)
{
	int fds[2], status = 0, ended = 0, fd;
	struct stat st;
	FILE *in;
	pid_t pid;

	memset(trace, 0, sizeof(*trace));
	trace->notes = mkctl_printf("%s", "");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(error, error_len, "cannot open %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		snprintf(error, error_len, "cannot read %s: it is %s; record it again",
			 path, S_ISREG(st.st_mode) ? "empty" : "not a file");
		return -1;
	}
	if (pipe2(fds, O_CLOEXEC) < 0) {
		snprintf(error, error_len, "cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		child(path, fds[1], st.st_size);
	}
	close(fds[1]);
	in = pid < 0 ? NULL : fdopen(fds[0], "r");
	if (!in) {
		close(fds[0]);
		snprintf(error, error_len, "cannot read %s: %s", path, strerror(errno));
	} else {
		ended = !take_events(trace, in);
		fclose(in);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sort(trace);
	if (!in)
		return -1;
	return explain(path, status, ended, error, error_len);
}

void trace_free(struct trace *trace)
{
	free(trace->events);
	free(trace->notes);
}

const char *trace_note(const struct trace *trace, const char *name, const char *after)
{
	const char *line = after ? strchr(after, '\n') : trace->notes;
	size_t len = strlen(name);

	for (; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ' ')
			return line + len + 1;
	}
	return NULL;
}

int64_t trace_note_number(const struct trace *trace, const char *name, int64_t otherwise)
{
	const char *text = trace_note(trace, name, NULL);
	char *end;
	int64_t value;

	if (!text)
		return otherwise;
	value = strtoll(text, &end, 10);
	return end == text ? otherwise : value;
}
