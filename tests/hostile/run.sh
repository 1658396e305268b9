#!/usr/bin/env bash
# Hostile clients on live sockets, one kind after the other, beside one client that behaves: that one is watched. Then ten
# thousand that do nothing.
#
# usage: tests/hostile/run.sh [SECONDS_PER_ATTACK] [SEED]
source "$(dirname "${BASH_SOURCE[0]}")/../conformance/clients/library/client.sh"

seconds=${1:-4} seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
HOSTILE_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prepare_broker
export PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$HOSTILE_FOLDER"
python3 -B "$HOSTILE_FOLDER/hostile.py" "$WORK_FOLDER/broker" "$seconds" "$seed"
python3 -B "$HOSTILE_FOLDER/idle.py" "$WORK_FOLDER/idle"
