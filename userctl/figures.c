// SPDX-License-Identifier: GPL-2.0
/*
 * The figures that there are, in the order in which a section has them.
 */
#include <string.h>

#include "figure.h"

#define ASIDE "control*", "quiet", "server*"
/* Of unmap: what is there twice, to show how far equals differ. */
#define AGAIN "ipi-again", "unicast-again", "adaptive-again"

static const struct figure figures[] = {
	{
		.id = "table-2-latency", .test = "urpc_latency", .rows = 1,
		.title = "One message, and one with its answer",
		.paper = "SOSP'09, table 2", .metrics = { "half_trip", "one_way", "round_trip" },
	}, {
		.id = "table-2-throughput", .test = "urpc_throughput",
		.title = "Messages in a pipeline", .paper = "SOSP'09, table 2",
		.at = "queue depth, messages", .metrics = { "throughput" },
		.skip = { ASIDE },
	}, {
		.id = "figure-3", .test = "shm_vs_msg",
		.title = "Updating shared lines: by shared memory, by messages to a server",
		.paper = "SOSP'09, figure 3", .at = "clients",
		.metrics = { "cost" }, .skip = { ASIDE },
	}, {
		.id = "figure-6", .test = "shootdown_protocols",
		.title = "Shootdown protocols, nothing invalidated",
		.paper = "SOSP'09, figure 6", .at = "cores",
		.metrics = { "cost" }, .skip = { ASIDE },
	}, {
		.id = "figure-6-counts", .test = "shootdown_protocols",
		.title = "What one operation sends", .rows = 1, .largest = "cores",
		.value = "number for each operation",
		.metrics = { "messages", "ipis" }, .skip = { ASIDE },
	}, {
		.id = "figure-7", .test = "unmap",
		.title = "Unmap, end to end", .paper = "SOSP'09, figure 7",
		.at = "cores", .metrics = { "cost" }, .skip = { ASIDE, AGAIN, "agents" },
	}, {
		.id = "unmap-targets", .test = "unmap",
		.title = "Unmap by what its targets do: wait, work, sleep, or all of these",
		.rows = 1, .largest = "cores",
		.metrics = { "cost", "cost_busy", "cost_blocked", "cost_mix" },
		.skip = { ASIDE, "agents" },
	}, {
		.id = "unmap-warm", .test = "unmap",
		.title = "The same, operation after operation: caches are warm",
		.rows = 1, .largest = "cores",
		.metrics = { "cost_warm", "cost_busy_warm", "cost_blocked_warm",
			     "cost_mix_warm" },
		.skip = { ASIDE, "agents" },
	}, {
		.id = "unmap-disturbance", .test = "unmap",
		.title = "What a busy target gets done meanwhile: more is better",
		.rows = 1, .largest = "cores", .metrics = { "loops" }, .skip = { AGAIN },
	}, {
		.id = "unmap-counts", .test = "unmap",
		.title = "What one unmap sends", .rows = 1, .largest = "cores",
		.value = "number for each unmap",
		.metrics = { "messages", "ipis" }, .skip = { ASIDE, AGAIN, "agents" },
	}, {
		.id = "figure-8", .test = "two_phase_commit",
		.title = "Agreement in two phases, single and pipelined",
		.paper = "SOSP'09, figure 8", .at = "cores",
		.note = "The paper has a plot of this, without values to set beside ours.",
		.metrics = { "cost" }, .skip = { ASIDE },
	}, {
		.id = "figure-8-counts", .test = "two_phase_commit",
		.title = "Messages for one change", .at = "cores",
		.metrics = { "messages" }, .skip = { ASIDE },
	}, {
		.id = "model-nodes", .test = "model_nodes",
		.title = "Unmap by nodes, one core of each", .at = "nodes",
		.metrics = { "cost" },
	}, {
		.id = "notify", .test = "notify", .rows = 1,
		.title = "How a receiver waits", .metrics = { "round_trip" },
	}, {
		.id = "handoff", .test = "notify", .rows = 1,
		.title = "What it costs to block and be woken, C",
		.paper = "SOSP'09, section 5.2", .metrics = { "handoff" },
	}, {
		.id = "section-5-2", .test = "polling_model",
		.title = "Polling P cycles before blocking, by when the message comes",
		.paper = "SOSP'09, section 5.2", .at = "t, cycles until the message comes",
		.metrics = { "cost" }, .skip = { ASIDE }, .one_pair = 1,
	}, {
		.id = "section-5-2-model", .test = "polling_model",
		.title = "What the model says of the same: min(t, P + C)",
		.paper = "SOSP'09, section 5.2", .at = "t, cycles until the message comes",
		.metrics = { "predicted" }, .skip = { ASIDE }, .one_pair = 1,
	}, {
		.id = "placement", .test = "placement", .rows = 1,
		.title = "A round trip by where the ring lies",
		.metrics = { "round_trip" },
	}, {
		.id = "message-size", .test = "message_size",
		.title = "A call by its size", .at = "bytes of arguments",
		.metrics = { "round_trip" }, .skip = { ASIDE },
	}, {
		.id = "growth", .test = "growth",
		.title = "A round trip beside idle channels", .at = "idle channels",
		.metrics = { "round_trip" }, .skip = { ASIDE },
	}, {
		.id = "rings-latency", .test = "rings", .rows = 1,
		.title = "A call and its reply, by what carries them",
		.metrics = { "round_trip" },
	}, {
		.id = "rings-throughput", .test = "rings", .rows = 1,
		.title = "A stream, by what carries it", .metrics = { "throughput" },
	}, {
		.id = "global-establish", .test = "global_mapping",
		.title = "A mapping that nodes share: until each has it in its own tables",
		.at = "nodes", .metrics = { "establish" }, .skip = { ASIDE },
	}, {
		.id = "global-unmap", .test = "global_mapping",
		.title = "Until no CPU of these nodes can use the mapping any more",
		.at = "nodes", .metrics = { "unmap" }, .skip = { ASIDE },
	}, {
		.id = "global-counts", .test = "global_mapping",
		.title = "What one mapping and its unmap take", .rows = 1, .largest = "nodes",
		.metrics = { "faults", "messages", "ipis" }, .skip = { ASIDE },
	}, {
		.id = "home-node", .test = "home_node", .by_variant = 1,
		.title = "Tables on the CPU's own node and on another",
		.metrics = { "walk", "fault", "map", "unmap" }, .skip = { ASIDE },
	}, {
		.id = "mirror-ratio", .test = "mirror_ops", .by_variant = 1, .largest = "nodes",
		.title = "What calls cost that change page tables, as multiples of unmirrored",
		.value = "times unmirrored", .metrics = { "*_ratio" },
		.note = "Mitosis, table 5: mmap and munmap 1.07 to 1.09, mprotect 1.07 to 4.3.",
	}, {
		.id = "mirror-calls", .test = "mirror_ops", .by_variant = 1, .largest = "nodes",
		.title = "The same in cycles", .unit = "cycles", .metrics = { "*p" },
	}, {
		.id = "mirror-locality", .test = "mirror_locality", .by_variant = 1,
		.title = "What page walks read on the CPU's own node: more is better",
		.value = "share of tables read", .metrics = { "local" },
	}, {
		.id = "mirror-loops", .test = "mirror_locality", .by_variant = 1,
		.title = "What a program gets read that does little else: more is better",
		.metrics = { "loops" },
	}, {
		.id = "pager-ratio", .test = "pager", .by_variant = 1, .largest = "nodes",
		.title = "Faults and unmaps by who serves them, as multiples of userfaultfd",
		.value = "times userfaultfd", .metrics = { "*_ratio" }, .skip = { ASIDE },
	}, {
		.id = "pager-cycles", .test = "pager", .by_variant = 1, .largest = "nodes",
		.title = "The same in cycles", .unit = "cycles", .metrics = { "*" },
	}, {
		.id = "pager-establish", .test = "pager", .at = "nodes",
		.title = "A page that nodes share: until each has it in its own tables",
		.metrics = { "establish" }, .skip = { ASIDE },
	}, {
		.id = "pager-unmap", .test = "pager", .at = "nodes",
		.title = "Until no node has it any more, and all who serve know",
		.metrics = { "unmap" }, .skip = { ASIDE },
	}, {
		.id = "costs-send", .test = "costs", .one_pair = 1,
		.title = "What messages cost who sends them", .at = "messages in a row",
		.metrics = { "send" },
	}, {
		.id = "costs-receive", .test = "costs", .one_pair = 1,
		.title = "What messages cost who receives them", .at = "messages in a row",
		.metrics = { "receive" },
	}, {
		.id = "routes", .test = "routes", .by_variant = 1,
		.largest = "messages of each root",
		.title = "Who acknowledged, and who did so without having done it",
		.note = "A message has as many acknowledgments as its root has members.",
		.metrics = { "operations", "acknowledged", "missing", "unserved", "corrupted" },
		.skip = { ASIDE },
	}, {
		.id = "trees", .test = "trees",
		.title = "To all cores and back over a tree, by how that is made",
		.at = "cores", .metrics = { "cost" }, .skip = { ASIDE },
	}, {
		.id = "trees-error", .test = "trees", .rows = 1, .largest = "cores",
		.title = "How far what was predicted is off the median",
		.note = "Calibrated: times what two cores took over what was predicted for them.",
		.metrics = { "error", "calibrated_error" }, .skip = { ASIDE },
	}, {
		.id = "storm", .test = "storm", .by_variant = 1, .largest = "messages of each flow",
		.title = "What was sent, what came, and what came wrong",
		.metrics = { "sent", "received", "lost", "duplicated", "reordered", "corrupted" },
		.skip = { ASIDE },
	}, {
		.id = "storm-wakes", .test = "storm", .by_variant = 1,
		.largest = "messages of each flow",
		.title = "Acknowledgments alone, waits for room, and wake-ups meanwhile",
		.value = "number",
		.metrics = { "acks", "credit_stalls", "blocks", "wakes", "bells", "ipis" },
		.skip = { ASIDE },
	},
};

#define NR_FIGURES (sizeof(figures) / sizeof(figures[0]))

const struct figure *figure_next(const struct figure *last, const char *test)
{
	const struct figure *f = last ? last + 1 : figures;

	for (; f < figures + NR_FIGURES; f++)
		if (!strcmp(f->test, test))
			return f;
	return NULL;
}
