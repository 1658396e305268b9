"""Kafka Streams counts words while it, its twin and the broker are killed: in the end each word must have been counted
from one to what it is, each count once and in order, and nothing may be open.

usage: streams.py FOLDER SECONDS SEED COMMAND, where COMMAND is that of the program that counts
"""

import collections
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from reading import Failure, Reader, same

LINES, COUNTS = "lines", "counts"
PARTITIONS = 3
WORDS = [f"word-{number}" for number in range(40)]
SETTLE_TIMEOUT_S = 120
# Whoever was killed is missed soon.
SETTINGS = {"group.min.session.timeout.ms": 1_000, "group.initial.rebalance.delay.ms": 0}


class Feeder:
    """Writes lines, whatever happens to the broker, and counts the words of all that was delivered."""

    def __init__(self, address, choose):
        self.producer = Producer({
            "bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": 300_000,
            "reconnect.backoff.max.ms": 300, "log_level": 2})
        self.choose = choose
        self.counts = collections.Counter()
        self.refused = []
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        number = 0
        while not self.ends.is_set():
            self.write(number, self.choose.choices(WORDS, k=5))
            number += 1
            time.sleep(0.01)

    def write(self, number, words):
        self.counts.update(words)
        delivered = lambda error, _: self.refused.append(error) if error else None
        self.producer.produce(LINES, " ".join(words), partition=number % PARTITIONS, on_delivery=delivered)
        self.producer.poll(0)

    def end(self):
        self.ends.set()
        self.thread.join()
        self.flush()

    def flush(self):
        left = self.producer.flush(120)
        if left or self.refused:
            raise Failure(f"the feeder does not get rid of {left} lines: {self.refused[:3]}")


class Counter:
    """The program that counts, as a process that is started again after it was killed."""

    def __init__(self, folder, command, address, name, protocol):
        self.state = folder / f"state-{name}"
        self.log = open(folder / f"{name}.log", "w")
        self.command = [*command, address, name, str(self.state), protocol]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)

    def check(self):
        if self.process.poll() is not None:
            raise Failure(f"the program ended by itself: {self.command[-3:]}")

    def kill(self, forget):
        self.check()
        self.process.kill()
        self.process.wait()
        if forget:
            # All that it remembers now is in the topic that it logs its changes to.
            shutil.rmtree(self.state, ignore_errors=True)
        self.start()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure("the program does not end when it is asked to") from None


def counted(address):
    """What each word was counted to, in order; each has to come in one partition."""
    consumer = Consumer({
        "bootstrap.servers": address, "group.id": "checker", "isolation.level": "read_committed", "enable.auto.commit": False,
        "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(COUNTS, partition, 0) for partition in range(PARTITIONS)])
    counts, ended = collections.defaultdict(list), set()
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while len(ended) < PARTITIONS:
        if time.monotonic() > deadline:
            raise Failure("the counts are not read to their end")
        for message in consumer.consume(1_000, 0.5):
            if message.error():
                ended.add(message.partition())
            else:
                counts[message.key().decode()].append(int(message.value()))
    consumer.close()
    return counts


def check(address, expected, reader, counters):
    """Waits until everything is counted and no transaction is open, and holds it against what was written."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while (made := sum(map(len, counted(address).values()))) < expected.total():
        for counter in counters:
            counter.check()
        if time.monotonic() > deadline:
            raise Failure(f"{made} of {expected.total()} words are counted")
        time.sleep(0.5)
    reader.settle()
    counts = counted(address)
    same("words", sorted(counts), sorted(expected))
    for word, found in counts.items():
        same(f"the counts of {word}", found, list(range(1, expected[word] + 1)))


def play(broker, folder, seconds, choose, command, protocol):
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 2})
    for made in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (LINES, COUNTS)]).values():
        made.result(30)
    feeder = Feeder(broker.address, choose)
    counters = [Counter(folder, command, broker.address, name, protocol) for name in ("one", "other")]
    kills, restarts = 0, 0
    reader = Reader(broker.address, COUNTS, PARTITIONS)
    try:
        # It has to be at work before there is anything to lose.
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while not counted(broker.address):
            if time.monotonic() > deadline:
                raise Failure("nothing is counted")
            time.sleep(0.2)
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at or not (kills and restarts):
            time.sleep(choose.uniform(1, 4))
            if not restarts or (kills and choose.random() < 0.4):
                broker.restart()
                restarts += 1
            else:
                choose.choice(counters).kill(forget=choose.random() < 0.5)
                kills += 1
        feeder.end()
        check(broker.address, feeder.counts, reader, counters)
        for counter in counters:
            counter.end()
        # One that goes on from what is there, and remembers nothing itself.
        broker.restart()
        counters = [Counter(folder, command, broker.address, "heir", protocol)]
        for number, word in enumerate(WORDS):
            feeder.write(number, [word])
        feeder.flush()
        check(broker.address, feeder.counts, reader, counters)
        counters[0].end()
    finally:
        feeder.ends.set()
        for counter in counters:
            counter.process.kill()
    print(f"{feeder.counts.total()} words counted, each once; {kills} kills of Kafka Streams, {restarts + 1} restarts of the broker")


def main():
    folder, seconds, seed = pathlib.Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    command, protocol = shlex.split(sys.argv[4]), sys.argv[5]
    print(f"seed {seed}", flush=True)
    with Broker(folder, more=SETTINGS) as broker:
        try:
            play(broker, folder, seconds, random.Random(seed), command, protocol)
        except Failure as failure:
            for name in ("broker", "one", "other", "heir"):
                log = folder / f"{name}.log"
                if log.exists():
                    print(f"--- {log.name}\n{log.read_text()[-4000:]}", file=sys.stderr)
            sys.exit(f"failed: {failure}")


if __name__ == "__main__":
    main()
