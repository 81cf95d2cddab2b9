// SPDX-License-Identifier: GPL-2.0
/*
 * See run.h. All members know which operation is on which tree, so that each looks
 * only at the channels that matter in it. An operation ends when the root has all
 * acknowledgments, and so nobody has anything of it left to do when the next begins.
 */
#include <stdio.h>
#include <stdlib.h>

#include "run.h"
#include "urpc.h"

/* Lines of a channel. */
#define SLOTS		64

/**
 * struct note - what is sent
 * @turn: which message this is, of all
 * @members: an acknowledgment's: so many have been reached; 0 in a message
 */
struct note {
	u32 turn;
	u32 members;
};

/**
 * struct part - what a member has to do in a tree
 * @up: where the message comes from; NULL for the root
 * @down: who is told, in this order
 * @nr_down: how many
 * @from: gather children
 * @nr_from: how many
 * @to: who is told when all that is done; NULL for the root
 */
struct part {
	struct urpc_channel *up, *to;
	struct urpc_channel **down, **from;
	unsigned int nr_down, nr_from;
};

/* What a member writes while it is timed is on lines of its own. */
#define LINES		128
#define LINES_POINTERS	(LINES / sizeof(void *))

/**
 * struct tally - what a member has seen
 * @reached: messages on each tree
 */
struct tally {
	u64 reached[TREES];
} __attribute__((aligned(LINES)));

/**
 * struct stage - all that is there while trees are run
 * @trees: which
 * @overhead: of a look at the clock
 * @side: side[u * nr + v]: u's side of its channel with v; NULL if there is none
 * @part: part[tree * nr + member]
 * @list: what parts point to, two lists for each
 * @tally: by member
 * @cycles: the root's, by operation
 */
struct stage {
	struct trees *trees;
	u64 overhead;
	struct urpc_channel **side;
	struct part *part;
	struct urpc_channel **list;
	struct tally *tally;
	u64 *cycles;
};

const char *tree_name(unsigned int tree)
{
	return tree == TREE_PLANNED ? "planned" : tree == TREE_ONE ? "planned_one_tree" :
	       mk_plan_strategy_name(tree);
}

/* --- what a member does -------------------------------------------------------------- */

/* Sends a note; room that is missing comes with what the other one sends. */
static int tell(struct crew *crew, struct urpc_channel *channel, u32 turn, u32 members)
{
	const struct note note = { turn, members };
	struct crew_wait wait = { 0 };
	int ret, room;

	while ((ret = urpc_send(channel, 0, &note, sizeof(note))) == -EAGAIN) {
		ret = crew_pause(crew, &wait);
		if (ret)
			return ret;
		/* A look, no wait. */
		room = urpc_wait(channel, URPC_OUT, 0);
		if (room < 0 && room != -ETIMEDOUT)
			return room;
	}
	return ret;
}

/* 1 and a note that belongs here, 0 if there is none yet. */
static int look(struct crew *crew, struct urpc_channel *channel, unsigned int member,
		u32 turn, bool ack, struct note *note)
{
	struct urpc_message message;
	int ret = urpc_recv(channel, &message);
	bool is_ack;

	if (ret <= 0)
		return ret;
	if (message.bytes != sizeof(*note))
		return -EBADMSG;
	memcpy(note, message.data, sizeof(*note));
	is_ack = note->members;
	if (note->turn < turn || (note->turn == turn && is_ack != ack))
		return crew_fail(crew, -EBADMSG,
				 "member %u was reached more than once by message %u",
				 member, note->turn);
	return note->turn == turn ? 1 : -EBADMSG;
}

static int hear(struct crew *crew, struct urpc_channel *channel, unsigned int member, u32 turn)
{
	struct crew_wait wait = { 0 };
	struct note note;
	int got, ret = 0;

	while (!(got = look(crew, channel, member, turn, false, &note)) && !ret)
		ret = crew_pause(crew, &wait);
	return got < 0 ? got : got ? 0 : ret;
}

static int pass_on(struct crew *crew, struct part *part, u32 turn, enum fault fault)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < part->nr_down && !ret; i++) {
		bool last = i == part->nr_down - 1;

		if (last && fault == FAULT_SKIP)
			break;
		ret = tell(crew, part->down[i], turn, 0);
		if (!ret && last && fault == FAULT_TWICE)
			ret = tell(crew, part->down[i], turn, 0);
	}
	return ret;
}

/*
 * Whichever is there first: those that are still missing are kept in front, by changing
 * places. Adds those that they speak for.
 */
static int gather(struct crew *crew, struct part *part, unsigned int member, u32 turn,
		  u32 *members)
{
	unsigned int missing = part->nr_from, i;
	struct crew_wait wait = { 0 };
	int ret = 0;

	while (missing && !ret) {
		for (i = 0; i < missing && !ret; i++) {
			struct urpc_channel *channel = part->from[i];
			struct note note;
			int got = look(crew, channel, member, turn, true, &note);

			if (got < 0)
				ret = got;
			if (got <= 0)
				continue;
			*members += note.members;
			part->from[i--] = part->from[--missing];
			part->from[missing] = channel;
		}
		if (missing && !ret)
			ret = crew_pause(crew, &wait);
	}
	return ret;
}

static int take_part(struct crew *crew, struct stage *stage, unsigned int member, u32 turn)
{
	struct trees *trees = stage->trees;
	unsigned int tree = turn / trees->rounds % TREES;
	struct part *part = &stage->part[tree * trees->nr + member];
	u32 members = 1;
	int ret = 0;

	if (part->up)
		ret = hear(crew, part->up, member, turn);
	if (ret)
		return ret;
	stage->tally[member].reached[tree]++;
	ret = pass_on(crew, part, turn, trees->fault);
	if (!ret && trees->fault != FAULT_EARLY)
		ret = gather(crew, part, member, turn, &members);
	if (ret)
		return ret;
	if (part->to)
		return tell(crew, part->to, turn, members);
	return members == trees->nr ? 0 :
	       crew_fail(crew, -EBADMSG, "message %u was acknowledged for %u of %u members",
			 turn, members, trees->nr);
}

/* What is left when all is over was sent to nobody. */
static int leave(struct crew *crew, struct stage *stage, unsigned int member)
{
	unsigned int nr = stage->trees->nr, other;
	struct urpc_message message;
	int ret = 0;

	for (other = 0; other < nr && !ret; other++) {
		struct urpc_channel *side = stage->side[member * nr + other];

		if (side)
			ret = urpc_recv(side, &message);
	}
	return ret > 0 ? crew_fail(crew, -EBADMSG,
				   "member %u was reached more than once by the last messages",
				   member) : ret;
}

static int perform(struct crew *crew, unsigned int member, void *arg)
{
	struct stage *stage = arg;
	struct trees *trees = stage->trees;
	u32 operations = (trees->warm_up + trees->samples) * TREES, i, round;
	u64 start;
	int ret = 0;

	for (i = 0; i < operations && !ret; i++) {
		start = crew_cycles();
		for (round = 0; round < trees->rounds && !ret; round++)
			ret = take_part(crew, stage, member, i * trees->rounds + round);
		if (!member)
			stage->cycles[i] = crew_span(start, crew_cycles(), stage->overhead);
	}
	return ret;
}

/* By threads of their own, when all others have ended: nothing is on its way. */
static int look_back(struct crew *crew, unsigned int member, void *arg)
{
	struct stage *stage = arg;
	struct trees *trees = stage->trees;
	u64 messages = (u64)(trees->warm_up + trees->samples) * trees->rounds, reached;
	unsigned int i;

	for (i = 0; i < TREES; i++) {
		reached = stage->tally[member].reached[i];
		if (reached != messages)
			return crew_fail(crew, -EBADMSG,
					 "%s: member %u was reached %llu times by %llu messages",
					 tree_name(i), member, (unsigned long long)reached,
					 (unsigned long long)messages);
	}
	return leave(crew, stage, member);
}

/* --- the stage --------------------------------------------------------------------------- */

static int join(struct stage *stage, struct crew *crew, unsigned int u, unsigned int v)
{
	/* Nobody blocks, however long it waits. */
	const struct urpc_options options = { .slots = SLOTS, .flags = URPC_NEVER_WAKE };
	unsigned int nr = stage->trees->nr;
	struct urpc_channel *side[2];
	int ret;

	if (stage->side[u * nr + v])
		return 0;
	ret = urpc_pair(&options, side);
	if (ret)
		return crew_fail(crew, ret, "a channel: %s", strerror(-ret));
	stage->side[u * nr + v] = side[0];
	stage->side[v * nr + u] = side[1];
	return 0;
}

/* Both ends of each edge of a tree, in the order of sending. */
static int join_tree(struct stage *stage, struct crew *crew, unsigned int tree)
{
	const struct mk_plan *plan = &stage->trees->tree[tree].plan;
	unsigned int nr = stage->trees->nr, i, u, v;
	struct part *part = &stage->part[tree * nr];
	int ret = 0;

	for (i = 1; i < nr && !ret; i++) {
		u = plan->broadcast[plan->broadcast[i].parent].core;
		v = plan->broadcast[i].core;
		ret = join(stage, crew, u, v);
		part[v].up = stage->side[v * nr + u];
		part[u].down[part[u].nr_down++] = stage->side[u * nr + v];
	}
	for (i = 1; i < nr && !ret; i++) {
		u = plan->gather[plan->gather[i].parent].core;
		v = plan->gather[i].core;
		ret = join(stage, crew, u, v);
		part[v].to = stage->side[v * nr + u];
		part[u].from[part[u].nr_from++] = stage->side[u * nr + v];
	}
	return ret;
}

static int set_up(struct stage *stage, struct crew *crew)
{
	const struct trees *trees = stage->trees;
	unsigned int nr = trees->nr, i;
	size_t stride = (2 * nr + LINES_POINTERS - 1) / LINES_POINTERS * LINES_POINTERS;
	int ret = 0;

	stage->overhead = crew_overhead();
	stage->side = calloc((size_t)nr * nr, sizeof(*stage->side));
	stage->part = calloc((size_t)nr * TREES, sizeof(*stage->part));
	stage->list = aligned_alloc(LINES, stride * nr * TREES * sizeof(*stage->list));
	stage->tally = aligned_alloc(LINES, nr * sizeof(*stage->tally));
	stage->cycles = calloc((size_t)(trees->warm_up + trees->samples) * TREES, sizeof(u64));
	if (!stage->side || !stage->part || !stage->list || !stage->tally || !stage->cycles)
		return crew_fail(crew, -ENOMEM, "no memory");
	memset(stage->tally, 0, nr * sizeof(*stage->tally));
	for (i = 0; i < nr * TREES; i++) {
		stage->part[i].down = stage->list + stride * i;
		stage->part[i].from = stage->part[i].down + nr;
	}
	for (i = 0; i < TREES && !ret; i++)
		ret = join_tree(stage, crew, i);
	return ret;
}

static void take_down(struct stage *stage)
{
	unsigned int nr = stage->trees->nr, i;

	for (i = 0; stage->side && i < nr * nr; i++)
		urpc_close(stage->side[i]);
	free(stage->side);
	free(stage->part);
	free(stage->list);
	free(stage->tally);
	free(stage->cycles);
}

static u64 messages_seen(const struct tally *tally)
{
	u64 sum = 0;
	unsigned int t;

	for (t = 0; t < TREES; t++)
		sum += tally->reached[t];
	return sum;
}

/* Who was waited for: whoever has seen fewer messages than the root has sent. */
static void name_missing(const struct stage *stage, struct crew *crew)
{
	unsigned int i;

	for (i = 1; i < stage->trees->nr; i++) {
		u64 seen = messages_seen(&stage->tally[i]);

		if (seen >= messages_seen(&stage->tally[0]))
			continue;
		snprintf(crew->text, sizeof(crew->text),
			 "member %u was not reached by message %llu", i,
			 (unsigned long long)seen);
		return;
	}
}

static void keep_samples(const struct stage *stage)
{
	struct trees *trees = stage->trees;
	unsigned int i;

	for (i = 0; i < trees->samples * TREES; i++)
		trees->tree[i % TREES].cycles[i / TREES] =
			stage->cycles[trees->warm_up * TREES + i];
}

int trees_run(struct trees *trees, struct crew *crew, const int *cpu)
{
	struct stage stage = { .trees = trees };
	int ret;

	crew->error = 0;
	ret = set_up(&stage, crew);
	if (!ret)
		ret = crew_run(crew, cpu, trees->nr, perform, &stage);
	if (ret == -ETIMEDOUT)
		name_missing(&stage, crew);
	if (!ret)
		ret = crew_run(crew, cpu, trees->nr, look_back, &stage);
	if (!ret)
		keep_samples(&stage);
	take_down(&stage);
	return ret;
}

int trees_alloc(struct trees *trees)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < TREES; i++) {
		struct tree *tree = &trees->tree[i];

		tree->plan.broadcast = calloc(trees->nr, sizeof(struct mk_plan_hop));
		tree->plan.gather = calloc(trees->nr, sizeof(struct mk_plan_hop));
		tree->cycles = calloc(trees->samples, sizeof(u64));
		if (!tree->plan.broadcast || !tree->plan.gather || !tree->cycles)
			ret = -ENOMEM;
	}
	return ret;
}

void trees_free(struct trees *trees)
{
	unsigned int i;

	for (i = 0; i < TREES; i++) {
		free(trees->tree[i].plan.broadcast);
		free(trees->tree[i].plan.gather);
		free(trees->tree[i].cycles);
	}
}
