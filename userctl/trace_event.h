/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of a trace, as far as mkctl trace looks at them.
 */
#ifndef MKCTL_TRACE_EVENT_H
#define MKCTL_TRACE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_FIELDS	6

/* Those looked at; trace_formats[] says what they are to the kernel. */
enum trace_kind {
	TRACE_SEND,
	TRACE_RECEIVE,
	TRACE_DISPATCH,
	TRACE_ACK,
	TRACE_BLOCK,
	TRACE_WAKE,
	TRACE_START,
	TRACE_SENT,
	TRACE_INTERRUPT,
	TRACE_SERVE,
	TRACE_GATHERED,
	TRACE_END,
	TRACE_FLUSH,
	TRACE_CALL_ENTRY,
	TRACE_CALL_EXIT,
	TRACE_SINGLE_ENTRY,
	TRACE_SINGLE_EXIT,
	TRACE_RESCHEDULE_ENTRY,
	TRACE_RESCHEDULE_EXIT,
	TRACE_WAKING,
	TRACE_WAKEUP,
	TRACE_FORK,
	TRACE_KINDS
};

/**
 * struct trace_format - an event of the kernel
 * @system: what it belongs to
 * @name: what it is called
 * @field: numbers to be read, which have their places in value[] in this order
 */
struct trace_format {
	const char *system, *name;
	const char *field[TRACE_FIELDS + 1];
};

extern const struct trace_format trace_formats[TRACE_KINDS];

/* Linux's reasons for a flush, as the field of tlb_flush has them. */
enum trace_flush {
	TRACE_FLUSH_REMOTE = 1,		/* on a target, asked for by interrupt */
	TRACE_FLUSH_SEND = 4,		/* the initiator is about to interrupt */
};

/**
 * struct trace_event - one event
 * @time: in the clock of the trace
 * @cpu: where
 * @pid: the thread that ran there
 * @kind: &enum trace_kind
 * @pad: used while sorting
 * @value: fields in the order of trace_formats[]
 */
struct trace_event {
	uint64_t time;
	int32_t cpu, pid, kind, pad;
	int64_t value[TRACE_FIELDS];
};

/**
 * struct trace - all events, in the order of their times
 * @events: the events
 * @nr: how many
 * @gaps: places where some are missing
 * @missed: how many are missing there, as far as the kernel said
 * @seen: kinds that the file describes, whether or not there is one
 * @notes: what mkctl has written into the trace, a line each, never NULL
 * @notes_len: bytes of them
 */
struct trace {
	struct trace_event *events;
	size_t nr;
	uint64_t gaps, missed;
	unsigned char seen[TRACE_KINDS];
	char *notes;
	size_t notes_len;
};

/*
 * Read a file that trace-cmd or mkctl wrote. 0, or -1 with one line in @error;
 * trace_free() in any case.
 */
int trace_read(struct trace *trace, const char *path, char *error, size_t error_len);
void trace_free(struct trace *trace);

/*
 * What is noted as @name: the rest of its line, NULL if it is not there. @after
 * is the note found before, NULL for the first. Not terminated: to the newline.
 */
const char *trace_note(const struct trace *trace, const char *name, const char *after);

/* The same as a number, @otherwise if there is none. */
int64_t trace_note_number(const struct trace *trace, const char *name, int64_t otherwise);

#endif /* MKCTL_TRACE_EVENT_H */
