"""kafka-python does what the story asks."""

import sys
import time
from functools import cache

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import BrokerResponseError, KafkaTimeoutError, NodeNotReadyError

from talk import KafkaError, serve, to_bytes, to_text

BROKER = {"bootstrap_servers": sys.argv[1]}
TIMEOUT_S = 60
admin = KafkaAdminClient(**BROKER)


def create(topic, partitions, replicas=1, settings=None):
    options = {"num_partitions": partitions, "replication_factor": replicas, "configs": settings or {}}
    admin.create_topics({topic: options})


def grow(topic, partitions):
    admin.create_partitions({topic: partitions})


def describe(topic):
    (found,) = admin.describe_topics([topic])
    if found["error_code"]:
        raise KafkaError(found["error_code"])
    return {"partitions": sorted(
        ({"partition": each["partition_index"], "leader": each["leader_id"], "replicas": each["replica_nodes"],
          "isr": each["isr_nodes"]} for each in found["partitions"]), key=lambda each: each["partition"])}


def list_topics():
    return {"topics": list(admin.list_topics())}


def delete(topic):
    admin.delete_topics([topic])


def delete_records(topic, partition, offset):
    admin.delete_records({TopicPartition(topic, partition): offset})


def offsets(topic, partition):
    place = TopicPartition(topic, partition)
    with_consumer = KafkaConsumer(**BROKER)
    try:
        return {
            "earliest": with_consumer.beginning_offsets([place])[place], "latest": with_consumer.end_offsets([place])[place]}
    finally:
        with_consumer.close()


@cache
def producer(compression, acks, idempotent):
    return KafkaProducer(
        **BROKER, compression_type=None if compression == "none" else compression, acks=acks if acks == "all" else int(acks),
        enable_idempotence=idempotent, linger_ms=20, batch_size=100_000, max_block_ms=10_000)


def produce(topic, partition, records, compression, acks, idempotent):
    sender = producer(compression, acks, idempotent)
    sent = [
        sender.send(
            topic, partition=partition, key=to_bytes(record["key"]), value=to_bytes(record["value"]),
            headers=[(key, to_bytes(value)) for key, value in record["headers"]], timestamp_ms=record["timestamp"])
        for record in records]
    sender.flush(TIMEOUT_S)
    return {"offsets": [each.get(TIMEOUT_S).offset for each in sent]}


def consume(topic, partition, count, isolation="read_uncommitted", narrow=False, then=None, **rest):
    place, start = TopicPartition(topic, partition), rest["from"]
    limits = {"max_partition_fetch_bytes": 1, "fetch_max_bytes": 1} if narrow else {}
    consumer = KafkaConsumer(**BROKER, auto_offset_reset="none", isolation_level=isolation, **limits)
    consumer.assign([place])
    try:
        if start == "earliest":
            consumer.seek_to_beginning(place)
        elif start == "latest":
            consumer.seek_to_end(place)
            consumer.position(place)
        elif "time" in start:
            consumer.seek(place, consumer.offsets_for_times({place: start["time"]})[place].offset)
        else:
            consumer.seek(place, start["offset"])
        if then:
            produce(**then)
        return {"records": read(consumer, count)}
    finally:
        consumer.close()


def read(consumer, count):
    records, deadline = [], time.monotonic() + TIMEOUT_S
    while len(records) < count and time.monotonic() < deadline:
        for batch in consumer.poll(timeout_ms=500).values():
            records += [
                {"offset": each.offset, "timestamp": each.timestamp, "key": to_text(each.key), "value": to_text(each.value),
                 "headers": [[key, to_text(value)] for key, value in each.headers]} for each in batch]
    return records


def with_codes(command):
    def run(**request):
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return command(**request)
            except BrokerResponseError as error:
                raise KafkaError(error.errno, str(error)) from error
            except KafkaTimeoutError as error:
                raise KafkaError(7, str(error)) from error
            except NodeNotReadyError:
                # The broker was away, and whoever asks has to wait until the client has found it again.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    return run


commands = {
    "create": create, "grow": grow, "describe": describe, "list": list_topics, "delete": delete,
    "delete_records": delete_records, "offsets": offsets, "produce": produce, "consume": consume}
serve(
    {"commands": list(commands), "compressions": ["none", "gzip", "snappy", "lz4", "zstd"], "acks": ["0", "1", "all"],
     "idempotent": True,
     # It wants bytes for every header, waits until the topic comes, and looks at names itself.
     "differs": {"null header": True, "produce to a topic that is not there": 7, "produce to a bad topic name": None}},
    {word: with_codes(command) for word, command in commands.items()})
