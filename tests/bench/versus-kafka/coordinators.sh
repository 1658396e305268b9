#!/usr/bin/env bash
# Groups, offsets and transactions of Strandline beside Apache Kafka's; README.md says how it is measured.
#
# usage: tests/bench/versus-kafka/coordinators.sh [--pairs N] [--only TEXT] [--scale FACTOR]
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/clients/library/client.sh"
need java mvn

BENCH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BROKER=kafka prepare_broker
prepare_release
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$BENCH_FOLDER:$BENCH_FOLDER/.." python3 -B "$BENCH_FOLDER/coordinators.py" \
    --folder "$WORK_FOLDER" "$@"
