"""How commands end, whatever it is that does not find what it was given; and what they tell meanwhile, and whom."""

import os
import re
import select
import subprocess
import time

from terminal import TIMEOUT_S, Terminal

CLI = os.environ["COMMAND_LINE"]


def endings(run, folder):
    """Nothing was begun: that is 2, of every command. What was begun and not done is 1."""
    nowhere, no_folder = folder / "nowhere", "/dev/null/a"
    anywhere = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    for words in [
        ("check", nowhere),
        ("check", folder),
        ("log", "list", nowhere),
        ("log", "journal", folder),
        ("log", "manifest", folder),
        ("log", "dump", nowhere),
        ("log", "dump", nowhere / "00000000000000000000.log"),
        ("produce", "formats", "--file", nowhere),
        ("produce", "formats", "--file", folder),
        ("group", "reset", "readers", "--from-file", nowhere),
        ("topic", "list", "--profile", nowhere / "a.toml"),
        ("config", "show", "--config", nowhere),
        ("serve", "--config", nowhere),
        ("serve", "--data-dir", no_folder, *anywhere),
        ("dev", "--data-dir", no_folder, *anywhere),
        ("man", "--out", no_folder),
        ("bench", "log", "--folder", nowhere),
    ]:
        run.refused(2, *words, says=[str(words[-1]) if words[-1] not in anywhere else no_folder])
    run.refused(1, "produce", "slow", "--format", "json", "-p", 0, stdin="{}\n[]\n", says=["line 2"])


def bars(run):
    """Where somebody sits there a bar says how far it is, and where nobody does nothing is said."""
    run.text("topic", "create", "slow", "--partitions", 1)
    command = [CLI, "consume", "slow", "-n", "3"]
    with Terminal(command, run.environment, stdout=subprocess.PIPE) as terminal:
        for value in ["one", "two", "three"]:
            run.text("produce", "slow", stdin=f"{value}\n")
            stdout = terminal.process.stdout
            if not select.select([stdout], [], [], TIMEOUT_S)[0] or stdout.readline() != f"{value}\n".encode():
                raise RuntimeError("what was written is not read")
            # Nobody is told of what is done at once; this is not.
            time.sleep(0.3)
        terminal.status()
        # Of which it is told depends on the machine: not of one right behind another.
        shown = [(len(done), len(left), int(percent), int(count)) for done, left, percent, count in
                 re.findall(r"\[(#*)(\.*)\] +(\d+) % (\d) records?\b", terminal.seen)]
        meant = [(20 * count // 3, 20 - 20 * count // 3, 100 * count // 3, count) for *_, count in shown]
        if not shown or shown != meant or not terminal.seen.endswith("\r\x1b[K"):
            raise RuntimeError(f"that is no bar, or it has not gone: {terminal.seen!r}")
    done = run.done("consume", "slow", "-n", 3)
    if done.stderr:
        raise RuntimeError(f"nobody is there, and is told: {done.stderr!r}")
