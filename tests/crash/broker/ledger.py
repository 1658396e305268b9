"""What was acknowledged, and what is found: kept by nobody but the one who asks.

Every record has a value that no other has. An acknowledgement names partition and offset: whatever happens to the
broker, a reader has to find that value there afterwards, and no value at two places.
"""

import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

TOPIC = "ledger"
PARTITIONS = 6
READ_TIMEOUT_S = 60


class Wrong(Exception):
    """The broker broke a promise."""


class Ledger:
    def __init__(self, address):
        self.address = address
        self.lock = threading.Lock()
        # (partition, offset) -> value
        self.acknowledged = {}
        self.sent = set()
        self.errors = {}
        self.next_value = 0

    def note(self, error, message):
        with self.lock:
            if error is not None:
                self.errors[error.name()] = self.errors.get(error.name(), 0) + 1
                return
            place = (message.partition(), message.offset())
            before = self.acknowledged.setdefault(place, message.value())
            if before != message.value():
                raise Wrong(f"offset {place} was acknowledged for two records")

    def producer(self):
        settings = {
            "bootstrap.servers": self.address,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 1,
            "message.timeout.ms": 5_000,
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 50,
            "retry.backoff.ms": 10,
            "log_level": 0,
        }
        return Producer(settings)

    def send(self, producer, count, value_bytes=200):
        for _ in range(count):
            value = b"%d " % self.next_value
            value += b"x" * (value_bytes - len(value))
            self.next_value += 1
            self.sent.add(value)
            try:
                producer.produce(TOPIC, value, partition=self.next_value % PARTITIONS, on_delivery=self.note)
            except BufferError:
                return
        producer.poll(0)

    def read(self):
        """Everything that is there: (partition, offset) -> value."""
        settings = {
            "bootstrap.servers": self.address,
            "group.id": "ledger",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "check.crcs": True,
            "log_level": 0,
        }
        consumer = Consumer(settings)
        consumer.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
        found, at_end, deadline = {}, set(), time.monotonic() + READ_TIMEOUT_S
        while len(at_end) < PARTITIONS:
            if time.monotonic() > deadline:
                raise Wrong(f"only {len(at_end)} partitions could be read to their ends")
            for message in consumer.consume(10_000, 0.2):
                if message.error() is None:
                    found[message.partition(), message.offset()] = message.value()
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    at_end.add(message.partition())
                elif not message.error().retriable():
                    raise Wrong(f"reading: {message.error()}")
        consumer.close()
        return found

    def check(self):
        """Holds what is there against what was promised."""
        found = self.read()
        with self.lock:
            for place, value in self.acknowledged.items():
                if found.get(place) != value:
                    raise Wrong(f"{value[:20]} was acknowledged at {place}, where there is {found.get(place, b'nothing')[:20]}")
        places = {}
        for place, value in found.items():
            if value not in self.sent:
                raise Wrong(f"at {place} is {value[:20]}, which nobody sent")
            if places.setdefault(value, place) != place:
                raise Wrong(f"{value[:20]} is at {place} and at {places[value]}")
        return len(found)
