"""Prints what a broker takes to start, and while nothing happens; fails where that is more than it may be.

Started is when it has answered a first request: it listens before it serves, so that a client that comes early waits.
"""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

from kafka_broker import free_ports

# ApiVersions in version 0, without a client's name.
QUESTION = struct.pack(">ihhih", 10, 18, 0, 1, -1)

# What a broker may take: of starts the median counts, of a new folder and of one that was closed.
START_MS_MAX = 50
IDLE_MIB_MAX = 15
IDLE_CORE_SHARE_MAX = 0.001


class Broker:
    def __init__(self, folder):
        self.folder = folder
        self.port, self.http = free_ports(2)

    def start(self):
        """Milliseconds until the first answer."""
        command = [os.environ["STRANDLINE"], "serve", "--data-dir", self.folder, "--listen", f"127.0.0.1:{self.port}"]
        began = time.monotonic()
        self.process = subprocess.Popen([*command, "--http", f"127.0.0.1:{self.http}"])
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
                    connection.sendall(QUESTION)
                    if connection.recv(4):
                        return (time.monotonic() - began) * 1_000
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise SystemExit("the broker ended") from None
                time.sleep(0.000_2)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def threads(self):
        """Of each thread its name, its nanoseconds on a processor and how often it was woken."""
        found = {}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            took = int((task / "schedstat").read_text().split()[0])
            found[task.name] = (status["Name"], took, int(status["voluntary_ctxt_switches"]))
        return found

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1_024 for line in status.splitlines() if line.startswith("VmRSS"))


def spread(numbers):
    return f"{min(numbers):.1f} / {statistics.median(numbers):.1f} / {max(numbers):.1f}"


def starts(folder, rounds):
    new, closed, killed = [], [], []
    for _ in range(rounds):
        shutil.rmtree(folder, ignore_errors=True)
        broker = Broker(folder)
        new.append(broker.start())
        broker.end()
        closed.append(broker.start())
        broker.end(signal.SIGKILL)
        killed.append(broker.start())
        broker.end()
    print("| from start to the first answer, ms | least / median / most |\n| --- | --- |")
    for what, took in (("a new folder", new), ("one that was closed", closed), ("one whose broker was killed", killed)):
        print(f"| {what} | {spread(took)} |", flush=True)
    return {f"the start on {what}, ms": (statistics.median(took), START_MS_MAX)
            for what, took in (("a new folder", new), ("a folder that was closed", closed))}


def idle(folder, seconds):
    shutil.rmtree(folder, ignore_errors=True)
    broker = Broker(folder)
    broker.start()
    # What a start leaves to be done is done.
    time.sleep(5)
    before = broker.threads()
    time.sleep(seconds)
    after = broker.threads()
    memory = broker.memory_mib()
    broker.end()
    spent = {number: (name, took - before[number][1], woken - before[number][2]) for number, (name, took, woken) in after.items()
             if number in before}
    took, woken = sum(each[1] for each in spent.values()), sum(each[2] for each in spent.values())
    print(f"\nidle: {memory:.1f} MiB resident, {took / 1e9 / seconds:.4%} of a core, woken {woken / seconds:.1f} times a second")
    for name, took, woken in sorted(spent.values(), key=lambda each: -each[2]):
        if woken:
            print(f"  {name:<16} {woken / seconds:6.2f} a second, {took / 1e9 / seconds:.4%}")
    total = sum(each[1] for each in spent.values()) / 1e9 / seconds
    return {"memory while idle, MiB": (memory, IDLE_MIB_MAX), "cores while idle": (total, IDLE_CORE_SHARE_MAX)}


def missed(goals):
    """What took more than it may."""
    return [f"{what}: {found:.4g}, and {most} at most" for what, (found, most) in goals.items() if found > most]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work_folder", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    folder = (given.folder or given.work_folder) / "idle"
    try:
        goals = starts(folder, given.rounds) | idle(folder, given.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if wrong := missed(goals):
        sys.exit("missed: " + "; ".join(wrong))


main()
