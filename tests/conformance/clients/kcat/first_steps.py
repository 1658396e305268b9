"""What a stranger does first: start the broker with nothing said, and write to a topic that is not there.

usage: first_steps.py WORK_FOLDER
"""

import subprocess
import sys
from pathlib import Path

from broker import Broker

LINES = b"one\ntwo\nthree\n"


def kcat(broker, *words, stdin=b""):
    return subprocess.run(
        ["kcat", "-b", broker.address, "-q", *words], input=stdin, stdout=subprocess.PIPE, timeout=120, check=True).stdout


def main():
    folder = Path(sys.argv[1]) / "first-steps"
    folder.mkdir()
    with Broker(folder, dev=True) as broker:
        kcat(broker, "-t", "first", "-P", stdin=LINES)
        for _ in range(3):
            found = kcat(broker, "-t", "first", "-C", "-o", "beginning", "-e")
            if found != LINES:
                sys.exit(f"found {found} instead of {LINES}")
            broker.restart()


if __name__ == "__main__":
    main()
