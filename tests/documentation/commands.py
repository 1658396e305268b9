"""Runs the commands of the pages, in their order, and looks at what they print.

commands.json says of each, by its page's words: `prints`, expressions that have to match (in its order of lines), `status`,
`serves` (it runs until it is told to stop, and is the broker that the next commands talk to), `adding`: options by which it
takes seconds and not minutes, or `elsewhere`: who runs it, where this is not the place. A program in Python counts as a
command. What a page names that this machine may not have (addresses, /var, /etc) is replaced first.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from kafka_broker import free_ports, wait_for

ROOT = Path(__file__).parents[2]
FOLDER = Path(sys.argv[1])
PAGES = ["README.md", "docs/CLI.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md") if page.name != "CLI.md")]
PYTHON = "python"
TIMEOUT_S = 120


def commands(page):
    """What a page has somebody type: what stands behind `$ ` in blocks of a console, with lines that go on; and programs,
    each with a name."""
    text = (ROOT / page).read_text()
    for language, block in re.findall(r"^```(console|python)\n(.*?)^```", text, re.S | re.M):
        if language == PYTHON:
            yield f"{page}'s program", f"{PYTHON} <<'.'\n{block}."
            continue
        for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.M):
            words = re.sub(r"\\\n\s*", "", command)
            words = re.sub(r"\s+#.*$", "", words).strip()
            yield words, words


class Scene:
    def __init__(self):
        self.port, self.http = free_ports(2)
        self.folder = FOLDER / "here"
        self.folder.mkdir()
        binaries = FOLDER / "bin"
        binaries.mkdir()
        os.symlink(os.environ["STRANDLINE"], binaries / "strandline")
        (FOLDER / "etc").mkdir()
        (FOLDER / "data").mkdir()
        shutil.copy(ROOT / "tools/packaging/strandline.toml", FOLDER / "etc/strandline.toml")
        # A virtual environment knows itself by where its Python is called.
        path = f"{binaries}:{Path(os.environ['PYTHON']).parent}:{os.environ['PATH']}"
        # Where the cluster is, for all that the page leaves to the default; and a home in which nobody lives.
        home = {"HOME": str(FOLDER), "XDG_CONFIG_HOME": "", "STRANDLINE_BROKERS": f"127.0.0.1:{self.port}"}
        self.environment = {**os.environ, "PATH": path, **home}
        self.broker = None

    def here(self, command):
        """The same command, on this machine and beside others."""
        for said, meant in [
            ("cargo run --release -- ", "strandline "),
            ("127.0.0.1:9092", f"127.0.0.1:{self.port}"),
            ("broker.example:9092", f"127.0.0.1:{self.port}"),
            ("0.0.0.0:9092", f"127.0.0.1:{self.port}"),
            ("127.0.0.1:9644", f"127.0.0.1:{self.http}"),
            ("/etc/strandline", str(FOLDER / "etc")),
            ("/var/lib/strandline", str(FOLDER / "data")),
            ("--folder DIR", f"--folder {FOLDER}"),
            ("--folder /a/folder/on/the/disk", f"--folder {FOLDER}"),
        ]:
            command = command.replace(said, meant)
        if command == "strandline dev":
            command += f" --listen 127.0.0.1:{self.port} --http 127.0.0.1:{self.http}"
        if command.startswith("strandline serve") and "--listen" not in command:
            command += f" --listen 127.0.0.1:{self.port} --http 127.0.0.1:{self.http} --set log.dirs={FOLDER}/data"
        return command

    def serve(self, command, expected):
        self.stop()
        log = open(FOLDER / "broker.log", "w+")
        self.broker = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        wait_for(self.port, self.broker)
        # It listens before it has said so.
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            printed = (FOLDER / "broker.log").read_text()
            if time.monotonic() > deadline or is_like(printed, expected):
                return printed
            time.sleep(0.05)

    def stop(self):
        if self.broker:
            self.broker.send_signal(signal.SIGTERM)
            if self.broker.wait(TIMEOUT_S) != 0:
                raise RuntimeError(f"the broker ended with {self.broker.returncode}: {(FOLDER / 'broker.log').read_text()}")
            self.broker = None

    def run(self, command):
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              timeout=TIMEOUT_S)
        return done.returncode, done.stdout + done.stderr


def is_like(printed, expected):
    try:
        hold("", printed, expected)
        return True
    except RuntimeError:
        return False


def hold(said, printed, expected):
    place = 0
    for expression in expected.get("prints", []):
        found = re.compile(expression, re.M).search(printed, place)
        if not found:
            raise RuntimeError(f"{said}: nothing behind character {place} is like {expression!r}:\n{printed}")
        place = found.end()


def main():
    known = json.loads((ROOT / "tests/documentation/commands.json").read_text())
    seen, run, scene = set(), set(), Scene()
    try:
        for page in PAGES:
            for said, typed in commands(page):
                if said not in known:
                    raise RuntimeError(f"{page} has a command that commands.json does not know: {said}")
                expected = known[said]
                seen.add(said)
                if "elsewhere" in expected:
                    continue
                for before in expected.get("after", []):
                    scene.stop() if before == "stop" else scene.run(scene.here(before))
                command = " ".join([scene.here(typed), *expected.get("adding", [])])
                if expected.get("serves"):
                    printed = scene.serve(command, expected)
                else:
                    status, printed = scene.run(command)
                    if status != expected.get("status", 0):
                        raise RuntimeError(f"{said}: status {status}:\n{printed}")
                hold(said, printed, expected)
                run.add(said)
    finally:
        scene.stop()
    gone = sorted(set(known) - seen)
    if gone:
        raise RuntimeError(f"no page has these any more: {gone}")
    print(f"documentation: {len(run)} commands do what the pages say, {len(seen - run)} are run elsewhere")


main()
