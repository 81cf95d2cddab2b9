/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flow control and closing of the pair of rings in urpc/ring.h: any number of
 * messages both ways, every interleaving.
 *
 * A ring is a FIFO of messages here; that it is one is what ring.pml shows.
 * SLOTS slots, messages of one to LINES lines, an acknowledgment due at DUE
 * lines. The smallest real ring has 16, 8, 4; what matters is SLOTS - LINES >= DUE
 * (who has no room is owed an acknowledgment) and DUE >= 2 (one acknowledgment
 * does not make another due).
 *
 * Each side accepts messages until it closes, at any time by itself, or because
 * FIN came; sends what it has accepted, then FIN; and keeps receiving and
 * acknowledging until it has sent and received FIN. Shown: a slot is never
 * written before it was given back; a side that is not done always has, or
 * gets, something to do; nothing accepted is left behind; FIN is the last thing
 * that is delivered; and from some point on nobody exchanges acknowledgments
 * alone (a cycle without progress).
 *
 * Switches: OPTIONAL_ACK (acknowledge whenever something is owed, not only when
 * due), and one for each broken model, named in run.sh.
 */
#ifndef SLOTS
#define SLOTS	4
#endif
#ifndef LINES
#define LINES	2
#endif
#ifndef DUE
#define DUE	2
#endif

#define DATA	0
#define FIN	1
#define ACK	2

#ifdef NO_RESERVED_SLOT
#define RESERVE	0
#else
#define RESERVE	1
#endif

#ifdef SILENT_AFTER_FIN
#define MAY_ACK	(!fin_sent)
#else
#define MAY_ACK	1
#endif

#ifdef ACK_OF_NOTHING
#define ACK_DUE	(owed >= DUE || !owed)
#elif defined(OPTIONAL_ACK)
#define ACK_DUE	(owed > 0)
#else
#define ACK_DUE	(owed >= DUE)
#endif

#define DONE	(fin_sent && fin_received)
#define ROOM(n)	(out + (n) + RESERVE <= SLOTS)

/* wire[i] is written by side i: kind, lines, lines given back. */
chan wire[2] = [SLOTS] of { byte, byte, byte };

inline send(the_kind, the_lines)
{
	assert(nfull(wire[me]));
	wire[me]!the_kind, the_lines, owed;
	out = out + the_lines;
	assert(out <= SLOTS);
	owed = 0
}

proctype side(bit me)
{
	byte out;	/* lines sent and not given back */
	byte owed;	/* lines received and not given back */
	byte want;	/* lines of a message accepted that found no room */
	bit closing, fin_sent, fin_received;
	byte kind, lines, given;

	do
	:: DONE ->
		assert(!want);
		break
	:: atomic { !DONE && nempty(wire[1 - me]) ->
		wire[1 - me]?kind, lines, given;
		assert(given <= out);
		out = out - given;
		owed = owed + lines;
		assert(owed <= SLOTS);
		lines = 0;
		given = 0
		}
		if
		:: atomic { kind != ACK ->
			assert(!fin_received);
			if
			:: kind == FIN ->
				fin_received = 1;
				closing = 1
			:: else
			fi;
			kind = 0
			};
progress:		skip
		:: atomic { kind == ACK -> kind = 0 }
		fi
	:: atomic { !closing && !want ->
		select(lines : 1 .. LINES);
		if
		:: ROOM(lines) -> send(DATA, lines)
		:: else -> want = lines
		fi;
		lines = 0
		}
	:: atomic { want && ROOM(want) -> send(DATA, want); want = 0 }
	:: !closing && !want ->
		closing = 1
	:: atomic { closing && !want && !fin_sent && ROOM(1) ->
		send(FIN, 1);
		fin_sent = 1
		}
	:: atomic { MAY_ACK && !DONE && ACK_DUE && out < SLOTS ->
		send(ACK, 1)
		}
	od
}

init {
	atomic {
		run side(0);
		run side(1)
	}
}
