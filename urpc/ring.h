/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The URPC ring: single producer, single consumer, one cache line a slot.
 *
 * One source for the kernel and for user space; everything is inline and
 * allocates nothing.
 *
 * Two layers. A &struct mk_tx and a &struct mk_rx are the two private ends of
 * one ring, which carries lines one way. A &struct mk_end is one side of a
 * pair of rings, one each way, and adds flow control: credit comes back with
 * the acknowledgment in every message of the reverse ring.
 *
 * Shared state
 *	The slots, and nothing else. A slot is 56 bytes of payload and an 8 byte
 *	header. Only the producer ever writes a slot; the consumer only reads.
 *	Positions are private to each end, so a peer that lies can garble its own
 *	messages and no more: every position is masked, every length is bounded
 *	by its three bits, every acknowledgment is checked against what was
 *	sent, and every shared word is read once, whatever the caller does with
 *	the copy. Who looks at messages where they lie sees to that himself.
 *
 * Header
 *	The epoch bit says whether the slot was written in this pass over the
 *	ring or in the one before; it flips at each wrap and starts at 1, so that
 *	a zeroed ring is an empty ring. Whoever allocates the memory zeroes it,
 *	before either end is initialised on it. Positions count lines modulo
 *	2^32, a multiple of two passes, so that the epoch runs on where they wrap.
 *
 * A message takes 1 to 8 lines. Its first header is written last: the message
 * becomes visible as a whole, or not at all.
 *
 * Who may call what
 *	A side belongs to one thread at a time: a send carries the consumer's
 *	position, so sending and receiving are not independent. Whoever passes a
 *	side on, or shares it under a lock, orders the hand-over (release there,
 *	acquire here). No function blocks, sleeps, allocates, loops on what the
 *	peer does or disables anything: they may run in any context, including
 *	NMI, as long as that rule holds. A &struct mk_end fits one cache line;
 *	keep it on one that nobody else writes.
 *
 * Ordering
 *	Positions need none, they are private. Payload might be accessed
 *	plainly (some of its stores are marked for the sake of their width),
 *	headers have marked accesses. Two pairs, both made of the same release
 *	and acquire, order everything:
 *
 *	(A) mk_tx_show() stores the first header with release; mk_rx_ready()
 *	    loads it with acquire. The release is a cumul-fence after the
 *	    producer's stores to all lines of the message, so each plain one
 *	    is w-post-bounded by the header; the acquire pre-bounds the
 *	    consumer's plain loads. The consumer that sees the header (rfe)
 *	    therefore sees every line, and the accesses do not race.
 *	(B) The consumer copies or reads a message, and only then counts it in the
 *	    position that rides in its own next header: its loads r-post-bounded
 *	    by that release. The producer learns the position from an acquire
 *	    of that header and only then, program order, rewrites the slot. This
 *	    is pair (A) of the reverse ring read the other way: no load of the
 *	    old message can execute after, or race with, a store of the new one.
 *
 *	Why an old header is never taken for a new one: two passes ago a slot
 *	had the epoch that it will have now. But the consumer only looks at a
 *	slot of this pass after it has acquired a header that the producer
 *	stored, in program order, after the slot's header of the pass before
 *	(its own, if the slot began a message; that of the message whose
 *	continuation it was otherwise, which is why continuation lines get an
 *	epoch, and get it before the release). Coherence forbids the consumer to
 *	read anything older than that from then on.
 *
 *	Release and acquire are all that is used, so this holds on weakly
 *	ordered machines; on x86 both are plain moves. Only two threads take
 *	part, so (A) and (B) do not lean on cumulativity. A third thread does:
 *	if a side is handed over as above, its former owner's accesses happen
 *	before the next owner's release because release is A-cumulative.
 *
 *	Nothing else is ordered. In particular a send does not order the
 *	sender's later loads: whoever publishes and then looks whether the peer
 *	sleeps needs a full barrier in between (see port.h).
 *
 * Flow control
 *	One slot of each ring is reserved for a message that carries nothing but
 *	an acknowledgment. Data leaves it free, so that two rings which are full
 *	in both directions still hand credit back and cannot jam. An explicit
 *	acknowledgment is sent only when a quarter of the ring or more is owed
 *	and no reverse message has carried it. It is itself a slot that has to be
 *	acknowledged, but it never obliges the peer to answer.
 *
 *	Why that suffices. A side that cannot send the longest message has at
 *	least slots - 8 lines that it does not know to be consumed; once the
 *	peer has received them it owes more than a quarter, and acknowledges, if
 *	it finds one slot. It does not find one only if it has a whole ring
 *	outstanding, the last line of it an acknowledgment that gave at least
 *	one line of credit when it was sent: mk_end_ack() sends no other. Its
 *	receipt leaves the first side a slot and a debt of a whole ring, so that
 *	one acknowledges, and both move again. Two sides that filled the
 *	reserved slots with acknowledgments of nothing would wait for each
 *	other for ever.
 *
 *	A layer that wants another threshold than a quarter keeps it between 2
 *	and slots - 8 lines. At 1, acknowledgments would answer each other for
 *	ever; above, who has no room may not be owed one.
 *
 *	This asks both sides to keep receiving, and to call mk_end_ack() when
 *	mk_end_ack_due() says so, until they have sent and received their last
 *	message: a side that falls silent after its own last message starves a
 *	peer that still has some to send.
 *
 * Not lock-free
 *	The pair is wait-free for either end as long as it polls: no step waits
 *	for the peer. Progress of a *message* needs the peer to receive.
 *
 * Speed
 *	A line moves between two caches twice per message: the producer takes it
 *	to write, the consumer to read. mk_end_prefetch() starts the first move
 *	before the payload exists. A poll takes the line back, and one that comes
 *	while the line is being written costs both sides another move. So who
 *	waits for an answer does best not to poll before it can be there, and then
 *	to space polls by about one move (mk_poll_pause()).
 */
#ifndef MK_URPC_RING_H
#define MK_URPC_RING_H

#ifdef __KERNEL__
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/prefetch.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/processor.h>
#else
#include "user.h"
#endif

#define MK_LINE_BYTES		64
#define MK_LINE_WORDS		7	/* payload words of one line */
#define MK_LINE_PAYLOAD		(MK_LINE_WORDS * 8)
#define MK_MESSAGE_LINES	8	/* the longest message */
#define MK_MESSAGE_WORDS	(MK_MESSAGE_LINES * MK_LINE_WORDS)
#define MK_RING_SLOTS_MIN	16	/* the longest message, and the reserve */
#define MK_RING_SLOTS_MAX	16384	/* acknowledgments are 16 bit */

/*
 * How many slots ahead each end of a stream asks for, at most: in a small ring a
 * quarter of it and an eighth, so as not to meet the other end. The producer must be
 * the farther one, or each takes from the other what it has just got. Measured, see
 * bench-ring.
 */
#ifndef MK_RING_TX_AHEAD
#define MK_RING_TX_AHEAD	16
#define MK_RING_RX_AHEAD	6
#endif
/* From so many lines on half of it: the copy of a message has several on their way. */
#define MK_RING_LONG		3

/**
 * struct mk_line - one slot
 * @word: payload
 * @header: MK_HDR_*; written last
 */
struct mk_line {
	u64 word[MK_LINE_WORDS];
	u64 header;
} __aligned(MK_LINE_BYTES);

/* Header fields. */
#define MK_HDR_EPOCH		0x1ull
#define MK_HDR_LINES_SHIFT	1	/* 3 bits: lines - 1 */
#define MK_HDR_FLAGS_SHIFT	4	/* 4 bits: MK_MSG_* */
#define MK_HDR_TYPE_SHIFT	8	/* 8 bits: the layer above */
#define MK_HDR_ACK_SHIFT	16	/* 16 bits: lines consumed, modulo 2^16 */
#define MK_HDR_TAG_SHIFT	32	/* 32 bits: the layer above */

#define MK_MSG_ACK		0x1	/* carries only an acknowledgment */
#define MK_MSG_REPLY		0x2	/* the answer to the request of that tag */
#define MK_MSG_CALL		0x4	/* wants an answer with its tag */

/**
 * struct mk_message - a message outside the ring
 * @type: what it is, for the layer above
 * @flags: MK_MSG_*
 * @lines: 1 to MK_MESSAGE_LINES
 * @tag: for the layer above, returned as sent
 * @seq: position of its first line; the same number at both ends
 * @word: payload, @lines * MK_LINE_WORDS of it
 */
struct mk_message {
	u8 type;
	u8 flags;
	u8 lines;
	u32 tag;
	u32 seq;
	u64 word[MK_MESSAGE_WORDS];
};

/**
 * struct mk_view - a message that still lies in the ring
 * @type: as in &struct mk_message
 * @flags: likewise
 * @lines: likewise
 * @tag: likewise
 * @seq: likewise
 */
struct mk_view {
	u8 type;
	u8 flags;
	u8 lines;
	u32 tag;
	u32 seq;
};

/**
 * struct mk_tx - the producer's private end of a ring
 * @line: the slots
 * @slots: how many, a power of two
 * @head: lines written so far, modulo 2^32
 * @acked: of those, lines the consumer has given back
 * @ahead: how many slots it asks for ahead
 * @low: with so many lines outstanding it asks for the next acknowledgment
 */
struct mk_tx {
	struct mk_line *line;
	u32 slots;
	u32 head;
	u32 acked;
	u32 ahead;
	u32 low;
};

/**
 * struct mk_rx - the consumer's private end of a ring
 * @line: the slots
 * @slots: how many, a power of two
 * @tail: lines consumed so far, modulo 2^32
 * @told: of those, lines the producer has been told of
 * @ahead: how many slots it asks for ahead in a stream
 * @calm: the position from which on it does
 */
struct mk_rx {
	const struct mk_line *line;
	u32 slots;
	u32 tail;
	u32 told;
	u32 ahead;
	u32 calm;
};

/**
 * struct mk_end - one side of a pair of rings
 * @tx: the ring it writes
 * @rx: the ring it reads
 */
struct mk_end {
	struct mk_tx tx;
	struct mk_rx rx;
};

/**
 * mk_poll_pause() - space two polls
 * @n: how many pause instructions; what takes about as long as one cache line
 *	needs from core to core is best
 */
static inline void mk_poll_pause(unsigned int n)
{
	while (n--)
		cpu_relax();
}

/* The epoch of a position: 1 in the first pass, 0 in the second, and so on. */
static inline u64 mk_ring_epoch(u32 pos, u32 slots)
{
	return !(pos & slots);
}

static inline bool mk_ring_slots_ok(u32 slots)
{
	return slots >= MK_RING_SLOTS_MIN && slots <= MK_RING_SLOTS_MAX &&
	       !(slots & (slots - 1));
}

static inline u32 mk_ring_ahead(u32 share, u32 most)
{
	return share < most ? share : most;
}

/**
 * mk_end_init() - set up one side of a pair of rings
 * @end: the side
 * @tx: zeroed slots that this side writes
 * @tx_slots: how many, a power of two in MK_RING_SLOTS_MIN … _MAX
 * @rx: zeroed slots that this side reads
 * @rx_slots: how many, likewise
 *
 * Return: 0, or -EINVAL if a size is not allowed; @end is unchanged then.
 */
static inline int mk_end_init(struct mk_end *end, struct mk_line *tx,
			      u32 tx_slots, const struct mk_line *rx,
			      u32 rx_slots)
{
	if (!mk_ring_slots_ok(tx_slots) || !mk_ring_slots_ok(rx_slots))
		return -EINVAL;

	*end = (struct mk_end){
		.tx = {
			.line = tx,
			.slots = tx_slots,
			.ahead = mk_ring_ahead(tx_slots / 4, MK_RING_TX_AHEAD),
			.low = tx_slots - tx_slots / 16 * 3,
		},
		.rx = {
			.line = rx,
			.slots = rx_slots,
			.ahead = mk_ring_ahead(rx_slots / 8, MK_RING_RX_AHEAD),
		},
	};
	return 0;
}

/* Lines written that the peer is not known to have consumed. */
static inline u32 mk_end_outstanding(const struct mk_end *end)
{
	return end->tx.head - end->tx.acked;
}

/* Lines that data may take now; the reserved slot is not among them. */
static inline u32 mk_end_room(const struct mk_end *end)
{
	u32 free = end->tx.slots - mk_end_outstanding(end);

	return free ? free - 1 : 0;
}

/* Lines received that the peer has not been told of. */
static inline u32 mk_end_owed(const struct mk_end *end)
{
	return end->rx.tail - end->rx.told;
}

/* Line @i from the tail on. */
static inline const struct mk_line *mk_rx_line(const struct mk_rx *rx, u32 i)
{
	return &rx->line[(rx->tail + i) & (rx->slots - 1)];
}

static inline u64 mk_hdr_pack(u8 type, u8 flags, u32 lines, u32 ack, u32 tag)
{
	return (u64)((lines - 1) & 0x7) << MK_HDR_LINES_SHIFT |
	       (u64)(flags & 0xf) << MK_HDR_FLAGS_SHIFT |
	       (u64)type << MK_HDR_TYPE_SHIFT |
	       (u64)(ack & 0xffff) << MK_HDR_ACK_SHIFT |
	       (u64)tag << MK_HDR_TAG_SHIFT;
}

/*
 * Word by word, in single instructions: a wide load of words that were just stored
 * one at a time has to wait until they, and all that was stored before, have left
 * the store buffer, which may be waiting for lines of the peer. Of a longer message
 * the other lines have been stored earlier, and fewer stores are better for them.
 */
static __always_inline void mk_line_write(struct mk_line *line, const u64 *word,
					  u32 words)
{
	u64 *to = line->word;

	/* Not a loop: mostly it is known how many they are. */
	if (words > 0)
		WRITE_ONCE(to[0], word[0]);
	if (words > 1)
		WRITE_ONCE(to[1], word[1]);
	if (words > 2)
		WRITE_ONCE(to[2], word[2]);
	if (words > 3)
		WRITE_ONCE(to[3], word[3]);
	if (words > 4)
		WRITE_ONCE(to[4], word[4]);
	if (words > 5)
		WRITE_ONCE(to[5], word[5]);
	if (words > 6)
		WRITE_ONCE(to[6], word[6]);
}

/* Make the @lines lines at the head visible together: their first header. */
static inline void mk_tx_show(struct mk_tx *tx, u64 header, u32 lines)
{
	struct mk_line *first = &tx->line[tx->head & (tx->slots - 1)];

	header |= mk_ring_epoch(tx->head, tx->slots);
	tx->head += lines;
	smp_store_release(&first->header, header);	/* (A) */
}

/*
 * Write @lines lines at the head and make them visible together. The
 * continuation lines get their epoch first: they are reached by a later pass
 * over the ring as first lines, and must not look new there.
 */
static __always_inline void mk_tx_publish(struct mk_tx *tx, u64 header,
					  const u64 *word, u32 lines)
{
	u32 mask = tx->slots - 1;
	/*
	 * Whoever has nothing on its way probably waits for an answer to this:
	 * a slot that is asked for now would only be in the way of that.
	 */
	u32 ahead = tx->head == tx->acked ? 0 : tx->ahead >> (lines >= MK_RING_LONG);
	u32 i;

	prefetchw(&tx->line[(tx->head + ahead) & mask]);
	/* All of them now: one after the other they would be fetched as written. */
	for (i = 1; i < lines && !ahead; i++)
		prefetchw(&tx->line[(tx->head + i) & mask]);
	for (i = 1; i < lines; i++) {
		u32 pos = tx->head + i;
		struct mk_line *line = &tx->line[pos & mask];

		if (ahead)
			prefetchw(&tx->line[(pos + ahead) & mask]);
		memcpy(line->word, word + i * MK_LINE_WORDS, MK_LINE_PAYLOAD);
		WRITE_ONCE(line->header, mk_ring_epoch(pos, tx->slots));
	}
	mk_line_write(&tx->line[tx->head & mask], word, MK_LINE_WORDS);
	mk_tx_show(tx, header, lines);
}

/**
 * mk_end_prefetch() - announce a send
 * @end: this side
 *
 * Asks the cache for the slot that the next message begins in, for writing.
 * Call it as soon as a send is certain, before the payload is built: the line
 * is then on its way while the caller works. A hint; never needed.
 */
static inline void mk_end_prefetch(const struct mk_end *end)
{
	prefetchw(&end->tx.line[end->tx.head & (end->tx.slots - 1)]);
}

/**
 * mk_end_send() - send a message
 * @end: this side
 * @type: for the layer above
 * @flags: MK_MSG_REPLY, MK_MSG_CALL
 * @tag: for the layer above
 * @word: payload, @lines * MK_LINE_WORDS words
 * @lines: 1 to MK_MESSAGE_LINES
 *
 * Carries the acknowledgment of everything received so far.
 *
 * Return: 0, -EAGAIN if the peer has not given back enough credit, or -EINVAL
 * if no message has that many lines.
 */
static __always_inline int mk_end_send(struct mk_end *end, u8 type, u8 flags,
				       u32 tag, const u64 *word, u32 lines)
{
	if (unlikely(lines - 1 >= MK_MESSAGE_LINES))
		return -EINVAL;
	if (unlikely(mk_end_room(end) < lines))
		return -EAGAIN;

	mk_tx_publish(&end->tx,
		      mk_hdr_pack(type, flags, lines, end->rx.tail, tag),
		      word, lines);
	end->rx.told = end->rx.tail;
	/*
	 * Soon there is no room: what gives some has probably been written. Long messages
	 * may pass by that number; then it is not asked for.
	 */
	if (unlikely(mk_end_outstanding(end) == end->tx.low))
		prefetch(mk_rx_line(&end->rx, 0));
	return 0;
}

/**
 * mk_end_ack_due() - should an explicit acknowledgment be sent?
 * @end: this side
 *
 * Return: true once a quarter of the ring is owed to the peer.
 */
static inline bool mk_end_ack_due(const struct mk_end *end)
{
	return mk_end_owed(end) >= end->rx.slots / 4;
}

/**
 * mk_end_ack() - return credit without a message
 * @end: this side
 *
 * May use the reserved slot. Sends nothing if nothing is owed: see "Flow
 * control" for what an acknowledgment of nothing could do.
 *
 * Return: 0, or -EAGAIN if even that one is taken; the acknowledgment that
 * occupies it, or any message after it, will do.
 */
static inline int mk_end_ack(struct mk_end *end)
{
	if (!mk_end_owed(end))
		return 0;
	if (end->tx.slots == mk_end_outstanding(end))
		return -EAGAIN;

	mk_tx_show(&end->tx, mk_hdr_pack(0, MK_MSG_ACK, 1, end->rx.tail, 0), 1);
	end->rx.told = end->rx.tail;
	return 0;
}

/* The header at the tail if it is new, 0 if there is none. */
static inline u64 mk_rx_ready(const struct mk_rx *rx)
{
	u64 header = smp_load_acquire(&mk_rx_line(rx, 0)->header);	/* (A) */

	if ((header & MK_HDR_EPOCH) != mk_ring_epoch(rx->tail, rx->slots))
		return 0;
	/* A new header of epoch 0 may be all zeroes: keep it apart from none. */
	return header | MK_HDR_EPOCH;
}

/**
 * mk_end_pending() - is there anything to receive?
 * @end: this side
 */
static inline bool mk_end_pending(const struct mk_end *end)
{
	return mk_rx_ready(&end->rx);
}

/*
 * Ask for what follows the line at the tail: the rest of its message, which is
 * certainly there, and what may be there @ahead slots further on.
 *
 * All by branches on the length, which are predicted, as in mk_end_done(): neither
 * what is asked for nor the next message waits until this line has come.
 */
static __always_inline void mk_rx_ask(const struct mk_rx *rx, u32 lines, u32 ahead)
{
	u32 i;

	if (likely(lines == 1)) {
		if (ahead)
			prefetch(mk_rx_line(rx, ahead));
		return;
	}
	if (lines >= MK_RING_LONG)
		ahead /= 2;
	for (i = !ahead; i < lines; i++)
		prefetch(mk_rx_line(rx, i + ahead));
}

/*
 * @ahead: 0, or how many slots further on there may be something to receive. Whoever
 * found the ring empty has caught up with the producer: what it asked for now would be
 * taken from under the producer's pen. So it does not, for a while.
 */
static __always_inline int mk_rx_look(struct mk_end *end, struct mk_view *view,
				      u32 ahead)
{
	struct mk_rx *rx = &end->rx;
	u64 header = mk_rx_ready(rx);
	u32 given;

	if (!header) {
		if (ahead)
			rx->calm = rx->tail + rx->slots / 8 * 3;
		return 0;
	}

	given = (u16)((header >> MK_HDR_ACK_SHIFT) - end->tx.acked);
	if (unlikely(given > mk_end_outstanding(end)))
		return -EBADMSG;
	end->tx.acked += given;

	*view = (struct mk_view){
		.type = header >> MK_HDR_TYPE_SHIFT,
		.flags = (header >> MK_HDR_FLAGS_SHIFT) & 0xf,
		.lines = ((header >> MK_HDR_LINES_SHIFT) &
			  (MK_MESSAGE_LINES - 1)) + 1,
		.tag = header >> MK_HDR_TAG_SHIFT,
		.seq = rx->tail,
	};
	if (ahead && (s32)(rx->tail - rx->calm) < 0)
		ahead = 0;
	mk_rx_ask(rx, view->lines, ahead);
	return 1;
}

/**
 * mk_end_done() - give back the slots of the message at the tail
 * @end: this side
 * @view: that message, from mk_end_look()
 */
static __always_inline void mk_end_done(struct mk_end *end,
					const struct mk_view *view)
{
	/* What was read is what the caller goes by: do not let it be read again. */
	barrier();
	if (likely(view->lines == 1))
		end->rx.tail++;			/* (B): after it was read */
	else
		end->rx.tail += view->lines;	/* likewise */
}

static __always_inline void mk_rx_copy(const struct mk_rx *rx, u64 *word, u32 i)
{
	memcpy(word + i * MK_LINE_WORDS, mk_rx_line(rx, i)->word,
	       MK_LINE_PAYLOAD);
}

static __always_inline int mk_rx_take(struct mk_end *end,
				      struct mk_message *msg, u32 ahead)
{
	struct mk_view view;
	int ret = mk_rx_look(end, &view, ahead);
	u32 i;

	if (ret <= 0)
		return ret;

	msg->type = view.type;
	msg->flags = view.flags;
	msg->lines = view.lines;
	msg->tag = view.tag;
	msg->seq = view.seq;
	/* Not in the loop: mostly it is the only one. */
	mk_rx_copy(&end->rx, msg->word, 0);
	for (i = 1; i < view.lines; i++)
		mk_rx_copy(&end->rx, msg->word, i);
	mk_end_done(end, &view);
	return 1;
}

/**
 * mk_end_recv() - receive a message
 * @end: this side
 * @msg: where it goes
 *
 * Takes the credit that it carries. The message is copied out before its slots
 * count as consumed.
 *
 * Return: 1 and the message; 1 with MK_MSG_ACK in its flags and no payload for
 * a bare acknowledgment; 0 if there is nothing; -EBADMSG if the peer claims
 * to have consumed what was never sent. The pair is of no use after that.
 */
static __always_inline int mk_end_recv(struct mk_end *end,
				       struct mk_message *msg)
{
	return mk_rx_take(end, msg, 0);
}

/**
 * mk_end_recv_stream() - receive a message where more are on their way
 * @end: this side
 * @msg: where it goes
 *
 * As mk_end_recv(), but asks for slots ahead, which about doubles the rate of a
 * stream. Not while who receives keeps up with who sends, so that where nothing follows it
 * costs only what finding that out does: up to a tenth of a message.
 *
 * Return: as mk_end_recv().
 */
static __always_inline int mk_end_recv_stream(struct mk_end *end,
					      struct mk_message *msg)
{
	return mk_rx_take(end, msg, end->rx.ahead);
}

/**
 * mk_end_look() - look at the message at the tail, where it lies
 * @end: this side
 * @view: what it is
 *
 * As mk_end_recv(), but copies nothing: mk_end_words() says where the words are, until
 * mk_end_done() gives the slots back. Nothing else is received in between; messages
 * may be sent, and do not acknowledge this one yet.
 *
 * The words are the producer's, which is able to change them at any moment: this is for
 * producers that are trusted, or for who reads each word once and checks what it read.
 *
 * Return: as mk_end_recv(); a bare acknowledgment has to be given back too.
 */
static __always_inline int mk_end_look(struct mk_end *end, struct mk_view *view)
{
	return mk_rx_look(end, view, 0);
}

/**
 * mk_end_look_stream() - mk_end_look() where more messages are on their way
 * @end: this side
 * @view: what it is
 *
 * Return: as mk_end_recv(). See mk_end_recv_stream() for what it gains and costs.
 */
static __always_inline int mk_end_look_stream(struct mk_end *end,
					      struct mk_view *view)
{
	return mk_rx_look(end, view, end->rx.ahead);
}

/**
 * mk_end_words() - a line of the message that mk_end_look() found
 * @end: this side
 * @line: which one, 0 to @lines - 1 of the view
 *
 * Return: its MK_LINE_WORDS words.
 */
static inline const u64 *mk_end_words(const struct mk_end *end, u32 line)
{
	return mk_rx_line(&end->rx, line)->word;
}

#endif /* MK_URPC_RING_H */
