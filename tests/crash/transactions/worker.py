"""Reads from one topic, writes what it makes of it to another, and commits both in one transaction; until it is killed.

usage: worker.py BOOTSTRAP TRANSACTIONAL_ID SEED
"""

import random
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

SOURCE, SINK, GROUP = "source", "sink", "transformers"


class Fenced(Exception):
    """Another one has taken over."""


def make(value):
    return b"made of " + value


def rewind(consumer):
    """Goes back to what is committed: what was read since counts for nothing."""
    assigned = consumer.assignment()
    if not assigned:
        return
    for place in consumer.committed(assigned, timeout=30):
        offset = place.offset if place.offset >= 0 else 0
        consumer.seek(TopicPartition(place.topic, place.partition, offset))


def transform(consumer, producer, messages, choose):
    """One transaction."""
    producer.begin_transaction()
    for message in messages:
        producer.produce(SINK, make(message.value()), key=message.key(), partition=message.partition())
        producer.poll(0)
    # The end of what was read, by partition.
    ends = {(message.topic(), message.partition()): message.offset() + 1 for message in messages}
    positions = [TopicPartition(topic, partition, offset) for (topic, partition), offset in ends.items()]
    producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 30)
    if choose.random() < 0.1:
        producer.abort_transaction(30)
        return False
    commit(producer)
    return True


def commit(producer):
    while True:
        try:
            return producer.commit_transaction(30)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def abort(producer):
    while True:
        try:
            return producer.abort_transaction(30)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def initialise(producer):
    while True:
        try:
            return producer.init_transactions(30)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def main():
    bootstrap, transactional_id, seed = sys.argv[1:]
    choose = random.Random(seed)
    common = {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 500, "metadata.recovery.strategy": "none"}
    producer = Producer({**common, "transactional.id": transactional_id, "transaction.timeout.ms": 8000, "linger.ms": 1})
    consumer = Consumer({
        **common, "group.id": GROUP, "isolation.level": "read_committed", "enable.auto.commit": False,
        "auto.offset.reset": "earliest", "session.timeout.ms": 6000, "heartbeat.interval.ms": 500})
    initialise(producer)
    consumer.subscribe([SOURCE])
    while True:
        messages = [each for each in consumer.consume(20, 0.2) if each.error() is None]
        if not messages:
            continue
        try:
            if not transform(consumer, producer, messages, choose):
                rewind(consumer)
        except KafkaException as error:
            leave_if_fenced(transactional_id, error)
            try:
                abort(producer)
            except KafkaException as error:
                # Its transaction's time was over meanwhile.
                leave_if_fenced(transactional_id, error)
                raise
            rewind(consumer)


def leave_if_fenced(transactional_id, error):
    print(f"{transactional_id}: {error}", file=sys.stderr, flush=True)
    reason = error.args[0]
    if reason.fatal() or reason.code() == KafkaError._FENCED:
        # Whoever started it starts another one.
        sys.exit(3)


if __name__ == "__main__":
    main()
