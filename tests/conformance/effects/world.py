"""A broker, and librdkafka that changes its settings, writes, reads and looks at its numbers."""

import time
import urllib.request
from functools import cache

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka import KafkaError
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec, ResourceType)

from broker import Broker

TIMEOUT_S = 30
BROKER_ID = "1"
# Looks for old records and for what to compact all the time, so that nobody has to wait.
EAGER = {
    "log.retention.check.interval.ms": "30", "strandline.checkpoint.interval.ms": "30",
    "group.consumer.min.heartbeat.interval.ms": "200", "group.consumer.heartbeat.interval.ms": "200",
}


class Refused(Exception):
    """What the broker refused, by Kafka's name for why."""

    def __init__(self, error):
        super().__init__(f"{error.name()}: {error.str()}")
        self.name = error.name()


class Unseen(Exception):
    """A setting did not do what it should."""


def result(future):
    try:
        return future.result(TIMEOUT_S)
    except KafkaException as error:
        raise Refused(error.args[0]) from None


def until(what, is_so, seconds=TIMEOUT_S):
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise Unseen(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def must(what, is_so):
    if not is_so:
        raise Unseen(what)


def now_ms():
    return int(time.time() * 1_000)


class World:
    def __init__(self, folder):
        self.folder = folder
        self.broker = Broker(folder, more=EAGER)
        command = self.broker.broker.command
        self.metrics_url = f"http://{command[command.index('--http') + 1]}/metrics"
        self.round = 0

    def __enter__(self):
        self.broker.__enter__()
        self.connect()
        return self

    def __exit__(self, *given):
        self.broker.__exit__(*given)

    def connect(self):
        # What librdkafka calls errors are connections that end with the broker.
        self.client = {"bootstrap.servers": self.broker.address, "log_level": 0}
        self.admin = AdminClient(self.client)
        self.producer.cache_clear()

    def restart(self):
        self.broker.restart()
        self.connect()

    def create(self, topic, **settings):
        settings = {name.replace("_", "."): str(value) for name, value in settings.items()}
        result(self.admin.create_topics([NewTopic(topic, 1, 1, config=settings)])[topic])

    def alter(self, kind, name, changes):
        """Sets, or takes back what has no value."""
        entries = [
            ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET)
            for setting, value in changes.items()]
        resource = ConfigResource(kind, name, incremental_configs=entries)
        result(self.admin.incremental_alter_configs([resource])[resource])

    def alter_topic(self, topic, changes):
        self.alter(ResourceType.TOPIC, topic, changes)

    def alter_broker(self, changes):
        self.alter(ResourceType.BROKER, BROKER_ID, changes)

    def described(self, kind, name):
        resource = ConfigResource(kind, name)
        return result(self.admin.describe_configs([resource])[resource])

    @cache
    def producer(self, is_idempotent=False):
        return Producer({
            **self.client, "acks": "all", "enable.idempotence": is_idempotent, "linger.ms": 0, "message.max.bytes": 20_000_000,
            "topic.metadata.propagation.max.ms": 3_000, "message.timeout.ms": TIMEOUT_S * 1_000, "retries": 5 if is_idempotent else 0})

    def produce(self, topic, value=b"v", key=None, timestamp=None, is_idempotent=False):
        """The offset of one record, in a batch of its own."""
        ends = []
        producer = self.producer(is_idempotent)
        more = {} if timestamp is None else {"timestamp": timestamp}
        producer.produce(topic, value=value, key=key, partition=0, on_delivery=lambda *end: ends.append(end), **more)
        producer.flush(TIMEOUT_S)
        ((error, message),) = ends
        if error:
            raise Refused(error)
        return message.offset()

    def refuses(self, name, **record):
        """Whether the record is refused so."""
        try:
            self.produce(**record)
        except Refused as refused:
            return refused.name == name
        return False

    def begin(self, topic):
        return self.offset(topic, OffsetSpec.earliest())

    def end(self, topic):
        return self.offset(topic, OffsetSpec.latest())

    def offset(self, topic, spec):
        place = TopicPartition(topic, 0)
        return result(self.admin.list_offsets({place: spec})[place]).offset

    def read(self, topic):
        """Everything that is there, as messages."""
        consumer = Consumer({**self.client, "group.id": "never joined", "enable.auto.commit": False, "enable.partition.eof": True})
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        found, deadline = [], time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                if message.error().code() != KafkaError._PARTITION_EOF:
                    raise Refused(message.error())
                consumer.close()
                return found
            found.append(message)
        raise Unseen(f"{topic} cannot be read to its end")

    def keys(self, topic):
        return [message.key() for message in self.read(topic)]

    def metrics(self):
        with urllib.request.urlopen(self.metrics_url, timeout=TIMEOUT_S) as answer:
            return answer.read().decode()

    def number(self, metric):
        """One number of the broker's, with its labels as they are written; 0 where it is not told."""
        found = [line.rsplit(" ", 1)[1] for line in self.metrics().splitlines() if line.rsplit(" ", 1)[0] == metric]
        return float(found[0]) if found else 0.0

    def settled(self, metric):
        """The number, as soon as it has stood still for a while: what was due is done."""
        seen, since = self.number(metric), time.monotonic()

        def stands_still():
            nonlocal seen, since
            now = self.number(metric)
            if now != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since > 0.5
        until(f"{metric} that stands still", stands_still)
        return seen

    def stored_bytes(self, topic):
        return self.number(f'strandline_partition_bytes{{topic="{topic}",partition="0"}}')

    def rounds(self):
        """Waits until old records have been looked for in all topics, and once more."""
        for _ in range(2):
            self.round += 1
            topic = f"round-{self.round}"
            self.create(topic, retention_ms=1_000)
            self.produce(topic, timestamp=now_ms() - 86_400_000)
            until("a round of retention", lambda: self.begin(topic) == 1)
