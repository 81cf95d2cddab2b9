/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, one for every edge of the message path.
 *
 * ring is the number of a one-way ring and seq the position of the message's
 * first line in it; both ends know both without telling each other, so a send
 * and a receive with equal ring and seq are one message.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM multikernel

#if !defined(MK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MK_TRACE_H

#include <linux/tracepoint.h>

#include "shootdown/protocols.h"
#include "urpc/types.h"

#ifndef MK_TRACE_EDGE
#define MK_TRACE_EDGE
enum mk_edge {
	MK_EDGE_SENT,
	MK_EDGE_TAKEN,
};
#endif

/* perf and trace-cmd read the enums' values from the format files. */
#define MK_TYPE_EXPORT(symbol, name)	TRACE_DEFINE_ENUM(MK_TYPE_##symbol);
MK_MESSAGE_TYPES(MK_TYPE_EXPORT)
TRACE_DEFINE_ENUM(MK_TYPES);
TRACE_DEFINE_ENUM(MK_EDGE_SENT);
TRACE_DEFINE_ENUM(MK_EDGE_TAKEN);

#define MK_PROTOCOL_EXPORT(symbol, name)				\
	TRACE_DEFINE_ENUM(MK_PROTOCOL_##symbol);
MK_PROTOCOL_LIST(MK_PROTOCOL_EXPORT)
TRACE_DEFINE_ENUM(MK_PROTOCOLS);

#define MK_TYPE_SYMBOL(symbol, name)	{ MK_TYPE_##symbol, name },
#define mk_show_type(type)						\
	__print_symbolic(type, MK_MESSAGE_TYPES(MK_TYPE_SYMBOL)		\
			 { MK_TYPES, "?" })
#define MK_PROTOCOL_SYMBOL(symbol, name) { MK_PROTOCOL_##symbol, name },
#define mk_show_protocol(protocol)					\
	__print_symbolic(protocol, MK_PROTOCOL_LIST(MK_PROTOCOL_SYMBOL)	\
			 { MK_PROTOCOLS, "?" })
#define mk_show_edge(edge)						\
	__print_symbolic(edge, { MK_EDGE_SENT, "sent" },		\
			 { MK_EDGE_TAKEN, "taken" })

DECLARE_EVENT_CLASS(mk_message,
	TP_PROTO(u32 ring, u32 seq, u8 type, u8 lines, int src, int dst),
	TP_ARGS(ring, seq, type, lines, src, dst),
	TP_STRUCT__entry(
		__field(u32, ring)
		__field(u32, seq)
		__field(u8, type)
		__field(u8, lines)
		__field(int, src)
		__field(int, dst)
	),
	TP_fast_assign(
		__entry->ring = ring;
		__entry->seq = seq;
		__entry->type = type;
		__entry->lines = lines;
		__entry->src = src;
		__entry->dst = dst;
	),
	TP_printk("ring=%u seq=%u type=%s lines=%u src=%d dst=%d",
		  __entry->ring, __entry->seq, mk_show_type(__entry->type),
		  __entry->lines, __entry->src, __entry->dst)
);

/* The message is in the ring; the doorbell may still be to come. */
DEFINE_EVENT(mk_message, mk_send,
	TP_PROTO(u32 ring, u32 seq, u8 type, u8 lines, int src, int dst),
	TP_ARGS(ring, seq, type, lines, src, dst)
);

/* The message has been copied out of the ring. */
DEFINE_EVENT(mk_message, mk_receive,
	TP_PROTO(u32 ring, u32 seq, u8 type, u8 lines, int src, int dst),
	TP_ARGS(ring, seq, type, lines, src, dst)
);

/* The handler has returned: this minus mk_receive is the time it took. */
TRACE_EVENT(mk_dispatch,
	TP_PROTO(u32 ring, u32 seq, u8 type, int cpu),
	TP_ARGS(ring, seq, type, cpu),
	TP_STRUCT__entry(
		__field(u32, ring)
		__field(u32, seq)
		__field(u8, type)
		__field(int, cpu)
	),
	TP_fast_assign(
		__entry->ring = ring;
		__entry->seq = seq;
		__entry->type = type;
		__entry->cpu = cpu;
	),
	TP_printk("ring=%u seq=%u type=%s cpu=%d", __entry->ring,
		  __entry->seq, mk_show_type(__entry->type), __entry->cpu)
);

/* An explicit acknowledgment; acked counts lines since the ring was made. */
TRACE_EVENT(mk_ack,
	TP_PROTO(u32 ring, u32 seq, u32 acked, int cpu, int edge),
	TP_ARGS(ring, seq, acked, cpu, edge),
	TP_STRUCT__entry(
		__field(u32, ring)
		__field(u32, seq)
		__field(u32, acked)
		__field(int, cpu)
		__field(int, edge)
	),
	TP_fast_assign(
		__entry->ring = ring;
		__entry->seq = seq;
		__entry->acked = acked;
		__entry->cpu = cpu;
		__entry->edge = edge;
	),
	TP_printk("ring=%u seq=%u acked=%u cpu=%d edge=%s", __entry->ring,
		  __entry->seq, __entry->acked, __entry->cpu,
		  mk_show_edge(__entry->edge))
);

/* The monitor has found nothing for long enough and goes to sleep. */
TRACE_EVENT(mk_block,
	TP_PROTO(int cpu),
	TP_ARGS(cpu),
	TP_STRUCT__entry(
		__field(int, cpu)
	),
	TP_fast_assign(
		__entry->cpu = cpu;
	),
	TP_printk("cpu=%d", __entry->cpu)
);

/* Somebody wakes it; by is the waker's port, -1 if it has none. */
TRACE_EVENT(mk_wake,
	TP_PROTO(int cpu, int by),
	TP_ARGS(cpu, by),
	TP_STRUCT__entry(
		__field(int, cpu)
		__field(int, by)
	),
	TP_fast_assign(
		__entry->cpu = cpu;
		__entry->by = by;
	),
	TP_printk("cpu=%d by=%d", __entry->cpu, __entry->by)
);

/*
 * A shootdown: its start, on the initiator's CPU, and the edges below carry the
 * same op. space is 0 for a raw one; targets have to flush, lazies do not.
 */
TRACE_EVENT(mk_shootdown_start,
	TP_PROTO(u64 op, u32 protocol, int cpu, u64 space, u64 start, u64 end,
		 u32 targets, u32 lazies),
	TP_ARGS(op, protocol, cpu, space, start, end, targets, lazies),
	TP_STRUCT__entry(
		__field(u64, op)
		__field(u32, protocol)
		__field(int, cpu)
		__field(u64, space)
		__field(u64, start)
		__field(u64, end)
		__field(u32, targets)
		__field(u32, lazies)
	),
	TP_fast_assign(
		__entry->op = op;
		__entry->protocol = protocol;
		__entry->cpu = cpu;
		__entry->space = space;
		__entry->start = start;
		__entry->end = end;
		__entry->targets = targets;
		__entry->lazies = lazies;
	),
	TP_printk("op=%llu protocol=%s cpu=%d space=%llu start=0x%llx end=0x%llx targets=%u lazies=%u",
		  __entry->op, mk_show_protocol(__entry->protocol),
		  __entry->cpu, __entry->space, __entry->start, __entry->end,
		  __entry->targets, __entry->lazies)
);

DECLARE_EVENT_CLASS(mk_shootdown_count,
	TP_PROTO(u64 op, int cpu, u32 count),
	TP_ARGS(op, cpu, count),
	TP_STRUCT__entry(
		__field(u64, op)
		__field(int, cpu)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->op = op;
		__entry->cpu = cpu;
		__entry->count = count;
	),
	TP_printk("op=%llu cpu=%d count=%u", __entry->op, __entry->cpu,
		  __entry->count)
);

/* The protocol has sent; count messages so far. */
DEFINE_EVENT(mk_shootdown_count, mk_shootdown_sent,
	TP_PROTO(u64 op, int cpu, u32 count),
	TP_ARGS(op, cpu, count)
);

/* Interrupts go to count CPUs now. */
DEFINE_EVENT(mk_shootdown_count, mk_shootdown_ipi,
	TP_PROTO(u64 op, int cpu, u32 count),
	TP_ARGS(op, cpu, count)
);

/* All have answered but count, which did not in time and got interrupts. */
DEFINE_EVENT(mk_shootdown_count, mk_shootdown_gathered,
	TP_PROTO(u64 op, int cpu, u32 count),
	TP_ARGS(op, cpu, count)
);

/* A monitor has a request, on its own CPU; adopted: and has the mm. */
TRACE_EVENT(mk_shootdown_serve,
	TP_PROTO(u64 op, int cpu, bool adopted),
	TP_ARGS(op, cpu, adopted),
	TP_STRUCT__entry(
		__field(u64, op)
		__field(int, cpu)
		__field(bool, adopted)
	),
	TP_fast_assign(
		__entry->op = op;
		__entry->cpu = cpu;
		__entry->adopted = adopted;
	),
	TP_printk("op=%llu cpu=%d adopted=%d", __entry->op, __entry->cpu,
		  __entry->adopted)
);

/* Nobody can use the old translations any more (lazy: once they are released). */
TRACE_EVENT(mk_shootdown_end,
	TP_PROTO(u64 op, int cpu, u32 ipis, u32 timeouts),
	TP_ARGS(op, cpu, ipis, timeouts),
	TP_STRUCT__entry(
		__field(u64, op)
		__field(int, cpu)
		__field(u32, ipis)
		__field(u32, timeouts)
	),
	TP_fast_assign(
		__entry->op = op;
		__entry->cpu = cpu;
		__entry->ipis = ipis;
		__entry->timeouts = timeouts;
	),
	TP_printk("op=%llu cpu=%d ipis=%u timeouts=%u", __entry->op,
		  __entry->cpu, __entry->ipis, __entry->timeouts)
);

#endif /* MK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
