#!/usr/bin/env bash
# How long a broker takes from its start to its first answer, on a new folder, on one that was closed and on one that was
# killed; and what it takes while nobody asks it anything: memory, processor, and which of its threads wake up.
#
# usage: tests/bench/idle/run.sh [FOLDER] [--rounds N] [--seconds N]
# STRANDLINE may name a release binary; without it one is built. FOLDER is on the disk that is measured.
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/kafka.sh"
need python3

BENCH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prepare_release
PYTHONPATH="$CONFORMANCE_FOLDER" python3 -B "$BENCH_FOLDER/idle.py" "$WORK_FOLDER" "$@"
