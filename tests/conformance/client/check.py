"""Runs our commands and our client library against a Kafka broker, and holds what they say against Kafka's tools.

Usage: check.py STRANDLINE WORK_FOLDER, with the broker's classpath in KAFKA_CLASSPATH.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from kafka_broker import free_ports, running_broker  # noqa: E402

STRANDLINE, WORK_FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
CLASSPATH = os.environ["KAFKA_CLASSPATH"]
REPOSITORY = pathlib.Path(__file__).parents[3]

USAGE = ["driverCpuSeconds", "brokerCpuSeconds", "brokerRssMegabytes", "brokerRssPeakMegabytes"]
RATES = ["records", "bytes", "seconds", "recordsPerSecond", "megabytesPerSecond",
         "driverCpuSecondsPerGigabyte", "brokerCpuSecondsPerGigabyte"]
QUANTILES = ["count", "mean", "p50", "p90", "p99", "p999", "max"]


class Checked:
    def __init__(self, port, broker_pid):
        self.brokers = f"127.0.0.1:{port}"
        self.broker_pid = broker_pid

    def strandline(self, *words, expected=0):
        command = [STRANDLINE, *map(str, words), "--brokers", self.brokers]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
        if done.returncode != expected:
            fail(f"{' '.join(command)} ended with {done.returncode}, not {expected}:\n{done.stdout}{done.stderr}")
        return done

    def json(self, *words):
        return json.loads(self.strandline(*words, "-o", "json").stdout)

    def bench(self, kind, *words):
        found = self.json("bench", kind, *words, "--broker-pid", self.broker_pid)
        expect(found["bench"], kind, "the name of the benchmark")
        for name in USAGE:
            if not isinstance(found.get(name), (int, float)):
                fail(f"bench {kind} does not say {name}: {found}")
        if found["brokerRssMegabytes"] < 50:
            fail(f"that is no Kafka: {found}")
        return found

    def kafka(self, tool, *words):
        command = ["java", "-cp", CLASSPATH, f"org.apache.kafka.tools.{tool}", "--bootstrap-server", self.brokers, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    def end_offsets(self, topic):
        """By Kafka's own tool: partition to end offset."""
        lines = self.kafka("GetOffsetShell", "--topic", topic).split()
        return {int(line.split(":")[1]): int(line.split(":")[2]) for line in lines}


def fail(text):
    print(f"client: {text}", file=sys.stderr)
    sys.exit(1)


def expect(found, expected, what):
    if found != expected:
        fail(f"{what}: {found!r}, expected {expected!r}")


def expect_error(done, *parts):
    for part in parts:
        if part not in done.stderr:
            fail(f"the error does not say {part!r}: {done.stderr!r}")


def topics(checked):
    created = checked.json("topic", "create", "orders", "--partitions", 3, "--config", "cleanup.policy=compact")
    expect((created[0]["name"], created[0]["partitions"]), ("orders", 3), "what was created")
    described = checked.kafka("TopicCommand", "--describe", "--topic", "orders")
    for part in ["PartitionCount: 3", "ReplicationFactor: 1", "cleanup.policy=compact", created[0]["id"]]:
        if part not in described:
            fail(f"Kafka does not see {part!r} of our topic:\n{described}")

    checked.kafka("TopicCommand", "--create", "--topic", "theirs", "--partitions", "2", "--config", "retention.ms=60000")
    listed = {topic["name"]: topic["partitions"] for topic in checked.json("topic", "list")}
    expect(listed, {"orders": 3, "theirs": 2}, "the list")
    theirs = checked.json("topic", "describe", "theirs")[0]
    own = {setting["name"]: setting["value"] for setting in theirs["settings"] if setting["ofTopic"]}
    expect(own, {"retention.ms": "60000"}, "the settings of Kafka's topic")
    partition = {"partition": 1, "leader": 1, "leaderEpoch": 0, "replicas": [1], "inSync": [1], "offline": []}
    partition |= {"begin": 0, "end": 0, "bytes": 0}
    expect(theirs["partitions"][1], partition, "a partition of Kafka's topic")
    table = checked.strandline("topic", "describe", "theirs").stdout
    if "retention.ms=60000" not in table or "PARTITION" not in table:
        fail(f"the table lacks something:\n{table}")

    expect_error(checked.strandline("topic", "create", "orders", expected=1), "orders", "TOPIC_ALREADY_EXISTS")
    checked.strandline("topic", "create", "orders", "--if-not-exists")
    expect_error(checked.strandline("topic", "create", "a/b", expected=1), "INVALID_TOPIC_EXCEPTION")
    checked.strandline("topic", "create", "maybe", "--validate-only")
    both = checked.strandline("topic", "describe", "orders", "nowhere", expected=1)
    expect_error(both, "nowhere", "UNKNOWN_TOPIC_OR_PARTITION")
    if "orders" not in both.stdout:
        fail("what is there is not described beside what is not")
    checked.strandline("topic", "delete", "orders", "theirs", "--yes")
    checked.strandline("topic", "delete", "orders", "--if-exists", "--yes")
    expect_error(checked.strandline("topic", "delete", "orders", "--yes", expected=1), "UNKNOWN_TOPIC_OR_PARTITION")
    expect(checked.json("topic", "list"), [], "the list after all was deleted")
    checked.strandline("topic", "create", expected=2)


def configs(checked):
    checked.strandline("topic", "create", "set", "--config", "segment.ms=7200000")
    subject = ["--topic", "set"]
    changed = checked.json("config", "alter", *subject, "--set", "retention.ms=60000", "--append", "cleanup.policy=compact", "--reset", "segment.ms")
    expect(changed["changed"], True, "that a topic was changed")
    described = checked.kafka("TopicCommand", "--describe", "--topic", "set")
    for part in ["retention.ms=60000", "cleanup.policy=delete,compact"]:
        if part not in described:
            fail(f"Kafka does not see {part!r} of our change:\n{described}")
    own = {entry["name"]: (entry["value"], entry["source"]) for entry in checked.json("config", "describe", *subject)}
    expect(own, {"cleanup.policy": ("delete,compact", "topic"), "retention.ms": ("60000", "topic")}, "what is set on a topic")
    everything = {entry["name"]: entry["source"] for entry in checked.json("config", "describe", *subject, "--all")}
    expect(everything["segment.ms"], "default", "where a default comes from")
    expect(checked.json("config", "alter", *subject, "--set", "retention.ms=7", "--validate-only")["changed"], False, "what was only checked")
    # Long enough for a broker to learn of what was changed.
    time.sleep(2)
    own = {entry["name"]: entry["value"] for entry in checked.json("config", "describe", *subject)}
    expect(own["retention.ms"], "60000", "a setting that was only checked")
    expect_error(checked.strandline("config", "alter", *subject, "--set", "retention.ms=x", expected=1), "topic set", "INVALID_CONFIG", "LONG")
    expect_error(checked.strandline("config", "alter", *subject, expected=2), "--set")
    checked.strandline("config", "alter", "--all-brokers", "--set", "log.retention.ms=5000")
    checked.strandline("config", "alter", "--broker", 1, "--set", "log.retention.ms=4000")
    brokers = {entry["name"]: entry["value"] for entry in checked.json("config", "describe", "--all-brokers")}
    expect(brokers["log.retention.ms"], "5000", "what is set for all brokers")
    found = {entry["name"]: entry for entry in checked.json("config", "describe", "--broker", 1)}
    expect((found["log.retention.ms"]["value"], found["log.retention.ms"]["source"]), ("4000", "broker"), "what is set for a broker")
    expect(found["node.id"]["readOnly"], True, "that a broker's number stays")
    table = checked.strandline("config", "describe", "--broker", 1).stdout
    if "log.retention.ms" not in table or "at the start" not in table:
        fail(f"the table lacks something:\n{table}")
    expect_error(checked.strandline("config", "describe", "--topic", "nowhere", expected=1), "UNKNOWN_TOPIC_OR_PARTITION")
    checked.strandline("config", "alter", "--broker", 1, "--reset", "log.retention.ms")
    checked.strandline("config", "alter", "--all-brokers", "--reset", "log.retention.ms")
    checked.strandline("topic", "delete", "set", "--yes")


def unreachable(checked):
    brokers, checked.brokers = checked.brokers, f"127.0.0.1:{free_ports(1)[0]}"
    expect_error(checked.strandline("topic", "list", expected=3), "no broker can be reached")
    expect_error(checked.strandline("bench", "produce", expected=3), "no broker can be reached")
    checked.brokers = f"127.0.0.1:{free_ports(1)[0]},{brokers}"
    checked.strandline("topic", "list")
    checked.brokers = brokers


def produce_and_consume(checked):
    runs = [
        ("plain", ["--partitions", 4, "--batch-bytes", 4096]),
        ("leader", ["--acks", 1, "--batches-per-request", 3, "--in-flight", 2, "--partitions", 3]),
        ("once", ["--idempotent", "--partitions", 2]),
        ("zstd", ["--compression", "zstd", "--record-bytes", 100]),
        ("lz4", ["--compression", "lz4", "--idempotent"]),
        ("gzip", ["--compression", "gzip"]),
        ("snappy", ["--compression", "snappy"]),
        ("paced", ["--rate", 5000, "--linger-ms", 20, "--idempotent", "--compression", "lz4"]),
    ]
    for topic, words in runs:
        records = 2_345
        made = checked.bench("produce", "--topic", topic, "--records", records, *words)
        expect(made["records"], records, f"the records produced to {topic}")
        for name in RATES:
            if made[name] <= 0 and name != "brokerCpuSecondsPerGigabyte":
                fail(f"bench produce says {name} = {made[name]}")
        expect(sorted(made["ackLatencyMs"]), sorted(QUANTILES), "the quantiles")
        expect(sum(checked.end_offsets(topic).values()), records, f"the records that Kafka has of {topic}")
        read = checked.bench("consume", "--topic", topic, "--verify")
        expect(read["records"], records, f"the records read from {topic}")
        committed = checked.bench("consume", "--topic", topic, "--read-committed", "--fetch-bytes", 9_999)
        expect(committed["records"], records, f"the committed records read from {topic}")

    timed = checked.bench("produce", "--topic", "timed", "--seconds", 1, "--warm-up-seconds", 0.2)
    if not 0.9 < timed["seconds"] < 20:
        fail(f"a second took {timed['seconds']}")
    checked.bench("produce", "--topic", "unanswered", "--seconds", 0.5, "--acks", 0)
    followed = checked.bench("consume", "--topic", "timed", "--follow", "--seconds", 1)
    expect(followed["records"], 0, "what came to a topic to which nobody writes")
    small = ["produce", "--topic", "small", "--config", "max.message.bytes=1000", "--record-bytes", 2000]
    expect_error(checked.strandline("bench", *small, expected=1), "MESSAGE_TOO_LARGE")
    expect_error(checked.strandline("bench", "produce", "--topic", "timed", "--partitions", 9, expected=2), "1 partition, not 9")
    expect_error(checked.strandline("bench", "produce", "--broker-pid", 2**31, expected=2), "--broker-pid")


def others(checked):
    late = checked.bench("latency", "--topic", "late", "--records", 200, "--rate", 200, "--partitions", 2, "--idempotent")
    expect(sorted(late["latencyMs"]), sorted(QUANTILES), "the quantiles")
    # None before it is due, and all that were due by the end, on a machine that is late as well.
    if not 200 <= late["records"] <= 200 * late["seconds"] + 1 or late["latencyMs"]["count"] != late["records"]:
        fail(f"200 records, of which 200 are due in a second: {late}")
    if not 0 < late["latencyMs"]["p50"] <= late["latencyMs"]["p99"] <= late["latencyMs"]["max"]:
        fail(f"quantiles that do not rise: {late}")
    expect(sum(checked.end_offsets("late").values()) >= late["records"], True, "that Kafka has all of them")

    for kind in ["produce", "metadata", "list-offsets"]:
        many = checked.bench("requests", "--topic", "many", "--kind", kind, "--records", 500, "--connections", 3)
        expect(many["requests"], 500, f"the {kind} requests")
    expect(sum(checked.end_offsets("many").values()), 500, "the records of 500 requests")

    made = checked.bench("partitions", "--topic", "wide", "--partitions", 50, "--keep")
    if not 0 < made["createMs"] <= made["describedMs"] <= made["writableMs"]:
        fail(f"times that do not rise: {made}")
    expect(checked.end_offsets("wide"), {partition: 1 for partition in range(50)}, "a record in each partition")
    expect_error(checked.strandline("bench", "partitions", "--topic", "wide", expected=2), "is there already")


def coordination(checked):
    made = checked.bench("commits", "--topic", "committed", "--partitions", 2, "--groups", 30, "--connections", 4, "--in-flight", 2,
                         "--offsets-per-commit", 2, "--records", 300)
    expect((made["commits"], made["latencyMs"]["count"]), (300, 300), "the commits")
    groups = {f"strandline-bench-{number}" for number in range(30)}
    expect(set(checked.kafka("consumer.group.ConsumerGroupCommand", "--list").split()) & groups, groups, "the groups that Kafka has")
    rows = [line.split() for line in checked.kafka("consumer.group.ConsumerGroupCommand", "--describe", "--group", "strandline-bench-7", "--offsets").splitlines()]
    rows = sorted(row[2:4] for row in rows if row[:2] == ["strandline-bench-7", "committed"])
    expect([row[0] for row in rows], ["0", "1"], "the partitions that a group committed")
    # Each connection goes round its own groups, as fast as it is answered.
    expect([row[1] for row in rows if int(row[1]) > 150], [row[1] for row in rows], "what it committed last")

    for topic, words, version, partitions in [
        ("new", ["--partitions", 4, "--producers", 3, "--partitions-per-transaction", 2], 2, 2),
        ("old", ["--partitions", 1, "--producers", 2, "--transaction-version", 1, "--id-prefix", "old"], 1, 1),
        ("aborted", ["--partitions", 1, "--producers", 2, "--abort", "--id-prefix", "aborted"], 2, 1),
    ]:
        made = checked.bench("transactions", "--topic", topic, "--records", 20, *words)
        expect((made["transactions"], made["transactionVersion"]), (20, version), f"the transactions to {topic}")
        # Ten records, and a marker in each partition; the last markers may be on their way.
        deadline = time.monotonic() + 30
        while (found := sum(checked.end_offsets(topic).values())) != 20 * (10 + partitions) and time.monotonic() < deadline:
            time.sleep(0.2)
        expect(found, 20 * (10 + partitions), f"the records and markers of {topic}")
        read = checked.bench("consume", "--topic", topic, "--read-committed")
        # Aborted batches are sent as well: whoever reads leaves them out, which the benchmark does not.
        expect(read["records"], 200, f"the records read from {topic}")
    listed = checked.kafka("TransactionsCommand", "list")
    expect(sorted(set(re.findall(r"Complete\w+", listed))), ["CompleteAbort", "CompleteCommit"], "how transactions ended")

    made = checked.bench("rebalance", "--topic", "new", "--members", 7, "--rounds", 3)
    expect((made["rebalances"], made["settledMs"]["count"]), (3, 3), "the rebalances")
    for protocol in ["classic", "consumer"]:
        words = ["--groups", 40, "--protocol", protocol, "--heartbeat-ms", 200, "--seconds", 7, "--group-prefix", protocol]
        made = checked.bench("groups", "--topic", "new", *words, *(["--connections", 3] if protocol == "classic" else []))
        expect(made["connections"], 3 if protocol == "classic" else 40, "the connections")
        # Five a second each in the one; in the other Kafka wants one every five seconds. A busy machine is done a little later.
        expected = 40 * made["seconds"] * (5 if protocol == "classic" else 1 / 5)
        if not 0.5 * expected < made["heartbeats"] <= 1.5 * expected:
            fail(f"heartbeats of {protocol} groups: {made}")
        state = checked.kafka("consumer.group.ConsumerGroupCommand", "--describe", "--group", f"{protocol}-7", "--state")
        if "Stable" not in state:
            fail(f"a group with a member is {state}")


def library(checked):
    # With all that it started, which would outlive it otherwise; it may have to be built first.
    in_time = ["timeout", "--kill-after=10", "1200"]
    command = [*in_time, "cargo", "test", "--quiet", "--locked", "--package", "strandline-client", "--test", "kafka", "--", "--ignored"]
    environment = {**os.environ, "STRANDLINE_BROKERS": checked.brokers}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment).returncode
    if ended:
        fail("the client library's own test took too long" if ended == 124 else "the client library's own test fails")


def main():
    folder = WORK_FOLDER / "broker"
    folder.mkdir()
    port = free_ports(1)[0]
    with running_broker(folder, CLASSPATH, [("CLIENT", port, port)]) as broker:
        checked = Checked(port, broker.process.pid)
        for check in [topics, configs, unreachable, produce_and_consume, others, coordination, library]:
            check(checked)
    print("client: the library, the topics and the benchmarks agree with Kafka")


main()
