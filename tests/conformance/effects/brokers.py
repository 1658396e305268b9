"""What each setting of a broker does that it takes while it runs, and that is not the default of a topic's."""

import socket
import threading
import time

from confluent_kafka import Consumer
from confluent_kafka.admin import NewTopic

from topics import HOUR_MS, LARGE, fill
from world import EAGER, must, now_ms, result, until

CHECKS = {}
NEVER_MS = "86400000"
FLUSHED = "strandline_segment_flushed_bytes_total"


def acts(setting):
    def note(check):
        CHECKS[setting] = check
        return check
    return note


class Member:
    """A member of a group of the newer protocol, which polls until it is told to leave."""

    def __init__(self, world, group, topic):
        self.partitions, self.over = set(), threading.Event()
        self.consumer = Consumer({
            **world.client, "group.id": group, "group.protocol": "consumer", "enable.auto.commit": False,
            "auto.offset.reset": "earliest"})
        self.consumer.subscribe([topic])
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            self.consumer.poll(0.1)
            self.partitions = {place.partition for place in self.consumer.assignment()}
        self.consumer.close()

    def leave(self):
        self.over.set()
        self.thread.join()


@acts("group.consumer.assignment.interval.ms")
def assignment_interval(world, set_to):
    topic, group = "assigned", "group-of-two"
    result(world.admin.create_topics([NewTopic(topic, 2, 1)])[topic])
    set_to("15000")
    began = time.monotonic()
    members = [Member(world, group, topic)]
    try:
        until("the first assignment", lambda: members[0].partitions == {0, 1})
        members.append(Member(world, group, topic))
        time.sleep(2)
        is_due = lambda: time.monotonic() > began + 15
        must("a target stands for less than it was set to", members[1].partitions == set() or is_due())
        set_to("0")
        until("a target that is made anew", lambda: len(members[1].partitions) == 1)
    finally:
        for member in members:
            member.leave()


@acts("log.cleaner.io.max.bytes.per.second")
def compaction_rate(world, set_to):
    topic = "slowly"
    world.create(topic, internal_segment_bytes=500_000, cleanup_policy="compact", min_cleanable_dirty_ratio=0.01,
                 min_compaction_lag_ms=HOUR_MS)
    set_to("1000")
    # All in one go: the pace is asked after each megabyte.
    count = 40
    for number in range(count):
        world.produce(topic, b"v" * 100_000, key=f"key-{number % 3}")
    world.alter_topic(topic, {"min.compaction.lag.ms": "0"})
    until("a compaction that goes on", lambda: world.number("strandline_compactions_running") == 1)
    time.sleep(2)
    must("megabytes are compacted in a second, and not a thousand bytes", len(world.keys(topic)) == count)
    set_to("1000000000")
    until("a compaction that ends", lambda: len(world.keys(topic)) < count)


@acts("log.retention.check.interval.ms")
def retention_interval(world, set_to):
    topic = "looked-at"
    world.create(topic, retention_ms=1_000)
    set_to(NEVER_MS)
    # A look may be under way.
    world.settled("strandline_retention_checks_total")
    world.produce(topic, timestamp=now_ms() - 86_400_000)
    time.sleep(1)
    must("it is looked although it is not the time", world.begin(topic) == 0)
    set_to(EAGER["log.retention.check.interval.ms"])
    until("a look", lambda: world.begin(topic) == 1)


def is_let_in(world):
    """Whether a stranger's connection stays."""
    host, port = world.broker.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as stranger:
        stranger.settimeout(0.5)
        try:
            return stranger.recv(1) != b""
        except TimeoutError:
            return True
        except ConnectionError:
            return False


def connections(world, set_to):
    must("a stranger is refused", is_let_in(world))
    set_to("1")
    until("a stranger who is refused", lambda: not is_let_in(world))
    set_to("1000")
    until("a stranger who is let in", lambda: is_let_in(world))


acts("max.connections")(connections)
acts("max.connections.per.ip")(connections)


@acts("producer.id.expiration.ms")
def producer_expiration(world, set_to):
    topic, metric = "identified", "strandline_producers_expired_total"
    world.create(topic)
    world.produce(topic, is_idempotent=True)
    world.rounds()
    must("a producer is forgotten at once", world.number(metric) == 0)
    set_to("1")
    until("a producer that is forgotten", lambda: world.number(metric) > 0)
    set_to(None)


@acts("strandline.checkpoint.interval.ms")
def checkpoint_interval(world, set_to):
    topic, metric = "flushed", FLUSHED
    world.create(topic)
    set_to(NEVER_MS)
    before = world.settled(metric)
    world.produce(topic, b"x" * 100_000)
    time.sleep(1)
    must("what is appended goes into a segment at once", world.number(metric) - before < 100_000)
    set_to(EAGER["strandline.checkpoint.interval.ms"])
    until("a segment with what was appended", lambda: world.number(metric) - before >= 100_000)


@acts("strandline.file.removal.bytes.per.second")
def removal_rate(world, set_to):
    topic, metric = "removed", "strandline_removals_waiting"
    flushed = world.number(FLUSHED)
    world.create(topic, internal_segment_bytes=10_000)
    fill(world, topic)
    until("segments with what was appended", lambda: world.number(FLUSHED) - flushed >= 10 * len(LARGE))
    files = world.settled("strandline_files_removed_total")
    set_to("1")
    result(world.admin.delete_topics([topic])[topic])
    until("files that wait for their turn", lambda: world.number(metric) > 0)
    time.sleep(1)
    must("files go although it is not their turn", world.number("strandline_files_removed_total") - files <= 3)
    set_to("4294967296")
    until("files that go", lambda: world.number(metric) == 0)
    # What still waits is counted until it has gone, and what has gone before that. A segment has two records, and a file.
    must("files are gone that nobody counted", world.number("strandline_files_removed_total") - files >= 5)


def told(metric):
    def check(world, set_to):
        until(metric, lambda: f"\n{metric}{{" in world.metrics())
        set_to("0")
        until(f"less of {metric}", lambda: f"\n{metric}{{" not in world.metrics())
        set_to("100")
        until(f"more of {metric}", lambda: f"\n{metric}{{" in world.metrics())
    return check


acts("strandline.metrics.partitions")(told("strandline_partition_log_end_offset"))


@acts("strandline.metrics.groups")
def metrics_groups(world, set_to):
    world.create("grouped")
    consumer = Consumer({**world.client, "group.id": "told-of", "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    world.produce("grouped")
    consumer.subscribe(["grouped"])
    until("a record for a group", lambda: consumer.poll(0.5) is not None)
    consumer.commit(asynchronous=False)
    told("strandline_group_members")(world, set_to)
    consumer.close()


