"""Prints what metrics and the log cost a broker, as processor time for each gigabyte or request, in pairs that take turns.

Owns the brokers' processes. Ratios are of pairs, so that a machine that is busy with something else is busy for both.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import threading
import time
import urllib.request

from broker import StrandlineBroker
from kafka_broker import free_ports

TICKS = os.sysconf("SC_CLK_TCK")
PARTITIONS = 10_000
WITH, WITHOUT = os.environ["STRANDLINE"], os.environ["UNMEASURED"]

# What is sent, and how much of it: batches to a request, bytes of a batch, records in all.
LOADS = [
    ("batches of 16 KiB", ["--batch-bytes", "16384", "--records", "400000"]),
    ("batches of one record of 100 B", ["--record-bytes", "100", "--batch-bytes", "170", "--records", "400000"]),
]
# What is compared: who has it, who has it not.
PAIRS = [
    ("metrics, against none", (WITH, []), (WITHOUT, [])),
    ("the log at info, against warn", (WITH, ["--log", "info"]), (WITH, [])),
    ("the log at debug, against warn", (WITH, ["--log", "debug"]), (WITH, [])),
]


class Side:
    """A broker on fresh data."""

    def __init__(self, folder, binary, words):
        self.folder = folder / "broker"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self.broker = StrandlineBroker(self.folder, [binary, "serve", *words], port, {})
        self.broker.start()
        command = self.broker.command
        self.metrics = f"http://{command[command.index('--http') + 1]}/metrics"

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.broker.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

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


def processor_time(folder, side, words):
    side = Side(folder, *side)
    try:
        # The first records find cold code and new files.
        side.produce("--records", "50000")
        return side.produce(*words)[1]
    finally:
        side.stop()


def spread(numbers, digits=2):
    return f"{statistics.median(numbers):.{digits}f} ({min(numbers):.{digits}f}-{max(numbers):.{digits}f})"


def compare(folder, pairs):
    print("| processor time of the broker | with, s | without, s | with / without |\n| --- | --- | --- | --- |", flush=True)
    for what, one, other in PAIRS:
        for load, words in LOADS:
            found = []
            for turn in range(pairs):
                order = [one, other] if turn % 2 == 0 else [other, one]
                took = [processor_time(folder, side, words) for side in order]
                found.append(took if turn % 2 == 0 else took[::-1])
            with_it, without = zip(*found)
            ratios = [one / other for one, other in found]
            print(f"| {what}: {load} | {spread(with_it)} | {spread(without)} | {spread(ratios, 3)} |", flush=True)


def scrape(side):
    with urllib.request.urlopen(side.metrics, timeout=30) as answer:
        return len(answer.read())


def latency(side, is_scraped, seconds):
    """The latencies of a slow producer, while somebody scrapes all the time or does not."""
    over = threading.Event()

    def scrapes():
        while not over.wait(0.2):
            scrape(side)
    thread = threading.Thread(target=scrapes)
    if is_scraped:
        thread.start()
    try:
        figures, _ = side.produce("--rate", "1000", "--seconds", str(seconds))
    finally:
        over.set()
        if is_scraped:
            thread.join()
    return figures["ackLatencyMs"]


def scrapes(folder, count):
    side = Side(folder, WITH, [])
    try:
        for number in range(10):
            side.strandline("topic", "create", f"many-{number}", "--partitions", str(PARTITIONS // 10))
        side.strandline("topic", "create", "t")
        time.sleep(3)
        scrape(side)
        before, began = side.cpu_s(), time.monotonic()
        sizes = [scrape(side) for _ in range(count)]
        took = (time.monotonic() - began) / count * 1_000
        print(f"\na scrape of {PARTITIONS} partitions: {sizes[-1]} bytes, {took:.1f} ms, "
              f"{(side.cpu_s() - before) / count * 1_000:.1f} ms of processor time", flush=True)
        print("\n| 1,000 records/s, acknowledged after, ms | p50 | p99 | p99.9 | max |\n| --- | --- | --- | --- | --- |")
        for turn in range(6):
            found = latency(side, turn % 2 == 1, 5)
            who = "scraped five times a second" if turn % 2 == 1 else "left alone"
            print(f"| {who} | " + " | ".join(f"{found[name]:.2f}" for name in ("p50", "p99", "p999", "max")) + " |", flush=True)
    finally:
        side.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--scrapes", type=int, default=50)
    given = parser.parse_args()
    if given.scrapes:
        scrapes(given.folder, given.scrapes)
    if given.pairs:
        compare(given.folder, given.pairs)


main()
