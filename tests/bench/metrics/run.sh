#!/usr/bin/env bash
# What metrics and the log cost on the way of a produce request: brokers with and without, in turns, and the processor
# time that each takes for the same records; and what a scrape of 10,000 partitions takes, and does to those who produce.
#
# usage: tests/bench/metrics/run.sh [--pairs N] [--scrapes N] [--windows N]
# STRANDLINE and UNMEASURED may name release binaries, the second one built with --features strandline/unmeasured; without
# them both are built.
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/kafka.sh"
need python3

BENCH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build() {
    need cargo
    cargo build --quiet --release --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline "$@"
}
if [[ -z ${UNMEASURED:-} ]]; then
    build --features strandline/unmeasured
    UNMEASURED="$WORK_FOLDER/unmeasured"
    cp "$REPOSITORY_FOLDER/target/release/strandline" "$UNMEASURED"
fi
if [[ -z ${STRANDLINE:-} ]]; then
    build
    STRANDLINE="$REPOSITORY_FOLDER/target/release/strandline"
fi
export STRANDLINE UNMEASURED
PYTHONPATH="$CONFORMANCE_FOLDER:$CONFORMANCE_FOLDER/clients/library" python3 -B "$BENCH_FOLDER/cost.py" "$WORK_FOLDER" "$@"
