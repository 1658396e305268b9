"""Kills a broker, asks it to go, fills its disk and fails its syncs, while clients produce."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

from confluent_kafka.admin import AdminClient, NewTopic

from broker import StrandlineBroker
from kafka_broker import free_ports
from ledger import ACKNOWLEDGED, PARTITIONS, TOPIC, Ledger, Wrong, check_plants

# Small, so that journal files come round, segments roll and checkpoints happen between two kills.
SETTINGS = {"strandline.journal.bytes": 134_217_728, "log.segment.bytes": 1_048_576, "strandline.tail.bytes": 4_194_304}


# What a broker says that is up and cannot write. Nothing else is right, and silence is not.
REFUSED = "KAFKA_STORAGE_ERROR"
# A producer that tries again, as clients do upon that error, tells of it only that its time was over.
TOLD_LATER = {REFUSED, "_MSG_TIMED_OUT"}


class Victim:
    """A broker in a folder, and the ledger of what it was asked."""

    def __init__(self, folder, wrapper=(), settings=None):
        folder.mkdir(parents=True, exist_ok=True)
        (port,) = free_ports(1)
        command = [*wrapper, os.environ["STRANDLINE"], "serve"]
        self.broker = StrandlineBroker(folder, command, port, SETTINGS | (settings or {}))
        self.ledger = Ledger(f"127.0.0.1:{port}")

    def start(self, is_new=False):
        self.broker.start()
        if is_new:
            admin = AdminClient({"bootstrap.servers": self.ledger.address})
            for made in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
                made.result()


class Load:
    """A producer that goes on whatever happens."""

    def __init__(self, ledger, value_bytes=200):
        self.ledger = ledger
        self.value_bytes = value_bytes
        self.ends = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            producer, signature = self.ledger.producer()
            while not self.ends.is_set():
                self.ledger.send(producer, signature, 50, self.value_bytes)
                producer.poll(0.002)
            producer.flush(10)
        except Exception as failure:  # noqa: BLE001, told by whoever waits
            self.failure = failure

    def end(self):
        self.ends.set()
        self.thread.join()
        if self.failure:
            raise self.failure


def first_refusal(ledger, value_bytes=200, timeout_s=60):
    """Asks until something is refused, which has to be for the right reason and at once."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        answers = ledger.ask_once(value_bytes)
        if not {ACKNOWLEDGED, REFUSED}.issuperset(answers):
            raise Wrong(f"the disk takes nothing, and a producer is told {answers}")
        if REFUSED in answers:
            return answers
        time.sleep(0.1)
    raise Wrong("the disk takes nothing, and everything is acknowledged")


def kills(folder, count, choose):
    victim = Victim(folder)
    victim.start(is_new=True)
    load = Load(victim.ledger)
    restarts = []
    for kill in range(1, count + 1):
        # A third of the lives are so short that they end while clients come back.
        time.sleep(choose.random() * (0.02 if choose.randrange(3) == 0 else 0.4))
        victim.broker.stop(signal.SIGKILL)
        began = time.monotonic()
        victim.start()
        restarts.append(time.monotonic() - began)
        if kill % 20 == 0:
            load.end()
            victim.ledger.check()
            load = Load(victim.ledger)
    load.end()
    found = victim.ledger.check()
    victim.broker.stop()
    acknowledged = len(victim.ledger.acknowledged)
    print(f"crash: {count} kills: {acknowledged} records acknowledged, {found} found, all of the former among them;")
    print(f"crash: back after {max(restarts):.2f} s at most; errors told to the producer: {victim.ledger.errors}")
    if acknowledged < 10 * count:
        raise Wrong("hardly anything was acknowledged: this shows nothing")


def terms(folder, count, choose):
    victim = Victim(folder)
    victim.start(is_new=True)
    load = Load(victim.ledger)
    for _ in range(count):
        time.sleep(0.1 + choose.random() * 0.3)
        status = victim.broker.stop(signal.SIGTERM)
        if status != 0:
            raise Wrong(f"asked to go, it ended with {status}")
        victim.start()
    load.end()
    found = victim.ledger.check()
    victim.broker.stop()
    print(f"crash: asked to go {count} times under load, ended with 0 each time, {found} records")


def full_disk(folder, image_mib=400):
    image = folder / "image"
    mount = folder / "disk"
    mount.mkdir(parents=True)
    with open(image, "wb") as file:
        file.truncate(image_mib << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mount], check=True)
    try:
        victim = Victim(mount)
        victim.start(is_new=True)
        load = Load(victim.ledger)
        time.sleep(0.5)
        filler = mount / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        # More than what has been kept for the journal.
        big = Load(victim.ledger, 100_000)
        first_refusal(victim.ledger, 100_000)
        big.end()
        load.end()
        victim.ledger.check()
        errors = dict(victim.ledger.errors)
        if not TOLD_LATER.issuperset(errors):
            raise Wrong(f"the disk is full, and producers are told {errors}")
        filler.unlink()
        before, deadline = len(victim.ledger.acknowledged), time.monotonic() + 60
        while len(victim.ledger.acknowledged) <= before:
            load = Load(victim.ledger)
            time.sleep(1)
            load.end()
            if time.monotonic() > deadline:
                raise Wrong("there is room again, and nothing is taken")
        found = victim.ledger.check()
        victim.broker.stop()
        print(f"crash: full disk: refused ({errors}), read meanwhile, resumed; {found} records")
    finally:
        subprocess.run(["umount", "-l", mount], check=False)


def failed_sync(folder):
    # Direct, synchronous writes are what makes the journal durable: of each thread the 200th fails, once.
    inject = ["strace", "--seccomp-bpf", "-f", "-qq", "-o", "/dev/null"]
    inject += ["-e", "trace=pwritev", "-e", "inject=pwritev:error=EIO:when=200"]
    victim = Victim(folder, wrapper=inject)
    victim.start(is_new=True)
    load = Load(victim.ledger)
    first_refusal(victim.ledger)
    load.end()
    acknowledged = len(victim.ledger.acknowledged)
    again = Load(victim.ledger)
    time.sleep(1)
    again.end()
    answers, errors = victim.ledger.ask_once(), dict(victim.ledger.errors)
    if set(answers) != {REFUSED} or not TOLD_LATER.issuperset(errors):
        raise Wrong(f"after a failed write producers are told {answers} and {errors}")
    if len(victim.ledger.acknowledged) != acknowledged:
        raise Wrong("after a failed write something is acknowledged")
    subprocess.run(["pkill", "-KILL", "-P", str(victim.broker.process.pid)], check=False)
    victim.broker.process.wait()
    victim.broker.command = victim.broker.command[len(inject):]
    victim.start()
    found = victim.ledger.check()
    load = Load(victim.ledger)
    time.sleep(0.5)
    load.end()
    if len(victim.ledger.acknowledged) <= acknowledged:
        raise Wrong("after a new start nothing is acknowledged")
    victim.broker.stop()
    print(f"crash: failed write: {acknowledged} acknowledged before and none after ({errors}); {found} found at the next start")


def main():
    folder, kill_count, term_count, seed = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:5])
    print(f"crash: a broker, seed {seed}")
    check_plants()
    choose = random.Random(seed)
    kills(folder / "kills", kill_count, choose)
    terms(folder / "terms", term_count, choose)
    full_disk(folder / "full")
    failed_sync(folder / "sync")


main()
