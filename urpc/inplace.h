/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RPC in place: request and reply share one cache line.
 *
 * A cell is one line between one initiator and one target. The initiator writes
 * a request into it, the target writes its reply over the request. The line
 * thus moves once each way, where two rings move two lines: nothing that two
 * caches share can be faster. The price is one call at a time in each cell, and
 * at most 56 bytes each way. An initiator that calls many targets has one cell
 * for each, writes all requests, and only then begins to look for replies.
 *
 * Shared state
 *	The line. Its header says whose turn it is: the target's while it carries
 *	MK_MSG_CALL with the number of a call that the target has not taken, the
 *	initiator's otherwise. Each side knows from its own private number and
 *	from @open when it may write, and does not write at any other time. A
 *	peer that does can garble calls of this cell, or leave them unanswered,
 *	and no more: nothing in the line is used as an index, a length or an
 *	address, and every word is read once.
 *
 *	A zeroed line is a cell without a call. Whoever allocates it zeroes it
 *	before either side is initialised on it, both sides start there, and
 *	neither is initialised again while the other is in use.
 *
 * Who may call what
 *	mk_inplace_call() and mk_inplace_replied() belong to the initiator,
 *	mk_inplace_called() and mk_inplace_reply() to the target; a side belongs
 *	to one thread at a time, and a hand-over between threads is ordered by
 *	those who do it. No function blocks, sleeps, allocates or waits, so that
 *	they may run in any context.
 *
 * Ordering
 *	(E) The header is stored last, with release, and loaded first, with
 *	    acquire, in both directions. Who sees a header sees the payload
 *	    before it: the stores are w-post-bounded by the release, the
 *	    plain loads pre-bounded by the acquire. Who stores a header has
 *	    copied out what was in the line: those plain loads are r-post-bounded
 *	    by the same release, and the peer rewrites the line only after it has
 *	    acquired that header. So one pair orders both ways, a side never
 *	    reads what the other is writing, and plain accesses never race.
 *
 *	A call happens before the code that serves it, and that before the code
 *	after the reply was taken: the release of each header is cumulative, so
 *	this holds for everything that either side did, not just for the line.
 *	Nothing is ordered beyond that; in particular the initiator's loads after
 *	mk_inplace_call() may execute before the call is visible.
 *
 * Not lock-free
 *	A call cannot be taken back. Until its reply has been taken the target may
 *	write the line at any moment, so it must be neither reused nor freed,
 *	unless the target is known to have let go of it.
 */
#ifndef MK_URPC_INPLACE_H
#define MK_URPC_INPLACE_H

#include "ring.h"

/**
 * struct mk_inplace - one side of a cell
 * @line: the cell
 * @seq: number of the last call made, or taken
 * @open: that call has not been answered yet
 */
struct mk_inplace {
	struct mk_line *line;
	u32 seq;
	bool open;
};

/* The part of a header that says whose turn it is, and in which call. */
#define MK_INPLACE_TURN	(0xffffffffull << MK_HDR_TAG_SHIFT | \
			 0xfull << MK_HDR_FLAGS_SHIFT)

/**
 * mk_inplace_init() - set up one side of a cell
 * @side: initiator or target
 * @line: zeroed
 */
static inline void mk_inplace_init(struct mk_inplace *side,
				   struct mk_line *line)
{
	*side = (struct mk_inplace){ .line = line };
}

static inline u64 mk_inplace_turn(u8 flags, u32 seq)
{
	return (u64)flags << MK_HDR_FLAGS_SHIFT |
	       (u64)seq << MK_HDR_TAG_SHIFT;
}

static __always_inline void mk_inplace_write(struct mk_inplace *side, u8 type,
					     u8 flags, const u64 *word,
					     u32 words)
{
	mk_line_write(side->line, word, words);
	smp_store_release(&side->line->header,		/* (E) */
			  mk_inplace_turn(flags, side->seq) |
			  (u64)type << MK_HDR_TYPE_SHIFT);
}

/*
 * Word by word, each read once: who looks at them at once does best to find them as
 * they were stored, one at a time.
 */
static __always_inline void mk_inplace_copy(u64 *word, const struct mk_line *line,
					    u32 words)
{
	const u64 *from = line->word;

	/* Not a loop: mostly it is known how many they are. */
	if (words > 0)
		word[0] = READ_ONCE(from[0]);
	if (words > 1)
		word[1] = READ_ONCE(from[1]);
	if (words > 2)
		word[2] = READ_ONCE(from[2]);
	if (words > 3)
		word[3] = READ_ONCE(from[3]);
	if (words > 4)
		word[4] = READ_ONCE(from[4]);
	if (words > 5)
		word[5] = READ_ONCE(from[5]);
	if (words > 6)
		word[6] = READ_ONCE(from[6]);
}

/* True, and the message, if the line carries @flags and @seq. */
static __always_inline bool mk_inplace_read(const struct mk_inplace *side,
					    u8 flags, u32 seq, u8 *type,
					    u64 *word, u32 words)
{
	u64 header = smp_load_acquire(&side->line->header);	/* (E) */

	if ((header & MK_INPLACE_TURN) != mk_inplace_turn(flags, seq))
		return false;

	*type = header >> MK_HDR_TYPE_SHIFT;
	mk_inplace_copy(word, side->line, words);
	/* The copy is what the caller checks: do not let it be read again. */
	barrier();
	return true;
}

/**
 * mk_inplace_pending() - is there something to take
 * @side: initiator or target
 * @flags: MK_MSG_REPLY for an initiator, MK_MSG_CALL for a target
 *
 * Return: true if there is a reply, or a call, which has not been taken.
 */
static inline bool mk_inplace_pending(const struct mk_inplace *side, u8 flags)
{
	bool call = flags == MK_MSG_CALL;

	return side->open != call &&
	       (READ_ONCE(side->line->header) & MK_INPLACE_TURN) ==
	       mk_inplace_turn(flags, side->seq + call);
}

/**
 * mk_inplace_call() - initiator: make a call
 * @side: initiator
 * @type: for the layer above
 * @word: request, @words words
 * @words: 0 to MK_LINE_WORDS
 *
 * Return: 0, -EBUSY if the last call has not been answered, -EINVAL if the
 * request does not fit.
 */
static __always_inline int mk_inplace_call(struct mk_inplace *side, u8 type,
					   const u64 *word, u32 words)
{
	if (unlikely(words > MK_LINE_WORDS))
		return -EINVAL;
	if (unlikely(side->open))
		return -EBUSY;

	side->seq++;
	side->open = true;
	mk_inplace_write(side, type, MK_MSG_CALL, word, words);
	return 0;
}

/**
 * mk_inplace_replied() - initiator: take the reply
 * @side: initiator
 * @type: the target's
 * @word: first @words words of the reply; beyond what the target wrote they are
 *	those of the request
 * @words: 0 to MK_LINE_WORDS
 *
 * Return: 1 and the reply, once; 0 if there is none (yet), and then nothing is
 * written; -EINVAL if so many words do not fit.
 */
static __always_inline int mk_inplace_replied(struct mk_inplace *side,
					      u8 *type, u64 *word, u32 words)
{
	if (unlikely(words > MK_LINE_WORDS))
		return -EINVAL;
	if (!side->open ||
	    !mk_inplace_read(side, MK_MSG_REPLY, side->seq, type, word, words))
		return 0;

	side->open = false;
	return 1;
}

/**
 * mk_inplace_called() - target: take a call
 * @side: target
 * @type: the initiator's
 * @word: first @words words of the request; beyond what the initiator wrote
 *	they are old
 * @words: 0 to MK_LINE_WORDS
 *
 * Return: 1 and the request, once; 0 if there is none, or if the last one has
 * not been answered; -EINVAL if so many words do not fit.
 */
static __always_inline int mk_inplace_called(struct mk_inplace *side, u8 *type,
					     u64 *word, u32 words)
{
	if (unlikely(words > MK_LINE_WORDS))
		return -EINVAL;
	if (side->open ||
	    !mk_inplace_read(side, MK_MSG_CALL, side->seq + 1, type, word,
			     words))
		return 0;

	side->seq++;
	side->open = true;
	return 1;
}

/**
 * mk_inplace_reply() - target: answer the call it took
 * @side: target
 * @type: for the layer above
 * @word: reply, @words words
 * @words: 0 to MK_LINE_WORDS
 *
 * Return: 0, or -EINVAL if no call is open or the reply does not fit.
 */
static __always_inline int mk_inplace_reply(struct mk_inplace *side, u8 type,
					    const u64 *word, u32 words)
{
	if (unlikely(!side->open || words > MK_LINE_WORDS))
		return -EINVAL;

	side->open = false;
	mk_inplace_write(side, type, MK_MSG_REPLY, word, words);
	return 0;
}

#endif /* MK_URPC_INPLACE_H */
