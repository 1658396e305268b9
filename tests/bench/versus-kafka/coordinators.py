"""Offsets, transactions and groups: the same work against Strandline and Kafka in turns, driven by `strandline bench`.

What a broker takes for each commit, transaction and heartbeat is its processor time; the driver is ours, and the same
for both. Some figures are of Strandline alone: what it takes of memory, and what idempotence costs.
"""

import json
import os
import subprocess

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


def busy(arguments):
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
    if "joined" in ours[0]:
        print_row("100 members join a new group", ours, kafkas, lambda each: each["joined"]["joinedMs"], "ms until settled")
        print_row("100 members join another", ours, kafkas, lambda each: each["again"]["joinedMs"], "ms until settled")
        for which in ["p50", "max"]:
            print_row("100 members join again", ours, kafkas, lambda each: each["again"]["settledMs"][which], f"{which} ms until settled")
        print_row("100 members join again", ours, kafkas, lambda each: each["again"]["brokerCpuMicrosecondsEach"] / 1e3, "broker CPU ms each")


def many_groups(arguments, protocol, pairs):
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


def idempotence(arguments):
    """What it costs Strandline to know its producers: the same records, with and without numbers, in turns."""
    side = Side("strandline", arguments.folder)
    plain, numbered, ratios = [], [], []
    try:
        side.create("bench", 4)
        for turn in range(2 * arguments.pairs):
            pair = {}
            for words in [[], ["--idempotent"]] if turn % 2 else [["--idempotent"], []]:
                found = bench(side, "produce", "--topic", "bench", "--acks", "all", *words, *seconds(arguments, 3, 1))
                pair["numbered" if words else "plain"] = found["brokerCpuSecondsPerGigabyte"]
            plain.append(pair["plain"])
            numbered.append(pair["numbered"])
            ratios.append(pair["numbered"] / pair["plain"])
    finally:
        side.stop()
    print(f"| idempotence, batches of 16 KB | broker CPU s/GB, with and without | {spread(numbered)} | {spread(plain)} (ours) | {spread(ratios)} |", flush=True)


def main():
    arguments = parser("pairs").parse_args()
    arguments.page_cache = PageCache(arguments.folder)
    print("Strandline syncs before it acknowledges, Kafka does not. Median (least-most), ratio of pairs.\n")
    print("| work | unit | Strandline | Kafka | ratio |\n| --- | --- | --- | --- | --- |")
    if any(arguments.only in name for name, _ in [*COMMITS, *TRANSACTIONS, ("rebalance", [])]):
        busy(arguments)
    for protocol in ["classic", "consumer"]:
        if arguments.only in f"{protocol} groups":
            many_groups(arguments, protocol, 1)
    if arguments.only in "idempotence":
        idempotence(arguments)


if __name__ == "__main__":
    main()
