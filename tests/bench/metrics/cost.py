"""Prints what metrics and the log cost a broker on the way of a produce request, and what a scrape costs; fails
where a scrape costs more than it may.

Owns the brokers' processes. Two brokers run side by side, one with and one without, and are given the same bursts in turns
of less than a second: a machine that is busy with something else is busy for both, and of many pairs the median is taken.
Processor time is the scheduler's, in nanoseconds, of all threads of a broker.
"""

import argparse
import functools
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

from broker import StrandlineBroker
from kafka_broker import free_ports

PARTITIONS = 10_000
# So much processor time a scrape of so many partitions may take: the median counts.
SCRAPE_CPU_MS_MAX = 20
# What is done beside a window needs what is known here.
FORK = multiprocessing.get_context("fork")
WITH, WITHOUT = os.environ["STRANDLINE"], os.environ["UNMEASURED"]

# What is sent in a burst.
LOADS = [
    ("batches of 16 KiB", ["--batch-bytes", "16384"], 40_000),
    ("batches of one record of 100 B", ["--record-bytes", "100", "--batch-bytes", "170"], 40_000),
]
# What is compared: who has it, who has it not.
PAIRS = [
    ("metrics and the log as it is set up, against neither", (WITH, []), (WITHOUT, ["--log", "error"])),
    ("metrics and the log at info, against neither", (WITH, ["--log", "info"]), (WITHOUT, ["--log", "error"])),
    # What a pair of the same shows is what cannot be told from nothing.
    ("the same twice", (WITH, []), (WITH, [])),
]


class Side:
    """A broker on fresh data."""

    def __init__(self, folder, binary, words):
        self.folder = folder / f"broker-{random.randrange(1 << 32):08x}"
        self.folder.mkdir(parents=True)
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self.broker = StrandlineBroker(self.folder, [binary, "serve", *words], port, {})
        self.broker.start()
        command = self.broker.command
        self.metrics = f"http://{command[command.index('--http') + 1]}/metrics"

    def cpu_s(self):
        tasks = pathlib.Path(f"/proc/{self.broker.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def strandline(self, *words):
        command = [WITH, *words, "--brokers", self.address]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def produce(self, *words):
        """What the driver measured, and the broker's processor time meanwhile."""
        before = self.cpu_s()
        figures = json.loads(self.strandline("bench", "produce", "--topic", "t", *words, "-o", "json"))
        return figures, self.cpu_s() - before

    def stop(self):
        self.broker.stop()
        shutil.rmtree(self.folder)


def middle(ratios):
    """The median, and between which two of the numbers it lies with 95 % certainty, whatever their distribution."""
    ordered, count = sorted(ratios), len(ratios)
    reach = round(0.98 * count ** 0.5)
    low, high = max(count // 2 - reach, 0), min(count // 2 + reach, count - 1)
    return f"{statistics.median(ordered):.4f} ({ordered[low]:.4f}-{ordered[high]:.4f})"


def compare(folder, pairs):
    print("\n| processor time of the broker, median of pairs | with, ms | without, ms | with / without (95 %) |\n| --- | --- | --- | --- |",
          flush=True)
    for what, one, other in PAIRS:
        sides = [Side(folder, *one), Side(folder, *other)]
        try:
            for load, words, records in LOADS:
                for side in sides:
                    # The first records find cold code and new files.
                    side.produce(*words, "--records", str(records))
                times = [[], []]
                for turn in range(pairs):
                    for place in (0, 1) if turn % 2 == 0 else (1, 0):
                        times[place].append(sides[place].produce(*words, "--records", str(records))[1])
                ratios = [with_it / without for with_it, without in zip(*times)]
                shown = " | ".join(f"{statistics.median(side) * 1_000:.1f}" for side in times)
                print(f"| {what}: {load} | {shown} | {middle(ratios)} |", flush=True)
        finally:
            for side in sides:
                side.stop()


def scrape(side):
    with urllib.request.urlopen(side.metrics, timeout=30) as answer:
        return len(answer.read())


def at_intervals(over, what):
    """What a process does beside a window, five times a second, until it is over."""
    while not over.wait(0.2):
        what()


class Beside:
    """Something that is done beside a window, in a process of its own."""

    def __init__(self, what):
        self.what, self.over = what, FORK.Event()

    def __enter__(self):
        if self.what:
            self.process = FORK.Process(target=at_intervals, args=(self.over, self.what))
            self.process.start()

    def __exit__(self, *_):
        if self.what:
            self.over.set()
            self.process.join()
            if self.process.exitcode:
                raise RuntimeError(f"what was done beside it failed: {self.process.exitcode}")


def compare_latencies(side, other, windows):
    """The latencies of a slow producer in short windows that take turns: left alone; while somebody scrapes its broker five
    times a second; and while he scrapes another broker of the same size, which takes as much of the machine. What scrapes
    do beyond that would be a pause of the broker's own."""
    ways = {
        "left alone": None,
        "beside scrapes, five a second": functools.partial(scrape, side),
        "beside as many scrapes of another broker": functools.partial(scrape, other),
    }
    parts = ("p50", "p99", "p999", "max")
    found = {way: {part: [] for part in parts} for way in ways}
    side.produce("--rate", "1000", "--seconds", "2")
    for turn in range(windows):
        # Each way has each place among the three equally often.
        order = list(ways.items())
        order = order[turn % 3:] + order[:turn % 3]
        for way, what in order if turn % 2 == 0 else order[::-1]:
            with Beside(what):
                latencies = side.produce("--rate", "1000", "--seconds", "1")[0]["ackLatencyMs"]
            for part in parts:
                found[way][part].append(latencies[part])
    print(f"\n| 1,000 records/s to a broker of {PARTITIONS} partitions, acknowledged after, ms: median of {windows} windows of a second "
          "| p50 | p99 | p99.9 | max |\n| --- | --- | --- | --- | --- |")
    for way in ways:
        print(f"| {way} | " + " | ".join(f"{statistics.median(found[way][part]):.2f}" for part in parts) + " |", flush=True)
    alone, scraped, others = (found[way] for way in ways)
    for what, other in (("scrapes / left alone (95 %)", alone), ("scrapes / those of another broker (95 %)", others)):
        ratios = ([one / two for one, two in zip(scraped[part], other[part])] for part in parts)
        print(f"| {what} | " + " | ".join(middle(each) for each in ratios) + " |", flush=True)


def fill(side):
    """Makes a broker large."""
    for number in range(10):
        side.strandline("topic", "create", f"many-{number}", "--partitions", str(PARTITIONS // 10))
    side.strandline("topic", "create", "t")


def scrapes(folder, count, windows):
    side = Side(folder, WITH, [])
    sides = [side]
    try:
        fill(side)
        time.sleep(3)
        scrape(side)
        took, cpu = [], []
        for _ in range(count):
            before, began = side.cpu_s(), time.monotonic()
            size = scrape(side)
            took.append((time.monotonic() - began) * 1_000)
            cpu.append((side.cpu_s() - before) * 1_000)
        shown = [f"{min(each):.1f} / {statistics.median(each):.1f} / {max(each):.1f} ms" for each in (cpu, took)]
        print(f"\na scrape of {PARTITIONS} partitions: {size} bytes, {shown[0]} of processor time (min / median / max of {count}), "
              f"there after {shown[1]}", flush=True)
        if windows:
            other = Side(folder, WITH, [])
            sides.append(other)
            fill(other)
            time.sleep(3)
            compare_latencies(side, other, windows)
        return statistics.median(cpu)
    finally:
        for each in sides:
            each.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--scrapes", type=int, default=50)
    parser.add_argument("--windows", type=int, default=60, help="of a second, of each of three ways")
    given = parser.parse_args()
    cpu_ms = scrapes(given.folder, given.scrapes, given.windows) if given.scrapes else 0
    if given.pairs:
        compare(given.folder, given.pairs)
    if cpu_ms > SCRAPE_CPU_MS_MAX:
        sys.exit(f"missed: a scrape takes {cpu_ms:.1f} ms of processor time, and {SCRAPE_CPU_MS_MAX} at most")


main()
