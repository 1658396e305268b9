"""Groups of the new protocol, by librdkafka and Java: who gets what, who takes over, and what is committed.

usage: groups.py WORK_FOLDER, with the tools' class path in TOOLS_CLASSPATH
"""

import collections
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from broker import Broker

# Heartbeats more often than Kafka's default of 5 s, so that the story does not take all day.
SETTINGS = {
    "group.consumer.min.heartbeat.interval.ms": 300,
    "group.consumer.heartbeat.interval.ms": 300,
    "group.consumer.min.session.timeout.ms": 6000,
    "group.consumer.session.timeout.ms": 6000,
    "group.min.session.timeout.ms": 6000,
    "group.initial.rebalance.delay.ms": 0,
    # What Kafka needs on a single node.
    "offsets.topic.replication.factor": 1,
}
TIMEOUT_S = 90
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", os.environ["TOOLS_CLASSPATH"]]


class Failure(Exception):
    """Something is not as it has to be."""


class Member:
    """A consumer of librdkafka that reads in a thread of its own, and commits each message."""

    def __init__(self, address, group, topics, protocol="consumer", **settings):
        self.read = []
        self.error = None
        self.stops = threading.Event()
        if protocol == "classic":
            settings = {"session.timeout.ms": 6000, "partition.assignment.strategy": "cooperative-sticky", **settings}
        self.consumer = Consumer({
            "bootstrap.servers": address, "group.id": group, "group.protocol": protocol,
            "auto.offset.reset": "earliest", "enable.auto.commit": False,
            "topic.metadata.refresh.interval.ms": 1000, **settings})
        self.has = set()
        # Both protocols tell what comes and what goes. (To ask for the whole from another thread blocks the interpreter.)
        self.consumer.subscribe(topics, on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.revoked)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            while not self.stops.is_set():
                message = self.consumer.poll(0.1)
                if message is None or message.error():
                    continue
                self.read.append((message.topic(), message.partition(), message.offset(), message.value()))
                try:
                    self.consumer.commit(message, asynchronous=False)
                except KafkaException as error:
                    # The partition may have gone to another meanwhile, or the broker be away.
                    if not (error.args[0].retriable() or error.args[0].name() in (
                            "STALE_MEMBER_EPOCH", "UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "REBALANCE_IN_PROGRESS",
                            "_STATE", "_TRANSPORT", "_TIMED_OUT", "NOT_COORDINATOR", "_WAIT_COORD", "FENCED_MEMBER_EPOCH")):
                        raise
        except BaseException as error:
            print(f"a member failed: {error!r}", file=sys.stderr)
            self.error = error

    def assigned(self, _, partitions):
        self.has |= {(each.topic, each.partition) for each in partitions}

    def revoked(self, _, partitions):
        self.has -= {(each.topic, each.partition) for each in partitions}

    def owned(self):
        return set(self.has)

    def close(self):
        self.stops.set()
        self.thread.join()
        self.consumer.close()
        if self.error:
            raise self.error


class JavaMember:
    """Kafka's verifiable consumer, which says on its output what it is given."""

    def __init__(self, address, group, topic, protocol="consumer"):
        words = ["org.apache.kafka.tools.VerifiableConsumer", "--bootstrap-server", address, "--topic", topic,
                 "--group-id", group, "--group-protocol", protocol, "--reset-policy", "earliest"]
        if protocol == "classic":
            words += ["--assignment-strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
                      "--session-timeout", "6000"]
        self.process = subprocess.Popen([*JAVA, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.has, self.count = set(), 0
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue
            event = json.loads(line)
            partitions = {(each["topic"], each["partition"]) for each in event.get("partitions", []) if "topic" in each}
            if event["name"] == "partitions_assigned":
                self.has |= partitions
            elif event["name"] == "partitions_revoked":
                self.has -= partitions
            elif event["name"] == "records_consumed":
                self.count += event["count"]

    def owned(self):
        return set(self.has)

    def close(self):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)


def eventually(what, check):
    deadline = time.monotonic() + TIMEOUT_S
    found = None
    while time.monotonic() < deadline:
        found = check()
        if found is True:
            print(f"  {what}", file=sys.stderr)
            return
        time.sleep(0.1)
    raise Failure(f"{what}: {found}")


def shared(members, wanted, sizes):
    """Whether the members have all partitions, none twice, and as many each as they should."""
    owned = [member.owned() for member in members]
    union = set().union(*owned)
    if sum(map(len, owned)) == len(union) and union == wanted and sorted(map(len, owned)) == sizes:
        return True
    return [sorted(each) for each in owned]


def partitions(topic, count):
    return {(topic, partition) for partition in range(count)}


class Story:
    def __init__(self, broker):
        self.broker = broker
        self.address = broker.address
        self.admin = AdminClient({"bootstrap.servers": self.address})
        self.sent = 0

    def create(self, topic, count):
        self.admin.create_topics([NewTopic(topic, count, 1)])[topic].result(TIMEOUT_S)

    def produce(self, topic, count):
        producer = Producer({"bootstrap.servers": self.address})
        for number in range(self.sent, self.sent + count):
            producer.produce(topic, key=str(number), value=f"{topic} {number}")
        if producer.flush(TIMEOUT_S):
            raise Failure("not everything was produced")
        self.sent += count

    def committed(self, group, topic, count):
        reader = Consumer({"bootstrap.servers": self.address, "group.id": group})
        found = reader.committed([TopicPartition(topic, each) for each in range(count)], timeout=TIMEOUT_S)
        reader.close()
        return sum(max(each.offset, 0) for each in found)

    def state(self, group):
        # A new one each time: one that had lost its coordinator by two restarts timed out.
        admin = AdminClient({"bootstrap.servers": self.address})
        described = admin.describe_consumer_groups([group])[group].result(TIMEOUT_S)
        return described.type.name, described.state.name, len(described.members)

    def once_each(self, group, topic, count, members, fresh):
        """Each value is read, and by the end committed; of the `fresh` ones that were written last, since when nobody comes
        or goes, none twice."""
        values = lambda: [value for member in members for _, _, _, value in member.read]
        eventually("all is read", lambda: len(set(values())) == count or len(set(values())))
        eventually("all is committed", lambda: self.committed(group, topic, 6) == count or self.committed(group, topic, 6))
        times = collections.Counter(values())
        twice = [value for number in range(self.sent - fresh, self.sent) if times[value := f"{topic} {number}".encode()] != 1]
        if twice:
            raise Failure(f"read more than once though nobody came or went: {twice[:5]}")

    def members_come_and_go(self):
        self.create("orders-1", 6)
        self.produce("orders-1", 300)
        wanted = partitions("orders-1", 6)
        first = Member(self.address, "come-and-go", ["orders-1"])
        eventually("one has all", lambda: shared([first], wanted, [6]))
        others = [Member(self.address, "come-and-go", ["orders-1"]) for _ in range(2)]
        everyone = [first, *others]
        eventually("three share", lambda: shared(everyone, wanted, [2, 2, 2]))
        eventually("described", lambda: self.state("come-and-go") == ("CONSUMER", "STABLE", 3) or self.state("come-and-go"))
        self.produce("orders-1", 100)
        self.once_each("come-and-go", "orders-1", 400, everyone, 100)
        first.close()
        eventually("two take over", lambda: shared(others, wanted, [3, 3]))
        self.produce("orders-1", 100)
        self.once_each("come-and-go", "orders-1", 500, everyone, 100)
        self.admin.create_partitions([NewPartitions("orders-1", 8)])["orders-1"].result(TIMEOUT_S)
        eventually("more partitions", lambda: shared(others, partitions("orders-1", 8), [4, 4]))
        for kill in (False, True):
            self.broker.kills_next = kill
            self.broker.restart()
            self.produce("orders-1", 50)
            values = lambda: {value for member in everyone for _, _, _, value in member.read}
            eventually("all is read after a restart", lambda: len(values()) == self.sent or len(values()))
            eventually("the same share", lambda: shared(others, partitions("orders-1", 8), [4, 4]))
        for member in others:
            member.close()
        eventually("empty", lambda: self.state("come-and-go")[1:] == ("EMPTY", 0) or self.state("come-and-go"))

    def patterns(self):
        self.create("clicks-1", 2)
        member = Member(self.address, "patterns", ["^clicks-.*"])
        eventually("what matches", lambda: shared([member], partitions("clicks-1", 2), [2]))
        self.create("clicks-2", 1)
        wanted = partitions("clicks-1", 2) | partitions("clicks-2", 1)
        eventually("what matches later", lambda: shared([member], wanted, [3]))
        member.close()

    def static_members(self):
        self.create("static", 4)
        wanted = partitions("static", 4)
        names = ["one", "two"]
        members = [Member(self.address, "static", ["static"], **{"group.instance.id": name}) for name in names]
        eventually("two share", lambda: shared(members, wanted, [2, 2]))
        before = members[0].owned()
        members[0].close()
        again = Member(self.address, "static", ["static"], **{"group.instance.id": "one"})
        eventually("it has its own again", lambda: again.owned() == before or again.owned())
        again.close()
        members[1].close()

    def java_and_librdkafka(self):
        self.create("mixed", 6)
        self.produce("mixed", 200)
        wanted = partitions("mixed", 6)
        java = JavaMember(self.address, "mixed", "mixed")
        eventually("Java has all", lambda: shared([java], wanted, [6]))
        other = Member(self.address, "mixed", ["mixed"])
        eventually("both share", lambda: shared([java, other], wanted, [3, 3]))
        second = JavaMember(self.address, "mixed", "mixed")
        eventually("three share", lambda: shared([java, other, second], wanted, [2, 2, 2]))
        java.close()
        eventually("two share", lambda: shared([other, second], wanted, [3, 3]))
        other.close()
        eventually("Java has all again", lambda: shared([second], wanted, [6]))
        second.close()

    def migration(self):
        self.create("moving", 4)
        wanted = partitions("moving", 4)
        old = Member(self.address, "moving", ["moving"], protocol="classic")
        eventually("a classic group", lambda: shared([old], wanted, [4]))
        eventually("its kind", lambda: self.state("moving")[0] == "CLASSIC" or self.state("moving"))
        new = Member(self.address, "moving", ["moving"])
        eventually("both protocols share", lambda: shared([old, new], wanted, [2, 2]))
        eventually("the kind it is now", lambda: self.state("moving") == ("CONSUMER", "STABLE", 2) or self.state("moving"))
        self.produce("moving", 100)
        values = lambda: {value for member in (old, new) for _, _, _, value in member.read}
        eventually("all is read", lambda: len(values()) == 100 or len(values()))
        new.close()
        eventually("the classic one has all again", lambda: shared([old], wanted, [4]))
        eventually("its kind again", lambda: self.state("moving")[0] == "CLASSIC" or self.state("moving"))
        old.close()


def main():
    work = Path(sys.argv[1])
    chapters = ["members_come_and_go", "patterns", "static_members", "java_and_librdkafka", "migration"]
    for chapter in os.environ.get("CHAPTERS", " ".join(chapters)).split():
        folder = work / chapter
        folder.mkdir()
        started = time.monotonic()
        with Broker(folder, more=SETTINGS) as broker:
            try:
                getattr(Story(broker), chapter)()
            except BaseException:
                sys.stderr.write((folder / "broker.log").read_text()[-4000:])
                # Threads of members that nobody closed would keep the process.
                import traceback
                traceback.print_exc()
                broker.stop(9)
                os._exit(1)
        print(f"{chapter}: {time.monotonic() - started:.0f} s", file=sys.stderr)


main()
