/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleeping and waking in liburpc: liburpc/wake.c.
 *
 * One sender, one sleeper. Each has a store buffer of its own, as x86 has: a
 * store becomes visible when its buffer is drained, at any later moment; a full
 * barrier, an atomic exchange and a system call drain it first. The sleeper also
 * wakes without cause (a time that is over, another file), and the sender's
 * write may come long after it found the sleeper.
 *
 * All messages are received, or pan finds an end state in which the sleeper
 * blocks with a message there: a lost wake-up.
 *
 * Broken ones: NO_SENDER_BARRIER, NO_SLEEPER_BARRIER, NO_SECOND_LOOK,
 * LATE_DRAIN (the count is taken after the last look), NO_WRITE.
 */
#define MESSAGES	3
#define NONE		255

byte sent;		/* visible headers */
bit asleep;
bool counted;		/* the eventfd is readable */

byte sent_buffer = NONE;	/* the sender's store, not visible yet */
byte asleep_buffer = NONE;	/* the sleeper's */
byte spurious = 2;		/* wake-ups without cause */

/* The stores of each become visible some time. */
active proctype memory()
{
end:
	do
	:: atomic { sent_buffer != NONE ->
		sent = sent_buffer; sent_buffer = NONE }
	:: atomic { asleep_buffer != NONE ->
		asleep = asleep_buffer; asleep_buffer = NONE }
	od
}

/* A buffer of one: the next store waits for the one before. */
inline sender_drains()
{
	sent_buffer == NONE
}

inline sleeper_drains()
{
	asleep_buffer == NONE
}

active proctype sender()
{
	byte n;
	bit seen;

	do
	:: n == MESSAGES -> break
	:: else ->
		n++;
		atomic { sender_drains(); sent_buffer = n }
#ifndef NO_SENDER_BARRIER
		sender_drains();
#endif
		seen = asleep;
		if
		:: seen ->
			/* the exchange, which drains */
			atomic { sender_drains(); seen = asleep; asleep = 0 }
			if
			:: seen ->
#ifndef NO_WRITE
				counted = true
#else
				skip
#endif
			:: else
			fi
		:: else
		fi
	od
}

inline set_asleep(value)
{
	atomic { sleeper_drains(); asleep_buffer = value }
}

active proctype sleeper()
{
	byte got;

	do
	:: got == MESSAGES -> break
	:: else ->
		/* receive all there is */
		got = sent;
		if
		:: got == MESSAGES -> break
		:: else
		fi;
		set_asleep(1);
#ifndef NO_SLEEPER_BARRIER
		sleeper_drains();
#endif
#ifndef NO_SECOND_LOOK
		if
		:: sent != got -> goto woken
		:: else
		fi;
#endif
#ifdef LATE_DRAIN
		sleeper_drains();
		counted = false;
#endif
		/* block: a system call looks at the file, and at nothing else */
		if
		:: counted
		:: atomic { spurious > 0 -> spurious-- }
		fi;
woken:
		set_asleep(0);
		/* to read the eventfd is a system call */
		atomic { sleeper_drains(); counted = false }
	od
}
