"""Follows the help of each command to the letter: every example in it is typed as it stands, against the broker that the
example of `strandline dev` starts.

usage: helps.py WORK_FOLDER, with our command line in COMMAND_LINE.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from kafka_broker import free_ports, wait_for
from terminal import Terminal

CLI = os.environ["COMMAND_LINE"]
FOLDER = Path(sys.argv[1]) / "helps"
TIMEOUT_S = 120
# What is typed before what; all that there is has to be here.
WHILE_IT_RUNS = [
    "profile set", "profile show", "profile list", "topic create", "topic list", "topic describe", "topic alter", "produce", "consume",
    "top", "group list", "group describe", "group reset", "transaction list", "transaction describe", "transaction producers",
    "transaction abort", "cluster describe", "cluster brokers", "cluster features", "cluster quorum", "cluster log-dirs", "cluster apis",
    "config default", "config show", "config explain", "config reference", "config describe", "config alter", "bench produce",
    "bench consume", "bench latency", "bench partitions", "bench requests", "bench commits", "bench transactions", "bench rebalance",
    "bench groups", "bench wire", "bench log", "wire apis", "wire errors", "wire schema", "completions", "man", "topic trim",
    "group forget", "group delete", "topic delete",
]
AFTER_IT = ["log list", "log dump", "log journal", "log manifest", "check"]
BROKERS = ["dev", "serve"]


def fail(text):
    sys.exit(f"helps: {text}")


def walk(*words):
    """The commands that do something, each with the examples of its help."""
    text = subprocess.run([CLI, *words, "--help"], capture_output=True, text=True, check=True, timeout=TIMEOUT_S).stdout
    below = re.search(r"^Commands:\n(.*?)\n\n", text, re.S | re.M)
    if below:
        for name in re.findall(r"^  ([a-z-]+) ", below[1], re.M):
            if name != "help":
                yield from walk(*words, name)
        return
    examples = re.search(r"^Examples:\n(.*?)\n\n", text, re.S | re.M)
    yield " ".join(words), [line.strip() for line in examples[1].splitlines()] if examples else []


class Scene:
    def __init__(self):
        self.port, self.http = free_ports(2)
        here = FOLDER / "here"
        for folder in (here, FOLDER / "bin", FOLDER / "etc"):
            folder.mkdir(parents=True)
        os.symlink(CLI, FOLDER / "bin/strandline")
        (FOLDER / "etc/strandline.toml").write_text(f"'log.dirs' = '{FOLDER}/by-file'\nlisteners = 'PLAINTEXT://127.0.0.1:{self.port}'\n")
        # What somebody has who writes from a file, and who goes on from one.
        (here / "orders.jsonl").write_text("".join(f'{{"key": "c{number}", "value": "{number} anchors"}}\n' for number in range(3)))
        (here / "offsets.csv").write_text("orders,0,0\n")
        path = f"{FOLDER}/bin:{os.environ['PATH']}"
        home = {"HOME": str(FOLDER), "XDG_CONFIG_HOME": "", "STRANDLINE_BROKERS": f"127.0.0.1:{self.port}"}
        self.environment = {**os.environ, "PATH": path, **home}
        self.here = here

    def meant(self, example):
        """The same on this machine, beside others."""
        for said, meant in [
            ("127.0.0.1:9092", f"127.0.0.1:{self.port}"),
            ("0.0.0.0:9092", f"127.0.0.1:{self.port}"),
            ("127.0.0.1:9644", f"127.0.0.1:{self.http}"),
            ("/etc/strandline", str(FOLDER / "etc")),
            ("/var/lib/strandline", str(FOLDER / "data")),
        ]:
            example = example.replace(said, meant)
        if example.startswith(("strandline dev", "strandline serve")):
            example += f" --http 127.0.0.1:{self.http}"
            if "--listen" not in example and "--config" not in example:
                example += f" --listen 127.0.0.1:{self.port}"
        return example

    def start(self, example):
        words = self.meant(example).split()
        process = subprocess.Popen(words, cwd=self.here, env=self.environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(self.port, process)
        except BaseException:
            process.kill()
            raise
        return process

    def stop(self, process, example):
        process.send_signal(signal.SIGTERM)
        if process.wait(TIMEOUT_S):
            fail(f"{example}\nended with {process.returncode}")

    def type(self, example):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", self.meant(example)], cwd=self.here, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        if done.returncode or (not done.stdout.strip() and " > " not in example):
            fail(f"{example}\nended with {done.returncode} and said\n{done.stdout}{done.stderr}")

    def look(self, example):
        """What draws itself until somebody has seen enough."""
        with Terminal(example.split(), self.environment) as terminal:
            terminal.wait_for("orders")
            terminal.type("q")
            if terminal.status():
                fail(f"{example}\nended with {terminal.status()}")


def main():
    found = dict(walk())
    if set(found) != {*BROKERS, *WHILE_IT_RUNS, *AFTER_IT}:
        fail(f"nobody has said when to type {set(found) ^ {*BROKERS, *WHILE_IT_RUNS, *AFTER_IT}}")
    if lacking := [name for name, examples in found.items() if not examples]:
        fail(f"these have no example: {lacking}")
    scene = Scene()
    brokers = [example for name in BROKERS for example in found[name]]
    # The first is the one that all others are typed against.
    for example in brokers[1:]:
        scene.stop(scene.start(example), example)
    broker = scene.start(brokers[0])
    try:
        for name in WHILE_IT_RUNS:
            for example in found[name]:
                if example == "strandline top":
                    scene.look(example)
                else:
                    scene.type(example)
    finally:
        scene.stop(broker, brokers[0])
    for name in AFTER_IT:
        for example in found[name]:
            scene.type(example)
    print(f"{sum(map(len, found.values()))} examples in the help of {len(found)} commands work as they stand")


main()
