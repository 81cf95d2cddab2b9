/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pair of rings of urpc/ring.h, both sides, every interleaving.
 *
 * Scaled down: SLOTS slots, messages of one or two lines, an acknowledgment
 * due at DUE lines. What makes the proportions of the real ring safe holds here
 * too: a side that lacks room for the longest message owes its peer something
 * to acknowledge (SLOTS - 2 >= DUE), and an acknowledgment alone never makes
 * another one due (DUE >= 2).
 *
 * Positions, and the payload, which is the position of its line, count modulo
 * WRAP, two passes over a ring, so that any number of messages can be sent; a
 * side may also be given a number of messages (FROM_0, FROM_1), because both
 * ways without bound is too much for one machine: that is left to flow.pml,
 * which takes from here that a ring is a FIFO. What a side reads at
 * its tail must be what the other wrote at that position; the tail only moves
 * over lines that were read. So a message that is lost, repeated, out of order
 * or torn fails an assertion.
 *
 * A header is cleared, but for its epoch, when it has been consumed: nobody may
 * look at it again, and states that differ only there become one.
 *
 * Memory order: payload and header are stored in separate steps. Release means
 * that the stores before it may be seen in any order, but all before the header;
 * acquire, that payload is loaded after the header, in any order. The broken
 * models drop one of these.
 *
 * Life: each side accepts messages until it closes, by itself or because FIN
 * came, sends what it has accepted, sends FIN, and keeps receiving and
 * acknowledging until it has sent and received FIN. Spin reports any state in
 * which a side that is not done can do nothing.
 *
 * There is a switch for each broken model, named in run.sh.
 */
#ifndef SLOTS
#define SLOTS	4
#endif
#define DUE	2
#define WRAP	(2 * SLOTS)

#define DATA	0
#define FIN	1
#define ACK	2

typedef slot_t {
	byte pay;
	bit epoch;
	bit two;	/* lines - 1 */
	byte kind;
	byte ack;
};

typedef ring_t {
	slot_t s[SLOTS];
};

ring_t ring[2];		/* ring[i] is written by side i */

#define AT(r, pos)	ring[r].s[(pos) % SLOTS]
#define DIFF(a, b)	(((a) + WRAP - (b)) % WRAP)

#ifdef EPOCH_NOT_FLIPPED
#define EPOCH(pos)	1
#else
#define EPOCH(pos)	(1 - ((pos) / SLOTS) % 2)
#endif

#ifdef NO_RESERVED_SLOT
#define RESERVE	0
#else
#define RESERVE	1
#endif

#define OUT	DIFF(head, acked)
#define OWED	DIFF(tail, told)
#define ROOM(n)	(OUT + (n) + RESERVE <= SLOTS)
#define NEWS	(AT(1 - me, tail).epoch == EPOCH(tail))

/* Messages that each side may accept; UNLIMITED ones are not counted. */
#define UNLIMITED	255
#ifndef FROM_0
#define FROM_0	UNLIMITED
#endif
#ifndef FROM_1
#define FROM_1	UNLIMITED
#endif
#define TALKS	(!closing && !want && budget)
#define SPEND	budget = (budget == UNLIMITED -> UNLIMITED : budget - 1)

#ifdef SILENT_AFTER_FIN
#define MAY_ACK	(!fin_sent)
#else
#define MAY_ACK	1
#endif

#define ACK_DUE	(OWED >= DUE)

/* The header of the message at the head; what it carries is private by then. */
inline put_header(the_kind, the_lines)
{
	atomic {
		AT(me, head).epoch = EPOCH(head);
		AT(me, head).two = the_lines - 1;
		AT(me, head).kind = the_kind;
		AT(me, head).ack = tail;
	}
}

#ifdef CONTINUATION_WITHOUT_EPOCH
#define PUT_EPOCH(pos)	skip
#else
#define PUT_EPOCH(pos)	AT(me, pos).epoch = EPOCH(pos)
#endif

/* Stores of payload and of the continuation's epoch, in any order. */
inline put_payload(the_lines)
{
	do
	:: !p0 -> atomic { AT(me, head).pay = head; p0 = 1 }
	:: the_lines == 2 && !p1 ->
		atomic { AT(me, head + 1).pay = (head + 1) % WRAP; p1 = 1 }
	:: the_lines == 2 && !h1 ->
		atomic { PUT_EPOCH(head + 1); h1 = 1 }
	:: p0 && (the_lines == 1 || (p1 && h1)) -> break
	od
}

inline send(the_kind, the_lines)
{
#ifdef HEADER_BEFORE_PAYLOAD
	put_header(the_kind, the_lines);
	put_payload(the_lines);
#else
#ifdef NO_RELEASE
	/* The header may be seen between any two of the others. */
	if
	:: put_header(the_kind, the_lines); put_payload(the_lines)
	:: atomic { AT(me, head).pay = head; p0 = 1 };
	   put_header(the_kind, the_lines); put_payload(the_lines)
	:: put_payload(the_lines); put_header(the_kind, the_lines)
	fi;
#else
	put_payload(the_lines);
	put_header(the_kind, the_lines);
#endif
#endif
	atomic {
		head = (head + the_lines) % WRAP;
		told = tail;
		p0 = 0;
		p1 = 0;
		h1 = 0
	}
}

inline send_ack()
{
	atomic {
		AT(me, head).epoch = EPOCH(head);
		AT(me, head).two = 0;
		AT(me, head).kind = ACK;
		AT(me, head).ack = tail;
		head = (head + 1) % WRAP;
		told = tail
	}
}

/* Loads of payload, in any order; an acknowledgment has none. */
inline get_payload(the_pos, the_lines)
{
	do
	:: !r0 ->
		atomic {
			assert(AT(1 - me, the_pos).pay == the_pos);
			r0 = 1
		}
	:: the_lines == 2 && !r1 ->
		atomic {
			assert(AT(1 - me, the_pos + 1).pay ==
			       (the_pos + 1) % WRAP);
			r1 = 1
		}
	:: r0 && (r1 || the_lines == 1) -> break
	od;
	atomic { r0 = 0; r1 = 0 }
}

/* One load of the header, if it is new. */
inline get_header()
{
	atomic {
		!(fin_sent && fin_received) && NEWS ->
		kind = AT(1 - me, tail).kind;
		lines = AT(1 - me, tail).two + 1;
		/* The check of ring.h: never more than was sent. */
		assert(DIFF(AT(1 - me, tail).ack, acked) <= OUT);
		acked = AT(1 - me, tail).ack;
		AT(1 - me, tail).kind = 0;
		AT(1 - me, tail).two = 0;
		AT(1 - me, tail).ack = 0
	}
}

inline receive()
{
	if
	:: kind != ACK ->
		assert(!fin_received);
#ifdef CREDIT_BEFORE_COPY
		tail = (tail + lines) % WRAP;
		if
		:: MAY_ACK && OWED >= DUE && OUT < SLOTS -> send_ack()
		:: else
		fi;
		get_payload((tail + WRAP - lines) % WRAP, lines);
#else
#ifdef NO_ACQUIRE
		assert(early == tail);
		tail = (tail + lines) % WRAP;
#else
		get_payload(tail, lines);
		tail = (tail + lines) % WRAP;
#endif
#endif
		if
		:: kind == FIN ->
			atomic { fin_received = 1; closing = 1 }
		:: else
		fi
	:: else ->
		tail = (tail + lines) % WRAP
	fi;
	atomic { kind = 0; lines = 0 }
}

proctype side(bit me)
{
	byte head, acked, tail, told;	/* positions */
	byte want;			/* lines of the message accepted */
	byte budget = (me -> FROM_1 : FROM_0);
	bit closing, fin_sent, fin_received;
	bit p0, p1, h1, r0, r1;		/* stores and loads done */
	byte kind, lines;
#ifdef NO_ACQUIRE
	byte early;
#endif

	do
	:: fin_sent && fin_received ->
		break
#ifdef NO_ACQUIRE
	/* The load of the payload overtakes that of the header. */
	:: !(fin_sent && fin_received) ->
		early = AT(1 - me, tail).pay;
		if
		:: get_header(); receive()
		:: !NEWS
		fi;
		early = 0
#else
	:: get_header(); receive()
#endif
	/* What finds room is sent at once, what does not must wait for it. */
	:: TALKS && ROOM(1) -> SPEND; send(DATA, 1)
	:: TALKS && ROOM(2) -> SPEND; send(DATA, 2)
	:: atomic { TALKS && !ROOM(1) -> SPEND; want = 1 }
	:: atomic { TALKS && !ROOM(2) -> SPEND; want = 2 }
	:: want && ROOM(want) -> send(DATA, want); want = 0
	:: !closing && !want && (budget == 0 || budget == UNLIMITED) ->
		closing = 1
	:: closing && !want && !fin_sent && ROOM(1) ->
		send(FIN, 1);
		fin_sent = 1
	:: MAY_ACK && !(fin_sent && fin_received) && ACK_DUE && OUT < SLOTS ->
		send_ack()
	od
}

init {
	atomic {
		run side(0);
		run side(1)
	}
}
