"""The library's own tests that need a broker, and the commands that use it, against the broker that BROKER names.

usage: library.py WORK_FOLDER, with our command line in COMMAND_LINE
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from broker import Broker

CLI = os.environ["COMMAND_LINE"]
REPOSITORY = Path(__file__).parents[3]
# Kafka serves the consumer protocol since 4.0.
TESTS = ["administration::", "groups::", "transactions::", "trouble::a_classic"]
TESTS += [] if os.environ["BROKER"] == "kafka-3" else ["modern::", "trouble::a_modern"]
# A test and all that it started, which would outlive it otherwise; it may have to be built first.
IN_TIME = ["timeout", "--kill-after=10", "1200"]

# Heartbeats more often than Kafka's default of 5 s, so that groups of the consumer protocol do not take all day.
SETTINGS = {
    "group.consumer.min.heartbeat.interval.ms": 300,
    "group.consumer.heartbeat.interval.ms": 300,
    "group.min.session.timeout.ms": 6000,
}


def fail(text):
    print(f"client-library: {text}", file=sys.stderr)
    sys.exit(1)


def expect(found, expected, what):
    if found != expected:
        fail(f"{what}: {found!r}, expected {expected!r}")


class Commands:
    def __init__(self, address):
        self.address = address

    def run(self, *words, stdin="", expected=0):
        command = [CLI, *map(str, words), "--brokers", self.address]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)
        if done.returncode != expected:
            fail(f"{' '.join(command)} ended with {done.returncode}, not {expected}:\n{done.stdout}{done.stderr}")
        return done.stdout if expected == 0 else done.stderr

    def json(self, *words, stdin=""):
        return json.loads(self.run(*words, "-o", "json", stdin=stdin))

    def lines(self, *words):
        return self.run("consume", *words, "--exit").splitlines()


def library(address):
    for name in TESTS:
        command = [*IN_TIME, "cargo", "test", "--quiet", "--locked", "--package", "strandline-client", "--test", "kafka", name, "--", "--ignored"]
        done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "STRANDLINE_BROKERS": address}, capture_output=True, text=True)
        if "running 0 tests" in done.stdout:
            fail(f"no test of the library is called {name}")
        if done.returncode:
            fail(f"the library's tests of {name} fail with {done.returncode}:\n{done.stdout}{done.stderr}")


def produce_and_consume(commands):
    commands.run("topic", "create", "lines", "--partitions", 1)
    report = commands.json("produce", "lines", stdin="one\ntwo\n\nfour")
    expect(report["partitions"], [{"partition": 0, "records": 4, "firstOffset": 0, "lastOffset": 3}], "what was written")
    expect(commands.lines("lines"), ["one", "two", "", "four"], "what was read")
    expect(commands.lines("lines", "--from", 1, "-n", 2), ["two", ""], "two records from an offset")
    expect(commands.lines("lines", "--from", "-1"), ["four"], "the last one")
    expect(commands.lines("lines", "--from", "end"), [], "nothing new")
    expect(commands.lines("lines", "-p", 0, "--format", "hex"), ["0 0 - 6f6e65", "0 1 - 74776f", "0 2 - ", "0 3 - 666f7572"], "as hexadecimal digits")
    expect(commands.lines("lines", "-n", 1, "--template", "%t/%p/%o:%v%%\\n"), ["lines/0/0:one%"], "by a template")

    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = f"keyed-{codec}"
        commands.run("topic", "create", topic, "--partitions", 3)
        words = ["--key-separator", ":", "--null", "NULL", "--header", "a=1", "--header", "a=2", "-z", codec]
        commands.run("produce", topic, *words, stdin="foobar:1\n21:NULL\nfoobar:2\nabc\n")
        read = [json.loads(line) for line in commands.lines(topic, "--format", "json", "--committed")]
        headers = [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]
        expect([each["headers"] for each in read], [headers] * 4, "the headers")
        by_key = {}
        for each in read:
            by_key.setdefault(each["key"], []).append((each["partition"], each["value"]))
        # As Kafka's murmur2 says: -790332482 and -973932308, without their sign, modulo 3.
        expect(by_key["foobar"], [((-790332482 & 0x7FFFFFFF) % 3, value) for value in ["1", "2"]], "where a key goes")
        expect(by_key["21"], [((-973932308 & 0x7FFFFFFF) % 3, None)], "a tombstone")
        expect(by_key[None][0][1], "abc", "a line without a key")

    # What was read is written again as it was.
    everything = commands.run("consume", "keyed-zstd", "--format", "json", "--exit")
    commands.run("topic", "create", "copy", "--partitions", 3)
    commands.run("produce", "copy", "--format", "json", stdin=everything)
    copied = commands.run("consume", "copy", "--format", "json", "--exit").replace('"copy"', '"keyed-zstd"')
    strip = lambda text: sorted(json.dumps({**json.loads(line), "offset": 0}) for line in text.splitlines())
    expect(strip(copied), strip(everything), "the copy")
    time = json.loads(everything.splitlines()[0])["timestamp"]
    expect(len(commands.lines("copy", "--from", f"@{time}")), 4, "what is as late")
    expect(commands.lines("copy", "--from", f"@{time + 3_600_000}"), [], "what is later")

    with tempfile.NamedTemporaryFile("w") as file:
        file.write("from a file\n" * 1_000)
        file.flush()
        report = commands.json("produce", "lines", "--file", file.name, "--acks", 1, "--key", "k")
    expect((report["records"], report["bytes"]), (1_000, 11_000), "the report of a file")
    expect(len(commands.lines("lines")), 1_004, "all of it")


def refusals(commands):
    nowhere = commands.run("produce", "nowhere", "--timeout", 1, stdin="a\n", expected=1)
    if "nowhere" not in nowhere:
        fail(f"the error does not say which topic: {nowhere}")
    commands.run("consume", "nowhere", "--exit", expected=1)
    commands.run("consume", "lines", "-p", 7, "--exit", expected=1)
    commands.run("produce", "lines", "-p", 7, stdin="a\n", expected=1)
    commands.run("produce", "lines", "--max-bytes", 2_000, stdin="a" * 3_000, expected=1)
    commands.run("produce", "lines", "--format", "json", stdin="{\n", expected=1)
    commands.run("produce", "lines", "--file", "/nowhere", expected=2)
    commands.run("consume", "lines", "--from", "yesterday", expected=2)
    commands.run("consume", "lines", "--template", "%q", expected=2)
    commands.address = "127.0.0.1:1"
    commands.run("consume", "lines", expected=3)
    commands.run("produce", "lines", stdin="a\n", expected=3)
    commands.run("group", "list", expected=3)


def groups(commands):
    moved = commands.json("group", "reset", "readers", "--topic", "lines", "--to", "end", "--validate-only")
    expect((moved["changed"], moved["partitions"][0]["offset"]), (False, 1_004), "where it would go on")
    commands.run("group", "reset", "readers", "--topic", "lines", "--to", 1_000, "--yes")
    described = commands.json("group", "describe", "readers")[0]
    partition = {"topic": "lines", "partition": 0, "committed": 1_000, "end": 1_004, "lag": 4, "member": None}
    expect((described["partitions"], described["members"]), ([partition], []), "a group that was only told where to go on")
    expect("readers" in [group["name"] for group in commands.json("group", "list")], True, "the list")
    table = commands.run("group", "describe", "readers")
    if "COMMITTED" not in table or "1000" not in table:
        fail(f"the table lacks something:\n{table}")
    commands.run("group", "delete", "readers", "--yes")
    expect("readers" in [group["name"] for group in commands.json("group", "list")], False, "the list after it was deleted")
    commands.run("group", "delete", "readers", "--yes", expected=1)


def main():
    folder = Path(sys.argv[1]) / f"library-{os.environ['BROKER']}"
    folder.mkdir()
    with Broker(folder, more=SETTINGS) as broker:
        commands = Commands(broker.address)
        produce_and_consume(commands)
        groups(commands)
        library(broker.address)
        refusals(commands)


main()
