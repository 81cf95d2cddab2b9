#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a recorded trace.dat small enough to be kept with the tests.

  trace-cmd convert --file-version 6 --compression none -i trace.dat -o v6.dat
  trace_strip.py v6.dat small.dat && xz small.dat

The formats of events that mkctl trace does not read and the kernel's symbols go.
Positions further on in the file stay what they are: newlines, which xz packs to
nothing, fill the table of symbols up.
"""
import struct
import sys

KEEP = {"multikernel": None, "ftrace": ("print",), "tlb": ("tlb_flush",),
        "irq_vectors": ("call_function", "reschedule"),
        "sched": ("sched_waking", "sched_wakeup:", "sched_process_fork")}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def text(self):
        end = self.data.index(b"\0", self.at) + 1
        return self.take(end - self.at)

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]


def wanted(system, form):
    names = KEEP.get(system, ())
    name = form.split(b"\n", 1)[0].decode().removeprefix("name: ") + ":"
    return names is None or any(name.startswith(n) for n in names)


def formats(reader, system):
    """The formats of one system that stay, with their sizes before them."""
    kept = []
    for _ in range(reader.number("<I")):
        size = reader.number("<Q")
        form = reader.take(size)
        if wanted(system, form):
            kept.append(struct.pack("<Q", size) + form)
    return kept


def main():
    data = open(sys.argv[1], "rb").read()
    reader = Reader(data)
    reader.take(10)
    assert reader.text() == b"6\0", "not version 6: see above"
    reader.take(1 + 1 + 4)
    for name in (b"header_page\0", b"header_event\0"):
        assert reader.text() == name
        reader.take(reader.number("<Q"))
    head = data[:reader.at]
    out = formats(reader, "ftrace")
    head += struct.pack("<I", len(out)) + b"".join(out)
    systems = []
    for _ in range(reader.number("<I")):
        name = reader.text()
        out = formats(reader, name[:-1].decode())
        if out:
            systems.append(name + struct.pack("<I", len(out)) + b"".join(out))
    head += struct.pack("<I", len(systems)) + b"".join(systems)
    reader.take(reader.number("<I"))
    room = reader.at - len(head) - 4
    with open(sys.argv[2], "wb") as file:
        file.write(head + struct.pack("<I", room) + b"\n" * room + data[reader.at:])


main()
