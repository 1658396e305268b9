"""Runs a program with the address of a fresh broker, which it administers.

usage: administer.py FOLDER PROGRAM
"""

import pathlib
import subprocess
import sys

from broker import Broker

with Broker(pathlib.Path(sys.argv[1])) as broker:
    done = subprocess.run([sys.argv[2], broker.address], check=False, timeout=120)
sys.exit(done.returncode)
