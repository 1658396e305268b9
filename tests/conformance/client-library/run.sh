#!/usr/bin/env bash
# Our client library against both brokers, with the same expectations: the story of all clients, the library's own tests
# that need a broker, and the command line.
source "$(dirname "$0")/../clients/library/client.sh"
need cargo
cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline
target_folder=${CARGO_TARGET_DIR:-$REPOSITORY_FOLDER/target}
export COMMAND_LINE="${STRANDLINE:-$target_folder/debug/strandline}"
for BROKER in ${BROKERS:-strandline kafka kafka-3}; do
    "$CLIENTS_FOLDER/strandline/run.sh"
    play "$CLIENT_FOLDER/library.py" "$WORK_FOLDER"
done
