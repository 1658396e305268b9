"""The story of transactions that every client goes through, and what must be read then: the same with Kafka.

usage: story.py FOLDER COMMAND
"""

import json
import pathlib
import shlex
import subprocess
import sys
import time

from broker import Broker
from reading import FENCED, Failure, Reader, same

TOPIC, GROUP = "orders", "readers"
PARTITIONS = 3
# After so long a transaction that nobody ends is aborted.
SLOW_MS = 1_000


class Driver:
    """A client's driver: a process that answers one line of JSON with another."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def attempt(self, do, **rest):
        self.process.stdin.write(json.dumps({"do": do, **rest}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"the driver ended with {self.process.wait()} at {do} {rest}")
        return json.loads(line)

    def ask(self, do, **rest):
        answer = self.attempt(do, **rest)
        if answer.get("error"):
            raise Failure(f"{do} {rest}: {answer}")


class Story:
    """The parts of the story, in the order of `play`."""

    def __init__(self, driver, broker):
        self.driver = driver
        self.broker = broker
        self.reader = Reader(broker.address, TOPIC, PARTITIONS)
        self.committed = [[] for _ in range(PARTITIONS)]
        self.offset = None
        self.number = 0

    def play(self):
        self.reader.create()
        self.driver.ask("init", producer="first", id="till", timeout_ms=60_000)
        self.commit_and_abort()
        self.fence()
        self.outlive_the_broker()
        self.leave_open()
        self.broker.restart()
        self.check()

    def send(self, producer, counts, offset=None):
        """Writes so many records to each partition, and gives them."""
        values = [[f"{producer} {self.number} {partition} {index}" for index in range(count)] for partition, count in enumerate(counts)]
        self.number += 1
        records = [[partition, value] for partition, of_one in enumerate(values) for value in of_one]
        more = {} if offset is None else {"group": GROUP, "positions": [[0, offset]]}
        self.driver.ask("send", producer=producer, topic=TOPIC, records=records, **more)
        return values

    def keep(self, values, offset=None):
        for partition, of_one in enumerate(values):
            self.committed[partition] += of_one
        if offset is not None:
            self.offset = offset

    def check(self):
        self.reader.settle()
        same("what is committed", self.reader.read("read_committed"), self.committed)
        same("the offset", self.reader.offset(GROUP), self.offset)

    def commit_and_abort(self):
        for round_number in range(9):
            offset = 10 * round_number + 1
            values = self.send("first", [2, round_number % 3, 0], offset)
            is_commit = round_number % 3 != 2
            if round_number == 4:
                # Whoever reads committed records sees nothing of what is open, and its offset is pending.
                same("what is committed meanwhile", self.reader.read("read_committed"), self.committed)
            self.driver.ask("end", producer="first", commit=is_commit)
            if is_commit:
                self.keep(values, offset)
        self.check()
        # Several requests of one transaction, and one that touches everything.
        values = [one + other for one, other in zip(self.send("first", [1, 1, 1]), self.send("first", [3, 0, 50]))]
        self.driver.ask("end", producer="first", commit=True)
        self.keep(values)
        self.check()

    def fence(self):
        self.send("first", [1, 1, 0], offset=1_000)
        self.driver.ask("init", producer="second", id="till", timeout_ms=60_000)
        self.check()
        answer = self.driver.attempt("end", producer="first", commit=True)
        same(f"fenced, {answer}", answer.get("error") in FENCED, True)
        values = self.send("second", [1, 1, 1], offset=2_000)
        self.driver.ask("end", producer="second", commit=True)
        self.keep(values, 2_000)
        self.check()

    def outlive_the_broker(self):
        for round_number in range(4):
            before = self.send("second", [1, 1, 0], offset=3_000 + round_number)
            self.broker.restart()
            values = [one + other for one, other in zip(before, self.send("second", [1, 0, 1]))]
            is_commit = round_number != 1
            self.driver.ask("end", producer="second", commit=is_commit)
            if is_commit:
                self.keep(values, 3_000 + round_number)
        self.check()

    def leave_open(self):
        self.driver.ask("init", producer="slow", id="slow", timeout_ms=SLOW_MS)
        began = time.monotonic()
        try:
            self.send("slow", [1, 0, 1], offset=9_000)
        except Failure:
            # Where the machine is slower than that, it is over before all has been said, and counts as little.
            if time.monotonic() < began + SLOW_MS / 1_000:
                raise
        self.check()


def main():
    folder, command = pathlib.Path(sys.argv[1]), shlex.split(sys.argv[2])
    with Broker(folder) as broker:
        driver = Driver([*command, broker.address])
        try:
            Story(driver, broker).play()
        except Failure as failure:
            print((folder / "broker.log").read_text()[-3000:], file=sys.stderr)
            sys.exit(f"failed: {failure}")
        finally:
            driver.process.kill()


if __name__ == "__main__":
    main()
