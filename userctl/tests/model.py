#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks what mkctl model says.

    model.py MKCTL CHECK [ARGUMENT...]

Trees are scored by the model of plan.py, which shares nothing with mkctl. Prints why
and exits with 1 if CHECK does not hold.
"""
import csv
import itertools
import os
import random
import resource
import subprocess
import sys
import tempfile

import plan
from plan import Wrong

# What there is in a machine whose messages are all that costs anything.
BARE = ["dispatch", "ipi_send", "ipi_deliver", "ipi_handle", "invalidate", "flush", "walk",
        "pte", "zap", "monitor", "update"]
PARTS = BARE + ["levels", "crowd", "occupy", "stream"]


def predict(*words, sets=()):
    """(test, variant, metric, size, other core): value, of one machine; and the text."""
    with tempfile.TemporaryDirectory() as where:
        out = os.path.join(where, "out")
        ran = subprocess.run([MKCTL, "model", *words, *(f"--set={one}" for one in sets),
                              "--quiet", "--out", out], capture_output=True, check=False,
                             text=True)
        if ran.returncode or ran.stderr:
            raise Wrong(f"exit status {ran.returncode}: {ran.stderr}")
        values = {}
        with open(os.path.join(out, "model.csv"), encoding="ascii") as file:
            for row in csv.DictReader(file):
                if row["tier"] != "model":
                    raise Wrong(f"a row that does not say that it is modelled: {row}")
                if row["variant"] != "environment":
                    values[row["test"], row["variant"], row["metric"], int(row["size"]),
                           row["cpu_b"]] = int(row["value"])
        with open(os.path.join(out, "model.txt"), encoding="ascii") as file:
            return values, file.read()


def describe(levels, parts=()):
    """A description as a file, to be used in a with statement."""
    file = tempfile.NamedTemporaryFile("w", suffix=".machine")  # pylint: disable=R1732
    for name, count, send, receive in levels:
        file.write(f"level {name} {count} {send} {receive}\n")
    for name, value in parts:
        file.write(f"{name} {value}\n")
    file.flush()
    return file


def of_levels(levels, parts=(), sets=()):
    with describe(levels, parts) as file:
        return predict("--machine", file.name, sets=sets)[0]


def some_levels(draw):
    """Farther is never cheaper, and no two levels cost the same."""
    send, receive, levels = draw.randint(5, 200), draw.randint(50, 900), []
    for name in draw.sample(["die", "package", "board", "rack"], draw.randint(1, 3)):
        levels.append((name, draw.randint(1, 6), send, receive))
        send, receive = send + draw.randint(1, 200), receive + draw.randint(1, 900)
    return levels


# --- checks -----------------------------------------------------------------------

def compare(less, more, what, plans=False):
    """Nothing is cheaper where something is dearer; plans are found, not computed."""
    if less.keys() != more.keys():
        raise Wrong(f"{what}: other rows")
    for key in less:
        if (plans or "planned" not in key[1]) and more[key] < less[key]:
            raise Wrong(f"{what}: {key} was {less[key]} and is {more[key]}")


def check_monotone(first, last):
    """Whatever costs more makes nothing cheaper."""
    for seed in range(int(first), int(last)):
        draw = random.Random(seed)
        levels = some_levels(draw)
        before = of_levels(levels)
        factor = draw.uniform(1.1, 4)
        compare(before, of_levels([(n, c, int(s * factor) + 1, int(r * factor) + 1)
                                   for n, c, s, r in levels]), f"seed {seed}, all messages")
        name, count, send, receive = levels[-1]
        compare(before, of_levels(levels[:-1] + [(name, count, send * 2, receive * 2)]),
                f"seed {seed}, the farthest messages")
        part = PARTS[seed % len(PARTS)]
        value = {"levels": 5, "crowd": 200, "occupy": 60, "stream": 20}.get(part, 5000)
        compare(before, of_levels(levels, [(part, value)]), f"seed {seed}, {part}")
        # and this would be seen
        if any(count > 1 for _, count, _, _ in levels):
            dear = of_levels(levels, [("ipi_send", 9000)])
            try:
                compare(dear, before, "turned round")
            except Wrong:
                continue
            raise Wrong("a machine that is cheaper passes for one that is dearer")


def by_nodes(machine, nr):
    """The tree of numa_multicast over the first cores, as one that plan.py scores."""
    first, tree = {}, {core: [] for core in range(nr)}
    for core in range(1, nr):
        if machine.node[core] != machine.node[0]:
            first.setdefault(machine.node[core], core)
    far = {core: machine.send[0, core] + machine.receive[0, core] for core in first.values()}
    tree[0] = sorted(far, key=lambda core: (-far[core], core))
    for core in range(1, nr):
        parent = first.get(machine.node[core], 0)
        if core != parent:
            tree[parent].append(core)
    return tree


def check_trees(first, last):
    """Trees cost what a simulation of their events says, and plans what they should."""
    for seed in range(int(first), int(last)):
        draw = random.Random(seed)
        machine = plan.structured(f"seed {seed}", draw.randint(1, 5), draw.randint(1, 7),
                                  (draw.randint(0, 200), draw.randint(0, 900)),
                                  (draw.randint(0, 900), draw.randint(0, 2000)),
                                  noise=draw.choice([0, 0.1, 2]), seed=seed)
        with tempfile.TemporaryDirectory() as where:
            machine.write(where)
            if len(machine.node) == 1:
                continue
            values, _ = predict("--send", f"{where}/send", "--receive", f"{where}/receive",
                                "--nodes", f"{where}/nodes", sets=[f"{part}=0" for part in BARE])
        for nr in {size for test, _, _, size, _ in values if test == "shootdown_protocols"}:
            cores = list(range(nr))
            got = {variant: value for (test, variant, _, size, _), value in values.items()
                   if test == "shootdown_protocols" and size == nr}
            flat = {core: [] for core in cores} | {0: cores[1:]}
            tree = by_nodes(machine, nr)
            for variant, shape in ("unicast", flat), ("numa_multicast", tree):
                real = plan.score(machine, "both", 0, cores, {"broadcast": shape, "gather": shape})
                if got[variant] != real:
                    raise Wrong(f"{machine.name}, {nr} cores, {variant}: {got[variant]}, "
                                f"but the tree takes {real}")
                wrong = plan.score(machine, "both", 0, cores,
                                   {"broadcast": shape, "gather": shape}, "receive")
                if wrong == real and real and any(machine.receive.values()):
                    raise Wrong("acknowledgments that cost nothing cost the same")
            planned, _ = plan.ask(machine, "both", 0, cores, compare=False)
            least = min(planned["cycles"], got["unicast"], got["numa_multicast"])
            if got["planned"] != least:
                raise Wrong(f"{machine.name}, {nr} cores, planned: {got['planned']}, not {least}")
            if values["two_phase_commit", "single", "cost", nr, ""] != 2 * got["unicast"]:
                raise Wrong("two phases are not two rounds")


def check_both_ways():
    """A machine by its levels is the same machine by its costs."""
    levels = [("package", 5, 60, 220), ("board", 3, 190, 690), ("rack", 2, 400, 1500)]
    sizes = list(itertools.accumulate((count for _, count, _, _ in levels), lambda a, b: a * b))
    send, receive = {}, {}
    for u, v in itertools.permutations(range(sizes[-1]), 2):
        level = next(i for i, size in enumerate(sizes) if u // size == v // size)
        send[u, v], receive[u, v] = levels[level][2:]
    machine = plan.Machine("levels", [core // 5 for core in range(30)], send, receive)
    with tempfile.TemporaryDirectory() as where:
        machine.write(where)
        costs, _ = predict("--send", f"{where}/send", "--receive", f"{where}/receive",
                           "--nodes", f"{where}/nodes")
    if costs != of_levels(levels):
        raise Wrong("other values")


def check_order():
    """On a machine of many nodes a tree beats one after the other, and grows less."""
    values, text = predict("--topology", "16x16")

    def of(variant, cores):
        return values["shootdown_protocols", variant, "cost", cores, ""]

    if not of("planned", 256) <= of("numa_multicast", 256) < of("unicast", 256):
        raise Wrong("the trees are not in order")
    if of("planned", 256) / of("planned", 128) >= of("unicast", 256) / of("unicast", 128):
        raise Wrong("a planned tree grows like a row of messages")
    linux = values["unmap", "linux", "cost", 256, ""]
    if not linux > values["unmap", "planned", "cost", 256, ""]:
        raise Wrong("interrupts are cheaper than a planned tree on 256 cores")
    for word in ("modelled, not measured", "Where curves cross", "How cost grows", "fitted",
                 "predicted", "assumed", "off by -"):
        if word not in text:
            raise Wrong(f"the text does not say '{word}'")


def check_real(path, nodes):
    """A machine that was measured: all figures, and how far round trips are off."""
    words = ["--send", f"{path}.send", "--receive", f"{path}.receive", "--nodes", nodes]
    trips = os.path.exists(f"{path}.rtt")
    _, text = predict(*words, *(["--rtt", f"{path}.rtt"] if trips else []))
    said = [line for line in text.splitlines() if line.startswith("Round trips")]
    print("\n".join(said))
    if trips != bool(said):
        raise Wrong("the error of round trips is not said, or is said without any")


def check_fast(seconds, megabytes):
    """4,096 cores, in each shape: in time, and without memory for pairs."""
    for topology in "8x8x64", "4096x1":
        began = plan.used()
        values, _ = predict("--topology", topology)
        took = plan.used() - began
        print(f"{topology}: {took:.2f} s")
        if took > float(seconds):
            raise Wrong(f"{topology}: {took:.2f} s")
        if ("unmap", "planned", "cost_64p", 4096, "") not in values:
            raise Wrong("4,096 cores are not among the sizes")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{most:.0f} MiB at most")
    if most > float(megabytes):
        raise Wrong(f"{most:.0f} MiB")


def main():
    check, *words = sys.argv[2:]
    try:
        globals()[f"check_{check}"](*words)
    except Wrong as why:
        sys.exit(str(why))


MKCTL = sys.argv[1] if len(sys.argv) > 1 else ""
plan.MKCTL = MKCTL

if __name__ == "__main__":
    main()
