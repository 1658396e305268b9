"""A member of a group, by aiokafka."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from membership import ADDRESS, GROUP, TOPIC, listen, over, say


class Listener(ConsumerRebalanceListener):
    async def on_partitions_revoked(self, revoked):
        say(assigned=[])

    async def on_partitions_assigned(self, assigned):
        say(assigned=[each.partition for each in assigned])


async def main():
    consumer = AIOKafkaConsumer(
        bootstrap_servers=ADDRESS, group_id=GROUP, enable_auto_commit=False, auto_offset_reset="earliest",
        session_timeout_ms=10000, heartbeat_interval_ms=500, metadata_max_age_ms=2000,
        partition_assignment_strategy=[RangePartitionAssignor])
    consumer.subscribe([TOPIC], listener=Listener())
    await consumer.start()
    listen()
    while not over.is_set():
        ends = {}
        for place, records in (await consumer.getmany(timeout_ms=200)).items():
            for each in records:
                say(record=[each.partition, each.offset])
            ends[place] = records[-1].offset + 1
        if ends:
            try:
                await consumer.commit(ends)
                say(committed=[[place.partition, end] for place, end in ends.items()])
            except KafkaError:
                pass
    await consumer.stop()


asyncio.run(main())
