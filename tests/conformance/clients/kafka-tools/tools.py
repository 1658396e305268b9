"""Kafka's own command line tools against a broker: what each prints, to the letter.

usage: tools.py WORK_FOLDER, with the tools' class path in TOOLS_CLASSPATH
"""

import json
import re
import signal
import subprocess
import time

from driven import Failure
from java_tools import JAVA, TOOLS, play, same

TIMEOUT_S = 150
SETTLE_TIMEOUT_S = 60
LINES = [f"key {number}|value {number}" for number in range(50)]


def tool(name, *words, status=0, stdin=""):
    """What the tool prints, which has to end with this status."""
    done = subprocess.run(
        [*JAVA, TOOLS + name, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != status:
        raise Failure(f"{name} {' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout if status == 0 else done.stdout + done.stderr


class Tools:
    """The tools, one after the other."""

    def __init__(self, broker, folder):
        self.broker = broker
        self.folder = folder

    def topics(self, *words, **more):
        return tool("TopicCommand", "--bootstrap-server", self.broker.address, *words, **more)

    def settle(self, what, find, expected):
        """Kafka's brokers learn of topics a moment after they answer; with Strandline they are there at once."""
        deadline = time.monotonic() + (SETTLE_TIMEOUT_S if self.broker.kind == "kafka" else 0)
        while (found := find()) != expected and time.monotonic() < deadline:
            time.sleep(0.2)
        same(what, found, expected)

    def describe(self, partitions):
        def find():
            output = re.sub(r"TopicId: \S{22}\t", "TopicId: ID\t", self.topics("--describe", "--topic", "tools"))
            # Kafka sets this one for the whole cluster when it formats the storage.
            return output.replace("min.insync.replicas=1,", "")

        expected = f"Topic: tools\tTopicId: ID\tPartitionCount: {partitions}\tReplicationFactor: 1\tConfigs: retention.ms=-1\n"
        for number in range(partitions):
            expected += f"\tTopic: tools\tPartition: {number}\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n"
        self.settle("description", find, expected)

    def offsets(self, topic, time_words, *expected):
        words = ["--bootstrap-server", self.broker.address, "--topic", topic, *time_words]
        lines = [f"{topic}:{number}:{offset}" for number, offset in enumerate(expected)]
        same(f"offsets of {topic} {time_words}", tool("GetOffsetShell", *words).split(), lines)

    def play(self):
        self.administrate()
        self.produce_and_consume()
        self.restart()
        same("what the console reads", sorted(self.read()), self.produced)
        self.delete_records()
        self.restart()
        self.offsets("performance", ["--time", "latest"], 2000)
        self.refuse()
        self.topics("--delete", "--topic", "performance")
        self.settle("topics", lambda: self.topics("--list"), "tools\n")
        self.groups()
        self.broker.stop(signal.SIGTERM)
        self.dump()

    def restart(self):
        self.broker.restart()
        self.describe(3)

    def administrate(self):
        same("creation", self.topics("--create", "--topic", "tools", "--partitions", 2, "--replication-factor", 1, "--config", "retention.ms=-1"),
             "Created topic tools.\n")
        self.describe(2)
        self.topics("--alter", "--topic", "tools", "--partitions", 3)
        self.describe(3)
        same("creation", self.topics("--create", "--topic", "performance", "--partitions", 1), "Created topic performance.\n")
        self.settle("topics", lambda: self.topics("--list"), "performance\ntools\n")

    def refuse(self):
        """The tool says no, with the broker's words; the numbers behind them are checked with the other clients."""
        for words in (
            ["--create", "--topic", "tools"],
            ["--create", "--topic", "not valid!"],
            ["--create", "--topic", "fresh", "--replication-factor", 2],
            ["--create", "--topic", "fresh", "--config", "cleanup.policy=burn"],
            ["--alter", "--topic", "tools", "--partitions", 1],
            ["--delete", "--topic", "fresh"],
        ):
            output = self.topics(*words, status=1)
            if not output.startswith("Error while executing topic command : "):
                raise Failure(f"TopicCommand {words} said {output[:1000]}")

    def produce_and_consume(self):
        tool("ConsoleProducer", "--bootstrap-server", self.broker.address, "--topic", "tools", "--reader-property", "parse.key=true",
             "--reader-property", "key.separator=|", "--compression-codec", "zstd", stdin="\n".join(LINES) + "\n")
        self.produced = sorted(self.read())
        same("lines", sorted(line for _, _, line in self.produced), sorted(LINES))
        for compression, acks in (("none", "all"), ("lz4", "1")):
            output = tool(
                "ProducerPerformance", "--bootstrap-server", self.broker.address, "--topic", "performance", "--num-records", 1000,
                "--record-size", 1000, "--throughput", -1, "--command-property", f"acks={acks}", f"compression.type={compression}")
            if not re.search("^1000 records sent, ", output, re.MULTILINE):
                raise Failure(f"ProducerPerformance said {output}")
        self.offsets("performance", [], 2000)
        self.offsets("performance", ["--time", "earliest"], 0)
        self.offsets("performance", ["--time", "latest"], 2000)
        # A moment before all, and one after all.
        self.offsets("performance", ["--time", 1], 0)
        same("offsets by a time to come", tool(
            "GetOffsetShell", "--bootstrap-server", self.broker.address, "--topic", "performance", "--time", 4_000_000_000_000).split(), [])

    def read(self):
        """All of the topic, as (partition, offset, line)."""
        words = ["--bootstrap-server", self.broker.address, "--topic", "tools"]
        for place in tool("GetOffsetShell", *words).split():
            _, partition, count = place.split(":")
            more = ["--partition", partition, "--offset", "earliest", "--max-messages", count]
            for name, value in (("print.offset", "true"), ("print.key", "true"), ("key.separator", "|")):
                more += ["--formatter-property", f"{name}={value}"]
            lines = tool("consumer.ConsoleConsumer", *words, *more).splitlines() if count != "0" else []
            for line in lines:
                offset, line = line.removeprefix("Offset:").split("|", 1)
                yield int(partition), int(offset), line

    def groups(self):
        """A console that reads in a group, and what administrators do with that."""
        server = ["--bootstrap-server", self.broker.address]

        def command(*words):
            return tool("consumer.group.ConsumerGroupCommand", *server, *words)

        def lag():
            lines = [line.split() for line in command("--describe", "--group", "readers").splitlines()]
            rows = [line for line in lines if line[:2] == ["readers", "tools"]]
            same("partitions of the group", sorted(int(row[2]) for row in rows), [0, 1, 2])
            return sum(int(row[5]) for row in rows)

        read = tool("consumer.ConsoleConsumer", *server, "--topic", "tools", "--group", "readers", "--from-beginning",
                    "--max-messages", len(LINES), "--timeout-ms", 60_000)
        same("what the console reads in a group", sorted(read.splitlines()), sorted(line.split("|")[1] for line in LINES))
        same("groups", command("--list"), "readers\n")
        same("lag", lag(), 0)
        if " Empty " not in (found := command("--describe", "--group", "readers", "--state")):
            raise Failure(f"the group's state is {found}")
        command("--reset-offsets", "--group", "readers", "--topic", "tools", "--to-earliest", "--execute")
        same("lag after a reset", lag(), len(LINES))
        command("--reset-offsets", "--group", "readers", "--topic", "tools", "--to-latest", "--execute")
        same("lag after another", lag(), 0)
        command("--delete-offsets", "--group", "readers", "--topic", "tools:0")
        if "was successful" not in (found := command("--delete", "--group", "readers")):
            raise Failure(f"the deletion of the group said {found}")
        same("groups", command("--list").strip(), "")

    def delete_records(self):
        file = self.folder / "offsets.json"
        file.write_text(json.dumps({"version": 1, "partitions": [{"topic": "performance", "partition": 0, "offset": 700}]}))
        output = tool("DeleteRecordsCommand", "--bootstrap-server", self.broker.address, "--offset-json-file", file)
        if "partition: performance-0\tlow_watermark: 700" not in output:
            raise Failure(f"DeleteRecordsCommand said {output}")
        self.offsets("performance", ["--time", "earliest"], 700)

    def dump(self):
        """The segments of the topic whose lines are known."""
        found = []
        files = sorted(self.broker.data_folder.rglob("*.log"))
        files = [file for file in files if re.fullmatch(r"\d{20}", file.stem) and file.stat().st_size]
        for line in tool("DumpLogSegments", "--deep-iteration", "--print-data-log", "--files", ",".join(map(str, files))).splitlines():
            if match := re.fullmatch(r"\| offset: (\d+) .* key: (key \d+) payload: (value \d+)", line):
                found.append((int(match[1]), f"{match[2]}|{match[3]}"))
        same("what the dump tool reads", sorted(found), sorted((offset, line) for _, offset, line in self.produced))


if __name__ == "__main__":
    play(Tools)
