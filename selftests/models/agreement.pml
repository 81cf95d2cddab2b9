/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agreement (shootdown/agree.h): two-phase commit among replicas, with members
 * that come and go and coordinators that are cancelled, every interleaving.
 *
 * NODES nodes, of which the first MEMBERS are members at the start. The table
 * has two slots, a and b, both free; a retyping changes both. The transactions:
 *
 *	RETYPE[0], RETYPE[1]	coordinated by nodes 0 and 1; the second one only
 *				with TWO
 *	CHANGE			of the membership: with JOIN, the node after the
 *				last member joins; with DIES, that node 0 has
 *				gone is agreed on, and with COMES_BACK it joins
 *				again instead
 *
 * A transaction's log belongs to a process and survives the CPU that the
 * coordinator runs on. Any transaction may be cancelled in the first phase, or
 * ask for a vote a second time. With DIES, node 0 goes off line at any time:
 * what was on its way to it is lost, and what was on its way from it may be.
 *
 * With RELAY a retyping that node n begins goes along a tree (shootdown/pass.c): its
 * question and its decision to the node after n, which passes them on to the one
 * after that, and answers for both. Whoever did not answer may be asked by itself
 * besides, as always. With FIRST, node FIRST begins the first retyping.
 *
 * Shown, when all transactions have ended (that they do is shown as well): no
 * live member has anything locked, all live members have the same table and
 * view, the table shows what was reported, at most one of two conflicting
 * transactions succeeded; and at the moment when success is reported, every
 * live member shows it.
 *
 * There is a switch for each broken model, named in run.sh.
 */
#ifndef NODES
#define NODES	3
#endif
#ifndef MEMBERS
#define MEMBERS	3
#endif

#ifndef DEPTH
#define DEPTH	6
#endif

#define NONE	255
#define CHANGE	2
#define TXNS	3

#ifdef DIES
#define SUBJECT	0
#else
#define SUBJECT	MEMBERS
#endif

#if defined(JOIN) || defined(COMES_BACK)
#define JOINS	1
#else
#define JOINS	0
#endif

#define BIT(n)		(1 << (n))
#define HAS(set, n)	(((set) >> (n)) & 1)

#ifndef FIRST
#define FIRST	0
#endif

/* The tree of RELAY, and who began a retyping. */
#define BEGAN(t)	((t) == 0 -> FIRST : 1)
#define BELOW(t)	((BEGAN(t) + 1) % 3)
#define LAST(t)		((BEGAN(t) + 2) % 3)

#ifdef RELAY
mtype = { PASS, ASK, SUB_YES, SUB_NO, TELL_COMMIT, TELL_ABORT, SUB_DONE };
#endif
mtype = { PREPARE, YES, NO, COMMIT, ABORT, DONE, UNDECIDED, FAILED };

typedef node_t {
	bit alive, joined;
	bit a, b;		/* the table */
	byte lock;		/* a retyping that it has voted yes to */
	byte change;		/* a change of membership, likewise, or deferred */
	bit deferred;		/* its vote is still to come */
	byte asked;		/* by whom it was prepared */
	byte view, members;
	byte seen;		/* transactions that need no vote any more */
#ifdef RELAY
	mtype waits;		/* for this from the node below; or 0 */
	bit against;		/* itself */
#endif
};

typedef txn_t {
	byte at;		/* node that coordinates; NONE if it has gone */
	byte view, members;	/* of its start: who votes */
	byte yes, votes, done;
	bit no;
	mtype outcome;
#ifdef RELAY
	bit passed;		/* the question went along the tree */
#endif
};

node_t node[NODES];
txn_t txn[TXNS];
byte ended;
bit expected;		/* the table, as reported */

/* wire[from * NODES + to]: kind, transaction, view */
chan wire[NODES * NODES] = [DEPTH] of { mtype, byte, byte };

#define WIRE(x, y)	wire[(x) * NODES + (y)]

/* To the coordinator @n of t; what comes too late for a vote means nothing. */
inline answer(at_, by, verdict, id)
{
	if
	:: txn[id].at == at_ && verdict == YES && txn[id].outcome == UNDECIDED ->
		txn[id].yes = txn[id].yes | BIT(by);
		txn[id].votes++
	:: txn[id].at == at_ && verdict == NO && txn[id].outcome == UNDECIDED ->
		txn[id].no = 1
	:: txn[id].at == at_ && verdict == DONE && txn[id].outcome != UNDECIDED ->
		txn[id].done = txn[id].done | BIT(by)
	:: else
	fi
}

/* A message to a node that is gone fails. */
inline post(x, y, message, xn)
{
	if
	:: x == y -> answer(x, y, message, xn)
	:: x != y && node[x].alive && node[y].alive ->
		assert(nfull(WIRE(x, y)));
		WIRE(x, y)!message, xn, txn[xn].view
	:: else
	fi
}

/* --- participants ------------------------------------------------------------ */

#ifdef NO_SEEN
#define SEEN(n, t)	0
#else
#define SEEN(n, t)	HAS(node[n].seen, t)
#endif

#ifdef NO_VIEW
#define SAME_VIEW(n, v)	1
#else
#define SAME_VIEW(n, v)	(node[n].view == (v))
#endif

#ifdef JOIN_WITHOUT_DRAIN
#define DRAINED(n)	1
#else
#define DRAINED(n)	(node[n].lock == NONE)
#endif

#ifdef JOIN_WITHOUT_FREEZE
#define FROZEN(n)	0
#else
#define FROZEN(n)	(node[n].change != NONE)
#endif

#define MAY_LOCK(n, v)							\
	(node[n].joined && SAME_VIEW(n, v) && !FROZEN(n) &&		\
	 node[n].lock == NONE && !node[n].a && !node[n].b)
#define MAY_CHANGE(n, v)						\
	(node[n].joined && SAME_VIEW(n, v) && node[n].change == NONE)

inline prepare(voter, asker, what, since)
{
	if
	:: node[voter].lock == what || (node[voter].change == what && !node[voter].deferred) ->
		post(voter, asker, YES, what)
	:: node[voter].change == what && node[voter].deferred ->
		node[voter].asked = asker
	:: else ->
		if
		:: SEEN(voter, what) -> post(voter, asker, NO, what)
		:: !SEEN(voter, what) && what != CHANGE && MAY_LOCK(voter, since) ->
			node[voter].lock = what;
			post(voter, asker, YES, what)
		:: !SEEN(voter, what) && what == CHANGE && MAY_CHANGE(voter, since) ->
			node[voter].change = what;
			if
			:: DRAINED(voter) -> post(voter, asker, YES, what)
			:: else ->
				node[voter].deferred = 1;
				node[voter].asked = asker
			fi
		:: else -> post(voter, asker, NO, what)
		fi
	fi;
	node[voter].seen = node[voter].seen | BIT(what)
}

inline decide(who, how, which)
{
	node[who].seen = node[who].seen | BIT(which);
	if
	:: node[who].lock == which ->
		node[who].a = node[who].a | (how == COMMIT);
		node[who].b = node[who].b | (how == COMMIT);
		node[who].lock = NONE
	:: node[who].change == which ->
		if
		:: how == COMMIT ->
			node[who].view++;
			node[who].members = (node[who].members & ~BIT(SUBJECT)) |
					  (JOINS << SUBJECT)
		:: else
		fi;
		node[who].change = NONE;
		node[who].deferred = 0
	:: else
	fi;
	/* what waited for the last lock */
	if
	:: node[who].deferred && node[who].lock == NONE ->
		node[who].deferred = 0;
		post(who, node[who].asked, YES, node[who].change)
	:: else
	fi
}

#ifdef RELAY

/* A vote, as in prepare(). */
inline ballot(voter, what, since)
{
	if
	:: node[voter].lock == what -> yes = 1
	:: node[voter].lock != what && !SEEN(voter, what) && MAY_LOCK(voter, since) ->
		node[voter].lock = what;
		yes = 1
	:: else -> yes = 0
	fi;
	node[voter].seen = node[voter].seen | BIT(what)
}

#ifdef RELAY_EARLY
#define WAITS_FOR(x)	0
#else
#define WAITS_FOR(x)	node[x].alive
#endif

#define IS_FIRST(n, t)	((n) == BELOW(t))

/*
 * The node below the first one passes on, and waits for the last one: what is to be
 * said, and to whom, is left in say and to.
 */
inline relay(who, sender, kind_, id, since)
{
	to = NONE;
	if
	:: kind_ == PASS || kind_ == ASK ->
		ballot(who, id, since);
		say = (yes -> SUB_YES : SUB_NO);
		to = sender;
		if
		:: kind_ == PASS && WAITS_FOR(LAST(id)) ->
			node[who].against = !yes;
			node[who].waits = SUB_YES;
			say = ASK;
			to = LAST(id)
#ifndef RELAY_EARLY
		/* it does not know of the other one */
		:: kind_ == PASS && !WAITS_FOR(LAST(id)) && yes -> to = NONE
#endif
		:: else
		fi
	:: kind_ == SUB_YES || kind_ == SUB_NO ->
		if
		:: who == BEGAN(id) && txn[id].at == who && txn[id].outcome == UNDECIDED ->
			if
			:: kind_ == SUB_YES ->
				txn[id].yes = txn[id].yes | BIT(BELOW(id)) | BIT(LAST(id))
			:: else -> txn[id].no = 1
			fi
		:: who != BEGAN(id) && node[who].waits == SUB_YES ->
			node[who].waits = 0;
			say = (kind_ == SUB_YES && !node[who].against -> SUB_YES : SUB_NO);
			to = BEGAN(id)
		:: else
		fi
	:: kind_ == TELL_COMMIT || kind_ == TELL_ABORT ->
		say = SUB_DONE;
		to = sender;
		if
		:: IS_FIRST(who, id) ->
			node[who].waits = SUB_DONE;
			say = kind_;
			to = LAST(id)
		:: else
		fi
	:: kind_ == SUB_DONE ->
		if
		:: who == BEGAN(id) && txn[id].at == who && txn[id].outcome != UNDECIDED ->
			txn[id].done = txn[id].done | BIT(BELOW(id)) | BIT(LAST(id))
		:: who != BEGAN(id) && node[who].waits == SUB_DONE ->
			node[who].waits = 0;
			say = SUB_DONE;
			to = BEGAN(id)
		:: else
		fi
	:: else -> answer(who, sender, kind_, id)
	fi;
	if
	:: to != NONE -> post(who, to, say, id)
	:: else
	fi;
	say = 0;
	to = 0;
	yes = 0
}

#define OTHERS(who, sender, message, id, since)	relay(who, sender, message, id, since)
#define TELLS(kind)	(kind == COMMIT || kind == ABORT ||		\
			 kind == TELL_COMMIT || kind == TELL_ABORT)
#define OUTCOME(kind)	(kind == COMMIT || kind == TELL_COMMIT -> COMMIT : ABORT)
#else
#define OTHERS(who, sender, message, id, since)	answer(who, sender, message, id)
#define TELLS(kind)	(kind == COMMIT || kind == ABORT)
#define OUTCOME(kind)	kind
#endif

#define COMES(from)	nempty(WIRE(from, me))

proctype replica(byte me)
{
	mtype kind;
	byte t, v, from;
#ifdef RELAY
	mtype say;
	byte to;
	bit yes;
#endif

end:	do
	:: atomic { COMES(0) || COMES(1) || COMES(2) ->
		if
		:: COMES(0) -> from = 0
		:: COMES(1) -> from = 1
		:: COMES(2) -> from = 2
		fi;
		WIRE(from, me)?kind, t, v;
		if
		:: node[me].alive && TELLS(kind) -> decide(me, OUTCOME(kind), t)
		:: else
		fi;
		if
		:: !node[me].alive
		:: node[me].alive && kind == PREPARE -> prepare(me, from, t, v)
		:: node[me].alive && (kind == COMMIT || kind == ABORT) ->
			post(me, from, DONE, t)
		:: else -> OTHERS(me, from, kind, t, v)
		fi;
		kind = 0;
		t = 0;
		v = 0;
		from = 0
		}
	od
}

/* --- coordinators ------------------------------------------------------------ */

#define VOTED(t)	((txn[t].yes & txn[t].members) == txn[t].members)
#ifdef COUNT_VOTES
#define UNANIMOUS(t)	(txn[t].votes == SIZE(txn[t].members))
#elif defined(COMMIT_EARLY)
#define UNANIMOUS(t)	(txn[t].votes + 1 >= SIZE(txn[t].members))
#else
#define UNANIMOUS(t)	VOTED(t)
#endif
#define SIZE(set)	(HAS(set, 0) + HAS(set, 1) + HAS(set, 2))
#define GONE(n)		(!node[n].alive)
#define FINISHED(t, n)	(!HAS(txn[t].members, n) || HAS(txn[t].done, n) || GONE(n))

/*
 * To every member whose bit is not in @set, in one go: the thread that does it
 * cannot be stopped on the way, but what it sends may be lost.
 */
inline post_all(t, kind, set)
{
	atomic {
		do
		:: n < NODES ->
			if
			:: txn[t].at != NONE && txn[t].at != n &&
			   HAS(txn[t].members & ~(set), n) ->
				post(txn[t].at, n, kind, t)
			:: txn[t].at == n && HAS(txn[t].members & ~(set), n) ->
				if
				:: kind == PREPARE ->
					prepare(n, n, t, txn[t].view)
				:: else ->
					decide(n, kind, t);
					post(n, n, DONE, t)
				fi
			:: else
			fi;
			n++
		:: else -> break
		od;
		n = 0
	}
}

#ifdef RELAY
/* Along the tree, if its first node can be reached and nobody has taken over. */
inline pass_all(t, question)
{
	atomic {
		passes = t != CHANGE && txn[t].at == BEGAN(t) &&
			 node[BELOW(t)].alive && txn[t].members == 7 &&
			 (question || txn[t].passed);
		if
		:: passes && question ->
			txn[t].passed = 1;
			prepare(txn[t].at, txn[t].at, t, txn[t].view);
			post(txn[t].at, BELOW(t), PASS, t)
		:: passes && !question ->
			txn[t].passed = 0;
			decide(txn[t].at, txn[t].outcome, t);
			txn[t].done = txn[t].done | BIT(txn[t].at);
			if
			:: txn[t].outcome == COMMIT ->
				post(txn[t].at, BELOW(t), TELL_COMMIT, t)
			:: else -> post(txn[t].at, BELOW(t), TELL_ABORT, t)
			fi
		:: else
		fi
	}
}
#endif

/* Some live node that can send: the process moves there. */
inline move(t)
{
	if
	:: atomic { node[1].alive -> txn[t].at = 1 }
	:: atomic { node[2].alive && NODES > 2 -> txn[t].at = 2 }
	fi
}

/* Its members, and its view, as one node knows them. */
inline begin(t, home, knows)
{
	atomic {
		if
		:: node[home].alive && node[knows].joined ->
			txn[t].at = home;
			txn[t].view = node[knows].view;
			txn[t].members = node[knows].members;
			if
			:: t == CHANGE ->
				txn[t].members = txn[t].members & ~BIT(SUBJECT)
			:: else
			fi
		:: else -> goto end_of_it
		fi
	}
}

proctype coordinator(byte t; byte home; byte knows)
{
	byte n;
	bit asked_twice, copy_a, copy_b;
#ifdef RELAY
	bit passes;
#endif

#ifdef DIES
	if
	:: t == CHANGE ->
		if
		:: node[0].alive -> goto end_of_it	/* it stays */
		:: !node[0].alive
		fi;
		if
		:: JOINS -> node[0].alive = 1
		:: else
		fi
	:: else
	fi;
#endif
	begin(t, home, knows);
#ifdef RELAY
	pass_all(t, 1);
	if
	:: passes
	:: else -> post_all(t, PREPARE, 0)
	fi;
#else
	post_all(t, PREPARE, 0);
#endif
	do
	:: txn[t].at == NONE -> break			/* its CPU went */
	:: txn[t].no -> break
	:: true -> break				/* cancelled, or too late */
#ifdef TWICE
	:: atomic { !asked_twice && txn[t].at != NONE -> asked_twice = 1 };
		post_all(t, PREPARE, txn[t].yes)
#endif
	/* who has gone has no vote */
	:: atomic { txn[t].at != NONE && GONE(0) && HAS(txn[t].members, 0) &&
		    !HAS(txn[t].yes, 0) -> txn[t].yes = txn[t].yes | BIT(0) }
	:: UNANIMOUS(t) ->
		if
		:: t == CHANGE && JOINS ->
			copy_a = node[knows].a;
			copy_b = node[knows].b
		:: else
		fi;
		atomic {
			if
			:: txn[t].at != NONE -> txn[t].outcome = COMMIT
			:: else
			fi
		};
		break
	od;
#ifdef NO_TAKEOVER
	if
	:: txn[t].at == NONE -> goto end_of_it
	:: else
	fi;
#endif
	atomic {
		if
		:: txn[t].outcome == UNDECIDED -> txn[t].outcome = ABORT
		:: else
		fi;
		txn[t].yes = 0;
		txn[t].votes = 0;
		txn[t].no = 0;
		asked_twice = 0;
		if
		:: t == CHANGE && JOINS && txn[t].outcome == COMMIT &&
		   txn[t].at != NONE ->
			node[home].a = copy_a;
			node[home].b = copy_b;
			node[home].view = txn[t].view + 1;
			node[home].members = txn[t].members | BIT(home);
			node[home].joined = 1
		:: else
		fi
	};
again:	if
	:: txn[t].at == NONE -> move(t)
	:: else
	fi;
#ifdef RELAY
	pass_all(t, 0);
	if
	:: passes
	:: else -> post_all(t, txn[t].outcome, txn[t].done)
	fi;
#else
	post_all(t, txn[t].outcome, txn[t].done);
#endif
	do
	:: FINISHED(t, 0) && FINISHED(t, 1) && FINISHED(t, 2) -> break
	:: txn[t].at == NONE ->
#ifdef TRUST_THE_RING
		break
#else
		goto again
#endif
	/* nothing is under way, and yet it is not done: say it again */
#ifndef TRUST_THE_RING
	:: atomic { txn[t].at != NONE && !FINISHED(t, 0) &&
		    empty(WIRE(txn[t].at, 0)) && empty(WIRE(0, txn[t].at)) ->
		post(txn[t].at, 0, txn[t].outcome, t) }
#ifdef RELAY
	:: atomic { txn[t].at != NONE && txn[t].at != 1 && !FINISHED(t, 1) &&
		    empty(WIRE(txn[t].at, 1)) && empty(WIRE(1, txn[t].at)) ->
		post(txn[t].at, 1, txn[t].outcome, t) }
	:: atomic { txn[t].at != NONE && txn[t].at != 2 && !FINISHED(t, 2) &&
		    empty(WIRE(txn[t].at, 2)) && empty(WIRE(2, txn[t].at)) ->
		post(txn[t].at, 2, txn[t].outcome, t) }
#endif
#endif
	od;
	atomic {
		if
		:: t != CHANGE && txn[t].outcome == COMMIT ->
			assert(!expected);
			expected = 1;
			n = 0;
			do
			:: n < NODES ->
				assert(!node[n].joined ||
				       (node[n].a && node[n].b));
				n++
			:: else -> break
			od
		:: else
		fi
	};
end_of_it:
	atomic { ended++; n = 0 }
}

/* Node 0 goes off line. What it has sent arrives, or does not. */
proctype fate()
{
	byte kind, t, v, n;

	if
	:: atomic { true ->
		node[0].alive = 0;
		node[0].joined = 0;
		node[0].lock = NONE;
		node[0].change = NONE;
		node[0].deferred = 0;
#ifdef RELAY
		node[0].waits = 0;
#endif
		t = 0;
		do
		:: t < TXNS ->
			if
			:: txn[t].at == 0 -> txn[t].at = NONE
			:: else
			fi;
			t++
		:: else -> break
		od;
		n = 0;
		do
		:: n < NODES ->
			do
			:: nempty(WIRE(n, 0)) -> WIRE(n, 0)?_, _, _
			:: empty(WIRE(n, 0)) -> break
			od;
			if
			:: true ->
				do
				:: nempty(WIRE(0, n)) -> WIRE(0, n)?_, _, _
				:: empty(WIRE(0, n)) -> break
				od
			:: true
			fi;
			n++
		:: else -> break
		od;
		t = 0;
		n = 0
		}
	:: true			/* it stays */
	fi
}

#ifdef TWO
#define SECOND	1
#else
#define SECOND	0
#endif
#if defined(JOIN) || defined(DIES)
#define THIRD	1
#else
#define THIRD	0
#endif
#if defined(JOIN) || defined(COMES_BACK)
#define HOME	SUBJECT
#else
#define HOME	1
#endif

init {
	byte n, m;

	atomic {
		do
		:: n < NODES ->
			node[n].alive = 1;
			node[n].lock = NONE;
			node[n].change = NONE;
			if
			:: n < MEMBERS ->
				node[n].joined = 1;
				node[n].members = BIT(MEMBERS) - 1
			:: else
			fi;
			n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < TXNS ->
			txn[n].outcome = UNDECIDED;
			txn[n].at = NONE;
			n++
		:: else -> break
		od;
		n = 0;
		run replica(0);
		run replica(1);
		run replica(2);
		run coordinator(0, FIRST, FIRST);
		if
		:: SECOND -> run coordinator(1, 1, 1)
		:: else
		fi;
		if
		:: THIRD -> run coordinator(CHANGE, HOME, 1)
		:: else
		fi;
#ifdef DIES
		run fate()
#endif
	}

	/* Everything has ended, and nothing is under way. */
	(ended == 1 + SECOND + THIRD &&
	 empty(WIRE(0, 0)) && empty(WIRE(0, 1)) && empty(WIRE(0, 2)) &&
	 empty(WIRE(1, 0)) && empty(WIRE(1, 1)) && empty(WIRE(1, 2)) &&
	 empty(WIRE(2, 0)) && empty(WIRE(2, 1)) && empty(WIRE(2, 2)));
	d_step {
		n = 0;
		do
		:: n < NODES ->
			if
			:: node[n].joined ->
				assert(node[n].lock == NONE);
				assert(node[n].change == NONE);
				assert(node[n].a == expected);
				assert(node[n].b == expected);
				assert(node[n].view == node[1].view);
				assert(node[n].members == node[1].members)
			:: else
			fi;
			n++
		:: else -> break
		od
	}
}
