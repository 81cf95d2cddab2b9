// SPDX-License-Identifier: GPL-2.0
/*
 * Fanout: one line that many CPUs poll.
 */
#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "urpc/fanout.h"

/* In the line: the payload, and behind it the number of the message again. */
#define MK_BOARD_TAIL	MK_ROUTE_WORDS

/**
 * struct mk_place - a member's place at a board
 * @source: the member's: polls the board
 * @board: which
 * @number: member's: of the last message that it served
 * @ack: the same, released after the leaf function; a line that the member alone
 *	writes and the root alone reads
 */
struct mk_place {
	struct mk_source source;
	struct mk_board *board;
	u32 number;
	u32 ack ____cacheline_aligned_in_smp;
};

/**
 * struct mk_board - the line of one root
 * @line: header: number of the message, and its type; the root writes
 * @port: the root's
 * @number: root's: of the last message
 * @place: by CPU; NULL for who never was a member
 */
struct mk_board {
	struct mk_line line;
	struct mk_port *port;
	u32 number;
	struct mk_place *place[];
};

/**
 * struct mk_fanout - members of a board
 * @board: the root's
 * @first: those before this one are settled
 * @lost: one of them did not acknowledge
 * @nr: members, the root not counted
 * @member: their places
 */
struct mk_fanout {
	struct mk_board *board;
	u32 first;
	bool lost;
	u32 nr;
	struct mk_fanout_member {
		struct mk_place *place;
		bool lost;
	} member[];
};

/* By root. The mutex is for making boards and places. */
static struct mk_board **mk_boards;
static DEFINE_MUTEX(mk_boards_lock);
static atomic64_t mk_boards_held;

/**
 * mk_boards_bytes() - memory of all boards and places
 *
 * Context: any.
 */
s64 mk_boards_bytes(void)
{
	return atomic64_read(&mk_boards_held);
}

static u32 mk_board_number(u64 header)
{
	return header >> MK_HDR_TAG_SHIFT;
}

/* Take what is on the board: its type, or 0 if it is nothing new, or torn. */
static u8 mk_place_read(struct mk_place *place, u64 *word)
{
	const struct mk_line *line = &place->board->line;
	u64 header = smp_load_acquire(&line->header);	/* (F) */
	u32 number = mk_board_number(header);
	u32 i;

	if (number == place->number)
		return 0;
	for (i = 0; i < MK_ROUTE_WORDS; i++)
		word[i] = READ_ONCE(line->word[i]);
	smp_rmb();	/* (F) */
	if ((u32)READ_ONCE(line->word[MK_BOARD_TAIL]) != number)
		return 0;
	place->number = number;
	return header >> MK_HDR_TYPE_SHIFT;
}

static unsigned int mk_place_poll(struct mk_source *source)
{
	struct mk_place *place = container_of(source, struct mk_place, source);
	u64 *word = source->port->msg.word;
	u8 type;

	type = mk_place_read(place, word);
	if (!type) {
		mk_source_polled(source, 0);
		return 0;
	}
	mk_count(source->port, calls_received);
	if (type < MK_TYPES)
		mk_leaf_run(source->port, type, word);
	smp_store_release(&place->ack, place->number);	/* (G) */
	mk_source_polled(source, 1);
	return 1;
}

static bool mk_place_pending(const struct mk_source *source)
{
	struct mk_place *place = container_of(source, struct mk_place, source);

	return mk_board_number(READ_ONCE(place->board->line.header)) !=
	       place->number;
}

static const struct mk_source_ops mk_place_source = {
	.poll = mk_place_poll,
	.pending = mk_place_pending,
};

static struct mk_board *mk_board_get(int root)
{
	struct mk_port *port = mk_port(root);
	struct mk_board *board;

	if (!mk_boards) {
		mk_boards = kcalloc(nr_cpu_ids, sizeof(*mk_boards), GFP_KERNEL);
		if (!mk_boards)
			return NULL;
		atomic64_add(ksize(mk_boards), &mk_boards_held);
	}
	board = mk_boards[root];
	if (board)
		return board;
	board = kzalloc_node(struct_size(board, place, nr_cpu_ids), GFP_KERNEL,
			     port->node);
	if (!board)
		return NULL;
	board->port = port;
	mk_boards[root] = board;
	atomic64_add(ksize(board), &mk_boards_held);
	return board;
}

/* What is on the board already is not for whoever comes now. */
static struct mk_place *mk_place_get(struct mk_board *board, int cpu)
{
	struct mk_place *place = board->place[cpu];

	if (place)
		return place;
	place = kzalloc_node(sizeof(*place), GFP_KERNEL, board->port->node);
	if (!place)
		return NULL;
	place->board = board;
	mk_source_init(&place->source, mk_port(cpu), &mk_place_source,
		       MK_PARKED);
	board->place[cpu] = place;
	atomic64_add(ksize(place), &mk_boards_held);
	return place;
}

/**
 * mk_fanout_make() - make ready to send to many CPUs
 * @root: CPU that sends
 * @members: CPUs that receive; the root is left out
 *
 * Context: process; sleeps.
 * Return: the fanout, to be freed by mk_fanout_free(); -EINVAL if there cannot
 * be such a root, -ENOMEM.
 */
struct mk_fanout *mk_fanout_make(int root, const struct cpumask *members)
{
	struct mk_fanout *fanout;
	struct mk_place *place;
	int cpu;

	if (!mk_port(root))
		return ERR_PTR(-EINVAL);
	fanout = kvzalloc(struct_size(fanout, member, cpumask_weight(members)),
			  GFP_KERNEL);
	if (!fanout)
		return ERR_PTR(-ENOMEM);

	mutex_lock(&mk_boards_lock);
	fanout->board = mk_board_get(root);
	if (!fanout->board)
		goto err_unlock;
	for_each_cpu(cpu, members) {
		if (cpu == root || !mk_port(cpu))
			continue;
		place = mk_place_get(fanout->board, cpu);
		if (!place)
			goto err_unlock;
		fanout->member[fanout->nr++].place = place;
	}
	mutex_unlock(&mk_boards_lock);
	return fanout;

err_unlock:
	mutex_unlock(&mk_boards_lock);
	kvfree(fanout);
	return ERR_PTR(-ENOMEM);
}

/**
 * mk_fanout_free() - forget who the members are
 * @fanout: not used any more
 *
 * Context: process.
 */
void mk_fanout_free(struct mk_fanout *fanout)
{
	kvfree(fanout);
}

/**
 * mk_boards_exit() - free all boards
 *
 * Context: process, after the last port has closed.
 */
void mk_boards_exit(void)
{
	int root, cpu;

	for (root = 0; mk_boards && root < nr_cpu_ids; root++) {
		if (!mk_boards[root])
			continue;
		for_each_possible_cpu(cpu)
			kfree(mk_boards[root]->place[cpu]);
		kfree(mk_boards[root]);
		cond_resched();
	}
	kfree(mk_boards);
	mk_boards = NULL;
	atomic64_set(&mk_boards_held, 0);
}

static void mk_board_write(struct mk_board *board, enum mk_type type,
			   const u64 *word)
{
	u32 i;

	/* Zero is what a new line carries. */
	if (!++board->number)
		board->number++;
	WRITE_ONCE(board->line.word[MK_BOARD_TAIL], board->number);
	smp_wmb();	/* (F) */
	for (i = 0; i < MK_ROUTE_WORDS; i++)
		WRITE_ONCE(board->line.word[i], word[i]);
	smp_store_release(&board->line.header,	/* (F) */
			  (u64)board->number << MK_HDR_TAG_SHIFT |
			  (u64)type << MK_HDR_TYPE_SHIFT);
}

/**
 * mk_fanout_start() - send a message to everybody
 * @fanout: what was started on it before is over, or given up
 * @type: enum mk_type, with a leaf function (mk_route_leaf_set())
 * @word: payload, MK_ROUTE_WORDS words, copied
 *
 * Context: the root's thread.
 */
void mk_fanout_start(struct mk_fanout *fanout, enum mk_type type,
		     const u64 *word)
{
	struct mk_board *board = fanout->board;
	u32 i;

	fanout->first = 0;
	fanout->lost = false;
	mk_board_write(board, type, word);
	mk_count(board->port, calls_sent);
	smp_mb();	/* (C): after the line, before ->parked */
	for (i = 0; i < fanout->nr; i++)
		fanout->member[i].lost =
			mk_source_ring(&fanout->member[i].place->source,
				       board->port) < 0;
}

static bool mk_member_acked(const struct mk_fanout *fanout,
			    const struct mk_fanout_member *member)
{
	return smp_load_acquire(&member->place->ack) ==	/* (G) */
	       fanout->board->number;
}

/**
 * mk_fanout_gathered() - has everybody acknowledged?
 * @fanout: started, and nothing else of that root since
 *
 * Context and return: as mk_route_gathered().
 */
bool mk_fanout_gathered(struct mk_fanout *fanout)
{
	for (; fanout->first < fanout->nr; fanout->first++) {
		struct mk_fanout_member *member =
			&fanout->member[fanout->first];

		if (mk_member_acked(fanout, member))
			continue;
		if (!member->lost)
			return false;
		fanout->lost = true;
	}
	return !fanout->lost;
}

/**
 * mk_fanout_stuck() - is there no use in waiting?
 * @fanout: mk_fanout_gathered() was false
 *
 * Context and return: as mk_route_stuck().
 */
bool mk_fanout_stuck(const struct mk_fanout *fanout)
{
	return fanout->lost && fanout->first == fanout->nr;
}

/**
 * mk_fanout_missing() - who has not acknowledged
 * @fanout: started, and nothing else of that root since
 * @mask: they are added to it
 *
 * Context: the root's thread.
 */
void mk_fanout_missing(struct mk_fanout *fanout, struct cpumask *mask)
{
	u32 i;

	for (i = 0; i < fanout->nr; i++)
		if (!mk_member_acked(fanout, &fanout->member[i]))
			cpumask_set_cpu(fanout->member[i].place->source.port->cpu,
					mask);
}
