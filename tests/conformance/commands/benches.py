"""Each benchmark of the command line, as short as it can be: that it works, and says what it always says."""

import os

from terminal import Terminal

BENCHES = [
    ("produce", "--records", 1_000, "--batch-bytes", 10_000),
    ("consume",),
    ("latency", "--rate", 200, "--seconds", 1),
    ("partitions", "--topic", "bench-partitions", "--partitions", 20),
    ("requests", "--records", 200),
    ("commits", "--groups", 5, "--seconds", 1),
    ("transactions", "--producers", 2, "--seconds", 1),
    ("rebalance", "--members", 3, "--rounds", 2),
    ("groups", "--groups", 5, "--seconds", 1),
    ("groups", "--groups", 5, "--seconds", 1, "--protocol", "consumer"),
]


def benches(run, expect):
    for name, *words in BENCHES:
        found = run.json("bench", name, *words)
        expect(found["bench"], name, "the name of a benchmark")
        expect(found["driverCpuSeconds"] >= 0, True, f"what the driver of {name} takes")
    with Terminal([os.environ["COMMAND_LINE"], "bench", "produce", "--seconds", "2"], run.environment) as terminal:
        terminal.wait_for(" of 2 s, ")
        terminal.wait_for("records/s")
        expect(terminal.status(), 0, "a benchmark in a terminal")
