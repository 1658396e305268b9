"""A member of a group, by kcat -G: it commits by itself, and once more when it goes."""

import re
import signal
import subprocess
import threading

from membership import ADDRESS, GROUP, TOPIC, listen, over, say

process = subprocess.Popen(
    ["kcat", "-b", ADDRESS, "-G", GROUP, "-u", "-E", "-f", "%p %o\n", "-X", "auto.offset.reset=earliest",
     "-X", "auto.commit.interval.ms=100", "-X", "session.timeout.ms=10000", "-X", "heartbeat.interval.ms=500",
     "-X", "partition.assignment.strategy=range", TOPIC],
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def follow_assignments():
    for line in process.stderr:
        if "rebalanced" in line:
            say(assigned=[int(each) for each in re.findall(r"\[(\d+)\]", line)] if "assigned" in line else [])


threading.Thread(target=follow_assignments, daemon=True).start()


def follow_records():
    for line in process.stdout:
        partition, offset = map(int, line.split())
        say(record=[partition, offset])
        # By itself, in a moment: the story looks at what the group has committed in the end.
        say(committed=[[partition, offset + 1]])


threading.Thread(target=follow_records, daemon=True).start()
listen()
over.wait()
process.send_signal(signal.SIGTERM)
process.wait()
