"""Kafka's tools of groups against a broker: verifiable producer and consumer, performance tools, and the group command.

usage: groups.py WORK_FOLDER, with the tools' class path in TOOLS_CLASSPATH
"""

import collections
import json
import signal
import subprocess
import threading
import time

from driven import Failure
from java_tools import JAVA, TOOLS, play, same

TIMEOUT_S = 150
SETTLE_TIMEOUT_S = 90
TOPIC, PARTITIONS, RECORDS = "orders", 3, 300
# What each protocol's groups are called by the tool, and by what they assign.
PROTOCOLS = {"classic": ("Classic", "range"), "consumer": ("Consumer", "uniform")}


def tool(name, *words):
    """What the tool prints; it has to end well."""
    done = subprocess.run([*JAVA, TOOLS + name, *map(str, words)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise Failure(f"{name} {' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def rows(text):
    """The lines of a table, each by the names that stand above them."""
    lines = [line.split() for line in text.splitlines()]
    head = next((at for at, line in enumerate(lines) if line[:1] == ["GROUP"]), None)
    if head is None:
        return []
    # What the tool says to people stands there too.
    return [dict(zip(lines[head], line)) for line in lines[head + 1:] if line and line[0] not in ("Consumer", "Warning:")]


class Verifier:
    """A verifiable consumer, and what it has said so far."""

    def __init__(self, address, group, protocol, more=()):
        words = ["--bootstrap-server", address, "--topic", TOPIC, "--group-id", group, "--group-protocol", protocol, *more]
        self.process = subprocess.Popen(
            [*JAVA, TOOLS + "VerifiableConsumer", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.said = []
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def events(self, name):
        return [event for event in list(self.said) if event["name"] == name]

    def consumed(self):
        return sum(event["count"] for event in self.events("records_consumed"))

    def owned(self):
        """The partitions that it has now."""
        owned = set()
        for event in list(self.said):
            if event["name"] == "partitions_assigned":
                owned |= {each["partition"] for each in event["partitions"]}
            elif event["name"] == "partitions_revoked":
                owned -= {each["partition"] for each in event["partitions"]}
        return owned

    def committed(self):
        """The last offset of each partition; none of them may have been refused."""
        offsets = {}
        for event in self.events("offsets_committed"):
            if not event["success"]:
                raise Failure(f"a commit was refused: {event}")
            offsets |= {each["partition"]: each["offset"] for each in event["offsets"]}
        return offsets

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.thread.join(10)
        same("the end of a verifiable consumer", len(self.events("shutdown_complete")), 1)


class Groups:
    """The tools, one after the other."""

    def __init__(self, broker, folder):
        self.broker = broker
        self.folder = folder
        self.server = ["--bootstrap-server", broker.address]

    def command(self, *words):
        return tool("consumer.group.ConsumerGroupCommand", *self.server, *words)

    def wait_for(self, what, condition):
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"{what} does not come about")
            time.sleep(0.1)

    def play(self):
        tool("TopicCommand", *self.server, "--create", "--topic", TOPIC, "--partitions", PARTITIONS)
        self.produce()
        for protocol in PROTOCOLS:
            self.verify(protocol)
        self.reset("verifiers-classic")
        self.broker.restart()
        self.offsets_are("verifiers-classic", self.kept)
        self.delete()
        self.consume()

    def produce(self):
        said = tool("VerifiableProducer", *self.server, "--topic", TOPIC, "--max-messages", RECORDS, "--repeating-keys", 30, "--acks", -1)
        said = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        names = collections.Counter(event["name"] for event in said)
        same("what the verifiable producer says", (names["producer_send_success"], names["producer_send_error"]), (RECORDS, 0))
        (summary,) = [event for event in said if event["name"] == "tool_data"]
        same("its summary", (summary["sent"], summary["acked"]), (RECORDS, RECORDS))
        ends = collections.Counter(event["partition"] for event in said if event["name"] == "producer_send_success")
        self.ends = {partition: ends[partition] for partition in range(PARTITIONS)}
        same("the partitions that it wrote to", min(self.ends.values()) > 0, True)
        found = [line.split(":") for line in tool("GetOffsetShell", *self.server, "--topic", TOPIC).split()]
        same("the ends of the partitions", {int(line[1]): int(line[2]) for line in found}, self.ends)

    def verify(self, protocol):
        """Two members of a group share the topic, and the group command sees both."""
        group = f"verifiers-{protocol}"
        members = [Verifier(self.broker.address, group, protocol) for _ in range(2)]
        try:
            self.wait_for("that both have partitions, and all of them", lambda: (
                all(member.owned() for member in members) and sum(len(member.owned()) for member in members) == PARTITIONS))
            self.wait_for("that all is read", lambda: sum(member.consumed() for member in members) >= RECORDS)
            self.wait_for("that all is committed", lambda: self.committed(members) == self.ends)
            self.describe(group, protocol, members)
            # It is at work: nobody may move it, or take it away.
            refused = self.command("--reset-offsets", "--group", group, "--topic", TOPIC, "--to-earliest", "--execute")
            same("a reset of a group at work", "inactive" in refused, True)
            refused = self.command("--delete", "--group", group)
            same("the deletion of a group at work", "GroupNotEmptyException" in refused, True)
        finally:
            for member in members:
                member.end()
        state = lambda: [(row["STATE"], row["#MEMBERS"]) for row in rows(self.command("--describe", "--group", group, "--state"))]
        self.wait_for("that all have gone", lambda: state() == [("Empty", "0")])
        self.offsets_are(group, self.ends)

    @staticmethod
    def committed(members):
        committed = {}
        for member in members:
            for partition, offset in member.committed().items():
                committed[partition] = max(offset, committed.get(partition, 0))
        return committed

    def describe(self, group, protocol, members):
        kind, assignor = PROTOCOLS[protocol]
        listed = lambda: rows(self.command("--list", "--state", "Stable", "--type", protocol))
        # The coordinator hears that a member has taken up what it was given with its next heartbeat.
        self.wait_for("that the group is at work", lambda: (
            [(row["GROUP"], row["TYPE"], row["STATE"]) for row in listed()] == [(group, kind, "Stable")]))
        (state,) = rows(self.command("--describe", "--group", group, "--state"))
        same("the state", (state["ASSIGNMENT-STRATEGY"], state["STATE"], state["#MEMBERS"]), (assignor, "Stable", "2"))
        same("the coordinator", (state["COORDINATOR"], state["(ID)"]), (self.broker.address, "(1)"))
        found = rows(self.command("--describe", "--group", group, "--members"))
        same("members", sorted(int(row["#PARTITIONS"]) for row in found), sorted(len(member.owned()) for member in members))
        same("their clients", {row["CLIENT-ID"][:8] for row in found}, {"consumer"})
        verbose = self.command("--describe", "--group", group, "--members", "--verbose")
        for member in members:
            assignment = f"{TOPIC}:{','.join(map(str, sorted(member.owned())))}"
            if assignment not in verbose:
                raise Failure(f"no member has {assignment}:\n{verbose}")
        found = rows(self.command("--describe", "--group", group, "--offsets"))
        same("owners", {row["CONSUMER-ID"] for row in found} & {"-"}, set())
        same("lags", [row["LAG"] for row in found], ["0"] * PARTITIONS)

    def offsets_are(self, group, expected):
        found = rows(self.command("--describe", "--group", group, "--offsets"))
        same(f"offsets of {group}", {int(row["PARTITION"]): int(row["CURRENT-OFFSET"]) for row in found}, expected)
        same(f"lags of {group}", {int(row["PARTITION"]): int(row["LAG"]) for row in found},
             {partition: self.ends[partition] - offset for partition, offset in expected.items()})

    def reset(self, group):
        """Every way to say where a group goes on, first without doing it."""
        every = lambda offset: {partition: offset for partition in range(PARTITIONS)}

        def planned(*words, done="--dry-run"):
            said = self.command("--reset-offsets", "--group", group, *words, done, "--export")
            lines = [line.replace('"', "").split(",") for line in said.splitlines() if line.count(",") == 2]
            return {int(partition): int(offset) for _, partition, offset in lines}

        topic = ["--topic", TOPIC]
        same("to the start", planned(*topic, "--to-earliest"), every(0))
        same("to the end", planned("--all-topics", "--to-latest"), self.ends)
        same("to where it is", planned(*topic, "--to-current"), self.ends)
        same("to an offset", planned(*topic, "--to-offset", 7), every(7))
        same("to one behind the end", planned(*topic, "--to-offset", 1_000_000), self.ends)
        same("back by four", planned(*topic, "--shift-by", -4), {partition: end - 4 for partition, end in self.ends.items()})
        same("by a time long ago", planned(*topic, "--to-datetime", "2000-01-01T00:00:00.000"), every(0))
        same("by an hour", planned(*topic, "--by-duration", "PT1H"), every(0))
        same("of two partitions", planned("--topic", f"{TOPIC}:0,2", "--to-offset", 3), {0: 3, 2: 3})
        self.offsets_are(group, self.ends)
        plan = self.folder / "plan.csv"
        self.kept = {0: 1, 1: 2, 2: 3}
        plan.write_text("".join(f"{TOPIC},{partition},{offset}\n" for partition, offset in self.kept.items()))
        same("from a file", planned("--from-file", plan, done="--execute"), self.kept)
        self.offsets_are(group, self.kept)

    def delete(self):
        group = "verifiers-classic"
        said = self.command("--delete-offsets", "--group", group, "--topic", f"{TOPIC}:1")
        same("the deletion of an offset", "Successful" in said, True)
        found = {row["PARTITION"]: row["CURRENT-OFFSET"] for row in rows(self.command("--describe", "--group", group, "--offsets"))}
        same("what is left", found, {"0": "1", "2": "3"})
        said = self.command("--delete", "--group", group, "--group", "nobody")
        same("the deletion of a group that is not there", "GroupIdNotFoundException" in said, True)
        said = self.command("--delete", "--all-groups")
        same("the deletion of all groups", "was successful" in said, True)
        same("groups", self.command("--list").split(), [])

    def consume(self):
        said = tool("ConsumerPerformance", *self.server, "--topic", TOPIC, "--group", "performance", "--num-records", RECORDS, "--timeout", 60_000)
        figures = [line.split(", ") for line in said.splitlines() if line[:2] == "20"]
        same("what the performance tool read", [line[4] for line in figures], [str(RECORDS)])
        read = tool("consumer.ConsoleConsumer", *self.server, "--topic", TOPIC, "--group", "readers", "--from-beginning",
                    "--command-property", "group.protocol=consumer", "--max-messages", RECORDS, "--timeout-ms", 60_000)
        values = sorted(int(line) for line in read.splitlines() if line.isdigit())
        same("what the console reads in a new group", values, list(range(RECORDS)))
        listed = {row["GROUP"]: row["TYPE"] for row in rows(self.command("--list", "--type", "--state"))}
        same("groups", listed, {"performance": "Classic", "readers": "Consumer"})


if __name__ == "__main__":
    play(Groups)
