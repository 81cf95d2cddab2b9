/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recording: a trace instance of our own, which goes with us.
 */
#ifndef MKCTL_TRACE_SESSION_H
#define MKCTL_TRACE_SESSION_H

#include <stddef.h>
#include <stdint.h>

struct trace_session;

/*
 * Make the instance, with @buffer_kb for each CPU and the clock @clock, and
 * begin. NULL after saying why not. It goes with trace_session_end(), or when
 * the program exits without; one that a killed mkctl has left goes now.
 */
struct trace_session *trace_session_begin(unsigned long buffer_kb, const char *clock);

/* No more events are recorded. What was lost, over all CPUs. */
uint64_t trace_session_stop(struct trace_session *session);

/* A line that trace_note() finds. After trace_session_stop(): no event comes between. */
__attribute__((__format__(__printf__, 2, 3)))
void trace_session_note(struct trace_session *session, const char *fmt, ...);

/* Write everything to @path, by trace-cmd; an exit code, after saying why not. */
int trace_session_save(struct trace_session *session, const char *path);

void trace_session_end(struct trace_session *session);

#endif /* MKCTL_TRACE_SESSION_H */
