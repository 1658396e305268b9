#!/usr/bin/env bash
# How long a broker takes to be back after `kill -9`, with many partitions and much in them. It removes what it wrote.
#
# usage: tests/bench/recovery/run.sh [FOLDER] [--gigabytes N] [--partitions N] [--many N] [--kills N]
# STRANDLINE may name a release binary; without it one is built. FOLDER is on the disk that is measured.
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/kafka.sh"
need python3

BENCH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prepare_release
PYTHONPATH="$CONFORMANCE_FOLDER" python3 -B "$BENCH_FOLDER/recovery.py" "$WORK_FOLDER" "$@"
