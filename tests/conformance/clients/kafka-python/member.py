"""A member of a group, by kafka-python."""

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata
from kafka.errors import KafkaError

from membership import ADDRESS, GROUP, TOPIC, listen, over, say

consumer = KafkaConsumer(
    bootstrap_servers=ADDRESS, group_id=GROUP, enable_auto_commit=False, auto_offset_reset="earliest",
    session_timeout_ms=10000, heartbeat_interval_ms=500, metadata_max_age_ms=2000)


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, _):
        say(assigned=[])

    def on_partitions_assigned(self, partitions):
        say(assigned=[each.partition for each in partitions])


consumer.subscribe([TOPIC], listener=Listener())
listen()
while not over.is_set():
    ends = {}
    try:
        found = consumer.poll(timeout_ms=200)
    except KafkaError:
        # The broker is being restarted: this client leaves it to whoever asks to ask again.
        continue
    for place, records in found.items():
        for each in records:
            say(record=[each.partition, each.offset])
        ends[place] = OffsetAndMetadata(records[-1].offset + 1, "", -1)
    if ends:
        try:
            consumer.commit(ends)
            say(committed=[[place.partition, end.offset] for place, end in ends.items()])
        except KafkaError:
            pass
consumer.close(autocommit=False)
