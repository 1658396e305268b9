"""Feeds a topic, has workers transform it into another in transactions, and kills whatever there is meanwhile. In the end
each value that was acknowledged must be in the first, and have come out of the second, once and in order, and nothing may
be open. A run in which too little happened has failed, and so has one before which the checks miss a mistake that is made
for them.

usage: exactly_once.py FOLDER SECONDS SEED
"""

import collections
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from broker import StrandlineBroker
from kafka_broker import free_ports
from worker import SINK, SOURCE, make

PARTITIONS = 3
WORKERS = 2
SETTLE_TIMEOUT_S = 120
# So many values there have to be, on a slow machine too; and each kind of trouble once.
VALUES_A_SECOND_MIN = 10
SETTINGS = {"strandline.journal.bytes": 134_217_728, "log.segment.bytes": 1_048_576, "strandline.tail.bytes": 4_194_304}


class Wrong(Exception):
    """Something is not exactly once."""


class Feeder:
    """A producer that writes numbered values, whatever happens."""

    def __init__(self, bootstrap):
        self.producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 2, "message.timeout.ms": 300_000,
            "reconnect.backoff.max.ms": 500})
        self.ends = threading.Event()
        self.acknowledged = collections.defaultdict(list)
        self.failed = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        number = 0
        while not self.ends.is_set():
            for partition in range(PARTITIONS):
                value = f"{partition}:{number}".encode()
                self.producer.produce(SOURCE, value, partition=partition, on_delivery=self.hear)
            number += 1
            self.producer.poll(0)
            # Slower than the workers, which go back a long way after each end that was no commit.
            time.sleep(0.02)

    def hear(self, error, message):
        """What became of a value. Those of one partition are acknowledged in their order."""
        if error is None:
            self.acknowledged[message.partition()].append(message.value())
        else:
            self.failed.append((message.partition(), message.value(), error))

    def end(self):
        self.ends.set()
        self.thread.join()
        if self.producer.flush(120):
            raise Wrong("the feeder does not get rid of its records")
        if self.failed:
            raise Wrong(f"the feeder is refused {self.failed[:3]}")


class Crew:
    """The workers, which are started again when they end."""

    def __init__(self, folder, bootstrap, choose):
        self.log = open(folder / "workers.log", "w")
        self.bootstrap = bootstrap
        self.choose = choose
        self.processes = [self.start(number) for number in range(WORKERS)]
        # Those whose place another one has taken, and who do not know it yet.
        self.replaced = []
        self.kills, self.pauses, self.fenced = 0, 0, 0

    def start(self, number):
        program = pathlib.Path(__file__).with_name("worker.py")
        command = [sys.executable, "-B", program, self.bootstrap, f"worker-{number}", str(self.choose.random())]
        return subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def tend(self):
        for number, process in enumerate(self.processes):
            if self.has_ended(process):
                self.processes[number] = self.start(number)
        self.replaced = [process for process in self.replaced if not self.has_ended(process)]

    def has_ended(self, process):
        if process.poll() is None:
            return False
        if process.returncode not in (3, -signal.SIGKILL):
            raise Wrong(f"a worker ended with {process.returncode}")
        self.fenced += process.returncode == 3
        return True

    def replace(self):
        """Starts another one with the name of one that goes on, which is fenced for it."""
        number = self.choose.randrange(WORKERS)
        self.replaced.append(self.processes[number])
        self.processes[number] = self.start(number)

    def kill(self):
        self.kills += 1
        self.choose.choice(self.processes).kill()

    def pause(self, seconds):
        """One that stands still for longer than its session and its transaction last, and then goes on."""
        self.pauses += 1
        process = self.choose.choice(self.processes)
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def end(self):
        for process in self.processes + self.replaced:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


def read(bootstrap, topic, isolation):
    """The values of each partition, to the end."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "reader", "isolation.level": isolation, "enable.auto.commit": False,
        "enable.partition.eof": True, "auto.offset.reset": "earliest", "check.crcs": True})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    values, ended = collections.defaultdict(list), set()
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while len(ended) < PARTITIONS:
        if time.monotonic() > deadline:
            raise Wrong(f"{topic} is not read to its end")
        for message in consumer.consume(1000, 1):
            if message.error():
                ended.add(message.partition())
            else:
                values[message.partition()].append(message.value())
    consumer.close()
    return values


def ends_of(admin, topic, isolation):
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    found = admin.list_offsets({place: OffsetSpec.latest() for place in places}, isolation_level=isolation)
    return [found[place].result(30).offset for place in places]


def settle(bootstrap, admin, crew, expected):
    """Waits until the workers are through with everything, and no transaction is open."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        crew.tend()
        made = {partition: len(values) for partition, values in read(bootstrap, SINK, "read_committed").items()}
        stable, all_of_it = (ends_of(admin, SINK, level) for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED))
        if made == {partition: len(values) for partition, values in expected.items()} and stable == all_of_it:
            return
        if time.monotonic() > deadline:
            raise Wrong(f"{made} made, of {({each: len(values) for each, values in expected.items()})}; {stable} stable of {all_of_it}")
        time.sleep(2)


def check_same(what, expected, found):
    """Whether each partition has each value once, in its order, and nothing else."""
    for partition in sorted({*expected, *found}):
        wanted, there = expected.get(partition, []), found.get(partition, [])
        if there != wanted:
            place = next((at for at, (one, other) in enumerate(zip(there, wanted)) if one != other), min(len(there), len(wanted)))
            raise Wrong(f"{what}, partition {partition} at {place}: {there[place:place + 3]} instead of {wanted[place:place + 3]}")


def check(acknowledged, source, sink):
    """Whether all that was acknowledged is there, without a gap, and each value has come out once."""
    numbered = {partition: [f"{partition}:{number}".encode() for number in range(len(values))] for partition, values in acknowledged.items()}
    check_same("what was acknowledged", numbered, acknowledged)
    check_same("the source", acknowledged, source)
    check_same("the sink", {partition: [make(value) for value in values] for partition, values in source.items()}, sink)


def check_the_check():
    """A check that misses a mistake says nothing: a value is lost, doubled and swapped with the next, in each place."""

    def all_right():
        values = {partition: [f"{partition}:{number}".encode() for number in range(5)] for partition in range(PARTITIONS)}
        made = {partition: [make(value) for value in each] for partition, each in values.items()}
        return {partition: list(each) for partition, each in values.items()}, values, made

    mistakes = {
        "a lost value": lambda values: values.pop(2),
        "a lost first value": lambda values: values.pop(0),
        "a lost last value": lambda values: values.pop(),
        "a doubled value": lambda values: values.insert(2, values[2]),
        "a late double": lambda values: values.append(values[1]),
        "two swapped values": lambda values: values.insert(1, values.pop(2)),
    }
    check(*all_right())
    for place, name in enumerate(["acknowledged", "source", "sink"]):
        for mistake, make_it in mistakes.items():
            played = all_right()
            make_it(played[place][1])
            try:
                check(*played)
            except Wrong:
                continue
            raise Wrong(f"the check does not see {mistake} in the {name}")


def compare(bootstrap, acknowledged, source):
    check(acknowledged, source, read(bootstrap, SINK, "read_committed"))


def check_enough(seconds, total, broker_kills, crew):
    """Whether so much happened that it says something."""
    happened = {"values": total, "kills of the broker": broker_kills, "kills of workers": crew.kills, "fencings of workers": crew.fenced}
    least = {"values": int(seconds * VALUES_A_SECOND_MIN)}
    for name, count in happened.items():
        if count < least.get(name, 1):
            raise Wrong(f"too little happened: {count} {name}, and it has to be {least.get(name, 1)}")


def trouble(choose, broker_kills, crew, is_late):
    """What happens next. Late in a run that is what has to happen and has not."""
    if is_late and broker_kills and crew.kills:
        return "replace a worker"
    if is_late:
        return "kill a worker" if broker_kills else "kill the broker"
    events = ["kill the broker", "kill a worker", "pause a worker", "replace a worker"]
    return choose.choices(events, weights=[45, 35, 10, 10])[0]


def play(folder, seconds, choose):
    (port,) = free_ports(1)
    broker = StrandlineBroker(folder, [os.environ["STRANDLINE"], "serve"], port, SETTINGS)
    broker.start()
    bootstrap = f"127.0.0.1:{port}"
    admin = AdminClient({"bootstrap.servers": bootstrap, "metadata.recovery.strategy": "none"})
    for made in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (SOURCE, SINK)]).values():
        made.result()
    feeder, crew = Feeder(bootstrap), Crew(folder, bootstrap, choose)
    broker_kills, ends_at = 0, time.monotonic() + seconds
    try:
        # A run goes on for as long again, if need be, until each has happened.
        while time.monotonic() < ends_at or (
            time.monotonic() < ends_at + max(seconds, 60) and not (broker_kills and crew.kills and crew.fenced)
        ):
            time.sleep(choose.uniform(0.2, 3))
            crew.tend()
            event = trouble(choose, broker_kills, crew, time.monotonic() >= ends_at)
            if event == "kill the broker":
                broker.stop(signal.SIGKILL)
                broker_kills += 1
                time.sleep(choose.choice([0, 0, 0.5]))
                broker.start()
            elif event == "kill a worker":
                crew.kill()
            elif event == "pause a worker":
                crew.pause(choose.uniform(7, 12))
            elif not crew.replaced:
                crew.replace()
        feeder.end()
        source = read(bootstrap, SOURCE, "read_uncommitted")
        settle(bootstrap, admin, crew, source)
        crew.end()
        compare(bootstrap, feeder.acknowledged, source)
        broker.stop(signal.SIGKILL)
        broker.start()
        compare(bootstrap, feeder.acknowledged, source)
    except BaseException:
        crew.end()
        broker.stop(signal.SIGKILL)
        raise
    status = broker.stop()
    if status != 0:
        raise Wrong(f"the broker ended with {status}")
    total = sum(len(values) for values in source.values())
    check_enough(seconds, total, broker_kills, crew)
    print(
        f"{total} values, each once and in order; {broker_kills} kills of the broker, {crew.kills} of workers, "
        f"{crew.pauses} pauses, {crew.fenced} workers that were fenced")


def main():
    folder, seconds, seed = pathlib.Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    print(f"seed {seed}", flush=True)
    check_the_check()
    try:
        play(folder, seconds, random.Random(seed))
    except Wrong as wrong:
        print((folder / "workers.log").read_text()[-3000:], file=sys.stderr)
        print((folder / "broker.log").read_text()[-3000:], file=sys.stderr)
        sys.exit(f"failed: {wrong}")


if __name__ == "__main__":
    main()
