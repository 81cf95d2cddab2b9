#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks what mkctl plan says, with a model of its own.

    plan.py MKCTL CHECK [ARGUMENT...]

The model is written as events, from the description in urpc/plan.h; it shares
nothing with the planner. Prints why and exits with 1 if CHECK does not hold.
"""
import heapq
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile

STRATEGIES = ["sequential", "binary", "fibonacci", "mst", "cluster", "adaptive", "shuffle"]
OPS = ["broadcast", "gather", "both", "2pc"]


class Wrong(Exception):
    """What mkctl said is not so."""


# --- machines ---------------------------------------------------------------------

class Machine:
    """Costs of each ordered pair, and the node of each core."""

    def __init__(self, name, node, send, receive, burst=None):
        self.name, self.node, self.burst = name, node, burst
        self.cores = range(len(node))
        self.send, self.receive = send, receive

    def write(self, where, only=None):
        for kind in "send", "receive":
            costs = getattr(self, kind)
            with open(os.path.join(where, kind), "w", encoding="ascii") as file:
                file.write("# src dst cycles stderr\n")
                for u, v in itertools.product(self.cores, self.cores):
                    if u == v:
                        file.write(f"{u} {u} -1 0\n")
                    elif (u, v) in costs and (only is None or (u, v) in only):
                        file.write(f"{u} {v} {costs[u, v]} 0.5\n")
        with open(os.path.join(where, "nodes"), "w", encoding="ascii") as file:
            for core in self.cores:
                file.write(f"{core} {self.node[core]}\n")


def structured(name, nodes, each, near, far, noise=0.1, ring=0.0, seed=1):
    """Nodes of equal size; near and far are (send, receive)."""
    draw = random.Random(seed)
    node = [core // each for core in range(nodes * each)]
    send, receive = {}, {}
    for u, v in itertools.permutations(range(len(node)), 2):
        hops = abs(node[u] - node[v])
        hops = min(hops, nodes - hops)
        factor = (1 + draw.random() * noise) * (1 + ring * max(0, hops - 1))
        cost = far if hops else near
        send[u, v] = round(cost[0] * factor)
        receive[u, v] = round(cost[1] * factor)
    return Machine(name, node, send, receive)


def rough(seed):
    """A machine that nobody would build."""
    draw = random.Random(seed)
    cores = draw.randint(1, 24)
    node = [draw.randrange(draw.randint(1, 6)) for _ in range(cores)]
    kind = draw.randrange(6)
    pairs = list(itertools.permutations(range(cores), 2))
    if kind == 0:                       # nothing costs anything
        send, receive = dict.fromkeys(pairs, 0), dict.fromkeys(pairs, 0)
    elif kind == 1:                     # one cost for all
        send, receive = dict.fromkeys(pairs, 7), dict.fromkeys(pairs, 7)
    elif kind == 2:                     # sends are free, or receives
        free = draw.randrange(2)
        costs = {pair: draw.randint(1, 1000) for pair in pairs}
        send = {pair: costs[pair] * free for pair in pairs}
        receive = {pair: costs[pair] * (1 - free) for pair in pairs}
    elif kind == 3:                     # one way is dear, the other is not
        send = {(u, v): 10 if u < v else 9000 for u, v in pairs}
        receive = {(u, v): 20 if u < v else 4000 for u, v in pairs}
    elif kind == 4:                     # anything
        send = {pair: draw.randint(0, 10 ** draw.randint(0, 6)) for pair in pairs}
        receive = {pair: draw.randint(0, 10 ** draw.randint(0, 6)) for pair in pairs}
    else:                               # few links, both ways round a ring at least
        links = {(core, (core + 1) % cores) for core in range(cores)}
        links |= {pair for pair in pairs if draw.random() < 0.2}
        send = {pair: draw.randint(1, 500) for pair in pairs if pair in links}
        receive = {pair: draw.randint(1, 500) for pair in pairs if pair in links}
    burst = None
    if draw.random() < 0.3:
        burst = [draw.randint(0, 4096) / 1024 for _ in range(draw.randint(1, 8))]
    return Machine(f"rough {seed}", node, send, receive, burst)


# --- the model ----------------------------------------------------------------------

class Model:
    """One round of a broadcast, a gather or both, event by event."""

    def __init__(self, machine, op, root, members, plan, fault=None):
        self.machine, self.op, self.root = machine, op, root
        self.fault = fault
        self.broadcast = self.children(plan["broadcast"], members, op != "gather")
        self.gather = self.children(plan["gather"], members, op != "broadcast")
        self.parent = {c: u for u, cs in self.gather.items() for c in cs}
        self.missing = {core: len(self.gather.get(core, [])) for core in members}
        self.inbox = {core: [] for core in members}
        self.idle = dict.fromkeys(members, False)
        self.events, self.number = [], itertools.count()
        self.last = 0
        for core in [root] if op != "gather" else members:
            self.at(0, self.received if op != "gather" else self.sends_done, core)
        while self.events:
            now, _, call, *what = heapq.heappop(self.events)
            self.last = max(self.last, now)
            call(now, *what)

    def children(self, tree, members, used):
        """A tree by cores, if it reaches each member once, from the root."""
        if not used:
            if tree:
                raise Wrong("a tree that the operation has no use for")
            return {}
        tree = {int(core): cores for core, cores in tree.items()}
        seen, todo = [], [self.root]
        while todo:
            seen.append(todo.pop())
            todo += tree.get(seen[-1], [])
            if len(seen) > len(members):
                break
        if sorted(seen) != sorted(members):
            raise Wrong(f"reached are {sorted(seen)}, members are {sorted(members)}")
        if set(tree) != set(members):
            raise Wrong("the tree names others than the members")
        return tree

    def send(self, u, v, k):
        cost, burst = self.machine.send[u, v], self.machine.burst
        if burst:
            factor = round(burst[min(k, len(burst) - 1)] * 1024)
            cost = (cost * factor + 512) // 1024
        return cost

    def at(self, now, call, *what):
        # Those that arrive together are in the order of their cores.
        heapq.heappush(self.events, (now, next(self.number), call, *what))

    def received(self, now, core):
        for k, child in enumerate(self.broadcast[core]):
            now += self.send(core, child, k)
            self.at(now + self.machine.receive[core, child], self.received, child)
        if self.op != "broadcast":
            self.at(now, self.sends_done, core)

    def sends_done(self, now, core):
        self.idle[core] = True
        self.go_on(now, core)

    def arrives(self, now, core, child):
        heapq.heappush(self.inbox[core], (now, child))
        self.go_on(now, core)

    def go_on(self, now, core):
        if not self.idle[core]:
            return
        if self.inbox[core]:
            _, child = heapq.heappop(self.inbox[core])
            self.missing[core] -= 1
            self.idle[core] = False
            cost = self.machine.receive[child, core]
            if self.fault == "receive":
                cost = 0
            self.at(now + cost, self.sends_done, core)
        elif not self.missing[core]:
            self.idle[core] = False
            if core != self.root:
                parent = self.parent[core]
                self.at(now + self.send(core, parent, 0), self.arrives, parent, core)


def score(machine, op, root, members, plan, fault=None):
    try:
        last = Model(machine, op, root, members, plan, fault).last
    except KeyError as pair:
        raise Wrong(f"the tree uses {pair}, which has no cost") from pair
    return 2 * last if op == "2pc" else last


# --- mkctl -----------------------------------------------------------------------------

def arguments(machine, where, op, root=None, members=None):
    words = ["plan", "--send", f"{where}/send", "--receive", f"{where}/receive",
             "--nodes", f"{where}/nodes", "--op", op]
    if root is not None:
        words += ["--root", str(root)]
    if members is not None:
        words += ["--members", ",".join(map(str, members))]
    if machine.burst:
        words += ["--burst", ",".join(map(str, machine.burst))]
    return words


def used():
    """Seconds that programs which have ended took of the CPUs: a busy host is no fault."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ask(machine, op, root=None, members=None, compare=True, extra=()):
    """The plan that mkctl has for a machine, and how long that took."""
    with tempfile.TemporaryDirectory() as where:
        machine.write(where)
        words = [MKCTL, *arguments(machine, where, op, root, members), "--format", "json",
                 *extra]
        began = used()
        ran = subprocess.run(words + ["--compare"] * compare, capture_output=True,
                             check=False, text=True)
        took = used() - began
        if ran.returncode or ran.stderr:
            raise Wrong(f"exit status {ran.returncode}: {ran.stderr}")
        return json.loads(ran.stdout), took


def verify(machine, op, root=None, members=None, gain=0.0):
    """Plan and strategies are trees, have the scores they are said to have, and
    the plan is the best of them, by gain at least."""
    plan, _ = ask(machine, op, root, members)
    members = list(machine.cores) if members is None else members
    root = min(members) if root is None else root
    best = None
    for name in [None, *STRATEGIES]:
        one = plan if name is None else plan["strategies"][name]
        if one is None:
            continue
        real = score(machine, op, root, members, one)
        if real != one["cycles"]:
            raise Wrong(f"{machine.name} {op} {name or 'planned'}: {one['cycles']} cycles, "
                        f"but the trees take {real}")
        if name and (best is None or real < best):
            best = real
    if best is not None and plan["cycles"] > best * (1 - gain):
        raise Wrong(f"{machine.name} {op}: {plan['cycles']} cycles, the best strategy {best}")
    return plan["cycles"], best


# --- checks ----------------------------------------------------------------------------

def check_rough(first, last):
    """Machines that nobody would build, any root, any members."""
    for seed in range(int(first), int(last)):
        machine, draw = rough(seed), random.Random(-seed)
        op = OPS[seed % 4]
        members = sorted(draw.sample(machine.cores, draw.randint(1, len(machine.node))))
        if len(machine.send) < len(machine.node) * (len(machine.node) - 1):
            members = None              # with few links, all have to help
        root = draw.choice(members or machine.cores)
        verify(machine, op, root, members)


def machines():
    near, far = (60, 220), (200, 700)
    yield structured("4x2", 4, 2, near, far)
    yield structured("4x4", 4, 4, near, far)
    yield structured("4x8", 4, 8, near, far, seed=2)
    yield structured("8x4 ring", 8, 4, near, far, ring=0.5)
    yield structured("8x8, sends cheap", 8, 8, (8, 80), (8, 420), noise=0.2)
    yield structured("4x12, nodes hardly matter", 4, 12, near, near, noise=1.0)
    yield structured("16x4, far is far", 16, 4, (40, 100), (300, 2500), ring=0.3)
    yield structured("6x10, receives cheap", 6, 10, (200, 60), (900, 120))


def check_gain(gain):
    """Four nodes and more: both and 2pc that much better, the others never worse."""
    for machine in machines():
        for op in OPS:
            cycles, best = verify(machine, op, gain=float(gain) if op in ("both", "2pc") else 0.0)
            print(f"{machine.name} {op}: {cycles}, the best strategy {best}")


def check_real(path, nodes):
    """A machine that was measured: never worse."""
    costs = {}
    for kind in "send", "receive":
        costs[kind] = {}
        with open(f"{path}.{kind}", encoding="ascii") as file:
            for line in file:
                if line[0] != "#":
                    u, v, cycles, _ = line.split()
                    if u != v:
                        costs[kind][int(u), int(v)] = int(float(cycles) + 0.5)
    nr = 1 + max(max(pair) for pair in costs["send"])
    each = -(-nr // int(nodes))
    machine = Machine(os.path.basename(path), [core // each for core in range(nr)],
                      costs["send"], costs["receive"])
    for op in OPS:
        cycles, best = verify(machine, op)
        print(f"{machine.name} {op}: {cycles}, the best strategy {best}")


def check_small():
    """Up to four members, against all pairs of trees there are."""
    for seed in range(8):
        if seed % 2:
            machine = structured(f"2x2 {seed}", 2, 2, (30, 70), (50, 300), noise=2.0, seed=seed)
        else:
            machine = structured(f"4x1 {seed}", 4, 1, (8, 80), (8, 420), noise=0.2, seed=seed)
        for nr in 1, 2, 3, 4:
            members = list(range(nr))
            for op in "broadcast", "gather", "both":
                least = min(score(machine, op, 0, members, plan)
                            for plan in all_plans(members, op))
                plan, _ = ask(machine, op, 0, members, compare=False)
                if plan["cycles"] != least:
                    raise Wrong(f"{machine.name}, {nr} members, {op}: "
                                f"{plan['cycles']} cycles, possible are {least}")


def all_trees(members, ordered):
    for parents in itertools.product(members, repeat=len(members) - 1):
        tree = {core: [] for core in members}
        for core, parent in zip(members[1:], parents):
            tree[parent].append(core)
        seen, todo = set(), [members[0]]
        while todo:
            seen.add(todo.pop())
            todo += [c for u in list(seen) for c in tree[u] if c not in seen and c not in todo]
        if len(seen) != len(members):
            continue
        if not ordered:
            yield tree
            continue
        for orders in itertools.product(*(itertools.permutations(tree[u]) for u in members)):
            yield dict(zip(members, map(list, orders)))


def all_plans(members, op):
    none = [{}]
    for broadcast in all_trees(members, True) if op != "gather" else none:
        for gather in all_trees(members, False) if op != "broadcast" else none:
            yield {"broadcast": broadcast, "gather": gather}


def children(plan, tree):
    return {core: sorted(cores) for core, cores in plan[tree].items() if cores}


def check_one_tree():
    """Asked for one tree, both are the same, no worse than a strategy, no better than two."""
    for machine in machines():
        two, _ = ask(machine, "both", compare=False)
        one, _ = ask(machine, "both", extra=["--one-tree"])
        if children(one, "broadcast") != children(one, "gather"):
            raise Wrong(f"{machine.name}: two trees")
        if children(two, "broadcast") == children(two, "gather"):
            raise Wrong(f"{machine.name}: not asked for, and one tree all the same")
        real = score(machine, "both", 0, list(machine.cores), one)
        best = min(by["cycles"] for by in one["strategies"].values() if by)
        print(f"{machine.name}: {one['cycles']} with one tree, {two['cycles']} with two, {best}")
        if real != one["cycles"] or real > best:
            raise Wrong(f"{machine.name}: {one['cycles']} cycles, but {real}; strategies {best}")


def check_faults():
    """The checks above see what is wrong: a model or a tree that is not right."""
    machine = next(machines())
    members = list(machine.cores)
    plan, _ = ask(machine, "both")
    if score(machine, "both", 0, members, plan, "receive") == plan["cycles"]:
        raise Wrong("a model without the cost of acknowledgments gives the same score")

    def cut(tree):
        next(cores for cores in tree.values() if cores).pop()

    def twice(tree):
        next(cores for core, cores in tree.items() if not cores).append(
            next(cores for cores in tree.values() if cores)[0])

    def turned(tree):
        next(cores for cores in tree.values() if len(cores) > 1).reverse()

    for name, fault in ("cut", cut), ("twice", twice), ("turned", turned):
        broken = json.loads(json.dumps(plan))
        fault(broken["broadcast"])
        try:
            if score(machine, "both", 0, members, broken) == plan["cycles"]:
                raise Wrong(f"a tree that is {name} has the same score")
        except Wrong as why:
            if "same score" in str(why):
                raise


def check_same():
    """Equal input, equal plan; 2pc is both, twice."""
    machine = list(machines())[3]
    first, second = ask(machine, "both")[0], ask(machine, "both")[0]
    if first != second:
        raise Wrong("two plans for one machine")
    if ask(machine, "2pc", compare=False)[0]["cycles"] != 2 * first["cycles"]:
        raise Wrong("2pc is not twice the cycles of both")


def check_fast(cores, seconds):
    """So many cores on 16 nodes, within so much time, files and all."""
    machine = structured(f"{cores} cores", 16, int(cores) // 16, (60, 220), (200, 700))
    for op in "broadcast", "both":
        plan, took = ask(machine, op, compare=False)
        print(f"{cores} cores, {op}: {took:.3f} s")
        if score(machine, op, 0, list(machine.cores), plan) != plan["cycles"]:
            raise Wrong("the score is another")
        if took > float(seconds):
            raise Wrong(f"{took:.2f} s")


def main():
    check, *words = sys.argv[2:]
    try:
        globals()[f"check_{check}"](*words)
    except Wrong as why:
        sys.exit(str(why))


MKCTL = sys.argv[1] if len(sys.argv) > 1 else ""

if __name__ == "__main__":
    main()
