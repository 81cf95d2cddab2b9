// SPDX-License-Identifier: GPL-2.0
/*
 * The layouts: one entry per experiment, in the order of reports.
 */
#include <string.h>

#include "layout.h"

static const struct layout layouts[] = {
	{
		.test = "urpc_latency",
		.title = "one message and its answer, core to core",
		.size = "bytes",
		.ratios = {
			{ "x ipi_idle", "round_trip", "*", "ipi_idle", "round_trip", -1, 0 },
			{ "x ipi_busy", "round_trip", "*", "ipi_busy", "round_trip", -1, 0 },
		},
	}, {
		.test = "urpc_throughput",
		.title = "messages in a pipeline, by queue depth",
		.size = "depth",
		.ratios = {
			{ "x depth 1", "throughput", "*", "*", "throughput", 1, 0 },
		},
	}, {
		.test = "shm_vs_msg",
		.title = "updating 1 to 8 cache lines: shared memory against messages to a server",
		.size = "clients",
		.pivot = 1,
		.ratios = {
			{ "SHM/MSG", "cost", "SHM*", "MSG*", "cost", -1, 0 },
		},
	},
	{
		.test = "storm",
		.title = "is everything delivered when all talk at once?",
		.size = "messages",
	},
	{
		.test = "routes",
		.title = "has whoever acknowledges done what was asked?",
		.size = "messages",
	},
	{
		.test = "trees",
		.title = "to n cores and back over a tree: measured, and predicted",
		.size = "cores",
		.ratios = {
			{ "x predicted", "cost", "*", "*", "predicted", -1, 0 },
			{ "x calibrated", "cost", "*", "*", "calibrated", -1, 0 },
		},
	},
	{
		.test = "message_size",
		.title = "a call by its size, in the message or in shared memory",
		.size = "bytes",
		.ratios = {
			{ "msg/shared", "round_trip", "message", "shared", "round_trip", -1, 0 },
		},
	}, {
		.test = "placement",
		.title = "the same round trip, by the ring's node",
		.size = "bytes",
		.ratios = {
			{ "x receiver", "round_trip", "*", "receiver", "round_trip", -1, 1 },
		},
	}, {
		.test = "notify",
		.title = "how a receiver waits: polling, MWAIT, block and wake",
		.size = "bytes",
		.ratios = {
			{ "x poll", "round_trip", "*", "poll", "round_trip", -1, 0 },
		},
	}, {
		.test = "polling_model",
		.title = "waiting t cycles for a message, polling P of them, against the model",
		.size = "t",
		.pivot = 1,
		.hidden = { "arrival", "bound", "handoff", "poll", "predicted" },
		.ratios = {
			{ "x model", "cost", "P=*", "P=*", "predicted", -1, 0 },
			{ "x 2C", "cost", "P=*", "P=*", "bound", -1, 0 },
		},
	},
	{
		.test = "rings",
		.title = "a call and its reply, and a stream, by what carries them",
		.size = "bytes",
		.ratios = {
			{ "x line", "round_trip", "*", "line", "round_trip", -1, 1 },
			{ "x ring", "throughput", "*", "ring", "throughput", -1, 1 },
		},
	}, {
		.test = "growth",
		.title = "a round trip beside idle channels",
		.size = "channels",
		.ratios = {
			{ "x none", "round_trip", "*", "*", "round_trip", 0, 1 },
		},
	},
	{ .test = "costs", .title = "what a message costs its sender and its receiver",
	  .size = "messages" },
	{ .test = "shootdown_protocols", .title = "shootdown, no invalidation", .size = "cores" },
	{
		.test = "unmap",
		.title = "unmap of real memory, end to end",
		.size = "cores",
		.pivot = 1,
		.ratios = {
			{ "x linux", "cost*", "*", "linux", "*", -1, 1 },
			{ "x ipi", "cost*", "*", "ipi", "*", -1, 1 },
		},
	},
	{ .test = "two_phase_commit", .title = "agreement in two phases", .size = "cores" },
	{
		.test = "home_node",
		.title = "page tables on the CPU's own node and on another",
		.size = "bytes",
		.ratios = {
			{ "x local", "*", "remote", "local", "*", -1, 1 },
		},
	},
	{
		.test = "global_mapping",
		.title = "a mapping that nodes share, made and taken away",
		.size = "nodes",
		.ratios = {
			{ "x ipi", "unmap", "*", "ipi", "unmap", -1, 0 },
		},
	},
	{ .test = "model_nodes", .title = "unmap, one core of each node", .size = "nodes",
	  .pivot = 1 },
	{ .test = "mirror_ops", .title = "calls that change page tables", .size = "nodes" },
	{ .test = "mirror_locality", .title = "page walks on their own node", .size = "pages" },
	{ .test = "pager", .title = "faults that user level serves", .size = "nodes" },
};

#define NR_LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

/* The module's samples are whole numbers, so that it needs small units. */
static const struct {
	const char *unit, *shown;
	double divisor;
} units[] = {
	{ "msg/Mcycle", "messages per 1000 cycles", 1000 },
};

double layout_unit(const char **unit)
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(*unit, units[i].unit)) {
			*unit = units[i].shown;
			return units[i].divisor;
		}
	}
	return 1;
}

size_t layout_order(const char *test)
{
	size_t i;

	for (i = 0; i < NR_LAYOUTS; i++)
		if (!strcmp(layouts[i].test, test))
			break;
	return i;
}

const struct layout *layout_find(const char *test)
{
	static const struct layout plain;
	size_t i = layout_order(test);

	return i < NR_LAYOUTS ? &layouts[i] : &plain;
}
