"""Runs the same work by each client in turns, and prints the medians and how ours compares.

Owns the broker's process. What counts is the client's own processor time: client and broker share the machine.
"""

import json
import os
import statistics
import subprocess
import sys

from broker import StrandlineBroker
from kafka_broker import free_ports
from plan import parser

CLIENTS = ["strandline", "librdkafka", "krafka"]
# Ours and Java's consumers look at checksums unless they are told not to, librdkafka's only if it is told to: like goes with like.
CONSUMERS = CLIENTS + ["strandline-unchecked", "librdkafka-checked", "floor", "floor-unchecked"]
COMPARED = {
    "strandline": ["librdkafka-checked", "librdkafka", "krafka", "floor"],
    "strandline-unchecked": ["librdkafka", "floor-unchecked"],
}
OURS = ["strandline", "strandline-unchecked", "floor", "floor-unchecked"]
PARTITIONS = 4
TIMEOUT_S = 120
# name, work, records, bytes of a record, durability of the topic
WORK = [
    ("produce, 1 KiB", "produce", 500_000, 1_024, "fsync"),
    ("produce, 100 B", "produce", 2_000_000, 100, "fsync"),
    ("consume, 1 KiB", "consume", 1_000_000, 1_024, "fsync"),
    ("consume, 100 B", "consume", 2_000_000, 100, "fsync"),
    ("end to end, 1,000 records/s", "latency", 10_000, 1_024, "fsync"),
    # Without the disk, of which a client knows nothing.
    ("end to end, 1,000 records/s, async", "latency", 10_000, 1_024, "async"),
]
# What it must show: work, ours, theirs, and what ours is to be in theirs at least, or at most where it is a latency. Two runs
# of one client differ by a twentieth in the 99th hundredth.
GOALS = [
    ("produce, 1 KiB", "strandline", "librdkafka", 1.5),
    ("produce, 100 B", "strandline", "librdkafka", 2.0),
    ("consume, 1 KiB", "strandline-unchecked", "librdkafka", 1.5),
    ("consume, 1 KiB", "strandline", "librdkafka-checked", 1.5),
    ("consume, 100 B", "strandline-unchecked", "librdkafka", 1.5),
    ("consume, 100 B", "strandline", "librdkafka-checked", 1.5),
    ("end to end, 1,000 records/s", "strandline", "librdkafka", 1.05),
    ("end to end, 1,000 records/s", "strandline", "krafka", 1.05),
    ("end to end, 1,000 records/s, async", "strandline", "librdkafka", 1.05),
    ("end to end, 1,000 records/s, async", "strandline", "krafka", 1.05),
]
MEMORY_PEAK_MAX = 128 << 20


class Unfit(Exception):
    """A client has not done its work."""


class Bench:
    def __init__(self, folder, scale):
        self.folder = folder
        self.scale = scale
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self.broker = StrandlineBroker(folder, [os.environ["STRANDLINE"], "serve"], port, {})
        self.topics = 0

    def topic(self, durability):
        self.topics += 1
        name = f"bench-{self.topics}"
        command = [os.environ["STRANDLINE"], "topic", "create", name, "--partitions", str(PARTITIONS), "--brokers", self.address]
        command += ["--config", f"strandline.durability={durability}"]
        subprocess.run(command, check=True, capture_output=True)
        return name

    def run(self, client, kind, topic, records, record_bytes):
        words = [os.environ["BENCH"], client, kind, self.address, topic, PARTITIONS, int(records * self.scale), record_bytes]
        try:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Unfit(f"has not ended after {TIMEOUT_S} s") from None
        if done.returncode:
            raise Unfit(f"failed: {done.stdout}{done.stderr}".strip())
        figure = json.loads(done.stdout)
        if figure.get("missing"):
            raise Unfit(f"read {figure['records']} records and then no more, of {int(records * self.scale)}")
        return figure

    def work(self, name, kind, records, record_bytes, durability, rounds):
        clients = CONSUMERS if kind == "consume" else CLIENTS
        figures = {client: [] for client in clients}
        filled = None
        unfit = {}
        for number in range(rounds):
            # Nobody always comes first.
            for client in clients[number % len(clients):] + clients[:number % len(clients)]:
                if kind == "consume":
                    if filled is None:
                        filled = self.topic(durability)
                        self.run("strandline", "produce", filled, records, record_bytes)
                    topic = filled
                else:
                    topic = self.topic(durability)
                if client in unfit:
                    continue
                try:
                    figures[client].append(self.run(client, kind, topic, records, record_bytes))
                except Unfit as why:
                    if client in OURS:
                        raise
                    # That is its figure: it is told below, and nobody waits for it a second time.
                    unfit[client] = why
        figures = {client: runs for client, runs in figures.items() if runs}
        report(name, kind, figures)
        for client, why in unfit.items():
            print(f"  {client:20} {why}", flush=True)
        return missed(name, kind, figures)


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def compared_by(kind):
    return "p99_ms" if kind == "latency" else "records_per_cpu_second"


def missed(name, kind, figures):
    """The goals of this work that do not hold, as sentences. One whose other client was unfit holds."""
    key = compared_by(kind)
    for work, ours, other, goal in GOALS:
        if work != name or other not in figures:
            continue
        ratio = median(figures[ours], key) / median(figures[other], key)
        if ratio > goal if kind == "latency" else ratio < goal:
            yield f"{name}: {ours} has {ratio:.2f} of the {key} of {other}, and the goal is {goal}"
    memory = max(run["memory_peak_bytes"] for run in figures["strandline"])
    if memory > MEMORY_PEAK_MAX:
        yield f"{name}: it took {memory >> 20} MiB, and may take {MEMORY_PEAK_MAX >> 20}"


def report(name, kind, figures):
    print(f"\n{name}")
    keys = ["records_per_cpu_second", "megabytes_per_second", "memory_peak_bytes"]
    if kind == "latency":
        keys = ["p50_ms", "p99_ms", "p999_ms", "cpu_seconds", "memory_peak_bytes"]
    for client, runs in figures.items():
        texts = []
        for key in keys:
            values = sorted(run[key] for run in runs)
            texts.append(f"{key} {median(runs, key):,.2f} ({values[0]:,.2f} to {values[-1]:,.2f})")
        print(f"  {client:20} {'; '.join(texts)}")
    key = compared_by(kind)
    for ours, others in COMPARED.items():
        for other in others:
            if ours in figures and other in figures:
                print(f"  {ours} to {other}: {median(figures[ours], key) / median(figures[other], key):.2f} of {key}", flush=True)


def main():
    options = parser("rounds").parse_args()
    bench = Bench(options.folder, options.scale)
    bench.broker.start()
    failures = []
    try:
        for name, *work in WORK:
            if options.only in name:
                failures += bench.work(name, *work, options.rounds)
    finally:
        bench.broker.stop()
    if failures:
        sys.exit("\n".join(["", "missed:", *failures]))


main()
