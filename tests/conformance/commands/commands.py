"""Our command line, command by command, against the broker that BROKER names.

usage: commands.py WORK_FOLDER, with our command line in COMMAND_LINE. The shapes of the answers go to
WORK_FOLDER/BROKER.json.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benches import benches
from broker import Broker
from endings import bars, endings
from shapes import shape
from terminal import Terminal

CLI = os.environ["COMMAND_LINE"]
BROKER = os.environ["BROKER"]
FOLDER = Path(sys.argv[1])
# Nobody lives there yet.
HOME = FOLDER / f"commands-{BROKER}"


def fail(text):
    sys.exit(f"commands: {text}")


def expect(found, expected, what):
    if found != expected:
        fail(f"{what}: {found!r}, expected {expected!r}")


def settle(ask, expected, what):
    """Kafka's brokers learn a moment later of what was changed."""
    deadline = time.monotonic() + 60
    while (found := ask()) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    expect(found, expected, what)


class Commands:
    def __init__(self, address):
        self.environment = {**os.environ, "STRANDLINE_BROKERS": address, "HOME": str(HOME), "XDG_CONFIG_HOME": ""}
        self.shapes = {}

    def done(self, *words, stdin="", expected=0, **environment):
        environment = {**self.environment, **environment}
        done = subprocess.run([CLI, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=120, env=environment)
        if done.returncode != expected:
            fail(f"{' '.join(map(str, words))} ended with {done.returncode}, not {expected}:\n{done.stdout}{done.stderr}")
        return done

    def text(self, *words, **more):
        return self.done(*words, **more).stdout

    def json(self, *words, **more):
        """The answer; its shape is kept under the command's words."""
        answer = json.loads(self.text(*words, "-o", "json", **more))
        self.shapes.setdefault(" ".join(word for word in map(str, words[:3]) if not word.startswith("/")), shape(answer))
        return answer

    def table(self, head, *words, **more):
        """The lines of a table behind its head, which may have lines before it."""
        lines = self.text(*words, **more).splitlines()
        heads = [line.split() for line in lines]
        if head.split() not in heads:
            fail(f"{' '.join(map(str, words))} has no line {head!r}:\n" + "\n".join(lines))
        return lines[heads.index(head.split()) + 1:]

    def refused(self, status, *words, says=(), **more):
        stderr = self.done(*words, expected=status, **more).stderr
        for part in says:
            if part not in stderr:
                fail(f"{' '.join(map(str, words))} does not say {part!r}: {stderr}")


def topics(run):
    run.json("topic", "create", "orders", "--partitions", 2, "--config", "retention.ms=600000")
    run.json("topic", "create", "maybe", "--validate-only")
    run.text("produce", "orders", "-p", 0, stdin="one\ntwo\nthree\n")
    (listed,) = run.json("topic", "list", "--wide")
    expect((listed["name"], listed["records"], listed["underReplicated"]), ("orders", 3, 0), "the wide list")
    run.table("NAME PARTITIONS REPLICAS ID", "topic", "list")
    (line,) = run.table("NAME PARTITIONS REPLICAS RECORDS SIZE OUT OF SYNC ID", "topic", "list", "--wide")
    described = run.json("topic", "describe", "orders")[0]["partitions"]
    expect([(it["begin"], it["end"]) for it in described], [(0, 3), (0, 0)], "where partitions begin and end")
    expect(described[0]["bytes"] > 0 and described[1]["bytes"], 0, "what they take")
    run.table("PARTITION LEADER REPLICAS IN SYNC BEGIN END SIZE", "topic", "describe", "orders")
    run.table("PARTITION LEADER REPLICAS IN SYNC BEGIN END SIZE EPOCH OFFLINE", "topic", "describe", "orders", "--wide")

    run.json("topic", "alter", "orders", "--set", "retention.ms=700000", "--append", "cleanup.policy=compact", "--partitions", 3)
    def altered():
        described = run.json("topic", "describe", "orders")[0]
        return {it["name"]: it["value"] for it in described["settings"] if it["ofTopic"]}, len(described["partitions"])

    settle(altered, ({"retention.ms": "700000", "cleanup.policy": "delete,compact"}, 3), "altered settings, and added partitions")
    # What is only checked is told as such, and nothing comes of it.
    checked = run.json("topic", "alter", "orders", "--reset", "cleanup.policy", "--partitions", 5, "--validate-only")
    expect(checked, [{"name": "orders", "changed": False}], "what may be changed")
    run.refused(1, "topic", "alter", "orders", "--partitions", 2, "--validate-only", says=["INVALID_PARTITIONS"])
    expect(altered(), ({"retention.ms": "700000", "cleanup.policy": "delete,compact"}, 3), "what was only checked")
    run.text("topic", "alter", "orders", "--reset", "cleanup.policy")
    (checked,) = run.json("topic", "delete", "orders", "--validate-only")
    checked.pop("bytes")
    expect(checked, {"name": "orders", "deleted": False, "partitions": 3, "records": 3}, "what would be deleted")
    if "orders: would be deleted, with 3 partitions and 3 records" not in run.text("topic", "delete", "orders", "--validate-only"):
        fail("it is not said what would be deleted")
    run.refused(1, "topic", "delete", "ordres", "--validate-only", says=["UNKNOWN_TOPIC_OR_PARTITION", "there is orders"])
    expect(run.json("topic", "delete", "ordres", "--if-exists", "--validate-only"), [], "what is not there, and need not be")
    run.refused(2, "topic", "alter", "orders", says=["--set"])
    run.refused(1, "topic", "alter", "orders", "--set", "retention.ms=soon", says=["INVALID_CONFIG"])
    run.refused(1, "topic", "alter", "orders", "--partitions", 1, says=["INVALID_PARTITIONS"])
    for words in [("describe", "ordres"), ("alter", "ordres", "--set", "retention.ms=1"), ("delete", "ordres", "--yes")]:
        run.refused(1, "topic", *words, says=["ordres", "there is orders"])

    expect(run.json("topic", "trim", "orders", "--before", 2, "-p", 0, "--validate-only")["changed"], False, "a trim that is only shown")
    expect(run.json("topic", "describe", "orders")[0]["partitions"][0]["begin"], 0, "where it begins after that")
    run.refused(2, "topic", "trim", "orders", "--before", 2, says=["--yes"])
    run.json("topic", "trim", "orders", "--before", 2, "-p", 0, "--yes")
    expect(run.text("consume", "orders", "--exit").splitlines(), ["three"], "what a trim leaves")


def consuming(run):
    records = [{"key": f"k{number}", "value": f"v{number}", "partition": 0, "timestamp": 1_700_000_000_000 + number,
                "headers": [{"name": "trace", "value": f"t{number}"}]} for number in range(10)]
    # The records are of another year, and stay all the same.
    run.text("topic", "create", "formats", "--partitions", 1, "--config", "retention.ms=-1")
    report = run.json("produce", "formats", "--format", "json", "-z", "zstd", "--compression-level", 3, stdin="".join(json.dumps(it) + "\n" for it in records))
    expect(report["records"], 10, "what was written")
    consume = lambda *words: run.text("consume", "formats", *words).splitlines()
    expect(consume("--exit", "--from", "-3"), ["v7", "v8", "v9"], "the last three")
    expect(consume("--until", 3), ["v0", "v1", "v2"], "what lies before an offset")
    expect(consume("--from", "@1700000000004", "--until", "@2023-11-14T22:13:20.006Z"), ["v4", "v5"], "what lies between two times")
    expect(consume("-n", 1, "--template", "%{date} %{key}=%{value.hex} %K %S %{header.trace}\\n"), ["2023-11-14T22:13:20.000Z k0=7630 2 2 t0"], "a template")
    expect(consume("-n", 1, "--format", "long"), ['2023-11-14T22:13:20.000Z  formats-0 @ 0  "k0"  trace="t0"  "v0"'], "a long line")
    expect(consume("-n", 1, "--format", "hex")[0].split()[-1], "7630", "a value in hexadecimal numbers")
    expect([json.loads(line)["value"] for line in consume("-n", 2, "-o", "json")], ["v0", "v1"], "JSON lines")
    run.text("produce", "formats", "--format", "whole", stdin="a\nb\n")
    expect(run.text("consume", "formats", "--exit", "--from", "-1"), "a\nb\n\n", "a value of two lines")
    run.refused(2, "consume", "formats", "--from", "yesterday", says=["beginning", "2026-01-31"])
    run.refused(2, "consume", "formats", "--template", "%{keys}", says=["%{keys}"])
    run.refused(1, "consume", "format", "--exit", says=["there is formats"])

    run.text("topic", "create", "second", "--partitions", 1)
    run.text("produce", "second", stdin="other\n")
    both = run.text("consume", "formats", "second", "--exit").splitlines()
    expect((len(both), {"v0", "v9", "other"} <= set(both)), (14, True), "two topics at once")

    following = subprocess.Popen([CLI, "consume", "second", "--follow", "-n", "1"], stdout=subprocess.PIPE, text=True, env=run.environment)
    deadline = time.monotonic() + 60
    while following.poll() is None and time.monotonic() < deadline:
        run.text("produce", "second", stdin="later\n")
        time.sleep(0.2)
    expect(following.communicate(timeout=5)[0], "later\n", "what comes while it follows")


def groups(run):
    read = run.text("consume", "formats", "--group", "readers", "-n", 4).splitlines()
    expect(read, ["v0", "v1", "v2", "v3"], "what a member of a group reads first")
    expect(run.text("consume", "formats", "--group", "readers", "--no-commit", "-n", 1), "v4\n", "where the group goes on")
    rest = run.text("consume", "formats", "--group", "readers", "--exit").splitlines()
    expect(rest, ["v4", "v5", "v6", "v7", "v8", "v9", "a", "b", ""], "the rest")
    described = run.json("group", "describe", "readers")[0]
    expect((described["lag"], described["partitions"][0]["committed"]), (0, 11), "how far the group has read")
    run.table("TOPIC PARTITION COMMITTED END LAG MEMBER", "group", "describe", "readers")
    run.table("MEMBER INSTANCE CLIENT HOST PARTITIONS", "group", "describe", "readers", "--members")
    names = lambda *words: [group["name"] for group in run.json("group", "list", *words)]
    expect((names("--state", "empty"), names("--state", "stable")), (["readers"], []), "groups by their state")

    reset = lambda *words: [it["offset"] for it in run.json("group", "reset", "readers", *words)["partitions"]]
    expect(reset("--to", "beginning", "--validate-only"), [0], "a reset that is only shown")
    done = run.done("group", "reset", "readers", "--to", "beginning", expected=2)
    if "WOULD GO ON AT" not in done.stdout or "--yes" not in done.stderr:
        fail(f"without consent a reset shows what it would do, and how it is done: {done}")
    expect(reset("--by", "-4", "--yes"), [7], "four again")
    expect(reset("--to", "@1700000000002", "--topic", "formats", "-p", 0, "--yes"), [2], "from a time on")
    expect(reset("--to", 1_000_000, "--yes"), [11], "no further than the end")
    with tempfile.NamedTemporaryFile("w") as file:
        file.write('"formats",0,5\n')
        file.flush()
        expect(reset("--from-file", file.name, "--yes"), [5], "from a file")
    expect(run.json("group", "describe", "readers")[0]["lag"], 6, "how far it is behind then")
    run.refused(2, "group", "reset", "readers", says=["--to"])
    run.refused(1, "group", "reset", "readers", "--topic", "format", "--to", "end", says=["there is formats"])
    run.refused(1, "group", "describe", "reader", says=["there is readers"])
    run.refused(2, "group", "delete", "readers", says=["--yes"])
    run.refused(2, "group", "forget", "readers", "--topic", "formats", says=["nothing was changed", "--yes"])
    expect(run.json("group", "delete", "readers", "--validate-only"), [{"name": "readers", "deleted": False, "offsets": 1}], "what would be deleted")
    run.refused(1, "group", "delete", "reader", "--validate-only", says=["there is readers"])
    would_go = [{"topic": "formats", "partition": 0, "forgotten": False}]
    expect(run.json("group", "forget", "readers", "--topic", "formats", "--validate-only"), would_go, "what would be forgotten")
    if "WOULD BE FORGOTTEN" not in run.text("group", "forget", "readers", "--topic", "formats", "--validate-only"):
        fail("it is not said what would be forgotten")
    expect(run.json("group", "describe", "readers")[0]["partitions"][0]["committed"], 5, "what was only shown is there")
    member = subprocess.Popen([CLI, "consume", "formats", "--group", "readers", "--no-commit"], stdout=subprocess.DEVNULL, env=run.environment)
    try:
        settle(lambda: names("--state", "stable"), ["readers"], "a group with a member")
        run.refused(1, "group", "delete", "readers", "--validate-only", says=["NON_EMPTY_GROUP", "1 member"])
        run.refused(1, "group", "forget", "readers", "--topic", "formats", "--validate-only", says=["GROUP_SUBSCRIBED_TO_TOPIC"])
    finally:
        member.terminate()
        member.wait(30)
    settle(lambda: names("--state", "empty"), ["readers"], "the group without it")
    forgotten = run.json("group", "forget", "readers", "--topic", "formats", "--yes")
    expect(forgotten, [{"topic": "formats", "partition": 0, "forgotten": True}], "what was forgotten")
    run.refused(1, "group", "reset", "readers", "--by", 1, "--yes", says=["--topic"])


def clusters(run):
    described = run.json("cluster", "describe")
    expect((len(described["brokers"]), described["leaderless"], described["underReplicated"]), (1, 0, 0), "the cluster")
    run.table("ID ADDRESS RACK LEADS HOLDS OUT OF SYNC CONTROLLER", "cluster", "brokers")
    run.json("cluster", "brokers")
    levels = {feature["name"]: feature["level"] for feature in run.json("cluster", "features")}
    expect(levels["group.version"], 1, "the level of a feature")
    run.table("NAME MIN MAX IN USE", "cluster", "features")
    expect(run.json("cluster", "quorum")["replicas"][0]["role"], "voter", "the quorum")
    run.table("ID ROLE END LAG CAUGHT UP", "cluster", "quorum")
    folder = run.json("cluster", "log-dirs")[0]
    expect((folder["broker"], folder["error"]), (1, None), "a folder")
    run.table("BROKER FOLDER PARTITIONS SIZE FREE OF STATE", "cluster", "log-dirs")
    run.table("BROKER FOLDER TOPIC PARTITION SIZE BEHIND", "cluster", "log-dirs", "--topic", "orders", "--broker", 1)
    run.json("cluster", "apis")
    run.table("KEY NAME BROKER THIS BINARY", "cluster", "apis", "--broker", 1)

    (setting,) = [it for it in run.json("config", "describe", "--topic", "orders") if it["name"] == "retention.ms"]
    expect((setting["value"], setting["source"]), ("700000", "topic"), "a setting of a topic")
    run.text("config", "alter", "--topic", "orders", "--set", "retention.ms=800000", "--validate-only")
    (setting,) = [it for it in run.json("config", "describe", "--topic", "orders") if it["name"] == "retention.ms"]
    expect(setting["value"], "700000", "a setting that was only checked")
    run.text("config", "alter", "--topic", "orders", "--reset", "retention.ms")
    run.table("NAME VALUE FROM CHANGES", "config", "describe", "--topic", "orders", "--all")
    run.text("config", "alter", "--broker", 1, "--set", "message.max.bytes=1000012")
    of_broker = lambda: [(it["value"], it["source"]) for it in run.json("config", "describe", "--broker", 1) if it["name"] == "message.max.bytes"]
    settle(of_broker, [("1000012", "broker")], "a setting of a broker")
    run.refused(1, "config", "alter", "--topic", "orders", "--set", "retention.ms=soon", says=["INVALID_CONFIG"])

    run.text("config", "alter", "--group", "readers", "--set", "consumer.session.timeout.ms=46000")
    of_group = lambda: [(it["value"], it["source"]) for it in json.loads(run.text("config", "describe", "--group", "readers", "-o", "json"))]
    settle(of_group, [("46000", "group")], "a setting of a group")
    run.refused(1, "config", "describe", "--topic", "ordres", says=["there is orders"])


def running_log(run, data):
    """A directory that is being used."""
    done = run.done("log", "list", data, "--topic", "formats")
    if "a broker is using the directory" not in done.stderr or not re.search(r"^formats +0 +0 +11 ", done.stdout, re.M):
        fail(f"a directory in use is told wrongly: {done}")
    dumped = run.text("log", "dump", data, "--topic", "formats", "--deep", "--from", 9)
    if 'value "v9"' not in dumped:
        fail(f"the dump of a directory in use is wrong:\n{dumped}")
    frames = [json.loads(line) for line in run.text("log", "journal", data, "-o", "json").splitlines()]
    appended = [it for it in frames if it["kind"] == "append" and it["partition"]]
    if not appended or not all(it["frame"] > 0 and it["said"]["bytes"] > 0 for it in appended):
        fail(f"the journal, for programs: {frames[:3]}")
    # The records of such a topic are in no journal; `logs` looks for them.
    run.text("topic", "create", "quick", "--partitions", 1, "--config", "strandline.durability=async")
    run.text("produce", "quick", stdin="soon\n")


def transactions(run):
    expect(run.json("transaction", "list"), [], "no transaction")
    run.table("ID STATE PRODUCER COORDINATOR", "transaction", "list")
    run.refused(1, "transaction", "describe", "nobody", says=["TRANSACTIONAL_ID_NOT_FOUND"])
    run.refused(1, "transaction", "abort", "nobody", "--yes", says=["TRANSACTIONAL_ID_NOT_FOUND"])
    run.refused(2, "transaction", "abort", "nobody", says=["--yes"])
    run.refused(1, "transaction", "abort", "nobody", "--validate-only", says=["TRANSACTIONAL_ID_NOT_FOUND"])
    run.refused(2, "transaction", "list", "--state", "Open", says=["Ongoing"])
    run.table("PARTITION PRODUCER EPOCH SEQUENCE OPEN SINCE LAST RECORD", "transaction", "producers", "formats")
    producers = run.json("transaction", "producers", "formats", "-p", 0)
    expect(all(it["openSinceOffset"] is None for it in producers) and len(producers) > 0, True, "who has written")

    run.text("group", "reset", "readers", "--topic", "formats", "--to", 5, "--yes")
    at = lambda: [it["committed"] for it in run.json("group", "describe", "readers")[0]["partitions"]]
    hold = [os.environ["PYTHON"], "-B", str(Path(__file__).parent / "hold.py"), run.environment["STRANDLINE_BROKERS"], "transfer", "second",
            "readers", "formats"]
    with subprocess.Popen(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holding:
        expect(holding.stdout.readline(), "open\n", "a transaction that is open")
        (listed,) = run.json("transaction", "list", "--state", "Ongoing")
        expect(listed["id"], "transfer", "the open transaction")
        expect(run.json("transaction", "list", "--open-ms", 3_600_000), [], "none is open for an hour")
        described = run.json("transaction", "describe", "transfer")[0]
        own = [it for it in described["topics"] if it["topic"] != "__consumer_offsets"]
        expect((described["state"], own), ("Ongoing", [{"topic": "second", "partitions": [0]}]), "what it is in")
        expect(at(), [5], "where a group is that an open transaction would move")
        if "open since" not in run.text("transaction", "describe", "transfer"):
            fail("it is not said since when a transaction is open")
        opened = [it["openSinceOffset"] for it in run.json("transaction", "producers", "second")]
        expect(sum(offset is not None for offset in opened), 1, "who holds up readers")
        (checked,) = run.json("transaction", "abort", "transfer", "--validate-only")
        expect((checked["fenced"], checked["state"], "second-0" in checked["partitions"]), (False, "Ongoing", True), "what would be aborted")
        if "its transaction in" not in run.text("transaction", "abort", "transfer", "--validate-only"):
            fail("it is not said what would be aborted")
        after = run.json("transaction", "describe", "transfer")[0]
        expect((after["state"], after), ("Ongoing", described), "a transaction whose end was only shown")
        run.json("transaction", "abort", "transfer", "--yes")
        if run.json("transaction", "describe", "transfer")[0]["state"] not in ("Empty", "CompleteAbort"):
            fail("a transaction that was aborted is open")
        holding.stdin.close()
    expect(at(), [5], "where a group is that a transaction was to move which was aborted")
    if "never" in run.text("consume", "second", "--exit", "--committed"):
        fail("what was aborted is read")

    run.text("topic", "create", "ledger", "--partitions", 1)
    together = lambda lines, **more: run.done("produce", "ledger", "--transactional-id", "till", "--format", "json", stdin="".join(f"{line}\n" for line in lines), **more)
    together(['{"value": "debit"}', '{"value": "credit"}'])
    refused = together(['{"value": "half"}', "no JSON"], expected=1)
    if "nothing of the transaction counts" not in refused.stderr or "line 2" not in refused.stderr:
        fail(f"a transaction that ends half way says: {refused.stderr}")
    if re.search(r"^ *0 ", refused.stdout, re.M):
        fail(f"it is said to have written something: {refused.stdout}")
    expect(run.text("consume", "ledger", "--exit", "--committed").splitlines(), ["debit", "credit"], "what counts of transactions")
    run.refused(2, "produce", "ledger", "--transactional-id", "till", "--acks", "1", says=["--acks all"])


def profiles(run, address):
    environment = {**run.environment}
    del run.environment["STRANDLINE_BROKERS"]
    run.refused(2, "topic", "list", "--profile", "here", says=["profile set"])
    run.text("profile", "set", "here", "--brokers", address)
    run.text("profile", "set", "away", "--brokers", "127.0.0.1:1")
    run.text("topic", "list", "--profile", "here")
    run.text("topic", "list", STRANDLINE_PROFILE="here")
    run.refused(3, "topic", "list", says=["no broker can be reached", "--brokers"], STRANDLINE_PROFILE="away")
    run.text("topic", "list", "--brokers", address, STRANDLINE_PROFILE="away")
    run.text("topic", "list", STRANDLINE_PROFILE="away", STRANDLINE_BROKERS=address)
    expect([it["name"] for it in run.json("profile", "list")], ["away", "here"], "the profiles")
    shown = run.json("profile", "show", "here")
    expect((shown["brokers"], shown["http"], Path(shown["file"]).name), (address, None, "here.toml"), "a profile, for programs")
    run.text("profile", "set", "default", "--brokers", address)
    run.text("topic", "list")
    (HOME / "wrong.toml").write_text("broker = 'a'\n")
    run.refused(2, "topic", "list", "--profile", HOME / "wrong.toml", says=["brokers is known"])
    run.environment = environment


def terminals(run):
    """Where somebody sits there: questions, and the view that draws itself."""
    run.text("topic", "create", "doomed")
    with Terminal([CLI, "topic", "delete", "doomed"], run.environment) as terminal:
        terminal.wait_for("delete doomed")
        terminal.type("n\r")
        expect(terminal.status(), 1, "what nobody agreed to")
    with Terminal([CLI, "topic", "delete", "doomed"], run.environment) as terminal:
        terminal.wait_for("[y/N]")
        terminal.type("y\r")
        expect(terminal.status(), 0, "what somebody agreed to")
    settle(lambda: subprocess.run([CLI, "topic", "describe", "doomed"], capture_output=True, env=run.environment).returncode, 1, "a topic that is gone")

    with Terminal([CLI, "top", "--interval", "1"], run.environment, rows=20, columns=70) as terminal:
        terminal.wait_for("\x1b[?1049h")
        terminal.wait_for("formats")
        terminal.resize(10, 40)
        terminal.forget()
        terminal.wait_for("q quits")
        terminal.type("q")
        expect(terminal.status(), 0, "the view after q")
        if not terminal.seen.rstrip().endswith("\x1b[?1049l"):
            fail(f"the terminal was not given back: {terminal.seen[-200:]!r}")
        expect(terminal.is_as_before(), True, "that the terminal echoes again")
    once = run.text("top", "--once", "--interval", 1)
    if "\x1b" in once or not re.search(r"^formats +1 +11 +0 ", once, re.M):
        fail(f"one view for scripts is not plain, or lacks a topic:\n{once}")
    run.json("top", "--interval", 1, "--http", "127.0.0.1:1")
    run.refused(2, "top", says=["--once"])


def descriptions(run):
    for shell in ["bash", "zsh", "fish"]:
        if "describe" not in run.text("completions", shell):
            fail(f"{shell} does not know a command")
    syntax = subprocess.run(["bash", "-n"], input=run.text("completions", "bash"), text=True, capture_output=True)
    expect((syntax.returncode, syntax.stderr), (0, ""), "what bash says of its completions")
    pages = HOME / "man"
    run.text("man", "--out", pages)
    page = (pages / "strandline-topic-alter.1").read_text()
    if "Exit codes" not in page or "\\-\\-partitions" not in page:
        fail(f"a page lacks something:\n{page}")
    if "Exit codes: 0 all was done" not in run.text("group", "reset", "--help"):
        fail("the help does not state the exit codes")
    run.refused(2, "topic", "descripe", "orders", says=["describe"])


def logs(run, data):
    """What lies on the disk, once nobody uses it."""
    if BROKER == "strandline":
        listed = [json.loads(line) for line in run.text("log", "list", data, "-o", "json").splitlines()]
        found = {(it["topic"], it["partition"]): (it["begin"], it["end"]) for it in listed}
        expect((found["formats", 0], found["orders", 0]), ((0, 11), (2, 3)), "where partitions begin and end on the disk")
        run.table("TOPIC PARTITION BEGIN END SEGMENTS IN SEGMENTS IN JOURNAL FOLDER", "log", "list", data, "--topic", "formats")
        dumped = run.text("log", "dump", data, "--topic", "formats", "--deep", "--indexes", "--from", 3, "--until", 5)
        if 'value "v3"' not in dumped or 'value "v5"' in dumped or "zstd" not in dumped:
            fail(f"the dump is wrong:\n{dumped}")
        dumped = run.text("log", "dump", data, "--topic", "quick", "--deep")
        if 'value "soon"' not in dumped:
            fail(f"the dump of an asynchronous topic is wrong:\n{dumped}")
        offsets = run.text("log", "dump", data, "--topic", "__consumer_offsets", "--deep", "-o", "json")
        files = []
        run.text("log", "dump", data, "--topic", "__cluster_metadata", "--deep")
        if "frame" not in run.text("log", "manifest", data) or "last frame" not in run.text("log", "journal", data):
            fail("the manifest or the journal says nothing")
        first, *rows = [json.loads(line) for line in run.text("log", "manifest", data, "-o", "json").splitlines()]
        partitions = {it["partition"]["name"]: it["partition"] for it in rows if "partition" in it}
        expect((first["manifest"]["checkpoint"] > 0, partitions["orders-0"]["logStart"]), (True, 2), "the manifest, for programs")
        run.refused(1, "log", "dump", data, "--topic", "format", says=["there is formats"])
    else:
        files = sorted((data / "formats-0").glob("*.log")) + sorted((data / "formats-0").glob("*index"))
        dumped = run.text("log", "dump", *files, "--deep")
        if 'value "v3"' not in dumped or "zstd" not in dumped:
            fail(f"the dump is wrong:\n{dumped}")
        offsets = run.text("log", "dump", *sorted((data / "__consumer_offsets-0").glob("*.log")), "--deep", "-o", "json")
    records = [json.loads(line)["record"] for line in offsets.splitlines() if '"record"' in line]
    # Of the transaction that would have moved a group.
    markers = [it for it in records if "control" in it]
    expect([it["control"].split(",")[0] for it in markers], ["abort"], "the markers")
    records = [it for it in records if "control" not in it]
    if strange := [it for it in records if "type" not in it]:
        fail(f"records of __consumer_offsets are not told in words: {strange[:3]}")
    commits = [it for it in records if it["type"] == "OffsetCommit" and it["value"] and not it["key"]["group"].startswith("strandline-bench")]
    expect({(it["key"]["group"], it["key"]["topic"]) for it in commits}, {("readers", "formats")}, "who has committed what")
    expect(7 in {it["value"]["offset"] for it in commits}, True, "an offset that was committed")
    members = [member for it in records if it["type"] == "GroupMetadata" and it["value"] for member in it["value"]["members"]]
    expect(any(member["subscription"]["topics"] == ["formats"] for member in members), True, "what a member subscribed to")
    run.refused(2, "log", "dump", "/etc/hostname", says=["00000000000000000000.log"])


def main():
    HOME.mkdir()
    with Broker(HOME) as broker:
        run = Commands(broker.address)
        topics(run)
        consuming(run)
        groups(run)
        clusters(run)
        if BROKER == "strandline":
            running_log(run, broker.data_folder)
        transactions(run)
        terminals(run)
        bars(run)
        endings(run, HOME)
        profiles(run, broker.address)
        descriptions(run)
        benches(run, expect)
        if run.text("consume", "__consumer_offsets", "--exit", "--format", "internal").count('"OffsetCommit"') < 3:
            fail("the cluster's own topic is not told in words")
        run.json("group", "delete", "readers", "--yes")
        data = broker.data_folder
    logs(run, data)
    (FOLDER / f"{BROKER}.json").write_text(json.dumps(run.shapes))


main()
