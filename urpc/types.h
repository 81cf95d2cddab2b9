/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Message types: one line here, one handler where it belongs.
 */
#ifndef MK_URPC_TYPES_H
#define MK_URPC_TYPES_H

/*
 * MK_MESSAGE_TYPES(X) - every type, X(symbol, name in traces)
 *
 * BYE ends one direction of a channel, PING is answered with the time it was
 * dispatched at, STREAM is counted, UPDATE has the receiver write lines of its
 * own, SUM has it add up lines that it is sent or shown, STORM checks delivery.
 * ROUTES has members of a route write its number down.
 * Agreement: PREPARE asks for a VOTE, DECIDE tells the outcome and is answered by
 * DONE, FETCH asks for a part of a replica, COPY brings it. PASS asks or tells a
 * whole subtree, for which PASSED answers. SHOOTDOWN has the receiver flush
 * translations. HOME has it update its node's page tables.
 */
#define MK_MESSAGE_TYPES(X)	\
	X(NONE, "none")		\
	X(BYE, "bye")		\
	X(PING, "ping")		\
	X(STREAM, "stream")	\
	X(UPDATE, "update")	\
	X(SUM, "sum")		\
	X(STORM, "storm")	\
	X(ROUTES, "routes")	\
	X(PREPARE, "prepare")	\
	X(VOTE, "vote")		\
	X(DECIDE, "decide")	\
	X(DONE, "done")		\
	X(FETCH, "fetch")	\
	X(COPY, "copy")		\
	X(SHOOTDOWN, "shootdown") \
	X(HOME, "home")		\
	X(TREES, "trees")	\
	X(PASS, "pass")		\
	X(PASSED, "passed")

enum mk_type {
#define MK_TYPE_ENUM(symbol, name)	MK_TYPE_##symbol,
	MK_MESSAGE_TYPES(MK_TYPE_ENUM)
#undef MK_TYPE_ENUM
	MK_TYPES
};

#endif /* MK_URPC_TYPES_H */
