"""Kafka's own administration tools against a broker, step by step: what each prints is in expected.txt.

usage: admin.py WORK_FOLDER [--record], with the tools' class path in TOOLS_CLASSPATH
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from broker import Broker
from driven import Failure

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.txt"
SETTINGS = HERE / "settings.txt"
REFERENCE = HERE.parents[2] / "docs/CONFIGURATION.md"
SETTLE_TIMEOUT_S = 30

CONFIG = "kafka.admin.ConfigCommand"
TOOLS = "org.apache.kafka.tools."

# Defaults that are not Kafka's: docs/CONFIGURATION.md says why. Everything else that is said of these is as Kafka says it.
OUR_DEFAULTS = {"max.connections": ("2147483647", "50000")}

# What the two brokers are started with, or where they are: what is said of these says nothing of the defaults.
# Kafka sets min.insync.replicas for the whole cluster when it formats the storage.
OF_THE_START = {
    "advertised.listeners", "auto.create.topics.enable", "group.initial.rebalance.delay.ms", "inter.broker.listener.name",
    "listeners", "log.dirs", "log.retention.check.interval.ms", "min.insync.replicas", "node.id",
    "offsets.topic.num.partitions", "offsets.topic.replication.factor", "transaction.state.log.num.partitions",
    "transaction.state.log.replication.factor",
}


def config(*words):
    return [CONFIG, "--bootstrap-server", "SERVER", *words]


def tool(name, *words):
    return [TOOLS + name, "--bootstrap-server", "SERVER", *words]


def of_topic(*words):
    return config("--entity-type", "topics", "--entity-name", "t", *words)


def of_group(*words):
    return config("--entity-type", "groups", "--entity-name", "g", *words)


def of_broker(*words):
    return config("--entity-type", "brokers", "--entity-name", "1", *words)


def of_all(*words):
    return config("--entity-type", "brokers", "--entity-default", *words)


def ask(*words):
    return ["ask", *words]


RESTART = ["restart"]

# Features of what one node, or this broker, does not have.
FEATURES_OF_KAFKA = {"eligible.leader.replicas.version", "kraft.version", "share.version", "streams.version"}

# Those whose versions are compared: the administration of one node, and groups and transactions. Share and streams groups,
# which Kafka has too, come later.
APIS = {
    "ApiVersions", "CreateTopics", "DeleteTopics", "DeleteRecords", "DescribeConfigs", "AlterConfigs", "AlterReplicaLogDirs",
    "DescribeLogDirs", "CreatePartitions", "ElectLeaders", "IncrementalAlterConfigs", "AlterPartitionReassignments",
    "ListPartitionReassignments", "DescribeQuorum", "UpdateFeatures", "DescribeCluster", "DescribeProducers",
    "ListConfigResources", "DescribeTopicPartitions",
    "OffsetCommit", "OffsetFetch", "FindCoordinator", "JoinGroup", "Heartbeat", "LeaveGroup", "SyncGroup", "DescribeGroups",
    "ListGroups", "DeleteGroups", "OffsetDelete", "ConsumerGroupHeartbeat", "ConsumerGroupDescribe",
    "InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "WriteTxnMarkers", "TxnOffsetCommit",
    "DescribeTransactions", "ListTransactions",
}

STEPS = [
    tool("TopicCommand", "--create", "--topic", "t", "--partitions", "2", "--replication-factor", "1", "--config", "segment.ms=7200000"),
    # Topics.
    of_topic("--describe"),
    of_topic("--alter", "--add-config", "retention.ms=1000,cleanup.policy=[compact,delete],max.message.bytes=5000"),
    of_topic("--describe"),
    tool("TopicCommand", "--describe", "--topic", "t"),
    of_topic("--alter", "--delete-config", "retention.ms,segment.ms"),
    of_topic("--describe"),
    of_topic("--alter", "--add-config", "retention.m=1"),
    of_topic("--alter", "--add-config", "retention.ms=-2"),
    of_topic("--alter", "--add-config", "cleanup.policy=burn"),
    of_topic("--alter", "--add-config", "max.message.bytes=many"),
    of_topic("--alter", "--add-config", "min.compaction.lag.ms=7,max.compaction.lag.ms=6"),
    of_topic("--alter", "--delete-config", "retention.ms"),
    config("--entity-type", "topics", "--entity-name", "none", "--alter", "--add-config", "retention.ms=1"),
    config("--entity-type", "topics", "--entity-name", "none", "--describe"),
    ask("validate", "TOPIC", "t", "SET", "retention.bytes", "7"),
    ask("validate", "TOPIC", "t", "SET", "retention.bytes", "x"),
    ask("alter", "TOPIC", "t", "SUBTRACT", "cleanup.policy", "delete"),
    ask("alter", "TOPIC", "t", "APPEND", "cleanup.policy", "delete"),
    ask("alter", "TOPIC", "t", "APPEND", "retention.ms", "5"),
    ask("alter", "TOPIC", "t", "SET", "retention.ms", "5", "SET", "retention.ms", "6"),
    ask("alter", "TOPIC", "", "SET", "retention.ms", "5"),
    # Brokers: all of them, and one.
    of_all("--describe"),
    of_all("--alter", "--add-config", "log.retention.ms=5000,message.max.bytes=2000000"),
    of_all("--describe"),
    of_broker("--alter", "--add-config", "log.retention.ms=4000,log.cleanup.policy=[delete,compact]"),
    of_broker("--describe"),
    ask("alter", "BROKER", "1", "SET", "node.id", "2"),
    ask("alter", "BROKER", "", "SET", "log.retention.hours", "2"),
    ask("alter", "BROKER", "1", "SET", "log.retention.ms", "x"),
    ask("alter", "BROKER", "1", "SET", "log.segment.bytes", "1"),
    RESTART,
    of_topic("--describe"),
    of_broker("--describe"),
    of_all("--describe"),
    of_broker("--alter", "--delete-config", "log.retention.ms,log.cleanup.policy"),
    of_all("--alter", "--delete-config", "log.retention.ms,message.max.bytes"),
    of_all("--describe"),
    # Groups.
    config("--entity-type", "groups", "--entity-name", "g", "--describe"),
    of_group("--alter", "--add-config", "consumer.session.timeout.ms=50000,consumer.heartbeat.interval.ms=6000"),
    of_group("--describe"),
    config("--entity-type", "groups", "--describe"),
    config("--group", "g", "--alter", "--add-config", "consumer.assignment.interval.ms=0"),
    of_group("--alter", "--delete-config", "consumer.session.timeout.ms"),
    of_group("--describe"),
    of_group("--alter", "--add-config", "consumer.session.timeout.ms=44999"),
    of_group("--alter", "--add-config", "consumer.session.timeout.ms=60001"),
    of_group("--alter", "--add-config", "consumer.heartbeat.interval.ms=4999"),
    of_group("--alter", "--add-config", "consumer.heartbeat.interval.ms=x"),
    of_group("--alter", "--add-config", "consumer.assignment.interval.ms=-1"),
    of_group("--alter", "--add-config", "consumer.session=1"),
    ask("alter", "GROUP", "g", "APPEND", "consumer.session.timeout.ms", "5"),
    ask("alter", "GROUP", "", "SET", "consumer.session.timeout.ms", "50000"),
    RESTART,
    of_group("--describe"),
    ask("resources", "TOPIC", "BROKER", "GROUP"),
    of_group("--alter", "--delete-config", "consumer.heartbeat.interval.ms,consumer.assignment.interval.ms"),
    ask("resources", "GROUP"),
    ask("resources", "TOPIC", "BROKER"),
    # Other tools.
    tool("LogDirsCommand", "--describe", "--topic-list", "t"),
    ask("log-dirs"),
    tool("MetadataQuorumCommand", "describe", "--status"),
    tool("MetadataQuorumCommand", "describe", "--replication"),
    [TOOLS + "ClusterTool", "cluster-id", "--bootstrap-server", "SERVER"],
    tool("LeaderElectionCommand", "--election-type", "PREFERRED", "--all-topic-partitions"),
    tool("LeaderElectionCommand", "--election-type", "PREFERRED", "--topic", "t", "--partition", "0"),
    tool("LeaderElectionCommand", "--election-type", "UNCLEAN", "--topic", "t", "--partition", "1"),
    [TOOLS + "reassign.ReassignPartitionsCommand", "--bootstrap-server", "SERVER", "--list"],
    ask("reassign", "t", "0", "1"),
    ask("reassign", "t", "0", ""),
    ask("reassign", "t", "0", "7"),
    ask("reassign", "none", "0", "1"),
    ask("move", "t", "0", ""),
    ask("move", "t", "0", "/nowhere"),
    ask("producers", "t", "0"),
    tool("FeatureCommand", "describe"),
    tool("FeatureCommand", "upgrade", "--feature", "metadata.version=99"),
    tool("FeatureCommand", "downgrade", "--feature", "transaction.version=1", "--feature", "group.version=0", "--dry-run"),
    tool("FeatureCommand", "describe"),
    tool("FeatureCommand", "downgrade", "--feature", "transaction.version=1", "--feature", "group.version=0"),
    tool("FeatureCommand", "describe"),
    tool("FeatureCommand", "upgrade", "--feature", "transaction.version=2", "--feature", "group.version=1"),
    tool("FeatureCommand", "describe"),
    tool("FeatureCommand", "upgrade", "--feature", "group.version=2"),
    tool("BrokerApiVersionsCommand"),
    tool("TopicCommand", "--delete", "--topic", "t"),
]


class Tools:
    """Kafka's tools in one virtual machine."""

    def __init__(self, address):
        self.address = address
        java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", os.environ["TOOLS_CLASSPATH"]]
        self.process = subprocess.Popen(
            [*java, HERE / "KafkaAdmin.java", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, words):
        """The status that a tool ends with, and what it prints."""
        words = [self.address if word == "SERVER" else word for word in words]
        self.process.stdin.write(("\t".join(words) + "\n").encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise Failure(f"the tools died of {words}")
        return int(answer[0]), self.process.stdout.read(int(answer[1])).decode()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def named(words):
    """A step, as the file of expected output calls it."""
    return " ".join(word.rsplit(".", 1)[-1] if word.startswith(("org.", "kafka.")) else word or "''" for word in words)


def normal(words, text):
    """What a tool prints, without what is another in each run."""
    text = re.sub(r"\b127\.0\.0\.1:\d+", "ADDRESS", text)
    text = re.sub(r"TopicId: \S{22}\t", "TopicId: ID\t", text)
    # Kafka sets this one for the whole cluster when it formats the storage.
    text = re.sub(r"\n  min\.insync\.replicas=1 sensitive=\S+ synonyms=\{[^}]*\}", "", text)
    text = text.replace("min.insync.replicas=1,", "").replace(",min.insync.replicas=1", "")
    text = re.sub(r"\n\s+at [^\n]*|\n\t\.\.\. \d+ (more|common frames omitted)", "", text)
    # We say what may have been meant.
    text = re.sub(r" \(\S+ is known\)| \(it is set at the start, [^)]*\)", "", text)
    name = named(words).split()[0]
    if name == "LogDirsCommand":
        text = re.sub(r'"logDir":"[^"]*"', '"logDir":"FOLDER"', text)
        # They come in no order.
        text = re.sub(r'(?<="partitions":\[)(.*?)(?=\])', lambda found: ",".join(sorted(re.findall(r"\{.*?\}", found[0]))), text)
    if name == "MetadataQuorumCommand":
        text = re.sub(r"(ClusterId|LeaderEpoch|HighWatermark|MaxFollowerLagTimeMs|CurrentVoters):( +)\S.*", r"\1:\2...", text)
        text = re.sub(r"(?m)^(1\s+)\S{22}\s+\d+\s+(\d)\s+\d+\s+\d+\s+(Leader)\s*$", r"\1 DIRECTORY \2 \3", text)
    if name == "ClusterTool":
        text = re.sub(r"Cluster ID: \S{22}", "Cluster ID: ID", text)
    if name == "FeatureCommand" and "describe" in words:
        text = features(text)
    if name == "FeatureCommand" and "upgrade" in words:
        text = "Could not upgrade metadata.version\n" if text.startswith("Could not upgrade metadata.version to 99") else text
    if name == "BrokerApiVersionsCommand":
        text = "".join(f"{line.strip().rstrip(',')}\n" for line in text.splitlines() if line.strip().split("(")[0] in APIS)
    return text


def features(text):
    """The features that both brokers have, as they are described; of metadata.version that it is there at all."""
    lines = []
    for line in re.sub(r"Epoch: \d+", "Epoch: ...", text).splitlines():
        name = line.split()[1] if line.startswith("Feature: ") else None
        if name == "metadata.version":
            is_there = re.fullmatch(r"Feature: \S+\s+SupportedMinVersion: 3.3-IV3\s+SupportedMaxVersion: \S+\s+FinalizedVersionLevel: \S+\s+Epoch: ...", line)
            lines.append("metadata.version is there" if is_there else line)
        elif name == "transaction.version":
            # Transactions without the protocol of its level 1 are not written here.
            lines.append(re.sub(r"SupportedMinVersion: [01]\b", "SupportedMinVersion: ...", line))
        elif name is None or name not in FEATURES_OF_KAFKA:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


class Steps:
    """The steps, one after the other."""

    def __init__(self, broker, tools):
        self.broker = broker
        self.tools = tools

    def output(self, words):
        status, text = self.tools.run(words)
        return f"{normal(words, text).rstrip()}\n[{status}]\n"

    def settled(self, words, expected):
        """Kafka's brokers learn of changes a moment after they answer; with Strandline they are in force at once."""
        deadline = time.monotonic() + (SETTLE_TIMEOUT_S if self.broker.kind == "kafka" else 0)
        while (found := self.output(words)) != expected and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def check(self):
        sections = re.split(r"(?m)^\$ (.*)\n", EXPECTED.read_text())[1:]
        expected = list(zip(sections[::2], sections[1::2]))
        steps = [words for words in STEPS if words is not RESTART]
        if [named(words) for words in steps] != [name for name, _ in expected]:
            raise Failure("expected.txt is of other steps: record it anew")
        left = iter(expected)
        failed = []
        for words in STEPS:
            if words is RESTART:
                self.broker.restart()
                continue
            name, wanted = next(left)
            found = self.settled(words, wanted)
            if found != wanted:
                failed.append(f"$ {name}\n{found}instead of\n{wanted}")
        if failed:
            raise Failure("\n".join(failed))

    def record(self):
        parts = []
        for words in STEPS:
            if words is RESTART:
                self.broker.restart()
                time.sleep(3)
                continue
            time.sleep(0.7)
            parts.append(f"$ {named(words)}\n{self.output(words)}")
        EXPECTED.write_text("".join(parts))

    def check_loggers(self):
        """Levels of the log's parts, by ConfigCommand. The names are ours, so that there is nothing to be held against."""
        part = "strandline_log.checkpoint"

        def loggers(*words):
            return self.tools.run(config("--entity-type", "broker-loggers", "--entity-name", "1", *words))

        def level():
            found = re.search(rf"{part}=(\w+)", loggers("--describe")[1])
            return found and found[1]
        before = level()
        for words, expected in ((("--add-config", f"{part}=DEBUG"), "DEBUG"), (("--delete-config", part), before)):
            status, text = loggers("--alter", *words)
            if status or level() != expected:
                raise Failure(f"the level of {part} is {level()} and not {expected} after {words}: {text}")
        if loggers("--alter", "--add-config", "none=DEBUG")[0] == 0:
            raise Failure("a part that is not there can be turned up")

    def settings(self):
        """Every setting of a topic and of a group without settings, and of the broker: a line each."""
        self.tools.run(tool("TopicCommand", "--create", "--topic", "plain", "--partitions", "1", "--if-not-exists"))
        lines = []
        of_none = (("topic", "TOPIC", "plain"), ("group", "GROUP", "plain"), ("broker", "BROKER", "1"))
        for what, words in ((what, ask("describe", *resource)) for what, *resource in of_none):
            deadline = time.monotonic() + SETTLE_TIMEOUT_S
            while (answer := self.tools.run(words))[0] and time.monotonic() < deadline:
                time.sleep(0.2)
            found = [line for line in answer[1].splitlines() if line.split("|")[0] not in OF_THE_START]
            # Other kinds of groups are to come.
            found = [line for line in found if not line.startswith(("share.", "streams.")) or what != "group"]
            lines += [f"{what}|{line}" for line in found]
        return lines

    def check_planted(self):
        """Differences that are planted have to be seen."""
        text = SETTINGS.read_text()
        for planted in (text.replace("|604800000|", "|604800001|"), text.replace(":log.segment.bytes=", ":log.segment.byte="), text + "topic|none|1\n"):
            try:
                self.check_settings(planted)
            except Failure:
                continue
            raise Failure("a planted difference was not seen")

    def check_settings(self, text):
        """All that Kafka says of its topics' settings; of a broker's, what it says of those that we have as well."""
        expected = {tuple(line.split("|")[:2]): line for line in text.splitlines()}
        for name, (kafkas, ours) in OUR_DEFAULTS.items() if self.broker.kind == "strandline" else ():
            line = expected["broker", name]
            expected["broker", name] = line.replace(f"|{kafkas}|", f"|{ours}|").replace(f"={kafkas}", f"={ours}")
        found = {tuple(line.split("|")[:2]): line for line in self.settings()}
        wrong = [f"{line}\n  instead of {expected[key]}" for key, line in found.items() if key in expected and line != expected[key]]
        missing = [key for key in expected if key[0] in ("topic", "group") and key not in found]
        is_ours = self.broker.kind == "strandline"
        unknown = [key for key in found if is_ours and key not in expected and not key[1].startswith("strandline.")]
        shared = sum(key in expected for key in found)
        if wrong or missing or unknown or shared < 70:
            raise Failure("\n".join([*wrong, f"missing: {missing}", f"unknown to Kafka: {unknown}", f"{shared} are compared"]))


def main():
    folder = Path(sys.argv[1])
    records = "--record" in sys.argv
    with Broker(folder) as broker:
        tools = Tools(broker.address)
        steps = Steps(broker, tools)
        try:
            if records:
                # Of a broker's settings those that we have as well.
                ours = set(re.findall(r"`([a-z0-9.]+)`", REFERENCE.read_text()))
                kept = ("topic|", "group|")
                lines = [line for line in steps.settings() if line.startswith(kept) or line.split("|")[1] in ours]
                SETTINGS.write_text("".join(f"{line}\n" for line in lines))
                steps.record()
            else:
                steps.check_settings(SETTINGS.read_text())
                steps.check_planted()
                steps.check()
                if broker.kind == "strandline":
                    steps.check_loggers()
        except Failure as failure:
            print((folder / "broker.log").read_text()[-3000:], file=sys.stderr)
            sys.exit(f"failed: {failure}")
        finally:
            tools.close()


if __name__ == "__main__":
    main()
