#!/usr/bin/env bash
# Strandline beside Apache Kafka, with a neutral driver: librdkafka. README.md says what is fair about it.
#
# usage: tests/bench/versus-kafka/run.sh [--pairs N] [--only TEXT] [--scale FACTOR]
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/clients/library/client.sh"
need cc java mvn pkg-config cargo

BENCH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! pkg-config --exists rdkafka; then
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y librdkafka-dev >/dev/null 2>&1 || {
        apt-get update -qq >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y librdkafka-dev >/dev/null
    }
fi
# shellcheck disable=SC2046
cc -O2 -Wall -Wextra -o "$WORK_FOLDER/driver" "$BENCH_FOLDER/driver.c" $(pkg-config --cflags --libs rdkafka) \
    || { echo "the driver needs librdkafka's headers (Debian's package librdkafka-dev)" >&2; exit 2; }
cc -O2 -msse4.2 -Wall -Wextra -o "$WORK_FOLDER/floor" "$BENCH_FOLDER/floor.c"
BROKER=kafka prepare_broker
prepare_release
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$BENCH_FOLDER/.." python3 -B "$BENCH_FOLDER/versus.py" \
    --driver "$WORK_FOLDER/driver" --floor "$WORK_FOLDER/floor" --folder "$WORK_FOLDER" "$@"
