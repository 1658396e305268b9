"""What a broker's log says: nothing unless it is told to or something is wrong; and however much it is told to, nothing of a
record.

usage: logged.py WORK_FOLDER, with our command line in STRANDLINE.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from broker import StrandlineBroker
from kafka_broker import free_ports

STRANDLINE = os.environ["STRANDLINE"]
FOLDER = Path(sys.argv[1]) / "logged"
SECRET = "nobody-reads-this"
# As text, and as programs print bytes.
FORMS = [SECRET, SECRET.encode().hex(), ", ".join(map(str, SECRET.encode())), base64.b64encode(SECRET.encode()).decode().rstrip("=")]


def work(address):
    """Records that are written, read, refused and given up, by themselves and in a transaction and a group."""
    def strandline(*words, stdin="", expected=0):
        environment = {**os.environ, "STRANDLINE_BROKERS": address, "HOME": str(FOLDER), "XDG_CONFIG_HOME": ""}
        done = subprocess.run([STRANDLINE, *words], input=stdin, capture_output=True, text=True, timeout=120, env=environment)
        if done.returncode != expected:
            sys.exit(f"logged: {words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout
    strandline("topic", "create", "letters", "--partitions", "1", "--config", "cleanup.policy=compact")
    line = f"{SECRET}:{SECRET}\n"
    keyed = ("produce", "letters", "--key-separator", ":", "--header", f"{SECRET}={SECRET}")
    strandline(*keyed, stdin=line * 3)
    # Of a topic that stays: its markers may come later than the answer, and would be missed where there is none any more.
    strandline("topic", "create", "ledger", "--partitions", "1")
    strandline("produce", "ledger", *keyed[2:], "--transactional-id", "till", stdin=line)
    # Without a key a compacted topic takes nothing.
    strandline("produce", "letters", stdin=f"{SECRET}\n", expected=1)
    strandline("topic", "create", "notes", "--partitions", "1", "--config", "max.message.bytes=100")
    strandline("produce", "notes", stdin=SECRET * 100 + "\n", expected=1)
    if SECRET not in strandline("consume", "letters", "--group", "readers", "-n", "3"):
        sys.exit("logged: the records are not there")
    strandline("topic", "delete", "letters", "--yes")


def log_of(name, *words):
    folder = FOLDER / name
    folder.mkdir(parents=True)
    (port,) = free_ports(1)
    broker = StrandlineBroker(folder, [STRANDLINE, "serve", *words], port, {"node.id": 1})
    broker.start()
    try:
        work(f"127.0.0.1:{port}")
        status = broker.stop()
    finally:
        if broker.process.poll() is None:
            broker.process.kill()
    if status:
        sys.exit(f"logged: the broker ended with {status}")
    return (folder / "broker.log").read_text()


def found(text):
    return [form for form in FORMS if form in text]


def main():
    for form in FORMS:
        if found(f"a line with {form} in it") != [form]:
            sys.exit("logged: what is planted is not seen")
    quiet = log_of("quiet")
    if quiet:
        sys.exit(f"logged: nobody asked for this:\n{quiet}")
    loud = log_of("loud", "--log", "trace", "--log-format", "json")
    lines = [json.loads(line) for line in loud.splitlines()]
    levels = {line["level"] for line in lines}
    if not {"INFO", "DEBUG"} <= levels or not all({"timestamp", "target"} <= line.keys() for line in lines):
        sys.exit(f"logged: {len(lines)} lines of the levels {levels}")
    if found(loud):
        sys.exit(f"logged: a record is in the log as {found(loud)}:\n" + "\n".join(line for line in loud.splitlines() if found(line)))
    print(f"logged: nothing unless it is asked for; of a record nothing in {len(lines)} lines of all levels")


main()
