"""What the members that are written in Python share: they say what happens, and end when nobody listens to them."""

import json
import sys
import threading

ADDRESS, GROUP, TOPIC = sys.argv[1:4]

# Set when standard input ends.
over = threading.Event()


def say(**what):
    print(json.dumps(what), flush=True)


def listen():
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
