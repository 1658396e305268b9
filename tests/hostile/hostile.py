"""A well-behaved client beside hostile ones: what it waits, what the broker holds meanwhile, and what is in its log.

usage: hostile.py FOLDER SECONDS_PER_ATTACK SEED
"""

import multiprocessing
import os
import pathlib
import statistics
import sys
import time

import attacks
import counts
import wire
from broker import Broker

INTERVAL_S = 0.02
SETTINGS = {
    "max.connections": attacks.CONNECTIONS_MAX, "max.connections.per.ip": attacks.CONNECTIONS_PER_ADDRESS_MAX,
    # What is too old goes while it is looked.
    "log.retention.check.interval.ms": 200, "strandline.checkpoint.interval.ms": 500,
}
# As the issue's: the whole benchmark's memory, and what a neighbour may add to a wait on a machine that it shares.
RESIDENT_MIB_MAX = 150
# A bomb is unpacked to 64 MiB before it is refused, beside what the attacks before it have left.
RESIDENT_MIB_MAX_OF = {"other_bombs": 220}
P99_FACTOR_MAX, P99_EXTRA_S, LONGEST_S_MAX = 20, 0.25, 5.0
# A disk that stalls makes others wait as well: so many windows of a whole run may be played again for that.
AGAIN_MAX = 2


class Neighbour:
    """One client that writes a record, and reads it, at a steady pace."""

    def __init__(self, address):
        self.client = wire.Client(address)
        self.batch = wire.batch(wire.record(b"well-behaved " * 20))
        self.written = 0

    def run(self, seconds):
        """How long each round took from when it was due, in seconds."""
        waits = []
        began = time.monotonic()
        while (due := began + len(waits) * INTERVAL_S) < began + seconds:
            time.sleep(max(due - time.monotonic(), 0))
            error, offset = wire.produced(self.client.ask(wire.PRODUCE, 7, wire.produce("good", self.batch)))
            if error or offset != self.written:
                sys.exit(f"a good record was answered with error {error} and offset {offset}, not {self.written}")
            self.written += 1
            if b"well-behaved" not in self.client.ask(wire.FETCH, 4, wire.fetch("good", offset)):
                sys.exit("a good record cannot be read")
            waits.append(time.monotonic() - due)
        return waits


def resident_mib(pid, key):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(key)) / 1024


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def p99(waits):
    return sorted(waits)[len(waits) * 99 // 100]


def under(name, address, seed, seconds, neighbour):
    """Lets an attack go on beside the neighbour; its waits, and how many times the attack came."""
    ended, rounds, problems = multiprocessing.Event(), multiprocessing.Value("L", 0), multiprocessing.Queue()
    attacker = multiprocessing.Process(target=attacks.run, args=(name, address, "target", seed, ended, rounds, problems))
    attacker.start()
    waits = neighbour.run(seconds)
    # Once at least, however slow the machine is.
    while rounds.value == 0 and attacker.is_alive():
        waits += neighbour.run(0.2)
    ended.set()
    attacker.join(60)
    if attacker.exitcode != 0 and problems.empty():
        sys.exit(f"{name} ended with {attacker.exitcode}")
    if not problems.empty():
        sys.exit(problems.get())
    if rounds.value == 0:
        sys.exit(f"{name} came to no end")
    return waits, rounds.value


def watch(attack, process, address, seed, seconds, neighbour):
    """How long the neighbour waits under an attack, which must neither end the broker nor fill its memory."""
    forget_peak(process.pid)
    waits, rounds = under(attack.__name__, address, seed, seconds, neighbour)
    peak = resident_mib(process.pid, "VmHWM")
    print(
        f"{attack.__name__}, {rounds} times: p50 {statistics.median(waits) * 1e3:.1f} ms, p99 {p99(waits) * 1e3:.1f} ms, "
        f"longest {max(waits) * 1e3:.0f} ms; at most {peak:.0f} MiB"
    )
    if process.poll() is not None:
        sys.exit(f"{attack.__name__} ended the broker")
    if peak > RESIDENT_MIB_MAX_OF.get(attack.__name__, RESIDENT_MIB_MAX):
        sys.exit(f"{attack.__name__} takes {peak:.0f} MiB")
    return waits


def main():
    folder, seconds, seed = pathlib.Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    folder.mkdir()
    wire.allow_descriptors(attacks.CONNECTIONS_MAX * 2)
    print(f"seed {seed}")
    with Broker(folder, more=SETTINGS) as broker:
        host, port = broker.address.split(":")
        address = (host, int(port))
        with wire.Client(address) as client:
            client.ask(wire.CREATE_TOPICS, 2, wire.create_topics(["good", "target", "sequences"], retention_ms=-1))
            # Snappy makes no bomb of a megabyte.
            client.ask(wire.CREATE_TOPICS, 2, wire.create_topics(["wide"], max_message_bytes=16 << 20))
            # Both coordinators are there from now on.
            for kind in (0, 1):
                client.ask(counts.FIND_COORDINATOR, 1, wire.text("any") + bytes([kind]))
            filler = wire.batch(wire.record(os.urandom(500_000)))
            for _ in range(20):
                client.ask(wire.PRODUCE, 7, wire.produce("target", filler))
            target_end = wire.end_offset(client, "target")
        neighbour = Neighbour(address)
        neighbour.run(1)
        calm = neighbour.run(seconds)
        print(f"calm: p50 {statistics.median(calm) * 1e3:.1f} ms, p99 {p99(calm) * 1e3:.1f} ms")
        again = 0
        for attack in attacks.ATTACKS:
            while True:
                waits = watch(attack, broker.broker.process, address, seed, seconds, neighbour)
                if p99(waits) <= p99(calm) * P99_FACTOR_MAX + P99_EXTRA_S and max(waits) <= LONGEST_S_MAX:
                    break
                again += 1
                if again > AGAIN_MAX:
                    sys.exit(f"{attack.__name__} makes others wait")
        with wire.Client(address) as client:
            if wire.end_offset(client, "target") != target_end or wire.end_offset(client, "wide") != 0:
                sys.exit("something of what was refused is in the log")
            if wire.end_offset(client, "good") != neighbour.written:
                sys.exit("the good records are not those that were acknowledged")
    print("hostile: others hardly noticed")


if __name__ == "__main__":
    main()
