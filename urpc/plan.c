// SPDX-License-Identifier: GPL-2.0
/*
 * Plans: tasks and trees as the caller has them, and the model that scores them.
 *
 * plan_by.c has the strategies of the literature, plan_search.c the search.
 */
#include "urpc/plan_priv.h"

static const char *const op_names[MK_PLAN_OPS] = {
	[MK_PLAN_BROADCAST] = "broadcast",
	[MK_PLAN_GATHER] = "gather",
	[MK_PLAN_BOTH] = "both",
	[MK_PLAN_2PC] = "2pc",
};

static const char *const strategy_names[MK_PLAN_STRATEGIES] = {
	[MK_PLAN_SEQUENTIAL] = "sequential",
	[MK_PLAN_BINARY] = "binary",
	[MK_PLAN_FIBONACCI] = "fibonacci",
	[MK_PLAN_MST] = "mst",
	[MK_PLAN_CLUSTER] = "cluster",
	[MK_PLAN_ADAPTIVE] = "adaptive",
	[MK_PLAN_SHUFFLE] = "shuffle",
};

const char *mk_plan_op_name(enum mk_plan_op op)
{
	return op_names[op];
}

const char *mk_plan_strategy_name(enum mk_plan_strategy strategy)
{
	return strategy_names[strategy];
}

/* --- memory -------------------------------------------------------------------- */

/* The next @bytes of the memory lent, or nothing but their number. */
static void *carve(char *memory, size_t *used, size_t bytes)
{
	void *at = memory ? memory + *used : NULL;

	*used += (bytes + 7) & ~(size_t)7;
	return at;
}

static void carve_links(char *memory, size_t *used, unsigned int nr,
			struct mk_plan_links *tree)
{
	tree->parent = carve(memory, used, nr * sizeof(u16));
	tree->first = carve(memory, used, nr * sizeof(u16));
	tree->last = carve(memory, used, nr * sizeof(u16));
	tree->next = carve(memory, used, nr * sizeof(u16));
	tree->prev = carve(memory, used, nr * sizeof(u16));
}

/*
 * Lays out @p in @memory; returns the bytes that takes.
 *
 * A change of a broadcast tree begins at four members at most, and what follows
 * from each reaches every member once: four entries a member in the queue, and
 * two to take back for each of these, with one more for the gather.
 */
static size_t lay_out(struct mk_planner *p, char *memory, unsigned int nr)
{
	size_t used = sizeof(*p);

	p->nr = nr;
	p->cost = carve(memory, &used, (size_t)nr * nr * sizeof(*p->cost));
	p->start = carve(memory, &used, nr * sizeof(u64));
	p->ready = carve(memory, &used, nr * sizeof(u64));
	p->sent = carve(memory, &used, nr * sizeof(u64));
	p->before = carve(memory, &used, (9 * (size_t)nr + 16) * sizeof(*p->before));
	carve_links(memory, &used, nr, &p->broadcast);
	carve_links(memory, &used, nr, &p->gather);
	carve_links(memory, &used, nr, &p->best_broadcast);
	carve_links(memory, &used, nr, &p->best_gather);
	p->node = carve(memory, &used, nr * sizeof(u16));
	p->late = carve(memory, &used, nr * sizeof(u16));
	p->queue = carve(memory, &used, (4 * (size_t)nr + 4) * sizeof(u16));
	p->order = carve(memory, &used, 2 * (size_t)nr * sizeof(u16));
	p->waits = carve(memory, &used, nr * sizeof(u16));
	p->state = carve(memory, &used, nr * sizeof(u16));
	p->peer = carve(memory, &used, nr * sizeof(u16));
	p->peers = carve(memory, &used, (nr + 1) * sizeof(u16));
	p->critical = carve(memory, &used, 2 * (size_t)nr * sizeof(u16));
	p->map = carve(memory, &used, MK_PLAN_CORES * sizeof(u16));
	return used;
}

size_t mk_plan_bytes(unsigned int nr)
{
	struct mk_planner p;

	return lay_out(&p, NULL, nr);
}

/* --- trees --------------------------------------------------------------------- */

void mk_plan_clear(struct mk_planner *p, struct mk_plan_links *tree)
{
	size_t bytes = p->nr * sizeof(u16);

	/* every byte of NIL is 0xff */
	memset(tree->parent, 0xff, bytes);
	memset(tree->first, 0xff, bytes);
	memset(tree->last, 0xff, bytes);
	memset(tree->next, 0xff, bytes);
	memset(tree->prev, 0xff, bytes);
}

void mk_plan_copy(struct mk_planner *p, struct mk_plan_links *to,
		  const struct mk_plan_links *from)
{
	size_t bytes = p->nr * sizeof(u16);

	memcpy(to->parent, from->parent, bytes);
	memcpy(to->first, from->first, bytes);
	memcpy(to->last, from->last, bytes);
	memcpy(to->next, from->next, bytes);
	memcpy(to->prev, from->prev, bytes);
	p->steps += p->nr / 8;
}

/* Makes @member a child of @parent, right after @after; NIL: its first. */
void mk_plan_attach(struct mk_plan_links *tree, u16 member, u16 parent, u16 after)
{
	u16 next = after == MK_PLAN_NIL ? tree->first[parent] : tree->next[after];

	tree->parent[member] = parent;
	tree->prev[member] = after;
	tree->next[member] = next;
	if (after == MK_PLAN_NIL)
		tree->first[parent] = member;
	else
		tree->next[after] = member;
	if (next == MK_PLAN_NIL)
		tree->last[parent] = member;
	else
		tree->prev[next] = member;
}

/* Takes @member off its parent, with all that is below it. */
void mk_plan_detach(struct mk_plan_links *tree, u16 member)
{
	u16 parent = tree->parent[member], next = tree->next[member];
	u16 prev = tree->prev[member];

	if (prev == MK_PLAN_NIL)
		tree->first[parent] = next;
	else
		tree->next[prev] = next;
	if (next == MK_PLAN_NIL)
		tree->last[parent] = prev;
	else
		tree->prev[next] = prev;
	tree->parent[member] = MK_PLAN_NIL;
}

/* Members in @order, each after its parent; returns how many the root reaches. */
unsigned int mk_plan_order(const struct mk_plan_links *tree, u16 *order)
{
	unsigned int done, nr = 1;
	u16 child;

	order[0] = 0;
	for (done = 0; done < nr; done++)
		for (child = tree->first[order[done]]; child != MK_PLAN_NIL;
		     child = tree->next[child])
			order[nr++] = child;
	return nr;
}

/* --- the model ----------------------------------------------------------------- */

/**
 * mk_plan_forward() - a member sends to its broadcast children
 * @p: planner
 * @u: member; its @start is known
 * @changed: gets the children whose @start is another than before, each of
 *	which is remembered first; or NULL
 *
 * Return: the number of them.
 */
unsigned int mk_plan_forward(struct mk_planner *p, u16 u, u16 *changed)
{
	unsigned int k = 0, nr = 0;
	u64 now = p->start[u], at;
	u16 child;

	for (child = p->broadcast.first[u]; child != MK_PLAN_NIL;
	     child = p->broadcast.next[child]) {
		now += mk_plan_send(p, u, child, k++);
		at = now + mk_plan_receive(p, u, child);
		if (changed && at != p->start[child]) {
			mk_plan_remember(p, child);
			changed[nr++] = child;
		}
		p->start[child] = at;
	}
	p->ready[u] = now;
	p->steps += k + 1;
	return nr;
}

/* Brings the children of @v into the order of their arrival, if they are not. */
static void sort_arrivals(struct mk_planner *p, u16 v)
{
	struct mk_plan_links *tree = &p->gather;
	u16 child, next, after;

	for (child = tree->first[v]; child != MK_PLAN_NIL; child = next) {
		next = tree->next[child];
		p->steps++;
		for (after = tree->prev[child];
		     after != MK_PLAN_NIL &&
		     (p->sent[after] > p->sent[child] ||
		      (p->sent[after] == p->sent[child] && after > child));
		     after = tree->prev[after])
			p->steps++;
		if (after == tree->prev[child])
			continue;
		mk_plan_detach(tree, child);
		mk_plan_attach(tree, child, v, after);
	}
}

/**
 * mk_plan_collect() - a member receives acknowledgments and sends its own
 * @p: planner
 * @v: member; its @ready is known, and when its gather children have @sent
 */
void mk_plan_collect(struct mk_planner *p, u16 v)
{
	u64 now = p->ready[v];
	u16 child;

	sort_arrivals(p, v);
	p->late[v] = MK_PLAN_NIL;
	for (child = p->gather.first[v]; child != MK_PLAN_NIL;
	     child = p->gather.next[child]) {
		if (p->sent[child] > now) {
			now = p->sent[child];
			p->late[v] = child;
		}
		now += mk_plan_receive(p, child, v);
	}
	if (v)
		now += mk_plan_send(p, v, p->gather.parent[v], 0);
	p->sent[v] = now;
	p->steps++;
}

/* The score of both trees from the times of all members, 2pc as both. */
u64 mk_plan_total(struct mk_planner *p)
{
	u64 last = 0;
	unsigned int v;

	if (mk_plan_gathers(p))
		return p->sent[0];
	for (v = 0; v < p->nr; v++)
		if (p->start[v] > last)
			last = p->start[v];
	p->steps += p->nr / 8;
	return last;
}

/**
 * mk_plan_evaluate() - score the present trees
 * @p: planner
 *
 * Return: the score of one round; fills the times of all members.
 */
u64 mk_plan_evaluate(struct mk_planner *p)
{
	unsigned int i, nr;

	memset(p->start, 0, p->nr * sizeof(u64));
	memset(p->ready, 0, p->nr * sizeof(u64));
	if (mk_plan_broadcasts(p)) {
		nr = mk_plan_order(&p->broadcast, p->order);
		for (i = 0; i < nr; i++)
			mk_plan_forward(p, p->order[i], NULL);
	}
	if (mk_plan_gathers(p)) {
		nr = mk_plan_order(&p->gather, p->order);
		for (i = nr; i > 0; i--)
			mk_plan_collect(p, p->order[i - 1]);
	}
	return mk_plan_total(p);
}

/* --- tasks and plans of the caller ----------------------------------------------- */

/* Numbers the members, and their nodes, from 0. */
static int take_members(struct mk_planner *p)
{
	const struct mk_plan_machine *machine = p->task->machine;
	unsigned int i, core;
	u16 *number = p->order;		/* of a node; only nodes of members count */
	u16 node;

	memset(p->map, 0xff, MK_PLAN_CORES * sizeof(u16));
	for (i = 0; i < p->nr; i++) {
		core = p->task->member[i];
		if (core >= machine->cores || p->map[core] != MK_PLAN_NIL)
			return -EINVAL;
		p->map[core] = i;
	}
	p->nodes = 0;
	for (i = 0; i < p->nr; i++) {
		node = machine->node[p->task->member[i]];
		for (core = 0; core < p->nodes; core++)
			if (number[core] == node)
				break;
		if (core == p->nodes)
			number[p->nodes++] = node;
		p->node[i] = core;
	}
	for (node = 0, core = 0; node < p->nodes; node++) {
		p->peers[node] = core;
		for (i = 0; i < p->nr; i++)
			if (p->node[i] == node)
				p->peer[core++] = i;
	}
	p->peers[node] = core;
	return 0;
}

static int take_costs(struct mk_planner *p)
{
	const struct mk_plan_machine *machine = p->task->machine;
	const u16 *member = p->task->member;
	struct mk_plan_pair *pair = p->cost;
	unsigned int u, v;
	size_t at;

	for (u = 0; u < p->nr; u++) {
		for (v = 0; v < p->nr; v++, pair++) {
			at = (size_t)member[u] * machine->cores + member[v];
			pair->send = machine->send[at];
			pair->receive = machine->receive[at];
			if (u == v || pair->send == MK_PLAN_NO_LINK ||
			    pair->receive == MK_PLAN_NO_LINK) {
				pair->send = MK_PLAN_NO_LINK;
				pair->receive = 0;
			} else if (pair->send > MK_PLAN_COST ||
				   pair->receive > MK_PLAN_COST) {
				return -ERANGE;
			}
		}
		cond_resched();
	}
	return 0;
}

/* The planner for @task, in @memory; NULL and an error in @ret if it is none. */
static struct mk_planner *take_task(const struct mk_plan_task *task, void *memory, int *ret)
{
	const struct mk_plan_machine *machine = task->machine;
	struct mk_planner *p = memory;
	unsigned int k;

	*ret = -EINVAL;
	if (!task->nr || task->nr > machine->cores || machine->cores > MK_PLAN_CORES ||
	    (unsigned int)task->op >= MK_PLAN_OPS || task->hurry > MK_PLAN_HURRY)
		return NULL;
	memset(p, 0, sizeof(*p));
	lay_out(p, memory, task->nr);
	p->task = task;
	p->op = task->op;
	p->one = task->one_tree && mk_plan_broadcasts(p) && mk_plan_gathers(p);
	*ret = take_members(p);
	if (*ret)
		return NULL;
	*ret = -ERANGE;
	for (k = 0; machine->burst && k < MK_PLAN_BURST; k++)
		if (machine->burst[k] > MK_PLAN_MAX_BURST)
			return NULL;
	*ret = take_costs(p);
	return *ret ? NULL : p;
}

static int take_tree(struct mk_planner *p, const struct mk_plan_hop *hops,
		     struct mk_plan_links *tree)
{
	unsigned int i;
	u16 member, parent;

	mk_plan_clear(p, tree);
	if (!hops || hops[0].core != p->task->member[0])
		return -EINVAL;
	for (i = 1; i < p->nr; i++) {
		if (hops[i].core >= MK_PLAN_CORES || hops[i].parent >= i)
			return -EINVAL;
		member = p->map[hops[i].core];
		if (member == MK_PLAN_NIL || !member ||
		    tree->parent[member] != MK_PLAN_NIL)
			return -EINVAL;
		parent = p->map[hops[hops[i].parent].core];
		mk_plan_attach(tree, member, parent, tree->last[parent]);
	}
	return 0;
}

static void give_tree(struct mk_planner *p, const struct mk_plan_links *tree,
		      struct mk_plan_hop *hops)
{
	unsigned int i;
	u16 *index = p->state;

	mk_plan_order(tree, p->order);
	for (i = 0; i < p->nr; i++) {
		index[p->order[i]] = i;
		hops[i].core = p->task->member[p->order[i]];
		hops[i].parent = i ? index[tree->parent[p->order[i]]] : 0;
	}
}

static int give_score(struct mk_planner *p, struct mk_plan *plan)
{
	u64 cycles = mk_plan_evaluate(p);
	unsigned int i;

	if (cycles >= MK_PLAN_BROKEN)
		return -ENETUNREACH;
	for (i = 0; i < p->nr; i++) {
		if (plan->received && mk_plan_broadcasts(p))
			plan->received[i] = p->start[p->map[plan->broadcast[i].core]];
		if (plan->acked && mk_plan_gathers(p))
			plan->acked[i] = p->sent[p->map[plan->gather[i].core]];
	}
	plan->cycles = p->task->op == MK_PLAN_2PC ? 2 * cycles : cycles;
	return 0;
}

static int give_plan(struct mk_planner *p, struct mk_plan *plan)
{
	/* which brings gather children into the order of arrival */
	mk_plan_evaluate(p);
	if (mk_plan_broadcasts(p))
		give_tree(p, &p->broadcast, plan->broadcast);
	if (mk_plan_gathers(p))
		give_tree(p, &p->gather, plan->gather);
	return give_score(p, plan);
}

int mk_plan_score(const struct mk_plan_task *task, void *memory, struct mk_plan *plan)
{
	struct mk_planner *p;
	int ret;

	p = take_task(task, memory, &ret);
	if (p && mk_plan_broadcasts(p))
		ret = take_tree(p, plan->broadcast, &p->broadcast);
	if (p && !ret && mk_plan_gathers(p))
		ret = take_tree(p, plan->gather, &p->gather);
	return ret ? ret : give_score(p, plan);
}

int mk_plan_by(const struct mk_plan_task *task, enum mk_plan_strategy strategy,
	       void *memory, struct mk_plan *plan)
{
	struct mk_planner *p;
	int ret;

	if ((unsigned int)strategy >= MK_PLAN_STRATEGIES)
		return -EINVAL;
	p = take_task(task, memory, &ret);
	if (!p)
		return ret;
	mk_plan_strategy(p, strategy);
	return give_plan(p, plan);
}

int mk_plan_make(const struct mk_plan_task *task, void *memory, struct mk_plan *plan)
{
	struct mk_planner *p;
	int ret;

	p = take_task(task, memory, &ret);
	if (!p)
		return ret;
	if (!mk_plan_search(p))
		return -ENETUNREACH;
	return give_plan(p, plan);
}
