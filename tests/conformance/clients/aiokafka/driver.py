"""aiokafka does what the story asks."""

import asyncio
import sys
import threading

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaError as ClientError

from talk import KafkaError, serve, to_bytes, to_text

BROKER = {"bootstrap_servers": sys.argv[1]}
TIMEOUT_S = 60
# It runs all the time, so that what the client does in the background goes on.
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
producers = {}


def checked(code):
    if code:
        raise KafkaError(code)


async def create(topic, partitions, replicas=1, settings=None):
    answer = await admin.create_topics([NewTopic(topic, partitions, replicas, topic_configs=settings or {})])
    checked(answer.topic_errors[0][1])


async def grow(topic, partitions):
    await admin.create_partitions({topic: NewPartitions(partitions)})


async def describe(topic):
    (found,) = await admin.describe_topics([topic])
    checked(found["error_code"])
    return {"partitions": sorted(
        ({"partition": each["partition"], "leader": each["leader"], "replicas": each["replicas"], "isr": each["isr"]}
         for each in found["partitions"]), key=lambda each: each["partition"])}


async def list_topics():
    return {"topics": await admin.list_topics()}


async def delete(topic):
    answer = await admin.delete_topics([topic])
    checked(answer.topic_error_codes[0][1])


async def delete_records(topic, partition, offset):
    await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(offset)})


async def offsets(topic, partition):
    place = TopicPartition(topic, partition)
    async with AIOKafkaConsumer(**BROKER) as consumer:
        earliest, latest = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
    return {"earliest": earliest[place], "latest": latest[place]}


async def producer(compression, acks, idempotent):
    key = (compression, acks, idempotent)
    if key not in producers:
        producers[key] = AIOKafkaProducer(
            **BROKER, compression_type=None if compression == "none" else compression, linger_ms=20,
            acks=acks if acks == "all" else int(acks), enable_idempotence=idempotent, max_batch_size=100_000)
        await producers[key].start()
    return producers[key]


async def produce(topic, partition, records, compression, acks, idempotent):
    sender = await producer(compression, acks, idempotent)
    sent = [
        await sender.send(
            topic, partition=partition, key=to_bytes(record["key"]), value=to_bytes(record["value"]),
            headers=[(key, to_bytes(value)) for key, value in record["headers"]], timestamp_ms=record["timestamp"])
        for record in records]
    delivered = await asyncio.gather(*sent)
    # Without acknowledgement there is nothing that an offset could be in.
    return {"offsets": [each.offset for each in delivered if each is not None]}


async def consume(topic, partition, count, isolation="read_uncommitted", narrow=False, then=None, **rest):
    place, start = TopicPartition(topic, partition), rest["from"]
    limits = {"max_partition_fetch_bytes": 1, "fetch_max_bytes": 1} if narrow else {}
    async with AIOKafkaConsumer(**BROKER, auto_offset_reset="none", isolation_level=isolation, **limits) as consumer:
        consumer.assign([place])
        if start == "earliest":
            await consumer.seek_to_beginning(place)
        elif start == "latest":
            await consumer.seek_to_end(place)
            await consumer.position(place)
        elif "time" in start:
            consumer.seek(place, (await consumer.offsets_for_times({place: start["time"]}))[place].offset)
        else:
            consumer.seek(place, start["offset"])
        if then:
            await produce(**then)
        return {"records": [written(await consumer.getone(place)) for _ in range(count)]}


def written(record):
    return {
        "offset": record.offset, "timestamp": record.timestamp, "key": to_text(record.key), "value": to_text(record.value),
        "headers": [[key, to_text(value)] for key, value in record.headers]}


def blocking(command):
    def run(**request):
        try:
            return asyncio.run_coroutine_threadsafe(asyncio.wait_for(command(**request), TIMEOUT_S), loop).result()
        except ClientError as error:
            raise KafkaError(error.errno, str(error)) from error

    return run


async def start():
    client = AIOKafkaAdminClient(**BROKER)
    await client.start()
    return client


async def stop():
    for each in [admin, *producers.values()]:
        await (each.close() if each is admin else each.stop())


admin = blocking(start)()
commands = {
    "create": create, "grow": grow, "describe": describe, "list": list_topics, "delete": delete,
    "delete_records": delete_records, "offsets": offsets, "produce": produce, "consume": consume}
serve(
    {"commands": list(commands), "compressions": ["none", "gzip", "snappy", "lz4", "zstd"], "acks": ["0", "1", "all"],
     "idempotent": True,
     # It looks whether it has found the topic, and not why not; and it does not know the newer errors.
     "differs": {"produce to a bad topic name": 3, "produce without a key to a compacted topic": -1}},
    {word: blocking(command) for word, command in commands.items()})
blocking(stop)()
