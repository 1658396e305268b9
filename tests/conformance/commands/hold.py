"""Opens a transaction, and leaves it open until somebody ends its input.

usage: hold.py BROKERS TRANSACTIONAL_ID TOPIC, with the packages of clients/confluent-kafka
"""

import sys

from confluent_kafka import Producer

brokers, transactional_id, topic = sys.argv[1:]
producer = Producer({"bootstrap.servers": brokers, "transactional.id": transactional_id})
producer.init_transactions(60)
producer.begin_transaction()
producer.produce(topic, b"never")
producer.flush(60)
print("open", flush=True)
sys.stdin.read()
