#!/usr/bin/env bash
# Our client library beside librdkafka and krafka, in turns, against one broker. README.md says what is fair about it.
#
# usage: tests/bench/clients/run.sh [--rounds N] [--only TEXT] [--scale FACTOR]
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/clients/library/client.sh"
need cargo cc cmake make python3

BENCH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CARGO_TARGET_DIR="${BENCH_TARGET:-$REPOSITORY_FOLDER/target/bench-clients}"
cargo build --quiet --release --locked --manifest-path "$BENCH_FOLDER/Cargo.toml"
export BENCH="$CARGO_TARGET_DIR/release/strandline-client-bench"
unset CARGO_TARGET_DIR
prepare_release
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$BENCH_FOLDER/.." python3 -B "$BENCH_FOLDER/clients.py" --folder "$WORK_FOLDER" "$@"
