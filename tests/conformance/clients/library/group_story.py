"""The story of a group that every client goes through: members that come and go, and a broker that is restarted.

usage: group_story.py WORK_FOLDER HELPER_COMMAND HELPER_MEMBER_COMMAND MEMBER_COMMAND, each command one word to a shell

A member is a program that is given the broker's address, a group and a topic. It joins, reads, commits what it has read,
and says what happens, one line of JSON each: {"assigned": [partitions it has now]}, {"record": [partition, offset]},
{"committed": [[partition, offset], ...]}. When its standard input ends it leaves, and ends with 0.

Owns the expectations: each record is read, none is passed over, what is committed is where the next one goes on.
"""

import json
import os
import queue
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

from broker import Broker
from driven import Client, Driver, Failure

TOPIC = "grouped"
GROUP = "readers"
PARTITIONS = 6
RECORDS = 5
TIMEOUT_S = 90
# A broker of these has members of the consumer protocol, which ASSIGNOR may name, hear of changes as soon as others do.
SETTINGS = {"group.consumer.min.heartbeat.interval.ms": 500, "group.consumer.heartbeat.interval.ms": 500}


class Member:
    """A member's process, and what it has said so far."""

    def __init__(self, story, name, command):
        self.story = story
        self.name = name
        self.process = subprocess.Popen(
            [*shlex.split(command), story.broker.address, GROUP, TOPIC], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, encoding="utf-8")
        self.assigned = set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.story.said.put((self, json.loads(line)))

    def leave(self):
        self.process.stdin.close()
        status = self.process.wait(TIMEOUT_S)
        self.assigned = set()
        if status != 0:
            raise Failure(f"{self.name} ended with {status}")

    def kill(self):
        self.process.kill()
        self.process.wait()


class GroupStory:
    """The parts of the story, in the order of `play`."""

    def __init__(self, client, broker, helper_member, member):
        self.client = client
        self.broker = broker
        self.commands = {"helper": helper_member, "member": member}
        self.said = queue.Queue()
        self.members = []
        # By partition: how many records there are, which comes next for the group, and what was committed.
        self.ends = [0] * PARTITIONS
        self.next = [0] * PARTITIONS
        self.committed = [0] * PARTITIONS

    def play(self):
        self.client.ask("create", topic=TOPIC, partitions=PARTITIONS, settings={})
        self.produce()
        first = self.start("first", "member")
        self.until("the first member has everything", lambda: first.assigned == set(range(PARTITIONS)) and self.all_read())
        second = self.start("second", "member")
        self.until("two members share", lambda: self.is_shared([first, second]))
        self.produce()
        self.until("two members have read", self.all_read)
        third = self.start("third", "helper")
        self.until("three members share", lambda: self.is_shared([first, second, third]))
        self.produce()
        self.until("three members have read", self.all_read)
        self.broker.restart()
        self.produce()
        self.until("what came after the restart is read", self.all_read)
        self.broker.restart()
        self.produce()
        self.until("what came after the crash is read", self.all_read)
        self.until("three members share again", lambda: self.is_shared([first, second, third]))
        self.check_group("Stable", 3)
        self.leave(third)
        self.leave(second)
        self.produce()
        self.until("the one that stayed has everything", lambda: first.assigned == set(range(PARTITIONS)) and self.all_read())
        self.leave(first)
        self.check_group("Empty", 0)
        again = self.start("again", "member")
        self.until("one that comes again has everything", lambda: again.assigned == set(range(PARTITIONS)))
        self.produce()
        self.until("one that comes again reads what is new", self.all_read)
        self.leave(again)
        self.check_group("Empty", 0)

    def start(self, name, which):
        member = Member(self, name, self.commands[which])
        self.members.append(member)
        return member

    def leave(self, member):
        member.leave()
        self.members.remove(member)

    def produce(self):
        for partition in range(PARTITIONS):
            records = [
                {"key": "k", "value": f"{partition} {self.ends[partition] + index}", "headers": [], "timestamp": 1_700_000_000_000}
                for index in range(RECORDS)]
            self.client.ask(
                "produce", topic=TOPIC, partition=partition, records=records, compression="none", acks="all", idempotent=False)
            self.ends[partition] += RECORDS

    def all_read(self):
        return self.next == self.ends and self.committed == self.ends

    def is_shared(self, members):
        parts = [member.assigned for member in members]
        return all(parts) and sum(map(len, parts)) == PARTITIONS and set().union(*parts) == set(range(PARTITIONS))

    def until(self, what, holds):
        deadline = time.monotonic() + TIMEOUT_S
        while not holds():
            try:
                member, said = self.said.get(timeout=0.1)
            except queue.Empty:
                for each in self.members:
                    if each.process.poll() is not None:
                        raise Failure(f"{each.name} ended with {each.process.returncode}, and {what}") from None
                if time.monotonic() > deadline:
                    parts = {each.name: sorted(each.assigned) for each in self.members}
                    raise Failure(
                        f"not within {TIMEOUT_S} s: {what}; {parts}, next {self.next}, committed {self.committed}, ends {self.ends}") from None
                continue
            self.take(member, said)
        print(f"{what}", file=sys.stderr)

    def take(self, member, said):
        if "assigned" in said:
            member.assigned = set(said["assigned"])
        if "record" in said:
            partition, offset = said["record"]
            # What was read and not committed is read again after a rebalance; nothing is passed over.
            if offset > self.next[partition]:
                raise Failure(f"{member.name} reads {partition}:{offset}, and {self.next[partition]} was not read")
            self.next[partition] = max(self.next[partition], offset + 1)
        for partition, offset in said.get("committed", []):
            self.committed[partition] = max(self.committed[partition], offset)

    def check_group(self, state, members):
        """In a moment: some clients commit, and go, without waiting for an answer."""
        expected = {"state": state, "members": members, "offsets": self.ends, "listed": True}
        deadline = time.monotonic() + TIMEOUT_S
        while (found := self.client.attempt("group", group=GROUP, topic=TOPIC)) != expected:
            if time.monotonic() > deadline:
                raise Failure(f"the group is {found} instead of {expected}")
            time.sleep(0.2)


def main():
    folder = Path(sys.argv[1]) / "group"
    folder.mkdir()
    helper, helper_member, member = sys.argv[2:]
    with Broker(folder, more=SETTINGS if os.environ.get("ASSIGNOR") == "consumer" else None) as broker:
        driver = Driver([*shlex.split(helper), broker.address])
        story = GroupStory(Client(driver), broker, helper_member, member)
        try:
            story.play()
            driver.close()
        except Failure as failure:
            print((folder / "broker.log").read_text()[-3000:], file=sys.stderr)
            sys.exit(f"failed: {failure}")
        finally:
            for each in story.members:
                each.kill()
            driver.kill()


if __name__ == "__main__":
    main()
