"""What was acknowledged, and what is found: kept by nobody but the one who asks.

Every record has a value that no other has. An acknowledgement names partition and offset: whatever happens to the
broker, a reader has to find that value there afterwards, and no value at two places. A value says whose it is and which
of his: what one producer sent to a partition has to be there in that order, whatever is missing in between.
"""

import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

TOPIC = "ledger"
PARTITIONS = 6
READ_TIMEOUT_S = 60
ACKNOWLEDGED = "acknowledged"


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
        self.producers = 0

    def note(self, error, message):
        with self.lock:
            if error is not None:
                self.errors[error.name()] = self.errors.get(error.name(), 0) + 1
                return
            place = (message.partition(), message.offset())
            before = self.acknowledged.setdefault(place, message.value())
            if before != message.value():
                raise Wrong(f"offset {place} was acknowledged for two records")

    def producer(self, **more):
        """Another one, and how it signs what it sends."""
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
        with self.lock:
            self.producers += 1
            return Producer(settings | more), Signature(self.producers)

    def send(self, producer, signature, count, value_bytes=200):
        for _ in range(count):
            value = signature.next_value(value_bytes)
            self.sent.add(value)
            try:
                producer.produce(TOPIC, value, partition=signature.count % PARTITIONS, on_delivery=self.note)
            except BufferError:
                return
        producer.poll(0)

    def ask_once(self, value_bytes=200, timeout_s=20):
        """What the broker itself says to one record for each partition: by a producer that never tries again, the names
        of the errors, and ACKNOWLEDGED. Any other tries until its time is over, and then knows nothing but that."""
        answers = []

        def note(error, message):
            answers.append(ACKNOWLEDGED if error is None else error.name())
            if error is None:
                self.note(error, message)

        producer, signature = self.producer(**{"enable.idempotence": False, "retries": 0, "message.timeout.ms": timeout_s * 1_000})
        for partition in range(PARTITIONS):
            value = signature.next_value(value_bytes)
            self.sent.add(value)
            producer.produce(TOPIC, value, partition=partition, on_delivery=note)
        if producer.flush(timeout_s + 10):
            raise Wrong("a producer hangs")
        return answers

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
        return self.hold_against(self.read())

    def hold_against(self, found):
        """Holds what is there against what was promised."""
        with self.lock:
            for place, value in self.acknowledged.items():
                if found.get(place) != value:
                    raise Wrong(f"{value[:20]} was acknowledged at {place}, where there is {found.get(place, b'nothing')[:20]}")
        places, last = {}, {}
        for place, value in sorted(found.items()):
            if value not in self.sent:
                raise Wrong(f"at {place} is {value[:20]}, which nobody sent")
            if places.setdefault(value, place) != place:
                raise Wrong(f"{value[:20]} is at {place} and at {places[value]}")
            producer, number = map(int, value.split(b" ", 2)[:2])
            whose = (producer, place[0])
            if last.get(whose, 0) >= number:
                raise Wrong(f"number {number} of producer {producer} is at {place}, behind its number {last[whose]}")
            last[whose] = number
        return len(found)


class Signature:
    """Whose a value is, and the how manieth of his."""

    def __init__(self, producer):
        self.producer = producer
        self.count = 0

    def next_value(self, value_bytes):
        self.count += 1
        value = b"%d %d " % (self.producer, self.count)
        return value + b"x" * (value_bytes - len(value))


def check_plants():
    """Shows that the ledger sees what is wrong, and nothing wrong in what is right."""
    values = [b"1 1 ", b"2 1 ", b"1 2 ", b"2 2 ", b"1 3 "]
    swapped = [values[2], values[1], values[0], *values[3:]]
    # What is there, and what was acknowledged of it, by offset.
    plants = {
        "nothing": (values, values), "nothing but what nobody was told of": (values, []),
        "two that are swapped": (swapped, swapped), "two that are swapped, and one known": (swapped, [None, values[1]]),
        "one lost": (values[:-1], values), "one twice": ([*values, values[0]], values), "a stranger's": ([*values, b"3 1 "], values),
        "one in place of another": ([values[0], values[1], b"1 4 "], values[:3]),
    }
    for what, (there, acknowledged) in plants.items():
        ledger = Ledger("nowhere")
        ledger.sent = {*values, b"1 4 "}
        ledger.acknowledged = {(0, offset): value for offset, value in enumerate(acknowledged) if value}
        try:
            ledger.hold_against({(0, offset): value for offset, value in enumerate(there)})
            is_seen = False
        except Wrong:
            is_seen = True
        if is_seen != (not what.startswith("nothing")):
            raise Wrong(f"planted: {what}: {'seen' if is_seen else 'not seen'}")
