#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks the page that mkctl report writes.

  report_page.py read PAGE DIR...   its structure, and its numbers against the CSV
  report_page.py show PAGE          how a browser draws it
"""
import csv
import glob
import html.parser
import json
import re
import statistics
import subprocess
import sys
import tempfile

VOID = {"meta", "br"}
BROWSER = ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
           "--enable-logging=stderr", "--window-size=1200,3000"]


class Page(html.parser.HTMLParser):
    """Elements balanced, nothing from elsewhere; figures and their tips."""

    def __init__(self):
        super().__init__()
        self.open, self.figures, self.tips, self.faults = [], {}, [], []
        self.figure, self.tip, self.ids = None, None, set()

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "img", "link", "iframe", "object", "embed", "use"):
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "style"):
                self.faults.append(f"{name}={value}")
            if name == "href" and not value.startswith("#"):
                self.faults.append(f"a link to {value}")
        attrs = dict(attrs)
        if "id" in attrs:
            if attrs["id"] in self.ids:
                self.faults.append(f"id {attrs['id']} twice")
            self.ids.add(attrs["id"])
        if tag == "figure":
            self.figure = attrs["id"]
            self.figures[self.figure] = 0
        if tag == "g" and attrs.get("class") == "point" and self.figure:
            self.figures[self.figure] += 1
        if tag == "title" and "svg" in self.open:
            self.tip = ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> where it does not belong")
        if tag == "title" and self.tip is not None:
            self.tips.append((self.figure, self.tip))
            self.tip = None
        if tag == "figure":
            self.figure = None

    def handle_data(self, data):
        if self.tip is not None:
            self.tip += data


def number(value):
    """As mkctl writes it."""
    if abs(value) < 100 and value != int(value):
        return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}"
    return f"{value:,.0f}"


def medians(dirs):
    """All values that a tip may show for a metric, made without mkctl."""
    rows = {}
    for directory in dirs:
        for path in glob.glob(f"{directory}/*.csv"):
            with open(path, encoding="ascii") as file:
                for row in csv.DictReader(file):
                    if row["variant"] in ("environment", "counters"):
                        continue
                    key = (directory,) + tuple(row[name] for name in (
                        "test", "variant", "tier", "cpu_a", "cpu_b",
                        "mem_node", "size", "metric", "unit"))
                    rows.setdefault(key, []).append(float(row["value"]))
    values = set()
    for key, list_ in rows.items():
        variant, size, unit = key[2], key[7], key[9]
        scale = 1000 if unit == "msg/Mcycle" else 1
        values.add((variant, size, number(statistics.median(list_) / scale)))
    return values


def read(path, dirs):
    """Structure and numbers of the page; a list of faults."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    faults = page.faults
    if page.open:
        faults.append(f"not closed: {page.open}")
    if "http" in re.sub(r'http-equiv', "", text):
        faults.append("an address of somewhere else")
    if not page.figures:
        faults.append("no figure")
    faults += [f"figure {name} is empty" for name, nr in page.figures.items() if not nr]
    known = medians(dirs)
    checked = 0
    for figure, tip in page.tips:
        if "The Multikernel" in tip or not dirs:
            continue
        head, _, tail = tip.partition(": ")
        size = re.search(r" at (\d+)$", head)
        value = re.match(r"\S+ ([-0-9.,e+]+)(?: |$)", tail)
        if not value:
            faults.append(f"{figure}: cannot read '{tip}'")
            continue
        checked += 1
        if (head.split()[0], size.group(1) if size else "",
                value.group(1).rstrip(",")) not in known:
            faults.append(f"{figure}: '{tip}' is not in the CSV")
    if dirs and not checked:
        faults.append("no number to compare")
    print(f"{len(page.figures)} figures, {checked} numbers compared")
    return faults


# In a copy of the page: what was drawn, and where.
PROBE = """<script>
const seen = [];
for (const figure of document.querySelectorAll('figure')) {
  for (const svg of figure.querySelectorAll('svg')) {
    const box = svg.getBoundingClientRect();
    const entry = {id: figure.id, width: box.width, height: box.height,
                   points: 0, lost: [], overlap: []};
    for (const point of svg.querySelectorAll('.point path:not(.range)')) {
      const b = point.getBoundingClientRect();
      const style = getComputedStyle(point);
      if (b.width > 0 && b.height > 0 && style.fill != 'none' &&
          (style.fill != getComputedStyle(document.body).backgroundColor ||
           style.stroke != 'none'))
        entry.points++;
      if (b.left < box.left - 1 || b.right > box.right + 1 ||
          b.top < box.top - 1 || b.bottom > box.bottom + 1)
        entry.lost.push('a point');
    }
    const texts = [...svg.querySelectorAll('text')].map(
      text => [text.textContent, text.getBoundingClientRect()]);
    texts.forEach(([name, b], i) => {
      if (b.left < box.left - 1 || b.right > box.right + 1 ||
          b.top < box.top - 1 || b.bottom > box.bottom + 1)
        entry.lost.push(name);
      for (const [other, c] of texts.slice(i + 1))
        if (b.left + 1 < c.right && c.left + 1 < b.right &&
            b.top + 4 < c.bottom && c.top + 4 < b.bottom)
          entry.overlap.push(name + ' / ' + other);
    });
    seen.push(entry);
  }
}
const out = document.createElement('pre');
out.id = 'probe';
out.textContent = JSON.stringify(seen);
document.body.append(out);
</script></body>"""


def browse(path):
    """What Chromium makes of the page: its DOM and what it complains of."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            BROWSER + [f"--user-data-dir={profile}", "--dump-dom", f"file://{path}"],
            capture_output=True, text=True, timeout=60, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


def show(path):
    """A list of faults in what is drawn."""
    dom, console = browse(path)
    faults = [f"the browser says: {line}" for line in console]
    figures = dom.count("<figure")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"<meta http-equiv[^>]*>", "", text).replace("</body>", PROBE)
    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as copy:
        copy.write(text)
        copy.flush()
        dom, console = browse(copy.name)
    faults += [f"the browser says: {line}" for line in console]
    probe = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.S)
    seen = json.loads(html.unescape(probe.group(1))) if probe else []
    if not figures or len({entry["id"] for entry in seen}) != figures:
        faults.append(f"{figures} figures, {len(seen)} drawings")
    for entry in seen:
        if entry["width"] < 300 or entry["height"] < 80 or not entry["points"]:
            faults.append(f"{entry['id']} shows nothing: {entry}")
        faults += [f"{entry['id']}: outside: {text}" for text in entry["lost"]]
        faults += [f"{entry['id']}: overlap: {text}" for text in entry["overlap"]]
    print(f"{figures} figures, {len(seen)} drawings")
    return faults


def main():
    """See the top of the file."""
    mode, path, dirs = sys.argv[1], sys.argv[2], sys.argv[3:]
    faults = read(path, dirs) if mode == "read" else show(path)
    for fault in faults:
        print(fault)
    sys.exit(bool(faults))


main()
