"""Offsets, transactions and groups: the same work against Strandline and Kafka in turns, driven by `strandline bench`.

What a broker takes for each commit, transaction and heartbeat is its processor time; the driver is ours, and the same
for both. Some figures are of Strandline alone: what it takes of memory, and what idempotence costs.

Where a median is worse than what is asked of Strandline (`GOALS`), the program says so in the end, and fails. A run with
another `--scale` does not: its figures are of something else.
"""

import json
import os
import statistics
import subprocess
import sys

from plan import parser
from versus import PageCache, Side, print_row, spread, versus

# As many partitions of the internal topics as both have where nobody says anything, and no wait for the first member.
SETTINGS = {
    "offsets.topic.num.partitions": 50,
    "transaction.state.log.num.partitions": 50,
    "group.initial.rebalance.delay.ms": 0,
}
TIMEOUT_S = 75
# The driver may be another build than the broker.
DRIVER = os.environ.get("BENCH_DRIVER", os.environ["STRANDLINE"])
COMMITS = [
    ("commits, 1,000 groups", ["--groups", 1_000, "--connections", 16]),
    ("commits, 1,000 groups, 5 on their way on each connection", ["--groups", 1_000, "--connections", 16, "--in-flight", 5]),
]
TRANSACTIONS = [
    ("transactions, 1 producer", ["--producers", 1]),
    ("transactions, 32 producers", ["--producers", 32]),
    ("transactions to 4 partitions each, 32 producers", ["--producers", 32, "--partitions-per-transaction", 4]),
]


# What is asked of a median: of the ratio to Kafka, or of our own figure.
GOALS = {
    "commits": ("for each second of the broker's processor, as many times Kafka's", "at least", 5),
    "transactions": ("for each second of the broker's processor, as many times Kafka's", "at least", 3),
    "rebalance": ("of Kafka's time until 100 members are settled", "at most", 1 / 3),
    "memory": ("MiB resident with 10,000 groups", "at most", 150),
    "heartbeats": ("% of a core for the heartbeats of 10,000 groups", "at most", 10),
    "idempotence": ("times the processor time for each GB", "at most", 1.05),
}


class Verdict:
    """What was measured of what is asked for."""

    def __init__(self):
        self.lines, self.missed = [], 0

    def judge(self, goal, name, numbers):
        what, bound, limit = GOALS[goal]
        median = statistics.median(numbers)
        is_met = median >= limit if bound == "at least" else median <= limit
        self.missed += not is_met
        self.lines.append(f"- {name}: {median:.2f} {what}, {bound} {limit:.2f}" + ("" if is_met else ": MISSED"))

    def miss(self, what):
        self.missed += 1
        self.lines.append(f"- {what}: MISSED")

    def end(self, is_whole):
        print("\n" + "\n".join(self.lines))
        if self.missed and is_whole:
            sys.exit(f"{self.missed} of {len(self.lines)} are missed")


def ratios(ours, kafkas, measure):
    """Of pairs."""
    return [measure(one) / measure(other) for one, other in zip(ours, kafkas)]


def bench(side, kind, *words):
    """What the benchmark says of this broker."""
    command = [DRIVER, "bench", kind, "--brokers", side.address, "--broker-pid", side.pid, "-o", "json", *words]
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, timeout=TIMEOUT_S)
    return json.loads(done.stdout)


def print_ours(name, ours, measure, unit):
    """Where the other has no figure."""
    print(f"| {name} | {unit} | {spread(list(map(measure, ours)))} | none within {TIMEOUT_S} s | |", flush=True)


def seconds(arguments, measured, warm_up):
    """For how long; a virtual machine that compiles as it goes needs the start."""
    return ["--seconds", max(measured * arguments.scale, 1), "--warm-up-seconds", max(warm_up * arguments.scale, 0.5)]


def warm_up_s(number):
    """What is done for the first time takes longer to become fast."""
    return 2 if number else 6


def rate(name):
    return lambda each: each[name]["rate"]


def cost(name):
    return lambda each: each[name]["cost"]


def quantile(name, which):
    return lambda each: each[name]["latency"][which]


def figures(found, name):
    return {"rate": found[f"{name}PerSecond"], "cost": found["brokerCpuMicrosecondsEach"], "latency": found["latencyMs"]}


def busy(arguments, verdict):
    """Commits, transactions and rebalances, one after the other on the same broker."""

    def work(side):
        side.create("bench", 16)
        found = {}
        for number, (name, words) in enumerate(COMMITS):
            if arguments.only in name:
                more = ["--topic", "bench", *words, *seconds(arguments, 4, warm_up_s(number))]
                found[name] = figures(bench(side, "commits", *more), "commits")
        for number, (name, words) in enumerate(TRANSACTIONS):
            if arguments.only in name:
                more = ["--topic", "bench", "--id-prefix", f"bench-{number}", *words, *seconds(arguments, 4, warm_up_s(number))]
                found[name] = figures(bench(side, "transactions", *more), "transactions")
        if arguments.only in "rebalance":
            found["joined"] = bench(side, "rebalance", "--topic", "bench", "--group", "first", "--rounds", 20, "--heartbeat-ms", 10)
            found["again"] = bench(side, "rebalance", "--topic", "bench", "--group", "second", "--rounds", 20, "--heartbeat-ms", 10)
        return found

    ours, kafkas = versus(arguments, work, SETTINGS)
    for name, _ in COMMITS + TRANSACTIONS:
        if name in ours[0]:
            print_row(name, ours, kafkas, rate(name), "a second")
            print_row(name, ours, kafkas, cost(name), "broker CPU us each")
            print_row(name, ours, kafkas, quantile(name, "p50"), "p50 ms")
            print_row(name, ours, kafkas, quantile(name, "p99"), "p99 ms")
            # As many times as much for the same time is as many times less time for the same.
            goal = "commits" if name in dict(COMMITS) else "transactions"
            verdict.judge(goal, name, ratios(kafkas, ours, cost(name)))
    if "joined" in ours[0]:
        print_row("100 members join a new group", ours, kafkas, lambda each: each["joined"]["joinedMs"], "ms until settled")
        print_row("100 members join another", ours, kafkas, lambda each: each["again"]["joinedMs"], "ms until settled")
        verdict.judge("rebalance", "100 members join another", ratios(ours, kafkas, lambda each: each["again"]["joinedMs"]))
        verdict.judge("rebalance", "100 members join again", ratios(ours, kafkas, lambda each: each["again"]["settledMs"]["p50"]))
        for which in ["p50", "max"]:
            print_row("100 members join again", ours, kafkas, lambda each: each["again"]["settledMs"][which], f"{which} ms until settled")
        print_row("100 members join again", ours, kafkas, lambda each: each["again"]["brokerCpuMicrosecondsEach"] / 1e3, "broker CPU ms each")


def many_groups(arguments, verdict, protocol, pairs):
    """Ten thousand groups with a member each, every one with a connection of its own."""
    groups = max(int(10_000 * arguments.scale), 100)

    def work(side):
        side.create("bench", 1)
        try:
            return bench(side, "groups", "--topic", "bench", "--groups", groups, "--protocol", protocol, "--seconds", max(15 * arguments.scale, 6))
        except subprocess.TimeoutExpired:
            return None

    ours, kafkas = versus(arguments, work, SETTINGS, pairs)
    name = f"{groups:,} {protocol} groups"
    if None in ours:
        return verdict.miss(f"{name} are not through within {TIMEOUT_S} s")
    for measure, unit in [
        (lambda each: each["joinedSeconds"], "s until all have joined"),
        (lambda each: each["brokerRssMegabytes"] / 1.048576, "MiB resident"),
        (lambda each: each["heartbeatsPerSecond"], "heartbeats a second"),
        (lambda each: each["brokerCpuPercentOfCore"], "% of a core"),
        (lambda each: each["latencyMs"]["p99"], "p99 ms"),
    ]:
        if None in kafkas:
            print_ours(name, ours, measure, unit)
        else:
            print_row(name, ours, kafkas, measure, unit)
    verdict.judge("memory", name, [each["brokerRssMegabytes"] / 1.048576 for each in ours])
    verdict.judge("heartbeats", name, [each["brokerCpuPercentOfCore"] for each in ours])


def idempotence(arguments, verdict):
    """What it costs Strandline to know its producers: the same records, with and without numbers, in turns."""
    side = Side("strandline", arguments.folder)
    plain, numbered, of_pairs = [], [], []
    try:
        side.create("bench", 4)
        for turn in range(2 * arguments.pairs):
            pair = {}
            for words in [[], ["--idempotent"]] if turn % 2 else [["--idempotent"], []]:
                found = bench(side, "produce", "--topic", "bench", "--acks", "all", *words, *seconds(arguments, 3, 1))
                pair["numbered" if words else "plain"] = found["brokerCpuSecondsPerGigabyte"]
            plain.append(pair["plain"])
            numbered.append(pair["numbered"])
            of_pairs.append(pair["numbered"] / pair["plain"])
    finally:
        side.stop()
    print(f"| idempotence, batches of 16 KB | broker CPU s/GB, with and without | {spread(numbered)} | {spread(plain)} (ours) | {spread(of_pairs)} |", flush=True)
    verdict.judge("idempotence", "idempotence, batches of 16 KB", of_pairs)


def main():
    arguments = parser("pairs").parse_args()
    arguments.page_cache = PageCache(arguments.folder)
    verdict = Verdict()
    print("Strandline syncs before it acknowledges, Kafka does not. Median (least-most), ratio of pairs.\n")
    print("| work | unit | Strandline | Kafka | ratio |\n| --- | --- | --- | --- | --- |")
    if any(arguments.only in name for name, _ in [*COMMITS, *TRANSACTIONS, ("rebalance", [])]):
        busy(arguments, verdict)
    for protocol in ["classic", "consumer"]:
        if arguments.only in f"{protocol} groups":
            many_groups(arguments, verdict, protocol, 1)
    if arguments.only in "idempotence":
        idempotence(arguments, verdict)
    verdict.end(arguments.scale == 1.0)


if __name__ == "__main__":
    main()
