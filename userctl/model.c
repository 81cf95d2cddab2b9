// SPDX-License-Identifier: GPL-2.0
/*
 * The costs of operations, from those of their parts. mkctl-model(1) has the same
 * in prose.
 */
#include <string.h>

#include "model.h"

const char *const model_names[NR_MODELS] = {
	[MODEL_LINUX] = "linux",
	[MODEL_IPI] = "ipi",
	[MODEL_UNICAST] = "unicast",
	[MODEL_BROADCAST] = "broadcast",
	[MODEL_MULTICAST] = "multicast",
	[MODEL_NUMA_MULTICAST] = "numa_multicast",
	[MODEL_PLANNED] = "planned",
};

static u64 larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u64 percent(u64 cycles, unsigned int of)
{
	return (cycles * of + 50) / 100;
}

void model_init(struct model *model, const struct blueprint *b, unsigned int nr)
{
	int shape;

	model->blueprint = b;
	model->nr = nr;
	for (shape = 0; shape < NR_SHAPES; shape++)
		model_tree_make(&model->tree[shape], b, nr, shape);
}

void model_free(struct model *model)
{
	int shape;

	for (shape = 0; shape < NR_SHAPES; shape++)
		model_tree_free(&model->tree[shape]);
}

/* --- protocols that are no trees --------------------------------------------------- */

/*
 * Interrupts to all, one after the other; then the initiator does its own work and
 * looks at the line of each target, in order.
 */
static u64 by_interrupt(const struct model *model, u64 work)
{
	const struct blueprint *b = model->blueprint;
	u64 now, done;
	unsigned int v;

	now = (u64)(model->nr - 1) * b->value[PART_IPI_SEND] + work;
	for (v = 1; v < model->nr; v++) {
		done = (u64)v * b->value[PART_IPI_SEND] + b->value[PART_IPI_DELIVER] +
		       b->value[PART_IPI_HANDLE] + work;
		now = larger(now, done) + blueprint_receive(b, v, 0);
	}
	return now;
}

/*
 * One line that all poll: they get it one after the other, and each answers in a line
 * of its own.
 */
static u64 by_broadcast(const struct model *model, u64 work)
{
	const struct blueprint *b = model->blueprint;
	u64 now, fetched = 0, done;
	unsigned int v;

	for (v = 1; v < model->nr; v++)
		fetched = larger(fetched, blueprint_send(b, 0, v));
	now = fetched + work;
	for (v = 1; v < model->nr; v++) {
		fetched += percent(blueprint_receive(b, 0, v), b->value[PART_CROWD]);
		done = fetched + b->value[PART_DISPATCH] + work + blueprint_send(b, v, 0);
		now = larger(now, done) + blueprint_receive(b, v, 0);
	}
	return now;
}

/* --- shootdown ---------------------------------------------------------------------- */

static u64 round_of(const struct model *model, enum model_protocol protocol,
		    u64 work)
{
	static const enum model_shape shapes[NR_MODELS] = {
		[MODEL_UNICAST] = SHAPE_FLAT,
		[MODEL_MULTICAST] = SHAPE_NEAR_FIRST,
		[MODEL_NUMA_MULTICAST] = SHAPE_FAR_FIRST,
		[MODEL_PLANNED] = SHAPE_PLANNED,
	};
	const struct model_round round = {
		.blueprint = model->blueprint,
		.home = protocol == MODEL_MULTICAST,
		.work = work,
	};

	if (model->nr == 1)
		return work;
	if (protocol == MODEL_LINUX || protocol == MODEL_IPI)
		return by_interrupt(model, work);
	if (protocol == MODEL_BROADCAST)
		return by_broadcast(model, work);
	return model_tree_round(&model->tree[shapes[protocol]], &round);
}

u64 model_raw(const struct model *model, enum model_protocol protocol)
{
	return round_of(model, protocol, 0);
}

u64 model_unmap(const struct model *model, enum model_protocol protocol,
		unsigned int pages)
{
	const unsigned int *value = model->blueprint->value;
	u64 work, before;

	work = pages > value[PART_CEILING] ? value[PART_FLUSH] :
	       (u64)pages * value[PART_INVALIDATE];
	before = (u64)value[PART_LEVELS] * value[PART_WALK] +
		 (u64)pages * value[PART_PTE];
	before += protocol == MODEL_LINUX ? value[PART_ZAP] :
		  protocol == MODEL_IPI ? 0 : value[PART_MONITOR];
	return before + round_of(model, protocol, work);
}

/* --- agreement ----------------------------------------------------------------------- */

/*
 * One at a time takes two rounds, prepare and commit. Of several in flight each takes
 * its share of that, but no less than the busiest core is busy with it.
 */
u64 model_commit(const struct model *model, enum model_shape shape, unsigned int flight)
{
	const struct model_round round = { .blueprint = model->blueprint };
	const struct model_tree *tree = &model->tree[shape];

	return larger(2 * model_tree_round(tree, &round) / flight,
		      flight > 1 ? 2 * model_tree_busiest(tree, &round) : 0);
}

/* --- shared lines and calls ---------------------------------------------------------- */

/* What a receive costs among the first @nr cores, on average over some of them. */
static u64 mean_receive(const struct blueprint *b, unsigned int nr)
{
	unsigned int step = nr > 64 ? nr / 64 : 1, u, v;
	u64 sum = 0, pairs = 0;

	for (u = 0; u < nr; u += step) {
		for (v = 0; v < nr; v++) {
			if (u == v)
				continue;
			sum += blueprint_receive(b, u, v);
			pairs++;
		}
	}
	return pairs ? sum / pairs : 0;
}

/*
 * Each line comes from the last who wrote it. While it moves it is in nobody's hands,
 * so that all who want it wait for all before them.
 */
u64 model_shared(const struct blueprint *b, unsigned int clients, unsigned int lines)
{
	u64 move = mean_receive(b, clients);

	if (clients > 2)
		move += percent(move * (clients - 2), b->value[PART_OCCUPY]);
	return lines * (b->value[PART_UPDATE] + move);
}

/* A call to the server, but at least as long as it takes to serve all clients. */
u64 model_served(const struct blueprint *b, unsigned int clients, unsigned int lines)
{
	u64 work = b->value[PART_DISPATCH] + (u64)lines * b->value[PART_UPDATE];
	u64 call = 0, served = 0, there, back;
	unsigned int c;

	for (c = 1; c <= clients; c++) {
		there = blueprint_receive(b, c, 0) + work + blueprint_send(b, 0, c);
		back = blueprint_receive(b, 0, c);
		call += blueprint_send(b, c, 0) + there + back;
		served += there;
	}
	return larger(call / clients, served);
}

/* What a message of @lines costs whom it costs @cycles for one line. */
static u64 of_lines(const struct blueprint *b, u64 cycles, unsigned int lines)
{
	return cycles + percent(cycles * (lines - 1), b->value[PART_STREAM]);
}

u64 model_call(const struct blueprint *b, unsigned int u, unsigned int v,
	       unsigned int lines, int shared)
{
	u64 send = blueprint_send(b, u, v), receive = blueprint_receive(b, u, v);
	u64 reply = blueprint_send(b, v, u) + blueprint_receive(b, v, u);
	u64 arguments = of_lines(b, send, lines) + of_lines(b, receive, lines);

	if (shared)
		arguments += send + receive;
	return arguments + b->value[PART_DISPATCH] + reply;
}
